# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The type stubs name what there is, all of it and nothing else, and mypy takes programs by them.

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import Mmio  # noqa: E402

PLACES = [os.path.join(folder, 'gi-stubs', 'repository', 'Mmio.pyi') for folder in sys.path]
STUBS = next((place for place in PLACES if os.path.exists(place)), None)

# Not for programs: references are counted by Python, and the structures behind.
HIDDEN = {'ref', 'unref', 'free', 'next_value', 'newv', 'init'}

PROGRAM = '''
from gi.repository import Mmio

with Mmio.File.open('path', 'r+') as file:
    number: int = file[0]
    data: bytes = file[1:2]
    memory: memoryview = file.view()
    file[0:2] = b'ab'
    for chunk in file.chunks(4096):
        length: int = len(chunk)
    value: int = file.get_uint32(0, '<') + file.get_atomic_u64(0).add(0, 1)
    file.connect('changed', lambda file, offset, length: print(offset + length))

async def program() -> bytes:
    file = await Mmio.File.open_async('path', Mmio.Mode.READ_ONLY)
    return await file.read_async(0, 5)

try:
    Mmio.File.create('path', 10)
except FileExistsError:
    pass
except Mmio.NoSpaceError as error:
    print(error)
'''
MISTAKES = (
    "text: str = Mmio.File.open('path')[0:1]",
    "Mmio.File.open('path', 'w')",
    "Mmio.File.open('path').get_uint32(0, 'middle')",
    "Mmio.File.open('path').no_such_method()",
    "Mmio.File.open('path')['text']",
)


@unittest.skipIf(STUBS is None, 'the stubs are not installed')
class Stubs(unittest.TestCase):
    def classes(self):
        with open(STUBS) as file:
            tree = ast.parse(file.read())
        bodies = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        for name, node in bodies.items():
            names = set()
            bases = [bodies[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in bodies]
            for base in (node, *bases):
                names |= {item.name for item in base.body if isinstance(item, ast.FunctionDef)}
                names |= {item.target.id for item in base.body if isinstance(item, ast.AnnAssign)}
            yield name, names

    def test_what_they_name_is_there(self):
        for name, names in self.classes():
            if name.startswith('_'):
                continue
            self.assertTrue(hasattr(Mmio, name), name)
            for item in names - {'__buffer__'}:
                self.assertTrue(hasattr(getattr(Mmio, name), item), f'{name}.{item}')

    def test_they_name_what_is_there(self):
        stubs = dict(self.classes())
        for name in ('File', 'View', 'ChunkIter', 'AtomicU32', 'AtomicU64'):
            cls = getattr(Mmio, name)
            there = {info.get_name() for info in cls.__info__.get_methods()} | set(vars(cls))
            there = {item + '_' if item in ('and', 'or') else item for item in there if not item.startswith('_')}
            there -= {field.get_name() for field in cls.__info__.get_fields()}
            self.assertEqual(there - stubs[name] - HIDDEN, set(), name)
        for name in ('Mode', 'FlushPolicy', 'Advice', 'Error', 'WatchFlags', 'CreateFlags', 'SealFlags'):
            values = {item for item in dir(getattr(Mmio, name)) if item.isupper()}
            self.assertEqual(values, stubs[name], name)

    def test_each_call_has_its_help(self):
        """More than the signature, which is all that the introspection data can give."""
        for name in ('File', 'View', 'AtomicU32', 'AtomicU64'):
            cls = getattr(Mmio, name)
            for item, function in vars(cls).items():
                if not item.startswith('_') and callable(getattr(cls, item)):
                    doc = getattr(function, '__func__', function).__doc__ or ''
                    self.assertRegex(doc.removeprefix(doc.split('\n\n')[0] if ' -> ' in doc else ''), r' .*\.', f'{name}.{item}')

    def check(self, program):
        folder = tempfile.mkdtemp(prefix='mmio-')
        self.addCleanup(shutil.rmtree, folder)
        repository = os.path.join(folder, 'gi', 'repository')
        os.makedirs(repository)
        shutil.copy(STUBS, repository)
        # Stand-ins for the stubs of GLib, which may not be installed.
        for path, text in (('gi/__init__.pyi', ''), ('gi/repository/__init__.pyi', ''),
                           ('gi/repository/GLib.pyi', 'class Error(RuntimeError): ...\nclass Bytes: ...\n'),
                           ('gi/repository/GObject.pyi',
                            'class Object: ...\nclass GBoxed: ...\nclass GEnum(int): ...\nclass GFlags(int): ...\n'),
                           ('gi/repository/Gio.pyi', 'class File: ...\nclass Cancellable: ...\nclass AsyncResult: ...\n'
                                                     'class InputStream: ...\nclass OutputStream: ...\n'
                                                     'class DataStreamByteOrder: ...\n'),
                           ('program.py', program)):
            with open(os.path.join(folder, path), 'w') as file:
                file.write(text)
        return subprocess.run([sys.executable, '-m', 'mypy', '--strict', '--no-incremental', '--cache-dir', os.devnull, 'program.py'],
                              cwd=folder, env={**os.environ, 'MYPYPATH': folder, 'PYTHONPATH': ''}, stdout=subprocess.PIPE,
                              text=True)

    def need_mypy(self):
        if subprocess.run([sys.executable, '-m', 'mypy', '--version'], capture_output=True).returncode != 0:
            self.skipTest('mypy is not installed')

    def test_mypy_takes_a_program(self):
        self.need_mypy()
        result = self.check(PROGRAM)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_mypy_finds_each_mistake(self):
        self.need_mypy()
        program = 'from gi.repository import Mmio\n' + '\n'.join(MISTAKES) + '\n'
        result = self.check(program)
        self.assertEqual(result.returncode, 1, result.stdout)
        for line in range(2, 2 + len(MISTAKES)):
            self.assertIn(f'program.py:{line}: error', result.stdout)
