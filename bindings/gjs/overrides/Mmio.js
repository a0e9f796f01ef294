// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Mmio for GJS. What is read is a Uint8Array of its own memory: never an alias of the mapping, where a store by the script would
// be a segmentation fault if the file is mapped for reading, and where the memory could go while the script still looks at it.

const {GLib, GObject, Gio} = imports.gi;

const HOST_IS_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

// What a watched file says. Faults are told without a watch too.
const TOLD_BY_WATCH = ['changed', 'metadata', 'removed', 'replaced', 'settled'];
const EVENTS = [...TOLD_BY_WATCH, 'fault'];

// A copy on every GJS: toArray () gives an alias before 1.81.2.
function bytesToArray(bytes) {
    const array = GLib.Bytes.prototype.toArray.call(bytes);
    return array.length > 0 ? array.slice() : new Uint8Array(0);
}

// Of a Uint8Array, an ArrayBuffer or any view of one, an array of numbers, GLib.Bytes, or a string, in UTF-8.
function toArray(data) {
    if (typeof data === 'string')
        return new TextEncoder().encode(data);
    if (data instanceof Uint8Array)
        return data;
    if (data instanceof GLib.Bytes)
        return bytesToArray(data);
    if (ArrayBuffer.isView(data))
        return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    // A number would be so many zeros, and nothing would be no bytes.
    if (data instanceof ArrayBuffer || Array.isArray(data))
        return new Uint8Array(data);
    throw new TypeError(`not bytes, an array of them or text: ${data}`);
}

function toBytes(data) {
    return data instanceof GLib.Bytes ? data : new GLib.Bytes(toArray(data));
}

// The memory itself, to be handed to other libraries. The script sees a copy of it.
function guardBytes(bytes) {
    bytes.toArray = () => bytesToArray(bytes);
    return bytes;
}

// A value of an enumeration, or one of the words for some of them. GJS would take any other text for the first value.
function toValue(words, value, what) {
    if (typeof value === 'number')
        return value;
    if (typeof value === 'string' && words.has(value))
        return words.get(value);
    throw new TypeError(`no ${what}: ${value}; ${[...words.keys()].map(word => `'${word}'`).join(', ')} are, and the enumeration's values`);
}

function isCallback(args) {
    return typeof args[args.length - 1] === 'function' || typeof args[args.length - 2] === 'function';
}

// NAME_async: with a callback as GIO has it, else a promise. complete turns what the script gave, which may leave out what has
// a default and may end with a Gio.Cancellable, into the library's arguments.
function promisify(target, name, complete = () => []) {
    const start = target[`${name}_async`];
    const finish = target[`${name}_finish`];
    if (!start)
        return;

    target[`${name}_async`] = function (...args) {
        if (isCallback(args))
            return start.apply(this, args);

        let cancellable = null;
        const last = args[args.length - 1];
        if (args.length > 0 && (last === null || last instanceof Gio.Cancellable))
            cancellable = args.pop();
        return new Promise((resolve, reject) => {
            start.call(this, ...complete.apply(this, args), cancellable, (_source, result) => {
                try {
                    resolve(finish.call(this, result));
                } catch (error) {
                    reject(error);
                }
            });
        });
    };
}

