#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios of tests/qemu on another processor's kernel: machine.py MACHINE MAPE INIT [SCENARIO,…]

MAPE is the binary for routers with that processor, INIT the tests
test (tests/qemu) built for it: inside the machine it is the first process.
Kernel and tools are Debian's, downloaded into .tools/machine-ARCHITECTURE; QEMU
emulates the board.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import run  # noqa: E402


class Machine(NamedTuple):
    """A board and what of Debian runs on it."""
    title: str
    debian: str
    libraries: str
    loader: str
    kernel: str
    qemu: list
    # Two serial lines: console and report.
    lines: list
    # QEMU's words for a clock that counts instructions, and how many nanoseconds
    # one takes.
    counting: str
    tick: int


# The cores of most routers of their kinds.
MACHINES = {
    "mips": Machine("MIPS 24K", "mipsel", "mipsel-linux-gnu", "ld.so.1", "linux-image-4kc-malta",
                    ["qemu-system-mipsel", "-M", "malta", "-cpu", "24Kf"],
                    ["-serial", "chardev:console", "-serial", "chardev:report"],
                    # A processor that waits does so in real time: with sleep=off QEMU 7.2
                    # never comes back from this one's timer. The kernel measures its
                    # processor for a second of the board's clock, so an instruction is not short.
                    "shift=4", 16),
    # The kernel without LPAE sees no device above 4 GB.
    "arm": Machine("Cortex-A7", "armhf", "arm-linux-gnueabihf", "ld-linux-armhf.so.3", "linux-image-armmp",
                   ["qemu-system-arm", "-M", "virt,highmem=off", "-cpu", "cortex-a7"],
                   ["-device", "pci-serial,chardev=console", "-device", "pci-serial,chardev=report"],
                   "shift=1,sleep=off", 2),
}
PACKAGES = ["nftables", "iproute2", "conntrack", "iperf3", "ethtool", "kmod", "busybox-static"]
APPLETS = ["sh", "cat", "ping", "wget", "traceroute", "sleep", "ls"]
TOOLS = ["nft", "ip", "conntrack", "iperf3", "ethtool", "kmod", "busybox"]
MODULES = ["net/netfilter/", "net/ipv4/netfilter/", "net/ipv6/netfilter/", "net/bridge/bridge.", "net/ipv6/ip6_tunnel.",
           "net/ipv4/tcp_diag.", "net/ipv4/inet_diag.", "drivers/net/veth.", "drivers/net/dummy.", "/crc32c"]
# No run may take longer, whatever it prints.
LIMIT = 2 * 3600
PROTOCOLS = "icmp 1 ICMP\nipip 4 IPIP\nipencap 4 IP-ENCAP\ntcp 6 TCP\nudp 17 UDP\nipv6 41 IPv6\nipv6-icmp 58 IPv6-ICMP\n"


def debian(machine):
    """Kernel and tools with everything they depend on, unpacked."""
    work = run.TOP / f".tools/machine-{machine.debian}"
    root = work / "root"
    if root.is_dir():
        return root
    for directory in ("lists/partial", "cache/archives/partial"):
        (work / directory).mkdir(parents=True, exist_ok=True)
    (work / "status").touch()
    settings = {"APT::Architecture": machine.debian, "APT::Architectures": machine.debian, "APT::Sandbox::User": "root",
                "Dir::State::Lists": work / "lists", "Dir::State::status": work / "status", "Dir::Cache": work / "cache",
                "Debug::NoLocking": 1}
    apt = ["apt-get", "-q", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
    subprocess.run([*apt, "update"], check=False, stdout=subprocess.DEVNULL)
    subprocess.run([*apt, "-y", "--no-install-recommends", "--download-only", "install", machine.kernel, *PACKAGES],
                   check=True, stdout=subprocess.DEVNULL)
    unpacking = work / "unpacking"
    shutil.rmtree(unpacking, ignore_errors=True)
    for package in sorted((work / "cache/archives").glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, unpacking], check=True)
    for release in (unpacking / "lib/modules").iterdir():
        subprocess.run(["/sbin/depmod", "-b", unpacking, release.name], check=True)
    unpacking.rename(root)
    return root


def within(root, path):
    """What a path names inside a root, where links that begin with / begin there."""
    while path.is_symlink():
        to = os.readlink(path)
        path = root / to.lstrip("/") if to.startswith("/") else path.parent / to
    return path


def place(image, path, source):
    target = image / path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    target.chmod(0o755)


def modules(image, root):
    """The wanted modules with what they need, and the index."""
    source = next((root / "lib/modules").iterdir())
    needs = dict(line.split(":") for line in (source / "modules.dep").read_text().splitlines())
    wanted = set()
    for module, depends in needs.items():
        if any(part in module for part in MODULES):
            wanted.update([module, *depends.split()])
    for name in wanted:
        place(image, f"usr/lib/modules/{source.name}/{name}", source / name)
    for index in source.glob("modules.*"):
        place(image, f"usr/lib/modules/{source.name}/{index.name}", index)


