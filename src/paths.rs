// SPDX-License-Identifier: GPL-2.0-or-later
//! Where things lie on a router.
//!
//! Every path goes through here, so that a test can give the program a router
//! of its own: `MAPE_ROOT` is put before each of them, and `MAPE_UBUS_SOCKET`
//! names the bus. Neither is meant for anything else.

use std::ffi::CStr;
use std::path::PathBuf;

use nix::libc;

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
pub fn rooted(path: &str) -> String {
    match variable(c"MAPE_ROOT") {
        Some(root) => format!("{}{path}", root.trim_end_matches('/')),
        None => path.to_owned(),
    }
}

/// The socket of the bus, if a test says where it is.
pub fn ubus_socket() -> Option<PathBuf> {
    variable(c"MAPE_UBUS_SOCKET").map(PathBuf::from)
}

/// Directory of what is up now; on tmpfs, gone with a reboot.
pub fn run_dir() -> String {
    rooted("/var/run/mape")
}

/// What was set up for an interface, as JSON.
pub fn state_file(interface: &str) -> String {
    rooted(&format!("/var/run/mape/{interface}.json"))
}

/// What the stock package leaves for scripts.
pub fn rules_file(interface: &str) -> String {
    rooted(&format!("/tmp/map-{interface}.rules"))
}
