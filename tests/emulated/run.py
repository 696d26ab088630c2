#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a router's binary as it is shipped, on this machine: run.py TARGET PROGRAM [ARGUMENT…]

QEMU's user emulation runs it with the musl libc that Debian has for that
processor; it is downloaded into .tools/musl, apart from this machine's own
packages. Debian has none for big-endian MIPS: link statically to run there.
"""

import os
import pathlib
import struct
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
MUSL = TOP / ".tools/musl"
PT_INTERP, PT_MIPS_ABIFLAGS = 3, 0x70000003

# Emulator, and Debian's name of the architecture.
MACHINES = {
    "mipsel-unknown-linux-musl": (["qemu-mipsel", "-cpu", "24Kf"], "mipsel"),
    "mips-unknown-linux-musl": (["qemu-mips", "-cpu", "24Kc"], None),
    "arm-unknown-linux-musleabi": (["qemu-arm", "-cpu", "arm1136"], "armel"),
    "arm-unknown-linux-musleabihf": (["qemu-arm", "-cpu", "cortex-a7"], "armhf"),
    "armv7-unknown-linux-musleabihf": (["qemu-arm", "-cpu", "cortex-a7"], "armhf"),
    "aarch64-unknown-linux-musl": (["qemu-aarch64", "-cpu", "cortex-a53"], "arm64"),
    "x86_64-unknown-linux-musl": (["qemu-x86_64"], "amd64"),
}


def segments(data):
    """(type, offset, size in the file) of each program header."""
    order = "<" if data[5] == 1 else ">"
    wide = data[4] == 2
    word = order + ("Q" if wide else "I")
    phoff, = struct.unpack_from(word, data, 0x20 if wide else 0x1C)
    size, count = struct.unpack_from(order + "2H", data, 0x36 if wide else 0x2A)
    for at in range(phoff, phoff + size * count, size):
        kind, = struct.unpack_from(order + "I", data, at)
        offset, = struct.unpack_from(word, data, at + (8 if wide else 4))
        length, = struct.unpack_from(word, data, at + (32 if wide else 16))
        yield kind, offset, length


def interpreter(program):
    """The dynamic linker that a program asks for, None if it is static."""
    data = pathlib.Path(program).read_bytes()
    for kind, offset, length in segments(data):
        if kind == PT_INTERP:
            return data[offset:offset + length].rstrip(b"\0").decode()
    return None


def download(architecture):
    """Debian's musl of an architecture, unpacked."""
    state = MUSL / architecture
    unpacked = state / "root"
    if unpacked.is_dir():
        return unpacked
    (state / "lists/partial").mkdir(parents=True, exist_ok=True)
    (state / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
    settings = {"APT::Architecture": architecture, "APT::Architectures": architecture, "APT::Sandbox::User": "root",
                "Dir::State::Lists": state / "lists", "Dir::Cache": state / "cache", "Debug::NoLocking": 1}
    apt = ["apt-get", "-q", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
    # One list that a mirror has only half is no matter if the package is found.
    subprocess.run([*apt, "update"], check=False, stdout=subprocess.DEVNULL)
    subprocess.run([*apt, "download", f"musl:{architecture}"], check=True, cwd=state, stdout=subprocess.DEVNULL)
    package = next(state.glob("musl_*.deb"))
    subprocess.run(["dpkg", "-x", package, state / "unpacking"], check=True)
    (state / "unpacking").rename(unpacked)
    return unpacked


def system_root(architecture, linker):
    """A directory with the libc under the name that the program asks for."""
    libc = next(download(architecture).rglob("libc.so"))
    data = bytearray(libc.read_bytes())
    for kind, offset, _ in segments(data):
        if kind == PT_MIPS_ABIFLAGS:
            # Debian's is for hard float and OpenWrt's for soft. No float crosses
            # between the program and its libc, so that it may say "any".
            data[offset + 7] = 0
    root = MUSL / architecture / "system"
    target = root / linker.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    target.chmod(0o755)
    return root


def command(target, program):
    """How to run a program of a target here."""
    emulator, architecture = MACHINES[target]
    linker = interpreter(program)
    if linker is None:
        return [*emulator, str(program)]
    if architecture is None:
        raise LookupError(f"no libc for {target} to be had: link statically")
    return [*emulator, "-L", str(system_root(architecture, linker)), str(program)]


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in MACHINES:
        sys.exit(f"usage: run.py TARGET PROGRAM [ARGUMENT…]; targets: {' '.join(MACHINES)}")
    try:
        run = command(sys.argv[1], sys.argv[2])
    except LookupError as error:
        sys.exit(f"run.py: {error}")
    os.execvp(run[0], run + sys.argv[3:])


if __name__ == "__main__":
    main()
