# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A mapped file from Python: what is promised in C where the language could break it, and what is Python's own.

import asyncio
import ctypes
import errno
import gc
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import Gio, GLib, Mmio  # noqa: E402

TIMEOUT = 60000
SIGNALS = ('changed', 'metadata', 'removed', 'replaced')


class FileTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='mmio-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, 'file')
        with open(self.path, 'wb') as file:
            file.write(bytes(range(200)))

    def content(self):
        with open(self.path, 'rb') as file:
            return file.read()


class Opening(FileTest):
    def test_modes_are_strings_or_enumeration(self):
        for mode, value in (('r', Mmio.Mode.READ_ONLY), ('rb', Mmio.Mode.READ_ONLY), ('r+', Mmio.Mode.READ_WRITE),
                            ('r+b', Mmio.Mode.READ_WRITE), ('rb+', Mmio.Mode.READ_WRITE), ('c', Mmio.Mode.COPY_ON_WRITE)):
            with Mmio.File.open(self.path, mode) as by_name, Mmio.File.open(self.path, value) as by_value:
                self.assertEqual(by_name.get_mode(), value)
                self.assertEqual(by_value.get_mode(), value)
        with self.assertRaises(ValueError):
            Mmio.File.open(self.path, 'w')
        for mode in (7, -1, None):
            with self.assertRaises(TypeError):
                Mmio.File.open(self.path, mode)

    def test_read_only_is_the_default(self):
        self.assertEqual(Mmio.File.open(self.path).get_mode(), Mmio.Mode.READ_ONLY)

    def test_properties_are_the_builder(self):
        with Mmio.File(path=self.path, mode=Mmio.Mode.READ_WRITE, reserve_size=1 << 20) as file:
            self.assertEqual(len(file), 200)
            self.assertEqual(file.props.reserve_size, 1 << 20)
        with Mmio.File(path=pathlib.Path(self.path), mode='r+') as file:
            self.assertEqual(file.get_mode(), Mmio.Mode.READ_WRITE)
        with self.assertRaises(FileNotFoundError):
            Mmio.File(path=self.path + '-')

    def test_every_way_of_opening_sees_the_file(self):
        with open(self.path, 'rb') as descriptor:
            ways = (Mmio.File.open_location(Gio.File.new_for_path(self.path)), Mmio.File.new_for_fd(descriptor),
                    Mmio.File.new_for_fd(descriptor.fileno(), 'r'), Mmio.File.open_or_create(self.path, 1))
        for file in ways:
            with file:
                self.assertEqual(file[:], bytes(range(200)))

    def test_create_makes_a_new_file_only(self):
        with self.assertRaises(FileExistsError):
            Mmio.File.create(self.path, 10)
        with Mmio.File.create(self.path, 10, Mmio.CreateFlags.REPLACE) as file:
            self.assertEqual(file[:], bytes(10))

    def test_errors_are_the_builtin_ones_too(self):
        with self.assertRaises(FileNotFoundError) as caught:
            Mmio.File.open(self.path + '-')
        self.assertIsInstance(caught.exception, GLib.Error)
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND))
        self.assertEqual(caught.exception.errno, 2)
        self.assertIn(self.path, str(caught.exception))
        with self.assertRaises(IsADirectoryError):
            Mmio.File.open(self.folder)
        os.chmod(self.path, 0)
        if os.geteuid() != 0:
            with self.assertRaises(PermissionError):
                Mmio.File.open(self.path)

    def test_errors_say_what_an_open_by_python_says(self):
        odd = b'missing\n\xff'
        long = 'n' * 300
        for path in ('missing', b'missing', pathlib.Path('missing'), odd, os.fsdecode(odd), '.', self.path + '/file', long, ''):
            if isinstance(path, (str, bytes)):
                path = os.path.join(os.fsencode(self.folder) if isinstance(path, bytes) else self.folder, path) if path else path
            with self.subTest(path=path):
                with self.assertRaises(OSError) as wanted:
                    open(path, 'r+b')
                for mode in ('r', 'r+'):
                    with self.assertRaises(OSError) as caught:
                        Mmio.File.open(path, mode)
                    self.assertIsInstance(caught.exception, type(wanted.exception))
                    self.assertEqual((caught.exception.errno, caught.exception.filename), (wanted.exception.errno, wanted.exception.filename))

    def test_errors_name_the_file_however_it_was_opened(self):
        missing = os.path.join(self.folder, 'missing')
        there = os.path.join(missing, 'file')

        async def awaited(call):
            await call()

        for path, call in ((missing, lambda: Mmio.File(path=missing)),
                           (missing, lambda: Mmio.File.open_location(Gio.File.new_for_path(missing))),
                           (missing, lambda: Mmio.File.open_location(location=Gio.File.new_for_path(missing))),
                           (missing, lambda: asyncio.run(awaited(lambda: Mmio.File.open_async(missing)))),
                           (missing, lambda: asyncio.run(awaited(lambda: Mmio.File.open_location_async(Gio.File.new_for_path(missing))))),
                           (there, lambda: Mmio.File.create(there, 1)),
                           (there, lambda: Mmio.File.create(path=there, size=1)),
                           (there, lambda: Mmio.File.open_or_create(there, 1)),
                           (there, lambda: asyncio.run(awaited(lambda: Mmio.File.create_async(there, 1))))):
            with self.assertRaises(FileNotFoundError) as caught:
                call()
            self.assertEqual((caught.exception.filename, caught.exception.errno), (path, errno.ENOENT))
        for fd in (-1, 2 ** 20):
            with self.assertRaises(OSError) as caught:
                Mmio.File.new_for_fd(fd)
            self.assertEqual((caught.exception.filename, caught.exception.errno), (None, errno.EBADF))

    def test_errors_of_every_call_name_the_file(self):
        file = Mmio.File.open(self.path, 'r+')
        view = file.get_view()
        part = view.sub(0, 100)
        atomic = file.get_atomic_u32(0)
        with self.assertRaises(TimeoutError) as caught:
            atomic.wait(0, atomic.load(0), 1)
        self.assertEqual(caught.exception.filename, self.path)
        os.truncate(self.path, 0)

        async def awaited():
            await file.read_async(0, 1)

        for call in (lambda: file.read(0, 1), lambda: file[0], lambda: file[:4], lambda: file.get_uint32(0), lambda: file.find(b'x'),
                     lambda: file.write(0, b'x'), lambda: file.fill(0, 1, 1), lambda: asyncio.run(awaited()), lambda: file.open_stream().read(1),
                     lambda: list(file.chunks()), view.check, part.check, atomic.check):
            with self.assertRaises(EOFError) as caught:
                call()
            self.assertEqual(caught.exception.filename, self.path)

    def test_files_that_are_made_as_they_are_read_can_not_be_mapped(self):
        with self.assertRaisesRegex(OSError, '/proc/self/status') as caught:
            Mmio.File.open('/proc/self/status')
        self.assertEqual((caught.exception.errno, caught.exception.filename), (errno.ENOTSUP, '/proc/self/status'))

    def test_numbers_below_nothing_are_out_of_bounds_in_every_call(self):
        with Mmio.File.open(self.path, 'r+') as file:
            for call in (file.read, file.view, file.get_view, file.get_bytes, file.get_writable_view, file.get_atomic_u32, file.get_atomic_u64,
                         lambda offset: file.lock_range(offset, 1), lambda offset: file.try_lock_range(offset, 1),
                         lambda offset: file.unlock_range(offset, 1), lambda offset: file.prefetch(offset, 1), lambda offset: file.touch(offset, 1),
                         lambda offset: file.flush_range(offset, 1), lambda offset: file.move(offset, 0, 1),
                         lambda offset: file.get_view().sub(offset, 1)):
                for offset in (-1, 2 ** 64):
                    with self.assertRaises(Mmio.OutOfBoundsError) as caught:
                        call(offset)
                    self.assertIsInstance(caught.exception, IndexError)

            async def awaited(call, offset):
                return await call(offset)

            for call in (file.read_async, lambda offset: file.write_async(offset, b'x'), lambda offset: file.lock_range_async(offset, 1),
                         lambda offset: file.prefetch_async(offset, 1), lambda offset: file.flush_range_async(offset, 1)):
                for offset in (-1, 2 ** 64):
                    with self.assertRaises(Mmio.OutOfBoundsError):
                        asyncio.run(awaited(call, offset))

    def test_descriptor_without_the_rights_is_a_permission_error(self):
        with open(self.path, 'rb') as descriptor, self.assertRaises(PermissionError):
            Mmio.File.new_for_fd(descriptor, 'r+')

    def test_path_may_be_any_bytes(self):
        path = os.path.join(os.fsencode(self.folder), b'new\nline \xff')
        shutil.copy(self.path, path)
        with Mmio.File.open(os.fsdecode(path)) as file:
            self.assertEqual(len(file), 200)


