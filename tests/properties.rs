// SPDX-License-Identifier: GPL-2.0-or-later
//! What holds for every rule the types allow, not only for those of the RFCs.

use ipnet::{Ipv4Net, Ipv6Net};
use mape::map::{
    Border, Dialect, Domain, MapType, PortParams, PortRange, PortSet, Psid, Relay, Rule, RuleParts,
    RuleSpec, WrittenPsid,
};
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};

/// Any global unicast address.
fn global_v6() -> impl Strategy<Value = u128> {
    any::<u128>().prop_map(|bits| bits >> 3 | 1 << 125)
}

/// The parts of any rule: many fit together, some do not.
fn parts() -> impl Strategy<Value = RuleParts> {
    let prefixes = (global_v6(), 3u8..=64, any::<u32>(), 0u8..=32);
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
        psid: psid.map(|(len, value)| Psid::new(value >> (16 - len), len).unwrap()),
    })
}

/// Any legal rule. Half of them share an address, as those of operators do.
fn rules() -> impl Strategy<Value = Rule> {
    let shared = (global_v6(), any::<u32>(), 0u8..=16, 0u8..=16, 0u8..=16).prop_filter_map(
        "a legal rule",
        |(v6, v4, suffix, psid_len, offset)| {
            let ea_len = suffix + psid_len;
            let len6 = 64u8.checked_sub(ea_len)?;
            Rule::new(RuleParts {
                ipv6: Ipv6Net::new(Ipv6Addr::from_bits(v6), len6).ok()?,
                ipv4: Ipv4Net::new(Ipv4Addr::from_bits(v4), 32 - suffix).ok()?,
                ea_len,
                offset,
                psid: None,
            })
            .ok()
        },
    );
    let any = parts().prop_filter_map("a legal rule", |parts| Rule::new(parts).ok());
    prop_oneof![shared, any]
}

/// Whether a CE can have that address; a short IPv4 prefix has others, too.
fn is_usable(address: Ipv4Addr) -> bool {
    !matches!(address.octets()[0], 0 | 127 | 224..)
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
        let border = Some(Border::Br("2001:db8:ffff::1".parse().unwrap()));
        let spec = RuleSpec::from_rule(&rule, MapType::MapE, border);
        let domain = Domain::from_specs(&[spec], MapType::MapE, dialect).unwrap();
        let end_user = end_user(&rule, bits);
        prop_assume!(is_usable(rule.ipv4_of(end_user).addr()));
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

    /// What follows from the rest changes nothing when it is written down, and is refused when
    /// it contradicts the rest.
    #[test]
    fn redundant_options_change_nothing(
        rule in rules(),
        bits in any::<u128>(),
        choice in (any::<[bool; 4]>(), 0u8..4, any::<u16>()),
        dialect in dialects(),
        is_map_t in any::<bool>(),
    ) {
        let (map_type, border) = match is_map_t {
            true => (MapType::MapT, Border::Dmr("2001:db8:ffff::/64".parse().unwrap())),
            false => (MapType::MapE, Border::Br("2001:db8:ffff::1".parse().unwrap())),
        };
        prop_assume!(rule.provisioned_psid().is_none());
        let end_user = end_user(&rule, bits);
        prop_assume!(is_usable(rule.ipv4_of(end_user).addr()));
        let spec = RuleSpec {
            psid_len: None,
            fmr: true,
            ..RuleSpec::from_rule(&rule, map_type, Some(border))
        };
        let domain = |spec: &RuleSpec| Domain::from_specs(&[*spec], map_type, dialect);
        let map = |spec: &RuleSpec| match domain(spec) {
            Ok(domain) => domain.map(&[end_user]).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let plain = map(&spec).unwrap();
        let ([with_len, without_ea, with_pd, leave_offset], psid_form, other) = choice;
        let psid = plain.ports().psid();
        let is_shared = plain.ports().is_shared();
        let written = |value: u16| match psid_form {
            0 => None,
            1 => Some(WrittenPsid::Word(Psid::new(value, psid.len()).unwrap().left_justified())),
            2 => Some(WrittenPsid::Word(value)),
            _ => Some(WrittenPsid::Number(value)),
        };
        // A PSID length is needed where there is no EA length.
        let has_len = is_shared && (with_len || without_ea);
        let mut redundant = RuleSpec {
            psid_len: has_len.then_some(psid.len()),
            psid: written(psid.value()).filter(|_| is_shared),
            pd: with_pd.then_some(end_user.addr()),
            pd_len: with_pd.then_some(end_user.prefix_len()),
            ..spec
        };
        if without_ea {
            redundant.ea_len = None;
        }
        if leave_offset && rule.port_params().offset() == RuleSpec::default_offset(map_type, dialect) {
            redundant.offset = None;
        }
        prop_assert_eq!(map(&redundant), Ok(plain.clone()), "{}", redundant);
        // As a rule string, in which a PSID is a word.
        let read: RuleSpec = redundant.to_string().parse().unwrap();
        prop_assert_eq!(map(&read), Ok(plain.clone()), "{}", redundant);
        // The BR comes to the same, too, unless it needs the prefix to know the rule.
        let from = SocketAddrV4::new(plain.ipv4().addr(), plain.ports().ranges().next().unwrap().first());
        let ours = Relay::new(&domain(&redundant).unwrap());
        let theirs = Relay::new(&domain(&spec).unwrap());
        if !without_ea || with_pd {
            prop_assert_eq!(
                ours.check_source(plain.ce_address(), from),
                theirs.check_source(plain.ce_address(), from)
            );
        }
        // Another PSID is refused by name.
        let max = (1u32 << psid.len()) - 1;
        if psid_form != 0 && max > 0 && (!without_ea || rule.ipv4().prefix_len() < 32) {
            let wrong = (u32::from(psid.value()) + 1 + u32::from(other) % max) & max;
            redundant.psid = Some(WrittenPsid::Number(wrong as u16)).filter(|_| wrong != 0);
            match (map(&redundant), wrong) {
                // Servers fill in 0 where it means nothing.
                (mapping, 0) => prop_assert_eq!(mapping, Ok(plain)),
                (mapping, _) => {
                    let error = mapping.unwrap_err();
                    prop_assert!(error.contains(&format!("psid {wrong}: ")), "{}", error);
                }
            }
        }
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
