# SPDX-License-Identifier: LGPL-2.1-or-later
"""tail FILE: prints the file, then what is appended to it, until it is removed."""

import sys

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import GLib, Mmio

shown = 0


def show_rest(file, *_):
    global shown
    # It was cut off: begin anew.
    shown = shown if len(file) >= shown else 0
    sys.stdout.buffer.write(file[shown:])
    sys.stdout.flush()
    shown = len(file)


# follow: the size of the mapping is that of the file, whoever makes it grow.
file = Mmio.File(path=sys.argv[1], follow=True)
loop = GLib.MainLoop()
file.connect('notify::size', show_rest)
file.connect('removed', lambda _: loop.quit())
file.watch()
show_rest(file)
loop.run()
