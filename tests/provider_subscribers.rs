// SPDX-License-Identifier: GPL-2.0-or-later
//! Subscribers of every known rule against a second calculation, which works
//! on strings of binary digits and shares no code with the library.

mod random;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use mape::map::{Border, Mapping};
use mape::provider::{Confidence, Verdict, load};
use random::Random;
use serde_json::Value;

const FILE: &str = include_str!("../files/usr/share/mape/providers.json");
/// Random subscribers per rule, beside its first and its last.
const PER_RULE: usize = 20;

/// A rule as the file writes it, with its provider's values filled in.
struct Written {
    provider: String,
    ipv6: String,
    ipv4: String,
    ea_len: usize,
    offset: usize,
    br: String,
    confidence: String,
}

fn written() -> Vec<Written> {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let mut all = Vec::new();
    for (id, provider) in file["providers"].as_object().unwrap() {
        for rule in provider["rules"].as_array().unwrap() {
            let own = |key: &str| rule.get(key).unwrap_or(&provider[key]);
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            all.push(Written {
                provider: id.clone(),
                ipv6: text(own("ipv6")),
                ipv4: text(own("ipv4")),
                ea_len: own("ea_len").as_u64().unwrap() as usize,
                offset: own("psid_offset").as_u64().unwrap() as usize,
                br: text(own("br")),
                confidence: text(own("confidence")),
            });
        }
    }
    all
}

/// The first `len` binary digits of an address, as `prefix/len` has them.
fn digits(prefix: &str) -> String {
    let (address, len) = prefix.split_once('/').unwrap();
    let octets = match address.parse().unwrap() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let all: String = octets.iter().map(|o| format!("{o:08b}")).collect();
    all[..len.parse().unwrap()].to_owned()
}

fn number(digits: &str) -> u64 {
    u64::from_str_radix(&format!("0{digits}"), 2).unwrap()
}

fn address6(digits: &str) -> Ipv6Addr {
    let hextets: Vec<u16> = (0..8)
        .map(|i| number(&digits[i * 16..i * 16 + 16]) as u16)
        .collect();
    Ipv6Addr::from(<[u16; 8]>::try_from(hextets).unwrap())
}

/// What a subscriber must get.
struct Expected {
    end_user: Ipv6Net,
    ipv4: Ipv4Addr,
    psid: u64,
    ce: Ipv6Addr,
    ranges: Vec<(u16, u16)>,
}

/// The subscriber of `rule` whose EA bits are `ea`, by draft-03.
fn expected(rule: &Written, ea: &str) -> Expected {
    let prefix = digits(&rule.ipv6) + ea;
    assert_eq!(prefix.len(), 56, "end-user prefixes are /56");
    let fixed = digits(&rule.ipv4);
    let (suffix, psid) = ea.split_at(32 - fixed.len());
    let ipv4 = fixed + suffix;
    let psid16 = format!("{psid:0>16}");
    let interface_id = format!("00000000{ipv4}{psid16}00000000");
    let ce = address6(&format!("{prefix:0<64}{interface_id}"));
    // A range for each value of the digits before the PSID, the system ports
    // excepted.
    let rest = 16 - rule.offset - psid.len();
    let ranges = (1..1u32 << rule.offset)
        .map(|a| {
            let begin = format!("{a:0width$b}{psid}", width = rule.offset);
            let end = |digit: &str| number(&(begin.clone() + &digit.repeat(rest))) as u16;
            (end("0"), end("1"))
        })
        .collect();
    Expected {
        end_user: Ipv6Net::new(address6(&format!("{prefix:0<128}")), 56).unwrap(),
        ipv4: Ipv4Addr::from(number(&ipv4) as u32),
        psid: number(psid),
        ce,
        ranges,
    }
}

fn compare(mapping: &Mapping, rule: &Written, expected: &Expected) {
    let what = format!("{} {} for {}", rule.provider, rule.ipv6, expected.end_user);
    assert_eq!(mapping.ipv4(), Ipv4Net::from(expected.ipv4), "{what}");
    let set = mapping.ports();
    assert_eq!(u64::from(set.psid().value()), expected.psid, "{what}");
    assert_eq!(mapping.ce_address(), expected.ce, "{what}");
    let br: Ipv6Addr = rule.br.parse().unwrap();
    assert_eq!(mapping.border(), Some(Border::Br(br)), "{what}");
    let ranges: Vec<(u16, u16)> = set.ranges().map(|r| (r.first(), r.last())).collect();
    assert_eq!(ranges, expected.ranges, "{what}");
}

