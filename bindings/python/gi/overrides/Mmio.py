# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mmio for Python: a mapped file reads as a sequence of bytes, lends its memory without a copy, and fails with exceptions that are
also the builtin ones.

    with Mmio.File.open('data.bin', 'r+') as file:
        file[0:5] = b'hello'
        header = struct.unpack_from('<IHH', file.view())
        file.flush()
"""

import asyncio
import collections
import ctypes
import errno
import functools
import io
import operator
import os
import struct
import sys
import threading
import weakref

from gi.module import get_introspection_module
from gi.overrides import override
from gi.repository import Gio, GLib

try:
    import _mmio
except ImportError:
    # Not built, or for another Python: everything works without it, and takes longer.
    _mmio = None

Mmio = get_introspection_module('Mmio')

__all__ = []

_DOMAIN = GLib.quark_to_string(Mmio.error_quark())


def _exported(item):
    __all__.append(item.__name__)
    return item


# Exceptions

def _error(name, builtin, doc, number=None):
    """Makes an exception that is a GLib.Error and the builtin ones that a Python program expects."""
    def __init__(self, message='', domain=_DOMAIN, code=0):
        GLib.Error.__init__(self, message, domain, code)
        if number is not None:
            self.errno = number
            self.strerror = message

    names = {'__init__': __init__, '__doc__': doc, '__module__': __name__, '__str__': lambda self: self.message}
    return _exported(type(name, (GLib.Error, *builtin), names))


OutOfBoundsError = _error('OutOfBoundsError', (IndexError, ValueError), 'Offset and length reach past the size.')
MisalignedError = _error('MisalignedError', (ValueError,), 'The offset is no multiple of what the operation needs.')
WrongModeError = _error('WrongModeError', (TypeError,), "The mapping's mode does not allow it.")
BusyError = _error('BusyError', (BufferError,), 'Something still uses what would go: a view, or a lock.')
TruncatedError = _error('TruncatedError', (EOFError, OSError), 'Somebody made the file shorter than the range.', errno.EIO)
NoSpaceError = _error('NoSpaceError', (OSError,), 'The disk, or a quota, is full.', errno.ENOSPC)
MmioIOError = _error('MmioIOError', (OSError,), 'The device or the file system failed.', errno.EIO)
ResizeFailedError = _error('ResizeFailedError', (OSError,), 'The size could not be changed.', errno.EINVAL)
FlushFailedError = _error('FlushFailedError', (OSError,), 'What was written may not be durable.', errno.EIO)
LockFailedError = _error('LockFailedError', (OSError,), 'A lock could not be had.', errno.ENOLCK)
AdviceFailedError = _error('AdviceFailedError', (OSError,), 'The kernel did not take the advice.', errno.EINVAL)
WatchFailedError = _error('WatchFailedError', (OSError,), "The file can't be watched.", errno.ENOSPC)
NotSupportedError = _error('NotSupportedError', (OSError,), "This system or file system can't do it.", errno.ENOTSUP)
ClosedError = _error('ClosedError', (ValueError,), 'The file was closed.')
OpenNotFoundError = _error('OpenNotFoundError', (FileNotFoundError,), 'There is no such file.', errno.ENOENT)
OpenExistsError = _error('OpenExistsError', (FileExistsError,), 'There is a file already.', errno.EEXIST)
OpenPermissionError = _error('OpenPermissionError', (PermissionError,), 'The permissions do not allow it.', errno.EACCES)
OpenDirectoryError = _error('OpenDirectoryError', (IsADirectoryError,), 'A directory is no file to map.', errno.EISDIR)
TimedOutError = _error('TimedOutError', (TimeoutError,), 'It did not happen in time.', errno.ETIMEDOUT)
OpenNotDirectoryError = _error('OpenNotDirectoryError', (NotADirectoryError,), 'A folder of the path is a file.', errno.ENOTDIR)
OpenError = _error('OpenError', (OSError,), 'The file could not be opened.')

_BY_CODE = {
    Mmio.Error.OUT_OF_BOUNDS: OutOfBoundsError,
    Mmio.Error.MISALIGNED: MisalignedError,
    Mmio.Error.WRONG_MODE: WrongModeError,
    Mmio.Error.BUSY: BusyError,
    Mmio.Error.TRUNCATED: TruncatedError,
    Mmio.Error.NO_SPACE: NoSpaceError,
    Mmio.Error.IO: MmioIOError,
    Mmio.Error.RESIZE_FAILED: ResizeFailedError,
    Mmio.Error.FLUSH_FAILED: FlushFailedError,
    Mmio.Error.LOCK_FAILED: LockFailedError,
    Mmio.Error.ADVICE_FAILED: AdviceFailedError,
    Mmio.Error.WATCH_FAILED: WatchFailedError,
    Mmio.Error.NOT_SUPPORTED: NotSupportedError,
    Mmio.Error.CLOSED: ClosedError,
}
_BY_IO_CODE = {
    Gio.IOErrorEnum.NOT_FOUND: OpenNotFoundError,
    Gio.IOErrorEnum.EXISTS: OpenExistsError,
    Gio.IOErrorEnum.PERMISSION_DENIED: OpenPermissionError,
    Gio.IOErrorEnum.IS_DIRECTORY: OpenDirectoryError,
    Gio.IOErrorEnum.NOT_DIRECTORY: OpenNotDirectoryError,
    Gio.IOErrorEnum.NO_SPACE: NoSpaceError,
    Gio.IOErrorEnum.TIMED_OUT: TimedOutError,
    Gio.IOErrorEnum.NOT_SUPPORTED: NotSupportedError,
}
# What else keeps a file from being opened. mmap(2) has ENODEV for a kind of file that can't be mapped.
_NUMBERS = {
    Gio.IOErrorEnum.NOT_REGULAR_FILE: errno.ENODEV,
    Gio.IOErrorEnum.INVALID_ARGUMENT: errno.EINVAL,
    Gio.IOErrorEnum.FILENAME_TOO_LONG: errno.ENAMETOOLONG,
    Gio.IOErrorEnum.TOO_MANY_LINKS: errno.EMLINK,
    Gio.IOErrorEnum.TOO_MANY_OPEN_FILES: errno.EMFILE,
    Gio.IOErrorEnum.READ_ONLY: errno.EROFS,
    Gio.IOErrorEnum.BUSY: errno.EBUSY,
}


def _path_of(source):
    """What an exception has as its filename: a path as it was given, or that of a file, or that which a view or an atomic is in."""
    if isinstance(source, (Mmio.File, Gio.File)):
        return source.get_path()
    return os.fspath(source) if isinstance(source, (str, bytes, os.PathLike)) else getattr(source, '_path', None)


def _name_of(source):
    """How a message begins, as those of the library do."""
    path = _path_of(source)
    return 'a file without a name' if path is None else GLib.filename_display_name(path)


def _translate(error, source=None):
    """The exception for an error of the library, or of PyGObject. source: see _path_of()."""
    if isinstance(error, OverflowError):
        # An offset or a length below 0, or of more than 64 bits.
        return OutOfBoundsError(f'{_name_of(source)}: {error}', code=Mmio.Error.OUT_OF_BOUNDS)
    if error.domain == _DOMAIN:
        kind = _BY_CODE.get(error.code)
    elif error.domain == 'g-io-error-quark' and error.code != Gio.IOErrorEnum.CANCELLED:
        kind = _BY_IO_CODE.get(error.code, OpenError)
    else:
        kind = None
    if kind is None:
        return error
    exception = kind(error.message, error.domain, error.code)
    if isinstance(exception, OSError):
        exception.filename = _path_of(source)
        if kind is OpenError:
            exception.errno, exception.strerror = _NUMBERS.get(error.code), error.message
    return exception


def _bad_descriptor(error):
    # GIO has no code for it.
    if isinstance(error, OpenError) and error.errno is None:
        error.errno = errno.EBADF
    return error


def _translated(function, errors=GLib.Error):
    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except errors as error:
            source = args[0] if args else kwargs.get('path', kwargs.get('location'))
            raise _translate(error, source) from None
        except RuntimeError as error:
            raise _find_raised(error)
    return call


def _find_raised(error):
    """What a RuntimeError stands for: what a signal's handler raised while PyGObject made the exception for an error, and printed."""
    raised = getattr(sys, 'last_value', None) if str(error) == 'Converting the GError failed' else None
    if raised is None:
        return error
    raised.__suppress_context__ = True
    return raised


