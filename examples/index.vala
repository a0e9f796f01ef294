// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index FILE KEY [VALUE]: shows what is stored under a key, or stores it. A hash table in a file, shared by any number of processes
// in any of the four languages.
//
// 1024 slots of 64 bytes: 24 for the key, 40 for the value, padded with NUL.

const int SLOTS = 1024;
const int KEY = 24;
const int SLOT = 64;

// The slot of the key, or the empty one that it would get.
uint64 find_slot (Mmio.File file, string key) throws Error {
    var stored = new uint8[KEY + 1];
    for (int i = 0; i < SLOTS; i++) {
        uint64 offset = (str_hash (key) + i) % SLOTS * SLOT;
        file.read (offset, stored[0:KEY]);
        if (stored[0] == 0 || (string) stored == key)
            return offset;
    }
    throw new IOError.NO_SPACE ("the table is full");
}

int main (string[] args) {
    try {
        var file = new Mmio.File.open_or_create (args[1], SLOTS * SLOT);
        var slot = new uint8[SLOT + 1];
        // One writer, or many readers, at a time. The lock goes with the file.
        file.lock_range (0, file.size, args.length > 3);
        var offset = find_slot (file, args[2]);
        if (args.length > 3) {
            Memory.copy (slot, args[2], int.min (args[2].length, KEY - 1));
            Memory.copy (&slot[KEY], args[3], int.min (args[3].length, SLOT - KEY - 1));
            file.write (offset, slot[0:SLOT]);
        }
        file.read (offset, slot[0:SLOT]);
        print ("%s\n", (string) &slot[KEY]);
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
