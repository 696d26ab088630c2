// SPDX-License-Identifier: GPL-2.0-or-later
//! The stock rule string, and rules that are not complete yet.
//!
//! `type=map-e,ipv6prefix=…,prefix6len=…,ipv4prefix=…,prefix4len=…,ealen=…,`
//! `psidlen=…,offset=…,psid=…,br=…|dmr=…,fmr`: what `proto map` takes in
//! `option rule` and what the DHCPv6 client makes of S46 options.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};

use super::MapType;
use super::address::{Dialect, Dmr};
use super::domain::Border;
use super::ports::Psid;
use super::rule::{MAX_EA_LEN, Rule, RuleParts};

mod error;

pub use error::SpecError;

/// A rule as somebody wrote it: every value in its own range, but neither
/// complete nor checked against each other; [`RuleSpec::rule`] does that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RuleSpec {
    /// `type`.
    pub map_type: Option<MapType>,
    /// `fmr`: the rule is a forwarding mapping rule (too).
    pub fmr: bool,
    /// `ipv6prefix` without its length; host bits are allowed.
    pub ipv6_prefix: Option<Ipv6Addr>,
    /// `prefix6len` in bits.
    pub prefix6_len: Option<u8>,
    /// `ipv4prefix` without its length; host bits are allowed.
    pub ipv4_prefix: Option<Ipv4Addr>,
    /// `prefix4len` in bits; 32 where it is missing.
    pub prefix4_len: Option<u8>,
    /// `ealen` in bits; where it is missing, all that the end-user prefix has
    /// beyond the rule prefix.
    pub ea_len: Option<u8>,
    /// `offset` in bits.
    pub offset: Option<u8>,
    /// `psidlen` in bits.
    pub psid_len: Option<u8>,
    /// `psid`, left-justified in 16 bits (RFC 7598 section 4.5).
    pub psid: Option<u16>,
    /// `br`: address of the border relay, or of the AFTR of lw4o6.
    pub br: Option<Ipv6Addr>,
    /// `dmr`.
    pub dmr: Option<Dmr>,
}

/// A number as `strtoul` with base 0 reads it in the stock helper, octal
/// excepted: nobody means that.
pub(super) fn number(key: &'static str, value: &str, max: u16) -> Result<u16, Box<SpecError>> {
    let (digits, radix) = match value.strip_prefix("0x").or(value.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None => (value, 10),
    };
    // A sign would be read, too.
    let parsed = match digits.starts_with('+') {
        true => None,
        false => u64::from_str_radix(digits, radix).ok(),
    };
    let value = parsed.ok_or_else(|| SpecError::Number {
        key,
        value: value.into(),
        max,
    })?;
    match u16::try_from(value) {
        Ok(fits) if fits <= max => Ok(fits),
        _ => Err(SpecError::TooLarge { key, value, max }.into()),
    }
}

fn ipv6(key: &'static str, value: &str) -> Result<Ipv6Addr, Box<SpecError>> {
    let value = value.parse().map_err(|_| SpecError::Ipv6 {
        key,
        value: value.into(),
    });
    Ok(value?)
}