def _translated_range(function):
    """Of a function whose numbers are offsets and lengths alone: one that is below 0 is out of bounds as any other."""
    return _translated(function, (GLib.Error, OverflowError))


_RANGE_METHODS = {'advise', 'evict', 'flush_range', 'get_resident_bytes', 'lock_memory', 'lock_range', 'move', 'prefetch', 'read',
                  'start_writeback', 'sub', 'touch', 'unlock_memory', 'unlock_range', 'write'}

# What help() says beneath the signature: the introspection data has no documentation.
_DOCS = {
    'new_anonymous': 'Maps a new file in memory that stands at no path; another process is given its descriptor.',
    'advise': 'Tells the system what to expect of a range (Mmio.Advice). No advice changes what the range holds.',
    'evict': 'Asks the system to drop a range from memory. Nothing is lost.',
    'fill': 'Sets every byte of a range to one value.',
    'flush': 'Makes what was written durable: on return it survives a power cut, as far as the disk keeps its word.',
    'flush_range': 'Makes what was written to a range durable.',
    'get_atomic_u32': 'Integers of 32 bits in the file that threads and processes share: n_elements of them from offset on.',
    'get_atomic_u64': 'Integers of 64 bits in the file that threads and processes share: n_elements of them from offset on.',
    'get_resident_bytes': 'Whether it could be found out, and how much of a range is in memory.',
    'lock_memory': 'Reads a range into memory and keeps it there until unlock_memory().',
    'move': 'Moves bytes inside the file; the two ranges may overlap.',
    'prefetch': 'Asks the system to read a range into memory, and doesn\'t wait for it.',
    'refresh': 'Takes over the size that others have given the file, and heals what a truncation has left.',
    'resize': 'Changes the size. What the file grows by reads as zeros. A BufferError where a memoryview reaches past the new end.',
    'seal': 'Forbids something to everyone who has the file, for ever (Mmio.SealFlags): of anonymous files.',
    'start_writeback': 'Asks the system to begin writing a range to the disk, and doesn\'t wait. Nothing is durable by it.',
    'touch': 'Reads a range into memory and maps it, so that no later access to it waits.',
    'unlock_memory': 'Takes back lock_memory().',
    'unlock_range': 'Lets go of the locks that this object has on a range.',
    'write_bytes': 'Copies the bytes of a GLib.Bytes in.',
    'check': 'Raises TruncatedError if not all that was seen was the file\'s. To be asked after looking.',
    'wait': 'Waits until the element is not expected any more.',
}
_NUMBER_DOCS = {'int': 'a signed integer of {} bits', 'uint': 'an unsigned integer of {} bits', 'float': 'a floating-point number of 32 bits',
                'double': 'a floating-point number of 64 bits'}


def _describe(name):
    verb, _, number = name.partition('_')
    kind = number.rstrip('0123456789')
    if verb in ('get', 'set') and kind in _NUMBER_DOCS:
        order = '' if number.endswith('int8') else ", in the host's byte order unless '<' or '>' is given"
        return f"{'Reads' if verb == 'get' else 'Writes'} {_NUMBER_DOCS[kind].format(number[len(kind):])}{order}."
    if name.endswith('_async'):
        return f'{name[:-6]}() without blocking: to await, or with a callback as in GIO.'
    if name.endswith('_finish'):
        return f'What {name[:-7]}_async() has come to: for its callback.'
    return _DOCS.get(name)


