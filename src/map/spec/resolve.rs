// SPDX-License-Identifier: GPL-2.0-or-later
//! The one place that makes a rule of what somebody wrote: EA length, PSID
//! length and PSID may be given or left out in any combination.
//!
//! The EA bits decide. What can be derived need not be given; if it is given
//! and agrees, nothing changes; if it contradicts, it is refused by name.

use ipnet::{Ipv4Net, Ipv6Net};

use super::super::address::Dialect;
use super::super::bits::{covers, extract};
use super::super::map_type::MapType;
use super::super::psid::{Psid, PsidReadings};
use super::super::role::check_br;
use super::super::rule::{MAX_PREFIX_AND_EA, Rule, RuleError, RuleParts};
use super::error::SpecError;
use super::rule_spec::RuleSpec;

/// What a [`RuleSpec`] says once all that can be derived is derived.
///
/// ```
/// # use mape::map::{Dialect, MapType, RuleSpec};
/// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
/// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
/// let resolved = spec.resolve(MapType::MapE, Dialect::Rfc7597, None)?;
/// assert!(resolved.is_general && resolved.stated.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// The rule.
    pub rule: Rule,
    /// A PSID that was written down although the EA bits have it: true of the
    /// one CE whose EA bits say the same.
    pub stated: Option<PsidReadings>,
    /// Whether the rule is the same for every end-user prefix. If not, it is
    /// only known to the CE that has the prefix.
    pub is_general: bool,
}

impl Resolved {
    /// Checks the PSID that was written down against the EA bits of an
    /// end-user prefix that is [covered](Rule::covers) by the rule.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// let spec = RuleSpec { psid: Some("psid=0x3500".parse::<RuleSpec>()?.psid.unwrap()), ..spec };
    /// let resolved = spec.resolve(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert!(resolved.check("2001:db8:12:3500::/56".parse()?).is_ok());
    /// assert!(resolved.check("2001:db8:12:3400::/56".parse()?).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The prefix says another one.
    pub fn check(&self, end_user: Ipv6Net) -> Result<(), SpecError> {
        let found = self.rule.ports_of(end_user).psid();
        match self.stated {
            Some(stated) if !stated.allow(found) => Err(SpecError::OtherPsid {
                stated,
                found: found.value(),
                end_user,
            }),
            _ => Ok(()),
        }
    }
}

/// What is known before the EA length is.
struct Known {
    map_type: MapType,
    ipv6: Ipv6Net,
    /// Bits of the IPv4 address that its prefix leaves open.
    suffix_len: u8,
    /// `psidlen`, if it is given and not 0, which means "derive it".
    psid_len: Option<u8>,
    /// What `psid` can mean, if there is any.
    psid: Option<PsidReadings>,
}

/// Where the PSID is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the EA bits, of that many in all.
    EaBits(u8),
    /// Not in the prefix: it is provisioned, or there is none.
    Elsewhere(u8),
}

impl RuleSpec {
    /// The complete rule. The end-user prefix fills in a missing EA length;
    /// without one the EA bits count as none, which checks all the rest.
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// assert_eq!(rule.port_params().psid_len(), 8);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Something is missing, or the values contradict each other.
    pub fn rule(
        &self,
        map_type: MapType,
        dialect: Dialect,
        end_user: Option<Ipv6Net>,
    ) -> Result<Rule, Box<SpecError>> {
        Ok(self.resolve(map_type, dialect, end_user)?.rule)
    }

    /// The complete rule, and what it leaves to be checked. See
    /// [`RuleSpec::rule`].
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// // Without an EA length it depends on the end-user prefix.
    /// let spec = RuleSpec { ea_len: None, ..spec };
    /// let end_user = "2001:db8:12:3400::/56".parse()?;
    /// let resolved = spec.resolve(MapType::MapE, Dialect::Rfc7597, Some(end_user))?;
    /// assert_eq!(resolved.rule.ea_len(), 16);
    /// assert!(!resolved.is_general);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Something is missing, or the values contradict each other.
    pub fn resolve(
        &self,
        map_type: MapType,
        dialect: Dialect,
        end_user: Option<Ipv6Net>,
    ) -> Result<Resolved, Box<SpecError>> {
        let ipv6 = self.ipv6()?;
        let ipv4 = self.ipv4()?;
        let known = self.known(map_type, ipv6, ipv4)?;
        let place = known.place(self.ea_len, end_user);
        known.check_lengths(place, self.ea_len, ipv4.prefix_len())?;
        let (ea_len, provisioned, stated) = match place {
            Place::EaBits(len) => (len, None, known.stated()),
            Place::Elsewhere(len) => (len, known.psid.map(PsidReadings::first), None),
        };
        let default_offset = Self::default_offset(map_type, dialect);
        let rule = Rule::new(RuleParts {
            ipv6,
            ipv4,
            ea_len,
            offset: self.offset.unwrap_or(default_offset),
            psid: provisioned,
        });
        let rule = rule.map_err(|error| match self.ea_len {
            None if ea_len > 0 && !matches!(error, RuleError::Ipv4(_)) => {
                SpecError::Derived { ea_len, error }
            }
            _ => SpecError::Rule(error),
        });
        if let Some(br) = self.br {
            check_br(br).map_err(SpecError::Role)?;
        }
        let follows_from_psid_len = known.psid_len.is_some() && known.psid.is_none();
        let is_binding = map_type == MapType::Lw4o6;
        Ok(Resolved {
            rule: rule?,
            stated,
            is_general: self.ea_len.is_some() || is_binding || follows_from_psid_len,
        })
    }