class Bytes(FileTest):
    def test_read_and_write(self):
        with Mmio.File.open(self.path, 'r+') as file:
            file.write(10, b'ten')
            self.assertEqual(file.read(9, 5), b'\x09ten\x0d')
            self.assertEqual(file.read(198), b'\xc6\xc7')
            self.assertEqual(file.read(200), b'')
            file.flush()
        self.assertEqual(self.content()[9:14], b'\x09ten\x0d')

    def test_write_takes_any_buffer(self):
        with Mmio.File.open(self.path, 'r+') as file:
            for data in (b'ab', bytearray(b'cd'), memoryview(b'efgh')[::1], (ctypes.c_uint16 * 2)(1, 2)):
                file.write(0, data)
                self.assertEqual(file.read(0, memoryview(data).nbytes), bytes(data))

    def test_subscripts_are_those_of_bytes(self):
        with Mmio.File.open(self.path) as file:
            reference = bytes(range(200))
            self.assertEqual(len(file), 200)
            for index in (0, 10, -1, -200, 199):
                self.assertEqual(file[index], reference[index])
            for part in (slice(10, 20), slice(-4, None), slice(None), slice(5, 2), slice(190, 999), slice(None, None, 3),
                         slice(None, None, -1), slice(100, 10, -7)):
                self.assertEqual(file[part], reference[part])
            for index in (200, -201, 1 << 70):
                with self.assertRaises(IndexError):
                    file[index]
            for index in ('1', 1.0, None, (), (1,), (1, 2)):
                with self.assertRaisesRegex(TypeError, f"'{type(index).__name__}' object cannot be interpreted as an integer"):
                    file[index]

    def test_assignment_to_subscripts(self):
        reference = bytearray(range(200))
        with Mmio.File.open(self.path, 'r+') as file:
            for part, value in ((slice(0, 3), b'abc'), (slice(-3, None), b'xyz'), (slice(10, 20, 2), b'12345'),
                                (slice(30, 30), b'')):
                file[part] = value
                reference[part] = value
            file[5] = reference[5] = 255
            file[-100] = reference[-100] = 0
            self.assertEqual(file[:], reference)
            with self.assertRaises(ValueError):
                file[0:3] = b'ab'
            with self.assertRaises(ValueError):
                file[0] = 256
            with self.assertRaises(IndexError):
                file[200] = 1
        self.assertEqual(self.content(), reference)

    def test_containment_and_find(self):
        with Mmio.File.open(self.path) as file:
            self.assertIn(b'\x05\x06', file)
            self.assertIn(7, file)
            self.assertNotIn(b'\x06\x05', file)
            self.assertNotIn(201, file)
            self.assertEqual(file.find(b'A'), 65)
            self.assertEqual(file.find(b'A', 66), -1)
            self.assertEqual(file.find(b'A', 0, 65), -1)
            self.assertEqual(file.find(b'', 7), 7)

    def test_empty_file(self):
        open(self.path, 'wb').close()
        with Mmio.File.open(self.path, 'r+') as file:
            self.assertEqual(len(file), 0)
            self.assertTrue(file)
            self.assertEqual(file[:], b'')
            self.assertEqual(bytes(file.view()), b'')
            file.resize(3)
            file[:] = b'abc'
        self.assertEqual(self.content(), b'abc')

    def test_past_the_end_is_an_index_and_a_value_error(self):
        with Mmio.File.open(self.path, 'r+') as file:
            for call in (lambda: file.read(200, 1), lambda: file.read((1 << 64) - 1, 2), lambda: file.write(199, b'ab'),
                         lambda: file.view(0, 201), lambda: file.get_bytes(100, 101), lambda: file.flush_range(0, 201)):
                for builtin in (IndexError, ValueError):
                    with self.assertRaises(builtin) as caught:
                        call()
                self.assertTrue(caught.exception.matches(Mmio.error_quark(), Mmio.Error.OUT_OF_BOUNDS))
            for call in (lambda: file.read(-1, 3), lambda: file.read(0, -1), lambda: file.write(-1, b'a'), lambda: file.view(-5),
                         lambda: file.view(0, -1), lambda: file.view(0, 1 << 70), lambda: file.view(1 << 70), lambda: file.read(1 << 70, 1),
                         lambda: file[1 << 70], lambda: file[-(1 << 70)]):
                for builtin in (IndexError, ValueError):
                    with self.assertRaises(builtin):
                        call()
            self.assertEqual(file[:], bytes(range(200)))

    def test_what_has_an_obvious_value_may_be_left_out(self):
        with Mmio.File.open(self.path, 'r+') as file:
            self.assertEqual(file.get_bytes().get_size(), 200)
            self.assertEqual(file.get_bytes(150).get_size(), 50)
            with file.get_view() as view, file.get_writable_view(190) as writable:
                self.assertEqual((len(view), len(writable)), (200, 10))
            self.assertTrue(file.lock_range(0, 10))
            with Mmio.File.open(self.path, 'r+') as other:
                with self.assertRaises(Mmio.BusyError):
                    other.try_lock_range(5, 10)
                self.assertTrue(other.try_lock_range(10, 10))
            self.assertTrue(file.unlock_range(0, 10))

    def test_read_only_refuses_writes(self):
        with Mmio.File.open(self.path) as file:
            for call in (lambda: file.write(0, b'a'), lambda: file.__setitem__(0, 1), lambda: file.resize(1),
                         lambda: file.view(writable=True)):
                with self.assertRaises(TypeError) as caught:
                    call()
                self.assertTrue(caught.exception.matches(Mmio.error_quark(), Mmio.Error.WRONG_MODE))

    def test_copy_on_write_keeps_writes_to_itself(self):
        with Mmio.File.open(self.path, 'c') as file:
            file[0:3] = b'own'
            file.view()[3] = 33
            self.assertEqual(file[0:4], b'own!')
        self.assertEqual(self.content(), bytes(range(200)))

    def test_resize_says_so(self):
        sizes = []
        with Mmio.File.open(self.path, 'r+') as file:
            file.connect('notify::size', lambda file, _: sizes.append(len(file)))
            file.resize(300)
            self.assertEqual(file[198:202], b'\xc6\xc7\0\0')
            file.resize(100)
            self.assertEqual(sizes, [300, 100])
            with self.assertRaises(IndexError):
                file[100]
        self.assertEqual(len(self.content()), 100)


