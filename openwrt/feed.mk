# SPDX-License-Identifier: GPL-2.0-or-later
# A package feed: every package for every architecture, with signed indexes and
# a page that says what to paste. Included by the top Makefile; docs/openwrt.md.

#: Packages for routers
FEED ?= dist/feed
RELEASE_FILES ?= dist/release
FEED_URL ?=
KEYS ?= .keys
ARCHES ?= $(foreach t,$(TARGETS),$(ARCHES_$(t)))
UNKNOWN_ARCHES := $(filter-out $(foreach t,$(TARGETS),$(ARCHES_$(t))),$(ARCHES))
$(if $(UNKNOWN_ARCHES),$(error ARCHES: $(UNKNOWN_ARCHES): not one of $(foreach t,$(TARGETS),$(ARCHES_$(t)))))

.PHONY: feed
feed: need-apk ## All packages as a signed feed (APK=path, KEYS=dir, FEED_URL=https://…)
	@tests/setup signify-openbsd openssl
	@test -d "$(KEYS)" || echo "$(KEYS) does not exist: making new keys there"
	rm -rf "$(FEED)/ipk" "$(FEED)/apk"
	set -e; for arch in $(ARCHES); do \
		$(MAKE) --no-print-directory ipk ARCH=$$arch DIST="$(FEED)/ipk/$$arch"; \
		$(MAKE) --no-print-directory apk ARCH=$$arch DIST="$(FEED)/apk/$$arch"; done
	python3 openwrt/feed.py "$(FEED)" --keys "$(KEYS)" --apk "$(APK)" --url "$(FEED_URL)" \
		--release "$(RELEASE_FILES)"

.PHONY: version
version: ## The version of everything, from Cargo.toml
	@sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml | head -n 1
