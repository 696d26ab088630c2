// SPDX-License-Identifier: GPL-2.0-or-later
//! Arguments: of a person, of a page through rpcd, of scripts to `mapcalc`.

use mape::cli::mapcalc::links;
use mape::cli::{Failure, rpcd, run};
use mape::map::stock::report;
use mape::netifd::Dump;
use serde_json::Value;

use super::{rules, text};

/// Commands that only compute.
const COMMANDS: [&str; 5] = ["calc", "lookup", "br", "nft", "s46"];

/// A command's number, then its arguments, separated by newlines.
pub fn command_line(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let command = COMMANDS[usize::from(first) % COMMANDS.len()];
    let text = text(rest);
    let words = [command].into_iter().chain(text.split('\n'));
    let words: Vec<String> = words.map(|word| word.replace('\0', "")).collect();
    let mut out = String::new();
    let outcome = run(&words, &mut out);
    let said = out.as_str();
    match outcome.map_err(|failure| *failure) {
        // What people typed is shown to them as they typed it.
        Err(Failure::Usage(reason) | Failure::Failed(reason)) => {
            assert!(!reason.to_string().is_empty());
        }
        Err(Failure::Said) => {}
        Ok(()) => assert!(!said.is_empty(), "{words:?}"),
    }
    // Further behind it may be another option's value.
    let asked_first = words.get(1).is_some_and(|word| word == "--json");
    if asked_first && !said.is_empty() && command != "s46" {
        let read = serde_json::from_str::<Value>(said);
        assert!(said.starts_with("Usage: ") || read.is_ok(), "{said}");
    }
}

/// The JSON object a page sends to the bus: `calc` or `lookup` as the first
/// byte says. Whatever comes, the answer is one JSON object.
pub fn bus_arguments(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let method = ["calc", "lookup"][usize::from(first & 1)];
    let answer = rpcd::call(method, &text(rest));
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert!(answer.is_object(), "{answer}");
}

/// Lines: an interface, a rule for each further one, and perhaps a dump.
pub fn mapcalc(data: &[u8]) {
    let text = text(data);
    let mut dump = Dump::default();
    let mut words = Vec::new();
    for line in text.lines().take(12) {
        match line.starts_with('{') {
            true => dump = Dump::from_json(line).unwrap_or_default(),
            false => words.push(line),
        }
    }
    let Some((name, rules)) = words.split_first() else {
        return;
    };
    mapcalc_of(&[name, "*"], &rules.join("\n"), &dump);
}

/// Scripts evaluate the output: nothing may come out of it but assignments of
/// plain words.
pub(super) fn mapcalc_of(names: &[&str], rules: &str, dump: &Dump) {
    let rules: Vec<&str> = rules.lines().collect();
    for name in names {
        let links = links(dump, name);
        for dialect in rules::DIALECTS {
            let report = report(&rules, dialect, name, &links);
            for line in report.output.lines() {
                let (key, value) = line.split_once('=').expect("an assignment");
                let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                assert!(
                    key.starts_with("RULE_") && key.chars().all(is_name),
                    "{line}"
                );
                let value = value.strip_prefix('\'').map_or(value, |quoted| {
                    let ports = quoted.strip_suffix('\'').expect("the other quote");
                    assert!(
                        ports
                            .chars()
                            .all(|c| c.is_ascii_digit() || " -".contains(c))
                    );
                    ""
                });
                let is_plain = |c: char| c.is_ascii_alphanumeric() || ":./_-".contains(c);
                assert!(value.chars().all(is_plain), "{line:?}");
            }
            assert_eq!(report.complete, report.output.contains(&count(rules.len())));
        }
    }
}

fn count(rules: usize) -> String {
    format!("RULE_COUNT={rules}\n")
}
