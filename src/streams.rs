// SPDX-License-Identifier: GPL-2.0-or-later
//! Files, standard input and output, each at one go: the buffers of the standard
//! library are for those who read and write in pieces.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{read, write};

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

/// Prints all of `text`. Where output is closed, nobody wants it.
pub(crate) fn print(text: &[u8]) -> io::Result<()> {
    let stdout = io::stdout();
    let mut left = text;
    while !left.is_empty() {
        match write(&stdout, left) {
            Ok(len) => left = left.get(len..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EBADF) => break,
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
