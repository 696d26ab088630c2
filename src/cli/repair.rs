// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape repair`: called by the service `mape` once a minute.

use super::args::{Args, Command};
use super::failure::Outcome;
use crate::handler::{look_after_rules, repair};
use crate::logging;

pub(super) const COMMAND: Command = Command {
    name: "repair",
    about: "set right what no event told of (for the service mape)",
    help: "\
Usage: mape repair

Sets up an interface again whose handler died, removes what a teardown left
behind, loads rules that are gone, and adapts address translation if traffic
control (such as SQM) was started or stopped on a tunnel. What is as it should
be is not touched.
/etc/init.d/mape calls this once a minute.

Example:
  mape repair
",
    options: &[],
    words: 0,
    run,
};

fn run(_: &Args, _: &mut String) -> Outcome {
    logging::init();
    // It is called again in a minute, so a netifd that is away is no news.
    if let Err(error) = repair() {
        log::debug!("netifd does not answer: {error}");
    }
    look_after_rules();
    Ok(())
}
