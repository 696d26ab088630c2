// SPDX-License-Identifier: GPL-2.0-or-later
//! Loading rules: `nft -f -`, the one child process of the crate.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::plan::{self, Kernel, NatError};

/// Where OpenWrt and Debian have it; `PATH` comes after.
const PLACES: [&str; 2] = ["/usr/sbin/nft", "/sbin/nft"];

/// Most of nft's complaint that is kept.
const MAX_COMPLAINT: usize = 400;

/// Most of what nft says that is read at all.
const MAX_HEARD: u64 = 64 * 1024;

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
    #[error("nft: no answer after {} ms", .0.as_millis())]
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
        let usual = PLACES.iter().map(PathBuf::from);
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

    /// Deletes every table of `interface`, also where there is none.
    ///
    /// # Errors
    /// As [`Nft::run`]; a kernel without netdev tables is not an error.
    pub fn remove(&self, interface: &str, timeout: Duration) -> Result<(), NftError> {
        plan::check_interface(interface)?;
        match self.run(&plan::removal(interface), timeout) {
            Err(NftError::Refused(_)) => {
                let table = plan::table_of(interface);
                self.run(&plan::delete("inet", &table), timeout)
            }
            other => other,
        }
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
        let timeouts = says(super::inet::PROBE_TIMEOUTS)?;
        Ok(Kernel { edge, timeouts })
    }

    fn spawn(&self, args: &[&str], ruleset: &str, timeout: Duration) -> Result<(), NftError> {
        let mut child = Command::new(&self.program)
            .args(args)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => NftError::Missing,
                _ => NftError::Io(error),
            })?;
        let done = feed(&mut child, ruleset, timeout);
        if done.is_err() {
            // It may have ended by itself meanwhile; either way it is gone.
            let _ = child.kill();
            let _ = child.wait();
        }
        done
    }
}

/// Writes the rules, then waits for the verdict. nft reads all of its input
/// before it says anything, so that neither pipe can fill up for long; the
/// threads end with the child, which the caller kills after the deadline.
fn feed(child: &mut Child, ruleset: &str, timeout: Duration) -> Result<(), NftError> {
    let deadline = Instant::now() + timeout;
    let text = ruleset.to_owned();
    let writer = child.stdin.take().map(|mut stdin| {
        thread::spawn(move || {
            // A closed pipe means that nft has ended: its verdict tells why.
            let _ = stdin.write_all(text.as_bytes());
        })
    });
    let reader = child.stderr.take().map(|stderr| {
        thread::spawn(move || {
            let mut said = Vec::new();
            let _ = stderr.take(MAX_HEARD).read_to_end(&mut said);
            said
        })
    });
    let mut pause = Duration::from_micros(500);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= deadline {
            return Err(NftError::Deadline(timeout));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    let said = reader.and_then(|reader| reader.join().ok());
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said.unwrap_or_default()).into_owned();
    Err(NftError::Refused(one_line(&said, &status.to_string())))
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
