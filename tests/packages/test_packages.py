# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in the packages, and what installing, upgrading and removing them does.

DIST names the directory with the .ipk (and, with APK, the .apk) files; OPKG
and APK name OpenWrt's opkg and apk-tools 3 on this machine. Without them the
tests that need them are skipped and say so.
"""

import gzip
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from root import Root  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
DIST = pathlib.Path(os.environ.get("DIST", TOP / "dist"))
STAGE = pathlib.Path(os.environ.get("STAGE", TOP / "target/package/x86_64"))
OPKG = os.environ.get("OPKG")
APK = os.environ.get("APK")
PACK = TOP / "openwrt/pack.py"

LINKS = {
    "./lib/netifd/proto/map.sh": "../../../usr/sbin/mape",
    "./lib/netifd/proto/mape.sh": "../../../usr/sbin/mape",
    "./usr/libexec/rpcd/mape": "../../sbin/mape",
    "./usr/sbin/mapcalc": "mape",
}


def only(pattern):
    """The one file in DIST of that name."""
    found = sorted(DIST.glob(pattern))
    assert len(found) == 1, f"{pattern} in {DIST}: {found}"
    return found[0]


def members(data):
    archive = tarfile.open(fileobj=io.BytesIO(data), mode="r:gz")
    return {m.name if m.name != "." else "./": (m, archive.extractfile(m).read() if m.isreg() else None) for m in archive}


def ipk(path):
    """(control, data) of an .ipk, each as {name: (member, content)}."""
    outer = members(path.read_bytes())
    return members(outer["./control.tar.gz"][1]), members(outer["./data.tar.gz"][1])


def needs(field):
    """Packages that ours names in a field."""
    fields = (STAGE / "mape/fields").read_text().strip().split("|")
    return next((line.split(": ", 1)[1].split() for line in fields if line.startswith(field + ": ")), [])


def is_shell(content):
    return content.startswith(b"#!/bin/sh")


class Contents(unittest.TestCase):
    """The .ipk files, opened."""

    def test_mape_has_the_binary_under_all_its_names(self):
        _, data = ipk(only("mape_*.ipk"))
        member, content = data["./usr/sbin/mape"]
        self.assertEqual((member.mode, content[:4]), (0o755, b"\x7fELF"))
        for name, target in LINKS.items():
            self.assertEqual(data[name][0].linkname, target)

    def test_everything_in_files_is_installed_as_it_is(self):
        _, data = ipk(only("mape_*.ipk"))
        for path in (TOP / "files").rglob("*"):
            if path.is_file():
                member, content = data["./" + str(path.relative_to(TOP / "files"))]
                self.assertEqual(content, path.read_bytes())
                self.assertEqual(member.mode, 0o755 if os.access(path, os.X_OK) else 0o644, member.name)

    def test_each_licence_is_in_its_package(self):
        _, program = ipk(only("mape_*.ipk"))
        self.assertIn(b"GNU GENERAL PUBLIC LICENSE", program["./usr/share/licenses/mape/LICENSE"][1])
        _, app = ipk(only("luci-proto-mape_*_all.ipk"))
        self.assertIn(b"Apache License", app["./usr/share/licenses/luci-proto-mape/LICENSE"][1])

    def test_owners_modes_and_order(self):
        for package in DIST.glob("*.ipk"):
            self.assertEqual(list(members(package.read_bytes())), ["./debian-binary", "./data.tar.gz", "./control.tar.gz"])
            for part in ipk(package):
                self.assertEqual(list(part), sorted(part))
                for member, _ in part.values():
                    self.assertEqual((member.uid, member.gid), (0, 0))
                    if not member.issym():
                        self.assertIn(member.mode, (0o644, 0o755), member.name)

    def test_control_names_what_is_needed_and_what_is_replaced(self):
        control, _ = ipk(only("mape_*.ipk"))
        fields = dict(line.split(": ", 1) for line in control["./control"][1].decode().splitlines())
        for name in ("libc", "kmod-ip6-tunnel", "kmod-nft-core", "kmod-nft-nat", "nftables"):
            self.assertIn(name, fields["Depends"].split(", "))
        self.assertEqual(fields["Recommends"], "kmod-nft-netdev, kmod-nft-connlimit")
        self.assertEqual({fields[n] for n in ("Provides", "Conflicts", "Replaces")}, {"map"})
        cargo = (TOP / "Cargo.toml").read_text()
        self.assertIn(f'version = "{fields["Version"].removesuffix("-r1")}"', cargo)

    def test_a_router_has_what_the_binary_is_linked_to(self):
        binary = STAGE / "mape/data/usr/sbin/mape"
        dynamic = subprocess.run(["readelf", "-Wd", "-l", binary], capture_output=True, text=True, check=True).stdout
        self.assertEqual([line.split("[")[1] for line in dynamic.splitlines() if "(NEEDED)" in line], ["libc.so]"])
        self.assertRegex(dynamic, "interpreter: /lib/ld-musl-")

    def test_no_variable_of_the_libc_shares_its_place_with_another(self):
        binary = STAGE / "mape/data/usr/sbin/mape"
        symbols = subprocess.run(["readelf", "-WDs", binary], capture_output=True, text=True, check=True).stdout
        copies = {line.split()[-1] for line in symbols.splitlines() if " OBJECT " in line and " UND " not in line}
        self.assertLessEqual(copies, {"environ", "_environ", "__environ", "___environ"})

    def test_nothing_of_the_building_machine_is_in_the_binary(self):
        binary = (STAGE / "mape/data/usr/sbin/mape").read_bytes()
        for trace in (str(TOP), str(pathlib.Path.home() / ".cargo")):
            self.assertNotIn(trace.encode(), binary)

    def test_luci_files_are_where_luci_looks(self):
        _, app = ipk(only("luci-proto-mape_*_all.ipk"))
        for source, target in (("htdocs", "./www/"), ("root", "./")):
            for path in (TOP / "luci-proto-mape" / source).rglob("*"):
                if path.is_file():
                    name = target + str(path.relative_to(TOP / "luci-proto-mape" / source))
                    self.assertEqual(app[name][1], path.read_bytes())
        _, japanese = ipk(only("luci-i18n-mape-ja_*_all.ipk"))
        self.assertIn("./usr/lib/lua/luci/i18n/mape.ja.lmo", japanese)
        self.assertIn("日本語", japanese["./etc/uci-defaults/luci-i18n-mape-ja"][1].decode())

    @unittest.skipUnless(shutil.which("shellcheck"), "no shellcheck")
    def test_scripts_are_clean(self):
        sources = [TOP / "openwrt/mape/postinst", TOP / "openwrt/mape/prerm", *TOP.glob("openwrt/*.sh")]
        for path in (TOP / "files").rglob("*"):
            if path.is_file() and (is_shell(path.read_bytes()) or "uci-defaults" in path.parts):
                sources.append(path)
        subprocess.run(["shellcheck", "--shell=sh", "--exclude=SC1091", *map(str, sources)], check=True)


class Reproducible(unittest.TestCase):
    """The same sources, packed again by somebody with other habits."""

    def pack_again(self, kind, *extra):
        with tempfile.TemporaryDirectory() as directory:
            stages = []
            for stage in STAGE.iterdir():
                if (stage / "fields").exists():
                    copy = pathlib.Path(directory, "elsewhere", stage.name)
                    shutil.copytree(stage, copy, symlinks=True, copy_function=shutil.copyfile)
                    (copy / "data/usr/sbin/mape").exists() and (copy / "data/usr/sbin/mape").chmod(0o700)
                    for path in (stage / "data").rglob("*"):
                        if path.is_file() and not path.is_symlink() and os.access(path, os.X_OK):
                            (copy / "data" / path.relative_to(stage / "data")).chmod(0o700)
                    stages.append(copy)
            out = pathlib.Path(directory, "out")
            subprocess.run([sys.executable, PACK, kind, "--out", out, *extra, *stages],
                           check=True, umask=0o077, stdout=subprocess.DEVNULL,
                           env={**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C"})
            for package in out.iterdir():
                self.assertEqual(package.read_bytes(), (DIST / package.name).read_bytes(), package.name)

    def test_ipk(self):
        self.pack_again("ipk")

    @unittest.skipUnless(APK, "APK= is not given")
    def test_apk(self):
        self.pack_again("apk", "--apk", APK)


class Scripts(unittest.TestCase):
    """Our scripts alone, where there is no router to keep running."""

    def run_scripts(self, **environment):
        with tempfile.TemporaryDirectory() as directory:
            root = Root(pathlib.Path(directory, "root"))
            (root.path / "bin/ubus").write_text("#!/bin/sh\necho ubus >> /calls\nexit 4\n")
            root.write("var/run/mape/wanmap.json", "{}")
            setting = "".join(f"export {name}={value}; " for name, value in environment.items())
            for name in ("postinst", "prerm"):
                shutil.copy(TOP / "openwrt/mape" / name, root.path / "tmp" / name)
                root.run("sh", "-c", f"{setting} sh /tmp/{name}")
            time.sleep(2.5)
            return root.calls()

    def test_nothing_is_called_while_an_image_is_built(self):
        self.assertEqual(self.run_scripts(IPKG_INSTROOT="/image"), [])

    def test_no_bus_no_restart(self):
        self.assertEqual(self.run_scripts(PKG_UPGRADE=1), ["ubus"])


class Manager:
    """Install, upgrade and remove, with the scripts really run; for opkg and apk alike."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.root = Root(self.directory / "root")
        self.prepare()

    def stage(self, name, version, depends="", **files):
        """A package of our own making, beside the real ones."""
        stage = self.directory / "stage" / f"{name}-{version}"
        (stage / "control").mkdir(parents=True)
        (stage / "fields").write_text(f"Package: {name}|Version: {version}|Architecture: all|Depends: {depends}|"
                                      "License: none|Maintainer: none")
        (stage / "description").write_text(name)
        for path, text in files.items():
            target = stage / "data" / path.replace("__", "/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        (stage / "data").mkdir(exist_ok=True)
        return stage

    def newer(self):
        """Our package again, as a later version."""
        stage = self.directory / "stage/mape-newer"
        shutil.copytree(STAGE / "mape", stage, symlinks=True, ignore=shutil.ignore_patterns("apk-*"))
        fields = (stage / "fields").read_text()
        (stage / "fields").write_text(fields.replace("-r1|", "-r2|"))
        return self.pack(stage)

    def from_a_feed(self, name):
        """Make the manager believe that a package was installed by name, not from a file."""

    def wait_for_restart(self):
        return self.wait_for("network restart")

    def wait_for(self, late):
        """The calls, when the one that comes two seconds late has come."""
        calls = []
        for _ in range(100):
            calls += self.root.calls()
            if late in calls:
                break
            time.sleep(0.1)
        return calls

    def up(self, *interfaces):
        for interface in interfaces:
            self.root.write(f"var/run/mape/{interface}.json", "{}")

    def test_install_makes_netifd_learn_the_protocol(self):
        self.install(self.package)
        calls = self.wait_for_restart()
        # Not netifd's own restart, which leaves DHCP clients behind.
        self.assertIn("network restart", calls)
        self.assertNotIn("ubus call network restart", calls)
        self.assertIn("rpcd reload", calls)
        self.assertIn('"mape"', (self.root.path / "netifd.handlers").read_text())
        self.assertTrue(os.access(self.root.path / "usr/sbin/mape", os.X_OK))
        for name, target in LINKS.items():
            self.assertEqual(os.readlink(self.root.path / name), target)

    def test_upgrade_takes_nothing_down(self):
        self.install(self.package)
        self.wait_for_restart()
        self.up("wan_b", "wanmap")
        self.install(self.newer())
        calls = self.root.calls()
        self.assertIn("ubus call network.interface.wanmap renew", calls)
        self.assertIn("ubus call network.interface.wan_b renew", calls)
        self.assertFalse([c for c in calls if "down" in c or "restart" in c or "delete" in c], calls)
        time.sleep(2.5)
        self.assertEqual(self.root.calls(), [])
        self.assertTrue(self.root.exists("/usr/sbin/mape"))

    def test_removal_leaves_a_clean_router(self):
        before = self.root.tree()
        self.install(self.package)
        self.wait_for_restart()
        self.up("wanmap")
        self.root.write("firewall.mape", "")
        self.remove("mape")
        calls = self.wait_for("rpcd reload")
        self.assertIn("rpcd reload", calls)
        self.assertFalse(self.root.exists("/var/run/mape"))
        self.assertIn("ubus call network.interface.wanmap down", calls)
        self.assertLess(calls.index("ubus call network.interface.wanmap down"), calls.index("uci -q delete firewall.mape"))
        self.assertIn("uci commit firewall", calls)
        left = {name for name in self.root.tree() - before if name.split("/")[0] not in self.BOOKKEEPING}
        self.assertEqual(left - {"netifd.handlers"}, set())

    def test_the_stock_package_makes_way(self):
        stock = self.pack(self.stage("map", "8", lib__netifd__proto__map_sh="stock", usr__sbin__mapcalc="stock"))
        self.install(stock)
        self.from_a_feed("map")
        self.install(self.package)
        self.assertEqual(os.readlink(self.root.path / "lib/netifd/proto/map.sh"), "../../../usr/sbin/mape")
        self.assertNotIn("map", self.installed())
        self.assertIn("mape", self.installed())

    def test_needs_of_others_for_map_are_met(self):
        self.install(self.package)
        self.install(self.pack(self.stage("wants-map", "1", depends="map")))
        self.assertIn("wants-map", self.installed())


@unittest.skipUnless(OPKG, "OPKG= is not given")
class Opkg(Manager, unittest.TestCase):
    BOOKKEEPING = {"var", "tmp"}

    def prepare(self):
        self.package = only("mape_*.ipk")
        self.root.bring(OPKG, "bin/opkg")
        architecture = self.package.stem.removeprefix(self.package.stem.split("-r")[0] + "-r1_")
        self.root.write("etc/opkg.conf", f"dest root /\nlists_dir ext /var/opkg-lists\narch all 1\narch {architecture} 10\n")
        for name in needs("Depends"):
            self.install(self.pack(self.stage(name, "1")))

    def pack(self, stage):
        out = stage / "out"
        subprocess.run([sys.executable, PACK, "ipk", "--out", out, stage], check=True, stdout=subprocess.DEVNULL)
        return next(out.iterdir())

    def install(self, package):
        shutil.copy(package, self.root.path / "tmp/package.ipk")
        return self.root.run("opkg", "install", "/tmp/package.ipk")

    def remove(self, name):
        self.root.run("opkg", "remove", name)

    def installed(self):
        return [line.split()[0] for line in self.root.run("opkg", "list-installed").splitlines()]


@unittest.skipUnless(APK, "APK= is not given")
class Apk(Manager, unittest.TestCase):
    BOOKKEEPING = {"lib", "var", "etc", "tmp"}

    def prepare(self):
        self.package = only("mape-*.apk")
        self.root.bring(APK, "bin/apk")
        arch = (STAGE / "mape/fields").read_text().split("Architecture: ")[1].split("|")[0]
        self.root.write("etc/apk/arch", arch + "\n")
        self.root.run("apk", "add", "--initdb")
        for name in needs("Depends") + needs("Recommends"):
            self.install(self.pack(self.stage(name, "1-r1")))

    def pack(self, stage):
        out = stage / "out"
        fields = stage / "fields"
        fields.write_text(fields.read_text().replace("Version: 8|", "Version: 8-r1|"))
        subprocess.run([sys.executable, PACK, "apk", "--apk", APK, "--out", out, stage], check=True, stdout=subprocess.DEVNULL)
        return next(out.iterdir())

    def install(self, package):
        shutil.copy(package, self.root.path / "tmp" / package.name)
        return self.root.run("apk", "add", "--allow-untrusted", "--no-network", f"/tmp/{package.name}")

    def from_a_feed(self, name):
        world = self.root.path / "etc/apk/world"
        world.write_text("".join(line.split("><")[0] + "\n" for line in world.read_text().splitlines()))

    def remove(self, name):
        self.root.run("apk", "del", "--no-network", name)

    def installed(self):
        return self.root.run("apk", "info", "--no-network").split()


if __name__ == "__main__":
    unittest.main(verbosity=2)
