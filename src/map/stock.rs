// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules in the words of OpenWrt's `mapcalc`: the `RULE_1_…` lines its callers
//! evaluate, and that `/tmp/map-<interface>.rules` holds.
//!
//! If the stock helper is wrong, this one is not; `docs/compatibility.md`
//! has the list.

use std::fmt::{Display, Write as _};

use ipnet::Ipv6Net;

use super::address::Dialect;
use super::bits::covers;
use super::domain::end_user_under;
use super::map_type::MapType;
use super::ports::PortSet;
use super::range::PortRange;
use super::rule::Rule;
use super::spec::{self, RuleSpec, SpecError};

/// An interface and the prefixes delegated to it.
///
/// ```
/// use mape::map::stock::{Link, report};
/// use mape::map::Dialect;
///
/// let link = Link { interface: "wan6".into(), prefixes: vec!["2001:db8:12:3400::/56".parse()?] };
/// let report = report(&["ealen=16"], Dialect::Rfc7597, "wan6", &[link]);
/// assert_eq!(report.output, "RULE_COUNT=0\n");
/// # Ok::<(), ipnet::AddrParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its logical name.
    pub interface: String,
    /// Its delegated prefixes, in netifd's order.
    pub prefixes: Vec<Ipv6Net>,
}

/// What the helper says.
///
/// ```
/// use mape::map::stock::{Link, report};
/// use mape::map::Dialect;
///
/// let link = Link { interface: "wan6".into(), prefixes: vec!["2001:db8:12:3400::/56".parse()?] };
/// let report = report(&["ealen=16"], Dialect::Rfc7597, "wan6", &[link]);
/// assert!(!report.complete);
/// assert_eq!(report.complaints[0], "Skipping invalid or incomplete rule: ealen=16");
/// # Ok::<(), ipnet::AddrParseError>(())
/// ```
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

/// Computes the lines for `rules` (rule strings) on these links. `interface` is
/// the one that was asked for: it counts as the owner of a prefix that only the rule names.
///
/// ```
/// use mape::map::Dialect;
/// use mape::map::stock::{Link, report};
///
/// let rule = "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
///     prefix4len=24,ealen=16,offset=6,br=2001:db8:ffff::1";
/// let link = Link {
///     interface: "wan6".into(),
///     prefixes: vec!["2001:db8:12:3400::/56".parse()?],
/// };
/// let report = report(&[rule], Dialect::Rfc7597, "wan6", &[link]);
/// assert!(report.output.contains("RULE_1_IPV6ADDR=2001:db8:12:3400:0:c000:212:34\n"));
/// assert!(report.complete);
/// # Ok::<(), ipnet::AddrParseError>(())
/// ```
pub fn report(rules: &[&str], dialect: Dialect, interface: &str, links: &[Link]) -> Report {
    let mut complaints = Vec::new();
    let mut found = Vec::new();
    for text in rules {
        let parsed = Parsed::read(text, &mut complaints);
        match resolve(&parsed.spec, dialect, interface, links) {
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

/// Whether a shell takes a name for one word and nothing else: those who call
/// the helper evaluate what it prints.
///
/// ```
/// use mape::map::stock::is_word;
///
/// assert!(is_word("wan6"));
/// assert!(!is_word("$(reboot)"));
/// ```
pub fn is_word(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.chars().all(plain)
}

/// Of the rules that match, the number of the one with the longest IPv6 prefix
/// (RFC 7597 section 5), the first among equals.
fn basic_rule(found: &[(Parsed<'_>, Resolved<'_>)]) -> Option<usize> {
    let numbered = (1..).zip(found);
    let matching = numbered.filter(|(_, (_, resolved))| resolved.end_user.is_some());
    let shortest_first = |(_, (_, resolved)): &(usize, &(_, Resolved<'_>))| {
        std::cmp::Reverse(resolved.rule.ipv6().prefix_len())
    };
    matching
        .min_by_key(shortest_first)
        .map(|(number, _)| number)
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

fn resolve<'a>(
    spec: &RuleSpec,
    dialect: Dialect,
    interface: &'a str,
    links: &'a [Link],
) -> Result<Resolved<'a>, Skip> {
    let map_type = spec.map_type.unwrap_or(MapType::MapE);
    let pd = spec.end_user()?;
    // All but a missing EA length can be checked without an end-user prefix.
    let general = spec.resolve(map_type, dialect, pd)?;
    let mut end_user = None;
    let mut contradiction = None;
    for (interface, prefix) in candidates(spec.ipv6()?, map_type, pd, interface, links) {
        let resolved = spec.resolve(map_type, dialect, Some(prefix));
        let fits = |resolved: &spec::Resolved| prefix.prefix_len() >= resolved.rule.end_user_len();
        match resolved.map(|resolved| (resolved.check(prefix), resolved)) {
            Ok((_, resolved)) if !fits(&resolved) => {}
            Ok((Ok(()), resolved)) => {
                end_user = Some((interface, prefix, resolved));
                break;
            }
            Ok((Err(error), _)) => contradiction = contradiction.or(Some(Box::new(error))),
            Err(error) => contradiction = contradiction.or(Some(error)),
        }
    }
    let is_known = end_user.is_some() || general.is_general;
    match contradiction {
        Some(error) if end_user.is_none() => return Err(error.into()),
        _ if !is_known => return Err(Skip::Invalid(None)),
        _ if end_user.is_none() && !spec.fmr => return Err(Skip::NoPrefix),
        _ => {}
    }
    let rule = end_user.map_or(general.rule, |(_, _, resolved)| resolved.rule);
    // The stock helper gives a binding's PSID length as its EA length.
    let of_binding = spec.psid_len.filter(|_| map_type == MapType::Lw4o6);
    Ok(Resolved {
        rule,
        ea_len: spec.ea_len.or(of_binding).unwrap_or(rule.ea_len()),
        end_user: end_user.map(|(interface, prefix, _)| (interface, prefix)),
    })
}

/// The prefixes that may be the end-user prefix of a rule, and where each is:
/// the one that the rule names, or those of the links.
fn candidates<'a>(
    rule: Ipv6Net,
    map_type: MapType,
    pd: Option<Ipv6Net>,
    interface: &'a str,
    links: &'a [Link],
) -> Vec<(&'a str, Ipv6Net)> {
    if let Some(pd) = pd {
        let has_it = |link: &&Link| link.prefixes.iter().any(|prefix| covers(*prefix, pd));
        let owner = links.iter().find(has_it);
        return vec![(owner.map_or(interface, |link| &link.interface), pd)];
    }
    let of_link = |link: &'a Link| {
        let prefixes = link.prefixes.iter();
        let own = prefixes.filter_map(move |prefix| end_user_under(rule, *prefix, map_type));
        own.map(|prefix| (link.interface.as_str(), prefix.trunc()))
    };
    links.iter().flat_map(of_link).collect()
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
        // `*` means any interface; then there is none to name.
        if is_word(interface) {
            self.put("PD6IFACE", &interface);
        }
        let address = resolved.rule.ce_address_of(dialect, prefix);
        self.put("IPV6ADDR", &address);
        if is_bmr {
            self.text += &format!("RULE_BMR={}\n", self.number);
        }
    }

    /// Address and ports, unless they depend on a prefix we lack.
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
