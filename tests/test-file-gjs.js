// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A mapped file from GJS: what is promised in C where the language could break it, and what is the language's own.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Mmio from 'gi://Mmio?version=1.0';
import System from 'system';
import {assert, assertEqual, assertThrows, assertThrowsType, next, run, test} from './tap.js';

const CONTENT = Uint8Array.from({length: 200}, (_, i) => i);

function make(folder, content = CONTENT) {
    const path = `${folder}/file`;
    GLib.file_set_contents(path, content);
    return path;
}

function content(path) {
    return GLib.file_get_contents(path)[1];
}

function spawn(folder, command) {
    const launcher = new Gio.SubprocessLauncher({flags: Gio.SubprocessFlags.NONE});
    launcher.set_cwd(folder);
    launcher.spawnv(['sh', '-c', command]).wait_check(null);
}

test('/gjs/file/opens-in-every-way', folder => {
    const path = make(folder);
    const files = [
        Mmio.File.open(path, Mmio.Mode.READ_ONLY),
        Mmio.File.open_location(Gio.File.new_for_path(path), Mmio.Mode.READ_WRITE, null),
        Mmio.File.open_or_create(path, 1),
    ];
    files.push(Mmio.File.new_for_fd(files[1].get_fd(), Mmio.Mode.READ_WRITE));
    for (const file of files) {
        assertEqual(file.get_size(), 200);
        assertEqual(file.length, 200);
        assertEqual(file.read(), CONTENT);
        file.close();
        assert(file.is_closed());
    }
});

test('/gjs/file/opening-fails-as-gio-does', folder => {
    assertThrows(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND, () => Mmio.File.open(`${folder}/none`, Mmio.Mode.READ_ONLY));
    assertThrows(Gio.IOErrorEnum, Gio.IOErrorEnum.IS_DIRECTORY, () => Mmio.File.open(folder, Mmio.Mode.READ_ONLY));
    assertThrows(Gio.IOErrorEnum, Gio.IOErrorEnum.EXISTS,
        () => Mmio.File.create(make(folder), 1, Mmio.CreateFlags.NONE));
});

test('/gjs/file/reads-and-writes', folder => {
    const path = make(folder);
    const file = Mmio.File.open(path, Mmio.Mode.READ_WRITE);
    file.write(10, new TextEncoder().encode('ten'));
    file.write(20, 'zwölf');
    file.write(30, new Uint16Array([0x0101, 0x0202]));
    file.write(40, new Uint8Array([1, 2]).buffer);
    file.write(50, new GLib.Bytes(new Uint8Array([3])));
    file.write(60, []);
    file.flush();
    assertEqual(new TextDecoder().decode(file.read(10, 3)), 'ten');
    assertEqual(new TextDecoder().decode(file.read(20, 6)), 'zwölf');
    assertEqual(file.read(30, 4), new Uint8Array([1, 1, 2, 2]));
    assertEqual(file.read(40, 2), new Uint8Array([1, 2]));
    assertEqual(file.read(50, 1), new Uint8Array([3]));
    assertEqual(file.read(198), CONTENT.slice(198));
    assertEqual(file.read(200), new Uint8Array([]));
    assertEqual(content(path), file.read());
    file.close();
});

// A number would be an array of so many zeros, and undefined one of none.
test('/gjs/file/what-is-no-bytes-is-not-written', async folder => {
    const path = make(folder);
    const file = Mmio.File.open(path, Mmio.Mode.READ_WRITE);
    for (const data of [5, 5n, null, undefined, {}, true, {length: 3}]) {
        assertThrowsType(TypeError, () => file.write(0, data));
        assertThrowsType(TypeError, () => file.find(data));
        const error = await file.write_async(0, data).then(() => null, reason => reason); // eslint-disable-line no-await-in-loop
        assert(error instanceof TypeError, String(error));
    }
    assertEqual(file.read(), CONTENT);
    file.close();
});

