// SPDX-License-Identifier: GPL-2.0-or-later
//! What the handler sets up on lines of people.

use super::double::{EncapLimit, Interface};
use super::router::{self, Router, V6PLUS};

const RULE: &str = "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                    prefix4len=24,ealen=16,offset=6";

/// An uplink with these, as a DHCPv6 client reports them.
pub fn uplink(net: &Router, address: &str, prefix: Option<(&str, u8)>) {
    let mut wan6 = Interface::on("wan6", "eth1")
        .address(address, 64)
        .route(router::default_route())
        .zone("wan");
    if let Some((prefix, len)) = prefix {
        wan6 = wan6.prefix(prefix, len);
    }
    net.add(wan6);
    net.ifup("wan6");
}

pub fn example_uplink(net: &Router) {
    uplink(net, "2001:db8:12:3400::1", Some(("2001:db8:12:3400::", 56)));
}

/// Case 1, openwrt/openwrt#25190: nat46 computes the PSID bits from the EA length, so it must be
/// told the whole of it.
#[test]
fn case_1_map_t_with_a_psid_beside_the_ea_bits() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    net.write("proc/net/nat46/control", "");
    net.write("sys/class/net/map-wanmap/mtu", "");
    router::device("map-wanmap");
    let options = [
        ("maptype", "map-t"),
        ("tunlink", "wan6"),
        ("peeraddr", "2001:db8:ffff::/64"),
        ("ipaddr", "192.0.2.0"),
        ("ip4prefixlen", "24"),
        ("ip6prefix", "2001:db8::"),
        ("ip6prefixlen", "40"),
        ("ealen", "16"),
        ("psidlen", "8"),
        ("psid", "13312"),
        ("offset", "6"),
    ];
    net.configure("wanmap", "map", &options);
    net.ifup("wanmap");
    net.wait("wanmap is up", |world| world.is_up("wanmap"));
    let said = net.file("proc/net/nat46/control").unwrap();
    assert!(
        said.contains(" local.ea-len 16 local.psid-offset 6 "),
        "{said}"
    );
    // Case 15, openwrt/openwrt#25192: translation costs 20 bytes, not 40.
    let mtu = net.file("sys/class/net/map-wanmap/mtu");
    assert_eq!(mtu.as_deref(), Some("1480"));
}

/// Case 3, RFC 7598's rule that is BMR and FMR at once.
#[test]
fn case_3_an_fmr_keeps_its_ea_length() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let rule = format!("{RULE},psidlen=8,psid=13312,br=2001:db8:ffff::1,fmr");
    net.configure("wanmap", "map", &[("tunlink", "wan6"), ("rule", &rule)]);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    let tunnel = net.tunnel().unwrap();
    let lens: Vec<_> = tunnel.fmrs.iter().map(|fmr| fmr.ealen).collect();
    assert_eq!(lens, [16]);
    assert_eq!(
        tunnel.local.as_deref(),
        Some("2001:db8:12:3400:0:c000:212:34")
    );
}

/// Case 6, openwrt/luci#5376, cakeqos-merlin#79: SQM on the tunnel. Replies are translated behind
/// traffic control as long as it is there, as the scenario `sqm` of `make test-qemu` shows with
/// traffic.
#[test]
fn case_6_sqm_on_the_tunnel() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.configure("wanmap", "map", V6PLUS.options);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    let way_in = |family| {
        let chains = router::run("nft", &["list", "chains", family]);
        chains.contains("chain ingress {")
    };
    for (action, family, other) in [("add", "ip", "netdev"), ("del", "netdev", "ip")] {
        assert!(way_in(other) && !way_in(family), "before {action}");
        router::run(
            "tc",
            &[
                "qdisc",
                action,
                "dev",
                "map-wanmap",
                "handle",
                "ffff:",
                "ingress",
            ],
        );
        net.hotplug("wanmap");
        assert!(way_in(family) && !way_in(other), "after {action}");
        net.assert_works("wanmap");
    }
}

/// Case 7, snabbco/snabb#1441: a rule by hand and no `encaplimit`.
#[test]
fn case_7_no_encapsulation_limit_unless_one_is_set() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    let options = V6PLUS.options.iter().copied();
    let options: Vec<_> = options.filter(|(name, _)| *name != "encaplimit").collect();
    net.configure("wanmap", "map", &options);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    assert_eq!(net.tunnel().unwrap().encap, EncapLimit::Ignore);
}

/// Case 8, openwrt/openwrt#16081: the rule itself names the end-user prefix.
#[test]
fn case_8_pd_in_a_rule() {
    let Some(net) = Router::new() else { return };
    uplink(&net, "2001:db8:99::1", Some(("2001:db8:99::", 56)));
    let rule = format!("{RULE},br=2001:db8:ffff::1,pd=2001:db8:12:3400::,pdlen=56");
    net.configure("wanmap", "map", &[("tunlink", "wan6"), ("rule", &rule)]);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    assert_eq!(
        net.tunnel().unwrap().local.as_deref(),
        Some("2001:db8:12:3400:0:c000:212:34")
    );
}

/// Case 9, openwrt/luci#7930: a binding for a part of what is delegated.
#[test]
fn case_9_a_binding_inside_a_shorter_prefix() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    let options = [
        ("maptype", "lw4o6"),
        ("tunlink", "wan6"),
        ("peeraddr", "2001:db8:ffff::1"),
        ("ipaddr", "198.51.100.59"),
        ("psidlen", "8"),
        ("psid", "10240"),
        ("ip6prefix", "2001:db8:12:3400:feed::1"),
        ("ip6prefixlen", "128"),
    ];
    net.configure("wanmap", "map", &options);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    assert_eq!(
        net.tunnel().unwrap().local.as_deref(),
        Some("2001:db8:12:3400:feed::1")
    );
}

/// Case 2, fakemanhk/openwrt-jp-ipoe#50: a PSID that the prefix contradicts is named, and the line
/// comes up by itself with a prefix that agrees.
#[test]
fn case_2_a_psid_that_contradicts_the_prefix() {
    let Some(net) = Router::new() else { return };
    uplink(
        &net,
        "2001:db8:12:3500::1",
        Some(("2001:db8:12:3500::", 56)),
    );
    let rule = format!("{RULE},psidlen=8,psid=13312,br=2001:db8:ffff::1");
    net.configure("wanmap", "map", &[("tunlink", "wan6"), ("rule", &rule)]);
    net.ifup("wanmap");
    net.wait_error("wanmap", "INVALID_MAP_RULE");
    let details = net.details("wanmap").join("\n");
    let expected = "psid 52: the EA bits of 2001:db8:12:3500::/56 say 53";
    assert!(details.contains(expected), "{details}");
    net.set_prefix("wan6", Some(("2001:db8:12:3400::", 56)));
    net.assert_works("wanmap");
}

/// Case 47, openwrt/lede#10910, opnsense/core#9398: connections that hang because nobody clamps the
/// MSS.
#[test]
fn case_47_a_zone_that_does_not_clamp_the_mss() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.write("proc/sys/net/ipv6/conf/eth1/mtu", "1500\n");
    net.configure("wanmap", "map", V6PLUS.options);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    for (mtu_fix, warns) in [("0", true), ("1", false)] {
        let zone = format!(
            "config zone\n\toption name wan\n\tlist network wanmap\n\toption mtu_fix {mtu_fix}\n"
        );
        net.write("etc/config/firewall", &zone);
        let said = net.doctor("wanmap");
        let warned = said.contains("zone wan does not clamp the MSS");
        assert_eq!(warned, warns, "{said}");
    }
}
