// SPDX-License-Identifier: GPL-2.0-or-later
//! miniupnpd, which opens ports when programs ask for them: has it hand out the
//! ports that are kept for it, and open them again after firewall4 has loaded.

use std::path::Path;
use std::time::Duration;

use super::problem::Problem;
use super::router::System;
use super::state::State;
use super::translate::{Subject, Translation};
use crate::child::{self, Ended};
use crate::firewall::Miniupnpd;
use crate::map::PortSet;
use crate::nat::{PortList, Upnp};
use crate::paths::rooted;
use crate::sanitize::one_line;

/// Takes commands for `uci batch` and restarts miniupnpd.
const SCRIPT: &str = "/usr/share/mape/upnp.sh";

/// Longest time for the script. It calls two init scripts.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A line whose ports miniupnpd opens.
struct Served {
    interface: String,
    /// Its configuration says how many ports: then that of miniupnpd follows.
    counted: bool,
    share: PortList,
}

/// Called after each load of firewall4, which empties the chains of miniupnpd.
/// Does nothing if no port is kept for it.
pub fn follow(router: &System) {
    let served = served(router);
    let Some((first, miniupnpd)) = served.first() else {
        return;
    };
    let counted = served
        .iter()
        .map(|(line, _)| line)
        .find(|line| line.counted);
    let correction = miniupnpd.correction(counted.map(|line| &line.share));
    if correction.is_none() && served.iter().all(|(line, _)| line.share.is_empty()) {
        return;
    }
    let interface = counted.map_or(&first.interface, |line| &line.interface);
    match run(&rooted(SCRIPT), correction.as_deref().unwrap_or_default()) {
        Ok(()) => match (&correction, counted) {
            (Some(_), Some(line)) => log::info!("{interface}: UPnP may open {}", line.share),
            (Some(_), None) => log::info!("{interface}: UPnP is not limited any more"),
            (None, _) => {}
        },
        Err(why) => {
            log::warn!("{interface}: miniupnpd could not be told which ports the line has: {why}");
        }
    }
}

/// The lines whose ports miniupnpd opens, each with its configuration.
fn served(router: &System) -> Vec<(Served, &Miniupnpd)> {
    let mut served = Vec::new();
    for state in State::load_all() {
        let Some(miniupnpd) = router.config.miniupnpd(state.member()) else {
            continue;
        };
        match line(&state, router) {
            Ok(line) => served.push((line, miniupnpd)),
            // Said when its rules were loaded.
            Err(problem) => log::debug!("{}: {problem}", state.interface),
        }
    }
    served
}

fn line(state: &State, router: &System) -> Result<Served, Problem> {
    let translation = Translation::new(&Subject::made(state), router)?;
    // An address of one's own, or none, leaves nothing to limit.
    let is_shared = state.mechanism.ports().is_some_and(PortSet::is_shared);
    Ok(Served {
        interface: state.interface.clone(),
        counted: is_shared && matches!(state.upnp, Upnp::Ports(_)),
        share: translation.plan().upnp().clone(),
    })
}

fn run(script: &Path, commands: &str) -> Result<(), String> {
    let shell = Path::new("/bin/sh");
    let script = script.to_string_lossy();
    match child::run(shell, &[&script], commands.as_bytes(), TIMEOUT) {
        Ok(Ended::Exit { status, .. }) if status.success() => Ok(()),
        Ok(Ended::Exit { said, .. }) => {
            let said = String::from_utf8_lossy(&said);
            Err(one_line(said.trim(), 200))
        }
        Ok(Ended::NotStarted) => Err("there is no /bin/sh".into()),
        Ok(Ended::Killed) => Err("miniupnpd did not restart in time".into()),
        Err(error) => Err(error.to_string()),
    }
}
