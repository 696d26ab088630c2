// SPDX-License-Identifier: GPL-2.0-or-later
//! What is loaded, and what it has counted: read from nf_tables directly.

use std::{fs, io};

use super::netlink::{Netfilter, array, find, string};
use crate::nat::Plan;
use crate::nat::names::{EXHAUSTED, NOT_BR, table};

/// `NFNL_SUBSYS_NFTABLES` as the high byte of the type of each message.
const SUBSYSTEM: u16 = 10 << 8;
const GET_CHAIN: u16 = 4;
const GET_OBJECT: u16 = 19;
/// `NFT_OBJECT_COUNTER`.
const COUNTER: u32 = 1;
/// Every family.
const UNSPEC: u8 = 0;

/// Packets counted since the rules were loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections that were given a port.
    pub translated: u64,
    /// First packets that were refused because every port was in use to their
    /// destination; `None` if nothing counts the connections.
    pub exhausted: Option<u64>,
    /// First packets that conntrack dropped, mostly because no port was free
    /// for their destination; a repeated attempt counts again. The kernel
    /// counts them for the whole router and since it was started.
    pub no_free_port: u64,
    /// Came in encapsulated by somebody who is neither BR nor a CE of the mesh.
    pub not_br: u64,
    /// Came in for an address that is not ours.
    pub not_our_address: u64,
    /// Came in for a port that is not ours, or as an ICMP error about one.
    pub not_our_port: u64,
    /// Came in without being asked for, to a port nobody has opened.
    pub unsolicited: u64,
    /// Were to leave with an address or port that is not ours.
    pub out_refused: u64,
    /// Were to leave by a protocol that has no ports; the sender was told.
    pub no_port_protocol: u64,
    /// Were to leave before the edge map was in.
    pub held_back: u64,
}

impl Counters {
    /// Reads the counters of `interface`; all 0 if nothing is loaded.
    ///
    /// # Errors
    /// The kernel has no nf_tables or does not let us.
    pub fn read(interface: &str) -> io::Result<Self> {
        let table = table(interface);
        let mut counters = Counters::default();
        Netfilter::open()?.dump(SUBSYSTEM | GET_OBJECT, UNSPEC, &[], &mut |object| {
            if let Some((name, packets)) = counter(object, &table) {
                counters.add(name, packets);
            }
        })?;
        let statistics = fs::read_to_string(STATISTICS).unwrap_or_default();
        counters.no_free_port = failed_inserts(&statistics);
        Ok(counters)
    }

    /// A name may come from both tables.
    fn add(&mut self, name: &str, packets: u64) {
        let sum = match name {
            "translated" => &mut self.translated,
            "held_back" => &mut self.held_back,
            "no_port_protocol" => &mut self.no_port_protocol,
            NOT_BR => &mut self.not_br,
            "not_our_address" => &mut self.not_our_address,
            "not_our_port" => &mut self.not_our_port,
            "out_refused" => &mut self.out_refused,
            "unsolicited" => &mut self.unsolicited,
            EXHAUSTED => self.exhausted.get_or_insert(0),
            _ => return,
        };
        *sum = sum.saturating_add(packets);
    }
}

/// What conntrack counts: a line of names, then one of hexadecimal numbers for
/// each processor.
const STATISTICS: &str = "/proc/thread-self/net/stat/nf_conntrack";

/// Sum over all processors of the connections that conntrack could not enter:
/// nf_nat lets a packet pass to it even when it has found no free port.
pub(super) fn failed_inserts(statistics: &str) -> u64 {
    let mut lines = statistics.lines();
    let names = lines.next().unwrap_or_default();
    let Some(column) = names
        .split_whitespace()
        .position(|name| name == "insert_failed")
    else {
        return 0;
    };
    lines
        .filter_map(|line| line.split_whitespace().nth(column))
        .filter_map(|digits| u64::from_str_radix(digits, 16).ok())
        .fold(0, u64::saturating_add)
}

/// Name and packets of a counter of that table.
pub(super) fn counter<'a>(object: &'a [u8], table: &str) -> Option<(&'a str, u64)> {
    const TABLE: u16 = 1;
    const NAME: u16 = 2;
    const TYPE: u16 = 3;
    const DATA: u16 = 4;
    const PACKETS: u16 = 2;
    let kind = u32::from_be_bytes(array(find(object, TYPE)?, 0)?);
    if string(find(object, TABLE)?) != table || kind != COUNTER {
        return None;
    }
    let packets = find(find(object, DATA)?, PACKETS)?;
    let packets = u64::from_be_bytes(array(packets, 0)?);
    Some((string(find(object, NAME)?), packets))
}

/// Whether exactly the rules of `plan` are in force, the edge map included.
/// `false` also if the kernel does not answer.
pub fn is_loaded(plan: &Plan) -> bool {
    let table = plan.table();
    let marker = plan.marker();
    let mut found = Vec::new();
    let asked = Netfilter::open().and_then(|netfilter| {
        netfilter.dump(SUBSYSTEM | GET_CHAIN, UNSPEC, &[], &mut |chain| {
            let name = |kind| find(chain, kind).map(string).unwrap_or_default();
            if name(1) == table {
                found.push(name(3).to_owned());
            }
        })
    });
    let has = |name: &str| found.iter().any(|chain| chain == name);
    let edge = ["egress", "ingress"];
    asked.is_ok() && has(&marker) && (!plan.has_edge() || edge.iter().all(|name| has(name)))
}

#[cfg(test)]
mod tests {
    use super::super::netlink::Attr::{Be32, Bytes, Nest, Text};
    use super::super::netlink::written;
    use super::*;

    fn object(table: &str, name: &str, packets: u64) -> Vec<u8> {
        written(&[
            Text(1, table),
            Text(2, name),
            Be32(3, COUNTER),
            Nest(4, &[Bytes(2, &packets.to_be_bytes())]),
        ])
    }

    #[test]
    fn counters_of_both_tables_add_up() {
        let mut counters = Counters::default();
        for (table, name, packets) in [
            ("mape_wan", "not_our_port", 1 << 40),
            ("mape_wan", "not_our_port", 2),
            ("mape_wan", "of a later version", 9),
            ("fw4", "not_br", 5),
        ] {
            if let Some((name, packets)) = counter(&object(table, name, packets), "mape_wan") {
                counters.add(name, packets);
            }
        }
        let expected = Counters {
            not_our_port: (1 << 40) + 2,
            ..Counters::default()
        };
        assert_eq!(counters, expected);
    }

    #[test]
    fn failures_of_all_processors() {
        let text = "entries  insert_failed drop\n00000009 0000000a 1\n00000009 00000001 1\n";
        assert_eq!(failed_inserts(text), 11);
        assert_eq!(failed_inserts("entries drop\n1 2\n"), 0);
        assert_eq!(failed_inserts(""), 0);
    }
}
