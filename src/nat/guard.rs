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

use super::netlink::{ACK, Netfilter, REQUEST, attribute, be32, message, nest, text};

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
    let name = text(1, table);
    let chain = [
        name.clone(),
        text(3, "guard"),
        nest(4, &[be32(1, POSTROUTING), be32(2, PRIORITY)].concat()),
        text(7, "filter"),
    ];
    let rule = [
        name.clone(),
        text(2, "guard"),
        nest(4, &[leaves_by(device), counter(), drop_it()].concat()),
    ];
    [
        message(BATCH_BEGIN, REQUEST, 0, SUBSYSTEM, &[]),
        message(
            NEW_TABLE | SUBSYSTEM << 8,
            REQUEST | CREATE | ACK,
            INET,
            0,
            &name,
        ),
        message(
            NEW_CHAIN | SUBSYSTEM << 8,
            REQUEST | CREATE | ACK,
            INET,
            0,
            &chain.concat(),
        ),
        message(
            NEW_RULE | SUBSYSTEM << 8,
            REQUEST | CREATE | APPEND | ACK,
            INET,
            0,
            &rule.concat(),
        ),
        message(BATCH_END, REQUEST, 0, SUBSYSTEM, &[]),
    ]
    .concat()
}

/// `oifname DEVICE`: load the name, compare all 16 bytes of it.
fn leaves_by(device: &str) -> Vec<u8> {
    /// `NFT_META_OIFNAME`.
    const OIFNAME: u32 = 7;
    let mut name = [0u8; 16];
    for (to, from) in name.iter_mut().take(15).zip(device.bytes()) {
        *to = from;
    }
    let load = expression("meta", &[be32(1, 1), be32(2, OIFNAME)].concat());
    let value = nest(3, &attribute(1, &name));
    let compare = expression("cmp", &[be32(1, 1), be32(2, 0), value].concat());
    [load, compare].concat()
}

fn counter() -> Vec<u8> {
    expression("counter", &[])
}

/// `drop`: an immediate verdict of 0.
fn drop_it() -> Vec<u8> {
    let verdict = nest(2, &nest(2, &be32(1, 0)));
    expression("immediate", &[be32(1, 0), verdict].concat())
}

fn expression(name: &str, data: &[u8]) -> Vec<u8> {
    nest(1, &[text(1, name), nest(2, data)].concat())
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
