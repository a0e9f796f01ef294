#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The viewer as somebody meets it who can't see it: started on a display and a session bus of its own, and driven through
# accessibility. With MMIO_SCREENSHOTS, a folder, and ImageMagick, pictures of it are put there.

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

# What the session bus starts, as the accessibility bus, ends with it.
if 'MMIO_VIEWER_SESSION' not in os.environ and shutil.which('dbus-run-session'):
    os.environ['MMIO_VIEWER_SESSION'] = 'own'
    for name in ('G_DEBUG', 'MALLOC_PERTURB_', 'DBUS_SESSION_BUS_ADDRESS', 'WAYLAND_DISPLAY'):
        os.environ.pop(name, None)
    # With a DISPLAY of somebody else's the accessibility bus would be looked for there; it has its socket in the runtime directory.
    os.environ.pop('DISPLAY', None)
    os.environ['XDG_RUNTIME_DIR'] = tempfile.mkdtemp()
    os.execvp('dbus-run-session', ['dbus-run-session', '--', sys.executable, *sys.argv])

import gi

VIEWER = os.path.join(os.environ.get('top_builddir', '.'), 'examples/viewer/mmio-viewer')
# So long a slow and busy machine may take.
PATIENCE = 60


def missing():
    for program in ('dbus-run-session', 'Xvfb', 'gjs'):
        if shutil.which(program) is None:
            return f'{program} is not installed'
    for namespace, version in (('Gtk', '4.0'), ('Adw', '1'), ('Atspi', '2.0')):
        try:
            gi.require_version(namespace, version)
        except ValueError as error:
            return str(error)
    if not os.path.exists('/usr/share/dbus-1/services/org.a11y.Bus.service'):
        return 'there is no accessibility bus'
    if not os.path.exists(VIEWER):
        return 'the viewer was not built'
    return None


REASON = missing()
if REASON is None:
    from gi.repository import Atspi, GLib

    BUTTONS = (Atspi.Role.PUSH_BUTTON, Atspi.Role.TOGGLE_BUTTON)


def until(what, condition):
    """Iterates the main loop until the condition gives something, and gives that."""
    end = time.monotonic() + PATIENCE
    context = GLib.MainContext.default()
    while True:
        while context.pending():
            context.iteration(False)
        try:
            result = condition()
        except (GLib.Error, AttributeError):
            # What was asked is gone, or busy.
            result = None
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f'not within {PATIENCE} s: {what}')
        GLib.timeout_add(50, lambda: False)
        context.iteration(True)


def walk(node):
    yield node
    for i in range(node.get_child_count()):
        child = node.get_child_at_index(i)
        if child is not None:
            yield from walk(child)


def texts(node):
    return [(text or '').replace('\xa0', ' ') for text in (node.get_name(), node.get_description())]


