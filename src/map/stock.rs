// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules in the words of OpenWrt's `mapcalc`: the `RULE_1_…` lines its callers
//! evaluate, and that `/tmp/map-<interface>.rules` holds.
//!
//! Where the stock helper is wrong this one is not; `docs/compatibility.md`
//! has the list.

use std::fmt::{self, Write as _};

use ipnet::Ipv6Net;

use super::address::Dialect;
use super::bits::covers;
use super::ports::PortRange;
use super::rule::Rule;
use super::spec::{RuleSpec, SpecError};
use super::{MapType, ports::PortSet};

/// An interface and the prefixes delegated to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its logical name.
    pub interface: String,
    /// Its delegated prefixes, in netifd's order.
    pub prefixes: Vec<Ipv6Net>,
}

/// What the helper says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Standard output: lines of `NAME=value`.
    pub output: String,
    /// Standard error, a line each.
    pub complaints: Vec<String>,
    /// No rule was skipped: the exit status is 0.
    pub complete: bool,
}

/// Why a rule was skipped.
enum Skip {
    Invalid(Option<SpecError>),
    NoPrefix,
}

/// A rule string and what was made of it.
struct Parsed<'a> {
    spec: RuleSpec,
    /// As written, for the output repeats it.
    dmr: Option<&'a str>,
    br: Option<&'a str>,
}

/// A rule that can be printed.
struct Line<'a> {
    parsed: Parsed<'a>,
    rule: Rule,
    ea_len: u8,
    end_user: Option<(&'a str, Ipv6Net)>,
}

/// Computes the lines for `rules` (rule strings) on these links.
pub fn report(rules: &[&str], dialect: Dialect, links: &[Link]) -> Report {
    let mut complaints = Vec::new();
    let mut lines = Vec::new();
    for text in rules {
        let parsed = Parsed::read(text, &mut complaints);
        match parsed.resolve(dialect, links) {
            Ok(line) => lines.push(line),
            Err(Skip::NoPrefix) => {
                complaints.push(format!("Skipping non-FMR without matching PD: {text}"));
            }
            Err(Skip::Invalid(reason)) => {
                complaints.push(format!("Skipping invalid or incomplete rule: {text}"));
                complaints.extend(reason.map(|reason| format!("  {reason}")));
            }
        }
    }
    let bmr = basic_rule(&lines);
    let mut output = String::new();
    for (at, line) in lines.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = line.write(&mut output, at + 1, bmr == Some(at), dialect);
    }
    let _ = writeln!(output, "RULE_COUNT={}", lines.len());
    Report {
        output,
        complaints,
        complete: lines.len() == rules.len(),
    }
}

