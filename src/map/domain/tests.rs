// SPDX-License-Identifier: GPL-2.0-or-later
//! Which rule a prefix is under.

use super::*;

fn domain(rules: &[&str]) -> Result<Domain, Box<DomainError>> {
    let specs: Vec<RuleSpec> = rules.iter().map(|r| r.parse().unwrap()).collect();
    Domain::from_specs(&specs, MapType::MapE, Dialect::Rfc7597)
}

const SHORT: &str = "ipv6prefix=2001:db8::,prefix6len=32,ipv4prefix=10.0.0.0,prefix4len=8,\
                     ealen=24,br=2001:db8:ffff::1";
const LONG: &str = "ipv6prefix=2001:db8:1200::,prefix6len=40,ipv4prefix=192.0.2.0,\
                    prefix4len=24,ealen=16,br=2001:db8:ffff::2";

#[test]
fn the_longest_rule_wins_in_any_order() {
    let prefix = ["2001:db8:1212:3400::/56".parse().unwrap()];
    for rules in [[SHORT, LONG], [LONG, SHORT]] {
        let mapping = domain(&rules).unwrap().map(&prefix).unwrap();
        assert_eq!(mapping.ipv4().to_string(), "192.0.2.18/32");
        assert_eq!(
            mapping.border(),
            Some(Border::Br("2001:db8:ffff::2".parse().unwrap()))
        );
    }
}

#[test]
fn several_prefixes_are_tried_by_rule_length() {
    let prefixes = [
        "2001:db8:5500::/56".parse().unwrap(),
        "2001:db8:1212:3400::/56".parse().unwrap(),
    ];
    let mapping = domain(&[SHORT, LONG]).unwrap().map(&prefixes).unwrap();
    assert_eq!(mapping.end_user(), prefixes[1]);
    let mapping = domain(&[SHORT]).unwrap().map(&prefixes).unwrap();
    assert_eq!(mapping.end_user(), prefixes[0]);
}

#[test]
fn a_psid_beside_no_ea_length_leaves_the_address_in_the_prefix() {
    let rule = "ipv6prefix=2001:db8::,prefix6len=31,ipv4prefix=10.0.0.0,prefix4len=8,\
                psidlen=8,psid=13312,offset=4,br=2001:db8:ffff::1";
    let domain = domain(&[rule]).unwrap();
    let short = domain.map(&["2001:db8:12::/54".parse().unwrap()]);
    let says = short.unwrap_err().to_string();
    assert!(says.ends_with("2001:db8::/31 needs /55"), "{says}");
    let mapping = domain.map(&["2001:db8:12:200::/55".parse().unwrap()]);
    assert_eq!(mapping.unwrap().ipv4().to_string(), "10.0.9.1/32");
}

#[test]
fn a_prefix_that_is_too_short_is_told_from_a_foreign_one() {
    let domain = domain(&[LONG]).unwrap();
    let short = domain.map(&["2001:db8:1200::/48".parse().unwrap()]);
    assert_eq!(
        short.unwrap_err().to_string(),
        "the end-user prefix 2001:db8:1200::/48 is too short: rule 2001:db8:1200::/40 \
         needs /56"
    );
    let foreign = domain.map(&["2001:db9::/56".parse().unwrap()]).unwrap_err();
    assert_eq!(foreign.to_string(), "no rule matches 2001:db9::/56");
    assert_eq!(
        domain.map(&[]).unwrap_err().to_string(),
        "there is no IPv6 prefix yet"
    );
}

#[test]
fn options_of_another_type_are_refused() {
    let says = |rule: &str| domain(&[rule]).unwrap_err().to_string();
    assert_eq!(
        says("type=map-t,ipv6prefix=2001:db8::,prefix6len=32"),
        "rule 1: type map-t in a map-e interface"
    );
    let dmr = "ipv6prefix=2001:db8::,prefix6len=32,ipv4prefix=10.0.0.0,dmr=2001:db8::/64";
    assert_eq!(says(dmr), "rule 1: dmr does not belong to map-e");
    // The keys of the string, not the options of UCI that mean the same.
    assert_eq!(says("ealen=8"), "rule 1: prefix6len is missing");
    assert_eq!(says("prefix6len=40"), "rule 1: ipv6prefix is missing");
    let half = "ipv6prefix=2001:db8::,prefix6len=40";
    assert_eq!(says(half), "rule 1: ipv4prefix is missing");
    assert_eq!(*domain(&[]).unwrap_err(), DomainError::Empty);
}

#[test]
fn fmrs_come_longest_first() {
    let flagged = [format!("{SHORT},fmr"), format!("{LONG},fmr")];
    let rules: Vec<&str> = flagged.iter().map(String::as_str).collect();
    let fmrs = domain(&rules)
        .unwrap()
        .fmrs("2001:db8:5500::/56".parse().unwrap());
    let lens: Vec<u8> = fmrs.iter().map(|r| r.ipv6().prefix_len()).collect();
    assert_eq!(lens, [40, 32]);
}
