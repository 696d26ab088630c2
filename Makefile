# SPDX-License-Identifier: GPL-2.0-or-later
# Every command a person needs; `make help` lists them. Each installs what it
# lacks (Debian packages, as root or through sudo) and can be run by itself.

.DEFAULT_GOAL := help
SHELL := /bin/sh
CARGO ?= cargo

#: Development
.PHONY: build lint test-rust bench
build: ## Build the program for this machine
	$(CARGO) build --locked --release

lint: setup-lint ## Formatting, clippy, shellcheck
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	shellcheck $$(git ls-files | while read -r file; do \
		test -f "$$file" && sed -n 1,3p "$$file" | grep -aqE '^(#!/bin/(ba)?sh|#!/usr/bin/env bash|# shellcheck shell=)' && echo "$$file"; done)

# Compiles for minutes the first time.
DENY ?= licenses bans sources
.PHONY: deny
deny: ## Licences, sources and duplicates of other people's code (DENY=advisories)
	test -x .tools/bin/cargo-deny || $(CARGO) install -q --locked --root .tools cargo-deny
	.tools/bin/cargo-deny --locked check $(DENY)

# Tests in network namespaces need root; whoever is not runs them with sudo.
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),--config 'target."cfg(all())".runner="sudo -E"')
test-rust: setup-rust ## Unit and integration tests, some in network namespaces
	$(CARGO) test --locked $(AS_ROOT)

bench: setup-bench ## What we promise to be fast, as counts and ratios
	$(CARGO) bench --locked

#: Everything
.PHONY: help test
help: ## This list
	@awk -F ':.*## ' '/^#: / { printf "\n%s\n", substr($$0, 4) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: lint test-rust test-luci test-packages test-qemu ## Set everything up and run all tests

-include tests/qemu/qemu.mk
-include tests/netifd/netifd.mk
-include fuzz/fuzz.mk
-include openwrt/packages.mk
-include openwrt/feed.mk
-include luci-app-mape/luci.mk

# Installs Debian packages where one is missing.
.PHONY: setup-lint setup-rust setup-bench
setup-lint:
	@tests/setup shellcheck
setup-rust:
	@tests/setup nftables iproute2
setup-bench:
	@tests/setup nftables iproute2 strace
