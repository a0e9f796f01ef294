# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A mapped file as Python's own modules take it: as a buffer, a stream, something to iterate and to await.

import asyncio
import gzip
import hashlib
import io
import json
import mmap
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest
import unittest.mock
import zipfile

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import Gio, GLib, Mmio  # noqa: E402

try:
    import _mmio
except ImportError:
    _mmio = None

# Whether classes are taken as buffers.
BUFFERS = _mmio is not None or sys.version_info >= (3, 12)

try:
    import numpy
except ImportError:
    numpy = None


class FileTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='mmio-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, 'file')

    def make(self, content):
        with open(self.path, 'wb') as file:
            file.write(content)
        return Mmio.File.open(self.path, 'r+')

    def content(self):
        with open(self.path, 'rb') as file:
            return file.read()


class Buffers(FileTest):
    def test_json_re_hashlib_and_struct_take_the_memory(self):
        with self.make(b'{"key": [1, 2]}') as file, file.view() as memory:
            self.assertEqual(json.loads(file[:]), {'key': [1, 2]})
            # What json.load() asks for is read().
            self.assertEqual(json.load(file), {'key': [1, 2]})
            self.assertEqual(re.search(rb'\[(.*)\]', memory).start(1), 9)
            self.assertEqual(hashlib.sha256(memory).digest(), hashlib.sha256(file[:]).digest())
            self.assertEqual(struct.unpack_from('<H', memory, 1), (0x6b22,))
            self.assertEqual(bytes(memory).split(b':')[0], b'{"key"')
            struct.pack_into('>H', memory, 0, 0x4142)
            self.assertEqual(file[0:2], b'AB')

    def test_pack_and_unpack(self):
        with self.make(bytes(16)) as file:
            file.pack('<IQ', 2, 7, 1 << 40)
            self.assertEqual(file.unpack('<IQ', 2), (7, 1 << 40))
            with self.assertRaises(IndexError):
                file.unpack('<Q', 9)
            with self.assertRaises(IndexError):
                file.pack('<Q', 9, 1)

    @unittest.skipUnless(hasattr(Mmio.File, '__buffer__'), 'the buffer protocol has no method before Python 3.12')
    def test_the_buffer_protocol_gives_the_view(self):
        """What Python calls from 3.12 on, called by hand."""
        with self.make(b'{"key": 1}') as file, file.__buffer__(0) as memory:
            self.assertEqual((bytes(memory[:2]), memory.readonly), (b'{"', False))
            with self.assertRaises(BufferError):
                file.close()
        with Mmio.File.open(self.path) as file, file.__buffer__(0) as memory:
            self.assertTrue(memory.readonly)

    @unittest.skipUnless(BUFFERS, 'without the extension classes have the buffer protocol from Python 3.12 on')
    def test_the_file_itself_is_a_buffer(self):
        with self.make(b'{"key": [1, 2]}') as file:
            with memoryview(file) as memory:
                memory[2:5] = b'KEY'
                with self.assertRaises(BufferError):
                    file.close()
            self.assertEqual(re.search(rb'\[(.*)\]', file).start(1), 9)
            self.assertEqual(hashlib.sha256(file).digest(), hashlib.sha256(b'{"KEY": [1, 2]}').digest())
            self.assertEqual(struct.unpack_from('<H', file, 1), (0x4b22,))
            self.assertEqual(json.loads(bytes(file)), {'KEY': [1, 2]})
            self.assertEqual(bytes(file), file[:])
            with memoryview(file.get_view(2, 3)) as window:
                self.assertEqual((bytes(window), window.readonly), (b'KEY', True))
            struct.pack_into('3s', file, 2, b'key')
            self.assertEqual(file[2:5], b'key')
        with Mmio.File.open(self.path) as file:
            with memoryview(file) as memory:
                self.assertTrue(memory.readonly)
            with self.assertRaises((BufferError, TypeError)):
                struct.pack_into('B', file, 0, 1)
        with self.assertRaises(ValueError):
            memoryview(file)

    def test_views_of_many_lengths_make_no_classes(self):
        with self.make(bytes(1000)) as file:
            file.view(0, 999)
            before = len(file.view().obj.__class__.__base__.__subclasses__())
            for length in range(1000):
                self.assertEqual(len(file.view(0, length)), length)
            self.assertEqual(len(file.view().obj.__class__.__base__.__subclasses__()), before)

    @unittest.skipIf(numpy is None, 'numpy is not installed')
    def test_numpy_takes_the_memory(self):
        with self.make(bytes(800)) as file:
            array = numpy.frombuffer(file.view(), dtype='<u8')
            array[3] = 1 << 50
            self.assertEqual(file.get_uint64(24, '<'), 1 << 50)
            self.assertEqual(array.sum(), 1 << 50)
            with self.assertRaises(BufferError):
                file.close()
            del array
        with Mmio.File.open(self.path) as file:
            array = numpy.frombuffer(file.view(), dtype='<u8')
            self.assertFalse(array.flags.writeable)
            del array

    @unittest.skipIf(numpy is None, 'numpy is not installed')
    @unittest.skipUnless(BUFFERS, 'without the extension classes have the buffer protocol from Python 3.12 on')
    def test_numpy_takes_the_file_itself(self):
        with self.make(bytes(800)) as file:
            array = numpy.frombuffer(file, dtype='<u8')
            array[3] = 7
            self.assertEqual((file.get_uint64(24, '<'), array.sum()), (7, 7))
            with self.assertRaises(BufferError):
                file.close()
            del array

    @unittest.skipIf(numpy is None, 'numpy is not installed')
    def test_truncation_under_an_array_leaves_zeros(self):
        with self.make(b'\1' * 65536) as file:
            array = numpy.frombuffer(file.view(writable=False), dtype='u1')
            faults = []
            file.connect('fault', lambda _, *range: faults.append(range))
            subprocess.run(['truncate', '-s', '4096', self.path], check=True)
            self.assertEqual(array.sum(), 4096)
            loop = GLib.MainLoop()
            file.connect('fault', lambda *_: loop.quit())
            timer = GLib.timeout_add(60000, loop.quit)
            loop.run()
            self.assertTrue(faults, 'the signal did not come')
            GLib.source_remove(timer)
            self.assertGreaterEqual(faults[0][0], 4096)
            del array
            # The view was writable: whether anything was lost is not known, so a flush would say that something may be.
            file.refresh()

    def test_a_big_view_takes_no_memory(self):
        def peak():
            with open('/proc/self/status') as lines:
                return next(int(line.split()[1]) for line in lines if line.startswith('VmHWM'))

        with Mmio.File.create(self.path, 1 << 30) as file:
            before = peak()
            with file.view() as memory:
                self.assertEqual(memory.nbytes, 1 << 30)
                self.assertEqual(memory[-1], 0)
            self.assertLess(peak() - before, 4096)

    def test_readinto_of_plain_files_fills_the_memory(self):
        source = os.path.join(self.folder, 'source')
        with open(source, 'wb') as file:
            file.write(b'from a file')
        with self.make(bytes(11)) as file, open(source, 'rb') as plain, file.view() as memory:
            plain.readinto(memory)
            self.assertEqual(file[:], b'from a file')


