// SPDX-License-Identifier: GPL-2.0-or-later
//! Removing what was loaded, over nfnetlink: no child process, so that it works
//! where nft hangs or has been uninstalled, and within the time a teardown has.

use std::io;

use nix::errno::Errno;

use super::netlink::{ACK, Netfilter, REQUEST, message, text};
use super::{guard, plan};

const DELETE_TABLE: u16 = 2;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;

/// `NFNL_SUBSYS_NFTABLES`, high byte of the type of each message.
const SUBSYSTEM: u16 = 10;

/// `NFPROTO_INET`.
const INET: u8 = 1;
/// `NFPROTO_NETDEV`.
const NETDEV: u8 = 5;

/// Deletes every table of `interface` with all that is in it, and its guard.
/// Tables that are not there are no error, nor is a kernel that has none.
///
/// # Errors
/// What the kernel says; the other tables are deleted all the same.
pub fn remove(interface: &str) -> io::Result<()> {
    let table = plan::table_of(interface);
    [
        delete(NETDEV, &table),
        delete(INET, &table),
        delete(INET, &guard::table(interface)),
    ]
    .into_iter()
    .collect()
}

fn delete(family: u8, table: &str) -> io::Result<()> {
    let batch = [
        message(BATCH_BEGIN, REQUEST, 0, SUBSYSTEM, &[]),
        message(
            DELETE_TABLE | SUBSYSTEM << 8,
            REQUEST | ACK,
            family,
            0,
            &text(1, table),
        ),
        message(BATCH_END, REQUEST, 0, SUBSYSTEM, &[]),
    ]
    .concat();
    let deleted = Netfilter::open().and_then(|netfilter| {
        netfilter.send(&batch)?;
        netfilter.acknowledged(1)
    });
    match deleted {
        Err(error) if is_absence(&error) => Ok(()),
        other => other,
    }
}

/// No such table; no such family; no nf_tables; no nfnetlink.
fn is_absence(error: &io::Error) -> bool {
    let absent = [
        Errno::ENOENT,
        Errno::EAFNOSUPPORT,
        Errno::EOPNOTSUPP,
        Errno::EPROTONOSUPPORT,
    ];
    let errno = error.raw_os_error().map(Errno::from_raw);
    errno.is_some_and(|errno| absent.contains(&errno))
}
