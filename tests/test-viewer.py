#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the viewer shows of a file, finds in it, and tells of what happens to it.

import os
import random
import subprocess
import unittest

from viewer_driver import REASON, ViewerCase, Writer, close_display, texts, until

if REASON is None:
    from gi.repository import Atspi

SOURCE = os.environ.get('top_srcdir', os.path.join(os.environ.get('top_builddir', '.'), '..'))


def tearDownModule():
    close_display()


class Shown(ViewerCase):
    def test_rows(self):
        viewer = self.start(bytes(range(256)) * 4)
        viewer.shows('0000: 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F')
        viewer.shows('Byte at 0x0000: 00')
        viewer.shows('1.0 KiB')

    def test_an_empty_file(self):
        viewer = self.start(b'')
        viewer.shows('The file is empty')
        with open(self.path, 'ab') as file:
            file.write(b'hello')
        viewer.shows('0000: 68 65 6C 6C 6F hello')

    def test_a_terabyte(self):
        self.path = self.file(b'')
        with open(self.path, 'wb') as file:
            file.truncate(1 << 40)
            file.seek((1 << 40) - 16)
            file.write(b'the very end of.')
        viewer = self.start(None)
        self.go_to(viewer, '100%')
        # There is no byte behind the last one.
        viewer.enter('Offset', '0xFFFFFFFFF0')
        viewer.click('Go')
        viewer.shows('FFFFFFFFF0: 74 68 65 20 76 65 72 79 20 65 6E 64 20 6F 66 2E the very end of.')

    def test_offsets_are_taken_in_each_way_that_the_hint_names(self):
        viewer = self.start(bytes(0x10000))
        for text, offset in (('4096', '0x1000'), ('0x1234', '0x1234'), ('+16', '0x1244'), ('−0x10', '0x1234'), ('-0x34', '0x1200'),
                             ('50 %', '0x8000'), ('ffh', '0x00FF')):
            self.go_to(viewer, text)
            viewer.shows(f'Byte at {offset}: ')

    def test_values(self):
        viewer = self.start(b'\x01\x02\x00\x00\x00\x00\x00\x80' + '€'.encode() + bytes(1000))
        for text in ('Unsigned 8-bit: 1', 'Unsigned 16-bit: 513', 'Unsigned 64-bit: 9223372036854776321', 'Binary: 00000001'):
            viewer.shows(text)
        viewer.shows('Signed 64-bit: -9223372036854775295')
        viewer.click('Big Endian')
        viewer.shows('Unsigned 16-bit: 258')
        self.go_to(viewer, '8')
        viewer.shows('UTF-8: €  U+20AC')
        # Up to the end of the file, and not beyond.
        self.go_to(viewer, '1010')
        viewer.shows('Unsigned 8-bit: 0')
        viewer.shows('Unsigned 16-bit: —')

    def test_floats_in_both_byte_orders(self):
        viewer = self.start(bytes.fromhex('3fc00000') + bytes(4) + bytes.fromhex('000000000000f83f'))
        viewer.click('Big Endian')
        viewer.shows('Float 32-bit: 1.5')
        viewer.click('Little Endian')
        self.go_to(viewer, '8')
        viewer.shows('Float 64-bit: 1.5')

    def test_a_narrow_window_has_all_of_it(self):
        viewer = self.start(bytes(range(256)) * 4)
        viewer.shows('0000: 00')
        viewer.resize(360, 600)
        viewer.shows('0008: 08 09 0A 0B 0C 0D 0E 0F')
        viewer.click('Find')
        viewer.enter('Find', '8')
        viewer.shows('1 of 4 matches')
        for node in viewer.nodes():
            if viewer.is_shown(node) and node.get_component_iface() and node.get_role() in (Atspi.Role.PUSH_BUTTON, Atspi.Role.TEXT):
                x, _y, width, _height = viewer.place(node)
                if x < 360:
                    self.assertLessEqual(x + width, 360, node.get_name())

    def test_german(self):
        folder = os.path.join(self.folder, 'texts/de/LC_MESSAGES')
        os.makedirs(folder)
        try:
            subprocess.run([os.environ.get('MSGFMT') or 'msgfmt', '-o', os.path.join(folder, 'libmmio.mo'),
                            os.path.join(SOURCE, 'po/de.po')], check=True)
        except OSError:
            self.skipTest('no msgfmt')
        viewer = self.start(b'abc', LANGUAGE='de', LC_ALL='C.UTF-8', TEXTDOMAINDIR=os.path.join(self.folder, 'texts'))
        viewer.shows('Bytes der Datei')
        viewer.shows('8 Bit ohne Vorzeichen: 97')


