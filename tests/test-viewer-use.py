#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The viewer in use: by keys, by the pointer, and all ways to open a file; and what is told of it to the desktop.

import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

from viewer_driver import REASON, VIEWER, ViewerCase, close_display, until

if REASON is None:
    from gi.repository import Atspi

SOURCE = os.environ.get('top_srcdir', os.path.join(os.environ.get('top_builddir', '.'), '..'))
DATA = os.path.dirname(VIEWER)

# Something to drag a file out of.
DRAG_SOURCE = """
import sys, gi
gi.require_version('Gtk', '4.0')
gi.require_version('GdkX11', '4.0')
from gi.repository import Gdk, GdkX11, GLib, Gtk
def activate(application):
    window = Gtk.ApplicationWindow(application=application, default_width=200, default_height=200)
    source = Gtk.DragSource(actions=Gdk.DragAction.COPY)
    uris = ''.join(GLib.filename_to_uri(path, None) + '\\r\\n' for path in sys.argv[1:])
    source.connect('prepare', lambda *_: Gdk.ContentProvider.new_for_bytes('text/uri-list', GLib.Bytes.new(uris.encode())))
    label = Gtk.Label(label='drag me', hexpand=True, vexpand=True)
    label.add_controller(source)
    window.set_child(label)
    window.present()
    label.add_tick_callback(lambda *_: print(window.get_surface().get_xid(), flush=True) or False)
application = Gtk.Application()
application.connect('activate', activate)
application.run([])
"""


def tearDownModule():
    close_display()


class Driving(ViewerCase):
    def test_keys_move_and_select(self):
        viewer = self.start(bytes(range(256)) * 40)
        viewer.shows('0000: 00')
        for presses, told in (
                ([['Right']], 'Byte at 0x0001: '), ([['Down']], 'Byte at 0x0010: '), ([['Down'], ['End']], 'Byte at 0x001F: '),
                ([['Control_L', 'End']], 'Byte at 0x27FF: '), ([['Control_L', 'End'], ['Up'], ['Home']], 'Byte at 0x27E0: '),
                ([['Next'], ['Prior'], ['Right'], ['Right']], 'Byte at 0x0002: '),
                ([['Shift_L', 'Right'], ['Shift_L', 'Down']], '18 bytes selected'), ([['Control_L', 'a']], '10.0 KiB selected')):
            self.keys(viewer, *presses)
            viewer.shows(told)

    def test_it_lives_through_many_screens_with_all_values_shown(self):
        viewer = self.start(random.Random(1).randbytes(1 << 18))
        viewer.shows('Unsigned 64-bit: ')
        viewer.focus()
        with viewer.heard() as events:
            for _ in range(200):
                viewer.press('Next', events)
        self.assertIsNone(viewer.program.poll())

    def test_the_pointer_selects_and_scrolls_while_it_does(self):
        viewer = self.start(bytes(range(256)) * 4)
        rows = [viewer.place(row) for row in viewer.rows(viewer.bytes)]
        x, y = rows[2][0] + 100, rows[2][1] + 5
        for _ in self.input.drag([(x, y), (x + 1, y + 9), (x, rows[4][1] + 5)]):
            pass
        viewer.shows('33 bytes selected')
        # Held below the bytes: on to the end.
        drag = self.input.drag([(x, y), (x, y + 20), (x, rows[-1][1] + 100), (x, rows[-1][1] + 101), (x, y)])
        for _ in range(3):
            next(drag)
        viewer.shows('03F0: F0 F1')
        for _ in drag:
            pass

    def test_copies_are_hex_or_text(self):
        viewer = self.start(b'\xc3\xa9ab' + bytes(100))
        viewer.shows('0000: C3 A9 61 62')
        select = [['Shift_L', 'Right']] * 3
        for copy, name, pasted in ((['Control_L', 'c'], 'hex', 'C3 A9 61 62'), (['Control_L', 'Shift_L', 'c'], 'text', 'éab')):
            with self.subTest(name):
                self.keys(viewer, *select)
                viewer.shows('4 bytes selected')
                self.input.key(*copy)
                viewer.shows_toast('Copied')
                self.input.key('Control_L', 'f')
                entry = viewer.find('the entry', lambda node: node.get_name() == 'Find' and node.get_editable_text_iface() and viewer.is_shown(node))
                self.input.key('Control_L', 'a')
                self.input.key('Control_L', 'v')
                text = entry.get_text_iface()
                until(pasted, lambda: text.get_text(0, text.get_character_count()) == pasted)
                self.input.key('Escape')

    def test_shortcuts_are_shown(self):
        viewer = self.start(b'abc')
        viewer.shows('0000: 61')
        viewer.focus()
        self.input.key('Control_L', 'Shift_L', 'question')
        viewer.find('the shortcuts', lambda node: node.get_name() == 'Previous Match' and node.get_role() == Atspi.Role.LABEL
                    and viewer.is_shown(node))

    def test_each_control_has_a_name(self):
        viewer = self.start(b'abc' * 1000)
        viewer.shows('0000: 61')
        viewer.click('Find')
        os.truncate(self.path, 100)
        viewer.shows('cut off')
        roles = (Atspi.Role.PUSH_BUTTON, Atspi.Role.TOGGLE_BUTTON, Atspi.Role.TEXT, Atspi.Role.COMBO_BOX, Atspi.Role.LIST, Atspi.Role.IMAGE,
                 Atspi.Role.STATUS_BAR, Atspi.Role.LIST_ITEM)
        unnamed = []

        def look(node, is_named):
            if not viewer.is_shown(node):
                return
            name = node.get_name() or ''
            # What has none is told by the name of its type; what stands in a named control is part of it.
            has_name = name != '' and not name.startswith(('Gtk', 'Adw', 'Mmio'))
            if node.get_role() in roles and not has_name and not is_named:
                unnamed.append((node.get_role_name(), name, node.get_description()))
            for i in range(node.get_child_count()):
                look(node.get_child_at_index(i), has_name and node.get_role() in roles)
        look(viewer.application.get_child_at_index(0), False)
        self.assertEqual(unnamed, [])


