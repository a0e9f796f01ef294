# SPDX-License-Identifier: LGPL-2.1-or-later

import unittest

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import GLib, Mmio  # noqa: E402


class Bindings(unittest.TestCase):
    def test_enumerations_have_their_values(self):
        self.assertEqual(Mmio.Mode.COPY_ON_WRITE.value_nick, 'copy-on-write')
        self.assertEqual(Mmio.WatchFlags.LOCATE | Mmio.WatchFlags.LEASE, 5)

    def test_error_is_a_domain(self):
        self.assertEqual(GLib.quark_to_string(Mmio.error_quark()), 'mmio-error-quark')
