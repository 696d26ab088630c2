# SPDX-License-Identifier: GPL-2.0-or-later
# One package of a LuCI protocol, one for each language of its po/.

PKG_NAME:=$(notdir $(CURDIR))
LUCI_BASENAME:=$(PKG_NAME:luci-proto-%=%)
override PKG_ARCH:=all
include $(TOPDIR)/package.mk

define Package/$(PKG_NAME)
  SECTION:=luci
  TITLE:=$(LUCI_TITLE)
  DEPENDS:=$(LUCI_DEPENDS)
endef
Package/$(PKG_NAME)/description=$(LUCI_DESCRIPTION)

define Package/$(PKG_NAME)/install
	$(INSTALL_DIR) $(1)/www
	$(if $(wildcard htdocs),$(CP) htdocs/. $(1)/www/)
	$(if $(wildcard root),$(CP) root/. $(1)/)
endef

# LuCI finds new menu entries and access rights after this.
define Package/$(PKG_NAME)/postinst
[ -n "$$IPKG_INSTROOT" ] || {
	rm -rf /tmp/luci-indexcache.* /tmp/luci-modulecache/
	/etc/init.d/rpcd reload 2>/dev/null
	exit 0
}
endef

LANGUAGE_ja:=日本語 (Japanese)

# $(1): a language
define LuciTranslation
  define Package/luci-i18n-$(LUCI_BASENAME)-$(1)
    SECTION:=luci
    TITLE:=$(PKG_NAME) - $(1) translation
    DEPENDS:=$(PKG_NAME)
    VERSION:=$(PKG_PO_VERSION)
  endef
  Package/luci-i18n-$(LUCI_BASENAME)-$(1)/description=Translation for $(PKG_NAME) - $(LANGUAGE_$(1))
  define Package/luci-i18n-$(LUCI_BASENAME)-$(1)/install
	$(INSTALL_DIR) $$(1)/etc/uci-defaults $$(1)/usr/lib/lua/luci/i18n
	echo "uci set luci.languages.$(1)='$(LANGUAGE_$(1))'; uci commit luci" \
		> $$(1)/etc/uci-defaults/luci-i18n-$(LUCI_BASENAME)-$(1)
	python3 $(TOPDIR)/../po2lmo.py po/$(1)/$(LUCI_BASENAME).po \
		$$(1)/usr/lib/lua/luci/i18n/$(LUCI_BASENAME).$(1).lmo
  endef
endef

LANGUAGES:=$(filter-out templates,$(notdir $(wildcard po/*)))
$(foreach lang,$(LANGUAGES),$(eval $(call LuciTranslation,$(lang))))
$(foreach pkg,$(PKG_NAME) $(LANGUAGES:%=luci-i18n-$(LUCI_BASENAME)-%),$(eval $(call BuildPackage,$(pkg))))
