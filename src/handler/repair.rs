// SPDX-License-Identifier: GPL-2.0-or-later
//! Finds what died and sets it right, whenever something else happens: an event
//! of hotplug, or a load of the firewall.
//!
//! netifd itself calls the handler again if a setup dies before the link is up.
//! It sees nothing of a handler that dies later, of a teardown that was cut
//! short, or of what an earlier netifd had set up. Our own files and locks tell
//! the rest.

use std::fs::{self, File};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::attempt;
use super::bus::{BusError, Netifd};
use super::settings::Protocol;
use super::state::State;
use super::store::{make_directory, remove_if_there};
use super::teardown::undo;
use crate::netfilter;
use crate::paths::{self, renewal_file, stems_in};

/// Longest wait for an attempt at work, and for a teardown: netifd gives one
/// five seconds.
const PATIENCE: Duration = Duration::from_secs(6);

/// Pauses before a renewal that nobody answered is asked for again, in seconds.
const AGAIN: [u64; 4] = [1, 2, 4, 8];

/// Looks at every interface that netifd or our own files know of, and mends
/// those of which the two say different things.
///
/// # Errors
/// A bus that does not work.
pub fn repair() -> Result<(), BusError> {
    // No interface has this name; we only ask.
    let dump = Netifd::connect("")?.dump()?;
    let ours = |proto: &str| Protocol::from_name(proto).is_some();
    let known = dump.interfaces.iter().filter(|known| ours(&known.proto));
    let mut names: Vec<String> = known.map(|known| known.name.clone()).collect();
    for kind in ["json", "attempt", "renewal"] {
        names.extend(stems_in(&paths::run_dir(), kind).unwrap_or_default());
    }
    names.sort();
    names.dedup();
    names.iter().try_for_each(|name| repair_one(name))
}

fn repair_one(name: &str) -> Result<(), BusError> {
    let deadline = Instant::now() + PATIENCE;
    while attempt::is_running(name) && Instant::now() < deadline {
        sleep(Duration::from_millis(20));
    }
    let mut bus = Netifd::connect(name)?;
    let is_set_up = paths::state_file(name).exists();
    match bus.status(name)? {
        // Up, as far as netifd knows.
        Some(status) if status.up => {
            if !is_set_up || attempt::has_died(name) || renewal_file(name).exists() {
                log::warn!("{name}: the handler died; setting up again");
                ask_renewal(name)?;
            }
        }
        // netifd calls the handler again by itself.
        Some(status) if status.pending => {}
        Some(_) => {
            if is_set_up && !goes_down_by_itself(name) {
                log::warn!("{name}: removing what a teardown left behind");
                undo(name);
            }
        }
        None => {
            log::warn!("{name}: netifd does not know it any more; removing what is left of it");
            undo(name);
            // netifd removes the devices that it knows.
            if let Err(error) = netfilter::delete_device(&format!("map-{name}")) {
                log::debug!("{name}: {error}");
            }
            for file in [paths::attempt_file(name), renewal_file(name)] {
                let _ = remove_if_there(&file);
            }
        }
    }
    Ok(())
}

/// Whether the state file goes within the time that netifd gives a teardown.
fn goes_down_by_itself(name: &str) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if !paths::state_file(name).exists() {
            return true;
        }
        sleep(Duration::from_millis(100));
    }
    false
}

/// Asks for a renewal of each interface over `uplink`, and asks again if the
/// handler dies over it.
///
/// # Errors
/// A bus that does not work.
pub fn renew_over(uplink: &str) -> Result<(), BusError> {
    for state in State::load_all() {
        if state.uplink == uplink {
            ask_renewal(&state.interface)?;
        }
    }
    Ok(())
}

/// A renewal that is asked for leaves a file, which the handler removes when it
/// is done. What nobody removed is asked for again, also by the next event.
fn ask_renewal(interface: &str) -> Result<(), BusError> {
    let file = renewal_file(interface);
    let noted = make_directory(&paths::run_dir()).and_then(|()| File::create(&file));
    let mut bus = Netifd::connect(interface)?;
    bus.ask_renew()?;
    if noted.is_err() {
        return Ok(());
    }
    for seconds in AGAIN {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < deadline {
            if !file.exists() {
                return Ok(());
            }
            sleep(Duration::from_millis(5));
        }
        let status = bus.status(interface)?;
        if !status.is_some_and(|status| status.up) || attempt::is_running(interface) {
            // It starts over, or waits for the network: somebody is at it.
            return Ok(());
        }
        bus.ask_renew()?;
    }
    log::warn!("{interface}: no renewal was finished; the next event of the network tries again");
    Ok(())
}

/// A renewal is done.
pub fn renewed(interface: &str) {
    let _ = fs::remove_file(renewal_file(interface));
}
