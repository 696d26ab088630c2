// SPDX-License-Identifier: GPL-2.0-or-later
//! The figures as a table: the pool beside what it replaces.

use crate::report::{GOALS, Outcome, meets};

/// The techniques a figure may have been measured with, as columns.
const COLUMNS: &[&str] = &["pool", "hash", "stock", "patched"];

/// Prints every figure that was measured, with its goal.
pub fn print(outcome: &Outcome) {
    let measured: Vec<_> = GOALS
        .iter()
        .filter(|goal| outcome.figures.iter().any(|(_, key, _)| key == goal.key))
        .collect();
    if measured.is_empty() {
        return;
    }
    println!("\nkernel {}", outcome.kernel);
    print!("{:<22} {:>8}", "figure", "goal");
    for column in COLUMNS {
        print!(" {column:>8}");
    }
    println!();
    for goal in measured {
        let target = goal.at_least.or(goal.at_most).unwrap_or_default();
        let sign = if goal.at_least.is_some() { ">=" } else { "<=" };
        print!(
            "{:<22} {:>8}",
            goal.key,
            format!("{sign}{}", number(target))
        );
        for column in COLUMNS {
            let cell = outcome
                .figure(column, goal.key)
                .map_or_else(|| "-".to_owned(), number);
            print!(" {cell:>8}");
        }
        let missed = outcome
            .figure("pool", goal.key)
            .is_some_and(|value| !meets(goal.key, value));
        println!("  {}{}", if missed { "MISSED: " } else { "" }, goal.what);
    }
    println!(
        "\npool and hash are mape's; stock is OpenWrt's map.sh; patched is map.sh with the patches \
         that circulate.\nThe goals are the pool's; a scenario that misses one fails.\n"
    );
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}
