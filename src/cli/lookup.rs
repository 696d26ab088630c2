// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape lookup`: which provider and rule a prefix belongs to.

use std::fmt::{self, Write as _};
use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Serialize;

use super::output::{fail, json};
use super::{Args, Command, Failure, Outcome, mapping_args, providers};
use crate::map::{Border, Dmr};
use crate::provider::{Confidence, Match, Table, Verdict};
use crate::status::text::row;

pub(super) const COMMAND: Command = Command {
    name: "lookup",
    about: "the provider and rule a prefix belongs to",
    help: "\
Usage: mape lookup PREFIX_OR_ADDRESS [--json]

Says whose line that IPv6 prefix or address comes from, and by which rule.

  --json  one JSON object

Exit status 0 when a rule is known, 1 when there is none: the message says
what to use instead, where that is known.

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
    let prefix = mapping_args::prefix(prefix)?;
    let table = providers::table();
    let found = match lookup(&table, &prefix) {
        Ok(found) => found,
        Err(reason) => return fail(args, out, reason),
    };
    match args.has("json") {
        true => json(out, &LookupAnswer::new(&found)),
        false => Ok(print(out, &found)?),
    }
}

fn print(out: &mut String, found: &Match<'_>) -> fmt::Result {
    let (provider, rule) = (found.provider(), found.rule());
    let (id, name) = (provider.id(), provider.name());
    row(out, "provider", format_args!("{id} ({name})"))?;
    let (ipv6, ipv4, ea_len) = (rule.ipv6(), rule.ipv4(), rule.ea_len());
    row(out, "rule", format_args!("{ipv6} -> {ipv4}, EA {ea_len}"))?;
    match found.border() {
        Some(Border::Br(br)) => row(out, "BR", br)?,
        Some(Border::Dmr(dmr)) => row(out, "DMR", dmr)?,
        None => {}
    }
    row(out, "confidence", rule.confidence())?;
    match rule.confidence() {
        Confidence::Unverified => writeln!(
            out,
            "note: nobody has confirmed this rule; it is only used with option provider '{id}'"
        ),
        _ => Ok(()),
    }
}

/// The rule `prefix` is under, confirmed or not; otherwise a sentence that
/// says why there is none.
///
/// # Errors
/// That sentence.
pub fn lookup<'a>(table: &'a Table, prefix: &Ipv6Net) -> Result<Match<'a>, String> {
    match table.lookup_line(prefix) {
        Verdict::Map(found) | Verdict::Unconfirmed(found) => Ok(found),
        verdict => Err(match verdict.refusal(prefix) {
            Some(refusal) => refusal.to_string(),
            None => format!("{prefix} belongs to no known provider"),
        }),
    }
}

/// The answer of `mape lookup`.
#[derive(Debug, Serialize)]
struct LookupAnswer<'a> {
    provider: &'a str,
    name: &'a str,
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

impl<'a> LookupAnswer<'a> {
    fn new(found: &Match<'a>) -> Self {
        let (rule, border) = (found.rule(), found.border());
        LookupAnswer {
            provider: found.provider().id(),
            name: found.provider().name(),
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
