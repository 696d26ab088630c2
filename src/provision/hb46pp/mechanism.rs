// SPDX-License-Identifier: GPL-2.0-or-later
//! From an answer to the mechanism that a CE sets up.

use ipnet::Ipv6Net;

use super::answer::Answer;
use super::offers::{IpIp, Lw4o6, MapE, MapT, Rule};
use super::values::{Auth, Capability};
use crate::endpoint::Endpoint;
use crate::map::{Dialect, Dmr, Domain, DomainError, MapType, RuleSpec, WrittenPsid};
use crate::reason::{Reason, Tell, said, sentence};
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
    Nothing(Option<Auth>),
    /// What it offers does not fit: each mechanism and the reason.
    NoneFits(Vec<(String, Reason)>),
}

impl Tell for Unusable {
    fn reason(&self) -> Reason {
        match self {
            Self::Nothing(Some(Auth::Bad)) => said!(
                "unusable_refused",
                "the server offers no way to carry IPv4: it does not accept the user name and password"
            ),
            Self::Nothing(Some(Auth::Req)) => said!(
                "unusable_account",
                "the server offers no way to carry IPv4 without the user name and password of the contract"
            ),
            Self::Nothing(Some(Auth::Ok) | None) => said!(
                "unusable_nothing",
                "the server offers no way to carry IPv4 on this line"
            ),
            Self::NoneFits(reasons) => said!(
                "unusable_none_fits",
                "nothing that the server offers can be used: {reason}",
                each(reasons)
            ),
        }
    }
}

sentence!(Unusable);

fn each(reasons: &[(String, Reason)]) -> Reason {
    let each = reasons
        .iter()
        .map(|(mechanism, reason)| said!("about", "{name}: {reason}", mechanism, reason));
    Reason::All(each.collect())
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

    fn map(domain: Result<Domain, Box<DomainError>>) -> Result<Self, Reason> {
        let domain = domain.map_err(|error| error.reason())?;
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
                false => Err(said!("offer_unsupported", "not supported here")),
            };
            match found {
                Ok(mechanism) => return Ok(mechanism),
                Err(reason) => reasons.push((capability.to_string(), reason)),
            }
        }
        for word in &self.order.unknown {
            let word = one_line(word, LONGEST_WORD);
            reasons.push((word, said!("offer_unknown", "not known")));
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
    ) -> Result<Mechanism, Reason> {
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
        let mechanism =
            mechanism.unwrap_or_else(|| Err(said!("offer_not_described", "not described")))?;
        if let (Mechanism::Map { domain, .. }, Some(prefixes)) = (&mechanism, prefixes) {
            domain.map(prefixes).map_err(|error| error.reason())?;
        }
        Ok(mechanism)
    }
}

fn map_e(offer: &MapE) -> Result<Mechanism, Reason> {
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

fn map_t(offer: &MapT) -> Result<Mechanism, Reason> {
    let dmr = Dmr::new(offer.dmr).map_err(|error| error.reason())?;
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
fn lw4o6(offer: &Lw4o6) -> Result<Mechanism, Reason> {
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
        domain: domain.map_err(|error| error.reason())?,
        lwaftr: Some(offer.lwaftr.clone()),
    })
}

fn ipip(offers: &[IpIp], prefixes: Option<&[Ipv6Net]>) -> Result<Mechanism, Reason> {
    let first = offers
        .first()
        .ok_or_else(|| said!("offer_no_address", "no address is given"))?;
    let is_ours = |offer: &&IpIp| {
        prefixes.is_none_or(|all| all.iter().any(|prefix| prefix.contains(&offer.local)))
    };
    let ours: Vec<IpIp> = offers.iter().filter(is_ours).copied().collect();
    match ours.is_empty() {
        true => Err(said!(
            "offer_foreign_address",
            "the CE address {address} is in none of the line's prefixes",
            first.local
        )),
        false => Ok(Mechanism::IpIp(ours)),
    }
}