class Closing(FileTest):
    def test_with_closes(self):
        with Mmio.File.open(self.path) as file:
            self.assertFalse(file.closed)
        self.assertTrue(file.closed)
        file.close()

    def test_closed_file_is_a_value_error(self):
        file = Mmio.File.open(self.path, 'r+')
        file.close()
        self.assertEqual(len(file), 0)
        for call in (lambda: file[0], lambda: file[:], lambda: file[::2], lambda: file.read(0, 1), lambda: file.write(0, b'a'),
                     lambda: file.view(), lambda: file.resize(1), lambda: file.flush(), lambda: file.fileno(),
                     lambda: file.watch(0), lambda: file.get_bytes(0, 0)):
            with self.assertRaises(ValueError) as caught:
                call()
            self.assertTrue(caught.exception.matches(Mmio.error_quark(), Mmio.Error.CLOSED), caught.exception)


class Memory(FileTest):
    def test_view_is_the_memory_itself(self):
        with Mmio.File.open(self.path, 'r+') as file, Mmio.File.open(self.path) as other:
            with file.view() as memory, other.view(10, 5) as window:
                self.assertFalse(memory.readonly)
                self.assertTrue(window.readonly)
                self.assertEqual((memory.format, memory.itemsize, memory.ndim, memory.nbytes), ('B', 1, 1, 200))
                memory[10:15] = b'fresh'
                self.assertEqual(bytes(window), b'fresh')
                self.assertEqual(file[10:15], b'fresh')
        self.assertEqual(self.content()[10:15], b'fresh')

    def test_view_of_a_read_only_file_can_not_be_written_to(self):
        with Mmio.File.open(self.path) as file, file.view() as memory:
            with self.assertRaises(TypeError):
                memory[0] = 1
            with self.assertRaises(TypeError):
                struct.pack_into('B', memory, 0, 1)
            with self.assertRaises((TypeError, BufferError)):
                (ctypes.c_char * 1).from_buffer(memory)

    def test_view_may_be_asked_to_be_read_only(self):
        with Mmio.File.open(self.path, 'r+') as file, file.view(writable=False) as memory:
            self.assertTrue(memory.readonly)

    def test_view_outlives_the_file(self):
        memory = Mmio.File.open(self.path).view(100)
        gc.collect()
        self.assertEqual(bytes(memory), bytes(range(100, 200)))
        part = memory[50:]
        memory.release()
        self.assertEqual(part[0], 150)

    def test_close_under_a_view_is_a_buffer_error(self):
        file = Mmio.File.open(self.path)
        memory = file.view()
        part = memory[10:]
        memory.release()
        with self.assertRaises(BufferError):
            file.close()
        self.assertFalse(file.closed)
        part.release()
        file.close()

    def test_shrinking_under_a_view_is_a_buffer_error(self):
        with Mmio.File.open(self.path, 'r+') as file:
            with file.view(100, 50):
                with self.assertRaises(BufferError) as caught:
                    file.resize(149)
                self.assertTrue(caught.exception.matches(Mmio.error_quark(), Mmio.Error.BUSY))
                file.resize(150)
                file.resize(1 << 20)
            file.resize(0)

    def test_mmio_view_lends_its_memory(self):
        with Mmio.File.open(self.path) as file:
            with file.get_view(10, 20) as view:
                self.assertEqual((len(view), view.get_offset()), (20, 10))
                self.assertEqual(bytes(view.get_data()), bytes(range(10, 30)))
                memory = view.sub(5, 5).memory()
                self.assertEqual(bytes(memory), bytes(range(15, 20)))
            self.assertEqual(len(view), 0)
            self.assertEqual(bytes(memory), bytes(range(15, 20)))
            with self.assertRaises(IndexError):
                view.sub(0, 1)

    def test_truncation_by_another_process_shows_zeros(self):
        with open(self.path, 'wb') as file:
            file.write(b'x' * 16384)
        with Mmio.File.open(self.path) as file:
            view = file.get_view(0, 16384)
            memory = file.view()
            subprocess.run(['truncate', '-s', '100', self.path], check=True)
            self.assertEqual(memory[0:1], b'x')
            self.assertEqual(memory[16383], 0)
            with self.assertRaises(EOFError) as caught:
                view.check()
            self.assertTrue(caught.exception.matches(Mmio.error_quark(), Mmio.Error.TRUNCATED))
            with self.assertRaises(EOFError):
                file[16383]
            file.refresh()
            self.assertEqual(len(file), 100)
            memory.release()


