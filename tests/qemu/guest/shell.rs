// SPDX-License-Identifier: GPL-2.0-or-later
//! Running the machine's tools.

use crate::Result;
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs a command and returns what it printed; its stderr is the error.
pub fn run(command: &mut Command) -> Result<String> {
    let out = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{}: {e}", describe(command)))?;
    finish(command, &out)
}

/// Runs a command with `input` on its standard input.
pub fn feed(command: &mut Command, input: &str) -> Result<String> {
    let failed = |e: std::io::Error| format!("{e}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(failed)?;
    }
    let out = child.wait_with_output().map_err(failed)?;
    finish(command, &out)
}

fn finish(command: &Command, out: &std::process::Output) -> Result<String> {
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&out.stderr);
    let why: String = why.trim().chars().take(2000).collect();
    Err(format!("{}: {why} ({})", describe(command), out.status))
}

fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    words.join(" ")
}
