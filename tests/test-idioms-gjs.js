// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A mapped file as a script takes it: something to iterate, to await, and with numbers that are not rounded.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Mmio from 'gi://Mmio?version=1.0';
import System from 'system';
import {assert, assertEqual, assertThrows, assertThrowsType, run, skip, test} from './tap.js';

function make(folder, content) {
    const path = `${folder}/file`;
    GLib.file_set_contents(path, content);
    return path;
}

function spawn(folder, command) {
    const launcher = new Gio.SubprocessLauncher({flags: Gio.SubprocessFlags.NONE});
    launcher.set_cwd(folder);
    launcher.spawnv(['sh', '-c', command]).wait_check(null);
}

async function assertRejects(domain, code, promise) {
    try {
        await promise;
    } catch (error) {
        if (error.matches?.(domain, code))
            return;
        throw error;
    }
    throw new Error('the promise was kept');
}

const text = array => new TextDecoder().decode(array);

test('/gjs/idioms/at-is-that-of-arrays', folder => {
    const file = Mmio.File.open(make(folder, 'abc'));
    const array = ['a', 'b', 'c'].map(c => c.charCodeAt(0));
    for (const index of [0, 2, -1, -3, 3, -4, 1.5, undefined])
        assertEqual(file.at(index), array.at(index), String(index));
    file.close();
    assertThrows(Mmio.Error, Mmio.Error.CLOSED, () => file.at(0));
});

test('/gjs/idioms/chunks-are-all-of-the-file', folder => {
    const content = Uint8Array.from({length: 10000}, (_, i) => i % 251);
    const file = Mmio.File.open(make(folder, content));
    for (const size of [1000, 4096, 10000, 99999]) {
        const chunks = [...file.chunks(size)];
        assertEqual(chunks.length, Math.ceil(10000 / size));
        assertEqual(chunks.flatMap(chunk => [...chunk]), [...content]);
    }
    let length = 0;
    for (const chunk of file) {
        chunk.fill(0);
        length += chunk.length;
    }
    assertEqual(length, 10000);
    assertEqual(file.read(), content);
    file.close();
});

test('/gjs/idioms/truncation-ends-the-chunks-with-an-error', folder => {
    const file = Mmio.File.open(make(folder, new Uint8Array(16384).fill(1)));
    const chunks = file.chunks(4096);
    assertEqual(chunks.next().value[0], 1);
    spawn(folder, 'truncate -s 4096 file');
    assertThrows(Mmio.Error, Mmio.Error.TRUNCATED, () => chunks.next());
    file.close();
});

test('/gjs/idioms/find-takes-text-and-bytes', folder => {
    const file = Mmio.File.open(make(folder, 'one zwölf one'));
    assertEqual(file.find('one'), 0);
    assertEqual(file.find('one', 1), 11);
    assertEqual(file.find('one', 1, 13), -1);
    assertEqual(file.find('zwölf'), 4);
    assertEqual(file.find(new Uint8Array([0x20])), 3);
    assertEqual(file.find([0x20, 0x6f]), 10);
    assertEqual(file.find_last('one'), 11);
    assertEqual(file.find_last('one', 0, 13), 0);
    file.close();
});

test('/gjs/idioms/numbers-in-every-order', folder => {
    const {BIG_ENDIAN, LITTLE_ENDIAN} = Gio.DataStreamByteOrder;
    const file = Mmio.File.create(`${folder}/file`, 32);
    file.set_uint32(1, 0x01020304, BIG_ENDIAN);
    assertEqual(file.read(1, 4), new Uint8Array([1, 2, 3, 4]));
    assertEqual(file.get_uint32(1, LITTLE_ENDIAN), 0x04030201);
    file.set_int16(0, -2);
    assertEqual(file.get_int16(0), -2);
    file.set_double(8, 0.1, BIG_ENDIAN);
    assertEqual(file.get_double(8, BIG_ENDIAN), 0.1);
    file.set_float(8, 0.5);
    assertEqual(file.get_float(8), 0.5);
    assertThrows(Mmio.Error, Mmio.Error.OUT_OF_BOUNDS, () => file.get_uint32(29));
    file.set_uint32(1, 0x01020304, '>');
    assertEqual(file.get_uint32(1, '<'), 0x04030201);
    assertEqual(file.get_uint64(1, '>') >> 32n, 0x01020304n);
    file.set_double(8, 0.1, '>');
    assertEqual(file.get_double(8, BIG_ENDIAN), 0.1);
    for (const order of ['little', '', null, {}]) {
        for (const use of [() => file.get_uint32(0, order), () => file.set_float(0, 1, order), () => file.get_int64(0, order)])
            assertThrowsType(TypeError, use);
    }
    file.close();
});