#[test]
fn every_rule_and_random_subscribers_of_each() {
    let table = load("files").table;
    let mut random = Random(0x6d61_7065);
    let rules = written();
    assert_eq!(rules.len(), table.rule_count());
    for rule in &rules {
        let mut subscribers = vec!["0".repeat(rule.ea_len), "1".repeat(rule.ea_len)];
        for _ in 0..PER_RULE {
            let bits = format!("{:064b}", random.next());
            subscribers.push(bits[..rule.ea_len].to_owned());
        }
        for ea in subscribers {
            let expected = expected(rule, &ea);
            let found = table.lookup(&expected.end_user).unwrap();
            assert_eq!(found.provider().id(), rule.provider);
            assert_eq!(found.rule().ipv6().to_string(), rule.ipv6);
            assert_eq!(found.rule().confidence().as_str(), rule.confidence);
            let prefix = [expected.end_user];
            let alone = found.domain(false).unwrap().map(&prefix).unwrap();
            compare(&alone, rule, &expected);
            // The same by naming the provider, and with only the /64 of a
            // line without prefix delegation.
            let provider = table.provider(&rule.provider).unwrap();
            let by_name = provider.domain(false).unwrap().map(&prefix).unwrap();
            compare(&by_name, rule, &expected);
            let on_link = [Ipv6Net::new(expected.end_user.network(), 64).unwrap()];
            let by_link = found.domain(false).unwrap().map(&on_link).unwrap();
            compare(&by_link, rule, &expected);
        }
    }
}

/// `prefix` is under none of the file's prefixes.
fn is_strange(prefix: &Ipv6Net, known: &[String]) -> bool {
    let digits = digits(&prefix.to_string());
    !known.iter().any(|prefix| digits.starts_with(prefix))
}

#[test]
fn prefixes_of_no_provider_are_refused() {
    let table = load("files").table;
    let file: Value = serde_json::from_str(FILE).unwrap();
    let mut known: Vec<String> = written().iter().map(|r| digits(&r.ipv6)).collect();
    for line in file["not_map"].as_object().unwrap().values() {
        let prefixes = line["prefixes"].as_array().into_iter().flatten();
        known.extend(prefixes.map(|p| digits(p.as_str().unwrap())));
    }
    let mut random = Random(7);
    let mut strangers: Vec<Ipv6Net> = (0..2000)
        .map(|_| {
            // Anywhere in 2000::/3, and right beside the known rules.
            let high = (random.next() >> 3 | 1 << 61) & !0xff;
            Ipv6Net::new(Ipv6Addr::from(u128::from(high) << 64), 56).unwrap()
        })
        .collect();
    for rule in written() {
        let net: Ipv6Net = rule.ipv6.parse().unwrap();
        for beside in [
            u128::from(net.network()).wrapping_sub(1),
            u128::from(net.broadcast()).wrapping_add(1),
        ] {
            strangers.push(Ipv6Net::new(Ipv6Addr::from(beside), 56).unwrap().trunc());
        }
    }
    strangers.retain(|prefix| is_strange(prefix, &known));
    assert!(strangers.len() > 1900);
    for prefix in strangers {
        assert_eq!(table.lookup_line(&prefix), Verdict::Unknown, "{prefix}");
        let refusal = table.choose(&[prefix]).unwrap_err().to_string();
        assert_eq!(
            refusal,
            format!("{prefix} belongs to no known provider; set provider 'none' and give the rule")
        );
    }
}

#[test]
fn biglobe_has_a_br_for_the_east_and_one_for_the_west() {
    let table = load("files").table;
    for rule in table.provider("biglobe").unwrap().rules() {
        let prefix = Ipv6Net::new(rule.ipv6().network(), 56).unwrap();
        let (found, _) = table.choose(&[prefix]).unwrap();
        let second = rule.ipv6().network().segments()[1];
        let expected = match second {
            0x7a80..=0x7a83 => "2001:260:700:1::1:275",
            0x7a84..=0x7a87 => "2001:260:700:1::1:276",
            other => panic!("2404:{other:x} is not BIGLOBE's"),
        };
        assert_eq!(
            found.border(),
            Some(Border::Br(expected.parse().unwrap())),
            "{prefix}"
        );
    }
}

