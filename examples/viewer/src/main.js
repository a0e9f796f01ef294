// SPDX-License-Identifier: LGPL-2.1-or-later

import GLib from 'gi://GLib';
import Mmio from 'gi://Mmio?version=1.0';
import Gettext from 'gettext';
import System, {programArgs, programInvocationName} from 'system';

import {DOMAIN} from './text.js';

export async function main(localedir, version) {
    // The library is loaded where it is first called, and then says where its translations are. They are of the same domain.
    Mmio.get_fault_guard();
    Gettext.bindtextdomain(DOMAIN, localedir);
    Gettext.textdomain(DOMAIN);
    GLib.set_prgname('mmio-viewer');

    // Translated where the modules are loaded.
    const {Application} = await import('./application.js');
    // From the main loop: inside of what a promise runs, no other promise would come to its end.
    GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
        System.exit(new Application(version).run([programInvocationName, ...programArgs]));
    });
    await new Promise(() => {});
}
