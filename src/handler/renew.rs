// SPDX-License-Identifier: GPL-2.0-or-later
//! `renew`: the network may have changed; does the interface still fit it?

use super::bus::Netifd;
use super::plan::Plan;
use super::router::System;
use super::settings::Settings;
use super::setup::{address_interface, setup};
use super::state::State;
use crate::logging;
use crate::netifd::Notify;
use crate::paths;
use crate::provider;
use crate::ubus::Error;
use crate::uplink;
use crate::value::Value;

/// Leaves the interface alone where nothing has changed, so that connections
/// live; otherwise has netifd tear it down and set it up again, which removes
/// all that belongs to the old prefix. An interface that is not up yet is set
/// up.
pub fn renew(settings: &Settings) {
    let state = State::load(&settings.interface).unwrap_or_else(|error| {
        logging::warn(&settings.interface, &error);
        None
    });
    match state {
        None => setup(settings),
        Some(state) => {
            if let Err(error) = compare(settings, &state) {
                logging::error(&settings.interface, &error);
            }
        }
    }
}

fn compare(settings: &Settings, state: &State) -> Result<(), Error> {
    let mut bus = Netifd::connect(&settings.interface)?;
    let dump = bus.dump()?;
    let loaded = provider::load(&paths::rooted("/"));
    let reason = match Plan::new(settings, &dump, &loaded.table, &System::new()) {
        Ok(plan) => {
            let missing = || missing_address(&dump, &plan, &settings.interface);
            match difference(&plan, state).or_else(missing) {
                None => return Ok(()),
                Some(reason) => reason,
            }
        }
        Err(problem) => problem.detail.clone(),
    };
    logging::info(
        &settings.interface,
        &format_args!("starting over: {reason}"),
    );
    bus.notify(&Notify::SetupFailed)
}

/// The uplink may have gone and come while netifd did not watch it for us.
fn missing_address(dump: &Value, plan: &Plan, interface: &str) -> Option<String> {
    plan.br()?;
    let address = plan.mapping.ce_address();
    let is_there = uplink::has_address(dump, &address_interface(interface), address);
    (!is_there).then(|| format!("{address} is gone from {}", plan.uplink))
}

/// What of the link differs from what is set up, for the log.
fn difference(plan: &Plan, state: &State) -> Option<String> {
    let (new, old) = (&plan.mapping, &state.mapping);
    if new.ce_address() != old.ce_address() || new.ipv4() != old.ipv4() {
        return Some(format!(
            "the prefix changed from {} to {}",
            old.end_user(),
            new.end_user()
        ));
    }
    if new.border() != old.border() {
        return Some("the border relay changed".into());
    }
    if new.ports() != old.ports() || new.fmrs() != old.fmrs() || new.map_type() != old.map_type() {
        return Some("the rules changed".into());
    }
    if plan.uplink != state.uplink {
        return Some(format!(
            "the uplink changed from {} to {}",
            state.uplink, plan.uplink
        ));
    }
    if plan.mtu != state.mtu {
        return Some(format!(
            "the MTU changed from {} to {}",
            state.mtu, plan.mtu
        ));
    }
    None
}
