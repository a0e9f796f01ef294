// SPDX-License-Identifier: LGPL-2.1-or-later
//
// ring FILE send SOURCE, ring FILE receive: text from one process to another through a ring in a file, that nobody else waits for.
//
// Two positions that only grow: how much was sent, how much received. Then the ring. A NUL ends the text.

const uint START = 64;
const uint CAPACITY = 4096;
const int SENT = 0;
const int RECEIVED = 1;

void send (Mmio.File file, Mmio.AtomicU32 positions, uint8[] data) throws Error {
    for (uint done = 0; done < data.length;) {
        uint32 sent = positions.load (SENT), received = positions.load (RECEIVED);
        uint at = sent % CAPACITY;
        uint n = uint.min (uint.min (data.length - done, CAPACITY - (sent - received)), CAPACITY - at);
        if (n == 0) {
            positions.wait (RECEIVED, received);
            continue;
        }
        file.write (START + at, data[done:done + n]);
        positions.store (SENT, sent + n);
        positions.wake (SENT);
        done += n;
    }
}

void receive (Mmio.File file, Mmio.AtomicU32 positions) throws Error {
    uint8 data[4096];
    while (true) {
        uint32 sent = positions.load (SENT), received = positions.load (RECEIVED);
        uint at = received % CAPACITY;
        uint n = uint.min (sent - received, CAPACITY - at);
        if (n == 0) {
            positions.wait (SENT, sent);
            continue;
        }
        file.read (START + at, data[0:n]);
        positions.store (RECEIVED, received + n);
        positions.wake (RECEIVED);
        var end = data[n - 1] == 0;
        stdout.write (data[0:end ? n - 1 : n]);
        if (end)
            return;
    }
}

int main (string[] args) {
    try {
        var file = new Mmio.File.open_or_create (args[1], START + CAPACITY);
        var positions = file.get_atomic_u32 (0, 2);
        if (args[2] == "send") {
            string text;
            FileUtils.get_contents (args[3], out text);
            send (file, positions, text.data);
            send (file, positions, { 0 });
        } else {
            receive (file, positions);
        }
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
