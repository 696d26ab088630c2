// SPDX-License-Identifier: GPL-2.0-or-later
//! `teardown`: undo what setup did, by the record of it and not by what the
//! configuration says now. Every step is tried, whatever became of the one
//! before; what is gone already is done.

use super::address;
use super::bus::{BusError, Netifd};
use super::link::device_of;
use super::marks;
use super::nat46;
use super::registration::Registration;
use super::silence;
use super::state::State;
use super::store::{self, remove_written};
use super::translate;
use crate::mechanism::Kind;
use crate::netifd::Interface;
use crate::{netfilter, paths};

/// Removes everything of `interface`. netifd itself removes device, addresses
/// and routes, but only afterwards. What needs the bus comes last: netifd ends
/// a teardown after five seconds, and a bus that hangs must not keep the rest
/// from being done.
pub fn teardown(interface: &str) {
    undo(interface);
    if let Err(error) = tell(interface) {
        log::warn!("{interface}: teardown: the CE's address stays: {error}");
    }
}

fn tell(interface: &str) -> Result<(), BusError> {
    let mut bus = Netifd::connect_in_haste(interface)?;
    address::take_away(&mut bus, interface)?;
    if !is_wanted(bus.status(interface)?.as_ref()) {
        marks::forget_unless_held(interface);
        silence::forget(interface);
    }
    Ok(())
}

/// Whether netifd, which says `known` of the interface, will call a setup. That
/// one has to know of those before it.
pub fn is_wanted(known: Option<&Interface>) -> bool {
    known.is_some_and(|known| known.autostart)
}

/// Removes all that is ours alone: rules, the device of MAP-T, files.
pub fn undo(interface: &str) {
    let warn = |what: &str, error: &dyn std::fmt::Display| {
        log::warn!("{interface}: teardown: {what}: {error}");
    };
    let _lock = store::lock();
    let state = State::load(interface).unwrap_or_else(|error| {
        warn("state", &error);
        None
    });
    // Most often netifd has lost the device already.
    let _ = netfilter::close(&device_of(interface));
    if let Err(error) = translate::remove(interface, state.as_ref()) {
        warn("translation", &error);
    }
    let is_map_t = |s: &State| s.mechanism.kind() == Kind::MapT;
    if state.as_ref().is_none_or(is_map_t) {
        nat46::remove(&device_of(interface));
    }
    if let Err(error) = remove_written(&paths::rules_file(interface)) {
        warn("rules file", &error);
    }
    if let Err(error) = State::remove(interface) {
        warn("state", &error);
    }
    if let Err(error) = Registration::remove(interface) {
        warn("registration", &error);
    }
}
