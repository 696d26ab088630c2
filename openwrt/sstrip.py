#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Leave of an ELF file only what is loaded: sstrip.py FILE

Stripping keeps what a debugger might want, on MIPS a table of procedures of a
sixth of the file. A loader reads program headers alone, so section headers and
all that lies behind the last segment can go. OpenWrt's own build does the same.
"""

import os
import struct
import sys

LAYOUT = {1: ("I", 0x1C, 0x20, 0x2A, 0x2E, 4, 16), 2: ("Q", 0x20, 0x28, 0x36, 0x3A, 8, 32)}


def loaded(data):
    """The file's bytes without what is never loaded."""
    if data[:4] != b"\x7fELF" or data[4] not in LAYOUT:
        raise ValueError("no ELF file")
    word, phoff_at, shoff_at, phentsize_at, sections_at, offset_at, size_at = LAYOUT[data[4]]
    order = "<" if data[5] == 1 else ">"
    phoff, = struct.unpack_from(order + word, data, phoff_at)
    size, count = struct.unpack_from(order + "2H", data, phentsize_at)
    end = phoff + size * count
    for header in range(phoff, end, size):
        offset, = struct.unpack_from(order + word, data, header + offset_at)
        length, = struct.unpack_from(order + word, data, header + size_at)
        end = max(end, offset + length)
    head = bytearray(data[:end])
    struct.pack_into(order + word, head, shoff_at, 0)
    struct.pack_into(order + "3H", head, sections_at, 0, 0, 0)
    return bytes(head)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: sstrip.py FILE")
    path = sys.argv[1]
    with open(path, "rb") as file:
        data = file.read()
    try:
        data = loaded(data)
    except (ValueError, struct.error) as error:
        sys.exit(f"sstrip: {path}: {error}")
    # A new file: cargo keeps a hard link to the one it made.
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.chmod(path + ".new", os.stat(path).st_mode)
    os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
