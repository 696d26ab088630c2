// SPDX-License-Identifier: GPL-2.0-or-later
//! What is known of one provider, one of its rules, and of lines without MAP.

use std::fmt;
use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::map::{Border, Dialect, Domain, DomainError, MapType, RuleSpec};

/// How sure a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Confirmed by sources that do not copy from each other.
    High,
    /// One lineage of sources, or few reports.
    Medium,
    /// Extrapolated; nobody is known to have used it. Never taken unless the
    /// provider is named in the configuration.
    Unverified,
    /// From a file of the user's own, which does not say.
    Local,
}

impl Confidence {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Unverified => "unverified",
            Confidence::Local => "local",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The tunnel encapsulation limit (RFC 2473 section 4.1.1) a provider's BR
/// puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub enum EncapLimit {
    /// The option is not sent; what BRs in Japan need.
    Ignore,
    /// The limit itself.
    Limit(u8),
}

impl TryFrom<Value> for EncapLimit {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let limit = value.as_u64().and_then(|limit| u8::try_from(limit).ok());
        match (value.as_str(), limit) {
            (Some("ignore"), _) => Ok(EncapLimit::Ignore),
            (_, Some(limit)) => Ok(EncapLimit::Limit(limit)),
            _ => Err("must be \"ignore\" or a number from 0 to 255"),
        }
    }
}

impl fmt::Display for EncapLimit {
    /// The value of `option encaplimit`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncapLimit::Ignore => f.write_str("ignore"),
            EncapLimit::Limit(limit) => limit.fmt(f),
        }
    }
}

/// One rule of a provider. Legal on its own once [`Table`](super::Table) holds
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRule {
    pub(super) ipv6: Ipv6Net,
    pub(super) ipv4: Ipv4Net,
    pub(super) ea_len: u8,
    /// If it differs from the provider's.
    pub(super) offset: Option<u8>,
    /// If it differs from the provider's.
    pub(super) border: Option<Border>,
    pub(super) confidence: Confidence,
}

impl KnownRule {
    /// Rule IPv6 prefix.
    pub fn ipv6(&self) -> Ipv6Net {
        self.ipv6
    }

    /// Rule IPv4 prefix.
    pub fn ipv4(&self) -> Ipv4Net {
        self.ipv4
    }

    /// EA-bits length in bits.
    pub fn ea_len(&self) -> u8 {
        self.ea_len
    }

    /// How sure it is.
    pub fn confidence(&self) -> Confidence {
        self.confidence
    }
}

/// A VNE or ISP whose rules are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) map_type: MapType,
    pub(super) dialect: Dialect,
    pub(super) offset: Option<u8>,
    pub(super) border: Option<Border>,
    pub(super) mtu: Option<u16>,
    pub(super) encap_limit: EncapLimit,
    pub(super) mesh: bool,
    pub(super) rules: Vec<KnownRule>,
}

impl Provider {
    /// The word for `option provider`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name people know.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// MAP-E or MAP-T.
    pub fn map_type(&self) -> MapType {
        self.map_type
    }

    /// Layout of the interface identifier.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// MTU of the tunnel in bytes on the provider's usual lines, if it is
    /// known. An upper limit: the uplink at hand may allow less.
    pub fn mtu(&self) -> Option<u16> {
        self.mtu
    }

    /// Encapsulation limit of the tunnel.
    pub fn encap_limit(&self) -> EncapLimit {
        self.encap_limit
    }

    /// Whether the provider is known to hand out its rules as FMRs too, so
    /// that subscribers may reach each other without the BR.
    pub fn has_mesh(&self) -> bool {
        self.mesh
    }

    /// Its rules, in the order of the file.
    pub fn rules(&self) -> &[KnownRule] {
        &self.rules
    }

    /// BR or DMR of one of its rules.
    pub fn border_of(&self, rule: &KnownRule) -> Option<Border> {
        rule.border.or(self.border)
    }

    /// One of its rules with all that belongs to it; `fmr` marks it as a
    /// forwarding mapping rule.
    pub fn spec(&self, rule: &KnownRule, fmr: bool) -> RuleSpec {
        let border = self.border_of(rule);
        RuleSpec {
            map_type: Some(self.map_type),
            fmr,
            ipv6_prefix: Some(rule.ipv6.network()),
            prefix6_len: Some(rule.ipv6.prefix_len()),
            ipv4_prefix: Some(rule.ipv4.network()),
            prefix4_len: Some(rule.ipv4.prefix_len()),
            ea_len: Some(rule.ea_len),
            offset: rule.offset.or(self.offset),
            br: border.and_then(Border::br),
            dmr: border.and_then(Border::dmr),
            ..RuleSpec::default()
        }
    }

    /// The domain of all its rules: what `option provider` with its id means.
    /// With `mesh` the rules are FMRs too, if the provider is known to do
    /// [mesh](Provider::has_mesh).
    ///
    /// # Errors
    /// The provider has no rule.
    pub fn domain(&self, mesh: bool) -> Result<Domain, Box<DomainError>> {
        let mut specs: Vec<RuleSpec> = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            let sure = rule.confidence != Confidence::Unverified;
            specs.push(self.spec(rule, mesh && self.mesh && sure));
        }
        Domain::from_specs(&specs, self.map_type, self.dialect)
    }
}

/// How a line without MAP carries IPv4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// DS-Lite (RFC 6333).
    DsLite {
        /// The AFTR. Its name is known to the line's own resolvers only.
        aftr: Endpoint,
    },
    /// A fixed address or block in a tunnel of IPv4 in IPv6 (RFC 2473).
    IpIp {
        /// The BR, unless it differs by contract.
        br: Option<Ipv6Addr>,
        /// The kind of server that wants to know the CE's address: a value of
        /// `option update_url`.
        update: Option<String>,
    },
    /// By a device of the provider's, or not over IPv6 at all.
    Other,
}

impl Carrier {
    /// The value of `option maptype`; `None` if there is none for it.
    pub fn mechanism(&self) -> Option<&'static str> {
        match self {
            Carrier::DsLite { .. } => Some("ds-lite"),
            Carrier::IpIp { .. } => Some("ipip"),
            Carrier::Other => None,
        }
    }
}

/// A kind of line that is known not to have MAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherLine {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) carrier: Carrier,
    pub(super) mtu: Option<u16>,
    pub(super) confidence: Confidence,
    pub(super) advice: String,
    pub(super) prefixes: Vec<Ipv6Net>,
}

impl OtherLine {
    /// A short word for it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name people know.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it carries IPv4.
    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// MTU of the tunnel in bytes, if it is known. An upper limit: the uplink
    /// at hand may allow less.
    pub fn mtu(&self) -> Option<u16> {
        self.mtu
    }

    /// How sure it is.
    pub fn confidence(&self) -> Confidence {
        self.confidence
    }

    /// What to configure instead of MAP, as the rest of a sentence.
    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// Its end-user prefixes lie in these; none if they are not known, or are
    /// those of another line.
    pub fn prefixes(&self) -> &[Ipv6Net] {
        &self.prefixes
    }
}