test('/gjs/idioms/a-mode-is-a-word-or-a-value', folder => {
    const path = `${folder}/file`;
    Mmio.File.create(path, 8).close();
    assertEqual(Mmio.File.open(path).mode, Mmio.Mode.READ_ONLY);
    assertEqual(Mmio.File.open(path, 'r').mode, Mmio.Mode.READ_ONLY);
    assertEqual(Mmio.File.open(path, 'r+').mode, Mmio.Mode.READ_WRITE);
    assertEqual(Mmio.File.open_location(Gio.File.new_for_path(path), 'c').mode, Mmio.Mode.COPY_ON_WRITE);
    assertEqual(Mmio.File.open(path, Mmio.Mode.READ_WRITE).mode, Mmio.Mode.READ_WRITE);
    for (const mode of ['w', '', null, {}])
        assertThrowsType(TypeError, () => Mmio.File.open(path, mode));
});

test('/gjs/idioms/what-is-no-number-is-nan-whatever-its-bits', folder => {
    const file = Mmio.File.create(`${folder}/file`, 8);
    // Among these are those that the engine keeps pointers in.
    for (let bits = 0xf0; bits <= 0xff; bits++) {
        for (let more = 0; more < 256; more++) {
            file.write(0, new Uint8Array([more, more, more, more, more, more, bits, 0xff]));
            const kept = [file.get_double(0, Gio.DataStreamByteOrder.LITTLE_ENDIAN), file.get_float(4, Gio.DataStreamByteOrder.LITTLE_ENDIAN)];
            assertEqual(kept.map(value => String(value).replace('-Infinity', 'NaN')).filter(text => text !== 'NaN').length, 0);
        }
    }
    file.close();
});

