// SPDX-License-Identifier: GPL-2.0-or-later
//! One packet at the border: what a BR must see of it, and whether what it
//! sees is true (RFC 7597 section 8.1, RFC 7599 section 8.1).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};

use super::address::Dialect;
use super::domain::{Border, Domain};
use super::mapping::Mapping;
use super::ports::Psid;
use super::rule::Rule;

/// A domain as a BR sees it: no subscribers, only rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    dialect: Dialect,
    rules: Vec<(Rule, Option<Border>)>,
    fmrs: Vec<Rule>,
}

/// The IPv6 addresses of a packet: outer ones (MAP-E, lw4o6) or those it is
/// translated to (MAP-T).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outer {
    /// IPv6 source.
    pub source: Ipv6Addr,
    /// IPv6 destination.
    pub destination: Ipv6Addr,
    /// PSID of the CE: of the sender, or of the receiver where the sender is
    /// no CE.
    pub psid: Psid,
}

/// What the IPv6 addresses of a packet say about the IPv4 packet within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner {
    /// IPv4 source, where the IPv6 source tells it.
    pub from: Option<Ipv4Addr>,
    /// IPv4 destination, where the IPv6 destination tells it.
    pub to: Option<Ipv4Addr>,
    /// PSID of the CE: of the sender, or of the receiver where the sender is
    /// no CE.
    pub psid: Psid,
}

/// Why a flow does not exist in a domain, or is not what it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// Neither end is a CE of this domain.
    #[error("neither {0} nor {1} belongs to a CE under these rules")]
    NoCe(String, String),
    /// The address is shared, but nobody has that port.
    #[error("port {0} belongs to no CE: with PSID offset {1} ports below {2} are nobody's")]
    NobodysPort(u16, u8, u32),
    /// The binding of lw4o6, or a provisioned PSID, is another.
    #[error("port {0} has PSID {1}, the rule is for PSID {2}")]
    OtherPsid(u16, u16, u16),
    /// There is nowhere to send it.
    #[error("the rule has no br and no dmr: add br=ADDRESS (MAP-E, lw4o6) or dmr=PREFIX (MAP-T)")]
    NoBorder,
    /// An IPv6 address is neither a CE's nor the border's.
    #[error("{0} is neither under a rule IPv6 prefix nor the BR or under the DMR")]
    Stranger(Ipv6Addr),
    /// The identifier is laid out as the other dialect does it.
    #[error("{address} has its interface identifier as {found} has it, these rules are {expected}")]
    OtherDialect {
        /// The address at hand.
        address: Ipv6Addr,
        /// How it is laid out.
        found: Dialect,
        /// How it should be.
        expected: Dialect,
    },
    /// Prefix and interface identifier contradict each other: forged, or a CE
    /// that computes wrongly.
    #[error("{address} is not what a CE there uses: its prefix makes it {expected}")]
    Identifier {
        /// The address at hand.
        address: Ipv6Addr,
        /// The address of the CE with that prefix.
        expected: Ipv6Addr,
    },
    /// The IPv6 source is not the one its IPv4 source and port belong to.
    #[error("spoofed: {inner} must come from {expected}, not from {found}")]
    Spoofed {
        /// IPv4 source and port.
        inner: SocketAddrV4,
        /// The IPv6 source it should have.
        expected: Ipv6Addr,
        /// The IPv6 source it has.
        found: Ipv6Addr,
    },
}

/// One end of a flow that is a CE.
struct Ce {
    address: Ipv6Addr,
    psid: Psid,
    border: Option<Border>,
}

impl Relay {
    /// All CEs of a domain.
    pub fn new(domain: &Domain) -> Self {
        let mut rules: Vec<(Rule, Option<Border>)> = domain.rules().collect();
        rules.sort_by_key(|(rule, _)| std::cmp::Reverse(rule.ipv4().prefix_len()));
        let home = rules.first().map(|(rule, _)| rule.ipv6());
        Relay {
            dialect: domain.dialect(),
            fmrs: home.map_or_else(Vec::new, |home| domain.fmrs(home)),
            rules,
        }
    }

