// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One row of the hex view: draws its bytes, and tells them to assistive technology. Where a byte stands is the view's matter.

import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Graphene from 'gi://Graphene';
import Gtk from 'gi://Gtk?version=4.0';
import Pango from 'gi://Pango';

import {HEX, hex, hexBytes, printable} from './text.js';

const OUTLINE = 2;
const PRINTABLE = Array.from({length: 256}, (_, byte) => printable(byte));
const MARKUP = PRINTABLE.map(letter => GLib.markup_escape_text(letter, -1));

export const HexRow = GObject.registerClass({
    GTypeName: 'MmioViewerHexRow',
    CssName: 'hexrow',
}, class HexRow extends Gtk.Widget {
    constructor() {
        super({accessible_role: Gtk.AccessibleRole.LIST_ITEM, can_target: false});
        this.offset = -1;
        this.bytes = new Uint8Array(0);
        // What is drawn behind the bytes: {start, end, color, outline}, start and end counted in bytes of this row.
        this._marks = [];
        this._columns = null;
        // One for life: JavaScript's collector doesn't see how much each holds, and would leave thousands.
        this._layout = null;
        this._hasText = false;
        this._rectangle = new Graphene.Rect();
        this._point = new Graphene.Point();
    }

    /** The row's bytes, and where they stand in the file. */
    setBytes(offset, bytes, columns) {
        if (this._columns === columns && this.offset === offset && bytes.length === this.bytes.length &&
            bytes.every((byte, i) => byte === this.bytes[i]))
            return;
        this.offset = offset;
        this.bytes = bytes;
        this._columns = columns;
        this._hasText = false;
        this.update_property([Gtk.AccessibleProperty.LABEL],
            [`${hex(offset, columns.digits)}: ${hexBytes(bytes)} ${Array.from(bytes, byte => PRINTABLE[byte]).join('')}`]);
        this.queue_draw();
    }

    mark(marks) {
        const before = this._marks;
        if (marks.length === before.length && marks.every((mark, i) => mark.start === before[i].start && mark.end === before[i].end &&
            mark.color === before[i].color && mark.outline === before[i].outline))
            return;
        this._marks = marks;
        this.queue_draw();
    }

    /** The font or the colors are others. */
    reset() {
        this._layout = null;
        this._hasText = false;
        this.queue_draw();
    }

    vfunc_snapshot(snapshot) {
        if (this._columns === null)
            return;
        const {charWidth, palette} = this.get_parent();
        const height = this.get_height();

        for (const mark of this._marks)
            this._drawMark(snapshot, mark, charWidth, height);
        this._ensureText(palette);
        snapshot.save();
        snapshot.translate(this._point.init(this._columns.padding, Math.round((height - this._layout.get_pixel_size()[1]) / 2)));
        snapshot.append_layout(this._layout, palette.text);
        snapshot.restore();
    }

    _drawMark(snapshot, {start, end, color, outline}, charWidth, height) {
        const columns = this._columns;
        const draw = (paint, x, y, width, h) => snapshot.append_color(paint, this._rectangle.init(x, y, width, h));

        // A range goes on over the gaps between its bytes.
        for (const [from, to] of [[columns.hexCell(start) - 0.25, columns.hexCell(end - 1) + 2.25],
            [columns.textCell(start), columns.textCell(end)]]) {
            const x = columns.padding + from * charWidth, width = (to - from) * charWidth;
            draw(color, x, 0, width, height);
            if (outline === null)
                continue;
            draw(outline, x, 0, width, OUTLINE);
            draw(outline, x, height - OUTLINE, width, OUTLINE);
            draw(outline, x, OUTLINE, OUTLINE, height - 2 * OUTLINE);
            draw(outline, x + width - OUTLINE, OUTLINE, OUTLINE, height - 2 * OUTLINE);
        }
    }

    _ensureText({dim}) {
        if (this._layout === null) {
            this._layout = this.get_parent().create_pango_layout(null);
            this._layout.set_single_paragraph_mode(true);
            this._layout.set_ellipsize(Pango.EllipsizeMode.NONE);
        }
        if (this._hasText)
            return;
        this._hasText = true;
        this._layout.set_markup(this._markup(`<span alpha="${dim}">`), -1);
    }

    // Those that matter less are dimmed: zeros, and what is no text.
    _markup(dimmed) {
        const {bytesPerRow, digits, gap} = this._columns;
        let isDim = true;
        let text = `${dimmed}${hex(this.offset, digits)}${' '.repeat(gap - 1)}`;
        const dim = shallBe => {
            if (shallBe !== isDim)
                text += shallBe ? dimmed : '</span>';
            isDim = shallBe;
        };

        for (let i = 0; i < bytesPerRow; i++) {
            const byte = this.bytes[i];
            text += i > 0 && i % 8 === 0 ? '  ' : ' ';
            if (byte !== undefined)
                dim(byte === 0);
            text += byte === undefined ? '  ' : HEX[byte];
        }
        text += ' '.repeat(gap);
        for (const byte of this.bytes) {
            dim(PRINTABLE[byte] === '·');
            text += MARKUP[byte];
        }
        dim(false);
        return text;
    }
});
