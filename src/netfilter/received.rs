// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel says, read from bytes that need not come from the kernel:
//! how the readers of this room are put to the test.

use ipnet::Ipv4Net;

use super::chains::{Chain, chain};
use super::conntrack::{Connection, connection, handle};
use super::counters::{counter, failed_inserts};
use super::netlink::entries;

/// What can be understood of one buffer full of netlink messages, each taken
/// for an answer to every question that is ever asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// Connections that use one of the addresses.
    pub connections: Vec<Connection>,
    /// Chains of nftables.
    pub chains: Vec<Chain>,
    /// Counters of the table, with their packets.
    pub counters: Vec<(String, u64)>,
    /// Attributes that would name connections to forget.
    pub handles: usize,
    /// Whether the kernel said that this is all, or that it cannot be had.
    pub ended: bool,
}

impl Received {
    /// Reads `bytes` as what was received, looking for connections of
    /// `networks` and counters of `table`.
    pub fn read(bytes: &[u8], networks: &[Ipv4Net], table: &str) -> Self {
        let mut received = Received::default();
        let end = entries(bytes, &mut |message| {
            let mut networks = networks.iter();
            let found = networks.find_map(|network| connection(message, *network));
            received.connections.extend(found);
            received.chains.extend(chain("inet", message));
            let found = counter(message, table);
            let owned = found.map(|(name, packets)| (name.to_owned(), packets));
            received.counters.extend(owned);
            received.handles += handle(message).len();
        });
        received.ended = end.is_some();
        received
    }

    /// Failed inserts of all processors in the text of
    /// `/proc/net/stat/nf_conntrack`.
    pub fn failed_inserts(statistics: &str) -> u64 {
        failed_inserts(statistics)
    }
}
