// SPDX-License-Identifier: GPL-2.0-or-later
//! The files of firewall4 and miniupnpd, read once, and what they say of a line.

use crate::map::PortSet;
use crate::nat::{PortList, Upnp, UpnpWish};

use super::miniupnpd::{Miniupnpd, upnp_wish};
use super::opened::{Opened, is_enabled};
use super::uci::Section;

/// What firewall4 and miniupnpd are told to do.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    firewall: Vec<Section>,
    miniupnpd: Option<Miniupnpd>,
}

/// An interface as a member of firewall zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// Logical interface.
    pub interface: &'a str,
    /// Its device.
    pub device: &'a str,
    /// The zone we report for it, if its own configuration names none.
    pub reported: Option<&'a str>,
}

impl Configuration {
    /// Reads the texts of `/etc/config/firewall` and `/etc/config/upnpd`. A
    /// file that does not exist is an empty text.
    pub fn parse(firewall: &str, upnpd: &str) -> Self {
        Configuration {
            firewall: Section::parse_all(firewall),
            miniupnpd: Miniupnpd::read(upnpd),
        }
    }

    /// The sections of `/etc/config/firewall`.
    pub fn sections(&self) -> &[Section] {
        &self.firewall
    }

    /// Names of the zones a member is in.
    pub fn zones(&self, member: Member<'_>) -> Vec<String> {
        let is_ours = |section: &&Section| {
            section.kind() == "zone"
                && is_enabled(section)
                && (section.words("network").contains(&member.interface)
                    || section.words("device").contains(&member.device))
        };
        let zones = self.firewall.iter().filter(is_ours);
        let names = zones.filter_map(|zone| zone.get("name"));
        names.chain(member.reported).map(str::to_owned).collect()
    }

    /// What is forwarded and opened. Without ports of our own (`None`) that is
    /// all that is asked for, so that it can be refused.
    pub fn opened(&self, member: Member<'_>, set: Option<PortSet>) -> Opened {
        let set = set.unwrap_or(PortSet::ALL);
        Opened::read(&self.firewall, &self.zones(member), set)
    }

    /// The miniupnpd, whatever it opens ports of, and whether it is to run or not.
    pub fn any_miniupnpd(&self) -> Option<&Miniupnpd> {
        self.miniupnpd.as_ref()
    }

    /// The miniupnpd that opens ports of a member when it runs.
    pub fn miniupnpd_of(&self, member: Member<'_>) -> Option<&Miniupnpd> {
        let miniupnpd = self.miniupnpd.as_ref()?;
        let serves = miniupnpd.serves(member.interface, &self.zones(member));
        serves.then_some(miniupnpd)
    }

    /// The same, if it is to run.
    pub fn miniupnpd(&self, member: Member<'_>) -> Option<&Miniupnpd> {
        self.miniupnpd_of(member)
            .filter(|miniupnpd| miniupnpd.is_enabled())
    }

    /// What miniupnpd is to have of `set`, by option `upnp` of the member.
    pub fn upnp_wish(&self, option: Upnp, member: Member<'_>, set: Option<PortSet>) -> UpnpWish {
        let Some(set) = set else {
            return UpnpWish::Nothing;
        };
        upnp_wish(option, self.miniupnpd(member), &PortList::from(set))
    }
}
