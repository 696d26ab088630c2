// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape lookup`: which provider and rule a prefix belongs to.

use std::io::{self, Write};

use ipnet::Ipv6Net;
use lexopt::{Arg, ValueExt};
use serde_json::{Map, Value};

use super::output::{json_line, row};
use super::{Command, Failure, Outcome, mapping_args, providers, unknown};
use crate::json::{self, ToJson, object};
use crate::map::Border;
use crate::provider::{Confidence, Match, Table, Verdict};

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
    run,
};

fn run(parser: &mut lexopt::Parser, out: &mut dyn Write) -> Outcome {
    let mut json = false;
    let mut prefix = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("json") => json = true,
            Arg::Value(value) if prefix.is_none() => {
                prefix = Some(mapping_args::prefix(&value.string()?)?);
            }
            other => return Err(unknown(other)),
        }
    }
    let prefix = prefix.ok_or_else(|| Failure::usage("a prefix or address is missing"))?;
    let table = providers::table();
    match (lookup(&table, &prefix), json) {
        (Ok(found), true) => Ok(json_line(out, &match_json(&found).into())?),
        (Ok(found), false) => Ok(print(out, &found)?),
        (Err(reason), json) => {
            if json {
                json_line(out, &object(&[("error", &reason)]))?;
            }
            Err(Failure::Failed(reason))
        }
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

/// What `mape lookup --json` prints of a rule.
pub fn match_json(found: &Match<'_>) -> Map<String, Value> {
    let rule = found.rule();
    let border = found.border();
    let prefixes = object(&[
        ("ipv6_prefix", &rule.ipv6()),
        ("ipv4_prefix", &rule.ipv4()),
        ("ea_len", &rule.ea_len()),
    ]);
    let mut members = json::map(&[
        ("provider", &found.provider().id()),
        ("name", &found.provider().name()),
        ("rule", &prefixes),
        ("br", &border.and_then(Border::br)),
        ("confidence", &rule.confidence().as_str()),
    ]);
    if let Some(dmr) = border.and_then(Border::dmr) {
        members.insert("dmr".into(), dmr.to_json());
    }
    members
}

fn print(out: &mut dyn Write, found: &Match<'_>) -> io::Result<()> {
    let (provider, rule) = (found.provider(), found.rule());
    row(
        out,
        "provider",
        format!("{} ({})", provider.id(), provider.name()),
    )?;
    row(
        out,
        "rule",
        format!("{} -> {}, EA {}", rule.ipv6(), rule.ipv4(), rule.ea_len()),
    )?;
    match found.border() {
        Some(Border::Br(br)) => row(out, "BR", br)?,
        Some(Border::Dmr(dmr)) => row(out, "DMR", dmr)?,
        None => {}
    }
    row(out, "confidence", rule.confidence())?;
    if rule.confidence() == Confidence::Unverified {
        writeln!(
            out,
            "note: nobody has confirmed this rule; it is only used with option provider '{}'",
            provider.id()
        )?;
    }
    Ok(())
}
