#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn folders of packages into a signed feed.

The feed is a static site: ipk/ARCH/ for opkg (OpenWrt 23.05 and 24.10),
apk/ARCH/ for apk (25.12 on), the public keys, checksums and a page that says
what to paste. Keys are made in the folder of keys if they are not there.
"""

import argparse
import base64
import gzip
import hashlib
import html
import io
import pathlib
import re
import shutil
import string
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = "luci-proto-mape luci-i18n-mape-ja"
# The order in which single files can be installed.
ORDER = ["mape", "luci-proto-mape", "luci-i18n-mape-ja"]

# Well-known routers, so that a reader finds the row of his own.
ROUTERS = {
    "mipsel_24kc": "MediaTek MT7621, MT7628: Buffalo WSR-1166DHP, Ubiquiti EdgeRouter X, Xiaomi Mi Router 4A Gigabit",
    "mips_24kc": "Qualcomm Atheros AR/QCA 9xxx: TP-Link Archer C7, Buffalo WZR-HP-AG300H",
    "arm_cortex-a7_neon-vfpv4": "Qualcomm IPQ40xx: Google Wifi, Linksys EA8300",
    "arm_cortex-a15_neon-vfpv4": "Qualcomm IPQ806x: Netgear R7800",
    "arm_cortex-a9_vfpv3-d16": "Marvell Armada 38x: Linksys WRT1900ACS, WRT3200ACM",
    "arm_arm1176jzf-s_vfp": "Raspberry Pi 1, Zero",
    "aarch64_generic": "Rockchip: NanoPi R2S, R4S, R5S; virtual machines on ARM",
    "aarch64_cortex-a53": "MediaTek Filogic, MT7622: GL.iNet GL-MT6000, Linksys E8450, Banana Pi BPI-R3; Raspberry Pi 3",
    "aarch64_cortex-a72": "Raspberry Pi 4",
    "aarch64_cortex-a76": "Raspberry Pi 5",
    "x86_64": "PCs and virtual machines",
}

OPKG_BLOCK = """\
wget -O /tmp/mape.pub {url}/mape.pub && opkg-key add /tmp/mape.pub
. /etc/os-release
grep -q {url} /etc/opkg/customfeeds.conf ||
	echo "src/gz mape {url}/ipk/$OPENWRT_ARCH" >> /etc/opkg/customfeeds.conf
opkg update
opkg install {packages}"""

APK_BLOCK = """\
wget -O /etc/apk/keys/mape.pem {url}/mape.pem
. /etc/os-release
grep -q {url} /etc/apk/repositories.d/customfeeds.list ||
	echo "{url}/apk/$OPENWRT_ARCH/packages.adb" >> /etc/apk/repositories.d/customfeeds.list
apk update
apk add {packages}"""

REMOVAL = """\
# 23.05, 24.10
opkg remove luci-i18n-mape-ja luci-proto-mape mape
opkg update; opkg install map; /etc/init.d/network restart
# 25.12
apk del luci-i18n-mape-ja luci-proto-mape mape
apk add map; /etc/init.d/network restart"""


def run(*command, **options):
    """Run a tool; one line if it is missing or fails."""
    try:
        return subprocess.run(list(map(str, command)), check=True, **options)
    except OSError as error:
        sys.exit(f"feed: {command[0]}: {error.strerror}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"feed: {command[0]} failed with exit code {error.returncode}")


def make_keys(keys, with_apk):
    """The pair of keys for opkg and the one for apk; those that exist are kept."""
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (keys / "opkg.sec").exists():
        # -n: without a passphrase, since nobody is there to type it.
        run("signify-openbsd", "-G", "-n", "-c", "mape", "-p", keys / "opkg.pub", "-s", keys / "opkg.sec")
    if with_apk and not (keys / "apk.key").exists():
        run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", keys / "apk.key")
    if with_apk and not (keys / "apk.pem").exists():
        run("openssl", "ec", "-in", keys / "apk.key", "-pubout", "-out", keys / "apk.pem", stderr=subprocess.DEVNULL)


def control(package):
    """The control file of an .ipk."""
    with tarfile.open(package) as outer:
        inner = outer.extractfile("./control.tar.gz").read()
    with tarfile.open(fileobj=io.BytesIO(inner)) as archive:
        return archive.extractfile("./control").read().decode()


def sign(file, keys):
    """FILE.sig, as usign and signify verify it."""
    run("signify-openbsd", "-S", "-s", keys / "opkg.sec", "-m", file, "-x", f"{file}.sig")


def opkg_index(folder, keys):
    """Packages, Packages.gz and Packages.sig of a folder of .ipk."""
    entries = []
    for package in sorted(folder.glob("*.ipk")):
        head, mark, description = control(package).partition("Description:")
        data = package.read_bytes()
        entries.append(
            f"{head}Filename: {package.name}\nSize: {len(data)}\n"
            f"SHA256sum: {hashlib.sha256(data).hexdigest()}\n{mark}{description}"
        )
    index = "\n".join(entries).encode()
    (folder / "Packages").write_bytes(index)
    (folder / "Packages.gz").write_bytes(gzip.compress(index, mtime=0))
    sign(folder / "Packages", keys)


def apk_index(folder, keys, tool):
    """packages.adb of a folder of .apk: it holds their hashes and is signed."""
    run(tool, "mkndx", "--allow-untrusted", "--sign-key", keys / "apk.key", "--output", folder / "packages.adb",
        *sorted(folder.glob("*.apk")), stdout=subprocess.DEVNULL)


def checksums(folder, keys):
    """SHA256SUMS of all files in a folder, as sha256sum reads it, and its signature."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("SHA256SUMS"))
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files)
    (folder / "SHA256SUMS").write_text("".join(lines))
    sign(folder / "SHA256SUMS", keys)


