// SPDX-License-Identifier: GPL-2.0-or-later
//! Nothing but: which name was I called by, which command.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use mape::handler::Protocol;
use mape::{cli, handler};

fn main() -> ExitCode {
    let mut args = env::args_os();
    let called_as = args.next().unwrap_or_default();
    let args: Vec<OsString> = args.collect();
    let name = Path::new(&called_as).file_name().unwrap_or_default();
    let protocol = name
        .to_str()
        .and_then(|name| name.strip_suffix(".sh"))
        .and_then(Protocol::from_name);
    match protocol {
        None if name == "mapcalc" => cli::main([vec![name.to_owned()], args].concat()),
        Some(protocol) => handler::main(protocol, &as_text(&args)),
        None if cli::rpcd::is_called_by(Path::new(&called_as)) => cli::rpcd::main(&as_text(&args)),
        None => cli::main(args),
    }
}

/// Arguments of callers that give nothing but text.
fn as_text(args: &[OsString]) -> Vec<String> {
    args.iter()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect()
}
