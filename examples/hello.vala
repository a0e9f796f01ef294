// SPDX-License-Identifier: LGPL-2.1-or-later
int main () {
    try {
        var file = new Mmio.File.open_or_create ("hello.bin", 4096);
        var text = new uint8[6];
        file.write (0, "hello".data);
        file.flush ();
        file.read (0, text[0:5]);
        print ("%s\n", (string) text);
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
