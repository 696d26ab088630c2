// SPDX-License-Identifier: GPL-2.0-or-later
//! What holds for every rule the types allow, not only for those of the RFCs.

use ipnet::{Ipv4Net, Ipv6Net};
use mape::map::{
    Dialect, Domain, MapType, PortParams, PortRange, PortSet, Psid, Relay, Rule, RuleParts,
    RuleSpec,
};
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};

/// The parts of any rule: many fit together, some do not.
fn parts() -> impl Strategy<Value = RuleParts> {
    let prefixes = (any::<u128>(), 0u8..=64, any::<u32>(), 0u8..=32);
    let numbers = (
        0u8..=48,
        0u8..=16,
        proptest::option::of((1u8..=16, any::<u16>())),
    );
    (prefixes, numbers).prop_map(|((v6, len6, v4, len4), (ea_len, offset, psid))| RuleParts {
        ipv6: Ipv6Net::new(Ipv6Addr::from_bits(v6), len6).unwrap(),
        ipv4: Ipv4Net::new(Ipv4Addr::from_bits(v4), len4).unwrap(),
        ea_len,
        offset,
        psid_len: None,
        psid: psid.map(|(len, value)| Psid::new(value >> (16 - len), len).unwrap()),
    })
}

/// Any legal rule. Half of them share an address, as those of operators do.
fn rules() -> impl Strategy<Value = Rule> {
    let shared = (any::<u128>(), any::<u32>(), 0u8..=16, 0u8..=16, 0u8..=16).prop_filter_map(
        "a legal rule",
        |(v6, v4, suffix, psid_len, offset)| {
            let ea_len = suffix + psid_len;
            let len6 = 64u8.checked_sub(ea_len)?;
            Rule::new(RuleParts {
                ipv6: Ipv6Net::new(Ipv6Addr::from_bits(v6), len6).ok()?,
                ipv4: Ipv4Net::new(Ipv4Addr::from_bits(v4), 32 - suffix).ok()?,
                ea_len,
                offset,
                psid_len: None,
                psid: None,
            })
            .ok()
        },
    );
    let any = parts().prop_filter_map("a legal rule", |parts| Rule::new(parts).ok());
    prop_oneof![shared, any]
}

/// An end-user prefix under the rule, as long as the BR takes it to be.
fn end_user(rule: &Rule, bits: u128) -> Ipv6Net {
    let len = rule.ipv6().prefix_len();
    let host = bits.checked_shr(u32::from(len)).unwrap_or(0);
    let address = rule.ipv6().network().to_bits() | host;
    Ipv6Net::new(Ipv6Addr::from_bits(address), rule.end_user_len())
        .unwrap()
        .trunc()
}

fn dialects() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::Rfc7597), Just(Dialect::Draft03)]
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_global_rejects: 1_000_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn a_rule_that_is_written_down_is_the_same_rule(rule in rules(), dialect in dialects()) {
        for map_type in [MapType::MapE, MapType::MapT, MapType::Lw4o6] {
            let written = RuleSpec::from_rule(&rule, map_type, None).to_string();
            let read: RuleSpec = written.parse().unwrap();
            prop_assert_eq!(read.rule(map_type, dialect, None), Ok(rule), "{}", written);
        }
    }

    /// From the prefix to address and ports, and from these back to the prefix.
    #[test]
    fn ce_and_br_agree(rule in rules(), bits in any::<u128>(), at in any::<u16>(), dialect in dialects()) {
        let end_user = end_user(&rule, bits);
        prop_assert!(rule.covers(&end_user));
        let net = rule.ipv4_of(end_user);
        let ports = rule.ports_of(end_user);
        prop_assert!(rule.ipv4().contains(&net));
        let ranges: Vec<PortRange> = ports.ranges().collect();
        let range = ranges[usize::from(at) % ranges.len()];
        let host = u32::from(at) & !u32::from(net.netmask());
        let address = Ipv4Addr::from_bits(net.network().to_bits() | host);
        for port in [range.first(), range.last(), range.first() + at % range.count().min(65535) as u16] {
            prop_assert_eq!(rule.end_user_prefix(address, port), Some(end_user));
            let ce = rule.ce_address_of(dialect, end_user);
            prop_assert_eq!(rule.ce_address(dialect, address, port), Some(ce));
        }
        // Nobody else's port leads here.
        let back = rule.end_user_prefix(address, at);
        prop_assert_eq!(back == Some(end_user), ports.contains(at), "port {}", at);
    }

    /// The BR's own check accepts what the CE sends and nothing else.
    #[test]
    fn the_br_checks_what_the_ce_sends(rule in rules(), bits in any::<u128>(), other in any::<u16>(), dialect in dialects()) {
        let border = Some(mape::map::Border::Br("2001:db8:ffff::1".parse().unwrap()));
        let spec = RuleSpec::from_rule(&rule, MapType::MapE, border);
        let domain = Domain::from_specs(&[spec], MapType::MapE, dialect).unwrap();
        let end_user = end_user(&rule, bits);
        let mapping = domain.map(&[end_user]).unwrap();
        prop_assert_eq!(mapping.bmr(), &rule);
        let relay = Relay::of(&mapping);
        let address = mapping.ipv4().network();
        let ce = mapping.ce_address();
        for range in mapping.ports().ranges().take(4) {
            let from = SocketAddrV4::new(address, range.first());
            prop_assert_eq!(relay.check_source(ce, from), Ok(()));
        }
        let from = SocketAddrV4::new(address, other);
        let honest = mapping.ports().contains(other);
        prop_assert_eq!(relay.check_source(ce, from).is_ok(), honest, "{}", from);
    }

    /// What is refused is refused for a reason people can read; what is not can be used.
    #[test]
    fn every_part_is_taken_or_refused(parts in parts()) {
        match Rule::new(parts) {
            Ok(rule) => {
                prop_assert!(rule.ea_len() <= 48);
                prop_assert!(rule.ea_len() == 0 || rule.end_user_len() <= 64);
                prop_assert_eq!(rule.ipv6(), rule.ipv6().trunc());
                prop_assert_eq!(rule.ipv4(), rule.ipv4().trunc());
            }
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
        }
    }
}

/// All parameters there are, all PSIDs of each: every port above the system ports has one owner.
#[test]
fn port_sets_of_all_psids_are_disjoint_and_complete() {
    for offset in 0..=16u8 {
        for len in 0..=16 - offset {
            let params = PortParams::new(offset, len).unwrap();
            let mut owners = vec![0u8; 65536];
            for psid in 0..params.sharing_ratio() {
                let set = PortSet::new(params, psid as u16).unwrap();
                let mut count = 0;
                for range in set.ranges() {
                    for port in range.ports() {
                        owners[usize::from(port)] += 1;
                    }
                    count += range.count();
                }
                assert_eq!(count, set.count(), "a={offset} k={len}");
            }
            let is_shared = len > 0;
            let system = if is_shared && offset > 0 {
                65536 >> offset
            } else {
                0
            };
            let (below, above) = owners.split_at(system);
            assert!(below.iter().all(|&n| n == 0), "a={offset} k={len}");
            assert!(above.iter().all(|&n| n == 1), "a={offset} k={len}");
        }
    }
}
