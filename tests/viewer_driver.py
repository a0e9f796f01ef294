# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The viewer as somebody meets it who can't see it: started on a display and a session bus of its own, and driven through accessibility,
# by the keyboard and by the pointer. What the tests, the measurement and the screenshots of it have in common.

import contextlib
import ctypes
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

VIEWER = os.path.join(os.environ.get('top_builddir', '.'), 'examples/viewer/mmio-viewer')
# So long a slow and busy machine may take.
PATIENCE = int(os.environ.get('MMIO_PATIENCE', 60))
# What GTK draws around a window that nothing manages.
BORDER = 5

# What the session bus starts, as the accessibility bus, ends with it.
if 'MMIO_VIEWER_SESSION' not in os.environ and shutil.which('dbus-run-session'):
    os.environ['MMIO_VIEWER_SESSION'] = 'own'
    for name in ('G_DEBUG', 'MALLOC_PERTURB_', 'DBUS_SESSION_BUS_ADDRESS', 'WAYLAND_DISPLAY'):
        os.environ.pop(name, None)
    # With a DISPLAY of somebody else's the accessibility bus would be looked for there; it has its socket in the runtime directory.
    os.environ.pop('DISPLAY', None)
    os.environ['XDG_RUNTIME_DIR'] = tempfile.mkdtemp()
    os.execvp('dbus-run-session', ['dbus-run-session', '--', sys.executable, *sys.argv])

import gi


def missing():
    """Why the viewer can't be driven here; None if it can."""
    for program in ('dbus-run-session', 'Xvfb', 'gjs'):
        if shutil.which(program) is None:
            return f'{program} is not installed'
    for namespace, version in (('Gtk', '4.0'), ('Adw', '1'), ('Atspi', '2.0')):
        try:
            gi.require_version(namespace, version)
        except ValueError as error:
            return str(error)
    if not os.path.exists('/usr/share/dbus-1/services/org.a11y.Bus.service'):
        return 'there is no accessibility bus'
    if not os.path.exists(VIEWER):
        return 'the viewer was not built'
    return None


REASON = missing()
if REASON is None:
    from gi.repository import Atspi, GLib

    BUTTONS = (Atspi.Role.PUSH_BUTTON, Atspi.Role.TOGGLE_BUTTON)


class NoDisplay(Exception):
    pass


def until(what, condition, step=50):
    """Iterates the main loop until the condition gives something, and gives that; asks at least every so many milliseconds."""
    end = time.monotonic() + PATIENCE
    context = GLib.MainContext.default()
    while True:
        while context.pending():
            context.iteration(False)
        try:
            result = condition()
        except (GLib.Error, AttributeError):
            # What was asked is gone, or busy.
            result = None
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f'not within {PATIENCE} s: {what}')
        GLib.timeout_add(step, lambda: False)
        context.iteration(True)


def walk(node, from_top=False):
    """All below a node; from_top: what lies over the others first."""
    yield node
    numbers = range(node.get_child_count())
    for i in reversed(numbers) if from_top else numbers:
        child = node.get_child_at_index(i)
        if child is not None:
            yield from walk(child, from_top)


def texts(node):
    return [(text or '').replace('\xa0', ' ') for text in (node.get_name(), node.get_description())]


