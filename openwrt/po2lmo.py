#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn a translation (.po) into the form that LuCI reads (.lmo).

LuCI's own converter comes with its sources; packages made without OpenWrt's
SDK need this one. An .lmo file is, all numbers big endian and 32 bit:

    the translations, one after the other, each padded with zeros to 4 bytes
    an index, sorted by key: key, number of plural forms, offset, length
    the offset of the index

A key is the SuperFastHash of the message with its context before it (parted
by byte 1) and the number of the plural form after it (parted by byte 2). Key
0 is the Plural-Forms header. A text whose hash equals its key is left out.
"""

import re
import struct
import sys

FIELD = re.compile(r'^(?:(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])? )?(".*")$')
MASK = 0xFFFFFFFF


def signed(byte):
    return byte - 256 if byte > 127 else byte


def superfasthash(data):
    """SuperFastHash of bytes, seeded with their count, as LuCI calls it."""
    if not data:
        return 0
    value = len(data)
    whole = len(data) & ~3
    for low, high in struct.iter_unpack("<HH", data[:whole]):
        value = (value + low) & MASK
        value = ((value << 16) ^ (high << 11) ^ value) & MASK
        value = (value + (value >> 11)) & MASK
    rest = data[whole:]
    if len(rest) == 3:
        value = (value + int.from_bytes(rest[:2], "little")) & MASK
        value = (value ^ (value << 16) ^ (signed(rest[2]) << 18)) & MASK
        value = (value + (value >> 11)) & MASK
    elif len(rest) == 2:
        value = (value + int.from_bytes(rest, "little")) & MASK
        value = (value ^ (value << 11)) & MASK
        value = (value + (value >> 17)) & MASK
    elif len(rest) == 1:
        value = (value + signed(rest[0])) & MASK
        value = (value ^ (value << 10)) & MASK
        value = (value + (value >> 1)) & MASK
    for left, right in ((3, 5), (4, 17), (25, 6)):
        value = (value ^ (value << left)) & MASK
        value = (value + (value >> right)) & MASK
    return value


def unquote(text):
    """What stands between the quotes. LuCI undoes \\" and \\\\, and no other escape."""
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


def messages(lines):
    """The messages of a .po file, each a dict of its fields."""
    message, field = {}, None
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\r\n")
        if not line or line.startswith("#"):
            continue
        match = FIELD.match(line)
        if not match:
            sys.exit(f"po2lmo: line {number}: neither a field nor a string")
        name, form, text = match.groups()
        if name:
            if name == "msgctxt" or (name == "msgid" and "msgid" in message):
                if "msgstr" in message:
                    yield message
                    message = {}
            field = name
            if name == "msgstr":
                field = ("msgstr", int(form or 0))
                message["msgstr"] = True
            message[field] = ""
        message[field] += unquote(text)
    if "msgstr" in message:
        yield message


def entries(message):
    """(key, plural forms, text) of each translation of a message."""
    forms = {k[1]: v for k, v in message.items() if isinstance(k, tuple) and v}
    if message.get("msgid"):
        base = message["msgid"]
        if message.get("msgctxt"):
            base = message["msgctxt"] + "\1" + base
        count = max((k[1] for k in message if isinstance(k, tuple)), default=0) + 1
        for form, text in sorted(forms.items() if 0 in forms else ()):
            key = f"{base}\2{form}" if "msgid_plural" in message else base
            yield superfasthash(key.encode()), count, text
    elif 0 in forms:
        for header in forms[0].split("\\n"):
            if header.lower().startswith("plural-forms: "):
                yield 0, 0, header[len("plural-forms: "):]
                return


def convert(lines):
    """The bytes of the .lmo file; empty if nothing is translated."""
    texts, index = b"", []
    for message in messages(lines):
        for key, count, text in entries(message):
            text = text.encode()
            if key and key == superfasthash(text):
                continue
            index.append((key, count, len(texts), len(text)))
            texts += text + bytes(-len(text) % 4)
    if not texts:
        return b""
    index.sort(key=lambda entry: entry[0])
    return texts + b"".join(struct.pack(">4I", *entry) for entry in index) + struct.pack(">I", len(texts))


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: po2lmo.py INPUT.po OUTPUT.lmo")
    with open(sys.argv[1], encoding="utf-8") as source:
        data = convert(source)
    if not data:
        sys.exit(f"po2lmo: {sys.argv[1]}: nothing is translated")
    with open(sys.argv[2], "wb") as target:
        target.write(data)


if __name__ == "__main__":
    main()
