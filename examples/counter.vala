// SPDX-License-Identifier: LGPL-2.1-or-later
//
// counter FILE N: adds one to a counter N times, beside any number of other processes that do the same, and prints it.

int main (string[] args) {
    try {
        var file = new Mmio.File.open_or_create (args[1], 8);
        var counter = file.get_atomic_u64 (0, 1);
        for (var i = uint64.parse (args[2]); i > 0; i--)
            counter.add (0, 1);
        print ("%llu\n", counter.load (0));
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
