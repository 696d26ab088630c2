// SPDX-License-Identifier: GPL-2.0-or-later
//! What a CE of a line must have, computed apart from the crate under test,
//! so that a mistake of the crate cannot hide itself.

use crate::Result;
use ipnet::Ipv6Net;
use std::net::{Ipv4Addr, Ipv6Addr};

/// How the CE address carries IPv4 address and PSID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Draft03,
    Rfc7597,
}

/// A subscriber's line: the rule of its provider and the bits it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub name: &'static str,
    pub dialect: Dialect,
    rule6: Ipv6Addr,
    rule6_len: u32,
    rule4: Ipv4Addr,
    rule4_len: u32,
    ea_len: u32,
    offset: u32,
    psid_len: u32,
    ea: u128,
    pub br: Ipv6Addr,
}

/// 15 ranges of 16 ports.
pub const V6PLUS: Line = Line {
    name: "v6plus",
    dialect: Dialect::Draft03,
    rule6: Ipv6Addr::new(0x240b, 0x10, 0, 0, 0, 0, 0, 0),
    rule6_len: 31,
    rule4: Ipv4Addr::new(106, 72, 0, 0),
    rule4_len: 15,
    ea_len: 25,
    offset: 4,
    psid_len: 8,
    ea: 0xabcd34,
    br: Ipv6Addr::new(0x2404, 0x9200, 0x225, 0x100, 0, 0, 0, 0x64),
};

/// 63 ranges of 16 ports.
pub const OCN: Line = Line {
    name: "ocn",
    dialect: Dialect::Draft03,
    rule6: Ipv6Addr::new(0x2400, 0x4050, 0x8000, 0, 0, 0, 0, 0),
    rule6_len: 33,
    rule4: Ipv4Addr::new(153, 242, 0, 0),
    rule4_len: 15,
    ea_len: 23,
    offset: 6,
    psid_len: 6,
    ea: 0x2ab_cd5,
    br: Ipv6Addr::new(0x2001, 0x380, 0xa120, 0, 0, 0, 0, 9),
};

/// A domain of the standards, from prefixes for documentation: 63 ranges of 4
/// ports.
pub const LAB: Line = Line {
    name: "lab",
    dialect: Dialect::Rfc7597,
    rule6: Ipv6Addr::new(0x2001, 0xdb8, 0x1000, 0, 0, 0, 0, 0),
    rule6_len: 40,
    rule4: Ipv4Addr::new(203, 0, 113, 0),
    rule4_len: 24,
    ea_len: 16,
    offset: 6,
    psid_len: 8,
    ea: 0x12_34,
    br: Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1),
};

/// A domain that a provisioning server describes: 15 ranges of 256 ports.
pub const TOLD: Line = Line {
    name: "told",
    dialect: Dialect::Draft03,
    rule6: Ipv6Addr::new(0x2001, 0xdb8, 0x10, 0, 0, 0, 0, 0),
    rule6_len: 44,
    rule4: Ipv4Addr::new(192, 0, 2, 0),
    rule4_len: 24,
    ea_len: 12,
    offset: 4,
    psid_len: 4,
    ea: 0x0_12,
    br: LAB.br,
};

/// The lab's domain with offset 0: one range of 256 ports.
pub const ONE_RANGE: Line = Line {
    name: "one range",
    offset: 0,
    ..LAB
};

impl Line {
    /// The line of a provider everybody knows, by what `PROVIDER=` names.
    pub fn of(provider: &str) -> Result<Self> {
        match provider {
            "" | "v6plus" => Ok(V6PLUS),
            "ocn" => Ok(OCN),
            _ => Err(format!("PROVIDER={provider}: one of v6plus, ocn")),
        }
    }

    /// The same line as RFC 7597 would have it.
    pub const fn rfc(self, name: &'static str) -> Self {
        Self {
            dialect: Dialect::Rfc7597,
            name,
            ..self
        }
    }

    /// Another subscriber of the same rule.
    pub const fn subscriber(self, name: &'static str, ea: u128) -> Self {
        Self { name, ea, ..self }
    }

