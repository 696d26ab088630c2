// SPDX-License-Identifier: GPL-2.0-or-later
//! One row per fault: what is broken, which check says so, and that nothing
//! else does.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::*;
use crate::handler::{Code, Link, Problem, Protocol, Registration, RegistrationResult, State};
use crate::map::{Dialect, Psid};
use crate::mechanism::{DsLite, InterfaceId, IpIp};
use crate::nat::{Mode, Timeouts};
use crate::netfilter::Chain;
use crate::netfilter::Traffic;
use crate::provider::Table;
use crate::status::Dropped;
use crate::status::netifd::Phase;

fn chain(family: &'static str, table: &str, kind: &str, hook: u32, priority: i32) -> Chain {
    Chain {
        family,
        table: table.into(),
        name: "c".into(),
        kind: Some(kind.into()),
        place: Some((hook, priority)),
    }
}

fn state() -> State {
    let prefix = "240b:10:1:200::/56".parse().unwrap();
    let table = Table::builtin();
    let (found, _) = table.choose(&[prefix]).unwrap();
    State {
        interface: "wanmap".into(),
        protocol: Protocol::Mape,
        link: Link {
            device: "map-wanmap".into(),
            mechanism: found.domain(false).unwrap().map(&[prefix]).unwrap().into(),
            why: String::new(),
            provider: Some(("v6plus".into(), "v6 Plus".into())),
            uplink: "wan6".into(),
            prefix_source: "delegated".into(),
            mtu: 1460,
            encaplimit: Some("ignore".into()),
            zone: None,
            mesh: false,
        },
        nat: Mode::Auto,
        technique: ("pool".into(), "all 240 ports of 15 ranges as one".into()),
        timeouts: Timeouts::Normal,
        reserve: Vec::new(),
        upnp: crate::nat::Upnp::Auto,
        since: 10,
    }
}

/// The router of `tests/data/bus/doctor.json`, apart from its one warning.
fn healthy() -> Facts<'static> {
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

