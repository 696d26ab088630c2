// SPDX-License-Identifier: GPL-2.0-or-later
//! `renew`: the network may have changed; does the interface still fit it?

use std::fmt::Display;
use std::net::Ipv6Addr;

use super::attempt;
use super::bus::{BusError, Netifd};
use super::clock::uptime;
use super::link::Link;
use super::link::address_interface;
use super::plan::Plan;
use super::problem::Code;
use super::provisioned::ask_if_due;
use super::refresh::refresh;
use super::repair::renewed;
use super::router::System;
use super::settings::Settings;
use super::state::State;
use crate::netfilter;
use crate::netifd::{Dump, Notify};
use crate::paths;
use crate::provider;
use crate::uplink;

/// Leaves the interface alone if nothing has changed, so that connections
/// live; otherwise has netifd tear it down and set it up again, which removes
/// all that belongs to the old prefix. The same if the setup died before it was
/// done: netifd follows only a setup of its own by another one.
pub fn renew(settings: &Settings) {
    let interface = &settings.interface;
    let state = State::load(interface).unwrap_or_else(|error| {
        log::warn!("{interface}: {error}");
        None
    });
    let done = match state {
        None if attempt::is_running(interface) => return,
        None => Netifd::connect(interface).and_then(|mut bus| bus.notify(&Notify::SetupFailed)),
        Some(state) => compare(settings, &state).map(|()| renewed(interface)),
    };
    if let Err(error) = done {
        log::error!("{interface}: {error}");
    }
}

fn compare(settings: &Settings, state: &State) -> Result<(), BusError> {
    let mut bus = Netifd::connect(&settings.interface)?;
    let dump = bus.dump()?;
    if state.is_provisioned() {
        ask_if_due(settings, &dump, uptime());
    }
    let loaded = provider::load(paths::rooted(""));
    let router = System::new();
    let reason = match Plan::new(settings, &dump, &loaded.table, &router) {
        Ok(plan) => {
            let missing = || missing_address(&dump, &plan, &settings.interface);
            let no_device = || missing_device(&plan.device);
            match difference(&plan, &plan.remotes, state)
                .or_else(missing)
                .or_else(no_device)
            {
                None => {
                    restore_rules(&settings.interface, &router);
                    return Ok(());
                }
                Some(reason) => reason,
            }
        }
        Err(problem) if problem.code == Code::NameNotResolved && stands(settings, &dump, state) => {
            log::warn!("{}: {problem}; what runs stays", settings.interface);
            return Ok(());
        }
        Err(problem) => problem.detail.clone(),
    };
    log::info!("{}: starting over: {reason}", settings.interface);
    bus.notify(&Notify::SetupFailed)
}

/// Rules may be gone or out of date; connections live on.
fn restore_rules(interface: &str, router: &System) {
    if let Err(problem) = refresh(interface, router) {
        log::error!("{interface}: {problem}");
    }
}

/// Somebody may have deleted the device behind netifd's back.
fn missing_device(device: &str) -> Option<String> {
    let is_there = netfilter::index_of(device).is_ok();
    (!is_there).then(|| format!("device {device} is gone"))
}

/// The uplink may have gone and come while netifd did not watch it for us.
fn missing_address(dump: &Dump, plan: &Plan, interface: &str) -> Option<String> {
    plan.remote()?;
    let address = plan.mechanism.ce_address();
    let is_there = uplink::has_address(dump, &address_interface(interface), address);
    (!is_there).then(|| format!("{address} is gone from {}", plan.uplink))
}

/// Whether the line still has the prefix that the interface was set up with.
fn stands(settings: &Settings, dump: &Dump, state: &State) -> bool {
    let uplinks = uplink::find(dump, settings.tunlink.as_deref(), settings.end_user);
    let has = |uplink: &uplink::Uplink| uplink.any() == Some(state.mechanism.end_user());
    uplinks.is_ok_and(|all| all.iter().any(has))
}

/// What of a link differs from what is set up, for the log. A name may have
/// several addresses (`remotes`), and a resolver turns their order round.
fn difference(new: &Link, remotes: &[Ipv6Addr], old: &Link) -> Option<String> {
    let changed = |what: &str, old: &dyn Display, new: &dyn Display| {
        Some(format!("the {what} changed from {old} to {new}"))
    };
    let (now, before) = (&new.mechanism, &old.mechanism);
    if now.kind() != before.kind() {
        return changed("mechanism", &before.kind(), &now.kind());
    }
    if now.ce_address() != before.ce_address() || now.ipv4() != before.ipv4() {
        return changed("prefix", &before.end_user(), &now.end_user());
    }
    let is_known = before
        .remote()
        .is_some_and(|remote| remotes.contains(&remote));
    if now.border() != before.border() && !is_known {
        return Some("the border relay or AFTR changed".into());
    }
    if now.ports() != before.ports() || now.fmrs() != before.fmrs() {
        return Some("the rules changed".into());
    }
    if new.uplink != old.uplink {
        return changed("uplink", &old.uplink, &new.uplink);
    }
    if new.mtu != old.mtu {
        return changed("MTU", &old.mtu, &new.mtu);
    }
    None
}