/// Of the rules that match, the one with the longest IPv6 prefix (RFC 7597
/// section 5), the first among equals.
fn basic_rule(lines: &[Line<'_>]) -> Option<usize> {
    let len = |line: &Line<'_>| line.rule.ipv6().prefix_len();
    let matching = lines
        .iter()
        .enumerate()
        .filter(|(_, l)| l.end_user.is_some());
    matching
        .rev()
        .max_by_key(|(_, line)| len(line))
        .map(|(at, _)| at)
}

impl<'a> Parsed<'a> {
    fn read(text: &'a str, complaints: &mut Vec<String>) -> Self {
        let mut spec = RuleSpec::default();
        let (mut dmr, mut br) = (None, None);
        for (key, value) in RuleSpec::tokens(text) {
            match spec.set(key, value) {
                Ok(()) if key == "dmr" => dmr = value,
                Ok(()) if key == "br" => br = value,
                Ok(()) => (),
                Err(SpecError::Key(_)) => {
                    let equals = if value.is_some() { "=" } else { "" };
                    let value = value.unwrap_or_default();
                    complaints.push(format!("Skipped invalid option: {key}{equals}{value}"));
                }
                Err(_) => {
                    let value = value.unwrap_or_default();
                    complaints.push(format!("Skipped invalid value {value} for option {key}"));
                }
            }
        }
        Parsed { spec, dmr, br }
    }

    fn resolve(self, dialect: Dialect, links: &'a [Link]) -> Result<Line<'a>, Skip> {
        let map_type = self.spec.map_type.unwrap_or(MapType::MapE);
        let invalid = |error| Skip::Invalid(Some(error));
        let ipv6 = self.spec.ipv6().map_err(invalid)?;
        let ea_len = match (self.spec.ea_len, map_type) {
            (None, MapType::Lw4o6) => self.spec.psid_len,
            (ea_len, _) => ea_len,
        };
        let needed = self
            .spec
            .rule(map_type, dialect, ea_len.map(|len| ipv6.prefix_len() + len))
            .map_err(invalid)?
            .end_user_len();
        let end_user = links.iter().find_map(|link| {
            let fits = |net: &&Ipv6Net| covers(ipv6, **net) && net.prefix_len() >= needed;
            let prefix = link.prefixes.iter().find(fits)?;
            Some((link.interface.as_str(), prefix.trunc()))
        });
        let end_user_len = end_user.map(|(_, prefix)| prefix.prefix_len());
        let rest = end_user_len.map(|len| len - ipv6.prefix_len());
        let ea_len = ea_len.or(rest).ok_or(Skip::Invalid(None))?;
        if end_user.is_none() && !self.spec.fmr {
            return Err(Skip::NoPrefix);
        }
        let rule = self
            .spec
            .rule(map_type, dialect, end_user_len)
            .map_err(invalid)?;
        Ok(Line {
            rule,
            ea_len,
            end_user,
            parsed: self,
        })
    }
}

impl Line<'_> {
    fn write(&self, out: &mut String, n: usize, is_bmr: bool, dialect: Dialect) -> fmt::Result {
        let Line { rule, .. } = self;
        let spec = &self.parsed.spec;
        let params = rule.port_params();
        let mut put =
            |name: &str, value: &dyn fmt::Display| writeln!(out, "RULE_{n}_{name}={value}");
        put("FMR", &u8::from(spec.fmr))?;
        put("EALEN", &self.ea_len)?;
        put("PSIDLEN", &params.psid_len())?;
        put("OFFSET", &params.offset())?;
        put("PREFIX4LEN", &rule.ipv4().prefix_len())?;
        put("PREFIX6LEN", &rule.ipv6().prefix_len())?;
        // Prefixes are repeated with the host bits they were given.
        put(
            "IPV4PREFIX",
            &spec.ipv4_prefix.unwrap_or(rule.ipv4().network()),
        )?;
        put(
            "IPV6PREFIX",
            &spec.ipv6_prefix.unwrap_or(rule.ipv6().network()),
        )?;
        if let Some((interface, prefix)) = self.end_user {
            put("IPV6PD", &prefix.network())?;
            put("PD6LEN", &prefix.prefix_len())?;
            put("PD6IFACE", &interface)?;
            put("IPV6ADDR", &rule.ce_address_of(dialect, prefix))?;
            if is_bmr {
                writeln!(out, "RULE_BMR={n}")?;
            }
        }
        self.write_ipv4(out, n)?;
        if let Some(dmr) = self.parsed.dmr {
            writeln!(out, "RULE_{n}_DMR={dmr}")?;
        }
        if let Some(br) = self.parsed.br {
            writeln!(out, "RULE_{n}_BR={br}")?;
        }
        Ok(())
    }

    /// Address and ports, where they do not depend on a prefix we lack.
    fn write_ipv4(&self, out: &mut String, n: usize) -> fmt::Result {
        let rule = &self.rule;
        let prefix = self.end_user.map(|(_, prefix)| prefix);
        let is_whole = rule.end_user_len() == rule.ipv6().prefix_len();
        let own = prefix.or_else(|| is_whole.then_some(rule.ipv6()));
        if let Some(net) = own.map(|prefix| rule.ipv4_of(prefix)) {
            writeln!(out, "RULE_{n}_IPV4ADDR={}", net.network())?;
            writeln!(out, "RULE_{n}_ADDR4LEN={}", net.prefix_len())?;
        }
        let known = prefix.or_else(|| rule.provisioned_psid().map(|_| rule.ipv6()));
        match known.map(|prefix| rule.ports_of(prefix)) {
            Some(ports) if ports.is_shared() => {
                writeln!(out, "RULE_{n}_PORTSETS='{}'", port_sets(ports))
            }
            _ => Ok(()),
        }
    }
}

/// Port 0 is no port anybody can use.
fn port_sets(ports: PortSet) -> String {
    let mut text = String::new();
    for range in ports.ranges() {
        if let Some(range) = PortRange::new(range.first().max(1), range.last()) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{range} ");
        }
    }
    text
}