class Items(FileTest):
    def test_items_follow_size_and_content(self):
        with self.make(b'abc') as file:
            self.assertEqual([file[0], file[2]], [97, 99])
            with self.assertRaises(IndexError):
                file[3]
            file.resize(5)
            self.assertEqual(file[4], 0)
            file.write(4, b'e')
            self.assertEqual(file[-1], 101)
            file.resize(1)
            for index in (1, 4, -2):
                with self.assertRaises(IndexError):
                    file[index]
            # Past what was reserved: another range of memory.
            file.resize(1 << 30)
            file.write((1 << 30) - 1, b'z')
            self.assertEqual(file[-1], 122)
            self.assertEqual(file[0], 97)

    def test_items_follow_a_reload(self):
        with self.make(b'abc') as file:
            self.assertEqual(file[0], 97)
            with open(self.path + '2', 'wb') as other:
                other.write(b'xyz')
            os.rename(self.path + '2', self.path)
            self.assertEqual(file[0], 97)
            file.reload()
            self.assertEqual(file[0], 120)

    def test_items_of_a_truncated_file_are_an_error(self):
        with self.make(b'\1' * 8192) as file:
            self.assertEqual(file[8191], 1)
            subprocess.run(['truncate', '-s', '10', self.path], check=True)
            self.assertEqual(file[9], 1)
            for index in (8191, -1, slice(None), slice(8000, 8192), slice(None, None, 2), slice(None, None, -1)):
                with self.assertRaises(EOFError):
                    file[index]
            with self.assertRaises(EOFError):
                file[8191] = 1
            with self.assertRaises(EOFError):
                file[8000:8002] = b'ab'
            file.refresh()
            self.assertEqual(file[:], b'\1' * 10)
            with self.assertRaises(IndexError):
                file[10]

    def test_an_index_may_close_the_file(self):
        for number in range(4):
            file = self.make(b'\1' * 100)

            class Closing:
                def __index__(self):
                    file.close()
                    return 1

            with self.assertRaises(ValueError):
                if number == 0:
                    file[Closing()]
                elif number == 1:
                    file[Closing():]
                elif number == 2:
                    file[Closing():2] = b'a'
                else:
                    file[0] = Closing()

    def test_what_is_assigned_may_resize_the_file(self):
        with self.make(b'\1' * 10) as file:
            class Number:
                def __index__(self):
                    file.resize(2)
                    return 7

            with self.assertRaises(IndexError):
                file[5] = Number()
            self.assertEqual(file[:], b'\1\1')
            with self.assertRaises(TypeError):
                del file[0]
            with self.assertRaises(TypeError):
                del file[:]
            with self.assertRaises(TypeError):
                file[0] = b'a'
            with self.assertRaises(TypeError):
                file[0:1] = 5

    def test_a_file_may_be_assigned_to_itself(self):
        with self.make(bytes(range(200))) as file:
            with file.view() as memory:
                file[10:110] = memory[0:100]
                file[1:3] = bytearray(b'ab')
                file[4:6] = memoryview(b'c-d-')[::2].tobytes()
            self.assertEqual(file[10:110], bytes(range(100)))

    def test_items_of_a_closed_file_are_an_error(self):
        file = self.make(b'abc')
        self.assertEqual(file[0], 97)
        file.close()
        with self.assertRaises(ValueError):
            file[0]

    def test_items_while_another_thread_resizes(self):
        with self.make(b'\1' * 100) as file:
            stop = threading.Event()

            def resize():
                while not stop.is_set():
                    try:
                        file.resize(100)
                        file.resize(1 << 20)
                    except BufferError:
                        # The moment in which the other thread finds the memory.
                        pass

            thread = threading.Thread(target=resize)
            thread.start()
            try:
                for _ in range(5000):
                    self.assertEqual(file[99], 1)
            finally:
                stop.set()
                thread.join()
            file.resize(100)
            with self.assertRaises(IndexError):
                file[100]

    def test_an_item_of_a_file_that_gets_shorter_meanwhile(self):
        # As if another thread had shrunk it between the two questions after the size and the memory.
        with self.make(b'\1' * 100) as file:
            with unittest.mock.patch.object(sys.modules[Mmio.File.__module__], '_get_size', lambda _file: 1 << 20):
                self.assertEqual(file[99], 1)
            self.assertEqual(file[98], 1)

    def test_looking_at_items_pins_nothing(self):
        with self.make(b'abc') as file:
            self.assertEqual(file[0], 97)
            file.resize(0)


