// SPDX-License-Identifier: GPL-2.0-or-later
//! `tests/data/bus` is what the pages of LuCI are tested with: it must be what
//! this program answers, made here from the router's side of each file.

mod world;

use mape::console::Paint;
use mape::firewall::Configuration;
use mape::handler::{Link, State};
use mape::nat::Timeouts;
use mape::provider::ProviderError;
use mape::provision::resolve::ResolveError;
use mape::reason::Tell;
use mape::status::answer::StatusAnswer;
use mape::status::ports::PortsAnswer;
use mape::status::text;
use mape::status::{Dropped, Interface, World};
use mape::uplink::UplinkError;
use serde_json::{Value, json};
use world::{FIREWALL, delegated, not_up, state, up};

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/data/bus/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What people see of the same router is what `tests/data/text` has.
fn assert_text(world: &World, name: &str) {
    let mut shown = String::new();
    for interface in &world.interfaces() {
        text::status(&mut shown, interface, Paint::PLAIN).unwrap();
        shown.push('\n');
        text::ports(&mut shown, interface, Paint::PLAIN).unwrap();
    }
    let path = format!("{}/tests/data/text/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let expected = std::fs::read_to_string(path).unwrap();
    assert_eq!(shown, expected, "{name}");
}

fn told_ports(interface: &Interface<'_>) -> Value {
    serde_json::to_value(PortsAnswer::new(interface)).unwrap()
}

fn told_status(interfaces: &[Interface<'_>]) -> Value {
    serde_json::to_value(StatusAnswer::new(interfaces)).unwrap()
}

/// What the plan makes of it, and says why.
const POOL: (&str, &str) = ("pool", "");

#[test]
fn a_line_that_is_up() {
    for (suffix, exhausted) in [("", 0), ("-exhausted", 412)] {
        let ports = fixture(&format!("ports{suffix}"));
        let mut state = state("240b:10:1:200::/56", "delegated", POOL, Timeouts::Normal);
        state.reserve = vec!["4130".into()];
        let world = up(state, FIREWALL, &ports, exhausted);
        let interfaces = world.interfaces();
        assert_eq!(told_ports(&interfaces[0]), ports);
        assert_eq!(
            told_status(&interfaces),
            fixture(&format!("status{suffix}"))
        );
        assert_text(&world, &format!("status{suffix}"));
    }
}

#[test]
fn a_line_without_delegation_on_a_kernel_without_egress_hooks() {
    let hash = (
        "hash",
        "the kernel has no netdev egress hooks: kmod-nft-netdev is missing",
    );
    let prefix = "2400:4050:90f9:3300::/64";
    let ports = fixture("ports-ocn");
    let world = up(
        state(prefix, "on-link", hash, Timeouts::Tight),
        "",
        &ports,
        0,
    );
    let interfaces = world.interfaces();
    assert_eq!(told_ports(&interfaces[0]), ports);
    assert_eq!(told_status(&interfaces), fixture("status-ocn"));
    assert_text(&world, "status-ocn");
}

/// By its option, and by the rules of a miniupnpd that serves the line.
#[test]
fn ports_of_upnp() {
    let ports = json!({ "hosts": [], "ranges": [] });
    let rules = "config upnpd config\n\toption enabled 1\n\
        config perm_rule\n\toption action allow\n\toption ext_ports 61472-61487\n\
        config perm_rule\n\toption action deny\n";
    for (option, upnpd) in [("16", ""), ("auto", rules)] {
        let mut state = state("240b:10:1:200::/56", "delegated", POOL, Timeouts::Normal);
        state.upnp = option.parse().unwrap();
        let mut world = up(state, "", &ports, 0);
        world.firewall = Configuration::parse("", upnpd);
        let interfaces = world.interfaces();
        let told = told_status(&interfaces);
        let counts = &told["interfaces"][0]["ports"];
        assert_eq!(
            (&counts["upnp"], &counts["pool"]),
            (&json!(16), &json!(224))
        );
        let last = &told_ports(&interfaces[0])["ranges"][14];
        assert_eq!(last["upnp"], json!((61472..=61487).collect::<Vec<u16>>()));
        let mut shown = String::new();
        text::ports(&mut shown, &interfaces[0], Paint::PLAIN).unwrap();
        assert!(
            shown.contains("224 of 240 for NAT, 16 for UPnP\n"),
            "{shown}"
        );
        let row = "61472-61487     0    0    0  UUUUUUUUUUUUUUUU\n";
        assert!(shown.contains(row), "{shown}");
    }
}

/// DS-Lite, and a fixed address that the line itself named.
#[test]
fn lines_without_a_rule() {
    use mape::mechanism::{DsLite, IpIp, Mechanism};
    let [aftr, br, ours] = [
        "2404:8e00::feed:100",
        "2001:db8:ffff::feed",
        "2409:10:1:200::feed",
    ]
    .map(|address| address.parse().unwrap());
    let prefix = "2409:10:1:200::/56".parse().unwrap();
    let ds_lite = DsLite::new(prefix, aftr).unwrap();
    let ds_lite = ds_lite.named(Some("gw.transix.jp".parse().unwrap()));
    let fixed = "203.0.113.7/32".parse().unwrap();
    let fixed = IpIp::with_address(prefix, ours, fixed, br).unwrap();
    let lines: [(&str, Mechanism, (&str, &str), &str); 2] = [
        (
            "status-ds-lite",
            ds_lite.into(),
            ("transix", "transix"),
            "2409:10:1:200::/56 belongs to transix",
        ),
        (
            "status-ipip",
            fixed.into(),
            ("hb46pp", "Example Net"),
            "the line says so (HB46PP)",
        ),
    ];
    for (name, mechanism, (id, provider), why) in lines {
        let v6plus = state("240b:10:1:200::/56", "delegated", POOL, Timeouts::Normal);
        let link = Link {
            mechanism,
            why: why.into(),
            provider: Some((id.into(), provider.into())),
            ..v6plus.link
        };
        let state = State { link, ..v6plus };
        let mut world = up(state, "", &json!({ "hosts": [], "ranges": [] }), 0);
        world.measured[0].dropped = Some(Dropped::default());
        let told = told_status(&world.interfaces());
        assert_eq!(told, fixture(name), "{told:#}");
    }
}

/// Every row that a line can have, and one that is not shared.
#[test]
fn people_see_all_of_a_line() {
    use mape::map::{Dialect, Domain, MapType, RuleSpec};
    let ports = json!({ "hosts": [], "ranges": [] });
    let rule = |text: &str| text.parse::<RuleSpec>().unwrap();
    let shared = rule(
        "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,\
         ealen=16,offset=6,fmr,dmr=2001:db8:ffff::/64",
    );
    let whole = rule(
        "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,ealen=4,\
         br=2001:db8:ffff::1",
    );
    let single = rule(
        "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,ealen=8,\
         br=2001:db8:ffff::1",
    );
    let prefix = "2001:db8:12:3400::/56".parse().unwrap();
    for (name, map_type, rule) in [
        ("map-t", MapType::MapT, shared),
        ("whole-network", MapType::MapE, whole),
        ("whole-address", MapType::MapE, single),
    ] {
        let domain = Domain::from_specs(&[rule], map_type, Dialect::Rfc7597).unwrap();
        let v6plus = state("240b:10:1:200::/56", "ip6prefix", POOL, Timeouts::Normal);
        let link = Link {
            mechanism: domain.map(&[prefix]).unwrap().into(),
            why: String::new(),
            provider: None,
            encaplimit: None,
            ..v6plus.link
        };
        let state = State { link, ..v6plus };
        let mut world = up(state, "", &ports, 0);
        if map_type == MapType::MapT {
            // Neither netifd nor conntrack can be asked, and rules are hidden.
            world.dump = None;
            world.connections = None;
            world.measured[0].dropped = None;
            world.boot_seconds = 190_000;
        }
        assert_text(&world, name);
    }
    let silent = World {
        dump: None,
        ..not_up(json!([]), json!({}))
    };
    assert_text(&silent, "silent");
}

/// An error as netifd passes it on.
fn error(code: &str, what: &impl Tell) -> Value {
    let reason = what.reason();
    let data = [reason.to_string(), reason.coded().unwrap().to_string()];
    json!([{ "subsystem": "mape", "code": code, "data": data }])
}

#[test]
fn lines_that_are_not_up() {
    let down = not_up(json!([]), json!({ "autostart": false }));
    assert_eq!(told_status(&down.interfaces()), fixture("status-down"));
    assert_text(&down, "status-down");
    let no_ports = told_ports(&down.interfaces()[0]);
    assert_eq!(
        (&no_ports["total"], &no_ports["ranges"]),
        (&json!(0), &json!([]))
    );

    let no_prefix = error(
        "MAPE_NO_UPLINK_PREFIX",
        &UplinkError::NoPrefix("wan6".into()),
    );
    let pending = not_up(json!([]), json!({ "pending": true, "errors": no_prefix }));
    assert_eq!(
        told_status(&pending.interfaces()),
        fixture("status-pending")
    );
    assert_text(&pending, "status-pending");

    let foreign = "2001:db8:1200:3400::/56";
    let unknown = ProviderError::NoMatch {
        prefixes: vec![foreign.parse().unwrap()],
    };
    let unknown = error("MAPE_UNKNOWN_PROVIDER", &unknown);
    let silent = ResolveError::Timeout("4over6.info".parse().unwrap()).reason();
    let more = json!({ "pending": true, "errors": unknown });
    let asked = json!({
        "prefixes": [foreign], "next": 4830, "answer": null, "lwaftr": null,
        "failure": silent.to_string(), "reason": silent.coded(),
    });
    let failed = World {
        asked: vec![("wanmap".into(), serde_json::from_value(asked).unwrap())],
        boot_seconds: 4711,
        ..not_up(delegated(foreign), more)
    };
    assert_eq!(told_status(&failed.interfaces()), fixture("status-error"));
    assert_text(&failed, "status-error");

    assert_eq!(
        told_status(&World::default().interfaces()),
        fixture("status-empty")
    );
}

#[test]
fn samples_of_the_last_hours() {
    use mape::status::history::{History, HistoryAnswer};
    let expected = fixture("history");
    let mut text = String::new();
    for sample in expected["samples"].as_array().unwrap() {
        let numbers = sample.as_array().unwrap().iter().map(Value::to_string);
        text += &(numbers.collect::<Vec<_>>().join(" ") + "\n");
    }
    let now = expected["now"].as_u64().unwrap();
    let history = History::parse(&text);
    let answer = HistoryAnswer::new("wanmap", &history, now);
    assert_eq!(serde_json::to_value(&answer).unwrap(), expected);
}

#[test]
fn a_sample_counts_what_the_page_shows() {
    use mape::status::history::Sample;
    let ports = fixture("ports");
    let state = state("240b:10:1:200::/56", "delegated", POOL, Timeouts::Normal);
    let mut world = up(state, FIREWALL, &ports, 412);
    let interfaces = world.interfaces();
    let line = interfaces[0].line.as_ref().unwrap();
    assert_eq!(Sample::of(line, 60), Some(Sample(60, 67, 41, 1, 412)));

    world.connections = None;
    let interfaces = world.interfaces();
    let line = interfaces[0].line.as_ref().unwrap();
    assert_eq!(Sample::of(line, 60), None);
}
