// SPDX-License-Identifier: GPL-2.0-or-later
//! What the plan asks of the router it runs on.

use std::fs;
use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::attempt::interruptible;
use super::choice::Router;
use super::names::{PATIENCE, SETUP_PATIENCE, resolve};
use super::plan::Plan;
use super::provisioned::{Provisioned, Record};
use super::silence::silent;
use crate::endpoint::{DnsName, Endpoint};
use crate::firewall::{Configuration, Member};
use crate::netifd::FirewallRule;
use crate::paths::{aftr_file, read_lossy, rooted};
use crate::reason::{Reason, Tell};
use crate::uplink::Uplink;

/// The router we run on.
#[derive(Debug, Default)]
pub struct System {
    /// What firewall4 and miniupnpd are told to do.
    pub config: Configuration,
    in_setup: bool,
}

impl System {
    /// Reads the configuration of firewall and miniupnpd; one that is missing
    /// names nothing.
    pub fn new() -> Self {
        let read = |path| read_lossy(rooted(path)).unwrap_or_default();
        System::reading(&read("/etc/config/firewall"), &read("/etc/config/upnpd"))
    }

    /// With these configurations of firewall and miniupnpd.
    pub(super) fn reading(firewall: &str, upnpd: &str) -> Self {
        System {
            config: Configuration::parse(firewall, upnpd),
            in_setup: false,
        }
    }

    /// The same for a setup, which has time to wait for names.
    pub fn in_setup() -> Self {
        System {
            in_setup: true,
            ..System::new()
        }
    }
}

/// MTU of a device for IPv6 in bytes.
pub fn uplink_mtu(device: &str) -> Option<u16> {
    // The MTU a router advertised, if there is one, is the line's.
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
        let member = Member {
            interface,
            device: "",
            reported: None,
        };
        self.config.zones(member).into_iter().next()
    }

    fn provisioned(&self, interface: &str, prefixes: &[Ipv6Net]) -> Option<Provisioned> {
        Provisioned::load(interface, prefixes)
    }

    fn resolve(&self, name: &DnsName, uplink: &Uplink) -> Result<Vec<Ipv6Addr>, Reason> {
        let device = uplink.l3_device.as_deref();
        let source = uplink.addresses.first().copied();
        let ask = |patience| resolve(name, &uplink.resolvers, source, device, patience);
        let found = match self.in_setup {
            true => interruptible(|| ask(SETUP_PATIENCE)),
            false => ask(PATIENCE),
        };
        found.map_err(|error| error.reason())
    }

    fn not_provisioned(&self, interface: &str, prefixes: &[Ipv6Net]) -> Option<Reason> {
        Record::failure_of(interface, prefixes)
    }

    fn aftr(&self, uplink: &str) -> Option<Endpoint> {
        read_lossy(aftr_file(uplink)).ok()?.trim_end().parse().ok()
    }

    fn silent(&self, interface: &str) -> Vec<Ipv6Addr> {
        silent(interface)
    }
}

/// Rules for firewall4. It ties a rule to the device of the interface that
/// brings it unless the rule names another, and these are about packets that
/// come in on the uplink's.
pub fn firewall_rules(plan: &Plan) -> Vec<FirewallRule> {
    let Some(device) = &plan.uplink_device else {
        return Vec::new();
    };
    match plan.remote() {
        Some(br) => tunnel_rules(plan, device, br),
        None => translation_rules(plan, device),
    }
}

/// Tunnel packets from the BR, and in a mesh from other CEs, reach us.
/// Otherwise only replies do, while conntrack still knows the tunnel, and a
/// port forward is dead after a quiet night.
fn tunnel_rules(plan: &Plan, device: &str, br: Ipv6Addr) -> Vec<FirewallRule> {
    let meshed = plan.fmrs.iter().map(|fmr| fmr.prefix6.to_string());
    let ce = plan.mechanism.ce_address().to_string();
    let rule = |source| {
        accept([
            ("src", "*".into()),
            ("device", device.into()),
            ("proto", "4".into()),
            ("src_ip", source),
            ("dest_ip", ce.clone()),
        ])
    };
    std::iter::once(br.to_string())
        .chain(meshed)
        .map(rule)
        .collect()
}

/// Translated packets pass between the uplink and the device that translates
/// them, which are in the same zone.
fn translation_rules(plan: &Plan, uplink: &str) -> Vec<FirewallRule> {
    let Some(zone) = plan.zone.as_ref().or(plan.own_zone.as_ref()) else {
        return Vec::new();
    };
    let ce = plan.mechanism.ce_address().to_string();
    let rule = |(device, side): (&str, &'static str)| {
        accept([
            ("src", zone.clone()),
            ("dest", zone.clone()),
            ("device", device.into()),
            ("direction", "in".into()),
            ("proto", "all".into()),
            (side, ce.clone()),
        ])
    };
    let sides = [(plan.device.as_str(), "src_ip"), (uplink, "dest_ip")];
    sides.map(rule).into()
}

fn accept<const N: usize>(what: [(&'static str, String); N]) -> FirewallRule {
    let all = [("type", "rule"), ("family", "ipv6"), ("target", "ACCEPT")];
    let all = all.map(|(name, text)| (name, text.to_owned()));
    FirewallRule(all.into_iter().chain(what).collect())
}
