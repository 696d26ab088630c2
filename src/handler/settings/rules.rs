// SPDX-License-Identifier: GPL-2.0-or-later
//! The options of rules: strings of the stock package, or single ones.

use super::protocol::Protocol;
use super::reader::{Reader, relay};
use super::request::Request;
use crate::handler::problem::{Code, Problem};
use crate::map::{
    Border, Dialect, Dmr, Domain, DomainError, MapType, Overrides, RuleSpec, SpecError,
    WrittenPsid, check_br,
};
use crate::mechanism::Kind;
use crate::reason::said;

impl Reader<'_> {
    /// Rules, and how the stock package would write them. A provider that is
    /// named wins over manual values that a form kept.
    pub(super) fn rules(&mut self, kind: Option<Kind>) -> Result<(Request, String), Problem> {
        let provider = self.text("provider");
        let strings = self.list("rule");
        let mut manual = !strings.is_empty();
        // `ealen` and the like alone correct what the line says.
        for option in &["ipaddr", "ip6prefix", "ip6prefixlen"] {
            manual |= self.text(option).is_some();
        }
        if let Some(problem) = self.problem() {
            return Err(problem);
        }
        let provider = match provider.as_deref() {
            Some("none") => return self.manual(kind, &strings),
            None if manual => return self.manual(kind, &strings),
            Some("auto") | None => None,
            Some(id) => Some(id.to_owned()),
        };
        let known = Request::Known {
            provider,
            only: kind,
        };
        Ok((known, String::new()))
    }

    /// The rules that the user wrote: as strings, or as single options.
    fn manual(
        &mut self,
        kind: Option<Kind>,
        strings: &[String],
    ) -> Result<(Request, String), Problem> {
        let map_type = kind.and_then(Kind::map_type).unwrap_or(MapType::MapE);
        let dialect = match self.flag("legacymap") {
            Some(true) => Dialect::Draft03,
            _ => Dialect::Rfc7597,
        };
        let from_options = strings.is_empty();
        let (specs, text) = if from_options {
            let spec = self.spec(map_type);
            (vec![spec], spec.to_string())
        } else {
            self.written(strings)
        };
        if let Some(problem) = self.problem() {
            return Err(problem);
        }
        let domain =
            Domain::from_specs(&specs, map_type, dialect).map_err(|error| match *error {
                // There is only one rule then, and people see options, not rules.
                DomainError::Rule { error, .. } if from_options => error.into(),
                error => Problem::fatal(Code::InvalidMapRule, error),
            })?;
        if domain.bmr_candidates_without_border() {
            return Err(peer_missing(map_type));
        }
        Ok((Request::Rules(domain), text))
    }

    /// The rules of `strings`, with the options that correct them.
    fn written(&mut self, strings: &[String]) -> (Vec<RuleSpec>, String) {
        let mut specs: Vec<RuleSpec> = Vec::new();
        for string in strings {
            specs.extend(self.keep::<RuleSpec>(string.parse()));
        }
        let overrides = self.overrides();
        if overrides.is_empty() {
            return (specs, strings.join(" "));
        }
        overrides.apply(&mut specs);
        let corrected: Vec<String> = specs.iter().map(RuleSpec::to_string).collect();
        (specs, corrected.join(" "))
    }

    /// The options that also correct rules which a server hands out.
    pub(super) fn overrides(&mut self) -> Overrides {
        Overrides {
            offset: self.bits("offset", 16),
            ea_len: self.bits("ealen", 48),
            psid_len: self.bits("psidlen", 16),
            psid: self.psid(),
        }
    }

    /// The rule that the single options describe.
    fn spec(&mut self, map_type: MapType) -> RuleSpec {
        let Overrides {
            offset,
            ea_len,
            psid_len,
            psid,
        } = self.overrides();
        let mut spec = RuleSpec {
            map_type: Some(map_type),
            ea_len,
            prefix4_len: self.bits("ip4prefixlen", 32),
            prefix6_len: self.bits("ip6prefixlen", 128),
            offset,
            psid_len,
            psid,
            ..RuleSpec::default()
        };
        if let Some((text, len)) = self.address("ip6prefix", "ip6prefixlen") {
            spec.prefix6_len = spec.prefix6_len.or(len);
            spec.ipv6_prefix = self.ipv6("ip6prefix", text);
        }
        if let Some((text, len)) = self.address("ipaddr", "ip4prefixlen") {
            spec.prefix4_len = spec.prefix4_len.or(len);
            spec.ipv4_prefix = self.keep(text.parse().map_err(|_| SpecError::Ipv4 {
                key: "ipaddr",
                value: text,
            }));
        }
        // As the stock package writes it down.
        spec.prefix4_len = spec.prefix4_len.or(Some(32));
        let border = self.border(map_type);
        spec.br = border.and_then(Border::br);
        spec.dmr = border.and_then(Border::dmr);
        spec
    }

    fn psid(&mut self) -> Option<WrittenPsid> {
        let psid = self.number("psid", 0, u16::MAX)?;
        Some(match self.protocol {
            Protocol::Map => WrittenPsid::Word(psid),
            Protocol::Mape => WrittenPsid::Number(psid),
        })
    }

    pub(super) fn border(&mut self, map_type: MapType) -> Option<Border> {
        let text = self.text("peeraddr")?;
        if map_type == MapType::MapT {
            let dmr = text.parse::<Dmr>().map_err(SpecError::from);
            return self.keep(dmr).map(Border::Dmr);
        }
        let br = self.ipv6("peeraddr", text)?;
        self.keep(check_br(br).map_err(SpecError::from))?;
        Some(Border::Br(br))
    }
}

/// Rules without a far end that they need.
fn peer_missing(map_type: MapType) -> Problem {
    let what = match map_type {
        MapType::MapE => relay(),
        MapType::MapT => said!("needs_dmr", "the default mapping prefix"),
        MapType::Lw4o6 => said!("needs_aftr", "the IPv6 address of the AFTR"),
    };
    Problem::fatal(
        Code::InvalidMapRule,
        said!("peer_missing", "peeraddr is missing: {reason}", what),
    )
}
