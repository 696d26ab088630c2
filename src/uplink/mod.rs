// SPDX-License-Identifier: GPL-2.0-or-later
//! The uplink as netifd describes it, and the end-user IPv6 prefixes it
//! offers.
//!
//! Input is the answer of `network.interface dump`; nothing is asked for here.
//! A line that gets a delegated prefix, one whose prefix was typed into the
//! configuration, and one that only hears router advertisements all come out
//! as [`Candidate`]s, best first.

mod candidate;
mod dump;
mod error;
mod find;

use std::net::Ipv6Addr;

use crate::netifd::Dump;

pub use candidate::{Candidate, Source, Uplink};
pub use dump::addresses;
pub use error::UplinkError;
pub use find::find;

/// Whether interface `name` is there with `address`.
pub fn has_address(dump: &Dump, name: &str, address: Ipv6Addr) -> bool {
    let found = dump.find(name);
    found.is_some_and(|found| found.ipv6.iter().any(|entry| entry.address == address))
}
