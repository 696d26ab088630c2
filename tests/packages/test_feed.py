# SPDX-License-Identifier: GPL-2.0-or-later
"""A feed's life: signed, added from a local HTTP server, installed, upgraded, removed.

The folder is always checked; with OPKG= and APK= (and USIGN=, else signify)
the real package managers use it in a scratch root.
"""

import functools
import hashlib
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from root import Root  # noqa: E402
from test_packages import APK, DIST, OPKG, PACK, STAGE, TOP, members, needs  # noqa: E402

FEED = TOP / "openwrt/feed.py"
USIGN = os.environ.get("USIGN")
ARCH = (STAGE / "mape/fields").read_text().split("Architecture: ")[1].split("|")[0]

# What opkg calls to verify its lists, which it keeps packed; the real script has
# the same commands.
OPKG_KEY = """#!/bin/sh
case $1 in
add) cp "$2" "/etc/opkg/keys/$(fingerprint "$2")" ;;
verify) zcat "$3" | {verify} ;;
esac
"""
BY_USIGN = OPKG_KEY.replace("$(fingerprint ", "$(usign -F -p ").format(
    verify='usign -V -q -P /etc/opkg/keys -x "$2" -m -')
BY_SIGNIFY = OPKG_KEY.replace('$(fingerprint "$2")', "feed").format(
    verify='signify -V -q -p /etc/opkg/keys/feed -x "$2" -m -')


def package(stage, kind, out):
    tool = ["--apk", APK] if kind == "apk" else []
    subprocess.run([sys.executable, PACK, kind, *tool, "--out", out, stage], check=True, stdout=subprocess.DEVNULL)


