// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which cells a row of so many bytes has, in widths of a character: the offset, the bytes in groups of eight, the text. A tight row has
// no more between them than it needs.

const GROUP = 8;
// A byte and the space behind it.
const CELL = 3;

export class Columns {
    constructor(bytesPerRow, digits, isTight = false) {
        this.bytesPerRow = bytesPerRow;
        this.digits = digits;
        this.isTight = isTight;
        this.gap = isTight ? 1 : 2;
        // Left and right of all, in pixels.
        this.padding = isTight ? 6 : 12;
        this.hexStart = digits + this.gap;
        this.textStart = this.hexCell(bytesPerRow - 1) + 2 + this.gap;
        this.total = this.textStart + bytesPerRow;
    }

    equals(other) {
        return this.bytesPerRow === other.bytesPerRow && this.digits === other.digits && this.isTight === other.isTight;
    }

    /** In pixels. */
    width(charWidth) {
        return Math.ceil(2 * this.padding + this.total * charWidth);
    }

    hexCell(index) {
        return this.hexStart + CELL * index + Math.floor(index / GROUP);
    }

    textCell(index) {
        return this.textStart + index;
    }

    /** Which byte of the row is at that many cells from the left. */
    byteAt(cell) {
        let index = Math.floor(cell - this.textStart);
        if (cell < this.textStart - 1) {
            const width = CELL * GROUP + 1;
            const at = cell - this.hexStart + 0.5;
            const group = Math.floor(at / width);
            index = group * GROUP + Math.min(Math.floor((at - group * width) / CELL), GROUP - 1);
        }
        return Math.max(0, Math.min(index, this.bytesPerRow - 1));
    }
}
