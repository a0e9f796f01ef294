# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mmio for Python: a mapped file reads as a sequence of bytes, lends its memory without a copy, and fails with exceptions that are
also the builtin ones.

    with Mmio.File.open('data.bin', 'r+') as file:
        file[0:5] = b'hello'
        header = struct.unpack_from('<IHH', file.view())
        file.flush()
"""

import ctypes
import errno
import functools
import operator
import os
import re

from gi.module import get_introspection_module
from gi.overrides import override
from gi.repository import Gio, GLib

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
OpenError = _error('OpenError', (OSError,), 'The file could not be opened.', errno.EIO)

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
    Gio.IOErrorEnum.NO_SPACE: NoSpaceError,
    Gio.IOErrorEnum.NOT_SUPPORTED: NotSupportedError,
}


def _translate(error):
    if error.domain == _DOMAIN:
        kind = _BY_CODE.get(error.code)
    elif error.domain == 'g-io-error-quark' and error.code != Gio.IOErrorEnum.CANCELLED:
        kind = _BY_IO_CODE.get(error.code, OpenError)
    else:
        kind = None
    return error if kind is None else kind(error.message, error.domain, error.code)


def _translated(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except GLib.Error as error:
            raise _translate(error) from None
    return call


def _translate_methods(cls, base):
    """Every method that can fail, also one that is new in the library, raises the exceptions above."""
    for info in base.__info__.get_methods():
        name = info.get_name()
        if not info.can_throw_gerror() or name in vars(cls):
            continue
        function = _translated(getattr(base, name))
        setattr(cls, name, function if info.is_method() else staticmethod(function))


# Memory

class _Pin:
    """What a memoryview keeps: its hold on the range. While there is one, the file's close is a BufferError."""

    def __init__(self, view, exports=None):
        self.view = view
        self.exports = exports
        if exports is not None:
            exports.add(id(self))

    def __del__(self):
        self.view.release()
        if self.exports is not None:
            self.exports.discard(id(self))


def _memory(pin):
    view = pin.view
    memory = (ctypes.c_ubyte * view.get_length()).from_address(view.get_pointer())
    memory.pin = pin
    memory = memoryview(memory).cast('B')
    return memory if view.is_writable() else memory.toreadonly()


class View(Mmio.View):
    """A window on a range of a file, without a copy. Lends its memory as a memoryview."""

    def memory(self):
        """The view's memory, with its own hold on the range: read-only if the view is."""
        return _memory(_Pin(self.sub(0, self.get_length())))

    def get_data(self):
        """As memory()."""
        return self.memory()

    def __buffer__(self, flags):
        return self.memory()

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
    'r': Mmio.Mode.READ_ONLY,
    'r+': Mmio.Mode.READ_WRITE,
    'c': Mmio.Mode.COPY_ON_WRITE,
}


def _mode(mode):
    if not isinstance(mode, str):
        return mode
    try:
        return _MODES[mode.replace('b', '', 1)]
    except KeyError:
        raise ValueError(f"invalid mode: {mode!r}; use 'r', 'r+' or 'c' (copy on write)") from None


def _bytes(data):
    return data if type(data) is bytes else bytes(memoryview(data).cast('B'))


