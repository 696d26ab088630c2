// SPDX-License-Identifier: GPL-2.0-or-later
//! A mechanism in the state file.

use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::endpoint::{DnsName, DnsNameError};
use crate::map::{Dialect, Domain, DomainError, MapError, MapType, Mapping, RuleSpec, SpecError};
use crate::mechanism::{DsLite, IpIp, Mechanism, MechanismError};

/// Why the text of a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Not JSON, or a member is missing or of another kind.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A rule cannot be parsed.
    #[error(transparent)]
    Rule(#[from] Box<SpecError>),
    /// The rules contradict each other.
    #[error(transparent)]
    Domain(#[from] Box<DomainError>),
    /// The rules are not those of the end-user prefix.
    #[error(transparent)]
    Mapping(#[from] Box<MapError>),
    /// The addresses of a tunnel cannot be what they are used for.
    #[error(transparent)]
    Mechanism(#[from] MechanismError),
    /// The AFTR's name is none.
    #[error(transparent)]
    Name(#[from] DnsNameError),
}

/// What there is to know of a mechanism beside the end-user prefix.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum MechanismRecord {
    MapE(Rules),
    MapT(Rules),
    Lw4o6(Rules),
    DsLite {
        aftr: Ipv6Addr,
        aftr_name: Option<String>,
    },
    #[serde(rename = "ipip")]
    IpIp {
        ce_address: Ipv6Addr,
        ipv4: Ipv4Net,
        br: Ipv6Addr,
    },
}

#[derive(Serialize, Deserialize)]
pub(super) struct Rules {
    dialect: Dialect,
    /// The BMR in the form of option `rule`.
    rule: String,
    /// The FMRs in the same form.
    fmrs: Vec<String>,
}

impl From<&Mechanism> for MechanismRecord {
    fn from(mechanism: &Mechanism) -> Self {
        match mechanism {
            Mechanism::Map(mapping) => {
                let rules = Rules::from(mapping);
                match mapping.map_type() {
                    MapType::MapE => MechanismRecord::MapE(rules),
                    MapType::MapT => MechanismRecord::MapT(rules),
                    MapType::Lw4o6 => MechanismRecord::Lw4o6(rules),
                }
            }
            Mechanism::DsLite(line) => MechanismRecord::DsLite {
                aftr: line.aftr(),
                aftr_name: line.name().map(DnsName::to_string),
            },
            Mechanism::IpIp(line) => MechanismRecord::IpIp {
                ce_address: line.ce_address(),
                ipv4: line.ipv4(),
                br: line.br(),
            },
        }
    }
}

impl MechanismRecord {
    /// The mechanism again.
    ///
    /// # Errors
    /// What is written there cannot be one.
    pub(super) fn read(&self, end_user: Ipv6Net) -> Result<Mechanism, ParseError> {
        Ok(match self {
            MechanismRecord::MapE(rules) => rules.mapping(MapType::MapE, end_user)?.into(),
            MechanismRecord::MapT(rules) => rules.mapping(MapType::MapT, end_user)?.into(),
            MechanismRecord::Lw4o6(rules) => rules.mapping(MapType::Lw4o6, end_user)?.into(),
            MechanismRecord::DsLite { aftr, aftr_name } => {
                let name = aftr_name.as_deref().map(str::parse).transpose()?;
                DsLite::new(end_user, *aftr)?.named(name).into()
            }
            MechanismRecord::IpIp {
                ce_address,
                ipv4,
                br,
            } => IpIp::with_address(end_user, *ce_address, *ipv4, *br)?.into(),
        })
    }
}

impl From<&Mapping> for Rules {
    fn from(mapping: &Mapping) -> Self {
        let map_type = mapping.map_type();
        let fmr = |rule| RuleSpec {
            fmr: true,
            ..RuleSpec::from_rule(rule, map_type, None)
        };
        Rules {
            dialect: mapping.dialect(),
            rule: RuleSpec::from_rule(mapping.bmr(), map_type, mapping.border()).to_string(),
            fmrs: mapping
                .fmrs()
                .iter()
                .map(|rule| fmr(rule).to_string())
                .collect(),
        }
    }
}

impl Rules {
    /// The BMR stands first and no FMR that contains the prefix is longer, so
    /// the mapping picks the same rule again.
    fn mapping(&self, map_type: MapType, end_user: Ipv6Net) -> Result<Mapping, ParseError> {
        let texts = std::iter::once(&self.rule).chain(&self.fmrs);
        let specs: Vec<RuleSpec> = texts.map(|text| text.parse()).collect::<Result<_, _>>()?;
        let domain = Domain::from_specs(&specs, map_type, self.dialect)?;
        Ok(domain.map(&[end_user])?)
    }
}
