# SPDX-License-Identifier: GPL-2.0-or-later
# Binaries and packages for routers, without OpenWrt's SDK. Included by the
# top Makefile; docs/openwrt.md explains what to run and why it is so.

#: Binaries for routers
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
# least as new. Hard-float MIPS (24kf) and ARM before version 6 are not among them.
ARCHES_mipsel-unknown-linux-musl := mipsel_24kc mipsel_74kc
ARCHES_mips-unknown-linux-musl := mips_24kc mips_4kec
ARCHES_arm-unknown-linux-musleabi := arm_cortex-a7 arm_cortex-a9 arm_mpcore
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
CROSS_BIN = target/$(1)/release/mape

# -dynamic: OpenWrt has a libc already, ours would cost 100 KB. The libraries
# carry paths of the machine that built them into panic messages unless remapped.
CROSS_LINK ?= -Ctarget-feature=-crt-static -Clink-arg=-dynamic
CARGO_HOME_DIR := $(or $(CARGO_HOME),$(HOME)/.cargo)
CROSS_FLAGS = -Clink-self-contained=no -Crelocation-model=static \
	-Clink-arg=-Wl,-z,max-page-size=4096 \
	--remap-path-prefix=$(CURDIR)=. --remap-path-prefix=$(CARGO_HOME_DIR)/registry/src=crates
CROSS_ENV = env -u RUSTUP_TOOLCHAIN PATH=$(CROSS_TOOLS)/bin:$(RUST_PREFIX)/bin:/usr/bin:/bin \
	RUSTC_BOOTSTRAP=1 CARGO=$(RUST_PREFIX)/bin/cargo RUSTC=$(RUST_PREFIX)/bin/rustc \
	RUSTDOC=$(RUST_PREFIX)/bin/rustdoc
CROSS_STD := -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size

$(CROSS_READY): openwrt/cross-tools.sh
	RUST_PREFIX=$(RUST_PREFIX) sh openwrt/cross-tools.sh $(CROSS_TOOLS)
	touch $@

.PHONY: cross cross-all
cross: $(CROSS_READY) ## Build the binary for a router (TARGET=… or ARCH=…)
	$(CROSS_ENV) RUSTFLAGS="$(CROSS_FLAGS) $(CROSS_LINK)" \
		cargo-zigbuild zigbuild --locked --release --bin mape $(CROSS_STD) --target $(TARGET)
	@echo "$(call CROSS_BIN,$(TARGET)): $$(wc -c < $(call CROSS_BIN,$(TARGET))) bytes"

cross-all: $(CROSS_READY) ## Build the binary for every target
	set -e; for target in $(TARGETS); do $(MAKE) --no-print-directory cross ARCH= TARGET=$$target; done
