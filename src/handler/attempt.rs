// SPDX-License-Identifier: GPL-2.0-or-later
//! One attempt to bring an interface up, and what remains of it if the process
//! dies on the way.
//!
//! An attempt has a file, `/var/run/mape/INTERFACE.attempt`, and holds a lock on
//! it. A file that is locked is an attempt at work. A file that nobody locks is
//! one that died: its process was killed or crashed. netifd then calls the
//! handler again at once and as often as it takes, so the next attempt waits,
//! the longer the more of its predecessors have died.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::net::Ipv6Addr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{SigSet, Signal};
use serde::{Deserialize, Serialize};

use super::router::uptime;
use super::store::make_directory;
use crate::paths::{self, attempt_file, stems_in};

/// Longest wait before an attempt, in seconds.
const LONGEST: u64 = 60;

/// What died longer ago than this, in seconds, says nothing any more.
const FORGOTTEN: u64 = 600;

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// Attempts that died in a row, this one included until it ends.
    died: u32,
    /// Seconds from boot to the beginning.
    since: u64,
    /// The CE's address that it is about to use.
    ce: Option<Ipv6Addr>,
    /// netifd is being told of the link. Once it has it, netifd does not call
    /// again by itself, and kills a setup whose uplink goes away: that is no
    /// death to wait for.
    linked: bool,
}

impl Record {
    /// Seconds to wait before the next attempt: none after an attempt that
    /// ended, otherwise so many that attempts begin 1, 2, 4, … 60 seconds apart.
    fn pause(&self, now: u64) -> u64 {
        let Some(earlier) = self.died.checked_sub(1).filter(|_| !self.linked) else {
            return 0;
        };
        let apart = (1 << earlier.min(6)).min(LONGEST);
        (self.since + apart).saturating_sub(now).min(LONGEST)
    }

    fn next(&self, now: u64) -> Record {
        let forgotten = now.saturating_sub(self.since) > FORGOTTEN;
        Record {
            died: match forgotten || self.linked {
                true => 1,
                false => self.died + 1,
            },
            since: now,
            ..Record::default()
        }
    }
}

/// An attempt at work. SIGTERM, by which netifd ends a setup that it does not
/// want any more, is held back until it is dropped: within milliseconds the
/// attempt has either undone what it did or finished.
pub struct Attempt {
    interface: String,
    file: Option<Flock<File>>,
    record: Record,
}

impl Attempt {
    /// Begins, after the one at work has ended and a pause if others died. A
    /// router without room for the file goes on without.
    pub fn begin(interface: &str) -> Self {
        let mut attempt = Attempt {
            interface: interface.into(),
            file: None,
            record: Record::default(),
        };
        match open_alone(&attempt_file(interface)) {
            Ok(file) => attempt.take_over(file),
            Err(error) => log::debug!("{interface}: {error}"),
        }
        hold_back(true);
        attempt
    }

    fn take_over(&mut self, mut file: Flock<File>) {
        let mut text = String::new();
        let before: Record = match file.read_to_string(&mut text) {
            Ok(_) => serde_json::from_str(&text).unwrap_or_default(),
            Err(_) => Record::default(),
        };
        let pause = before.pause(uptime());
        if pause > 0 {
            log::warn!(
                "{}: the last {} setups died, the next follows in {pause} s",
                self.interface,
                before.died
            );
            sleep(Duration::from_secs(pause));
        }
        self.record = before.next(uptime());
        self.file = Some(file);
        self.write();
    }

    /// Notes the address that this attempt is about to use. Returns the name of
    /// another attempt that is at work on the same address and comes first.
    pub fn claim(&mut self, ce: Ipv6Addr) -> Option<String> {
        self.record.ce = Some(ce);
        self.write();
        let others = stems_in(&paths::run_dir(), "attempt").unwrap_or_default();
        others
            .into_iter()
            .find(|name| *name < self.interface && is_running(name) && claimed_by(name) == Some(ce))
    }

    /// netifd is told of the link next.
    pub fn links(&mut self) {
        self.record.linked = true;
        self.write();
    }

    fn write(&mut self) {
        if let Some(file) = &mut self.file
            && let Ok(text) = serde_json::to_string(&self.record)
            // Not remembering costs a pause that was due.
            && let Err(error) = rewrite(file, &text)
        {
            log::debug!("{}: {error}", self.interface);
        }
    }
}

impl Drop for Attempt {
    /// The attempt has ended, well or not; it did not die.
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = fs::remove_file(attempt_file(&self.interface));
        }
        hold_back(false);
    }
}

/// Does, within an attempt, something that takes seconds and changes nothing on
/// the router: SIGTERM ends it at once.
pub fn interruptible<T>(work: impl FnOnce() -> T) -> T {
    hold_back(false);
    let result = work();
    hold_back(true);
    result
}

/// Whether an attempt for that interface is at work.
pub fn is_running(interface: &str) -> bool {
    let Ok(file) = File::open(attempt_file(interface)) else {
        return false;
    };
    Flock::lock(file, FlockArg::LockSharedNonblock).is_err()
}

/// Whether an attempt for that interface died and nobody has followed it yet.
pub fn has_died(interface: &str) -> bool {
    attempt_file(interface).exists() && !is_running(interface)
}

fn claimed_by(interface: &str) -> Option<Ipv6Addr> {
    let text = fs::read_to_string(attempt_file(interface)).ok()?;
    serde_json::from_str::<Record>(&text).ok()?.ce
}

/// Opens and locks a file that may be removed by the one who holds it.
fn open_alone(path: &Path) -> io::Result<Flock<File>> {
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
        let file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
        // It may have been removed between opening and locking.
        let same = |other: fs::Metadata| Ok(other.ino() == file.metadata()?.ino());
        if fs::metadata(path).and_then(same).unwrap_or(false) {
            return Ok(file);
        }
    }
}

fn rewrite(file: &mut File, text: &str) -> io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())
}

fn hold_back(hold: bool) {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    // Neither fails with a valid set.
    let _ = match hold {
        true => signals.thread_block(),
        false => signals.thread_unblock(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_each_death() {
        let mut record = Record::default();
        let mut now = 100;
        let mut begun = Vec::new();
        for _ in 0..9 {
            now += record.pause(now);
            begun.push(now);
            record = record.next(now);
        }
        let apart: Vec<u64> = begun.windows(2).map(|two| two[1] - two[0]).collect();
        assert_eq!(apart, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn what_died_long_ago_does_not_count() {
        let record = Record {
            died: 9,
            since: 100,
            ..Record::default()
        };
        assert_eq!(record.pause(800), 0);
        assert_eq!(record.next(800).died, 1);
        let linked = Record {
            linked: true,
            ..record.clone()
        };
        assert_eq!((linked.pause(101), linked.next(101).died), (0, 1));
        // A clock that runs backwards, as after a reboot that kept the file.
        assert_eq!(record.pause(5), 60);
    }
}
