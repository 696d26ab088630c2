// SPDX-License-Identifier: GPL-2.0-or-later
//! Files that mark work under way on an interface. The process at work
//! holds a lock on the file; one without a lock belongs to work that died.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};

use super::store::{make_directory, remove_if_there};
use crate::paths::{attempt_file, renewal_file};

/// Waits until nobody else works under that file, which may be removed by the
/// one who does.
///
/// # Errors
/// The file cannot be made.
pub fn hold_when_free(path: &Path) -> io::Result<Flock<File>> {
    hold(path, FlockArg::LockExclusive)
}

fn hold(path: &Path, how: FlockArg) -> io::Result<Flock<File>> {
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

/// How often a lock that somebody else has is tried again, and after which
/// pause: who only looks whether it is held has it for an instant.
const TRIES: u32 = 40;
const INSTANT: Duration = Duration::from_millis(5);

/// The same, if nobody works under that file.
///
/// # Errors
/// The file cannot be made, or somebody works under it.
pub fn hold_if_free(path: &Path) -> io::Result<Flock<File>> {
    for _ in 1..TRIES {
        match hold(path, FlockArg::LockExclusiveNonblock) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(INSTANT),
            result => return result,
        }
    }
    hold(path, FlockArg::LockExclusiveNonblock)
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

/// Removes all marks of an interface, at which the caller alone works.
pub fn forget(interface: &str) {
    for mark in [attempt_file(interface), renewal_file(interface)] {
        say(&mark, remove_if_there(&mark));
    }
}

/// The same for whoever does not hold them. An attempt that somebody works
/// under stays: without its file the next one would begin beside it.
pub fn forget_unless_held(interface: &str) {
    let attempt = attempt_file(interface);
    say(&attempt, remove_unless_held(&attempt));
    let renewal = renewal_file(interface);
    say(&renewal, remove_if_there(&renewal));
}

fn remove_unless_held(path: &Path) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let _held = hold_if_free(path)?;
    remove_if_there(path)
}

fn say(mark: &Path, removed: io::Result<()>) {
    if let Err(error) = removed {
        log::debug!("{}: {error}", mark.display());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread::{scope, spawn};

    use super::*;

    /// Whoever looks never keeps anybody from working.
    #[test]
    fn looking_is_not_working() {
        let path = std::env::temp_dir().join(format!("mape-mark-{}", std::process::id()));
        let ended = AtomicBool::new(false);
        scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !ended.load(Ordering::Relaxed) {
                        let _ = is_held(&path);
                        sleep(Duration::from_micros(100));
                    }
                });
            }
            let held: Vec<bool> = (0..200).map(|_| hold_if_free(&path).is_ok()).collect();
            ended.store(true, Ordering::Relaxed);
            assert!(held.iter().all(|held| *held), "{held:?}");
        });
        let mark = hold_if_free(&path).unwrap();
        assert!(is_held(&path) && !is_abandoned(&path));
        let other = path.clone();
        let other = spawn(move || hold_if_free(&other).is_err());
        assert!(other.join().unwrap(), "somebody works there");
        let other = path.clone();
        let removed = spawn(move || remove_unless_held(&other)).join().unwrap();
        assert!(removed.is_err() && path.exists(), "{removed:?}");
        drop(mark);
        assert!(is_abandoned(&path));
        remove_unless_held(&path).unwrap();
        assert!(!path.exists());
    }
}
