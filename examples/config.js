// SPDX-License-Identifier: LGPL-2.1-or-later
//
// config FILE: shows [main] name of a key file, anew each time it is saved, in place or atomically, until it is removed.

import GLib from 'gi://GLib';
import Mmio from 'gi://Mmio?version=1.0';
import {programArgs} from 'system';

function showName(file) {
    const keys = new GLib.KeyFile();
    try {
        keys.load_from_bytes(file.get_bytes(), GLib.KeyFileFlags.NONE);
        print(keys.get_string('main', 'name'));
    } catch {
        // A file that is just being written may make no sense yet: there will be another signal.
    }
}

const loop = GLib.MainLoop.new(null, false);
const file = new Mmio.File({path: programArgs[0], follow: true});
file.init(null);
file.connect('changed', showName);
file.connect('removed', () => loop.quit());
// RELOAD: the file that an editor puts in its place is mapped, and changed follows.
file.watch(Mmio.WatchFlags.RELOAD);
showName(file);
loop.run();
