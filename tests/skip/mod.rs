// SPDX-License-Identifier: GPL-2.0-or-later
//! A test that cannot run on this machine.

use std::fs::OpenOptions;
use std::io::Write;

/// Says why the calling test does nothing. `make test-rust` names a file in
/// `MAPE_SKIPPED` that collects these lines, since cargo counts the test as
/// passed and shows nothing of it; the table of `make test` counts it as
/// skipped.
pub fn skip(why: &str) {
    let line = format!("SKIPPED: {why}\n");
    eprint!("{line}");
    if let Some(path) = std::env::var_os("MAPE_SKIPPED") {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(written.is_ok(), "MAPE_SKIPPED: {written:?}");
    }
}
