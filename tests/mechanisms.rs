// SPDX-License-Identifier: GPL-2.0-or-later
//! Which mechanism a line gets: configuration and netifd's answer in, plan out.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::cell::RefCell;
use std::net::Ipv6Addr;

use mape::endpoint::{DnsName, Endpoint};
use mape::handler::{Code, Plan, Problem, Protocol, Router, Settings};
use mape::mechanism::{Kind, Mechanism};
use mape::netifd::{Config, Dump};
use mape::provider::load;
use mape::provision::resolve::ResolveError;
use mape::reason::{Reason, Tell};
use mape::uplink::Uplink;
use serde_json::json;

/// A router whose line's resolvers know one name.
#[derive(Default)]
struct Fake {
    name: &'static str,
    addresses: Vec<Ipv6Addr>,
    asked: RefCell<Vec<Ipv6Addr>>,
    /// What DHCPv6 says.
    aftr: Option<Endpoint>,
    silent: Vec<Ipv6Addr>,
}

impl Router for Fake {
    fn mtu(&self, _: &str) -> Option<u16> {
        Some(1500)
    }

    fn zone(&self, _: &str) -> Option<String> {
        None
    }

    fn aftr(&self, uplink: &str) -> Option<Endpoint> {
        assert_eq!(uplink, "wan6");
        self.aftr.clone()
    }

    fn silent(&self, interface: &str) -> Vec<Ipv6Addr> {
        assert_eq!(interface, "wanmap");
        self.silent.clone()
    }

    fn resolve(&self, name: &DnsName, uplink: &Uplink) -> Result<Vec<Ipv6Addr>, Reason> {
        self.asked.borrow_mut().extend(&uplink.resolvers);
        match name.as_str() == self.name {
            true => Ok(self.addresses.clone()),
            false => Err(ResolveError::NoName(name.clone()).reason()),
        }
    }
}

const RESOLVER: &str = "2404:1a8:7f01:a::3";

fn dump(prefix: &str) -> Dump {
    let (address, mask) = prefix.split_once('/').unwrap();
    let mask: u8 = mask.parse().unwrap();
    let answer = json!({"interface": [
        {"interface": "lan", "up": true, "l3_device": "br-lan", "dns-server": ["192.0.2.53"]},
        {"interface": "wan6", "up": true, "l3_device": "wan", "dns-server": [RESOLVER],
         "ipv6-prefix": [{"address": address, "mask": mask, "preferred": 100, "valid": 100}],
         "route": [{"target": "::", "mask": 0}]},
    ]});
    Dump::from_json(&answer.to_string()).unwrap()
}

fn plan(protocol: Protocol, options: &str, prefix: &str, router: &Fake) -> Result<Plan, Problem> {
    let config = Config::parse(&format!("{{{options}}}")).unwrap();
    let settings = Settings::new(protocol, "wanmap", &config)?;
    Plan::new(&settings, &dump(prefix), &load("files").table, router)
}

const TRANSIX: &str = "2409:10:a040:1c00::/56";

fn transix() -> Fake {
    Fake {
        name: "gw.transix.jp",
        addresses: ["2404:8e00::feed:101", "2404:8e00::feed:100"]
            .map(|text| text.parse().unwrap())
            .into(),
        ..Fake::default()
    }
}

#[test]
fn nothing_to_configure_on_a_ds_lite_line() {
    let router = transix();
    let plan = plan(Protocol::Mape, "", TRANSIX, &router).unwrap();
    let Mechanism::DsLite(line) = &plan.mechanism else {
        panic!("{:?}", plan.mechanism);
    };
    assert_eq!(line.name().unwrap().as_str(), "gw.transix.jp");
    assert_eq!(line.aftr(), router.addresses[0]);
    assert_eq!(plan.remotes, router.addresses);
    assert_eq!(
        (plan.mtu, plan.encaplimit.as_deref()),
        (1460, Some("ignore"))
    );
    assert_eq!(plan.provider.as_ref().unwrap().0, "transix");
    assert!(plan.why.contains("belongs to transix"), "{}", plan.why);
    // Nobody but the line's own resolvers was asked.
    assert_eq!(
        *router.asked.borrow(),
        [RESOLVER.parse::<Ipv6Addr>().unwrap()]
    );
}

