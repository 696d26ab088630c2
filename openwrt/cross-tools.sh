#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Install what cross-compiling needs on Debian 12: cross-tools.sh DIRECTORY
set -eu
tools=$1
prefix=${RUST_PREFIX:-/usr}
here=$(dirname "$0")

if ! CARGO=$prefix/bin/cargo "$here/../tests/need" rust 2>/dev/null || ! [ -x "$prefix/bin/rustc" ] ||
	! [ -f "$("$prefix/bin/rustc" --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ] ||
	! command -v gcc >/dev/null || ! python3 -c 'import ensurepip' 2>/dev/null; then
	# The package conflicts with it, and nothing is ever removed.
	if dpkg-query -W -f '${Status}\n' rustc 2>/dev/null | grep -q 'ok installed'; then
		echo "Debian's rustc is in the way of rustc-web, which builds for routers: apt-get remove rustc, or RUST_PREFIX=" >&2
		exit 1
	fi
	"$here/../tests/setup" rustc-web cargo-web rust-web-src gcc libc6-dev python3 python3-venv
	CARGO=$prefix/bin/cargo "$here/../tests/need" rust 2>/dev/null || {
		echo "Debian's rustc-web is $("$prefix/bin/rustc" --version | cut -d ' ' -f 2), too old for routers' binaries: its bookworm-security has a newer one (/etc/apt/sources.list)" >&2
		exit 1
	}
fi

python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check \
	cargo-zigbuild==0.24.0 ziglang==0.15.2
"$tools/bin/python3" "$here/zig_musl.py"
