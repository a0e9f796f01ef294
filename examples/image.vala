// SPDX-License-Identifier: LGPL-2.1-or-later
//
// image PPM PNG: hands the pixels of a mapped image, in the format of ppm(5), to GdkPixbuf without a copy, and saves them.

int main (string[] args) {
    try {
        var file = new Mmio.File.open (args[1]);
        var header = new uint8[65];
        int width = 0, height = 0, start = 0;
        file.read (0, header[0:int.min ((int) file.size, 64)]);
        if (((string) header).scanf ("P6 %d %d 255%n", &width, &height, &start) != 2 || width <= 0 || height <= 0) {
            printerr ("%s: not an image in PPM\n", args[1]);
            return 1;
        }

        // One white-space character ends the header. The bytes keep the file where it is.
        var pixels = file.get_bytes (start + 1, (size_t) width * height * 3);
        var pixbuf = new Gdk.Pixbuf.from_bytes (pixels, Gdk.Colorspace.RGB, false, 8, width, height, width * 3);
        pixbuf.save (args[2], "png");
        print ("%d x %d\n", width, height);
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
