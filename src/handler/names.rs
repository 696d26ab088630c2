// SPDX-License-Identifier: GPL-2.0-or-later
//! Names that only the resolvers of an uplink know.

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::endpoint::DnsName;
use crate::provision;
use crate::provision::resolve::{ResolveError, aaaa};

/// How long the resolvers of an uplink may take while an interface waits for
/// them: enough to send a lost question again.
pub const SETUP_PATIENCE: Duration = Duration::from_secs(8);

/// How long they may take while a person waits.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The IPv6 addresses of a name, from the resolvers of an uplink on `device`.
/// `source` is an address of the uplink; if there are several lines, the
/// question leaves on the one it belongs to.
///
/// # Errors
/// Why no address was found.
pub fn resolve(
    name: &DnsName,
    resolvers: &[Ipv6Addr],
    source: Option<Ipv6Addr>,
    device: Option<&str>,
    patience: Duration,
) -> Result<Vec<Ipv6Addr>, ResolveError> {
    let uplink = provision::Uplink {
        patience,
        ..provision::Uplink::new(resolvers, source, device)
    };
    aaaa(name, &uplink)
}