test('/gjs/file/what-has-an-obvious-value-may-be-left-out', folder => {
    const file = Mmio.File.new_for_fd(Mmio.File.open(make(folder)).get_fd());
    assertEqual(file.mode, Mmio.Mode.READ_ONLY);
    assertEqual(file.get_view().get_data(), CONTENT);
    assertEqual(file.get_view(150).length, 50);
    assertEqual(file.get_bytes().get_size(), 200);
    assertThrows(Mmio.Error, Mmio.Error.WRONG_MODE, () => file.get_writable_view());
    file.close();
});

test('/gjs/file/a-fault-is-a-signal', async folder => {
    const file = Mmio.File.open(make(folder, new Uint8Array(16384).fill(1)), Mmio.Mode.READ_ONLY);
    const view = file.get_view();
    const came = next(file, 'fault');
    spawn(folder, 'truncate -s 4096 file');
    assertEqual(view.get_data()[9000], 0);
    const [offset, length] = await came;
    assert(offset >= 4096 && offset + length <= 16384, `${offset} + ${length}`);
    assertThrows(Mmio.Error, Mmio.Error.TRUNCATED, () => view.check());
    spawn(folder, 'truncate -s 16384 file');
    file.refresh();
    view.check();
    assertThrows(Mmio.Error, Mmio.Error.BUSY, () => Mmio.File.open(`${folder}/file`, Mmio.Mode.READ_WRITE).using(other => {
        const held = other.get_view(0, 100);
        try {
            other.resize(10);
        } finally {
            held.release();
        }
    }));
    view.release();
    file.close();
});

test('/gjs/file/views-outlive-the-file', async folder => {
    let file = Mmio.File.open(make(folder), Mmio.Mode.READ_ONLY);
    const view = file.get_view(100, 50);
    const bytes = file.get_bytes(100, 50);
    file = null;
    System.gc();
    await new Promise(resolve => GLib.idle_add(GLib.PRIORITY_LOW, () => {
        resolve();
        return GLib.SOURCE_REMOVE;
    }));
    System.gc();
    assertEqual(view.get_data(), CONTENT.slice(100, 150));
    assertEqual(bytes.toArray(), CONTENT.slice(100, 150));
    view.get_file().close();
    assertThrows(Mmio.Error, Mmio.Error.CLOSED, () => view.get_file().read(0, 1));
});

test('/gjs/file/settled-comes-when-the-writer-rests', async folder => {
    const file = Mmio.File.open(make(folder), Mmio.Mode.READ_ONLY);
    file.settle_time = 20;
    file.watch();
    const came = next(file, 'settled');
    spawn(folder, 'printf a >> file');
    await came;
    file.refresh();
    assertEqual(file.length, 201);
    file.close();
});

test('/gjs/file/resizes-and-says-so', folder => {
    const path = make(folder);
    const file = Mmio.File.open(path, Mmio.Mode.READ_WRITE);
    const sizes = [];
    file.connect('notify::size', () => sizes.push(file.get_size()));
    file.resize(300);
    file.resize(100);
    assertEqual(sizes, [300, 100]);
    assertEqual(content(path).length, 100);
    file.close();
});

// The engine has one thread.
test('/gjs/file/resizes-without-blocking-and-says-so', async folder => {
    const file = Mmio.File.open(make(folder), Mmio.Mode.READ_WRITE);
    const sizes = [];
    file.connect('notify::size', () => sizes.push(file.get_size()));
    await file.resize_async(300);
    assertEqual(sizes, [300]);
    await file.close_async();
    assertEqual(sizes, [300, 0]);
});

test('/gjs/file/shrinking-under-a-view-is-busy', folder => {
    const file = Mmio.File.open(make(folder), Mmio.Mode.READ_WRITE);
    const view = file.get_view(100, 50);
    assertThrows(Mmio.Error, Mmio.Error.BUSY, () => file.resize(149));
    file.resize(150);
    view.release();
    file.resize(1);
    file.close();
});

test('/gjs/file/out-of-bounds-is-an-error', folder => {
    const file = Mmio.File.open(make(folder), Mmio.Mode.READ_WRITE);
    for (const call of [
        () => file.read(200, 1),
        () => file.read(Number.MAX_SAFE_INTEGER, 2),
        () => file.write(199, 'ab'),
        () => file.get_view(0, 201),
        () => file.get_bytes(1, 200),
        () => file.flush_range(0, 201),
    ]) {
        const error = assertThrows(Mmio.Error, Mmio.Error.OUT_OF_BOUNDS, call);
        assert(error instanceof Mmio.Error);
        assert(error.message.includes('200'), error.message);
    }
    assertEqual(file.read(), CONTENT);
    file.close();
});

