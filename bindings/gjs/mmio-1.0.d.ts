// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Mmio as GJS sees it, for TypeScript and editors: the library and what overrides/Mmio.js makes of it. The types of GLib, GObject and
// Gio are those of the packages @girs/glib-2.0, @girs/gobject-2.0 and @girs/gio-2.0.

declare module 'gi://Mmio?version=1.0' {
    import type GLib from 'gi://GLib?version=2.0';
    import type GObject from 'gi://GObject?version=2.0';
    import type Gio from 'gi://Gio?version=2.0';

    namespace Mmio {
        /** What can be written: text goes as UTF-8. */
        type Data = string | Uint8Array | ArrayBuffer | ArrayBufferView | readonly number[] | GLib.Bytes;
        type Callback = (source: GObject.Object | null, result: Gio.AsyncResult) => void;
        type Signals = {
            'changed': [offset: number, length: number];
            'fault': [offset: number, length: number];
            'metadata': [];
            'removed': [];
            'replaced': [];
            'settled': [];
            'about-to-change': [];
        };
        /** What events() gives: the signal's name, then its arguments. */
        type Event = { [K in keyof Signals]: [event: K, ...args: Signals[K]] }[Exclude<keyof Signals, 'about-to-change'>];

        const MAJOR_VERSION: number;
        const MINOR_VERSION: number;
        const MICRO_VERSION: number;
        const VERSION_STRING: string;

        function error_quark(): GLib.Quark;
        function get_fault_guard(): boolean;
        function set_fault_guard(enabled: boolean): void;

        enum Mode { READ_ONLY, READ_WRITE, COPY_ON_WRITE }
        enum FlushPolicy { MANUAL, ALWAYS, EVERY_BYTES, EVERY_WRITES, EVERY_MILLIS }
        enum Advice {
            NORMAL, RANDOM, SEQUENTIAL, WILL_NEED, DONT_NEED, COLD, PAGE_OUT, HUGE_PAGE, NO_HUGE_PAGE, DONT_DUMP
        }
        enum WatchFlags { NONE = 0, LOCATE = 1, RELOAD = 2, LEASE = 4, SETTLE = 8 }
        enum CreateFlags { NONE = 0, REPLACE = 1, PREALLOCATE = 2, DURABLE = 4 }
        enum SealFlags { NONE = 0, SEAL = 1, SHRINK = 2, GROW = 4, WRITE = 8, FUTURE_WRITE = 16 }

        /** The domain and its codes: error.matches(Mmio.Error, Mmio.Error.CLOSED). */
        class Error extends GLib.Error {
            static OUT_OF_BOUNDS: number;
            static MISALIGNED: number;
            static WRONG_MODE: number;
            static BUSY: number;
            static TRUNCATED: number;
            static NO_SPACE: number;
            static IO: number;
            static RESIZE_FAILED: number;
            static FLUSH_FAILED: number;
            static LOCK_FAILED: number;
            static ADVICE_FAILED: number;
            static WATCH_FAILED: number;
            static NOT_SUPPORTED: number;
            static CLOSED: number;
        }

        /** A window on a range of a file. What it gives as an array is a copy. */
        class View {
            readonly length: number;
            check(): boolean;
            get_bytes(): GLib.Bytes;
            get_data(): Uint8Array;
            get_file(): File;
            get_length(): number;
            get_offset(): number;
            is_writable(): boolean;
            release(): void;
            sub(offset: number, length: number): View;
        }

