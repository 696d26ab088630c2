// SPDX-License-Identifier: GPL-2.0-or-later
//! What a provider has for lines without MAP: the far ends of DS-Lite and of
//! IPIP, resolvers, and the servers that a router asks.

pub mod dns;
pub mod softwire;

use ipnet::Ipv4Net;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The line's resolver.
pub const RESOLVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0x53, 0, 0, 0, 0x53);
pub const AFTR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x101);
pub const AFTR_NAME: &str = "aftr.lab.example";
/// The BR of lines with a fixed address.
pub const BR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x102);
/// A fixed block, whose first address hosts share.
pub const FIXED: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 8), 29);
/// The interface identifier of a CE with a fixed address.
const FIXED_ID: u128 = 0xfeed;

/// The address that a CE with a fixed address has in `prefix`.
pub fn fixed_ce(prefix: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(prefix.to_bits() | FIXED_ID)
}
