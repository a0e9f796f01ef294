# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interface of Python's own module mmap, on a file that libmmio maps.

    import mmio_mmap as mmap

and what the program does with mmap.mmap goes on to work, with these differences:

- a file that somebody truncates is a ValueError or an EOFError, and a full disk an OSError, where mmap ends the process by a signal;
- resize() moves nothing, and memoryviews of what stays inside are no obstacle to it;
- flush() makes itself heard by those who watch the file;
- it is that of Python 3.13, in every version: seek() returns the position, and there are seekable() and trackfd;
- what is in it may be longer than a byte: b'line' in m;
- a private mapping of a file can't be resized, and madvise() gives the advice that libmmio has;
- an empty file can't be mapped by length 0, as with mmap, but can with an Mmio.File;
- memoryview(m), re and hashlib take it as a buffer where the binding's part in C is, or from Python 3.12 on, which gave classes the
  buffer protocol; m.view() is a memoryview always;
- devices can't be mapped.
"""

import errno
import mmap as _mmap
import operator
import os
import sys

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import Mmio  # noqa: E402

try:
    from _mmio import Buffer as _Buffer
except ImportError:
    # Not built: see gi/overrides/Mmio.py.
    _Buffer = object

_names = [name for name in dir(_mmap) if name.startswith(('ACCESS_', 'MADV_', 'MAP_', 'PROT_'))]
globals().update((name, getattr(_mmap, name)) for name in _names)
from mmap import (ACCESS_COPY, ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ALLOCATIONGRANULARITY, MAP_PRIVATE,  # noqa: E402
                  MAP_SHARED, PAGESIZE, PROT_READ, PROT_WRITE)

__all__ = ['mmap', 'error', 'ALLOCATIONGRANULARITY', 'PAGESIZE', *_names]

error = OSError

_ACCESS = {ACCESS_DEFAULT: 'ACCESS_DEFAULT', ACCESS_READ: 'ACCESS_READ', ACCESS_WRITE: 'ACCESS_WRITE', ACCESS_COPY: 'ACCESS_COPY'}
_ADVICE = {getattr(_mmap, 'MADV_' + name): advice for name, advice in {
    'NORMAL': Mmio.Advice.NORMAL,
    'RANDOM': Mmio.Advice.RANDOM,
    'SEQUENTIAL': Mmio.Advice.SEQUENTIAL,
    'WILLNEED': Mmio.Advice.WILL_NEED,
    'DONTNEED': Mmio.Advice.DONT_NEED,
    'HUGEPAGE': Mmio.Advice.HUGE_PAGE,
    'NOHUGEPAGE': Mmio.Advice.NO_HUGE_PAGE,
    'DONTDUMP': Mmio.Advice.DONT_DUMP,
}.items() if hasattr(_mmap, 'MADV_' + name)}


# A search in less than this takes less time on a copy than the call into the library.
_NEAR = 256


def _access(flags, prot, access):
    if access == ACCESS_DEFAULT:
        if not prot & PROT_WRITE:
            return ACCESS_DEFAULT, Mmio.Mode.READ_ONLY
        return ACCESS_DEFAULT, Mmio.Mode.COPY_ON_WRITE if flags & MAP_PRIVATE else Mmio.Mode.READ_WRITE
    if flags != MAP_SHARED or prot != PROT_READ | PROT_WRITE:
        raise ValueError("mmap can't specify both access and flags, prot.")
    try:
        return access, {ACCESS_READ: Mmio.Mode.READ_ONLY, ACCESS_WRITE: Mmio.Mode.READ_WRITE,
                        ACCESS_COPY: Mmio.Mode.COPY_ON_WRITE}[access]
    except KeyError:
        raise ValueError('mmap invalid access parameter.') from None


def _invalid():
    return OSError(errno.EINVAL, os.strerror(errno.EINVAL))


class mmap(_Buffer):
    """As mmap.mmap (fileno, length, flags, prot, access, offset, trackfd). fileno -1 is anonymous memory, which forked processes share
    unless the flags say MAP_PRIVATE.
    """

    def __new__(cls, fileno, length, flags=MAP_SHARED, prot=PROT_READ | PROT_WRITE, access=ACCESS_DEFAULT, offset=0, *, trackfd=True):
        self = super().__new__(cls)
        fileno, length, offset = operator.index(fileno), operator.index(length), operator.index(offset)
        sys.audit('mmap.__new__', fileno, length, access, offset)
        if length < 0:
            raise OverflowError('memory mapped length must be positive')
        if offset < 0:
            raise OverflowError('memory mapped offset must be positive')
        self._access, mode = _access(flags, prot, access)
        if offset % ALLOCATIONGRANULARITY != 0:
            raise _invalid()
        if fileno == -1:
            if length == 0:
                raise _invalid()
            self._file = Mmio.File.new_anonymous('mmap', offset + length)
            if flags & MAP_PRIVATE:
                self._file = Mmio.File.new_for_fd(self._file, Mmio.Mode.COPY_ON_WRITE)
        else:
            size = os.fstat(fileno).st_size
            if length == 0:
                if size == 0:
                    raise ValueError('cannot mmap an empty file')
                if offset >= size:
                    raise ValueError('mmap offset is greater than file size')
                length = size - offset
            elif offset > size or size - offset < length:
                raise ValueError('mmap length is greater than file size')
            self._file = Mmio.File.new_for_fd(fileno, mode)
        self._anonymous = fileno == -1
        self._track = trackfd
        self._writable = mode != Mmio.Mode.READ_ONLY
        self._offset = offset
        self._length = length
        self._position = 0
        return self

    # What every method asks first, and again once its arguments are numbers: what makes them may have closed the mapping.

    def _check(self):
        if self._file.closed:
            raise ValueError('mmap closed or invalid')

    def _check_writable(self):
        self._check()
        if not self._writable:
            raise TypeError("mmap can't modify a readonly memory map.")

    def _indices(self, *numbers):
        numbers = [operator.index(number) for number in numbers]
        self._check()
        return numbers

    def _slice(self, index):
        start, stop, step = index.indices(self._length)
        self._check()
        return range(start, stop, step)

    def _get(self, position, count):
        """A slice is quicker than read(), but would be a short one where the file is."""
        start = self._offset + position
        data = self._file[start:start + count]
        return data if len(data) == count else self._file.read(start, count)

    def _bounds(self, start, end):
        start = self._position if start is None else start
        end = self._length if end is None else end
        indices = self._slice(slice(start, end))
        return indices.start, indices.stop

    # Life

    def close(self):
        """Closes the mapping, not the file. Everything else is a ValueError from then on; a BufferError while there are memoryviews."""
        try:
            self._file.close()
        except BufferError:
            raise BufferError('cannot close exported pointers exist') from None

    @property
    def closed(self):
        return self._file.closed

    def __enter__(self):
        self._check()
        return self

    def __exit__(self, *args):
        self.close()

    def __repr__(self):
        if self.closed:
            return '<mmio_mmap.mmap closed=True>'
        return (f'<mmio_mmap.mmap closed=False, access={_ACCESS[self._access]}, length={self._length}, pos={self._position}, '
                f'offset={self._offset}>')

    def __len__(self):
        self._check()
        return self._length

    def __reduce_ex__(self, protocol):
        raise TypeError(f'cannot pickle {type(self).__name__!r} object')

    def size(self):
        """The length of the file, which can be larger than what is mapped of it."""
        self._check()
        if not self._track:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._length if self._anonymous else os.fstat(self._file.fileno()).st_size

    def resize(self, newsize):
        """Gives the mapping and its file a new size."""
        self._check()
        if self._access in (ACCESS_READ, ACCESS_COPY) or not self._writable:
            raise TypeError("mmap can't resize a readonly or copy-on-write memory map.")
        if not self._track:
            raise ValueError("mmap can't resize with trackfd=False.")
        newsize, = self._indices(newsize)
        if newsize < 0 or (newsize == 0 and not self._anonymous):
            raise ValueError('new size out of range')
        if self._anonymous and self._file.get_mode() == Mmio.Mode.COPY_ON_WRITE:
            self._replace(newsize)
        else:
            self._file.resize(self._offset + newsize)
        self._length = newsize

    def _replace(self, newsize):
        """Private memory is moved, since nobody else looks at it."""
        memory = Mmio.File.new_for_fd(Mmio.File.new_anonymous('mmap', self._offset + newsize), Mmio.Mode.COPY_ON_WRITE)
        memory.write(0, self._file.read(0, min(self._file.get_size(), memory.get_size())))
        self.close()
        self._file = memory

    # Durability and advice

    def flush(self, offset=0, size=None):
        """Makes what was written durable. offset is a multiple of the page size. Nothing to do on what never reaches a file."""
        offset, size = self._indices(offset, self._length - offset if size is None else size)
        if offset < 0 or size < 0 or self._length - offset < size:
            raise ValueError('flush values out of range')
        if self._writable and self._file.get_mode() == Mmio.Mode.READ_WRITE:
            if offset % PAGESIZE != 0:
                raise _invalid()
            self._file.flush_range(self._offset + offset, size)

    def madvise(self, option, start=0, length=None):
        """Tells the system what will be done with a range that begins at a page. EINVAL for advice that libmmio doesn't give."""
        option, start, length = self._indices(option, start, self._length if length is None else length)
        if not 0 <= start < self._length:
            raise ValueError('madvise start out of bounds')
        if length < 0:
            raise ValueError('madvise length invalid')
        if start + length > sys.maxsize:
            raise OverflowError('madvise length too large')
        if option not in _ADVICE or start % PAGESIZE != 0:
            raise _invalid()
        self._file.advise(self._offset + start, min(length, self._length - start), _ADVICE[option])

    # As a file

    def tell(self):
        self._check()
        return self._position

    def seekable(self):
        """True."""
        return True

    def seek(self, pos, whence=os.SEEK_SET):
        """Goes to a position inside the mapping, and returns it."""
        pos, whence = self._indices(pos, whence)
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}
        if whence not in bases:
            raise ValueError('unknown seek type')
        if not 0 <= bases[whence] + pos <= self._length:
            raise ValueError('seek out of range')
        self._position = bases[whence] + pos
        return self._position

    def read(self, n=None):
        """Up to n bytes from the position on; all there are without n, with None, or with a negative one."""
        n, = self._indices(-1 if n is None else n)
        left = max(self._length - self._position, 0)
        count = left if n < 0 else min(n, left)
        if count == 0:
            return b''
        data = self._get(self._position, count)
        self._position += count
        return data

    def read_byte(self):
        """The byte at the position, as a number."""
        self._check()
        if self._position >= self._length:
            raise ValueError('read byte out of range')
        self._position += 1
        return self._file[self._offset + self._position - 1]

    def readline(self):
        """A line from the position on, with its newline."""
        self._check()
        end = self._find(b'\n', self._position, min(self._length, self._position + _NEAR), False)
        if end < 0:
            end = self._find(b'\n', self._position, self._length, False)
        return self.read(None if end < 0 else end + 1 - self._position)

    def write(self, bytes):
        """Writes all bytes at the position; a ValueError, and nothing is written, if they don't fit."""
        self._check_writable()
        data = memoryview(bytes).cast('B')
        if self._position + data.nbytes > self._length:
            raise ValueError('data out of range')
        start = self._offset + self._position
        self._file[start:start + data.nbytes] = data
        self._position += data.nbytes
        return data.nbytes

    def write_byte(self, byte):
        """Writes a number at the position."""
        byte, = self._indices(byte)
        if not 0 <= byte < 256:
            raise OverflowError('unsigned byte integer is out of range')
        self._check_writable()
        if self._position >= self._length:
            raise ValueError('write byte out of range')
        self._file[self._offset + self._position] = byte
        self._position += 1

    # As a bytearray

    def _find(self, sub, start, end, last):
        if start > end:
            return -1
        if end - start <= _NEAR and sub.__class__ is bytes:
            data = self._get(start, end - start)
            found = data.rfind(sub) if last else data.find(sub)
            return found + start if found >= 0 else -1
        found = (self._file.rfind if last else self._file.find)(sub, self._offset + start, self._offset + end)
        return found - self._offset if found >= 0 else -1

    def find(self, sub, start=None, end=None):
        """Where sub is first from start, which is the position unless given, to end: -1 if nowhere."""
        self._check()
        return self._find(sub, *self._bounds(start, end), False)

    def rfind(self, sub, start=None, end=None):
        """Where sub is last from start, which is the position unless given, to end: -1 if nowhere."""
        self._check()
        return self._find(sub, *self._bounds(start, end), True)

    def move(self, dest, src, count):
        """Copies count bytes from src to dest, which may overlap."""
        self._check_writable()
        dest, src, count = self._indices(dest, src, count)
        if min(dest, src, count) < 0 or max(dest, src) + count > self._length:
            raise ValueError('source, destination, or count out of range')
        self._file.move(self._offset + dest, self._offset + src, count)

    def _index(self, index):
        position, = self._indices(index)
        if position < 0:
            position += self._length
        if not 0 <= position < self._length:
            raise IndexError('mmap index out of range')
        return self._offset + position

    def __getitem__(self, index):
        # What programs do most often, and closed or not is asked for by the file itself.
        if index.__class__ is int and 0 <= index < self._length:
            try:
                return self._file[self._offset + index]
            except Mmio.ClosedError:
                pass
        self._check()
        if not isinstance(index, slice):
            return self._file[self._index(index)]
        indices = self._slice(index)
        if indices.step == 1:
            return self._get(indices.start, len(indices))
        return bytes(self.view()[index]) if indices else b''

    def __setitem__(self, index, value):
        if index.__class__ is value.__class__ is int and 0 <= index < self._length and self._writable and 0 <= value < 256:
            try:
                self._file[self._offset + index] = value
                return
            except Mmio.ClosedError:
                pass
        self._check_writable()
        if not isinstance(index, slice):
            offset, (value,) = self._index(index), self._indices(value)
            if not 0 <= value < 256:
                raise ValueError('mmap item value must be in range(0, 256)')
            self._file[offset] = value
            return
        indices = self._slice(index)
        data = memoryview(value).cast('B')
        if data.nbytes != len(indices):
            raise IndexError('mmap slice assignment is wrong size')
        if indices.step == 1:
            start = self._offset + indices.start
            self._file[start:start + data.nbytes] = data
        elif indices:
            self.view()[index] = data

    def __delitem__(self, index):
        raise TypeError("mmap object doesn't support item deletion")

    def __iter__(self):
        for position in range(len(self)):
            yield self[position:position + 1]

    def __reversed__(self):
        for position in reversed(range(len(self))):
            yield self[position:position + 1]

    def __contains__(self, item):
        self._check()
        sub = bytes((item,)) if isinstance(item, int) else item
        return self._find(sub, 0, self._length, False) >= 0

    def view(self):
        """The memory as a memoryview: what memoryview (m) is. Read-only if the mapping is."""
        self._check()
        return self._file.view(self._offset, self._length)

    def __buffer__(self, flags):
        return self.view()

    def __release_buffer__(self, memory):
        """Nothing to do. But without it numpy keeps the object, and does not look at its memory all the time."""
