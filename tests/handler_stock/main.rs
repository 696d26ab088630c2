// SPDX-License-Identifier: GPL-2.0-or-later
//! Configurations of the stock package: all three types, both spellings, rules from DHCPv6.

#[path = "../double/mod.rs"]
mod double;
#[path = "../router/mod.rs"]
mod router;

mod dhcp;
mod map_t;

use double::Interface;
use router::{Router, V6PLUS};

const LW4O6: &[(&str, &str)] = &[
    ("maptype", "lw4o6"),
    ("tunlink", "wan6"),
    ("peeraddr", "2001:db8:ffff::1"),
    ("ipaddr", "198.51.100.59"),
    ("psidlen", "8"),
    // 0x28, left-justified.
    ("psid", "10240"),
];

/// The uplink of a subscriber of that rule.
fn example_uplink(net: &Router) {
    net.add(
        Interface::on("wan6", "eth1")
            .address("2001:db8:12:3400::1", 64)
            .prefix("2001:db8:12:3400::", 56)
            .route(router::default_route())
            .zone("wan"),
    );
    net.ifup("wan6");
}

fn with<'a>(
    options: &[(&'a str, &'a str)],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = options
        .iter()
        .filter(|(name, _)| more.iter().all(|(n, _)| n != name));
    kept.chain(more).copied().collect()
}

#[test]
fn both_spellings_of_the_type() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    let bare: Vec<_> = V6PLUS
        .options
        .iter()
        .filter(|(name, _)| *name != "maptype")
        .copied()
        .collect();
    for spelling in [&[("maptype", "map-e")][..], &[("type", "map-e")], &[]] {
        net.configure("wanmap", "map", &with(&bare, spelling));
        net.ifup("wanmap");
        net.assert_works("wanmap");
        assert_eq!(net.tunnel().unwrap().local.as_deref(), Some(V6PLUS.ce));
        net.ifdown("wanmap");
        net.assert_clean("wanmap");
    }
    // The newer spelling wins where there are two, as in the stock package.
    net.configure(
        "wanmap",
        "map",
        &with(&bare, &[("maptype", "map-e"), ("type", "map-t")]),
    );
    net.ifup("wanmap");
    net.assert_works("wanmap");
}

#[test]
fn lw4o6_bound_to_a_prefix() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let options = with(
        LW4O6,
        &[("ip6prefix", "2001:db8:12:3400::"), ("ip6prefixlen", "64")],
    );
    net.configure("wanmap", "map", &options);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    let tunnel = net.tunnel().unwrap();
    let ce = "2001:db8:12:3400:0:c633:643b:28";
    assert_eq!(tunnel.local.as_deref(), Some(ce));
    assert_eq!(tunnel.remote.as_deref(), Some("2001:db8:ffff::1"));
    assert!(tunnel.fmrs.is_empty());
    let written = net.file("tmp/map-wanmap.rules").unwrap();
    assert!(
        written.contains("RULE_1_PORTSETS='10240-10495 '\n"),
        "{written}"
    );
}

/// No fixed pause: the address may come whenever it comes.
#[test]
fn lw4o6_bound_to_an_address_waits_for_it() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let options = with(
        LW4O6,
        &[("ip6prefix", "2001:db8:1::5"), ("ip6prefixlen", "128")],
    );
    net.configure("wanmap", "map", &options);
    net.ifup("wanmap");
    net.wait_error("wanmap", "NO_MATCHING_PD");
    net.update("wan6", "addresses", |wan6| {
        wan6.addresses
            .push(double::Address::new("2001:db8:1::5", 128));
    });
    net.assert_works("wanmap");
    assert_eq!(
        net.tunnel().unwrap().local.as_deref(),
        Some("2001:db8:1::5")
    );
    assert_eq!(net.spawned("wanmap", "setup"), 1);
}

#[test]
fn a_psid_given_explicitly_without_ea_bits() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let options = [
        ("maptype", "map-e"),
        ("tunlink", "wan6"),
        ("peeraddr", "2001:db8:ffff::1"),
        ("ipaddr", "192.0.2.18"),
        ("ip6prefix", "2001:db8:12:3400::"),
        ("ip6prefixlen", "56"),
        ("ealen", "0"),
        ("psidlen", "8"),
        ("offset", "6"),
    ];
    // The stock protocol has it left-justified, ours as it is.
    for (proto, psid) in [("map", "13312"), ("mape", "52")] {
        net.configure("wanmap", proto, &with(&options, &[("psid", psid)]));
        net.ifup("wanmap");
        net.assert_works("wanmap");
        let ce = "2001:db8:12:3400:0:c000:212:34";
        assert_eq!(net.tunnel().unwrap().local.as_deref(), Some(ce));
        let written = net.file("tmp/map-wanmap.rules").unwrap();
        assert!(written.contains("psid=13312,psidlen=8"), "{written}");
        net.ifdown("wanmap");
        net.assert_clean("wanmap");
    }
}

/// Lines a script reads, in the stock helper's order; the helper's own answers are compared in
/// `mapcalc.rs`.
#[test]
fn the_rules_file_is_the_stock_helpers() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.configure("wanmap", "map", V6PLUS.options);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    let written = net.file("tmp/map-wanmap.rules").unwrap();
    let (before, after) = written.split_once("RULE_1_PORTSETS='").unwrap();
    assert_eq!(
        before,
        "rule=type=map-e,ipv6prefix=240b:12::,prefix6len=31,ipv4prefix=14.8.0.0,prefix4len=15,\
         psidlen=8,offset=4,ealen=25,br=2404:9200:225:100::64\n\
         RULE_1_FMR=0\nRULE_1_EALEN=25\nRULE_1_PSIDLEN=8\nRULE_1_OFFSET=4\n\
         RULE_1_PREFIX4LEN=15\nRULE_1_PREFIX6LEN=31\nRULE_1_IPV4PREFIX=14.8.0.0\n\
         RULE_1_IPV6PREFIX=240b:12::\nRULE_1_IPV6PD=240b:12:aaaa:bb00::\nRULE_1_PD6LEN=56\n\
         RULE_1_PD6IFACE=wan6\nRULE_1_IPV6ADDR=240b:12:aaaa:bb00:e:8aa:aa00:bb00\nRULE_BMR=1\n\
         RULE_1_IPV4ADDR=14.8.170.170\nRULE_1_ADDR4LEN=32\n"
    );
    let (sets, after) = after.split_once("'\n").unwrap();
    assert!(sets.starts_with("7088-7103 11184-11199 "), "{sets}");
    assert_eq!(sets.split_whitespace().count(), 15);
    assert_eq!(after, "RULE_1_BR=2404:9200:225:100::64\nRULE_COUNT=1\n");
}
