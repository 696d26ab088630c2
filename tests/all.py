#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the test suites of `make test` one after the other and print one table.

Each suite is a target of the Makefile. All of them run, also after a failure.
What a suite prints is shown and kept in target/tests/SUITE.log.

An argument is SUITE or SUITE:MEGABYTES:FOLDER:…, as tests/need wants them: such
a suite is skipped, and the table says so, if the disk has no room for it.
"""

import collections
import os
import pathlib
import re
import subprocess
import sys
import time

LOGS = pathlib.Path("target/tests")

# How each runner says what it did: cargo test, node --test, unittest, ours.
CARGO = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")
NODE = re.compile(r"(?:#|ℹ) (pass|fail|cancelled|skipped) (\d+)$")
UNITTEST_RAN = re.compile(r"Ran (\d+) tests? in ")
UNITTEST_END = re.compile(r"(?:OK|FAILED)(?: \((.*)\))?$")
OURS = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
# Why a test was skipped: cargo test, unittest, node --test in both styles.
REASONS = [
    re.compile(r"test .* \.\.\. ignored, (.*)$"),
    re.compile(r".* \.\.\. skipped ['\"](.*)['\"]$"),
    re.compile(r"\s*ok \d+ - .*# SKIP (.*)$"),
    re.compile(r"\s*﹣ .* # (.*)$"),
]
# A test that cargo counted as passed and that says it did nothing.
DID_NOTHING = re.compile(r"SKIPPED: (.*)$")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Suite:
    """One target of the Makefile and what came of it."""

    def __init__(self, argument):
        self.name, *self.disk = argument.split(":")
        self.passed = self.failed = self.skipped = 0
        self.counted = False
        self.reasons = collections.Counter()
        self.seconds = 0.0

    def run(self):
        if reason := self.lacks_disk():
            self.reasons[reason] += 1
            self.skipped = 1
            print(f"skipped: {reason}", flush=True)
            return
        started = time.monotonic()
        command = [os.environ.get("MAKE", "make"), "--no-print-directory", self.name]
        with open(LOGS / f"{self.name}.log", "w", encoding="utf-8") as log:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True, errors="replace")
            for line in child.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                log.write(line)
                self.read(COLOUR.sub("", line.rstrip()))
        ended_well = child.wait() == 0
        self.seconds = time.monotonic() - started
        if not self.counted and ended_well:
            # A suite without tests of its own, such as the linters.
            self.passed = 1
        if not ended_well and self.failed == 0:
            self.failed = 1

    def lacks_disk(self):
        """What tests/need says of the disk, or nothing if there is room."""
        if not self.disk:
            return ""
        asked = subprocess.run(["tests/need", "disk", *self.disk], stderr=subprocess.PIPE, text=True, check=False)
        return asked.stderr.strip() if asked.returncode else ""

    def read(self, line):
        """Add what a runner's closing line counts."""
        for reason in REASONS:
            if found := reason.match(line):
                self.reasons[found[1]] += 1
        if found := DID_NOTHING.match(line):
            self.reasons[found[1]] += 1
            self.add(-1, 0, 1)
        elif found := CARGO.match(line):
            self.add(*map(int, found.groups()))
        elif found := NODE.match(line):
            count = int(found[2])
            self.add(*{"pass": (count, 0, 0), "skipped": (0, 0, count)}.get(found[1], (0, count, 0)))
        elif found := UNITTEST_RAN.match(line):
            self.add(int(found[1]), 0, 0)
        elif self.counted and (found := UNITTEST_END.match(line)):
            # unittest counts failures and skipped tests among those that ran.
            ends = dict(part.split("=") for part in (found[1] or "").split(", ") if part)
            skipped = int(ends.get("skipped", 0))
            failed = sum(int(ends.get(kind, 0)) for kind in ("failures", "errors", "unexpected successes"))
            self.add(-failed - skipped, failed, skipped)
        elif found := OURS.match(line):
            self.add(*(int(count or 0) for count in found.groups()))

    def add(self, passed, failed, skipped):
        self.counted = True
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def table(suites):
    print(f"\n{'suite':<16} {'passed':>7} {'failed':>7} {'skipped':>8} {'minutes':>8}")
    for suite in suites:
        print(f"{suite.name:<16} {suite.passed:>7} {suite.failed:>7} {suite.skipped:>8} {suite.seconds / 60:>8.1f}")
    print()
    for suite in suites:
        for reason, count in suite.reasons.items():
            print(f"skipped in {suite.name}: {count} × {reason}")
        if suite.failed:
            print(f"failed: {suite.name}, see {LOGS}/{suite.name}.log")
    passed, failed, skipped = (sum(getattr(s, kind) for s in suites) for kind in ("passed", "failed", "skipped"))
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return failed == 0


def main():
    LOGS.mkdir(parents=True, exist_ok=True)
    suites = [Suite(argument) for argument in sys.argv[1:]]
    for number, suite in enumerate(suites, 1):
        print(f"\n=== {suite.name} ({number} of {len(suites)})", flush=True)
        suite.run()
    sys.exit(0 if table(suites) else 1)


if __name__ == "__main__":
    main()