class Signals(FileTest):
    def setUp(self):
        super().setUp()
        self.file = Mmio.File.open(self.path, 'r+')
        self.addCleanup(self.file.close)
        self.events = []
        for name in SIGNALS:
            self.file.connect(name, lambda _, *args: self.events.append(args))

    def expect(self, signal, command):
        """Runs the command in a process of its own and gives back the arguments of the signal that it has to cause."""
        came = []
        loop = GLib.MainLoop()

        def on_signal(_, *args):
            came.append(args)
            loop.quit()

        handler = self.file.connect(signal, on_signal)
        timer = GLib.timeout_add(TIMEOUT, loop.quit)
        subprocess.run(['sh', '-c', command], check=True, cwd=self.folder)
        loop.run()
        self.file.disconnect(handler)
        self.assertTrue(came, f'{signal} did not come within {TIMEOUT} ms after: {command}')
        GLib.source_remove(timer)
        return came[0]

    def test_all_four_come(self):
        self.file.watch()
        self.assertTrue(self.file.props.watching)
        self.assertEqual(self.expect('changed', 'printf appended >> file'), (200, 8))
        self.assertEqual(self.expect('metadata', 'chmod 600 file'), ())
        self.assertEqual(self.expect('removed', 'rm file'), ())
        self.assertEqual(self.expect('replaced', 'printf again > temporary; mv temporary file'), ())
        self.assertEqual(self.file[0:3], b'\0\1\2')
        self.file.reload()
        self.assertEqual(self.file[:], b'again')
        self.file.props.settle_time = 20
        self.assertEqual(self.expect('settled', 'printf x >> file'), ())

    def test_unwatch_ends_them(self):
        self.file.watch()
        self.file.unwatch()
        with Mmio.File.open(self.path) as other:
            other.watch(Mmio.WatchFlags.NONE, None)
            self.file, unwatched = other, self.file
            self.expect('changed', 'printf x >> file')
            self.file = unwatched
        self.assertEqual(self.events, [])


