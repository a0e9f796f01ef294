#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The declarations for TypeScript are right in themselves, and tsc takes programs by them and finds what is wrong in others.
# That they name what there is: test-types-gjs.js.
set -u

. "${top_srcdir:?}/tests/tap.sh"
declarations=$top_srcdir/bindings/gjs/mmio-1.0.d.ts

if ! command -v tsc > /dev/null; then
  skip "tsc is not installed" /typescript
  end
fi

# Stands in for the declarations of GLib, which come from elsewhere.
cat > "$folder/glib.d.ts" <<'END'
declare module 'gi://GLib?version=2.0' {
    namespace GLib {
        type Quark = number;
        class Error {
            readonly domain: Quark;
            readonly code: number;
            readonly message: string;
            matches(domain: unknown, code: number): boolean;
        }
        class Bytes { constructor(data: Uint8Array | null); get_size(): number; toArray(): Uint8Array; }
    }
    export default GLib;
}
declare module 'gi://GObject?version=2.0' {
    namespace GObject {
        class ParamSpec { get_name(): string; }
        class Object {
            connect(signal: string, callback: (...args: any[]) => any): number;
            disconnect(id: number): void;
        }
    }
    export default GObject;
}
declare module 'gi://Gio?version=2.0' {
    import type GObject from 'gi://GObject?version=2.0';
    namespace Gio {
        interface File { get_path(): string | null; }
        interface AsyncResult { get_source_object(): GObject.Object | null; }
        class Cancellable extends GObject.Object { constructor(); cancel(): void; }
        class InputStream extends GObject.Object { close(cancellable: Cancellable | null): boolean; }
        class OutputStream extends GObject.Object { close(cancellable: Cancellable | null): boolean; }
        enum DataStreamByteOrder { BIG_ENDIAN, LITTLE_ENDIAN, HOST_ENDIAN }
    }
    export default Gio;
}
END
cp "$declarations" "$folder/mmio-1.0.d.ts"

check () # FILE
{
  (cd "$folder" && tsc --noEmit --strict --noUnusedLocals --target es2022 --module es2022 --moduleResolution node --lib es2022,dom \
    glib.d.ts mmio-1.0.d.ts "$1") > "$folder/log" 2>&1
}

found () # NAME STATUS: what tsc has said is why not
{
  cp "$folder/log" "$folder/diagnosis"
  point "$1" "$2"
}

cat > "$folder/program.ts" <<'END'
import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import Mmio from 'gi://Mmio?version=1.0';

async function program(path: string): Promise<bigint> {
    const file: Mmio.File = await Mmio.File.open_async(path, Mmio.Mode.READ_WRITE);
    const words: Mmio.File = Mmio.File.open(path, 'r+');
    let sum = words.get_uint32(0, '>');
    for (const chunk of file)
        sum += chunk.length;
    for (const chunk of file.chunks(4096))
        sum += chunk.reduce((a, b) => a + b, 0);
    const first: number | undefined = file.at(0);
    const data: Uint8Array = file.read(0, 5);
    file.write(sum, 'text');
    file.write(0, data);
    file.write(0, [1, 2, first ?? 0]);
    file.set_uint32(0, 7, Gio.DataStreamByteOrder.BIG_ENDIAN);
    file.set_uint64(8, file.get_uint64(0) + 1n);
    const counter: Mmio.AtomicU64 = file.get_atomic_u64(8);
    const before: bigint = counter.add(0, 1);
    const [exchanged, previous] = counter.compare_exchange(0, 1n, 2);
    if (exchanged && counter.compare_and_store(0, previous, before))
        counter.wake(0);
    file.connect('changed', (self, offset, length) => self.flush_range(offset, length));
    file.connect('notify::size', () => file.refresh());
    file.watch(Mmio.WatchFlags.LOCATE | Mmio.WatchFlags.RELOAD);
    const [offset, length]: [number, number] = await file.next('changed', new Gio.Cancellable());
    for await (const event of file.events(Mmio.WatchFlags.LOCATE)) {
        if (event[0] === 'changed')
            sum += event[1] + event[2];
        else if (event[0] === 'removed')
            break;
    }
    const found: number = await file.find_async('needle', offset, offset + length);
    await file.write_async(found, new GLib.Bytes(data));
    await file.flush_async();
    const size: number = file.using(f => f.length);
    try {
        file.read(size);
    } catch (error) {
        if (error instanceof Mmio.Error && error.code === Mmio.Error.CLOSED)
            return before;
    }
    return previous;
}

program('path').catch(error => { throw error; });
END
check program.ts
found /typescript/takes-a-program $?

# A line of each is wrong, and is found there.
cat > "$folder/mistakes.ts" <<'END'
import Mmio from 'gi://Mmio?version=1.0';
const file = new Mmio.File({path: 'path'});
const text: string = file.read();
Mmio.File.open('path', 'w');
file.no_such_method();
const rounded: number = file.get_uint64(0);
file.get_atomic_u32(0).store(0, 1n);
file.connect('changed', (self, offset: string) => offset);
const ended: [number, number] = await file.next('removed');
file.write(0, 5);
file.length = 5;
new Mmio.File({pth: 'path'});
for await (const event of file.events()) if (event[0] === 'chmod') break;
export {text, rounded, ended};
END
check mistakes.ts
for line in 3 4 5 6 7 8 9 10 11 12 13; do
  mistake=$(sed -n "${line}p" "$folder/mistakes.ts" | tr -cs 'a-zA-Z0-9_\n' - | sed 's/-$//')
  grep -q "^mistakes.ts($line," "$folder/log"
  found "/typescript/finds-a-mistake/$mistake" $?
done
[ "$(grep -c '^mistakes.ts' "$folder/log")" -eq 11 ]
found /typescript/finds-nothing-else $?

end
