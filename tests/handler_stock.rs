// SPDX-License-Identifier: GPL-2.0-or-later
//! Configurations of the stock package: all three types, both spellings, rules from DHCPv6.

mod double;
mod router;

use double::{Effect, EncapLimit, Entry, Interface};
use mape::ubus::Value;
use router::{Router, V6PLUS};

/// A MAP-T line: RFC 7597's example rule with a DMR.
const MAP_T: &[(&str, &str)] = &[
    ("tunlink", "wan6"),
    ("peeraddr", "2001:db8:ffff::/64"),
    ("ipaddr", "192.0.2.0"),
    ("ip4prefixlen", "24"),
    ("ip6prefix", "2001:db8::"),
    ("ip6prefixlen", "40"),
    ("ealen", "16"),
    ("offset", "6"),
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

/// kmod-nat46: a file that keeps what is said, and the device it would make.
fn install_nat46(net: &Router) {
    net.write("proc/net/nat46/control", "");
    net.write("sys/class/net/map-wanmap/mtu", "");
    router::run(
        "ip",
        &["link", "add", "map-wanmap", "type", "veth", "peer", "x"],
    );
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
fn map_t_speaks_to_nat46_and_is_undone_whatever_the_type_is_by_then() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    install_nat46(&net);
    net.configure(
        "wanmap",
        "map",
        &with(
            MAP_T,
            &[("type", "map-t"), ("mtu", "1400"), ("zone", "wan")],
        ),
    );
    net.ifup("wanmap");
    net.wait("wanmap is up", |world| world.is_up("wanmap"));
    net.wait_idle("wanmap");
    let said = net.file("proc/net/nat46/control").unwrap();
    assert_eq!(
        said,
        "del map-wanmap\n\
         add map-wanmap\n\
         config map-wanmap local.style MAP local.v4 192.0.2.0/24 local.v6 2001:db8::/40 \
         local.ea-len 16 local.psid-offset 6 remote.v4 0.0.0.0/0 remote.v6 2001:db8:ffff::/64 \
         remote.style RFC6052 remote.ea-len 0 remote.psid-offset 0\n"
    );
    assert_eq!(
        net.file("sys/class/net/map-wanmap/mtu").as_deref(),
        Some("1400")
    );
    let rules = router::run("nft", &["list", "ruleset"]);
    assert!(rules.contains("192.0.2.18"), "{rules}");
    // What comes for the CE's address is routed into the device, and the zone lets it through.
    net.with(|world| {
        let interface = world.interface("wanmap");
        let ce = "2001:db8:12:3400:0:c000:212:34";
        assert!(
            interface
                .routes
                .iter()
                .any(|r| r.target == ce && r.mask == 128)
        );
        let data = format!("{:?}", interface.data);
        assert!(data.contains(ce) && data.contains("\"wan\""), "{data}");
        let tunnels = |e: &&Entry| matches!(e, Entry::Effect(Effect::CreateTunnel(..)));
        assert_eq!(world.record.iter().filter(tunnels).count(), 0);
    });

    // The configuration says something else when the interface goes down.
    net.reconfigure("wanmap", r#"{"proto":"map","maptype":"map-e"}"#);
    net.ifdown("wanmap");
    net.wait_idle("wanmap");
    let said = net.file("proc/net/nat46/control").unwrap();
    assert_eq!(said.lines().last(), Some("del map-wanmap"), "{said}");
    // The file cannot do what the module would have done by now.
    router::run("ip", &["link", "del", "map-wanmap"]);
    net.assert_clean("wanmap");
}

#[test]
fn map_t_in_the_older_style_with_other_ces() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    install_nat46(&net);
    let rules = "type=map-t,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                 prefix4len=24,ealen=16,offset=4,dmr=2001:db8:ffff::/64,fmr\n\
                 type=map-t,ipv6prefix=2001:db8:100::,prefix6len=40,ipv4prefix=198.51.100.0,\
                 prefix4len=24,ealen=16,offset=4,dmr=2001:db8:ffff::/64,fmr";
    net.configure(
        "wanmap",
        "map",
        &[
            ("maptype", "map-t"),
            ("legacymap", "1"),
            ("tunlink", "wan6"),
            ("rule", rules),
        ],
    );
    net.ifup("wanmap");
    net.wait("wanmap is up", |world| world.is_up("wanmap"));
    net.wait_idle("wanmap");
    let said = net.file("proc/net/nat46/control").unwrap();
    let inserted: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("insert "))
        .collect();
    assert_eq!(
        inserted,
        [
            "insert map-wanmap remote.style MAP0 remote.v4 192.0.2.0/24 \
             remote.v6 2001:db8::/40 remote.ea-len 16 remote.psid-offset 4",
            "insert map-wanmap remote.style MAP0 remote.v4 198.51.100.0/24 \
             remote.v6 2001:db8:100::/40 remote.ea-len 16 remote.psid-offset 4",
        ]
    );
}

