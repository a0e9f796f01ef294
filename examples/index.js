// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index FILE KEY [VALUE]: shows what is stored under a key, or stores it. A hash table in a file, shared by any number of processes
// in any of the four languages.
//
// 1024 slots of 64 bytes: 24 for the key, 40 for the value, padded with NUL.

import Mmio from 'gi://Mmio?version=1.0';
import {programArgs} from 'system';

const SLOTS = 1024;
const KEY = 24;
const SLOT = 64;

const text = array => new TextDecoder().decode(array).replace(/\0*$/, '');
const hash = key => new TextEncoder().encode(key).reduce((h, byte) => Math.imul(h, 33) + (byte << 24 >> 24) >>> 0, 5381);

// The slot of the key, or the empty one that it would get.
function findSlot(file, key) {
    for (let i = 0; i < SLOTS; i++) {
        const offset = (hash(key) + i) % SLOTS * SLOT;
        if (['', key].includes(text(file.read(offset, KEY))))
            return offset;
    }
    throw new Error('the table is full');
}

const [path, key, value] = programArgs;
const file = Mmio.File.open_or_create(path, SLOTS * SLOT);

// One writer, or many readers, at a time. The lock goes with the file.
file.lock_range(0, file.length, value !== undefined);
const offset = findSlot(file, key);
if (value !== undefined) {
    const slot = new Uint8Array(SLOT);
    slot.set(new TextEncoder().encode(key).subarray(0, KEY - 1));
    slot.set(new TextEncoder().encode(value).subarray(0, SLOT - KEY - 1), KEY);
    file.write(offset, slot);
}
print(text(file.read(offset + KEY, SLOT - KEY)));
file.close();