class Folder:
    """A feed of the tested packages in a folder of its own."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.feed, self.keys = self.directory / "feed", self.directory / "keys"
        for kind in ("ipk", "apk") if APK else ("ipk",):
            (self.feed / kind / ARCH).mkdir(parents=True)
            for path in DIST.glob(f"*.{kind}"):
                shutil.copy(path, self.feed / kind / ARCH)
        self.make(self.keys)

    def make(self, keys, *extra):
        return subprocess.run([sys.executable, FEED, self.feed, "--keys", keys, *(["--apk", APK] if APK else []), *extra],
                              check=True, capture_output=True, text=True).stdout

    def release_2(self, kind):
        """The same program as a later release, beside the first one in the feed."""
        stage = self.directory / f"newer-{kind}"
        shutil.copytree(STAGE / "mape", stage, symlinks=True, ignore=shutil.ignore_patterns("apk-*"))
        fields = (stage / "fields").read_text()
        (stage / "fields").write_text(fields.replace("-r1|", "-r2|"))
        package(stage, kind, self.feed / kind / ARCH)
        self.make(self.keys)


class Contents(Folder, unittest.TestCase):
    def verifies(self, file, key):
        return subprocess.run(["signify-openbsd", "-V", "-q", "-p", key, "-m", file, "-x", f"{file}.sig"],
                              check=False, capture_output=True).returncode == 0

    def test_index_describes_each_package_and_is_signed(self):
        folder = self.feed / "ipk" / ARCH
        entries = (folder / "Packages").read_text().split("\n\n")
        self.assertEqual(len(entries), 3)
        for entry in entries:
            fields = dict(line.split(": ", 1) for line in entry.splitlines())
            data = (folder / fields["Filename"]).read_bytes()
            self.assertEqual(int(fields["Size"]), len(data))
            self.assertEqual(fields["SHA256sum"], hashlib.sha256(data).hexdigest())
            # The description comes last, so that no field is taken for a part of it.
            self.assertEqual(list(fields)[-1], "Description")
        self.assertTrue(self.verifies(folder / "Packages", self.feed / "mape.pub"))
        with open(folder / "Packages", "a", encoding="ascii") as index:
            index.write("\n")
        self.assertFalse(self.verifies(folder / "Packages", self.feed / "mape.pub"))

    def test_checksums_are_those_of_all_files_and_signed(self):
        sums = (self.feed / "SHA256SUMS").read_text().splitlines()
        named = {line.split("  ")[1] for line in sums}
        there = {str(p.relative_to(self.feed)) for p in self.feed.rglob("*") if p.is_file()}
        self.assertEqual(named, there - {"SHA256SUMS", "SHA256SUMS.sig"})
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=self.feed, check=True)
        self.assertTrue(self.verifies(self.feed / "SHA256SUMS", self.feed / "mape.pub"))

    def test_release_files_lie_in_one_folder_and_name_their_architecture(self):
        files = self.directory / "release"
        self.make(self.keys, "--release", files)
        names = {path.name for path in files.glob("*.?pk")}
        self.assertEqual(len(names), len(list(self.feed.rglob("*.?pk"))))
        self.assertFalse([name for name in names if re.match("mape[-_]", name) and ARCH not in name])
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=files, check=True)

    def test_keys_are_kept_and_stay_private(self):
        before = {path.name: path.read_bytes() for path in self.keys.iterdir()}
        self.make(self.keys)
        self.assertEqual({path.name: path.read_bytes() for path in self.keys.iterdir()}, before)
        secrets = [text for name, text in before.items() if name in ("opkg.sec", "apk.key")]
        for path in self.feed.rglob("*"):
            if path.is_file():
                self.assertFalse([s for s in secrets if s in path.read_bytes()], path)
        self.assertEqual(self.keys.stat().st_mode & 0o077, 0)

    def test_page_says_what_to_paste_and_links_to_each_file(self):
        self.make(self.keys, "--url", "https://feed.example/mape/")
        page = (self.feed / "index.html").read_text()
        self.assertIn("https://feed.example/mape/mape.pub", page)
        self.assertNotIn("<script", page)
        links = re.findall(r'href="([^"]+)"', page)
        self.assertGreaterEqual(len(links), 4)
        for link in links:
            self.assertTrue((self.feed / link).is_file(), link)

    def test_a_folder_without_packages_is_refused(self):
        shutil.rmtree(self.feed / "ipk")
        done = subprocess.run([sys.executable, FEED, self.feed, "--keys", self.keys], check=False, capture_output=True, text=True)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 1))


class Server(Folder):
    """The feed behind HTTP, and a root that has added it as the page says."""

    def setUp(self):
        super().setUp()
        quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(self.feed)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.make(self.keys, "--url", self.url)
        self.root = Root(self.directory / "root")
        self.root.write("etc/os-release", f'OPENWRT_ARCH="{ARCH}"\n')
        self.prepare()
        self.paste()

    def paste(self):
        """The page's own block, up to the installation."""
        blocks = re.findall(r"<pre>(.*?)</pre>", (self.feed / "index.html").read_text(), re.DOTALL)
        block = next(b for b in blocks if self.MANAGER in b).replace("&amp;", "&").replace("&gt;", ">").replace("&quot;", '"')
        commands = [line for line in block.splitlines() if not line.startswith(f"{self.MANAGER} ")]
        # Twice, as people do.
        for _ in range(2):
            self.root.run("sh", "-ec", "\n".join(commands))
        for place in ("etc/opkg/customfeeds.conf", "etc/apk/repositories.d/customfeeds.list"):
            if self.root.exists(place):
                self.assertEqual((self.root.path / place).read_text().count(self.url), 1)

    def stub(self, name):
        """An empty package in the place of one of OpenWrt's."""
        stage = self.directory / "stub" / name
        for part in ("control", "data"):
            (stage / part).mkdir(parents=True)
        (stage / "fields").write_text(f"Package: {name}|Version: 1-r1|Architecture: all|License: none|Maintainer: none")
        (stage / "description").write_text(name)
        package(stage, self.KIND, stage / "out")
        return next((stage / "out").iterdir())

    def change_a_package(self):
        """One byte of the program's package, as a bad mirror would."""
        path = next((self.feed / self.KIND / ARCH).glob("mape[_-]*"))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    def assert_not_installed(self):
        self.assertNotIn("mape", self.installed())
        self.assertFalse(self.root.exists("usr/sbin/mape"))

    def test_install_upgrade_remove(self):
        self.update()
        self.install("luci-proto-mape", "luci-i18n-mape-ja")
        self.assertTrue(self.root.exists("usr/sbin/mape"))
        self.assertLessEqual({"mape", "luci-proto-mape", "luci-i18n-mape-ja"}, self.installed())
        self.assertIn("-r1", self.version())
        self.release_2(self.KIND)
        self.update()
        self.upgrade("mape")
        self.assertIn("-r2", self.version())
        self.remove("luci-i18n-mape-ja", "luci-proto-mape", "mape")
        self.assert_not_installed()

    def test_a_changed_package_is_refused(self):
        self.update()
        self.change_a_package()
        self.assertIn(self.PACKAGE_REFUSED, self.install("mape", check=False))
        self.assert_not_installed()

    def test_an_index_signed_by_somebody_else_is_refused(self):
        self.make(self.directory / "other-keys")
        refusal = self.update(check=False)
        self.assertIn(self.INDEX_REFUSED, refusal)
        self.install("mape", check=False)
        self.assert_not_installed()


