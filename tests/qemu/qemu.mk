# SPDX-License-Identifier: GPL-2.0-or-later
# Integration tests and the demo in a virtual machine (docs/testing.md).

QEMU_DEPS := qemu-system-x86 nftables iproute2 conntrack iperf3 ethtool kmod busybox-static
SCENARIO ?=
MAPE_KERNEL ?=
# A root folder with the stock handler and its programs (docs/performance.md).
STOCK ?=
IN_QEMU = CARGO="$(CARGO)" STOCK="$(abspath $(STOCK))" SCENARIO="$(SCENARIO)" MAPE_KERNEL="$(MAPE_KERNEL)" tests/qemu/run

#: Tests, one by one
.PHONY: setup-qemu test-qemu
SUITES += test-qemu
test-qemu: need-rust setup-qemu ## Traffic in a virtual machine (SCENARIO=name,…, MAPE_KERNEL=package)
	@MAPE_QEMU=test $(IN_QEMU)

setup-qemu:
	@tests/setup $(QEMU_DEPS)

#: With other software
# The lab provider (docs/isp.md), and that of the demo.
MODE ?= pd
PROVIDER ?=
ISP_NIC ?= socket:127.0.0.1:5500
ISP_LAN ?=
ISP_CMD ?=
ISP = ISP_MODE="$(MODE)" PROVIDER="$(PROVIDER)" ISP_NIC="$(ISP_NIC)" ISP_LAN="$(ISP_LAN)" ISP_CMD="$(ISP_CMD)"
.PHONY: isp setup-isp
isp: need-rust setup-isp ## A provider for a router under test (MODE=, ISP_CMD=)
	@MAPE_QEMU=isp $(ISP) $(IN_QEMU)

setup-isp:
	@tests/setup $(QEMU_DEPS) kea-common util-linux

# The user's OpenWrt on a line of the lab provider (docs/testing.md).
IMAGE ?=
KERNEL ?=
RELEASE ?=
PACKAGES ?= $(CURDIR)/target/openwrt
IN_ROUTER = IMAGE="$(abspath $(IMAGE))" KERNEL="$(abspath $(KERNEL))" RELEASE="$(RELEASE)" PACKAGES="$(abspath $(PACKAGES))" $(IN_QEMU)
.PHONY: need-image test-openwrt
need-image:
	@test -n "$(IMAGE)" || { echo "IMAGE=file is missing; docs/testing.md says where images come from" >&2; exit 2; }
	@test -e "$(IMAGE)" || { echo "IMAGE=$(IMAGE): no such file; docs/testing.md says where images come from" >&2; exit 2; }
	@test -z "$(KERNEL)" || test -f "$(KERNEL)" || { echo "KERNEL=$(KERNEL): no such file" >&2; exit 2; }

test-openwrt: need-image need-rust setup-isp setup-luci ## OpenWrt, install to removal (IMAGE=….img.gz or a root file system)
	@tests/setup openssh-client e2fsprogs xz-utils
	@mkdir -p "$(PACKAGES)"
	$(MAKE) --no-print-directory ipk $(if $(APK_GIVEN),apk) ARCH=x86_64 DIST="$(PACKAGES)"
	$(MAKE) --no-print-directory ipk $(if $(APK_GIVEN),apk) ARCH=x86_64 PKG_RELEASE=2 DIST="$(PACKAGES)/newer"
	@MAPE_QEMU=openwrt $(IN_ROUTER)

# With IMAGE the whole router, too. BEFORE has packages of an earlier version.
BEFORE ?=
.PHONY: need-figures figures
need-figures: $(if $(IMAGE),need-image)
	@case "$(IMAGE)" in "" | *.tar | *.tar.gz | *.tgz | *.tar.xz) ;; *) test -d "$(IMAGE)" || { \
		echo "IMAGE=$(IMAGE): a script is added to it, so it must be a root file system, as a folder or a tar" >&2; exit 2; }; esac
	@test -z "$(IMAGE)" || test ! -d "$(IMAGE)/lib/apk" || test -n "$(APK_GIVEN)" || { \
		echo "IMAGE=$(IMAGE): it installs with apk, so APK=path of apk-tools 3 is needed" >&2; exit 2; }
	@test -z "$(STOCK)" || test -f "$(STOCK)/lib/netifd/proto/map.sh" || { echo "STOCK=$(STOCK): it has no lib/netifd/proto/map.sh" >&2; exit 2; }
	@test -z "$(BEFORE)" || ls "$(BEFORE)"/mape* >/dev/null 2>&1 || { echo "BEFORE=$(BEFORE): it has no package of mape" >&2; exit 2; }
	@test -n "$(IMAGE)" || case ",$(SCENARIO)," in *,whole,*) echo "SCENARIO=whole needs IMAGE=folder or tar of a root file system" >&2; exit 2 ;; esac

#: Tests, one by one
figures: need-figures need-rust setup-qemu ## What it costs, in instructions, beside goals (IMAGE=, STOCK=, BEFORE=)
	@test -z "$(IMAGE)" || tests/setup e2fsprogs xz-utils
	@test -z "$(IMAGE)" || $(MAKE) --no-print-directory ipk $(if $(APK_GIVEN),apk) ARCH=x86_64 DIST="$(PACKAGES)"
	@MAPE_QEMU=figures BEFORE="$(abspath $(BEFORE))" $(IN_ROUTER)
