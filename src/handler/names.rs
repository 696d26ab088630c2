// SPDX-License-Identifier: GPL-2.0-or-later
//! Names that only the resolvers of an uplink know.

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::endpoint::DnsName;
use crate::provision::{self, resolve::aaaa};

/// Longest time for the resolvers of an uplink while an interface waits for
/// them: a lost datagram is sent again.
pub const SETUP_PATIENCE: Duration = Duration::from_secs(8);

/// Longest time for them while a person waits.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The IPv6 addresses of a name, from the resolvers of an uplink on `device`.
/// `source` is an address of the uplink: of several lines the question takes
/// the one that it belongs to.
///
/// # Errors
/// There are none, and why.
pub fn resolve(
    name: &DnsName,
    resolvers: &[Ipv6Addr],
    source: Option<Ipv6Addr>,
    device: Option<&str>,
    patience: Duration,
) -> Result<Vec<Ipv6Addr>, String> {
    let uplink = provision::Uplink {
        patience,
        ..provision::Uplink::new(resolvers, source, device)
    };
    aaaa(name, &uplink).map_err(|error| error.to_string())
}