#[test]
fn map_t_without_its_module_names_the_package() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    net.configure("wanmap", "map", &with(MAP_T, &[("maptype", "map-t")]));
    net.ifup("wanmap");
    net.wait_error("wanmap", "UNSUPPORTED_TYPE");
    assert!(net.details("wanmap")[0].contains("kmod-nat46"));
    net.ifdown("wanmap");
    net.assert_clean("wanmap");
}

#[test]
fn a_tunnel_is_undone_although_the_type_says_map_t_by_then() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.configure("wanmap", "map", V6PLUS.options);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    net.reconfigure("wanmap", r#"{"proto":"map","maptype":"map-t"}"#);
    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| !world.is_up("wanmap"));
    net.assert_clean("wanmap");
}

const LW4O6: &[(&str, &str)] = &[
    ("maptype", "lw4o6"),
    ("tunlink", "wan6"),
    ("peeraddr", "2001:db8:ffff::1"),
    ("ipaddr", "198.51.100.59"),
    ("psidlen", "8"),
    // 0x28, left-justified.
    ("psid", "10240"),
];

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

/// What the DHCPv6 client's script adds for S46 options: everything is text.
fn from_dhcp(rules: &str) -> Value {
    Value::table()
        .with("name", "wan6_4")
        .with("ifname", "@wan6")
        .with("proto", "map")
        .with("type", "map-e")
        .with("_prefsig", "2001:db8:12:3400::/56,3600,7200 ")
        .with("rule", rules)
        .with("tunlink", "wan6")
        .with("zone", "wan")
        .with("encaplimit", "ignore")
        .with("mtu", "1452")
        .with("delegate", "0")
}

const OWN: &str = "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                   prefix4len=24,ealen=16,offset=6,br=2001:db8:ffff::1,fmr";
const OTHER: &str = "type=map-e,ipv6prefix=2001:db8:100::,prefix6len=40,ipv4prefix=198.51.100.0,\
                     prefix4len=24,ealen=16,offset=6,br=2001:db8:ffff::1,fmr";

