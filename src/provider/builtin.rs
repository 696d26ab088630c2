// SPDX-License-Identifier: GPL-2.0-or-later
//! The table as it was when the program was built, for the day its file is
//! missing or broken. `build.rs` makes it of that very file.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::fingerprint::fingerprint;
use crate::map::{Border, Dialect, MapType};

use super::known::{Confidence, EncapLimit, KnownRule, OtherLine, Provider};
use super::table::Table;

/// A provider of MAP-E rules in 16 bytes each.
struct Packed {
    id: &'static str,
    name: &'static str,
    draft_03: bool,
    offset: u8,
    mtu: u16,
    mesh: bool,
    /// The first is the provider's, the others are some rules' own.
    brs: &'static [u128],
    rules: &'static [PackedRule],
}

struct PackedRule {
    /// First 64 bits of the rule IPv6 prefix.
    ipv6: u64,
    ipv4: u32,
    ipv6_len: u8,
    ipv4_len: u8,
    ea_len: u8,
    /// Index of the BR times 4, plus the confidence.
    br_and_confidence: u8,
}

struct PackedLine {
    id: &'static str,
    name: &'static str,
    advice: &'static str,
    /// First 64 bits, and length.
    prefixes: &'static [(u64, u8)],
}

include!(concat!(env!("OUT_DIR"), "/providers.rs"));

impl Table {
    /// The compiled-in table.
    pub fn builtin() -> Table {
        let mut table = Table::default();
        for packed in PROVIDERS {
            table.providers.push(packed.unpack());
        }
        for packed in OTHERS {
            table.others.push(packed.unpack());
        }
        table
    }
}

/// Whether `text` is the very file that was packed.
pub(super) fn is_packed(text: &str) -> bool {
    text.len() == FILE_LEN && fingerprint(&[text]) == FILE_FINGERPRINT
}

impl Packed {
    fn unpack(&self) -> Provider {
        let mut rules = Vec::with_capacity(self.rules.len());
        for rule in self.rules {
            rules.extend(rule.unpack(self));
        }
        Provider {
            id: self.id.into(),
            name: self.name.into(),
            map_type: MapType::MapE,
            dialect: if self.draft_03 {
                Dialect::Draft03
            } else {
                Dialect::Rfc7597
            },
            offset: Some(self.offset),
            border: self.br(0),
            mtu: (self.mtu > 0).then_some(self.mtu),
            encap_limit: EncapLimit::Ignore,
            mesh: self.mesh,
            rules,
        }
    }

    fn br(&self, at: usize) -> Option<Border> {
        let bits = self.brs.get(at)?;
        Some(Border::Br(Ipv6Addr::from_bits(*bits)))
    }
}

impl PackedRule {
    fn unpack(&self, provider: &Packed) -> Option<KnownRule> {
        let br = usize::from(self.br_and_confidence >> 2);
        Some(KnownRule {
            ipv6: ipv6_net(self.ipv6, self.ipv6_len)?,
            ipv4: Ipv4Net::new(Ipv4Addr::from_bits(self.ipv4), self.ipv4_len).ok()?,
            ea_len: self.ea_len,
            offset: None,
            border: if br == 0 { None } else { provider.br(br) },
            confidence: match self.br_and_confidence & 3 {
                0 => Confidence::High,
                1 => Confidence::Medium,
                _ => Confidence::Unverified,
            },
        })
    }
}

impl PackedLine {
    fn unpack(&self) -> OtherLine {
        let mut prefixes = Vec::with_capacity(self.prefixes.len());
        for &(high, len) in self.prefixes {
            prefixes.extend(ipv6_net(high, len));
        }
        OtherLine {
            id: self.id.into(),
            name: self.name.into(),
            advice: self.advice.into(),
            prefixes,
        }
    }
}

fn ipv6_net(high: u64, len: u8) -> Option<Ipv6Net> {
    Ipv6Net::new(Ipv6Addr::from_bits(u128::from(high) << 64), len).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is compiled in is what the file says, entry by entry.
    #[test]
    fn equals_the_packaged_file() {
        let text = include_str!("../../files/usr/share/mape/providers.json");
        let (mut table, warnings) = Table::parse(text, "providers.json");
        assert_eq!(warnings, []);
        // Packed by name.
        table.providers.sort_by(|a, b| a.id.cmp(&b.id));
        table.others.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(Table::builtin(), table);
        assert_eq!(table.rule_count(), 4 + 258 + 160 + 18);
    }

    #[test]
    fn knows_the_file_it_was_packed_from() {
        let text = include_str!("../../files/usr/share/mape/providers.json");
        assert!(is_packed(text));
        assert!(!is_packed(&text.replacen("106.72.0.0", "106.72.0.1", 1)));
        assert!(!is_packed(&format!("{text}\n")));
    }
}
