// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tail FILE: prints the file, then what is appended to it, until it is removed.

import GLib from 'gi://GLib';
import Mmio from 'gi://Mmio?version=1.0';
import {programArgs} from 'system';

let shown = 0;

function showRest(file) {
    // It was cut off: begin anew.
    if (file.length < shown)
        shown = 0;
    const text = new TextDecoder().decode(file.read(shown));
    if (text)
        print(text.trimEnd());
    shown = file.length;
}

const loop = GLib.MainLoop.new(null, false);
// follow: the size of the mapping is that of the file, whoever makes it grow.
const file = new Mmio.File({path: programArgs[0], follow: true});
file.init(null);
file.connect('notify::size', showRest);
file.connect('removed', () => loop.quit());
file.watch();
showRest(file);
loop.run();
