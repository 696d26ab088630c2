// SPDX-License-Identifier: GPL-2.0-or-later
//! The interface the tunnel runs over.

use ipnet::Ipv6Net;

use super::candidate::{Candidate, Source, Uplink};
use super::dump::Interface;
use super::error::UplinkError;
use crate::netifd::Dump;

/// The uplinks to try, best first; never empty.
///
/// With `tunlink` it is that interface alone, or its child `<tunlink>_6` (IPv6
/// over PPP) if only that one has prefixes. Without, it is every interface that is up and offers a
/// prefix, those with an IPv6 default route first, then by metric.
///
/// `end_user` is `option enduserprefix`: the only candidate then, whatever the
/// interface has.
///
/// # Errors
/// Why there is none.
pub fn find(
    dump: &Dump,
    tunlink: Option<&str>,
    end_user: Option<Ipv6Net>,
) -> Result<Vec<Uplink>, UplinkError> {
    let all: Vec<Interface<'_>> = dump.interfaces.iter().map(Interface::new).collect();
    match tunlink {
        Some(name) => Ok(vec![named(&all, name, end_user)?]),
        None => any(&all, end_user),
    }
}

fn named(
    all: &[Interface<'_>],
    name: &str,
    end_user: Option<Ipv6Net>,
) -> Result<Uplink, UplinkError> {
    let own = all.iter().find(|i| i.known.name == name);
    let child = all
        .iter()
        .filter(|i| i.known.up && !i.candidates.is_empty())
        .find(|i| i.known.name.strip_suffix("_6") == Some(name));
    let interface = match (own, child) {
        (Some(own), _) if own.known.up && !own.candidates.is_empty() => own,
        (_, Some(child)) => child,
        (Some(own), None) => own,
        (None, None) => {
            let known: Vec<&str> = all.iter().map(|i| i.known.name.as_str()).collect();
            return Err(UplinkError::NotFound {
                name: name.into(),
                known: known.join(", "),
            });
        }
    };
    if !interface.known.up {
        return Err(UplinkError::Down(interface.known.name.clone()));
    }
    let uplink = interface.uplink(end_user);
    // An address alone is enough for lw4o6 and DS-Lite.
    if uplink.candidates.is_empty() && uplink.addresses.is_empty() {
        return Err(UplinkError::NoPrefix(interface.known.name.clone()));
    }
    Ok(uplink)
}

fn any(all: &[Interface<'_>], end_user: Option<Ipv6Net>) -> Result<Vec<Uplink>, UplinkError> {
    // A CE address of ours is put on an interface of its own, `<name>_`: it
    // must not be taken for an uplink.
    let is_ours = |name: &str| {
        name.strip_suffix('_').is_some_and(|stem| {
            all.iter()
                .any(|i| i.known.name == stem && !i.may_be_uplink())
        })
    };
    let mut usable: Vec<&Interface<'_>> = all
        .iter()
        .filter(|i| i.known.up && i.may_be_uplink() && !is_ours(&i.known.name))
        .filter(|i| i.leads_out(end_user.is_some()))
        .collect();
    if usable.is_empty() {
        return Err(UplinkError::NoUplink);
    }
    usable.sort_by_key(|i| (!i.has_default_route, i.known.metric));
    Ok(usable.iter().map(|i| i.uplink(end_user)).collect())
}

impl Interface<'_> {
    /// Whether this looks like an uplink rather than a LAN: LANs have /64s
    /// too, but neither a default route nor prefixes to give away.
    fn leads_out(&self, prefix_is_known: bool) -> bool {
        let offers = |c: &Candidate| self.has_default_route || c.source != Source::OnLink;
        (prefix_is_known && self.has_default_route) || self.candidates.iter().any(offers)
    }

    fn uplink(&self, end_user: Option<Ipv6Net>) -> Uplink {
        let candidates = match end_user {
            Some(prefix) => vec![Candidate {
                prefix: prefix.trunc(),
                source: Source::Option,
                deprecated: false,
                stale: false,
            }],
            None => self.candidates.clone(),
        };
        Uplink {
            interface: self.known.name.clone(),
            l3_device: self.known.l3_device.clone(),
            zone: self.known.zone.clone(),
            metric: u32::try_from(self.known.metric).unwrap_or(u32::MAX),
            candidates,
            addresses: self.addresses.clone(),
            resolvers: self.known.dns.clone(),
        }
    }
}
