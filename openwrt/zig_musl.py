#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Give `environ` a place of its own in zig's stand-in for musl: zig_musl.py

To link against a libc that only the router has, zig makes one that holds its
symbols. All its variables lie on one address, without room. A program that
uses `environ`, as everything does that starts another program, gets a copy of
it, and with it, under the same address, of every other variable: at run time
the libc then writes its program name, its time zone and more over each other
there. Run with the Python that has zig.
"""

import pathlib
import re
import sys

import ziglang

BLOCK = re.compile(r"^\.(?:weak|globl) (_{0,3}environ)\n\.type .*\n\.size .*\n\1:\n", re.M)
START = ".bss\n"
ROOM = f"{START}.balign 16\n.space 16\n"


def separated(text):
    """The stand-in's assembly, with the four names of environ together and alone."""
    blocks = [match.group(0) for match in BLOCK.finditer(text)]
    if len(blocks) != 4 or START not in text:
        raise ValueError("not the file that is known")
    before, _, after = BLOCK.sub("", text).partition(START)
    # Room before them, too: the start of .bss is also where an empty .data lies.
    return f"{before}{ROOM}{''.join(blocks)}.space 16\n{after}"


def main():
    path = pathlib.Path(ziglang.__file__).parent / "lib/libc/musl/libc.S"
    try:
        text = path.read_text()
        if ROOM not in text:
            path.write_text(separated(text))
    except (OSError, ValueError) as error:
        sys.exit(f"zig_musl: {path}: {error}")


if __name__ == "__main__":
    main()
