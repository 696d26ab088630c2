// SPDX-License-Identifier: GPL-2.0-or-later
//! The guard: nothing leaves a tunnel device before its rules are loaded.
//!
//! netifd makes the device and its default route in one step, and rules of the
//! netdev family can only be loaded for a device that exists. In between a
//! packet would leave with the port it has inside. A table of its own with one
//! rule prevents that; the transaction that loads the real rules deletes it.
//!
//! Said to the kernel directly, over nfnetlink: one socket, one message, no
//! child process. Numbers and layouts are those of
//! `linux/netfilter/nf_tables.h`; attributes are in network byte order.

use std::io;

use super::netlink::Attr::{Be32, Bytes, Nest, Text};
use super::netlink::{ACK, Attr, Netfilter, REQUEST, put_message};

const NEW_TABLE: u16 = 0;
const NEW_CHAIN: u16 = 3;
const NEW_RULE: u16 = 6;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;

/// `NFNL_SUBSYS_NFTABLES`, high byte of the type of each message.
const SUBSYSTEM: u16 = 10;
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;

/// `NFPROTO_INET`.
const INET: u8 = 1;
/// `NF_INET_POST_ROUTING`.
const POSTROUTING: u32 = 4;
/// After source translation, so that connections of other devices are not
/// looked at twice; before anything that could let a packet go.
const PRIORITY: u32 = 110;

/// Name of the guard's table for an interface.
pub fn table(interface: &str) -> String {
    format!("mape_guard_{interface}")
}

/// Text for nft that deletes the guard whether or not it stands.
pub fn removal(interface: &str) -> String {
    let table = table(interface);
    format!("add table inet {table}\ndelete table inet {table}\n")
}

/// Puts up the guard: from now on nothing leaves through `device`, which need
/// not exist yet. Both names must be plain; the caller has checked them.
///
/// # Errors
/// What the kernel says, such as that it has no nf_tables.
pub fn put_up(interface: &str, device: &str) -> io::Result<()> {
    let netfilter = Netfilter::open()?;
    netfilter.send(&batch(&table(interface), device))?;
    // An error anywhere in the batch takes all of it back, and each message
    // that asked for one gets an answer.
    netfilter.acknowledged(3)
}

/// Table, chain and rule as one batch.
fn batch(table: &str, device: &str) -> Vec<u8> {
    /// `NFT_META_OIFNAME`.
    const OIFNAME: u32 = 7;
    // `oifname DEVICE`: all 16 bytes are compared.
    let mut name = [0u8; 16];
    for (to, from) in name.iter_mut().take(15).zip(device.bytes()) {
        *to = from;
    }
    let chain = [
        Text(1, table),
        Text(3, "guard"),
        Nest(4, &[Be32(1, POSTROUTING), Be32(2, PRIORITY)]),
        Text(7, "filter"),
    ];
    let rule = [
        Text(1, table),
        Text(2, "guard"),
        Nest(
            4,
            &[
                Nest(
                    1,
                    &[Text(1, "meta"), Nest(2, &[Be32(1, 1), Be32(2, OIFNAME)])],
                ),
                Nest(
                    1,
                    &[
                        Text(1, "cmp"),
                        Nest(2, &[Be32(1, 1), Be32(2, 0), Nest(3, &[Bytes(1, &name)])]),
                    ],
                ),
                Nest(1, &[Text(1, "counter"), Nest(2, &[])]),
                // An immediate verdict of 0 is `drop`.
                Nest(
                    1,
                    &[
                        Text(1, "immediate"),
                        Nest(2, &[Be32(1, 0), Nest(2, &[Nest(2, &[Be32(1, 0)])])]),
                    ],
                ),
            ],
        ),
    ];
    let steps: [(u16, u16, &[Attr<'_>]); 3] = [
        (NEW_TABLE, CREATE, &[Text(1, table)]),
        (NEW_CHAIN, CREATE, &chain),
        (NEW_RULE, CREATE | APPEND, &rule),
    ];
    let mut out = Vec::new();
    put_message(&mut out, BATCH_BEGIN, REQUEST, 0, SUBSYSTEM, &[]);
    for (kind, flags, attributes) in steps {
        let (kind, flags) = (kind | SUBSYSTEM << 8, REQUEST | ACK | flags);
        put_message(&mut out, kind, flags, INET, 0, attributes);
    }
    put_message(&mut out, BATCH_END, REQUEST, 0, SUBSYSTEM, &[]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_whole_and_aligned() {
        let bytes = batch("mape_guard_wan", "map-wan");
        let mut rest = bytes.as_slice();
        let mut kinds = Vec::new();
        while !rest.is_empty() {
            let len = u32::from_ne_bytes(rest[..4].try_into().unwrap()) as usize;
            assert_eq!(len % 4, 0);
            kinds.push(u16::from_ne_bytes(rest[4..6].try_into().unwrap()));
            rest = &rest[len..];
        }
        assert_eq!(kinds, [0x10, 0xa00, 0xa03, 0xa06, 0x11]);
    }
}
