// SPDX-License-Identifier: GPL-2.0-or-later
use super::*;

fn parts(v6: &str, v4: &str, ea_len: u8, offset: u8) -> RuleParts {
    RuleParts {
        ipv6: v6.parse().unwrap(),
        ipv4: v4.parse().unwrap(),
        ea_len,
        offset,
        psid: None,
    }
}

#[test]
fn prefix_assignment_and_single_address() {
    let rule = Rule::new(parts("2001:db8::/40", "192.0.2.0/24", 4, 6)).unwrap();
    let end_user = "2001:db8:a0::/44".parse().unwrap();
    assert_eq!(rule.ipv4_of(end_user).to_string(), "192.0.2.160/28");
    assert!(!rule.ports_of(end_user).is_shared());
    let whole = Rule::new(parts("2001:db8::/40", "192.0.2.0/24", 8, 6)).unwrap();
    assert_eq!(
        whole
            .ipv4_of("2001:db8:12::/48".parse().unwrap())
            .to_string(),
        "192.0.2.18/32"
    );
}

#[test]
fn contradictions_are_refused() {
    let bad = |parts: RuleParts| Rule::new(parts).unwrap_err().to_string();
    assert_eq!(
        bad(parts("2001:db8::/40", "192.0.2.0/24", 49, 6)),
        "ealen 49: at most 48"
    );
    assert_eq!(
        bad(parts("2001:db8::/56", "10.0.0.0/8", 32, 4)),
        "ip6prefixlen 56 and ealen 32: together at most 64"
    );
    assert!(bad(parts("2001:db8::/40", "192.0.2.1/32", 12, 6)).starts_with("offset 6"));
    let psid = Some(Psid::new(1, 4).unwrap());
    let prefix = RuleParts {
        psid,
        ..parts("2001:db8::/40", "192.0.2.0/24", 4, 4)
    };
    assert_eq!(Rule::new(prefix), Err(RuleError::PsidWithoutAddress));
    let twice = RuleParts {
        psid,
        ..parts("2001:db8::/40", "192.0.2.0/24", 12, 4)
    };
    assert!(bad(twice).ends_with("already have the PSID in the prefix"));
}

#[test]
fn the_br_finds_the_ce() {
    for dialect in [Dialect::Rfc7597, Dialect::Draft03] {
        let rule = Rule::new(parts("2001:db8::/40", "192.0.2.0/24", 16, 6)).unwrap();
        let end_user: Ipv6Net = "2001:db8:12:3400::/56".parse().unwrap();
        let address = rule.ipv4_of(end_user).addr();
        for port in rule
            .ports_of(end_user)
            .ranges()
            .flat_map(super::super::range::PortRange::ports)
        {
            assert_eq!(rule.end_user_prefix(address, port), Some(end_user));
            assert_eq!(
                rule.ce_address(dialect, address, port),
                Some(rule.ce_address_of(dialect, end_user))
            );
        }
        assert_eq!(rule.end_user_prefix(address, 1023), None);
        assert_eq!(
            rule.end_user_prefix(Ipv4Addr::new(192, 0, 3, 1), 5000),
            None
        );
    }
}

#[test]
fn lw4o6_binding() {
    let psid = Some(Psid::new(0x28, 8).unwrap());
    let binding = RuleParts {
        psid,
        ..parts("2001:db8:1::/64", "198.51.100.59/32", 0, 0)
    };
    let rule = Rule::new(binding).unwrap();
    assert_eq!(rule.ea_len(), 0);
    let end_user = "2001:db8:1::/64".parse().unwrap();
    let ranges: Vec<_> = rule
        .ports_of(end_user)
        .ranges()
        .map(|r| r.to_string())
        .collect();
    assert_eq!(ranges, ["10240-10495"]);
    assert_eq!(
        rule.end_user_prefix(Ipv4Addr::new(198, 51, 100, 59), 10500),
        None
    );
}