function extendFile(Mmio) {
    const File = Mmio.File.prototype;
    const {HOST_ENDIAN, LITTLE_ENDIAN, BIG_ENDIAN} = Gio.DataStreamByteOrder;
    const orders = new Map([['<', LITTLE_ENDIAN], ['>', BIG_ENDIAN], ['=', HOST_ENDIAN]]);
    const toOrder = order => toValue(orders, order, 'order of bytes');
    const isLittle = order => toOrder(order) === LITTLE_ENDIAN || toOrder(order) === HOST_ENDIAN && HOST_IS_LITTLE;
    const {READ_ONLY, READ_WRITE, COPY_ON_WRITE} = Mmio.Mode;
    const modes = new Map([['r', READ_ONLY], ['r+', READ_WRITE], ['c', COPY_ON_WRITE]]);
    const toMode = mode => toValue(modes, mode, 'mode');

    // Opening: to read, unless it says otherwise.
    const {open, open_location: openLocation, create, new_for_fd: newForFd} = Mmio.File;
    Mmio.File.open = (path, mode = READ_ONLY) => open.call(Mmio.File, path, toMode(mode));
    Mmio.File.open_location = (location, mode = READ_ONLY, cancellable = null) =>
        openLocation.call(Mmio.File, location, toMode(mode), cancellable);
    Mmio.File.new_for_fd = (fd, mode = READ_ONLY) => newForFd.call(Mmio.File, fd, toMode(mode));
    Mmio.File.create = (path, size, flags = Mmio.CreateFlags.NONE) => create.call(Mmio.File, path, size, flags);

    Object.defineProperty(File, 'length', {
        configurable: true,
        get() {
            return this.get_size();
        },
    });

    // Calls back with the file, closes it whatever happens, and gives back what came: also of an async function.
    File.using = function (callback) {
        let result;
        try {
            result = callback(this);
        } catch (error) {
            this.close();
            throw error;
        }
        if (typeof result?.then === 'function')
            return Promise.resolve(result).finally(() => this.close());
        this.close();
        return result;
    };

    // Bytes

    const {read, read_finish: readFinish, write_bytes: writeBytes} = File;
    const rest = (file, offset) => Math.max(file.get_size() - Number(offset), 0);

    File.read = function (offset = 0, count = rest(this, offset)) {
        return bytesToArray(read.call(this, offset, count));
    };
    File.read_finish = function (result) {
        return bytesToArray(readFinish.call(this, result));
    };
    File.write = function (offset, data) {
        return writeBytes.call(this, offset, toBytes(data));
    };

    // As Array.prototype.at: undefined outside.
    const getUint8 = File.get_uint8;
    File.at = function (index) {
        const size = this.get_size();
        const position = Math.trunc(index) || 0;
        const offset = position < 0 ? position + size : position;
        if ((offset < 0 || offset >= size) && !this.is_closed())
            return undefined;
        return getUint8.call(this, Math.max(offset, 0));
    };

    const {find, find_last: findLast} = File;
    File.find = function (pattern, from = 0, to = this.get_size()) {
        return find.call(this, toArray(pattern), from, to);
    };
    File.find_last = function (pattern, from = 0, to = this.get_size()) {
        return findLast.call(this, toArray(pattern), from, to);
    };

    // Numbers: the host's byte order, unless it is given. Those of 64 bits are BigInt, since a Number holds 53.

    for (const kind of ['uint16', 'int16', 'uint32', 'int32']) {
        const get = File[`get_${kind}`];
        const set = File[`set_${kind}`];
        File[`get_${kind}`] = function (offset, order = HOST_ENDIAN) {
            return get.call(this, offset, toOrder(order));
        };
        File[`set_${kind}`] = function (offset, value, order = HOST_ENDIAN) {
            return set.call(this, offset, value, toOrder(order));
        };
    }
    // A NaN with bits of its own, which any bytes may be, is no value to the engine and brings it down: DataView makes it the one it knows.
    for (const [kind, method, size] of [['float', 'getFloat32', 4], ['double', 'getFloat64', 8]]) {
        const set = File[`set_${kind}`];
        File[`get_${kind}`] = function (offset, order = HOST_ENDIAN) {
            return new DataView(this.read(offset, size).buffer)[method](0, isLittle(order));
        };
        File[`set_${kind}`] = function (offset, value, order = HOST_ENDIAN) {
            // GJS would store a NaN for what is no number.
            if (typeof value !== 'number')
                throw new TypeError(`set_${kind}(): no number: ${String(value)}`);
            return set.call(this, offset, value, toOrder(order));
        };
    }
    for (const [kind, method, wrap] of [['uint64', 'getBigUint64', BigInt.asUintN], ['int64', 'getBigInt64', BigInt.asIntN]]) {
        const set = File[`set_${kind}`];
        File[`get_${kind}`] = function (offset, order = HOST_ENDIAN) {
            return new DataView(this.read(offset, 8).buffer)[method](0, isLittle(order));
        };
        File[`set_${kind}`] = function (offset, value, order = HOST_ENDIAN) {
            const number = BigInt(value);
            if (wrap(64, number) !== number)
                throw new RangeError(`${number} is no ${kind}`);
            return set.call(this, offset, number, toOrder(order));
        };
    }

    // Chunks, each a copy: the last one shorter, of a page with 0.

    const chunks = File.chunks;
    File.chunks = function* (chunkSize = 0) {
        const iter = chunks.call(this, chunkSize);
        for (let view = iter.next_view(); view !== null; view = iter.next_view()) {
            const array = view.get_data();
            // Zeros of a file that was truncated under it are not handed out.
            view.check();
            view.release();
            yield array;
        }
    };
    File[Symbol.iterator] = function () {
        return this.chunks();
    };

    // For other libraries

    const {get_bytes: getBytes} = File;
    File.get_bytes = function (offset = 0, length = rest(this, offset)) {
        return guardBytes(getBytes.call(this, offset, length));
    };

    const {get_view: getView, get_writable_view: getWritableView} = File;
    File.get_view = function (offset = 0, length = rest(this, offset)) {
        return getView.call(this, offset, length);
    };
    File.get_writable_view = function (offset = 0, length = rest(this, offset)) {
        return getWritableView.call(this, offset, length);
    };

    const {lock_range: lockRange, try_lock_range: tryLockRange} = File;
    File.lock_range = function (offset, length, exclusive = true, cancellable = null) {
        return lockRange.call(this, offset, length, exclusive, cancellable);
    };
    File.try_lock_range = function (offset, length, exclusive = true) {
        return tryLockRange.call(this, offset, length, exclusive);
    };

    // What is known of a file's watch: {flags, nIterations, isTheirs}, the last of one that only iterations of events () have asked for.
    const watches = new WeakMap();
    const watchOf = file => {
        if (!watches.has(file))
            watches.set(file, {flags: Mmio.WatchFlags.NONE, nIterations: 0, isTheirs: false});
        return watches.get(file);
    };
    const {watch, unwatch} = File;
    File.watch = function (flags = Mmio.WatchFlags.NONE, cancellable = null) {
        const success = watch.call(this, flags, cancellable);
        Object.assign(watchOf(this), {flags, isTheirs: false});
        return success;
    };
    // Watches the file with at least these flags. One that is watched with them already goes on being watched as it is.
    const ensureWatch = (file, flags) => {
        const known = watchOf(file);
        const wanted = file.watching ? known.flags | flags : flags;
        if (file.watching && wanted === known.flags)
            return;
        const isTheirs = !file.watching || known.isTheirs;
        watch.call(file, wanted, null);
        Object.assign(known, {flags: wanted, isTheirs});
    };
    const beginIteration = (file, flags) => {
        ensureWatch(file, flags);
        watchOf(file).nIterations++;
    };
    const endIteration = file => {
        const known = watchOf(file);
        if (--known.nIterations > 0 || !known.isTheirs)
            return;
        known.isTheirs = false;
        unwatch.call(file);
    };

    // What somebody awaits. Nothing else may lead to a file that is awaited, and to the function that goes on then: they would be
    // collected, and the program stand still.
    const awaited = new Set();

    // What happens to the file, for "for await": ['changed', offset, length], ['removed'], …
    File.events = function (flags = Mmio.WatchFlags.NONE, cancellable = null) {
        const file = this;
        const queue = [];
        const waiting = [];
        let handlers = null;
        let cancelled = 0;
        let isEnded = false;
        let failure = null;

        const onEvent = event => {
            if (waiting.length === 0)
                queue.push(event);
            else
                waiting.shift().resolve({value: event, done: false});
            if (waiting.length === 0)
                awaited.delete(iterator);
        };
        // What has come before is still given, but after a failure.
        const end = (error = null) => {
            if (isEnded)
                return;
            isEnded = true;
            if (error !== null)
                queue.length = 0;
            if (handlers !== null) {
                handlers.forEach(handler => file.disconnect(handler));
                if (cancelled)
                    GObject.signal_handler_disconnect(cancellable, cancelled);
                endIteration(file);
            }
            awaited.delete(iterator);
            if (error !== null && waiting.length > 0)
                waiting.shift().reject(error);
            else
                failure = error;
            for (const {resolve} of waiting.splice(0))
                resolve({value: undefined, done: true});
        };
        const cancel = () => end(new GLib.Error(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, 'the iteration of events was cancelled'));
        const begin = () => {
            if (cancellable?.is_cancelled()) {
                cancel();
                return;
            }
            try {
                beginIteration(file, flags);
            } catch (error) {
                end(error);
                return;
            }
            handlers = EVENTS.map(signal => file.connect(signal, (_file, ...args) => onEvent([signal, ...args])));
            // Also by close ()
            handlers.push(file.connect('notify::watching', () => file.watching || end()));
            if (cancellable !== null)
                cancelled = GObject.signal_connect(cancellable, 'cancelled', cancel);
        };

        const iterator = {
            next() {
                if (handlers === null && !isEnded)
                    begin();
                if (queue.length > 0)
                    return Promise.resolve({value: queue.shift(), done: false});
                if (failure !== null) {
                    const error = failure;
                    failure = null;
                    return Promise.reject(error);
                }
                if (isEnded)
                    return Promise.resolve({value: undefined, done: true});
                awaited.add(iterator);
                return new Promise((resolve, reject) => waiting.push({resolve, reject}));
            },
            return(value) {
                queue.length = 0;
                end();
                return Promise.resolve({value, done: true});
            },
            throw(error) {
                queue.length = 0;
                end();
                return Promise.reject(error);
            },
            [Symbol.asyncIterator]() {
                return this;
            },
        };
        if (Symbol.asyncDispose)
            iterator[Symbol.asyncDispose] = iterator.return;
        return iterator;
    };

    // Who waits for a signal of a file. A closed one has none any more.
    const waiting = new WeakMap();
    const endWaits = file => {
        for (const end of waiting.get(file) ?? [])
            end(new GLib.Error(Mmio.error_quark(), Mmio.Error.CLOSED, 'the file was closed'));
    };
    const {close, close_finish: closeFinish} = File;
    File.close = function () {
        try {
            return close.call(this);
        } finally {
            if (this.is_closed())
                endWaits(this);
        }
    };
    File.close_finish = function (result) {
        try {
            return closeFinish.call(this, result);
        } finally {
            endWaits(this);
        }
    };
    if (Symbol.dispose)
        File[Symbol.dispose] = File.close;

    // The arguments of the signal's next emission: const [offset, length] = await file.next ('changed'). Watches the file if it isn't
    // watched. Not only until then: the next call would be told once more what this one was.
    const flagsFor = new Map(TOLD_BY_WATCH.map(signal => [signal, Mmio.WatchFlags.NONE]));
    flagsFor.set('about-to-change', Mmio.WatchFlags.LEASE);
    File.next = function (signal, cancellable = null) {
        return new Promise((resolve, reject) => {
            const ends = waiting.get(this) ?? new Set();
            let cancelled = 0;
            const stop = () => {
                ends.delete(end);
                awaited.delete(end);
                this.disconnect(handler);
                if (cancelled)
                    GObject.signal_handler_disconnect(cancellable, cancelled);
            };
            const end = error => {
                stop();
                reject(error);
            };
            const cancel = () => end(new GLib.Error(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, `the wait for ${signal} was cancelled`));
            const handler = this.connect(signal, (_file, ...args) => {
                stop();
                resolve(args);
            });
            waiting.set(this, ends.add(end));
            awaited.add(end);
            if (this.is_closed()) {
                endWaits(this);
                return;
            }
            if (cancellable?.is_cancelled()) {
                cancel();
                return;
            }
            if (cancellable)
                // Its own connect () is g_cancellable_connect (), from whose callback there is no disconnecting.
                cancelled = GObject.signal_connect(cancellable, 'cancelled', cancel);
            if (flagsFor.has(signal) && !this.watching) {
                try {
                    this.watch(flagsFor.get(signal));
                } catch (error) {
                    end(error);
                }
            }
        });
    };

    // Without blocking

    promisify(Mmio.File, 'open', (path, mode = READ_ONLY) => [path, toMode(mode)]);
    promisify(Mmio.File, 'open_location', (location, mode = READ_ONLY) => [location, toMode(mode)]);
    promisify(Mmio.File, 'create', (path, size, flags = Mmio.CreateFlags.NONE) => [path, size, flags]);
    promisify(Mmio.File, 'open_or_create', (path, size) => [path, size]);
    promisify(File, 'init', (priority = GLib.PRIORITY_DEFAULT) => [priority]);
    promisify(File, 'read', function (offset = 0, count = rest(this, offset)) {
        return [offset, count];
    });
    promisify(File, 'write', (offset, data) => [offset, toBytes(data)]);
    promisify(File, 'find', function (pattern, from = 0, to = this.get_size(), forwards = true) {
        return [toBytes(pattern), from, to, forwards];
    });
    promisify(File, 'fill', (offset, length, byte) => [offset, length, byte]);
    promisify(File, 'move', (to, from, length) => [to, from, length]);
    promisify(File, 'resize', size => [size]);
    promisify(File, 'reload');
    promisify(File, 'flush');
    promisify(File, 'flush_range', (offset, length) => [offset, length]);
    promisify(File, 'prefetch', (offset, length) => [offset, length]);
    promisify(File, 'lock_memory', (offset, length) => [offset, length]);
    promisify(File, 'lock_range', (offset, length, exclusive = true) => [offset, length, exclusive]);
    promisify(File, 'close');
}

