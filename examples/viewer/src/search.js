// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A search through a file of any size: in pieces, so that it can say how far it is, and each in a thread of the library's.

import Gio from 'gi://Gio';

const PIECE = 32 * 1024 * 1024;
// So far all matches are looked for, for the map of the file.
const COUNTED_SIZE = 256 * 1024 * 1024;
const MAX_COUNTED = 1000;

export class Search {
    constructor(document, pattern) {
        this.document = document;
        this.pattern = pattern;
        this._cancellable = new Gio.Cancellable();
    }

    cancel() {
        this._cancellable.cancel();
    }

    /**
     * The nearest match from there, on into the other end of the file; -1 if there is none, null once it is cancelled.
     * progress is called with what share of the file was searched.
     */
    async nearest(from, forwards, progress = () => {}) {
        const {size} = this.document;
        const overlap = this.pattern.length - 1;
        // A match that begins before `from` and ends behind it belongs to the second part.
        const parts = forwards ? [[from, size], [0, Math.min(from + overlap, size)]]
            : [[0, Math.min(from + overlap, size)], [from, size]];
        let done = 0;

        for (const [start, end] of parts) {
            for (let at = 0; at < end - start; at += PIECE) {
                const length = Math.min(PIECE, end - start - at);
                const first = forwards ? start + at : Math.max(end - at - length, start);
                // eslint-disable-next-line no-await-in-loop
                const match = await this._find(first, Math.min(first + length + overlap, end), forwards);
                if (match === null || match >= 0)
                    return match;
                done += length;
                progress(Math.min(done / Math.max(size, 1), 1));
            }
        }
        return -1;
    }

    /** All matches, of a file that isn't too long, and not too many of them; null once it is cancelled. */
    async all() {
        const matches = [];
        const size = Math.min(this.document.size, COUNTED_SIZE);

        for (let from = 0; from < size && matches.length < MAX_COUNTED;) {
            // eslint-disable-next-line no-await-in-loop
            const match = await this._find(from, Math.min(from + PIECE + this.pattern.length - 1, size), true);
            if (match === null)
                return null;
            if (match >= 0)
                matches.push(match);
            from = match >= 0 ? match + this.pattern.length : from + PIECE;
        }
        return matches;
    }

    // The file may have become shorter meanwhile: then there is nothing to be found.
    async _find(from, to, forwards) {
        if (this._cancellable.is_cancelled())
            return null;
        if (from >= Math.min(to, this.document.size))
            return -1;
        try {
            const match = await this.document.find(this.pattern, from, to, forwards, this._cancellable);
            return this._cancellable.is_cancelled() ? null : match;
        } catch (error) {
            if (error.matches?.(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED) || this._cancellable.is_cancelled())
                return null;
            if (this.document.size < to)
                return -1;
            throw error;
        }
    }
}
