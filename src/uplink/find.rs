// SPDX-License-Identifier: GPL-2.0-or-later
//! The interface the tunnel runs over.

use ipnet::Ipv6Net;

use super::dump::{Interface, interfaces};
use super::{Candidate, Source, Uplink, UplinkError};
use crate::value::Value;

/// The uplinks to try, best first; never empty.
///
/// `dump` is the answer of `network.interface dump`. With `tunlink` it is that
/// interface alone, or its child `<tunlink>_6` (IPv6 over PPP) where only that
/// one has prefixes. Without, it is every interface that is up and offers a
/// prefix, those with an IPv6 default route first, then by metric.
///
/// `end_user` is `option enduserprefix`: the only candidate then, whatever the
/// interface has.
///
/// # Errors
/// There is none, and why; see [`UplinkError::is_transient`].
pub fn find(
    dump: &Value,
    tunlink: Option<&str>,
    end_user: Option<Ipv6Net>,
) -> Result<Vec<Uplink>, UplinkError> {
    let all = interfaces(dump)?;
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
    let own = all.iter().find(|i| i.name == name);
    let child = all
        .iter()
        .find(|i| i.name.strip_suffix("_6") == Some(name) && i.up && !i.candidates.is_empty());
    let interface = match (own, child) {
        (Some(own), _) if own.up && !own.candidates.is_empty() => own,
        (_, Some(child)) => child,
        (Some(own), None) => own,
        (None, None) => {
            let mut known = String::new();
            for interface in all {
                let comma = if known.is_empty() { "" } else { ", " };
                known = known + comma + interface.name;
            }
            return Err(UplinkError::NotFound {
                name: name.into(),
                known,
            });
        }
    };
    if !interface.up {
        return Err(UplinkError::Down(interface.name.into()));
    }
    let uplink = interface.uplink(end_user);
    // An address alone is enough for lw4o6.
    if uplink.candidates.is_empty() && uplink.addresses.is_empty() {
        return Err(UplinkError::NoPrefix(interface.name.into()));
    }
    Ok(uplink)
}

fn any(all: &[Interface<'_>], end_user: Option<Ipv6Net>) -> Result<Vec<Uplink>, UplinkError> {
    // A CE address of ours is put on an interface of its own, `<name>_`: it
    // must not be taken for an uplink.
    let is_ours = |name: &str| {
        name.strip_suffix('_')
            .is_some_and(|stem| all.iter().any(|i| i.name == stem && !i.may_be_uplink()))
    };
    let mut usable: Vec<&Interface<'_>> = Vec::new();
    for i in all {
        if i.up && i.may_be_uplink() && !is_ours(i.name) && i.leads_out(end_user.is_some()) {
            let key = |i: &Interface<'_>| (!i.has_default_route, i.metric);
            let at = usable.partition_point(|other| key(other) <= key(i));
            usable.insert(at, i);
        }
    }
    if usable.is_empty() {
        return Err(UplinkError::NoUplink);
    }
    let mut uplinks = Vec::new();
    for interface in usable {
        uplinks.push(interface.uplink(end_user));
    }
    Ok(uplinks)
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
            }],
            None => self.candidates.clone(),
        };
        Uplink {
            interface: self.name.into(),
            l3_device: self.l3_device.map(str::to_owned),
            zone: self.zone.map(str::to_owned),
            candidates,
            addresses: self.addresses.clone(),
        }
    }
}