class Extension(unittest.TestCase):
    @unittest.skipUnless(os.environ.get('MMIO_TEST_PYTHON_EXTENSION') == 'yes', 'the extension was not built here')
    @unittest.skipIf('_mmio' in sys.modules and _mmio is None, 'the extension was set aside')
    def test_what_was_built_is_used(self):
        self.assertTrue(issubclass(Mmio.File, _mmio.Sequence))

    @unittest.skipIf(_mmio is None, 'there is no extension')
    def test_what_is_no_file_is_refused(self):
        class Other(_mmio.Sequence):
            pass

        unmade = Mmio.File.__new__(Mmio.File)
        for nothing in (_mmio.Sequence(), Other(), unmade):
            for call in (lambda: nothing[0], lambda: nothing[:], lambda: nothing.__setitem__(0, 1), lambda: len(nothing),
                         lambda: memoryview(nothing), lambda: nothing._lend_memory(0, None, None), lambda: nothing._count_lent(),
                         lambda: nothing._close()):
                with self.assertRaises(TypeError):
                    call()
        with self.assertRaises(TypeError):
            _mmio.start(1)
        with self.assertRaises((AttributeError, TypeError)):
            memoryview(_mmio.Buffer())


class Searching(FileTest):
    def test_find_is_that_of_bytes(self):
        content = b'one two one two'
        with self.make(content) as file:
            for pattern in (b'one', b'two', b'o', b'', b'none', content, content + b'!'):
                for bounds in ((), (1,), (4, 11), (0, 10), (-3,), (0, -1), (5, 2), (20,), (15, 15)):
                    self.assertEqual(file.find(pattern, *bounds), content.find(pattern, *bounds), (pattern, bounds))
                    self.assertEqual(file.rfind(pattern, *bounds), content.rfind(pattern, *bounds), (pattern, bounds))

    def test_find_takes_any_buffer(self):
        with self.make(b'abcdef') as file:
            self.assertEqual(file.find(bytearray(b'cd')), 2)
            self.assertEqual(file.find(memoryview(b'_ef')[1:]), 4)
            self.assertIn(memoryview(b'bc'), file)


