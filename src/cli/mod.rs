// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line: one file per subcommand.
//!
//! Exit status 0 done, 1 could not, 2 wrong use. Results go to standard
//! output, errors to standard error as one line that says what to do.

mod args;
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

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use args::{Args, HELP};

use crate::streams;

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
    pub fn failed(reason: impl Display) -> Self {
        Failure::Failed(reason.to_string())
    }

    /// A command line that cannot be understood.
    pub fn usage(reason: impl Display) -> Self {
        Failure::Usage(reason.to_string())
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
    /// Its options; `=` ends those that take a value. All have `help`.
    options: &'static [&'static str],
    /// Most arguments that are no options.
    words: usize,
    run: fn(&Args, &mut dyn Write) -> Outcome,
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
pub fn main(args: &[String]) -> ExitCode {
    let mut out = Vec::new();
    let outcome = run(args, &mut out);
    // What was found out before a failure belongs to the answer.
    let written = streams::print(&out);
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
pub fn run(args: &[String], out: &mut dyn Write) -> Outcome {
    let (name, rest) = match args {
        [] => return help(out),
        [name, rest @ ..] => (name.as_str(), rest),
    };
    match name {
        "help" | "-h" | "--help" => return help(out),
        "-V" | "--version" => return Ok(writeln!(out, "mape {}", env!("CARGO_PKG_VERSION"))?),
        _ => {}
    }
    if name.starts_with('-') {
        return Err(Failure::usage(format_args!("invalid option '{name}'")));
    }
    let Some(command) = command(name) else {
        return Err(Failure::usage(format_args!(
            "there is no command {name}; `mape` alone lists them"
        )));
    };
    let outcome = Args::read(command, rest).and_then(|args| match args.has(HELP) {
        true => Ok(out.write_all(command.help.as_bytes())?),
        false => (command.run)(&args, out),
    });
    match outcome {
        Err(Failure::Usage(reason)) => Err(Failure::usage(format_args!(
            "{reason}; see `mape {name} --help`"
        ))),
        other => other,
    }
}

fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
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
