// SPDX-License-Identifier: GPL-2.0-or-later
//! Standard input, output and error, each at one go: the buffers and locks of
//! the standard library are for those who read and write in pieces.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{isatty, read, write};

use crate::files::open;
use crate::text::one_line;

/// Makes the first three files something that can be used, as nobody promises
/// who calls us, and writing to a closed pipe an error.
pub fn prepare() {
    // What is opened later must not take the place of one that is closed.
    while let Ok(file) = open("/dev/null", OFlag::O_RDWR) {
        if file.as_raw_fd() > 2 {
            break;
        }
        std::mem::forget(file);
    }
    #[allow(unsafe_code)]
    // SAFETY: no handler that anything could be wrong with.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) };
}

/// Standard input, up to its end or a little more than `limit` bytes.
pub(crate) fn input(limit: usize) -> io::Result<Vec<u8>> {
    all(standard(0), limit)
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

/// Prints all of `text`.
pub(crate) fn print(text: &[u8]) -> io::Result<()> {
    match write_all(standard(1), text) {
        // Where output is closed, or its reader has seen enough, nobody wants it.
        Err(error) if is(&error, Errno::EBADF) || is(&error, Errno::EPIPE) => Ok(()),
        other => other,
    }
}

/// A line on standard error. It may quote arguments and files: nothing in them
/// reaches a terminal as a command.
pub(crate) fn complain(line: &str) {
    let line = one_line(line, usize::MAX) + "\n";
    // Nobody is left to tell if even this fails.
    let _ = write_all(standard(2), line.as_bytes());
}

/// Whether somebody looks at standard output (1) or standard error (2).
pub(crate) fn is_terminal(number: RawFd) -> bool {
    isatty(standard(number)) == Ok(true)
}

#[allow(unsafe_code)]
fn standard(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: `prepare` has seen to it that the first three are open, and nobody
    // closes them.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Whether it is this error of the system. `ErrorKind` sorts all there are.
pub(crate) fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno as i32)
}

/// Writes all of `bytes`.
pub(crate) fn write_all(target: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    let mut left = bytes;
    while !left.is_empty() {
        match write(target, left) {
            Ok(0) => return Err(Errno::EIO.into()),
            Ok(len) => left = left.get(len..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
