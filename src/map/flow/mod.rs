// SPDX-License-Identifier: GPL-2.0-or-later
//! One packet at the border: what a BR must see of it, and whether what it
//! sees is true (RFC 7597 section 8.1, RFC 7599 section 8.1).

use std::cmp::Reverse;
use std::fmt::Display;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};

use super::address::Dialect;
use super::bits::covers;
use super::border::Border;
use super::domain::{Domain, KnownToBr};
use super::mapping::Mapping;
use super::ports::PortSet;
use super::psid::{Psid, PsidReadings};
use super::rule::Rule;

mod error;
#[cfg(test)]
mod tests;

pub use error::FlowError;

/// A domain as a BR sees it: no subscribers, only rules.
///
/// ```
/// # use mape::map::{Dialect, Domain, MapType, Relay, RuleSpec};
/// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
/// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
/// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
/// # let relay = Relay::new(&domain);
/// let outer = relay.outer("192.0.2.18:1232".parse()?, "198.51.100.1:443".parse()?)?;
/// assert_eq!(outer.destination.to_string(), "2001:db8:ffff::1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    dialect: Dialect,
    rules: Vec<KnownToBr>,
    fmrs: Vec<Rule>,
}

/// The IPv6 addresses of a packet: outer ones (MAP-E, lw4o6) or those it is
/// translated to (MAP-T).
///
/// ```
/// # use mape::map::{Dialect, Domain, MapType, Relay, RuleSpec};
/// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
/// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
/// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
/// # let relay = Relay::new(&domain);
/// let outer = relay.outer("198.51.100.1:443".parse()?, "192.0.2.18:1232".parse()?)?;
/// assert_eq!(outer.source.to_string(), "2001:db8:ffff::1");
/// assert_eq!(outer.destination.to_string(), "2001:db8:12:3400:0:c000:212:34");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outer {
    /// IPv6 source.
    pub source: Ipv6Addr,
    /// IPv6 destination.
    pub destination: Ipv6Addr,
    /// PSID of the CE: of the sender, or of the receiver if the sender is
    /// no CE.
    pub psid: Psid,
}

/// What the IPv6 addresses of a packet say about the IPv4 packet within.
///
/// ```
/// # use mape::map::{Dialect, Domain, MapType, Relay, RuleSpec};
/// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
/// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
/// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
/// # let relay = Relay::new(&domain);
/// let (ce, br) = ("2001:db8:12:3400:0:c000:212:34".parse()?, "2001:db8:ffff::1".parse()?);
/// let inner = relay.inner(ce, br)?;
/// assert_eq!(inner.from, Some("192.0.2.18".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner {
    /// IPv4 source, if the IPv6 source tells it.
    pub from: Option<Ipv4Addr>,
    /// IPv4 destination, if the IPv6 destination tells it.
    pub to: Option<Ipv4Addr>,
    /// PSID of the CE: of the sender, or of the receiver if the sender is
    /// no CE.
    pub psid: Psid,
}

/// What an IPv6 address stands for: an IPv4 address and a CE's PSID.
type End = (Option<Ipv4Addr>, Option<Psid>);

/// One end of a flow that is a CE.
struct Ce<'a> {
    address: Ipv6Addr,
    psid: Psid,
    border: &'a Option<Border>,
}

