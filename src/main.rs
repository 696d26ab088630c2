// SPDX-License-Identifier: GPL-2.0-or-later
//! Nothing but: which name was I called by, which command.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = env::args_os();
    let _called_as = args.next();
    mape::cli::main(args)
}
