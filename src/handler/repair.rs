// SPDX-License-Identifier: GPL-2.0-or-later
//! Finds what died and sets it right, whenever something else happens: an event
//! of hotplug, or a load of the firewall.
//!
//! netifd itself calls the handler again if a setup dies before the link is up.
//! It sees nothing of a handler that dies later, of a teardown that was cut
//! short, or of what an earlier netifd had set up. Our own files and locks tell
//! the rest.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipnet::Ipv6Net;

use super::address;
use super::attempt;
use super::bus::{BusError, Netifd};
use super::link::{address_owner, device_of};
use super::marks;
use super::settings::Protocol;
use super::silence;
use super::state::State;
use super::teardown::{is_wanted, undo};
use crate::netfilter;
use crate::netifd::{Dump, Interface, Notify};
use crate::paths::{self, renewal_file, stems_in};
use crate::uplink::{self, Uplink};

/// Longest wait for an attempt at work.
const PATIENCE: Duration = Duration::from_secs(6);

/// Longest wait for a teardown to remove what it can without the bus. Helping
/// it after that does no harm.
const TEARDOWN: Duration = Duration::from_secs(2);

/// Pauses before a renewal that nobody answered is asked for again, in seconds.
const AGAIN: [u64; 4] = [1, 2, 4, 8];

/// Pauses before a bus that failed is tried again, in seconds.
const BUS_AGAIN: [u64; 3] = [1, 2, 4];

/// Looks at every interface that netifd or our own files know of, and mends
/// those of which the two say different things.
///
/// # Errors
/// A bus that does not work.
pub fn repair() -> Result<(), BusError> {
    // No interface has this name; we only ask.
    let dump = Netifd::connect("")?.dump()?;
    let mut names: Vec<String> = dump.interfaces.iter().filter_map(owner).collect();
    for kind in ["json", "attempt", "renewal"] {
        names.extend(stems_in(&paths::run_dir(), kind).unwrap_or_default());
    }
    names.sort();
    names.dedup();
    names.iter().try_for_each(|name| repair_one(name))
}

/// The interface that one of netifd's belongs to: itself, or the one whose
/// address it carries. `None` if it is not ours.
fn owner(known: &Interface) -> Option<String> {
    if known.proto == address::PROTOCOL {
        return address_owner(&known.name).map(str::to_owned);
    }
    Protocol::from_name(&known.proto).map(|_| known.name.clone())
}

fn repair_one(name: &str) -> Result<(), BusError> {
    let mut bus = Netifd::connect(name)?;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        let status = bus.status(name)?;
        if status.as_ref().is_some_and(|status| status.pending) {
            // netifd calls the handler again by itself, and has hotplug called
            // when the link is up.
            return Ok(());
        }
        if !attempt::is_running(name) || Instant::now() >= deadline {
            break status;
        }
        sleep(Duration::from_millis(20));
    };
    match status {
        // Up, as far as netifd knows.
        Some(status) if status.up => {
            let state = State::load(name).ok().flatten();
            let died = attempt::has_died(name) || marks::is_abandoned(&renewal_file(name));
            let asks = match state.filter(|_| !died) {
                None => {
                    log::warn!("{name}: the handler died; setting up again");
                    true
                }
                Some(state) => has_moved(&bus.dump()?, &state),
            };
            if asks {
                ask_renewal(name)?;
            }
        }
        Some(_) => {
            let died = attempt::has_died(name);
            let went = goes_down_by_itself(name);
            if died {
                unblock(&mut bus, name)?;
            }
            clear(&mut bus, name, !went)?;
        }
        None => {
            clear(&mut bus, name, true)?;
            // netifd removes the devices that it knows.
            if let Err(error) = netfilter::delete_device(&device_of(name)) {
                log::debug!("{name}: {error}");
            }
        }
    }
    Ok(())
}

