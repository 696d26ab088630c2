// SPDX-License-Identifier: GPL-2.0-or-later
//! From an answer to the mechanism that a CE sets up.

use std::fmt::Write;

use ipnet::Ipv6Net;

use super::answer::Answer;
use super::offers::{IpIp, Lw4o6, MapE, MapT, Rule};
use super::values::{Auth, Capability};
use crate::endpoint::Endpoint;
use crate::map::{Dialect, Dmr, Domain, DomainError, MapType, RuleSpec, WrittenPsid};
use crate::sanitize::one_line;

/// What a CE sets up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// MAP-E, MAP-T or lw4o6.
    Map {
        /// Its rules, and the BR or DMR if that is an address.
        domain: Domain,
        /// The lwAFTR. Only a name has to be resolved; an address is the
        /// domain's BR already.
        lwaftr: Option<Endpoint>,
    },
    /// DS-Lite.
    DsLite {
        /// The AFTR.
        aftr: Endpoint,
    },
    /// Fixed addresses over IPIP; never empty.
    IpIp(Vec<IpIp>),
}

/// Why an answer gives a CE nothing to set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// `order` is empty: the server offers this line nothing.
    #[error("the server offers no way to carry IPv4{}", hint(*.0))]
    Nothing(Option<Auth>),
    /// What it offers does not fit: each mechanism and the reason.
    #[error("nothing that the server offers can be used: {}", list(.0))]
    NoneFits(Vec<(String, String)>),
}

fn hint(auth: Option<Auth>) -> &'static str {
    match auth {
        Some(Auth::Bad) => ": it does not accept the user name and password",
        Some(Auth::Req) => " without the user name and password of the contract",
        Some(Auth::Ok) | None => " on this line",
    }
}

fn list(reasons: &[(String, String)]) -> String {
    let mut text = String::new();
    for (mechanism, reason) in reasons {
        let before = if text.is_empty() { "" } else { "; " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{before}{mechanism}: {reason}");
    }
    text
}

/// The mechanisms that this program sets up; the order does not matter.
pub const SUPPORTED: [Capability; 5] = [
    Capability::MapE,
    Capability::MapT,
    Capability::Lw4o6,
    Capability::DsLite,
    Capability::IpIp,
];

/// Most characters of an unknown word that a message repeats.
const LONGEST_WORD: usize = 32;

impl Mechanism {
    /// The word for it in `option maptype`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Mechanism::Map { domain, .. } => domain.map_type().as_str(),
            Mechanism::DsLite { .. } => "ds-lite",
            Mechanism::IpIp(_) => "ipip",
        }
    }

    fn map(domain: Result<Domain, Box<DomainError>>) -> Result<Self, String> {
        let domain = domain.map_err(|error| error.to_string())?;
        Ok(Mechanism::Map {
            domain,
            lwaftr: None,
        })
    }
}

impl Answer {
    /// The first mechanism of `order` that is among `allowed` and fits a line
    /// with these end-user prefixes. Without `prefixes`, what does not depend
    /// on them counts.
    ///
    /// # Errors
    /// There is none, and why.
    pub fn mechanism(
        &self,
        allowed: &[Capability],
        prefixes: Option<&[Ipv6Net]>,
    ) -> Result<Mechanism, Unusable> {
        let mut reasons = Vec::new();
        for capability in &self.order.known {
            let found = match allowed.contains(capability) {
                true => self.offer(*capability, prefixes),
                false => Err("not supported here".into()),
            };
            match found {
                Ok(mechanism) => return Ok(mechanism),
                Err(reason) => reasons.push((capability.to_string(), reason)),
            }
        }
        for word in &self.order.unknown {
            let word = one_line(word, LONGEST_WORD);
            reasons.push((word, "not known".into()));
        }
        Err(match reasons.is_empty() {
            true => Unusable::Nothing(self.auth),
            false => Unusable::NoneFits(reasons),
        })
    }

