# SPDX-License-Identifier: LGPL-2.1-or-later
"""hex FILE: the file's bytes, sixteen a line, as numbers and as text."""

import sys

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import Mmio

with Mmio.File.open(sys.argv[1]) as file:
    for number, chunk in enumerate(file.chunks(16)):
        text = ''.join(chr(byte) if 32 <= byte < 127 else '.' for byte in chunk)
        print(f'{number * 16:08x}  {chunk.hex(" "):47}  {text}')
    chunk = None
