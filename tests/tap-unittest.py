#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tap-unittest.py TEST.py: runs the unittest cases of a file and prints each as a TAP point as soon as it is done.
# Debian has no such runner for unittest: python3-subunit and its kin bring a test framework along.

import importlib.util
import os
import sys
import unittest


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0
        self.failed = False

    def point(self, test, ok, directive=''):
        self.number += 1
        name = test.id().split('.', 1)[-1]
        print(f"{'ok' if ok else 'not ok'} {self.number} - {name}{directive}", flush=True)
        self.failed = self.failed or not ok

    def diagnose(self, test, error):
        for line in self._exc_info_to_string(error, test).splitlines():
            print('#', line)

    def addSuccess(self, test):
        self.point(test, True)

    def addFailure(self, test, error):
        self.diagnose(test, error)
        self.point(test, False)

    addError = addFailure

    def addSkip(self, test, reason):
        self.point(test, True, f' # SKIP {reason}')

    def addExpectedFailure(self, test, error):
        self.diagnose(test, error)
        self.point(test, False, ' # TODO expected to fail')
        self.failed = False

    def addUnexpectedSuccess(self, test):
        self.point(test, False)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.addFailure(subtest, error)


def main():
    path = os.path.abspath(sys.argv[1])
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0].replace('-', '_')
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)

    result = TapResult()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(result)
    print(f'1..{result.number}')
    return 1 if result.failed else 0


sys.exit(main())
