// SPDX-License-Identifier: GPL-2.0-or-later
//! The real handler against a netifd that keeps the contract, in a network
//! namespace of its own: real nft, real tables; the tunnel's device is a
//! stand-in (the wire tests have the real one).

mod double;
mod program;
mod router;

use double::{Effect, Entry, Interface};
use router::{OCN, Router, V6PLUS};

/// Every table there is.
fn tables() -> String {
    router::run("nft", &["list", "tables"])
}

fn rules() -> String {
    router::run("nft", &["list", "ruleset"])
}

#[test]
fn an_explicit_rule_comes_up_in_order() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.configure("wanmap", "map", V6PLUS.options);
    net.ifup("wanmap");
    net.wait("wanmap is up", |world| world.is_up("wanmap"));
    net.wait_idle("wanmap");

    // The CE's address before the tunnel, one tunnel, one setup.
    let story: Vec<&str> = net.with(|world| {
        world
            .record
            .iter()
            .filter_map(|entry| match entry {
                Entry::Call(call) if call.method == "add_dynamic" => Some("address"),
                Entry::Effect(Effect::CreateTunnel(..)) => Some("tunnel"),
                _ => None,
            })
            .collect()
    });
    assert_eq!(story, ["address", "tunnel"], "{}", net.story());
    assert_eq!(net.spawned("wanmap", "setup"), 1);

    let rules = rules();
    assert!(rules.contains("table ip mape_wanmap"), "{rules}");
    assert!(!rules.contains("mape_guard"), "{rules}");
    let state = net.file("var/run/mape/wanmap.json").unwrap();
    assert!(
        state.contains("240b:12:aaaa:bb00:e:8aa:aa00:bb00")
            || state.contains("240b:12:aaaa:bb00::/56")
    );
    let stock = net.file("tmp/map-wanmap.rules").unwrap();
    assert!(stock.contains("RULE_1_IPV4ADDR=14.8.170.170\n"), "{stock}");

    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| !world.is_up("wanmap"));
    net.wait_idle("wanmap");
    assert_eq!(tables(), "");
    assert_eq!(net.file("var/run/mape/wanmap.json"), None);
    assert_eq!(net.file("tmp/map-wanmap.rules"), None);
    // It has a handler of its own, which ends by itself.
    net.wait("wanmap_ is gone", |world| {
        !world.interfaces.contains_key("wanmap_")
    });
}

#[test]
fn two_lines_of_configuration_suffice() {
    for line in [&V6PLUS, &OCN] {
        let Some(net) = Router::with_uplink(line) else {
            return;
        };
        net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
        net.ifup("wanmap");
        net.wait("wanmap is up", |world| world.is_up("wanmap"));
        let tunnel = net.tunnel().unwrap();
        assert_eq!(tunnel.local.as_deref(), Some(line.ce));
        assert_eq!(tunnel.remote.as_deref(), Some(line.br));
        assert_eq!(tunnel.mtu, Some(1460));
        assert_eq!(tunnel.encap, double::EncapLimit::Ignore);
    }
}

