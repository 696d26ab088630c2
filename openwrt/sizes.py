#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sizes of binaries and packages: write docs/sizes.md, or check one target.

    sizes.py table DIRECTORY…          a directory for each target: TARGET/mape, TARGET/*.ipk
    sizes.py check TARGET BINARY PACKAGE

The check fails if binary or package is larger than the budget.
"""

import gzip
import lzma
import pathlib
import sys

TABLE = pathlib.Path(__file__).resolve().parents[1] / "docs/sizes.md"
# For every target, in bytes; MIPS, whose instructions take most room, decides.
BUDGET = {"binary": 640 * 1024, "package": 320 * 1024}
BEGIN, END = "<!-- sizes -->\n", "<!-- end -->\n"


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
    over = False
    for (what, most), path in zip(BUDGET.items(), (binary, package)):
        size = pathlib.Path(path).stat().st_size
        print(f"{target} {what}: {size:,} bytes, {100 * size / most:.1f} % of the budget of {most:,}")
        over |= size > most
    if over:
        sys.exit("sizes: larger than the budget; docs/sizes.md says what takes room")


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