test('/gjs/idioms/numbers-of-64-bits-are-not-rounded', folder => {
    const {BIG_ENDIAN, LITTLE_ENDIAN} = Gio.DataStreamByteOrder;
    const file = Mmio.File.create(`${folder}/file`, 32);
    for (const value of [0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
        for (const order of [BIG_ENDIAN, LITTLE_ENDIAN, undefined]) {
            file.set_uint64(3, value, order);
            assertEqual(file.get_uint64(3, order), value);
        }
    }
    file.set_uint64(0, 1, BIG_ENDIAN);
    assertEqual(file.get_uint64(0, LITTLE_ENDIAN), 2n ** 56n);
    file.set_int64(8, -(2n ** 63n));
    assertEqual(file.get_int64(8), -(2n ** 63n));
    assertThrowsType(RangeError, () => file.set_uint64(0, -1));
    assertThrowsType(RangeError, () => file.set_int64(0, 2n ** 63n));
    assertThrows(Mmio.Error, Mmio.Error.OUT_OF_BOUNDS, () => file.get_uint64(25));
    file.close();
});

test('/gjs/idioms/using-closes-the-file', async folder => {
    const path = make(folder, 'abc');
    let file = Mmio.File.open(path);
    assertEqual(file.using(f => text(f.read())), 'abc');
    assert(file.is_closed());

    file = Mmio.File.open(path);
    assertThrowsType(RangeError, () => file.using(() => {
        throw new RangeError();
    }));
    assert(file.is_closed());

    file = Mmio.File.open(path);
    assertEqual(text(await file.using(f => f.read_async(1))), 'bc');
    assert(file.is_closed());
});

test('/gjs/idioms/every-call-can-be-awaited', async folder => {
    const path = `${folder}/file`;
    let file = await Mmio.File.create_async(path, 10);
    assert(await file.write_async(2, 'hello'));
    assertEqual(text(await file.read_async(2, 5)), 'hello');
    assertEqual((await file.read_async()).length, 10);
    assertEqual(await file.find_async('l'), 4);
    assertEqual(await file.find_async('l', 0, 10, false), 5);
    await file.fill_async(7, 2, '!'.charCodeAt(0));
    await file.move_async(0, 2, 5);
    assertEqual(text(file.read(0, 9)), 'hellolo!!');
    await file.resize_async(20);
    await file.lock_memory_async(0, 1);
    await file.flush_async();
    await file.flush_range_async(0, 20, null);
    await file.prefetch_async(0, 20);
    await file.reload_async();
    await file.close_async();
    assert(file.is_closed());
    for (const opening of [Mmio.File.open_async(path), Mmio.File.open_async(path, Mmio.Mode.READ_WRITE),
        Mmio.File.open_location_async(Gio.File.new_for_path(path)), Mmio.File.open_or_create_async(path, 1)]) {
        file = await opening; // eslint-disable-line no-await-in-loop
        assertEqual(file.length, 20);
        file.close();
    }
    file = new Mmio.File({path, mode: Mmio.Mode.READ_WRITE});
    assert(await file.init_async());
    assertEqual(file.length, 20);
    file.close();
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND, new Mmio.File({path: `${folder}/none`}).init_async());
});

test('/gjs/idioms/no-call-is-left-out', () => {
    let count = 0;
    for (const Class of [Mmio.File, Mmio.AtomicU32, Mmio.AtomicU64]) {
        const names = [Class, Class.prototype].flatMap(target => Object.getOwnPropertyNames(target));
        for (const name of names.filter(name => name.endsWith('_finish')).map(name => name.replace('_finish', '_async'))) {
            const start = Class.prototype[name] ?? Class[name];
            assert(!String(start).includes('native symbol'), `${name} gives no promise`);
            count++;
        }
    }
    assert(count >= 19, `${count} calls`);
});

test('/gjs/idioms/errors-reject-the-promise', async folder => {
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND, Mmio.File.open_async(`${folder}/none`));
    const file = Mmio.File.open(make(folder, 'abc'), Mmio.Mode.READ_WRITE);
    await assertRejects(Mmio.Error, Mmio.Error.OUT_OF_BOUNDS, file.read_async(2, 2));
    const cancellable = new Gio.Cancellable();
    cancellable.cancel();
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, file.flush_async(cancellable));
    await file.close_async();
    await assertRejects(Mmio.Error, Mmio.Error.CLOSED, file.flush_async());
});

test('/gjs/idioms/with-a-callback-it-is-as-in-gio', async folder => {
    const file = Mmio.File.open(make(folder, 'abc'));
    const result = await new Promise(resolve => file.read_async(1, 2, null, (_source, res) => resolve(res)));
    assertEqual(text(file.read_finish(result)), 'bc');
    file.close();
});

test('/gjs/idioms/the-next-signal-can-be-awaited', async folder => {
    const file = Mmio.File.open(make(folder, 'abc'));
    const timeout = new Gio.Cancellable();
    const timer = GLib.timeout_add(GLib.PRIORITY_DEFAULT, 60000, () => {
        timeout.cancel();
        return GLib.SOURCE_REMOVE;
    });
    file.watch();
    let next = file.next('changed', timeout);
    spawn(folder, 'printf de >> file');
    assertEqual(await next, [3, 2]);
    next = file.next('removed', timeout);
    spawn(folder, 'rm file');
    assertEqual(await next, []);

    const cancellable = new Gio.Cancellable();
    next = file.next('replaced', cancellable);
    cancellable.cancel();
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, next);
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, file.next('replaced', cancellable));
    GLib.source_remove(timer);

    // A file that is closed says nothing any more.
    const waits = [file.next('changed'), file.next('changed', new Gio.Cancellable()), file.next('removed')];
    file.close();
    for (const wait of [...waits, file.next('changed')])
        await assertRejects(Mmio.Error, Mmio.Error.CLOSED, wait); // eslint-disable-line no-await-in-loop
    const other = Mmio.File.open(make(folder, 'abc'));
    next = other.next('changed');
    await other.close_async();
    await assertRejects(Mmio.Error, Mmio.Error.CLOSED, next);
});

