// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape firewall`: called by firewall4 after each load.

use super::args::{Args, Command};
use super::failure::Outcome;
use crate::handler::{State, System, follow_upnp, refresh, repair};
use crate::logging;

pub(super) const COMMAND: Command = Command {
    name: "firewall",
    about: "bring our rules back after firewall4 has loaded (for firewall4)",
    help: "\
Usage: mape firewall

Checks the rules of every interface that is up. They are loaded again if they
are gone, if the firewall configuration now forwards or opens other ports, or if
traffic control (such as SQM) was started or stopped on the tunnel. Otherwise
they are not touched. Connections survive in both cases. If UPnP has a share of
the ports, miniupnpd is asked to open its ports again.
/usr/share/mape/firewall.sh calls this.

Example:
  mape firewall
",
    options: &[],
    words: 0,
    run,
};

fn run(_: &Args, _: &mut String) -> Outcome {
    logging::init();
    if let Err(error) = repair() {
        log::warn!("netifd does not answer: {error}");
    }
    let router = System::new();
    for state in State::load_all() {
        if let Err(problem) = refresh(&state.interface, &router) {
            log::error!("{}: {problem}", state.interface);
        }
    }
    follow_upnp(&router);
    Ok(())
}
