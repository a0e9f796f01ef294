// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The bytes of a document, row by row. Only what is in view has a row, and only that is read: the size of the file costs nothing.
//
// The adjustment counts pixels. A double holds 2^53 of them, which is more than JavaScript has offsets.

import Adw from 'gi://Adw?version=1';
import GObject from 'gi://GObject';
import Graphene from 'gi://Graphene';
import Gsk from 'gi://Gsk?version=4.0';
import Gtk from 'gi://Gtk?version=4.0';
import Pango from 'gi://Pango';
import System from 'system';

import {Columns} from './columns.js';
import {Flashes} from './flashes.js';
import {addKeys} from './hexKeys.js';
import {HexMenu} from './hexMenu.js';
import {addPointer} from './hexPointer.js';
import {HexRow} from './hexRow.js';
import {matchesInView} from './matches.js';
import {FLASH_STEPS, Palette} from './palette.js';
import {Selection} from './selection.js';
import {_, fill, hex, offsetText, printable} from './text.js';

const ROW_SPACING = 4;
// What rows may be, widest first: how many bytes, and whether tight.
const ROWS = [[32, false], [16, false], [8, false], [8, true], [4, false], [4, true]];
const ZOOM_STEPS = [0.6, 0.75, 0.9, 1, 1.15, 1.35, 1.6, 2, 2.5, 3];
// JavaScript's collector sees how little a row is to it, not how much it holds: after so many new ones it is told.
const ROWS_PER_COLLECTION = 4096;
const NOTHING = {start: 0, bytes: new Uint8Array(0)};

