// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of what is installed.

use super::{Facts, Finding, fail, ok};

pub(super) fn packages(facts: &Facts) -> Finding {
    if facts.missing.is_empty() {
        return ok("all kernel modules are there");
    }
    let what: Vec<&str> = facts
        .missing
        .iter()
        .map(|(_, what)| what.as_str())
        .collect();
    let names: Vec<&str> = facts
        .missing
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    fail(
        format!("missing: {}", what.join(", ")),
        format!("install {}", names.join(" ")),
    )
}

pub(super) fn conflicts(facts: &Facts) -> Finding {
    if facts.conflicts.is_empty() {
        return ok("no other MAP package or script");
    }
    let join = |texts: Vec<&str>| texts.join("; ");
    let seen = facts.conflicts.iter().map(|(seen, _)| seen.as_str());
    let remedies = facts.conflicts.iter().map(|(_, remedy)| remedy.as_str());
    fail(join(seen.collect()), join(remedies.collect()))
}
