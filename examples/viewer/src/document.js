// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The file that a window shows: what the viewer wants of Mmio.File, and what happened to it in the viewer's words. Nothing of it is
// kept here but the mapping.

import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Mmio from 'gi://Mmio?version=1.0';

// Up to here changes are located, for which the whole file is read; the larger ones are only compared where they are shown.
const LOCATED_SIZE = 64 * 1024 * 1024;
// To the byte up to here, for which a copy is kept.
const COPIED_SIZE = 4 * 1024 * 1024;
// Changes that come faster are told together, ms.
const WATCH_INTERVAL = 40;

const EMPTY = new Uint8Array(0);

export const State = {
    UNCHANGED: 0,
    CHANGING: 1,
    SETTLED: 2,
};

export const Document = GObject.registerClass({
    GTypeName: 'MmioViewerDocument',
    Signals: {
        // offset and length in bytes
        'changed': {param_types: [GObject.TYPE_DOUBLE, GObject.TYPE_DOUBLE]},
        // the size before
        'resized': {param_types: [GObject.TYPE_DOUBLE]},
        'replaced': {},
        'removed': {},
        'reloaded': {},
        'state': {},
        // a message
        'failed': {param_types: [GObject.TYPE_JSOBJECT]},
    },
}, class Document extends GObject.Object {
    constructor(location) {
        super();
        this.location = location;
        this.size = 0;
        this.state = State.UNCHANGED;
        this.isReplaced = false;
        this.isRemoved = false;
        this._file = null;
        this._isLocated = false;
        this._hasFailed = false;
        this._refreshId = 0;
    }

    get name() {
        return this.location.get_parse_name().replace(/.*\//, '');
    }

    async open() {
        const file = new Mmio.File({
            location: this.location,
            follow: true,
            watch_interval: WATCH_INTERVAL,
            locate_limit: COPIED_SIZE,
        });
        await new Promise((resolve, reject) => {
            file.init_async(GLib.PRIORITY_DEFAULT, null, (source, result) => {
                try {
                    resolve(source.init_finish(result));
                } catch (error) {
                    reject(error);
                }
            });
        });

        this._file = file;
        this.size = file.get_size();
        file.connect('notify::size', () => this._onSize());
        file.connect('changed', (_file, offset, length) => this._onChanged(offset, length));
        file.connect('replaced', () => this._onReplaced());
        file.connect('removed', () => this._onRemoved());
        file.connect('settled', () => this._setState(State.SETTLED));
    }

    /** Apart from open(): what is shown need not wait for it. */
    watch() {
        this._isLocated = this.size <= LOCATED_SIZE;
        try {
            this._file.watch(this._isLocated ? Mmio.WatchFlags.LOCATE : Mmio.WatchFlags.NONE);
        } catch (error) {
            this.emit('failed', error);
        }
    }

    close() {
        if (this._refreshId)
            GLib.source_remove(this._refreshId);
        this._refreshId = 0;
        this._file?.unwatch();
        this._file?.close();
        this._file = null;
    }

    /** Another file has this one's path: shows it. */
    reload() {
        const old = this.size;
        try {
            this._file.reload();
        } catch (error) {
            this.emit('failed', error);
            return;
        }
        this.isReplaced = false;
        this.isRemoved = false;
        this._hasFailed = false;
        this._onSize();
        this.emit('reloaded');
        this.emit('changed', 0, Math.max(old, this.size));
    }

    /** A copy of the bytes there, as many as there are: the file may have been cut off by now. */
    read(offset, count) {
        const length = Math.min(count, this.size - offset);
        if (!(length > 0))
            return EMPTY;
        try {
            return this._file.read(offset, length);
        } catch (error) {
            this._onReadFailed(error);
            return EMPTY;
        }
    }

    /** The first match in a range, or the last, as a promise; -1 if there is none. */
    find(pattern, from, to, forwards, cancellable) {
        return this._file.find_async(pattern, from, Math.max(from, Math.min(to, this.size)), forwards, cancellable);
    }

    /** How much of a range is in memory; 0 where that can't be told. */
    resident(offset, length) {
        try {
            return this._file.get_resident_bytes(offset, Math.min(length, this.size - offset))[1];
        } catch {
            return 0;
        }
    }

    _setState(state) {
        this.state = state;
        this.emit('state');
    }

    _onSize() {
        const old = this.size;
        this.size = this._file.get_size();
        if (this.size === old)
            return;
        this.emit('resized', old);
        // It has grown into what would take too long to read again and again.
        if (this._isLocated && this.size > 2 * LOCATED_SIZE)
            this.watch();
    }

    _onChanged(offset, length) {
        // That is said of the file which is at the path, and this one isn't any more.
        if (this.isReplaced)
            return;
        this._setState(State.CHANGING);
        this.emit('changed', offset, Math.min(length, Math.max(this.size - offset, 0)));
    }

    _onReplaced() {
        this.isReplaced = true;
        this.isRemoved = false;
        this.emit('replaced');
    }

    _onRemoved() {
        this.isRemoved = true;
        this.emit('removed');
    }

    // Rows are read while they are drawn: what follows from a failure has to wait until that is done.
    _onReadFailed(error) {
        const isCut = error.matches?.(Mmio.Error, Mmio.Error.TRUNCATED) || error.matches?.(Mmio.Error, Mmio.Error.OUT_OF_BOUNDS);

        if (this._refreshId || !isCut && this._hasFailed)
            return;
        this._hasFailed = !isCut;
        this._refreshId = GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
            this._refreshId = 0;
            try {
                if (isCut)
                    this._file.refresh();
                else
                    this.emit('failed', error);
            } catch (failure) {
                this.emit('failed', failure);
            }
            return GLib.SOURCE_REMOVE;
        });
    }
});
