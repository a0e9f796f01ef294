# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Another process truncates the file and writes it again at random moments, while Python uses it in every way it has. The bytes are
# those of test-faults-truncate.c, whose program does the truncating.

import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import GLib, Mmio  # noqa: E402

PAGE = os.sysconf('SC_PAGESIZE')
SIZE = 48 * PAGE
FILL_FROM = 40 * PAGE
COUNTERS = 46 * PAGE
CONTENT = bytes(offset % 251 + 1 for offset in range(FILL_FROM)) + b'\xfe' * (SIZE - FILL_FROM)
TRUNCATIONS = 1000 if 'MMIO_TEST_THOROUGH' in os.environ else 150
TRUNCATE = os.path.join(os.environ['G_TEST_BUILDDIR'], 'test-faults-truncate')


class Zeros:
    """Pages behind the end that were called a success: see test-faults-truncate.c."""

    pages = 0


def is_plausible(offset, data):
    """The bytes of the file, or zeros where it was cut off for a moment.

    What is read meanwhile can have zeros before bytes that are there again.
    """
    expected = CONTENT[offset:offset + len(data)]
    if data == expected:
        return True
    Zeros.pages += sum(data[i] == 0 for i in range(-offset % PAGE, len(data) - 1, PAGE))
    return all(byte in (right, 0) for byte, right in zip(data, expected, strict=True))


