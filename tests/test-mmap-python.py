# SPDX-License-Identifier: LGPL-2.1-or-later
#
# mmio_mmap against Python's own mmap: the same calls on both, and the same comes of them, values and exceptions alike.

import copy
import errno
import mmap
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import weakref

import mmio_mmap

CONTENT = b'first line\nsecond line\nlast' + bytes(range(256)) * 40
MODULES = (mmap, mmio_mmap)


def seek(mapping, *arguments):
    """Gives the position: what seek() itself gives from Python 3.13 on."""
    mapping.seek(*arguments)
    return mapping.tell()


class MmapTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='mmio-')
        self.addCleanup(shutil.rmtree, self.folder)

    def open(self, module, content=CONTENT, how=os.O_RDWR):
        path = os.path.join(self.folder, module.__name__)
        with open(path, 'wb') as file:
            file.write(content)
        fd = os.open(path, how)
        self.addCleanup(os.close, fd)
        return fd

    def content(self, module):
        with open(os.path.join(self.folder, module.__name__), 'rb') as file:
            return file.read()

    def outcome(self, function, *args):
        """What a call gives; of an exception, the builtin type that a program would catch."""
        try:
            return function(*args)
        except Exception as error:
            for builtin in (TypeError, IndexError, BufferError, PermissionError, OverflowError, ValueError, OSError):
                if isinstance(error, builtin):
                    return builtin
            raise

    def same(self, function, *, content=CONTENT, how=os.O_RDWR, arguments=(0,), **keywords):
        """Runs function on a mapping of either kind: all that it gives or raises, and what is in the file then, has to be the same."""
        outcomes = []
        for module in MODULES:
            fd = self.open(module, content, how)
            keys = {key: getattr(module, value) if isinstance(value, str) else value for key, value in keywords.items()}
            steps = []

            def step(call, *args):
                steps.append(self.outcome(call, *args))

            with module.mmap(fd, *arguments, **keys) as mapping:
                function(mapping, step)
            outcomes.append((steps, self.content(module)))
        self.assertEqual(outcomes[0], outcomes[1])


class Construction(MmapTest):
    def test_arguments(self):
        page = mmap.PAGESIZE
        for arguments, keywords in (((0,), {}), ((10,), {}), ((100000,), {}), ((-1,), {}), ((0,), {'offset': page}),
                                    ((0,), {'offset': 1}), ((0,), {'offset': -page}), ((0,), {'offset': 100 * page}),
                                    ((10,), {'offset': page}), ((page * 2,), {'offset': page * 2}),
                                    ((0, mmap.MAP_PRIVATE), {}), ((0, mmap.MAP_SHARED, mmap.PROT_READ), {}),
                                    ((0,), {'access': mmap.ACCESS_READ}), ((0,), {'access': mmap.ACCESS_COPY}),
                                    ((0,), {'access': 99}),
                                    ((0, mmap.MAP_PRIVATE), {'access': mmap.ACCESS_READ})):
            for how in (os.O_RDWR, os.O_RDONLY):
                outcomes = []
                for module in MODULES:
                    fd = self.open(module, how=how)
                    outcomes.append(self.outcome(lambda: len(module.mmap(fd, *arguments, **keywords))))
                self.assertEqual(outcomes[0], outcomes[1], (arguments, keywords, how))

    def test_empty_file(self):
        for module in MODULES:
            fd = self.open(module, b'')
            with self.assertRaises(ValueError):
                module.mmap(fd, 0)

    def test_closed_descriptor_is_an_os_error(self):
        for module in MODULES:
            fd = os.dup(self.open(module))
            os.close(fd)
            with self.assertRaises(OSError):
                module.mmap(fd, 0)

    def test_auditing_hooks_hear_of_it(self):
        heard = []
        listening = True
        # A hook stays as long as the interpreter.
        sys.addaudithook(lambda event, arguments: heard.append(arguments) if listening and event == 'mmap.__new__' else None)
        for module in MODULES:
            module.mmap(-1, 13, access=mmap.ACCESS_WRITE).close()
        listening = False
        self.assertEqual(heard, [(-1, 13, mmap.ACCESS_WRITE, 0)] * 2)

    def test_anonymous_memory_is_shared_with_a_child(self):
        for module in MODULES:
            with module.mmap(-1, 13) as mapping:
                self.assertEqual(mapping[:], bytes(13))
                pid = os.fork()
                if pid == 0:
                    mapping[0:5] = b'child'
                    os._exit(0)
                os.waitpid(pid, 0)
                self.assertEqual(mapping[:5], b'child')

    def test_constants_are_there(self):
        for name in dir(mmap):
            if name.isupper() or '_' in name[1:] and name.split('_')[0].isupper():
                self.assertEqual(getattr(mmio_mmap, name), getattr(mmap, name))
        self.assertIs(mmio_mmap.error, OSError)


