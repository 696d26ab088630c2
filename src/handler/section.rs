// SPDX-License-Identifier: GPL-2.0-or-later
//! An interface's own section of `/etc/config/network`: what netifd does not
//! pass to a handler.

use std::fs;
use std::time::SystemTime;

use super::settings::{Protocol, Settings};
use crate::firewall::Section;
use crate::netifd::Config;
use crate::paths::{network_config, read_lossy, s46_file};
use crate::provision::hb46pp::Credentials;

/// Options that netifd is not told of. It would pass them as an argument, which
/// every process of the router can read.
const SECRETS: [&str; 2] = ["password", "update_key"];

/// Options that a user may set in the section of an interface which the DHCPv6
/// client makes: what the server said is wrong now and then, or gets lost on
/// its way.
const CORRECTIONS: [&str; 6] = ["offset", "ealen", "psidlen", "psid", "mtu", "encaplimit"];

/// The section of that interface, if the configuration has one.
pub(super) fn section_of(interface: &str) -> Option<Section> {
    Section::named(&interface_sections(), "interface", interface).cloned()
}

/// The sections of all interfaces.
pub(super) fn interface_sections() -> Vec<Section> {
    let text = read_lossy(network_config()).unwrap_or_default();
    let mut sections = Section::parse_all(&text);
    sections.retain(|section| section.kind() == "interface");
    sections
}

/// Name and protocol of a section that configures an interface of ours.
pub fn our_interface(section: &Section) -> Option<(&str, Protocol)> {
    let protocol = Protocol::from_name(section.get("proto")?)?;
    let name = section.name().filter(|_| section.kind() == "interface")?;
    Some((name, protocol))
}

/// When the configuration was written last; `None` if there is none.
pub(super) fn last_change() -> Option<SystemTime> {
    fs::metadata(network_config()).ok()?.modified().ok()
}

/// The account for HB46PP as the configuration has it now: netifd does not
/// restart an interface when an option changes that it does not know.
pub(super) fn credentials(settings: &Settings) -> Option<Credentials> {
    let Some(section) = section_of(&settings.interface) else {
        return settings.credentials.clone();
    };
    let mut config = Config::default();
    for option in ["username", "password", "provision_server"] {
        config.set(option, section.get(option).unwrap_or_default());
    }
    Settings::credentials(&config).unwrap_or_else(|problem| {
        log::warn!("{}: {problem}", settings.interface);
        None
    })
}

/// The rules that the DHCPv6 client was given last for an interface which it
/// made. netifd sees no change in them, and keeps those of the beginning.
fn rules_now(config: &Config) -> Option<String> {
    let text = |option| config.text(option).ok().flatten();
    let kind = text("maptype").or_else(|| text("type"))?;
    let noted = read_lossy(s46_file(&text("tunlink")?)).ok()?;
    let of_kind = |line: &str| {
        line.strip_prefix(&kind)?
            .strip_prefix(' ')
            .map(str::to_owned)
    };
    noted
        .lines()
        .find_map(of_kind)
        .filter(|rules| !rules.is_empty())
}

/// The configuration that netifd passed, with what only the section says and
/// what is newer.
///
/// netifd passes of an interface that the DHCPv6 client made only what the
/// client wrote, so the user's corrections are read from the section; `option
/// disabled '1'` in it keeps netifd from making an interface of its own.
pub(super) fn completed(mut config: Config, interface: &str) -> Config {
    if config.is_from_dhcp()
        && let Some(rules) = rules_now(&config)
    {
        config.set("rule", &rules);
    }
    let Some(section) = section_of(interface) else {
        return config;
    };
    let options = match config.is_from_dhcp() {
        true => &CORRECTIONS[..],
        false => &SECRETS[..],
    };
    for option in options {
        if let Some(value) = section.get(option) {
            config.set(option, value);
        }
    }
    config
}