class Truncated(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='mmio-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, 'file')
        with open(self.path, 'wb') as file:
            file.write(CONTENT)
        self.seed = random.SystemRandom().randrange(2 ** 31)
        self.random = random.Random(self.seed)

    def span(self, end=COUNTERS):
        offset = self.random.randrange(end)
        return offset, self.random.randrange(1, min(end - offset, 6 * PAGE) + 1)

    def read(self, file):
        offset, length = self.span()
        self.assertTrue(is_plausible(offset, bytes(file.read(offset, length))), 'read')

    def item(self, file):
        offset, length = self.span()
        data = file[offset:offset + length]
        self.assertTrue(is_plausible(offset, data), 'items')

    def write(self, file):
        offset, length = self.span(SIZE)
        file.write(offset, CONTENT[offset:offset + length])

    def fill(self, file):
        file.fill(FILL_FROM, COUNTERS - FILL_FROM, 0xfe)

    def number(self, file):
        file.get_uint32(self.random.randrange(COUNTERS - 4))

    def find(self, file):
        at = self.random.randrange(FILL_FROM - 64)
        self.assertIn(file.find(CONTENT[at:at + 16], at, at + 64), (at, -1, None))

    def view(self, file):
        offset, length = self.span()
        view = file.get_view(offset, length)
        data = bytes(view.memory())
        view.check()
        self.assertTrue(is_plausible(offset, data), 'view')

    def memory(self, file):
        offset, length = self.span()
        with file.view(offset, length) as memory:
            self.assertEqual(len(bytes(memory)), length)

    def writable(self, file):
        offset, length = self.span()
        with file.view(offset, length, writable=True) as memory:
            memory[:] = CONTENT[offset:offset + length]

    def chunks(self, file):
        for chunk in file.chunks(3000):
            sum(chunk[::512])

    def stream(self, file):
        with file.open_stream(writable=False) as stream:
            offset, length = self.span()
            stream.seek(offset)
            self.assertTrue(is_plausible(offset, stream.read(length)), 'stream')

    def atomic(self, file):
        counters = file.get_atomic_u64(COUNTERS, 16)
        counters.add(self.random.randrange(16), 1)

    def test_every_access_survives(self):
        accesses = (self.read, self.item, self.write, self.fill, self.number, self.find, self.view, self.memory, self.writable,
                    self.chunks, self.stream, self.atomic, lambda file: file.refresh())
        succeeded, refused = 0, 0
        print(f'# seed {self.seed}', flush=True)
        with Mmio.File.open(self.path, 'r+') as file:
            process = subprocess.Popen([TRUNCATE, '--truncate', self.path, str(TRUNCATIONS), str(self.seed)])
            self.addCleanup(process.kill)
            while process.poll() is None:
                try:
                    self.random.choice(accesses)(file)
                    succeeded += 1
                except (GLib.Error, IndexError, ValueError, OSError) as error:
                    self.assertNotIsInstance(error, Mmio.ClosedError)
                    refused += 1
                while GLib.MainContext.default().iteration(False):
                    pass
            self.assertEqual(process.returncode, 0)
            file.refresh()
            self.assertEqual(file[:COUNTERS], CONTENT[:COUNTERS])
        print(f'# python: {TRUNCATIONS} random truncations survived; {succeeded} accesses succeeded, {refused} were refused', flush=True)
        self.assertGreater(succeeded, 0)
        self.assertLessEqual(Zeros.pages, 100 + refused)


FULL = '''
import errno, gi
gi.require_version('Mmio', '1.0')
from gi.repository import Mmio

with Mmio.File.create('disk/file', 1 << 20) as file:
    written = 0
    try:
        for page in range(256):
            file[page * 4096] = page % 255 + 1
            written += 1
    except OSError as error:
        assert isinstance(error, Mmio.NoSpaceError) and error.errno == errno.ENOSPC, repr(error)
    assert 0 < written < 256, written
    for write in (lambda: file.write(1 << 19, bytes(4096)), lambda: file.__setitem__(slice(1 << 19, (1 << 19) + 5), b'bytes'),
                  lambda: file.set_uint32(1 << 19, 1), lambda: file.fill(1 << 19, 4096, 1)):
        try:
            write()
        except Mmio.NoSpaceError:
            continue
        raise AssertionError('a write into a full disk was no error')
    assert [file[page * 4096] for page in range(written)] == [page % 255 + 1 for page in range(written)]
'''


class Full(unittest.TestCase):
    def test_a_full_disk_is_an_os_error(self):
        folder = tempfile.mkdtemp(prefix='mmio-')
        self.addCleanup(shutil.rmtree, folder)
        os.mkdir(os.path.join(folder, 'disk'))
        # Gone with the process that sees it.
        command = ['unshare', '--mount'] if os.geteuid() == 0 else ['unshare', '--mount', '--map-root-user']
        mount = 'mount -t tmpfs -o size=256k mmio disk'
        if shutil.which('unshare') is None or subprocess.run([*command, 'sh', '-c', mount], cwd=folder, capture_output=True).returncode:
            self.skipTest('no file system can be mounted here')
        subprocess.run([*command, 'sh', '-c', mount + ' && exec "$@"', 'sh', sys.executable, '-c', FULL], cwd=folder, check=True)


# A wrapper with an attribute has Python wait for its interpreter when somebody takes the second reference on its file.
LET_GO = '''
import os, sys
import gi
gi.require_version('Mmio', '1.0')
from gi.repository import Mmio

path, other = sys.argv[1:]
file = Mmio.File.open(path, 'r+')
file.attribute = True
for i in range(300):
    view = file.get_view(0, 65536)
    os.truncate(path, 0)
    view.get_bytes().get_data()
    del view
    for j in range(3):
        another = Mmio.File.open(other)
        another.attribute = True
        view = another.get_view(0, 1)
        del view, another
    os.truncate(path, 65536)
    file.refresh()
'''

LET_GO_FLUSHED = '''
import sys
import gi
gi.require_version('Mmio', '1.0')
from gi.repository import Mmio

path, other = sys.argv[1:]
file = Mmio.File.open(path, 'r+')
file.attribute = True
file.props.flush_threshold = 1
file.props.flush_policy = Mmio.FlushPolicy.EVERY_MILLIS
for i in range(10000):
    file.write(0, b'pending')
    another = Mmio.File.open(other)
    another.attribute = True
    view = another.get_view(0, 1)
    del view, another
'''

LET_GO_WATCHED = '''
import os
import sys
import threading
import gi
gi.require_version('Mmio', '1.0')
from gi.repository import GLib, Mmio

path, other = sys.argv[1:]
loop = GLib.MainLoop()
file = Mmio.File.open(path)
file.attribute = True
file.connect('changed', lambda *_: None)
file.watch(Mmio.WatchFlags.NONE)

def let_go():
    fd = os.open(path, os.O_WRONLY)
    for i in range(10000):
        os.pwrite(fd, b'changed', 0)
        another = Mmio.File.open(other)
        another.attribute = True
        view = another.get_view(0, 1)
        del view, another
    os.close(fd)
    GLib.idle_add(loop.quit)

threading.Thread(target=let_go).start()
loop.run()
'''


class LetGo(unittest.TestCase):
    def let_go(self, program):
        folder = tempfile.mkdtemp(prefix='mmio-')
        self.addCleanup(shutil.rmtree, folder)
        paths = [os.path.join(folder, name) for name in ('file', 'another')]
        for path in paths:
            with open(path, 'wb') as file:
                file.write(bytes(65536))
        subprocess.run([sys.executable, '-c', program, *paths], check=True, timeout=120)

    def test_a_fault_does_not_hang_who_lets_go_of_another_file(self):
        self.let_go(LET_GO)

    def test_a_flush_by_the_clock_does_not_hang_who_lets_go_of_another_file(self):
        self.let_go(LET_GO_FLUSHED)

    def test_what_a_watch_tells_does_not_hang_who_lets_go_of_another_file(self):
        self.let_go(LET_GO_WATCHED)


if __name__ == '__main__':
    unittest.main()
