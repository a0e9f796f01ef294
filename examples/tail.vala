// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tail FILE: prints the file, then what is appended to it, until it is removed.

uint64 shown = 0;

void show_rest (Mmio.File file) {
    // It was cut off: begin anew.
    if (file.size < shown)
        shown = 0;
    try {
        var bytes = file.get_bytes (shown, (size_t) (file.size - shown));
        stdout.write (bytes.get_data ());
        stdout.flush ();
        shown = file.size;
    } catch (Error error) {
        printerr ("%s\n", error.message);
    }
}

int main (string[] args) {
    try {
        var loop = new MainLoop ();
        // follow: the size of the mapping is that of the file, whoever makes it grow.
        var file = (Mmio.File) Initable.@new (typeof (Mmio.File), null, "path", args[1], "follow", true);
        file.notify["size"].connect (() => show_rest (file));
        file.removed.connect (() => loop.quit ());
        file.watch ();
        show_rest (file);
        loop.run ();
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
