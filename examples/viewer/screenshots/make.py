#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make.py FOLDER: the pictures that README and the metainfo show, of the real thing, driven as the tests drive it. Run by `make screenshots`.
# It needs metacity, ImageMagick, optipng, pngquant and the font Cantarell, so that it looks as it does in GNOME.

import os
import random
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..', 'tests'))
from viewer_driver import REASON, Display, Viewer  # noqa: E402

NEEDED = ('metacity', 'convert', 'identify', 'import', 'optipng', 'pngquant', 'xdotool')
RADIUS = 12
DARK = {'ADW_DEBUG_COLOR_SCHEME': 'prefer-dark'}


class Studio:
    def __init__(self, folder):
        self.folder = folder
        self.display = Display()
        with open(os.path.join(self.display.folder, 'gtk-4.0/settings.ini'), 'a', encoding='utf-8') as file:
            file.write('gtk-font-name=Cantarell 11\n')
        # For the round corners: it says that what it shows may be see-through.
        self.manager = subprocess.Popen(['metacity', '--sm-disable'], env=self.display.environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        self.display.input.move(1599, 999)

    def close(self):
        self.manager.terminate()
        self.manager.wait()
        self.display.close()

    def file(self, name, content):
        path = os.path.join(self.display.folder, name)
        with open(path, 'wb') as file:
            file.write(content)
        return path

    def open(self, path, width, height, environment={}):
        viewer = Viewer(self.display, path, environment=environment)
        viewer.shows('Byte at ')
        self.window = self.run('xdotool', 'search', '--onlyvisible', '--pid', str(viewer.program.pid)).split()[-1]
        # The window has a margin for its shadow that isn't seen.
        margins = 0, 0
        for _ in range(2):
            self.run('xdotool', 'windowsize', '--sync', self.window, str(width + margins[0]), str(height + margins[1]))
            time.sleep(1)
            seen = self.look()
            margins = width - seen[0], height - seen[1]
        return viewer

    def look(self):
        """What is on the display but black, and its size."""
        raw = os.path.join(self.display.folder, 'raw.png')
        self.run('import', '-window', 'root', raw)
        self.run('convert', raw, '-trim', '+repage', raw)
        return tuple(map(int, self.run('identify', '-format', '%w %h', raw).split()))

    def run(self, *command):
        return subprocess.run(command, env=self.display.environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    def take(self, name):
        """The window alone, with transparent corners and a shadow."""
        path = os.path.join(self.folder, name)
        raw = os.path.join(self.display.folder, 'raw.png')
        width, height = self.look()
        self.run('convert', raw, '(', '+clone', '-alpha', 'extract', '-fill', 'black', '-colorize', '100', '-fill', 'white',
                 '-draw', f'roundrectangle 0,0 {width - 1},{height - 1} {RADIUS},{RADIUS}', ')',
                 '-alpha', 'off', '-compose', 'copy-opacity', '-composite', '-compose', 'over',
                 '(', '+clone', '-background', 'black', '-shadow', '35x12+0+6', ')', '+swap', '-background', 'none', '-layers', 'merge',
                 '+repage', raw)
        self.run('pngquant', '--force', '--speed', '1', '--strip', '--output', path, '256', raw)
        self.run('optipng', '-quiet', '-o5', path)


def firmware():
    """A file with some of everything: headers, texts, numbers, and much of nothing."""
    chance = random.Random(9)
    content = bytearray(393216)
    content[0:64] = b'\x7fELF\x02\x01\x01' + bytes(9) + struct.pack('<HHIQQQIHHHHHH', 3, 62, 1, 0x401080, 64, 391168, 0, 64, 56, 13, 64, 31, 30)
    content[64:72] = struct.pack('<II', 6, 4)
    content[80:104] = struct.pack('<dQQ', 9.80665, 1700000000, 0x1000)
    content[112:160] = b'libmmio demo firmware, build 1024\0\0\0  (C) 2026 '[:48]
    for i in range(224, len(content) - 512, 416):
        content[i:i + 128] = chance.randbytes(128)
        content[i + 8:i + 33] = b'sensor:%05d;state=%s;' % (i, chance.choice([b'idle', b'busy', b'wait']))
    return bytes(content)


def change(path, places):
    with open(path, 'r+b', buffering=0) as file:
        for offset, content in places:
            file.seek(offset)
            file.write(content)


def main(folder):
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if REASON or missing:
        print(f"no screenshots: {REASON or ', '.join(missing) + ' not installed'}")
        return 1
    os.makedirs(folder, exist_ok=True)
    studio = Studio(folder)
    try:
        path = studio.file('firmware.img', firmware())
        width, height = 1040, 680
        viewer = studio.open(path, width, height)
        studio.display.input.key('Control_L', 'l')
        viewer.enter('Offset', '0x50')
        viewer.click('Go')
        time.sleep(1.5)
        # Three at a time, and what was there before them still glows.
        change(path, [(0x100 + 5, b'\x99\x11\x22'), (0x152, b'updated'), (0x1a4, b'\xde\xad\xbe\xef')])
        time.sleep(0.25)
        studio.take('window.png')
        viewer.close()

        viewer = studio.open(path, width, height, DARK)
        viewer.click('Find')
        viewer.enter('Find', 'sensor:00')
        viewer.shows('matches')
        viewer.click('Next Match')
        time.sleep(1)
        studio.take('dark.png')
        viewer.close()

        width, height = 360, 640
        viewer = studio.open(path, width, height)
        studio.file('firmware.new', firmware()[:2000])
        os.rename(os.path.join(studio.display.folder, 'firmware.new'), path)
        viewer.shows('Another file was saved in place of this one')
        time.sleep(1)
        studio.take('narrow.png')
        viewer.close()
    finally:
        studio.close()
    return 0


sys.exit(main(sys.argv[1]))
