// SPDX-License-Identifier: LGPL-2.1-or-later

import GLib from 'gi://GLib';
import Mmio from 'gi://Mmio?version=1.0';
import {assertEqual, run, test} from './tap.js';

test('/bindings/enumerations-have-their-values', () => {
    assertEqual(Mmio.Mode.COPY_ON_WRITE, 2);
    assertEqual(Mmio.WatchFlags.LOCATE | Mmio.WatchFlags.LEASE, 5);
});

test('/bindings/error-is-a-domain', () => {
    assertEqual(GLib.quark_to_string(Mmio.error_quark()), 'mmio-error-quark');
});

run();
