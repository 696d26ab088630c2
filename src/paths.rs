// SPDX-License-Identifier: GPL-2.0-or-later
//! Where files lie on a router, and how they are read.
//!
//! Every path goes through [`rooted`], so that a test can give the program a
//! router of its own: `MAPE_ROOT` is put before each path, and
//! `MAPE_UBUS_SOCKET` names the bus. On a development machine `MAPE_ROOT=files`
//! has the table of providers. Neither is meant for anything else.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// `path` (absolute) below `MAPE_ROOT`, if that is set.
pub fn rooted(path: &str) -> PathBuf {
    match env::var_os("MAPE_ROOT") {
        Some(root) if !root.is_empty() => Path::new(&root).join(path.trim_start_matches('/')),
        _ => PathBuf::from(path),
    }
}

/// The socket of the bus, if a test says where it is.
pub fn ubus_socket() -> Option<PathBuf> {
    env::var_os("MAPE_UBUS_SOCKET").map(PathBuf::from)
}

/// Directory of what is up now; on tmpfs, gone with a reboot.
pub fn run_dir() -> PathBuf {
    rooted("/var/run/mape")
}

/// What was set up for an interface, as JSON.
pub fn state_file(interface: &str) -> PathBuf {
    rooted(&format!("/var/run/mape/{interface}.json"))
}

/// What tells an attempt to set an interface up that is at work from one that
/// died.
pub fn attempt_file(interface: &str) -> PathBuf {
    rooted(&format!("/var/run/mape/{interface}.attempt"))
}

/// There while a renewal is asked for and not done.
pub fn renewal_file(interface: &str) -> PathBuf {
    rooted(&format!("/var/run/mape/{interface}.renewal"))
}

/// The AFTR that DHCPv6 named on an uplink, as `/etc/odhcp6c.user.d/90-mape`
/// notes it.
pub fn aftr_file(uplink: &str) -> PathBuf {
    rooted(&format!("/var/run/mape/{uplink}.aftr"))
}

/// The S46 rules that DHCPv6 gave on an uplink, noted in the same way: a line
/// for each type.
pub fn s46_file(uplink: &str) -> PathBuf {
    rooted(&format!("/var/run/mape/{uplink}.s46"))
}

/// The far ends of an interface that sent nothing back.
pub fn silent_file(interface: &str) -> PathBuf {
    rooted(&format!("/var/run/mape/{interface}.silent"))
}

/// What the last registration of an interface's fixed address came to.
pub fn registration_file(interface: &str) -> PathBuf {
    rooted(&format!("/var/run/mape/{interface}.registration"))
}

/// What the line of an interface said of itself when it was asked by HB46PP.
pub fn provision_file(interface: &str) -> PathBuf {
    rooted(&format!("/var/run/mape/{interface}.hb46pp"))
}

/// The configuration of all interfaces, with the secrets that netifd is not
/// told.
pub fn network_config() -> PathBuf {
    rooted("/etc/config/network")
}

/// Use of the ports of an interface over the last hours.
pub fn history_file(interface: &str) -> PathBuf {
    rooted(&format!("/var/run/mape/{interface}.history"))
}

/// The file that the stock package writes for scripts.
pub fn rules_file(interface: &str) -> PathBuf {
    rooted(&format!("/tmp/map-{interface}.rules"))
}

/// Text of a file that users write; bytes that are not UTF-8 become U+FFFD.
pub(crate) fn read_lossy(path: impl AsRef<Path>) -> io::Result<String> {
    let bytes = fs::read(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Names, without the extension, of the files in `directory` that have that
/// extension; sorted. Empty if there is no such directory.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn stems_in(directory: &Path, extension: &str) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut stems = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension)
            && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
        {
            stems.push(stem.to_owned());
        }
    }
    stems.sort();
    Ok(stems)
}
