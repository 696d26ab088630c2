// SPDX-License-Identifier: GPL-2.0-or-later
//! The chains of every table, with their places: who translates before whom.

use std::io;

use super::netlink::{Netfilter, array, find, string};
use crate::nat::names::table;

/// `NFNL_SUBSYS_NFTABLES` as the high byte of the type of each message.
const SUBSYSTEM: u16 = 10 << 8;
const GET_CHAIN: u16 = 4;

/// Families with tables, and their numbers.
const FAMILIES: [(u8, &str); 6] = [
    (1, "inet"),
    (2, "ip"),
    (3, "arp"),
    (5, "netdev"),
    (7, "bridge"),
    (10, "ip6"),
];

/// A chain of nftables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Family of its table: `inet`, `netdev`, `ip`.
    pub family: &'static str,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// `filter`, `nat` or `route`, if the chain is at a hook.
    pub kind: Option<String>,
    /// Number of the hook, and priority there; lower ones come first.
    pub place: Option<(u32, i32)>,
}

impl Chain {
    /// Whether this is the chain by which the loaded rules of `interface` are
    /// recognised.
    pub fn is_marker_of(&self, interface: &str) -> bool {
        let is_marker = self.name.starts_with("rules_");
        self.family == "ip" && is_marker && self.table == table(interface)
    }

    /// Whether this is the way in of the edge map of `interface`, placed behind
    /// traffic control instead of at the device's ingress hook.
    pub fn is_way_in_behind_traffic_control(&self, interface: &str) -> bool {
        self.family == "ip" && self.name == "ingress" && self.table == table(interface)
    }
}

/// All chains of all tables.
///
/// # Errors
/// The kernel has no nf_tables or does not let us.
pub fn chains() -> io::Result<Vec<Chain>> {
    let mut found = Vec::new();
    let netfilter = Netfilter::open()?;
    for (number, family) in FAMILIES {
        netfilter.dump(SUBSYSTEM | GET_CHAIN, number, &[], &mut |attributes| {
            found.extend(chain(family, attributes));
        })?;
    }
    Ok(found)
}

pub(super) fn chain(family: &'static str, attributes: &[u8]) -> Option<Chain> {
    let text = |kind| Some(string(find(attributes, kind)?).to_owned());
    let place = find(attributes, 4).and_then(|hook| {
        let number = u32::from_be_bytes(array(find(hook, 1)?, 0)?);
        let priority = i32::from_be_bytes(array(find(hook, 2)?, 0)?);
        Some((number, priority))
    });
    Some(Chain {
        family,
        table: text(1)?,
        name: text(3)?,
        kind: text(7),
        place,
    })
}

#[cfg(test)]
mod tests {
    use super::super::netlink::Attr::{Be32, Nest, Text};
    use super::super::netlink::written;
    use super::*;

    #[test]
    fn base_chains_have_a_place_and_others_none() {
        let plain = written(&[Text(1, "fw4"), Text(3, "input_wan")]);
        let found = chain("inet", &plain).unwrap();
        assert_eq!((found.place, found.kind), (None, None));
        let hook = Nest(4, &[Be32(1, 4), Be32(2, 95)]);
        let base = [plain, written(&[hook, Text(7, "nat")])].concat();
        let found = chain("inet", &base).unwrap();
        assert_eq!((found.table.as_str(), found.place), ("fw4", Some((4, 95))));
        assert_eq!(found.kind.as_deref(), Some("nat"));
        for cut in 0..20 {
            assert_eq!(chain("inet", &base[..cut]), None, "{cut}");
        }
    }
}