// Rejects when it has not come in time.
function within(promise, milliseconds = 10000) {
    return new Promise((resolve, reject) => {
        const timer = GLib.timeout_add(GLib.PRIORITY_DEFAULT, milliseconds, () => {
            reject(new Error('it did not come in time'));
            return GLib.SOURCE_REMOVE;
        });
        promise.then(resolve, reject).finally(() => GLib.source_remove(timer));
    });
}

test('/gjs/idioms/who-awaits-a-signal-watches', async folder => {
    const file = Mmio.File.open(make(folder, 'abc'));
    let next = file.next('changed');
    assert(file.watching);
    spawn(folder, 'printf de >> file');
    assertEqual(await within(next), [3, 2]);
    // One file in the place of another is told once.
    next = file.next('replaced');
    spawn(folder, 'echo > other; mv other file');
    await within(next);
    assert(file.watching);
    next = file.next('replaced');
    spawn(folder, 'echo more > other; mv other file');
    await within(next);
    file.unwatch();

    // A flag of the program's own stays.
    file.watch(Mmio.WatchFlags.RELOAD);
    next = file.next('changed');
    await within(next);
    assertEqual(text(file.read()), 'more\n');
    file.close();
    // Faults need no watch.
    const other = Mmio.File.open(make(folder, 'abc'));
    next = other.next('fault');
    assert(!other.watching);
    other.close();
    await assertRejects(Mmio.Error, Mmio.Error.CLOSED, next);
    // What can't be watched is an error: this is open for writing here.
    const writable = Mmio.File.open(make(folder, 'abc'), 'r+');
    await assertRejects(Mmio.Error, Mmio.Error.NOT_SUPPORTED, writable.next('about-to-change'));
    assert(!writable.watching);
    writable.close();
});

// Nothing but the function that goes on then leads to the file.
test('/gjs/idioms/what-is-awaited-is-not-collected', async folder => {
    const path = make(folder, 'abc');
    const follow = async () => {
        const file = Mmio.File.open(path);
        const came = await file.next('changed');
        file.close();
        return came;
    };
    const iterate = async () => {
        for await (const event of Mmio.File.open(path).events())
            return event;
        return null;
    };
    const waits = [follow(), iterate()];
    for (let i = 0; i < 5; i++) {
        System.gc();
        // Finalising takes a turn of the main loop.
        await new Promise(resolve => GLib.idle_add(GLib.PRIORITY_LOW, () => { // eslint-disable-line no-await-in-loop
            resolve();
            return GLib.SOURCE_REMOVE;
        }));
    }
    spawn(folder, 'printf de >> file');
    assertEqual(await within(Promise.all(waits)), [[3, 2], ['changed', 3, 2]]);
});

