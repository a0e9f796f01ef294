// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Another process truncates the file and writes it again at random moments, while a script uses it in every way it has. The bytes
// are those of test-faults-truncate.c, whose program does the truncating.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Mmio from 'gi://Mmio?version=1.0';
import {assert, assertEqual, run, test} from './tap.js';

const PAGE = 4096;
const SIZE = 48 * PAGE, FILL_FROM = 40 * PAGE, COUNTERS = 46 * PAGE;
const CONTENT = Uint8Array.from({length: SIZE}, (_, i) => i < FILL_FROM ? i % 251 + 1 : 0xfe);
const TRUNCATIONS = GLib.getenv('MMIO_TEST_THOROUGH') ? 1000 : 150;

// Pages behind the end that were called a success: see test-faults-truncate.c.
let zeroPages = 0;

// The bytes of the file, or zeros where it was cut off for a moment; they may be before bytes that are there again.
function isPlausible(offset, data) {
    for (let i = 0; i < data.length; i++) {
        const at = offset + i;
        if (data[i] !== CONTENT[at] && data[i] !== 0)
            return false;
        if (data[i] === 0 && at % PAGE === 0 && i + 1 < data.length)
            zeroPages++;
    }
    return true;
}

function span(end = COUNTERS) {
    const offset = GLib.random_int_range(0, end);
    return [offset, GLib.random_int_range(1, Math.min(end - offset, 3 * PAGE) + 1)];
}

function counted(data, length) {
    assertEqual(data.length, length);
    return data;
}

const accesses = {
    read(file) {
        const [offset, length] = span();
        assert(isPlausible(offset, counted(file.read(offset, length), length)), 'read');
    },
    write(file) {
        const [offset, length] = span(SIZE);
        file.write(offset, CONTENT.slice(offset, offset + length));
    },
    fill: file => file.fill(FILL_FROM, COUNTERS - FILL_FROM, 0xfe),
    number: file => file.get_uint8(GLib.random_int_range(0, COUNTERS)),
    find(file) {
        const at = GLib.random_int_range(0, FILL_FROM - 64);
        const found = Number(file.find(CONTENT.slice(at, at + 16), at, at + 64));
        assert(found === at || found === -1, 'find');
    },
    view(file) {
        const [offset, length] = span();
        const view = file.get_view(offset, length);
        const data = view.get_bytes().toArray().slice();
        view.check();
        assert(isPlausible(offset, counted(data, length)), 'view');
        view.release();
    },
    stream(file) {
        const stream = Mmio.InputStream.new(file);
        const [offset, length] = span();
        stream.seek(offset, GLib.SeekType.SET, null);
        // A window, as a view is, but without a check: it has its length.
        assert(stream.read_bytes(length, null).toArray().slice().length <= length, 'stream');
    },
    atomic(file) {
        const counters = file.get_atomic_u32(COUNTERS, 16);
        counters.add(GLib.random_int_range(0, 16), 1);
        counters.check();
    },
    refresh: file => file.refresh(),
};

test('/gjs/faults/every-access-survives-truncation', folder => {
    const path = `${folder}/file`;
    const seed = GLib.random_int_range(0, 2 ** 31 - 1);
    GLib.random_set_seed(seed);
    print(`# seed ${seed}`);
    GLib.file_set_contents(path, CONTENT);
    const file = Mmio.File.open(path, Mmio.Mode.READ_WRITE);
    const process = Gio.Subprocess.new([`${GLib.getenv('G_TEST_BUILDDIR')}/test-faults-truncate`, '--truncate', path, `${TRUNCATIONS}`,
        `${seed}`], Gio.SubprocessFlags.NONE);
    let over = false, succeeded = 0, refused = 0;
    process.wait_async(null, () => {
        over = true;
    });
    const all = Object.values(accesses);
    while (!over) {
        try {
            all[GLib.random_int_range(0, all.length)](file);
            succeeded++;
        } catch (error) {
            if (!(error instanceof GLib.Error))
                throw error;
            refused++;
        }
        GLib.MainContext.default().iteration(false);
    }
    assertEqual(process.get_exit_status(), 0);
    file.refresh();
    assertEqual(file.read(0, COUNTERS).every((byte, i) => byte === CONTENT[i]), true);
    print(`# gjs: ${TRUNCATIONS} random truncations survived; ${succeeded} accesses succeeded, ${refused} were refused`);
    assert(succeeded > 0);
    assert(zeroPages <= 100 + refused, 'zeros that nobody tells of');
});

run();
