// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of the way to the BR and back: routes, addresses, tunnel.

use std::net::Ipv6Addr;

use crate::handler::State;
use crate::map::{Border, MapType};

use super::facts::{Facts, Known, Reply};
use super::finding::{Finding, Verdict, fail, not_up, ok, unknown, warn};

/// The address of the BR, or the DMR's prefix.
fn border(state: &State) -> Option<String> {
    match state.mapping.border()? {
        Border::Br(br) => Some(br.to_string()),
        Border::Dmr(dmr) => Some(dmr.to_string()),
    }
}

pub(super) fn br_route(facts: &Facts<'_>, state: &State) -> Finding {
    let (Some(route), Some(border)) = (&facts.br_route, border(state)) else {
        return not_up();
    };
    let expected = match &facts.known {
        Known::Map {
            border: Some(known),
            name,
            ..
        } if *known != border => Some((known, name)),
        _ => None,
    };
    if let Some((known, name)) = expected {
        return warn(
            format!("{border} is configured, but the BR of {name} for this prefix is {known}"),
            format!("remove option peeraddr, or set it to {known}"),
        );
    }
    let uplink = facts
        .uplink
        .as_ref()
        .and_then(|uplink| uplink.device.as_ref());
    match route {
        Err(error) => fail(
            format!("{border}: {error}"),
            "the uplink needs an IPv6 default route: see ip -6 route",
        ),
        Ok((text, device)) if uplink.is_some_and(|uplink| uplink != device) => warn(
            format!("{border} {text}, which is not the uplink's device"),
            "another IPv6 default route wins; set metrics, or option tunlink",
        ),
        Ok((text, _)) => ok(format!("{border} {text}")),
    }
}

pub(super) fn br_reply(facts: &Facts<'_>, state: &State) -> Finding {
    let Some(border) = border(state) else {
        return not_up();
    };
    match &facts.br_reply {
        None => unknown(format!("{border} is a prefix; nothing in it can be asked")),
        Some(Reply::Yes(ms)) => ok(format!("{border} answers after {ms} ms")),
        Some(Reply::No) => unknown(format!(
            "{border} does not answer ICMPv6 echo; many BRs do not"
        )),
        Some(Reply::Error(error)) => unknown(format!("{border}: {error}")),
    }
}

pub(super) fn probe(address: &Ipv6Addr, reply: &Reply) -> Finding {
    match reply {
        Reply::Yes(ms) => ok(format!("{address} answers after {ms} ms")),
        Reply::No => warn(
            format!("{address} does not answer"),
            "if it should, IPv6 itself does not work on this line",
        ),
        Reply::Error(error) => unknown(format!("{address}: {error}")),
    }
}

pub(super) fn ce_address(facts: &Facts<'_>, state: &State) -> Finding {
    let ce = state.mapping.ce_address();
    let name = &facts.interface;
    match &facts.ce {
        // nat46 answers for its addresses itself.
        None if state.mapping.map_type() == MapType::MapT => {
            ok(format!("{ce}, translated by {}", state.device))
        }
        None => fail(
            format!("{ce} is on no device"),
            format!("ifdown {name}, then ifup {name}; if it stays away, see logread"),
        ),
        Some(found) if found.duplicate => fail(
            format!(
                "{ce} on {} is in use by another device on the line",
                found.device
            ),
            "is another router doing MAP on this line, such as a home gateway? Only one can",
        ),
        Some(found) if found.tentative => warn(
            format!(
                "{ce} on {} is still being checked for duplicates",
                found.device
            ),
            "run this again in a few seconds",
        ),
        Some(found) => ok(format!("{ce} on {}", found.device)),
    }
}

pub(super) fn tunnel(facts: &Facts<'_>, state: &State) -> Finding {
    let device = &state.device;
    match facts.device {
        None => again(facts, format!("there is no device {device}")),
        Some((false, _)) => again(facts, format!("{device} is down")),
        Some((true, _)) => ok(format!("{device} is up")),
    }
}

/// What setting the interface up anew may mend.
fn again(facts: &Facts<'_>, seen: impl Into<String>) -> Finding {
    let name = &facts.interface;
    fail(
        seen,
        format!("ifdown {name}, then ifup {name}, and see logread"),
    )
}

