// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The whole file as a slim strip beside the scroll bar: which parts are in memory, which have changed, where matches are, and which part
// is in view. A click goes there.

import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Graphene from 'gi://Graphene';
import Gtk from 'gi://Gtk?version=4.0';

import {Palette} from './palette.js';
import {_, fill, ngettext, sizeText} from './text.js';

const WIDTH = 18;
const MARGIN = 4;
const CELL = 3;
// So high at least is what has changed or matches, and what is in view.
const LEAST = 2;
const LEAST_VIEW = 8;
// What is asked for at once, us, how often, ms.
const BUDGET = 2000;
const PERIOD = 1000;
const MAX_CHANGES = 256;

export const FileMap = GObject.registerClass({
    GTypeName: 'MmioViewerFileMap',
    CssName: 'filemap',
    Signals: {
        // where was pointed at, 0 to 1
        'picked': {param_types: [GObject.TYPE_DOUBLE]},
    },
}, class FileMap extends Gtk.Widget {
    constructor(properties = {}) {
        super({accessible_role: Gtk.AccessibleRole.IMG, ...properties});
        this.update_property([Gtk.AccessibleProperty.LABEL], [_('Map of the file')]);
        this.set_tooltip_text(_('Map of the file'));
        this.document = null;
        this._handlers = [];
        this._changes = [];
        this._matches = [];
        this._view = [0, 0];
        this._cells = [];
        this._next = 0;
        this._sampled = Infinity;
        this._sourceId = 0;

        const drag = new Gtk.GestureDrag();
        const pick = y => this.emit('picked', Math.max(0, Math.min(y / Math.max(this.get_height(), 1), 1)));
        drag.connect('drag-begin', (_gesture, _x, y) => pick(y));
        drag.connect('drag-update', (_gesture, _dx, dy) => pick(drag.get_start_point()[2] + dy));
        this.add_controller(drag);
    }

    setDocument(document) {
        for (const id of this._handlers)
            this.document.disconnect(id);
        this._handlers = [];
        this.document = document;
        this._changes = [];
        this._cells = [];
        this._next = 0;
        this._sampled = Infinity;
        if (document) {
            this._handlers.push(
                document.connect('changed', (_document, offset, length) => this._onChanged(offset, length)),
                document.connect('resized', () => this._restart()),
                document.connect('reloaded', () => {
                    this._changes = [];
                    this._restart();
                }));
        }
        this._restart();
    }

    setMatches(matches) {
        this._matches = matches;
        this._say();
        this.queue_draw();
    }

    setView(start, length) {
        if (this._view[0] === start && this._view[1] === length)
            return;
        this._view = [start, length];
        this.queue_draw();
    }

    vfunc_measure(orientation, _forSize) {
        return orientation === Gtk.Orientation.HORIZONTAL ? [WIDTH, WIDTH, -1, -1] : [CELL, CELL, -1, -1];
    }

    vfunc_size_allocate(_width, height, _baseline) {
        if (this._cells.length !== Math.max(1, Math.floor(height / CELL)))
            this._restart();
    }

    vfunc_css_changed(change) {
        super.vfunc_css_changed(change);
        this._palette = null;
    }

    vfunc_map() {
        super.vfunc_map();
        this._restart();
    }

    vfunc_unmap() {
        this._stop();
        super.vfunc_unmap();
    }

    vfunc_snapshot(snapshot) {
        const size = this.document?.size ?? 0;
        if (size === 0)
            return;
        const width = this.get_width(), height = this.get_height();
        this._palette ??= new Palette(this);
        const palette = this._palette;
        const rectangle = new Graphene.Rect();
        const draw = (color, from, to, x, w, least) => {
            const y = Math.round(from / size * height);
            const h = Math.max(least, Math.round(to / size * height) - y);
            snapshot.append_color(color, rectangle.init(x, Math.min(y, height - h), w, h));
        };

        const cell = size / this._cells.length;
        for (let i = 0; i < this._cells.length;) {
            // Equal ones beside each other are one.
            let end = i + 1;
            while (end < this._cells.length && this._cells[end] === this._cells[i])
                end++;
            if (this._cells[i] > 0)
                draw(palette.shade(0.2 * this._cells[i]), i * cell, end * cell, MARGIN, width - 2 * MARGIN, 1);
            i = end;
        }
        // Each has its side: they are told apart without their colors, too.
        const lane = width / 2 - MARGIN;
        for (const [from, to] of this._changes)
            draw(palette.changed, from, to, MARGIN, lane, LEAST);
        for (const match of this._matches)
            draw(palette.found, match, match + 1, width / 2, lane, LEAST);
        this._drawView(snapshot, palette, size, width, height);
    }

    _drawView(snapshot, palette, size, width, height) {
        const [start, length] = this._view;
        const h = Math.min(height, Math.max(LEAST_VIEW, length / size * height));
        const y = Math.min(start / size * height, height - h);
        const rectangle = new Graphene.Rect();
        const top = Math.round(y), h1 = Math.round(h);
        const draw = (color, x, from, w, to) => snapshot.append_color(color, rectangle.init(x, from, w, to));

        // Of its own parts: a border takes an array of colors, which GJS gives back wrongly.
        draw(palette.accent(0.2), 1, top, width - 2, h1);
        draw(palette.outline, 1, top, width - 2, 1);
        draw(palette.outline, 1, top + h1 - 1, width - 2, 1);
        draw(palette.outline, 1, top + 1, 1, h1 - 2);
        draw(palette.outline, width - 2, top + 1, 1, h1 - 2);
    }

    _onChanged(offset, length) {
        // All of it says nothing about where.
        if (length > 0 && length < this.document.size) {
            const last = this._changes.find(([from, to]) => offset <= to && offset + length >= from);
            if (last) {
                last[0] = Math.min(last[0], offset);
                last[1] = Math.max(last[1], offset + length);
            } else {
                this._changes.push([offset, offset + length]);
                this._changes.splice(0, this._changes.length - MAX_CHANGES);
            }
        }
        this._say();
        this.queue_draw();
    }

    _restart() {
        this._next = 0;
        if (!this._sourceId && this.get_mapped())
            this._sourceId = GLib.timeout_add(GLib.PRIORITY_LOW, 20, () => this._ask());
    }

    _stop() {
        if (this._sourceId)
            GLib.source_remove(this._sourceId);
        this._sourceId = 0;
    }

    // As many cells as the time allows, the others in the next turn.
    _ask() {
        const size = this.document?.size ?? 0;
        const n = Math.max(1, Math.floor(this.get_height() / CELL));
        const started = GLib.get_monotonic_time();
        let changed = this._cells.length !== n;

        this._sourceId = 0;
        if (changed)
            this._cells = Array(n).fill(0);
        while (size > 0 && this._next < n && GLib.get_monotonic_time() - started < BUDGET) {
            const i = this._next++;
            const from = Math.floor(i / n * size);
            // Where it takes long to tell, the beginning stands for the rest.
            const length = Math.min(Math.max(1, Math.floor((i + 1) / n * size) - from), this._sampled);
            const before = GLib.get_monotonic_time();
            const share = Math.round(8 * Math.min(1, this.document.resident(from, length) / length)) / 8;
            if (GLib.get_monotonic_time() - before > BUDGET)
                this._sampled = Math.max(4096, length / 4);
            changed ||= this._cells[i] !== share;
            this._cells[i] = share;
        }
        if (changed)
            this.queue_draw();
        if (size > 0) {
            const isDone = this._next >= n;
            if (isDone) {
                this._next = 0;
                this._say();
            }
            this._sourceId = GLib.timeout_add(GLib.PRIORITY_LOW, isDone ? PERIOD : 20, () => this._ask());
        }
        return GLib.SOURCE_REMOVE;
    }

    _say() {
        const size = this.document?.size ?? 0;
        const share = this._cells.reduce((sum, cell) => sum + cell, 0) / Math.max(this._cells.length, 1);
        const parts = [fill(_('%s, %s %% in memory'), sizeText(size), Math.round(100 * share))];
        if (this._changes.length > 0)
            parts.push(fill(ngettext('%s changed part', '%s changed parts', this._changes.length), this._changes.length));
        if (this._matches.length > 0)
            parts.push(fill(ngettext('%s match', '%s matches', this._matches.length), this._matches.length));
        const text = parts.join(', ');
        if (text === this._said)
            return;
        this._said = text;
        this.update_property([Gtk.AccessibleProperty.DESCRIPTION], [text]);
        this.set_tooltip_text(text);
    }
});
