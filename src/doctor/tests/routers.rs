// SPDX-License-Identifier: GPL-2.0-or-later
//! Routers to look at: a healthy one, and what makes others of it.

use super::super::*;
use crate::handler::{Registration, RegistrationResult, State};
use crate::map::Dialect;
use crate::mechanism::{DsLite, InterfaceId, IpIp};
use crate::netfilter::{Chain, Traffic};
use crate::status::Dropped;
use crate::status::netifd::Phase;
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) fn chain(
    family: &'static str,
    table: &str,
    kind: &str,
    hook: u32,
    priority: i32,
) -> Chain {
    Chain {
        family,
        table: table.into(),
        name: "c".into(),
        kind: Some(kind.into()),
        place: Some((hook, priority)),
    }
}

pub(super) fn state() -> State {
    State {
        reserve: Vec::new(),
        ..State::example()
    }
}

/// The router of `tests/data/bus/doctor.json`, apart from its one warning.
pub(super) fn healthy() -> Facts<'static> {
    Facts {
        interface: "wanmap",
        root: true,
        bus: true,
        phase: Phase::Up,
        error: None,
        refused: None,
        uplink: Some(Uplink {
            name: "wan6".into(),
            up: true,
            device: Some("eth1".into()),
            mtu: Some(1500),
        }),
        offer: Some(Offer {
            prefix: "240b:10:1:200::/56".parse().unwrap(),
            source: "delegated".into(),
            deprecated: false,
            stale: None,
        }),
        known: Known::Map {
            id: "v6plus".into(),
            name: "v6 Plus".into(),
            dialect: Dialect::Draft03,
            border: Some("2404:9200:225:100::64".into()),
            same: true,
        },
        state: Some(Box::leak(Box::new(state()))),
        died: false,
        asked: None,
        registration: None,
        aftr: None,
        psids: None,
        br_route: Some(Ok(("via fe80::1 dev eth1".into(), "eth1".into()))),
        br_reply: Some(Reply::No),
        probe: None,
        ce: Some(Address {
            device: "map-wanmap".into(),
            ..Address::default()
        }),
        device: Some((true, 1460)),
        ipv4: vec!["106.72.0.1/32".into()],
        default4: true,
        no_default: false,
        chains: Some(vec![
            chain("inet", "fw4", "nat", 4, 100),
            chain("ip", "mape_wanmap", "nat", 4, 95),
            chain("netdev", "mape_wanmap", "filter", 0, -200),
            chain("netdev", "mape_wanmap", "filter", 1, 0),
        ]),
        redirected: false,
        edge_refused: false,
        offset_assumed: false,
        unclamped: None,
        looks_through: None,
        offload: (true, false),
        foreign: Vec::new(),
        upnp: None,
        example: Some(4128),
        missing: Vec::new(),
        traffic: Some(Traffic {
            rx_packets: 612_345,
            tx_packets: 401_234,
            ..Traffic::default()
        }),
        dropped: Some(Dropped::default()),
        used: Some(67),
        free: 240,
        busiest: Some((Ipv4Addr::new(192, 168, 1, 20), Some("laptop"), 40)),
        conflicts: Vec::new(),
    }
}

pub(super) fn upnp(kept: u32, opens: Opens) -> Option<Upnp> {
    let is_counted = kept > 0;
    Some(Upnp {
        kept,
        is_counted,
        opens,
    })
}

pub(super) fn set_up(facts: &mut Facts<'static>, change: fn(&mut State)) {
    let mut state = facts.state.unwrap().clone();
    change(&mut state);
    facts.state = Some(Box::leak(Box::new(state)));
}

/// What is not known when an interface is not up.
pub(super) fn take_down(facts: &mut Facts<'static>, phase: Phase, error: Option<(&str, &str)>) {
    facts.phase = phase;
    facts.error = error.map(|(code, detail)| {
        let error = Box::new((code.to_owned(), detail.into()));
        &*Box::leak(error)
    });
    facts.state = None;
    facts.br_route = None;
    facts.br_reply = None;
    facts.traffic = None;
    facts.used = None;
}

pub(super) const AFTR: Ipv6Addr = Ipv6Addr::new(0x2404, 0x8e00, 0, 0, 0, 0, 0xfeed, 0x101);

/// The same router on a line of transix.
pub(super) fn ds_lite(facts: &mut Facts<'static>) {
    set_up(facts, |state| {
        let line = DsLite::new("2409:10:a040:1c00::/56".parse().unwrap(), AFTR).unwrap();
        state.link.mechanism = line.named("gw.transix.jp".parse().ok()).into();
        state.link.provider = Some(("transix".into(), "transix".into()));
        state.technique = ("none".into(), "the AFTR translates".into());
    });
    facts.aftr = Some(Ok(vec![AFTR]));
    facts.ipv4 = vec!["192.0.0.2/32".into()];
    facts.known = Known::Tunnel {
        id: "transix".into(),
        name: "transix".into(),
        reason: "it is transix, which has no MAP".into(),
    };
}

/// A line with a fixed address, as its provider's letter says.
pub(super) fn ipip(facts: &mut Facts<'static>) {
    set_up(facts, |state| {
        let prefix = "240b:10:1:200::/56".parse().unwrap();
        let ipv4 = "203.0.113.7/32".parse().unwrap();
        let line = IpIp::new(prefix, InterfaceId::Bits(0xfeed), ipv4, AFTR).unwrap();
        state.link.mechanism = line.into();
        state.link.provider = None;
        state.technique = ("plain".into(), "the address is not shared".into());
    });
    facts.ipv4 = vec!["203.0.113.7/32".into()];
}

/// What became of the registration of a fixed address.
pub(super) fn register(facts: &mut Facts<'static>, result: RegistrationResult, detail: &str) {
    facts.registration = Some(Box::leak(Box::new(Registration {
        server: "v6plus".into(),
        address: "2001:db8:7:100::feed".parse().unwrap(),
        result,
        detail: detail.into(),
        reason: None,
        at: 5,
        next: None,
    })));
}
