# SPDX-License-Identifier: LGPL-2.1-or-later
"""config FILE: shows [main] name of a key file, anew each time it is saved, in place or atomically, until it is removed."""

import configparser
import sys

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import GLib, Mmio


def show_name(file, *_):
    keys = configparser.ConfigParser()
    try:
        keys.read_string(file[:].decode())
        print(keys['main']['name'], flush=True)
    except (configparser.Error, KeyError, UnicodeDecodeError):
        # A file that is just being written may make no sense yet: there will be another signal.
        pass


with Mmio.File(path=sys.argv[1], follow=True) as file:
    loop = GLib.MainLoop()
    file.connect('changed', show_name)
    file.connect('removed', lambda _: loop.quit())
    # RELOAD: the file that an editor puts in its place is mapped, and changed follows.
    file.watch(Mmio.WatchFlags.RELOAD)
    show_name(file)
    loop.run()
