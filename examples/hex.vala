// SPDX-License-Identifier: LGPL-2.1-or-later
//
// hex FILE: the file's bytes, sixteen a line, as numbers and as text.

int main (string[] args) {
    try {
        var file = new Mmio.File.open (args[1]);
        uint64 offset = 0;
        foreach (unowned var chunk in file.chunks (16)) {
            var line = new StringBuilder ();
            line.append_printf ("%08llx ", offset);
            for (int i = 0; i < 16; i++)
                line.append (i < chunk.length ? " %02x".printf (chunk[i]) : "   ");
            line.append ("  ");
            foreach (var byte in chunk)
                line.append_c (((char) byte).isprint () ? (char) byte : '.');
            print ("%s\n", line.str);
            offset += chunk.length;
        }
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
