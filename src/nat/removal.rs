// SPDX-License-Identifier: GPL-2.0-or-later
//! Removing what was loaded, over nfnetlink: no child process, so that it works
//! where nft hangs or has been uninstalled, and within the time a teardown has.

use std::io;

use nix::errno::Errno;

use super::netlink::{ACK, Attr, Netfilter, REQUEST, put_message};
use super::{guard, plan};

const DELETE_TABLE: u16 = 2;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;

/// `NFNL_SUBSYS_NFTABLES`, high byte of the type of each message.
const SUBSYSTEM: u16 = 10;

/// `NFPROTO_INET`.
const INET: u8 = 1;
/// `NFPROTO_IPV4`.
const IP: u8 = 2;
/// `NFPROTO_IPV6`.
const IP6: u8 = 10;
/// `NFPROTO_NETDEV`.
const NETDEV: u8 = 5;

/// Deletes every table of `interface` with all that is in it, and its guard.
/// Tables that are not there are no error, nor is a kernel that has none.
///
/// # Errors
/// What the kernel says; the other tables are deleted all the same.
pub fn remove(interface: &str) -> io::Result<()> {
    let table = plan::table_of(interface);
    let guard = guard::table(interface);
    let tables = [NETDEV, IP, IP6].map(|family| (family, table.as_str()));
    // All at once as a rule: the kernel takes its time for each batch.
    let mut removed = delete(&tables);
    if removed.is_err() {
        removed = Ok(());
        for table in &tables {
            removed = removed.and(is_gone(delete(std::slice::from_ref(table))));
        }
    }
    removed.and(is_gone(delete(&[(INET, &guard)])))
}

/// Deletes these tables, all or none.
fn delete(tables: &[(u8, &str)]) -> io::Result<()> {
    let mut batch = Vec::new();
    put_message(&mut batch, BATCH_BEGIN, REQUEST, 0, SUBSYSTEM, &[]);
    for (family, table) in tables {
        let kind = DELETE_TABLE | SUBSYSTEM << 8;
        let name = [Attr::Text(1, table)];
        put_message(&mut batch, kind, REQUEST | ACK, *family, 0, &name);
    }
    put_message(&mut batch, BATCH_END, REQUEST, 0, SUBSYSTEM, &[]);
    let netfilter = Netfilter::open()?;
    netfilter.send(&batch)?;
    netfilter.acknowledged(tables.len())
}

fn is_gone(deleted: io::Result<()>) -> io::Result<()> {
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
