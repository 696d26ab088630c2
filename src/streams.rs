// SPDX-License-Identifier: GPL-2.0-or-later
//! Standard input and output, each at one go: the buffers of the standard
//! library are for those who read and write in pieces.

use std::io;

use nix::errno::Errno;
use nix::unistd::{read, write};

/// What comes in, up to its end or a little more than `limit` bytes.
pub(crate) fn input(limit: usize) -> io::Result<Vec<u8>> {
    let stdin = io::stdin();
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while all.len() < limit {
        match read(&stdin, &mut buffer) {
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