function extendView(Mmio) {
    const View = Mmio.View.prototype;
    const {get_bytes: getBytes} = View;

    View.get_bytes = function () {
        return guardBytes(getBytes.call(this));
    };
    // A copy.
    View.get_data = function () {
        return bytesToArray(getBytes.call(this));
    };
    Object.defineProperty(View, 'length', {
        configurable: true,
        get() {
            return this.get_length();
        },
    });
    if (Symbol.dispose)
        View[Symbol.dispose] = View.release;
}

function extendStreams(Mmio) {
    const Input = Mmio.InputStream.prototype;
    const {read_bytes: readBytes} = Input;

    Input.read_bytes = function (count, cancellable = null) {
        return guardBytes(readBytes.call(this, count, cancellable));
    };
}

// Also of an object that stands for a number, as a Number does, which GJS asks for it.
function isWhole(value) {
    const number = typeof value === 'object' && value !== null ? value.valueOf?.() : value;
    return Number.isInteger(number) || typeof number === 'bigint';
}

// What messages about an atomic say: WeakMap of {name, length}.
const origins = new WeakMap();

function nameOrigin(atomic, file, length) {
    origins.set(atomic, {name: file.get_path() ?? 'a file without a name', length});
    return atomic;
}

// An index that is none, or a change where the file is mapped for reading, is the script's mistake: thrown, not logged.
function checkAtomic(atomic, method, index, changes) {
    const length = atomic.get_length();
    if (typeof index === 'number' && index >>> 0 === index && index < length && (!changes || atomic.is_writable()))
        return;

    const {name, length: made} = origins.get(atomic);
    if (length < made)
        throw new RangeError(`${name}: ${method}(): it was released`);
    if (!(isWhole(index) && index >= 0 && index < length))
        throw new RangeError(`${name}: ${method}(): index ${String(index)} is out of range: the length is ${length}`);
    if (changes && !atomic.is_writable())
        throw new TypeError(`${name}: is mapped for reading only, so ${method}() can't change it: open it with 'r+'`);
}

