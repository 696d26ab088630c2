// SPDX-License-Identifier: GPL-2.0-or-later
//! Where log lines go: to syslog when a daemon runs us, to standard error when
//! a person does.

use std::env;
use std::io::{self, IsTerminal, Write};

use log::{LevelFilter, Log, Metadata, Record};
use syslog::{BasicLogger, Facility, Formatter3164};

/// Plain lines on standard error.
struct Stderr;

impl Log for Stderr {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // Nobody is left to tell if even this fails.
        let _ = writeln!(io::stderr(), "mape: {}", record.args());
    }

    fn flush(&self) {}
}

/// Starts logging. `MAPE_ROOT` means a test, which reads standard error.
pub fn init() {
    let watched = io::stderr().is_terminal() || env::var_os("MAPE_ROOT").is_some();
    let logger: Box<dyn Log> = match syslog::unix(formatter()) {
        Ok(syslog) if !watched => Box::new(BasicLogger::new(syslog)),
        // netifd passes standard error on to syslog, so nothing is lost where
        // /dev/log is missing.
        _ => Box::new(Stderr),
    };
    if log::set_boxed_logger(logger).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

fn formatter() -> Formatter3164 {
    Formatter3164 {
        facility: Facility::LOG_DAEMON,
        hostname: None,
        process: "mape".into(),
        pid: std::process::id(),
    }
}
