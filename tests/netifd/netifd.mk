# SPDX-License-Identifier: GPL-2.0-or-later

#: OpenWrt's own daemons
.PHONY: test-netifd
test-netifd: setup-netifd ## The handler on the real netifd (NETIFD_PREFIX=root folder with ubusd, netifd, uci, fw4)
	@test -n "$(NETIFD_PREFIX)" || { echo "NETIFD_PREFIX=dir is missing; docs/testing.md says what it is" >&2; exit 2; }
	NETIFD_PREFIX="$(abspath $(NETIFD_PREFIX))" $(CARGO) test --locked --test real_netifd -- --nocapture

.PHONY: setup-netifd
setup-netifd:
	@tests/setup nftables iproute2 util-linux
