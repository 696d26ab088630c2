// SPDX-License-Identifier: GPL-2.0-or-later
//! After firewall4 has loaded: are our rules there, and still right?

use super::problem::Problem;
use super::router::System;
use super::setup::warn_of;
use super::state::State;
use super::store::lock;
use super::translate::{Subject, Translation};

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
