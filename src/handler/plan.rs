// SPDX-License-Identifier: GPL-2.0-or-later
//! From options and network to what is to be set up: pure, so that a test can
//! ask for the plan of any line.

use std::ops::Deref;

use ipnet::Ipv6Net;

use super::link::{Link, PROVISIONED};
use super::problem::{Code, Problem};
use super::provisioned::Provisioned;
use super::settings::{Provision, Rules, Settings};
use crate::map::{Dialect, Domain, MapError, MapType, Mapping, Rule};
use crate::netifd::{Dump, FirewallRule, Fmr, Tunnel, Update};
use crate::provider::{EncapLimit, Match, Provider, Table};
use crate::uplink::{self, Uplink, UplinkError};

/// What the plan needs to know of the router beyond netifd's answer.
pub trait Router {
    /// MTU for IPv6 of a network device in bytes.
    fn mtu(&self, device: &str) -> Option<u16>;
    /// The firewall zone whose configuration names a logical interface.
    fn zone(&self, interface: &str) -> Option<String>;
    /// What the line of a logical interface said when it had these prefixes.
    fn provisioned(&self, _interface: &str, _prefixes: &[Ipv6Net]) -> Option<Provisioned> {
        None
    }
}

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
            match Line::find(settings, uplink, table, router) {
                Ok(line) => return Ok(line.plan(settings, uplink, router)),
                Err(problem) => first_problem = first_problem.or(Some(problem)),
            }
        }
        // `find` never returns an empty list without saying why.
        Err(first_problem.unwrap_or_else(|| uplink_problem(UplinkError::NoUplink)))
    }

    /// The tunnel, its addresses and routes as netifd takes them.
    pub fn link_up(&self, firewall: Vec<FirewallRule>) -> Update<'_> {
        let is_map_e = self.mapping.map_type() == MapType::MapE;
        let ce = self.mapping.ce_address();
        let tunnel = self.br().map(|remote| Tunnel {
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
            address: self.mapping.ipv4().addr(),
            metric: self.metric,
            zone: self.zone.as_deref(),
            firewall,
        }
    }
}

/// A mapping and whose it is.
struct Line<'a> {
    mapping: Mapping,
    provider: Option<&'a Provider>,
    /// Who provisioned it, for people.
    server: Option<String>,
    mesh: bool,
}

impl<'a> Line<'a> {
    fn find(
        settings: &Settings,
        uplink: &Uplink,
        table: &'a Table,
        router: &dyn Router,
    ) -> Result<Self, Problem> {
        let prefixes = uplink.prefixes();
        match &settings.rules {
            Rules::Explicit(domain) => Self::explicit(settings, domain, uplink, prefixes),
            Rules::Provider(None) => {
                let known = table
                    .choose(&prefixes)
                    .map_err(|error| Problem::passing(Code::UnknownProvider, error));
                match (known, settings.provision) {
                    (Ok((found, prefix)), Provision::Auto | Provision::Off) => {
                        Self::of_match(settings, found, prefix)
                    }
                    (Err(problem), Provision::Off) => Err(problem),
                    (known, _) => match router.provisioned(&settings.interface, &prefixes) {
                        Some(provisioned) => Self::provisioned(settings, &provisioned, &prefixes),
                        None => Err(known.err().unwrap_or_else(|| {
                            Problem::passing(
                                Code::UnknownProvider,
                                "the line has not said yet how it carries IPv4",
                            )
                        })),
                    },
                }
            }
            Rules::Provider(Some(id)) => {
                let provider = table
                    .provider(id)
                    .map_err(|error| Problem::passing(Code::UnknownProvider, error))?;
                Self::of_provider(settings, provider, &prefixes)
            }
        }
    }

    fn explicit(
        settings: &Settings,
        domain: &Domain,
        uplink: &Uplink,
        mut prefixes: Vec<Ipv6Net>,
    ) -> Result<Self, Problem> {
        if domain.map_type() == MapType::Lw4o6 {
            // A binding may be made for a single address (RFC 7596 section 5.1).
            for address in &uplink.addresses {
                prefixes.push((*address).into());
            }
        }
        let mapping = domain
            .map(&prefixes)
            .map_err(|error| Problem::passing(code_of(&error), error))?;
        if mapping.border().is_none() {
            let missing = match mapping.map_type() {
                MapType::MapT => "dmr",
                MapType::MapE | MapType::Lw4o6 => "br",
            };
            return Err(Problem::passing(
                Code::InvalidMapRule,
                format_args!("rule {}: {missing} is missing", mapping.bmr().ipv6()),
            ));
        }
        let mesh = settings.mesh.unwrap_or(!mapping.fmrs().is_empty());
        Ok(Line {
            mapping,
            provider: None,
            server: None,
            mesh,
        })
    }

    /// What the line itself said.
    fn provisioned(
        settings: &Settings,
        provisioned: &Provisioned,
        prefixes: &[Ipv6Net],
    ) -> Result<Self, Problem> {
        let mapping = provisioned
            .mapping(prefixes, &settings.overrides)
            .map_err(|reason| Problem::passing(Code::UnknownProvider, reason))?;
        let mesh = settings.mesh.unwrap_or(!mapping.fmrs().is_empty());
        Ok(Line {
            mapping,
            provider: None,
            server: Some(provisioned.name()),
            mesh,
        })
    }

