// SPDX-License-Identifier: GPL-2.0-or-later
//! What users and servers can write wrong: one line in the log, one error at
//! netifd that names the option and what is allowed, nothing left behind, nothing that spins.

mod double;
mod router;

use double::blobmsg::Value;
use mape::ubus::Status;
use router::{Router, V6PLUS};

/// A configuration that can never work is said once and waits to be corrected.
fn is_refused(net: &Router, what: &str, code: &str, detail: &str) {
    net.ifup("wanmap");
    net.wait_error("wanmap", code);
    net.wait("it is logged", |world| !world.log.is_empty());
    let details = net.details("wanmap");
    assert_eq!(details.len(), 1, "{what}: {}", net.story());
    assert!(details[0].contains(detail), "{what}: {details:?}");
    let reasons = net.reasons("wanmap");
    assert!(
        reasons.len() == 1 && reasons[0]["code"].is_string() && reasons[0]["args"].is_object(),
        "{what}: {reasons:?}"
    );
    let said = net.log();
    assert_eq!(said.len(), 1, "{what}: {said:?}");
    assert!(
        said[0].contains(code) && said[0].contains(detail),
        "{what}: {said:?}"
    );
    assert_eq!(net.spawned("wanmap", "setup"), 1, "{what}: {}", net.story());
    net.with(|world| {
        assert_eq!(
            world.notifications("wanmap", 4).len(),
            0,
            "not blocked: {what}"
        );
        assert_eq!(world.notifications("wanmap", 0).len(), 0, "{what}");
    });
    net.ifdown("wanmap");
    net.assert_clean("wanmap");
    net.with(|world| {
        world.record.clear();
        world.log.clear();
    });
}

#[test]
fn every_option_out_of_range() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    for (option, value, code, detail) in [
        (
            "ealen",
            "49",
            "MAPE_INVALID_CONFIG",
            "ealen 49: must be a number from 0 to 48",
        ),
        (
            "ealen",
            "-1",
            "MAPE_INVALID_CONFIG",
            "ealen -1: must be a number from 0 to 48",
        ),
        (
            "ip4prefixlen",
            "33",
            "MAPE_INVALID_CONFIG",
            "ip4prefixlen 33: must be a number from 0 to 32",
        ),
        (
            "ip6prefixlen",
            "129",
            "MAPE_INVALID_CONFIG",
            "ip6prefixlen 129: must be a number from 0 to 128",
        ),
        (
            "offset",
            "17",
            "MAPE_INVALID_CONFIG",
            "offset 17: must be a number from 0 to 16",
        ),
        (
            "psidlen",
            "17",
            "MAPE_INVALID_CONFIG",
            "psidlen 17: must be a number from 0 to 16",
        ),
        (
            "psid",
            "65536",
            "MAPE_INVALID_CONFIG",
            "psid 65536: must be a number from 0 to 65535",
        ),
        (
            "mtu",
            "575",
            "MAPE_INVALID_CONFIG",
            "mtu 575: must be a number from 576 to",
        ),
        (
            "ttl",
            "256",
            "MAPE_INVALID_CONFIG",
            "ttl 256: must be a number from 0 to 255",
        ),
        (
            "encaplimit",
            "256",
            "MAPE_INVALID_CONFIG",
            "encaplimit 256: must be ignore or a number from 0 to 255",
        ),
        (
            "ipaddr",
            "14.8.0",
            "INVALID_MAP_RULE",
            "ipaddr 14.8.0: must be an IPv4 address",
        ),
        (
            "ip6prefix",
            "240b:12:",
            "INVALID_MAP_RULE",
            "ip6prefix 240b:12:: must be an IPv6 address",
        ),
        (
            "ip6prefix",
            "x::/31",
            "INVALID_MAP_RULE",
            "ip6prefix x::: must be an IPv6 address",
        ),
        (
            "peeraddr",
            "br.example.net",
            "INVALID_MAP_RULE",
            "peeraddr br.example.net: must be an IPv6 address",
        ),
        (
            "maptype",
            "map-x",
            "UNSUPPORTED_TYPE",
            "type map-x: must be auto, map-e, map-t, lw4o6, ds-lite or ipip",
        ),
        (
            "enduserprefix",
            "240b::/200",
            "MAPE_INVALID_CONFIG",
            "enduserprefix 240b::/200: must be an IPv6 prefix",
        ),
        (
            "nat",
            "fullcone",
            "MAPE_INVALID_CONFIG",
            "nat fullcone: must be auto, pool or hash",
        ),
        (
            "conntrack",
            "loose",
            "MAPE_INVALID_CONFIG",
            "conntrack loose: must be normal or tight",
        ),
        ("provider", "nobody", "MAPE_UNKNOWN_PROVIDER", "v6plus"),
    ] {
        let mut options: Vec<_> = V6PLUS.options.to_vec();
        options.retain(|(name, _)| *name != option);
        options.push((option, value));
        net.configure("wanmap", "mape", &options);
        is_refused(&net, &format!("{option} {value}"), code, detail);
    }
    // netifd drops what is no truth value, unless the interface is dynamic.
    let config = r#"{"proto":"mape","tunlink":"wan6","mesh":"perhaps"}"#;
    net.configure_raw("wanmap", "mape", config);
    is_refused(
        &net,
        "mesh",
        "MAPE_INVALID_CONFIG",
        "mesh perhaps: must be 0 or 1",
    );
    net.configure(
        "wanmap",
        "mape",
        &[("tunlink", "wan6"), ("reserve", "0-70000")],
    );
    is_refused(&net, "reserve", "MAPE_INVALID_CONFIG", "reserve");
}

