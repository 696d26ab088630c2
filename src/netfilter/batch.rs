// SPDX-License-Identifier: GPL-2.0-or-later
//! Changes of nf_tables as the kernel takes them: all of a batch or nothing.

use std::io;

use super::netlink::{ACK, Attr, Netfilter, REQUEST, put_message};

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;

/// `NFNL_SUBSYS_NFTABLES`, high byte of the type of each message.
const SUBSYSTEM: u16 = 10;

// Kinds of messages (`NFT_MSG_…`).
pub(super) const NEW_TABLE: u16 = 0;
pub(super) const DELETE_TABLE: u16 = 2;
pub(super) const NEW_CHAIN: u16 = 3;
pub(super) const NEW_RULE: u16 = 6;
pub(super) const NEW_OBJECT: u16 = 18;

// Flags of messages (`NLM_F_…`).
pub(super) const CREATE: u16 = 0x400;
pub(super) const APPEND: u16 = 0x800;

// Families of tables (`NFPROTO_…`).
pub(super) const INET: u8 = 1;
pub(super) const IP: u8 = 2;
pub(super) const NETDEV: u8 = 5;
pub(super) const IP6: u8 = 10;

/// `NFT_META_IIFNAME` into the register that is compared.
pub(super) const IIFNAME: &[Attr<'_>] = &[
    Attr::Text(1, "meta"),
    Attr::Nest(2, &[Attr::Be32(1, 1), Attr::Be32(2, 6)]),
];

/// The same of `NFT_META_OIFNAME`.
pub(super) const OIFNAME: &[Attr<'_>] = &[
    Attr::Text(1, "meta"),
    Attr::Nest(2, &[Attr::Be32(1, 1), Attr::Be32(2, 7)]),
];

/// The name of a device as it is compared: all 16 bytes.
pub(super) fn device_name(device: &str) -> [u8; 16] {
    let mut name = [0u8; 16];
    for (to, from) in name.iter_mut().take(15).zip(device.bytes()) {
        *to = from;
    }
    name
}

/// One change.
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) family: u8,
    /// The table that is changed: the first attribute of every kind.
    pub(super) table: &'a str,
    /// What comes after it.
    pub(super) attributes: &'a [Attr<'a>],
}

/// Has the kernel do all that is asked for, or nothing.
///
/// # Errors
/// What the kernel says, such as that it has no nf_tables.
pub(super) fn carry_out(batch: &[Message<'_>]) -> io::Result<()> {
    let netfilter = Netfilter::open()?;
    netfilter.send(&written(batch))?;
    // An error anywhere in the batch takes all of it back, and each message
    // that asked for one gets an answer.
    netfilter.acknowledged(batch.len())
}

fn written(batch: &[Message<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, BATCH_BEGIN, REQUEST, 0, SUBSYSTEM, &[]);
    for message in batch {
        let kind = message.kind | SUBSYSTEM << 8;
        let flags = REQUEST | ACK | message.flags;
        let mut attributes = vec![Attr::Text(1, message.table)];
        attributes.extend_from_slice(message.attributes);
        put_message(&mut out, kind, flags, message.family, 0, &attributes);
    }
    put_message(&mut out, BATCH_END, REQUEST, 0, SUBSYSTEM, &[]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_whole_and_aligned() {
        let new = |kind, attributes| Message {
            kind,
            flags: 0,
            family: 1,
            table: "mape_guard_wan",
            attributes,
        };
        let bytes = written(&[new(0, &[]), new(3, &[Attr::Text(3, "guard")])]);
        let mut rest = bytes.as_slice();
        let mut kinds = Vec::new();
        while !rest.is_empty() {
            let len = u32::from_ne_bytes(rest[..4].try_into().unwrap()) as usize;
            assert_eq!(len % 4, 0);
            kinds.push(u16::from_ne_bytes(rest[4..6].try_into().unwrap()));
            rest = &rest[len..];
        }
        assert_eq!(kinds, [0x10, 0xa00, 0xa03, 0x11]);
    }
}