#[test]
fn a_line_without_delegation_uses_the_prefix_on_the_link() {
    let Some(net) = Router::new() else { return };
    net.add(
        Interface::on("wan6", "eth1")
            .address("240b:12:aaaa:bb00:a:b:c:d", 64)
            .route(router::default_route()),
    );
    net.ifup("wan6");
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.wait("wanmap is up", |world| world.is_up("wanmap"));
    net.wait_idle("wanmap");
    assert_eq!(net.tunnel().unwrap().local.as_deref(), Some(V6PLUS.ce));
    let state = net.file("var/run/mape/wanmap.json").unwrap();
    assert!(state.contains(r#""prefix_source":"on-link""#), "{state}");
}

#[test]
fn a_late_prefix_is_waited_for_without_spinning() {
    let Some(net) = Router::new() else { return };
    net.add(Interface::on("wan6", "eth1").route(router::default_route()));
    net.ifup("wan6");
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.wait("the user is told", |world| {
        world
            .interfaces
            .get("wanmap")
            .is_some_and(|i| i.error_codes() == ["MAPE_NO_UPLINK_PREFIX"])
    });
    assert!(!net.with(|world| world.is_up("wanmap")));
    net.set_prefix("wan6", Some(("240b:12:aaaa:bb00::", 56)));
    net.wait("wanmap is up", |world| world.is_up("wanmap"));
    assert_eq!(net.spawned("wanmap", "setup"), 1, "{}", net.story());
    let errors = net.with(|w| w.interface("wanmap").error_codes().len());
    assert_eq!(errors, 0);
}

#[test]
fn a_changed_prefix_leaves_nothing_of_the_old_one() {
    let Some(net) = Router::new() else { return };
    // The uplink's own address is of no provider, as behind some gateways.
    net.add(
        Interface::on("wan6", "eth1")
            .address("2001:db8::1", 64)
            .prefix("240b:12:aaaa:bb00::", 56)
            .route(router::default_route()),
    );
    net.ifup("wan6");
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.wait("wanmap is up", |world| world.is_up("wanmap"));
    net.wait_idle("wanmap");

    // The same prefix again: nothing happens.
    net.renew("wanmap");
    net.wait_idle("wanmap");
    assert_eq!(net.spawned("wanmap", "teardown"), 0);

    net.set_prefix("wan6", Some(("240b:12:1:200::", 56)));
    net.renew("wanmap");
    net.wait("the new address is there", |world| {
        world.is_up("wanmap")
            && world
                .interfaces
                .get("wanmap")
                .is_some_and(|i| i.addresses.iter().any(|a| a.address == "14.8.0.1"))
    });
    net.wait_idle("wanmap");
    let state = net.file("var/run/mape/wanmap.json").unwrap();
    assert!(state.contains("240b:12:1:200::/56"), "{state}");
    let rules = rules();
    assert!(
        rules.contains("14.8.0.1") && !rules.contains("14.8.170.170"),
        "{rules}"
    );

    // Withdrawn, and back.
    net.set_prefix("wan6", None);
    net.renew("wanmap");
    net.wait("wanmap is down", |world| !world.is_up("wanmap"));
    net.wait("the user is told", |world| {
        world
            .interfaces
            .get("wanmap")
            .is_some_and(|i| i.error_codes() == ["MAPE_UNKNOWN_PROVIDER"])
    });
    assert_eq!(tables(), "");
    net.set_prefix("wan6", Some(("240b:12:aaaa:bb00::", 56)));
    net.wait("wanmap is up", |world| world.is_up("wanmap"));
}

#[test]
fn what_can_never_work_is_said_once_and_waits_for_a_correction() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    for (options, code, detail) in [
        (
            &[("ealen", "99"), ("ipaddr", "192.0.2.1")][..],
            "MAPE_INVALID_CONFIG",
            "ealen 99: ",
        ),
        (
            &[("rule", "ealen=99")][..],
            "INVALID_MAP_RULE",
            "ealen 99: at most 48",
        ),
        (
            &[("maptype", "dslite")][..],
            "UNSUPPORTED_TYPE",
            "type dslite: ",
        ),
        (
            &[("provider", "nobody")][..],
            "MAPE_UNKNOWN_PROVIDER",
            "v6plus",
        ),
        (
            &[("reserve", "ssh")][..],
            "MAPE_INVALID_CONFIG",
            "reserve: \"ssh\": ",
        ),
        (
            &[("mtu", "100")][..],
            "MAPE_INVALID_CONFIG",
            "mtu 100: must be a number from 576 to 9200",
        ),
    ] {
        net.configure("wanmap", "mape", options);
        net.ifup("wanmap");
        net.wait(code, |world| {
            world
                .interfaces
                .get("wanmap")
                .is_some_and(|i| i.error_codes() == [code])
        });
        net.wait("it is logged", |world| !world.log.is_empty());
        let lines: Vec<String> = net
            .log()
            .into_iter()
            .filter(|l| l.contains(detail))
            .collect();
        assert_eq!(lines.len(), 1, "{detail}: {}", net.story());
        assert_eq!(net.with(|w| w.notifications("wanmap", 4).len()), 0);
        assert_eq!(tables(), "");
        assert_eq!(net.spawned("wanmap", "setup"), 1);
        net.ifdown("wanmap");
        net.wait_idle("wanmap");
        net.with(|world| {
            world.record.clear();
            world.log.clear();
        });
    }
}

#[test]
fn a_refused_tunnel_leaves_nothing_and_does_not_spin() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.with(|world| world.refuse_tunnels = true);
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.wait("the user is told", |world| {
        world
            .interfaces
            .get("wanmap")
            .is_some_and(|i| i.error_codes() == ["MAPE_TUNNEL_FAILED"])
    });
    assert_eq!(tables(), "");
    assert_eq!(net.spawned("wanmap", "setup"), 1);
    net.with(|world| world.refuse_tunnels = false);
    net.wait("wanmap is up", |world| world.is_up("wanmap"));
}

