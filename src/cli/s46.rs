// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape s46`: what an operator's DHCPv6 server provisions.

use std::fmt::{self, Write as _};

use ipnet::Ipv6Net;
use serde::Serialize;

use super::args::{Args, Command};
use super::calc;
use super::failure::{Failure, Outcome};
use super::mapping_args::{self, Found, default_mtu, dialect};
use super::output::{CalcAnswer, json};
use crate::map::s46::{Provisioned, S46Option, bytes_of_hex, decode, provisioned};
use crate::map::{Dialect, Domain, RuleSpec};

pub(super) const COMMAND: Command = Command {
    name: "s46",
    about: "DHCPv6 options 89 to 96 decoded: rules and mapping",
    help: "\
Usage: mape s46 HEX ... [--prefix PREFIX] [--legacy] [--json]

Decodes S46 options (RFC 7598) as they are on the wire: containers, or what
would be in one. HEX may have blanks and colons and come in several pieces.
Prints the options, the rules as the DHCPv6 client hands them on, and with
--prefix the mapping of that end-user prefix.

  --prefix PREFIX  end-user prefix, or any address within (then its /64)
  --legacy         rules are of draft-03 (UCI's legacymap), not of RFC 7597
  --json           one JSON object

Exit status 1 when the options are malformed, hold no rule for --prefix, or
contradict each other.

Example:
  mape s46 --prefix 2001:db8:12:3400::/56 \\
    005e 0025 0059 000d 00 10 18 c0000200 28 20010db800 \\
    005a 0010 20010db8ffff00000000000000000001
",
    options: &["json", "prefix=", "legacy"],
    words: usize::MAX,
    run,
};

fn run(args: &Args, out: &mut String) -> Outcome {
    let dialect = dialect(args);
    let prefix = args.get("prefix").map(mapping_args::prefix).transpose()?;
    let hex = args.words.concat();
    if hex.is_empty() {
        return Err(Failure::usage("the options in hexadecimal are missing"));
    }
    let bytes = bytes_of_hex(&hex).map_err(Failure::failed)?;
    let options = decode(&bytes).map_err(Failure::failed)?;
    let sets = provisioned(&options);
    let as_json = args.has("json");
    if !as_json {
        print(out, &options, &sets)?;
    }
    let mapping = prefix
        .map(|prefix| mapping(&sets, dialect, prefix))
        .transpose()?;
    match mapping {
        found if as_json => json(out, &Answer::new(&options, &sets, found.as_ref())),
        Some(found) => Ok(calc::print(out, &found)?),
        None => Ok(()),
    }
}

/// The mapping by the first set of rules that has one.
fn mapping(sets: &[Provisioned], dialect: Dialect, prefix: Ipv6Net) -> Outcome<Found> {
    let mut reason = String::from("the options hold no rule");
    for set in sets {
        let domain = Domain::from_specs(&set.rules, set.map_type, dialect);
        let mapping = domain
            .map_err(|error| error.to_string())
            .and_then(|domain| domain.map(&[prefix]).map_err(|error| error.to_string()));
        match mapping {
            Ok(mapping) => {
                return Ok(Found {
                    mapping,
                    provider: None,
                    mtu: default_mtu(set.map_type),
                });
            }
            Err(error) => reason = error,
        }
    }
    Err(Failure::failed(reason))
}

fn print(out: &mut String, options: &[S46Option], sets: &[Provisioned]) -> fmt::Result {
    for option in options {
        writeln!(out, "{option}")?;
        if let S46Option::Container(_, inner) = option {
            for option in inner {
                writeln!(out, "  {option}")?;
            }
        }
    }
    for note in notes(options) {
        writeln!(out, "note: {note}")?;
    }
    for rule in rules(sets) {
        writeln!(out, "rule {rule}")?;
    }
    Ok(())
}

/// What is odd about the options.
fn notes(options: &[S46Option]) -> Vec<String> {
    options.iter().flat_map(S46Option::notes).collect()
}

/// All rules, as strings.
fn rules(sets: &[Provisioned]) -> Vec<String> {
    let rules = sets.iter().flat_map(|set| &set.rules);
    rules.map(RuleSpec::to_string).collect()
}

/// The answer of `mape s46`.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    options: Vec<OptionAnswer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    rules: Vec<String>,
    mapping: Option<CalcAnswer<'a>>,
}

/// An option, or a container with the options in it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum OptionAnswer {
    Single(String),
    Container {
        container: String,
        options: Vec<String>,
    },
}

impl<'a> Answer<'a> {
    fn new(options: &[S46Option], sets: &[Provisioned], found: Option<&'a Found>) -> Self {
        Answer {
            options: options.iter().map(OptionAnswer::from).collect(),
            notes: notes(options),
            rules: rules(sets),
            mapping: found.map(Found::answer),
        }
    }
}

impl From<&S46Option> for OptionAnswer {
    fn from(option: &S46Option) -> Self {
        match option {
            S46Option::Container(_, inner) => OptionAnswer::Container {
                container: option.to_string(),
                options: inner.iter().map(S46Option::to_string).collect(),
            },
            _ => OptionAnswer::Single(option.to_string()),
        }
    }
}
