// SPDX-License-Identifier: GPL-2.0-or-later
//! Which mechanism a line has, and why: what the configuration says, else what
//! the provider table knows of the line's prefixes.

mod softwire;

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::owner::Owner;
use super::problem::{Code, Problem};
use super::provisioned::Provisioned;
use super::settings::{Provision, Request, Settings};
use crate::endpoint::{DnsName, Endpoint};
use crate::map::{Domain, MapError, MapType};
use crate::mechanism::{IpIp, Kind, Mechanism, MechanismError};
use crate::provider::{Carrier, Confidence, Match, OtherLine, Provider, Table, Verdict};
use crate::provision::hb46pp::Mechanism as Offer;
use crate::reason::{Reason, Tell, said};
use crate::uplink::{Uplink, UplinkError};

/// What decides beside options and netifd's answer.
pub trait Router {
    /// MTU for IPv6 of a network device in bytes.
    fn mtu(&self, device: &str) -> Option<u16>;
    /// The firewall zone whose configuration names a logical interface.
    fn zone(&self, interface: &str) -> Option<String>;
    /// What the line of a logical interface said when it had these prefixes.
    fn provisioned(&self, _interface: &str, _prefixes: &[Ipv6Net]) -> Option<Provisioned> {
        None
    }
    /// Why the line of a logical interface said nothing when it had these
    /// prefixes and was asked.
    fn not_provisioned(&self, _interface: &str, _prefixes: &[Ipv6Net]) -> Option<Reason> {
        None
    }
    /// The AFTR that DHCPv6 named on a logical interface (option 64).
    fn aftr(&self, _uplink: &str) -> Option<Endpoint> {
        None
    }
    /// The far ends of a logical interface that sent nothing back lately, the
    /// last one first.
    fn silent(&self, _interface: &str) -> Vec<Ipv6Addr> {
        Vec::new()
    }
    /// The IPv6 addresses of a name, from the resolvers of an uplink.
    ///
    /// # Errors
    /// There are none, and why.
    fn resolve(&self, name: &DnsName, _uplink: &Uplink) -> Result<Vec<Ipv6Addr>, Reason> {
        Err(said!(
            "nobody_to_ask",
            "{name}: there is nobody to ask",
            name
        ))
    }
}

/// The mechanism of a line.
pub struct Choice {
    /// It, with its values.
    pub mechanism: Mechanism,
    /// Whose line it is, if that is known.
    pub owner: Option<Owner>,
    /// Packets for other CEs go to them directly.
    pub mesh: bool,
    /// Why it was chosen: half a sentence.
    pub why: String,
    /// All addresses that the name of the far end has; used is the first that
    /// answers, as far as is known.
    pub remotes: Vec<Ipv6Addr>,
}

/// Chooses for a line on `uplink`.
///
/// # Errors
/// Why none fits (yet).
pub fn choose(
    settings: &Settings,
    uplink: &Uplink,
    table: &Table,
    router: &dyn Router,
) -> Result<Choice, Problem> {
    let line = Line {
        settings,
        uplink,
        table,
        router,
    };
    // An address alone says nothing about the line.
    if matches!(settings.request, Request::Known { .. }) && uplink.prefixes().is_empty() {
        return Err(Problem::passing(
            Code::NoUplinkPrefix,
            UplinkError::NoPrefix(uplink.interface.clone()),
        ));
    }
    match &settings.request {
        Request::Rules(domain) => line.of_rules(domain),
        Request::Known {
            provider: None,
            only,
        } => line.of_prefix(*only),
        Request::Known {
            provider: Some(id),
            only,
        } => line.of_provider(id, *only),
        Request::DsLite(aftr) => line.ds_lite(aftr, None, "the configuration says so".into()),
        Request::IpIp(fixed) => line.ipip(fixed),
    }
}

/// What there is to choose from.
struct Line<'a> {
    settings: &'a Settings,
    uplink: &'a Uplink,
    table: &'a Table,
    router: &'a dyn Router,
}