class Bytes(MmapTest):
    def test_items_and_slices(self):
        def steps(m, step):
            for index in (0, 5, -1, len(CONTENT), -len(CONTENT) - 1, 'x', None):
                step(lambda: m[index])
            for part in (slice(0, 5), slice(-4, None), slice(None), slice(10, 5), slice(3, 999999), slice(None, 50, 7),
                         slice(None, None, -1)):
                step(lambda: m[part])
            for index, value in ((0, 65), (-1, 66), (0, 256), (0, -1), (0, b'a'), (999999, 1), (slice(2, 4), b'xy'),
                                 (slice(2, 4), b'xyz'), (slice(0, 10, 2), b'12345'), (slice(0, 10, 2), b'1'),
                                 (slice(4, 4), b''), (slice(0, 1), 5)):
                step(m.__setitem__, index, value)
            step(lambda: len(m))
            step(lambda: b'f' in m)
            step(lambda: [next(iter(m)), list(m)[-1], next(reversed(m))])
            step(m.__delitem__, 0)
            step(m.__delitem__, slice(0, 5))
        self.same(steps)
        self.same(steps, access='ACCESS_READ')
        self.same(steps, access='ACCESS_COPY')

    def test_a_window_on_the_file(self):
        def steps(m, step):
            step(lambda: m[:])
            step(lambda: m[-1])
            step(lambda: m[5000])
            step(m.find, b'\n')
            step(m.rfind, b'\x05')
            step(m.__setitem__, 0, 1)
            step(seek, m, 0, os.SEEK_END)
            step(m.size)
            step(m.move, 0, 10, 10)
            step(m.flush)
        self.same(steps, arguments=(5000,), offset=mmap.PAGESIZE)

    def test_find(self):
        def steps(m, step):
            for position in (0, 15, len(CONTENT)):
                step(seek, m, position)
                for sub in (b'line', b'\n', b'nowhere', b'', b'\xff\x00'):
                    # Where end is before start, mmap finds b'' nevertheless.
                    for bounds in ((), (0,), (12,), (0, 8), (-100,), (-100, -50), (0, 999999), (30, 20))[:None if sub else -1]:
                        step(m.find, sub, *bounds)
                        step(m.rfind, sub, *bounds)
            step(m.find, 'text')
            step(m.find, 5)
        self.same(steps)

    def test_move(self):
        def steps(m, step):
            for arguments in ((0, 5, 10), (5, 0, 10), (0, 0, 0), (len(CONTENT), 0, 1), (0, len(CONTENT) - 1, 2), (-1, 0, 1),
                              (0, -1, 1), (0, 0, -1)):
                step(m.move, *arguments)
        self.same(steps)
        self.same(steps, access='ACCESS_READ')


    def test_numbers_that_close_it(self):
        """What stands for a number may do anything: nothing is looked at then, or written to."""
        class Closing:
            def __init__(self, mapping):
                self.mapping = mapping

            def __index__(self):
                self.mapping.close()
                return 10

        for call in (lambda m, x: m[x], lambda m, x: m[x:20], lambda m, x: m[x:20:2], lambda m, x: m[20:x:-2], lambda m, x: m.read(x),
                     lambda m, x: m.find(b'1', 1, x), lambda m, x: m.__setitem__(x, 1), lambda m, x: m.__setitem__(1, x),
                     lambda m, x: m.__setitem__(slice(x, 20), bytes(10)), lambda m, x: m.__setitem__(slice(20, x, -2), bytes(5)),
                     lambda m, x: m.move(1, 2, x), lambda m, x: m.write_byte(x), lambda m, x: m.seek(x), lambda m, x: m.flush(0, x),
                     lambda m, x: m.madvise(mmap.MADV_NORMAL, 0, x), lambda m, x: m.resize(x)):
            mapping = mmio_mmap.mmap(-1, 100)
            with self.assertRaisesRegex(ValueError, 'mmap closed or invalid'):
                call(mapping, Closing(mapping))