def _translate_methods(cls, base):
    """Every method that can fail, also one that is new in the library, raises the exceptions above. Each gets its line of help."""
    for info in base.__info__.get_methods():
        name = info.get_name()
        if info.can_throw_gerror() and name not in vars(cls):
            function = (_translated_range if name in _RANGE_METHODS else _translated)(getattr(base, name))
            setattr(cls, name, function if info.is_method() else staticmethod(function))
        function = vars(cls).get(name)
        function = getattr(function, '__func__', function)
        # Its own, if it was written by hand.
        signature = getattr(base, name, None).__doc__ if hasattr(base, name) else None
        if function is not None and function.__doc__ in (None, signature) and _describe(name) is not None:
            function.__doc__ = f'{signature}\n\n{_describe(name)}'


# Asynchronous calls

class _Runner:
    """A thread that iterates a main context of its own, so that an await needs no GLib main loop in the program."""

    def __init__(self):
        self.reset()
        # A child has the context and not the thread.
        os.register_at_fork(after_in_child=self.reset)

    def reset(self):
        self.lock = threading.Lock()
        self.context = None
        self.calls = collections.deque()

    def run(self, context, calls):
        context.push_thread_default()
        while True:
            while calls:
                calls.popleft()()
            context.iteration(True)

    def call(self, function):
        # What a signal's handler raises meanwhile leaves no context without a thread, and isn't lost: a GLib.Source would be let go of
        # by a __del__(), out of which nothing comes.
        with self.lock:
            if self.context is None:
                context = GLib.MainContext.new()
                threading.Thread(target=self.run, args=(context, self.calls), name='Mmio', daemon=True).start()
                self.context = context
        self.calls.append(function)
        self.context.wakeup()


_runner = _Runner()


# Seconds until a signal is heard that has come at a bad moment
_LONGEST_SLEEP = 0.2


def _interruptibly(start, finish, cancellable, undo=lambda: None):
    """What a call that may wait for long gives, waited for in Python, where signals are heard: they are not as long as the library waits.

    For the main thread, which alone hears them. What a handler raises comes out; the call goes on if it returns.
    """
    outcome = []
    done, begun = _Event(), _Event()
    own = Gio.Cancellable()
    handler = 0 if cancellable is None else cancellable.connect(own.cancel)

    def settle(function, *args):
        try:
            outcome[:] = (True, function(*args))
        except Exception as error:
            outcome[:] = (False, error)
        if function is finish or not outcome[0]:
            done.set()

    def begin():
        begun.set()
        settle(start, own, lambda _, result, *unused: settle(finish, result))

    def abandon():
        own.cancel()
        # It has been begun, or is about to be, or never is.
        turn = _Event()
        _runner.call(turn.set)
        turn.wait()
        if begun.is_set:
            done.wait()
            if outcome[0]:
                undo()

    try:
        _runner.call(begin)
        done.wait()
    except BaseException:
        # To its end, whatever else is raised meanwhile.
        while True:
            try:
                abandon()
                break
            except BaseException:
                continue
        raise
    finally:
        if handler:
            cancellable.disconnect(handler)
    if not outcome[0]:
        raise outcome[1]
    return outcome[1]


class _Event:
    """What the main thread waits for. threading.Event keeps a lock for ever if a handler raises in the wrong moment."""

    def __init__(self):
        self.is_set = False
        self.sleep = threading.Lock()
        self.sleep.acquire()

    def set(self):
        self.is_set = True
        self.sleep.release()

    def wait(self):
        # Not in one go: a signal that comes when Python has looked for one and doesn't sleep yet ends no sleep.
        while not self.is_set:
            self.sleep.acquire(timeout=_LONGEST_SLEEP)


def _error_of(outcome):
    """The exception for what _mmio tells of a call that failed; None if it didn't."""
    return None if outcome is True else GLib.Error(*outcome)


def _hears_signals():
    return threading.current_thread() is threading.main_thread()


class _Future(asyncio.Future):
    """What a call gives to await: cancelling it cancels the call."""

    def cancel(self, *args, **kwargs):
        cancelled = super().cancel(*args, **kwargs)
        if cancelled:
            self.cancellable.cancel()
        return cancelled


def _future(start, finish, cancellable, source):
    """Calls start in the runner's thread, now: calls on one file are done in the order in which they were made."""
    loop = asyncio.get_running_loop()
    future = _Future(loop=loop)
    future.cancellable = cancellable or Gio.Cancellable()

    def settle(set_outcome, outcome):
        if not future.done():
            set_outcome(outcome)

    def on_ready(_, result, *unused):
        try:
            outcome = (future.set_result, finish(result))
        except Exception as error:
            # What finishes an opening has no path to tell it.
            if isinstance(error, OSError) and error.filename is None:
                error.filename = _path_of(source)
            outcome = (future.set_exception, error)
        try:
            loop.call_soon_threadsafe(settle, *outcome)
        except RuntimeError:
            # Nobody waits any more: the loop was closed.
            pass

    def begin():
        try:
            start(future.cancellable, on_ready)
        except Exception as error:
            loop.call_soon_threadsafe(settle, future.set_exception, error)

    _runner.call(begin)
    return future


def _asynchronous(base, name, prepare=None):
    """X_async: as GIO has it if a callback is given, else something to await. prepare turns Python's arguments into the library's."""
    start = getattr(base, name + '_async')
    if name in _RANGE_METHODS:
        start = _translated_range(start)
    info, = (info for info in base.__info__.get_methods() if info.get_name() == name + '_async')
    expected = [argument.get_name() for argument in info.get_arguments()].index('cancellable') + info.is_method()

    @functools.wraps(start)
    def call(*args, cancellable=None, callback=None, **kwargs):
        # (…, cancellable, callback, user_data…): the callback is what tells the two ways apart.
        for position in range(len(args) - 1, -1, -1):
            if position > info.is_method() and callable(args[position]) and not isinstance(args[position], Mmio.File):
                cancellable, callback, user_data = args[position - 1], args[position], args[position + 1:]
                args = args[:position - 1]
                break
        else:
            user_data = ()
            if args and isinstance(args[-1], Gio.Cancellable):
                args, cancellable = args[:-1], args[-1]
        if prepare is not None:
            args = prepare(*args, **kwargs)
        elif len(args) != expected or kwargs:
            raise TypeError(f'{name}_async() takes {expected - info.is_method()} arguments before a cancellable and a callback')
        if callback is not None:
            return start(*args, cancellable, callback, *user_data)
        if info.is_method():
            finish = functools.partial(getattr(type(args[0]), name + '_finish'), args[0])
        else:
            finish = getattr(File, name + '_finish')
        return _future(functools.partial(start, *args), finish, cancellable, args[0] if args else None)
    return call if info.is_method() else staticmethod(call)