#[test]
fn options_that_contradict_each_other() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    for (changes, detail) in [
        (
            &[("ealen", "40"), ("psidlen", "")][..],
            "ip6prefixlen 31 and ealen 40: together at most 64",
        ),
        (&[("psidlen", "6")], "leave 8 bits for the PSID"),
        (
            &[("ealen", "4"), ("psidlen", "8")],
            "psidlen 8: at most ealen, which is 4",
        ),
        (
            &[("offset", "9")],
            "offset 9 and psidlen 8: together at most 16",
        ),
        (&[("peeraddr", "")], "peeraddr is missing"),
        (&[("ip6prefix", "")], "ip6prefix is missing"),
        (&[("ipaddr", "")], "ipaddr is missing"),
        (
            &[("ealen", "17"), ("ip4prefixlen", "15"), ("psid", "13313")],
            "psid 13313: no PSID of 8 bits",
        ),
    ] {
        let mut options: Vec<_> = V6PLUS.options.to_vec();
        options.retain(|(name, _)| changes.iter().all(|(n, _)| n != name));
        options.extend(changes);
        net.configure("wanmap", "map", &options);
        is_refused(&net, &format!("{changes:?}"), "INVALID_MAP_RULE", detail);
    }
    for (rule, detail) in [
        ("type=map-e,ealen=99", "ealen 99: at most 48"),
        (
            "type=map-t,ipv6prefix=240b:12::,prefix6len=31,ipv4prefix=14.8.0.0,prefix4len=15",
            "type map-t in a map-e interface",
        ),
        (
            "ipv6prefix=240b:12::,prefix6len=31,ipv4prefix=14.8.0.0,prefix4len=15,ealen=25,dmr=2001:db8::/64",
            "dmr does not belong to map-e",
        ),
        ("colour=blue", "colour is not known"),
        ("$(reboot)", "$(reboot) is not known"),
    ] {
        net.configure("wanmap", "map", &[("tunlink", "wan6"), ("rule", rule)]);
        is_refused(&net, rule, "INVALID_MAP_RULE", detail);
    }
}

#[test]
fn a_configuration_that_is_not_json() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    for config in ["", "{", "[]", "null", r#"{"tunlink":"wan6""#, "\u{1b}[0m\n"] {
        net.configure_raw("wanmap", "mape", config);
        let code = "MAPE_INVALID_CONFIG";
        is_refused(&net, config, code, "the configuration is not a JSON object");
    }
}

#[test]
fn names_that_are_odd_or_too_long() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    for (name, detail) in [
        ("abcdefghijkl", "at most 11 characters"),
        ("$(reboot)", "only letters, digits"),
        ("a b", "only letters, digits"),
        ("../../etc", "only letters, digits"),
        ("-x", "a letter or digit first"),
    ] {
        net.configure(name, "mape", &[("tunlink", "wan6")]);
        net.ifup(name);
        net.wait_error(name, "MAPE_INVALID_CONFIG");
        let details = net.details(name);
        assert!(
            details.len() == 1 && details[0].contains(detail),
            "{details:?}"
        );
        assert_eq!(net.spawned(name, "setup"), 1);
        net.ifdown(name);
        net.wait_idle(name);
    }
    assert_eq!(router::run("nft", &["list", "tables"]), "");
    assert!(!net.root().join("etc.json").exists());
}

/// The line belongs to somebody else: said once, waited for, and up when it is ours.
#[test]
fn no_prefix_that_matches() {
    let Some(net) = Router::with_uplink(&router::OCN) else {
        return;
    };
    net.configure("wanmap", "map", V6PLUS.options);
    net.ifup("wanmap");
    net.wait_error("wanmap", "NO_MATCHING_PD");
    assert!(net.details("wanmap")[0].contains("no rule matches 2400:4050:90f9:3300::/56"));
    let spawned = net.spawned("wanmap", "setup") + net.spawned("wanmap", "teardown");
    assert_eq!(spawned, 1);
    net.wait("it is logged", |world| world.log.len() == 1);
    net.set_prefix("wan6", Some(V6PLUS.prefix));
    net.assert_works("wanmap");
    net.ifdown("wanmap");
    net.assert_clean("wanmap");
}

/// A second uplink's name that does not exist.
#[test]
fn a_tunlink_that_is_not_there() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.configure("wanmap", "mape", &[("tunlink", "wan7")]);
    net.ifup("wanmap");
    net.wait_idle("wanmap");
    // netifd waits for it, and calls when it is there.
    assert_eq!(net.spawned("wanmap", "setup"), 1);
    net.ifdown("wanmap");
    net.assert_clean("wanmap");
}

/// The protocol of the CE's address, in a configuration that a person wrote.
#[test]
fn an_address_that_nobody_gave_does_not_spin() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    let definition = Value::table()
        .with("name", "odd")
        .with("ifname", "@wan6")
        .with("proto", "mapeaddr");
    assert_eq!(net.add_dynamic(&definition), Status::Ok);
    net.wait("it is logged", |world| !world.log.is_empty());
    // Whoever ends would have been called again by now.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(net.spawned("odd", "setup"), 1, "{}", net.story());
    assert!(net.log()[0].contains("ip6addr is missing"));
    net.ifdown("odd");
    net.wait("it is gone", |world| !world.interfaces.contains_key("odd"));
}
