// SPDX-License-Identifier: GPL-2.0-or-later
//! The double treats handlers as netifd does: strictly, impatiently and without backoff.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../double/mod.rs"]
mod double;
#[path = "../program/mod.rs"]
mod program;
mod script;

use double::blobmsg::Value;
use double::{Double, Effect, Entry, Route};
use mape::ubus::{Answer, Arguments, Event, Status};
use script::{AMPLE, action, client, link_up, notify, router, running, setting_up, tunnel};
use std::path::Path;
use std::time::{Duration, Instant};

fn read(answer: &Answer) -> serde_json::Value {
    serde_json::from_str(&answer.to_json().unwrap()).unwrap()
}

#[test]
fn options_are_typed_doubled_and_dropped() {
    let net = router();
    let options = [
        ("mtu", "1460"),
        ("flag", "yes"),
        ("names", "a\nb"),
        ("unknown", "1"),
        ("metric", "9"),
    ];
    setting_up(&net, &options);
    let log = net.log();
    let config = r#"config {"proto":"test","metric":9,"mtu":1460,"names":["a","b"],"mtu":1460}"#;
    assert!(log[0].ends_with(config), "{log:?}");
    assert_eq!(log[0], format!("t ({}): {config}", running(&net)));
}

#[test]
fn a_hasty_setup_is_restarted_for_ever_until_blocked() {
    let net = router();
    net.configure("t", "test", &[("rule", "hurry")]);
    net.ifup("t");
    net.wait("many setups", |w| w.spawned("t", "setup") > 20);
    assert_eq!(notify(&mut client(&net), action(4)), Status::Ok);
    net.wait("rest", |w| {
        let t = w.interface("t");
        t.state == double::State::Down && !t.autostart
    });
    let setups = net.spawned("t", "setup");
    net.set_prefix("wan6", Some(("2001:db8:100::", 56)));
    assert_eq!(net.spawned("t", "setup"), setups, "blocked stays blocked");
    net.ifup("t");
    net.wait("ifup helps", |w| w.spawned("t", "setup") > setups);
}

#[test]
fn ifdown_terminates_and_then_kills() {
    let net = router();
    setting_up(&net, &[("rule", "stubborn")]);
    net.wait("trap set", |w| w.log.iter().any(|l| l.ends_with("ready")));
    let pid = running(&net);
    net.ifdown("t");
    net.wait("teardown", |w| w.spawned("t", "teardown") == 1);
    net.wait("down", |w| w.interface("t").state == double::State::Down);
    let signals: Vec<_> = net.with(|w| {
        w.record
            .iter()
            .filter_map(|e| match e {
                Entry::Signal { pid: p, signal } if *p == pid => Some(*signal),
                _ => None,
            })
            .collect()
    });
    assert_eq!(signals, ["SIGTERM", "SIGKILL"]);
    assert_eq!(net.spawned("t", "setup"), 1);
}

#[test]
fn an_unmet_dependency_ends_the_setup_and_an_update_brings_it_back() {
    let net = router();
    net.update("wan6", "routes", |i| i.routes.clear());
    let mut bus = setting_up(&net, &[]);
    let dependency = || action(6).with("host", "::").with("ifname", "wan6");
    assert_eq!(notify(&mut bus, dependency()), Status::NotFound);
    net.wait("teardown", |w| w.spawned("t", "teardown") == 1);
    net.wait("unavailable", |w| {
        let t = w.interface("t");
        !t.available && t.state == double::State::Down && t.error_codes() == ["NO_DEVICE"]
    });
    net.update("wan6", "routes", |i| {
        i.routes.push(Route::via("::", 0, "fe80::1"));
    });
    net.wait("second setup", |w| w.spawned("t", "setup") == 2);
    assert_eq!(notify(&mut bus, dependency()), Status::Ok);
    assert_eq!(notify(&mut bus, link_up(tunnel("2001:db8::2"))), Status::Ok);
    assert!(net.with(|w| w.is_up("t")));
    // Losing it takes the interface down, and the next setup finds it unmet.
    net.interface_lost("wan6");
    net.wait("lost", |w| !w.is_up("t") && w.spawned("t", "teardown") == 2);
}

#[test]
fn types_are_strict() {
    let net = router();
    let mut bus = setting_up(&net, &[]);
    let wrong = action(0).with("link-up", 1).with("ifname", "map-t");
    assert_eq!(notify(&mut bus, wrong), Status::InvalidArgument);
    assert_eq!(
        notify(&mut bus, Value::table().with("action", 0_i64)),
        Status::InvalidArgument
    );
    let words = vec![Value::from("CODE"), Value::from(3)];
    assert_eq!(
        notify(&mut bus, action(3).with("error", words)),
        Status::InvalidArgument
    );
    assert_eq!(notify(&mut bus, action(8)), Status::InvalidArgument);
    // Silently dropped: a number as text, a mask as number.
    let mut odd = tunnel("2001:db8::2");
    if let Value::Table(members) = &mut odd {
        members.retain(|(name, _)| name != "mtu");
    }
    let odd = odd.with("mtu", "1460");
    assert_eq!(notify(&mut bus, link_up(odd)), Status::Ok);
    assert_eq!(net.with(|w| w.links["map-t"].mtu), None);
}

