// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Mmio for GJS. What is read is a Uint8Array of its own memory: never an alias of the mapping, where a store by the script would
// be a segmentation fault if the file is mapped for reading, and where the memory could go while the script still looks at it.

const {GLib} = imports.gi;

// A copy on every GJS: toArray () gives an alias before 1.81.2.
function bytesToArray(bytes) {
    const array = GLib.Bytes.prototype.toArray.call(bytes);
    return array.length > 0 ? array.slice() : new Uint8Array(0);
}

function _init() {
    const Mmio = this;
    const File = Mmio.File.prototype;
    const View = Mmio.View.prototype;

    const read = File.read;

    // read (offset = 0, count = as many as there are): a Uint8Array.
    File.read = function (offset = 0, count = Math.max(this.get_size() - offset, 0)) {
        return bytesToArray(read.call(this, offset, count));
    };

    // Of a Uint8Array, an ArrayBuffer or any view of one, GLib.Bytes, or a string in UTF-8.
    const writeBytes = File.write_bytes;
    File.write = function (offset, data) {
        return writeBytes.call(this, offset, toBytes(data));
    };

    Object.defineProperty(File, 'length', {
        configurable: true,
        get() {
            return this.get_size();
        },
    });

    // The memory itself, to be handed to other libraries. The script sees a copy of it.
    for (const prototype of [File, View]) {
        const getBytes = prototype.get_bytes;
        prototype.get_bytes = function (...args) {
            const bytes = getBytes.apply(this, args);
            bytes.toArray = () => bytesToArray(bytes);
            return bytes;
        };
    }

    View.get_data = function () {
        return bytesToArray(this.get_bytes());
    };
}

function toBytes(data) {
    if (data instanceof GLib.Bytes)
        return data;
    if (typeof data === 'string')
        return new GLib.Bytes(new TextEncoder().encode(data));
    if (data instanceof Uint8Array)
        return new GLib.Bytes(data);
    if (ArrayBuffer.isView(data))
        return new GLib.Bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return new GLib.Bytes(new Uint8Array(data));
}