@unittest.skipUnless(OPKG, "OPKG= is not given")
class OpkgFeed(Server, unittest.TestCase):
    KIND, MANAGER = "ipk", "opkg"
    INDEX_REFUSED, PACKAGE_REFUSED = "Signature check failed", "Checksum or size mismatch"

    def prepare(self):
        self.root.bring(OPKG, "bin/opkg")
        self.root.bring(USIGN or shutil.which("signify-openbsd"), "bin/usign" if USIGN else "bin/signify")
        self.root.write("usr/sbin/opkg-key", BY_USIGN if USIGN else BY_SIGNIFY, 0o755)
        (self.root.path / "etc/opkg/keys").mkdir()
        self.root.write("etc/opkg.conf", f"dest root /\nlists_dir ext /var/opkg-lists\noption check_signature\n"
                        f"arch all 1\narch {ARCH} 10\n")
        self.root.write("etc/opkg/customfeeds.conf", "# add your custom package feeds here\n")
        for name in (*needs("Depends"), "luci-base"):
            shutil.copy(self.stub(name), self.root.path / "tmp/stub.ipk")
            self.root.run("opkg", "install", "/tmp/stub.ipk")

    def opkg(self, *arguments, check=True):
        return self.root.run("opkg", *arguments, check=check)

    def update(self, check=True):
        return self.opkg("update", check=check)

    def install(self, *names, check=True):
        return self.opkg("install", *names, check=check)

    def upgrade(self, name):
        self.opkg("upgrade", name)

    def remove(self, *names):
        self.opkg("remove", *names)

    def version(self):
        return next(line for line in self.opkg("list-installed").splitlines() if line.startswith("mape "))

    def installed(self):
        return {line.split()[0] for line in self.opkg("list-installed").splitlines()}


@unittest.skipUnless(APK, "APK= is not given")
class ApkFeed(Server, unittest.TestCase):
    KIND, MANAGER = "apk", "apk"
    INDEX_REFUSED, PACKAGE_REFUSED = "UNTRUSTED signature", "file integrity error"

    def prepare(self):
        self.root.bring(APK, "bin/apk")
        self.root.write("etc/apk/arch", ARCH + "\n")
        for folder in ("keys", "repositories.d"):
            (self.root.path / "etc/apk" / folder).mkdir()
        self.root.write("etc/apk/repositories.d/customfeeds.list", "# add your custom package feeds here\n")
        self.root.run("apk", "add", "--initdb")
        for name in (*needs("Depends"), *needs("Recommends"), "luci-base"):
            shutil.copy(self.stub(name), self.root.path / "tmp/stub.apk")
            self.root.run("apk", "add", "--allow-untrusted", "--no-network", "/tmp/stub.apk")

    def update(self, check=True):
        return self.root.run("apk", "update", check=check)

    def install(self, *names, check=True):
        return self.root.run("apk", "add", *names, check=check)

    def upgrade(self, name):
        self.root.run("apk", "upgrade", name)

    def remove(self, *names):
        self.root.run("apk", "del", *names)

    def version(self):
        return next(line for line in self.root.run("apk", "list", "--installed").splitlines() if line.startswith("mape-"))

    def installed(self):
        return set(self.root.run("apk", "info").split())


if __name__ == "__main__":
    unittest.main(verbosity=2)
