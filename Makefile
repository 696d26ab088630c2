# SPDX-License-Identifier: GPL-2.0-or-later
# Every command a person needs; `make help` lists them. Each installs the Debian
# packages it needs, as root or through sudo, and removes none.

.DEFAULT_GOAL := help
SHELL := /bin/sh
CARGO ?= cargo
# What tests/setup could not install without removing something.
export PATH := $(PATH):$(CURDIR)/.tools/bin
# Whole builds gain nothing by it, and it takes 800 MB.
export CARGO_INCREMENTAL ?= 0

#: Start here
.PHONY: demo help test
demo: need-rust ## See it work in a virtual machine (2 to 5 minutes, 1 GB of disk)
	@tests/need disk 1000 target .tools
	@$(MAKE) --no-print-directory setup-qemu
	@MAPE_QEMU=demo $(IN_QEMU)

help: ## This list
	@awk -F ':.*## ' '/^#: / { group = substr($$0, 4) } \
		/^[a-z0-9-]+:.*## / { lines[group] = lines[group] sprintf("  make %-17s %s\n", $$1, $$2) } \
		END { count = split("Start here|Packages for routers|Tests, one by one|With other software|Development", order, "|"); \
			for (i = 1; i <= count; i++) printf "\n%s\n%s", order[i], lines[order[i]] }' $(MAKEFILE_LIST)

# The suites of `make test`, the quick ones first. Files below may add theirs.
# NAME:MEGABYTES:FOLDER:… is skipped if there is no room for it; what is in the
# folders need not be built again.
SUITES := lint test-rust
# What the others need on a machine that has nothing yet, Debian packages included.
TEST_DISK := 1800
test: need-rust ## Run all tests (about 20 minutes, 3.5 GB of disk)
	@tests/need disk $(TEST_DISK) target .tools
	@tests/setup python3
	@echo "$(words $(SUITES)) suites, about 20 minutes on two processors, up to 3.5 GB of disk"
	@MAKE="$(MAKE)" python3 tests/all.py $(SUITES)

.PHONY: need-rust
need-rust:
	@CARGO="$(CARGO)" tests/need rust

#: Development
.PHONY: build lint bench
build: need-rust ## Build the program for this machine
	$(CARGO) build --locked --release

lint: need-rust setup-lint ## Formatting, clippy, shellcheck
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet
	shellcheck $$(git ls-files | while read -r file; do \
		test -f "$$file" && sed -n 1,3p "$$file" | grep -aqE '^(#!/bin/(ba)?sh|#!/usr/bin/env bash|# shellcheck shell=)' && echo "$$file"; done)

# cargo-deny compiles for minutes the first time.
DENY ?= licenses bans sources
.PHONY: deny
deny: ## Licences and sources of the dependencies (DENY=advisories)
	test -x .tools/bin/cargo-deny || $(CARGO) install -q --locked --root .tools cargo-deny
	.tools/bin/cargo-deny --locked check $(DENY)

bench: need-rust setup-bench ## Speed, as counts and ratios
	$(CARGO) bench --locked

#: Tests, one by one
# Tests in network namespaces need root, through sudo if necessary. cargo counts
# tests that could not run as passed; their reasons are collected and shown.
SKIPPED := $(CURDIR)/target/tests/skipped
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),--config 'target."cfg(all())".runner="sudo -E"')
.PHONY: test-rust
test-rust: need-rust setup-rust ## Unit and integration tests, some in network namespaces
	@mkdir -p $(dir $(SKIPPED)); rm -f $(SKIPPED)
	MAPE_SKIPPED=$(SKIPPED) $(CARGO) test --locked --no-fail-fast $(AS_ROOT)
	@test ! -e $(SKIPPED) || cat $(SKIPPED)

-include tests/luci/luci.mk
-include openwrt/packages.mk
-include openwrt/feed.mk
-include tests/qemu/qemu.mk
-include tests/netifd/netifd.mk
-include fuzz/fuzz.mk

# Debian packages, installed if they are missing.
.PHONY: setup-lint setup-rust setup-bench
setup-lint:
	@tests/setup shellcheck
# A newer nft beside Debian's, for a test that says so if there is none.
setup-rust:
	@tests/setup nftables iproute2 curl
	@tests/setup nftables@trixie || true
setup-bench:
	@tests/setup nftables iproute2 strace