class Numbers(FileTest):
    def test_numbers_in_every_order(self):
        with self.make(bytes(range(1, 17))) as file:
            for kind, code in (('uint16', 'H'), ('int16', 'h'), ('uint32', 'I'), ('int32', 'i'), ('uint64', 'Q'), ('int64', 'q'),
                               ('float', 'f'), ('double', 'd')):
                get, put = getattr(file, 'get_' + kind), getattr(file, 'set_' + kind)
                for order, struct_order in (('<', '<'), ('>', '>'), ('little', '<'), ('big', '>'), ('=', '='),
                                            (Gio.DataStreamByteOrder.BIG_ENDIAN, '>')):
                    self.assertEqual(get(3, order), file.unpack(struct_order + code, 3)[0])
                    put(3, 42, order)
                    self.assertEqual(file.unpack(struct_order + code, 3), (42,))
                self.assertEqual(get(3), file.unpack('=' + code, 3)[0])
            file.set_int8(0, -1)
            self.assertEqual(file.get_uint8(0), 255)
            with self.assertRaises(ValueError):
                file.get_uint16(0, 'middle')
            with self.assertRaises(IndexError):
                file.get_uint32(13)


class Chunks(FileTest):
    def test_chunks_are_all_of_the_file(self):
        content = bytes(range(256)) * 40
        with self.make(content) as file:
            for size in (1, 7, 4096, 10240, 99999):
                lengths = [len(chunk) for chunk in file.chunks(size)]
                self.assertEqual(b''.join(file.chunks(size)), content)
                self.assertTrue(all(length == size for length in lengths[:-1]))
            self.assertEqual([len(chunk) for chunk in file], [4096, 4096, 2048])

    def test_chunks_are_the_memory_itself(self):
        with self.make(bytes(10)) as file:
            for number, chunk in enumerate(file.chunks(5, writable=True)):
                chunk[:] = bytes([number]) * 5
            del chunk
            with self.assertRaises(TypeError):
                next(file.chunks(5))[0] = 1
            self.assertEqual(file[:], b'\0\0\0\0\0\1\1\1\1\1')

    def test_empty_file_has_no_chunks(self):
        with self.make(b'') as file:
            self.assertEqual(list(file), [])

    def test_truncation_ends_them_with_an_error(self):
        with self.make(b'x' * 16384) as file:
            chunks = file.chunks(4096)
            next(chunks)
            subprocess.run(['truncate', '-s', '4096', self.path], check=True)
            with self.assertRaises(EOFError):
                for chunk in chunks:
                    bytes(chunk)
            del chunks, chunk


