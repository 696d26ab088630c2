// SPDX-License-Identifier: GPL-2.0-or-later
//! The DHCPv6 client, as far as our part of its script sees it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = include_str!("../../files/etc/odhcp6c.user.d/90-mape");

/// Sources our file as the client's script does after an event, with these
/// variables. `run` is `/var/run/mape`, and `program` is called for
/// `/usr/sbin/mape`. Returns when that has ended.
pub fn source(run: &Path, program: &str, variables: &[(&str, &str)]) {
    let script = SCRIPT
        .replace("/var/run/mape", &run.display().to_string())
        .replace("/usr/sbin/mape", program);
    let file = run.with_file_name("90-mape");
    fs::write(&file, script).unwrap();
    let status = Command::new("sh")
        .args(["-euc", ". \"$0\"; wait; echo still here >&2"])
        .arg(&file)
        .envs(["AFTR", "MAPE", "MAPT", "LW4O6"].map(|name| (name, "")))
        .envs(variables.iter().copied())
        .status();
    assert!(status.unwrap().success());
}
