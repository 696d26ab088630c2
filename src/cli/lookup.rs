// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape lookup`: which provider and rule a prefix belongs to.

use std::fmt::{self, Write as _};
use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Serialize;

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use super::output::json;
use super::{mapping_args, providers};
use crate::console::{row, title};
use crate::endpoint::Endpoint;
use crate::map::{Border, Dmr};
use crate::provider::{Carrier, Confidence, KnownRule, Match, OtherLine, Table, Verdict};

pub(super) const COMMAND: Command = Command {
    name: "lookup",
    about: "the provider a prefix belongs to, and how its lines carry IPv4",
    help: "\
Usage: mape lookup PREFIX_OR_ADDRESS [--json]

Says whose line that IPv6 prefix or address comes from, and by which rule, AFTR
or BR it carries IPv4.

  --json  one JSON object

Exit status 0 when the line is known, 1 when it is not.

Example:
  mape lookup 240b:10:1:200::/56
",
    options: &["json"],
    words: 1,
    run,
};

fn run(args: &Args, out: &mut String) -> Outcome {
    let prefix = args.word();
    let prefix = prefix.ok_or_else(|| Failure::usage("a prefix or address is missing"))?;
    let prefix = of_a_line(prefix)?;
    let table = providers::table();
    let as_json = args.has("json");
    match table.lookup_line(&prefix) {
        Verdict::Map(found) | Verdict::Unconfirmed(found) => match as_json {
            true => json(out, &RuleLineAnswer::from(&found)),
            false => Ok(print_rule(out, &found, &prefix)?),
        },
        Verdict::NotMap(line) => match as_json {
            true => json(out, &LineAnswer::from(line)),
            false => Ok(print_line(out, line)?),
        },
        Verdict::Unknown => Err(match too_short(&table, &prefix) {
            Some(reason) => Failure::failed(reason),
            None => Failure::failed(format_args!(
                "{prefix} belongs to no known provider; if yours named a rule, try \
                 `mape calc {prefix} --rule RULE`"
            )),
        }),
    }
}

/// The prefix that `text` says, if a line can have it.
fn of_a_line(text: &str) -> Outcome<Ipv6Net> {
    let prefix = mapping_args::prefix(text)?;
    match prefix.addr().is_unique_local() {
        true => Err(Failure::failed(format_args!(
            "{prefix} is an address range of home networks (ULA), which no line has; give an \
             IPv6 address that the router has from its line"
        ))),
        false => Ok(prefix),
    }
}

/// Why a prefix that contains the rules of known providers is nobody's line.
fn too_short(table: &Table, prefix: &Ipv6Net) -> Option<String> {
    let is_within = |rule: &KnownRule| prefix.contains(&rule.ipv6());
    let names: Vec<String> = table
        .providers()
        .iter()
        .filter(|provider| provider.rules().iter().any(is_within))
        .map(|provider| title(provider.name(), provider.id()))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "{prefix} is too short to be of one line: it contains prefixes of {}; give the prefix \
             or address that your line has",
            names.join(", ")
        )
    })
}

fn print_rule(out: &mut String, found: &Match<'_>, prefix: &Ipv6Net) -> fmt::Result {
    let (provider, rule) = (found.provider(), found.rule());
    let (id, name) = (provider.id(), provider.name());
    row(out, "provider", title(name, id))?;
    row(out, "mechanism", provider.map_type())?;
    let (ipv6, ipv4, ea_len) = (rule.ipv6(), rule.ipv4(), rule.ea_len());
    row(out, "rule", format_args!("{ipv6} -> {ipv4}, EA {ea_len}"))?;
    match found.border() {
        Some(Border::Br(br)) => row(out, "BR", br)?,
        Some(Border::Dmr(dmr)) => row(out, "DMR", dmr)?,
        None => {}
    }
    row(out, "confidence", rule.confidence())?;
    let (len, needed) = (prefix.prefix_len(), ipv6.prefix_len() + ea_len);
    if len < needed {
        writeln!(
            out,
            "note: a /{len} is too short for this rule, which needs the /{needed} of the line"
        )?;
    }
    match rule.confidence() {
        Confidence::Unverified => writeln!(
            out,
            "note: nobody has confirmed this rule; it is only used with option provider '{id}'"
        ),
        _ => Ok(()),
    }
}

fn print_line(out: &mut String, line: &OtherLine) -> fmt::Result {
    let (id, name) = (line.id(), line.name());
    row(out, "provider", title(name, id))?;
    if let Some(mechanism) = line.carrier().mechanism() {
        row(out, "mechanism", mechanism)?;
    }
    match line.carrier() {
        Carrier::DsLite { aftr } => row(out, "AFTR", aftr)?,
        Carrier::IpIp { br: Some(br), .. } => row(out, "BR", br)?,
        Carrier::IpIp { br: None, .. } => {}
        Carrier::Other => row(out, "IPv4", line.advice())?,
    }
    if let Some(mtu) = line.mtu() {
        row(out, "MTU", mtu)?;
    }
    row(out, "confidence", line.confidence())
}

/// The answer of `mape lookup` for a line with MAP.
#[derive(Debug, Serialize)]
struct RuleLineAnswer<'a> {
    provider: &'a str,
    name: &'a str,
    mechanism: &'static str,
    rule: RuleAnswer,
    br: Option<Ipv6Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dmr: Option<Ipv6Net>,
    confidence: Confidence,
}

/// The prefixes of a rule.
#[derive(Debug, Serialize)]
struct RuleAnswer {
    ipv6_prefix: Ipv6Net,
    ipv4_prefix: Ipv4Net,
    ea_len: u8,
}

/// The answer of `mape lookup` for a line without MAP.
#[derive(Debug, Serialize)]
struct LineAnswer<'a> {
    provider: &'a str,
    name: &'a str,
    /// None if the line carries IPv4 in a way that this program cannot set up:
    /// `advice` says what to do.
    mechanism: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aftr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    br: Option<Ipv6Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'a str>,
    /// In bytes.
    mtu: Option<u16>,
    confidence: Confidence,
}

impl<'a> From<&Match<'a>> for RuleLineAnswer<'a> {
    fn from(found: &Match<'a>) -> Self {
        let (rule, border) = (found.rule(), found.border());
        RuleLineAnswer {
            provider: found.provider().id(),
            name: found.provider().name(),
            mechanism: found.provider().map_type().as_str(),
            rule: RuleAnswer {
                ipv6_prefix: rule.ipv6(),
                ipv4_prefix: rule.ipv4(),
                ea_len: rule.ea_len(),
            },
            br: border.and_then(Border::br),
            dmr: border.and_then(Border::dmr).map(Dmr::prefix),
            confidence: rule.confidence(),
        }
    }
}

impl<'a> From<&'a OtherLine> for LineAnswer<'a> {
    fn from(line: &'a OtherLine) -> Self {
        let (aftr, br) = match line.carrier() {
            Carrier::DsLite { aftr } => (Some(aftr), None),
            Carrier::IpIp { br, .. } => (None, *br),
            Carrier::Other => (None, None),
        };
        let mechanism = line.carrier().mechanism();
        LineAnswer {
            provider: line.id(),
            name: line.name(),
            mechanism,
            aftr: aftr.map(Endpoint::to_string),
            br,
            advice: mechanism.is_none().then(|| line.advice()),
            mtu: line.mtu(),
            confidence: line.confidence(),
        }
    }
}