class Streams(FileTest):
    def test_stream_is_a_raw_stream(self):
        with self.make(b'0123456789') as file:
            with file.open_stream() as stream:
                self.assertIsInstance(stream, io.RawIOBase)
                self.assertTrue(stream.readable() and stream.writable() and stream.seekable())
                self.assertEqual(stream.read(3), b'012')
                self.assertEqual(stream.tell(), 3)
                self.assertEqual(stream.seek(-2, io.SEEK_END), 8)
                buffer = bytearray(5)
                self.assertEqual(stream.readinto(buffer), 2)
                self.assertEqual(stream.read(1), b'')
                self.assertEqual(stream.seek(100), 100)
                self.assertEqual(stream.read(), b'')
                with self.assertRaises(ValueError):
                    stream.seek(-1)
                self.assertEqual(stream.seek(9), 9)
                self.assertEqual(stream.write(b'abc'), 3)
                self.assertEqual(file[:], b'012345678abc')
                self.assertEqual(stream.truncate(4), 4)
                self.assertEqual(len(file), 4)
            with self.assertRaises(ValueError):
                stream.read()
            self.assertFalse(file.closed)
            self.assertEqual(io.TextIOWrapper(io.BufferedReader(file.open_stream(2))).read(), '23')

    def test_stream_of_a_read_only_file_can_not_be_written_to(self):
        self.make(b'abc').close()
        with Mmio.File.open(self.path) as file, file.open_stream() as stream:
            self.assertFalse(stream.writable())
            with self.assertRaises(io.UnsupportedOperation):
                stream.write(b'x')

    def test_archives_are_read_from_it(self):
        name = os.path.join(self.folder, 'name')
        with open(name, 'wb') as file:
            file.write(b'content' * 1000)
        with zipfile.ZipFile(self.path, 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.write(name, 'name')
        with Mmio.File.open(self.path) as file, zipfile.ZipFile(file.open_stream()) as archive:
            self.assertEqual(archive.read('name'), b'content' * 1000)
        with tarfile.open(self.path, 'w:gz') as archive:
            archive.add(name, 'name')
        with Mmio.File.open(self.path) as file, tarfile.open(fileobj=file.open_stream()) as archive:
            self.assertEqual(archive.extractfile('name').read(), b'content' * 1000)
        with gzip.open(self.path, 'wb') as file:
            file.write(b'content')
        with Mmio.File.open(self.path) as file, gzip.open(io.BufferedReader(file.open_stream())) as stream:
            self.assertEqual(stream.read(), b'content')

    def test_archives_are_written_to_it(self):
        with Mmio.File.create(self.path, 0) as file:
            with zipfile.ZipFile(file.open_stream(), 'w') as archive:
                archive.writestr('name', b'content')
            file.flush()
            with zipfile.ZipFile(self.path) as archive:
                self.assertEqual(archive.read('name'), b'content')


class Awaiting(FileTest):
    def run_async(self, function):
        asyncio.run(asyncio.wait_for(function(), 60))

    def test_every_call_can_be_awaited(self):
        async def program():
            file = await Mmio.File.create_async(self.path, 10)
            self.assertTrue(await file.write_async(2, b'hello'))
            self.assertEqual(await file.read_async(2, 5), b'hello')
            self.assertEqual(await file.read_async(), b'\0\0hello\0\0\0')
            self.assertEqual(await file.find_async(b'l'), 4)
            self.assertEqual(await file.find_async(b'l', forwards=False), 5)
            await file.fill_async(7, 2, ord('!'))
            await file.move_async(0, 2, 5)
            self.assertEqual(file[:], b'hellolo!!\0')
            await file.resize_async(20)
            await file.lock_memory_async(0, 1)
            await file.flush_async()
            await file.flush_range_async(0, 20)
            await file.prefetch_async(0, 20)
            await file.reload_async()
            await file.close_async()
            self.assertTrue(file.closed)
            for opening in (Mmio.File.open_async(self.path), Mmio.File.open_async(self.path, 'r+'),
                            Mmio.File.open_location_async(Gio.File.new_for_path(self.path), 'c'),
                            Mmio.File.open_or_create_async(self.path, 1)):
                with await opening as file:
                    self.assertEqual(len(file), 20)

        self.run_async(program)

    def test_no_call_is_left_out(self):
        for cls in (Mmio.File, Mmio.AtomicU32, Mmio.AtomicU64):
            for info in cls.__info__.get_methods():
                name = info.get_name()
                if name.endswith('_async'):
                    function = getattr(cls, name)
                    self.assertTrue(hasattr(function, '__wrapped__'), f'{cls.__name__}.{name} gives nothing to await')

    def test_calls_are_done_in_order(self):
        async def program():
            with await Mmio.File.create_async(self.path, 1) as file:
                calls = [file.write_async(0, bytes([number])) for number in range(100)]
                calls.append(file.read_async())
                self.assertEqual((await asyncio.gather(*calls))[-1], b'\x63')

        self.run_async(program)

    def test_errors_are_raised_at_the_await(self):
        async def program():
            with self.assertRaises(FileNotFoundError):
                await Mmio.File.open_async(self.path)
            file = self.make(b'abc')
            with self.assertRaises(IndexError) as caught:
                await file.read_async(2, 2)
            self.assertIsInstance(caught.exception, GLib.Error)
            memory = file.view()
            with self.assertRaises(BufferError):
                await file.resize_async(0)
            with self.assertRaises(BufferError):
                await file.close_async()
            memory.release()
            await file.close_async()
            with self.assertRaises(ValueError):
                await file.flush_async()
            with self.assertRaises(TypeError):
                file.resize_async()

        self.run_async(program)

    def test_cancelling_the_await_cancels_the_call(self):
        async def program():
            file = self.make(b'abc')
            cancellable = Gio.Cancellable()
            call = file.flush_async(cancellable)
            call.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await call
            self.assertTrue(cancellable.is_cancelled())
            cancelled = Gio.Cancellable()
            cancelled.cancel()
            with self.assertRaises(GLib.Error) as caught:
                await file.flush_async(cancelled)
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))

        self.run_async(program)

    def test_events_can_be_iterated(self):
        async def program():
            with self.make(b'abc') as file:
                events = file.events()
                waiting = asyncio.ensure_future(events.__anext__())
                while not file.props.watching:
                    await asyncio.sleep(0)
                came = []
                for command, name in (('printf de >> file', 'changed'), ('chmod 600 file', 'metadata'), ('rm file', 'removed'),
                                      ('echo > other; mv other file', 'replaced')):
                    process = await asyncio.create_subprocess_shell(command, cwd=self.folder)
                    await process.wait()
                    while not came or came[-1][0] != name:
                        came.append(await waiting)
                        waiting = asyncio.ensure_future(events.__anext__())
                self.assertEqual(came[0], ('changed', 3, 2))
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                await events.aclose()
                self.assertFalse(file.props.watching)
            with self.assertRaises(ValueError):
                await file.events().__anext__()

        self.run_async(program)

    def test_closing_ends_the_events(self):
        async def program():
            for close in ('close', 'close_async'):
                file = self.make(b'abc')

                async def listen():
                    return [event async for event in file.events()]

                listener = asyncio.ensure_future(listen())
                while not file.props.watching:
                    await asyncio.sleep(0)
                closing = getattr(file, close)()
                if close == 'close_async':
                    await closing
                self.assertEqual(await listener, [])

        self.run_async(program)

    def test_two_loops_in_two_threads(self):
        async def program():
            with await Mmio.File.open_async(self.path) as file:
                for _ in range(50):
                    self.assertEqual(await file.read_async(0, 3), b'abc')

        self.make(b'abc').close()
        failures = []

        def run():
            try:
                self.run_async(program)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_with_a_callback_it_is_as_in_gio(self):
        file = self.make(b'abc')
        loop = GLib.MainLoop()
        came = []

        def on_ready(source, result, data):
            came.append((source.read_finish(result), data))
            loop.quit()

        file.read_async(1, 2, None, on_ready, 'data')
        timer = GLib.timeout_add(60000, loop.quit)
        loop.run()
        self.assertEqual(came, [(b'bc', 'data')])
        GLib.source_remove(timer)