impl Relay {
    /// All CEs of a domain.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, Relay, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let relay = Relay::new(&domain);
    /// assert!(relay.outer("192.0.2.18:1232".parse()?, "198.51.100.1:443".parse()?).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(domain: &Domain) -> Self {
        let mut rules = domain.known_to_br();
        // The longest IPv4 prefix is tried first.
        rules.sort_by_key(|known| Reverse(known.rule.ipv4().prefix_len()));
        let home = rules.first().map(|known| known.rule.ipv6());
        Relay {
            dialect: domain.dialect(),
            fmrs: home.map_or_else(Vec::new, |home| domain.fmrs(home)),
            rules,
        }
    }

    /// The CEs under the rule that one of them has.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, Relay, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// let relay = Relay::of(&mapping);
    /// assert!(relay.outer("192.0.2.18:1232".parse()?, "198.51.100.1:443".parse()?).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(mapping: &Mapping) -> Self {
        Relay {
            dialect: mapping.dialect(),
            rules: vec![KnownToBr {
                rule: *mapping.bmr(),
                border: mapping.border(),
                stated: None,
            }],
            fmrs: mapping.fmrs().to_vec(),
        }
    }

    /// The packet from `from` to `to` as it crosses the line: from a CE to
    /// the border (or to another CE, if an FMR covers it), or from the
    /// border to a CE. Ports are those outside the CE's NAT; of an ICMP echo
    /// its identifier.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, Relay, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let relay = Relay::new(&domain);
    /// let outer = relay.outer("192.0.2.18:1232".parse()?, "198.51.100.1:443".parse()?)?;
    /// assert_eq!(outer.source.to_string(), "2001:db8:12:3400:0:c000:212:34");
    /// assert_eq!(outer.psid.value(), 0x34);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// No CE takes part in it, or it has no border.
    pub fn outer(&self, from: SocketAddrV4, to: SocketAddrV4) -> Result<Outer, Box<FlowError>> {
        let sender = self.owner(from)?;
        let receiver = self.owner(to)?;
        let ce = sender.as_ref().or(receiver.as_ref());
        let ce = ce.ok_or_else(|| no_ce(&from, &to))?;
        let mesh = self.fmrs.iter().any(|rule| rule.ipv4().contains(to.ip()));
        let (source, destination) = match (&sender, &receiver) {
            (None, _) => (far_end(ce.border.as_ref(), *from.ip())?, ce.address),
            (_, Some(receiver)) if mesh => (ce.address, receiver.address),
            (Some(_), _) => (ce.address, far_end(ce.border.as_ref(), *to.ip())?),
        };
        Ok(Outer {
            source,
            destination,
            psid: ce.psid,
        })
    }

    /// What the addresses of an IPv6 packet say, after checking that a CE's
    /// prefix and interface identifier agree.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, Relay, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let relay = Relay::new(&domain);
    /// let (ce, br) = ("2001:db8:12:3400:0:c000:212:34".parse()?, "2001:db8:ffff::1".parse()?);
    /// let inner = relay.inner(ce, br)?;
    /// assert_eq!(inner.from, Some("192.0.2.18".parse()?));
    /// assert_eq!((inner.to, inner.psid.value()), (None, 0x34));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// An address that has no business there, or one that contradicts itself.
    pub fn inner(&self, source: Ipv6Addr, destination: Ipv6Addr) -> Result<Inner, Box<FlowError>> {
        let (from, sender) = self.end(&source)?;
        let (to, receiver) = self.end(&destination)?;
        let psid = sender
            .or(receiver)
            .ok_or_else(|| no_ce(&source, &destination))?;
        Ok(Inner { from, to, psid })
    }

    /// The check a BR makes of each packet from a CE (RFC 7597 section 8.1):
    /// does the IPv6 source match the IPv4 source and port?
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, Relay, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let relay = Relay::new(&domain);
    /// let inner = "192.0.2.18:1232".parse()?;
    /// assert!(relay.check_source("2001:db8:12:3400:0:c000:212:34".parse()?, inner).is_ok());
    /// assert!(relay.check_source("2001:db8:12:3500:0:c000:212:35".parse()?, inner).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// It does not, or `inner` belongs to no CE at all.
    pub fn check_source(
        &self,
        source: Ipv6Addr,
        inner: SocketAddrV4,
    ) -> Result<(), Box<FlowError>> {
        let owner = self.owner(inner)?;
        let owner = owner.ok_or_else(|| no_ce(&inner, &source))?;
        if owner.address != source {
            Err(FlowError::Spoofed {
                inner,
                expected: owner.address,
                found: source,
            })?;
        }
        Ok(())
    }

    /// The CE that has this address and port; `None` if no rule covers
    /// the address.
    fn owner(&self, at: SocketAddrV4) -> Result<Option<Ce<'_>>, Box<FlowError>> {
        let mut nobody = None;
        for known in &self.rules {
            let KnownToBr { rule, border, .. } = known;
            if !rule.ipv4().contains(at.ip()) {
                continue;
            }
            let psid = rule.port_params().psid_of(at.port());
            let is_own = known.stated.is_none_or(|stated| stated.allow(psid));
            match rule.ce_address(self.dialect, *at.ip(), at.port()) {
                Some(address) if is_own => {
                    return Ok(Some(Ce {
                        address,
                        psid,
                        border,
                    }));
                }
                _ => nobody = Some((known, psid)),
            }
        }
        let Some((known, psid)) = nobody else {
            return Ok(None);
        };
        let params = known.rule.port_params();
        let is_ours = PortSet::of(params, psid.value().into()).contains(at.port());
        let stated = known.stated.map(PsidReadings::first);
        let own = known.rule.provisioned_psid().or(stated);
        Err(match own.filter(|own| *own != psid && is_ours) {
            Some(own) => FlowError::OtherPsid(at.port(), psid.value(), own.value()),
            None => {
                let offset = params.offset();
                FlowError::NobodysPort(at.port(), offset, 65536 >> offset)
            }
        }
        .into())
    }

    /// The IPv4 address and PSID that an IPv6 address stands for; neither for
    /// a BR.
    fn end(&self, address: &Ipv6Addr) -> Result<End, Box<FlowError>> {
        // The border first: a BR's address may lie within a rule's prefix.
        for known in &self.rules {
            match &known.border {
                Some(Border::Br(br)) if br == address => return Ok((None, None)),
                Some(Border::Dmr(dmr)) => {
                    if let Some(ipv4) = dmr.extract(*address) {
                        return Ok((Some(ipv4), None));
                    }
                }
                _ => {}
            }
        }
        let covering = self.rules.iter().map(|known| &known.rule);
        let rule = covering
            .filter(|rule| covers(rule.ipv6(), (*address).into()))
            .max_by_key(|rule| rule.ipv6().prefix_len())
            .ok_or(FlowError::Stranger(*address))?;
        self.ce_end(rule, *address)
    }

    fn ce_end(&self, rule: &Rule, address: Ipv6Addr) -> Result<End, Box<FlowError>> {
        let len = rule.end_user_len();
        let stranger = |_| FlowError::Stranger(address);
        let end_user = ipnet::Ipv6Net::new(address, len).map_err(stranger)?.trunc();
        let expected = rule.ce_address_of(self.dialect, end_user);
        if expected == address {
            let psid = rule.ports_of(end_user).psid();
            return Ok((Some(rule.ipv4_of(end_user).addr()), Some(psid)));
        }
        let other = match self.dialect {
            Dialect::Rfc7597 => Dialect::Draft03,
            Dialect::Draft03 => Dialect::Rfc7597,
        };
        Err(match rule.ce_address_of(other, end_user) == address {
            true => FlowError::OtherDialect {
                address,
                found: other,
                expected: self.dialect,
            },
            false => FlowError::Identifier { address, expected },
        }
        .into())
    }
}

fn no_ce(from: &dyn Display, to: &dyn Display) -> Box<FlowError> {
    Box::new(FlowError::NoCe(from.to_string(), to.to_string()))
}

/// The IPv6 address of an IPv4 address beyond the border.
fn far_end(border: Option<&Border>, ipv4: Ipv4Addr) -> Result<Ipv6Addr, Box<FlowError>> {
    match border {
        Some(Border::Br(br)) => Ok(*br),
        Some(Border::Dmr(dmr)) => Ok(dmr.embed(ipv4)),
        None => Err(FlowError::NoBorder.into()),
    }
}