class File(Mmio.File):
    """A file mapped into memory, as a sequence of bytes of a fixed length.

    file[i] is a number, file[a:b] a copy as bytes, file.view(offset, length) the memory itself. Assignment to either writes to the
    file; it does not grow: see resize().
    """

    @_translated
    def __init__(self, **properties):
        super().__init__(**properties)
        self.init(None)

    @staticmethod
    @_translated
    def open(path, mode='r'):
        """Maps a file: 'r' to read, 'r+' to read and write, 'c' to write to a private copy. An Mmio.Mode works too."""
        return Mmio.File.open(os.fspath(path), _mode(mode))

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
    @_translated
    def new_for_fd(fd, mode='r'):
        """Maps a file that is open already: a number, or an object with fileno()."""
        return Mmio.File.new_for_fd(fd if isinstance(fd, int) else fd.fileno(), _mode(mode))

    # Life

    @property
    def _exports(self):
        return self.__dict__.setdefault('_exported_memory', set())

    @property
    def closed(self):
        """Whether the file is closed."""
        return self.is_closed()

    @_translated
    def close(self):
        """Flushes what is pending and lets go of the file. A BufferError while a memoryview of it lives."""
        if self._exports:
            raise BusyError(f'{self.get_path()}: cannot close: {len(self._exports)} memoryviews of it exist', code=Mmio.Error.BUSY)
        return Mmio.File.close(self)

    def fileno(self):
        """The file's descriptor."""
        if self.is_closed():
            raise ClosedError(f'{self.get_path()}: the file was closed', code=Mmio.Error.CLOSED)
        return self.get_fd()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()

    def __repr__(self):
        state = 'closed' if self.is_closed() else f'{self.get_mode().value_nick}, {len(self)} bytes'
        return f'<Mmio.File {self.get_path()!r}, {state}>'

    # Bytes

    @_translated
    def read(self, offset=0, count=None):
        """Copies bytes out: count of them, or as many as there are. Never a mix of before and after one write of this process."""
        if count is None:
            count = max(self.get_size() - offset, 0)
        data = Mmio.File.read(self, offset, count)
        # GLib.Bytes.get_data () converts item by item.
        return ctypes.string_at(data.get_region(1, 0, count), count) if count > 0 else b''

    @_translated
    def write(self, offset, data):
        """Copies bytes in: of anything that has the buffer protocol. The file doesn't grow."""
        return Mmio.File.write(self, offset, _bytes(data))

    @_translated
    def view(self, offset=0, length=None, writable=None):
        """The file's memory as a memoryview, without a copy: writable if the file is, unless asked otherwise.

        It keeps the memory where it is, also when the file is dropped; while it lives, a shrink below its end and close() are a
        BufferError. If somebody else truncates the file it shows zeros.
        """
        if length is None:
            length = max(self.get_size() - offset, 0)
        if writable is None:
            writable = self.get_mode() != Mmio.Mode.READ_ONLY
        get = Mmio.File.get_writable_view if writable else Mmio.File.get_view
        return _memory(_Pin(get(self, offset, length), self._exports))

    def __buffer__(self, flags):
        return self.view()

    def __len__(self):
        return self.get_size()

    def __bool__(self):
        return True

    def _index(self, index):
        size = self.get_size()
        position = operator.index(index)
        if position < 0:
            position += size
        if not 0 <= position < size and not self.is_closed():
            raise OutOfBoundsError(f'{self.get_path()}: index {index} is out of range: the size is {size}',
                                   code=Mmio.Error.OUT_OF_BOUNDS)
        return max(position, 0)

    def __getitem__(self, index):
        if not isinstance(index, slice):
            return self.read(self._index(index), 1)[0]
        start, stop, step = index.indices(self.get_size())
        if step == 1 or self.is_closed():
            return self.read(start, max(stop - start, 0))
        return bytes(self.view(writable=False)[index])

    def __setitem__(self, index, value):
        if not isinstance(index, slice):
            self.write(self._index(index), bytes((operator.index(value),)))
            return
        start, stop, step = index.indices(self.get_size())
        data = _bytes(value)
        if len(data) != len(range(start, stop, step)):
            raise ValueError(f'{self.get_path()}: cannot assign {len(data)} bytes to {len(range(start, stop, step))}: '
                             'a mapped file does not grow by assignment')
        if step == 1 or self.is_closed():
            self.write(start, data)
        else:
            self.view()[index] = data

    def find(self, pattern, start=0, stop=None):
        """Where the bytes first are between start and stop, as bytes.find: -1 if nowhere."""
        start, stop, _ = slice(start, stop).indices(self.get_size())
        pattern = _bytes(pattern)
        with self.view(writable=False) as memory:
            match = re.compile(re.escape(pattern)).search(memory, start, stop) if start <= stop else None
            found = match.start() if match else -1
            del match
        return found

    def __contains__(self, item):
        return self.find(bytes((item,)) if isinstance(item, int) else item) >= 0


_translate_methods(File, Mmio.File)
File = override(File)
__all__.append('File')