test('/gjs/idioms/events-can-be-iterated', async folder => {
    const path = make(folder, 'abc');
    const file = Mmio.File.open(path);
    const steps = [['printf de >> file', 'changed'], ['chmod 600 file', 'metadata'], ['rm file', 'removed'],
        ['echo > other; mv other file', 'replaced']];
    const iterate = async () => {
        const came = [];
        const events = file.events();
        assert(!file.watching);
        let next = events.next();
        assert(file.watching);
        for (const [command, name] of steps) {
            spawn(folder, command);
            while (came.at(-1)?.[0] !== name) {
                came.push((await next).value); // eslint-disable-line no-await-in-loop
                next = events.next();
            }
        }
        assertEqual(came[0], ['changed', 3, 2]);
        await events.return();
        assertEqual((await next).done, true);
        assertEqual((await events.next()).done, true);
    };
    await within(iterate());
    assert(!file.watching);

    // All that happens meanwhile comes, in order; break ends the watch.
    const names = [];
    file.reload();
    const busy = async () => {
        for await (const [name] of file.events()) {
            if (names.length === 0) {
                spawn(folder, 'printf more >> file; rm file');
                await within(file.next('removed'));
            }
            names.push(name);
            if (name === 'removed')
                break;
        }
    };
    const done = busy();
    assert(file.watching);
    spawn(folder, 'chmod 640 file');
    await within(done);
    assertEqual(names[0], 'metadata');
    assertEqual(names.at(-1), 'removed');
    assert(!file.watching);
    file.close();
});

test('/gjs/idioms/an-iteration-ends-the-watch-that-it-began', async folder => {
    const path = make(folder, 'abc');
    const file = Mmio.File.open(path);

    // Two share it; the last one ends it.
    const [first, second] = [file.events(), file.events(Mmio.WatchFlags.LOCATE)];
    const waits = [first.next(), second.next()];
    spawn(folder, 'printf x | dd of=file bs=1 seek=1 conv=notrunc 2> /dev/null');
    for (const wait of waits)
        assertEqual((await within(wait)).value, ['changed', 1, 1]); // eslint-disable-line no-await-in-loop
    await first.return();
    assert(file.watching);
    await second.return();
    assert(!file.watching);

    // The program's own stays.
    file.watch();
    const third = file.events();
    let next = third.next();
    await third.return();
    assertEqual((await next).done, true);
    assert(file.watching);

    // Also when the program watches in the middle, and what unwatch () ends is over.
    file.unwatch();
    const fourth = file.events();
    next = fourth.next();
    file.watch();
    await fourth.return();
    assert(file.watching);
    const fifth = file.events();
    next = fifth.next();
    file.unwatch();
    assertEqual((await within(next)).done, true);
    assertEqual((await fifth.next()).done, true);

    // What the loop throws ends it too.
    const thrown = new Error('thrown');
    const fail = async () => {
        for await (const event of file.events())
            throw Object.assign(thrown, {event});
    };
    const failing = fail();
    assert(file.watching);
    spawn(folder, 'printf de >> file');
    let caught = null;
    try {
        await within(failing);
    } catch (error) {
        caught = error;
    }
    assert(caught === thrown);
    assertEqual(caught.event, ['changed', 3, 2]);
    assert(!file.watching);
    file.close();
});

test('/gjs/idioms/what-ends-an-iteration', async folder => {
    // Closing ends it, a cancellable and what can't be watched are errors.
    for (const close of ['close', 'close_async']) {
        const file = Mmio.File.open(make(folder, 'abc'));
        const next = file.events().next();
        file[close]();
        assertEqual((await within(next)).done, true); // eslint-disable-line no-await-in-loop
    }
    const file = Mmio.File.open(make(folder, 'abc'));
    const cancellable = new Gio.Cancellable();
    const events = file.events(Mmio.WatchFlags.NONE, cancellable);
    const waits = [events.next(), events.next()];
    cancellable.cancel();
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, waits[0]);
    assertEqual((await waits[1]).done, true);
    assert(!file.watching);
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, file.events(Mmio.WatchFlags.NONE, cancellable).next());
    assertThrowsType(TypeError, () => file.events('LOCATE'));

    file.close();
    const none = file.events();
    await assertRejects(Mmio.Error, Mmio.Error.CLOSED, none.next());
    assertEqual((await none.next()).done, true);
    // One that never began has nothing to end.
    assertEqual((await file.events().return('value')).value, 'value');
});

