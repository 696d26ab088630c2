// SPDX-License-Identifier: GPL-2.0-or-later
//! Where log lines go: to syslog when a daemon runs us, to standard error when
//! a person does.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::{env, panic, process};

use log::{Level, LevelFilter, Log, Metadata, Record};
use syslog::{Facility, Formatter3164};

use crate::console;
use crate::sanitize::one_line;

/// Where the system's log daemon listens.
const SOCKET: &str = "/dev/log";

/// Longest line in characters: what log daemons keep whole.
const MAX_LINE: usize = 900;

/// Sends what the macros of the `log` crate say to syslog or standard error.
/// Before this is called they say nothing.
pub fn init() {
    // netifd passes standard error on to syslog, so nothing is lost if no log
    // daemon listens. A test sets `MAPE_ROOT` and reads standard error.
    let is_watched = io::stderr().is_terminal() || env::var_os("MAPE_ROOT").is_some();
    let is_set = if !is_watched && Path::new(SOCKET).exists() {
        log_panics();
        log::set_boxed_logger(Box::new(Syslog::new()))
    } else {
        log::set_logger(&Stderr)
    };
    if is_set.is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

/// Has a panic logged besides being printed.
fn log_panics() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        print(panic);
        log::error!("{panic}");
    }));
}

/// What is logged. It may quote options, files and servers, so control
/// characters are replaced and a long text is cut.
fn line(record: &Record<'_>) -> String {
    one_line(&record.args().to_string(), MAX_LINE)
}

/// Logs to standard error.
struct Stderr;

impl Log for Stderr {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        console::complain(&format!("mape: {}", line(record)));
    }

    fn flush(&self) {}
}

/// Logs to the system's log daemon.
struct Syslog(Formatter3164);

impl Syslog {
    fn new() -> Self {
        Syslog(Formatter3164 {
            facility: Facility::LOG_DAEMON,
            hostname: None,
            process: "mape".into(),
            pid: process::id(),
        })
    }

    /// Sends one line. Each has a connection of its own: the daemon may be
    /// restarted while a setup waits for days.
    fn send(&self, level: Level, line: &str) -> syslog::Result<()> {
        let mut daemon = syslog::unix(self.0.clone())?;
        match level {
            Level::Error => daemon.err(line),
            Level::Warn => daemon.warning(line),
            Level::Info => daemon.info(line),
            Level::Debug | Level::Trace => daemon.debug(line),
        }
    }
}

impl Log for Syslog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if self.send(record.level(), &line(record)).is_err() {
            Stderr.log(record);
        }
    }

    fn flush(&self) {}
}