    /// The same subscriber with another prefix, address and PSID; twice is the
    /// first again.
    pub const fn renumbered(self) -> Self {
        Self {
            ea: self.ea ^ 0x0101,
            ..self
        }
    }

    /// Length of the end-user IPv6 prefix.
    pub fn prefix_len(&self) -> u32 {
        self.rule6_len + self.ea_len
    }

    /// The end-user IPv6 prefix.
    pub fn prefix(&self) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.rule6.to_bits() | (self.ea << (128 - self.prefix_len())))
    }

    /// The same with its length.
    pub fn network(&self) -> Ipv6Net {
        let len = u8::try_from(self.prefix_len()).unwrap_or(128);
        Ipv6Net::new_assert(self.prefix(), len)
    }

    /// The same as text.
    pub fn end_user_prefix(&self) -> String {
        self.network().to_string()
    }

    /// The CE's share of the port space.
    pub fn psid(&self) -> u16 {
        (self.ea & ((1 << self.psid_len) - 1)) as u16
    }

    /// The shared IPv4 address.
    pub fn ipv4(&self) -> Ipv4Addr {
        let suffix = (self.ea >> self.psid_len) as u32;
        Ipv4Addr::from_bits(self.rule4.to_bits() | suffix)
    }

    /// The address the tunnel of the CE starts from.
    pub fn ce_address(&self) -> Ipv6Addr {
        let v4 = u128::from(self.ipv4().to_bits());
        let psid = u128::from(self.psid());
        let interface_id = match self.dialect {
            Dialect::Draft03 => (v4 << 24) | (psid << 8),
            Dialect::Rfc7597 => (v4 << 16) | psid,
        };
        Ipv6Addr::from_bits(self.prefix().to_bits() | interface_id)
    }

    /// Whether `port` belongs to the CE: its middle bits are the PSID, and the
    /// leading ones are not all zero (RFC 7597 section 5.1).
    pub fn owns(&self, port: u16) -> bool {
        let trailing = 16 - self.offset - self.psid_len;
        let middle = (port >> trailing) & ((1 << self.psid_len) - 1);
        let has_leading = self.offset == 0 || port >> (16 - self.offset) != 0;
        middle == self.psid() && has_leading
    }

    /// All ports of the CE.
    pub fn ports(&self) -> Vec<u16> {
        (0..=u16::MAX).filter(|&port| self.owns(port)).collect()
    }

    /// The same as ranges, first and last port.
    pub fn ranges(&self) -> Vec<(u16, u16)> {
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for port in self.ports() {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(port) => *last = port,
                _ => ranges.push((port, port)),
            }
        }
        ranges
    }

    /// The rule as the stock package writes it.
    pub fn rule(&self) -> String {
        format!(
            "type=map-e,ipv6prefix={},prefix6len={},ipv4prefix={},prefix4len={},ealen={},\
psidlen={},offset={},br={}",
            self.rule6,
            self.rule6_len,
            self.rule4,
            self.rule4_len,
            self.ea_len,
            self.psid_len,
            self.offset,
            self.br
        )
    }

    /// The rule as Kea writes OPTION_S46_RULE (RFC 7598 section 4.1).
    pub fn s46_rule(&self) -> String {
        format!(
            "0, {}, {}, {}, {}/{}",
            self.ea_len, self.rule4_len, self.rule4, self.rule6, self.rule6_len
        )
    }

    /// PSID offset, and PSID with its length, as in OPTION_S46_PORTPARAMS.
    pub fn port_parameters(&self) -> (u32, u16, u32) {
        (self.offset, self.psid(), self.psid_len)
    }

    /// The rule as UCI options.
    pub fn uci(&self) -> [(&'static str, String); 8] {
        [
            ("peeraddr", self.br.to_string()),
            ("ipaddr", self.rule4.to_string()),
            ("ip4prefixlen", self.rule4_len.to_string()),
            ("ip6prefix", self.rule6.to_string()),
            ("ip6prefixlen", self.rule6_len.to_string()),
            ("ealen", self.ea_len.to_string()),
            ("psidlen", self.psid_len.to_string()),
            ("offset", self.offset.to_string()),
        ]
    }
}