test('/gjs/idioms/atomics-of-32-bits', async folder => {
    const file = Mmio.File.create(`${folder}/file`, 16);
    const atomic = file.get_atomic_u32(4, 2);
    assertEqual(atomic.length, 2);
    assertEqual(atomic.add(1, 5), 0);
    assertEqual(atomic.sub(1, 1), 5);
    assertEqual(atomic.or(1, 3), 4);
    assertEqual(atomic.and(1, 6), 7);
    assertEqual(atomic.xor(1, 1), 6);
    assertEqual(atomic.exchange(1, 9), 7);
    assertEqual(atomic.compare_exchange(1, 8, 1), [false, 9]);
    assertEqual(atomic.compare_exchange(1, 9, 1), [true, 9]);
    assertEqual(atomic.load(1), 1);
    assert(!atomic.compare_and_store(1, 2, 3));
    assert(atomic.compare_and_store(1, 1, 4));
    assertEqual(atomic.load(1), 4);
    atomic.store(0, 2 ** 32 - 1);
    assertEqual(atomic.load(0), 2 ** 32 - 1);
    assertEqual(atomic.wake(0), 0);
    assert(atomic.wait(0, 7, 1));
    assertThrows(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, () => atomic.wait(0, 2 ** 32 - 1, 1));
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, atomic.wait_async(0, 2 ** 32 - 1, 1));
    const woken = atomic.wait_async(0, 2 ** 32 - 1, 60000);
    atomic.store(0, 1);
    atomic.wake(0);
    assert(await woken);
    for (const index of [2, -1, NaN])
        assertThrowsType(RangeError, () => atomic.load(index));
    atomic.release();
    assertThrowsType(RangeError, () => atomic.load(0));
    file.close();
});

test('/gjs/idioms/atomics-of-64-bits-are-exact', folder => {
    const file = Mmio.File.create(`${folder}/file`, 16);
    const atomic = file.get_atomic_u64(8);
    assertEqual(atomic.add(0, 5), 0n);
    assertEqual(atomic.sub(0, 6n), 5n);
    assertEqual(atomic.load(0), 2n ** 64n - 1n);
    atomic.store(0, 2n ** 53n - 3n);
    assertEqual(atomic.or(0, 2), 2n ** 53n - 3n);
    assertEqual(atomic.exchange(0, 12), 2n ** 53n - 1n);
    assertEqual(atomic.and(0, 6), 12n);
    assertEqual(atomic.xor(0, 5), 4n);
    assertEqual(atomic.compare_exchange(0, 2, 7), [false, 1n]);
    assertEqual(atomic.compare_exchange(0, 1, 7), [true, 1n]);
    assertEqual(file.get_uint64(8), 7n);
    assert(!atomic.compare_and_store(0, 1, 8));
    assert(atomic.compare_and_store(0, 7, -1));
    assertEqual(atomic.load(0), 2n ** 64n - 1n);
    assertThrows(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, () => atomic.wait(0, -1, 1));
    assert(atomic.wait(0, 2n ** 64n - 2n, 1));
    atomic.store(0, 7);
    assertThrowsType(RangeError, () => atomic.add(1, 1));
    file.close();

    const other = Mmio.File.open(`${folder}/file`).get_atomic_u64(8);
    assertEqual(other.load(0), 7n);
    assertThrowsType(TypeError, () => other.add(0, 1));
});

test('/gjs/idioms/atomics-tell-what-is-wrong-with-a-call', folder => {
    const path = make(folder, new Uint8Array(16));
    const file = Mmio.File.open(path, 'r+');
    const says = (message, func) => {
        try {
            func();
        } catch (error) {
            return assertEqual(error.message, `${path}: ${message}`);
        }
        throw new Error('nothing was thrown');
    };
    for (const bits of [32, 64]) {
        const atomic = file[`get_atomic_u${bits}`](8);
        for (const index of [1, -1, 0.5, NaN, undefined, null, '0'])
            says(`load(): index ${index} is out of range: the length is 1`, () => atomic.load(index));
        says('add(): index 1 is out of range: the length is 1', () => atomic.add(1, 1));
        atomic.release();
        says('store(): it was released', () => atomic.store(0, 1));
        const seen = Mmio.File.open(path)[`get_atomic_u${bits}`](0);
        says("is mapped for reading only, so add() can't change it: open it with 'r+'", () => seen.add(0, 1));
        says(`offset 8 + 9 * ${bits / 8} bytes exceeds size 16`, () => file[`get_atomic_u${bits}`](8, 9));
        says(`offset 2 is not a multiple of ${bits / 8}`, () => file[`get_atomic_u${bits}`](2));
    }
    file.close();
});

