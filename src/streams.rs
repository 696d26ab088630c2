// SPDX-License-Identifier: GPL-2.0-or-later
//! Files, standard input and output, each at one go: the buffers of the standard
//! library are for those who read and write in pieces.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{read, write};

use crate::text::one_line;

/// Standard input, up to its end or a little more than `limit` bytes.
pub(crate) fn input(limit: usize) -> io::Result<Vec<u8>> {
    all(io::stdin().as_fd(), limit)
}

/// A file, up to its end or a little more than `limit` bytes.
pub(crate) fn file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    all(File::open(path)?.as_fd(), limit)
}

/// The text of a file; what is not UTF-8 is replaced by U+FFFD.
pub(crate) fn text(path: impl AsRef<Path>) -> io::Result<String> {
    let bytes = file(path.as_ref(), usize::MAX)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What there is to read, up to its end or a little more than `limit` bytes.
pub(crate) fn all(source: BorrowedFd<'_>, limit: usize) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while all.len() < limit {
        match read(source, &mut buffer) {
            Ok(0) => break,
            Ok(len) => all.extend_from_slice(buffer.get(..len).unwrap_or_default()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(all)
}

/// Prints all of `text` on standard output.
pub(crate) fn print(text: &[u8]) -> io::Result<()> {
    put(io::stdout().as_fd(), text)
}

/// A line on standard error. It may quote arguments and files: nothing in them
/// reaches a terminal as a command.
pub(crate) fn complain(line: &str) {
    let line = one_line(line, usize::MAX) + "\n";
    // Nobody is left to tell if even this fails.
    let _ = put(io::stderr().as_fd(), line.as_bytes());
}

/// Writes all of `text`. Where output is closed, or its reader has seen enough,
/// nobody wants it.
fn put(to: BorrowedFd<'_>, text: &[u8]) -> io::Result<()> {
    let mut left = text;
    while !left.is_empty() {
        match write(to, left) {
            Ok(len) => left = left.get(len..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EBADF | Errno::EPIPE) => break,
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
