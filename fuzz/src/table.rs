// SPDX-License-Identifier: GPL-2.0-or-later
//! Providers files.

use std::sync::LazyLock;

use ipnet::Ipv6Net;
use mape::map::MAX_RULES;
use mape::provider::{Table, Verdict};

use super::{is_a_line, rules, text};

static PACKAGED: LazyLock<Table> = LazyLock::new(|| {
    let text = include_str!("../../files/usr/share/mape/providers.json");
    Table::parse(text, "providers.json").0
});

/// A file by itself, and over the table of the package.
pub fn providers_file(data: &[u8]) {
    let text = text(data);
    let (alone, warnings) = Table::parse(&text, "fuzz.json");
    table_holds(&alone);
    assert!(warnings.len() <= 21, "{}", warnings.len());
    for warning in &warnings {
        is_a_line(&warning.to_string());
    }
    assert_eq!(Table::parse(&text, "fuzz.json"), (alone.clone(), warnings));
    if alone.rule_count() == 0 && alone.other_lines().is_empty() {
        return;
    }
    let mut over = PACKAGED.clone();
    over.extend(&text, "fuzz.json");
    table_holds(&over);
    let once = over.clone();
    over.extend(&text, "fuzz.json");
    assert_eq!(over.rule_count(), once.rule_count(), "read twice");
}

fn table_holds(table: &Table) {
    assert!(table.rule_count() <= MAX_RULES);
    for provider in table.providers() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        assert!(provider.id().chars().all(plain), "{}", provider.id());
        is_a_line(provider.name());
        assert!(provider.rules().is_empty() || provider.domain(true).is_ok());
        for rule in provider.rules().iter().take(64) {
            rule_is_found(table, rule.ipv6());
        }
    }
    for other in table.other_lines() {
        is_a_line(other.name());
        is_a_line(other.advice());
    }
}

/// Whoever has the whole of a rule's prefix has a subscriber's prefix, too.
fn rule_is_found(table: &Table, ipv6: Ipv6Net) {
    let Ok(prefix) = Ipv6Net::new(ipv6.network(), 64) else {
        return;
    };
    let found = match table.lookup_line(&prefix) {
        Verdict::Map(found) | Verdict::Unconfirmed(found) => found,
        Verdict::NotMap(_) => return,
        Verdict::Unknown => panic!("{ipv6} is in the table and not found"),
    };
    let mapping = found.domain(false).map(|domain| domain.map(&[prefix]));
    rules::mapping_holds(&mapping.expect("a rule of the table").expect("its prefix"));
}