// Each method of the library that takes whole numbers, so that none is left out, also of those that come.
const gir = `${GLib.getenv('top_builddir') ?? '.'}/Mmio-1.0.gir`;
const missing = '/gjs/idioms/numbers-that-are-left-out-are-no-zeros';
if (!GLib.file_test(gir, GLib.FileTest.EXISTS)) {
    skip(missing, 'the description of the library is only in its build folder');
} else {
    test(missing, async folder => {
        const description = text(GLib.file_get_contents(gir)[1]);
        const file = Mmio.File.create(`${folder}/file`, 16);
        file.fill(0, 16, 1);
        const targets = {
            File: file,
            View: file.get_view(),
            InputStream: Mmio.InputStream.new(file),
            AtomicU32: file.get_atomic_u32(0),
            AtomicU64: file.get_atomic_u64(0),
        };
        const whole = /^(g?u?int(8|16|32|64)?|gs?size)$/;
        // The first argument that has a default
        const optional = {
            read: 0, chunks: 0, get_bytes: 0, get_view: 0, get_writable_view: 0,
            find: 1, find_last: 1, get_atomic_u32: 1, get_atomic_u64: 1, wake: 1, wait: 2,
        };
        const seen = [];
        for (const [, name, members] of description.matchAll(/<(?:class|record) name="(\w+)"(.*?)<\/(?:class|record)>/gs)) {
            for (const [, kind, attributes, body] of members.matchAll(/<(method|constructor|function) ([^>]*)>(.*?)<\/\1>/gs)) {
                const method = attributes.match(/shadows="(\w+)"/)?.[1] ?? attributes.match(/name="(\w+)"/)[1];
                if (/introspectable="0"|shadowed-by=|moved-to=/.test(attributes) || !targets[name])
                    continue;
                const types = [...body.matchAll(/<parameter ([^>]*)>.*?<(?:type|array) ([^>]*)/gs)].filter(
                    ([, parameter, type]) => !/direction="out"/.test(parameter) && !/AsyncReadyCallback|gpointer|Cancellable/.test(type)).map(
                    ([, , type]) => type.match(/name="([\w.]+)"/)?.[1] ?? 'array');
                // Bytes and their length are one argument here.
                const args = types.filter((type, i) => !(type === 'gsize' && types[i - 1] === 'array'));
                const target = kind === 'method' ? targets[name] : Mmio[name];
                for (const [position, type] of args.entries()) {
                    if (!whole.test(type))
                        continue;
                    for (const junk of [undefined, NaN, 0.5, 'x', null]) {
                        // A Gio.Cancellable that stands where something is left out may be null.
                        if (position >= optional[method.replace('_async', '')] && (junk === undefined || junk === null && method.endsWith('_async')))
                            continue;
                        let told = 'nothing';
                        try {
                            const values = args.map((other, i) => i === position ? junk : whole.test(other) ? 0 : 'x');
                            await target[method](...values);
                        } catch (error) {
                            told = error.message;
                        }
                        assert(/ is no whole number: |index .* is out of range/.test(told), `${name}.${method}, ${position} ${String(junk)}: ${told}`);
                    }
                    seen.push(`${name}.${method}`);
                }
            }
        }
        for (const method of ['File.resize', 'File.resize_async', 'File.create', 'File.create_async', 'File.lock_range', 'File.fill_async',
            'View.sub', 'InputStream.read_bytes', 'AtomicU32.store', 'AtomicU64.wait_async'])
            assert(seen.includes(method), method);
        assertEqual(file.read(), new Uint8Array(16).fill(1));
        assertThrowsType(TypeError, () => file.set_float(0, undefined));
        assertThrowsType(TypeError, () => file.advise(0, 1));
        // What stands for a number is one.
        for (const one of [1n, new Number(1), {valueOf: () => 1}]) {
            assertEqual(file.get_uint16(one), 0x0101);
            assertEqual(file.read(one, one), new Uint8Array([1]));
            assertEqual(await file.read_async(one, one), new Uint8Array([1]));
            assertEqual(file.get_atomic_u64(0, one).load(0), 0x0101010101010101n);
            assertEqual(file.get_atomic_u32(0, 2).load(one), 0x01010101);
        }
        assertEqual(file.get_uint8(-0), 1);
        targets.View.release();
        file.close();
    });
}

