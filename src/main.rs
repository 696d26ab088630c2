// SPDX-License-Identifier: GPL-2.0-or-later
//! Nothing but: which name was I called by, which command.

use std::env;
use std::process::ExitCode;

use mape::handler::Protocol;
use mape::heap::Heap;
use mape::{cli, handler};

#[global_allocator]
static HEAP: Heap = Heap;

fn main() -> ExitCode {
    // Nothing that we are given may be anything but text.
    let mut args: Vec<String> = Vec::new();
    for arg in env::args_os() {
        args.push(arg.to_string_lossy().into_owned());
    }
    let called_as = args.first().cloned().unwrap_or_default();
    let name = called_as.rsplit('/').next().unwrap_or_default();
    let rest = args.get(1..).unwrap_or_default();
    if let Some(protocol) = name.strip_suffix(".sh").and_then(Protocol::from_name) {
        return handler::main(protocol, rest);
    }
    if name == "mapcalc" {
        if let Some(first) = args.first_mut() {
            *first = "mapcalc".into();
        }
        return cli::main(&args);
    }
    match cli::rpcd::is_called_by(&called_as) {
        true => cli::rpcd::main(rest),
        false => cli::main(rest),
    }
}
