// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sides of cases in GJS, which take turns with the other sides: see bench-program.h for what is said to and fro.
//   gjs -m peer.js SIDE PATH

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';

const [name, path] = ARGV;
const {LITTLE_ENDIAN} = Gio.DataStreamByteOrder;
const CALLS = 1000;

async function load() {
    return (await import('gi://Mmio?version=1.0')).default;
}

// One run is a thousand calls: a clock in microseconds is fine enough for those.
const sides = {
    async 'get-mmio'() {
        const Mmio = await load();
        const file = Mmio.File.open(path, Mmio.Mode.READ_ONLY);
        return () => {
            for (let i = 0; i < CALLS; i++)
                file.get_uint32(4 * i, LITTLE_ENDIAN);
        };
    },
    async 'get-stream'() {
        const file = Gio.File.new_for_path(path);
        return () => {
            const stream = new Gio.DataInputStream({base_stream: file.read(null), byte_order: LITTLE_ENDIAN});
            for (let i = 0; i < CALLS; i++)
                stream.read_uint32(null);
            stream.close(null);
        };
    },
    async 'read-mmio'() {
        const Mmio = await load();
        const file = Mmio.File.open(path, Mmio.Mode.READ_ONLY);
        return () => {
            for (let i = 0; i < CALLS; i++)
                file.read(i * 7919 % CALLS * 4, 64);
        };
    },
    async 'read-stream'() {
        const stream = Gio.File.new_for_path(path).read(null);
        return () => {
            for (let i = 0; i < CALLS; i++) {
                stream.seek(i * 7919 % CALLS * 4, GLib.SeekType.SET, null);
                stream.read_bytes(64, null).toArray();
            }
        };
    },
    async 'all-mmio'() {
        const Mmio = await load();
        const file = Mmio.File.open(path, Mmio.Mode.READ_ONLY);
        return () => file.read();
    },
    async 'all-load'() {
        const file = Gio.File.new_for_path(path);
        return () => file.load_contents(null);
    },
};

function serve(run) {
    const input = new Gio.DataInputStream({base_stream: new Gio.UnixInputStream({fd: 0, close_fd: false})});
    print('ready');
    for (;;) {
        const [line] = input.read_line_utf8(null);
        if (line === null)
            return;
        const n = Number(line);
        const start = GLib.get_monotonic_time();
        for (let i = 0; i < n; i++)
            run();
        print(Math.max(1, (GLib.get_monotonic_time() - start) * 1000));
    }
}

try {
    serve(await sides[name]());
} catch (error) {
    print(`SKIP ${error.message.replaceAll('\n', ' ')}`);
    System.exit(1);
}
