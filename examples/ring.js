// SPDX-License-Identifier: LGPL-2.1-or-later
//
// ring FILE send SOURCE, ring FILE receive: text from one process to another through a ring in a file, that nobody else waits for.
//
// Two positions that only grow: how much was sent, how much received. Then the ring. A NUL ends the text.

import Mmio from 'gi://Mmio?version=1.0';
import {programArgs} from 'system';

const START = 64;
const CAPACITY = 4096;
const SENT = 0;
const RECEIVED = 1;

function send(file, positions, data) {
    for (let done = 0; done < data.length;) {
        const sent = positions.load(SENT), received = positions.load(RECEIVED);
        const at = sent % CAPACITY;
        const n = Math.min(data.length - done, CAPACITY - (sent - received >>> 0), CAPACITY - at);
        if (n === 0) {
            positions.wait(RECEIVED, received);
            continue;
        }
        file.write(START + at, data.subarray(done, done + n));
        positions.store(SENT, sent + n >>> 0);
        positions.wake(SENT);
        done += n;
    }
}

function* receive(file, positions) {
    for (;;) {
        const sent = positions.load(SENT), received = positions.load(RECEIVED);
        const at = received % CAPACITY;
        const n = Math.min(sent - received >>> 0, CAPACITY - at);
        if (n === 0) {
            positions.wait(SENT, sent);
            continue;
        }
        const data = file.read(START + at, n);
        positions.store(RECEIVED, received + n >>> 0);
        positions.wake(RECEIVED);
        yield* data;
        if (data[n - 1] === 0)
            return;
    }
}

const [path, command, source] = programArgs;
const file = Mmio.File.open_or_create(path, START + CAPACITY);
const positions = file.get_atomic_u32(0, 2);

if (command === 'send') {
    const text = Mmio.File.open(source).read();
    send(file, positions, Uint8Array.of(...text, 0));
} else {
    const text = Uint8Array.from(receive(file, positions));
    print(new TextDecoder().decode(text.subarray(0, -1)).trimEnd());
}
