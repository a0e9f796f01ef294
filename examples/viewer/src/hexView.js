// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The bytes of a document, row by row. Only what is in view has a row, and only that is read: the size of the file costs nothing.
//
// The adjustment counts pixels. A double holds 2^53 of them, which is more than JavaScript has offsets.

import Gdk from 'gi://Gdk?version=4.0';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Graphene from 'gi://Graphene';
import Gsk from 'gi://Gsk?version=4.0';
import Gtk from 'gi://Gtk?version=4.0';
import Pango from 'gi://Pango';
import System from 'system';

import {Columns, HexRow} from './hexRow.js';
import {_, fill, hex, offsetText, printable} from './text.js';

const PADDING = 12;
const ROW_SPACING = 4;
const BYTES_PER_ROW = [32, 16, 8, 4];
// How long a changed byte is lit, us.
const FLASH_TIME = 1200 * 1000;
// JavaScript's collector sees how little a layout is to it, not how much it holds: after so many new rows it is told.
const ROWS_PER_COLLECTION = 4096;
const MAX_FLASHES = 4096;
const ZOOM_STEPS = [0.6, 0.75, 0.9, 1, 1.15, 1.35, 1.6, 2, 2.5, 3];

function withAlpha(color, alpha) {
    const copy = color.copy();
    copy.alpha *= alpha;
    return copy;
}

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
        this.caret = 0;
        this.anchor = 0;
        // What is searched for: its matches in view are marked.
        this.pattern = null;
        this.padding = PADDING;
        this.charWidth = 8;
        this.rowHeight = 20;
        this.color = new Gdk.RGBA();
        this._columns = new Columns(16, 8);
        this._zoom = ZOOM_STEPS.indexOf(1);
        this._rows = [];
        this._handlers = [];
        this._flashes = new Map();
        this._tickId = 0;
        this._hadRows = false;
        // What the next allocation has to do: show this offset at the top, or the end.
        this._topOffset = null;
        this._showEnd = false;

        this._addControllers();
        this._addMenu();
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
        this.caret = 0;
        this.anchor = 0;
        this._flashes.clear();
        this._topOffset = 0;
        for (const row of this._rows)
            row.offset = -1;
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

    /** The first byte in view, and how many. */
    get visibleRange() {
        const top = Math.floor(this._value() / this.rowHeight) * this.bytesPerRow;
        return [top, Math.ceil(this.get_height() / this.rowHeight + 1) * this.bytesPerRow];
    }

    get selectionStart() {
        return Math.min(this.caret, this.anchor);
    }

    /** The byte after it: the one under the cursor is always part of it. */
    get selectionEnd() {
        return Math.min(Math.max(this.caret, this.anchor) + 1, this.document?.size ?? 0);
    }

    get hasSelection() {
        return this.caret !== this.anchor;
    }

    /** Moves the cursor, and the window after it. */
    moveTo(offset, {extend = false, center = false} = {}) {
        if (!this.document)
            return;
        this.caret = Math.max(0, Math.min(offset, this.document.size - 1));
        if (!extend)
            this.anchor = this.caret;
        this._scrollTo(this.caret, center);
        this._moved();
    }

    select(start, end) {
        this.moveTo(start, {center: true});
        this.anchor = this.caret;
        this.caret = Math.max(start, end - 1);
        this._moved();
    }

    selectAll() {
        if (!this.document?.size)
            return;
        this.anchor = 0;
        this.caret = this.document.size - 1;
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
        return [this._widthOf(new Columns(4, digits)), this._widthOf(new Columns(16, digits)), -1, -1];
    }

    vfunc_size_allocate(width, height, _baseline) {
        this._measureFont();
        this._chooseColumns(width);
        this._configure(width, height);
        this._layOut(width, height);
        this._popover.present();
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

    vfunc_unroot() {
        if (this._tickId)
            this.remove_tick_callback(this._tickId);
        this._tickId = 0;
        super.vfunc_unroot();
    }

    _value() {
        return this._vadjustment?.get_value() ?? 0;
    }

    _digits() {
        // One more is shown than the last offset has: a growing file needn't move everything at once.
        return Math.max(4, Math.ceil(Math.max(this.document?.size ?? 0, 1).toString(16).length / 2) * 2);
    }

    _widthOf(columns) {
        return Math.ceil(2 * PADDING + columns.total * this.charWidth);
    }

    _onStyle() {
        this._colors = null;
        this._measured = false;
        for (const row of this._rows)
            row.reset();
        this.queue_resize();
    }

    _measureFont() {
        if (this._measured)
            return;
        const layout = this.create_pango_layout('0'.repeat(64));
        const [width, height] = layout.get_size();
        this.charWidth = width / 64 / Pango.SCALE;
        this.rowHeight = Math.ceil(height / Pango.SCALE) + ROW_SPACING;
        this._measured = true;
    }

    _lookUp(name) {
        return this.get_style_context().lookup_color(name)[1];
    }

    _ensureColors() {
        if (this._colors)
            return this._colors;
        this.color = this.get_style_context().get_color();
        this._colors = {
            selection: withAlpha(this._lookUp('accent_bg_color'), 0.35),
            cursor: withAlpha(this._lookUp('accent_bg_color'), 0.2),
            outline: this._lookUp('accent_color'),
            flash: this._lookUp('warning_bg_color'),
            match: withAlpha(this._lookUp('success_bg_color'), 0.4),
        };
        return this._colors;
    }

    _chooseColumns(width) {
        const digits = this._digits();
        const columns = BYTES_PER_ROW.map(n => new Columns(n, digits)).find(c => this._widthOf(c) <= width) ?? new Columns(4, digits);

        if (columns.bytesPerRow === this._columns.bytesPerRow && columns.digits === this._columns.digits)
            return;
        // What is at the top stays there.
        this._topOffset ??= this.visibleRange[0];
        this._columns = columns;
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
        const [start] = [first * n];
        const bytes = this.document?.read(start, needed * n) ?? new Uint8Array(0);

        while (this._rows.length < needed) {
            const row = new HexRow();
            row.set_parent(this);
            this._rows.push(row);
        }
        while (this._rows.length > needed)
            this._rows.pop().unparent();

        this._findFlashes(start, bytes);
        this._shown = {start, bytes};
        this._matches = this._findMatches(start, bytes);
        for (let i = first; i < first + needed; i++) {
            // A row that stays in view stays the same widget, and isn't drawn again.
            const row = this._rows[i % needed];
            const offset = i * n;
            const isShown = offset < size || offset === 0 && size === 0;
            row.set_child_visible(isShown);
            if (!isShown)
                continue;
            row.setBytes(offset, bytes.slice(offset - start, offset - start + n), this._columns);
            this._mark(row);
            row.measure(Gtk.Orientation.HORIZONTAL, -1);
            row.allocate(width, this.rowHeight, -1,
                new Gsk.Transform().translate(new Graphene.Point({x: 0, y: Math.round(i * this.rowHeight - value) + ROW_SPACING})));
        }
        this._newRows = (this._newRows ?? 0) + (this._lastFirst === first ? 0 : Math.min(needed, Math.abs(first - (this._lastFirst ?? 0))));
        this._lastFirst = first;
        if (this._newRows >= ROWS_PER_COLLECTION) {
            this._newRows = 0;
            System.gc();
        }
        this._sayCursor();
        this.emit('scrolled');
    }

    // Changes

    _onChanged(offset, length) {
        this._changed = [offset, offset + length];
        this.queue_allocate();
    }

    _onResized(old) {
        // Who looks at the end goes on doing so.
        const adjustment = this._vadjustment;
        if (this.document.size > old && old > 0 &&
            adjustment.get_value() + adjustment.get_page_size() >= adjustment.get_upper() - this.rowHeight)
            this._showEnd = true;
        if (this._showEnd || this.document.size < old)
            this._changed ??= [old, this.document.size];
        const last = Math.max(this.document.size - 1, 0);
        if (this.caret > last || this.anchor > last) {
            this.caret = Math.min(this.caret, last);
            this.anchor = Math.min(this.anchor, last);
            this._moved();
        }
        this.queue_allocate();
    }

    // Which bytes differ from those that were shown before, whatever was said about where the file has changed.
    _findFlashes(start, bytes) {
        const before = this._shown;
        const changed = this._changed;

        this._changed = null;
        if (!changed || !before)
            return;
        const now = GLib.get_monotonic_time();
        for (let i = 0; i < bytes.length && this._flashes.size < MAX_FLASHES; i++) {
            const offset = start + i;
            const old = before.bytes[offset - before.start];
            // What wasn't in view before is new if it was said to be.
            if (old === undefined ? offset >= changed[0] && offset < changed[1] : old !== bytes[i])
                this._flashes.set(offset, now);
        }
        if (this._flashes.size > 0 && !this._tickId)
            this._tickId = this.add_tick_callback(() => this._fade());
    }

    _fade() {
        const oldest = GLib.get_monotonic_time() - FLASH_TIME;
        for (const [offset, time] of this._flashes) {
            if (time < oldest)
                this._flashes.delete(offset);
        }
        for (const row of this._rows) {
            if (row.get_child_visible())
                this._mark(row);
        }
        if (this._flashes.size > 0)
            return GLib.SOURCE_CONTINUE;
        this._tickId = 0;
        return GLib.SOURCE_REMOVE;
    }

    _flashColor(time) {
        const {flash} = this._ensureColors();
        if (!this.get_settings().gtk_enable_animations)
            return withAlpha(flash, 0.7);
        return withAlpha(flash, 0.8 * Math.max(0, 1 - (GLib.get_monotonic_time() - time) / FLASH_TIME));
    }

    // Marks

    _findMatches(start, bytes) {
        const matches = [];
        const pattern = this.pattern;
        if (!pattern?.length || !this.document)
            return matches;
        // One that begins above is in view as well.
        const before = Math.min(pattern.length - 1, start);
        const haystack = before > 0 || bytes.length > 0
            ? this.document.read(start - before, before + bytes.length + pattern.length - 1) : bytes;
        for (let i = haystack.indexOf(pattern[0]); i >= 0 && i + pattern.length <= haystack.length;) {
            if (pattern.every((byte, j) => haystack[i + j] === byte)) {
                matches.push(start - before + i);
                i += pattern.length - 1;
            }
            i = haystack.indexOf(pattern[0], i + 1);
        }
        return matches;
    }

    _mark(row) {
        const colors = this._ensureColors();
        const {offset} = row;
        const end = offset + row.bytes.length;
        const marks = [];
        const add = (from, to, color, outline = null) => {
            if (from < end && to > offset)
                marks.push({start: Math.max(from, offset) - offset, end: Math.min(to, end) - offset, color, outline});
        };

        for (const match of this._matches)
            add(match, match + this.pattern.length, colors.match);
        if (this.hasSelection)
            add(this.selectionStart, this.selectionEnd, colors.selection);
        for (let i = offset; this._flashes.size > 0 && i < end; i++) {
            const time = this._flashes.get(i);
            if (time !== undefined)
                add(i, i + 1, this._flashColor(time));
        }
        add(this.caret, this.caret + 1, colors.cursor, this.has_focus ? colors.outline : null);
        row.mark(marks);
    }

    // The cursor

    _moved() {
        for (const row of this._rows) {
            if (row.get_child_visible() && row.offset >= 0)
                this._mark(row);
        }
        this._sayCursor();
        this.emit('cursor-moved');
    }

    _sayCursor() {
        const [byte] = this.document?.read(this.caret, 1) ?? [];
        const text = byte === undefined ? _('The file is empty')
            : fill(_('Byte at %s: %s, %s'), offsetText(this.caret), hex(byte, 2), printable(byte));
        if (text === this._said)
            return;
        this._said = text;
        this.update_property([Gtk.AccessibleProperty.DESCRIPTION], [text]);
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

    _offsetAt(x, y) {
        const row = Math.floor((y - ROW_SPACING + this._value()) / this.rowHeight);
        const [index, inText] = this._columns.byteAt((x - PADDING) / this.charWidth);
        return [Math.max(0, row) * this.bytesPerRow + index, inText];
    }

    _addControllers() {
        const click = new Gtk.GestureClick({button: Gdk.BUTTON_PRIMARY});
        click.connect('pressed', (_gesture, _count, x, y) => {
            this.grab_focus();
            const extend = (click.get_current_event_state() & Gdk.ModifierType.SHIFT_MASK) !== 0;
            this.moveTo(this._offsetAt(x, y)[0], {extend});
        });
        this.add_controller(click);

        const drag = new Gtk.GestureDrag({button: Gdk.BUTTON_PRIMARY});
        drag.connect('drag-update', (_gesture, dx, dy) => {
            const [, x, y] = drag.get_start_point();
            if (Math.abs(dx) + Math.abs(dy) > this.charWidth)
                this.moveTo(this._offsetAt(x + dx, y + dy)[0], {extend: true});
        });
        this.add_controller(drag);
        click.group(drag);

        const keys = new Gtk.EventControllerKey();
        keys.connect('key-pressed', (_controller, key, _code, state) => this._onKey(key, state));
        this.add_controller(keys);

        const focus = new Gtk.EventControllerFocus();
        focus.connect('enter', () => this._moved());
        focus.connect('leave', () => this._moved());
        this.add_controller(focus);

        // Here and not the application's: entries have such keys of their own.
        const shortcuts = new Gtk.ShortcutController();
        for (const [trigger, action] of [['<Control>c', 'win.copy-hex'], ['<Control><Shift>c', 'win.copy-text'], ['<Control>a', 'win.select-all']]) {
            shortcuts.add_shortcut(new Gtk.Shortcut({
                trigger: Gtk.ShortcutTrigger.parse_string(trigger),
                action: Gtk.NamedAction.new(action),
            }));
        }
        this.add_controller(shortcuts);

        const zoom = new Gtk.EventControllerScroll({flags: Gtk.EventControllerScrollFlags.VERTICAL | Gtk.EventControllerScrollFlags.DISCRETE});
        zoom.connect('scroll', (_controller, _dx, dy) => {
            if ((zoom.get_current_event_state() & Gdk.ModifierType.CONTROL_MASK) === 0)
                return Gdk.EVENT_PROPAGATE;
            this.zoom(dy < 0 ? 1 : -1);
            return Gdk.EVENT_STOP;
        });
        this.add_controller(zoom);
    }

    _onKey(key, state) {
        const extend = (state & Gdk.ModifierType.SHIFT_MASK) !== 0;
        const control = (state & Gdk.ModifierType.CONTROL_MASK) !== 0;
        const n = this.bytesPerRow;
        const page = Math.max(1, Math.floor(this.get_height() / this.rowHeight) - 1) * n;
        const rowStart = this.caret - this.caret % n;
        const last = Math.max((this.document?.size ?? 0) - 1, 0);
        const isRtl = this.get_direction() === Gtk.TextDirection.RTL;
        const moves = {
            [Gdk.KEY_Left]: isRtl ? 1 : -1,
            [Gdk.KEY_Right]: isRtl ? -1 : 1,
            [Gdk.KEY_Up]: -n,
            [Gdk.KEY_Down]: n,
            [Gdk.KEY_Page_Up]: -page,
            [Gdk.KEY_Page_Down]: page,
            [Gdk.KEY_Home]: (control ? 0 : rowStart) - this.caret,
            [Gdk.KEY_End]: (control ? last : rowStart + n - 1) - this.caret,
        };
        // Those of the number pad do the same.
        const name = Gdk.keyval_name(key)?.replace(/^KP_/, '').replace('Prior', 'Page_Up').replace('Next', 'Page_Down');
        const move = moves[Gdk[`KEY_${name}`]];

        if (key === Gdk.KEY_Menu || key === Gdk.KEY_F10 && extend) {
            this._popUp(null);
            return Gdk.EVENT_STOP;
        }
        if (move === undefined || !this.document)
            return Gdk.EVENT_PROPAGATE;
        // A step down from the last full row goes nowhere, rather than to the end of the row.
        const isVertical = Math.abs(move) === n;
        if (!isVertical || this.caret + move >= 0 && this.caret + move <= last)
            this.moveTo(this.caret + move, {extend});
        return Gdk.EVENT_STOP;
    }

    // The menu

    _addMenu() {
        const menu = new Gio.Menu();
        const copy = new Gio.Menu();
        copy.append(_('_Copy as Hex'), 'win.copy-hex');
        copy.append(_('Copy as _Text'), 'win.copy-text');
        copy.append(_('Copy _Offset'), 'win.copy-offset');
        menu.append_section(null, copy);
        const select = new Gio.Menu();
        select.append(_('Select _All'), 'win.select-all');
        select.append(_('_Go to Offset…'), 'win.go-to');
        menu.append_section(null, select);

        this._popover = new Gtk.PopoverMenu({menu_model: menu, has_arrow: false, halign: Gtk.Align.START});
        this._popover.set_parent(this);
        this.connect('destroy', () => {
            this._popover.unparent();
            for (const row of this._rows)
                row.unparent();
            this._rows = [];
        });

        const click = new Gtk.GestureClick({button: Gdk.BUTTON_SECONDARY});
        click.connect('pressed', (_gesture, _count, x, y) => this._onMenu(x, y));
        this.add_controller(click);
        const press = new Gtk.GestureLongPress({touch_only: true});
        press.connect('pressed', (_gesture, x, y) => this._onMenu(x, y));
        this.add_controller(press);
    }

    _onMenu(x, y) {
        const [offset] = this._offsetAt(x, y);
        this.grab_focus();
        if (offset < this.selectionStart || offset >= this.selectionEnd)
            this.moveTo(offset);
        this._popUp([x, y]);
    }

    _popUp(point) {
        const [x, y] = point ?? [
            PADDING + this._columns.hexCell(this.caret % this.bytesPerRow) * this.charWidth,
            Math.floor(this.caret / this.bytesPerRow) * this.rowHeight - this._value() + this.rowHeight,
        ];
        this._popover.set_pointing_to(new Gdk.Rectangle({x: Math.round(x), y: Math.round(y), width: 1, height: 1}));
        this._popover.popup();
    }
});
