# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a mapped file costs in Python, beside Python's own mmap and numpy.memmap, side by side in one run: the best of many rounds.

import mmap
import os
import tempfile
import time
import timeit

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import Mmio  # noqa: E402

try:
    import numpy
except ImportError:
    numpy = None


def best(functions, number, rounds=15):
    """Nanoseconds a call, each function in turn in each round."""
    result = {name: float('inf') for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            result[name] = min(result[name], timeit.timeit(function[0], globals=function[1], number=number) / number * 1e9)
    return result


def report(title, ours, theirs, unit='ns'):
    print(f'{title:46} {ours:12.1f} {theirs:12.1f} {unit:3} {ours / theirs:8.2f}')


def open_ours(path):
    with Mmio.File.open(path) as file, file.view() as memory:
        return memory[-1]


def open_theirs(path):
    with open(path, 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapping, memoryview(mapping) as memory:
        return memory[-1]


def peak():
    with open('/proc/self/status') as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith('VmHWM'))


def main():
    print(f'{"":46} {"libmmio":>12} {"beside":>12}     {"ratio":>8}')
    with tempfile.TemporaryDirectory(prefix='mmio-') as folder:
        path = os.path.join(folder, 'file')
        with open(path, 'wb') as file:
            file.truncate(1 << 30)
        before = peak()
        names = globals() | {'path': path}
        times = best({'ours': ('open_ours(path)', names), 'theirs': ('open_theirs(path)', names)}, 200)
        report('open, view 1 GiB, close', times['ours'], times['theirs'])
        print(f'{"memory for the views of 1 GiB":46} {peak() - before:12} KiB')

        with open(path, 'wb') as file:
            file.write(b'\1' * (64 << 20))
        with Mmio.File.open(path, 'r+') as f, open(path, 'r+b') as plain, mmap.mmap(plain.fileno(), 0) as m:
            for title, statement in (('f[i]', 'f[1000]'), ('f[i:i + 64]', 'f[1000:1064]'),
                                     ('f[i] = value', 'f[1000] = 1'), ('f.find of what is not there, 64 MiB', None)):
                if statement is None:
                    times = best({'ours': ('f.find(b"xyz")', {'f': f}), 'theirs': ('f.find(b"xyz", 0)', {'f': m})}, 1, 3)
                    report(title, times['ours'] / 1e6, times['theirs'] / 1e6, 'ms')
                else:
                    times = best({'ours': (statement, {'f': f}), 'theirs': (statement, {'f': m})}, 20000)
                    report(title, times['ours'], times['theirs'])
            with f.view() as view:
                times = best({'ours': ('f[1000]', {'f': view}), 'theirs': ('f[1000]', {'f': m})}, 100000)
                report('view[i]', times['ours'], times['theirs'])
            if numpy is not None:
                ours, theirs = numpy.frombuffer(f.view(), dtype='u8'), numpy.memmap(path, dtype='u8', mode='r+')
                times = best({'ours': ('a.sum()', {'a': ours}), 'theirs': ('a.sum()', {'a': theirs})}, 3)
                report('sum of 64 MiB by numpy', times['ours'] / 1e6, times['theirs'] / 1e6, 'ms')
                del ours, theirs


if __name__ == '__main__':
    start = time.monotonic()
    main()
    print(f'{time.monotonic() - start:.1f} s')
