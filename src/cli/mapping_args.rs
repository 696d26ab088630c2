// SPDX-License-Identifier: GPL-2.0-or-later
//! The arguments that describe a subscriber, shared by `calc`, `br` and `nft`.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::{Failure, providers, text};
use crate::map::{Dialect, Domain, MapType, Mapping, Relay, RuleSpec};

/// `--prefix`, `--provider`, `--rule` and `--legacy`.
#[derive(Debug, Default)]
pub(super) struct MappingArgs {
    prefix: Option<Ipv6Net>,
    provider: Option<String>,
    rules: Vec<RuleSpec>,
    legacy: bool,
}

/// A mapping and where its rules come from.
pub(super) struct Found {
    pub mapping: Mapping,
    pub provider: Option<String>,
    pub mtu: u16,
}

/// MTU where nothing else is known: Ethernet's less the IPv6 header.
pub(super) const DEFAULT_MTU: u16 = 1460;

impl MappingArgs {
    /// Whether `--name` is one of these options.
    pub fn knows(name: &str) -> bool {
        matches!(name, "prefix" | "provider" | "rule" | "legacy")
    }

    /// Takes option `--name`, its value being next.
    pub fn take(&mut self, name: &str, parser: &mut lexopt::Parser) -> Result<(), Failure> {
        match name {
            "prefix" => self.prefix = Some(prefix(&text(parser)?)?),
            "provider" => self.provider = Some(text(parser)?),
            "rule" => {
                let text = text(parser)?;
                self.rules.push(text.parse().map_err(Failure::usage)?);
            }
            _ => self.legacy = true,
        }
        Ok(())
    }

    /// The mapping these arguments describe.
    pub fn find(self) -> Result<Found, Failure> {
        let prefix = self
            .prefix
            .ok_or_else(|| Failure::usage("--prefix is missing"))?;
        if self.rules.is_empty() {
            return self.by_provider(prefix);
        }
        Ok(Found {
            mapping: self.rules()?.map(&[prefix]).map_err(Failure::failed)?,
            provider: None,
            mtu: DEFAULT_MTU,
        })
    }

    /// The domain these arguments describe, as its BR knows it: of the
    /// subscriber alone where there is a prefix, else of all of them.
    pub fn relay(self) -> Result<Relay, Failure> {
        if self.prefix.is_some() {
            return Ok(Relay::of(&self.find()?.mapping));
        }
        let domain = match self.provider.as_deref() {
            _ if !self.rules.is_empty() => self.rules()?,
            None | Some("auto") => {
                return Err(Failure::usage("give --rule, --provider ID or --prefix"));
            }
            Some(id) => {
                let table = providers::table();
                let provider = table.provider(id).map_err(Failure::failed)?;
                provider.domain(false).map_err(Failure::failed)?
            }
        };
        Ok(Relay::new(&domain))
    }

    /// The domain of `--rule`.
    fn rules(&self) -> Result<Domain, Failure> {
        if self.provider.is_some() {
            return Err(Failure::usage("give --provider or --rule, not both"));
        }
        let map_type = self.rules.iter().find_map(|rule| rule.map_type);
        let dialect = if self.legacy {
            Dialect::Draft03
        } else {
            Dialect::Rfc7597
        };
        Domain::from_specs(&self.rules, map_type.unwrap_or(MapType::MapE), dialect)
            .map_err(Failure::failed)
    }

    fn by_provider(self, prefix: Ipv6Net) -> Result<Found, Failure> {
        let table = providers::table();
        let (provider, domain) = match self.provider.as_deref() {
            None | Some("auto") => {
                let (found, _) = table.choose(&[prefix]).map_err(Failure::failed)?;
                (found.provider(), found.domain(false))
            }
            Some(id) => {
                let provider = table.provider(id).map_err(Failure::failed)?;
                (provider, provider.domain(false))
            }
        };
        let domain = domain.map_err(Failure::failed)?;
        Ok(Found {
            mapping: domain.map(&[prefix]).map_err(Failure::failed)?,
            provider: Some(provider.id().to_owned()),
            mtu: provider.mtu().unwrap_or(DEFAULT_MTU),
        })
    }
}

/// A prefix, or an address within one, which then counts as its /64.
pub(super) fn prefix(text: &str) -> Result<Ipv6Net, Failure> {
    if let Ok(net) = text.parse::<Ipv6Net>() {
        return Ok(net.trunc());
    }
    let bad = || {
        Failure::usage(format!(
            "{text} is neither an IPv6 prefix such as 240b:10:1:200::/56 nor an address"
        ))
    };
    let address: Ipv6Addr = text.parse().map_err(|_| bad())?;
    let net = Ipv6Net::new(address, 64).map_err(|_| bad())?;
    Ok(net.trunc())
}
