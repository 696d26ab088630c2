// SPDX-License-Identifier: GPL-2.0-or-later
//! Each value of a providers file, wrong in every way.

use super::{provider_warning, rule_warning, warnings};
use serde_json::{Value, json};

#[test]
fn every_value_of_a_rule_is_checked() {
    let of = |key: &'static str, value: Value| rule_warning(|rule| rule[key] = value);
    assert_eq!(
        of("ea_len", json!(99)),
        "f.json: test rule 1: ea_len: must be a number from 0 to 48, not 99"
    );
    assert_eq!(
        of("ea_len", json!(30)),
        "f.json: test rule 1: ip6prefixlen 36 and ealen 30: together at most 64"
    );
    assert_eq!(
        of("ipv6", json!("2001:db8:1234::/36")),
        "f.json: test rule 1: ipv6: 2001:db8:1234::/36 has bits set beyond its length: is 2001:db8:1000::/36 meant?"
    );
    assert_eq!(
        of("ipv4", json!("192.0.2.1/24")),
        "f.json: test rule 1: ipv4: 192.0.2.1/24 has bits set beyond its length: is 192.0.2.0/24 meant?"
    );
    assert_eq!(
        of("br", json!("::")),
        "f.json: test rule 1: br: must be an IPv6 address, not \"::\""
    );
    assert_eq!(
        of("dmr", json!("2001:db8::/64")),
        "f.json: test rule 1: dmr does not belong to map-e"
    );
    assert_eq!(
        of("psid_len", json!(6)),
        "f.json: test rule 1: psidlen 6: ealen 16 and ip4prefixlen 24 leave 8 bits for the PSID"
    );
    assert!(of("psid_offset", json!(12)).contains("offset 12"));
    assert!(
        of("psid_offset", json!("4")).contains("psid_offset: invalid type: string \"4\", expected")
    );
    assert!(
        of("confidence", json!("sure"))
            .contains("expected one of `high`, `medium`, `unverified`, `local`")
    );
    assert_eq!(
        of("ealen", json!(16)),
        "f.json: test rule 1: ealen: unknown field `ealen`, expected one of `ipv6`, `ipv4`, `ea_len`, `psid_offset`, `psid_len`, `br`, `dmr`, `confidence`, `note`"
    );
    let without = |key: &'static str| {
        rule_warning(|rule| {
            rule.as_object_mut().unwrap().remove(key);
        })
    };
    assert_eq!(without("ipv4"), "f.json: test rule 1: missing field `ipv4`");
    assert_eq!(
        without("ea_len"),
        "f.json: test rule 1: missing field `ea_len`"
    );
    assert_eq!(
        rule_warning(|rule| *rule = json!("x")),
        "f.json: test rule 1: must be an object"
    );
}

#[test]
fn every_value_of_a_provider_is_checked() {
    let of = |key: &'static str, value: Value| provider_warning(|p| p[key] = value);
    assert_eq!(
        of("type", json!("lw4o6")),
        "f.json: test: type: unknown variant `lw4o6`, expected `map-e` or `map-t`"
    );
    assert_eq!(
        of("dialect", json!("draft03")),
        "f.json: test: dialect: unknown variant `draft03`, expected `rfc7597` or `draft-03`"
    );
    assert_eq!(
        of("mtu", json!(1279)),
        "f.json: test: mtu: must be a number from 1280 to 65535, not 1279"
    );
    assert!(
        of("mtu", json!(70000)).contains("mtu: must be a number from 1280 to 65535, not 70000")
    );
    assert!(of("encaplimit", json!("off")).contains("encaplimit: must be \"ignore\" or a number"));
    assert!(of("mesh", json!(1)).contains("mesh: invalid type: integer `1`, expected a boolean"));
    assert!(of("name", json!("a\nb")).contains("name: must be a line of text"));
    assert!(of("name", json!("x".repeat(9999))).len() < 200);
    assert_eq!(
        of("rules", json!({})),
        "f.json: test: rules: invalid type: map, expected a sequence"
    );
    assert_eq!(
        provider_warning(|p| {
            p.as_object_mut().unwrap().remove("br");
        }),
        "f.json: test rule 1: br is missing"
    );
    for id in ["Test", "auto", "none", "", "a b", "ä"] {
        let text = json!({"providers": {id: {}}}).to_string();
        let all = warnings(&text);
        assert_eq!(all.len(), 1);
        assert!(all[0].contains("an id must be"), "{all:?}");
    }
}
