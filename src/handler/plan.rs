// SPDX-License-Identifier: GPL-2.0-or-later
//! From options and network to what is to be set up: pure, so that a test can
//! ask for the plan of any line.

use std::net::Ipv6Addr;
use std::ops::Deref;

use super::choice::{Choice, Router, choose};
use super::link::{Link, PROVISIONED, device_of};
use super::owner::Owner;
use super::problem::{Code, Problem};
use super::settings::Settings;
use crate::map::{Dialect, MapType, Mapping, Rule};
use crate::mechanism::{Kind, Mechanism};
use crate::netifd::{Dump, FirewallRule, Fmr, Tunnel, Update};
use crate::provider::Table;
use crate::uplink::{self, Uplink, UplinkError};

/// What is to be set up.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What will be on record.
    pub link: Link,
    /// Network device of the uplink.
    pub uplink_device: Option<String>,
    /// Hop limit of the outer header.
    pub ttl: u8,
    /// Firewall zone whose configuration names the interface.
    pub own_zone: Option<String>,
    /// Metric of the default route, if it is not that of the interface.
    pub metric: Option<u32>,
    /// FMRs for the kernel.
    pub fmrs: Vec<Fmr>,
    /// All addresses that the name of the far end has.
    pub remotes: Vec<Ipv6Addr>,
    /// Things the user should know, one line each.
    pub warnings: Vec<String>,
}

impl Deref for Plan {
    type Target = Link;

    fn deref(&self) -> &Link {
        &self.link
    }
}

/// MTU of an uplink that does not tell: Ethernet's.
const ETHERNET_MTU: u16 = 1500;

impl Plan {
    /// Decides everything. `dump` is what netifd knows of all interfaces.
    ///
    /// # Errors
    /// Why the interface cannot come up (yet).
    pub fn new(
        settings: &Settings,
        dump: &Dump,
        table: &Table,
        router: &dyn Router,
    ) -> Result<Self, Problem> {
        let uplinks = uplink::find(dump, settings.tunlink.as_deref(), settings.end_user)
            .map_err(uplink_problem)?;
        let mut first_problem = None;
        for uplink in &uplinks {
            match choose(settings, uplink, table, router) {
                Ok(choice) => return Ok(plan(choice, settings, uplink, router)),
                Err(problem) => first_problem = first_problem.or(Some(problem)),
            }
        }
        // `find` never returns an empty list without saying why.
        Err(first_problem.unwrap_or_else(|| uplink_problem(UplinkError::NoUplink)))
    }

    /// The tunnel, its addresses and routes as netifd takes them.
    pub fn link_up(&self, firewall: Vec<FirewallRule>) -> Update<'_> {
        let is_map_e = self.mechanism.kind() == Kind::MapE;
        let ce = self.mechanism.ce_address();
        let tunnel = self.remote().map(|remote| Tunnel {
            mtu: self.mtu,
            ttl: self.ttl,
            local: ce,
            remote,
            link: &self.uplink,
            encaplimit: self.encaplimit.as_deref(),
            fmrs: is_map_e.then_some(&self.fmrs),
        });
        Update {
            ifname: &self.device,
            // Without a tunnel what comes for the CE's address must be routed
            // into the device that translates it.
            inside: tunnel.is_none().then_some(ce),
            tunnel,
            address: self.mechanism.ipv4().addr(),
            metric: self.metric,
            zone: self.zone.as_deref(),
            firewall,
        }
    }
}

/// What is set up for a mechanism that was chosen.
fn plan(choice: Choice, settings: &Settings, uplink: &Uplink, router: &dyn Router) -> Plan {
    let Choice {
        mechanism,
        owner,
        mesh,
        why,
        remotes,
    } = choice;
    let mut warnings = Vec::from_iter(ignored(settings, owner.as_ref()));
    let end_user = mechanism.end_user();
    let mut fmrs = Vec::new();
    if let Some(mapping) = mechanism.mapping() {
        fmrs = kernel_fmrs(mapping, mesh, &mut warnings);
        if mapping.subnet_id() != 0 {
            warnings.push(format!(
                "the BR sends to subnet 0 of the /{}, but {end_user} is subnet {}: nothing may \
                 come back",
                mapping.bmr().end_user_len(),
                mapping.subnet_id()
            ));
        }
    }
    if let Some(stale) = uplink.stale_besides(&end_user) {
        warnings.push(format!(
            "option ip6prefix of {} says {stale}, but the line has {end_user}, which is used: \
             remove the option",
            uplink.interface,
        ));
    }
    let link_mtu = uplink.l3_device.as_deref().and_then(|dev| router.mtu(dev));
    let mtu = settings
        .mtu
        .unwrap_or_else(|| default_mtu(link_mtu, mechanism.kind(), owner.as_ref()));
    let source = uplink.source_of(&end_user);
    let source = source.unwrap_or(uplink::Source::OnLink);
    let link = Link {
        device: device_of(&settings.interface),
        encaplimit: encaplimit(settings, &mechanism, owner.as_ref()),
        mechanism,
        why,
        provider: owner.map(|owner| (owner.id, owner.name)),
        uplink: uplink.interface.clone(),
        prefix_source: source.as_str().into(),
        mtu,
        zone: zone(settings, uplink, router),
        mesh,
    };
    Plan {
        link,
        uplink_device: uplink.l3_device.clone(),
        ttl: if settings.ttl == 0 { 64 } else { settings.ttl },
        metric: Some(uplink.metric).filter(|&metric| settings.inherits_metric && metric > 0),
        own_zone: router.zone(&settings.interface),
        fmrs,
        remotes,
        warnings,
    }
}

