// SPDX-License-Identifier: GPL-2.0-or-later
//! Mapping rules (RFC 7597 section 5): what a rule may say, and what an
//! end-user prefix or an IPv4 address becomes under it.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::address::Dialect;
use super::bits::{covers, extract, overlay, place};
use super::ports::{PortParams, PortSet};
use super::psid::Psid;
use super::role::check_rule_ipv4;

mod error;
#[cfg(test)]
mod tests;

pub use error::RuleError;

/// The values of a rule before they are checked against each other.
///
/// ```
/// use mape::map::{Rule, RuleParts};
///
/// let parts = RuleParts {
///     ipv6: "2001:db8::/40".parse()?,
///     ipv4: "192.0.2.0/24".parse()?,
///     ea_len: 16,
///     offset: 6,
///     psid: None,
/// };
/// assert_eq!(Rule::new(parts)?.end_user_len(), 56);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleParts {
    /// Rule IPv6 prefix; host bits are dropped.
    pub ipv6: Ipv6Net,
    /// Rule IPv4 prefix; host bits are dropped.
    pub ipv4: Ipv4Net,
    /// EA-bits length in bits.
    pub ea_len: u8,
    /// PSID offset in bits.
    pub offset: u8,
    /// The PSID, if the EA bits end before it: then it is provisioned.
    pub psid: Option<Psid>,
}

/// A legal mapping rule: a BMR, an FMR, or the binding of lw4o6 (EA 0 and a
/// provisioned PSID). There is no other way to make one than [`Rule::new`].
///
/// ```
/// # use mape::map::{Dialect, MapType, RuleSpec};
/// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
/// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
/// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
/// assert!(rule.covers(&"2001:db8:12:3400::/56".parse()?));
/// assert_eq!(rule.ports_of("2001:db8:12:3400::/56".parse()?).count(), 252);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    // Both without host bits.
    ipv6: Ipv6Net,
    ipv4: Ipv4Net,
    ea_len: u8,
    params: PortParams,
    psid: Option<Psid>,
}

/// Most EA bits a rule may have (RFC 7597 section 5).
pub(super) const MAX_EA_LEN: u8 = 48;

/// Longest end-user prefix whose last bits are EA bits: the interface
/// identifier follows.
pub(super) const MAX_PREFIX_AND_EA: u8 = 64;

impl Rule {
    /// Checks `parts` against each other. The PSID length is what the EA bits
    /// leave after the IPv4 suffix, or that of the provisioned PSID.
    ///
    /// ```
    /// use mape::map::{Rule, RuleParts};
    ///
    /// let rule = Rule::new(RuleParts {
    ///     ipv6: "2001:db8::/40".parse()?,
    ///     ipv4: "192.0.2.0/24".parse()?,
    ///     ea_len: 16,
    ///     offset: 6,
    ///     psid: None,
    /// })?;
    /// let end_user = "2001:db8:12:3400::/56".parse()?;
    /// assert_eq!(rule.ipv4_of(end_user).to_string(), "192.0.2.18/32");
    /// assert_eq!(rule.ports_of(end_user).psid().value(), 0x34);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first contradiction found; nothing out of range gets through.
    pub fn new(parts: RuleParts) -> Result<Self, RuleError> {
        let RuleParts { ea_len, offset, .. } = parts;
        if ea_len > MAX_EA_LEN {
            return Err(RuleError::EaLen(ea_len));
        }
        check_rule_ipv4(parts.ipv4)?;
        let ip4_len = parts.ipv4.prefix_len();
        let suffix_len = ea_len.min(32 - ip4_len);
        let psid = parts.psid.filter(|psid| !psid.is_empty());
        let psid_len = match psid {
            Some(_) if ip4_len + suffix_len < 32 => return Err(RuleError::PsidWithoutAddress),
            Some(_) if ea_len > suffix_len => return Err(RuleError::TwoPsids { ea_len, ip4_len }),
            Some(psid) => psid.len(),
            None => ea_len - suffix_len,
        };
        let prefix_len = parts.ipv6.prefix_len();
        if ea_len > 0 && prefix_len + ea_len > MAX_PREFIX_AND_EA {
            return Err(RuleError::PrefixAndEa { prefix_len, ea_len });
        }
        Ok(Rule {
            ipv6: parts.ipv6.trunc(),
            ipv4: parts.ipv4.trunc(),
            ea_len,
            params: PortParams::new(offset, psid_len)?,
            psid,
        })
    }

