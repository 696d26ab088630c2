// SPDX-License-Identifier: GPL-2.0-or-later
//! Connections of a tunnel that flow tables must leave alone.
//!
//! From Linux 7.0 on a flow table (software flow offloading) looks through a
//! tunnel device to the one below, and sends what follows from there. With IPv4
//! in IPv6 nothing of it arrives (seen with 7.2), and kernels that come to do
//! it right still go around the edge map. So on these kernels the connections
//! of our tunnels stay on the usual path.
//!
//! The rule of firewall4 that fills the flow table is not ours to change. But
//! the kernel takes no connection that has room for a helper into one, and an
//! object of the kind `ct expectation` makes that room. It is to hold no
//! expectation, so nothing else comes of it. nft takes a size of 0 for a
//! missing one; the kernel does not, so it is told directly, as with the
//! [guard](super::guard).

use std::fs;
use std::io;

use super::batch::{
    APPEND, CREATE, DELETE_TABLE, IIFNAME, IP, Message, NEW_CHAIN, NEW_OBJECT, NEW_RULE, NEW_TABLE,
    OIFNAME, carry_out, device_name,
};
use super::chains::chains;
use super::netlink::Attr;
use super::netlink::Attr::{Be32, Bytes, Nest, Text};
use crate::nat::names::exempt_table;

/// At `NF_INET_FORWARD`, where all that flow tables could take comes by,
/// before firewall4's rule.
const CHAIN: &[Attr<'_>] = &[
    Text(3, "forward"),
    Nest(4, &[Be32(1, 2), Be32(2, (-160i32).cast_unsigned())]),
    Text(7, "filter"),
];

/// `NFT_OBJECT_CT_EXPECT`.
const CT_EXPECT: u32 = 9;

/// Protocol (UDP), port and timeout have to be given, and count for nothing with
/// a size of 0.
const OBJECT: &[Attr<'_>] = &[
    Text(2, "slow"),
    Be32(3, CT_EXPECT),
    Nest(
        4,
        &[
            Bytes(1, &[0, IP]),
            Bytes(2, &[17]),
            Bytes(3, &[0, 9]),
            Bytes(4, &[1, 0, 0, 0]),
            Bytes(5, &[0]),
        ],
    ),
];

const REFERENCE: &[Attr<'_>] = &[
    Text(1, "objref"),
    Nest(2, &[Be32(1, CT_EXPECT), Text(2, "slow")]),
];

/// The kernel's release, if its flow tables look through tunnels.
pub fn looks_through_tunnels() -> Option<String> {
    // The kernel that netlink speaks to, whichever root the files have.
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let release = release.trim();
    let major: u16 = release.split('.').next()?.parse().ok()?;
    (major >= 7).then(|| release.to_owned())
}

/// Whether what [`put_up`] made is there. `false` also if the kernel does not
/// answer.
pub fn stands(interface: &str) -> bool {
    let table = exempt_table(interface);
    chains().is_ok_and(|all| all.iter().any(|chain| chain.table == table))
}

/// From now on no new connection through `device` gets into a flow table. Both
/// names must be plain; the caller has checked them.
///
/// # Errors
/// What the kernel says.
pub fn put_up(interface: &str, device: &str) -> io::Result<()> {
    let name = device_name(device);
    let equal = [Be32(1, 1), Be32(2, 0), Nest(3, &[Bytes(1, &name)])];
    let is_it = [Text(1, "cmp"), Nest(2, &equal)];
    let [inward, outward] =
        [IIFNAME, OIFNAME].map(|name| [Nest(1, name), Nest(1, &is_it), Nest(1, REFERENCE)]);
    let [inward, outward] =
        [&inward, &outward].map(|expressions| [Text(2, "forward"), Nest(4, expressions)]);
    let table = exempt_table(interface);
    let new = |kind, flags, attributes| Message {
        kind,
        flags,
        family: IP,
        table: &table,
        attributes,
    };
    carry_out(&[
        // In place of the one before.
        new(NEW_TABLE, CREATE, &[]),
        new(DELETE_TABLE, 0, &[]),
        new(NEW_TABLE, CREATE, &[]),
        new(NEW_CHAIN, CREATE, CHAIN),
        new(NEW_OBJECT, CREATE, OBJECT),
        new(NEW_RULE, CREATE | APPEND, &inward),
        new(NEW_RULE, CREATE | APPEND, &outward),
    ])
}
