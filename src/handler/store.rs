// SPDX-License-Identifier: GPL-2.0-or-later
//! Files as others see them: complete or not at all, and changed by one process
//! at a time.

use std::io;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, OFlag, fcntl};
use nix::sys::stat::Mode;
use nix::unistd::mkdir;

use crate::files::{self, remove_if_there, rename};
use crate::paths;

/// Whoever holds it is alone in changing rules and records. It goes with the
/// process, and with the nft it started: the kernel finishes a transaction even
/// for a process that was killed, and a teardown must come after that.
pub type Lock = Flock<OwnedFd>;

/// Waits for the lock; each holder keeps it only as long as nft may take.
/// `None` where there is no place for it, which must not stop anybody.
pub fn lock() -> Option<Lock> {
    let directory = paths::run_dir();
    make_directory(&directory).ok()?;
    let file = files::open(&directory, OFlag::O_RDONLY).ok()?;
    // A child keeps it open, and by that the lock.
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).ok()?;
    Flock::lock(file, FlockArg::LockExclusive).ok()
}

/// Makes a directory, and those above it that are missing.
///
/// # Errors
/// What the system says of the last one.
pub fn make_directory(directory: &str) -> io::Result<()> {
    let path = directory.as_bytes();
    let mut made = Ok(());
    for end in 1..=path.len() {
        if matches!(path.get(end), None | Some(b'/')) {
            let path = path.get(..end).unwrap_or_default();
            made = mkdir(path, Mode::from_bits_truncate(0o755));
        }
    }
    match made {
        Err(Errno::EEXIST) => Ok(()),
        made => Ok(made?),
    }
}

/// Writes a file that others see complete or not at all. Under the temporary
/// name only a new file is opened, so a link planted there leads nowhere.
///
/// # Errors
/// What the system says; the old file is then untouched.
pub fn write_atomically(path: &str, contents: &[u8]) -> io::Result<()> {
    let temporary = temporary(path);
    let written = write_new(&temporary, contents).and_then(|()| rename(&temporary, path));
    if written.is_err() {
        let _ = remove_if_there(&temporary);
    }
    written
}

fn write_new(path: &str, contents: &[u8]) -> io::Result<()> {
    remove_if_there(path)?;
    files::write(path, OFlag::O_CREAT | OFlag::O_EXCL, contents)
}

/// One name for whoever holds the lock, so that what a killed writer left is
/// known to those who clear up.
fn temporary(path: &str) -> String {
    format!("{path}.tmp")
}

/// Removes a file that was written with [`write_atomically`], or half written.
///
/// # Errors
/// What the system says.
pub fn remove_written(path: &str) -> io::Result<()> {
    remove_if_there(path).and(remove_if_there(&temporary(path)))
}
