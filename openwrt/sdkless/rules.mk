# SPDX-License-Identifier: GPL-2.0-or-later
# The few names of OpenWrt's build system that our package Makefiles use, so
# that packages can be made from the same Makefiles without its SDK.
# Set from outside: STAGE (where trees are laid), PKG_INSTALL_DIR (the binary).

INCLUDE_DIR:=$(TOPDIR)
INSTALL_DIR:=install -d -m0755
INSTALL_BIN:=install -m0755
INSTALL_DATA:=install -m0644
CP:=cp -fpR
LN:=ln -sfn

all:
.PHONY: all