        /** Numbers of 32 bits in a file that threads and processes share. An index that is none is a RangeError. */
        class AtomicU32 {
            readonly length: number;
            add(index: number, value: number): number;
            and(index: number, value: number): number;
            check(): boolean;
            compare_and_store(index: number, expected: number, desired: number): boolean;
            compare_exchange(index: number, expected: number, desired: number): [exchanged: boolean, previous: number];
            exchange(index: number, value: number): number;
            get_length(): number;
            get_offset(): number;
            is_writable(): boolean;
            load(index: number): number;
            or(index: number, value: number): number;
            release(): void;
            store(index: number, value: number): void;
            sub(index: number, value: number): number;
            wait(index: number, expected: number, timeout_ms?: number, cancellable?: Gio.Cancellable | null): boolean;
            wait_async(index: number, expected: number, timeout_ms?: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            wait_async(index: number, expected: number, timeout_ms: number, cancellable: Gio.Cancellable | null,
                callback: Callback): void;
            wait_finish(result: Gio.AsyncResult): boolean;
            wake(index: number, n?: number): number;
            xor(index: number, value: number): number;
        }

        /** As AtomicU32, of 64 bits: BigInt, since a Number holds 53. */
        class AtomicU64 {
            readonly length: number;
            add(index: number, value: bigint | number): bigint;
            and(index: number, value: bigint | number): bigint;
            check(): boolean;
            compare_and_store(index: number, expected: bigint | number, desired: bigint | number): boolean;
            compare_exchange(index: number, expected: bigint | number, desired: bigint | number):
                [exchanged: boolean, previous: bigint];
            exchange(index: number, value: bigint | number): bigint;
            get_length(): number;
            get_offset(): number;
            is_writable(): boolean;
            load(index: number): bigint;
            or(index: number, value: bigint | number): bigint;
            release(): void;
            store(index: number, value: bigint | number): void;
            sub(index: number, value: bigint | number): bigint;
            wait(index: number, expected: bigint | number, timeout_ms?: number, cancellable?: Gio.Cancellable | null): boolean;
            wait_async(index: number, expected: bigint | number, timeout_ms?: number,
                cancellable?: Gio.Cancellable | null): Promise<boolean>;
            wait_async(index: number, expected: bigint | number, timeout_ms: number, cancellable: Gio.Cancellable | null,
                callback: Callback): void;
            wait_finish(result: Gio.AsyncResult): boolean;
            wake(index: number, n?: number): number;
            xor(index: number, value: bigint | number): bigint;
        }

        class InputStream extends Gio.InputStream {
            static 'new'(file: File): InputStream;
            get_file(): File;
        }

        class OutputStream extends Gio.OutputStream {
            static 'new'(file: File): OutputStream;
            get_file(): File;
        }

        type Order = Gio.DataStreamByteOrder | '<' | '>' | '=';

        interface FileProperties {
            path?: string | null;
            location?: Gio.File | null;
            fd?: number;
            mode?: Mode;
            reserve_size?: number;
            preallocate?: boolean;
            follow?: boolean;
            flush_policy?: FlushPolicy;
            flush_threshold?: number;
            watch_interval?: number;
            locate_limit?: number;
            settle_time?: number;
            announce?: boolean;
            prefault?: boolean;
            huge_pages?: boolean;
        }

        /**
         * A file mapped into memory. What is read is a copy that the script may write to; offsets and lengths are in bytes.
         *
         * Each X_async gives a promise; its last argument may be a Gio.Cancellable. With a callback it is as GIO has it.
         */
        class File extends GObject.Object implements Iterable<Uint8Array> {
            /** To be followed by init(null), which maps the file. */
            constructor(properties: FileProperties);
            init(cancellable: Gio.Cancellable | null): boolean;
            init_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            init_finish(result: Gio.AsyncResult): boolean;

