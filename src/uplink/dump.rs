// SPDX-License-Identifier: GPL-2.0-or-later
//! One interface of `network.interface dump`, as far as it matters here.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::Ipv6Net;

use super::candidate::{Candidate, Source};
use crate::netifd::{self, Ipv6Entry};

/// An interface with the prefixes it offers, best first.
pub(super) struct Interface<'a> {
    pub(super) known: &'a netifd::Interface,
    pub(super) has_default_route: bool,
    pub(super) candidates: Vec<Candidate>,
    pub(super) addresses: Vec<Ipv6Addr>,
}

/// What can be a prefix or an address of a CE; host bits stay.
fn net(entry: &Ipv6Entry) -> Option<Ipv6Net> {
    let address = entry.address;
    let unusable = address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unicast_link_local();
    match unusable {
        true => None,
        false => Ipv6Net::new(address, entry.len).ok(),
    }
}

/// Its preferred lifetime is over. netifd leaves out what never ends.
fn is_deprecated(entry: &Ipv6Entry) -> bool {
    entry.preferred == Some(0)
}

/// The global addresses of an interface, preferred ones first.
pub fn addresses(known: &netifd::Interface) -> Vec<Ipv6Addr> {
    let (deprecated, preferred): (Vec<_>, Vec<_>) =
        known.ipv6.iter().partition(|entry| is_deprecated(entry));
    let all = preferred.into_iter().chain(deprecated);
    all.filter_map(net).map(|net| net.addr()).collect()
}

impl<'a> Interface<'a> {
    pub(super) fn new(known: &'a netifd::Interface) -> Self {
        let default = (IpAddr::from(Ipv6Addr::UNSPECIFIED), 0);
        let mut interface = Interface {
            known,
            has_default_route: known.routes.contains(&default),
            candidates: Vec::new(),
            addresses: addresses(known),
        };
        for entry in &known.prefixes {
            if let Some(net) = net(entry).filter(|net| net.prefix_len() <= 64) {
                interface.offer(net, interface.source_of(entry), is_deprecated(entry));
            }
        }
        for entry in &known.ipv6 {
            // An address of its own (/128, as DHCPv6 assigns them) says
            // nothing about the prefix it was taken from.
            if let Some(net) = net(entry).filter(|net| net.prefix_len() <= 64)
                && let Ok(on_link) = Ipv6Net::new(net.addr(), 64)
            {
                interface.offer(on_link, Source::OnLink, is_deprecated(entry));
            }
        }
        interface.find_stale();
        interface
            .candidates
            .sort_by_key(|c| (c.deprecated, c.stale, c.source));
        interface
    }

    /// After a renumbering, a prefix that somebody typed into the
    /// configuration of the uplink is not what the line has any more. On a
    /// `static` interface nothing is heard from the line.
    fn find_stale(&mut self) {
        let heard: Vec<Ipv6Net> = self
            .candidates
            .iter()
            .filter(|c| !c.deprecated && c.source != Source::Ip6Prefix)
            .map(|c| c.prefix)
            .collect();
        if heard.is_empty() || self.known.proto == "static" {
            return;
        }
        for typed in &mut self.candidates {
            let agrees = |net: &Ipv6Net| net.contains(&typed.prefix) || typed.prefix.contains(net);
            typed.stale = typed.source == Source::Ip6Prefix && !heard.iter().any(agrees);
        }
    }

    /// netifd lists delegated and configured prefixes alike; only the
    /// configured ones live forever.
    fn source_of(&self, entry: &Ipv6Entry) -> Source {
        let lives_forever = entry.valid.is_none() && entry.preferred.is_none();
        match lives_forever || self.known.proto == "static" {
            true => Source::Ip6Prefix,
            false => Source::Delegated,
        }
    }

    fn offer(&mut self, net: Ipv6Net, source: Source, deprecated: bool) {
        let prefix = net.trunc();
        // Several addresses may share a prefix: it is as good as the best.
        match self.candidates.iter_mut().find(|c| c.prefix == prefix) {
            Some(known) => known.deprecated &= deprecated,
            None => self.candidates.push(Candidate {
                prefix,
                source,
                deprecated,
                stale: false,
            }),
        }
    }

    /// Whether it may be an uplink at all when nobody names one: not the
    /// loopback, and not what runs over an uplink itself.
    pub(super) fn may_be_uplink(&self) -> bool {
        let tunnels = [
            "map",
            "mape",
            "mapeaddr",
            "dslite",
            "464xlat",
            "6in4",
            "6rd",
            "6to4",
            "wireguard",
        ];
        self.known.name != "loopback" && !tunnels.contains(&self.known.proto.as_str())
    }
}
