# SPDX-License-Identifier: LGPL-2.1-or-later
import gi

gi.require_version('Mmio', '1.0')
from gi.repository import Mmio

with Mmio.File.open_or_create('hello.bin', 4096) as file:
    file[0:5] = b'hello'
    file.flush()
    print(file[0:5].decode())
