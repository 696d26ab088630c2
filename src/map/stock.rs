// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules in the words of OpenWrt's `mapcalc`: the `RULE_1_…` lines its callers
//! evaluate, and that `/tmp/map-<interface>.rules` holds.
//!
//! Where the stock helper is wrong this one is not; `docs/compatibility.md`
//! has the list.

use std::fmt::{Display, Write as _};

use ipnet::Ipv6Net;

use super::address::Dialect;
use super::bits::covers;
use super::range::PortRange;
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
    Invalid(Option<Box<SpecError>>),
    NoPrefix,
}

impl From<Box<SpecError>> for Skip {
    fn from(error: Box<SpecError>) -> Self {
        Skip::Invalid(Some(error))
    }
}

/// A rule string and what was made of it.
#[derive(Default)]
struct Parsed<'a> {
    spec: RuleSpec,
    /// As written, for the output repeats it.
    dmr: Option<&'a str>,
    br: Option<&'a str>,
}

/// What a rule is on the links at hand.
struct Resolved<'a> {
    rule: Rule,
    ea_len: u8,
    end_user: Option<(&'a str, Ipv6Net)>,
}

/// Computes the lines for `rules` (rule strings) on these links.
pub fn report(rules: &[&str], dialect: Dialect, links: &[Link]) -> Report {
    let mut complaints = Vec::new();
    let mut found = Vec::new();
    for text in rules {
        let parsed = Parsed::read(text, &mut complaints);
        match resolve(&parsed.spec, dialect, links) {
            Ok(resolved) => found.push((parsed, resolved)),
            Err(Skip::NoPrefix) => {
                complaints.push(format!("Skipping non-FMR without matching PD: {text}"));
            }
            Err(Skip::Invalid(reason)) => {
                complaints.push(format!("Skipping invalid or incomplete rule: {text}"));
                if let Some(reason) = reason {
                    complaints.push(format!("  {reason}"));
                }
            }
        }
    }
    let bmr = basic_rule(&found);
    let mut lines = Lines::default();
    for (parsed, resolved) in &found {
        lines.number += 1;
        lines.rule(&parsed.spec, resolved);
        lines.end_user(resolved, dialect, bmr == Some(lines.number));
        lines.ipv4(resolved);
        lines.put_some("DMR", parsed.dmr);
        lines.put_some("BR", parsed.br);
    }
    Report {
        output: format!("{}RULE_COUNT={}\n", lines.text, lines.number),
        complaints,
        complete: lines.number == rules.len(),
    }
}

/// Of the rules that match, the number of the one with the longest IPv6 prefix
/// (RFC 7597 section 5), the first among equals.
fn basic_rule(found: &[(Parsed<'_>, Resolved<'_>)]) -> Option<usize> {
    let (mut number, mut longest) = (None, 0);
    for (at, (_, resolved)) in found.iter().enumerate() {
        let len = resolved.rule.ipv6().prefix_len();
        if resolved.end_user.is_some() && (number.is_none() || len > longest) {
            (number, longest) = (Some(at + 1), len);
        }
    }
    number
}

impl<'a> Parsed<'a> {
    fn read(text: &'a str, complaints: &mut Vec<String>) -> Self {
        let mut parsed = Parsed::default();
        for (key, value) in RuleSpec::tokens(text) {
            let set = parsed.spec.set(key, value).map_err(|error| *error);
            let text = value.unwrap_or_default();
            match (set, key) {
                (Ok(()), "dmr") => parsed.dmr = value,
                (Ok(()), "br") => parsed.br = value,
                (Ok(()), _) => {}
                (Err(SpecError::Key(_)), _) => {
                    let equals = if value.is_some() { "=" } else { "" };
                    complaints.push(format!("Skipped invalid option: {key}{equals}{text}"));
                }
                (Err(_), _) => {
                    complaints.push(format!("Skipped invalid value {text} for option {key}"));
                }
            }
        }
        parsed
    }
}

