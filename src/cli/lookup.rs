// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape lookup`: which provider and rule a prefix belongs to.

use ipnet::Ipv6Net;

use super::output::fail;
use super::{Args, Command, Failure, Outcome, Page, mapping_args, providers};
use crate::json::ToJson;
use crate::map::Border;
use crate::provider::{Confidence, Match, Table, Verdict};
use crate::value::Value;
use crate::view::Row;

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

fn run(args: &Args, out: &mut Page) -> Outcome {
    let prefix = args.word();
    let prefix = prefix.ok_or_else(|| Failure::usage("a prefix or address is missing"))?;
    let prefix = mapping_args::prefix(prefix)?;
    let table = providers::table();
    let found = match lookup(&table, &prefix) {
        Ok(found) => found,
        Err(reason) => return fail(args, out, reason),
    };
    let answer = match_json(&found);
    if args.has("json") {
        out.json(&answer);
        return Ok(());
    }
    out.rows(&answer, ROWS);
    if found.rule().confidence() == Confidence::Unverified {
        let id = found.provider().id();
        writeln!(
            out,
            "note: nobody has confirmed this rule; it is only used with option provider '{id}'"
        );
    }
    Ok(())
}

const ROWS: &[Row] = &[
    ("provider", "{provider} ({name})"),
    (
        "rule",
        "{rule.ipv6_prefix} -> {rule.ipv4_prefix}, EA {rule.ea_len}",
    ),
    ("BR", "{br}"),
    ("DMR", "{dmr}"),
    ("confidence", "{confidence}"),
];

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
pub fn match_json(found: &Match<'_>) -> Value {
    let rule = found.rule();
    let border = found.border();
    let prefixes = object![
        "ipv6_prefix": &rule.ipv6(),
        "ipv4_prefix": &rule.ipv4(),
        "ea_len": &rule.ea_len(),
    ];
    let mut answer = object![
        "provider": &found.provider().id(),
        "name": &found.provider().name(),
        "rule": &prefixes,
        "br": &border.and_then(Border::br),
        "confidence": &rule.confidence().as_str(),
    ];
    if let Some(dmr) = border.and_then(Border::dmr) {
        answer.put("dmr", dmr.to_json());
    }
    answer
}