    /// Rule IPv6 prefix.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert_eq!(rule.ipv6(), "2001:db8::/40".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ipv6(&self) -> Ipv6Net {
        self.ipv6
    }

    /// Rule IPv4 prefix.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert_eq!(rule.ipv4(), "192.0.2.0/24".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ipv4(&self) -> Ipv4Net {
        self.ipv4
    }

    /// EA-bits length in bits.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert_eq!(rule.ea_len(), 16);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ea_len(&self) -> u8 {
        self.ea_len
    }

    /// PSID offset and length.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert_eq!(rule.port_params().psid_len(), 8);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn port_params(&self) -> PortParams {
        self.params
    }

    /// The PSID, if it is provisioned and no part of the EA bits.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert_eq!(rule.provisioned_psid(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn provisioned_psid(&self) -> Option<Psid> {
        self.psid
    }

    /// Shortest end-user prefix that holds all EA bits, in bits.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert_eq!(rule.end_user_len(), 56);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_user_len(&self) -> u8 {
        self.ipv6.prefix_len() + self.ea_len
    }

    /// IPv4 suffix bits `p` within the EA bits.
    fn suffix_len(&self) -> u8 {
        self.ea_len.min(32 - self.ipv4.prefix_len())
    }

    /// Whether `prefix` is under this rule and long enough for its EA bits.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert!(rule.covers(&"2001:db8:12:3400::/56".parse()?));
    /// assert!(!rule.covers(&"2001:db8:12::/48".parse()?), "too short");
    /// assert!(!rule.covers(&"2001:db8:112:3400::/56".parse()?), "not under the rule prefix");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn covers(&self, prefix: &Ipv6Net) -> bool {
        covers(self.ipv6, *prefix) && prefix.prefix_len() >= self.end_user_len()
    }

    /// IPv4 address (or prefix, if the EA bits do not reach 32) of the CE
    /// with that end-user prefix. Only meaningful if the rule
    /// [covers](Rule::covers) it.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert_eq!(rule.ipv4_of("2001:db8:12:3400::/56".parse()?), "192.0.2.18/32".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ipv4_of(&self, end_user: Ipv6Net) -> Ipv4Net {
        let len = self.suffix_len();
        let from = self.ipv6.prefix_len();
        let suffix = extract(&end_user.addr().octets(), from, len);
        let fixed = self.ipv4.prefix_len();
        let mut octets = self.ipv4.addr().octets();
        place(&mut octets, suffix, fixed, len);
        // fixed + len is at most 32, so the length is always legal.
        Ipv4Net::new(octets.into(), fixed + len).unwrap_or(self.ipv4)
    }

    /// Port set of the CE with that end-user prefix.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert!(rule.ports_of("2001:db8:12:3400::/56".parse()?).contains(1232));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ports_of(&self, end_user: Ipv6Net) -> PortSet {
        let len = self.params.psid_len();
        let from = self.ipv6.prefix_len() + self.suffix_len();
        let bits = match self.psid {
            Some(psid) => u32::from(psid.value()),
            None => extract(&end_user.addr().octets(), from, len),
        };
        PortSet::of(self.params, bits)
    }

    /// Address of the CE with that end-user prefix.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// let address = rule.ce_address_of(Dialect::Rfc7597, "2001:db8:12:3400::/56".parse()?);
    /// assert_eq!(address.to_string(), "2001:db8:12:3400:0:c000:212:34");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ce_address_of(&self, dialect: Dialect, end_user: Ipv6Net) -> Ipv6Addr {
        let ipv4 = self.ipv4_of(end_user).addr();
        dialect.ce_address(end_user, ipv4, self.ports_of(end_user).psid())
    }

    /// End-user prefix of the CE that owns `ipv4` and `port`, as short as the
    /// rule allows: what BRs and other CEs compute (RFC 7597 section 8).
    /// `None` if the rule does not cover the address, or nobody owns the
    /// port.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// let prefix = rule.end_user_prefix("192.0.2.18".parse()?, 1232);
    /// assert_eq!(prefix, Some("2001:db8:12:3400::/56".parse()?));
    /// assert_eq!(rule.end_user_prefix("192.0.2.18".parse()?, 80), None, "nobody's port");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_user_prefix(&self, ipv4: Ipv4Addr, port: u16) -> Option<Ipv6Net> {
        if !self.ipv4.contains(&ipv4) {
            return None;
        }
        let psid = self.params.psid_of(port);
        let set = PortSet::of(self.params, u32::from(psid.value()));
        if !set.contains(port) || self.psid.is_some_and(|own| own != psid) {
            return None;
        }
        let n = self.ipv6.prefix_len();
        let p = self.suffix_len();
        let fixed = self.ipv4.prefix_len();
        let suffix = extract(&ipv4.octets(), fixed, p);
        let len = self.end_user_len();
        let mut octets = [0; 16];
        overlay(&mut octets, &self.ipv6.addr().octets(), n);
        place(&mut octets, suffix, n, p);
        place(&mut octets, psid.value().into(), n + p, self.ea_len - p);
        Ipv6Net::new(octets.into(), len).ok()
    }

    /// Address of the CE that owns `ipv4` and `port`; see
    /// [`Rule::end_user_prefix`].
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// let address = rule.ce_address(Dialect::Rfc7597, "192.0.2.18".parse()?, 1232);
    /// assert_eq!(address, Some("2001:db8:12:3400:0:c000:212:34".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ce_address(&self, dialect: Dialect, ipv4: Ipv4Addr, port: u16) -> Option<Ipv6Addr> {
        let end_user = self.end_user_prefix(ipv4, port)?;
        // If a CE has a whole IPv4 prefix, its host bits are no part of
        // the CE's address.
        let ipv4 = self.ipv4_of(end_user).addr();
        Some(dialect.ce_address(end_user, ipv4, self.params.psid_of(port)))
    }
}
