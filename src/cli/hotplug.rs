// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape hotplug`: called by the hotplug script when an interface of netifd
//! came up or changed.

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use crate::handler::State;
use crate::handler::bus::Netifd;
use crate::logging;

pub(super) const COMMAND: Command = Command {
    name: "hotplug",
    about: "look over the tunnels of an uplink that changed (for hotplug)",
    help: "\
Usage: mape hotplug INTERFACE

Asks netifd to renew every interface whose tunnel runs over INTERFACE. One
that still fits its prefix is left alone. /etc/hotplug.d/iface/90-mape calls
this.

Example:
  mape hotplug wan6
",
    options: &[],
    words: 1,
    run,
};

fn run(args: &Args, _: &mut String) -> Outcome {
    let uplink = args.word();
    let uplink = uplink.ok_or_else(|| Failure::usage("INTERFACE is missing"))?;
    logging::init();
    for state in State::load_all().iter().filter(|s| s.uplink == uplink) {
        let asked = Netifd::connect(&state.interface).and_then(|mut bus| bus.ask_renew());
        if let Err(error) = asked {
            log::warn!("{}: {error}", state.interface);
        }
    }
    Ok(())
}
