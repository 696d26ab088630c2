// SPDX-License-Identifier: GPL-2.0-or-later
//! Loading rules: `nft -f -`, a child process.

use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::child::{self, Ended};
use crate::nat::{Kernel, probe};
use crate::paths::rooted;
use crate::reason::{Reason, Tell, said, sentence};
use crate::sanitize::one_line;

/// Where OpenWrt and Debian have it; `PATH` comes after.
const PLACES: [&str; 2] = ["/usr/sbin/nft", "/sbin/nft"];

/// Most of nft's complaint that is kept.
const MAX_COMPLAINT: usize = 400;

/// Why rules were not loaded.
#[derive(Debug, thiserror::Error)]
pub enum NftError {
    /// There is no nft.
    Missing,
    /// It is there, but cannot be run.
    NotStarted,
    /// It could not be fed or waited for.
    Io(#[from] std::io::Error),
    /// It did not answer in time and was killed.
    Deadline(Duration),
    /// Somebody else killed it, most likely the kernel for want of memory; what
    /// was to be loaded has nothing to do with it.
    Killed,
    /// It refused the rules; nothing was changed.
    Refused(String),
}

impl Tell for NftError {
    fn reason(&self) -> Reason {
        match self {
            Self::Missing => said!("nft_missing", "nft is not installed (package nftables)"),
            Self::NotStarted => said!(
                "nft_not_started",
                "nft cannot be started; is the package nftables whole?"
            ),
            Self::Io(reason) => said!("nft", "nft: {reason}", reason),
            Self::Deadline(time) => said!(
                "nft_deadline",
                "nft: no answer after {time} ms",
                time.as_millis() as u64
            ),
            Self::Killed => said!("nft_killed", "nft was killed; is memory short?"),
            Self::Refused(reason) => said!("nft", "nft: {reason}", reason),
        }
    }
}

sentence!(NftError);

/// The `nft` program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nft {
    program: PathBuf,
}

impl Nft {
    /// Finds nft in its usual places, then in `PATH`.
    ///
    /// # Errors
    /// [`NftError::Missing`].
    pub fn find() -> Result<Self, NftError> {
        let path = env::var_os("PATH").unwrap_or_default();
        let in_path = env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("nft"));
        PLACES
            .iter()
            .map(|place| rooted(place))
            .chain(in_path)
            .find(|place| place.is_file())
            .map(|program| Nft { program })
            .ok_or(NftError::Missing)
    }

    /// A given program in place of the one that is found.
    pub fn at(program: impl AsRef<Path>) -> Self {
        Nft {
            program: program.as_ref().to_owned(),
        }
    }

    /// Loads `ruleset` as one transaction: all of it or nothing.
    ///
    /// # Errors
    /// nft is missing, refuses, or does not end within `timeout`.
    pub fn run(&self, ruleset: &str, timeout: Duration) -> Result<(), NftError> {
        self.ask(&["-f", "-"], ruleset, timeout)
    }

    /// Asks nft and the kernel whether they would take `ruleset`.
    ///
    /// # Errors
    /// As [`Nft::run`].
    pub fn check(&self, ruleset: &str, timeout: Duration) -> Result<(), NftError> {
        self.ask(&["-c", "-f", "-"], ruleset, timeout)
    }

    /// Finds out what this nft and this kernel accept, without effect: each
    /// transaction is checked by the kernel and then dropped.
    ///
    /// # Errors
    /// nft is missing or does not answer.
    pub fn probe(&self, timeout: Duration) -> Result<Kernel, NftError> {
        let says = |ruleset| match self.check(ruleset, timeout) {
            Ok(()) => Ok(Ok(())),
            Err(NftError::Refused(why)) => Ok(Err(why)),
            Err(error) => Err(error),
        };
        let edge = says(probe::EDGE)?;
        let timeouts = says(probe::TIMEOUTS)?;
        let connlimit = says(probe::CONNLIMIT)?;
        Ok(Kernel {
            edge,
            timeouts,
            connlimit,
        })
    }

    fn ask(&self, args: &[&str], ruleset: &str, timeout: Duration) -> Result<(), NftError> {
        match child::run(&self.program, args, ruleset.as_bytes(), timeout)? {
            Ended::Exit { status, .. } if status.success() => Ok(()),
            Ended::Exit { status, .. } if status.signal() == Some(Signal::SIGKILL as i32) => {
                Err(NftError::Killed)
            }
            Ended::Exit { status, said } => Err(NftError::Refused(complaint(&said, status.code()))),
            Ended::NotStarted => Err(NftError::NotStarted),
            Ended::Killed => Err(NftError::Deadline(timeout)),
        }
    }
}

/// The first complaint without nft's picture of the place.
fn complaint(said: &[u8], status: Option<i32>) -> String {
    let said = String::from_utf8_lossy(said);
    let mut fallback = "";
    for line in said.lines().map(str::trim) {
        if line.contains("rror") {
            return one_line(line, MAX_COMPLAINT);
        }
        if fallback.is_empty() {
            fallback = line;
        }
    }
    match (fallback, status) {
        ("", Some(status)) => format!("it ended with status {status} and said nothing"),
        ("", None) => "a signal ended it".into(),
        (line, _) => one_line(line, MAX_COMPLAINT),
    }
}
