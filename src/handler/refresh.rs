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

/// Moves the edge map's way in of each interface behind traffic control if that
/// has come to the device, and back if it has gone. It tells nobody when it
/// does, so this is asked whenever something else happens, and once a minute.
pub fn follow_traffic_control() {
    let mut states = State::load_all();
    states.retain(State::has_edge);
    if states.is_empty() {
        return;
    }
    let Ok(chains) = netfilter::chains() else {
        return;
    };
    for state in states {
        let interface = &state.interface;
        let mut chains = chains.iter();
        let is_behind = chains.any(|chain| chain.is_way_in_behind_traffic_control(interface));
        if netfilter::has_ingress_qdisc(&state.device) == is_behind {
            continue;
        }
        if let Err(problem) = refresh(interface, &System::new()) {
            log::error!("{interface}: {problem}");
        }
    }
}
