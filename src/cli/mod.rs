// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line: one file per subcommand.
//!
//! Exit status 0 done, 1 could not, 2 wrong use. Results go to standard
//! output, errors to standard error as one line that says what to do.

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
pub mod rpcd;
mod s46;
mod status;

use std::fmt::{self, Write as _};
use std::process::ExitCode;

use args::{Args, Command, HELP};
use failure::MISUSED;

use crate::console::{complain, print};

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
        (Err(Failure::Failed(reason)), _) => (reason, ExitCode::FAILURE),
        (Err(Failure::Usage(reason)), _) => (reason, MISUSED.into()),
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
        "help" | "-h" | "--help" => Ok(help(out)?),
        "-V" | "--version" => Ok(writeln!(out, "mape {VERSION}")?),
        _ => run_command(name, rest, out),
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn run_command(name: &str, rest: &[String], out: &mut String) -> Outcome {
    let Some(command) = command(name) else {
        return Err(match name.starts_with('-') {
            true => Failure::usage(format_args!("invalid option '{name}'")),
            false => Failure::usage(format_args!(
                "there is no command {name}; `mape` alone lists them"
            )),
        });
    };
    let outcome = Args::read(command, rest).and_then(|args| {
        if args.has(HELP) {
            out.push_str(command.help);
            return Ok(());
        }
        (command.run)(&args, out)
    });
    outcome.map_err(|failure| match *failure {
        Failure::Usage(reason) => {
            Failure::usage(format_args!("{reason}; see `mape {name} --help`"))
        }
        _ => failure,
    })
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
        "\n`mape COMMAND --help` explains a command with an example.\n\
         netifd calls this program as /lib/netifd/proto/mape.sh; the interface\n\
         is configured in /etc/config/network or in LuCI.\n",
    );
    Ok(())
}
