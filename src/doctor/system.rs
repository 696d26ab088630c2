// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of what is installed.

use super::facts::Facts;
use super::finding::{Finding, fail, ok};
use super::remedy::Remedy;
use super::seen::Seen;

pub(super) fn packages(facts: &Facts<'_>) -> Finding {
    if facts.missing.is_empty() {
        return ok(Seen::PackagesPresent {});
    }
    let packages = facts.missing.clone();
    let remedy = Remedy::Install {
        packages: packages.clone(),
        interface: facts.interface.to_owned(),
    };
    fail(Seen::PackagesMissing { packages }, remedy)
}

/// A finding for each thing in the way.
pub(super) fn conflicts(facts: &Facts<'_>) -> Vec<Finding> {
    let conflicts = facts.conflicts.iter().cloned();
    let found: Vec<Finding> = conflicts.map(|(seen, remedy)| fail(seen, remedy)).collect();
    match found.is_empty() {
        true => vec![ok(Seen::NoConflicts {})],
        false => found,
    }
}