#[test]
fn dhcpv6_brings_the_rules() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    net.add_dynamic(&from_dhcp(&format!("{OTHER} {OWN} ")));
    net.assert_works("wan6_4");
    let tunnel = net.tunnel().unwrap();
    let ce = "2001:db8:12:3400:0:c000:212:34";
    assert_eq!(tunnel.local.as_deref(), Some(ce));
    assert_eq!(tunnel.mtu, Some(1452));
    assert_eq!(tunnel.encap, EncapLimit::Ignore);
    let fmrs: Vec<&str> = tunnel.fmrs.iter().map(|f| f.prefix4.as_str()).collect();
    assert_eq!(fmrs, ["198.51.100.0/24", "192.0.2.0/24"]);
    let data = net.with(|world| format!("{:?}", world.interface("wan6_4").data));
    assert!(data.contains("(\"zone\", String(\"wan\"))"), "{data}");
    let written = net.file("tmp/map-wan6_4.rules").unwrap();
    assert!(written.contains("RULE_BMR=2\n"), "{written}");
    assert!(written.ends_with("RULE_COUNT=2\n"), "{written}");

    // The same at each renewal: nothing happens.
    net.add_dynamic(&from_dhcp(&format!("{OTHER} {OWN} ")));
    assert_eq!(net.spawned("wan6_4", "teardown"), 0);

    // Other rules: netifd removes the interface, the client's next call makes it anew.
    let moved = OWN.replace("192.0.2.0", "203.0.113.0");
    net.add_dynamic(&from_dhcp(&moved));
    net.wait("the old one is gone", |world| {
        !world.interfaces.contains_key("wan6_4")
    });
    net.assert_clean("wan6_4");
    net.add_dynamic(&from_dhcp(&moved));
    net.assert_works("wan6_4");
    let rules = router::run("nft", &["list", "ruleset"]);
    assert!(rules.contains("203.0.113.18"), "{rules}");
    assert!(!rules.contains("192.0.2.18"), "{rules}");

    // The uplink goes, and all with it.
    net.ifdown("wan6");
    net.wait("wan6_4 is down", |world| !world.is_up("wan6_4"));
    net.assert_clean("wan6_4");
}

#[test]
fn changed_rules_take_effect_at_a_renewal() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let config = |rule: &str| format!(r#"{{"proto":"map","tunlink":"wan6","rule":["{rule}"]}}"#);
    net.configure_raw("wanmap", "map", &config(OWN));
    net.ifup("wanmap");
    net.assert_works("wanmap");
    for changed in [
        OWN.replace("br=2001:db8:ffff::1", "br=2001:db8:ffff::2"),
        OWN.replace("offset=6", "offset=4"),
        format!("{OWN} {OTHER}"),
    ] {
        let teardowns = net.spawned("wanmap", "teardown");
        net.reconfigure("wanmap", &config(&changed));
        net.renew("wanmap");
        net.wait("it starts over", |world| {
            world.spawned("wanmap", "teardown") > teardowns
        });
        net.assert_works("wanmap");
        assert_eq!(net.spawned("wanmap", "teardown"), teardowns + 1);
    }
    assert_eq!(net.tunnel().unwrap().fmrs.len(), 2);
}

/// The longest are kept, and the user is told how many are not.
#[test]
fn more_fmrs_than_netifd_takes() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let mut rules = vec![OWN.to_owned()];
    rules.extend((0..70).map(|n| {
        format!(
            "type=map-e,ipv6prefix=2001:db9:{n:x}::,prefix6len=48,ipv4prefix=10.{n}.0.0,\
             prefix4len=24,ealen=8,offset=6,br=2001:db8:ffff::1,fmr"
        )
    }));
    net.configure(
        "wanmap",
        "map",
        &[("tunlink", "wan6"), ("rule", &rules.join("\n"))],
    );
    net.ifup("wanmap");
    net.assert_works("wanmap");
    let fmrs = net.tunnel().unwrap().fmrs;
    assert_eq!(fmrs.len(), mape::netifd::Fmr::MAX);
    assert!(fmrs.iter().all(|fmr| fmr.prefix6.ends_with("/48")));
    let warned = net.log();
    assert!(
        warned
            .iter()
            .any(|line| line.contains("71 FMRs are given") && line.contains("10 left out")),
        "{warned:?}"
    );
}

/// Nothing but an FMR matches, and it has no relay: no tunnel to nowhere.
#[test]
fn a_rule_without_its_relay() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let rule = OWN.replace("br=2001:db8:ffff::1,", "");
    net.configure("wanmap", "map", &[("tunlink", "wan6"), ("rule", &rule)]);
    net.ifup("wanmap");
    net.wait_error("wanmap", "INVALID_MAP_RULE");
    assert!(net.details("wanmap")[0].contains("br"));
    net.ifdown("wanmap");
    net.assert_clean("wanmap");
}
