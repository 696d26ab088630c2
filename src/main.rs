// SPDX-License-Identifier: GPL-2.0-or-later
//! Nothing but: which name was I called by, which command.

use std::env;
use std::iter;
use std::path::Path;
use std::process::ExitCode;

use mape::handler::Protocol;
use mape::{cli, handler};

fn main() -> ExitCode {
    let mut args = env::args_os();
    let called_as = args.next().unwrap_or_default();
    let name = Path::new(&called_as).file_name().unwrap_or_default();
    let protocol = name
        .to_str()
        .and_then(|name| name.strip_suffix(".sh"))
        .and_then(Protocol::from_name);
    match protocol {
        None if name == "mapcalc" => cli::main(iter::once(name.to_owned()).chain(args)),
        Some(protocol) => {
            let args: Vec<String> = args.map(|a| a.to_string_lossy().into_owned()).collect();
            handler::main(protocol, &args)
        }
        None if cli::rpcd::is_called_by(Path::new(&called_as)) => cli::rpcd::main(args),
        None => cli::main(args),
    }
}
