// SPDX-License-Identifier: GPL-2.0-or-later
//! Files that others see whole or not at all, and a lock so that one process
//! at a time changes them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, fcntl};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::paths;

/// Whoever holds it is alone in changing rules and records. It goes with the
/// process, and with the nft it started: the kernel finishes a transaction even
/// for a process that was killed, and a teardown must come after that.
pub type Lock = Flock<File>;

/// Waits for the lock; each holder keeps it only as long as nft may take.
/// `None` if there is no place for it, which must not stop anybody.
pub fn lock() -> Option<Lock> {
    let directory = paths::run_dir();
    make_directory(&directory).ok()?;
    let file = File::open(&directory).ok()?;
    // A child keeps it open, and by that the lock.
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).ok()?;
    Flock::lock(file, FlockArg::LockExclusive).ok()
}

/// Makes a directory, and those above it that are missing.
///
/// # Errors
/// What the system says.
pub fn make_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(directory)
}

/// Writes a file that others see whole or not at all. Under the temporary
/// name only a new file is opened, so a link planted there leads nowhere.
///
/// # Errors
/// What the system says; the old file is then untouched.
pub fn write_atomically(path: &Path, contents: &[u8]) -> io::Result<()> {
    let temporary = temporary(path);
    let written = write_new(&temporary, contents).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = remove_if_there(&temporary);
    }
    written
}

/// Reads a file that [`write_json`] wrote. One that is not there, or was
/// damaged, holds nothing: whatever is kept in these files is found out again.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    parse_json(&fs::read_to_string(path).ok()?)
}

/// The same of a text that was read already.
pub fn parse_json<T: DeserializeOwned>(text: &str) -> Option<T> {
    // By way of `Value`, like all JSON that is read: a second deserializer
    // would cost 10 KB.
    let value = serde_json::from_str::<Value>(text).ok()?;
    serde_json::from_value(value).ok()
}

/// Writes `what` like [`write_atomically`] into the directory of what is up now,
/// which is made if it is missing.
///
/// # Errors
/// What the system says; the old file is then untouched.
pub fn write_json(path: &Path, what: &impl Serialize) -> io::Result<()> {
    make_directory(&paths::run_dir())?;
    write_atomically(path, &serde_json::to_vec(what)?)
}

fn write_new(path: &Path, contents: &[u8]) -> io::Result<()> {
    remove_if_there(path)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)?
        .write_all(contents)
}

/// One name for whoever holds the lock, so that what a killed writer left is
/// known to those who clear up.
fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

/// Removes a file that was written with [`write_atomically`], or half written.
///
/// # Errors
/// What the system says.
pub fn remove_written(path: &Path) -> io::Result<()> {
    remove_if_there(path).and(remove_if_there(&temporary(path)))
}

/// Removes a file; one that is gone is no error.
///
/// # Errors
/// What the system says.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