# Memory

class _Memory(ctypes.c_ubyte * sys.maxsize):
    """One type of array for all lengths: ctypes would make a class for each."""

    __hash__ = object.__hash__


def _memory(view, length, writable, exports=None):
    """The view's memory as a memoryview that keeps the view, and with it the memory. It is among exports as long as anything looks at it."""
    memory = _Memory.from_address(view.get_pointer())
    memory.view = view
    if exports is not None:
        exports.add(weakref.ref(memory, exports.discard))
    memory = memoryview(memory).cast('B')[:length]
    return memory if writable else memory.toreadonly()


class View(*([] if _mmio is None else [_mmio.Buffer]), Mmio.View):
    """A window on a range of a file, without a copy. Lends its memory as a memoryview."""

    def memory(self):
        """The view's memory, with its own hold on the range: read-only if the view is."""
        length = self.get_length()
        return _memory(self.sub(0, length), length, self.is_writable())

    def get_data(self):
        """As memory()."""
        return self.memory()

    def __buffer__(self, flags):
        return self.memory()

    def __release_buffer__(self, memory):
        """Nothing to do. But without it numpy keeps the object, and does not look at its memory all the time."""

    @_translated_range
    def sub(self, offset, length):
        """A part of it, with its own hold on its range."""
        part = Mmio.View.sub(self, offset, length)
        part._path = self._path
        return part

    # The file's, for exceptions
    _path = None

    def __len__(self):
        return self.get_length()

    def __bool__(self):
        return True

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.release()


_translate_methods(View, Mmio.View)
View = override(View)
__all__.append('View')

_MODES = {
    'r': Mmio.Mode.READ_ONLY, 'rb': Mmio.Mode.READ_ONLY, 'br': Mmio.Mode.READ_ONLY,
    'r+': Mmio.Mode.READ_WRITE, 'rb+': Mmio.Mode.READ_WRITE, 'r+b': Mmio.Mode.READ_WRITE, 'br+': Mmio.Mode.READ_WRITE,
    'c': Mmio.Mode.COPY_ON_WRITE, 'cb': Mmio.Mode.COPY_ON_WRITE, 'bc': Mmio.Mode.COPY_ON_WRITE,
}


def _mode(mode):
    if not isinstance(mode, str):
        return mode
    try:
        return _MODES[mode]
    except KeyError:
        raise ValueError(f"invalid mode: {mode!r}; use 'r', 'r+' or 'c' (copy on write)") from None


def _bytes(data):
    return data if type(data) is bytes else bytes(memoryview(data).cast('B'))


_BYTE_ORDERS = {
    '=': Gio.DataStreamByteOrder.HOST_ENDIAN,
    '@': Gio.DataStreamByteOrder.HOST_ENDIAN,
    '<': Gio.DataStreamByteOrder.LITTLE_ENDIAN,
    '>': Gio.DataStreamByteOrder.BIG_ENDIAN,
    '!': Gio.DataStreamByteOrder.BIG_ENDIAN,
    'little': Gio.DataStreamByteOrder.LITTLE_ENDIAN,
    'big': Gio.DataStreamByteOrder.BIG_ENDIAN,
}


def _byte_order(order):
    if not isinstance(order, str):
        return order
    try:
        return _BYTE_ORDERS[order]
    except KeyError:
        raise ValueError(f"invalid byte order: {order!r}; use '<', '>' or '=', or 'little' or 'big'") from None


def _add_numbers(cls, base):
    """get_uint32 (offset, byte_order) and its kin: the byte order is the host's unless it is given, also as struct and int name it."""
    def add(kind):
        get, put = getattr(base, 'get_' + kind), getattr(base, 'set_' + kind)

        @_translated
        @functools.wraps(get)
        def get_number(self, offset, byte_order='='):
            return get(self, offset, _byte_order(byte_order))

        @_translated
        @functools.wraps(put)
        def set_number(self, offset, value, byte_order='='):
            return put(self, offset, value, _byte_order(byte_order))

        setattr(cls, 'get_' + kind, get_number)
        setattr(cls, 'set_' + kind, set_number)

    for kind in ('uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64', 'float', 'double'):
        add(kind)


class Stream(io.RawIOBase):
    """A file's bytes as a binary stream of Python: what File.open_stream() gives. Closing it leaves the file open."""

    def __init__(self, file, offset=0, writable=None):
        super().__init__()
        self._file = file
        self._position = offset
        self._writable = file.get_mode() != Mmio.Mode.READ_ONLY if writable is None else writable

    name = property(lambda self: self._file.get_path())
    mode = property(lambda self: 'rb+' if self._writable else 'rb')

    def _check(self):
        if self.closed:
            raise ValueError('I/O operation on closed stream')

    def readable(self):
        self._check()
        return True

    def writable(self):
        self._check()
        return self._writable

    def seekable(self):
        self._check()
        return True

    def fileno(self):
        # Reading from the descriptor would be another position, and the bytes of another moment.
        raise io.UnsupportedOperation('fileno')

    def tell(self):
        self._check()
        return self._position

    def seek(self, offset, whence=io.SEEK_SET):
        self._check()
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.get_size()}.get(whence)
        if base is None:
            raise ValueError(f'invalid whence: {whence}')
        if base + offset < 0:
            raise ValueError(f'negative seek position: {base + offset}')
        self._position = base + offset
        return self._position

    def _available(self, count):
        self._check()
        left = max(self._file.get_size() - self._position, 0)
        return left if count is None or count < 0 else min(count, left)

    def read(self, size=-1):
        """Up to size bytes, or all there are."""
        count = self._available(size)
        data = self._file.read(self._position, count) if count > 0 or self._file.is_closed() else b''
        self._position += len(data)
        return data

    def readall(self):
        return self.read()

    def readinto(self, buffer):
        memory = memoryview(buffer).cast('B')
        count = self._available(memory.nbytes)
        if count == 0 and not self._file.is_closed():
            return 0
        memory[:count] = self._file.read(self._position, count)
        self._position += count
        return count

    def write(self, data):
        """Writes all of data, and grows the file if it reaches past the end."""
        self._check()
        if not self._writable:
            raise io.UnsupportedOperation('not writable')
        data = _bytes(data)
        if self._position + len(data) > self._file.get_size() and data:
            self._file.resize(self._position + len(data))
        self._file.write(self._position, data)
        self._position += len(data)
        return len(data)

    def truncate(self, size=None):
        self._check()
        if not self._writable:
            raise io.UnsupportedOperation('not writable')
        size = self._position if size is None else size
        self._file.resize(size)
        return size


