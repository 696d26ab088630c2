// SPDX-License-Identifier: GPL-2.0-or-later
//! Options that mean something only together: rules, PSID, border.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::{Protocol, Rules};
use crate::handler::problem::{Code, Problem};
use crate::map::{Border, Dialect, Dmr, Domain, DomainError, MapType, Psid, RuleSpec, SpecError};
use crate::netifd::{Config, ConfigError};

/// Reads options that mean something together.
pub(super) struct Reader<'a> {
    pub(super) protocol: Protocol,
    pub(super) config: &'a Config,
}

impl Reader<'_> {
    /// `maptype`, or `type` as older configurations say.
    pub(super) fn map_type(&self) -> Result<MapType, Problem> {
        let word = match self.config.text("maptype")? {
            Some(word) => Some(word),
            None => self.config.text("type")?,
        };
        Ok(word.map_or(Ok(MapType::MapE), |word| word.parse())?)
    }

    /// Rules, and how the stock package would write them. A provider that is
    /// named wins over manual values that a form kept.
    pub(super) fn rules(&self, map_type: MapType) -> Result<(Rules, String), Problem> {
        let provider = self.config.text("provider")?;
        let strings = self.config.list("rule")?;
        let manual = ["ipaddr", "ip6prefix", "ip6prefixlen", "ealen"]
            .into_iter()
            .try_fold(false, |any, option| {
                Ok::<_, ConfigError>(any || self.config.text(option)?.is_some())
            })?;
        match provider.as_deref() {
            Some("none") => {}
            Some("auto") => return Ok((Rules::Provider(None), String::new())),
            Some(id) => return Ok((Rules::Provider(Some(id.into())), String::new())),
            None if strings.is_empty() && !manual => {
                return Ok((Rules::Provider(None), String::new()));
            }
            None => {}
        }
        let dialect = match self.config.flag("legacymap")? {
            Some(true) => Dialect::Draft03,
            _ => Dialect::Rfc7597,
        };
        let from_options = strings.is_empty();
        let specs: Vec<RuleSpec> = if from_options {
            vec![self.spec(map_type)?]
        } else {
            let parsed = strings.iter().map(|text| text.parse());
            parsed.collect::<Result<_, SpecError>>()?
        };
        let text = if from_options {
            specs.iter().map(RuleSpec::to_string).collect()
        } else {
            strings.join(" ")
        };
        let domain = Domain::from_specs(&specs, map_type, dialect)
            .map_err(|error| self.domain_problem(error, from_options))?;
        if domain.bmr_candidates_without_border() {
            let (option, what) = match map_type {
                MapType::MapE => ("peeraddr", "the IPv6 address of the border relay"),
                MapType::MapT => ("peeraddr", "the default mapping prefix"),
                MapType::Lw4o6 => ("peeraddr", "the IPv6 address of the AFTR"),
            };
            return Err(Problem::fatal(
                Code::InvalidMapRule,
                format!("{option} is missing: {what}"),
            ));
        }
        Ok((Rules::Explicit(domain), text))
    }

    fn domain_problem(&self, error: DomainError, from_options: bool) -> Problem {
        match error {
            // There is only one rule then, and people see options, not rules.
            DomainError::Rule { error, .. } if from_options => error.into(),
            other => Problem::fatal(Code::InvalidMapRule, other),
        }
    }

    /// The rule that the single options describe.
    fn spec(&self, map_type: MapType) -> Result<RuleSpec, Problem> {
        let small = |option, max| -> Result<Option<u8>, ConfigError> {
            Ok(self.config.number(option, 0, max)?.map(|n| n as u8))
        };
        let mut spec = RuleSpec {
            map_type: Some(map_type),
            ea_len: small("ealen", 48)?,
            prefix4_len: small("ip4prefixlen", 32)?,
            prefix6_len: small("ip6prefixlen", 128)?,
            offset: small("offset", 16)?,
            psid_len: small("psidlen", 16)?,
            ..RuleSpec::default()
        };
        spec.psid = self.psid(spec.psid_len)?;
        let address = |option, key| -> Result<Option<(String, Option<u8>)>, Problem> {
            let text = self.config.text(option)?;
            text.map(|text| with_length(option, key, text)).transpose()
        };
        if let Some((text, len)) = address("ip6prefix", "ip6prefixlen")? {
            spec.prefix6_len = spec.prefix6_len.or(len);
            spec.ipv6_prefix = Some(text.parse().map_err(|_| SpecError::Ipv6 {
                key: "ip6prefix",
                value: text,
            })?);
        }
        if let Some((text, len)) = address("ipaddr", "ip4prefixlen")? {
            spec.prefix4_len = spec.prefix4_len.or(len);
            spec.ipv4_prefix = Some(text.parse().map_err(|_| SpecError::Ipv4 {
                key: "ipaddr",
                value: text,
            })?);
        }
        // As the stock package writes it down.
        spec.prefix4_len = spec.prefix4_len.or(Some(32));
        match self.border(map_type)? {
            Some(Border::Br(br)) => spec.br = Some(br),
            Some(Border::Dmr(dmr)) => spec.dmr = Some(dmr),
            None => {}
        }
        Ok(spec)
    }

    /// `psid`, left-justified as a [`RuleSpec`] has it.
    fn psid(&self, psid_len: Option<u8>) -> Result<Option<u16>, Problem> {
        let Some(number) = self.config.number("psid", 0, 65535)? else {
            return Ok(None);
        };
        let word = number as u16;
        Ok(match (self.protocol, psid_len) {
            (Protocol::Map, _) => Some(word),
            (Protocol::Mape, Some(len)) => {
                let psid = Psid::new(word, len).map_err(SpecError::from)?;
                Some(psid.left_justified())
            }
            // Without a length there is nothing to justify it in; the rule
            // refuses anything but 0.
            (Protocol::Mape, None) => Some(word),
        })
    }

    pub(super) fn border(&self, map_type: MapType) -> Result<Option<Border>, Problem> {
        let Some(text) = self.config.text("peeraddr")? else {
            return Ok(None);
        };
        if map_type == MapType::MapT {
            let dmr: Dmr = text
                .parse()
                .map_err(|error| Problem::fatal(Code::InvalidMapRule, error))?;
            return Ok(Some(Border::Dmr(dmr)));
        }
        let br: Ipv6Addr = text.parse().map_err(|_| SpecError::Ipv6 {
            key: "peeraddr",
            value: text,
        })?;
        Ok(Some(Border::Br(br)))
    }

    pub(super) fn end_user(&self) -> Result<Option<Ipv6Net>, Problem> {
        let Some(text) = self.config.text("enduserprefix")? else {
            return Ok(None);
        };
        match text.parse::<Ipv6Net>() {
            Ok(net) => Ok(Some(net.trunc())),
            Err(_) => Err(Problem::fatal(
                Code::InvalidConfig,
                format!("enduserprefix {text}: must be an IPv6 prefix such as 240b:10:1:200::/56"),
            )),
        }
    }

    pub(super) fn encaplimit(&self) -> Result<Option<String>, Problem> {
        let Some(text) = self.config.text("encaplimit")? else {
            return Ok(None);
        };
        match (text.as_str(), text.parse::<u8>()) {
            ("ignore" | "none", _) => Ok(Some("ignore".into())),
            (_, Ok(limit)) => Ok(Some(limit.to_string())),
            _ => Err(Problem::fatal(
                Code::InvalidConfig,
                format!("encaplimit {text}: must be ignore or a number from 0 to 255"),
            )),
        }
    }

    /// An option that takes one of a few words.
    pub(super) fn word<T: std::str::FromStr>(
        &self,
        option: &'static str,
    ) -> Result<Option<T>, Problem>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.config.text(option)?;
        text.map(|text| text.parse())
            .transpose()
            .map_err(|error| Problem::fatal(Code::InvalidConfig, error))
    }
}

/// Splits `address/length`, which people write where a length of its own is
/// asked for too.
fn with_length(
    option: &'static str,
    key: &'static str,
    text: String,
) -> Result<(String, Option<u8>), Problem> {
    let Some((address, len)) = text.split_once('/') else {
        return Ok((text, None));
    };
    match len.parse::<u8>() {
        Ok(len) if len <= 128 => Ok((address.into(), Some(len))),
        _ => Err(Problem::fatal(
            Code::InvalidMapRule,
            format!("{option} {text}: write the address alone and its length as {key}"),
        )),
    }
}