export const HexView = GObject.registerClass({
    GTypeName: 'MmioViewerHexView',
    CssName: 'hexview',
    Implements: [Gtk.Scrollable],
    Properties: {
        'hadjustment': GObject.ParamSpec.override('hadjustment', Gtk.Scrollable),
        'vadjustment': GObject.ParamSpec.override('vadjustment', Gtk.Scrollable),
        'hscroll-policy': GObject.ParamSpec.override('hscroll-policy', Gtk.Scrollable),
        'vscroll-policy': GObject.ParamSpec.override('vscroll-policy', Gtk.Scrollable),
    },
    Signals: {
        // the cursor or the selection is elsewhere
        'cursor-moved': {},
        // other bytes are in view
        'scrolled': {},
        'first-rows': {},
    },
}, class HexView extends Gtk.Widget {
    constructor(properties = {}) {
        super({
            accessible_role: Gtk.AccessibleRole.LIST,
            focusable: true,
            overflow: Gtk.Overflow.HIDDEN,
            ...properties,
        });
        this.add_css_class('monospace');
        this.add_css_class('view');
        this.update_property([Gtk.AccessibleProperty.LABEL], [_('Bytes of the file')]);

        this.document = null;
        this.selection = new Selection();
        // What is searched for: its matches in view are marked.
        this.pattern = null;
        this.charWidth = 8;
        this.rowHeight = 20;
        this._palette = null;
        this._columns = new Columns(16, 8);
        this._zoom = ZOOM_STEPS.indexOf(1);
        this._rows = [];
        this._newRows = 0;
        this._lastFirst = 0;
        // What is in view: {start, bytes}, and where matches begin.
        this._shown = NOTHING;
        this._matches = [];
        this._flashes = new Flashes(() => this._markRows());
        this._handlers = [];
        this._hadRows = false;
        // What the next allocation has to do: show this offset at the top, or the end; light what differs, for a range has changed.
        this._topOffset = null;
        this._showEnd = false;
        this._changed = null;

        this.menu = new HexMenu(this);
        addKeys(this);
        addPointer(this);
        const focus = new Gtk.EventControllerFocus();
        focus.connect('enter', () => this._markRows());
        focus.connect('leave', () => this._markRows());
        this.add_controller(focus);

        const style = Adw.StyleManager.get_default();
        const styleIds = ['notify::dark', 'notify::high-contrast'].map(name => style.connect(name, () => this._onStyle()));
        this.connect('destroy', () => {
            for (const id of styleIds)
                style.disconnect(id);
            this._flashes.clear();
            this.menu.destroy();
            for (const row of this._rows)
                row.unparent();
            this._rows = [];
        });
    }

    // Gtk.Scrollable

    get hadjustment() {
        return this._hadjustment ?? null;
    }

    set hadjustment(adjustment) {
        this._hadjustment = adjustment;
    }

    get vadjustment() {
        return this._vadjustment ?? null;
    }

    set vadjustment(adjustment) {
        if (this._vadjustment === adjustment)
            return;
        if (this._valueId)
            this._vadjustment.disconnect(this._valueId);
        this._vadjustment = adjustment;
        this._valueId = adjustment?.connect('value-changed', () => {
            // What the allocation itself sets, it also uses.
            if (!this._isConfiguring)
                this.queue_allocate();
        }) ?? 0;
    }

    get hscrollPolicy() {
        return this._hscrollPolicy ?? Gtk.ScrollablePolicy.MINIMUM;
    }

    set hscrollPolicy(policy) {
        this._hscrollPolicy = policy;
    }

    get vscrollPolicy() {
        return this._vscrollPolicy ?? Gtk.ScrollablePolicy.MINIMUM;
    }

    set vscrollPolicy(policy) {
        this._vscrollPolicy = policy;
    }

    // What is shown

    setDocument(document) {
        for (const id of this._handlers)
            this.document.disconnect(id);
        this._handlers = [];
        this.document = document;
        this.selection = new Selection();
        this.selection.setSize(document?.size ?? 0);
        this._flashes.clear();
        this._shown = NOTHING;
        this._changed = null;
        this._topOffset = 0;
        this._showEnd = false;
        if (document) {
            this._handlers.push(
                document.connect('changed', (_document, offset, length) => this._onChanged(offset, length)),
                document.connect('resized', (_document, old) => this._onResized(old)));
        }
        this.queue_resize();
        this._moved();
    }

    get bytesPerRow() {
        return this._columns.bytesPerRow;
    }

    /** How many are wholly in view, but for one: a page down shows the last row of this one at the top. */
    get rowsPerPage() {
        return Math.max(1, Math.floor(this.get_height() / this.rowHeight) - 1);
    }

    get palette() {
        return this._palette ??= new Palette(this);
    }

    /** The first byte in view, and how many. */
    get visibleRange() {
        const top = Math.floor(this._value() / this.rowHeight) * this.bytesPerRow;
        return [top, Math.ceil(this.get_height() / this.rowHeight + 1) * this.bytesPerRow];
    }

    /** Moves the cursor, and the window after it. */
    moveTo(offset, {extend = false, center = false} = {}) {
        if (!this.document)
            return;
        this.selection.moveTo(offset, extend);
        this._scrollTo(this.selection.caret, center);
        this._moved();
    }

    select(start, end) {
        this.moveTo(start, {center: true});
        this.selection.select(start, end);
        this._moved();
    }

    selectAll() {
        this.selection.select(0, this.document?.size ?? 0);
        this._moved();
    }

    setPattern(pattern) {
        this.pattern = pattern;
        this.queue_allocate();
    }

    zoom(direction) {
        const normal = ZOOM_STEPS.indexOf(1);
        this._zoom = direction === 0 ? normal : Math.max(0, Math.min(this._zoom + direction, ZOOM_STEPS.length - 1));
        [this._topOffset] = this.visibleRange;
        this._onStyle();
    }

    // Where

    offsetAt(x, y) {
        const row = Math.floor((y - ROW_SPACING + this._value()) / this.rowHeight);
        return Math.max(0, row) * this.bytesPerRow + this._columns.byteAt((x - this._columns.padding) / this.charWidth);
    }

    /** Where the byte at an offset ends below. */
    pointOf(offset) {
        return [
            this._columns.padding + this._columns.hexCell(offset % this.bytesPerRow) * this.charWidth,
            Math.floor(offset / this.bytesPerRow) * this.rowHeight - this._value() + this.rowHeight,
        ];
    }

    _value() {
        return this._vadjustment?.get_value() ?? 0;
    }

    _scrollTo(offset, center) {
        const adjustment = this._vadjustment;
        if (!adjustment)
            return;
        const top = Math.floor(offset / this.bytesPerRow) * this.rowHeight;
        const page = adjustment.get_page_size();
        const value = adjustment.get_value();
        const isInView = top >= value && top + this.rowHeight + ROW_SPACING <= value + page;

        if (isInView)
            return;
        if (center)
            adjustment.set_value(top - Math.floor(page / 3 / this.rowHeight) * this.rowHeight);
        else
            adjustment.clamp_page(top - ROW_SPACING, top + this.rowHeight + ROW_SPACING);
    }

    // Layout

    create_pango_layout(text) {
        const layout = super.create_pango_layout(text);
        const zoom = ZOOM_STEPS[this._zoom];
        if (zoom !== 1) {
            const font = this.get_pango_context().get_font_description().copy();
            font.set_size(font.get_size() * zoom);
            layout.set_font_description(font);
        }
        return layout;
    }

    vfunc_get_request_mode() {
        return Gtk.SizeRequestMode.CONSTANT_SIZE;
    }

    vfunc_measure(orientation, _forSize) {
        this._measureFont();
        if (orientation === Gtk.Orientation.VERTICAL)
            return [4 * this.rowHeight, 20 * this.rowHeight, -1, -1];
        const digits = this._digits();
        return [new Columns(4, digits, true).width(this.charWidth), new Columns(8, digits).width(this.charWidth), -1, -1];
    }

    vfunc_size_allocate(width, height, _baseline) {
        this._measureFont();
        this._chooseColumns(width, height);
        this._configure(width, height);
        this._layOut(width, height);
        this.menu.present();
    }

    vfunc_css_changed(change) {
        super.vfunc_css_changed(change);
        this._onStyle();
    }

    vfunc_system_setting_changed(setting) {
        super.vfunc_system_setting_changed(setting);
        this._onStyle();
    }

    vfunc_snapshot(snapshot) {
        for (const row of this._rows)
            this.snapshot_child(row, snapshot);
        if (!this._hadRows && this.document) {
            this._hadRows = true;
            this.emit('first-rows');
        }
    }

    _onStyle() {
        this._palette = null;
        this._measured = false;
        for (const row of this._rows)
            row.reset();
        this._markRows();
        this.queue_resize();
    }

    // Always an even number: of a growing file, what is shown seldom moves.
    _digits() {
        return Math.max(4, Math.ceil(Math.max(this.document?.size ?? 0, 1).toString(16).length / 2) * 2);
    }

    _measureFont() {
        if (this._measured)
            return;
        const [width, height] = this.create_pango_layout('0'.repeat(64)).get_size();
        this.charWidth = width / 64 / Pango.SCALE;
        this.rowHeight = Math.ceil(height / Pango.SCALE) + ROW_SPACING;
        this._measured = true;
    }

    _chooseColumns(width, height) {
        const digits = this._digits();
        const all = ROWS.map(([n, isTight]) => new Columns(n, digits, isTight));
        const columns = all.find(c => c.width(this.charWidth) <= width) ?? all.at(-1);

        if (columns.equals(this._columns))
            return;
        // What is at the top stays there, unless the cursor would go out of view.
        const {caret} = this.selection;
        const [top, shown] = this.visibleRange;
        const isCaretShown = caret >= top && caret < top + shown;
        this._topOffset ??= top;
        this._columns = columns;
        const rows = Math.floor(height / this.rowHeight) - 1;
        if (isCaretShown && this._topOffset === top && caret >= top + rows * this.bytesPerRow)
            this._topOffset = Math.max(0, caret - Math.floor(rows / 2) * this.bytesPerRow);
    }

    _configure(width, height) {
        const size = this.document?.size ?? 0;
        const upper = Math.ceil(size / this.bytesPerRow) * this.rowHeight + 2 * ROW_SPACING;
        let value = this._value();

        if (this._topOffset !== null)
            value = Math.floor(this._topOffset / this.bytesPerRow) * this.rowHeight;
        if (this._showEnd)
            value = upper - height;
        this._topOffset = null;
        this._showEnd = false;

        value = Math.max(0, Math.min(value, upper - height));
        this._isConfiguring = true;
        this._vadjustment?.configure(value, 0, Math.max(upper, height), this.rowHeight, height * 0.9, height);
        this._hadjustment?.configure(0, 0, width, 1, width, width);
        this._isConfiguring = false;
    }

    _layOut(width, height) {
        const value = this._value(), n = this.bytesPerRow;
        const size = this.document?.size ?? 0;
        const first = Math.floor(value / this.rowHeight);
        const needed = Math.ceil(height / this.rowHeight) + 1;
        const start = first * n;

        this._show({start, bytes: this.document?.read(start, needed * n) ?? NOTHING.bytes});
        this._haveRows(needed);
        for (let i = first; i < first + needed; i++) {
            // A row that stays in view stays the same widget, and isn't drawn again.
            const row = this._rows[i % needed];
            const offset = i * n;
            const isShown = offset < size || offset === 0 && size === 0;
            row.set_child_visible(isShown);
            if (!isShown)
                continue;
            row.setBytes(offset, this._shown.bytes.slice(offset - start, offset - start + n), this._columns);
            this._mark(row);
            row.measure(Gtk.Orientation.HORIZONTAL, -1);
            row.allocate(width, this.rowHeight, -1,
                new Gsk.Transform().translate(new Graphene.Point({x: 0, y: Math.round(i * this.rowHeight - value) + ROW_SPACING})));
        }
        this._collect(first, needed);
        this._sayCursor();
        this.emit('scrolled');
    }

    // All at once, before the engine begins to collect by itself: that it does bit by bit, and what GTK calls meanwhile it drops.
    _collect(first, needed) {
        this._newRows += Math.min(needed, Math.abs(first - this._lastFirst));
        this._lastFirst = first;
        if (this._newRows < ROWS_PER_COLLECTION)
            return;
        this._newRows = 0;
        System.gc();
    }

    _haveRows(needed) {
        while (this._rows.length < needed) {
            const row = new HexRow();
            row.set_parent(this);
            this._rows.push(row);
        }
        while (this._rows.length > needed)
            this._rows.pop().unparent();
    }

    _show(shown) {
        if (this._changed)
            this._flashes.light(this._shown, shown, ...this._changed);
        this._changed = null;
        this._shown = shown;
        this._matches = matchesInView(this.document, this.pattern, shown);
    }

    // Changes

    // However many come, they are looked at once a frame.
    _onChanged(offset, length) {
        const [from, to] = this._changed ?? [Infinity, 0];
        this._changed = [Math.min(from, offset), Math.max(to, offset + length)];
        this.queue_allocate();
    }

    _onResized(old) {
        const {size} = this.document;
        const adjustment = this._vadjustment;
        // Who looks at the end goes on doing so.
        if (size > old && old > 0 && adjustment.get_value() + adjustment.get_page_size() >= adjustment.get_upper() - this.rowHeight)
            this._showEnd = true;
        if (this._showEnd || size < old)
            this._changed ??= [old, size];
        if (this.selection.setSize(size))
            this._moved();
        this.queue_allocate();
    }

    // Marks

    _markRows() {
        for (const row of this._rows) {
            if (row.get_child_visible() && row.offset >= 0)
                this._mark(row);
        }
    }

    _mark(row) {
        const {palette, selection} = this;
        const {offset} = row;
        const end = offset + row.bytes.length;
        const marks = [];
        const add = (from, to, color, outline = null) => {
            if (from < end && to > offset)
                marks.push({start: Math.max(from, offset) - offset, end: Math.min(to, end) - offset, color, outline});
        };

        for (const match of this._matches)
            add(match, match + this.pattern.length, palette.match);
        if (selection.isRange)
            add(selection.start, selection.end, palette.selection);
        const isAnimated = this.get_settings().gtk_enable_animations;
        this._flashes.forEach(offset, end, (from, to, level) => add(from, to, palette.flashes[isAnimated ? level : FLASH_STEPS - 1]));
        add(selection.caret, selection.caret + 1, palette.cursor, this.has_focus ? palette.outline : null);
        row.mark(marks);
    }

    // The cursor

    _moved() {
        this._markRows();
        this._sayCursor();
        this.emit('cursor-moved');
    }

    _sayCursor() {
        const {caret} = this.selection;
        const byte = this._shown.bytes[caret - this._shown.start] ?? this.document?.read(caret, 1)[0];
        const text = byte === undefined ? _('The file is empty')
            : fill(_('Byte at %s: %s, %s'), offsetText(caret), hex(byte, 2), printable(byte));
        if (text === this._said)
            return;
        this._said = text;
        this.update_property([Gtk.AccessibleProperty.DESCRIPTION], [text]);
    }
});
