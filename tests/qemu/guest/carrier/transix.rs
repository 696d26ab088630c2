// SPDX-License-Identifier: GPL-2.0-or-later
//! A line of transix, whose prefixes the provider table knows as DS-Lite.

use super::dns::Resolver;
use super::softwire::Softwire;
use super::{AFTR, RESOLVER};
use crate::Result;
use crate::guest::router::Router;
use crate::guest::topology::Topology;

/// The prefix of a subscriber, a /56.
pub const PREFIX: &str = "2409:10:a040:1c00::";
/// The address that every router has inside a DS-Lite tunnel.
pub const ADDRESS: &str = "192.0.0.2";
/// The only name that leads to the AFTR.
const AFTR_NAME: &str = "gw.transix.jp";

/// The line's resolver, which knows the AFTR.
pub fn resolver(net: &Topology) -> Result<Resolver> {
    let resolver = Resolver::start(&net.acc, RESOLVER)?;
    resolver.set(|zone| drop(zone.names.insert(AFTR_NAME.to_owned(), vec![AFTR])));
    Ok(resolver)
}

/// The provider makes the subscriber one of transix; returns when the router has
/// followed.
pub fn take_over(net: &Topology, router: &Router) -> Result<()> {
    let prefix = format!("{PREFIX}/56");
    let subscriber = prefix.parse().map_err(|e| format!("{prefix}: {e}"))?;
    let aftr = Softwire::DsLite {
        aftr: AFTR,
        subscriber,
    };
    aftr.open(net)?;
    net.route_to_subscriber(&prefix)?;
    router.delegate(&net.ce, Some((PREFIX, 56)))?;
    router.until_address(ADDRESS)
}
