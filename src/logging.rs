// SPDX-License-Identifier: GPL-2.0-or-later
//! Where log lines go: to syslog when a daemon runs us, to standard error when
//! a person does.

use std::env;
use std::ffi::CString;
use std::fmt::Display;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use nix::libc;

use crate::console;
use crate::sanitize::one_line;

/// Where the system's log daemon listens.
const SOCKET: &str = "/dev/log";

/// Longest line in characters: what log daemons keep whole.
const MAX_LINE: usize = 900;

/// Where lines go: nowhere until [`init`].
static TARGET: AtomicU8 = AtomicU8::new(NOWHERE);
const NOWHERE: u8 = 0;
const STDERR: u8 = 1;
const SYSLOG: u8 = 2;

/// How much a line matters, as syslog(3) numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Level {
    /// Something does not work.
    Error = libc::LOG_ERR,
    /// Somebody should know it.
    Warning = libc::LOG_WARNING,
    /// It just happens.
    Info = libc::LOG_INFO,
}

/// Logs a line. It may quote options, files and servers: none of them writes a
/// line of its own into the log, and none a page.
pub fn say(level: Level, what: &dyn Display) {
    let target = TARGET.load(Relaxed);
    if target == NOWHERE {
        return;
    }
    let line = one_line(&what.to_string(), MAX_LINE);
    match target {
        SYSLOG => to_syslog(level, line),
        _ => console::complain(&format!("mape: {line}")),
    }
}

/// The C library's syslog(3): it is in every router anyway, where a crate for
/// it brings a calendar of 50 KB.
#[allow(unsafe_code)]
fn to_syslog(level: Level, line: String) {
    if let Ok(line) = CString::new(line) {
        // SAFETY: both strings end in a NUL and outlive the call; the format
        // takes one string.
        unsafe { libc::syslog(level as i32, c"%s".as_ptr(), line.as_ptr()) };
    }
}

/// Says what went wrong with `subject`, mostly an interface, and stays so.
pub fn error(subject: &str, what: &dyn Display) {
    say(Level::Error, &format_args!("{subject}: {what}"));
}

/// Says what somebody should know.
pub fn warn(subject: &str, what: &dyn Display) {
    say(Level::Warning, &format_args!("{subject}: {what}"));
}

/// Says what happens.
pub fn info(subject: &str, what: &dyn Display) {
    say(Level::Info, &format_args!("{subject}: {what}"));
}

/// Starts logging. `MAPE_ROOT` means a test, which reads standard error.
pub fn init() {
    let watched = io::stderr().is_terminal() || env::var_os("MAPE_ROOT").is_some();
    // netifd passes standard error on to syslog, so nothing is lost where
    // nobody listens.
    let target = if !watched && Path::new(SOCKET).exists() {
        open();
        SYSLOG
    } else {
        STDERR
    };
    TARGET.store(target, Relaxed);
}

#[allow(unsafe_code)]
fn open() {
    // SAFETY: the name is static, as openlog(3) demands: it keeps the pointer.
    unsafe { libc::openlog(c"mape".as_ptr(), libc::LOG_PID, libc::LOG_DAEMON) };
}