function extendAtomics(Mmio) {
    for (const Class of [Mmio.AtomicU32, Mmio.AtomicU64]) {
        const Atomic = Class.prototype;
        const wrap = Class === Mmio.AtomicU64 ? value => BigInt.asUintN(64, BigInt(value)) : value => value;

        Object.defineProperty(Atomic, 'length', {
            configurable: true,
            get() {
                return this.get_length();
            },
        });
        if (Symbol.dispose)
            Atomic[Symbol.dispose] = Atomic.release;
        promisify(Atomic, 'wait', (index, expected, timeout = -1) => [index, expected, timeout]);

        const {wait, wake, wait_async: waitAsync} = Atomic;
        Atomic.wait = function (index, expected, timeout = -1, cancellable = null) {
            checkAtomic(this, 'wait', index, false);
            return wait.call(this, index, wrap(expected), timeout, cancellable);
        };
        Atomic.wait_async = function (index, expected, ...args) {
            checkAtomic(this, 'wait_async', index, false);
            return waitAsync.call(this, index, wrap(expected), ...args);
        };
        Atomic.wake = function (index, n = 1) {
            checkAtomic(this, 'wake', index, false);
            return wake.call(this, index, n);
        };
    }

    const U32 = Mmio.AtomicU32.prototype;
    for (const name of ['load', 'store', 'exchange', 'add', 'sub', 'and', 'or', 'xor', 'compare_exchange', 'compare_and_store']) {
        const original = U32[name];
        U32[name] = function (index, ...args) {
            checkAtomic(this, name, index, name !== 'load');
            return original.call(this, index, ...args);
        };
    }

    // BigInt in and out. GJS rounds what the library returns to 53 bits and writes a warning, so nothing of 64 bits is taken from there:
    // what is seen is read through a view of the same memory, what is done is done by compare_and_store, which says whether that was
    // still there. Not read from the file: that may be another one since reload (), and the atomic stays with its own.
    const views = new WeakMap();
    const {get_atomic_u64: getAtomic} = Mmio.File.prototype;
    Mmio.File.prototype.get_atomic_u64 = function (offset, nElements = 1) {
        const atomic = getAtomic.call(this, offset, nElements);
        views.set(atomic, this.get_view(offset, 8 * Number(nElements)));
        return nameOrigin(atomic, this, nElements);
    };
    const {get_atomic_u32: getAtomic32} = Mmio.File.prototype;
    Mmio.File.prototype.get_atomic_u32 = function (offset, nElements = 1) {
        return nameOrigin(getAtomic32.call(this, offset, nElements), this, nElements);
    };

    const U64 = Mmio.AtomicU64.prototype;
    const {store, compare_and_store: replace} = U64;
    const update = (atomic, method, index, change) => {
        checkAtomic(atomic, method, index, true);
        for (;;) {
            const value = atomic.load(index);
            if (replace.call(atomic, index, value, BigInt.asUintN(64, change(value))))
                return value;
        }
    };

    const see = (atomic, index) => {
        const view = views.get(atomic).sub(8 * Number(index), 8);
        const value = new DataView(view.get_data().buffer).getBigUint64(0, HOST_IS_LITTLE);
        view.release();
        return value;
    };
    U64.load = function (index) {
        checkAtomic(this, 'load', index, false);
        // The engine may copy it in pieces: what it sees twice is whole.
        let value = see(this, index);
        for (let again = see(this, index); again !== value; again = see(this, index))
            value = again;
        return value;
    };
    const {release} = U64;
    U64.release = function () {
        views.get(this).release();
        release.call(this);
    };
    if (Symbol.dispose)
        U64[Symbol.dispose] = U64.release;
    U64.store = function (index, value) {
        checkAtomic(this, 'store', index, true);
        store.call(this, index, BigInt.asUintN(64, BigInt(value)));
    };
    U64.compare_exchange = function (index, expected, desired) {
        checkAtomic(this, 'compare_exchange', index, true);
        const wanted = BigInt.asUintN(64, BigInt(expected));
        for (;;) {
            const value = this.load(index);
            if (value !== wanted)
                return [false, value];
            if (replace.call(this, index, wanted, BigInt.asUintN(64, BigInt(desired))))
                return [true, wanted];
        }
    };
    U64.compare_and_store = function (index, expected, desired) {
        checkAtomic(this, 'compare_and_store', index, true);
        return replace.call(this, index, BigInt.asUintN(64, BigInt(expected)), BigInt.asUintN(64, BigInt(desired)));
    };
    U64.exchange = function (index, value) {
        return update(this, 'exchange', index, () => BigInt(value));
    };
    U64.add = function (index, value) {
        return update(this, 'add', index, old => old + BigInt(value));
    };
    U64.sub = function (index, value) {
        return update(this, 'sub', index, old => old - BigInt(value));
    };
    U64.and = function (index, value) {
        return update(this, 'and', index, old => old & BigInt(value));
    };
    U64.or = function (index, value) {
        return update(this, 'or', index, old => old | BigInt(value));
    };
    U64.xor = function (index, value) {
        return update(this, 'xor', index, old => old ^ BigInt(value));
    };
}

