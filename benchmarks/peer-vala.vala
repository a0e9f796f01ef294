// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sides of cases in Vala, which take turns with the other sides: see bench-program.h for what is said to and fro.
//   peer-vala SIDE PATH

delegate void Run (uint64 n) throws Error;

void serve (Run run) throws Error {
    stdout.printf ("ready\n");
    stdout.flush ();
    for (;;) {
        string? line = stdin.read_line ();
        if (line == null)
            return;
        var n = uint64.parse (line);
        var start = get_monotonic_time ();
        run (n);
        stdout.printf ("%s\n", int64.max (1, (get_monotonic_time () - start) * 1000).to_string ());
        stdout.flush ();
    }
}

int main (string[] args) {
    try {
        var file = new Mmio.File.open (args[2], Mmio.Mode.READ_WRITE);
        var buffer = new uint8[64];
        uint32 sum = 0;

        switch (args[1]) {
        case "read":
            serve ((n) => {
                for (uint64 i = 0; i < n; i++)
                    file.read ((i * 64) & 4095, buffer);
            });
            break;
        case "get":
            serve ((n) => {
                for (uint64 i = 0; i < n; i++)
                    sum += file.get_uint32 ((i * 64) & 4095, DataStreamByteOrder.LITTLE_ENDIAN);
            });
            break;
        case "view":
            serve ((n) => {
                for (uint64 i = 0; i < n; i++)
                    sum += file.get_view ((i * 64) & 4095, 64).get_data ()[0];
            });
            break;
        default:
            stdout.printf ("SKIP what is %s?\n", args[1]);
            return 2;
        }
        return sum == 1 ? 3 : 0;
    } catch (Error error) {
        stdout.printf ("SKIP %s\n", error.message);
        return 1;
    }
}
