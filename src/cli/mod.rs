// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line: one file per subcommand.
//!
//! Exit status 0 done, 1 could not, 2 wrong use. Results go to standard
//! output, errors to standard error as one line that says what to do.

mod br;
mod calc;
mod doctor;
mod firewall;
mod hotplug;
mod lookup;
pub mod mapcalc;
mod mapping_args;
mod nft;
mod output;
mod providers;
pub mod rpcd;
mod s46;
mod status;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

pub use output::mapping_json;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line itself is wrong: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// It was understood but cannot be done: exit status 1.
    #[error("{0}")]
    Failed(String),
    /// It could not be done, and all there is to say has been said: exit
    /// status 1.
    #[error("")]
    Said,
    /// Printing failed. A reader that has closed its pipe has seen enough:
    /// nothing is said of that.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// A failure of what was asked for.
    pub fn failed(reason: impl std::fmt::Display) -> Self {
        Failure::Failed(reason.to_string())
    }

    /// A command line that cannot be understood.
    pub fn usage(reason: impl std::fmt::Display) -> Self {
        Failure::Usage(reason.to_string())
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Failure::usage(error)
    }
}

/// What a command comes to.
pub type Outcome = Result<(), Failure>;

/// A subcommand.
struct Command {
    name: &'static str,
    /// One line for the list of commands.
    about: &'static str,
    /// What `--help` prints: usage, options and an example.
    help: &'static str,
    run: fn(&mut lexopt::Parser, &mut dyn Write) -> Outcome,
}

const COMMANDS: &[Command] = &[
    status::STATUS,
    status::PORTS,
    doctor::COMMAND,
    calc::COMMAND,
    lookup::COMMAND,
    br::COMMAND,
    nft::COMMAND,
    mapcalc::COMMAND,
    s46::COMMAND,
    firewall::COMMAND,
    hotplug::COMMAND,
];

/// Runs `mape` with these arguments (without its own name) on standard output
/// and standard error.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let mut out = Vec::new();
    let outcome = run(args, &mut out);
    // What was found out before a failure belongs to the answer.
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(&out).and_then(|()| stdout.flush());
    match outcome.and_then(|()| Ok(written?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            if !matches!(failure, Failure::Said) {
                complain(&format!("mape: {failure}"));
            }
            match failure {
                Failure::Usage(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// A line on standard error. It may quote arguments and files: nothing in them
/// reaches a terminal as a command.
fn complain(line: &str) {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = line.chars().map(clean).collect();
    // Nobody is left to tell if even this fails.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Runs one command line, writing to `out`.
///
/// # Errors
/// What [`Failure`] says.
pub fn run(args: Vec<OsString>, out: &mut dyn Write) -> Outcome {
    let mut parser = lexopt::Parser::from_args(args);
    let name = match parser.next()? {
        None | Some(lexopt::Arg::Short('h') | lexopt::Arg::Long("help")) => return help(out),
        Some(lexopt::Arg::Short('V') | lexopt::Arg::Long("version")) => {
            return Ok(writeln!(out, "mape {}", env!("CARGO_PKG_VERSION"))?);
        }
        Some(lexopt::Arg::Value(name)) => name,
        Some(other) => return Err(other.unexpected().into()),
    };
    let name = name.to_string_lossy();
    if name == "help" {
        return help(out);
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(Failure::usage(format!(
            "there is no command {name}; `mape` alone lists them"
        )));
    };
    match (command.run)(&mut parser, out) {
        Err(Failure::Usage(reason)) if reason == HELP => {
            Ok(out.write_all(command.help.as_bytes())?)
        }
        Err(Failure::Usage(reason)) => Err(Failure::usage(format!(
            "{reason}; see `mape {name} --help`"
        ))),
        other => other,
    }
}

/// Reason of the [`Failure::Usage`] that asks for a command's help.
const HELP: &str = "--help";

/// The value of the option that was just read.
fn text(parser: &mut lexopt::Parser) -> Result<String, Failure> {
    Ok(lexopt::ValueExt::string(parser.value()?)?)
}

/// What a command answers to an option it does not know, `--help` among them.
fn unknown(arg: lexopt::Arg<'_>) -> Failure {
    match arg {
        lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => Failure::usage(HELP),
        other => other.unexpected().into(),
    }
}

fn help(out: &mut dyn Write) -> Outcome {
    writeln!(
        out,
        "mape {} - IPv4 for OpenWrt routers on IPv6-only lines\n\n\
         Usage: mape COMMAND [ARGUMENTS] [--json]\n\nCommands:",
        env!("CARGO_PKG_VERSION")
    )?;
    for command in COMMANDS {
        writeln!(out, "  {:<10} {}", command.name, command.about)?;
    }
    writeln!(
        out,
        "\n`mape COMMAND --help` explains a command with an example.\n\
         netifd calls this program as /lib/netifd/proto/mape.sh; the interface\n\
         is configured in /etc/config/network or in LuCI."
    )?;
    Ok(())
}
