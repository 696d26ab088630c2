// SPDX-License-Identifier: GPL-2.0-or-later
//! Rule strings, and the DHCPv6 options they are made of.

use ipnet::Ipv6Net;
use mape::map::{Dialect, Domain, MapType, Mapping, Relay, RuleSpec, s46};

use super::{is_a_line, is_said, text};

pub(super) const TYPES: [MapType; 3] = [MapType::MapE, MapType::MapT, MapType::Lw4o6];
pub(super) const DIALECTS: [Dialect; 2] = [Dialect::Rfc7597, Dialect::Draft03];

/// `type=map-e,ipv6prefix=…`, one or several separated by spaces.
pub fn rule_strings(data: &[u8]) {
    let mut specs = Vec::new();
    for word in text(data).split_whitespace().take(8) {
        match word.parse::<RuleSpec>() {
            Ok(spec) => {
                written_and_read(&spec);
                specs.push(spec);
            }
            Err(error) => is_said(&error),
        }
    }
    for map_type in TYPES {
        for dialect in DIALECTS {
            match Domain::from_specs(&specs, map_type, dialect) {
                Ok(domain) => domain_holds(&domain, &specs),
                Err(error) => is_said(&error),
            }
        }
    }
}

/// Hexadecimal digits as `mape s46` takes them, and bytes as a server sends
/// them.
pub fn s46_options(data: &[u8]) {
    if let Ok(bytes) = s46::bytes_of_hex(&text(data)) {
        options_hold(&bytes);
    }
    options_hold(data);
    let hex: String = data.iter().map(|byte| format!("{byte:02x} ")).collect();
    assert_eq!(s46::bytes_of_hex(&hex).ok().unwrap_or_default(), data);
}

fn options_hold(bytes: &[u8]) {
    let options = match s46::decode(bytes) {
        Ok(options) => options,
        Err(error) => return is_said(&error),
    };
    assert!(!options.is_empty());
    for option in &options {
        is_a_line(&option.to_string());
    }
    for set in s46::provisioned(&options) {
        for spec in &set.rules {
            written_and_read(spec);
        }
        for dialect in DIALECTS {
            if let Ok(domain) = Domain::from_specs(&set.rules, set.map_type, dialect) {
                domain_holds(&domain, &set.rules);
            }
        }
    }
}

/// parse(print(x)) = x, and nothing in it that a shell would take for more
/// than a word.
fn written_and_read(spec: &RuleSpec) {
    let written = spec.to_string();
    assert_eq!(written.parse::<RuleSpec>().as_ref(), Ok(spec), "{written}");
    let plain = |c: char| c.is_ascii_alphanumeric() || ",=:./-".contains(c);
    assert!(written.chars().all(plain), "{written:?}");
}

/// Prefixes under the rules, of every length that can matter.
fn domain_holds(domain: &Domain, specs: &[RuleSpec]) {
    for spec in specs {
        let Ok(net) = spec.ipv6() else { continue };
        for len in [net.prefix_len(), 48, 56, 64, 128] {
            let bits = net.network().to_bits() | 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f11;
            let Ok(prefix) = Ipv6Net::new(bits.into(), len.max(net.prefix_len())) else {
                continue;
            };
            match domain.map(&[prefix.trunc()]) {
                Ok(mapping) => mapping_holds(&mapping),
                Err(error) => is_said(&error),
            }
        }
    }
    let _ = Relay::new(domain);
}

/// What the CE computes, the BR computes too.
pub(super) fn mapping_holds(mapping: &Mapping) {
    let (rule, end_user) = (mapping.bmr(), mapping.end_user());
    assert!(rule.covers(&end_user), "{rule:?} {end_user}");
    let (address, ports) = (mapping.ipv4(), mapping.ports());
    assert!(rule.ipv4().contains(&address), "{rule:?} {end_user}");
    let written = RuleSpec::from_rule(rule, mapping.map_type(), mapping.border());
    written_and_read(&written);
    let read = written.rule(mapping.map_type(), mapping.dialect(), None);
    assert_eq!(read.as_ref(), Ok(rule), "{written}");
    let expected = Ipv6Net::new(end_user.network(), rule.end_user_len()).map(|net| net.trunc());
    for range in ports.ranges() {
        for port in [range.first(), range.last()] {
            let found = rule.end_user_prefix(address.network(), port);
            assert_eq!(found, expected.clone().ok(), "{written} {end_user} {port}");
        }
    }
}
