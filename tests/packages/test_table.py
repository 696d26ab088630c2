# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of `make test` counts what each runner says, and nothing else."""

import contextlib
import io
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import all as runner  # noqa: E402

CARGO = """\
test vectors ... ok
test the_real_netifd ... ignored, needs OpenWrt's daemons
test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.06s
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
SKIPPED: nft is not installed
"""
TAP = """\
ok 1 - the form
ok 2 - in LuCI # SKIP LUCI_SRC is not set
# tests 4
# pass 2
# fail 1
# cancelled 0
# skipped 1
"""
SPEC = "﹣ in LuCI (0.1ms) # LUCI_SRC is not set\nℹ pass 2\nℹ fail 0\nℹ skipped 1\n"
UNITTEST = """\
test_apk (test_packages.Apk) ... skipped 'APK= is not given'
Ran 9 tests in 1.5s

FAILED (failures=1, errors=1, skipped=1)
Ran 3 tests in 0.1s

OK
"""
OURS = "\x1b[32m36 passed\x1b[0m, 1 failed\n2 passed, 0 failed, 3 skipped\n"


class Counting(unittest.TestCase):
    def count(self, text):
        suite = runner.Suite("suite")
        for line in text.splitlines():
            suite.read(runner.COLOUR.sub("", line))
        return (suite.passed, suite.failed, suite.skipped), dict(suite.reasons)

    def test_cargo(self):
        self.assertEqual(self.count(CARGO), ((9, 2, 2), {"needs OpenWrt's daemons": 1, "nft is not installed": 1}))

    def test_node_in_both_styles(self):
        reason = {"LUCI_SRC is not set": 1}
        self.assertEqual(self.count(TAP), ((2, 1, 1), reason))
        self.assertEqual(self.count(SPEC), ((2, 0, 1), reason))

    def test_unittest_counts_failed_and_skipped_tests_once(self):
        self.assertEqual(self.count(UNITTEST), ((9, 2, 1), {"APK= is not given": 1}))

    def test_ours(self):
        self.assertEqual(self.count(OURS)[0], (38, 1, 3))

    def test_other_lines_count_for_nothing(self):
        self.assertEqual(self.count("OK\nall 12 passed, 1 failed to start\nRan away\n"), ((0, 0, 0), {}))

    def test_the_last_line_is_the_sum(self):
        suites = [runner.Suite("one"), runner.Suite("two")]
        suites[0].add(5, 0, 1)
        suites[1].add(2, 1, 0)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.assertFalse(runner.table(suites))
        self.assertEqual(printed.getvalue().splitlines()[-1], "7 passed, 1 failed, 1 skipped")
        self.assertIn("see target/tests/two.log", printed.getvalue())


if __name__ == "__main__":
    unittest.main(verbosity=2)
