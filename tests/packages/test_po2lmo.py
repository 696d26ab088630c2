# SPDX-License-Identifier: GPL-2.0-or-later
"""Our .lmo files against the format, and against LuCI's converter where PO2LMO names it."""

import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "openwrt"))
import po2lmo  # noqa: E402

PO2LMO = os.environ.get("PO2LMO")
SAMPLE = '''\
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

#: view.js:3
msgid "Port ranges"
msgstr "ポート範囲"

msgid "a"
msgstr "い"

msgid "Say \\"yes\\" to C:\\\\"
msgstr ""
"「はい」\\n"
"次"

msgctxt "MAP"
msgid "Rule"
msgstr "ルール"

msgid "%d port"
msgid_plural "%d ports"
msgstr[0] "%d 個のポート"

msgid "the same"
msgstr "the same"

msgid "not translated"
msgstr ""
'''


def read(data):
    """{key: (plural forms, text)} of an .lmo file, as LuCI reads it: by the last word."""
    start = struct.unpack(">I", data[-4:])[0]
    index = list(struct.iter_unpack(">4I", data[start:-4]))
    assert [entry[0] for entry in index] == sorted(entry[0] for entry in index)
    return {key: (count, data[at:at + length].decode()) for key, count, at, length in index}


class Po2Lmo(unittest.TestCase):
    def test_every_translation_is_found_by_its_key(self):
        found = read(po2lmo.convert(SAMPLE.splitlines(keepends=True)))
        for key, text in (("Port ranges", "ポート範囲"), ("a", "い"), ('Say "yes" to C:\\', "「はい」\\n次"),
                          ("MAP\1Rule", "ルール"), ("%d port\0020", "%d 個のポート")):
            self.assertEqual(found.pop(po2lmo.superfasthash(key.encode())), (1, text))
        self.assertEqual(found, {0: (0, "nplurals=1; plural=0;")})

    def test_hash_is_the_one_luci_computes(self):
        # As LuCI's own sfh_hash answered.
        for text, value in HASHES.items():
            self.assertEqual(po2lmo.superfasthash(text.encode()), value, text)

    def test_a_file_that_is_no_translation_is_refused_with_its_line(self):
        with self.assertRaisesRegex(SystemExit, "line 2"):
            po2lmo.convert(['msgid "x"\n', "msgstr x\n"])

    @unittest.skipUnless(PO2LMO, "PO2LMO= is not given")
    def test_same_bytes_as_lucis(self):
        with tempfile.TemporaryDirectory() as directory:
            sample, theirs = pathlib.Path(directory, "sample.po"), pathlib.Path(directory, "sample.lmo")
            sample.write_text(SAMPLE)
            for source in (sample, *(TOP / "luci-proto-mape/po").glob("*/*.po")):
                subprocess.run([PO2LMO, source, theirs], check=True)
                with open(source, encoding="utf-8") as lines:
                    self.assertEqual(po2lmo.convert(lines), theirs.read_bytes(), source)


HASHES = {
    "Port": 0xee2348ea,
    "Port ranges": 0x7f23f70d,
    "MAP": 0x584ff11f,
    "いろは": 0x40da85c1,
    "a": 0x115ea782,
    "い": 0xdad3c746,
}

if __name__ == "__main__":
    unittest.main()
