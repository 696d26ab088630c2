// SPDX-License-Identifier: GPL-2.0-or-later
//! What people ran into on real lines, each with its public source and the right outcome:
//! `cases.json` for what a command shows, `lines.rs` for what the handler sets up.

#[path = "../double/mod.rs"]
mod double;
#[path = "../router/mod.rs"]
mod router;

mod lines;
mod uplinks;

use std::process::Command;

use serde::Deserialize;

/// One thing somebody ran into.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: u32,
    source: String,
    what: String,
    /// Arguments of calls that must all say the same.
    same: Vec<Vec<String>>,
    /// What standard output contains.
    #[serde(default)]
    says: Vec<String>,
    /// What no output contains.
    #[serde(default)]
    never: Vec<String>,
    /// The one line on standard error, if the call is refused.
    refuses: Option<String>,
    /// The exit status, if it is not what follows from `refuses`.
    rc: Option<i32>,
    /// Why it is not.
    #[serde(rename = "why")]
    _why: Option<String>,
}

#[test]
fn what_commands_show() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("cases.json")).unwrap();
    for case in cases {
        let about = format!("case {}, {} ({})", case.case, case.what, case.source);
        let mut first = None;
        for args in &case.same {
            let output = Command::new(env!("CARGO_BIN_EXE_mape"))
                .args(args)
                .env("MAPE_ROOT", "files")
                .output()
                .unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            let complaint = String::from_utf8(output.stderr).unwrap();
            let all = format!("{about}\n{args:?}\n{said}{complaint}");
            let expected = case.rc.unwrap_or(i32::from(case.refuses.is_some()));
            assert_eq!(output.status.code(), Some(expected), "{all}");
            for text in &case.says {
                assert!(said.contains(text), "{text:?} is not said: {all}");
            }
            for text in &case.never {
                assert!(!said.contains(text) && !complaint.contains(text), "{all}");
            }
            if let Some(refusal) = &case.refuses {
                assert_eq!(complaint, format!("mape: {refusal}\n"), "{all}");
            }
            let first = first.get_or_insert_with(|| said.clone());
            assert_eq!(&said, first, "{all}");
        }
    }
}
