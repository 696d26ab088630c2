// SPDX-License-Identifier: GPL-2.0-or-later
//! What people ran into because of the uplink, or of a second one.

use super::double::{Effect, Interface, Route};
use super::lines::{example_uplink, uplink};
use super::router::{Router, V6PLUS, from_dhcp};

const RULE: &str = "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                    prefix4len=24,ealen=16,br=2001:db8:ffff::1";

/// An uplink by DHCPv6 with this metric.
fn uplink_with(net: &Router, metric: i32) {
    example_uplink(net);
    net.update("wan6", "the metric", |wan6| wan6.metric = metric);
}

/// The metrics of an interface's IPv4 default routes.
fn metrics(net: &Router, interface: &str) -> Vec<Option<i32>> {
    net.with(|world| {
        let routes = world.interface(interface).routes.iter();
        let defaults = routes.filter(|route| route.target == "0.0.0.0");
        defaults.map(|route| route.metric).collect()
    })
}

/// Case 12, openwrt/openwrt#25190: the DHCPv6 client has lost the port parameters. Nothing says
/// so but the silence of the BR, and then the doctor names it.
#[test]
fn case_12_a_lost_offset_is_suspected() {
    let Some(net) = Router::new() else { return };
    example_uplink(&net);
    net.add_dynamic(&from_dhcp(RULE));
    net.assert_works("wan6_4");
    for (counter, packets) in [("tx", 40), ("rx", 0)] {
        for what in ["packets", "bytes"] {
            let file = format!("sys/class/net/map-wan6_4/statistics/{counter}_{what}");
            net.write(&file, &format!("{packets}\n"));
        }
    }
    let said = net.doctor("wan6_4");
    let suspicion = "that the DHCPv6 client has lost";
    assert!(said.contains("none received"), "{said}");
    assert!(said.contains(suspicion), "{said}");

    // Who has given one knows it.
    let section = "config interface 'wan6_4'\n\toption disabled '1'\n\toption offset '6'\n";
    net.write("etc/config/network", section);
    let said = net.doctor("wan6_4");
    assert!(said.contains("none received"), "{said}");
    assert!(!said.contains(suspicion), "{said}");
}

/// Case 16, fakemanhk/openwrt-jp-ipoe#50, openwrt/openwrt#11972: `option ip6prefix` of wan6, as
/// guides say, and then the line is renumbered.
#[test]
fn case_16_a_prefix_that_the_line_has_no_more() {
    let Some(net) = Router::new() else { return };
    uplink(
        &net,
        "240b:12:aaaa:cc00::1",
        Some(("240b:12:aaaa:bb00::", 64)),
    );
    net.update("wan6", "its protocol", |wan6| wan6.proto = "dhcpv6".into());
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    assert_eq!(
        net.tunnel().unwrap().local.as_deref(),
        Some("240b:12:aaaa:cc00:e:8aa:aa00:cc00")
    );
    let said = net.doctor("wanmap");
    let advice = "remove option ip6prefix of wan6";
    assert!(said.contains(advice), "{said}");
}

/// Case 34, NadjaSenpai/unifi-v6plus-static-ip, openwrt/openwrt#80: a fixed address with an
/// interface identifier of its own follows the prefix.
#[test]
fn case_34_a_fixed_address_follows_the_prefix() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    let options = [
        ("tunlink", "wan6"),
        ("maptype", "ipip"),
        ("ipaddr", "203.0.113.7"),
        ("interfaceid", "::ab:cd:ef:1"),
        ("peeraddr", "2404:9200:225:100::65"),
    ];
    net.configure("wan4", "mape", &options);
    net.ifup("wan4");
    for prefix in ["240b:12:aaaa:bb00::", "240b:12:aaaa:cc00::"] {
        net.set_prefix("wan6", Some((prefix, 56)));
        net.hotplug("wan6");
        let ce = prefix.replace("::", ":ab:cd:ef:1");
        net.wait(&ce, |world| {
            let made = world.effects().filter_map(|effect| match effect {
                Effect::CreateTunnel(_, tunnel, true) => tunnel.local.as_deref(),
                _ => None,
            });
            made.last() == Some(&ce) && world.is_up("wan4")
        });
        net.assert_works("wan4");
    }
}

/// Case 45, openwrt/openwrt#22993: nobody can give an interface that DHCPv6 makes a metric.
#[test]
fn case_45_the_metric_of_an_interface_by_dhcpv6() {
    for metric in [0, 30] {
        let Some(net) = Router::new() else { return };
        uplink_with(&net, metric);
        net.add_dynamic(&from_dhcp(RULE));
        net.assert_works("wan6_4");
        assert_eq!(metrics(&net, "wan6_4"), [Some(metric).filter(|it| *it > 0)]);
    }
}

/// Case 46, blog.misosi.ru, blog.lycolia.info: PPPoE beside MAP-E, by metrics or without a default
/// route.
#[test]
fn case_46_beside_pppoe() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    let pppoe = Interface::on("wan", "pppoe-wan").route(Route::via("0.0.0.0", 0, "192.0.2.254"));
    net.add(pppoe);
    net.update("wan", "the metric", |wan| wan.metric = 10);
    net.ifup("wan");
    net.configure("wanmap", "mape", &[("tunlink", "wan6"), ("metric", "20")]);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    // netifd gives it that of the interface.
    assert_eq!(metrics(&net, "wanmap"), [None]);
    let options = [("tunlink", "wan6"), ("defaultroute", "0")];
    net.configure("second", "mape", &options);
    net.ifdown("wanmap");
    net.assert_clean("wanmap");
    net.ifup("second");
    net.assert_works("second");
    assert_eq!(metrics(&net, "second"), []);
    // PPPoE is as it was.
    assert_eq!(net.with(|world| world.interface("wan").routes.len()), 1);
}
