// SPDX-License-Identifier: GPL-2.0-or-later
//! Standard output and standard error of a command, and how text is laid out
//! on them.

mod layout;
mod paint;

pub use layout::{bar, duration, row, size, title};
pub use paint::{Hue, Paint};

use std::io::{self, ErrorKind, Write as _};

use crate::sanitize::one_line;

/// Longest line of standard error in characters: a command can be called with
/// arguments of any length, and quotes them.
const MAX_LINE: usize = 1000;

/// Prints `text` on standard output.
///
/// # Errors
/// It cannot be written. A reader that has gone away is no error: it has seen
/// all it wanted.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let printed = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints one line on standard error. It may quote arguments and files, so
/// control characters in it are replaced.
pub(crate) fn complain(line: &str) {
    // If this fails there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "{}", one_line(line, MAX_LINE));
}
