// SPDX-License-Identifier: GPL-2.0-or-later
//! nftables: chains with their places, and named counters. Numbers are those
//! of `linux/netfilter/nf_tables.h`; values are in network byte order.

use std::io;

use super::netlink::{Question, attribute, text};

/// `NFNL_SUBSYS_NFTABLES`.
const NFTABLES: u16 = 10;
const GET_CHAIN: u16 = 4;
const GET_OBJECT: u16 = 19;
/// `NFT_OBJECT_COUNTER`.
const COUNTER: u32 = 1;

/// A family of tables.
fn family(number: u8) -> &'static str {
    match number {
        1 => "inet",
        2 => "ip",
        3 => "arp",
        5 => "netdev",
        7 => "bridge",
        10 => "ip6",
        _ => "other",
    }
}

/// A chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Family of its table: `inet`, `netdev`, `ip`.
    pub family: &'static str,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// `filter`, `nat` or `route`, where the chain is at a hook.
    pub kind: Option<String>,
    /// Number of the hook and priority there; smaller ones come first.
    pub place: Option<(u32, i32)>,
}

/// A named counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Family of its table.
    pub family: &'static str,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Packets it has counted.
    pub packets: u64,
}

/// All chains of all tables.
///
/// # Errors
/// What the kernel says: only root may ask, or it has no nf_tables.
pub fn chains() -> io::Result<Vec<Chain>> {
    let mut found = Vec::new();
    let question = Question::netfilter(NFTABLES, GET_CHAIN, 0, &[]);
    question.ask(|body| found.extend(chain(body)))?;
    Ok(found)
}

fn chain(body: &[u8]) -> Option<Chain> {
    let attributes = body.get(4..)?;
    let place = attribute(attributes, 4).and_then(|hook| {
        let number = u32::from_be_bytes(*attribute(hook, 1)?.first_chunk()?);
        let priority = i32::from_be_bytes(*attribute(hook, 2)?.first_chunk()?);
        Some((number, priority))
    });
    Some(Chain {
        family: family(*body.first()?),
        table: text(attribute(attributes, 1)?),
        name: text(attribute(attributes, 3)?),
        kind: attribute(attributes, 7).map(text),
        place,
    })
}

/// All named counters of all tables.
///
/// # Errors
/// As [`chains`].
pub fn counters() -> io::Result<Vec<Counter>> {
    let mut found = Vec::new();
    let question = Question::netfilter(NFTABLES, GET_OBJECT, 0, &[]);
    question.ask(|body| found.extend(counter(body)))?;
    Ok(found)
}

fn counter(body: &[u8]) -> Option<Counter> {
    let attributes = body.get(4..)?;
    let kind = u32::from_be_bytes(*attribute(attributes, 3)?.first_chunk()?);
    if kind != COUNTER {
        return None;
    }
    let packets = attribute(attribute(attributes, 4)?, 2)?;
    Some(Counter {
        family: family(*body.first()?),
        table: text(attribute(attributes, 1)?),
        name: text(attribute(attributes, 2)?),
        packets: u64::from_be_bytes(*packets.first_chunk()?),
    })
}
