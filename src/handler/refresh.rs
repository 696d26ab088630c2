// SPDX-License-Identifier: GPL-2.0-or-later
//! Are our rules there, and still right? Asked after firewall4 has loaded, and
//! when traffic control may have come or gone.

use super::problem::Problem;
use super::router::System;
use super::setup::warn_of;
use super::state::State;
use super::store::lock;
use super::translate::{Subject, Translation};
use crate::netfilter;

/// Loads the rules of an interface again if they are gone, or if the
/// firewall configuration forwards or opens other ports than before. Rules
/// that are right are left alone. Connections live on in either case: rules
/// are replaced as one transaction, and the kernel remembers connections apart
/// from rules.
///
/// # Errors
/// The rules could not be loaded.
pub fn refresh(interface: &str, router: &System) -> Result<(), Problem> {
    let _lock = lock();
    // Under the lock: an interface that went down meanwhile must not get its
    // rules back.
    let Some(mut state) = State::load(interface)? else {
        return Ok(());
    };
    let mut translation = Translation::new(&Subject::made(&state), router)?;
    warn_of(&state.interface, translation.warnings());
    if translation.is_loaded() {
        return Ok(());
    }
    translation.load()?;
    let technique = translation.plan().technique();
    log::info!("{}: rules loaded again ({technique})", state.interface);
    state.technique = translation.technique();
    Ok(state.save()?)
}

/// Loads the rules of each interface again that has lost them, and moves the
/// edge map's way in behind traffic control if that has come to the device, and
/// back if it has gone. Nobody is told of either, so this is asked whenever
/// something else happens, and once a minute.
pub fn look_after_rules() {
    let states = State::load_all();
    if states.is_empty() {
        return;
    }
    let Ok(chains) = netfilter::chains() else {
        return;
    };
    for state in states {
        let interface = &state.interface;
        let is_there = chains.iter().any(|chain| chain.is_marker_of(interface));
        let mut chains = chains.iter();
        let is_behind = chains.any(|chain| chain.is_way_in_behind_traffic_control(interface));
        let fits = !state.has_edge() || netfilter::has_ingress_qdisc(&state.device) == is_behind;
        if is_there && fits {
            continue;
        }
        if let Err(problem) = refresh(interface, &System::new()) {
            log::error!("{interface}: {problem}");
        }
    }
}