/// Corrections are of what a line says of itself; the table's rules need none.
fn ignored(settings: &Settings, owner: Option<&Owner>) -> Option<String> {
    let owner = owner.filter(|owner| owner.id != PROVISIONED && !settings.overrides.is_empty())?;
    Some(format!(
        "offset, ealen, psidlen and psid are ignored, since the line is one of {}, which is \
         known: remove them, or set provider 'none' and give the whole rule",
        owner.name
    ))
}

/// MTU in bytes that lines with a fixed address have.
const IPIP_MTU: u16 = 1460;

/// The uplink's MTU less what a packet grows by; a provider's caps it, since a
/// device may take larger frames than the line.
fn default_mtu(link: Option<u16>, kind: Kind, owner: Option<&Owner>) -> u16 {
    let link = link.unwrap_or(ETHERNET_MTU);
    let own = link.saturating_sub(kind.overhead());
    let usual = (kind == Kind::IpIp).then_some(IPIP_MTU);
    let most = owner.and_then(|owner| owner.mtu).or(usual);
    own.min(most.unwrap_or(u16::MAX))
}

/// An explicit option wins; the BRs of the providers drop packets with the
/// option that the kernel would add.
fn encaplimit(settings: &Settings, mechanism: &Mechanism, owner: Option<&Owner>) -> Option<String> {
    if let Some(given) = &settings.encaplimit {
        return Some(given.clone());
    }
    let own = mechanism.mapping().is_none().then(|| "ignore".to_owned());
    owner
        .and_then(|owner| owner.encap_limit)
        .map(|limit| limit.to_string())
        .or(own)
}

/// `zone` if it is given; else none if the firewall configuration names our
/// interface; else the zone of the uplink, so that two lines of configuration
/// suffice.
fn zone(settings: &Settings, uplink: &Uplink, router: &dyn Router) -> Option<String> {
    if let Some(explicit) = &settings.zone {
        return explicit.clone();
    }
    if router.zone(&settings.interface).is_some() {
        return None;
    }
    router
        .zone(&uplink.interface)
        .or_else(|| uplink.zone.clone())
}

/// The FMRs the kernel is to follow: those of a mesh, in the RFC's dialect,
/// as many as netifd takes.
fn kernel_fmrs(mapping: &Mapping, mesh: bool, warnings: &mut Vec<String>) -> Vec<Fmr> {
    if !mesh || mapping.map_type() != MapType::MapE || mapping.fmrs().is_empty() {
        return Vec::new();
    }
    if mapping.dialect() == Dialect::Draft03 {
        // The kernel would compute addresses that no CE of that domain has.
        warnings.push(
            "mesh: the kernel follows FMRs of RFC 7597 only, so everything goes through the BR"
                .into(),
        );
        return Vec::new();
    }
    // The kernel takes the PSID from the EA bits only.
    let (usable, others): (Vec<&Rule>, Vec<&Rule>) = mapping
        .fmrs()
        .iter()
        .partition(|rule| rule.provisioned_psid().is_none());
    if !others.is_empty() {
        warnings.push(format!(
            "{} FMRs name a PSID that is not in their prefix, which the kernel does not know: \
             their CEs are reached through the BR",
            others.len()
        ));
    }
    let left_out = usable.len().saturating_sub(Fmr::MAX);
    if left_out > 0 {
        warnings.push(format!(
            "{} FMRs are given; netifd takes {}: {left_out} left out, their CEs are reached \
             through the BR",
            usable.len(),
            Fmr::MAX
        ));
    }
    let of_rule = |rule: &Rule| Fmr {
        prefix6: rule.ipv6(),
        prefix4: rule.ipv4(),
        ealen: rule.ea_len(),
        offset: rule.port_params().offset(),
    };
    usable.into_iter().take(Fmr::MAX).map(of_rule).collect()
}

fn uplink_problem(error: UplinkError) -> Problem {
    // All of it can come right without a change of configuration: interfaces
    // appear, come up and get their prefixes later.
    Problem::passing(Code::NoUplinkPrefix, error)
}
