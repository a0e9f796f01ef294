# SPDX-License-Identifier: LGPL-2.1-or-later
"""counter FILE N: adds one to a counter N times, beside any number of other processes that do the same, and prints it."""

import sys

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import Mmio

with Mmio.File.open_or_create(sys.argv[1], 8) as file, file.get_atomic_u64(0) as counter:
    for _ in range(int(sys.argv[2])):
        counter.add(0, 1)
    print(counter.load(0))
