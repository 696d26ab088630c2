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

use super::batch::{
    APPEND, CREATE, INET, Message, NEW_CHAIN, NEW_RULE, NEW_TABLE, OIFNAME, carry_out, device_name,
};
use super::netlink::Attr;
use super::netlink::Attr::{Be32, Bytes, Nest, Text};
use crate::nat::names::guard_table;

/// The chain behind its table: at `NF_INET_POST_ROUTING`, after source
/// translation, so that connections of other devices are not looked at twice;
/// before anything that could let a packet go.
const CHAIN: &[Attr<'_>] = &[
    Text(3, "guard"),
    Nest(4, &[Be32(1, 4), Be32(2, 110)]),
    Text(7, "filter"),
];

const COUNTER: &[Attr<'_>] = &[Text(1, "counter"), Nest(2, &[])];

/// An immediate verdict of 0 is `drop`.
const DROP: &[Attr<'_>] = &[
    Text(1, "immediate"),
    Nest(2, &[Be32(1, 0), Nest(2, &[Nest(2, &[Be32(1, 0)])])]),
];

/// Text for nft that deletes the guard whether or not it stands.
pub fn removal(interface: &str) -> String {
    let table = guard_table(interface);
    format!("add table inet {table}\ndelete table inet {table}\n")
}

/// Puts up the guard: from now on nothing leaves through `device`, which need
/// not exist yet. Both names must be plain; the caller has checked them.
///
/// # Errors
/// What the kernel says, such as that it has no nf_tables.
pub fn put_up(interface: &str, device: &str) -> io::Result<()> {
    let name = device_name(device);
    let equal = [Be32(1, 1), Be32(2, 0), Nest(3, &[Bytes(1, &name)])];
    let is_it = [Text(1, "cmp"), Nest(2, &equal)];
    let expressions = [
        Nest(1, OIFNAME),
        Nest(1, &is_it),
        Nest(1, COUNTER),
        Nest(1, DROP),
    ];
    let rule = [Text(2, "guard"), Nest(4, &expressions)];
    let table = guard_table(interface);
    let new = |kind, flags, attributes| Message {
        kind,
        flags,
        family: INET,
        table: &table,
        attributes,
    };
    carry_out(&[
        new(NEW_TABLE, CREATE, &[]),
        new(NEW_CHAIN, CREATE, CHAIN),
        new(NEW_RULE, CREATE | APPEND, &rule),
    ])
}
