#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Install what cross-compiling needs on Debian 12: cross-tools.sh DIRECTORY
set -eu
tools=$1
prefix=${RUST_PREFIX:-/usr}

if ! [ -x "$prefix/bin/cargo" ] || ! [ -x "$prefix/bin/rustc" ] ||
	! [ -f "$("$prefix/bin/rustc" --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ] ||
	! command -v gcc >/dev/null || ! python3 -c 'import ensurepip' 2>/dev/null; then
	root=
	[ "$(id -u)" = 0 ] || root=sudo
	$root apt-get update
	$root apt-get install -y --no-install-recommends \
		rustc-web cargo-web rust-web-src gcc libc6-dev python3 python3-venv
fi

python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check \
	cargo-zigbuild==0.24.0 ziglang==0.15.2
"$tools/bin/python3" "$(dirname "$0")/zig_musl.py"
