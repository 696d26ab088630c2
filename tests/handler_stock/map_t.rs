// SPDX-License-Identifier: GPL-2.0-or-later
//! MAP-T through kmod-nat46.

use super::double::{Effect, Entry};
use super::router::{self, Router, V6PLUS};
use super::{example_uplink, with};

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

/// kmod-nat46: a file that keeps what is said, and the device it would make.
fn install_nat46(net: &Router) {
    net.write("proc/net/nat46/control", "");
    net.write("sys/class/net/map-wanmap/mtu", "");
    router::device("map-wanmap");
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