// Numbers that are left out, or are none: GJS takes each for 0, so that resize(file.szie) would make the file empty.

function checkArguments(method, names, args, isAbsent) {
    for (let i = 0; i < names.length; i++) {
        if (names[i] !== '' && !isWhole(args[i]) && !(names[i].endsWith('?') && isAbsent(args[i])))
            throw new TypeError(`${method}(): ${names[i].replace('?', '')} is no whole number: ${String(args[i])}`);
    }
}

const isUndefined = value => value === undefined;
// Of what may be left out, a Gio.Cancellable may stand in the place.
const isNoNumber = value => value === undefined || typeof value === 'object';

// names: all of the method's arguments, in their order. "" is no whole number, one that ends with "?" may be left out.
function checkNumbers(target, method, ...names) {
    const original = target[method];
    if (!original)
        return;

    // What a script does most often, with numbers below 2³², is told in the fewest steps.
    const [isA, isB, isC] = names.map(name => name !== '');
    const check = (...args) => checkArguments(method, names, args, isUndefined);
    target[method] = [
        function (a) {
            if (typeof a !== 'number' || a >>> 0 !== a)
                check(a);
            return original.call(this, a);
        },
        function (a, b) {
            if (isA && (typeof a !== 'number' || a >>> 0 !== a) || isB && (typeof b !== 'number' || b >>> 0 !== b))
                check(a, b);
            return original.call(this, a, b);
        },
        function (a, b, c) {
            if (isA && (typeof a !== 'number' || a >>> 0 !== a) || isB && (typeof b !== 'number' || b >>> 0 !== b) ||
                isC && (typeof c !== 'number' || c >>> 0 !== c))
                check(a, b, c);
            return original.call(this, a, b, c);
        },
        function (a, b, c, d) {
            check(a, b, c);
            return original.call(this, a, b, c, d);
        },
    ][names.length - 1];

    const start = target[`${method}_async`];
    if (!start)
        return;
    target[`${method}_async`] = function (...args) {
        try {
            checkArguments(`${method}_async`, names, args, isNoNumber);
        } catch (error) {
            if (isCallback(args))
                throw error;
            return Promise.reject(error);
        }
        return start.apply(this, args);
    };
}

