// SPDX-License-Identifier: GPL-2.0-or-later
//! A rule as somebody wrote it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::Ipv6Net;

use super::super::address::{Dialect, Dmr};
use super::super::bits::covers;
use super::super::border::Border;
use super::super::map_type::MapType;
use super::super::psid::{Psid, WrittenPsid};
use super::super::rule::{MAX_EA_LEN, Rule};
use super::error::SpecError;

/// A rule as somebody wrote it: every value in its own range, but neither
/// complete nor checked against each other; [`RuleSpec::rule`] does that.
///
/// ```
/// use mape::map::RuleSpec;
///
/// let spec: RuleSpec = "ipv6prefix=2001:db8::, prefix6len=40, fmr".parse()?;
/// assert!(spec.fmr);
/// assert_eq!(spec.to_string(), "ipv6prefix=2001:db8::,prefix6len=40,fmr");
/// # Ok::<(), Box<mape::map::SpecError>>(())
/// ```
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
    /// `prefix4len` in bits; 32 if it is missing.
    pub prefix4_len: Option<u8>,
    /// `ealen` in bits. If it is missing, it follows from `psidlen`, or is all
    /// that the end-user prefix has beyond the rule prefix.
    pub ea_len: Option<u8>,
    /// `offset` in bits.
    pub offset: Option<u8>,
    /// `psidlen` in bits.
    pub psid_len: Option<u8>,
    /// `psid`.
    pub psid: Option<WrittenPsid>,
    /// `pd` without its length: the end-user prefix, if the rule names it.
    pub pd: Option<Ipv6Addr>,
    /// `pdlen` in bits.
    pub pd_len: Option<u8>,
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
    /// ```
    /// use mape::map::RuleSpec;
    ///
    /// let mut spec = RuleSpec::default();
    /// spec.set("ealen", Some("16"))?;
    /// assert_eq!(spec.ea_len, Some(16));
    /// assert!(spec.set("ealen", Some("49")).is_err());
    /// # Ok::<(), Box<mape::map::SpecError>>(())
    /// ```
    ///
    /// # Errors
    /// Unknown key or a value out of range; the rule is then unchanged.
    pub fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), Box<SpecError>> {
        let text = value.unwrap_or_default();
        let (key, number_of_bits, max) = match key {
            "ealen" => ("ealen", &mut self.ea_len, MAX_EA_LEN),
            "prefix4len" => ("prefix4len", &mut self.prefix4_len, 32),
            "prefix6len" => ("prefix6len", &mut self.prefix6_len, 128),
            "pdlen" => ("pdlen", &mut self.pd_len, 128),
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
            "psid" => self.psid = Some(WrittenPsid::Word(number("psid", text, u16::MAX)?)),
            "pd" => self.pd = Some(ipv6("pd", text)?),
            "br" => self.br = Some(ipv6("br", text)?),
            "dmr" => self.dmr = Some(text.parse().map_err(SpecError::Dmr)?),
            _ => return Err(SpecError::Key(key.into()).into()),
        }
        Ok(())
    }

    /// The parts of a rule string as `(key, value)`.
    ///
    /// ```
    /// use mape::map::RuleSpec;
    ///
    /// assert_eq!(RuleSpec::tokens("ealen=16, fmr"), [("ealen", Some("16")), ("fmr", None)]);
    /// ```
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
    ///
    /// ```
    /// # use mape::map::{Dialect, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let rule = spec.rule(MapType::MapE, Dialect::Rfc7597, None)?;
    /// let written = RuleSpec::from_rule(&rule, MapType::MapE, None);
    /// assert_eq!(written.rule(MapType::MapE, Dialect::Rfc7597, None)?, rule);
    /// # Ok::<(), Box<mape::map::SpecError>>(())
    /// ```
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
            psid: rule
                .provisioned_psid()
                .map(|psid| WrittenPsid::Word(psid.left_justified())),
            pd: None,
            pd_len: None,
            br: border.and_then(Border::br),
            dmr: border.and_then(Border::dmr),
        }
    }

    /// PSID offset that holds if none is given: 0 for lw4o6, 4 in
    /// draft-03, 6 in RFC 7597 (section 5.1).
    ///
    /// ```
    /// use mape::map::{Dialect, MapType, RuleSpec};
    ///
    /// assert_eq!(RuleSpec::default_offset(MapType::MapE, Dialect::Draft03), 4);
    /// assert_eq!(RuleSpec::default_offset(MapType::MapT, Dialect::Rfc7597), 6);
    /// ```
    pub fn default_offset(map_type: MapType, dialect: Dialect) -> u8 {
        match (map_type, dialect) {
            (MapType::Lw4o6, _) => 0,
            (_, Dialect::Draft03) => 4,
            (_, Dialect::Rfc7597) => 6,
        }
    }

    /// The rule IPv6 prefix.
    ///
    /// ```
    /// use mape::map::RuleSpec;
    ///
    /// let spec: RuleSpec = "ipv6prefix=2001:db8::1,prefix6len=40".parse()?;
    /// assert_eq!(spec.ipv6()?.to_string(), "2001:db8::/40");
    /// # Ok::<(), Box<mape::map::SpecError>>(())
    /// ```
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

    /// The end-user prefix that the rule itself names, if it does.
    ///
    /// ```
    /// use mape::map::RuleSpec;
    ///
    /// let spec: RuleSpec =
    ///     "ipv6prefix=2001:db8::,prefix6len=40,pd=2001:db8:12:3400::,pdlen=56".parse()?;
    /// assert_eq!(spec.end_user()?, "2001:db8:12:3400::/56".parse().ok());
    /// # Ok::<(), Box<mape::map::SpecError>>(())
    /// ```
    ///
    /// # Errors
    /// Half of it is missing, or it is not within the rule IPv6 prefix.
    pub fn end_user(&self) -> Result<Option<Ipv6Net>, Box<SpecError>> {
        let (address, len) = match (self.pd, self.pd_len) {
            (None, None) => return Ok(None),
            (Some(address), Some(len)) => (address, len),
            (Some(_), None) => return Err(SpecError::Missing("pdlen").into()),
            (None, Some(_)) => return Err(SpecError::Missing("pd").into()),
        };
        let pd = Ipv6Net::new(address, len).map_err(|_| SpecError::TooLarge {
            key: "pdlen",
            value: len.into(),
            max: 128,
        })?;
        let (pd, rule) = (pd.trunc(), self.ipv6()?);
        match covers(rule, pd) {
            true => Ok(Some(pd)),
            false => Err(SpecError::ForeignPd { pd, rule }.into()),
        }
    }

    /// PSID length in bits, if it is given or follows from the EA length. A
    /// length of 0 counts as not given (RFC 7598 section 4.5).
    pub(super) fn known_psid_len(&self) -> Option<u8> {
        let suffix_len = 32u8.saturating_sub(self.prefix4_len.unwrap_or(32));
        let in_ea = self.ea_len.and_then(|len| len.checked_sub(suffix_len));
        [self.psid_len, in_ea]
            .into_iter()
            .flatten()
            .find(|&len| len > 0)
    }

    /// `psid` as a rule string has it: left-justified, if the length is known.
    fn psid_word(&self) -> Option<u16> {
        match self.psid? {
            WrittenPsid::Word(word) => Some(word),
            WrittenPsid::Number(number) => {
                let psid = Psid::new(number, self.known_psid_len().unwrap_or(0));
                Some(psid.map_or(number, Psid::left_justified))
            }
        }
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

fn any<T: fmt::Display>(value: Option<&T>) -> Option<&dyn fmt::Display> {
    value.map(|value| value as &dyn fmt::Display)
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
        put("type=", any(self.map_type.as_ref()))?;
        put("ipv6prefix=", any(self.ipv6_prefix.as_ref()))?;
        put("prefix6len=", any(self.prefix6_len.as_ref()))?;
        put("ipv4prefix=", any(self.ipv4_prefix.as_ref()))?;
        put("prefix4len=", any(self.prefix4_len.as_ref()))?;
        put("psid=", any(self.psid_word().as_ref()))?;
        put("psidlen=", any(self.psid_len.as_ref()))?;
        put("offset=", any(self.offset.as_ref()))?;
        put("ealen=", any(self.ea_len.as_ref()))?;
        put("pd=", any(self.pd.as_ref()))?;
        put("pdlen=", any(self.pd_len.as_ref()))?;
        put("dmr=", any(self.dmr.as_ref()))?;
        put("br=", any(self.br.as_ref()))?;
        put("fmr", self.fmr.then_some(&""))
    }
}

impl FromStr for MapType {
    type Err = Box<SpecError>;

    /// Parses `map-e`, `map-t` or `lw4o6`.
    fn from_str(s: &str) -> Result<Self, Box<SpecError>> {
        match s {
            "map-e" => Ok(MapType::MapE),
            "map-t" => Ok(MapType::MapT),
            "lw4o6" => Ok(MapType::Lw4o6),
            other => Err(SpecError::Type(other.into()).into()),
        }
    }
}
