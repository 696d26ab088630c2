// SPDX-License-Identifier: GPL-2.0-or-later
//! What the plan asks of the router it runs on.

use std::fs;
use std::net::Ipv6Addr;

use super::plan::{Plan, Router};
use crate::firewall::{Opened, zones_of};
use crate::map::PortSet;
use crate::paths::{read_lossy, rooted};
use crate::ubus::Value;

/// The router we run on.
#[derive(Debug, Default)]
pub struct System {
    firewall: String,
}

impl System {
    /// Reads the firewall configuration; one that is missing names nothing.
    pub fn new() -> Self {
        System {
            firewall: read_lossy(rooted("/etc/config/firewall")).unwrap_or_default(),
        }
    }

    /// What the firewall configuration does with the ports of an interface.
    /// `reported` is the zone we report for it, where its own configuration
    /// names none.
    pub fn opened(
        &self,
        interface: &str,
        device: &str,
        reported: Option<&str>,
        set: PortSet,
    ) -> Opened {
        let mut zones = zones_of(&self.firewall, interface, device);
        zones.extend(reported.map(str::to_owned));
        Opened::read(&self.firewall, &zones, set)
    }
}

/// Seconds since boot.
pub fn uptime() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = text.split(['.', ' ']).next().unwrap_or_default();
    seconds.parse().unwrap_or(0)
}

/// MTU of a device for IPv6 in bytes.
pub fn uplink_mtu(device: &str) -> Option<u16> {
    // The MTU a router advertised, where there is one, is the line's.
    let places = [
        format!("/proc/sys/net/ipv6/conf/{device}/mtu"),
        format!("/sys/class/net/{device}/mtu"),
    ];
    // A device name comes from netifd, but a path must stay one.
    if device.contains('/') {
        return None;
    }
    places
        .iter()
        .find_map(|path| fs::read_to_string(rooted(path)).ok()?.trim().parse().ok())
}

impl Router for System {
    fn mtu(&self, device: &str) -> Option<u16> {
        uplink_mtu(device)
    }

    fn zone(&self, interface: &str) -> Option<String> {
        zones_of(&self.firewall, interface, "").into_iter().next()
    }
}

/// Rules for firewall4. It ties a rule to the device of the interface that
/// brings it unless the rule names another, and these are about packets that
/// come in on the uplink's.
pub fn firewall_rules(plan: &Plan) -> Vec<Value> {
    let Some(device) = &plan.uplink_device else {
        return Vec::new();
    };
    match plan.br() {
        Some(br) => tunnel_rules(plan, device, br),
        None => translation_rules(plan, device),
    }
}

/// Tunnel packets from the BR, and in a mesh from other CEs, reach us.
/// Otherwise only replies do, while conntrack still knows the tunnel, and a
/// port forward is dead after a quiet night.
fn tunnel_rules(plan: &Plan, device: &str, br: Ipv6Addr) -> Vec<Value> {
    let mut sources = vec![br.to_string()];
    for fmr in &plan.fmrs {
        sources.push(fmr.prefix6.to_string());
    }
    let ce = plan.mapping.ce_address().to_string();
    let mut rules = Vec::new();
    for source in &sources {
        rules.push(accept(&[
            ("src", "*"),
            ("device", device),
            ("proto", "4"),
            ("src_ip", source),
            ("dest_ip", &ce),
        ]));
    }
    rules
}

/// Translated packets pass between the uplink and the device that translates
/// them, which are in the same zone.
fn translation_rules(plan: &Plan, uplink: &str) -> Vec<Value> {
    let Some(zone) = plan.zone.as_ref().or(plan.own_zone.as_ref()) else {
        return Vec::new();
    };
    let ce = plan.mapping.ce_address().to_string();
    let mut rules = Vec::new();
    for (device, side) in [(plan.device.as_str(), "src_ip"), (uplink, "dest_ip")] {
        rules.push(accept(&[
            ("src", zone),
            ("dest", zone),
            ("device", device),
            ("direction", "in"),
            ("proto", "all"),
            (side, &ce),
        ]));
    }
    rules
}

fn accept(what: &[(&str, &str)]) -> Value {
    let mut rule = Value::texts(&[("type", "rule"), ("family", "ipv6"), ("target", "ACCEPT")]);
    for (name, text) in what {
        rule.put_text(name, text);
    }
    rule
}