function checkAllNumbers({File, View, InputStream, AtomicU32, AtomicU64}) {
    checkNumbers(File, 'create', '', 'size', 'flags?');
    checkNumbers(File, 'open_or_create', '', 'size');
    checkNumbers(File, 'new_anonymous', '', 'size');
    checkNumbers(File, 'new_for_fd', 'fd', '');

    const file = File.prototype;
    checkNumbers(file, 'resize', 'size');
    checkNumbers(file, 'fill', 'offset', 'length', 'byte');
    checkNumbers(file, 'move', 'to', 'from', 'length');
    checkNumbers(file, 'advise', 'offset', 'length', 'advice');
    checkNumbers(file, 'seal', 'flags');
    checkNumbers(file, 'watch', 'flags?', '');
    checkNumbers(file, 'events', 'flags?', '');
    checkNumbers(file, 'chunks', 'chunk size?');
    checkNumbers(file, 'read', 'offset?', 'count?');
    for (const method of ['write', 'write_bytes'])
        checkNumbers(file, method, 'offset', '');
    for (const method of ['find', 'find_last'])
        checkNumbers(file, method, '', 'from?', 'to?');
    for (const method of ['get_bytes', 'get_view', 'get_writable_view'])
        checkNumbers(file, method, 'offset?', 'length?');
    for (const method of ['evict', 'flush_range', 'get_resident_bytes', 'lock_memory', 'prefetch', 'start_writeback', 'touch',
        'unlock_memory', 'unlock_range'])
        checkNumbers(file, method, 'offset', 'length');
    checkNumbers(file, 'lock_range', 'offset', 'length', '', '');
    checkNumbers(file, 'try_lock_range', 'offset', 'length', '');
    for (const method of ['get_atomic_u32', 'get_atomic_u64'])
        checkNumbers(file, method, 'offset', 'number of elements?');
    for (const kind of ['uint8', 'int8']) {
        checkNumbers(file, `get_${kind}`, 'offset');
        checkNumbers(file, `set_${kind}`, 'offset', 'value');
    }
    for (const kind of ['uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64']) {
        checkNumbers(file, `get_${kind}`, 'offset', '');
        checkNumbers(file, `set_${kind}`, 'offset', 'value', '');
    }
    for (const kind of ['float', 'double']) {
        checkNumbers(file, `get_${kind}`, 'offset', '');
        checkNumbers(file, `set_${kind}`, 'offset', '', '');
    }

    checkNumbers(View.prototype, 'sub', 'offset', 'length');
    checkNumbers(InputStream.prototype, 'read_bytes', 'count', '');
    for (const atomic of [AtomicU32.prototype, AtomicU64.prototype]) {
        // The index is out of range where it is none: see checkAtomic ().
        checkNumbers(atomic, 'wait', '', 'expected', 'timeout?', '');
        checkNumbers(atomic, 'wake', '', 'n?');
        for (const method of ['store', 'exchange', 'add', 'sub', 'and', 'or', 'xor'])
            checkNumbers(atomic, method, '', 'value');
        for (const method of ['compare_exchange', 'compare_and_store'])
            checkNumbers(atomic, method, '', 'expected', 'desired');
    }
}

function _init() {
    extendFile(this);
    extendView(this);
    extendStreams(this);
    extendAtomics(this);
    checkAllNumbers(this);
}