class Stream(MmapTest):
    def test_reading(self):
        def steps(m, step):
            step(m.tell)
            step(m.read, 5)
            step(m.read_byte)
            step(m.readline)
            step(m.readline)
            step(m.tell)
            step(m.read, 0)
            step(m.readline)
            for arguments in ((3,), (-3,), (2, os.SEEK_CUR), (-2, os.SEEK_CUR), (-5, os.SEEK_END), (1, os.SEEK_END),
                              (999999,), (0, 9)):
                step(seek, m, *arguments)
            step(m.read)
            step(m.read)
            step(m.read_byte)
            step(m.readline)
            step(seek, m, 0)
            step(m.read, None)
            step(seek, m, 1)
            step(m.read, 5.5)
            step(m.read, -1)
        self.same(steps)

    def test_writing(self):
        def steps(m, step):
            step(m.write, b'abc')
            step(m.write, bytearray(b'def'))
            step(m.tell)
            step(m.write_byte, 65)
            step(m.write_byte, 256)
            step(m.write_byte, b'a')
            step(m.write, 'text')
            step(seek, m, -2, os.SEEK_END)
            step(m.write, b'xyz')
            step(m.write, b'yz')
            step(m.write_byte, 1)
            step(m.tell)
        self.same(steps)
        self.same(steps, access='ACCESS_READ')
        self.same(steps, access='ACCESS_COPY')