__all__.append('Stream')


# Looked up once: what programs call most often.
_open, _close = Mmio.File.open, Mmio.File.close
_get_size, _get_mode, _get_path, _is_closed = Mmio.File.get_size, Mmio.File.get_mode, Mmio.File.get_path, Mmio.File.is_closed
_read, _write, _get_uint8, _set_uint8 = Mmio.File.read, Mmio.File.write, Mmio.File.get_uint8, Mmio.File.set_uint8
_get_view, _get_writable_view = Mmio.File.get_view, Mmio.File.get_writable_view
_READ_ONLY = Mmio.Mode.READ_ONLY
_Mode = Mmio.Mode


def _named(file, part):
    """A view or an atomic of the file, with the path that its exceptions tell."""
    part._path = _get_path(file)
    return part


def _forget(file, *_):
    """What file[i] looks at is another memory, or another size, from now on."""
    file._turn = object()
    file.__dict__.pop('_items', None)


class _Sequence:
    """What _mmio.Sequence has from C, in Python. What is not the plain case is left to File by both."""

    __slots__ = ()

    def __len__(self):
        return _get_size(self)

    def __getitem__(self, index):
        # What most programs do most often: no call into the library, and nobody asks what the index is, since a slice of _items can't
        # be compared. A zero is either the file's, or what a fault or the closing has left there: _get_item() knows.
        try:
            value = self._items[index]
            # A memoryview takes a tuple for its dimensions.
            if value > 0 and index.__class__ is not tuple:
                return value
        except (AttributeError, IndexError, TypeError, NotImplementedError):
            pass
        item = self._get_item(index)
        if '_items' not in self.__dict__ and item.__class__ is int:
            self._find_items()
        return item

    def _find_items(self):
        """Keeps the address of the memory, which the library gives back with the file and not before: no pin is needed to look at it.

        It is forgotten whenever it may show something else. Handlers that know the file by their argument alone: no cycle.
        """
        if '_items_handlers' not in self.__dict__:
            self._items_handlers = [self.connect(name, _forget) for name in ('notify::size', 'changed', 'replaced')]
        turn = self.__dict__.get('_turn')
        try:
            view = _get_view(self, 0, _get_size(self))
        except GLib.Error:
            # Another thread has made it shorter meanwhile, or closed it: the next item looks again.
            return
        self._items = memoryview(_Memory.from_address(view.get_pointer())).cast('B')[:view.get_length()].toreadonly()
        view.release()
        # Another thread may have changed it meanwhile.
        if self.__dict__.get('_turn') is not turn:
            self.__dict__.pop('_items', None)

    @property
    def closed(self):
        """Whether the file is closed."""
        return _is_closed(self)

    def __setitem__(self, index, value):
        self._set_item(index, value)

    def __delitem__(self, index):
        raise TypeError("bytes of a file can't be deleted")

    def __buffer__(self, flags):
        return self.view()

    def __release_buffer__(self, memory):
        """Nothing to do. But without it numpy keeps the object, and does not look at its memory all the time."""

    def _lend_memory(self, offset, length, writable):
        return None

    def _count_lent(self):
        return 0

    def _close(self):
        return False


def _open_plainly(path, mode):
    return None


if _mmio is not None:
    _Sequence, _open_plainly = _mmio.Sequence, _mmio.open