            static open(path: string, mode?: Mode | 'r' | 'r+' | 'c'): File;
            static open_location(location: Gio.File, mode?: Mode | 'r' | 'r+' | 'c', cancellable?: Gio.Cancellable | null): File;
            static create(path: string, size: number, flags?: CreateFlags): File;
            static open_or_create(path: string, size: number): File;
            static new_for_fd(fd: number, mode?: Mode | 'r' | 'r+' | 'c'): File;
            static new_anonymous(name: string | null, size: number): File;
            static open_async(path: string, mode?: Mode | 'r' | 'r+' | 'c', cancellable?: Gio.Cancellable | null): Promise<File>;
            static open_finish(result: Gio.AsyncResult): File;
            static open_location_async(location: Gio.File, mode?: Mode | 'r' | 'r+' | 'c', cancellable?: Gio.Cancellable | null): Promise<File>;
            static open_location_finish(result: Gio.AsyncResult): File;
            static create_async(path: string, size: number, flags?: CreateFlags, cancellable?: Gio.Cancellable | null): Promise<File>;
            static create_finish(result: Gio.AsyncResult): File;
            static open_or_create_async(path: string, size: number, cancellable?: Gio.Cancellable | null): Promise<File>;
            static open_or_create_finish(result: Gio.AsyncResult): File;

            readonly length: number;
            readonly size: number;
            readonly path: string | null;
            readonly location: Gio.File | null;
            readonly fd: number;
            readonly mode: Mode;
            readonly watching: boolean;
            readonly watch_backend: string | null;
            announce: boolean;
            flush_policy: FlushPolicy;
            flush_threshold: number;
            locate_limit: number;
            settle_time: number;
            watch_interval: number;

            close(): boolean;
            close_async(cancellable?: Gio.Cancellable | null): Promise<boolean>;
            close_finish(result: Gio.AsyncResult): boolean;
            /** Calls back with the file, closes it whatever happens, and gives back what came. */
            using<T>(callback: (file: this) => T): T;
            is_closed(): boolean;
            get_fd(): number;
            get_location(): Gio.File | null;
            get_mode(): Mode;
            get_path(): string | null;
            get_size(): number;