test('/gjs/file/read-only-refuses-writes', folder => {
    const file = Mmio.File.open(make(folder), Mmio.Mode.READ_ONLY);
    assertThrows(Mmio.Error, Mmio.Error.WRONG_MODE, () => file.write(0, 'a'));
    assertThrows(Mmio.Error, Mmio.Error.WRONG_MODE, () => file.resize(1));
    assertThrows(Mmio.Error, Mmio.Error.WRONG_MODE, () => file.get_writable_view(0, 1));
    file.close();
});

test('/gjs/file/copy-on-write-keeps-writes-to-itself', folder => {
    const path = make(folder);
    const file = Mmio.File.open(path, Mmio.Mode.COPY_ON_WRITE);
    file.write(0, 'own');
    assertEqual(file.read(0, 3), new TextEncoder().encode('own'));
    assertEqual(content(path), CONTENT);
    file.close();
});

test('/gjs/file/closed-is-an-error', folder => {
    const file = Mmio.File.open(make(folder), Mmio.Mode.READ_WRITE);
    file.close();
    file.close();
    for (const call of [() => file.read(0, 1), () => file.read(), () => file.write(0, 'a'), () => file.get_view(0, 1),
        () => file.get_bytes(0, 0), () => file.resize(1), () => file.flush(), () => file.watch(0, null)])
        assertThrows(Mmio.Error, Mmio.Error.CLOSED, call);
});

// A store into read-only memory would be a segmentation fault.
test('/gjs/file/what-is-read-is-the-script-s-own', folder => {
    const file = Mmio.File.open(make(folder), Mmio.Mode.READ_ONLY);
    const view = file.get_view(0, 200);
    const stream = Mmio.InputStream.new(file);
    for (const array of [file.read(), file.get_bytes(0, 200).toArray(), view.get_data(), view.get_bytes().toArray(),
        stream.read_bytes(200).toArray()]) {
        assertEqual(array, CONTENT);
        array.fill(255);
        assertEqual(array[199], 255);
    }
    assertEqual(file.read(), CONTENT);
    file.close();
});

test('/gjs/file/bytes-are-handed-on-without-a-copy', folder => {
    const file = Mmio.File.open(make(folder), Mmio.Mode.READ_WRITE);
    const bytes = file.get_bytes(10, 5);
    file.write(10, 'fresh');
    const stream = Gio.MemoryInputStream.new_from_bytes(bytes);
    assertEqual(new TextDecoder().decode(stream.read_bytes(5, null).toArray()), 'fresh');
});

test('/gjs/file/truncation-by-another-process-is-an-error', folder => {
    const file = Mmio.File.open(make(folder, new Uint8Array(16384).fill(1)), Mmio.Mode.READ_ONLY);
    const view = file.get_view(0, 16384);
    spawn(folder, 'truncate -s 100 file');
    assertThrows(Mmio.Error, Mmio.Error.TRUNCATED, () => file.read(16000, 10));
    const data = view.get_data();
    assertEqual([data[99], data[16383]], [1, 0]);
    assertThrows(Mmio.Error, Mmio.Error.TRUNCATED, () => view.check());
    file.refresh();
    assertEqual(file.length, 100);
    view.release();
    file.close();
});

test('/gjs/file/all-four-signals-come', async folder => {
    const file = Mmio.File.open(make(folder), Mmio.Mode.READ_WRITE);
    const expect = (signal, command) => {
        const came = next(file, signal);
        spawn(folder, command);
        return came;
    };
    file.watch(Mmio.WatchFlags.NONE, null);
    assert(file.watching);
    assertEqual(await expect('changed', 'printf appended >> file'), [200, 8]);
    assertEqual(await expect('metadata', 'chmod 600 file'), []);
    assertEqual(await expect('removed', 'rm file'), []);
    assertEqual(await expect('replaced', 'printf again > temporary; mv temporary file'), []);
    assertEqual(file.read(0, 3), new Uint8Array([0, 1, 2]));
    file.reload();
    assertEqual(new TextDecoder().decode(file.read()), 'again');
    file.unwatch();
    file.close();
});

