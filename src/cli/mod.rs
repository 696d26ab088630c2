// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line: one file per subcommand.
//!
//! Exit status 0: done. 1: it could not be done, or a value is wrong. 2: called
//! in a way there is none, such as an unknown option. Results go to standard
//! output, errors to standard error as one line that says what to do; with
//! `--json` standard output then has an object with the same words as `error`.

mod args;
mod br;
mod calc;
mod doctor;
mod failure;
mod firewall;
mod hb46pp;
mod history;
mod hotplug;
mod lookup;
pub mod mapcalc;
mod mapping_args;
mod nft;
mod output;
mod providers;
mod provision;
mod repair;
pub mod rpcd;
mod s46;
mod status;
mod suggest;

use std::fmt::{self, Write as _};
use std::process::ExitCode;

use args::{Args, Command, HELP};
use failure::MISUSED;
use output::{ErrorAnswer, json};

use crate::console::{complain, print};
use crate::sanitize::quoted;

pub use failure::{Failure, Outcome};

const COMMANDS: &[Command] = &[
    status::STATUS,
    status::PORTS,
    history::COMMAND,
    doctor::COMMAND,
    calc::COMMAND,
    lookup::COMMAND,
    br::COMMAND,
    nft::COMMAND,
    mapcalc::COMMAND,
    s46::COMMAND,
    hb46pp::COMMAND,
    firewall::COMMAND,
    hotplug::COMMAND,
    repair::COMMAND,
    provision::COMMAND,
];

/// Runs `mape` with these arguments (without its own name) on standard output
/// and standard error.
pub fn main(args: &[String]) -> ExitCode {
    let mut out = String::new();
    let outcome = run(args, &mut out);
    // What was found out before a failure belongs to the answer.
    let printed = print(&out);
    let (reason, status) = match (outcome.map_err(|failure| *failure), printed) {
        (Ok(()), Ok(())) => return ExitCode::SUCCESS,
        (Ok(()), Err(error)) => (format!("cannot write: {error}"), ExitCode::FAILURE),
        (Err(Failure::Said), _) => return ExitCode::FAILURE,
        (Err(Failure::Failed(reason)), _) => (reason.to_string(), ExitCode::FAILURE),
        (Err(Failure::Usage(reason)), _) => (reason.to_string(), MISUSED.into()),
    };
    complain(&format!("mape: {reason}"));
    status
}

/// Runs one command line, writing to `out`.
///
/// # Errors
/// What [`Failure`] says.
pub fn run(args: &[String], out: &mut String) -> Outcome {
    let (name, rest) = match args {
        [] => ("help", args),
        [name, rest @ ..] => (name.as_str(), rest),
    };
    match name {
        "help" => match rest {
            [] => Ok(help(out)?),
            [asked] => help_of(asked, out),
            [_, extra, ..] => Err(Failure::usage(format_args!(
                "unexpected argument {}; `mape help COMMAND` takes one command",
                quoted(extra)
            ))),
        },
        "-h" | "--help" => Ok(help(out)?),
        "-V" | "--version" => Ok(writeln!(out, "mape {VERSION}")?),
        _ if name.starts_with('-') => Err(misplaced_option(name, rest)),
        _ => run_command(name, rest, out),
    }
}

/// What to say if an option stands where a command should.
fn misplaced_option(name: &str, rest: &[String]) -> Box<Failure> {
    let shown = quoted(name);
    match rest.iter().find_map(|word| command(word)) {
        Some(command) => Failure::usage(format_args!(
            "option {shown} before the command; write `mape {} …` first, options after it",
            command.name
        )),
        None => Failure::usage(format_args!("invalid option {shown}; see `mape --help`")),
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn run_command(name: &str, rest: &[String], out: &mut String) -> Outcome {
    let Some(command) = command(name) else {
        return Err(no_command(name));
    };
    let outcome = Args::read(command, rest).and_then(|args| {
        if args.has(HELP) {
            out.push_str(command.help);
            return Ok(());
        }
        (command.run)(&args, out)
    });
    let outcome = outcome.map_err(|failure| match *failure {
        Failure::Usage(reason) => {
            Failure::usage(format_args!("{reason}; see `mape {name} --help`"))
        }
        _ => failure,
    });
    if let Err(failure) = &outcome
        && out.is_empty()
        && command.options.contains(&"json")
        && rest.iter().any(|arg| arg == "--json")
    {
        json(out, &ErrorAnswer::from(&**failure))?;
    }
    outcome
}

/// The help of the command `name`.
fn help_of(name: &str, out: &mut String) -> Outcome {
    let command = command(name).ok_or_else(|| no_command(name))?;
    out.push_str(command.help);
    Ok(())
}

/// What to say if `name` stands for a command that does not exist.
fn no_command(name: &str) -> Box<Failure> {
    let shown = quoted(name);
    let names = COMMANDS.iter().map(|command| command.name);
    match suggest::nearest(name, names.chain(["help"])) {
        Some(near) => Failure::usage(format_args!(
            "there is no command {shown}; did you mean `mape {near}`?"
        )),
        None => Failure::usage(format_args!(
            "there is no command {shown}; `mape --help` lists them"
        )),
    }
}

fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

fn help(out: &mut String) -> fmt::Result {
    write!(
        out,
        "mape {VERSION} - IPv4 for OpenWrt routers on IPv6-only lines\n\n\
         Usage: mape COMMAND [ARGUMENTS] [--json]\n\nCommands:\n"
    )?;
    for command in COMMANDS {
        writeln!(out, "  {:<10} {}", command.name, command.about)?;
    }
    out.push_str(
        "\n`mape help COMMAND` explains a command with an example.\n\
         netifd calls this program as /lib/netifd/proto/mape.sh; the interface\n\
         is configured in /etc/config/network or in LuCI.\n",
    );
    Ok(())
}
