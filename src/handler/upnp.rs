// SPDX-License-Identifier: GPL-2.0-or-later
//! miniupnpd, which opens ports when programs ask for them: has it hand out the
//! ports that are kept for it, and open them again after firewall4 has loaded.

use std::path::Path;
use std::time::Duration;

use super::choice::Router as _;
use super::link::device_of;
use super::problem::Problem;
use super::router::System;
use super::section::{interface_sections, our_interface};
use super::state::State;
use super::translate::{Subject, Translation};
use crate::child::{self, Ended};
use crate::firewall::{Member, Section};
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
///
/// Limits of ours in its configuration are for a line that the configuration
/// has. They stay while the line is down or miniupnpd is switched off, since each
/// change is a write to the flash. They go when the line is removed or no longer
/// limits miniupnpd, or when miniupnpd is moved to another line.
pub fn follow(router: &System) {
    let Some(miniupnpd) = router.config.any_miniupnpd() else {
        return;
    };
    let limited = limited_lines(&interface_sections(), router);
    let served = served(router);
    let counted = served
        .iter()
        .find(|line| limited.contains(&line.interface) && line.counted);
    let correction = match counted {
        None if !limited.is_empty() => None,
        line => miniupnpd.correction(line.map(|line| &line.share)),
    };
    if correction.is_none() && served.iter().all(|line| line.share.is_empty()) {
        return;
    }
    match run(&rooted(SCRIPT), correction.as_deref().unwrap_or_default()) {
        Ok(()) => match (&correction, counted) {
            (Some(_), Some(line)) => {
                log::info!("{}: UPnP may open {}", line.interface, line.share);
            }
            (Some(_), None) => log::info!("UPnP is not limited any more"),
            (None, _) => {}
        },
        Err(why) => log::warn!("miniupnpd could not be told which ports the line has: {why}"),
    }
}

/// The lines of the configuration, up or not, whose ports miniupnpd opens when it
/// runs and which limit it.
fn limited_lines(sections: &[Section], router: &System) -> Vec<String> {
    let limits = |section: &&Section| {
        let upnp = section.get("upnp").and_then(|text| text.parse().ok());
        matches!(upnp, Some(Upnp::Ports(_))) && section.flag("disabled") != Some(true)
    };
    let served = |section: &Section| {
        let (name, _) = our_interface(section)?;
        // The zone that we report if none names the interface: that of the uplink.
        let own = section.get("zone").map(str::to_owned);
        let zone = own.or_else(|| router.zone(section.get("tunlink")?));
        let member = Member {
            interface: name,
            device: &device_of(name),
            reported: zone.as_deref(),
        };
        router.config.miniupnpd_of(member)?;
        Some(name.to_owned())
    };
    sections.iter().filter(limits).filter_map(served).collect()
}

/// The lines whose ports miniupnpd opens.
fn served(router: &System) -> Vec<Served> {
    let mut served = Vec::new();
    for state in State::load_all() {
        if router.config.miniupnpd(state.member()).is_none() {
            continue;
        }
        match line(&state, router) {
            Ok(line) => served.push(line),
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

#[cfg(test)]
mod tests {
    use super::*;

    const FIREWALL: &str = "config zone\n\toption name wan\n\tlist network wan6\n";

    /// The lines of a configuration that limit a miniupnpd with that line of its own.
    fn limited(network: &str, upnpd: &str) -> Vec<String> {
        let upnpd = format!("config upnpd config\n\toption enabled 1\n\t{upnpd}\n");
        let router = System::reading(FIREWALL, &upnpd);
        limited_lines(&Section::parse_all(network), &router)
    }

    const LINES: &str = "config interface wan4\n\toption proto mape\n\toption tunlink wan6\n\
        \toption upnp 16\n\
        config interface lan\n\toption proto static\n\toption upnp 16\n\
        config interface other\n\toption proto map\n\toption upnp auto\n";

    #[test]
    fn lines_that_limit_it_are_those_of_the_configuration() {
        assert_eq!(limited(LINES, ""), ["wan4"]);
        assert_eq!(limited(LINES, "option external_iface wan4"), ["wan4"]);
        assert_eq!(limited(LINES, "option enabled 0"), ["wan4"]);
        assert_eq!(limited(LINES, "option external_zone wan"), ["wan4"]);
        // Moved to another line.
        assert!(limited(LINES, "option external_iface wan5").is_empty());
        assert!(limited(LINES, "option external_zone guest").is_empty());
        // Not limited any more, switched off, or removed.
        for (old, new) in [
            (
                "upnp 16\nconfig interface lan",
                "upnp off\nconfig interface lan",
            ),
            ("proto mape\n", "proto mape\n\toption disabled 1\n"),
            ("config interface wan4", "config device wan4"),
        ] {
            let changed = LINES.replacen(old, new, 1);
            assert_ne!(changed, LINES);
            assert!(limited(&changed, "").is_empty(), "{new}");
        }
    }
}
