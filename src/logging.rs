// SPDX-License-Identifier: GPL-2.0-or-later
//! Where log lines go: to syslog when a daemon runs us, to standard error when
//! a person does.

use std::env;
use std::ffi::CString;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::Path;

use log::{Level, LevelFilter, Log, Metadata, Record};
use nix::libc;

use crate::streams::complain;
use crate::text;

/// Where the system's log daemon listens.
const SOCKET: &str = "/dev/log";

/// Longest line in characters: what log daemons keep whole.
const MAX_LINE: usize = 900;

/// Plain lines on standard error.
struct Stderr;

impl Log for Stderr {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        complain(&format!("mape: {}", one_line(record)));
    }

    fn flush(&self) {}
}

/// The C library's syslog(3): it is in every router anyway, where a crate for
/// it brings a calendar of 50 KB.
struct Syslog;

impl Log for Syslog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    #[allow(unsafe_code)]
    fn log(&self, record: &Record<'_>) {
        let Ok(line) = CString::new(one_line(record)) else {
            return;
        };
        // SAFETY: both strings end in a NUL and outlive the call; the format
        // takes one string.
        unsafe { libc::syslog(priority(record.level()), c"%s".as_ptr(), line.as_ptr()) };
    }

    fn flush(&self) {}
}

/// What is logged may quote options, files and servers: none of them writes a
/// line of its own into the log, and none a page.
fn one_line(record: &Record<'_>) -> String {
    text::one_line(&record.args().to_string(), MAX_LINE)
}

fn priority(level: Level) -> i32 {
    match level {
        Level::Error => libc::LOG_ERR,
        Level::Warn => libc::LOG_WARNING,
        Level::Info => libc::LOG_INFO,
        Level::Debug | Level::Trace => libc::LOG_DEBUG,
    }
}

/// Logs one line about `subject`, mostly an interface: a macro would lay out all
/// of it again wherever something is said.
pub fn say(level: Level, subject: &str, what: &dyn Display) {
    log::log!(level, "{subject}: {what}");
}

/// Says what went wrong, and stays so.
pub fn error(subject: &str, what: &dyn Display) {
    say(Level::Error, subject, what);
}

/// Says what somebody should know.
pub fn warn(subject: &str, what: &dyn Display) {
    say(Level::Warn, subject, what);
}

/// Says what happens.
pub fn info(subject: &str, what: &dyn Display) {
    say(Level::Info, subject, what);
}

/// Starts logging. `MAPE_ROOT` means a test, which reads standard error.
pub fn init() {
    let watched = io::stderr().is_terminal() || env::var_os("MAPE_ROOT").is_some();
    // netifd passes standard error on to syslog, so nothing is lost where
    // nobody listens.
    let logger: &'static dyn Log = if !watched && Path::new(SOCKET).exists() {
        open();
        &Syslog
    } else {
        &Stderr
    };
    if log::set_logger(logger).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

#[allow(unsafe_code)]
fn open() {
    // SAFETY: the name is static, as openlog(3) demands: it keeps the pointer.
    unsafe { libc::openlog(c"mape".as_ptr(), libc::LOG_PID, libc::LOG_DAEMON) };
}