def flat(feed, folder):
    """All packages in one folder, for a list of downloads; each name tells its architecture."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for package in sorted(feed.glob("?pk/*/*.?pk")):
        name = package.name
        if package.suffix == ".apk" and name.startswith("mape-"):
            name = f"{package.stem}_{package.parent.name}.apk"
        shutil.copy(package, folder / name)
    for key in feed.glob("mape.p*"):
        shutil.copy(key, folder)


def short_name(package):
    """The name of a package, without version and architecture."""
    return re.split(r"[-_]\d", package.name)[0]


def page(feed, url):
    """index.html: what to paste for which release, and links to each package."""
    # Without a known address the page fills in the one it was loaded from.
    here = html.escape(url.rstrip("/")) if url else '<span class="here">https://ADDRESS-OF-THIS-PAGE</span>'
    blocks = []
    for kind, title, block in (("ipk", "OpenWrt 23.05 and 24.10", OPKG_BLOCK), ("apk", "OpenWrt 25.12", APK_BLOCK)):
        if (feed / kind).is_dir():
            blocks.append(f"<h2>{title}</h2>\n<pre>{html.escape(block).format(url=here, packages=PACKAGES)}</pre>")
    if not url:
        blocks.append("<script>for (const place of document.querySelectorAll('.here'))"
                      " place.textContent = new URL('.', location.href).href.replace(/\\/$/, '');</script>")
    rows = []
    names = sorted({folder.name for folder in feed.glob("?pk/*")})
    for name in names:
        cells = [name, ROUTERS.get(name, "")]
        for kind in ("ipk", "apk"):
            packages = sorted((feed / kind / name).glob(f"*.{kind}"), key=lambda path: ORDER.index(short_name(path)))
            cells.append("<br>".join(f'<a href="{path.relative_to(feed)}">{short_name(path)}</a>' for path in packages))
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    first = next(feed.glob("ipk/*/mape_*.ipk"))
    version = first.name.split("_")[1]
    template = string.Template((HERE / "feed.html").read_text())
    (feed / "index.html").write_text(
        template.substitute(version=version, blocks="\n".join(blocks), rows="\n".join(rows), removal=REMOVAL))


def fingerprint(public):
    """What usign and opkg-key call a key: the eight bytes after the algorithm."""
    return base64.b64decode(public.read_text().splitlines()[1])[2:10].hex()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("feed", type=pathlib.Path, help="folder with ipk/ARCH/ and apk/ARCH/")
    parser.add_argument("--keys", type=pathlib.Path, required=True, help="folder of the keys, made if missing")
    parser.add_argument("--apk", default="apk", help="apk of apk-tools 3")
    parser.add_argument("--release", type=pathlib.Path, help="also copy all packages into this one folder")
    parser.add_argument("--url", default="", help="address the feed will have")
    arguments = parser.parse_args()
    feed, keys = arguments.feed, arguments.keys
    if not list(feed.glob("ipk/*/mape_*.ipk")):
        sys.exit(f"feed: {feed}/ipk/ARCH/ holds no package of mape")
    make_keys(keys, with_apk=(feed / "apk").is_dir())
    for folder in sorted(feed.glob("ipk/*")):
        opkg_index(folder, keys)
    shutil.copy(keys / "opkg.pub", feed / "mape.pub")
    for folder in sorted(feed.glob("apk/*")):
        apk_index(folder, keys, arguments.apk)
        shutil.copy(keys / "apk.pem", feed / "mape.pem")
    page(feed, arguments.url)
    checksums(feed, keys)
    if arguments.release:
        flat(feed, arguments.release)
        checksums(arguments.release, keys)
    count = len(list(feed.glob("?pk/*/*.?pk")))
    print(f"{feed}: {count} packages for {len(list(feed.glob('ipk/*')))} architecture(s), "
          f"opkg key {fingerprint(keys / 'opkg.pub')}")


if __name__ == "__main__":
    main()