pub(super) fn mtu(facts: &Facts<'_>, state: &State) -> Finding {
    let own = facts.device.map_or(state.mtu, |(_, mtu)| mtu);
    let uplink = facts.uplink.as_ref().and_then(|uplink| uplink.mtu);
    let Some(uplink) = uplink else {
        return unknown(format!("{own}; the uplink's is not known"));
    };
    let best = uplink.saturating_sub(state.mapping.map_type().overhead());
    let wrong = match own {
        own if own > best => "large packets do not fit",
        // A provider's line may take less than the device.
        own if own < 1400 && own < best => "smaller than it need be",
        _ => return ok(format!("{own}, uplink {uplink}")),
    };
    warn(
        format!("{own}, uplink {uplink}: {wrong}"),
        format!("remove option mtu, or set it to {best}"),
    )
}

pub(super) fn encaplimit(facts: &Facts<'_>, state: &State) -> Finding {
    if state.mapping.map_type() == MapType::MapT {
        return ok("MAP-T has none");
    }
    let limit = match state.encaplimit.as_deref() {
        // netifd switches it off if it is told nothing about it.
        Some("ignore") | None => return ok("none"),
        Some(limit) => limit,
    };
    let (verdict, whose) = match (&facts.known, &state.provider) {
        (Known::Map { name, .. }, _) | (_, Some((_, name))) => {
            (Verdict::Fail, format!("the BR of {name} drops"))
        }
        _ => (Verdict::Warn, "some BRs drop".into()),
    };
    verdict.with_remedy(
        format!("{limit}: each packet carries a destination option, which {whose}"),
        "set option encaplimit 'ignore'",
    )
}

pub(super) fn ipv4(facts: &Facts<'_>, state: &State) -> Finding {
    if !facts.bus {
        return unknown("netifd does not answer");
    }
    let (device, name) = (&state.device, &facts.interface);
    let address = state.mapping.ipv4().addr().to_string();
    let assigned = facts
        .ipv4
        .iter()
        .find(|text| text.split('/').next() == Some(address.as_str()));
    let wrong = match (assigned, facts.default4) {
        (None, _) => format!("{device} does not have {address}"),
        (Some(address), true) => {
            return ok(format!("{address} and the default route on {device}"));
        }
        (Some(address), false) if facts.no_default => {
            return ok(format!("{address}; no default route, as configured"));
        }
        (Some(address), false) => format!("{address}, but no IPv4 default route on {device}"),
    };
    fail(wrong, format!("ifdown {name}, then ifup {name}"))
}

pub(super) fn replies(facts: &Facts<'_>, state: &State) -> Finding {
    let Some(traffic) = facts.traffic else {
        return not_up();
    };
    let (sent, received) = (traffic.tx_packets, traffic.rx_packets);
    let foreign = facts.dropped.map_or(0, |dropped| dropped.not_ours);
    match (sent, received) {
        (0, 0) => unknown("nothing was sent yet"),
        (1..10, 0) => unknown(format!("{sent} packets sent, none received yet")),
        (_, 0) => fail(
            format!("{sent} packets sent, none received"),
            format!("likely causes: {}", causes(facts, state).join("; ")),
        ),
        (_, received) if foreign >= received => fail(
            format!("all {received} packets received are for ports or addresses not ours"),
            "the BR takes us for another subscriber: check rule, PSID and its justification",
        ),
        _ => ok(format!("{received} packets received")),
    }
}

/// Why a BR says nothing, the most frequent first, without what is certain to
/// be right.
fn causes(facts: &Facts<'_>, state: &State) -> Vec<&'static str> {
    let mut causes = Vec::new();
    if state.provider.is_none() || !matches!(facts.known, Known::Map { .. }) {
        causes.push("the dialect (option legacymap)");
        causes.push("the BR's address");
        causes.push("offset, PSID length or the justification of psid");
    }
    let limit = state.encaplimit.as_deref().unwrap_or("ignore");
    if limit != "ignore" && state.mapping.map_type() != MapType::MapT {
        causes.push("the encapsulation limit");
    }
    causes.push("a line that is not (yet) enabled for MAP: the provider switches it on");
    causes.push("another router on the line that does MAP already");
    causes
}