    /// The rule IPv4 prefix.
    fn ipv4(&self) -> Result<Ipv4Net, Box<SpecError>> {
        let len = self.prefix4_len.unwrap_or(32);
        let address = self.ipv4_prefix.ok_or(SpecError::Missing("ipaddr"))?;
        let net = Ipv4Net::new(address, len).map_err(|_| SpecError::TooLarge {
            key: "ip4prefixlen",
            value: len.into(),
            max: 32,
        })?;
        Ok(net)
    }

    fn known(
        &self,
        map_type: MapType,
        ipv6: Ipv6Net,
        ipv4: Ipv4Net,
    ) -> Result<Known, Box<SpecError>> {
        let psid = match (self.psid, self.known_psid_len()) {
            (Some(written), Some(len)) => Some(written.readings(len).map_err(SpecError::from)?),
            (Some(written), None) if !written.is_zero() => {
                return Err(SpecError::Missing("psidlen").into());
            }
            _ => None,
        };
        Ok(Known {
            map_type,
            ipv6,
            suffix_len: 32 - ipv4.prefix_len(),
            psid_len: self.psid_len.filter(|&len| len > 0),
            psid,
        })
    }
}

impl Known {
    /// The PSID that was written down; 0 beside EA bits means nothing, since
    /// servers fill it in if the PSID is in the EA bits.
    fn stated(&self) -> Option<PsidReadings> {
        self.psid.filter(|psid| psid.first().value() != 0)
    }

    /// EA bits that end with a PSID of that length.
    fn with_psid(&self, psid_len: u8) -> u8 {
        self.suffix_len.saturating_add(psid_len)
    }

    /// Where the PSID is. `ea_len` is `ealen`, if it is given.
    fn place(&self, ea_len: Option<u8>, end_user: Option<Ipv6Net>) -> Place {
        let ea_len = match (ea_len, self.psid_len, self.psid) {
            (Some(len), _, _) => len,
            (None, Some(psid_len), None) => self.with_psid(psid_len),
            (None, Some(psid_len), Some(psid)) => {
                return self.place_of_psid(psid_len, psid, end_user);
            }
            // A binding is for all of its prefix.
            (None, None, _) if self.map_type == MapType::Lw4o6 => 0,
            (None, None, _) => end_user.map_or(0, |net| self.rest(net)),
        };
        // A binding names its PSID. EA bits that end beyond the end-user
        // prefix cannot be in it.
        let names_it = self.map_type == MapType::Lw4o6 || !self.fits(ea_len);
        match ea_len > self.suffix_len {
            true if self.psid.is_some() && names_it => Place::Elsewhere(self.suffix_len),
            true => Place::EaBits(ea_len),
            false => Place::Elsewhere(ea_len),
        }
    }

    /// The same without an EA length, but with a PSID and its length: it is in
    /// the prefix if it is found there. Only if each CE has a rule of its
    /// own, and so an IPv4 address instead of an IPv4 prefix, it can as well be
    /// elsewhere while the prefix goes on.
    fn place_of_psid(&self, psid_len: u8, psid: PsidReadings, end_user: Option<Ipv6Net>) -> Place {
        let whole = self.with_psid(psid_len);
        let has_room = |net: &Ipv6Net| self.fits(whole) && self.rest(*net) >= whole;
        let own = end_user.filter(has_room);
        let is_binding = self.map_type == MapType::Lw4o6;
        match own {
            _ if is_binding => Place::Elsewhere(0),
            Some(net) if self.suffix_len > 0 || psid.allow(self.bits_of(net, psid_len)) => {
                Place::EaBits(whole)
            }
            _ => Place::Elsewhere(self.suffix_len),
        }
    }

    /// The PSID that an end-user prefix has after the IPv4 suffix.
    fn bits_of(&self, end_user: Ipv6Net, psid_len: u8) -> Psid {
        let from = self.ipv6.prefix_len() + self.suffix_len;
        Psid::of_bits(extract(&end_user.addr().octets(), from, psid_len), psid_len)
    }

    /// Bits of an end-user prefix beyond the rule prefix.
    fn rest(&self, end_user: Ipv6Net) -> u8 {
        match covers(self.ipv6, end_user) {
            true => end_user.prefix_len() - self.ipv6.prefix_len(),
            false => 0,
        }
    }

    fn fits(&self, ea_len: u8) -> bool {
        self.ipv6.prefix_len().saturating_add(ea_len) <= MAX_PREFIX_AND_EA
    }

    /// Whether `psidlen` is what the EA bits leave.
    fn check_lengths(
        &self,
        place: Place,
        ea_len: Option<u8>,
        ip4_len: u8,
    ) -> Result<(), Box<SpecError>> {
        let (Some(psid_len), Some(ea_len)) = (self.psid_len, ea_len) else {
            return Ok(());
        };
        let left = ea_len.saturating_sub(self.suffix_len);
        let is_provisioned = matches!(place, Place::Elsewhere(_)) && self.psid.is_some();
        if psid_len == left || (is_provisioned && left == 0) {
            return Ok(());
        }
        Err(match psid_len > ea_len && self.psid.is_none() {
            true => SpecError::PsidLenOverEa { psid_len, ea_len },
            false => SpecError::PsidLen {
                psid_len,
                ea_len,
                ip4_len,
                left,
            },
        }
        .into())
    }
}