fn resolve<'a>(spec: &RuleSpec, dialect: Dialect, links: &'a [Link]) -> Result<Resolved<'a>, Skip> {
    let map_type = spec.map_type.unwrap_or(MapType::MapE);
    let ipv6 = spec.ipv6()?;
    let ea_len = match (spec.ea_len, map_type) {
        (None, MapType::Lw4o6) => spec.psid_len,
        (ea_len, _) => ea_len,
    };
    let shortest = ea_len.map(|len| ipv6.prefix_len() + len);
    let needed = spec.rule(map_type, dialect, shortest)?.end_user_len();
    let end_user = delegated(links, ipv6, needed);
    let end_user_len = end_user.map(|(_, prefix)| prefix.prefix_len());
    let rest = end_user_len.map(|len| len - ipv6.prefix_len());
    let ea_len = ea_len.or(rest).ok_or(Skip::Invalid(None))?;
    if end_user.is_none() && !spec.fmr {
        return Err(Skip::NoPrefix);
    }
    Ok(Resolved {
        rule: spec.rule(map_type, dialect, end_user_len)?,
        ea_len,
        end_user,
    })
}

/// The first prefix under `rule` of at least that length, and where it is.
fn delegated(links: &[Link], rule: Ipv6Net, needed: u8) -> Option<(&str, Ipv6Net)> {
    for link in links {
        for prefix in &link.prefixes {
            if covers(rule, *prefix) && prefix.prefix_len() >= needed {
                return Some((&link.interface, prefix.trunc()));
            }
        }
    }
    None
}

/// The lines so far, and the number of the rule that the next are about.
#[derive(Default)]
struct Lines {
    text: String,
    number: usize,
}

impl Lines {
    fn put(&mut self, name: &str, value: &dyn Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "RULE_{}_{name}={value}", self.number);
    }

    fn put_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, &value);
        }
    }

    fn rule(&mut self, spec: &RuleSpec, Resolved { rule, ea_len, .. }: &Resolved<'_>) {
        let params = rule.port_params();
        self.put("FMR", &u8::from(spec.fmr));
        self.put("EALEN", ea_len);
        self.put("PSIDLEN", &params.psid_len());
        self.put("OFFSET", &params.offset());
        self.put("PREFIX4LEN", &rule.ipv4().prefix_len());
        self.put("PREFIX6LEN", &rule.ipv6().prefix_len());
        // Prefixes are repeated with the host bits they were given.
        let ipv4 = spec.ipv4_prefix.unwrap_or(rule.ipv4().addr());
        self.put("IPV4PREFIX", &ipv4);
        let ipv6 = spec.ipv6_prefix.unwrap_or(rule.ipv6().addr());
        self.put("IPV6PREFIX", &ipv6);
    }

    fn end_user(&mut self, resolved: &Resolved<'_>, dialect: Dialect, is_bmr: bool) {
        let Some((interface, prefix)) = resolved.end_user else {
            return;
        };
        self.put("IPV6PD", &prefix.addr());
        self.put("PD6LEN", &prefix.prefix_len());
        self.put("PD6IFACE", &interface);
        let address = resolved.rule.ce_address_of(dialect, prefix);
        self.put("IPV6ADDR", &address);
        if is_bmr {
            self.text += &format!("RULE_BMR={}\n", self.number);
        }
    }

    /// Address and ports, where they do not depend on a prefix we lack.
    fn ipv4(&mut self, Resolved { rule, end_user, .. }: &Resolved<'_>) {
        let prefix = end_user.map(|(_, prefix)| prefix);
        let is_whole = rule.end_user_len() == rule.ipv6().prefix_len();
        let own = prefix.or_else(|| is_whole.then_some(rule.ipv6()));
        if let Some(net) = own.map(|prefix| rule.ipv4_of(prefix)) {
            self.put("IPV4ADDR", &net.addr());
            self.put("ADDR4LEN", &net.prefix_len());
        }
        let known = prefix.or_else(|| rule.provisioned_psid().map(|_| rule.ipv6()));
        if let Some(ports) = known.map(|prefix| rule.ports_of(prefix))
            && ports.is_shared()
        {
            let sets = port_sets(ports);
            self.put("PORTSETS", &format_args!("'{sets}'"));
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
