// SPDX-License-Identifier: GPL-2.0-or-later
//! The examples of the RFCs, and what is not true.

use super::*;
use crate::map::{MapType, RuleSpec};

fn relay(map_type: MapType, dialect: Dialect, rules: &[&str]) -> Relay {
    let specs: Vec<RuleSpec> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    Relay::new(&Domain::from_specs(&specs, map_type, dialect).unwrap())
}

fn at(text: &str) -> SocketAddrV4 {
    text.parse().unwrap()
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn outer(relay: &Relay, from: &str, to: &str) -> (String, String, u16) {
    let outer = relay.outer(at(from), at(to)).unwrap();
    let Outer {
        source,
        destination,
        psid,
    } = outer;
    (source.to_string(), destination.to_string(), psid.value())
}

fn expect(source: &str, destination: &str, psid: u16) -> (String, String, u16) {
    (source.into(), destination.into(), psid)
}

const RFC: &str = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,\
                   ealen=16,offset=6,";

fn rfc7597(more: &str) -> Relay {
    let rule = format!("{RFC}br=2001:db8:ffff::1{more}");
    relay(MapType::MapE, Dialect::Rfc7597, &[&rule])
}

fn rfc7599() -> Relay {
    let rule = format!("{RFC}dmr=2001:db8:ffff::/64");
    relay(MapType::MapT, Dialect::Rfc7597, &[&rule])
}

#[test]
fn rfc7597_appendix_a_examples_2_and_3() {
    // Port 1232 = 000001 00110100 00: A 1, PSID 0x34, M 0.
    let ce = "2001:db8:12:3400:0:c000:212:34";
    let br = rfc7597("");
    let up = outer(&br, "192.0.2.18:1232", "1.2.3.4:80");
    assert_eq!(up, expect(ce, "2001:db8:ffff::1", 0x34));
    let down = outer(&br, "1.2.3.4:80", "192.0.2.18:1232");
    assert_eq!(down, expect("2001:db8:ffff::1", ce, 0x34));
    let inner = br.inner(ip(ce), ip("2001:db8:ffff::1")).unwrap();
    assert_eq!(inner.from, Some(Ipv4Addr::new(192, 0, 2, 18)));
    assert_eq!((inner.to, inner.psid.value()), (None, 0x34));
    let back = br.inner(ip("2001:db8:ffff::1"), ip(ce)).unwrap();
    assert_eq!(back.to, Some(Ipv4Addr::new(192, 0, 2, 18)));
}

#[test]
fn rfc7599_appendix_a_examples_2_and_3() {
    // 10.2.3.4 in a /64 (RFC 6052): bits 64 to 71 zero, then 0a 02 03 04.
    let ce = "2001:db8:12:3400:0:c000:212:34";
    let far = "2001:db8:ffff:0:a:203:400:0";
    let br = rfc7599();
    assert_eq!(
        outer(&br, "192.0.2.18:1232", "10.2.3.4:80"),
        expect(ce, far, 0x34)
    );
    assert_eq!(
        outer(&br, "10.2.3.4:80", "192.0.2.18:1232"),
        expect(far, ce, 0x34)
    );
    let inner = br.inner(ip(ce), ip(far)).unwrap();
    assert_eq!(inner.from, Some(Ipv4Addr::new(192, 0, 2, 18)));
    assert_eq!(inner.to, Some(Ipv4Addr::new(10, 2, 3, 4)));
}

#[test]
fn map_t_with_ea_12_and_offset_6() {
    let rule = "ipv6prefix=3001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,\
                ealen=12,offset=6,dmr=2001:db8:ffff::/64";
    let br = relay(MapType::MapT, Dialect::Rfc7597, &[rule]);
    // EA 12 = 8 bits of address (.18 = 0x12) and 4 of PSID. Port 1089 =
    // 0x441 = 000001 0001 000001: A 1, PSID 1, M 1. Prefix bits 40 to 51
    // are 0x12 and 1: 3001:db8:0012:1000::/52; identifier 0000, c000
    // 0212, 0001. 11.11.11.11 = 0b0b0b0b from bit 72 of the DMR.
    assert_eq!(
        outer(&br, "192.0.2.18:1089", "11.11.11.11:8000"),
        expect(
            "3001:db8:12:1000:0:c000:212:1",
            "2001:db8:ffff:0:b:b0b:b00:0",
            1
        )
    );
    assert_eq!(
        outer(&br, "11.11.11.11:8000", "192.0.2.18:1089").1,
        "3001:db8:12:1000:0:c000:212:1"
    );
}

#[test]
fn map_e_with_the_br_inside_the_rule_prefix() {
    let rule = "ipv6prefix=2001:db8:1012::,prefix6len=48,ipv4prefix=192.0.2.0,prefix4len=24,\
                ealen=16,offset=4,br=2001:db8:1012:1234::10";
    let br = relay(MapType::MapE, Dialect::Rfc7597, &[rule]);
    // EA 16 = .18 (0x12) and 8 bits of PSID. Port 21317 = 0x5345: A 5,
    // PSID 0x34, M 5. Prefix bits 48 to 63: 1234; so this CE and the BR
    // share a /64 and differ in the identifier alone.
    let ce = "2001:db8:1012:1234:0:c000:212:34";
    assert_eq!(
        outer(&br, "192.0.2.18:21317", "203.0.113.9:443"),
        expect(ce, "2001:db8:1012:1234::10", 0x34)
    );
    let inner = br.inner(ip(ce), ip("2001:db8:1012:1234::10")).unwrap();
    assert_eq!(inner.from, Some(Ipv4Addr::new(192, 0, 2, 18)));
    assert_eq!(inner.to, None);
}

#[test]
fn spoofed_sources_are_told() {
    let br = rfc7597("");
    let ce = ip("2001:db8:12:3400:0:c000:212:34");
    assert_eq!(br.check_source(ce, at("192.0.2.18:1232")), Ok(()));
    // Port 1236 = 000001 00110101 00 has PSID 0x35: the neighbour's.
    let says = br.check_source(ce, at("192.0.2.18:1236")).unwrap_err();
    assert_eq!(
        says.to_string(),
        "spoofed: 192.0.2.18:1236 must come from 2001:db8:12:3500:0:c000:212:35, \
         not from 2001:db8:12:3400:0:c000:212:34"
    );
    let system = br.check_source(ce, at("192.0.2.18:80")).unwrap_err();
    assert_eq!(
        system.to_string(),
        "port 80 belongs to no CE: with PSID offset 6 ports below 1024 are nobody's"
    );
    let foreign = br.check_source(ce, at("198.51.100.1:1232")).unwrap_err();
    assert!(matches!(*foreign, FlowError::NoCe(..)), "{foreign}");
}

#[test]
fn an_address_that_contradicts_itself() {
    let br = rfc7597("");
    let to = ip("2001:db8:ffff::1");
    let says = |from: &str| br.inner(ip(from), to).unwrap_err().to_string();
    // The identifier claims PSID 0x35 under the prefix of PSID 0x34.
    assert_eq!(
        says("2001:db8:12:3400:0:c000:212:35"),
        "2001:db8:12:3400:0:c000:212:35 is not what a CE there uses: its prefix makes it \
         2001:db8:12:3400:0:c000:212:34"
    );
    assert!(says("2001:db8:12:3400:c0:2:1200:3400").contains("as draft-03 has it"));
    // Subnet 1 of the /56.
    assert!(says("2001:db8:12:3401:0:c000:212:34").contains("is not what a CE there uses"));
    assert!(says("2001:db9::1").contains("neither under a rule"));
    assert!(says("2001:db8:ffff::1").contains("belongs to a CE"));
}

#[test]
fn draft_03_and_mesh() {
    let rule = "ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,\
                ealen=25,offset=4,br=2404:9200:225:100::64";
    let hub = relay(MapType::MapE, Dialect::Draft03, &[rule]);
    // 106.72.0.1 port 4128 = 0x1020: A 1, PSID 2, M 0.
    let ce = "240b:10:1:200:6a:4800:100:200";
    let to_ce = ("106.72.0.1:4128", "106.72.0.2:4144");
    assert_eq!(
        outer(&hub, to_ce.0, to_ce.1),
        expect(ce, "2404:9200:225:100::64", 2)
    );
    let mesh = relay(MapType::MapE, Dialect::Draft03, &[&format!("{rule},fmr")]);
    // 106.72.0.2 port 4144 = 0x1030: PSID 3.
    assert_eq!(
        outer(&mesh, to_ce.0, to_ce.1),
        expect(ce, "240b:10:2:300:6a:4800:200:300", 2)
    );
}

#[test]
fn lw4o6_and_what_is_missing() {
    // PSID 0x28 left-justified in 16 bits.
    let binding = "ipv6prefix=2001:db8:1::,prefix6len=64,ipv4prefix=198.51.100.59,\
                   psidlen=8,psid=0x2800,br=2001:db8:ffff::1";
    let br = relay(MapType::Lw4o6, Dialect::Rfc7597, &[binding]);
    let up = br
        .outer(at("198.51.100.59:10300"), at("1.2.3.4:80"))
        .unwrap();
    assert_eq!(up.psid.value(), 0x28);
    let other = br.outer(at("198.51.100.59:5000"), at("1.2.3.4:80"));
    assert_eq!(
        other.unwrap_err().to_string(),
        "port 5000 has PSID 19, the rule is for PSID 40"
    );
    let none = relay(MapType::MapE, Dialect::Rfc7597, &[RFC]);
    let error = none.outer(at("192.0.2.18:1232"), at("1.2.3.4:80"));
    assert_eq!(error, Err(FlowError::NoBorder.into()));
}