class File(_Sequence, Mmio.File):
    """A file mapped into memory, as a sequence of bytes of a fixed length.

    file[i] is a number, file[a:b] a copy as bytes, file.view(offset, length) the memory itself. Assignment to either writes to the
    file; it does not grow: see resize().
    """

    @_translated
    def __init__(self, **properties):
        if properties.get('path') is not None:
            properties['path'] = os.fspath(properties['path'])
        if 'mode' in properties:
            properties['mode'] = _mode(properties['mode'])
        super().__init__(**properties)
        self.init(None)

    @staticmethod
    def open(path, mode='r'):
        """Maps a file: 'r' to read, 'r+' to read and write, 'c' to write to a private copy. An Mmio.Mode works too."""
        mode = _mode(mode)
        if mode.__class__ is _Mode:
            file = _open_plainly(path, mode)
            if file is not None:
                return file
        try:
            return _open(os.fspath(path), mode)
        except GLib.Error as error:
            raise _translate(error, path) from None

    @staticmethod
    @_translated
    def open_location(location, mode='r', cancellable=None):
        """Maps a file that is given as a Gio.File."""
        return Mmio.File.open_location(location, _mode(mode), cancellable)

    @staticmethod
    @_translated
    def create(path, size, flags=Mmio.CreateFlags.NONE):
        """Creates a file of that many zeros and maps it to read and write."""
        return Mmio.File.create(os.fspath(path), size, flags)

    @staticmethod
    @_translated
    def open_or_create(path, size):
        """Maps a file to read and write, and creates it with that size if it isn't there."""
        return Mmio.File.open_or_create(os.fspath(path), size)

    @staticmethod
    def new_for_fd(fd, mode='r'):
        """Maps a file that is open already: a number, or an object with fileno()."""
        number = fd if isinstance(fd, int) else fd.fileno()
        if number < 0:
            raise _bad_descriptor(OpenError(f'fd {number}: is no open descriptor', 'g-io-error-quark', Gio.IOErrorEnum.FAILED))
        try:
            return Mmio.File.new_for_fd(number, _mode(mode))
        except GLib.Error as error:
            raise _bad_descriptor(_translate(error)) from None

    open_async = _asynchronous(Mmio.File, 'open', lambda path, mode='r': (os.fspath(path), _mode(mode)))
    open_location_async = _asynchronous(Mmio.File, 'open_location', lambda location, mode='r': (location, _mode(mode)))
    create_async = _asynchronous(Mmio.File, 'create',
                                 lambda path, size, flags=Mmio.CreateFlags.NONE: (os.fspath(path), size, flags))
    open_or_create_async = _asynchronous(Mmio.File, 'open_or_create', lambda path, size: (os.fspath(path), size))

    # Life

    # The memory that is lent out, and whether it is to be written to.
    _lent = None

    def _lend(self):
        self._lent = lent = (set(), _get_mode(self) != _READ_ONLY)
        return lent

    def _check_exports(self):
        count = self._count_lent()
        if self._lent is not None:
            count += len(self._lent[0])
        if count > 0:
            raise BusyError(f'{_name_of(self)}: cannot close: {count} memoryviews of it exist', code=Mmio.Error.BUSY)

    def close(self):
        """Flushes what is pending and lets go of the file. A BufferError while a memoryview of it lives."""
        self._check_exports()
        try:
            return self._close() or _close(self)
        except GLib.Error as error:
            raise _translate(error, self) from None
        finally:
            if self._ends is not None and self.closed:
                self._end_events()

    def _prepare_close(self):
        self._check_exports()
        return (self,)

    close_async = _asynchronous(Mmio.File, 'close', _prepare_close)

    @_translated
    def close_finish(self, result):
        """What close_async() has come to: for its callback."""
        try:
            return Mmio.File.close_finish(self, result)
        finally:
            self._end_events()

    # Ends the iterations of events(): a closed file has none any more.
    _ends = None

    def _end_events(self):
        for end in self._ends or ():
            end()

    def fileno(self):
        """The file's descriptor."""
        if self.is_closed():
            raise ClosedError(f'{_name_of(self)}: the file was closed', code=Mmio.Error.CLOSED)
        return self.get_fd()

    @_translated
    def reload(self):
        """Maps what the path names now."""
        _forget(self)
        try:
            return Mmio.File.reload(self)
        finally:
            _forget(self)

    @_translated
    def reload_finish(self, result):
        _forget(self)
        return Mmio.File.reload_finish(self, result)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()

    def __repr__(self):
        state = 'closed' if self.is_closed() else f'{self.get_mode().value_nick}, {len(self)} bytes'
        return f'<Mmio.File {self.get_path()!r}, {state}>'

    @_translated
    def watch(self, flags=Mmio.WatchFlags.NONE, cancellable=None):
        """Begins to emit changed, metadata, removed and replaced, in the main context of this thread."""
        return Mmio.File.watch(self, flags, cancellable)

    async def events(self, flags=Mmio.WatchFlags.NONE):
        """What happens to the file, for "async for", under any asyncio loop: ('changed', offset, length), ('removed',), …

        Watches the file as watch() does, and until the iteration ends, or the file is closed: signals come in a thread of this module's
        own meanwhile.
        """
        loop = asyncio.get_running_loop()
        started = loop.create_future()
        queue = asyncio.Queue()

        def tell(function, *args):
            try:
                loop.call_soon_threadsafe(function, *args)
            except RuntimeError:
                # Nobody waits any more: the loop was closed.
                pass

        def begin():
            try:
                self.watch(flags)
            except Exception as error:
                tell(started.set_exception, error)
            else:
                tell(started.set_result, None)

        handlers = [self.connect(name, lambda _, *args, name=name: tell(queue.put_nowait, (name, *args)))
                    for name in ('changed', 'metadata', 'removed', 'replaced', 'settled', 'fault')]
        def end():
            tell(queue.put_nowait, None)

        # A new one each time: somebody may be walking over it.
        self._ends = (*(self._ends or ()), end)
        _runner.call(begin)
        try:
            await asyncio.shield(started)
            while True:
                event = await queue.get()
                if event is None:
                    return
                yield event
        finally:
            self._ends = tuple(other for other in self._ends if other is not end)
            for handler in handlers:
                self.disconnect(handler)
            self.unwatch()

    # Bytes

    def read(self, offset=0, count=None):
        """Copies bytes out: count of them, or as many as there are. Never a mix of before and after one write of this process."""
        if count is None:
            count = max(_get_size(self) - offset, 0)
        try:
            return _read(self, offset, count).get_data() or b''
        except (GLib.Error, OverflowError) as error:
            raise _translate(error, self) from None

    def _prepare_read(self, offset=0, count=None):
        return (self, offset, max(self.get_size() - offset, 0) if count is None else count)

    read_async = _asynchronous(Mmio.File, 'read', _prepare_read)

    @_translated
    def read_finish(self, result):
        return Mmio.File.read_finish(self, result).get_data() or b''

    def write(self, offset, data):
        """Copies bytes in: of anything that has the buffer protocol. The file doesn't grow."""
        try:
            return _write(self, offset, data if data.__class__ is bytes else _bytes(data))
        except (GLib.Error, OverflowError) as error:
            raise _translate(error, self) from None

    def _prepare_write(self, offset, data):
        return (self, offset, data if isinstance(data, GLib.Bytes) else GLib.Bytes.new(_bytes(data)))

    write_async = _asynchronous(Mmio.File, 'write', _prepare_write)

    @_translated_range
    def get_bytes(self, offset=0, length=None):
        """The memory of a range as GLib.Bytes, without a copy: for other libraries. file.view() is a memoryview."""
        return Mmio.File.get_bytes(self, offset, max(_get_size(self) - offset, 0) if length is None else length)

    @_translated_range
    def get_view(self, offset=0, length=None):
        """A window on a range, for reading, which says by check() whether all that was seen was the file's."""
        return _named(self, _get_view(self, offset, max(_get_size(self) - offset, 0) if length is None else length))

    @_translated_range
    def get_writable_view(self, offset=0, length=None):
        """A window on a range, for reading and writing."""
        return _named(self, _get_writable_view(self, offset, max(_get_size(self) - offset, 0) if length is None else length))

    @_translated_range
    def lock_range(self, offset, length, exclusive=True, cancellable=None):
        """Locks a range against other processes and other objects, exclusively or shared, and waits for it."""
        if _hears_signals():
            # Most locks are free, and had sooner without a thread.
            is_wanted = _mmio is not None and not (cancellable is not None and cancellable.is_cancelled())
            outcome = _mmio.try_lock(self, offset, length, exclusive) if is_wanted else None
            if outcome is not None:
                error = _error_of(outcome)
                if error is None:
                    return True
                if not error.matches(Mmio.error_quark(), Mmio.Error.BUSY):
                    raise error
            return _interruptibly(functools.partial(Mmio.File.lock_range_async, self, offset, length, exclusive),
                                  functools.partial(Mmio.File.lock_range_finish, self), cancellable,
                                  functools.partial(Mmio.File.unlock_range, self, offset, length))
        return Mmio.File.lock_range(self, offset, length, exclusive, cancellable)

    @_translated_range
    def try_lock_range(self, offset, length, exclusive=True):
        """As lock_range(), but fails instead of waiting."""
        return Mmio.File.try_lock_range(self, offset, length, exclusive)

    lock_range_async = _asynchronous(Mmio.File, 'lock_range', lambda self, offset, length, exclusive=True: (self, offset, length, exclusive))

    def unpack(self, format, offset=0):
        """The values that struct.unpack finds at offset, all of one moment."""
        return struct.unpack(format, self.read(offset, struct.calcsize(format)))

    def pack(self, format, offset, *values):
        """Writes what struct.pack makes of the values, in one write."""
        return self.write(offset, struct.pack(format, *values))

    def view(self, offset=0, length=None, writable=None):
        """The file's memory as a memoryview, without a copy: writable if the file is, unless asked otherwise.

        It keeps the memory where it is, also when the file is dropped; while it lives, a shrink below its end and close() are a
        BufferError. If somebody else truncates the file it shows zeros.
        """
        memory = self._lend_memory(offset, length, writable)
        if memory is not None:
            return memory
        exports, is_writable = self._lent or self._lend()
        if length is None:
            length = max(_get_size(self) - offset, 0)
        if writable is None:
            writable = is_writable
        try:
            view = _get_writable_view(self, offset, length) if writable else _get_view(self, offset, length)
        except (GLib.Error, OverflowError) as error:
            raise _translate(error, self) from None
        return _memory(view, length, writable, exports)

    def __bool__(self):
        return True

    def _index(self, index):
        size = _get_size(self)
        position = operator.index(index)
        if position < 0:
            position += size
        if not 0 <= position < size and not self.is_closed():
            raise OutOfBoundsError(f'{_name_of(self)}: index {index} is out of range: the size is {size}',
                                   code=Mmio.Error.OUT_OF_BOUNDS)
        return max(position, 0)

    def _get_item(self, index):
        """file[index]: what is left of it when the plain case is done."""
        if not isinstance(index, slice):
            if index.__class__ is not int or not 0 <= index <= sys.maxsize:
                index = self._index(index)
            try:
                return _get_uint8(self, index)
            except GLib.Error as error:
                raise _translate(error, self) from None
        start, stop, step = index.indices(_get_size(self))
        if step == 1 or _is_closed(self):
            return self.read(start, max(stop - start, 0))
        try:
            view = _get_view(self, 0, _get_size(self))
        except GLib.Error as error:
            raise _translate(error, self) from None
        data = bytes(_memory(view, view.get_length(), False)[index])
        # A copy is the file's bytes or an error, also one with a step.
        view.check()
        return data

    def _set_item(self, index, value):
        """file[index] = value, likewise."""
        if not isinstance(index, slice):
            value = operator.index(value)
            if not 0 <= value < 256:
                raise ValueError('byte must be in range(0, 256)')
            if index.__class__ is not int or not 0 <= index <= sys.maxsize:
                index = self._index(index)
            try:
                _set_uint8(self, index, value)
            except GLib.Error as error:
                raise _translate(error, self) from None
            return
        start, stop, step = index.indices(_get_size(self))
        data = _bytes(value)
        length = len(range(start, stop, step))
        if len(data) != length:
            raise ValueError(f'{_name_of(self)}: cannot assign {len(data)} bytes to {length}: a mapped file does not grow by assignment')
        if step == 1 or _is_closed(self):
            self.write(start, data)
        else:
            self.view()[index] = data

    def _range(self, start, stop):
        """As bytes.find takes them: what begins past the end is an empty range that holds nothing, not even an empty pattern."""
        size = self.get_size()
        first, last, _ = slice(start, stop).indices(size)
        return (first, last) if start is None or operator.index(start) <= size else (1, 0)

    @_translated
    def find(self, pattern, start=0, stop=None):
        """Where the bytes are first between start and stop, as bytes.find: -1 if nowhere."""
        start, stop = self._range(start, stop)
        return Mmio.File.find(self, _bytes(pattern), start, stop) if start <= stop else -1

    @_translated
    def find_last(self, pattern, start=0, stop=None):
        """Where the bytes are last between start and stop, as bytes.rfind: -1 if nowhere."""
        start, stop = self._range(start, stop)
        return Mmio.File.find_last(self, _bytes(pattern), start, stop) if start <= stop else -1

    rfind = find_last

    def _prepare_find(self, pattern, start=0, stop=None, forwards=True):
        start, stop = self._range(start, stop)
        if start > stop:
            start = stop = 0
        return (self, GLib.Bytes.new(_bytes(pattern)), start, stop, forwards)

    find_async = _asynchronous(Mmio.File, 'find', _prepare_find)

    def chunks(self, chunk_size=0, writable=False):
        """The file's memory in memoryviews of chunk_size bytes, the last one shorter, without a copy: of a page with 0.

        Up to the size that the file has when it begins. If somebody else has truncated the file meanwhile, zeros came, and the end is
        a TruncatedError.
        """
        if chunk_size < 0:
            raise ValueError(f'negative chunk size: {chunk_size}')
        chunk_size = chunk_size or os.sysconf('SC_PAGESIZE')
        size = self.get_size()
        view = (self.get_writable_view if writable else self.get_view)(0, size)
        exports, _ = self._lent or self._lend()
        memory = _memory(view, size, writable, exports)
        for offset in range(0, len(memory), chunk_size):
            yield memory[offset:offset + chunk_size]
        view.check()

    def __iter__(self):
        return self.chunks()

    def open_stream(self, offset=0, writable=None):
        """The file as an io.RawIOBase that begins at offset: what zipfile, tarfile and gzip read from. A write past the end grows it."""
        return Stream(self, offset, writable)

    def __contains__(self, item):
        return self.find(bytes((item,)) if isinstance(item, int) else item) >= 0