@unittest.skipIf(REASON is not None, REASON)
class Viewer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.bus_folder = os.environ['XDG_RUNTIME_DIR']
        reading, writing = os.pipe()
        cls.server = subprocess.Popen(
            ['Xvfb', '-displayfd', str(writing), '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'],
            pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        if not number:
            cls.server.wait()
            raise unittest.SkipTest('Xvfb does not start here')
        cls.environment = {
            **os.environ, 'DISPLAY': f':{number}', 'GDK_BACKEND': 'x11', 'GSK_RENDERER': 'cairo', 'GTK_A11Y': 'atspi',
            'GIO_USE_VFS': 'local', 'GSETTINGS_BACKEND': 'memory', 'HOME': cls.folder, 'LANGUAGE': 'en',
            'XDG_DATA_HOME': cls.folder, 'XDG_CACHE_HOME': cls.folder, 'XDG_CONFIG_HOME': cls.folder,
        }
        os.environ['DISPLAY'] = f':{number}'
        Atspi.init()
        Atspi.set_timeout(PATIENCE * 1000, PATIENCE * 1000)

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait()
        shutil.rmtree(cls.folder, ignore_errors=True)
        shutil.rmtree(cls.bus_folder, ignore_errors=True)

    def start(self, content, **environment):
        self.path = os.path.join(self.folder, 'data.bin')
        if content is not None:
            with open(self.path, 'wb') as file:
                file.write(content)
        self.program = subprocess.Popen([VIEWER, self.path], env={**self.environment, **environment})
        self.addCleanup(self.stop)
        self.application = until('the application', self.find_application)

    def stop(self):
        self.program.terminate()
        self.program.wait()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def find_application(self):
        self.assertIsNone(self.program.poll(), 'the viewer has ended')
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(i)
            if child is not None and child.get_process_id() == self.program.pid:
                return child
        return None

    def nodes(self):
        self.assertIsNone(self.program.poll(), 'the viewer has ended')
        self.application.clear_cache()
        return walk(self.application)

    def shows(self, text):
        """Somebody is told that text: it is part of a name or a description."""
        return until(text, lambda: any(text in told for node in self.nodes() for told in texts(node)))

    def click(self, name):
        # GTK 4.8 tells a mnemonic's text before the text.
        def find():
            return next((node for node in self.nodes() if node.get_role() in BUTTONS and
                         (node.get_name() == name or node.get_name().endswith(' ' + name)) and
                         node.get_action_iface() and node.get_action_iface().get_n_actions() > 0), None)
        clicked = False

        def click():
            nonlocal clicked
            node = find()
            if node is None:
                # It went away with a click whose answer was too late.
                return clicked
            clicked = True
            return node.get_action_iface().do_action(0)
        until('a click on ' + name, click)

    def enter(self, name, text):
        node = until(name, lambda: next((n for n in self.nodes() if n.get_name() == name and n.get_editable_text_iface()), None))
        until('the text', lambda: node.get_editable_text_iface().set_text_contents(text))
        return node

    def go_to(self, text):
        self.click('0x0000')
        self.enter('Offset', text)
        self.click('Go')

    def picture(self, name):
        folder = os.environ.get('MMIO_SCREENSHOTS')
        if folder and shutil.which('import'):
            time.sleep(1)
            subprocess.run(['import', '-window', 'root', '-trim', os.path.join(folder, f'{name}.png')], env=self.environment, check=True)

    def test_rows(self):
        self.start(bytes(range(256)) * 4)
        self.shows('0000: 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F')
        self.shows('Byte at 0x0000: 00')
        self.shows('1.0 KiB')

    def test_a_terabyte(self):
        self.path = os.path.join(self.folder, 'data.bin')
        with open(self.path, 'wb') as file:
            file.truncate(1 << 40)
            file.seek((1 << 40) - 16)
            file.write(b'the very end of.')
        self.start(None)
        self.go_to('100%')
        # There is no byte behind the last one.
        self.enter('Offset', '0xFFFFFFFFF0')
        self.click('Go')
        self.shows('FFFFFFFFF0: 74 68 65 20 76 65 72 79 20 65 6E 64 20 6F 66 2E the very end of.')

    def test_values(self):
        self.start(b'\x01\x02\x00\x00\x00\x00\x00\x80' + bytes(1000))
        self.click('Values at the Cursor')
        self.shows('Unsigned 16-bit: 513')
        self.shows('Unsigned 64-bit: 9223372036854776321')
        self.click('Big Endian')
        self.shows('Unsigned 16-bit: 258')
        self.picture('window')

    def test_find(self):
        self.start(bytes(5000) + b'needle' + bytes(5000) + b'needle' + bytes(100))
        self.shows('0000: 00')
        self.click('Find')
        self.enter('Find', 'needle')
        self.shows('1 of 2 matches')
        self.shows('Byte at 0x138D: 65, e')
        self.click('Next Match')
        self.shows('2 of 2 matches')
        self.picture('find')

    def test_changes(self):
        self.start(b'a' * 100)
        self.shows('0000: 61 61')
        with open(self.path, 'r+b') as file:
            file.write(b'Z')
        self.shows('0000: 5A 61')
        with open(self.path, 'ab') as file:
            file.write(b'b' * 4000)
        # Its end was in view, and so is its new one.
        self.shows('1000: 62 62 62 62')
        self.shows('Settled')

    def test_truncated(self):
        self.start(b'a' * 100000)
        self.shows('0000: 61 61')
        os.truncate(self.path, 20)
        self.shows('The file was cut off: 20 bytes of 97.7 KiB are left')
        self.shows('0010: 61 61 61 61 aaaa')

    def test_replaced(self):
        self.start(b'a' * 100)
        self.shows('0000: 61 61')
        with open(self.path + '.new', 'wb') as file:
            file.write(b'new!' * 10)
        os.rename(self.path + '.new', self.path)
        self.shows('Another file was saved in place of this one')
        self.picture('narrow')
        self.shows('0000: 61 61')
        self.click('Reload')
        self.shows('0000: 6E 65 77 21')

    def test_removed(self):
        self.start(b'a' * 100)
        self.shows('0000: 61 61')
        os.unlink(self.path)
        self.shows('The file was removed or renamed.')
        self.shows('0000: 61 61')

    def test_an_error_names_the_file_and_why(self):
        self.start(None)
        self.shows('data.bin: ')
        self.shows('No such file or directory')


if __name__ == '__main__':
    unittest.main()
