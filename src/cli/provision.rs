// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape provision`: what an interface needs while it is up. Registers a fixed
//! address, has a line asked again when what it said about itself runs out, and
//! watches whether the AFTR answers.

use std::thread::sleep;
use std::time::Duration;

use nix::unistd::getppid;

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use crate::handler::bus::Netifd;
use crate::handler::{Record, Registrar, State, Watch, uptime};
use crate::logging;

pub(super) const COMMAND: Command = Command {
    name: "provision",
    about: "ask a line again, register its fixed address (for netifd)",
    help: "\
Usage: mape provision INTERFACE

Registers the address of INTERFACE with the provider's update server (option
update_url) until that has worked. Waits until the answer of its provisioning
server runs out (HB46PP) and asks netifd to renew the interface, which asks the
line again. Has another address of the AFTR tried if nothing comes back from the
one in use. netifd runs this while the interface is up.

Example:
  mape provision wanmap
",
    options: &[],
    words: 1,
    run,
};

/// Longest sleep: whoever started us may have gone, a clock may have been
/// suspended, and the configuration may have changed.
const NAP: Duration = Duration::from_secs(30);

/// Longest time that a renewal may take to ask the line, in seconds.
const PATIENCE: u64 = 120;

fn run(args: &Args, _: &mut String) -> Outcome {
    let interface = args.word();
    let interface = interface.ok_or_else(|| Failure::usage("INTERFACE is missing"))?;
    logging::init();
    let parent = getppid();
    let mut registrar = Registrar::new(interface);
    let mut watch = Watch::new(interface);
    let mut not_before = 0;
    // A netifd that has been restarted sets its interfaces up again, with a
    // process for each.
    while getppid() == parent {
        let state = State::load(interface).ok().flatten();
        let registration = registrar.step(state.as_ref());
        if let Some(state) = &state {
            watch.step(state);
        }
        let now = uptime();
        let provisioned = state.filter(|state| state.is_provisioned());
        let next = provisioned.map(|_| next_asking(interface, now).max(not_before));
        if next.is_some_and(|next| next <= now) {
            let asked = Netifd::connect(interface).and_then(|mut bus| bus.ask_renew());
            if let Err(error) = asked {
                log::warn!("{interface}: {error}");
            }
            not_before = now + PATIENCE;
            continue;
        }
        let until = [registration, next].into_iter().flatten().min();
        let nap = until.map(|until| Duration::from_secs(until.saturating_sub(now)));
        sleep(nap.unwrap_or(NAP).min(NAP));
    }
    Ok(())
}

/// When a line that said what it is has to be asked again, in seconds since
/// boot.
fn next_asking(interface: &str, now: u64) -> u64 {
    match Record::load(interface) {
        Some(record) if record.is_due(now) => now,
        Some(record) => record.next,
        None => now + PATIENCE,
    }
}
