# SPDX-License-Identifier: GPL-2.0-or-later
"""A scratch root file system in which a real package manager runs our packages.

It has BusyBox and what the packages' scripts talk to: /lib/functions.sh with
the two entry points of OpenWrt's, and ubus, uci and init scripts that write
down how they were called and answer from files. Programs from outside come
with their libraries.
"""

import os
import pathlib
import re
import shutil
import subprocess

APPLETS = "sh ls cat cp mv rm mkdir rmdir chmod grep sed basename dirname sleep test true tar gzip gunzip touch ln id wget zcat".split()

# The contract of OpenWrt's lib/functions.sh with packages, for an .ipk and an .apk.
FUNCTIONS = """
package() {
	[ -n "$pkgname" ] || { pkgname=${1##*/}; pkgname=${pkgname%.*}; }
}
filelist() {
	cat "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.list" "$IPKG_INSTROOT/lib/apk/packages/$pkgname.list" 2>/dev/null
}
sourced() {
	[ ! -f "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.$1" ] || ( . "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.$1" )
}
add_group_and_user() { :; }
default_postinst() {
	local file
	package "$1"
	[ -n "$IPKG_INSTROOT" ] || for file in $(filelist | grep '^/etc/uci-defaults/'); do
		( . "$file" ) && rm -f "$file"
	done
	sourced postinst-pkg
}
default_prerm() {
	package "$1"
	sourced prerm-pkg
}
"""

UBUS = """#!/bin/sh
case "$*" in
"call network get_proto_handlers") cat /netifd.handlers ;;
"call network.interface."*" down")
	name=${2#network.interface.}
	rm -f "/var/run/mape/$name.json"
	;;
esac
# Last, so that a test that waits for the call finds it done.
echo "ubus $*" >> /calls
"""
UCI = """#!/bin/sh
echo "uci $*" >> /calls
case "$*" in
"-q delete firewall.mape") [ -e /firewall.mape ] && rm /firewall.mape ;;
"batch"|"-q batch") cat >> /calls; touch /firewall.mape ;;
"set firewall.mape=include"|"-q set firewall.mape=include") touch /firewall.mape ;;
esac
"""
# netifd knows the protocols of the handlers that were there when it started.
NETWORK = """#!/bin/sh
if [ "$1" = restart ]; then
	echo '{' > /netifd.handlers
	cd /lib/netifd/proto && for name in *.sh; do echo "\\"${name%.sh}\\":{}," >> /netifd.handlers; done
	echo '"static":{}}' >> /netifd.handlers
fi
echo "network $*" >> /calls
"""
RECORD = '#!/bin/sh\necho "${0##*/} $*" >> /calls\n'


class Root:
    """A root file system below a directory."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        for directory in ("bin", "etc/init.d", "etc/opkg", "lib/netifd/proto", "tmp", "usr/lib/opkg/info", "usr/sbin",
                          "var/lock", "var/run/mape", "var/cache", "proc", "dev"):
            (self.path / directory).mkdir(parents=True)
        busybox = shutil.which("busybox")
        self.bring(busybox, "bin/busybox")
        for applet in APPLETS:
            (self.path / "bin" / applet).symlink_to("busybox")
        self.write("lib/functions.sh", FUNCTIONS)
        for name, text in (("bin/ubus", UBUS), ("bin/uci", UCI), ("etc/init.d/network", NETWORK),
                           ("etc/init.d/rpcd", RECORD)):
            self.write(name, text, 0o755)
        self.write("netifd.handlers", '{"static":{}}')
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        self.write("etc/group", "root:x:0:\n")
        self.write("dev/null", "", 0o666)

    def write(self, name, text, mode=0o644):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def bring(self, program, name):
        """Copy a program in, with the libraries it asks for."""
        shutil.copy(program, self.path / name)
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", linked):
            # The loader is asked for by its path, the others by name.
            for target in (self.path / library.lstrip("/"), self.path / "hostlib" / os.path.basename(library)):
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists():
                    shutil.copy(os.path.realpath(library), target)

    def run(self, *command, check=True):
        """Run a command inside; its output as text."""
        enter = ["chroot"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "chroot"]
        done = subprocess.run(
            [*enter, str(self.path), *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            env={"PATH": "/bin:/usr/sbin:/sbin", "LD_LIBRARY_PATH": "/hostlib"}, timeout=120)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}")
        return done.stdout

    def calls(self):
        """What the scripts called since the last time this was asked."""
        path = self.path / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def exists(self, name):
        return os.path.lexists(self.path / name.lstrip("/"))

    def tree(self):
        """All files of the root, as paths."""
        return {str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.is_symlink() or p.is_file()}
