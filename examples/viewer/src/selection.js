// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where the cursor is in a file, and what is selected: from the anchor, where it was when that began, to the byte under it.

export class Selection {
    constructor() {
        this.caret = 0;
        this.anchor = 0;
        this._size = 0;
    }

    get isRange() {
        return this.caret !== this.anchor;
    }

    get start() {
        return Math.min(this.caret, this.anchor);
    }

    /** The byte behind it: the one under the cursor is always part of what is selected. */
    get end() {
        return Math.min(Math.max(this.caret, this.anchor) + 1, this._size);
    }

    get last() {
        return Math.max(this._size - 1, 0);
    }

    /** The file has that many bytes now. Gives whether something had to move. */
    setSize(size) {
        const {caret, anchor} = this;
        this._size = size;
        this.caret = Math.min(caret, this.last);
        this.anchor = Math.min(anchor, this.last);
        return this.caret !== caret || this.anchor !== anchor;
    }

    moveTo(offset, extend) {
        this.caret = Math.max(0, Math.min(offset, this.last));
        if (!extend)
            this.anchor = this.caret;
    }

    select(start, end) {
        this.moveTo(start, false);
        this.moveTo(Math.max(start, end - 1), true);
    }
}
