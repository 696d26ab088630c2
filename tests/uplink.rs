// SPDX-License-Identifier: GPL-2.0-or-later
//! End-user prefixes out of what netifd says, in its own words.

use mape::netifd::Dump;
use mape::uplink::{Source, Uplink, UplinkError, find};
use serde_json::{Value, json};

/// What the real netifd answered, with a static `wan6`.
fn recorded() -> Value {
    serde_json::from_str(include_str!("data/ubus/dump.reply.json")).unwrap()
}

/// An interface that is up, with a default route and what `more` adds.
fn interface(name: &str, more: Value) -> Value {
    let mut interface = json!({
        "interface": name, "up": true, "proto": "dhcpv6", "l3_device": "eth1", "metric": 0,
        "ipv6-address": [], "ipv6-prefix": [],
        "route": [{"target": "::", "mask": 0, "nexthop": "fe80::1", "source": "::/0"}],
        "data": {},
    });
    for (key, value) in more.as_object().unwrap() {
        interface[key] = value.clone();
    }
    interface
}

fn dump(interfaces: &[Value]) -> Value {
    json!({ "interface": interfaces })
}

/// As the bus brings it.
fn bus(dump: &Value) -> Dump {
    Dump::from_json(&dump.to_string()).unwrap()
}

fn only(dump: &Value, tunlink: Option<&str>) -> Uplink {
    let mut found = find(&bus(dump), tunlink, None).unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn shown(uplink: &Uplink) -> Vec<String> {
    uplink
        .prefixes()
        .iter()
        .map(|p| format!("{p} {}", uplink.source_of(p).unwrap()))
        .collect()
}

fn refusal(dump: &Value, tunlink: Option<&str>) -> UplinkError {
    find(&bus(dump), tunlink, None).unwrap_err()
}

#[test]
fn the_recorded_static_uplink() {
    for tunlink in [Some("wan6"), None] {
        let uplink = only(&recorded(), tunlink);
        assert_eq!(uplink.interface, "wan6");
        assert_eq!(uplink.l3_device.as_deref(), Some("wan0"));
        assert_eq!(
            shown(&uplink),
            [
                "240b:12:aaaa:bb00::/56 ip6prefix",
                "240b:12:aaab::/64 on-link"
            ]
        );
    }
}

#[test]
fn a_delegated_prefix_comes_before_a_configured_one_and_the_link() {
    let wan6 = interface(
        "wan6",
        json!({
            "ipv6-prefix": [
                {"address": "240b:10:9:900::", "mask": 56, "class": "wan6"},
                {"address": "240b:10:1:200::", "mask": 56, "preferred": 7000, "valid": 9000},
            ],
            "ipv6-address": [{"address": "240b:10:9:900:1::1", "mask": 64, "preferred": 7000}],
            "data": {"zone": "wan"},
        }),
    );
    let uplink = only(&dump(&[wan6]), Some("wan6"));
    assert_eq!(
        shown(&uplink),
        [
            "240b:10:1:200::/56 delegated",
            "240b:10:9:900::/56 ip6prefix",
            "240b:10:9:900::/64 on-link"
        ]
    );
    assert_eq!(uplink.zone.as_deref(), Some("wan"));
}

#[test]
fn a_configured_prefix_that_the_line_has_no_more() {
    let typed = |proto: &str, address: &str| {
        let wan6 = interface(
            "wan6",
            json!({
                "proto": proto,
                "ipv6-prefix": [{"address": "240b:12:aaaa:bb00::", "mask": 64}],
                "ipv6-address": [{"address": address, "mask": 64, "preferred": 7000}],
            }),
        );
        only(&dump(&[wan6]), Some("wan6"))
    };
    let renumbered = typed("dhcpv6", "240b:12:aaaa:cc00::1");
    let (old, new) = ("240b:12:aaaa:bb00::/64", "240b:12:aaaa:cc00::/64");
    assert_eq!(
        shown(&renumbered),
        [format!("{new} on-link"), format!("{old} ip6prefix")]
    );
    let used = new.parse().unwrap();
    assert_eq!(renumbered.stale_besides(&used), Some(old.parse().unwrap()));
    // On a static interface nothing is heard; the same prefix is no other one.
    assert_eq!(
        shown(&typed("static", "2001:db8::1")),
        [format!("{old} ip6prefix"), "2001:db8::/64 on-link".into()]
    );
    let agrees = typed("dhcpv6", "240b:12:aaaa:bb00::1");
    assert_eq!(shown(&agrees), [format!("{old} ip6prefix")]);
    assert_eq!(agrees.stale_besides(&old.parse().unwrap()), None);
}

#[test]
fn a_line_that_only_hears_router_advertisements() {
    let wan6 = interface(
        "wan6",
        json!({"ipv6-address": [
            {"address": "240b:10:1:200:a::1", "mask": 64, "preferred": 14000, "valid": 20000},
            {"address": "240b:10:1:200:b::2", "mask": 64, "preferred": 14000, "valid": 20000},
        ]}),
    );
    let uplink = only(&dump(&[wan6]), Some("wan6"));
    assert_eq!(shown(&uplink), ["240b:10:1:200::/64 on-link"]);
}

#[test]
fn an_address_assigned_by_dhcpv6_is_no_prefix() {
    let wan6 = interface(
        "wan6",
        json!({"ipv6-address": [
            {"address": "2001:db8:0:1::5", "mask": 128, "preferred": 100, "valid": 200},
        ]}),
    );
    let uplink = only(&dump(&[wan6]), Some("wan6"));
    assert_eq!(uplink.prefixes(), []);
    // lw4o6 may be bound to it all the same.
    assert_eq!(
        uplink.addresses,
        ["2001:db8:0:1::5".parse::<std::net::Ipv6Addr>().unwrap()]
    );
}

#[test]
fn a_deprecated_prefix_counts_only_while_there_is_no_other() {
    let old = json!({"address": "240b:10:1:100::", "mask": 56, "preferred": 0, "valid": 600});
    let new = json!({"address": "240b:10:1:200::", "mask": 56, "preferred": 900, "valid": 1600});
    let both = interface("wan6", json!({"ipv6-prefix": [old, new]}));
    let uplink = only(&dump(&[both]), Some("wan6"));
    assert_eq!(shown(&uplink), ["240b:10:1:200::/56 delegated"]);
    let last = interface("wan6", json!({"ipv6-prefix": [old]}));
    let uplink = only(&dump(&[last]), Some("wan6"));
    assert_eq!(shown(&uplink), ["240b:10:1:100::/56 delegated"]);
}

#[test]
fn the_option_is_the_only_candidate() {
    let prefix = "240b:12:1:200::5/56".parse().unwrap();
    let found = find(&bus(&recorded()), Some("wan6"), Some(prefix)).unwrap();
    assert_eq!(shown(&found[0]), ["240b:12:1:200::/56 option"]);
    let bare = dump(&[interface("wan6", json!({}))]);
    for tunlink in [Some("wan6"), None] {
        let found = find(&bus(&bare), tunlink, Some(prefix)).unwrap();
        assert_eq!(found[0].candidates[0].source, Source::Option);
    }
}

#[test]
fn the_child_of_a_ppp_interface() {
    let ppp = interface("wan", json!({"proto": "pppoe", "l3_device": "pppoe-wan"}));
    let child = interface(
        "wan_6",
        json!({
            "dynamic": true, "l3_device": "pppoe-wan",
            "ipv6-prefix": [{"address": "2001:db8::", "mask": 56, "valid": 5}],
        }),
    );
    let uplink = only(&dump(&[ppp.clone(), child]), Some("wan"));
    assert_eq!(uplink.interface, "wan_6");
    assert_eq!(
        refusal(&dump(&[ppp]), Some("wan")).to_string(),
        "wan is up but has no IPv6 prefix yet"
    );
}

#[test]
fn without_tunlink_the_way_out_is_found() {
    let lan = interface(
        "lan",
        json!({"proto": "static", "route": [], "ipv6-address": [{"address": "fd00::1", "mask": 64}]}),
    );
    let prefix = |at: &str| json!([{"address": at, "mask": 56, "preferred": 9, "valid": 9}]);
    let backup = interface(
        "lte",
        json!({"metric": 20, "ipv6-prefix": prefix("2001:db8:2::")}),
    );
    let wan6 = interface(
        "wan6",
        json!({"metric": 10, "ipv6-prefix": prefix("2001:db8:1::")}),
    );
    let down = interface(
        "dead",
        json!({"up": false, "ipv6-prefix": prefix("2001:db8:3::")}),
    );
    let tunnel = interface(
        "henet",
        json!({"proto": "6in4", "ipv6-prefix": prefix("2001:db8:4::")}),
    );
    let found = find(
        &bus(&dump(&[lan.clone(), backup, wan6, down, tunnel])),
        None,
        None,
    )
    .unwrap();
    let names: Vec<&str> = found.iter().map(|u| u.interface.as_str()).collect();
    assert_eq!(names, ["wan6", "lte"]);
    let none = refusal(&dump(&[lan]), None);
    assert_eq!(none, UplinkError::NoUplink);
}

#[test]
fn what_is_missing_is_said() {
    let says = |dump: &Value, name| refusal(dump, Some(name)).to_string();
    assert_eq!(
        says(&recorded(), "wan7"),
        "tunlink wan7: there is no such interface; netifd has lan, loopback, wan6, wanmap, wanmap_"
    );
    let down = dump(&[interface("wan6", json!({"up": false}))]);
    assert_eq!(says(&down, "wan6"), "wan6 is not up yet");
    let bare = dump(&[interface(
        "wan6",
        json!({"ipv6-address": [{"address": "fe80::1", "mask": 64}]}),
    )]);
    assert_eq!(says(&bare, "wan6"), "wan6 is up but has no IPv6 prefix yet");
}

#[test]
fn nonsense_is_passed_over() {
    let wan6 = interface(
        "wan6",
        json!({
            "metric": "x", "route": 5, "data": [],
            "ipv6-prefix": [
                null, 7, {"address": "nowhere", "mask": 56}, {"address": "2001:db8::", "mask": 300},
                {"address": "2001:db8::", "mask": -1}, {"mask": 56}, {"address": "::", "mask": 0},
                {"address": "2001:db8:7::", "mask": 56, "valid": 3},
            ],
            "ipv6-address": {"address": 5},
        }),
    );
    let odd = dump(&[
        json!(null),
        json!({"up": true}),
        json!({"interface": 4}),
        wan6,
    ]);
    assert_eq!(
        shown(&only(&odd, Some("wan6"))),
        ["2001:db8:7::/56 delegated"]
    );
}
