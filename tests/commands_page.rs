// SPDX-License-Identifier: GPL-2.0-or-later
//! What docs/commands.md shows is what the program prints. `tests/doctor.rs`
//! has its example of `mape doctor`.

use std::process::Command;

const PAGE: &str = include_str!("../docs/commands.md");

/// What `status` and `ports` print of one router; `tests/bus_fixtures` makes
/// it again.
const LINE: &str = include_str!("data/text/status.txt");

/// The examples of the page: a command and what is shown below it.
fn examples(prompt: &str) -> Vec<(&'static str, &'static str)> {
    let blocks = PAGE.split("```\n").skip(1).step_by(2);
    blocks
        .filter_map(|block| block.strip_prefix(prompt)?.split_once('\n'))
        .collect()
}

#[test]
fn of_a_router() {
    let mut seen = Vec::new();
    for (command, shown) in examples("# ") {
        seen.push(command);
        match command {
            "mape status" => assert_eq!(LINE.split_once("\n\n").unwrap().0, shown.trim_end()),
            "mape ports" => {
                for line in shown.lines().filter(|line| *line != "...") {
                    assert!(LINE.lines().any(|said| said == line), "{line}");
                }
            }
            _ => {}
        }
    }
    assert_eq!(seen, ["mape status", "mape ports", "mape doctor"]);
}

#[test]
fn of_any_machine() {
    let all = examples("$ ");
    assert_eq!(all.len(), 2);
    for (command, shown) in all {
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let output = Command::new(env!("CARGO_BIN_EXE_mape"))
            .args(words)
            .env("MAPE_ROOT", "files")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert_eq!(String::from_utf8(said).unwrap(), shown, "{command}");
    }
}
