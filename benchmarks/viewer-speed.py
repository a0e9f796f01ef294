#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How the viewer bears what it promises to bear, driven as its test drives it, and against its goals:
#   start   from the start to the first rows of a file of 10 GiB, as the ratio to one of 10 KiB
#   clicks  from a click of the pointer to what it did, as somebody is told it, while the file changes 1,000 times a second
#   memory  over 10,000 screens that are scrolled through
# Run by `make check-viewer-speed`; with names, those alone.

import os
import random
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests'))
from viewer_driver import REASON, Display, Viewer, VIEWER, Writer  # noqa: E402

STARTS = 21
CLICKS = 200
SCREENS = 10000
RATE = 1000
FRAME = 1 / 50


def make(display, name, size):
    path = os.path.join(display.folder, name)
    with open(path, 'wb') as file:
        # The beginning is what is shown; the rest is a hole.
        file.write(random.Random(1).randbytes(min(size, 1 << 20)))
        file.truncate(size)
    return path


def first_rows(display, path):
    """Seconds until the viewer says that it has drawn them."""
    started = time.monotonic()
    with subprocess.Popen([VIEWER, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**display.environment, 'G_MESSAGES_DEBUG': 'Gjs-Console'}) as program:
        for line in program.stdout:
            if 'first rows shown' in line:
                break
        else:
            raise SystemExit('the viewer has ended without a row')
        duration = time.monotonic() - started
        program.terminate()
        program.stdout.read()
    return duration


def start(display):
    small, large = make(display, 'small', 10 << 10), make(display, 'large', 10 << 30)
    durations = {small: [], large: []}
    first_rows(display, small)
    for i in range(STARTS):
        for path in (small, large) if i % 2 else (large, small):
            durations[path].append(first_rows(display, path))
    ratio = statistics.median(b / a for a, b in zip(durations[small], durations[large]))
    print(f'start: 10 KiB {statistics.median(durations[small]) * 1000:.0f} ms, '
          f'10 GiB {statistics.median(durations[large]) * 1000:.0f} ms, ratio {ratio:.3f} (goal 1.2), median of {STARTS} pairs')
    return ratio <= 1.2


def clicks(display):
    good = True
    for name, size, way in (('written in view', 64 << 10, 'overwrite'), ('written anywhere, 64 MiB', 64 << 20, 'overwrite'),
                            ('appended to, the end in view', 300, 'append')):
        path = make(display, 'busy', size)
        viewer = Viewer(display, path)
        viewer.shows('Byte at 0x0000')
        for busy in (False, True):
            writer = Writer(path, RATE, way) if busy else None
            times = sorted(viewer.time_clicks(CLICKS))
            rate = writer.close() if busy else 0
            print(f'clicks: {name}, {rate:.0f} changes/s: median {times[len(times) // 2] * 1000:.1f} ms, '
                  f'99 % {times[int(0.99 * len(times))] * 1000:.1f} ms, worst {times[-1] * 1000:.1f} ms (goal 100)', flush=True)
        good = good and times[-1] <= 0.1
        viewer.close()
    return good


def held(viewer):
    """MiB that are the process's own: what the file's pages take is the system's, which takes them back."""
    with open(f'/proc/{viewer.program.pid}/status', encoding='utf-8') as status:
        return sum(int(kilobytes) for kilobytes in re.findall(r'^Rss(?:Anon|Shmem):\s+(\d+)', status.read(), re.M)) / 1024


def memory(display):
    path = make(display, 'long', 1 << 30)
    viewer = Viewer(display, path)
    viewer.shows('Byte at 0x0000')
    viewer.focus()
    figures = []
    with viewer.heard() as events:
        for i in range(SCREENS + 1):
            if i % (SCREENS // 10) == 0:
                figures.append(held(viewer))
            # Not before the one before it has been drawn.
            drawn = time.monotonic() + FRAME
            viewer.press('Next', events)
            time.sleep(max(0, drawn - time.monotonic()))
    print('memory: after each tenth of', SCREENS, 'screens:', ' '.join(f'{figure:.1f}' for figure in figures), 'MiB')
    viewer.close()
    # The first ones fill what is kept: the engine's heap, the glyphs. A leak would go on.
    return figures[-1] <= 1.03 * figures[3]


def main(names):
    if REASON:
        print(f'SKIP {REASON}')
        return 77
    display = Display()
    try:
        good = [CASES[name](display) for name in names or CASES]
    finally:
        display.close()
    return 0 if all(good) else 1


CASES = {'start': start, 'clicks': clicks, 'memory': memory}
sys.exit(main(sys.argv[1:]))
