// SPDX-License-Identifier: LGPL-2.1-or-later
//
// image PPM PNG: hands the pixels of a mapped image, in the format of ppm(5), to GdkPixbuf without a copy, and saves them.

import GdkPixbuf from 'gi://GdkPixbuf?version=2.0';
import Mmio from 'gi://Mmio?version=1.0';
import {programArgs} from 'system';

const [source, target] = programArgs;
const file = Mmio.File.open(source);
const text = String.fromCharCode(...file.read(0, Math.min(file.length, 64)));
const header = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(text);
if (!header)
    throw new Error(`${source}: not an image in PPM`);
const [width, height] = header.slice(1).map(Number);

// The bytes keep the file where it is.
const pixels = file.get_bytes(header[0].length, width * height * 3);
const pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(pixels, GdkPixbuf.Colorspace.RGB, false, 8, width, height, width * 3);
pixbuf.savev(target, 'png', [], []);
print(`${width} x ${height}`);
