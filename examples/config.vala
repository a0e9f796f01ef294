// SPDX-License-Identifier: LGPL-2.1-or-later
//
// config FILE: shows [main] name of a key file, anew each time it is saved, in place or atomically, until it is removed.

void show_name (Mmio.File file) {
    var keys = new KeyFile ();
    try {
        keys.load_from_bytes (file.get_bytes (0, (size_t) file.size), NONE);
        print ("%s\n", keys.get_string ("main", "name"));
        stdout.flush ();
    } catch (Error error) {
        // A file that is just being written may make no sense yet: there will be another signal.
    }
}

int main (string[] args) {
    try {
        var loop = new MainLoop ();
        var file = (Mmio.File) Initable.@new (typeof (Mmio.File), null, "path", args[1], "follow", true);
        file.changed.connect (() => show_name (file));
        file.removed.connect (() => loop.quit ());
        // RELOAD: the file that an editor puts in its place is mapped, and changed follows.
        file.watch (RELOAD);
        show_name (file);
        loop.run ();
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
