// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a mapped file costs in GJS, beside GIO's streams, side by side in one run: the best of some rounds.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Mmio from 'gi://Mmio?version=1.0';

const CALLS = 1000000;
const {LITTLE_ENDIAN} = Gio.DataStreamByteOrder;

function best(rounds, functions) {
    const result = functions.map(() => Infinity);
    for (let round = 0; round < rounds; round++) {
        functions.forEach((run, i) => {
            const start = GLib.get_monotonic_time();
            run();
            result[i] = Math.min(result[i], (GLib.get_monotonic_time() - start) / 1000);
        });
    }
    return result;
}

function report(title, ours, theirs) {
    print(`${title.padEnd(46)} ${ours.toFixed(1).padStart(10)} ${theirs.toFixed(1).padStart(10)} ms ${(ours / theirs).toFixed(2).padStart(8)}`);
}

const folder = GLib.Dir.make_tmp('mmio-XXXXXX');
const path = `${folder}/file`;
const file = Mmio.File.create(path, 4 * CALLS);
const plain = Gio.File.new_for_path(path);

print(`${''.padEnd(46)} ${'libmmio'.padStart(10)} ${'beside'.padStart(10)}    ${'ratio'.padStart(8)}`);

report('1,000,000 get_uint32 / GDataInputStream', ...best(2, [
    () => {
        for (let i = 0; i < CALLS; i++)
            file.get_uint32(4 * i, LITTLE_ENDIAN);
    },
    () => {
        const stream = new Gio.DataInputStream({base_stream: plain.read(null), byte_order: LITTLE_ENDIAN});
        for (let i = 0; i < CALLS; i++)
            stream.read_uint32(null);
        stream.close(null);
    },
]));
report('100,000 get_uint32 at random / GFileInputStream', ...best(2, [
    () => {
        for (let i = 0; i < CALLS / 10; i++)
            file.get_uint32(i * 7919 % CALLS * 4, LITTLE_ENDIAN);
    },
    () => {
        const stream = plain.read(null);
        for (let i = 0; i < CALLS / 10; i++) {
            stream.seek(i * 7919 % CALLS * 4, GLib.SeekType.SET, null);
            stream.read_bytes(4, null);
        }
        stream.close(null);
    },
]));
report('all of 4 MB as Uint8Array / load_contents', ...best(10, [() => file.read(), () => plain.load_contents(null)]));

file.close();
plain.delete(null);
GLib.rmdir(folder);
