// SPDX-License-Identifier: GPL-2.0-or-later
//! Files that mark work under way on an interface. The process at work
//! holds a lock on the file; one without a lock belongs to work that died.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};

use super::store::{make_directory, remove_if_there};
use crate::paths::{attempt_file, renewal_file};

/// Opens and locks a file that may be removed by the one who holds it.
///
/// # Errors
/// The file cannot be made, or somebody holds it and `how` does not wait.
pub fn hold(path: &Path, how: FlockArg) -> io::Result<Flock<File>> {
    if let Some(directory) = path.parent() {
        make_directory(directory)?;
    }
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let file = Flock::lock(file, how).map_err(|(_, errno)| errno)?;
        // It may have been removed between opening and locking.
        let same = |other: fs::Metadata| Ok(other.ino() == file.metadata()?.ino());
        if fs::metadata(path).and_then(same).unwrap_or(false) {
            return Ok(file);
        }
    }
}

/// Whether somebody works under that file.
pub fn is_held(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    Flock::lock(file, FlockArg::LockSharedNonblock).is_err()
}

/// Whether work under that file died and nobody has followed it yet.
pub fn is_abandoned(path: &Path) -> bool {
    path.exists() && !is_held(path)
}

/// Removes all marks of an interface, at which nobody works any more.
pub fn forget(interface: &str) {
    for mark in [attempt_file(interface), renewal_file(interface)] {
        if let Err(error) = remove_if_there(&mark) {
            log::debug!("{}: {error}", mark.display());
        }
    }
}
