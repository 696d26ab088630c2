// SPDX-License-Identifier: GPL-2.0-or-later
//! One port, or a range of them, that the firewall configuration forwards or
//! opens.

use crate::map::PortRange;
use crate::nat::{PortList, Protocol};
use crate::sanitize::quoted;

use super::uci::Section;

/// A `redirect` into the LAN, or a `rule` that opens a port of the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Ports outside.
    pub ports: PortRange,
    /// Host inside; `None` is the router itself.
    pub host: Option<String>,
    /// First port inside, where it is another one.
    pub inside: Option<u16>,
    /// It is a `redirect`, which rewrites addresses.
    pub redirect: bool,
}

impl Forward {
    /// Adds what a section forwards or opens: one for each range and protocol.
    pub(super) fn add(
        all: &mut Vec<Self>,
        section: &Section,
        protocols: &[Protocol],
        ports: &PortList,
    ) {
        let redirect = section.kind() == "redirect";
        let inside = section.get("dest_port").filter(|_| redirect);
        let inside = inside.and_then(|text| PortList::parse(text).ok());
        let inside = inside.and_then(|list| list.ports().next());
        let host = section.get("dest_ip").filter(|_| redirect);
        for ports in ports.ranges() {
            for &protocol in protocols {
                all.push(Forward {
                    name: section.get("name").map(str::to_owned),
                    protocol,
                    ports,
                    host: host.map(str::to_owned),
                    inside,
                    redirect,
                });
            }
        }
    }

    /// Where a port of it leads: `192.168.1.10:22`, `router:22`.
    pub fn target(&self, port: u16) -> String {
        let host = self.host.as_deref().unwrap_or("router");
        let step = port.saturating_sub(self.ports.first());
        let inside = self.inside.map_or(port, |first| first.saturating_add(step));
        format!("{host}:{inside}")
    }

    /// How it is called in a sentence.
    pub fn title(&self) -> String {
        let kind = match self.redirect {
            true => "forward",
            false => "opened port",
        };
        match &self.name {
            Some(name) => format!("{kind} {}", quoted(name)),
            None => format!("a {kind}"),
        }
    }
}
