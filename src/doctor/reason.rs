// SPDX-License-Identifier: GPL-2.0-or-later
//! Errors of the system in words.

/// What the kernel says, without the number of the error.
pub(super) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once('(') {
        Some((words, number)) if number.starts_with("os error") => words.trim_end().into(),
        _ => text,
    }
}