    fn of_match(settings: &Settings, found: Match<'a>, prefix: Ipv6Net) -> Result<Self, Problem> {
        let mesh = settings.mesh.unwrap_or(false);
        let domain = found
            .domain(mesh)
            .map_err(|error| Problem::passing(Code::UnknownProvider, error))?;
        Self::in_domain(settings, &domain, &[prefix], found.provider(), mesh)
    }

    fn of_provider(
        settings: &Settings,
        provider: &'a Provider,
        prefixes: &[Ipv6Net],
    ) -> Result<Self, Problem> {
        let mesh = settings.mesh.unwrap_or(false);
        let domain = provider
            .domain(mesh)
            .map_err(|error| Problem::passing(Code::UnknownProvider, error))?;
        Self::in_domain(settings, &domain, prefixes, provider, mesh)
    }

    fn in_domain(
        settings: &Settings,
        domain: &Domain,
        prefixes: &[Ipv6Net],
        provider: &'a Provider,
        mesh: bool,
    ) -> Result<Self, Problem> {
        let mapping = domain.map(prefixes).map_err(|error| {
            Problem::passing(
                code_of(&error),
                format_args!("provider {}: {error}", provider.id()),
            )
        })?;
        let mapping = match settings.border {
            Some(border) => mapping
                .with_border(border)
                .map_err(|error| Problem::passing(Code::InvalidMapRule, error))?,
            None => mapping,
        };
        Ok(Line {
            mapping,
            provider: Some(provider),
            server: None,
            mesh,
        })
    }

    fn plan(self, settings: &Settings, uplink: &Uplink, router: &dyn Router) -> Plan {
        let Line {
            mapping,
            provider,
            server,
            mesh,
        } = self;
        let mut warnings = Vec::new();
        let fmrs = kernel_fmrs(&mapping, mesh, &mut warnings);
        if mapping.subnet_id() != 0 {
            warnings.push(format!(
                "the BR sends to subnet 0 of the /{}, but {} is subnet {}: nothing may come back",
                mapping.bmr().end_user_len(),
                mapping.end_user(),
                mapping.subnet_id()
            ));
        }
        if let Some(stale) = uplink.stale_besides(&mapping.end_user()) {
            warnings.push(format!(
                "option ip6prefix of {} says {stale}, but the line has {}, which is used: remove \
                 the option",
                uplink.interface,
                mapping.end_user()
            ));
        }
        let link_mtu = uplink.l3_device.as_deref().and_then(|dev| router.mtu(dev));
        let mtu = settings
            .mtu
            .unwrap_or_else(|| default_mtu(link_mtu, mapping.map_type(), provider));
        let source = uplink.source_of(&mapping.end_user());
        let source = source.unwrap_or(uplink::Source::OnLink);
        let zone = zone(settings, uplink, router);
        let is_provisioned = server.is_some();
        let link = Link {
            device: settings.device(),
            mapping,
            provider: provider
                .map(|p| (p.id().to_owned(), p.name().to_owned()))
                .or_else(|| server.map(|name| (PROVISIONED.to_owned(), name))),
            uplink: uplink.interface.clone(),
            prefix_source: source.as_str().into(),
            mtu,
            encaplimit: encaplimit(settings, provider, is_provisioned),
            zone,
            mesh,
        };
        Plan {
            link,
            uplink_device: uplink.l3_device.clone(),
            ttl: if settings.ttl == 0 { 64 } else { settings.ttl },
            metric: Some(uplink.metric).filter(|&metric| settings.inherits_metric && metric > 0),
            own_zone: router.zone(&settings.interface),
            fmrs,
            warnings,
        }
    }
}

/// The uplink's MTU less what a packet grows by; a provider's caps it, since a
/// device may take larger frames than the line.
fn default_mtu(link: Option<u16>, map_type: MapType, provider: Option<&Provider>) -> u16 {
    let link = link.unwrap_or(ETHERNET_MTU);
    let own = link.saturating_sub(map_type.overhead());
    own.min(provider.and_then(Provider::mtu).unwrap_or(u16::MAX))
}

/// An explicit option wins; the BRs of the providers drop packets with the
/// option that the kernel would add.
fn encaplimit(
    settings: &Settings,
    provider: Option<&Provider>,
    is_provisioned: bool,
) -> Option<String> {
    let known = provider.map(Provider::encap_limit);
    // HB46PP has no key for it; the BRs of those who use it want none.
    let known = known.or_else(|| is_provisioned.then_some(EncapLimit::Ignore));
    let given = settings.encaplimit.clone();
    given.or_else(|| known.map(|limit| limit.to_string()))
}

/// `zone` where it is given; else none if the firewall configuration names our
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

/// A prefix that is missing or too short may still come; a rule that
/// contradicts it is the one thing to look at.
fn code_of(error: &MapError) -> Code {
    match error {
        MapError::NoRule(_) | MapError::PrefixTooShort { .. } => Code::NoMatchingPd,
        MapError::Rule(_) | MapError::Role(_) => Code::InvalidMapRule,
    }
}

fn uplink_problem(error: UplinkError) -> Problem {
    // All of it can come right without a change of configuration: interfaces
    // appear, come up and get their prefixes later.
    Problem::passing(Code::NoUplinkPrefix, error)
}