test('/gjs/idioms/atomics-stay-with-the-memory-that-they-are-of', folder => {
    const file = Mmio.File.open(make(folder, new Uint8Array(32)), Mmio.Mode.READ_WRITE);
    const atomic = file.get_atomic_u64(8, 2);
    const small = file.get_atomic_u32(0);
    atomic.store(1, 5);
    small.store(0, 6);
    make(folder, new Uint8Array(32).fill(1));
    file.reload();
    assertEqual(atomic.load(1), 5n);
    assertEqual(atomic.add(1, 2), 5n);
    assertEqual(atomic.compare_exchange(1, 7, 8), [true, 7n]);
    assertEqual(small.add(0, 1), 6);
    assertEqual(file.get_uint64(16), 0x0101010101010101n);
    assertEqual(file.get_atomic_u64(16).load(0), 0x0101010101010101n);
    file.close();

    // They are in the way of what would take it, and let go of it.
    const other = Mmio.File.open(`${folder}/file`, Mmio.Mode.READ_WRITE);
    const late = other.get_atomic_u64(8);
    assertThrows(Mmio.Error, Mmio.Error.BUSY, () => other.resize(8));
    late.release();
    late.release();
    other.resize(8);
    assertThrowsType(RangeError, () => late.load(0));
    other.close();
});

// GJS writes a warning where what it is given does not fit into a Number, whether anybody looks at it or not.
test('/gjs/idioms/numbers-above-2-to-the-53-make-no-noise', folder => {
    const script = `${folder}/script.js`;
    GLib.file_set_contents(script, `
        import Mmio from 'gi://Mmio?version=1.0';
        const file = Mmio.File.create(ARGV[0], 16);
        const top = 2n ** 64n - 1n;
        const check = (actual, expected) => {
            if (actual !== expected)
                throw new Error(\`\${actual} is not \${expected}\`);
        };
        file.set_uint64(0, top);
        check(file.get_uint64(0), top);
        file.set_int64(8, -(2n ** 63n));
        check(file.get_int64(8), -(2n ** 63n));
        const atomic = file.get_atomic_u64(0);
        const value = top - 4n, other = 2n ** 63n + 3n;
        const wrap = number => BigInt.asUintN(64, number);
        for (const [name, expected] of Object.entries({add: wrap(value + other), sub: wrap(value - other), and: value & other,
            or: value | other, xor: value ^ other, exchange: other})) {
            atomic.store(0, value);
            check(atomic[name](0, other), value);
            check(atomic.load(0), expected);
            check(atomic.compare_exchange(0, 5, 6)[1], expected);
            check(atomic.compare_exchange(0, expected, value)[1], expected);
            check(atomic.compare_and_store(0, value, expected), true);
        }
        check(atomic.wait(0, top, 1), true);
    `);
    const launcher = new Gio.SubprocessLauncher({flags: Gio.SubprocessFlags.STDERR_PIPE});
    launcher.setenv('G_DEBUG', 'fatal-warnings', true);
    const process = launcher.spawnv([GLib.getenv('GJS') || 'gjs', '-m', script, `${folder}/file`]);
    const [, , complaints] = process.communicate_utf8(null, null);
    assertEqual(complaints, '');
    assert(process.get_successful());
});

run();
