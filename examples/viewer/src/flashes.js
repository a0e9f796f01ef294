// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The bytes that are lit because they have changed a moment ago, and how bright each still is.

import GLib from 'gi://GLib';

import {FLASH_STEPS} from './palette.js';

// How long a byte is lit, us.
const TIME = 1200 * 1000;
const STEP = TIME / FLASH_STEPS;
const MAX = 4096;

export class Flashes {
    /** onStep is called whenever some are less bright than they were. */
    constructor(onStep) {
        this._onStep = onStep;
        // When each byte changed, by its offset.
        this._times = new Map();
        this._sourceId = 0;
    }

    get isEmpty() {
        return this._times.size === 0;
    }

    clear() {
        this._times.clear();
        if (this._sourceId)
            GLib.source_remove(this._sourceId);
        this._sourceId = 0;
    }

    /**
     * Lights what differs between two pieces {start, bytes} of the file, whatever was said about where it has changed; what wasn't in
     * view before is new if it was said to be, within [from, to).
     */
    light(before, after, from, to) {
        const now = GLib.get_monotonic_time();
        for (let i = 0; i < after.bytes.length && this._times.size < MAX; i++) {
            const offset = after.start + i;
            const old = before.bytes[offset - before.start];
            if (old === undefined ? offset >= from && offset < to : old !== after.bytes[i])
                this._times.set(offset, now);
        }
        if (!this.isEmpty && !this._sourceId)
            this._sourceId = GLib.timeout_add(GLib.PRIORITY_DEFAULT, STEP / 1000, () => this._step());
    }

    /** Calls back with the start, the end and the brightness, 0 to FLASH_STEPS - 1, of what is lit within [start, end). */
    forEach(start, end, callback) {
        if (this.isEmpty)
            return;
        const now = GLib.get_monotonic_time();
        let from = start, level = -1;
        for (let i = start; i <= end; i++) {
            const time = i < end ? this._times.get(i) : undefined;
            const next = time === undefined ? -1 : Math.max(0, FLASH_STEPS - 1 - Math.floor((now - time) / STEP));
            if (next === level)
                continue;
            if (level >= 0)
                callback(from, i, level);
            from = i;
            level = next;
        }
    }

    _step() {
        const oldest = GLib.get_monotonic_time() - TIME;
        for (const [offset, time] of this._times) {
            if (time <= oldest)
                this._times.delete(offset);
        }
        this._onStep();
        if (!this.isEmpty)
            return GLib.SOURCE_CONTINUE;
        this._sourceId = 0;
        return GLib.SOURCE_REMOVE;
    }
}