class Atomics(FileTest):
    def test_operations_give_the_value_before(self):
        for kind, top in (('u32', 2**32 - 1), ('u64', 2**64 - 1)):
            with self.make(bytes(16)) as file, getattr(file, 'get_atomic_' + kind)(8) as atomic:
                self.assertEqual(len(atomic), 1)
                self.assertEqual(atomic.add(0, 5), 0)
                self.assertEqual(atomic.sub(0, 6), 5)
                self.assertEqual(atomic.load(0), top)
                self.assertEqual(atomic.and_(0, 12), top)
                self.assertEqual(atomic.or_(0, 3), 12)
                self.assertEqual(atomic.xor(0, 1), 15)
                self.assertEqual(atomic.exchange(0, 9), 14)
                self.assertEqual(tuple(atomic.compare_exchange(0, 8, 1)), (False, 9))
                self.assertEqual(tuple(atomic.compare_exchange(0, 9, 1)), (True, 9))
                self.assertFalse(atomic.compare_and_store(0, 2, 3))
                self.assertTrue(atomic.compare_and_store(0, 1, top))
                self.assertEqual(atomic.exchange(0, 1), top)
                atomic.store(0, top)
                self.assertEqual(atomic.load(0), top)
                self.assertEqual(atomic.wake(0), 0)
                self.assertTrue(atomic.wait(0, 1, 1))
                with self.assertRaises(TimeoutError):
                    atomic.wait(0, top, 1)

    def test_mistakes_are_raised(self):
        with self.make(bytes(16)) as file:
            atomic = file.get_atomic_u32(4, 3)
            for index in (3, -1):
                with self.assertRaises(IndexError):
                    atomic.load(index)
            with self.assertRaises(ValueError):
                file.get_atomic_u32(2)
            atomic.release()
            with self.assertRaises(IndexError):
                atomic.load(0)
        with Mmio.File.open(self.path) as file, file.get_atomic_u64(0) as atomic:
            self.assertEqual(atomic.load(0), 0)
            with self.assertRaises(TypeError):
                atomic.add(0, 1)

    def test_mistakes_are_told_in_the_terms_of_the_call(self):
        with self.make(bytes(16)) as file:
            atomic = file.get_atomic_u64(8)
            for message, call in (('file: load(): index 1 is out of range: the length is 1', lambda: atomic.load(1)),
                                  ('file: offset 8 + 2 * 8 bytes exceeds size 16', lambda: file.get_atomic_u64(8, 2)),
                                  ('file: offset 0 + 4611686018427387904 * 4 bytes exceeds size 16', lambda: file.get_atomic_u32(0, 2 ** 62)),
                                  ('file: offset 3 is not a multiple of 8', lambda: file.get_atomic_u64(3)),
                                  ('AtomicU64.add() missing 1 required positional argument', lambda: atomic.add())):
                with self.assertRaises((ValueError, TypeError)) as caught:
                    call()
                self.assertIn(message, str(caught.exception))
            atomic.release()
            with self.assertRaisesRegex(IndexError, r'file: store\(\): it was released'):
                atomic.store(0, 1)
        with Mmio.File.open(self.path) as file, file.get_atomic_u64(0) as atomic:
            with self.assertRaisesRegex(TypeError, r"file: is mapped for reading only, so add\(\) can't change it: open it with 'r\+'"):
                atomic.add(0, 1)
        with Mmio.File.new_anonymous('name', 8) as file, file.get_atomic_u64(0) as atomic:
            with self.assertRaisesRegex(IndexError, 'a file without a name: '):
                atomic.load(1)

    def test_an_interrupt_ends_what_waits(self):
        with self.make(bytes(16)) as file:
            file.lock_range(8, 8)
            for call in ('file.get_atomic_u64(0).wait(0, 0)', 'file.get_atomic_u32(0).wait(0, 0, 60000)', 'file.lock_range(8, 4)'):
                code = ("import gi, os, signal, sys, threading; gi.require_version('Mmio', '1.0'); from gi.repository import Mmio\n"
                        "file = Mmio.File.open(sys.argv[1], 'r+')\n"
                        "def on_interrupt(*_):\n"
                        "    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
                        "    raise KeyboardInterrupt\n"
                        "signal.signal(signal.SIGINT, on_interrupt)\n"
                        "def interrupt():\n"
                        "    if sys.argv[3] == 'main': os.kill(os.getpid(), signal.SIGINT)\n"
                        "    else: signal.pthread_kill(threading.get_ident(), signal.SIGINT)\n"
                        "timer = threading.Timer(float(sys.argv[2]), interrupt)\n"
                        "try:\n"
                        "    timer.start()\n"
                        f"    {call}\n"
                        "except KeyboardInterrupt:\n"
                        "    print('interrupted', flush=True)\n"
                        "    os._exit(0)\n")
                # At once, in the first short wait, and later. It may also come in another thread, or just before this one goes to
                # sleep: then it ends no sleep, and is heard all the same.
                for delay, thread in (('0', 'main'), ('0.01', 'main'), ('0.2', 'main'), ('0.2', 'another')):
                    result = subprocess.run([sys.executable, '-c', code, self.path, delay, thread], capture_output=True, text=True, timeout=50)
                    self.assertEqual(result.stdout, 'interrupted\n', f'{call}, {delay}, {thread}: {result.stderr}')

    # What a handler raises, or that it returns, is the program's own affair while it waits, as in time.sleep() and fcntl.flock().
    HANDLER = (("import sys; sys.modules['_mmio'] = None\n" if sys.modules.get('_mmio', sys) is None else '') +
               "import gi, signal, sys, threading; gi.require_version('Mmio', '1.0'); from gi.repository import Mmio\n"
               "class Own(BaseException):\n"
               "    pass\n"
               "n_heard = 0\n"
               "def on_alarm(*_):\n"
               "    global n_heard\n"
               "    n_heard += 1\n"
               "    if n_heard == int(sys.argv[2]):\n"
               "        signal.setitimer(signal.ITIMER_REAL, 0)\n"
               "        raise eval(sys.argv[3])\n"
               "signal.signal(signal.SIGALRM, on_alarm)\n"
               "file = Mmio.File.open(sys.argv[1], 'r+')\n"
               "u32, u64 = file.get_atomic_u32(0), file.get_atomic_u64(0)\n"
               "def wait_again_and_again():\n"
               "    while True:\n"
               "        try:\n"
               "            u32.wait(0, 0, 15)\n"
               "        except TimeoutError:\n"
               "            pass\n")
    WAITS = ('u64.wait(0, 0)', 'u32.wait(0, 0, 60000)', 'wait_again_and_again()', 'file.lock_range(8, 4)')

    def run_with_handler(self, code, *args):
        return subprocess.run([sys.executable, '-c', self.HANDLER + code, self.path, *args], capture_output=True, text=True, timeout=50)

    def test_what_a_handler_raises_ends_what_waits(self):
        with self.make(bytes(16)) as file:
            file.lock_range(8, 8)
            for call in self.WAITS:
                # The first is heard while the library waits, the others while Python does.
                for n in ('1', '2', '7'):
                    code = ("try:\n"
                            "    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)\n"
                            f"    {call}\n"
                            "except Own as own:\n"
                            "    print(n_heard, own)\n")
                    result = self.run_with_handler(code, n, "Own('mine')")
                    self.assertEqual((result.stdout, result.stderr), (f'{n} mine\n', ''), f'{call}, {n}')

    def test_a_handler_may_end_the_program_while_it_waits(self):
        with self.make(bytes(16)) as file:
            file.lock_range(8, 8)
            for call in self.WAITS:
                code = ("try:\n"
                        "    signal.setitimer(signal.ITIMER_REAL, 0.01)\n"
                        f"    {call}\n"
                        "finally:\n"
                        "    print('cleaned up')\n")
                result = self.run_with_handler(code, '1', 'SystemExit(7)')
                self.assertEqual((result.stdout, result.stderr, result.returncode), ('cleaned up\n', '', 7), call)

    def test_a_handler_may_wake_who_waits(self):
        with self.make(bytes(16)) as file:
            file.lock_range(8, 8)
            for call, end in (('u64.wait(0, 0)', 'u64.store(0, 1), u64.wake(0)'),
                              ('u32.wait(0, 0, 60000)', 'u32.store(0, 1), u32.wake(0)'),
                              ('file.lock_range(8, 4)', "print('let go', flush=True), sys.stdin.readline()")):
                code = (f"signal.signal(signal.SIGALRM, lambda *_: ({end}))\n"
                        "signal.setitimer(signal.ITIMER_REAL, 0.05)\n"
                        f"print({call})\n")
                program = subprocess.Popen([sys.executable, '-c', self.HANDLER + code, self.path, '0', ''], stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, text=True)
                if 'lock' in call:
                    self.assertEqual(program.stdout.readline(), 'let go\n')
                    file.unlock_range(8, 8)
                self.assertEqual(program.communicate('\n', timeout=50)[0], 'True\n', call)
                file.write(0, bytes(8))

    def test_another_process_wakes_who_waits(self):
        async def program():
            with self.make(bytes(8)) as file, file.get_atomic_u32(0) as atomic:
                waiting = atomic.wait_async(0, 0, 60000)
                code = ("import gi; gi.require_version('Mmio', '1.0'); from gi.repository import Mmio; import sys; "
                        "atomic = Mmio.File.open(sys.argv[1], 'r+').get_atomic_u32(0); atomic.add(0, 7); atomic.wake(0)")
                process = await asyncio.create_subprocess_exec(sys.executable, '-c', code, self.path)
                self.assertTrue(await waiting)
                self.assertEqual(atomic.load(0), 7)
                self.assertEqual(await process.wait(), 0)

        asyncio.run(asyncio.wait_for(program(), 60))

    def test_two_processes_count_exactly(self):
        code = ("import gi; gi.require_version('Mmio', '1.0'); from gi.repository import Mmio; import sys\n"
                "atomic = Mmio.File.open(sys.argv[1], 'r+').get_atomic_u64(0)\n"
                "for _ in range(5000): atomic.add(0, 1)")
        with self.make(bytes(8)) as file, file.get_atomic_u64(0) as atomic:
            processes = [subprocess.Popen([sys.executable, '-c', code, self.path]) for _ in range(2)]
            for process in processes:
                self.assertEqual(process.wait(60), 0)
            self.assertEqual(atomic.load(0), 10000)


class LikeMmap(FileTest):
    def test_the_same_bytes_as_the_module_mmap(self):
        with self.make(os.urandom(10000)) as file, mmap.mmap(file.fileno(), 0) as other:
            self.assertEqual(file[:], other[:])
            other[5000:5003] = b'abc'
            self.assertEqual(file[5000:5003], b'abc')
            file[0] = 1
            self.assertEqual(other[0], 1)