#[test]
fn the_uplink_may_come_and_go() {
    let Some(net) = Router::new() else { return };
    net.add(Interface::on("wan6", "eth1"));
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.wait_idle("wanmap");
    assert!(!net.with(|world| world.is_up("wanmap")));
    for _ in 0..3 {
        V6PLUS.bring_up(&net);
        net.wait("wanmap is up", |world| world.is_up("wanmap"));
        net.wait_idle("wanmap");
        net.ifdown("wan6");
        net.wait("wanmap is down", |world| !world.is_up("wanmap"));
        net.wait_idle("wanmap");
        assert_eq!(tables(), "");
    }
}

#[test]
fn two_tunnels_do_not_touch_each_other() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.add(
        Interface::on("wanb6", "eth2")
            .address("2400:4050:90f9:3300::1", 64)
            .prefix("2400:4050:90f9:3300::", 56)
            .route(router::default_route()),
    );
    net.ifup("wanb6");
    net.configure("mapa", "mape", &[("tunlink", "wan6")]);
    net.configure("mapb", "mape", &[("tunlink", "wanb6")]);
    net.ifup("mapa");
    net.ifup("mapb");
    net.wait("both are up", |world| {
        world.is_up("mapa") && world.is_up("mapb")
    });
    net.wait_idle("mapa");
    net.wait_idle("mapb");
    let both = tables();
    assert!(
        both.contains("mape_mapa") && both.contains("mape_mapb"),
        "{both}"
    );
    net.ifdown("mapa");
    net.wait("mapa is down", |world| !world.is_up("mapa"));
    net.wait_idle("mapa");
    let one = tables();
    assert!(
        !one.contains("mape_mapa") && one.contains("mape_mapb"),
        "{one}"
    );
    assert!(net.file("var/run/mape/mapb.json").is_some());
}

/// Puts an nft before the real one that refuses what a kernel without this
/// expression would, in its words.
fn without(net: &Router, expression: &str) {
    let real = router::run("sh", &["-c", "command -v nft"]);
    let script = format!(
        "#!/bin/sh\nrules=$(cat)\ncase $rules in *'{expression}'*)\n\
         echo 'Error: Could not process rule: No such file or directory' >&2; exit 1;; esac\n\
         printf '%s\\n' \"$rules\" | exec {} \"$@\"\n",
        real.trim()
    );
    let place = net.root().join("usr/sbin/nft");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    program::write(&place, &script);
}

#[test]
fn what_the_kernel_lacks_is_given_up_and_said_once() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    without(&net, "ct count");
    let options = [("tunlink", "wan6"), ("conntrack", "tight")];
    net.configure("wanmap", "mape", &options);
    for _ in 0..2 {
        net.ifup("wanmap");
        net.wait("wanmap is up", |world| world.is_up("wanmap"));
        net.wait_idle("wanmap");
        let rules = rules();
        assert!(!rules.contains("ct count"), "{rules}");
        assert!(rules.contains("ct timeout set"), "{rules}");
        assert!(rules.contains("table netdev mape_wanmap"), "{rules}");
        net.ifdown("wanmap");
        net.wait("wanmap is down", |world| !world.is_up("wanmap"));
        net.wait_idle("wanmap");
    }
    let log = net.log();
    let said = log
        .iter()
        .filter(|line| line.contains("kmod-nft-connlimit"));
    assert_eq!(said.count(), 1, "{log:?}");
    assert!(!log.iter().any(|line| line.contains("timeout policies")));
}

/// Both leave ports to outgoing connections, and are said when the entry is made.
#[test]
fn entries_over_all_ports_do_not_take_the_line_down() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    let entries = [
        "config redirect\n\toption name DMZ\n\toption src wan\n\toption src_dport 1-65535\n\
         \toption dest_ip 192.168.1.2\n",
        "config rule\n\toption name Open\n\toption src wan\n\toption proto udp\n\
         \toption dest_port 1024-65535\n\toption target ACCEPT\n",
    ];
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    for (entry, name) in entries.iter().zip(["DMZ", "Open"]) {
        net.write("etc/config/firewall", entry);
        let said = net.firewall();
        assert!(said.contains(name) && said.contains("240 ports"), "{said}");
        net.ifdown("wanmap");
        net.assert_clean("wanmap");
        net.ifup("wanmap");
        net.assert_works("wanmap");
    }
}
