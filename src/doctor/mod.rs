// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a line does not work: one check after the other, from the uplink to the
//! BR and back.
//!
//! [`gather`] looks at the router and makes [`Facts`] of it; the checks are
//! functions of those alone.

mod addresses;
mod facts;
mod finding;
mod gather;
mod installed;
mod line;
mod nat;
mod path;
pub mod ping;
mod read;
mod registration;
mod remedy;
mod route;
mod seen;
mod system;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::handler::State;
use crate::map::Mapping;

pub use facts::{Address, Facts, Known, Offer, Opens, Reply, Uplink, Upnp};
pub use finding::{Check, Finding, Verdict};
pub use gather::gather;
pub use remedy::{Cause, Remedy};
pub use seen::Seen;

use finding::not_up;

/// What judges the facts.
enum Judge {
    /// It knows what to say whatever is known.
    Any(fn(&Facts<'_>) -> Finding),
    /// The same, with a finding for each thing that is wrong.
    All(fn(&Facts<'_>) -> Vec<Finding>),
    /// It judges what was set up.
    Up(fn(&Facts<'_>, &State) -> Finding),
    /// It judges the mapping, and is left out if there is none.
    Map(fn(&Facts<'_>, &Mapping) -> Finding),
}

use Judge::{All, Any, Map, Up};

/// Every check, in the order in which one depends on the other.
static CHECKS: [(&str, Judge); 24] = [
    ("uplink", Any(line::uplink)),
    ("prefix", Any(line::prefix)),
    ("provider", Any(line::provider)),
    ("asked", All(line::asked)),
    ("rule", All(line::rule)),
    ("dialect", Map(line::dialect)),
    ("aftr", All(path::aftr)),
    ("registration", All(registration::registration)),
    ("br_route", Up(path::br_route)),
    ("br_reply", Up(path::br_reply)),
    ("ce_address", Up(path::ce_address)),
    ("tunnel", Any(path::tunnel)),
    ("mtu", Up(path::mtu)),
    ("encaplimit", Up(path::encaplimit)),
    ("ipv4", Up(path::ipv4)),
    ("nat", Up(nat::nat)),
    ("edge", Up(nat::edge)),
    ("offload", Any(nat::offload)),
    ("forwards", Any(nat::forwards)),
    ("upnp", All(nat::upnp)),
    ("packages", Any(system::packages)),
    ("replies", Up(path::replies)),
    ("ports", All(nat::ports)),
    ("conflicts", All(system::conflicts)),
];

/// The check that is made only if it is asked for.
const PROBE: &str = "probe";

/// The name of every check there is.
pub fn ids() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(id, _)| *id).chain([PROBE])
}

/// Judges the facts.
pub fn checks(facts: &Facts<'_>) -> Vec<Check> {
    let mut all = Vec::new();
    for (id, judge) in &CHECKS {
        let findings = match (judge, facts.state) {
            (Any(judge), _) => vec![judge(facts)],
            (All(judge), _) => judge(facts),
            (Up(judge), Some(state)) => vec![judge(facts, state)],
            (Map(judge), Some(state)) => {
                let mapping = state.mapping().into_iter();
                mapping.map(|mapping| judge(facts, mapping)).collect()
            }
            (Up(_) | Map(_), None) => vec![not_up(facts)],
        };
        let checks = findings.into_iter();
        all.extend(checks.map(|finding| Check { id, finding }));
    }
    if let Some((address, reply)) = &facts.probe {
        let finding = path::probe(address, reply);
        all.push(Check { id: PROBE, finding });
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
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    interface: &'a str,
    ok: bool,
    checks: &'a [Check],
}

impl<'a> Answer<'a> {
    /// The answer for an interface that was judged.
    pub fn new(interface: &'a str, checks: &'a [Check]) -> Self {
        Answer {
            interface,
            ok: is_ok(checks),
            checks,
        }
    }
}
