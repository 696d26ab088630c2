// SPDX-License-Identifier: GPL-2.0-or-later
//! Every ruleset we print must be one that nft and the kernel accept. Needs
//! root (for a network namespace of its own) and nft.

mod netns;

use mape::map::{PortParams, PortRange, PortSet};
use mape::nat::{Claim, Kernel, Line, Mode, Outer, Plan, PortList, Timeouts, UpnpWish, Wishes};
use netns::{Namespace, nft_programs};
use proptest::prelude::*;

fn line(ports: PortSet) -> Line {
    Line {
        interface: "wan4".into(),
        device: "map-wan4".into(),
        ipv4: "192.0.2.1/32".parse().unwrap(),
        ports: Some(ports),
        outer: Some(Outer {
            ce: "2001:db8::1".parse().unwrap(),
            sources: vec![
                "2001:db8:ffff::1/128".parse().unwrap(),
                "2001:db8:ff00::/40".parse().unwrap(),
            ],
        }),
    }
}

fn set(offset: u8, psid_len: u8, psid: u16) -> PortSet {
    PortSet::new(PortParams::new(offset, psid_len).unwrap(), psid).unwrap()
}

/// The tunnel's place is taken by one end of a veth pair.
fn namespace() -> Option<Namespace> {
    let ns = Namespace::new("rules")?;
    ns.ip("link add map-wan4 type veth peer name far");
    Some(ns)
}

#[test]
fn nft_accepts_every_set_and_technique() {
    let Some(ns) = namespace() else { return };
    let programs = nft_programs();
    let reserve = (any::<u16>(), 0u16..30);
    let wishes = (
        proptest::collection::vec(reserve, 0..6),
        prop_oneof![Just(Mode::Auto), Just(Mode::Hash)],
        any::<bool>(),
        any::<bool>(),
        0u16..40,
        any::<bool>(),
    );
    let cases = (0u8..=10, 0u8..=16, any::<u16>(), wishes);
    let config = ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |((offset, len, psid, (opened, mode, ping, tight, upnp, redirected)) in cases)| {
        prop_assume!(offset + len <= 16);
        let mask = ((1u32 << len) - 1) as u16;
        let opened: PortList = opened
            .into_iter()
            .filter_map(|(first, more)| PortRange::new(first.max(1), first.max(1).saturating_add(more)))
            .collect();
        let timeouts = if tight { Timeouts::Tight } else { Timeouts::Normal };
        let opened = vec![Claim { title: "port forward".into(), ports: opened }];
        let upnp = UpnpWish::Count(upnp);
        let wishes = Wishes { mode, opened, upnp, ping, timeouts, redirected, ..Wishes::default() };
        let Ok(plan) = Plan::new(line(set(offset, len, psid & mask)), &wishes, &Kernel::full()) else {
            return Ok(());
        };
        let text = plan.combined();
        for program in &programs {
            if let Err(complaint) = ns.nft_at(program, &["-c"], &text) {
                return Err(TestCaseError::fail(format!("{program}: {complaint}\n{text}")));
            }
        }
    });
}

/// Those that a review reads, of each technique and mechanism, are loaded whole.
#[test]
fn each_nft_loads_each_kind() {
    let Some(ns) = namespace() else { return };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");
    let mut loaded = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let Some((_, rules)) = text.split_once("\n---\n") else {
            panic!("{path:?} has no head");
        };
        if !rules.contains("\ntable ") {
            continue;
        }
        loaded += 1;
        for program in nft_programs() {
            // Twice, as when a line changes.
            for _ in 0..2 {
                let done = ns.nft_at(program, &[], rules);
                done.unwrap_or_else(|why| panic!("{program}, {path:?}: {why}"));
            }
            assert!(ns.run(&[program, "flush", "ruleset"]).status.success());
        }
    }
    assert!(loaded >= 9, "{loaded} rulesets");
}

#[test]
fn an_address_with_a_prefix_and_one_without_sharing() {
    let Some(ns) = namespace() else { return };
    for net in ["192.0.2.0/28", "192.0.2.1/32"] {
        for reserve in ["", "5000-5010 443"] {
            let mut line = line(set(6, 0, 0));
            line.ipv4 = net.parse().unwrap();
            let wishes = Wishes {
                reserve: reserve.parse().unwrap(),
                ..Wishes::default()
            };
            let plan = Plan::new(line, &wishes, &Kernel::full()).unwrap();
            ns.nft(&["-c"], &plan.combined()).unwrap();
        }
    }
}

/// Names that the handler takes, the rules take: also words that mean something
/// to nft, and none stands there without its quotes.
#[test]
fn a_name_is_a_name_and_nothing_else() {
    let Some(ns) = Namespace::new("names") else {
        return;
    };
    let words = [
        "drop",
        "accept",
        "0",
        "65535",
        "map",
        "add",
        "1-2",
        "a.b",
        "x--",
        "A_b.9-",
        "wan6_4",
        "counter",
        "ip",
        "abcdefghijk",
    ];
    for name in words {
        let device = mape::handler::device_name(name).unwrap();
        ns.ip(&format!("link add {device} type veth peer name far"));
        let mut line = line(set(4, 8, 0x34));
        (line.interface, line.device) = (name.to_owned(), device.clone());
        for mode in [Mode::Auto, Mode::Hash] {
            let wishes = Wishes {
                mode,
                opened: vec![Claim {
                    title: "port forward".into(),
                    ports: "4930".parse().unwrap(),
                }],
                ..Wishes::default()
            };
            let plan = Plan::new(line.clone(), &wishes, &Kernel::full()).unwrap();
            let text = plan.combined();
            ns.nft(&["-c"], &text).unwrap();
            let quoted = format!("\"{device}\"");
            assert_eq!(text.matches(&device).count(), text.matches(&quoted).count());
        }
        ns.ip(&format!("link del {device}"));
    }
    for name in [
        "a b", "a;b", "a\"b", "a\nb", "$(a)", "a{", "#a", "-a", "../a", "ａ", "",
    ] {
        assert!(mape::handler::device_name(name).is_err(), "{name:?}");
        let mut line = line(set(4, 8, 0x34));
        line.interface = name.to_owned();
        let plan = Plan::new(line, &Wishes::default(), &Kernel::full());
        // The rules' room lets a name begin with anything of its letters, for
        // a table's name has more before it.
        assert!(plan.is_err() || name == "-a", "{name:?}");
    }
}
