// SPDX-License-Identifier: GPL-2.0-or-later
//! Rule strings, and what is made of them.

use super::rule_spec::number;
use super::*;
use crate::map::{Dialect, MapType};

#[test]
fn stock_string_in_and_out() {
    let text = "type=map-e,ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,\
                prefix4len=15,offset=4,ealen=25,br=2404:9200:225:100::64,fmr";
    let spec: RuleSpec = text.parse().unwrap();
    assert_eq!(spec.to_string(), text);
    assert!(spec.fmr);
    assert_eq!(spec.to_string().parse::<RuleSpec>().unwrap(), spec);
}

#[test]
fn a_rule_survives_being_written_down() {
    for text in [
        "ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,ealen=25,offset=4",
        "ipv6prefix=2001:db8::,prefix6len=64,ipv4prefix=192.0.2.1,psidlen=8,psid=10240,offset=0",
        "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,ealen=4",
    ] {
        let spec: RuleSpec = text.parse().unwrap();
        let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None).unwrap();
        let written = RuleSpec::from_rule(&rule, MapType::MapE, None).to_string();
        let read: RuleSpec = written.parse().unwrap();
        assert_eq!(
            read.rule(MapType::MapE, Dialect::Draft03, None),
            Ok(rule),
            "{written}"
        );
    }
}

#[test]
fn values_out_of_range_are_named() {
    let says = |text: &str| text.parse::<RuleSpec>().unwrap_err().to_string();
    assert_eq!(says("ealen=99"), "ealen 99: at most 48");
    assert_eq!(says("prefix4len=33"), "prefix4len 33: at most 32");
    assert_eq!(says("offset=-1"), "offset -1: must be a number, at most 16");
    assert!(says("offset=+1").starts_with("offset +1: must be a number"));
    assert!(says("psid=0x+1").starts_with("psid 0x+1: must be a number"));
    assert_eq!(
        says("psid=99999999999999999999"),
        "psid 99999999999999999999: must be a number, at most 65535"
    );
    assert_eq!(says("br=nowhere"), "br nowhere: must be an IPv6 address");
    assert_eq!(
        says("ipv4prefix=1.2.3"),
        "ipv4prefix 1.2.3: must be an IPv4 address"
    );
    assert_eq!(
        says("type=dslite"),
        "type dslite: must be map-e, map-t or lw4o6"
    );
    assert!(says("bogus=1").starts_with("bogus is not known"));
    assert_eq!("0x34".parse::<u16>().ok(), None);
    assert_eq!(number("psid", "0x3400", u16::MAX), Ok(0x3400));
}

#[test]
fn what_is_missing_is_named() {
    let spec: RuleSpec = "type=map-e,ealen=8".parse().unwrap();
    let error = spec
        .rule(MapType::MapE, Dialect::Rfc7597, None)
        .unwrap_err();
    assert_eq!(*error, SpecError::Missing("ip6prefixlen"));
    let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.1,psid=512"
        .parse()
        .unwrap();
    let error = spec
        .rule(MapType::MapE, Dialect::Rfc7597, None)
        .unwrap_err();
    assert_eq!(*error, SpecError::Missing("psidlen"));
}

#[test]
fn a_missing_ea_length_is_the_rest_of_the_prefix() {
    let spec: RuleSpec =
        "ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,psidlen=8"
            .parse()
            .unwrap();
    assert!(spec.rule(MapType::MapE, Dialect::Draft03, None).is_ok());
    let rule = spec
        .rule(
            MapType::MapE,
            Dialect::Draft03,
            Some("240b:10:1:200::/56".parse().unwrap()),
        )
        .unwrap();
    assert_eq!(rule.ea_len(), 25);
    assert_eq!(rule.port_params().offset(), 4);
}
