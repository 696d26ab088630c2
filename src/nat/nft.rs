// SPDX-License-Identifier: GPL-2.0-or-later
//! Loading rules: `nft -f -`, the one child process of the crate.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::child;
use super::error::NatError;
use super::plan::Kernel;
use crate::paths::rooted;

/// Where OpenWrt and Debian have it; `PATH` comes after.
const PLACES: [&str; 2] = ["/usr/sbin/nft", "/sbin/nft"];

/// Most of nft's complaint that is kept.
const MAX_COMPLAINT: usize = 400;

/// Why rules were not loaded.
#[derive(Debug, thiserror::Error)]
pub enum NftError {
    /// There is no nft.
    #[error("nft is not installed (package nftables)")]
    Missing,
    /// It could not be started or fed.
    #[error("nft: {0}")]
    Io(#[from] std::io::Error),
    /// It did not answer in time and was killed.
    #[error("nft: no answer after {} ms", .0.as_millis() as u64)]
    Deadline(Duration),
    /// It refused the rules; nothing was changed.
    #[error("nft: {0}")]
    Refused(String),
    /// The name of the interface cannot be part of a table's name.
    #[error(transparent)]
    Name(#[from] NatError),
}

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
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = PLACES.into_iter().map(rooted);
        let others = std::env::split_paths(&path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join("nft"));
        usual
            .chain(others)
            .find(|program| program.is_file())
            .map(|program| Nft { program })
            .ok_or(NftError::Missing)
    }

    /// A given program in place of the one that is found.
    pub fn at(program: impl AsRef<Path>) -> Self {
        Nft {
            program: program.as_ref().into(),
        }
    }

    /// Loads `ruleset` as one transaction: all of it or nothing.
    ///
    /// # Errors
    /// nft is missing, refuses, or does not end within `timeout`.
    pub fn run(&self, ruleset: &str, timeout: Duration) -> Result<(), NftError> {
        self.spawn(&["-f", "-"], ruleset, timeout)
    }

    /// Asks nft and the kernel whether they would take `ruleset`.
    ///
    /// # Errors
    /// As [`Nft::run`].
    pub fn check(&self, ruleset: &str, timeout: Duration) -> Result<(), NftError> {
        self.spawn(&["-c", "-f", "-"], ruleset, timeout)
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
        let edge = says(super::edge::PROBE)?;
        let timeouts = says(super::inside::PROBE_TIMEOUTS)?;
        let connlimit = says(super::exhaustion::PROBE)?;
        Ok(Kernel {
            edge,
            timeouts,
            connlimit,
        })
    }

    fn spawn(&self, args: &[&str], ruleset: &str, timeout: Duration) -> Result<(), NftError> {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir("/");
        let ended = child::run(&mut command, ruleset.as_bytes(), timeout)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => NftError::Missing,
                _ => NftError::Io(error),
            })?
            .ok_or(NftError::Deadline(timeout))?;
        if ended.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&ended.said);
        Err(NftError::Refused(one_line(
            &said,
            &ended.status.to_string(),
        )))
    }
}

/// The first complaint without nft's picture of the place.
fn one_line(said: &str, status: &str) -> String {
    let complaint = said
        .lines()
        .map(str::trim)
        .find(|line| line.contains("rror"))
        .or_else(|| said.lines().map(str::trim).find(|line| !line.is_empty()))
        .unwrap_or(status);
    complaint
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_COMPLAINT)
        .collect()
}
