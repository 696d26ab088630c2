// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of what is installed.

use super::{Facts, Finding, fail, ok};

pub(super) fn packages(facts: &Facts<'_>) -> Finding {
    if facts.missing.is_empty() {
        return ok(format_args!("all kernel modules are there"));
    }
    let (names, what) = columns(&facts.missing);
    fail(
        format_args!("missing: {}", what.join(", ")),
        format_args!("install {}", names.join(" ")),
    )
}

pub(super) fn conflicts(facts: &Facts<'_>) -> Finding {
    if facts.conflicts.is_empty() {
        return ok(format_args!("no other MAP package or script"));
    }
    let (seen, remedies) = columns(&facts.conflicts);
    fail(
        format_args!("{}", seen.join("; ")),
        format_args!("{}", remedies.join("; ")),
    )
}

fn columns(pairs: &[(String, String)]) -> (Vec<&str>, Vec<&str>) {
    let pairs = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str()));
    pairs.unzip()
}