class Opened(ViewerCase):
    def titles(self):
        application = self.viewer.application
        application.clear_cache()
        return sorted(application.get_child_at_index(i).get_name() for i in range(application.get_child_count()))

    def test_several_by_argument(self):
        self.run_viewer(self.file(b'one', 'one.bin'), self.file(b'two', 'two.bin'))
        until('two windows', lambda: self.titles() == ['one.bin', 'two.bin'])

    def test_by_dialog(self):
        path = self.file(b'chosen', 'chosen.bin')
        viewer = self.start(b'abc')
        viewer.shows('0000: 61')
        viewer.focus()
        self.input.key('Control_L', 'o')
        viewer.find('the dialog', lambda node: node.get_name() == 'Cancel' or node.get_name().endswith(' Cancel'))
        # A slash begins a path.
        self.input.type(path)
        self.input.key('Return')
        viewer.shows('0000: 63 68 6F 73 65 6E chosen')

    def test_by_drag_and_drop(self):
        viewer = self.run_viewer()
        viewer.shows('Drop a file of any size here')
        source = subprocess.Popen([sys.executable, '-c', DRAG_SOURCE, self.file(b'dropped', 'dropped.bin')],
                                  env={**viewer.environment, 'GTK_A11Y': 'none'}, stdout=subprocess.PIPE, text=True)
        self.addCleanup(source.stdout.close)
        self.addCleanup(source.wait)
        self.addCleanup(source.terminate)
        number = source.stdout.readline().strip()
        if not number:
            self.skipTest('no source for a drag: GdkX11 4.0 is not there')
        self.input.move_window(int(number), 1200, 100)
        drag = self.input.drag([(1300, 200), (1310, 205), (1330, 215), (1200, 250), (600, 300), (500, 310), (490, 315), (480, 320)])
        for _ in drag:
            # Until both sides are done with each step.
            list(viewer.nodes())
        viewer.shows('0000: 64 72 6F 70 70 65 64 dropped')

    def test_what_was_opened_lately(self):
        path = self.file(b'remembered', 'remembered.bin')
        viewer = self.run_viewer(path)
        viewer.shows('0000: 72')
        def is_remembered():
            recent = os.path.join(self.folder, 'recently-used.xbel')
            if not os.path.exists(recent):
                return False
            with open(recent, encoding='utf-8') as file:
                return 'remembered.bin' in file.read()
        until('it is remembered', is_remembered)
        viewer.close()
        # In another language too.
        viewer = self.run_viewer(LANGUAGE='de', LC_ALL='C.UTF-8')
        viewer.click('Recent Files')
        viewer.find('the menu', lambda node: node.get_name() == 'remembered.bin' and viewer.is_shown(node))
        self.input.key('Return')
        viewer.shows('0000: 72 65 6D 65')

    def test_an_error_names_the_file_and_why(self):
        viewer = self.start(None)
        viewer.shows_toast('data.bin:\ncould not open: No such file or directory')

    def test_an_error_is_told_to_its_end(self):
        viewer = self.run_viewer(self.file(None, 'a-very-long-name-of-a-file-that-nobody-would-read-to-its-end-in-a-narrow-window.bin'))
        viewer.resize(360, 500)
        toast = viewer.shows_toast('No such file or directory')
        self.assertIn(':\n', toast.get_name())
        # Each of the two has a line.
        until('two lines', lambda: viewer.place(toast)[3] > 30 and viewer.place(toast)[2] < 340)

    def test_neither_a_folder_nor_a_pipe_is_shown(self):
        viewer = self.run_viewer(self.folder)
        viewer.shows_toast(os.path.basename(self.folder) + ': is a directory')
        viewer.close()
        path = os.path.join(self.folder, 'pipe')
        os.mkfifo(path)
        viewer = self.run_viewer(path)
        viewer.shows_toast('pipe: ')
        os.unlink(path)

    def test_help(self):
        environment = {name: value for name, value in self.display.environment.items() if name != 'DISPLAY'}
        help_text = subprocess.run([VIEWER, '--help'], env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        self.assertIn('mmio-viewer [OPTION…] [FILE…]', help_text)
        wrong = subprocess.run([VIEWER, '--nonsense'], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn('--nonsense', wrong.stderr)


class Files(unittest.TestCase):
    """What is told of it to the desktop and to shops of software."""

    def validate(self, *command):
        if shutil.which(command[0]) is None:
            self.skipTest(f'{command[0]} is not installed')
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_desktop_file(self):
        self.validate('desktop-file-validate', os.path.join(DATA, 'org.libmmio.Viewer.desktop'))

    def test_metainfo(self):
        self.validate('appstreamcli', 'validate', '--no-net', os.path.join(DATA, 'org.libmmio.Viewer.metainfo.xml'))

    def test_metainfo_with_screenshots(self):
        template = os.path.join(SOURCE, 'examples/viewer/data/org.libmmio.Viewer.metainfo.xml.in')
        with open(template, encoding='utf-8') as file:
            text = file.read()
        shown = [line.split('@screenshots@/')[1].split('<')[0] for line in text.splitlines() if '@screenshots@' in line]
        self.assertGreaterEqual(len(shown), 3)
        for name in shown:
            size = os.path.getsize(os.path.join(SOURCE, 'examples/viewer/screenshots', name))
            self.assertLess(size, 100 * 1024, name)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'org.libmmio.Viewer.metainfo.xml')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text.replace('@screenshots@', 'https://example.org/screenshots').replace('@VERSION@', '1.0.0'))
            self.validate('appstreamcli', 'validate', '--no-net', path)

    def test_icons(self):
        folder = os.path.join(SOURCE, 'examples/viewer/data')
        for name in ('org.libmmio.Viewer.svg', 'org.libmmio.Viewer-symbolic.svg'):
            with open(os.path.join(folder, name), encoding='utf-8') as file:
                self.assertIn('<svg', file.read())


# It has no tests of its own.
del ViewerCase

if __name__ == '__main__':
    unittest.main()