class Life(MmapTest):
    def test_flush_and_madvise(self):
        def steps(m, step):
            for arguments in ((), (0, 10), (mmap.PAGESIZE, 10), (1, 10), (0, 999999), (-mmap.PAGESIZE, 5)):
                step(m.flush, *arguments)
            for option in (mmap.MADV_NORMAL, mmap.MADV_RANDOM, mmap.MADV_SEQUENTIAL, mmap.MADV_WILLNEED):
                step(m.madvise, option)
            step(m.madvise, mmap.MADV_NORMAL, mmap.PAGESIZE, 100)
            step(m.madvise, mmap.MADV_NORMAL, 1)
            step(m.madvise, mmap.MADV_NORMAL, 999999)
            step(m.madvise, mmap.MADV_NORMAL, 0, -1)
            step(m.madvise, 9999)
        self.same(steps)
        self.same(steps, access='ACCESS_READ')

    def test_resize(self):
        def steps(m, step):
            step(m.resize, 20000)
            step(lambda: (len(m), m.size(), m[-1], m[:10]))
            step(m.resize, 5)
            step(lambda: (len(m), m.size(), m[:]))
            step(lambda: m[5])
        self.same(steps)
        self.same(steps, access='ACCESS_READ')
        self.same(steps, access='ACCESS_COPY')

    def test_the_position_may_be_past_the_end(self):
        def steps(m, step):
            step(seek, m, 10000)
            step(m.resize, 5000)
            step(m.tell)
            step(m.read, 5)
            step(m.read)
            step(m.readline)
            step(m.read_byte)
            step(m.write, b'abc')
            step(m.write_byte, 1)
        self.same(steps)

    def test_private_anonymous_memory(self):
        for module in MODULES:
            with module.mmap(-1, 5000, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as mapping:
                mapping[0:6] = b'parent'
                pid = os.fork()
                if pid == 0:
                    mapping[0:6] = b'child!'
                    os._exit(0)
                os.waitpid(pid, 0)
                self.assertEqual(mapping[:6], b'parent')
                mapping.resize(10000)
                self.assertEqual((len(mapping), mapping[:6], mapping[-1]), (10000, b'parent', 0))

    def test_untracked_descriptors(self):
        fd = self.open(mmio_mmap)
        with mmio_mmap.mmap(fd, 100, trackfd=False) as mapping:
            with self.assertRaises(OSError) as caught:
                mapping.size()
            self.assertEqual(caught.exception.errno, errno.EBADF)
            with self.assertRaises(ValueError):
                mapping.resize(50)
            mapping[0:5] = b'still'
            mapping.flush()
            self.assertEqual(len(mapping), 100)
        self.assertEqual(self.content(mmio_mmap)[:5], b'still')
        self.assertEqual(len(self.content(mmio_mmap)), len(CONTENT))

    def test_all_that_mmap_has(self):
        there = {name for name in dir(mmap.mmap) if not name.startswith('_')}
        self.assertEqual(there - set(dir(mmio_mmap.mmap)), set())

    def test_it_is_an_object(self):
        class Anonymous(mmio_mmap.mmap):
            def __new__(cls, *args, **kwargs):
                return super().__new__(cls, -1, *args, **kwargs)

        mapping = Anonymous(10)
        self.assertIsInstance(mapping, mmio_mmap.mmap)
        self.assertTrue(mapping.seekable())
        self.assertEqual(mapping.seek(3), 3)
        for function in (copy.copy, copy.deepcopy, pickle.dumps):
            with self.assertRaises(TypeError):
                function(mapping)
        self.assertEqual(mapping, mapping)
        self.assertNotEqual(mapping, Anonymous(10))
        reference = weakref.ref(mapping)
        self.assertIs(reference(), mapping)
        del mapping
        self.assertIsNone(reference())

    def test_representation(self):
        page = mmap.PAGESIZE
        for access in ('ACCESS_DEFAULT', 'ACCESS_READ', 'ACCESS_WRITE', 'ACCESS_COPY'):
            texts = []
            for module in MODULES:
                mapping = module.mmap(self.open(module), 100, access=getattr(module, access), offset=page)
                mapping.seek(5)
                texts.append(repr(mapping).split(' ', 1)[1])
            self.assertEqual(texts[0], texts[1])

    def test_closed(self):
        for module in MODULES:
            mapping = module.mmap(self.open(module), 0)
            self.assertFalse(mapping.closed)
            mapping.close()
            mapping.close()
            self.assertTrue(mapping.closed)
            self.assertIn('closed=True', repr(mapping))
            for call in (lambda: mapping[0], lambda: mapping[:], lambda: mapping.__setitem__(0, 1), lambda: len(mapping),
                         mapping.read, mapping.read_byte, mapping.readline, mapping.tell, mapping.size, mapping.flush,
                         lambda: mapping.find(b'a'), lambda: mapping.write(b'a'), lambda: mapping.resize(1),
                         lambda: mapping.move(0, 0, 1), lambda: mapping.seek(0), lambda: mapping.madvise(mmap.MADV_NORMAL)):
                with self.assertRaises(ValueError):
                    call()

    def test_closing_under_a_view_is_a_buffer_error(self):
        mapping = mmio_mmap.mmap(self.open(mmio_mmap), 0)
        view = mapping.view()
        view[0:5] = b'views'
        self.assertEqual(mapping[:5], b'views')
        with self.assertRaises(BufferError):
            mapping.close()
        with self.assertRaises(BufferError):
            mapping.resize(10)
        view.release()
        mapping.close()

    @unittest.skipUnless(mmio_mmap.mmap.__base__ is not object or sys.version_info >= (3, 12),
                         'without the extension classes have the buffer protocol from Python 3.12 on')
    def test_memoryview(self):
        with mmio_mmap.mmap(self.open(mmio_mmap), 0) as mapping, memoryview(mapping) as view:
            self.assertEqual(view[:5], b'first')
            self.assertIsNotNone(re.search(b'second', mapping))
            with self.assertRaises(BufferError):
                mapping.close()

    def test_the_buffer_protocol_gives_the_view(self):
        """What Python calls from 3.12 on, called by hand."""
        with mmio_mmap.mmap(self.open(mmio_mmap), 0, access=mmap.ACCESS_READ) as mapping, mapping.__buffer__(0) as view:
            self.assertEqual((view[:5], view.readonly, len(view)), (b'first', True, len(CONTENT)))
            with self.assertRaises(BufferError):
                mapping.close()

    def test_the_descriptor_may_be_closed(self):
        for module in MODULES:
            fd = os.dup(self.open(module))
            mapping = module.mmap(fd, 0)
            os.close(fd)
            self.assertEqual(mapping.size(), len(CONTENT))
            self.assertEqual(mapping[:5], b'first')
            mapping.close()

    def test_truncation_is_an_error_and_no_signal(self):
        with mmio_mmap.mmap(self.open(mmio_mmap), 0, access=mmio_mmap.ACCESS_READ) as mapping:
            subprocess.run(['truncate', '-s', '10', os.path.join(self.folder, 'mmio_mmap')], check=True)
            with self.assertRaises(EOFError):
                mapping[9000:9010]
            self.assertEqual(mapping[:5], b'first')