    fn offer(
        &self,
        capability: Capability,
        prefixes: Option<&[Ipv6Net]>,
    ) -> Result<Mechanism, String> {
        let mechanism = match capability {
            Capability::MapE => self.map_e.as_ref().map(map_e),
            Capability::MapT => self.map_t.as_ref().map(map_t),
            Capability::Lw4o6 => self.lw4o6.as_ref().map(lw4o6),
            Capability::IpIp => self.ipip.as_deref().map(|all| ipip(all, prefixes)),
            Capability::DsLite => self.dslite.as_ref().map(|dslite| {
                let aftr = dslite.aftr.clone();
                Ok(Mechanism::DsLite { aftr })
            }),
            Capability::Xlat464 => None,
        };
        let mechanism = mechanism.unwrap_or_else(|| Err("not described".into()))?;
        if let (Mechanism::Map { domain, .. }, Some(prefixes)) = (&mechanism, prefixes) {
            domain.map(prefixes).map_err(|error| error.to_string())?;
        }
        Ok(mechanism)
    }
}

fn map_e(offer: &MapE) -> Result<Mechanism, String> {
    let specs: Vec<RuleSpec> = offer
        .rules
        .iter()
        .map(|rule| RuleSpec {
            fmr: offer.mesh,
            br: Some(offer.br),
            ..spec(rule, MapType::MapE)
        })
        .collect();
    Mechanism::map(Domain::from_specs(&specs, MapType::MapE, offer.dialect))
}

fn map_t(offer: &MapT) -> Result<Mechanism, String> {
    let dmr = Dmr::new(offer.dmr).map_err(|error| error.to_string())?;
    let specs: Vec<RuleSpec> = offer
        .rules
        .iter()
        .map(|rule| RuleSpec {
            dmr: Some(dmr),
            ..spec(rule, MapType::MapT)
        })
        .collect();
    Mechanism::map(Domain::from_specs(&specs, MapType::MapT, Dialect::Rfc7597))
}

fn spec(rule: &Rule, map_type: MapType) -> RuleSpec {
    RuleSpec {
        map_type: Some(map_type),
        ipv6_prefix: Some(rule.ipv6.addr()),
        prefix6_len: Some(rule.ipv6.prefix_len()),
        ipv4_prefix: Some(rule.ipv4.addr()),
        prefix4_len: Some(rule.ipv4.prefix_len()),
        ea_len: Some(rule.ea_length),
        offset: Some(rule.psid_offset),
        ..RuleSpec::default()
    }
}

/// The binding; its PSID is the number itself.
fn lw4o6(offer: &Lw4o6) -> Result<Mechanism, String> {
    let binding = RuleSpec {
        map_type: Some(MapType::Lw4o6),
        ipv6_prefix: Some(offer.ipv6.addr()),
        prefix6_len: Some(offer.ipv6.prefix_len()),
        ipv4_prefix: Some(offer.ipv4),
        prefix4_len: Some(32),
        offset: Some(offer.psid_offset),
        psid_len: Some(offer.psid_length),
        psid: Some(WrittenPsid::Number(offer.psid)),
        br: offer.lwaftr.address(),
        ..RuleSpec::default()
    };
    let domain = Domain::from_specs(&[binding], MapType::Lw4o6, Dialect::Rfc7597);
    Ok(Mechanism::Map {
        domain: domain.map_err(|error| error.to_string())?,
        lwaftr: Some(offer.lwaftr.clone()),
    })
}

fn ipip(offers: &[IpIp], prefixes: Option<&[Ipv6Net]>) -> Result<Mechanism, String> {
    let first = offers.first().ok_or("no address is given")?;
    let is_ours = |offer: &&IpIp| {
        prefixes.is_none_or(|all| all.iter().any(|prefix| prefix.contains(&offer.local)))
    };
    let ours: Vec<IpIp> = offers.iter().filter(is_ours).copied().collect();
    match ours.is_empty() {
        true => Err(format!(
            "the CE address {} is in none of the line's prefixes",
            first.local
        )),
        false => Ok(Mechanism::IpIp(ours)),
    }
}
