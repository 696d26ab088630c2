// SPDX-License-Identifier: GPL-2.0-or-later
//! The arguments that describe a subscriber, shared by `calc`, `br` and `nft`.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::args::Args;
use super::failure::{Failure, Outcome};
use super::output::CalcAnswer;
use super::providers::{self, Named};
use crate::map::{Dialect, Domain, MapType, Mapping, Relay, RuleSpec, SpecError, check_end_user};
use crate::reason::said;
use crate::sanitize::quoted;

/// `--prefix`, `--provider`, `--rule` and `--legacy`.
#[derive(Debug)]
pub(super) struct MappingArgs<'a> {
    prefix: Option<Ipv6Net>,
    provider: Option<&'a str>,
    rules: Vec<RuleSpec>,
    dialect: Dialect,
}

/// A mapping and where its rules come from.
pub(super) struct Found {
    pub mapping: Mapping,
    pub provider: Option<Named>,
    pub mtu: u16,
}

impl Found {
    /// The answer of `mape calc`.
    pub fn answer(&self) -> CalcAnswer<'_> {
        let id = self.provider.as_ref().map(|named| named.id.as_str());
        CalcAnswer::new(&self.mapping, id, self.mtu)
    }
}

/// MTU in bytes if nothing else is known: what Ethernet leaves.
pub(super) fn default_mtu(map_type: MapType) -> u16 {
    1500 - map_type.overhead()
}

/// The dialect that `--legacy` chooses.
pub(super) fn dialect(args: &Args) -> Dialect {
    match args.has("legacy") {
        true => Dialect::Draft03,
        false => Dialect::Rfc7597,
    }
}

impl<'a> MappingArgs<'a> {
    /// Those among `args`.
    pub fn read(args: &'a Args) -> Outcome<Self> {
        let text = match (args.get("prefix"), args.word()) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage("give PREFIX or --prefix, not both"));
            }
            (option, word) => option.or(word),
        };
        let texts = args.options.iter().filter(|(name, _)| *name == "rule");
        let rules: Outcome<Vec<RuleSpec>> = texts.map(|(_, text)| rule(text)).collect();
        Ok(MappingArgs {
            prefix: text.map(prefix).transpose()?,
            provider: args.get("provider"),
            rules: rules?,
            dialect: dialect(args),
        })
    }

    /// The mapping these arguments describe.
    pub fn find(&self) -> Outcome<Found> {
        let prefix = self.prefix;
        let prefix = prefix.ok_or_else(|| Failure::usage("the end-user prefix is missing"))?;
        let (domain, provider, mtu) = self.domain()?;
        let mapping = domain.map(&[prefix]).map_err(|error| match &provider {
            Some(named) => providers::mismatch(named, &prefix, &error),
            None => Failure::told(error),
        })?;
        Ok(Found {
            mapping,
            provider,
            mtu,
        })
    }

    /// The domain these arguments describe, as its BR knows it: of the
    /// subscriber alone if there is a prefix, else of all of them.
    pub fn relay(&self) -> Outcome<Relay> {
        match self.prefix {
            Some(_) => Ok(Relay::of(&self.find()?.mapping)),
            None => Ok(Relay::new(&self.domain()?.0)),
        }
    }

    /// The domain, whose it is, and the MTU there.
    fn domain(&self) -> Outcome<(Domain, Option<Named>, u16)> {
        if !self.rules.is_empty() {
            if self.provider.is_some() {
                return Err(Failure::usage("give --provider or --rule, not both"));
            }
            let map_type = self.rules.iter().find_map(|rule| rule.map_type);
            let map_type = map_type.unwrap_or(MapType::MapE);
            let domain = Domain::from_specs(&self.rules, map_type, self.dialect);
            return Ok((domain.map_err(Failure::told)?, None, default_mtu(map_type)));
        }
        let table = providers::table();
        let (provider, domain) = match (self.provider, self.prefix) {
            (None | Some("auto"), None) => {
                return Err(Failure::usage("give --rule, --provider ID or --prefix"));
            }
            (None | Some("auto"), Some(prefix)) => {
                let chosen = table.choose(&[prefix]);
                let refused = |error| providers::refused(&error, &prefix);
                let (found, _) = chosen.map_err(refused)?;
                (found.provider(), found.domain(false))
            }
            (Some(id), _) => {
                let provider = table.provider(id).map_err(Failure::told)?;
                (provider, provider.domain(false))
            }
        };
        let named = Some(Named::from(provider));
        let domain = domain.map_err(Failure::told)?;
        let mtu = provider.mtu().unwrap_or(default_mtu(domain.map_type()));
        Ok((domain, named, mtu))
    }
}

/// The value of `--rule`. A server may name several relays, a person who gives a
/// part twice has mistyped one of them.
fn rule(text: &str) -> Outcome<RuleSpec> {
    let mut seen = Vec::new();
    for (key, _) in RuleSpec::tokens(text) {
        if seen.contains(&key) {
            return Err(Failure::failed(format_args!(
                "--rule: {key} is given twice"
            )));
        }
        seen.push(key);
    }
    text.parse().map_err(|error: Box<SpecError>| {
        Failure::told(said!("rule_argument", "--rule: {reason}", error))
    })
}

/// A prefix, or an address within one, which then counts as its /64.
/// Blanks around it come from web pages.
pub(super) fn prefix(text: &str) -> Outcome<Ipv6Net> {
    let text = text.trim();
    if text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv4Net>().is_ok() {
        return Err(Failure::failed(format_args!(
            "{text} is IPv4; give the IPv6 prefix of the line, or an IPv6 address that the router \
             has from it"
        )));
    }
    let address: Option<Ipv6Addr> = text.parse().ok();
    if let Some(address) = address {
        // What the address is says more than what its /64 is.
        check_end_user(address.into(), None).map_err(Failure::told)?;
    }
    let of_address = || address.and_then(|ip| Ipv6Net::new(ip, 64).ok());
    let net = text.parse().ok().or_else(of_address);
    let net = net.as_ref().map(Ipv6Net::trunc).ok_or_else(|| {
        Failure::told(said!(
            "not_a_prefix",
            "{text} is neither an IPv6 prefix such as 240b:10:1:200::/56 nor an address",
            quoted(text)
        ))
    })?;
    check_end_user(net, None).map_err(Failure::told)?;
    Ok(net)
}
