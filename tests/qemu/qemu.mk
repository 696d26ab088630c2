# SPDX-License-Identifier: GPL-2.0-or-later
# The wire: scenarios and the demo in a virtual machine (docs/testing.md).

QEMU_DEPS := qemu-system-x86 nftables iproute2 conntrack iperf3 ethtool kmod busybox-static
CARGO ?= cargo
SCENARIO ?=
MAPE_KERNEL ?=

.PHONY: setup-qemu test-qemu demo

setup-qemu: ## install what the virtual machine is made of (apt, root or sudo)
	@tests/qemu/setup $(QEMU_DEPS)

test-qemu: setup-qemu ## boot a kernel and measure; SCENARIO=name[,name] MAPE_KERNEL=package
	@MAPE_WIRE=test SCENARIO="$(SCENARIO)" MAPE_KERNEL="$(MAPE_KERNEL)" $(CARGO) test -q --test wire

demo: setup-qemu ## a subscriber's router in a virtual machine, from the rule to a web page
	@MAPE_WIRE=demo MAPE_KERNEL="$(MAPE_KERNEL)" $(CARGO) test -q --test wire