class Input:
    """The keyboard and the pointer of a display, as the X server's extension for tests has them."""

    def __init__(self, display):
        self.x11 = ctypes.CDLL('libX11.so.6')
        self.xtst = ctypes.CDLL('libXtst.so.6')
        self.x11.XOpenDisplay.restype = ctypes.c_void_p
        self.x11.XStringToKeysym.restype = ctypes.c_ulong
        self.x11.XkbKeycodeToKeysym.restype = ctypes.c_ulong
        self.x11.XDefaultRootWindow.restype = ctypes.c_ulong
        self.x11.XGetImage.restype = ctypes.c_void_p
        self.x11.XGetPixel.restype = ctypes.c_ulong
        self.connection = ctypes.c_void_p(self.x11.XOpenDisplay(display.encode()))

    def close(self):
        self.x11.XCloseDisplay(self.connection)

    def _flush(self):
        self.x11.XSync(self.connection, 0)

    def move(self, x, y):
        self.xtst.XTestFakeMotionEvent(self.connection, -1, round(x), round(y), ctypes.c_ulong(0))
        self._flush()

    def press(self, is_down, button=1):
        self.xtst.XTestFakeButtonEvent(self.connection, button, int(is_down), ctypes.c_ulong(0))
        self._flush()

    def click(self, x, y, button=1):
        self.move(x, y)
        self.press(True, button)
        self.press(False, button)

    def drag(self, points):
        """With the button held, from the first to the last."""
        self.move(*points[0])
        self.press(True)
        for point in points[1:]:
            self.move(*point)
            yield
        self.press(False)

    def move_window(self, window, x, y):
        self.x11.XMoveWindow(self.connection, ctypes.c_ulong(window), x, y)
        self._flush()

    def resize_window(self, window, width, height):
        self.x11.XResizeWindow(self.connection, ctypes.c_ulong(window), width, height)
        self._flush()

    def window_at(self, x, y):
        """The one that is right below the root there."""
        self.move(x, y)
        root, child, number = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_int()
        self.x11.XQueryPointer(self.connection, ctypes.c_ulong(self.x11.XDefaultRootWindow(self.connection)), *map(ctypes.byref, (
            root, child, number, number, number, number, ctypes.c_uint())))
        return child.value

    def color(self, x, y):
        """Red, green and blue of what is shown there."""
        root = ctypes.c_ulong(self.x11.XDefaultRootWindow(self.connection))
        image = ctypes.c_void_p(self.x11.XGetImage(self.connection, root, round(x), round(y), 1, 1, ctypes.c_ulong(0xffffff), 2))
        pixel = self.x11.XGetPixel(image, 0, 0)
        self.x11.XDestroyImage(image)
        return pixel >> 16 & 255, pixel >> 8 & 255, pixel & 255

    def type(self, text):
        names = {'/': 'slash', '_': 'underscore', '.': 'period', '-': 'minus', ' ': 'space'}
        for letter in text:
            name = names.get(letter, letter)
            symbol = self.x11.XStringToKeysym(name.encode())
            code = self.x11.XKeysymToKeycode(self.connection, ctypes.c_ulong(symbol))
            is_plain = self.x11.XkbKeycodeToKeysym(self.connection, ctypes.c_ubyte(code), 0, 0) == symbol
            self.key(*([] if is_plain else ['Shift_L']), name)

    def key(self, *names):
        """All but the last are held meanwhile."""
        codes = [self.x11.XKeysymToKeycode(self.connection, ctypes.c_ulong(self.x11.XStringToKeysym(name.encode()))) for name in names]
        for is_down, order in ((1, codes), (0, reversed(codes))):
            for code in order:
                self.xtst.XTestFakeKeyEvent(self.connection, code, is_down, ctypes.c_ulong(0))
        self._flush()


