// SPDX-License-Identifier: GPL-2.0-or-later
//! Programs that tests write and have executed.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a program with that text. Another process does it: whatever a thread of
/// ours starts meanwhile has our open files for a moment, and the kernel does not
/// execute what somebody may still write.
pub fn write(place: &Path, text: &str) {
    let mut writer = Command::new("install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(place)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = writer.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    assert!(writer.wait().unwrap().success(), "{}", place.display());
}