    /// The CEs under the rule that one of them has.
    pub fn of(mapping: &Mapping) -> Self {
        Relay {
            dialect: mapping.dialect(),
            rules: vec![(*mapping.bmr(), mapping.border())],
            fmrs: mapping.fmrs().to_vec(),
        }
    }

    /// The packet from `from` to `to` as it crosses the line: from a CE to
    /// the border (or to another CE, where an FMR covers it), or from the
    /// border to a CE. Ports are those outside the CE's NAT; of an ICMP echo
    /// its identifier.
    ///
    /// # Errors
    /// No CE takes part in it, or it has no border.
    pub fn outer(&self, from: SocketAddrV4, to: SocketAddrV4) -> Result<Outer, FlowError> {
        if let Some(sender) = self.owner(from)? {
            let mesh = self.fmrs.iter().any(|rule| rule.ipv4().contains(to.ip()));
            let destination = match self.owner(to)? {
                Some(receiver) if mesh => receiver.address,
                _ => far_end(sender.border, *to.ip())?,
            };
            return Ok(Outer {
                source: sender.address,
                destination,
                psid: sender.psid,
            });
        }
        let receiver = self
            .owner(to)?
            .ok_or_else(|| FlowError::NoCe(from.to_string(), to.to_string()))?;
        Ok(Outer {
            source: far_end(receiver.border, *from.ip())?,
            destination: receiver.address,
            psid: receiver.psid,
        })
    }

    /// What the addresses of an IPv6 packet say, after checking that a CE's
    /// prefix and interface identifier agree.
    ///
    /// # Errors
    /// An address that has no business there, or one that contradicts itself.
    pub fn inner(&self, source: Ipv6Addr, destination: Ipv6Addr) -> Result<Inner, FlowError> {
        let (from, sender) = self.end(source)?;
        let (to, receiver) = self.end(destination)?;
        let psid = sender
            .or(receiver)
            .ok_or_else(|| FlowError::NoCe(source.to_string(), destination.to_string()))?;
        Ok(Inner { from, to, psid })
    }

    /// The check a BR makes of each packet from a CE (RFC 7597 section 8.1):
    /// does the IPv6 source match the IPv4 source and port?
    ///
    /// # Errors
    /// It does not, or `inner` belongs to no CE at all.
    pub fn check_source(&self, source: Ipv6Addr, inner: SocketAddrV4) -> Result<(), FlowError> {
        let owner = self.owner(inner)?.ok_or_else(|| {
            let inner = inner.to_string();
            FlowError::NoCe(inner, source.to_string())
        })?;
        match owner.address == source {
            true => Ok(()),
            false => Err(FlowError::Spoofed {
                inner,
                expected: owner.address,
                found: source,
            }),
        }
    }

    /// The CE that has this address and port; `None` where no rule covers
    /// the address.
    fn owner(&self, at: SocketAddrV4) -> Result<Option<Ce>, FlowError> {
        let mut nobody = None;
        for (rule, border) in &self.rules {
            if !rule.ipv4().contains(at.ip()) {
                continue;
            }
            let params = rule.port_params();
            let psid = params.psid_of(at.port());
            match rule.ce_address(self.dialect, *at.ip(), at.port()) {
                Some(address) => {
                    return Ok(Some(Ce {
                        address,
                        psid,
                        border: *border,
                    }));
                }
                None => nobody = Some((rule, psid)),
            }
        }
        let Some((rule, psid)) = nobody else {
            return Ok(None);
        };
        let offset = rule.port_params().offset();
        Err(match rule.provisioned_psid() {
            Some(own) if own != psid => FlowError::OtherPsid(at.port(), psid.value(), own.value()),
            _ => FlowError::NobodysPort(at.port(), offset, 65536 >> offset),
        })
    }