/// Whether the uplink has other prefixes than the one that was set up, as after a
/// change in the middle of a setup. The renewal that is asked for then looks
/// more closely.
fn has_moved(dump: &Dump, state: &State) -> bool {
    if state.prefix_source == uplink::Source::Option.as_str() {
        return false;
    }
    let used = state.mechanism.end_user();
    let Ok(uplinks) = uplink::find(dump, Some(&state.uplink), None) else {
        return false;
    };
    let prefixes: Vec<Ipv6Net> = uplinks.iter().flat_map(Uplink::prefixes).collect();
    !prefixes.is_empty() && !prefixes.iter().any(|prefix| prefix.contains(&used))
}

/// Removes what is left of an interface that is down, unless it is being set up
/// by now: a teardown may have been killed at any point, and netifd restarted.
fn clear(bus: &mut Netifd, name: &str, is_set_up: bool) -> Result<(), BusError> {
    let cleared = attempt::keep_out(name, || {
        let status = bus.status(name)?;
        if status
            .as_ref()
            .is_some_and(|known| known.up || known.pending)
        {
            return Ok(());
        }
        if status.is_none() {
            log::warn!("{name}: netifd does not know it any more; removing what is left of it");
        } else if is_set_up {
            log::warn!("{name}: removing what a teardown left behind");
        }
        undo(name);
        address::take_away(bus, name)?;
        if !is_wanted(status.as_ref()) {
            marks::forget(name);
            silence::forget(name);
        }
        Ok(())
    });
    cleared.unwrap_or(Ok(()))
}

/// netifd stays in the middle of a teardown for good if a setup told it of a
/// link just when the uplink went down, and died before it could tell more. Told
/// that the setup failed, it begins the teardown again; if it was about to do
/// something better, that begins again, too.
fn unblock(bus: &mut Netifd, name: &str) -> Result<(), BusError> {
    let status = bus.status(name)?;
    if status.is_none_or(|known| known.up || known.pending) {
        return Ok(());
    }
    match bus.notify(&Notify::SetupFailed) {
        // It is at work.
        Err(error) if error.status().is_some() => Ok(()),
        told => told,
    }
}

/// Whether a teardown is at work and removes the state file.
fn goes_down_by_itself(name: &str) -> bool {
    let deadline = Instant::now() + TEARDOWN;
    while Instant::now() < deadline {
        if !paths::state_file(name).exists() {
            return true;
        }
        sleep(Duration::from_millis(100));
    }
    false
}

/// What an event of `uplink` is for: everything is looked over, and what runs
/// over it renewed. It comes only once, so a bus that dies meanwhile is waited
/// for.
///
/// # Errors
/// A bus that does not work.
pub fn follow_event(uplink: &str) -> Result<(), BusError> {
    let mut pauses = BUS_AGAIN.iter();
    loop {
        match (repair().and_then(|()| renew_over(uplink)), pauses.next()) {
            // What netifd refuses now it refuses again.
            (Err(error), Some(seconds)) if error.status().is_none() => {
                log::debug!("{uplink}: {error}; trying again");
                sleep(Duration::from_secs(*seconds));
            }
            (result, _) => return result,
        }
    }
}

/// Asks for a renewal of each interface over `uplink`, and asks again if the
/// handler dies over it.
fn renew_over(uplink: &str) -> Result<(), BusError> {
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
    let mark = marks::hold_if_free(&file);
    let mut bus = Netifd::connect(interface)?;
    bus.ask_renew()?;
    if mark.is_err() {
        // Somebody else waits for one already, or there is no room for the file.
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
        if !status.is_some_and(|status| status.up) {
            // It starts over, or is not wanted any more.
            let _ = fs::remove_file(&file);
            return Ok(());
        }
        if attempt::is_running(interface) {
            return Ok(());
        }
        bus.ask_renew()?;
    }
    log::warn!("{interface}: no renewal was finished; the next event of the network tries again");
    Ok(())
}

/// A renewal is done: the interface is as it should be, whatever died before.
pub fn renewed(interface: &str) {
    if attempt::is_running(interface) {
        let _ = fs::remove_file(renewal_file(interface));
    } else {
        marks::forget_unless_held(interface);
    }
}
