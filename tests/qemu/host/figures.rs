// SPDX-License-Identifier: GPL-2.0-or-later
//! The tables of `make figures` (docs/performance.md).

use super::{STOPPED, openwrt};
use crate::Result;
use crate::report::Outcome;
use std::path::PathBuf;

/// The scenario that no lab has: it is measured on the router of `IMAGE`.
const WHOLE: &str = "whole";

/// The lab's figures, and those of a whole router if there is one; of these what
/// `SCENARIO` names. Whether all could be measured.
pub fn main() -> Result<bool> {
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    let image = std::env::var_os("IMAGE").filter(|image| !image.is_empty());
    let names = || wanted.split(',').filter(|name| !name.is_empty());
    let everything = names().next().is_none();
    let mut done = true;
    if everything || names().any(|name| name != WHOLE) {
        done = super::run("figures").and_then(|outcome| judge(&outcome))?;
    }
    let is_wanted = everything || names().any(|name| name == WHOLE);
    if let Some(image) = image.filter(|_| is_wanted) {
        done &= openwrt::whole::main(&PathBuf::from(image))?;
    }
    Ok(done)
}

/// Rulesets under comparison, as columns.
const COLUMNS: &[&str] = &["none", "plain", "stock", "pool", "hash"];

/// A figure of each ruleset, told beside its ratio to `plain`.
struct Row {
    key: &'static str,
    what: &'static str,
    /// Whether more is better.
    more: bool,
    /// Least ratio of pool and of hash.
    goals: Option<(f64, f64)>,
}

const fn instructions(key: &'static str, what: &'static str) -> Row {
    Row {
        key,
        what,
        more: false,
        goals: None,
    }
}

const fn throughput_without_goal(key: &'static str, what: &'static str) -> Row {
    Row {
        key,
        what,
        more: true,
        goals: None,
    }
}

const fn throughput(key: &'static str, what: &'static str, pool: f64, hash: f64) -> Row {
    Row {
        key,
        what,
        more: true,
        goals: Some((pool, hash)),
    }
}

const ROWS: &[Row] = &[
    instructions(
        "udp_out_64",
        "instructions of the CE per UDP packet of 64 bytes, out",
    ),
    instructions("udp_in_64", "the same, in"),
    instructions("udp_out_1400", "per UDP packet of 1,400 bytes, out"),
    instructions("udp_in_1400", "the same, in"),
    throughput(
        "tcp_out_1420",
        "TCP, segments of 1,420 bytes, out",
        0.98,
        0.985,
    ),
    throughput("tcp_in_1420", "the same, in", 0.98, 0.985),
    throughput(
        "tcp_out_200",
        "TCP, segments of 200 bytes, out",
        0.98,
        0.985,
    ),
    throughput("tcp_in_200", "the same, in", 0.98, 0.985),
    throughput_without_goal(
        "tcp_out_1420_single",
        "TCP, 1,420 bytes, not merged on arrival, out",
    ),
    throughput_without_goal("tcp_in_1420_single", "the same, in"),
    Row {
        key: "connection",
        what: "instructions of the CE per new connection",
        more: false,
        goals: Some((0.95, 0.95)),
    },
    instructions(
        "udp_out_64_offload",
        "with flow offload: UDP, 64 bytes, out",
    ),
    instructions("udp_in_64_offload", "the same, in"),
    instructions(
        "udp_out_1400_offload",
        "with flow offload: UDP, 1,400 bytes, out",
    ),
    instructions("udp_in_1400_offload", "the same, in"),
    throughput(
        "tcp_out_1420_offload",
        "with flow offload: TCP, 1,420 bytes, out",
        0.99,
        0.99,
    ),
    throughput("tcp_in_1420_offload", "the same, in", 0.99, 0.99),
    throughput(
        "tcp_out_200_offload",
        "with flow offload: TCP, 200 bytes, out",
        0.99,
        0.99,
    ),
    throughput("tcp_in_200_offload", "the same, in", 0.99, 0.99),
    throughput_without_goal(
        "tcp_out_1420_single_offload",
        "with flow offload: TCP, 1,420 bytes, not merged on arrival, out",
    ),
    throughput_without_goal("tcp_in_1420_single_offload", "the same, in"),
];

/// What programs take: key, meaning, and the most it may be.
const PROGRAMS: &[(&str, &str, Option<f64>)] = &[
    (
        "reload_unchanged",
        "million instructions of `mape firewall` if nothing changed",
        None,
    ),
    (
        "reload_lost",
        "the same if the tables are gone, with nft",
        None,
    ),
    (
        "status_10000",
        "of `mape status --json` with 10,000 connections",
        None,
    ),
    ("conntrack_10000", "of `conntrack -L` with the same", None),
    ("status_ratio", "the two divided", Some(2.0)),
    (
        "setup_v6plus",
        "of the handler's setup of a v6plus line, with nft",
        None,
    ),
    ("setup_ocn", "the same on an OCN line", None),
    ("teardown_v6plus", "of its teardown, v6plus", None),
    ("teardown_ocn", "the same on an OCN line", None),
];

/// Prints all that was measured, and which goals are missed. That is told and
/// fails nothing: docs/performance.md says why. Whether all could be measured.
fn judge(outcome: &Outcome) -> Result<bool> {
    if !outcome.finished {
        return Err(STOPPED.to_owned());
    }
    if outcome.verdicts.is_empty() {
        return Err("no scenario of that name".to_owned());
    }
    println!(
        "\nkernel {}; in brackets: plain = 1, more is better; goals are those of pool and hash",
        outcome.kernel
    );
    print!("{:<27}", "figure");
    for column in COLUMNS {
        print!(" {column:>15}");
    }
    println!();
    for row in ROWS {
        print(outcome, row);
    }
    for (key, what, goal) in PROGRAMS {
        let Some(value) = outcome.figure("pool", key) else {
            continue;
        };
        let goal = goal.map_or_else(String::new, |most| {
            format!("; goal at most {most}, {}", verdict(value <= most))
        });
        let stock = outcome.figure("stock", key);
        let stock = stock.map_or_else(String::new, |value| format!("; stock {value}"));
        println!("{key:<27} {value:>9}  {what}{stock}{goal}");
    }
    Ok(all_measured(outcome))
}

/// Prints what could not be measured. Whether all could.
pub(super) fn all_measured(outcome: &Outcome) -> bool {
    for (name, verdict) in &outcome.verdicts {
        if let Err(why) = verdict {
            println!("{name} FAILED: {why}");
        }
    }
    outcome.verdicts.iter().all(|(_, verdict)| verdict.is_ok())
}

fn print(outcome: &Outcome, row: &Row) {
    let Some(base) = outcome.figure("plain", row.key) else {
        return;
    };
    // As it is printed, so that the verdict is about what can be read.
    let ratio = |value: f64| {
        let ratio = if row.more { value / base } else { base / value };
        (ratio * 1000.0).round() / 1000.0
    };
    print!("{:<27}", row.key);
    for column in COLUMNS {
        let cell = outcome
            .figure(column, row.key)
            .map_or_else(|| "-".to_owned(), |v| format!("{v:.0} ({:.3})", ratio(v)));
        print!(" {cell:>15}");
    }
    let goals = row.goals.map_or_else(String::new, |(pool, hash)| {
        let met = [("pool", pool), ("hash", hash)].iter().all(|(nat, goal)| {
            outcome
                .figure(nat, row.key)
                .is_none_or(|value| ratio(value) >= *goal)
        });
        format!("; goals {pool} and {hash}, {}", verdict(met))
    });
    println!("  {}{goals}", row.what);
}

/// The word for it in a table.
pub(super) fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}