    /// The IPv4 address and PSID that an IPv6 address stands for; neither for
    /// a BR.
    fn end(&self, address: Ipv6Addr) -> Result<(Option<Ipv4Addr>, Option<Psid>), FlowError> {
        // The border first: a BR's address may lie within a rule's prefix.
        for (_, border) in &self.rules {
            match border {
                Some(Border::Br(br)) if *br == address => return Ok((None, None)),
                Some(Border::Dmr(dmr)) => {
                    if let Some(ipv4) = dmr.extract(address) {
                        return Ok((Some(ipv4), None));
                    }
                }
                _ => {}
            }
        }
        let covering = self.rules.iter().map(|(rule, _)| rule);
        let rule = covering
            .filter(|rule| rule.ipv6().contains(&address))
            .max_by_key(|rule| rule.ipv6().prefix_len())
            .ok_or(FlowError::Stranger(address))?;
        self.ce_end(rule, address)
    }

    fn ce_end(
        &self,
        rule: &Rule,
        address: Ipv6Addr,
    ) -> Result<(Option<Ipv4Addr>, Option<Psid>), FlowError> {
        let len = rule.end_user_len();
        let stranger = |_| FlowError::Stranger(address);
        let end_user = ipnet::Ipv6Net::new(address, len).map_err(stranger)?.trunc();
        let expected = rule.ce_address_of(self.dialect, end_user);
        if expected == address {
            let psid = rule.ports_of(end_user).psid();
            return Ok((Some(rule.ipv4_of(end_user).network()), Some(psid)));
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
        })
    }
}

