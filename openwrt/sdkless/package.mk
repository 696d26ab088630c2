# SPDX-License-Identifier: GPL-2.0-or-later
# BuildPackage: lay $(STAGE)/NAME/data (the tree), /control (scripts) and
# /fields (what a control file says), for pack.py to pack.

# $(1): a package's name. Words of DEPENDS with @ are conditions of the buildroot.
define BuildPackage
  VERSION:=$(PKG_VERSION)-r$(PKG_RELEASE)
  PKGARCH:=$(PKG_ARCH)
  SECTION:=
  TITLE:=
  DEPENDS:=
  PROVIDES:=
  CONFLICTS:=
  $$(eval $$(Package/$(1)))
  FIELDS_$(1):=Version: $$(VERSION)|Architecture: $$(PKGARCH)|Section: $$(SECTION)|$\
	Depends: libc $$(patsubst +%,%,$$(filter-out @% $(PKG_RECOMMENDS:%=+%),$$(DEPENDS)))|$\
	Recommends: $(PKG_RECOMMENDS)|Provides: $$(PROVIDES)|Conflicts: $$(CONFLICTS)|$\
	License: $(PKG_LICENSE)|Maintainer: $(PKG_MAINTAINER)|Title: $$(TITLE)
  all: stage-$(1)
  .PHONY: stage-$(1) clear-$(1)
  clear-$(1):
	rm -rf $(STAGE)/$(1)
	mkdir -p $(STAGE)/$(1)/data $(STAGE)/$(1)/control
  stage-$(1): clear-$(1)
	$$(file >$(STAGE)/$(1)/fields,Package: $(1)|$$(FIELDS_$(1)))
	$$(file >$(STAGE)/$(1)/description,$$(or $$(Package/$(1)/description),$$(TITLE)))
	$$(foreach part,postinst prerm,$$(if $$(Package/$(1)/$$(part)),\
		$$(file >$(STAGE)/$(1)/control/$$(part),$$(Package/$(1)/$$(part)))))
	$$(call Package/$(1)/install,$(STAGE)/$(1)/data)
endef
