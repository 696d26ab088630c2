// SPDX-License-Identifier: GPL-2.0-or-later
//! What a table of 4,000 rules costs: `cargo bench --bench lookup`.

use std::hint::black_box;
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use ipnet::Ipv6Net;
use mape::provider::Table;
use serde_json::{Value, json};

const RULES: u32 = 4000;

fn main() {
    let text = file();
    let (loading, table) = time(|| Table::parse(&text, "bench").0);
    assert_eq!(table.rule_count(), RULES as usize);
    let packaged = include_str!("../files/usr/share/mape/providers.json");
    let (reading, _) = time(|| Table::parse(packaged, "bench").0);
    let found = prefix(RULES / 2);
    let (hit, _) = time(|| table.lookup(black_box(&found)).is_some());
    let stranger = prefix(RULES + 7);
    let (miss, _) = time(|| table.lookup(black_box(&stranger)).is_none());
    let provider = table.provider("bench").expect("the only one");
    let domain = provider.domain(false).expect("rules");
    let (map, _) = time(|| domain.map(black_box(&[found])).expect("a rule"));
    println!("look up a prefix in {RULES} rules: {hit:?}");
    println!("look up a stranger in {RULES} rules: {miss:?}");
    println!("map a subscriber of one provider with {RULES} rules: {map:?}");
    println!(
        "read a file of {RULES} rules ({} bytes): {loading:?}",
        text.len()
    );
    println!(
        "read the packaged file ({} bytes): {reading:?}",
        packaged.len()
    );
}

/// The fastest of many runs, which is the one least disturbed, and a result.
fn time<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let begin = Instant::now();
    let mut result = black_box(run());
    let mut best = begin.elapsed();
    while begin.elapsed() < Duration::from_millis(300) {
        let start = Instant::now();
        result = black_box(run());
        best = best.min(start.elapsed());
    }
    (best, result)
}

/// Rules of nine lengths, as OCN has them, mixed.
fn file() -> String {
    let rules: Vec<Value> = (0..RULES)
        .map(|n| {
            let (net, len) = rule(n);
            json!({"ipv6": net.to_string(), "ipv4": format!("10.{}.{}.0/24", n >> 8, n & 255),
                   "ea_len": 56 - len})
        })
        .collect();
    json!({"providers": {"bench": {
        "psid_offset": 4, "br": "2001:db8::1", "rules": rules,
    }}})
    .to_string()
}

fn rule(n: u32) -> (Ipv6Net, u8) {
    let len = 40 + (n % 9) as u8;
    let address = Ipv6Addr::from(u128::from(0x2001_0000_0000 + (u64::from(n) << 8)) << 80);
    (Ipv6Net::new(address, len).expect("a prefix").trunc(), len)
}

/// An end-user prefix of rule `n`.
fn prefix(n: u32) -> Ipv6Net {
    Ipv6Net::new(rule(n).0.network(), 56).expect("a prefix")
}