class Found(ViewerCase):
    def test_text(self):
        viewer = self.start(bytes(5000) + b'needle' + bytes(5000) + b'needle' + bytes(100))
        viewer.shows('0000: 00')
        viewer.click('Find')
        viewer.enter('Find', 'needle')
        viewer.shows('1 of 2 matches')
        viewer.shows('Byte at 0x138D: 65, e')
        viewer.shows('% in memory, 2 matches')
        viewer.click('Next Match')
        viewer.shows('2 of 2 matches')
        viewer.click('Previous Match')
        viewer.shows('1 of 2 matches')
        viewer.enter('Find', 'haystack')
        viewer.shows('No matches')

    def test_hex(self):
        viewer = self.start(bytes(1000) + b'\xde\xad\xbe\xef' + bytes(1000))
        viewer.shows('0000: 00')
        viewer.click('Find')
        viewer.point_at('What to Search For')
        # Its list takes the keys as soon as it is there.
        viewer.find('the list', lambda node: node.get_name() == 'Hex' and viewer.is_shown(node))
        self.input.key('Down')
        self.input.key('Return')
        viewer.enter('Find', 'dead be')
        viewer.shows('1 of 1 match')
        viewer.shows('Byte at 0x03EA: BE')
        viewer.enter('Find', 'dead b')
        viewer.shows('Not hex')

    def test_a_long_search_can_be_stopped(self):
        # All of it is a hole, which a search passes over piece by piece: so many that it isn't over before it is seen and stopped.
        path = self.file(b'')
        try:
            os.truncate(path, 1 << 43)
        except OSError as error:
            self.skipTest(f'no file as large: {error}')
        viewer = self.run_viewer(path)
        viewer.shows('Byte at 0x0000: ')
        viewer.click('Find')
        viewer.enter('Find', 'needle')
        viewer.find('progress', lambda node: node.get_role() == Atspi.Role.PROGRESS_BAR and node.get_value_iface().get_current_value() > 0)
        viewer.click('Stop Searching')
        until('it stops', lambda: not any('Stop Searching' in texts(node) and viewer.is_shown(node) for node in viewer.nodes()))


class Changed(ViewerCase):
    def test_a_write_and_an_append(self):
        viewer = self.start(b'a' * 100)
        viewer.shows('0000: 61 61')
        with open(self.path, 'r+b') as file:
            file.write(b'Z')
        viewer.shows('0000: 5A 61')
        with open(self.path, 'ab') as file:
            file.write(b'b' * 4000)
        # Its end was in view, and so is its new one.
        viewer.shows('1000: 62 62 62 62')
        viewer.shows('Settled')

    def test_an_append_leaves_who_does_not_look_at_the_end(self):
        viewer = self.start(b'a' * 100000)
        viewer.shows('0000: 61 61')
        with open(self.path, 'ab') as file:
            file.write(b'b' * 100000)
        viewer.shows('195.3 KiB')
        viewer.shows('000000: 61 61')

    def test_what_has_changed_lights_up_and_fades(self):
        viewer = self.start(b'a' * 1000)
        viewer.shows('0000: 61 61')
        row = next(row for row in viewer.rows(viewer.bytes) if row.get_name().startswith('0020: '))
        x, y, _width, _height = viewer.place(row)
        # Between the two digits of the first byte, above them.
        point = x + 12 + 6 * 8 + 8, y + 2
        # It is there before it is drawn.
        plain = until('the background', lambda: min(self.input.color(*point)) > 200 and self.input.color(*point))
        n = 0

        def is_lit():
            nonlocal n
            # Twice a second anew: on a busy machine nobody may look before it has faded.
            if n % 10 == 0:
                with open(self.path, 'r+b') as file:
                    file.seek(0x20)
                    file.write(b'YZ'[n // 10 % 2:][:1] * 16)
            n += 1
            return self.input.color(*point)[2] < plain[2] - 60
        until('a flash', is_lit)
        until('no flash', lambda: self.input.color(*point) == plain)

    def test_the_map_tells_what_has_changed(self):
        viewer = self.start(b'a' * 100000)
        viewer.shows('100 % in memory')
        with open(self.path, 'r+b') as file:
            file.seek(50000)
            file.write(b'Z')
        viewer.shows('% in memory, 1 changed part')

    def test_a_truncated_file(self):
        viewer = self.start(b'a' * 100000)
        viewer.shows('0000: 61 61')
        os.truncate(self.path, 20)
        viewer.shows('The file was cut off: 20 bytes of 97.7 KiB are left')
        viewer.shows('0010: 61 61 61 61 aaaa')
        viewer.click('Dismiss')
        until('no banner', lambda: not any('cut off' in text for node in viewer.nodes() if viewer.is_shown(node) for text in texts(node)))

    def test_a_replaced_file(self):
        viewer = self.start(b'a' * 100)
        viewer.shows('0000: 61 61')
        os.rename(self.file(b'new!' * 10, 'data.bin.new'), self.path)
        viewer.shows('Another file was saved in place of this one')
        viewer.shows('0000: 61 61')
        viewer.click('Reload')
        viewer.shows('0000: 6E 65 77 21')

    def test_a_removed_file(self):
        viewer = self.start(b'a' * 100)
        viewer.shows('0000: 61 61')
        os.unlink(self.path)
        viewer.shows('The file was removed or renamed.')
        viewer.shows('0000: 61 61')

    def test_a_thousand_changes_a_second_leave_it_answering(self):
        for way, content in (('overwrite', random.Random(1).randbytes(1 << 16)), ('append', b'a' * 300)):
            with self.subTest(way):
                viewer = self.start(content)
                viewer.shows('Byte at 0x0000')
                writer = Writer(self.path, 1000, way)
                # Each must be answered; how fast is measured by make check-viewer-speed, and told here.
                durations = sorted(viewer.time_clicks(20))
                viewer.click('Find')
                viewer.shows('Next Match')
                rate = writer.close()
                print(f'# {way}: {rate:.0f} changes/s, clicks: median {durations[10] * 1000:.0f} ms, worst {durations[-1] * 1000:.0f} ms')
                viewer.close()
                self.assertGreater(rate, 0)


# It has no tests of its own.
del ViewerCase

if __name__ == '__main__':
    unittest.main()