impl RuleSpec {
    /// Sets one `key` or `key=value` of a rule string.
    ///
    /// # Errors
    /// Unknown key or a value out of range; the rule is then unchanged.
    pub fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), Box<SpecError>> {
        let text = value.unwrap_or_default();
        let (key, number_of_bits, max) = match key {
            "ealen" => ("ealen", &mut self.ea_len, MAX_EA_LEN),
            "prefix4len" => ("prefix4len", &mut self.prefix4_len, 32),
            "prefix6len" => ("prefix6len", &mut self.prefix6_len, 128),
            "offset" => ("offset", &mut self.offset, 16),
            "psidlen" => ("psidlen", &mut self.psid_len, 16),
            _ => return self.set_other(key, value),
        };
        // `number` has checked the limit.
        *number_of_bits = Some(number(key, text, u16::from(max))? as u8);
        Ok(())
    }

    fn set_other(&mut self, key: &str, value: Option<&str>) -> Result<(), Box<SpecError>> {
        let text = value.unwrap_or_default();
        match key {
            "type" => self.map_type = Some(text.parse()?),
            // Some write fmr=1; fmr=0 can only mean no.
            "fmr" => self.fmr = number("fmr", value.unwrap_or("1"), 1)? == 1,
            "ipv6prefix" => self.ipv6_prefix = Some(ipv6("ipv6prefix", text)?),
            "ipv4prefix" => {
                self.ipv4_prefix = Some(text.parse().map_err(|_| SpecError::Ipv4 {
                    key: "ipv4prefix",
                    value: text.into(),
                })?);
            }
            "psid" => self.psid = Some(number("psid", text, u16::MAX)?),
            "br" => self.br = Some(ipv6("br", text)?),
            "dmr" => self.dmr = Some(text.parse().map_err(SpecError::Dmr)?),
            _ => return Err(SpecError::Key(key.into()).into()),
        }
        Ok(())
    }

    /// The parts of a rule string as `(key, value)`.
    pub fn tokens(text: &str) -> Vec<(&str, Option<&str>)> {
        let mut tokens = Vec::new();
        for token in text.split(',') {
            match token.trim().split_once('=') {
                Some((key, value)) => tokens.push((key, Some(value))),
                None if token.trim().is_empty() => {}
                None => tokens.push((token.trim(), None)),
            }
        }
        tokens
    }

    /// The spec that says what `rule` is; reading it gives the same rule.
    pub fn from_rule(rule: &Rule, map_type: MapType, border: Option<Border>) -> Self {
        let params = rule.port_params();
        RuleSpec {
            map_type: Some(map_type),
            fmr: false,
            ipv6_prefix: Some(rule.ipv6().addr()),
            prefix6_len: Some(rule.ipv6().prefix_len()),
            ipv4_prefix: Some(rule.ipv4().addr()),
            prefix4_len: Some(rule.ipv4().prefix_len()),
            ea_len: Some(rule.ea_len()),
            offset: Some(params.offset()),
            psid_len: Some(params.psid_len()),
            psid: rule.provisioned_psid().map(Psid::left_justified),
            br: border.and_then(Border::br),
            dmr: border.and_then(Border::dmr),
        }
    }

    /// PSID offset that holds where none is given: 0 for lw4o6, 4 in
    /// draft-03, 6 in RFC 7597 (section 5.1).
    pub fn default_offset(map_type: MapType, dialect: Dialect) -> u8 {
        match (map_type, dialect) {
            (MapType::Lw4o6, _) => 0,
            (_, Dialect::Draft03) => 4,
            (_, Dialect::Rfc7597) => 6,
        }
    }

    /// The rule IPv6 prefix.
    ///
    /// # Errors
    /// Address or length missing.
    pub fn ipv6(&self) -> Result<Ipv6Net, Box<SpecError>> {
        let len = self.prefix6_len.ok_or(SpecError::Missing("ip6prefixlen"))?;
        let address = self.ipv6_prefix.ok_or(SpecError::Missing("ip6prefix"))?;
        let net = Ipv6Net::new(address, len).map_err(|_| SpecError::TooLarge {
            key: "ip6prefixlen",
            value: len.into(),
            max: 128,
        })?;
        Ok(net.trunc())
    }

    /// The complete rule. `end_user_len` (bits) fills in a missing EA length;
    /// without one the EA bits count as none, which checks all the rest.
    ///
    /// # Errors
    /// Something is missing, or the values contradict each other.
    pub fn rule(
        &self,
        map_type: MapType,
        dialect: Dialect,
        end_user_len: Option<u8>,
    ) -> Result<Rule, Box<SpecError>> {
        let ipv6 = self.ipv6()?;
        let len = self.prefix4_len.unwrap_or(32);
        let address = self.ipv4_prefix.ok_or(SpecError::Missing("ipaddr"))?;
        let ipv4 = Ipv4Net::new(address, len).map_err(|_| SpecError::TooLarge {
            key: "ip4prefixlen",
            value: len.into(),
            max: 32,
        })?;
        let psid = match (self.psid, self.psid_len) {
            (Some(word), Some(len)) if len > 0 => {
                Some(Psid::from_left_justified(word, len).map_err(SpecError::from)?)
            }
            (Some(word), _) if word != 0 => return Err(SpecError::Missing("psidlen").into()),
            _ => None,
        };
        // Servers fill in PSID 0 beside a length where the PSID is in the EA
        // bits; taken at its word, every subscriber would have PSID 0.
        let in_ea = self.ea_len.is_some_and(|ea_len| ea_len > 32 - len);
        let is_filler = map_type != MapType::Lw4o6 && in_ea;
        let psid = psid.filter(|psid| psid.value() != 0 || !is_filler);
        let rest = end_user_len.map(|len| len.saturating_sub(ipv6.prefix_len()));
        let ea_len = match (self.ea_len, map_type, self.psid_len) {
            (Some(len), _, _) => len,
            // A binding names its PSID; without one the PSID is in the prefix.
            (None, MapType::Lw4o6, Some(len)) if psid.is_none() => len,
            (None, MapType::Lw4o6, _) => 0,
            (None, _, _) if psid.is_some() => 32 - len,
            (None, _, _) => rest.unwrap_or(0),
        };
        let open = self.ea_len.is_none() && end_user_len.is_none();
        let rule = Rule::new(RuleParts {
            ipv6,
            ipv4,
            ea_len,
            offset: self
                .offset
                .unwrap_or(Self::default_offset(map_type, dialect)),
            // Nothing to compare with while the EA length is not known.
            psid_len: self.psid_len.filter(|_| !open || psid.is_some()),
            psid,
        });
        Ok(rule.map_err(SpecError::Rule)?)
    }
}

impl FromStr for RuleSpec {
    type Err = Box<SpecError>;

