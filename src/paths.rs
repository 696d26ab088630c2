// SPDX-License-Identifier: GPL-2.0-or-later
//! Where things lie on a router.
//!
//! Every path goes through here, so that a test can give the program a router
//! of its own: `MAPE_ROOT` is put before each of them, and `MAPE_UBUS_SOCKET`
//! names the bus. Neither is meant for anything else.

use std::ffi::CStr;
use std::io;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::libc;

use crate::streams;

/// A variable of the environment.
#[allow(unsafe_code)]
pub fn variable(name: &CStr) -> Option<String> {
    // SAFETY: nothing in this program changes the environment, so what getenv(3)
    // points to stays.
    let value = unsafe {
        libc::getenv(name.as_ptr())
            .as_ref()
            .map(|c| CStr::from_ptr(c))
    };
    value.map(|value| value.to_string_lossy().into_owned())
}

/// `path` (absolute) below `MAPE_ROOT`, where that is set.
pub fn rooted(path: &str) -> PathBuf {
    match variable(c"MAPE_ROOT") {
        Some(root) => Path::new(&root).join(path.trim_start_matches('/')),
        None => PathBuf::from(path),
    }
}

/// The socket of the bus, if a test says where it is.
pub fn ubus_socket() -> Option<PathBuf> {
    variable(c"MAPE_UBUS_SOCKET").map(PathBuf::from)
}

/// Directory of what is up now; on tmpfs, gone with a reboot.
pub fn run_dir() -> PathBuf {
    rooted("/var/run/mape")
}

/// What was set up for an interface, as JSON.
pub fn state_file(interface: &str) -> PathBuf {
    run_dir().join(format!("{interface}.json"))
}

/// What the stock package leaves for scripts.
pub fn rules_file(interface: &str) -> PathBuf {
    rooted("/tmp").join(format!("map-{interface}.rules"))
}

/// Names of the files in `directory` that are called SOMETHING`ending`, sorted,
/// as text and without the ending. None where there is no such directory.
///
/// # Errors
/// The directory cannot be read.
pub fn names_in(directory: &Path, ending: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut directory = match streams::open(directory, OFlag::O_DIRECTORY) {
        Ok(directory) => Dir::from_fd(directory)?,
        Err(error) if streams::is_missing(&error) => return Ok(names),
        Err(error) => return Err(error),
    };
    for entry in directory.iter() {
        if let Ok(name) = entry?.file_name().to_str()
            && let Some(stem) = name.strip_suffix(ending)
            && !stem.is_empty()
        {
            let at = names.partition_point(|name: &String| name.as_str() < stem);
            names.insert(at, stem.to_owned());
        }
    }
    Ok(names)
}
