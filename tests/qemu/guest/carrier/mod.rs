// SPDX-License-Identifier: GPL-2.0-or-later
//! What a provider has for lines without MAP: the far ends of DS-Lite and of
//! IPIP, resolvers, and the servers that a router asks.

pub mod dns;
pub mod softwire;
pub mod tls;
pub mod transix;
pub mod web;

use ipnet::Ipv4Net;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The line's resolver.
pub const RESOLVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0x53, 0, 0, 0, 0x53);
pub const AFTR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x101);
pub const AFTR_NAME: &str = "aftr.lab.example";
/// The provisioning server.
pub const PROVISION: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0x80, 0, 0, 0, 1);
/// The TXT record that leads there.
pub const TXT: &str = "v=v6mig-1 url=http://prov.lab.example/config t=a";
/// The same, over TLS and with a certificate that is to be verified.
pub const SECURE_TXT: &str = "v=v6mig-1 url=https://prov.lab.example/config t=b";
pub const PROVISION_NAME: &str = "prov.lab.example";
/// The update server of a fixed address, under the name of a real one.
pub const UPDATE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0x80, 0, 0, 0, 2);
pub const UPDATE_NAME: &str = "fcs.enabler.ne.jp";
/// The BR of lines with a fixed address.
pub const BR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x102);
/// A fixed block, whose first address hosts share.
pub const FIXED: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 8), 29);
/// The interface identifier of a CE with a fixed address.
const FIXED_ID: u128 = 0xfeed;

/// What the provisioning server answers if nothing is wrong: DS-Lite, to be
/// asked again after an hour.
pub fn offer() -> Value {
    json!({
        "enabler_name": "Lab VNE", "service_name": "Lab DS-Lite", "ttl": 3600,
        "order": ["dslite"], "dslite": { "aftr": AFTR.to_string() },
    })
}

/// The address that a CE with a fixed address has in `prefix`.
pub fn fixed_ce(prefix: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(prefix.to_bits() | FIXED_ID)
}
