# SPDX-License-Identifier: GPL-2.0-or-later

#: With other software
.PHONY: need-netifd test-netifd
need-netifd:
	@test -n "$(NETIFD_PREFIX)" || { echo "NETIFD_PREFIX=dir is missing; docs/testing.md says what it is" >&2; exit 2; }
	@test -x "$(NETIFD_PREFIX)/sbin/netifd" || { echo "NETIFD_PREFIX=$(NETIFD_PREFIX): there is no sbin/netifd in it; docs/testing.md says what it is" >&2; exit 2; }

test-netifd: need-netifd need-rust setup-netifd ## The handler on the real netifd (NETIFD_PREFIX=its root folder)
	NETIFD_PREFIX="$(abspath $(NETIFD_PREFIX))" $(CARGO) test --locked --test real_netifd -- --ignored --nocapture

.PHONY: setup-netifd
setup-netifd:
	@tests/setup nftables iproute2 util-linux
