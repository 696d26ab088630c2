// SPDX-License-Identifier: GPL-2.0-or-later
//! Every value of an answer has its range, and what is outside is named.

use super::*;

/// The example with one place changed: `path` as keys and numbers with dots.
pub fn changed(path: &str, value: Value) -> Result<Answer, String> {
    let mut json: Value = serde_json::from_slice(&file("all")).unwrap();
    let pointer = format!("/{}", path.replace('.', "/"));
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match json.pointer_mut(parent).unwrap() {
        Value::Object(object) if value == json!("gone") => {
            object.remove(key).unwrap();
        }
        Value::Object(object) => {
            object.insert(key.into(), value);
        }
        Value::Array(array) => array[key.parse::<usize>().unwrap()] = value,
        other => panic!("{other}"),
    }
    let parsed = Answer::parse(json.to_string().as_bytes());
    parsed.map_err(|error| error.to_string())
}

#[test]
fn every_value_has_its_range() {
    let rule = |v4: &str, ea: u8, offset: u8| json!({"ipv6": "2001:db8::/32", "ipv4": v4, "ea_length": ea, "psid_offset": offset});
    for (path, value, reason) in [
        (
            "enabler_name",
            json!("gone"),
            "missing field `enabler_name`",
        ),
        (
            "enabler_name",
            json!(1),
            "enabler_name: invalid type: integer `1`",
        ),
        (
            "enabler_name",
            json!("a".repeat(255)),
            "enabler_name: must have at most 256 bytes",
        ),
        (
            "isp_name",
            json!("\u{1}".repeat(43)),
            "isp_name: must have at most 256 bytes",
        ),
        ("ttl", json!(604_801), "ttl: 604801 seconds are more than"),
        (
            "ttl",
            json!(-1),
            "ttl: invalid type: integer `-1`, expected a number, 0 or greater",
        ),
        ("ttl", json!(1.5), "ttl: invalid type: floating point"),
        (
            "ttl",
            json!("a week"),
            "ttl: invalid value: string, expected a number",
        ),
        (
            "token",
            json!("ABC"),
            "token: must be 64 lower-case hexadecimal digits",
        ),
        (
            "token",
            json!(42),
            "token: must be 64 lower-case hexadecimal digits",
        ),
        ("auth", json!("maybe"), "auth: unknown variant `maybe`"),
        ("order", json!("gone"), "missing field `order`"),
        ("order", json!("map_e"), "order: invalid type: string"),
        (
            "order",
            json!(["map_e", "map_e"]),
            "order: map_e is in it twice",
        ),
        (
            "map_e",
            json!("gone"),
            "order: map_e is in it, but the answer has no map_e",
        ),
        ("map_e", json!([]), "map_e: must be an object"),
        (
            "dslite",
            json!(["aftr.example"]),
            "dslite: must be an object",
        ),
        (
            "map_e.rules.0",
            json!([1, 2]),
            "map_e.rules[0]: must be an object",
        ),
        ("ipip.0", json!([1, 2]), "ipip[0]: must be an object"),
        ("map_e.version", json!(2), "map_e.version: must be 0 (draft"),
        (
            "map_e.mesh",
            json!(2),
            "map_e.mesh: invalid value: integer `2`, expected true, false",
        ),
        (
            "map_e.br",
            json!("br.example"),
            "map_e.br: br.example: must be an IPv6 address",
        ),
        (
            "map_e.br",
            json!("::1"),
            "map_e.br: ::1: a loopback address cannot be used",
        ),
        (
            "map_e.br",
            json!("ff02::1"),
            "map_e.br: ff02::1: a multicast address",
        ),
        (
            "map_e.br",
            json!("::ffff:192.0.2.1"),
            "map_e.br: ::ffff:192.0.2.1: an IPv4-mapped",
        ),
        (
            "map_e.br",
            json!("fe80::1"),
            "map_e.br: fe80::1: a link-local address",
        ),
        (
            "map_e.br",
            json!("::"),
            "map_e.br: ::: the unspecified address",
        ),
        ("map_e.br", json!("gone"), "map_e: missing field `br`"),
        (
            "map_e.rules",
            json!([]),
            "map_e.rules: 0 rules: must be 1 to 256",
        ),
        (
            "map_e.rules",
            json!(vec![rule("192.0.2.0/24", 8, 4); 257]),
            "map_e.rules: 257 rules: must be 1 to 256",
        ),
        (
            "map_t.rules",
            json!(vec![rule("192.0.2.0/24", 8, 4); 201]),
            "map_t.rules: 201 rules: must be 1 to 200",
        ),
        (
            "map_e.rules.0.ipv4",
            json!("gone"),
            "map_e.rules[0]: missing field `ipv4`",
        ),
        (
            "map_e.rules.0.ipv6",
            json!("2001:db8::"),
            "map_e.rules[0].ipv6: 2001:db8::: must be",
        ),
        (
            "map_e.rules.0.ipv6",
            json!("ff00::/8"),
            "map_e.rules[0].ipv6: ff00::/8: a multicast",
        ),
        (
            "map_e.rules.0.ipv4",
            json!("127.0.0.0/8"),
            "map_e.rules[0].ipv4: 127.0.0.0/8: a loop",
        ),
        (
            "map_e.rules.0.ea_length",
            json!(49),
            "map_e.rules[0].ea_length: 49: at most 48",
        ),
        (
            "map_e.rules.0.psid_offset",
            json!(16),
            "map_e.rules[0].psid_offset: 16: at most 15",
        ),
        (
            "map_e.rules.0",
            rule("192.0.2.1/32", 12, 6),
            "map_e.rules[0]: psid_offset 6 and 12 bits of PSID: together at most 16",
        ),
        (
            "map_e.rules.0.ipv6",
            json!("2001:db8::/120"),
            "map_e.rules[0]: ipv6 /120 and ea_length 12: together at most 128",
        ),
        (
            "map_t.dmr",
            json!("2001:db8::/97"),
            "map_t.dmr: 2001:db8::/97: the length must be at",
        ),
        (
            "dslite.aftr",
            json!("192.0.2.1"),
            "dslite.aftr: must be an IPv6 address or a DNS name",
        ),
        (
            "dslite.aftr",
            json!("<b>x</b>"),
            "dslite.aftr: must be an IPv6 address or a DNS name",
        ),
        (
            "dslite.aftr",
            json!("::1"),
            "dslite.aftr: a loopback address cannot be used",
        ),
        (
            "lw4o6.lwaftr",
            json!(""),
            "lw4o6.lwaftr: must be an IPv6 address or a DNS name: a DNS",
        ),
        (
            "lw4o6.ipv4",
            json!("192.0.2.0/24"),
            "lw4o6.ipv4: 192.0.2.0/24: must be an IPv4 address",
        ),
        (
            "lw4o6.psid",
            json!(256),
            "lw4o6.psid: 256: with psid_length 8 at most 255",
        ),
        (
            "lw4o6.psid",
            json!(65_536),
            "lw4o6.psid: 65536: at most 65535",
        ),
        (
            "lw4o6.psid_length",
            json!(17),
            "lw4o6.psid_length: 17: at most 16",
        ),
        (
            "lw4o6.psid_length",
            json!(11),
            "lw4o6.psid_length: 11: with psid_offset 6 at most 10",
        ),
        (
            "lw4o6.psid_offset",
            json!(16),
            "lw4o6.psid_offset: 16: at most 15",
        ),
        (
            "464xlat.nat64prefix",
            json!("2001:db8::/65"),
            "464xlat.nat64prefix: 2001:db8::/65: the",
        ),
        ("ipip", json!({}), "ipip: invalid type: map"),
        (
            "ipip.0.ipv6_local",
            json!("::1"),
            "ipip[0].ipv6_local: ::1: a loopback",
        ),
        (
            "ipip.0.ipv6_remote",
            json!("gone"),
            "ipip[0]: missing field `ipv6_remote`",
        ),
        (
            "ipip.0.ipv4",
            json!("203.0.113.1"),
            "ipip[0].ipv4: 203.0.113.1: must be an IPv4 addr",
        ),
        (
            "ipip.0.ipv4",
            json!("0.0.0.0/0"),
            "ipip[0].ipv4: 0.0.0.0/0: the unspecified",
        ),
    ] {
        let said = changed(path, value.clone()).expect_err(path);
        assert!(said.starts_with(reason), "{path} {value}: {said}");
        assert!(
            said.len() < 300 && !said.contains(char::is_control),
            "{said}"
        );
    }
    // The PSID may fill its length, and there may be none.
    assert!(changed("lw4o6.psid", json!(255)).is_ok());
    assert!(changed("ttl", json!(604_800)).is_ok());
    assert!(changed("map_e.rules", json!(vec![rule("192.0.2.0/24", 8, 4); 256])).is_ok());
}