#[test]
fn a_tunnel_that_cannot_be_made_is_an_unknown_error() {
    let net = router();
    let mut bus = setting_up(&net, &[]);
    let mut no_mode = tunnel("2001:db8::2");
    if let Value::Table(members) = &mut no_mode {
        members.remove(0);
    }
    let fmr = Value::table()
        .with("prefix6", "2001:db8:f::/48")
        .with("prefix4", "192.0.2.0/24")
        .with("ealen", 16)
        .with("offset", 6);
    let with_fmrs = |n| {
        let data = Value::table().with("fmrs", vec![fmr.clone(); n]);
        tunnel("2001:db8::2").with("data", data)
    };
    for bad in [no_mode, tunnel("192.0.2.1"), with_fmrs(62)] {
        assert_eq!(notify(&mut bus, link_up(bad)), Status::UnknownError);
    }
    let long = link_up(tunnel("2001:db8::2"));
    let Value::Table(mut members) = long else {
        panic!()
    };
    members[1].1 = Value::from("map-far-too-long-a-name");
    assert_eq!(
        notify(&mut bus, Value::Table(members)),
        Status::UnknownError
    );
    assert_eq!(notify(&mut bus, link_up(with_fmrs(61))), Status::Ok);
    net.with(|w| w.refuse_tunnels = true);
    net.ifdown("t");
    net.wait("down", |w| w.interface("t").state == double::State::Down);
    net.ifup("t");
    net.wait("setup", |w| w.spawned("t", "setup") == 2);
    assert_eq!(
        notify(&mut bus, link_up(tunnel("2001:db8::2"))),
        Status::UnknownError
    );
}

#[test]
fn a_tunnel_changed_in_place_loses_its_addresses() {
    let net = router();
    let mut bus = setting_up(&net, &[]);
    assert_eq!(notify(&mut bus, link_up(tunnel("2001:db8::2"))), Status::Ok);
    let added = |net: &Double| {
        net.with(|w| {
            w.effects()
                .filter(|e| matches!(e, Effect::AddAddress(d, _) if d == "map-t"))
                .count()
        })
    };
    assert_eq!(added(&net), 1);
    assert_eq!(notify(&mut bus, link_up(tunnel("2001:db8::2"))), Status::Ok);
    let made = |net: &Double| {
        net.with(|w| {
            w.effects()
                .filter(|e| matches!(e, Effect::CreateTunnel(..)))
                .count()
        })
    };
    assert_eq!((made(&net), added(&net)), (1, 1), "identical is nothing");
    assert_eq!(notify(&mut bus, link_up(tunnel("2001:db8::3"))), Status::Ok);
    assert_eq!(
        (made(&net), added(&net)),
        (2, 1),
        "a new link without the address"
    );
    net.with(|w| w.refuse_tunnels = true);
    let refused = notify(&mut bus, link_up(tunnel("2001:db8::9")));
    assert_eq!(refused, Status::UnknownError);
    assert!(
        net.with(|w| w.is_up("t") && w.links.is_empty()),
        "up without a link"
    );
    net.with(|w| w.refuse_tunnels = false);
    assert_eq!(
        notify(&mut bus, action(0).with("link-up", false)),
        Status::Ok
    );
    assert_eq!(notify(&mut bus, link_up(tunnel("2001:db8::4"))), Status::Ok);
    assert_eq!(
        (made(&net), added(&net)),
        (4, 2),
        "down first restores both"
    );
    assert!(net.with(|w| w.is_up("t")));
}

#[test]
fn data_is_merged() {
    let net = router();
    let mut bus = setting_up(&net, &[]);
    let with =
        |key: &str| link_up(tunnel("2001:db8::2")).with("data", Value::table().with(key, "x"));
    assert_eq!(notify(&mut bus, with("zone")), Status::Ok);
    assert_eq!(notify(&mut bus, with("other")), Status::Ok);
    let status = bus
        .call("network.interface.t", "status", &Arguments::empty(), AMPLE)
        .unwrap();
    let data = serde_json::json!({"other": "x", "zone": "x"});
    assert_eq!(read(&status)["data"], data);
}

