// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the bytes at the cursor mean, as each type of number in the chosen byte order, and as text.

import Adw from 'gi://Adw?version=1';
import Gio from 'gi://Gio';
import GObject from 'gi://GObject';
import Gtk from 'gi://Gtk?version=4.0';

import {_, C_, hexBytes, offsetText} from './text.js';

const {LITTLE_ENDIAN, BIG_ENDIAN} = Gio.DataStreamByteOrder;
const NONE = '—';

function character(bytes) {
    const n = bytes[0] < 0x80 ? 1 : bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
    let text;
    try {
        text = new TextDecoder('utf-8', {fatal: true}).decode(bytes.slice(0, n));
    } catch {
        return NONE;
    }
    const code = text.codePointAt(0);
    const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    return /[\p{C}\p{Z}\p{M}]/u.test(text) ? name : `${text}  ${name}`;
}

// All of them from the same bytes: what changes meanwhile is not half in one row and half in another.
function valueOf(type, size, order, bytes) {
    if (bytes.length < size)
        return null;
    return new DataView(bytes.buffer, bytes.byteOffset, size)[`get${type}`](0, order === LITTLE_ENDIAN);
}

function number(type, size, order) {
    return ({bytes}) => valueOf(type, size, order, bytes)?.toString() ?? NONE;
}

function float(type, size, digits, order) {
    return ({bytes}) => {
        const value = valueOf(type, size, order, bytes);
        return value === null ? NONE : Number(value.toPrecision(digits)).toString();
    };
}

// Each: the group, the name, what it makes of {offset, bytes}.
function typesIn(order) {
    return [
        [0, C_('type', 'Unsigned 8-bit'), number('Uint8', 1, order)],
        [0, C_('type', 'Signed 8-bit'), number('Int8', 1, order)],
        [0, C_('type', 'Unsigned 16-bit'), number('Uint16', 2, order)],
        [0, C_('type', 'Signed 16-bit'), number('Int16', 2, order)],
        [0, C_('type', 'Unsigned 32-bit'), number('Uint32', 4, order)],
        [0, C_('type', 'Signed 32-bit'), number('Int32', 4, order)],
        [0, C_('type', 'Unsigned 64-bit'), number('BigUint64', 8, order)],
        [0, C_('type', 'Signed 64-bit'), number('BigInt64', 8, order)],
        [1, C_('type', 'Float 32-bit'), float('Float32', 4, 9, order)],
        [1, C_('type', 'Float 64-bit'), float('Float64', 8, 17, order)],
        [2, C_('type', 'UTF-8'), ({bytes}) => character(bytes)],
        [2, C_('type', 'Bytes'), ({bytes}) => hexBytes(bytes)],
        [2, C_('type', 'Binary'), ({bytes}) => bytes[0].toString(2).padStart(8, '0')],
        [2, C_('type', 'Offset'), ({offset}) => `${offsetText(offset)}\n${offset}`],
    ];
}

const ValueRow = GObject.registerClass({
    GTypeName: 'MmioViewerValueRow',
}, class ValueRow extends Adw.PreferencesRow {
    constructor(name) {
        super({title: name, activatable: true, tooltip_text: _('Copy')});
        const box = new Gtk.Box({orientation: Gtk.Orientation.VERTICAL, spacing: 3,
            margin_top: 8, margin_bottom: 8, margin_start: 12, margin_end: 12});
        const title = new Gtk.Label({label: name, xalign: 0});
        title.add_css_class('caption');
        title.add_css_class('dim-label');
        this._value = new Gtk.Label({label: NONE, xalign: 0, wrap: true, wrap_mode: 2, natural_wrap_mode: 0});
        this._value.add_css_class('numeric');
        box.append(title);
        box.append(this._value);
        this.set_child(box);
        this._name = name;
    }

    get value() {
        return this._value.label;
    }

    set value(text) {
        if (this._value.label === text)
            return;
        this._value.label = text;
        this.update_property([Gtk.AccessibleProperty.LABEL], [`${this._name}: ${text}`]);
    }
});

export const Inspector = GObject.registerClass({
    GTypeName: 'MmioViewerInspector',
    Template: 'resource:///org/libmmio/Viewer/ui/inspector.ui',
    InternalChildren: ['little', 'numbers', 'floats', 'others'],
    Signals: {'copied': {param_types: [GObject.TYPE_STRING]}},
}, class Inspector extends Gtk.Box {
    constructor(properties = {}) {
        super(properties);
        const lists = [this._numbers, this._floats, this._others];
        this._types = {[LITTLE_ENDIAN]: typesIn(LITTLE_ENDIAN), [BIG_ENDIAN]: typesIn(BIG_ENDIAN)};
        this._rows = this._types[LITTLE_ENDIAN].map(([group, name]) => {
            const row = new ValueRow(name);
            lists[group].append(row);
            return row;
        });
        for (const list of lists)
            list.connect('row-activated', (_list, row) => this.emit('copied', row.value));
        this._little.connect('toggled', () => this._update());
        // What nobody sees isn't worked out.
        this.connect('map', () => this._update());
    }

    inspect(document, offset) {
        this._document = document;
        this._offset = offset;
        this._update();
    }

    _update() {
        if (!this.get_mapped())
            return;
        const bytes = this._document?.read(this._offset, 8) ?? [];
        const order = this._little.active ? LITTLE_ENDIAN : BIG_ENDIAN;
        this._types[order].forEach(([, , toText], i) => {
            this._rows[i].value = bytes.length > 0 ? toText({offset: this._offset, bytes}) : NONE;
        });
    }
});
