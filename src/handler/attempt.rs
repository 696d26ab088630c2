// SPDX-License-Identifier: GPL-2.0-or-later
//! One attempt to bring an interface up, and what remains of it if the process
//! dies on the way.
//!
//! An attempt has a file, `/var/run/mape/INTERFACE.attempt`, and holds a lock on
//! it. A file that is locked is an attempt at work. A file that nobody locks is
//! one that died: its process was killed or crashed. netifd then calls the
//! handler again at once and as often as it takes, so the next attempt waits,
//! the longer the more of its predecessors have died.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::net::Ipv6Addr;
use std::thread::sleep;
use std::time::Duration;

use nix::fcntl::Flock;
use nix::sys::signal::{SigSet, Signal};
use serde::{Deserialize, Serialize};

use super::clock::uptime;
use super::marks;
use super::problem::{Code, Problem};
use super::store::{parse_json, read_json};
use crate::paths::{self, attempt_file, stems_in};
use crate::reason::said;

/// Longest wait before an attempt, in seconds: a line is back within a minute,
/// whatever it is that keeps killing the handler.
const LONGEST: u64 = 30;

/// What died longer ago than this, in seconds, says nothing any more.
const FORGOTTEN: u64 = 600;

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// Attempts in a row that died or had to start over, this one included until
    /// it ends.
    died: u32,
    /// Seconds from boot to the beginning.
    since: u64,
    /// The CE's address that it is about to use.
    ce: Option<Ipv6Addr>,
    /// netifd is being told of the link. Once it has it, netifd does not call
    /// again by itself, and kills a setup whose uplink goes away: that is no
    /// death to wait for.
    linked: bool,
    /// Why the one before had to start over; it is in the log already.
    said: String,
}

impl Record {
    /// Seconds to wait before the next attempt: none after an attempt that
    /// ended, otherwise so many that attempts begin 1, 2, 4, … 30 seconds apart.
    fn pause(&self, now: u64) -> u64 {
        let Some(earlier) = self.died.checked_sub(1).filter(|_| !self.linked) else {
            return 0;
        };
        let apart = (1 << earlier.min(5)).min(LONGEST);
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
            said: self.said.clone(),
            ..Record::default()
        }
    }
}

/// An attempt at work. SIGTERM, by which netifd ends a setup that it does not
/// want any more, is held back until it is dropped: within milliseconds the
/// attempt has either undone what it did or finished.
pub struct Attempt {
    interface: String,
    file: Flock<File>,
    record: Record,
    /// The next attempt follows this one as if it had died.
    starts_over: bool,
}

impl Attempt {
    /// Begins, after the one at work has ended and a pause if others died.
    ///
    /// # Errors
    /// There is no room for the file, and so none for the record of the link.
    pub fn begin(interface: &str) -> Result<Self, Problem> {
        let path = attempt_file(interface);
        let no_room = |error: io::Error| {
            let path = path.display().to_string();
            let what = said!("file", "{file}: {reason}", path, error);
            Problem::passing(Code::NatFailed, what)
        };
        let file = marks::hold_when_free(&path).map_err(no_room)?;
        let mut attempt = Attempt {
            interface: interface.into(),
            file,
            record: Record::default(),
            starts_over: false,
        };
        attempt.follow();
        if let Err(error) = attempt.write() {
            // Nothing died.
            let _ = fs::remove_file(&path);
            return Err(no_room(error));
        }
        hold_back(true);
        Ok(attempt)
    }

    /// Reads what the one before left, and lets some time pass after it.
    fn follow(&mut self) {
        let mut text = String::new();
        let before: Record = match self.file.read_to_string(&mut text) {
            Ok(_) => parse_json(&text).unwrap_or_default(),
            Err(_) => Record::default(),
        };
        let pause = before.pause(uptime());
        if pause > 0 {
            if before.said.is_empty() {
                let died = before.died;
                log::warn!(
                    "{}: setups that died: {died}; the next follows in {pause} s",
                    self.interface
                );
            }
            sleep(Duration::from_secs(pause));
        }
        self.record = before.next(uptime());
    }

    /// Notes the address that this attempt is about to use. Returns the name of
    /// another attempt that is at work on the same address and comes first.
    pub fn claim(&mut self, ce: Ipv6Addr) -> Option<String> {
        self.record.ce = Some(ce);
        self.note();
        let others = stems_in(&paths::run_dir(), "attempt").unwrap_or_default();
        others
            .into_iter()
            .find(|name| *name < self.interface && is_running(name) && claimed_by(name) == Some(ce))
    }

    /// netifd is told of the link next.
    pub fn links(&mut self) {
        self.record.linked = true;
        self.note();
    }

    /// The link is up and cannot be used: netifd is asked to call again from the
    /// beginning, which happens after a pause. Says whether `why` is new.
    pub fn start_over(&mut self, why: &str) -> bool {
        self.record.linked = false;
        let is_new = self.record.said != why;
        why.clone_into(&mut self.record.said);
        self.starts_over = true;
        self.note();
        is_new
    }

    /// Writes the record where there was room for it at the beginning.
    fn note(&mut self) {
        if let Err(error) = self.write() {
            log::debug!("{}: {error}", self.interface);
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let text = serde_json::to_string(&self.record)?;
        // Cut off afterwards, so that the room of the old text is not lost.
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }
}

impl Drop for Attempt {
    /// The attempt has ended, well or not; it did not die.
    fn drop(&mut self) {
        if !self.starts_over {
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

/// Does `work` while no attempt for that interface can begin; `None` if one is
/// at work.
pub fn keep_out<T>(interface: &str, work: impl FnOnce() -> T) -> Option<T> {
    let path = attempt_file(interface);
    let was_there = path.exists();
    let held = match marks::hold_if_free(&path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
        // A router without room for the file goes on without.
        Err(_) => None,
    };
    let result = work();
    if held.is_some() && !was_there {
        let _ = fs::remove_file(&path);
    }
    Some(result)
}

/// Whether an attempt for that interface is at work.
pub fn is_running(interface: &str) -> bool {
    marks::is_held(&attempt_file(interface))
}

/// Whether an attempt for that interface died and nobody has followed it yet.
pub fn has_died(interface: &str) -> bool {
    marks::is_abandoned(&attempt_file(interface))
}

fn claimed_by(interface: &str) -> Option<Ipv6Addr> {
    read_json::<Record>(&attempt_file(interface))?.ce
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
        assert_eq!(apart, [1, 2, 4, 8, 16, 30, 30, 30]);
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
        assert_eq!(record.pause(5), 30);
    }
}