/// The IPv6 address of an IPv4 address beyond the border.
fn far_end(border: Option<Border>, ipv4: Ipv4Addr) -> Result<Ipv6Addr, FlowError> {
    match border {
        Some(Border::Br(br)) => Ok(br),
        Some(Border::Dmr(dmr)) => Ok(dmr.embed(ipv4)),
        None => Err(FlowError::NoBorder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{MapType, RuleSpec};

    fn relay(map_type: MapType, dialect: Dialect, rules: &[&str]) -> Relay {
        let specs: Vec<RuleSpec> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        Relay::new(&Domain::from_specs(&specs, map_type, dialect).unwrap())
    }

    fn at(text: &str) -> SocketAddrV4 {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    fn outer(relay: &Relay, from: &str, to: &str) -> (String, String, u16) {
        let outer = relay.outer(at(from), at(to)).unwrap();
        let Outer {
            source,
            destination,
            psid,
        } = outer;
        (source.to_string(), destination.to_string(), psid.value())
    }

    fn expect(source: &str, destination: &str, psid: u16) -> (String, String, u16) {
        (source.into(), destination.into(), psid)
    }

    const RFC: &str = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,\
                       ealen=16,offset=6,";

    fn rfc7597(more: &str) -> Relay {
        let rule = format!("{RFC}br=2001:db8:ffff::1{more}");
        relay(MapType::MapE, Dialect::Rfc7597, &[&rule])
    }

    fn rfc7599() -> Relay {
        let rule = format!("{RFC}dmr=2001:db8:ffff::/64");
        relay(MapType::MapT, Dialect::Rfc7597, &[&rule])
    }

    #[test]
    fn rfc7597_appendix_a_examples_2_and_3() {
        // Port 1232 = 000001 00110100 00: A 1, PSID 0x34, M 0.
        let ce = "2001:db8:12:3400:0:c000:212:34";
        let br = rfc7597("");
        let up = outer(&br, "192.0.2.18:1232", "1.2.3.4:80");
        assert_eq!(up, expect(ce, "2001:db8:ffff::1", 0x34));
        let down = outer(&br, "1.2.3.4:80", "192.0.2.18:1232");
        assert_eq!(down, expect("2001:db8:ffff::1", ce, 0x34));
        let inner = br.inner(ip(ce), ip("2001:db8:ffff::1")).unwrap();
        assert_eq!(inner.from, Some(Ipv4Addr::new(192, 0, 2, 18)));
        assert_eq!((inner.to, inner.psid.value()), (None, 0x34));
        let back = br.inner(ip("2001:db8:ffff::1"), ip(ce)).unwrap();
        assert_eq!(back.to, Some(Ipv4Addr::new(192, 0, 2, 18)));
    }

    #[test]
    fn rfc7599_appendix_a_examples_2_and_3() {
        // 10.2.3.4 in a /64 (RFC 6052): bits 64 to 71 zero, then 0a 02 03 04.
        let ce = "2001:db8:12:3400:0:c000:212:34";
        let far = "2001:db8:ffff:0:a:203:400:0";
        let br = rfc7599();
        assert_eq!(
            outer(&br, "192.0.2.18:1232", "10.2.3.4:80"),
            expect(ce, far, 0x34)
        );
        assert_eq!(
            outer(&br, "10.2.3.4:80", "192.0.2.18:1232"),
            expect(far, ce, 0x34)
        );
        let inner = br.inner(ip(ce), ip(far)).unwrap();
        assert_eq!(inner.from, Some(Ipv4Addr::new(192, 0, 2, 18)));
        assert_eq!(inner.to, Some(Ipv4Addr::new(10, 2, 3, 4)));
    }

    #[test]
    fn map_t_with_ea_12_and_offset_6() {
        let rule = "ipv6prefix=3001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,\
                    ealen=12,offset=6,dmr=2001:db8:ffff::/64";
        let br = relay(MapType::MapT, Dialect::Rfc7597, &[rule]);
        // EA 12 = 8 bits of address (.18 = 0x12) and 4 of PSID. Port 1089 =
        // 0x441 = 000001 0001 000001: A 1, PSID 1, M 1. Prefix bits 40 to 51
        // are 0x12 and 1: 3001:db8:0012:1000::/52; identifier 0000, c000
        // 0212, 0001. 11.11.11.11 = 0b0b0b0b from bit 72 of the DMR.
        assert_eq!(
            outer(&br, "192.0.2.18:1089", "11.11.11.11:8000"),
            expect(
                "3001:db8:12:1000:0:c000:212:1",
                "2001:db8:ffff:0:b:b0b:b00:0",
                1
            )
        );
        assert_eq!(
            outer(&br, "11.11.11.11:8000", "192.0.2.18:1089").1,
            "3001:db8:12:1000:0:c000:212:1"
        );
    }

    #[test]
    fn map_e_with_the_br_inside_the_rule_prefix() {
        let rule = "ipv6prefix=2001:db8:1012::,prefix6len=48,ipv4prefix=192.0.2.0,prefix4len=24,\
                    ealen=16,offset=4,br=2001:db8:1012:1234::10";
        let br = relay(MapType::MapE, Dialect::Rfc7597, &[rule]);
        // EA 16 = .18 (0x12) and 8 bits of PSID. Port 21317 = 0x5345: A 5,
        // PSID 0x34, M 5. Prefix bits 48 to 63: 1234; so this CE and the BR
        // share a /64 and differ in the identifier alone.
        let ce = "2001:db8:1012:1234:0:c000:212:34";
        assert_eq!(
            outer(&br, "192.0.2.18:21317", "203.0.113.9:443"),
            expect(ce, "2001:db8:1012:1234::10", 0x34)
        );
        let inner = br.inner(ip(ce), ip("2001:db8:1012:1234::10")).unwrap();
        assert_eq!(inner.from, Some(Ipv4Addr::new(192, 0, 2, 18)));
        assert_eq!(inner.to, None);
    }

    #[test]
    fn spoofed_sources_are_told() {
        let br = rfc7597("");
        let ce = ip("2001:db8:12:3400:0:c000:212:34");
        assert_eq!(br.check_source(ce, at("192.0.2.18:1232")), Ok(()));
        // Port 1236 = 000001 00110101 00 has PSID 0x35: the neighbour's.
        let says = br.check_source(ce, at("192.0.2.18:1236")).unwrap_err();
        assert_eq!(
            says.to_string(),
            "spoofed: 192.0.2.18:1236 must come from 2001:db8:12:3500:0:c000:212:35, \
             not from 2001:db8:12:3400:0:c000:212:34"
        );
        let system = br.check_source(ce, at("192.0.2.18:80")).unwrap_err();
        assert_eq!(
            system.to_string(),
            "port 80 belongs to no CE: with PSID offset 6 ports below 1024 are nobody's"
        );
        let foreign = br.check_source(ce, at("198.51.100.1:1232")).unwrap_err();
        assert!(matches!(foreign, FlowError::NoCe(..)), "{foreign}");
    }

    #[test]
    fn an_address_that_contradicts_itself() {
        let br = rfc7597("");
        let to = ip("2001:db8:ffff::1");
        let says = |from: &str| br.inner(ip(from), to).unwrap_err().to_string();
        // The identifier claims PSID 0x35 under the prefix of PSID 0x34.
        assert_eq!(
            says("2001:db8:12:3400:0:c000:212:35"),
            "2001:db8:12:3400:0:c000:212:35 is not what a CE there uses: its prefix makes it \
             2001:db8:12:3400:0:c000:212:34"
        );
        assert!(says("2001:db8:12:3400:c0:2:1200:3400").contains("as draft-03 has it"));
        // Subnet 1 of the /56.
        assert!(says("2001:db8:12:3401:0:c000:212:34").contains("is not what a CE there uses"));
        assert!(says("2001:db9::1").contains("neither under a rule"));
        assert!(says("2001:db8:ffff::1").contains("belongs to a CE"));
    }

    #[test]
    fn draft_03_and_mesh() {
        let rule = "ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,\
                    ealen=25,offset=4,br=2404:9200:225:100::64";
        let hub = relay(MapType::MapE, Dialect::Draft03, &[rule]);
        // 106.72.0.1 port 4128 = 0x1020: A 1, PSID 2, M 0.
        let ce = "240b:10:1:200:6a:4800:100:200";
        let to_ce = ("106.72.0.1:4128", "106.72.0.2:4144");
        assert_eq!(
            outer(&hub, to_ce.0, to_ce.1),
            expect(ce, "2404:9200:225:100::64", 2)
        );
        let mesh = relay(MapType::MapE, Dialect::Draft03, &[&format!("{rule},fmr")]);
        // 106.72.0.2 port 4144 = 0x1030: PSID 3.
        assert_eq!(
            outer(&mesh, to_ce.0, to_ce.1),
            expect(ce, "240b:10:2:300:6a:4800:200:300", 2)
        );
    }

    #[test]
    fn lw4o6_and_what_is_missing() {
        // PSID 0x28 left-justified in 16 bits.
        let binding = "ipv6prefix=2001:db8:1::,prefix6len=64,ipv4prefix=198.51.100.59,\
                       psidlen=8,psid=0x2800,br=2001:db8:ffff::1";
        let br = relay(MapType::Lw4o6, Dialect::Rfc7597, &[binding]);
        let up = br
            .outer(at("198.51.100.59:10300"), at("1.2.3.4:80"))
            .unwrap();
        assert_eq!(up.psid.value(), 0x28);
        let other = br.outer(at("198.51.100.59:5000"), at("1.2.3.4:80"));
        assert_eq!(
            other.unwrap_err().to_string(),
            "port 5000 has PSID 19, the rule is for PSID 40"
        );
        let none = relay(MapType::MapE, Dialect::Rfc7597, &[RFC]);
        let error = none.outer(at("192.0.2.18:1232"), at("1.2.3.4:80"));
        assert_eq!(error, Err(FlowError::NoBorder));
    }
}
