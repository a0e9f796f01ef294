# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sides of cases in Python, which take turns with the other sides: see bench-program.h for what is said to and fro.

    peer.py SIDE PATH [ARGUMENT]
"""

import contextlib
import mmap
import os
import sys
import threading
import time
import timeit


def mmio():
    import gi
    gi.require_version('Mmio', '1.0')
    from gi.repository import Mmio
    return Mmio


def numpy():
    import numpy as module
    return module


def timed(statement, **names):
    """Nanoseconds that n runs of the statement take, as a function of n."""
    timer = timeit.Timer(statement, globals=names)
    return lambda n: int(timer.timeit(n) * 1e9)


def mapped(path):
    with open(path, 'r+b') as file:
        return mmap.mmap(file.fileno(), 0)


def opened(path):
    return mmio().File.open(path, 'r+')


def array(path):
    return numpy().memmap(path, dtype='u1', mode='r+')


def words(path):
    return numpy().memmap(path, dtype='u8', mode='r')


def open_mmap(path):
    with open(path, 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapping, memoryview(mapping) as memory:
        return memory[-1]


def open_mmio(path, open_file):
    with open_file(path) as file, file.view() as memory:
        return memory[-1]


# The mapping goes with what looks at it.

def view_mmap(path):
    with open(path, 'rb') as file:
        memory = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return memory[-1]


def view_mmio(path, open_file):
    return open_file(path).view()[-1]


SIDES = {
    'open-mmap': lambda path: timed('run(path)', run=open_mmap, path=path),
    'open-mmio': lambda path: timed('run(path, open_file)', run=open_mmio, path=path, open_file=mmio().File.open),
    'open-numpy': lambda path: timed('a = memmap(path, mode="r"); a[-1]', memmap=numpy().memmap, path=path),
    'view-mmap': lambda path: timed('run(path)', run=view_mmap, path=path),
    'view-mmio': lambda path: timed('run(path, open_file)', run=view_mmio, path=path, open_file=mmio().File.open),
    'index-mmap': lambda path: timed('f[1000]', f=mapped(path)),
    'index-mmio': lambda path: timed('f[1000]', f=opened(path)),
    'index-view': lambda path: timed('f[1000]', f=opened(path).view()),
    'index-numpy': lambda path: timed('f[1000]', f=array(path)),
    'slice-mmap': lambda path: timed('f[1000:1064]', f=mapped(path)),
    'slice-mmio': lambda path: timed('f[1000:1064]', f=opened(path)),
    'slice-view': lambda path: timed('bytes(f[1000:1064])', f=opened(path).view()),
    'slice-numpy': lambda path: timed('f[1000:1064].tobytes()', f=array(path)),
    'slice-pread': lambda path: timed('pread(fd, 64, 1000)', pread=os.pread, fd=os.open(path, os.O_RDONLY)),
    'write-mmap': lambda path: timed('f[1000:1064] = data', f=mapped(path), data=bytes(64)),
    'write-mmio': lambda path: timed('f[1000:1064] = data', f=opened(path), data=bytes(64)),
    'write-numpy': lambda path: timed('f[1000:1064] = data', f=array(path), data=numpy().zeros(64, 'u1')),
    'find-mmap': lambda path, word: timed('f.find(word, 0)', f=mapped(path), word=word.encode()),
    'find-mmio': lambda path, word: timed('f.find(word)', f=opened(path), word=word.encode()),
    'sum-memmap': lambda path: timed('a.sum()', a=words(path)),
    'sum-mmio': lambda path: timed('a.sum()', a=numpy().frombuffer(opened(path).view(), dtype='u8')),
}


def side(*names):
    return lambda function: SIDES.update(dict.fromkeys(names, function))


@side('watch-watchdog')
def watch_by_watchdog(path):
    """python3-watchdog calls its handler in a thread of its own."""
    try:
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer
    except ImportError:
        raise ImportError('python3-watchdog is not installed') from None
    seen = threading.Event()

    class Handler(FileSystemEventHandler):
        def on_modified(self, event):
            if event.src_path == path:
                seen.set()

    observer = Observer()
    observer.schedule(Handler(), os.path.dirname(path))
    observer.daemon = True
    observer.start()
    fd = os.open(path, os.O_WRONLY)

    def run(n):
        start = time.monotonic_ns()
        for _ in range(n):
            seen.clear()
            os.pwrite(fd, b'x', 0)
            if not seen.wait(60):
                sys.exit('no event in a minute')
        return time.monotonic_ns() - start

    return run


@side('watch-mmio')
def watch_by_mmio(path):
    from gi.repository import GLib
    module = mmio()
    file = module.File(path=path, watch_interval=0)
    count = 0

    def on_changed(*_):
        nonlocal count
        count += 1

    file.init(None)
    file.connect('changed', on_changed)
    file.watch(module.WatchFlags.NONE, None)
    context = GLib.MainContext.default()
    fd = os.open(path, os.O_WRONLY)

    def run(n):
        start = time.monotonic_ns()
        for _ in range(n):
            before = count
            os.pwrite(fd, b'x', 0)
            while count == before:
                context.iteration(True)
        return time.monotonic_ns() - start

    # Who watches is to be kept.
    run.file = file
    return run


def main(name, *arguments):
    with contextlib.redirect_stdout(sys.stderr):
        try:
            run = SIDES[name](*arguments)
        except (ImportError, ValueError) as error:
            why = str(error).replace('\n', ' ')
            run = None
    if run is None:
        print('SKIP', why, flush=True)
        return
    print('ready', flush=True)
    for line in sys.stdin:
        print(max(1, run(int(line))), flush=True)
    # Without the time that an orderly end takes, and what it may wait for.
    os._exit(0)


if __name__ == '__main__':
    main(*sys.argv[1:])
