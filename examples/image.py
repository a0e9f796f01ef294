# SPDX-License-Identifier: LGPL-2.1-or-later
"""image PPM PNG: hands the pixels of a mapped image, in the format of ppm(5), to GdkPixbuf without a copy, and saves them."""

import re
import sys

import gi

gi.require_version('GdkPixbuf', '2.0')
gi.require_version('Mmio', '1.0')
from gi.repository import GdkPixbuf, Mmio

file = Mmio.File.open(sys.argv[1])
header = re.match(rb'P6\s+(\d+)\s+(\d+)\s+255\s', file[:64])
if header is None:
    sys.exit(f'{sys.argv[1]}: not an image in PPM')
width, height = (int(number) for number in header.groups())

# The bytes keep the file where it is.
pixels = file.get_bytes(header.end(), width * height * 3)
pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(pixels, GdkPixbuf.Colorspace.RGB, False, 8, width, height, width * 3)
pixbuf.savev(sys.argv[2], 'png', [], [])
print(f'{width} x {height}')