#[test]
fn setup_failed_terminates_its_caller_and_errors_last_until_up() {
    let net = router();
    let mut bus = setting_up(&net, &[]);
    let error = vec![Value::from("CODE"), Value::from("detail")];
    assert_eq!(notify(&mut bus, action(3).with("error", error)), Status::Ok);
    assert_eq!(net.with(|w| w.interface("t").errors.len()), 1);
    let pid = running(&net);
    assert_eq!(notify(&mut bus, action(7)), Status::Ok);
    net.wait("terminated", |w| {
        w.record.iter().any(|e| matches!(e, Entry::Exit { pid: p, how, .. } if *p == pid && how == "signal SIGTERM"))
    });
    net.wait("again", |w| w.spawned("t", "setup") == 2);
}

#[test]
fn renew_waits_for_the_script_and_runs_only_while_up() {
    let net = router();
    let mut bus = setting_up(&net, &[]);
    assert_eq!(notify(&mut bus, link_up(tunnel("2001:db8::2"))), Status::Ok);
    net.renew("t");
    assert_eq!(net.spawned("t", "renew"), 0, "queued while setup runs");
    let pid = running(&net);
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    net.wait("renewed", |w| w.spawned("t", "renew") == 1);
    net.wait_idle("t");
    assert!(net.with(|w| w.is_up("t")), "an exit after link-up is fine");
    net.ifdown("t");
    net.wait("down", |w| w.interface("t").state == double::State::Down);
    net.renew("t");
    assert_eq!(net.spawned("t", "renew"), 1);
    let order: Vec<_> = net.with(|w| {
        w.record
            .iter()
            .filter_map(|e| match e {
                Entry::Exit { action, .. } if action == "teardown" => Some("teardown"),
                Entry::Effect(Effect::DeleteLink(_)) => Some("link deleted"),
                _ => None,
            })
            .collect()
    });
    assert_eq!(order, ["teardown", "link deleted"]);
}

#[test]
fn a_dynamic_interface_lies_on_its_parent() {
    let net = router();
    let mut bus = client(&net);
    let dynamic = |address: &str| {
        Value::table()
            .with("name", "t_")
            .with("ifname", "@wan6")
            .with("proto", "static")
            .with("ip6addr", vec![Value::from(address)])
            .to_arguments()
    };
    let mut add = |address: &str| {
        bus.call("network", "add_dynamic", &dynamic(address), AMPLE)
            .map(drop)
    };
    add("2001:db8:1::c").unwrap();
    add("2001:db8:1::c").unwrap();
    assert!(net.with(|w| w.is_up("t_")), "identical is nothing");
    let added = |w: &double::World| {
        w.effects().any(|e| matches!(e, Effect::AddAddress(d, a) if d == "eth1" && a.address == "2001:db8:1::c" && a.mask == 128))
    };
    assert!(net.with(|w| added(w)));
    add("2001:db8:1::d").unwrap();
    assert!(
        net.with(|w| !w.interfaces.contains_key("t_")),
        "changed is gone"
    );
    add("2001:db8:1::d").unwrap();
    assert!(net.with(|w| w.is_up("t_")));
    let down = Value::table().with("interface", "t_").to_arguments();
    bus.call("network.interface", "down", &down, AMPLE).unwrap();
    let again = bus.call("network.interface", "down", &down, AMPLE);
    assert_eq!(again.unwrap_err().status(), Some(Status::NotFound));
    bus.call("network", "add_dynamic", &dynamic("2001:db8:1::e"), AMPLE)
        .unwrap();
    net.interface_lost("wan6");
    assert!(
        net.with(|w| !w.interfaces.contains_key("t_")),
        "gone with its parent"
    );
}

#[test]
fn subscribers_are_told() {
    let net = router();
    let mut bus = client(&net);
    bus.subscribe("network.interface", AMPLE).unwrap();
    let mut next = || match bus.next_event(Instant::now() + AMPLE).unwrap() {
        Some(Event::Notification { name, data }) => (name, read(&data)),
        other => panic!("{other:?}"),
    };
    net.set_prefix("wan6", Some(("2001:db8:100::", 56)));
    let (name, data) = next();
    assert_eq!(name, "interface.update");
    assert_eq!(data["interface"], "wan6");
    assert_eq!(data["ipv6-prefix"][0]["mask"], 56);
    net.interface_lost("wan6");
    let (name, data) = next();
    assert_eq!(name, "interface.down");
    assert_eq!(data["up"], false);
}

#[test]
fn nothing_is_left_behind() {
    let net = router();
    setting_up(&net, &[]);
    let (pid, root) = (running(&net), net.root().to_owned());
    drop(net);
    let gone = || !Path::new(&format!("/proc/{pid}/exe")).exists();
    let deadline = Instant::now() + AMPLE;
    while !gone() {
        assert!(Instant::now() < deadline, "the script still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!root.exists());
}