class Display:
    """An X server, and a home for who is shown there."""

    def __init__(self, size='1600x1000'):
        self.folder = tempfile.mkdtemp()
        reading, writing = os.pipe()
        self.server = subprocess.Popen(
            ['Xvfb', '-displayfd', str(writing), '-screen', '0', f'{size}x24', '-nolisten', 'tcp'],
            pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        if not number:
            self.server.wait()
            raise NoDisplay('Xvfb does not start here')
        self.environment = {
            **os.environ, 'DISPLAY': f':{number}', 'GDK_BACKEND': 'x11', 'GSK_RENDERER': 'cairo', 'GTK_A11Y': 'atspi',
            'GIO_USE_VFS': 'local', 'GSETTINGS_BACKEND': 'memory', 'HOME': self.folder, 'LANGUAGE': 'en',
            'XDG_DATA_HOME': self.folder, 'XDG_CACHE_HOME': self.folder, 'XDG_CONFIG_HOME': self.folder,
        }
        # As GNOME has it.
        os.mkdir(os.path.join(self.folder, 'gtk-4.0'))
        with open(os.path.join(self.folder, 'gtk-4.0', 'settings.ini'), 'w', encoding='utf-8') as file:
            file.write('[Settings]\ngtk-decoration-layout=:close\n')
        os.environ['DISPLAY'] = f':{number}'
        Atspi.init()
        Atspi.set_timeout(PATIENCE * 1000, PATIENCE * 1000)
        self.input = Input(f':{number}')

    def close(self):
        self.input.close()
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(os.environ['XDG_RUNTIME_DIR'], ignore_errors=True)


class Writer:
    """A process that changes a file so many times a second, until it is closed."""

    PROGRAM = """
import os, random, sys, time
path, rate, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
fd = os.open(path, os.O_WRONLY | (os.O_APPEND if way == 'append' else 0))
size = os.fstat(fd).st_size
started = time.monotonic()
n = 0
print('ready', flush=True)
while True:
    # Late ones are made up for.
    time.sleep(max(0, started + n / rate - time.monotonic()))
    if way == 'append':
        os.write(fd, b'%07d\\n' % n)
    else:
        os.pwrite(fd, random.randbytes(1), random.randrange(size if random.random() < 0.5 else min(size, 400)))
    n += 1
    if n % (rate // 10) == 0:
        print(n, time.monotonic() - started, flush=True)
"""

    def __init__(self, path, rate, way):
        self.program = subprocess.Popen([sys.executable, '-c', self.PROGRAM, path, str(rate), way], stdout=subprocess.PIPE, text=True)
        self.program.stdout.readline()

    def close(self):
        """Gives how many a second they really were, once it has said that at all."""
        lines = [self.program.stdout.readline()]
        self.program.terminate()
        lines += self.program.stdout.read().splitlines()
        self.program.wait()
        self.program.stdout.close()
        count, duration = lines[-1].split()
        return int(count) / float(duration)


class Viewer:
    """One that runs."""

    def __init__(self, display, *arguments, environment={}):
        self.input = display.input
        self.environment = {**display.environment, **environment}
        self.program = subprocess.Popen([VIEWER, *arguments], env=self.environment)
        self.application = until('the application', self._find_application)

    def close(self):
        self.program.terminate()
        self.program.wait()

    def _find_application(self):
        assert self.program.poll() is None, 'the viewer has ended'
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(i)
            if child is not None and child.get_process_id() == self.program.pid:
                return child
        return None

    def nodes(self, from_top=False):
        assert self.program.poll() is None, 'the viewer has ended'
        self.application.clear_cache()
        return walk(self.application, from_top)

    def find(self, what, fits):
        return until(what, lambda: next((node for node in self.nodes() if fits(node)), None))

    def shows(self, text):
        """Somebody is told that text: it is part of a name or a description."""
        return self.find(text, lambda node: any(text in told for told in texts(node)))

    def shows_toast(self, text):
        """As shows(), of what goes by itself after some seconds: on a busy machine before all else has been looked at."""
        return until(text, lambda: next((node for node in self.nodes(from_top=True) if any(text in told for told in texts(node))), None))

    def click(self, name):
        """Through accessibility: where it is doesn't matter."""
        # GTK 4.8 tells a mnemonic's text before the text.
        def find():
            return next((node for node in self.nodes() if node.get_role() in BUTTONS and
                         (node.get_name() == name or node.get_name().endswith(' ' + name)) and
                         node.get_action_iface() and node.get_action_iface().get_n_actions() > 0), None)
        clicked = False

        def click():
            nonlocal clicked
            node = find()
            if node is None:
                # It went away with a click whose answer was too late.
                return clicked
            clicked = True
            return node.get_action_iface().do_action(0)
        until('a click on ' + name, click)

    def is_shown(self, node):
        # GTK 4.8 says of nothing that it is visible; what isn't has no size.
        extents = node.get_component_iface().get_extents(Atspi.CoordType.WINDOW) if node.get_component_iface() else None
        return extents is not None and extents.width > 0 and extents.height > 0

    def point_at(self, name):
        """Clicks where it is, once it has come to rest: a bar that slides in would not be there any more."""
        last = None

        def rests():
            nonlocal last
            place = self.place(self.find(name, lambda node: node.get_name() == name and self.place(node)[2] > 0))
            before, last = last, place
            return place if place == before else None
        x, y, width, height = until('the place of ' + name, rests, step=200)
        self.input.click(x + width / 2, y + height / 2)

    def enter(self, name, text):
        node = self.find(name, lambda node: node.get_name() == name and node.get_editable_text_iface())
        until('the text', lambda: node.get_editable_text_iface().set_text_contents(text))
        return node

    @property
    def bytes(self):
        """The view of the bytes, by whatever name."""
        return self.find('the bytes', lambda node: node.get_role() == Atspi.Role.LIST and self.rows(node))

    @staticmethod
    def rows(view):
        """Those that are shown, from the top."""
        rows = [view.get_child_at_index(i) for i in range(view.get_child_count())]
        return sorted((row for row in rows if row is not None and re.match('[0-9A-F]{4,}: ', row.get_name() or '')),
                      key=lambda row: row.get_name())

    def place(self, node):
        """x, y, width and height on the display, where nothing manages windows and so each is in the corner."""
        extents = node.get_component_iface().get_extents(Atspi.CoordType.WINDOW)
        return extents.x + BORDER, extents.y + BORDER, extents.width, extents.height

    def resize(self, width, height):
        """In the corner, where nothing manages windows."""
        self.input.resize_window(self.input.window_at(10, 10), width, height)

    def focus(self):
        x, y, width, height = self.place(self.bytes)
        self.input.click(x + width / 4, y + height / 2)

    @contextlib.contextmanager
    def heard(self, name='object:property-change:accessible-description'):
        """Gives a list that grows by each such event of the viewer, as it comes."""
        events = []
        listener = Atspi.EventListener.new(lambda event: events.append((event.source.get_name(), event.any_data)))
        listener.register(name)
        try:
            yield events
        finally:
            listener.deregister(name)

    def time_clicks(self, n):
        """Seconds from each click into the bytes until it is told where the cursor is."""
        view = self.bytes
        name = view.get_name()
        x, y, _width, height = self.place(view)
        context = GLib.MainContext.default()
        durations = []
        with self.heard() as events:
            for i in range(n):
                # Not the second click of a double one, and at no particular time of a frame.
                end = time.monotonic() + 0.02 + random.random() / 50
                while time.monotonic() < end:
                    context.iteration(False)
                events.clear()
                started = time.monotonic()
                self.input.click(x + 120 + 5 * (i % 7), y + height * (i % 8 + 1) / 10)
                until('the click', lambda: any(source == name for source, _text in events), step=1)
                durations.append(time.monotonic() - started)
        return durations

    def press(self, key, events):
        """Until it is heard what that did."""
        events.clear()
        self.input.key(key)
        until('the key', lambda: events, step=1)


_display = None


def close_display():
    if _display is not None:
        _display.close()


@unittest.skipIf(REASON is not None, REASON)
class ViewerCase(unittest.TestCase):
    """A test that drives viewers. All of a program are on one display: accessibility knows no second one."""

    def run(self, result=None):
        """Once more where it fails: on a loaded machine the accessibility bus loses a click now and then. What fails again has failed."""
        first = unittest.TestResult()
        super().run(first)
        if not first.wasSuccessful():
            for _, trace in first.failures + first.errors:
                print('\n'.join('# tried again: ' + line for line in trace.splitlines()), flush=True)
            return super().run(result)
        result.startTest(self)
        if first.skipped:
            result.addSkip(self, first.skipped[0][1])
        else:
            result.addSuccess(self)
        result.stopTest(self)
        return result

    @classmethod
    def setUpClass(cls):
        global _display
        if _display is None:
            try:
                _display = Display()
            except NoDisplay as error:
                raise unittest.SkipTest(str(error))
        cls.display = _display
        cls.folder = _display.folder
        cls.input = _display.input

    def file(self, content, name='data.bin'):
        path = os.path.join(self.folder, name)
        if content is not None:
            with open(path, 'wb') as file:
                file.write(content)
        self.addCleanup(lambda: os.path.lexists(path) and os.unlink(path))
        return path

    def run_viewer(self, *arguments, **environment):
        self.viewer = Viewer(self.display, *arguments, environment=environment)
        self.addCleanup(self.viewer.close)
        return self.viewer

    def start(self, content, **environment):
        self.path = self.file(content)
        return self.run_viewer(self.path, **environment)

    def go_to(self, viewer, text):
        viewer.find('the bytes', viewer.rows)
        self.input.key('Control_L', 'l')
        viewer.enter('Offset', text)
        viewer.click('Go')

    def keys(self, viewer, *presses):
        viewer.focus()
        self.input.key('Control_L', 'Home')
        for press in presses:
            self.input.key(*press)
