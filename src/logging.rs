// SPDX-License-Identifier: GPL-2.0-or-later
//! Where log lines go: to syslog when a daemon runs us, to standard error when
//! a person does.

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::{env, panic, process};

use log::{Level, LevelFilter, Log, Metadata, Record};
use syslog::{Facility, LogFormat, Severity};
use time::OffsetDateTime;

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
        log::set_logger(&Syslog)
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
struct Syslog;

impl Syslog {
    /// Sends one line. Each has a connection of its own: the daemon may be
    /// restarted while a setup waits for days.
    fn send(level: Level, line: &str) -> syslog::Result<()> {
        let mut daemon = syslog::unix(Rfc3164)?;
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
        if Syslog::send(record.level(), &line(record)).is_err() {
            Stderr.log(record);
        }
    }

    fn flush(&self) {}
}

/// A line as RFC 3164 has it, in UTC. The `syslog` crate's own formatter reads
/// a description of the date at run time, which doubles what the crate costs.
#[derive(Clone)]
struct Rfc3164;

impl LogFormat<&str> for Rfc3164 {
    fn format<W: Write>(&self, w: &mut W, severity: Severity, line: &str) -> syslog::Result<()> {
        let priority = Facility::LOG_DAEMON as u8 | severity as u8;
        let now = OffsetDateTime::now_utc();
        let (hour, minute, second) = now.to_hms();
        write!(
            w,
            "<{priority}>{:.3} {:2} {hour:02}:{minute:02}:{second:02} mape[{}]: {line}",
            now.month(),
            now.day(),
            process::id(),
        )
        .map_err(syslog::Error::Write)
    }
}