for _bits in (32, 64):
    _name = f'get_atomic_u{_bits}'
    setattr(File, _name, (lambda get: _translated_range(lambda self, offset, n_elements=1: _named(self, get(self, offset, n_elements))))(
        getattr(Mmio.File, _name)))
for _name in ('fill', 'move', 'resize', 'reload', 'flush', 'flush_range', 'prefetch', 'lock_memory'):
    if hasattr(Mmio.File, _name + '_async'):
        setattr(File, _name + '_async', _asynchronous(Mmio.File, _name))
_add_numbers(File, Mmio.File)
_translate_methods(File, Mmio.File)
File = override(File)
if _mmio is not None:
    _mmio.start(File)
__all__.append('File')


# Atomics. An index that is none, or a change where the file is mapped for reading, is a programmer's mistake in C, with a message on
# the console: here it is raised.

_ATOMIC_DOCS = {
    'load': 'The value of an element.',
    'store': 'Gives an element a value.',
    'exchange': 'Gives an element a value; the one before.',
    'add': 'Adds to an element, and wraps; the value before.',
    'sub': 'Subtracts from an element, and wraps; the value before.',
    'and_': 'Keeps the bits of an element that the value has; the value before.',
    'or_': 'Sets bits of an element; the value before.',
    'xor': 'Turns over bits of an element; the value before.',
    'compare_exchange': 'Gives an element a value if it is the expected one; whether it was, and the value before.',
    'compare_and_store': 'Gives an element a value if it is the expected one; whether it was.',
}