test('/gjs/file/is-whole-until-the-handler-returns', async folder => {
    const path = make(folder);
    const file = Mmio.File.open(path);
    const copies = [];
    file.connect('about-to-change', () => copies.push(file.read()));
    try {
        file.watch(Mmio.WatchFlags.LEASE);
    } catch (error) {
        // where it is so, that is what is promised
        assert(error.matches(Mmio.Error, Mmio.Error.NOT_SUPPORTED) && error.message.includes('this system has no leases'), error);
        return;
    }
    const writer = Gio.Subprocess.new(['sh', '-c', 'printf anew > "$0"', path], Gio.SubprocessFlags.NONE);
    await new Promise(resolve => writer.wait_async(null, resolve));
    assert(writer.get_successful());
    assertEqual(copies, [CONTENT]);
    assertEqual(new TextDecoder().decode(content(path)), 'anew');
    file.close();
});

test('/gjs/file/dropped-files-leave-nothing-behind', async folder => {
    const path = make(folder);
    const turn = () => new Promise(resolve => GLib.idle_add(GLib.PRIORITY_LOW, () => {
        resolve();
        return GLib.SOURCE_REMOVE;
    }));
    const descriptors = () => {
        const children = Gio.File.new_for_path('/proc/self/fd').enumerate_children('standard::name', 0, null);
        let count = 0;
        while (children.next_file(null))
            count++;
        children.close(null);
        return count;
    };
    // GLib keeps a thread and its descriptors for all watches of a process.
    const first = Mmio.File.open(path);
    first.watch();
    first.close();
    const before = descriptors();
    const maps = () => new TextDecoder().decode(GLib.file_get_contents('/proc/self/maps')[1]).split(path).length - 1;
    for (let i = 0; i < 10000; i++) {
        const file = Mmio.File.open(path, Mmio.Mode.READ_WRITE);
        if (i % 10 === 0)
            file.get_view(0, 200);
        if (i % 50 === 0) {
            // What holds the file, and what the file holds.
            file.get_atomic_u64(0).add(0, 1);
            file.chunks(100).next();
            file.connect('removed', () => file.close());
        }
        if (i % 100 === 0)
            file.watch(Mmio.WatchFlags.NONE, null);
        if (i % 500 === 499) {
            // Finalising takes a turn of the main loop.
            System.gc();
            await turn(); // eslint-disable-line no-await-in-loop
        }
    }
    System.gc();
    await turn();
    System.gc();
    await turn();
    assertEqual(maps(), 0);
    assert(descriptors() <= before, `${descriptors()} descriptors, ${before} before`);
});

// Who waits holds the file, but not longer.
test('/gjs/file/what-is-not-awaited-any-more-is-collected', async folder => {
    const path = make(folder, 'abc');
    const maps = () => new TextDecoder().decode(GLib.file_get_contents('/proc/self/maps')[1]).split(path).length - 1;
    const kinds = [
        (file, cancellable) => file.next('changed', cancellable),
        (file, cancellable) => file.events(Mmio.WatchFlags.NONE, cancellable).next(),
    ];
    for (const wait of kinds) {
        const cancellable = new Gio.Cancellable();
        const waits = Array.from({length: 200}, () => wait(Mmio.File.open(path), cancellable).catch(() => {}));
        cancellable.cancel();
        await Promise.all(waits); // eslint-disable-line no-await-in-loop
    }
    for (let i = 0; i < 100; i++) {
        const events = Mmio.File.open(path).events();
        events.next();
        events.return();
    }
    for (let i = 0; i < 3; i++) {
        System.gc();
        // Finalising takes a turn of the main loop.
        await new Promise(resolve => GLib.idle_add(GLib.PRIORITY_LOW, () => { // eslint-disable-line no-await-in-loop
            resolve();
            return GLib.SOURCE_REMOVE;
        }));
    }
    // The engine takes what is left on its stack for something that is used: the last of each kind.
    assert(maps() < 10, `${maps()} of 500 are still mapped`);
});

run();
