// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of what is installed.

use super::facts::Facts;
use super::finding::{Finding, fail, ok};

pub(super) fn packages(facts: &Facts<'_>) -> Finding {
    if facts.missing.is_empty() {
        return ok("all kernel modules are there");
    }
    let (names, what) = columns(&facts.missing);
    fail(
        format!("missing: {}", what.join(", ")),
        format!("install {}", names.join(" ")),
    )
}

pub(super) fn conflicts(facts: &Facts<'_>) -> Finding {
    if facts.conflicts.is_empty() {
        return ok("no other MAP package or script");
    }
    let (seen, remedies) = columns(&facts.conflicts);
    fail(seen.join("; "), remedies.join("; "))
}

fn columns(pairs: &[(String, String)]) -> (Vec<&str>, Vec<&str>) {
    let pairs = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str()));
    pairs.unzip()
}
