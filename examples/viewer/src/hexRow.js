// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One row of the hex view: draws its bytes, and tells them to assistive technology. Where a byte stands is the view's matter.

import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Graphene from 'gi://Graphene';
import Gtk from 'gi://Gtk?version=4.0';
import Pango from 'gi://Pango';

import {hex, hexBytes, printable} from './text.js';

const DIM = '50%';

/** Which cells a row of so many bytes has, in widths of a character: the offset, the bytes in groups of eight, the text. */
export class Columns {
    constructor(bytesPerRow, digits) {
        this.bytesPerRow = bytesPerRow;
        this.digits = digits;
        this.hexStart = digits + 2;
        this.textStart = this.hexCell(bytesPerRow - 1) + 4;
        this.total = this.textStart + bytesPerRow;
    }

    hexCell(index) {
        return this.hexStart + 3 * index + Math.floor(index / 8);
    }

    textCell(index) {
        return this.textStart + index;
    }

    /** Which byte of the row is at that many cells from the left, and whether it was pointed at in the text. */
    byteAt(cell) {
        const inText = cell >= this.textStart - 1;
        let index = Math.floor(cell - this.textStart);
        if (!inText) {
            const group = Math.floor((cell - this.hexStart + 0.5) / 25);
            index = group * 8 + Math.min(Math.floor((cell - this.hexStart + 0.5 - group * 25) / 3), 7);
        }
        return [Math.max(0, Math.min(index, this.bytesPerRow - 1)), inText];
    }
}

function markup(text, isDim) {
    const escaped = GLib.markup_escape_text(text, -1);
    return isDim ? `<span alpha="${DIM}">${escaped}</span>` : escaped;
}

export const HexRow = GObject.registerClass({
    GTypeName: 'MmioViewerHexRow',
    CssName: 'hexrow',
}, class HexRow extends Gtk.Widget {
    constructor() {
        super({accessible_role: Gtk.AccessibleRole.LIST_ITEM, can_target: false});
        this.offset = -1;
        this.bytes = new Uint8Array(0);
        // What is drawn behind the bytes: {start, end, color, outline}, start and end counted in bytes of this row.
        this.marks = [];
        this._columns = null;
        this._layout = null;
    }

    /** The row's bytes, and where they stand in the file. */
    setBytes(offset, bytes, columns) {
        if (this._columns === columns && this.offset === offset && bytes.length === this.bytes.length &&
            bytes.every((byte, i) => byte === this.bytes[i]))
            return;
        this.offset = offset;
        this.bytes = bytes;
        this._columns = columns;
        this._layout = null;
        this.update_property([Gtk.AccessibleProperty.LABEL],
            [`${hex(offset, columns.digits)}: ${hexBytes(bytes)} ${Array.from(bytes, printable).join('')}`]);
        this.queue_draw();
    }

    mark(marks) {
        if (marks.length === 0 && this.marks.length === 0)
            return;
        this.marks = marks;
        this.queue_draw();
    }

    /** The font has changed. */
    reset() {
        this._layout = null;
        this.queue_draw();
    }

    vfunc_snapshot(snapshot) {
        const columns = this._columns;
        if (columns === null)
            return;
        const {charWidth, padding, color} = this.get_parent();
        const height = this.get_height();
        const rectangle = new Graphene.Rect();

        for (const {start, end, color: background, outline} of this.marks) {
            // A range goes on over the gaps between its bytes.
            const hexFrom = columns.hexCell(start) - 0.25, hexTo = columns.hexCell(end - 1) + 2.25;
            for (const [from, to] of [[hexFrom, hexTo], [columns.textCell(start), columns.textCell(end)]]) {
                const x = padding + from * charWidth, width = (to - from) * charWidth;
                snapshot.append_color(background, rectangle.init(x, 0, width, height));
                if (outline) {
                    snapshot.append_color(outline, rectangle.init(x, 0, width, 2));
                    snapshot.append_color(outline, rectangle.init(x, height - 2, width, 2));
                    snapshot.append_color(outline, rectangle.init(x, 0, 2, height));
                    snapshot.append_color(outline, rectangle.init(x + width - 2, 0, 2, height));
                }
            }
        }

        this._layout ??= this._createLayout();
        snapshot.save();
        snapshot.translate(new Graphene.Point({x: padding, y: Math.round((height - this._layout.get_pixel_size()[1]) / 2)}));
        snapshot.append_layout(this._layout, color);
        snapshot.restore();
    }

    _createLayout() {
        const {bytesPerRow, digits} = this._columns;
        const pieces = [markup(hex(this.offset, digits), true), ' '];
        let text = '';

        for (let i = 0; i < bytesPerRow; i++) {
            const byte = this.bytes[i];
            pieces.push(i > 0 && i % 8 === 0 ? '  ' : ' ');
            if (byte === undefined) {
                pieces.push('  ');
                continue;
            }
            const letter = printable(byte);
            pieces.push(markup(hex(byte, 2), byte === 0));
            text += markup(letter, letter === '·');
        }
        const layout = this.get_parent().create_pango_layout(null);
        layout.set_markup(`${pieces.join('')}  ${text}`, -1);
        layout.set_single_paragraph_mode(true);
        layout.set_ellipsize(Pango.EllipsizeMode.NONE);
        return layout;
    }
});
