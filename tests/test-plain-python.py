# SPDX-License-Identifier: LGPL-2.1-or-later
#
# All that the other tests promise in Python holds without the binding's part in C as well: they are run once more, without it.

import importlib.util
import os
import sys
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))
NAMES = ('test-python', 'test-file-python', 'test-idioms-python', 'test-mmap-python')

if importlib.util.find_spec('_mmio') is None:
    class Plain(unittest.TestCase):
        @unittest.skip('there is no extension: the other tests have run without it')
        def test_without_the_extension(self):
            pass
else:
    # What makes an import of it fail.
    sys.modules['_mmio'] = None

    for name in NAMES:
        spec = importlib.util.spec_from_file_location('plain_' + name.replace('-', '_'), os.path.join(FOLDER, name + '.py'))
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        for item in vars(module).copy().values():
            if isinstance(item, type) and issubclass(item, unittest.TestCase) and item.__module__ == spec.name:
                globals()[f'{spec.name}_{item.__name__}'] = item

    class Plain(unittest.TestCase):
        def test_without_the_extension(self):
            from gi.repository import Mmio
            self.assertEqual([cls for cls in Mmio.File.__mro__ if cls.__module__ == '_mmio'], [])