impl Line<'_> {
    fn of_rules(&self, domain: &Domain) -> Result<Choice, Problem> {
        let mut prefixes = self.uplink.prefixes();
        if domain.map_type() == MapType::Lw4o6 {
            // A binding may be made for a single address (RFC 7596 section 5.1).
            for address in &self.uplink.addresses {
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
                said!(
                    "rule_without_border",
                    "rule {rule}: {option} is missing",
                    mapping.bmr().ipv6(),
                    missing
                ),
            ));
        }
        let mesh = self.settings.mesh.unwrap_or(!mapping.fmrs().is_empty());
        Ok(Choice {
            mechanism: mapping.into(),
            owner: None,
            mesh,
            why: "the configuration has a rule".into(),
            remotes: Vec::new(),
        })
    }

    /// What is known of the line's prefix, or else what the line says.
    fn of_prefix(&self, only: Option<Kind>) -> Result<Choice, Problem> {
        let known = self.known(only);
        let is_unknown = |problem: &Problem| problem.code == Code::UnknownProvider;
        match (&known, self.settings.provision) {
            (_, Provision::Off) | (Ok(_), Provision::Auto) => return known,
            (Err(problem), Provision::Auto) if !is_unknown(problem) => return known,
            (_, Provision::Auto | Provision::Hb46pp) => {}
        }
        let prefixes = self.uplink.prefixes();
        let asked = self.router.provisioned(&self.settings.interface, &prefixes);
        match asked {
            Some(provisioned) => self.provisioned(&provisioned, &prefixes, only),
            None => Err(self.not_told(known.err(), &prefixes)),
        }
    }

    /// Why nothing is known of the line: it is in no table, or need not be, and
    /// does not say itself.
    fn not_told(&self, unknown: Option<Problem>, prefixes: &[Ipv6Net]) -> Problem {
        let interface = &self.settings.interface;
        let failure = self.router.not_provisioned(interface, prefixes);
        let code = unknown
            .as_ref()
            .map_or(Code::UnknownProvider, |problem| problem.code);
        let what = match (unknown, failure) {
            (Some(problem), None) => problem.reason.clone(),
            (Some(problem), Some(why)) => said!(
                "unknown_and_not_told",
                "{first}; the line itself does not say how it carries IPv4: {reason}",
                problem.reason,
                why
            ),
            (None, None) => said!(
                "not_told_yet",
                "the line has not said yet how it carries IPv4"
            ),
            (None, Some(why)) => said!(
                "not_told",
                "the line does not say how it carries IPv4: {reason}",
                why
            ),
        };
        Problem::passing(code, what)
    }

    /// What the line itself said.
    fn provisioned(
        &self,
        provisioned: &Provisioned,
        prefixes: &[Ipv6Net],
        only: Option<Kind>,
    ) -> Result<Choice, Problem> {
        let unusable = |reason| Problem::passing(Code::UnknownProvider, reason);
        let offer = provisioned.offer(prefixes).map_err(unusable)?;
        if only.is_some_and(|only| (only == Kind::DsLite) != (offer.as_str() == "ds-lite")) {
            let word = offer.as_str();
            return Err(unusable(said!(
                "line_has_other",
                "the line has {mechanism}; set option maptype to that or to auto",
                word
            )));
        }
        let owner = Some(Owner::from(provisioned));
        let why = "the line says so (HB46PP)".to_owned();
        let mechanism: Mechanism = match offer {
            Offer::DsLite { aftr } => return self.ds_lite(&aftr, owner, why),
            Offer::Map { .. } => {
                let mapping = provisioned.mapping(prefixes, &self.settings.overrides);
                mapping.map_err(unusable)?.into()
            }
            Offer::IpIp(offers) => {
                let first = offers.first();
                let offer = first
                    .ok_or_else(|| unusable(said!("no_fixed_address", "it gives no address")))?;
                let own = prefixes.iter().find(|prefix| prefix.contains(&offer.local));
                let prefix = own.copied().unwrap_or_else(|| offer.local.into());
                let line = IpIp::with_address(prefix, offer.local, offer.ipv4, offer.remote);
                line.map_err(mechanism_problem)?.into()
            }
        };
        let mesh = self.settings.mesh.unwrap_or(!mechanism.fmrs().is_empty());
        Ok(Choice {
            mechanism,
            owner,
            mesh,
            why,
            remotes: Vec::new(),
        })
    }

    /// Whichever provider the prefix belongs to.
    fn known(&self, only: Option<Kind>) -> Result<Choice, Problem> {
        let prefixes = self.uplink.prefixes();
        let of_map = match only {
            Some(Kind::DsLite) => None,
            _ => Some(self.table.choose(&prefixes)),
        };
        let refusal = match of_map {
            Some(Ok((found, prefix))) => return self.of_match(found, prefix),
            Some(Err(refusal)) => refusal.reason(),
            None => said!(
                "aftr_unknown",
                "peeraddr is missing: the AFTR of this line is not known"
            ),
        };
        if only.is_none_or(|kind| kind == Kind::DsLite) {
            let known = prefixes.iter().find_map(|prefix| self.ds_lite_line(prefix));
            if let Some(aftr) = self.router.aftr(&self.uplink.interface) {
                let owner = known.map(|(line, _, _)| line.into());
                let why = format!("DHCPv6 of {} names the AFTR", self.uplink.interface);
                return self.ds_lite(&aftr, owner, why);
            }
            if let Some((line, aftr, why)) = known {
                return self.ds_lite(aftr, Some(line.into()), why);
            }
        }
        Err(Problem::passing(Code::UnknownProvider, refusal))
    }

    /// The DS-Lite line that a prefix belongs to, its AFTR, and half a sentence
    /// that says so.
    fn ds_lite_line(&self, prefix: &Ipv6Net) -> Option<(&OtherLine, &Endpoint, String)> {
        let Verdict::NotMap(line) = self.table.lookup_line(prefix) else {
            return None;
        };
        match line.carrier() {
            Carrier::DsLite { aftr } if line.confidence() != Confidence::Unverified => {
                let why = format!("{prefix} belongs to {}", line.name());
                Some((line, aftr, why))
            }
            _ => None,
        }
    }

    fn of_match(&self, found: Match<'_>, prefix: Ipv6Net) -> Result<Choice, Problem> {
        let mesh = self.settings.mesh.unwrap_or(false);
        let domain = found
            .domain(mesh)
            .map_err(|error| Problem::passing(Code::UnknownProvider, error))?;
        let why = format!("{prefix} belongs to {}", found.provider().name());
        self.in_domain(&domain, &[prefix], found.provider(), why)
    }

    /// The provider that the configuration names.
    fn of_provider(&self, id: &str, only: Option<Kind>) -> Result<Choice, Problem> {
        let why = format!("option provider is {id}");
        let may_be = |kind| only.is_none_or(|only| only == kind);
        let mut others = self.table.other_lines().iter();
        if let Some(line) = others.find(|line| line.id() == id)
            && let Carrier::DsLite { aftr } = line.carrier()
            && may_be(Kind::DsLite)
        {
            return self.ds_lite(aftr, Some(line.into()), why);
        }
        let provider = self
            .table
            .provider(id)
            .map_err(|error| Problem::passing(Code::UnknownProvider, error))?;
        if only == Some(Kind::DsLite) {
            let name = provider.name();
            return Err(Problem::fatal(
                Code::UnknownProvider,
                said!(
                    "provider_without_ds_lite",
                    "provider {provider}: {name} is not known to have DS-Lite",
                    id,
                    name
                ),
            ));
        }
        let mesh = self.settings.mesh.unwrap_or(false);
        let domain = provider
            .domain(mesh)
            .map_err(|error| Problem::passing(Code::UnknownProvider, error))?;
        self.in_domain(&domain, &self.uplink.prefixes(), provider, why)
    }

    fn in_domain(
        &self,
        domain: &Domain,
        prefixes: &[Ipv6Net],
        provider: &Provider,
        why: String,
    ) -> Result<Choice, Problem> {
        let mapping = domain.map(prefixes).map_err(|error| {
            Problem::passing(
                code_of(&error),
                said!(
                    "provider_refused",
                    "provider {provider}: {reason}",
                    provider.id(),
                    error
                ),
            )
        })?;
        let mapping = match self.settings.border {
            Some(border) => mapping
                .with_border(border)
                .map_err(|error| Problem::passing(Code::InvalidMapRule, error))?,
            None => mapping,
        };
        Ok(Choice {
            mechanism: mapping.into(),
            owner: Some(provider.into()),
            mesh: self.settings.mesh.unwrap_or(false),
            why,
            remotes: Vec::new(),
        })
    }
}

/// A prefix that is missing or too short may still come; a rule that
/// contradicts it is the one thing to look at.
fn code_of(error: &MapError) -> Code {
    match error {
        MapError::NoRule(_) | MapError::PrefixTooShort { .. } => Code::NoMatchingPd,
        MapError::Rule(_) | MapError::Role(_) => Code::InvalidMapRule,
    }
}

/// Names get other addresses, and lines other prefixes.
fn mechanism_problem(error: MechanismError) -> Problem {
    Problem::passing(Code::InvalidConfig, error)
}