#[test]
fn corrections_of_a_line_that_is_known_are_said_to_be_ignored() {
    let router = Fake::default();
    let line = |options| plan(Protocol::Mape, options, "240b:10:1:200::/56", &router).unwrap();
    let known = line("");
    let corrected = line(r#""offset":"6""#);
    assert_eq!(corrected.mechanism, known.mechanism);
    assert_eq!(known.warnings, [""; 0]);
    let [warning] = corrected.warnings.as_slice() else {
        panic!("{:?}", corrected.warnings);
    };
    assert!(
        warning.starts_with("offset, ealen, psidlen and psid are ignored"),
        "{warning}"
    );
}

#[test]
fn an_aftr_that_was_silent_comes_after_the_others() {
    let [first, second] = ["2404:8e00::feed:101", "2404:8e00::feed:100"]
        .map(|text| text.parse::<Ipv6Addr>().unwrap());
    let remote = |silent: &[Ipv6Addr]| {
        let router = Fake {
            silent: silent.to_vec(),
            ..transix()
        };
        let plan = plan(Protocol::Mape, "", TRANSIX, &router).unwrap();
        assert_eq!(plan.remotes, router.addresses);
        plan.remote().unwrap()
    };
    assert_eq!(remote(&[first]), second);
    assert_eq!(remote(&[second]), first);
    // All were: the one that had most time to come back.
    assert_eq!(remote(&[second, first]), first);
    assert_eq!(remote(&[first, second]), second);
    // Of another name.
    assert_eq!(remote(&["2001:db8::1".parse().unwrap()]), first);
}

#[test]
fn an_aftr_that_dhcpv6_names_is_used_where_no_rule_is_known() {
    let named = |aftr: &str| Fake {
        name: "aftr.example",
        addresses: vec!["2001:db8:aaaa::7".parse().unwrap()],
        aftr: aftr.parse().ok(),
        ..Fake::default()
    };
    let router = named("aftr.example");
    let unknown = plan(Protocol::Mape, "", "2001:db8:10::/56", &router).unwrap();
    assert_eq!(unknown.remote(), router.addresses.first().copied());
    assert_eq!(unknown.why, "DHCPv6 of wan6 names the AFTR");
    assert_eq!(unknown.provider, None);
    // What the line says comes before what is said of its provider.
    let transix = plan(Protocol::Mape, "", TRANSIX, &named("2001:db8:aaaa::9")).unwrap();
    assert_eq!(transix.remote().unwrap().to_string(), "2001:db8:aaaa::9");
    assert_eq!(transix.provider.as_ref().unwrap().0, "transix");
    let map = plan(Protocol::Mape, "", "240b:10:1:200::/56", &router).unwrap();
    assert_eq!(map.mechanism.kind(), Kind::MapE);
    let only_map = r#""maptype":"map-e""#;
    let refused = plan(Protocol::Mape, only_map, "2001:db8:10::/56", &router).unwrap_err();
    assert_eq!(refused.code, Code::UnknownProvider);
}

#[test]
fn a_name_that_is_not_known_may_be_later() {
    let problem = plan(Protocol::Mape, "", TRANSIX, &Fake::default()).unwrap_err();
    assert_eq!(problem.code, Code::NameNotResolved);
    assert!(!problem.fatal);
    assert_eq!(problem.detail, "gw.transix.jp: there is no such name");
}

#[test]
fn the_stock_protocol_and_a_named_type_stay_with_map() {
    for (protocol, options) in [
        (Protocol::Map, ""),
        (Protocol::Mape, r#""maptype":"map-e""#),
    ] {
        let problem = plan(protocol, options, TRANSIX, &transix()).unwrap_err();
        assert_eq!(problem.code, Code::UnknownProvider, "{problem}");
    }
}

#[test]
fn map_comes_first_unless_ds_lite_is_asked_for() {
    let prefix = "240b:10:1:200::/56";
    let auto = plan(Protocol::Mape, "", prefix, &transix()).unwrap();
    assert_eq!(auto.mechanism.kind(), Kind::MapE);
    let asked = r#""maptype":"ds-lite""#;
    let problem = plan(Protocol::Mape, asked, prefix, &transix()).unwrap_err();
    assert!(
        problem.detail.starts_with("peeraddr is missing"),
        "{problem}"
    );
    let by_id = r#""maptype":"ds-lite","provider":"transix""#;
    let plan = plan(Protocol::Mape, by_id, prefix, &transix()).unwrap();
    assert_eq!(plan.mechanism.kind(), Kind::DsLite);
}

#[test]
fn an_aftr_of_the_configuration_wins() {
    let options = r#""peeraddr":"2001:db8:aaaa::1""#;
    let plan = plan(Protocol::Mape, options, TRANSIX, &transix()).unwrap();
    assert_eq!(plan.remote().unwrap().to_string(), "2001:db8:aaaa::1");
}

#[test]
fn a_fixed_address() {
    let options = r#""maptype":"ipip","ipaddr":"203.0.113.96/29","peeraddr":"2001:380:a120::a""#;
    let plan = plan(
        Protocol::Mape,
        options,
        "2001:db8:7:100::/56",
        &Fake::default(),
    )
    .unwrap();
    let mechanism = &plan.mechanism;
    assert_eq!(mechanism.kind(), Kind::IpIp);
    assert_eq!(
        mechanism.ce_address().to_string(),
        "2001:db8:7:100:cb:71:6000:0"
    );
    assert_eq!(mechanism.ipv4().to_string(), "203.0.113.96/29");
    assert_eq!(plan.mtu, 1460);
}

/// Of a misspelt provider nothing would be known that depends on it.
#[test]
fn a_fixed_address_of_an_unknown_provider_is_refused() {
    let with = |id: &str| {
        let options = format!(
            r#""maptype":"ipip","ipaddr":"203.0.113.1","peeraddr":"2001:db8::1","provider":"{id}""#
        );
        let prefix = "2001:db8:7:100::/56";
        plan(Protocol::Mape, &options, prefix, &Fake::default())
    };
    let problem = with("v6plus-statc").unwrap_err();
    assert_eq!(problem.code, Code::UnknownProvider);
    assert!(problem.fatal && problem.detail.contains("v6plus-statc"));
    for id in ["v6plus-static", "v6plus", "auto"] {
        assert!(with(id).is_ok(), "{id}");
    }
}

/// The BR of v6plus's fixed addresses is known; those of contracts are not.
#[test]
fn the_br_of_a_fixed_address_may_be_known() {
    let with = |id: &str| {
        let options = format!(
            r#""maptype":"ipip","ipaddr":"203.0.113.1","interfaceid":"::feed","provider":"{id}""#
        );
        plan(
            Protocol::Mape,
            &options,
            "2001:db8:7:100::/56",
            &Fake::default(),
        )
    };
    let table = load("files").table;
    let mut known = 0;
    for line in table.other_lines() {
        let mape::provider::Carrier::IpIp { br, .. } = line.carrier() else {
            continue;
        };
        match (br, with(line.id())) {
            (Some(br), Ok(plan)) => {
                known += 1;
                assert_eq!(plan.remote(), Some(*br));
            }
            (None, Err(problem)) => {
                assert!(problem.detail.ends_with("set option peeraddr"), "{problem}");
            }
            (br, plan) => panic!("{}: {br:?}, {plan:?}", line.id()),
        }
    }
    assert!(known > 0);
}