#[test]
fn a_rule_nobody_has_confirmed_waits_for_the_provider_to_be_named() {
    let table = load("files").table;
    let nuro = table.provider("nuro").unwrap();
    let unverified: Vec<_> = nuro
        .rules()
        .iter()
        .filter(|rule| rule.confidence() == Confidence::Unverified)
        .collect();
    assert_eq!(unverified.len(), 14);
    for rule in unverified {
        let prefix = Ipv6Net::new(rule.ipv6().network(), 56).unwrap();
        assert!(matches!(
            table.lookup_line(&prefix),
            Verdict::Unconfirmed(found) if found.rule() == rule
        ));
        let refusal = table.choose(&[prefix]).unwrap_err().to_string();
        assert!(
            refusal.ends_with("set option provider 'nuro' to try it"),
            "{refusal}"
        );
        let mapping = nuro.domain(false).unwrap().map(&[prefix]).unwrap();
        assert_eq!(mapping.ipv4().addr(), rule.ipv4().network());
    }
    // A line's second, confirmed prefix is not held up by the first.
    let both = [
        "240d:f:4000::/56".parse().unwrap(),
        "240d:f:1200::/56".parse().unwrap(),
    ];
    assert_eq!(table.choose(&both).unwrap().1, both[1]);
}

#[test]
fn lines_without_map_are_told_what_to_use() {
    let table = load("files").table;
    for (prefix, part) in [
        ("2409:11:22::/56", "'ds-lite'"),
        ("2409:253:22::/56", "'ds-lite'"),
        ("2001:f77:22::/56", "'ds-lite'"),
        ("2405:6587:22::/56", "'ds-lite'"),
        ("2400:2413:22::/56", "'pppoe'"),
        ("2400:2650:22::/64", "'pppoe'"),
    ] {
        let prefix: Ipv6Net = prefix.parse().unwrap();
        assert!(table.lookup(&prefix).is_none());
        let refusal = table.choose(&[prefix]).unwrap_err().to_string();
        assert!(
            refusal.starts_with(&format!("{prefix} is ")) && refusal.contains(part),
            "{refusal}"
        );
    }
    let refusal = table.provider("transix").unwrap_err().to_string();
    assert!(refusal.starts_with("provider transix is "), "{refusal}");
}

#[test]
fn an_unknown_id_lists_the_known_ones() {
    let refusal = load("files")
        .table
        .provider("plala")
        .unwrap_err()
        .to_string();
    assert_eq!(
        refusal,
        "provider plala: not known; known are biglobe, nuro, ocn, v6plus"
    );
}

#[test]
fn mesh_is_off_unless_asked_for_and_only_where_it_is_known() {
    let table = load("files").table;
    let fmrs = |prefix: &str, mesh| {
        let prefix = [prefix.parse().unwrap()];
        let (found, _) = table.choose(&prefix).unwrap();
        let mapping = found.domain(mesh).unwrap().map(&prefix).unwrap();
        assert_eq!(mapping.bmr().ipv6(), found.rule().ipv6());
        mapping.fmrs().len()
    };
    assert_eq!(fmrs("240b:10:1:200::/56", false), 0);
    assert_eq!(fmrs("240b:10:1:200::/56", true), 4);
    assert_eq!(fmrs("2400:4050::/56", true), 0);
}

#[test]
fn of_several_prefixes_the_longest_rule_wins_and_then_the_first() {
    let table = load("files").table;
    let chosen = |prefixes: &[&str]| {
        let prefixes: Vec<Ipv6Net> = prefixes.iter().map(|p| p.parse().unwrap()).collect();
        table.choose(&prefixes).unwrap().1.to_string()
    };
    let (v6plus, ocn) = ("240b:10:1:200::/56", "2400:4151:e012::/56");
    assert_eq!(chosen(&[v6plus, ocn]), ocn);
    assert_eq!(chosen(&[ocn, v6plus]), ocn);
    assert_eq!(chosen(&[v6plus, "240b:10:1:300::/56"]), v6plus);
    assert_eq!(chosen(&["2001:db8::/56", "2409:10::/56", v6plus]), v6plus);
    // Delegated too short for the rule, while the link's own /64 will do.
    assert_eq!(chosen(&["240b:10:1::/48", v6plus]), v6plus);
    assert_eq!(chosen(&["240b:10:1::/48"]), "240b:10:1::/48");
}
