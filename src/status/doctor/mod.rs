// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a line does not work: one check after the other, from the uplink to the
//! BR and back.
//!
//! [`gather`] looks at the router and makes [`Facts`] of it; the checks are
//! functions of those alone.

mod facts;
mod gather;
mod line;
mod nat;
mod path;
pub mod ping;
mod system;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::json::object;

pub use facts::{Address, Facts, Known, Offer, Reply, Uplink};
pub use gather::gather;

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It may work, but should not stay so.
    Warn,
    /// IPv4 cannot work like this.
    Fail,
    /// It could not be found out.
    Unknown,
}

impl Verdict {
    /// As the bus says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
        }
    }
}

/// What a check says, without its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it comes to.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do, where something is to be done.
    pub remedy: Option<String>,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name, one of those in `docs/bus.md`.
    pub id: &'static str,
    /// What it found.
    pub finding: Finding,
}

fn ok(seen: impl Into<String>) -> Finding {
    Finding {
        verdict: Verdict::Ok,
        seen: seen.into(),
        remedy: None,
    }
}

fn unknown(seen: impl Into<String>) -> Finding {
    Finding {
        verdict: Verdict::Unknown,
        seen: seen.into(),
        remedy: None,
    }
}

fn warn(seen: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding {
        verdict: Verdict::Warn,
        seen: seen.into(),
        remedy: Some(remedy.into()),
    }
}

fn fail(seen: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding {
        verdict: Verdict::Fail,
        ..warn(seen, remedy)
    }
}

/// What the kernel says, without the number of the error.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().into()
}

type Judge = fn(&Facts) -> Finding;

/// Every check, in the order in which one depends on the other.
const CHECKS: [(&str, Judge); 20] = [
    ("uplink", line::uplink),
    ("prefix", line::prefix),
    ("provider", line::provider),
    ("rule", line::rule),
    ("dialect", line::dialect),
    ("br_route", path::br_route),
    ("br_reply", path::br_reply),
    ("ce_address", path::ce_address),
    ("tunnel", path::tunnel),
    ("mtu", path::mtu),
    ("encaplimit", path::encaplimit),
    ("ipv4", path::ipv4),
    ("nat", nat::nat),
    ("edge", nat::edge),
    ("offload", nat::offload),
    ("forwards", nat::forwards),
    ("packages", system::packages),
    ("replies", path::replies),
    ("ports", nat::ports),
    ("conflicts", system::conflicts),
];

/// The check that is made only where it is asked for.
const PROBE: &str = "probe";

/// The name of every check there is.
pub fn ids() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(id, _)| *id).chain([PROBE])
}

/// Judges the facts.
pub fn checks(facts: &Facts) -> Vec<Check> {
    let check = |(id, judge): (&'static str, Judge)| Check {
        id,
        finding: judge(facts),
    };
    let mut all: Vec<Check> = CHECKS.into_iter().map(check).collect();
    if let Some((address, reply)) = &facts.probe {
        all.push(Check {
            id: PROBE,
            finding: path::probe(*address, reply),
        });
    }
    all
}

/// Whether nothing fails.
pub fn is_ok(checks: &[Check]) -> bool {
    checks
        .iter()
        .all(|check| check.finding.verdict != Verdict::Fail)
}

/// The answer of `doctor` as `docs/bus.md` describes it.
pub fn json(interface: &str, checks: &[Check]) -> Value {
    let row = |check: &Check| {
        object(&[
            ("id", &check.id),
            ("verdict", &check.finding.verdict.as_str()),
            ("seen", &check.finding.seen),
            ("remedy", &check.finding.remedy),
        ])
    };
    let rows: Vec<Value> = checks.iter().map(row).collect();
    object(&[
        ("interface", &interface),
        ("ok", &is_ok(checks)),
        ("checks", &rows),
    ])
}
