// SPDX-License-Identifier: GPL-2.0-or-later
//! The scenarios, on the double.
#![allow(clippy::unwrap_used, clippy::panic)]

mod double;
mod odhcp6c;
#[path = "scenarios/on_double.rs"]
mod on_double;
mod program;
mod scenarios;
mod skip;

use scenarios::SCENARIOS;
use std::thread;

#[test]
fn every_scenario_ends_well_on_the_double() {
    if !nix::unistd::geteuid().is_root() {
        skip::skip("a network namespace needs root");
        return;
    }
    let failures: Vec<String> = thread::scope(|scope| {
        let told: Vec<_> = SCENARIOS
            .iter()
            .map(|scenario| (scenario.name, scope.spawn(|| on_double::tell(scenario))))
            .collect();
        let outcome = |(name, thread): (&str, thread::ScopedJoinHandle<'_, _>)| {
            let result: Result<Vec<String>, String> = thread.join().unwrap();
            result.err().map(|why| format!("{name}: {why}"))
        };
        told.into_iter().filter_map(outcome).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
