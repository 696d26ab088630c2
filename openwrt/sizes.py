#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sizes of binaries and packages: write docs/sizes.md, or check one target.

    sizes.py table DIRECTORY…          a directory for each target: TARGET/mape, TARGET/*.ipk
    sizes.py check TARGET BINARY PACKAGE

The table's own numbers are the baseline that the check compares with: a binary
or a package that is more than 5 % larger fails.
"""

import gzip
import lzma
import pathlib
import re
import sys

TABLE = pathlib.Path(__file__).resolve().parents[1] / "docs/sizes.md"
GROWTH = 1.05
BEGIN, END = "<!-- sizes -->\n", "<!-- end -->\n"
ROW = re.compile(r"^\| (\S+) \| ([\d,]+) \| [\d,]+ \| [\d,]+ \| ([\d,]+) \|$", re.M)


def number(text):
    return int(text.replace(",", ""))


def row(directory):
    binary = (directory / "mape").read_bytes()
    package = next(directory.glob("mape_*.ipk")).stat().st_size
    sizes = len(binary), len(gzip.compress(binary, 9)), len(lzma.compress(binary, preset=9 | lzma.PRESET_EXTREME)), package
    return f"| {directory.name} | " + " | ".join(f"{size:,}" for size in sizes) + " |\n"


def table(directories):
    lines = "| target | binary | gzip | xz | package (.ipk) |\n|---|---:|---:|---:|---:|\n"
    lines += "".join(row(pathlib.Path(directory)) for directory in directories)
    text = TABLE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    TABLE.write_text(before + BEGIN + lines + END + after)


def check(target, binary, package):
    known = {name: (number(size), number(packed)) for name, size, packed in ROW.findall(TABLE.read_text())}
    if target not in known:
        sys.exit(f"sizes: {TABLE.name} has no {target}: make sizes")
    now = pathlib.Path(binary).stat().st_size, pathlib.Path(package).stat().st_size
    failed = False
    for what, before, after in zip(("binary", "package"), known[target], now):
        change = 100 * (after / before - 1)
        print(f"{target} {what}: {after:,} bytes, {change:+.1f} %")
        failed |= after > before * GROWTH
    if failed:
        sys.exit("sizes: more than 5 % larger; if it is worth it, say why and run make sizes")


def main():
    arguments = sys.argv[2:]
    if sys.argv[1:2] == ["table"] and arguments:
        table(arguments)
    elif sys.argv[1:2] == ["check"] and len(arguments) == 3:
        check(*arguments)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
