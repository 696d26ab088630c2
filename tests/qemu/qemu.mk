# SPDX-License-Identifier: GPL-2.0-or-later
# The wire: scenarios and the demo in a virtual machine (docs/testing.md).

QEMU_DEPS := qemu-system-x86 nftables iproute2 conntrack iperf3 ethtool kmod busybox-static
SCENARIO ?=
MAPE_KERNEL ?=
WIRE = SCENARIO="$(SCENARIO)" MAPE_KERNEL="$(MAPE_KERNEL)" $(CARGO) test --locked -q --test wire

#: A real kernel
.PHONY: setup-qemu test-qemu demo
setup-qemu:
	@tests/setup $(QEMU_DEPS)

test-qemu: setup-qemu ## Measure in a virtual machine (SCENARIO=name,…, MAPE_KERNEL=package)
	@MAPE_WIRE=test $(WIRE)

demo: setup-qemu ## A subscriber's router in a virtual machine: see it work
	@MAPE_WIRE=demo $(WIRE)

# The lab provider (docs/isp.md).
MODE ?= pd
PROVIDER ?=
ISP_NIC ?= socket:127.0.0.1:5500
ISP_LAN ?=
ISP_CMD ?=
ISP = ISP_MODE="$(MODE)" PROVIDER="$(PROVIDER)" ISP_NIC="$(ISP_NIC)" ISP_LAN="$(ISP_LAN)" ISP_CMD="$(ISP_CMD)"
.PHONY: isp setup-isp
isp: setup-isp ## A provider to test routers at (MODE=ra|pd|mape|mapt|lw4o6, ISP_NIC=, ISP_CMD=status|renumber|…)
	@MAPE_WIRE=isp $(ISP) $(WIRE)

setup-isp:
	@tests/setup $(QEMU_DEPS) kea-common util-linux

# An OpenWrt image of the user's on a line of the lab provider (docs/testing.md).
IMAGE ?=
RELEASE ?=
PACKAGES ?= $(CURDIR)/target/openwrt
.PHONY: test-openwrt
test-openwrt: setup-isp setup-luci ## An official image from install to removal (IMAGE=openwrt-…-x86-64-….img.gz)
	@test -f "$(IMAGE)" || { echo "IMAGE= names no file; docs/testing.md says where images come from" >&2; exit 2; }
	@tests/setup openssh-client
	@mkdir -p $(PACKAGES)
	$(MAKE) --no-print-directory ipk $(if $(APK_GIVEN),apk) ARCH=x86_64 DIST=$(PACKAGES)
	$(MAKE) --no-print-directory ipk $(if $(APK_GIVEN),apk) ARCH=x86_64 PKG_RELEASE=2 DIST=$(PACKAGES)/newer
	@MAPE_WIRE=openwrt IMAGE="$(abspath $(IMAGE))" RELEASE="$(RELEASE)" PACKAGES="$(abspath $(PACKAGES))" $(WIRE)