class Leasing(FileTest):
    def test_the_file_is_whole_until_the_handler_returns(self):
        copies = []
        loop = GLib.MainLoop()

        def on_ended(pid, status, _):
            self.assertEqual(status, 0)
            loop.quit()

        with Mmio.File.open(self.path) as file:
            file.connect('about-to-change', lambda file: copies.append(file[:]))
            try:
                file.watch(Mmio.WatchFlags.LEASE)
            except Mmio.NotSupportedError as error:
                self.skipTest(str(error))
            process = subprocess.Popen(['sh', '-c', 'printf anew > "$0"', self.path])
            GLib.child_watch_add(GLib.PRIORITY_DEFAULT, process.pid, on_ended, None)
            timer = GLib.timeout_add(TIMEOUT, loop.quit)
            loop.run()
            GLib.source_remove(timer)
            self.assertEqual(copies, [bytes(range(200))])
            self.assertEqual(self.content(), b'anew')

    def test_none_on_what_is_open_for_writing(self):
        with Mmio.File.open(self.path, 'r+') as file, self.assertRaises(Mmio.NotSupportedError):
            file.watch(Mmio.WatchFlags.LEASE)


class Collecting(FileTest):
    def test_dropped_files_leave_nothing_behind(self):
        def descriptors():
            return len(os.listdir('/proc/self/fd'))

        def maps():
            with open('/proc/self/maps') as lines:
                return sum(self.path in line for line in lines)

        # GLib keeps a thread and its descriptors for all watches of a process.
        file = Mmio.File.open(self.path)
        file.watch(Mmio.WatchFlags.NONE, None)
        file.close()
        before = descriptors()
        for number in range(10000):
            file = Mmio.File.open(self.path, 'r+')
            self.assertEqual(file[1], 1)
            if number % 50 == 0:
                # What only the collector finds.
                file.attribute = [file, file.chunks(), file.open_stream()]
                file.connect('changed', lambda *_, file=file: file.refresh())
            elif number % 10 == 0:
                file.attribute = file.view()
                file.attribute = None
            if number % 100 == 0:
                file.watch(Mmio.WatchFlags.NONE, None)
        del file
        gc.collect()
        while GLib.MainContext.default().iteration(False):
            pass
        self.assertLessEqual(descriptors(), before)
        self.assertEqual(maps(), 0)
