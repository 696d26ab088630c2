# SPDX-License-Identifier: GPL-2.0-or-later
"""Every router's binary answers as this machine's does: same bytes, same exit code.

NATIVE is this machine's binary, BINARIES a list of TARGET=PATH.
"""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import run  # noqa: E402

TOP = run.TOP
NATIVE = os.environ["NATIVE"]
BINARIES = dict(pair.split("=", 1) for pair in os.environ["BINARIES"].split())
# Has the table of providers.
os.environ["MAPE_ROOT"] = str(TOP / "files")
DUMP = str(TOP / "tests/data/mapcalc/dump.json")

QUESTIONS = {
    "v6plus": ["calc", "--prefix", "240b:10:1234:5600::/56", "--json"],
    "ocn": ["calc", "--prefix", "2400:4050:1234:5600::/56", "--json"],
    "rfc 7597": ["calc", "--prefix", "2001:db8:12:3400::/56", "--json", "--rule",
                 "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,"
                 "ealen=16,offset=6,br=2001:db8:ffff::1"],
    "for people": ["calc", "--prefix", "240b:10:1234:5600::/56"],
    "rules of the pool": ["nft", "--prefix", "240b:10:1234:5600::/56", "--device", "map-wan", "--nat", "pool"],
    "rules of the hash": ["nft", "--prefix", "240b:10:1234:5600::/56", "--device", "map-wan", "--nat", "hash"],
    "the BR's view": ["br", "--prefix", "240b:10:1234:5600::/56", "--from", "106.72.86.0:5000",
                      "--to", "198.51.100.1:53", "--json"],
    "lookup": ["lookup", "240b:10:1234:5600::/56", "--json"],
    "nobody's prefix": ["lookup", "2001:db8::/56", "--json"],
    "wrong use": ["calc"],
    "mapcalc": ["mapcalc", "--legacy", "--dump", DUMP, "w0", "type=map-e,ipv6prefix=2404:7a86:3400::,prefix6len=38,"
                "ipv4prefix=133.204.180.0,prefix4len=22,ealen=18,offset=4,br=2001:260:700:1::1:276"],
}


def answer(command):
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Binaries(unittest.TestCase):
    def test_answers(self):
        for target, path in BINARIES.items():
            command = run.command(target, path)
            for name, question in QUESTIONS.items():
                with self.subTest(target=target, question=name):
                    self.assertEqual(answer([*command, *question]), answer([NATIVE, *question]))

    def test_the_questions_have_answers(self):
        codes = {name: answer([NATIVE, *question])[0] for name, question in QUESTIONS.items()}
        self.assertEqual({name for name, code in codes.items() if code}, {"nobody's prefix", "wrong use"}, codes)

    def test_a_closed_pipe_is_no_crash(self):
        for target, path in BINARIES.items():
            with self.subTest(target=target):
                command = [*run.command(target, path), *QUESTIONS["v6plus"]]
                reader, writer = os.pipe()
                os.close(reader)
                done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
                os.close(writer)
                self.assertIn(done.returncode, (0, 1), done.stderr)


if __name__ == "__main__":
    unittest.main()
