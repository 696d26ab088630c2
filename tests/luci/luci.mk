# SPDX-License-Identifier: Apache-2.0
# Tests of the LuCI app. LUCI_SRC is a LuCI checkout; without it the pages run
# on a stub of LuCI's contract, and what needs LuCI itself is skipped.

PLAYWRIGHT_VERSION := 1.55.1
AXE_VERSION := 4.10.3
LUCI_TOOLS := .tools/luci
LUCI_SRC ?=

#: Tests, one by one
SUITES += test-luci
.PHONY: test-luci luci-screenshots luci-po setup-luci need-luci-src
need-luci-src:
	@test -d "$(LUCI_SRC)/modules/luci-base" || { echo "LUCI_SRC=dir of a LuCI checkout is missing" >&2; exit 2; }

test-luci: setup-luci ## The LuCI app in Chromium (LUCI_SRC=DIR: in LuCI itself)
	@test -n "$(LUCI_SRC)" || echo "LUCI_SRC is not set: on the contract stub, without LuCI's own pages"
	LUCI_SRC="$(LUCI_SRC)" node --test tests/luci/*.test.mjs

#: Development
luci-screenshots: need-luci-src setup-luci ## Take the pictures of docs/ again (LUCI_SRC needed)
	@tests/setup fonts-noto-cjk
	LUCI_SRC="$(LUCI_SRC)" node --test tests/luci/screenshots.mjs

luci-po: need-luci-src ## Bring the app's translation template up to date (LUCI_SRC needed)
	"$(LUCI_SRC)/build/i18n-scan.pl" luci-proto-mape > luci-proto-mape/po/templates/mape.pot
	msgmerge --quiet --update --backup=none --no-fuzzy-matching luci-proto-mape/po/ja/mape.po luci-proto-mape/po/templates/mape.pot

setup-luci: $(LUCI_TOOLS)/node_modules/playwright-core $(LUCI_TOOLS)/node_modules/axe-core
	@command -v chromium >/dev/null || tests/setup chromium

$(LUCI_TOOLS)/node_modules/playwright-core $(LUCI_TOOLS)/node_modules/axe-core &:
	@command -v npm >/dev/null || tests/setup nodejs npm
	@mkdir -p $(LUCI_TOOLS)
	npm install --silent --no-save --no-audit --no-fund --prefix $(LUCI_TOOLS) playwright-core@$(PLAYWRIGHT_VERSION) axe-core@$(AXE_VERSION)