# How long a signal may have to wait for its handler
_PATIENCE_MS = 20


def _atomic(base, bits):
    def check(self, name, index, changes):
        try:
            length, writable = self._shape
        except AttributeError:
            length, writable = self._shape = self.get_length(), self.is_writable()
        if not 0 <= operator.index(index) < length:
            reason = 'it was released' if length == 0 and self._is_released else f'index {index} is out of range: the length is {length}'
            raise OutOfBoundsError(f'{_name_of(self)}: {name}(): {reason}', code=Mmio.Error.OUT_OF_BOUNDS)
        if changes and not writable:
            raise WrongModeError(f"{_name_of(self)}: is mapped for reading only, so {name}() can't change it: open it with 'r+'",
                                 code=Mmio.Error.WRONG_MODE)

    def checked(name):
        function = getattr(base, name)

        @functools.wraps(function)
        def call(self, index, *args):
            check(self, name, index, name != 'load')
            return function(self, index, *args)
        # What a call without the index is told about
        call.__qualname__ = f'{base.__name__}.{name}'
        call.__doc__ = f'{function.__doc__}\n\n{_ATOMIC_DOCS[name]}'
        return call

    @_translated
    def wait(self, index, expected, timeout_ms=-1, cancellable=None):
        """Waits until the element is not expected any more: at once if it isn't. TimeoutError after timeout_ms milliseconds."""
        check(self, 'wait', index, False)
        if not _hears_signals():
            return base.wait(self, index, expected, timeout_ms, cancellable)
        # Most waits are short, and shorter without a thread.
        short_ms = min(timeout_ms, _PATIENCE_MS) if timeout_ms >= 0 else _PATIENCE_MS
        outcome = None if _mmio is None else _mmio.wait(self, index, expected, short_ms, cancellable)
        if outcome is not None:
            error = _error_of(outcome)
            if error is None:
                return True
            if timeout_ms == short_ms or not error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT):
                raise error
            timeout_ms -= short_ms if timeout_ms >= 0 else 0
        return _interruptibly(functools.partial(base.wait_async, self, index, expected, timeout_ms),
                              functools.partial(base.wait_finish, self), cancellable)

    def prepare_wait(self, index, expected, timeout_ms=-1):
        check(self, 'wait_async', index, False)
        return (self, index, expected, timeout_ms)

    def wake(self, index, n=1):
        """Wakes up to n of those who wait for the element, in any process."""
        check(self, 'wake', index, False)
        return base.wake(self, index, n)

    def release(self):
        """Lets go of the file's memory."""
        self._shape = (0, False)
        self._is_released = True
        base.release(self)

    names = {
        '__doc__': f'Integers of {bits} bits in a file that threads and processes share.',
        '__module__': __name__,
        '_path': None,
        '_is_released': False,
        '__len__': lambda self: self.get_length(),
        '__bool__': lambda self: True,
        '__enter__': lambda self: self,
        '__exit__': lambda self, *args: self.release(),
        'wait': wait,
        'wait_async': _asynchronous(base, 'wait', prepare_wait),
        'wake': wake,
        'release': release,
    }
    for name in ('load', 'store', 'exchange', 'add', 'sub', 'and', 'or', 'xor', 'compare_exchange', 'compare_and_store'):
        # PyGObject puts an underscore after a keyword.
        name = name if hasattr(base, name) else name + '_'
        names[name] = checked(name)
    cls = type(base)(base.__name__, (base,), names)
    _translate_methods(cls, base)
    return override(cls)


AtomicU32 = _atomic(Mmio.AtomicU32, 32)
AtomicU64 = _atomic(Mmio.AtomicU64, 64)
__all__ += ['AtomicU32', 'AtomicU64']