fn upnp(kept: u32, opens: Opens) -> Option<Upnp> {
    let is_counted = kept > 0;
    Some(Upnp {
        kept,
        is_counted,
        opens,
    })
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/data/bus/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn answer(facts: &Facts<'_>) -> Value {
    serde_json::to_value(Answer::new("wanmap", &checks(facts))).unwrap()
}

#[test]
fn the_answers_that_the_page_is_tested_with() {
    let mut facts = healthy();
    facts.foreign = vec![("web".into(), "443".into())];
    assert_eq!(answer(&facts), fixture("doctor"));

    let mut facts = healthy();
    facts.offer = None;
    let found = answer(&facts);
    let expected = fixture("doctor-fail");
    // The file has the first two lines of it.
    assert_eq!(found["ok"], expected["ok"]);
    for line in 0..2 {
        assert_eq!(found["checks"][line], expected["checks"][line]);
    }
}

#[test]
fn codes_are_those_that_the_page_has_words_for() {
    let text = include_str!("../../tests/data/bus/findings.json");
    let vocabulary: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(vocabulary.len() > 80);
    let all: Vec<Seen> = serde_json::from_str(text).unwrap();
    for (seen, row) in all.iter().zip(&vocabulary) {
        assert_eq!(row["seen"], seen.to_string());
    }
    let mut with_remedy = vocabulary.clone();
    with_remedy.retain(|row| !row["remedy"].is_null());
    let text = String::leak(serde_json::to_string(&with_remedy).unwrap());
    let all: Vec<Remedy> = serde_json::from_str(text).unwrap();
    for (remedy, row) in all.iter().zip(&with_remedy) {
        assert_eq!(row["remedy"], remedy.to_string());
    }

    // What the faults of this file make has no code or argument beyond those.
    let names = |args: &Value| {
        let names = args.as_object().into_iter().flatten();
        names.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    for row in FAULTS {
        let mut facts = healthy();
        (row.make)(&mut facts);
        for check in answer(&facts)["checks"].as_array().unwrap() {
            for (code, args) in [("code", "args"), ("remedy_code", "remedy_args")] {
                let same = |known: &&Value| {
                    known[code] == check[code] && names(&known[args]) == names(&check[args])
                };
                assert!(vocabulary.iter().find(same).is_some(), "{code}: {check}");
            }
        }
    }
}

struct Row {
    fault: &'static str,
    id: &'static str,
    verdict: Verdict,
    /// Part of what is seen and of what to do.
    says: &'static str,
    make: fn(&mut Facts<'static>),
}

fn set_up(facts: &mut Facts<'static>, change: fn(&mut State)) {
    let mut state = facts.state.unwrap().clone();
    change(&mut state);
    facts.state = Some(Box::leak(Box::new(state)));
}

/// What is not known when an interface is not up.
fn take_down(facts: &mut Facts<'static>, phase: Phase, error: Option<(&str, &str)>) {
    facts.phase = phase;
    facts.error = error.map(|(code, detail)| {
        let error = Box::new((code.to_owned(), detail.to_owned()));
        &*Box::leak(error)
    });
    facts.state = None;
    facts.br_route = None;
    facts.br_reply = None;
    facts.traffic = None;
    facts.used = None;
}

const AFTR: Ipv6Addr = Ipv6Addr::new(0x2404, 0x8e00, 0, 0, 0, 0, 0xfeed, 0x101);

/// The same router on a line of transix.
fn ds_lite(facts: &mut Facts<'static>) {
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
fn ipip(facts: &mut Facts<'static>) {
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

/// A fixed address has the prefix of its provider's MAP lines, and nothing else of them.
#[test]
fn a_fixed_address_is_no_wrong_map_line() {
    let mut facts = healthy();
    ipip(&mut facts);
    assert!(matches!(facts.known, Known::Map { .. }));
    let warned = checks(&facts).iter().any(|check| {
        matches!(check.id, "provider" | "br_route") && check.finding.verdict != Verdict::Ok
    });
    assert!(!warned);
    set_up(&mut facts, |state| {
        state.link.provider = Some(("v6plus-static".into(), "v6 Plus fixed IP".into()));
    });
    let found = checks(&facts);
    let provider = found.iter().find(|check| check.id == "provider").unwrap();
    assert_eq!(provider.finding.verdict, Verdict::Ok);
}

/// What is said of a silent line names nothing that it has not, and nothing that is done.
#[test]
fn each_mechanism_has_its_own_reasons_for_silence() {
    let said = |make: fn(&mut Facts<'static>)| {
        let mut facts = healthy();
        make(&mut facts);
        facts.traffic = Some(Traffic {
            tx_packets: 50,
            ..Traffic::default()
        });
        let all = checks(&facts);
        let found = all.iter().find(|check| check.id == "replies").unwrap();
        found.finding.remedy.as_ref().unwrap().to_string()
    };
    for (make, is_registered) in [
        (ds_lite as fn(&mut Facts<'static>), true),
        (ipip, false),
        (
            |facts| {
                ipip(facts);
                register(facts, RegistrationResult::Registered, "");
            },
            true,
        ),
    ] {
        let said = said(make);
        for word in ["MAP", "dialect", "psid"] {
            assert!(!said.contains(word), "{said}");
        }
        assert_eq!(!said.contains("update_url"), is_registered, "{said}");
    }
}

/// What became of the registration of a fixed address.
fn register(facts: &mut Facts<'static>, result: RegistrationResult, detail: &str) {
    facts.registration = Some(Box::leak(Box::new(Registration {
        server: "v6plus".into(),
        address: "2001:db8:7:100::feed".parse().unwrap(),
        result,
        detail: detail.into(),
        at: 5,
        next: None,
    })));
}

#[rustfmt::skip]
const FAULTS: &[Row] = &[
    Row { fault: "killed after the link was up", id: "tunnel", verdict: Verdict::Fail, says: "ifup wanmap",
        make: |f| take_down(f, Phase::Up, None) },
    Row { fault: "killed before the link was up", id: "tunnel", verdict: Verdict::Warn, says: "follows within a minute",
        make: |f| { take_down(f, Phase::Pending, None); f.died = true; } },
    Row { fault: "killed while the uplink went down", id: "tunnel", verdict: Verdict::Fail, says: "mape hotplug wanmap",
        make: |f| { take_down(f, Phase::Down, None); f.died = true; } },
    Row { fault: "no uplink", id: "uplink", verdict: Verdict::Fail, says: "tunlink",
        make: |f| f.uplink = None },
    Row { fault: "uplink down", id: "uplink", verdict: Verdict::Fail, says: "ifup wan6",
        make: |f| f.uplink.as_mut().unwrap().up = false },
    Row { fault: "netifd silent", id: "uplink", verdict: Verdict::Fail, says: "/etc/init.d/network restart",
        make: |f| f.bus = false },
    Row { fault: "no prefix", id: "prefix", verdict: Verdict::Fail, says: "reqprefix",
        make: |f| f.offer = None },
    Row { fault: "prefix about to go", id: "prefix", verdict: Verdict::Warn, says: "deprecated",
        make: |f| f.offer.as_mut().unwrap().deprecated = true },
    Row { fault: "option ip6prefix of long ago", id: "prefix", verdict: Verdict::Warn, says: "remove option ip6prefix of wan6",
        make: |f| f.offer.as_mut().unwrap().stale = Some("240b:10:9:200::/56".parse().unwrap()) },
    Row { fault: "foreign prefix", id: "provider", verdict: Verdict::Fail, says: "no known provider",
        make: |f| { f.known = Known::No; take_down(f, Phase::Error, Some(("MAPE_UNKNOWN_PROVIDER", "x"))); } },
    Row { fault: "DS-Lite line", id: "provider", verdict: Verdict::Fail, says: "DS-Lite",
        make: |f| { f.known = Known::Refused("it is DS-Lite".into()); take_down(f, Phase::Error, None); } },
    Row { fault: "manual rule on a provider's line", id: "provider", verdict: Verdict::Warn, says: "provider 'v6plus'",
        make: |f| { set_up(f, |s| s.link.provider = None);
            if let Known::Map { same, .. } = &mut f.known { *same = false } } },
    Row { fault: "the provider's rule by hand", id: "provider", verdict: Verdict::Ok, says: "it is that of v6 Plus",
        make: |f| set_up(f, |s| s.link.provider = None) },
    Row { fault: "wrong provider", id: "provider", verdict: Verdict::Warn, says: "belongs to v6 Plus",
        make: |f| set_up(f, |s| s.link.provider = Some(("ocn".into(), "OCN".into()))) },
    Row { fault: "contradicting rule", id: "rule", verdict: Verdict::Fail, says: "ealen 99",
        make: |f| take_down(f, Phase::Error, Some(("MAPE_INVALID_CONFIG", "ealen 99: at most 48"))) },
    Row { fault: "wrong option, not started", id: "rule", verdict: Verdict::Fail, says: "ealen 99",
        make: |f| { take_down(f, Phase::Down, None);
            f.refused = Some(Problem::fatal(Code::InvalidMapRule, "ealen 99: at most 48")); } },
    Row { fault: "rule of another prefix", id: "rule", verdict: Verdict::Fail, says: "enduserprefix",
        make: |f| take_down(f, Phase::Error, Some(("NO_MATCHING_PD", "no rule matches 240b:10:1:200::/56"))) },
    Row { fault: "PSID written left-justified", id: "rule", verdict: Verdict::Fail, says: "is written 13312 (left-justified",
        make: |f| f.psids = Some((Psid::new(0x34, 8).unwrap(), 2)) },
    Row { fault: "not started", id: "rule", verdict: Verdict::Warn, says: "ifup wanmap",
        make: |f| take_down(f, Phase::Down, None) },
    Row { fault: "subnet of a prefix", id: "rule", verdict: Verdict::Warn, says: "subnet 1",
        make: |f| {
            set_up(f, |state| {
                let prefix = "240b:10:1:201::/64".parse().unwrap();
                let table = Table::builtin();
                let (found, _) = table.choose(&[prefix]).unwrap();
                let mapping = found.domain(false).unwrap().map(&[prefix]).unwrap();
                state.link.mechanism = mapping.into();
            });
        } },
    Row { fault: "legacymap forgotten", id: "dialect", verdict: Verdict::Fail, says: "legacymap '0'",
        make: |f| if let Known::Map { dialect, .. } = &mut f.known { *dialect = Dialect::Rfc7597 } },
    Row { fault: "DS-Lite by hand", id: "provider", verdict: Verdict::Ok, says: "ds-lite, as configured",
        make: |f| { ds_lite(f); set_up(f, |s| s.link.provider = None) } },
    Row { fault: "AFTR as it was", id: "aftr", verdict: Verdict::Ok, says: "gw.transix.jp is 2404",
        make: ds_lite },
    Row { fault: "AFTR elsewhere", id: "aftr", verdict: Verdict::Warn, says: "is no longer",
        make: |f| { ds_lite(f); f.aftr = Some(Ok(vec!["2404:8e00::feed:100".parse().unwrap()])) } },
    Row { fault: "AFTR unknown", id: "aftr", verdict: Verdict::Warn, says: "own DNS servers",
        make: |f| { ds_lite(f); f.aftr = Some(Err("gw.transix.jp: there is no such name".into())) } },
    Row { fault: "AFTR not found at setup", id: "aftr", verdict: Verdict::Fail, says: "own DNS servers",
        make: |f| take_down(f, Phase::Error, Some(("MAPE_NAME_NOT_RESOLVED", "gw.transix.jp: there is no such name"))) },
    Row { fault: "the line says what it is", id: "asked", verdict: Verdict::Ok, says: "it says how it carries IPv4",
        make: |f| f.asked = Some((None, 3600)) },
    Row { fault: "the line's DNS is silent", id: "asked", verdict: Verdict::Warn, says: "asked again in 2 min",
        make: |f| f.asked = Some((Some("no DNS server of the uplink answers when asked for 4over6.info"), 119)) },
    Row { fault: "address registered", id: "registration", verdict: Verdict::Ok, says: "is registered with v6plus",
        make: |f| register(f, RegistrationResult::Registered, "") },
    Row { fault: "registration refused", id: "registration", verdict: Verdict::Fail, says: "refuses to register 2001:db8:7:100::feed: NG, HTTP status 200",
        make: |f| register(f, RegistrationResult::Refused, "NG, HTTP status 200") },
    Row { fault: "a web page for an answer", id: "registration", verdict: Verdict::Fail, says: "update_url",
        make: |f| register(f, RegistrationResult::Unclear, "a web page, HTTP status 200") },
    Row { fault: "update server gone", id: "registration", verdict: Verdict::Fail, says: "DNS servers",
        make: |f| register(f, RegistrationResult::Unreached, "v6plus.example: there is no such name") },
    Row { fault: "password forgotten", id: "registration", verdict: Verdict::Fail, says: "v6plus needs option password",
        make: |f| register(f, RegistrationResult::Incomplete, "password") },
    Row { fault: "forward on DS-Lite", id: "forwards", verdict: Verdict::Warn, says: "no port of a public IPv4 address is ours",
        make: |f| { ds_lite(f); f.foreign = vec![("web".into(), "443".into())] } },
    Row { fault: "no route", id: "br_route", verdict: Verdict::Fail, says: "unreachable",
        make: |f| f.br_route = Some(Err("Network is unreachable".into())) },
    Row { fault: "route of another uplink", id: "br_route", verdict: Verdict::Warn, says: "not the uplink's device",
        make: |f| f.br_route = Some(Ok(("dev wg0".into(), "wg0".into()))) },
    Row { fault: "another provider's BR", id: "br_route", verdict: Verdict::Warn, says: "peeraddr",
        make: |f| if let Known::Map { border, .. } = &mut f.known { *border = Some("2001:260:700:1::1:275".into()) } },
    Row { fault: "BR answers", id: "br_reply", verdict: Verdict::Ok, says: "after 7 ms",
        make: |f| f.br_reply = Some(Reply::Yes(7)) },
    Row { fault: "may not ping", id: "br_reply", verdict: Verdict::Unknown, says: "not permitted",
        make: |f| f.br_reply = Some(Reply::Error("Operation not permitted".into())) },
    Row { fault: "CE address missing", id: "ce_address", verdict: Verdict::Fail, says: "on no device",
        make: |f| f.ce = None },
    Row { fault: "CE address in DAD", id: "ce_address", verdict: Verdict::Warn, says: "duplicates",
        make: |f| f.ce.as_mut().unwrap().tentative = true },
    Row { fault: "CE address taken", id: "ce_address", verdict: Verdict::Fail, says: "another router",
        make: |f| f.ce.as_mut().unwrap().duplicate = true },
    Row { fault: "no tunnel device", id: "tunnel", verdict: Verdict::Fail, says: "no device map-wanmap",
        make: |f| f.device = None },
    Row { fault: "tunnel down", id: "tunnel", verdict: Verdict::Fail, says: "is down",
        make: |f| f.device = Some((false, 1460)) },
    Row { fault: "MTU too large", id: "mtu", verdict: Verdict::Warn, says: "set it to 1460",
        make: |f| f.device = Some((true, 1500)) },
    Row { fault: "the stock MTU", id: "mtu", verdict: Verdict::Warn, says: "smaller than it need be",
        make: |f| f.device = Some((true, 1280)) },
    Row { fault: "no MSS clamping", id: "mtu", verdict: Verdict::Warn, says: "set option mtu_fix '1' in zone wan ",
        make: |f| f.unclamped = Some("wan".into()) },
    Row { fault: "encapsulation limit", id: "encaplimit", verdict: Verdict::Fail, says: "'ignore'",
        make: |f| set_up(f, |s| s.link.encaplimit = Some("4".into())) },
    Row { fault: "no IPv4 address", id: "ipv4", verdict: Verdict::Fail, says: "does not have 106.72.0.1",
        make: |f| f.ipv4.clear() },
    Row { fault: "no default route", id: "ipv4", verdict: Verdict::Fail, says: "no IPv4 default route",
        make: |f| f.default4 = false },
    Row { fault: "rules flushed", id: "nat", verdict: Verdict::Fail, says: "firewall reload",
        make: |f| f.chains.as_mut().unwrap().retain(|c| c.table != "mape_wanmap" || c.family != "ip") },
    Row { fault: "guard still up", id: "nat", verdict: Verdict::Fail, says: "mape_guard_wanmap",
        make: |f| f.chains.as_mut().unwrap().push(chain("inet", "mape_guard_wanmap", "filter", 4, 110)) },
    Row { fault: "masquerade first", id: "nat", verdict: Verdict::Fail, says: "translates before ours",
        make: |f| f.chains.as_mut().unwrap().push(chain("inet", "fw4", "nat", 4, 90)) },
    Row { fault: "somebody's rules first", id: "nat", verdict: Verdict::Warn, says: "translates before ours",
        make: |f| f.chains.as_mut().unwrap().push(chain("ip", "nat", "nat", 4, 90)) },
    Row { fault: "not root", id: "nat", verdict: Verdict::Unknown, says: "only root",
        make: |f| f.chains = None },
    Row { fault: "edge map gone", id: "edge", verdict: Verdict::Fail, says: "netdev mape_wanmap is missing",
        make: |f| f.chains.as_mut().unwrap().retain(|c| c.family != "netdev") },
    Row { fault: "half an edge map", id: "edge", verdict: Verdict::Fail, says: "one direction",
        make: |f| { f.chains.as_mut().unwrap().pop(); } },
    Row { fault: "SQM unnoticed", id: "edge", verdict: Verdict::Fail, says: "redirects what map-wanmap receives",
        make: |f| f.redirected = true },
    Row { fault: "SQM noticed", id: "edge", verdict: Verdict::Ok, says: "240 ports mapped",
        make: |f| {
            f.redirected = true;
            let chains = f.chains.as_mut().unwrap();
            chains.retain(|c| c.place != Some((0, -200)));
            chains.push(Chain { name: "ingress".into(), ..chain("ip", "mape_wanmap", "filter", 0, -310) });
        } },
    Row { fault: "no egress hook", id: "edge", verdict: Verdict::Warn, says: "kmod-nft-netdev",
        make: |f| {
            f.edge_refused = true;
            set_up(f, |s| s.technique = ("hash".into(), "no netdev egress".into()));
        } },
    Row { fault: "a hash that the user chose", id: "edge", verdict: Verdict::Ok, says: "",
        make: |f| {
            f.edge_refused = true;
            set_up(f, |s| { s.nat = Mode::Hash; s.technique.0 = "hash".into(); });
        } },
    Row { fault: "a kernel whose flow tables look through tunnels", id: "offload", verdict: Verdict::Fail, says: "ip mape_exempt_wanmap is missing",
        make: |f| f.looks_through = Some("7.2.1".into()) },
    Row { fault: "the same, and our connections stay out", id: "offload", verdict: Verdict::Ok, says: "stay out of it",
        make: |f| {
            f.looks_through = Some("7.2.1".into());
            f.chains.as_mut().unwrap().push(chain("ip", "mape_exempt_wanmap", "filter", 2, -160));
        } },
    Row { fault: "hardware offloading", id: "offload", verdict: Verdict::Warn, says: "flow_offloading_hw '0'",
        make: |f| f.offload = (true, true) },
    Row { fault: "forward outside the set", id: "forwards", verdict: Verdict::Warn, says: "for instance 4128",
        make: |f| f.foreign = vec![("a forward".into(), "80".into()), ("b".into(), "81".into())] },
    Row { fault: "miniupnpd as it is installed", id: "upnp", verdict: Verdict::Warn, says: "option upnp '16' of wanmap",
        make: |f| f.upnp = upnp(0, Opens::Lost("1024-65535".into())) },
    Row { fault: "miniupnpd does not follow the line", id: "upnp", verdict: Verdict::Warn, says: "firewall reload",
        make: |f| f.upnp = upnp(16, Opens::Lost("62272-62287".into())) },
    Row { fault: "permissions in a file of miniupnpd's own", id: "upnp", verdict: Verdict::Unknown, says: "is not read; 16 ports",
        make: |f| f.upnp = upnp(16, Opens::Unread) },
    Row { fault: "only what is kept for it", id: "upnp", verdict: Verdict::Ok, says: "kept for it: 16",
        make: |f| f.upnp = upnp(16, Opens::Kept) },
    Row { fault: "miniupnpd on DS-Lite", id: "upnp", verdict: Verdict::Warn, says: "external_iface",
        make: |f| { ds_lite(f); f.upnp = upnp(0, Opens::Lost("1024-65535".into())); } },
    Row { fault: "module missing", id: "packages", verdict: Verdict::Fail, says: "install kmod-ip6-tunnel",
        make: |f| f.missing = vec!["kmod-ip6-tunnel"] },
    Row { fault: "sent, nothing received", id: "replies", verdict: Verdict::Fail, says: "enabled for this service",
        make: |f| f.traffic = Some(Traffic { tx_packets: 50, ..Traffic::default() }) },
    Row { fault: "offset lost by the DHCPv6 client", id: "replies", verdict: Verdict::Fail, says: "option 93",
        make: |f| { f.traffic = Some(Traffic { tx_packets: 50, ..Traffic::default() }); f.offset_assumed = true; } },
    Row { fault: "only other people's ports", id: "replies", verdict: Verdict::Fail, says: "justification",
        make: |f| { f.traffic.as_mut().unwrap().rx_packets = 9; f.dropped.as_mut().unwrap().not_ours = 9; } },
    Row { fault: "a fixed address that nobody has registered", id: "replies", verdict: Verdict::Fail, says: "not registered",
        make: |f| { ipip(f); f.traffic = Some(Traffic { tx_packets: 50, ..Traffic::default() }); } },
    Row { fault: "a fixed address of somebody else", id: "replies", verdict: Verdict::Fail, says: "ipaddr and interfaceid",
        make: |f| { ipip(f); f.traffic.as_mut().unwrap().rx_packets = 9; f.dropped.as_mut().unwrap().not_ours = 9; } },
    Row { fault: "ports run short", id: "ports", verdict: Verdict::Warn, says: "(laptop) has 40",
        make: |f| f.used = Some(200) },
    Row { fault: "ports exhausted", id: "ports", verdict: Verdict::Fail, says: "412 connections",
        make: |f| { f.used = Some(239); f.dropped.as_mut().unwrap().exhausted = 412; } },
    Row { fault: "conntrack hidden", id: "ports", verdict: Verdict::Warn, says: "kmod-nf-conntrack-netlink",
        make: |f| f.used = None },
    Row { fault: "a shortage long ago", id: "ports", verdict: Verdict::Ok, says: "5 connections",
        make: |f| f.dropped.as_mut().unwrap().exhausted = 5 },
    Row { fault: "stock package", id: "conflicts", verdict: Verdict::Fail, says: "remove",
        make: |f| f.conflicts = vec![(Seen::StockPackage {}, Remedy::Reinstall {})] },
];

#[test]
fn each_fault_is_seen_and_mended() {
    for row in FAULTS {
        let mut facts = healthy();
        let before: Vec<Check> = checks(&facts);
        (row.make)(&mut facts);
        let after = checks(&facts);
        let finding = |all: &[Check]| {
            let found = all.iter().find(|check| check.id == row.id);
            found.map(|check| check.finding.clone())
        };
        let found = finding(&after).unwrap();
        let said = format!(
            "{} -> {}",
            found.seen,
            found
                .remedy
                .as_ref()
                .map(Remedy::to_string)
                .unwrap_or_default()
        );
        assert_eq!(found.verdict, row.verdict, "{}: {said}", row.fault);
        assert!(said.contains(row.says), "{}: {said}", row.fault);
        let needs_remedy = matches!(row.verdict, Verdict::Warn | Verdict::Fail);
        assert_eq!(found.remedy.is_some(), needs_remedy, "{}", row.fault);
        assert_eq!(is_ok(&after), row.verdict != Verdict::Fail, "{}", row.fault);
        // Mended, it is as before: nothing but the facts counts.
        // A MAP line has no AFTR to check.
        if let Some(healthy) = finding(&before) {
            let never_worse = matches!(healthy.verdict, Verdict::Ok | Verdict::Unknown);
            assert!(never_worse, "{}: {healthy:?}", row.fault);
        }
    }
}

#[test]
fn what_a_line_without_map_cannot_have_is_left_out() {
    let mut facts = healthy();
    ds_lite(&mut facts);
    let all = checks(&facts);
    for id in ["rule", "dialect", "ports"] {
        assert!(all.iter().all(|check| check.id != id), "{id}");
    }
    assert!(is_ok(&all));
}

#[test]
fn every_check_has_a_fault() {
    for (id, _) in &CHECKS {
        assert!(FAULTS.iter().any(|row| row.id == *id), "{id}");
    }
}

#[test]
fn a_fault_does_not_make_others_fail() {
    // Except for those that follow from it, which say that they do not know.
    for row in FAULTS.iter().filter(|row| row.verdict == Verdict::Fail) {
        let mut facts = healthy();
        (row.make)(&mut facts);
        let all = checks(&facts);
        let failing: Vec<&str> = all
            .iter()
            .filter(|check| check.finding.verdict == Verdict::Fail)
            .map(|check| check.id)
            .collect();
        let both = ["provider", "rule", "aftr"];
        let expected = failing == [row.id] || failing.iter().all(|id| both.contains(id));
        assert!(expected, "{}: {failing:?}", row.fault);
    }
}

#[test]
fn without_netifd_nothing_is_guessed() {
    let mut facts = healthy();
    take_down(&mut facts, Phase::Down, None);
    (facts.bus, facts.uplink, facts.offer, facts.known) = (false, None, None, Known::No);
    for root in [true, false] {
        facts.root = root;
        let all = checks(&facts);
        let silent = all
            .iter()
            .filter(|check| check.finding.seen == Seen::NetifdSilent {});
        let others: Vec<&str> = all
            .iter()
            .filter(|check| check.finding.seen != Seen::NetifdSilent {})
            .map(|check| check.id)
            .collect();
        assert_eq!(others, ["offload", "packages", "conflicts"]);
        // Who is not root may just not be let in.
        assert_eq!(is_ok(&all), !root);
        assert_eq!(
            silent
                .filter(|check| check.finding.remedy.is_some())
                .count(),
            usize::from(root)
        );
    }
}

#[test]
fn a_probe_adds_a_line() {
    let mut facts = healthy();
    facts.probe = Some(("2001:db8::1".parse().unwrap(), Reply::No));
    let all = checks(&facts);
    let last = all.last().unwrap();
    assert_eq!((last.id, last.finding.verdict), ("probe", Verdict::Warn));
}
