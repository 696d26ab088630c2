// SPDX-License-Identifier: GPL-2.0-or-later
//! Decides by the name the program was called by which command runs.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use mape::handler::Protocol;
use mape::{cli, handler};

fn main() -> ExitCode {
    let args: Vec<String> = env::args_os()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let (called_as, rest) = match args.split_first() {
        Some((first, rest)) => (Path::new(first), rest),
        None => (Path::new(""), args.as_slice()),
    };
    let name = called_as.file_name().unwrap_or_default().to_string_lossy();
    if let Some(protocol) = name.strip_suffix(".sh").and_then(Protocol::from_name) {
        handler::main(protocol, rest)
    } else if name == "mapcalc" {
        cli::main(&[&["mapcalc".to_owned()], rest].concat())
    } else if cli::rpcd::is_called_by(called_as) {
        cli::rpcd::main(rest)
    } else {
        cli::main(rest)
    }
}