def initramfs(machine, root, out, mape, init):
    """A directory with all that the machine has, packed."""
    image = out / "image"
    shutil.rmtree(image, ignore_errors=True)
    for name in ("bin", "sbin", "lib"):
        (image / "usr" / name).mkdir(parents=True)
        (image / name).symlink_to(f"usr/{name}")
    for name in ("dev", "proc", "sys", "run", "tmp", "var", "etc", "root"):
        (image / name).mkdir()
    (image / "var/run").symlink_to("/run")
    (image / "etc/protocols").write_text(PROTOCOLS)
    for top in ("lib", "usr/lib"):
        for library in (root / top).glob(f"{machine.libraries}/*.so*"):
            place(image, f"usr/lib/{machine.libraries}/{library.name}", within(root, library))
    place(image, f"usr/lib/{machine.loader}", within(root, root / f"lib/{machine.libraries}/{machine.loader}"))
    linker = run.interpreter(mape)
    place(image, "usr" + linker, run.system_root(machine.debian, linker) / linker.lstrip("/"))
    for tool in TOOLS:
        found = [root / d / tool for d in ("usr/sbin", "usr/bin", "sbin", "bin") if os.path.lexists(root / d / tool)]
        place(image, f"usr/sbin/{tool}", within(root, found[0]))
    for applet in APPLETS:
        (image / "usr/bin" / applet).symlink_to("/usr/sbin/busybox")
    (image / "usr/sbin/modprobe").symlink_to("kmod")
    modules(image, root)
    stock = pathlib.Path(os.environ.get("STOCK") or "/nowhere")
    for file in stock.rglob("*"):
        if file.is_file():
            # /bin, /sbin and /lib are links.
            name = str(file.relative_to(stock))
            place(image, name if name.startswith("usr/") else f"usr/{name}", file)
    place(image, "usr/sbin/mape", mape)
    if not (image / "usr/sbin/mapcalc").exists():
        (image / "usr/sbin/mapcalc").symlink_to("mape")
    place(image, "init", init)
    subprocess.run(["mknod", image / "dev/console", "c", "5", "1"], check=True)
    packed = out / "initramfs"
    names = subprocess.run(["find", ".", "-print0"], cwd=image, check=True, capture_output=True).stdout
    with open(packed, "wb") as file:
        subprocess.run(["cpio", "--quiet", "-0", "-o", "-H", "newc", "-R", "0:0"], cwd=image, input=names, stdout=file, check=True)
    return packed


def boot(machine, root, out, packed, scenarios):
    """Runs the machine; its report, line by line."""
    results = out / "results.jsonl"
    results.write_text("")
    words = ["console=ttyS0", "quiet", "loglevel=3", "panic=-1", "PATH=/usr/sbin:/usr/bin", "MAPE_MODE=test"]
    if scenarios:
        words.append(f"MAPE_SCENARIO={scenarios}")
    words.append(f"MAPE_TICK={machine.tick}")
    # The clock runs by the machine's own work: a busy host makes no packet late. The
    # board's has to as well, since a kernel may measure its processor by it.
    counting = ["-icount", machine.counting, "-rtc", "clock=vm"]
    command = [*machine.qemu, *counting, "-m", "1024", "-no-reboot", "-nodefaults", "-accel", "tcg,thread=single", "-display", "none",
               "-chardev", "stdio,id=console", "-chardev", f"file,id=report,path={results}", *machine.lines,
               "-kernel", str(next(root.glob("boot/vmlinu[xz]-*"))), "-initrd", str(packed), "-append", " ".join(words)]
    with open(out / "console.log", "wb") as log, \
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        for line in process.stdout:
            log.write(line)
            log.flush()
            if line.startswith(b"\x01") or b"panic" in line:
                print(line.decode(errors="replace").strip("\x01\r\n"), flush=True)
        limit.cancel()
    return [json.loads(line) for line in results.read_text().splitlines() if line.startswith("{")]


def main():
    if len(sys.argv) not in (4, 5) or sys.argv[1] not in MACHINES:
        sys.exit(f"{__doc__}\nMACHINE is one of {', '.join(MACHINES)}.")
    machine = MACHINES[sys.argv[1]]
    out = run.TOP / f"target/qemu-{sys.argv[1]}"
    os.makedirs(out, exist_ok=True)
    root = debian(machine)
    packed = initramfs(machine, root, out, *sys.argv[2:4])
    report = boot(machine, root, out, packed, sys.argv[4] if len(sys.argv) == 5 else "")
    (out / "figures.json").write_text(json.dumps(report, indent=1) + "\n")
    passed = sum("passed" in line for line in report)
    failed = sum("failed" in line for line in report)
    kernel = next((line["kernel"] for line in report if "kernel" in line), "none")
    print(f"kernel {kernel} on {machine.title}")
    print(f"{passed} passed, {failed} failed")
    if failed or not passed or {"end": True} not in report:
        sys.exit(1)


if __name__ == "__main__":
    main()