    fn from_str(text: &str) -> Result<Self, Box<SpecError>> {
        let mut spec = RuleSpec::default();
        for (key, value) in RuleSpec::tokens(text) {
            spec.set(key, value)?;
        }
        Ok(spec)
    }
}

fn any<T: fmt::Display>(value: &Option<T>) -> Option<&dyn fmt::Display> {
    value.as_ref().map(|value| value as &dyn fmt::Display)
}

impl fmt::Display for RuleSpec {
    /// The stock rule string; reading it back gives the same spec.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        let mut put = |key: &str, value: Option<&dyn fmt::Display>| {
            let Some(value) = value else { return Ok(()) };
            let before = std::mem::replace(&mut comma, ",");
            write!(f, "{before}{key}{value}")
        };
        put("type=", any(&self.map_type))?;
        put("ipv6prefix=", any(&self.ipv6_prefix))?;
        put("prefix6len=", any(&self.prefix6_len))?;
        put("ipv4prefix=", any(&self.ipv4_prefix))?;
        put("prefix4len=", any(&self.prefix4_len))?;
        put("psid=", any(&self.psid))?;
        put("psidlen=", any(&self.psid_len))?;
        put("offset=", any(&self.offset))?;
        put("ealen=", any(&self.ea_len))?;
        put("dmr=", any(&self.dmr))?;
        put("br=", any(&self.br))?;
        put("fmr", self.fmr.then_some(&""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_string_in_and_out() {
        let text = "type=map-e,ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,\
                    prefix4len=15,offset=4,ealen=25,br=2404:9200:225:100::64,fmr";
        let spec: RuleSpec = text.parse().unwrap();
        assert_eq!(spec.to_string(), text);
        assert!(spec.fmr);
        assert_eq!(spec.to_string().parse::<RuleSpec>().unwrap(), spec);
    }

    #[test]
    fn a_rule_survives_being_written_down() {
        for text in [
            "ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,ealen=25,offset=4",
            "ipv6prefix=2001:db8::,prefix6len=64,ipv4prefix=192.0.2.1,psidlen=8,psid=10240,offset=0",
            "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,ealen=4",
        ] {
            let spec: RuleSpec = text.parse().unwrap();
            let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None).unwrap();
            let written = RuleSpec::from_rule(&rule, MapType::MapE, None).to_string();
            let read: RuleSpec = written.parse().unwrap();
            assert_eq!(
                read.rule(MapType::MapE, Dialect::Draft03, None),
                Ok(rule),
                "{written}"
            );
        }
    }

    #[test]
    fn values_out_of_range_are_named() {
        let says = |text: &str| text.parse::<RuleSpec>().unwrap_err().to_string();
        assert_eq!(says("ealen=99"), "ealen 99: at most 48");
        assert_eq!(says("prefix4len=33"), "prefix4len 33: at most 32");
        assert_eq!(says("offset=-1"), "offset -1: must be a number, at most 16");
        assert!(says("offset=+1").starts_with("offset +1: must be a number"));
        assert!(says("psid=0x+1").starts_with("psid 0x+1: must be a number"));
        assert_eq!(
            says("psid=99999999999999999999"),
            "psid 99999999999999999999: must be a number, at most 65535"
        );
        assert_eq!(says("br=nowhere"), "br nowhere: must be an IPv6 address");
        assert_eq!(
            says("ipv4prefix=1.2.3"),
            "ipv4prefix 1.2.3: must be an IPv4 address"
        );
        assert_eq!(
            says("type=dslite"),
            "type dslite: must be map-e, map-t or lw4o6"
        );
        assert!(says("bogus=1").starts_with("rule: bogus is not known"));
        assert_eq!("0x34".parse::<u16>().ok(), None);
        assert_eq!(number("psid", "0x3400", u16::MAX), Ok(0x3400));
    }

    #[test]
    fn what_is_missing_is_named() {
        let spec: RuleSpec = "type=map-e,ealen=8".parse().unwrap();
        let error = spec
            .rule(MapType::MapE, Dialect::Rfc7597, None)
            .unwrap_err();
        assert_eq!(*error, SpecError::Missing("ip6prefixlen"));
        let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.1,psid=512"
            .parse()
            .unwrap();
        let error = spec
            .rule(MapType::MapE, Dialect::Rfc7597, None)
            .unwrap_err();
        assert_eq!(*error, SpecError::Missing("psidlen"));
    }

    #[test]
    fn a_missing_ea_length_is_the_rest_of_the_prefix() {
        let spec: RuleSpec =
            "ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,psidlen=8"
                .parse()
                .unwrap();
        assert!(spec.rule(MapType::MapE, Dialect::Draft03, None).is_ok());
        let rule = spec
            .rule(MapType::MapE, Dialect::Draft03, Some(56))
            .unwrap();
        assert_eq!(rule.ea_len(), 25);
        assert_eq!(rule.port_params().offset(), 4);
    }
}
