# SPDX-License-Identifier: GPL-2.0-or-later
# The binary is built already.
RUST_ARCH_DEPENDS:=
RustBinPackage=
