// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape hotplug`: called by the hotplug script when an interface of netifd
//! came up or changed.

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use crate::handler::{follow_event, look_after_rules};
use crate::logging;

pub(super) const COMMAND: Command = Command {
    name: "hotplug",
    about: "look over the tunnels of an uplink that changed (for hotplug)",
    help: "\
Usage: mape hotplug INTERFACE

Repairs interfaces whose handler died. Then asks netifd to renew every interface
whose tunnel runs over INTERFACE; those that still fit their prefix stay as they
are. Finally it loads rules that are gone, and adapts address translation if
traffic control (such as SQM) was started or stopped on a tunnel.
/etc/hotplug.d/iface/90-mape calls this, and net/90-mape when SQM has made a device.

Example:
  mape hotplug wan6
",
    options: &[],
    words: 1,
    run,
};

fn run(args: &Args, _: &mut String) -> Outcome {
    let interface = args.word();
    let interface = interface.ok_or_else(|| Failure::usage("INTERFACE is missing"))?;
    logging::init();
    if let Err(error) = follow_event(interface) {
        log::warn!("{interface}: netifd does not answer: {error}");
    }
    // SQM starts at an interface's events too.
    look_after_rules();
    Ok(())
}
