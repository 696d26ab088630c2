// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape provision`: waits until what a line said about itself runs out, and then
//! has it asked again.

use std::thread::sleep;
use std::time::Duration;

use nix::unistd::getppid;

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use crate::handler::bus::Netifd;
use crate::handler::{Record, uptime};
use crate::logging;

pub(super) const COMMAND: Command = Command {
    name: "provision",
    about: "have a line asked again when its answer runs out (for netifd)",
    help: "\
Usage: mape provision INTERFACE

Waits until the answer of INTERFACE's provisioning server runs out (HB46PP) and
asks netifd to renew the interface, which asks the line again. netifd runs this
while the interface is up.

Example:
  mape provision wanmap
",
    options: &[],
    words: 1,
    run,
};

/// Longest sleep: whoever started us may have gone, and a clock may have been
/// suspended.
const NAP: Duration = Duration::from_secs(30);

/// Longest time that a renewal may take to ask the line.
const PATIENCE: u64 = 120;

fn run(args: &Args, _: &mut String) -> Outcome {
    let interface = args.word();
    let interface = interface.ok_or_else(|| Failure::usage("INTERFACE is missing"))?;
    logging::init();
    let parent = getppid();
    let mut not_before = 0;
    // A netifd that has been restarted sets its interfaces up again, with a process for each.
    while getppid() == parent {
        let now = uptime();
        let next = Record::load(interface).map_or(now + PATIENCE, |record| record.next);
        let next = next.max(not_before);
        if now < next {
            sleep(NAP.min(Duration::from_secs(next - now)));
            continue;
        }
        let asked = Netifd::connect(interface).and_then(|mut bus| bus.ask_renew());
        if let Err(error) = asked {
            log::warn!("{interface}: {error}");
        }
        not_before = now + PATIENCE;
    }
    Ok(())
}
