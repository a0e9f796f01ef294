# SPDX-License-Identifier: LGPL-2.1-or-later
"""index FILE KEY [VALUE]: shows what is stored under a key, or stores it. A hash table in a file, shared by any number of processes
in any of the four languages.

1024 slots of 64 bytes: 24 for the key, 40 for the value, padded with NUL.
"""

import struct
import sys

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import Mmio

SLOTS = 1024
LAYOUT = struct.Struct('24s40s')


def string_hash(key):
    """g_str_hash ()."""
    value = 5381
    for byte in struct.unpack(f'{len(key)}b', key):
        value = (value * 33 + byte) % 2**32
    return value


def find_slot(file, key):
    """The slot of the key, or the empty one that it would get."""
    for number in range(SLOTS):
        offset = (string_hash(key) + number) % SLOTS * LAYOUT.size
        stored = file.read(offset, 24).rstrip(b'\0')
        if stored in (b'', key):
            return offset
    raise KeyError('the table is full')


with Mmio.File.open_or_create(sys.argv[1], SLOTS * LAYOUT.size) as file:
    key, *values = (argument.encode() for argument in sys.argv[2:])
    # One writer, or many readers, at a time. The lock goes with the file.
    file.lock_range(0, len(file), bool(values))
    slot = find_slot(file, key)
    if values:
        file.write(slot, LAYOUT.pack(key, values[0]))
    print(LAYOUT.unpack(file.read(slot, LAYOUT.size))[1].rstrip(b'\0').decode())
