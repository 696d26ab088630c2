// SPDX-License-Identifier: GPL-2.0-or-later
//! Removing what was loaded, over nfnetlink: no child process, so that it works
//! if nft hangs or has been uninstalled, and within the time a teardown has.

use std::io;

use nix::errno::Errno;

use super::batch::{DELETE_TABLE, INET, IP, IP6, Message, NETDEV, carry_out};
use crate::nat::names;

/// Deletes every table of `interface` with all that is in it, its guard and its
/// exemption from flow tables. Tables that are not there are no error, nor is a
/// kernel that has none.
///
/// # Errors
/// What the kernel says; the other tables are deleted all the same.
pub fn remove(interface: &str) -> io::Result<()> {
    let table = names::table(interface);
    let guard = names::guard_table(interface);
    let delete = |family, table| Message {
        kind: DELETE_TABLE,
        flags: 0,
        family,
        table,
        attributes: &[],
    };
    let tables = [NETDEV, IP, IP6].map(|family| delete(family, &table));
    // All at once as a rule: the kernel takes its time for each batch.
    let mut removed = carry_out(&tables);
    if removed.is_err() {
        removed = Ok(());
        for table in tables {
            removed = removed.and(is_gone(carry_out(&[table])));
        }
    }
    let exempt = names::exempt_table(interface);
    removed
        .and(is_gone(carry_out(&[delete(INET, &guard)])))
        .and(is_gone(carry_out(&[delete(IP, &exempt)])))
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