            read(offset?: number, count?: number): Uint8Array;
            read_async(offset?: number, count?: number): Promise<Uint8Array>;
            read_async(offset: number, count: number, cancellable: Gio.Cancellable | null): Promise<Uint8Array>;
            read_async(offset: number, count: number, cancellable: Gio.Cancellable | null, callback: Callback): void;
            read_finish(result: Gio.AsyncResult): Uint8Array;
            write(offset: number, data: Data): boolean;
            write_async(offset: number, data: Data, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            write_finish(result: Gio.AsyncResult): boolean;
            write_bytes(offset: number, bytes: GLib.Bytes): boolean;
            fill(offset: number, length: number, byte: number): boolean;
            fill_async(offset: number, length: number, byte: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            fill_finish(result: Gio.AsyncResult): boolean;
            move(to: number, from: number, length: number): boolean;
            move_async(to: number, from: number, length: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            move_finish(result: Gio.AsyncResult): boolean;
            find(pattern: Data, from?: number, to?: number): number;
            find_last(pattern: Data, from?: number, to?: number): number;
            find_async(pattern: Data, from?: number, to?: number, forwards?: boolean,
                cancellable?: Gio.Cancellable | null): Promise<number>;
            find_finish(result: Gio.AsyncResult): number;

            /** The byte there, from the end if it is negative: undefined where there is none. */
            at(index: number): number | undefined;
            [Symbol.iterator](): Generator<Uint8Array, void>;
            /** Copies of chunk_size bytes each, the last one shorter: of a page with 0. */
            chunks(chunk_size?: number): Generator<Uint8Array, void>;

            get_uint8(offset: number): number;
            set_uint8(offset: number, value: number): boolean;
            get_int8(offset: number): number;
            set_int8(offset: number, value: number): boolean;
            get_uint16(offset: number, byte_order?: Order): number;
            set_uint16(offset: number, value: number, byte_order?: Order): boolean;
            get_int16(offset: number, byte_order?: Order): number;
            set_int16(offset: number, value: number, byte_order?: Order): boolean;
            get_uint32(offset: number, byte_order?: Order): number;
            set_uint32(offset: number, value: number, byte_order?: Order): boolean;
            get_int32(offset: number, byte_order?: Order): number;
            set_int32(offset: number, value: number, byte_order?: Order): boolean;
            get_uint64(offset: number, byte_order?: Order): bigint;
            set_uint64(offset: number, value: bigint | number, byte_order?: Order): boolean;
            get_int64(offset: number, byte_order?: Order): bigint;
            set_int64(offset: number, value: bigint | number, byte_order?: Order): boolean;
            get_float(offset: number, byte_order?: Order): number;
            set_float(offset: number, value: number, byte_order?: Order): boolean;
            get_double(offset: number, byte_order?: Order): number;
            set_double(offset: number, value: number, byte_order?: Order): boolean;

            /** The memory itself, for other libraries; what the script sees of it, by toArray (), is a copy. */
            get_bytes(offset?: number, length?: number): GLib.Bytes;
            get_view(offset?: number, length?: number): View;
            get_writable_view(offset?: number, length?: number): View;
            get_atomic_u32(offset: number, n_elements?: number): AtomicU32;
            get_atomic_u64(offset: number, n_elements?: number): AtomicU64;

            resize(size: number): boolean;
            resize_async(size: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            resize_finish(result: Gio.AsyncResult): boolean;
            refresh(): boolean;
            reload(): boolean;
            reload_async(cancellable?: Gio.Cancellable | null): Promise<boolean>;
            reload_finish(result: Gio.AsyncResult): boolean;

            flush(): boolean;
            flush_async(cancellable?: Gio.Cancellable | null): Promise<boolean>;
            flush_finish(result: Gio.AsyncResult): boolean;
            flush_range(offset: number, length: number): boolean;
            flush_range_async(offset: number, length: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            flush_range_finish(result: Gio.AsyncResult): boolean;
            start_writeback(offset: number, length: number): boolean;
            get_pending_bytes(): number;

            advise(offset: number, length: number, advice: Advice): boolean;
            evict(offset: number, length: number): boolean;
            prefetch(offset: number, length: number): boolean;
            prefetch_async(offset: number, length: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            prefetch_finish(result: Gio.AsyncResult): boolean;
            touch(offset: number, length: number): boolean;
            lock_memory(offset: number, length: number): boolean;
            lock_memory_async(offset: number, length: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            lock_memory_finish(result: Gio.AsyncResult): boolean;
            unlock_memory(offset: number, length: number): boolean;
            get_resident_bytes(offset: number, length: number): [success: boolean, bytes: number];
            get_huge_page_bytes(): number;

            lock_range(offset: number, length: number, exclusive?: boolean, cancellable?: Gio.Cancellable | null): boolean;
            lock_range_async(offset: number, length: number, exclusive?: boolean,
                cancellable?: Gio.Cancellable | null): Promise<boolean>;
            lock_range_finish(result: Gio.AsyncResult): boolean;
            try_lock_range(offset: number, length: number, exclusive?: boolean): boolean;
            unlock_range(offset: number, length: number): boolean;
            seal(flags: SealFlags): boolean;
            get_seals(): SealFlags;

            watch(flags?: WatchFlags, cancellable?: Gio.Cancellable | null): boolean;
            unwatch(): void;
            connect<K extends keyof Signals>(signal: K, handler: (file: this, ...args: Signals[K]) => void): number;
            connect(signal: 'notify' | `notify::${string}`, handler: (file: this, property: GObject.ParamSpec) => void): number;
            /**
             * What happens to the file, for "for await". Watches the file until the iteration ends, unless it is watched already: by break,
             * by close() or unwatch(), or as a failure by the cancellable.
             */
            events(flags?: WatchFlags, cancellable?: Gio.Cancellable | null): AsyncIterableIterator<Event>;
            /** The arguments of the signal's next emission; rejected with CLOSED if the file is closed before. Watches the file. */
            next<K extends keyof Signals>(signal: K, cancellable?: Gio.Cancellable | null): Promise<Signals[K]>;
        }
    }

    export default Mmio;
}
