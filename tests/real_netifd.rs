// SPDX-License-Identifier: GPL-2.0-or-later
//! The scenarios on the real ubusd, netifd, uci and firewall4, and next to them what the double
//! showed. `make test-netifd NETIFD_PREFIX=dir`; docs/testing.md says what `dir` is.
#![allow(clippy::unwrap_used, clippy::panic)]

mod double;
#[path = "scenarios/on_double.rs"]
mod on_double;
#[path = "scenarios/on_netifd.rs"]
mod on_netifd;
mod scenarios;

use on_netifd::Netifd;
use scenarios::{SCENARIOS, Scenario, Stage};
use std::path::{Path, PathBuf};

/// Tells a scenario to the real daemons.
fn tell(scenario: &Scenario, prefix: PathBuf, number: usize) -> Result<Vec<String>, String> {
    let run = scenario.run;
    let thread = std::thread::spawn(move || {
        let mut router = Netifd::start(&prefix, number);
        let mut stage = Stage::new(&mut router);
        run(&mut stage);
        stage.notes
    });
    thread.join().map_err(|panic| scenarios::message(&*panic))
}

/// Prints what differs, and counts it.
fn compare(real: &[String], double: &[String]) -> usize {
    let mut differences = 0;
    for step in 0..real.len().max(double.len()) {
        let (real, double) = (real.get(step), double.get(step));
        if real == double {
            println!("    {}", real.unwrap());
        } else {
            differences += 1;
            let text = |note: Option<&String>| note.map_or("nothing", String::as_str).to_owned();
            println!("  ! netifd: {}\n    double: {}", text(real), text(double));
        }
    }
    differences
}

#[test]
fn every_scenario_ends_well_on_netifd_and_as_on_the_double() {
    let Some(prefix) = on_netifd::prefix() else {
        eprintln!("skipped: NETIFD_PREFIX names no root folder with OpenWrt's daemons");
        return;
    };
    assert!(nix::unistd::geteuid().is_root(), "namespaces need root");
    println!("netifd: {}", about(&prefix));
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let mut wrong = Vec::new();
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        if !scenario.name.contains(&only) {
            continue;
        }
        println!("{}", scenario.name);
        match (tell(scenario, prefix.clone(), number), on_double::tell(scenario)) {
            (Ok(real), Ok(double)) => {
                if compare(&real, &double) > 0 {
                    wrong.push(format!("{}: the double differs", scenario.name));
                }
            }
            (Err(why), _) => {
                println!("  ! netifd: {why}");
                wrong.push(format!("{}: failed on netifd", scenario.name));
            }
            (_, Err(why)) => {
                println!("  ! double: {why}");
                wrong.push(format!("{}: failed on the double", scenario.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Which netifd it is, and whether its tunnels are real.
fn about(prefix: &Path) -> String {
    match on_netifd::which_netifd(prefix) {
        "netifd" => format!("{}, with the kernel's own tunnels", prefix.display()),
        other => format!(
            "{}, as {other}: this kernel has no ip6_tunnel, another kind of device stands in \
             and carries no traffic",
            prefix.display()
        ),
    }
}
