// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape mapcalc`, and `mapcalc` by that name: the stock helper's output and
//! exit status.

use std::env;

use ipnet::Ipv6Net;

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use crate::console::complain;
use crate::handler::bus::Netifd;
use crate::map::Dialect;
use crate::map::stock::{Link, is_word, report};
use crate::netifd::{Dump, Interface, Ipv6Entry};
use crate::paths::read_lossy;

pub(super) const COMMAND: Command = Command {
    name: "mapcalc",
    about: "rules and prefixes as the stock helper prints them",
    help: "\
Usage: mape mapcalc [--dump FILE] [--legacy] INTERFACE RULE ...
       mapcalc INTERFACE RULE ...

Prints what the helper of OpenWrt's package map prints: RULE_1_... lines for a
shell. INTERFACE is the one whose delegated prefixes count, * for any.

  --dump FILE  a saved `ubus call network.interface dump`, instead of the bus
  --legacy     rules are of draft-03, as LEGACY=1 in the environment says

Exit status 0, or 1 when a rule was skipped; standard error says which.

Example:
  mape mapcalc wan6 type=map-e,ipv6prefix=2001:db8::,prefix6len=40,\\
ipv4prefix=192.0.2.0,prefix4len=24,ealen=16,offset=6,br=2001:db8:ffff::1
",
    options: &["dump=", "legacy"],
    words: usize::MAX,
    run,
};

fn run(args: &Args, out: &mut String) -> Outcome {
    let [interface, rules @ ..] = args.words.as_slice() else {
        return usage();
    };
    if rules.is_empty() {
        return usage();
    }
    let dump = match args.get("dump") {
        Some(path) => saved(path)?,
        None => asked()?,
    };
    let dialect = match args.has("legacy") {
        true => Dialect::Draft03,
        false => dialect_of_environment(),
    };
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let report = report(&rules, dialect, interface, &links(&dump, interface));
    out.push_str(&report.output);
    for line in &report.complaints {
        complain(line);
    }
    match report.complete {
        true => Ok(()),
        false => Err(Failure::Said.into()),
    }
}

/// The stock helper's own words and status.
fn usage() -> Outcome {
    complain("Usage: mapcalc <interface|*> <rule1> [rule2] [...]");
    Err(Failure::Said.into())
}

/// The stock helper takes anything but 0, and what begins with no digit, for
/// yes.
fn dialect_of_environment() -> Dialect {
    let legacy = env::var("LEGACY").unwrap_or_default();
    let digits = legacy.trim_start().trim_start_matches(['+', '-']);
    let number = digits.chars().take_while(char::is_ascii_digit);
    match number.into_iter().any(|digit| digit != '0') {
        true => Dialect::Draft03,
        false => Dialect::Rfc7597,
    }
}

fn saved(path: &str) -> Outcome<Dump> {
    let text =
        read_lossy(path).map_err(|error| Failure::failed(format_args!("{path}: {error}")))?;
    Dump::from_json(&text).map_err(|error| Failure::failed(format_args!("{path}: {error}")))
}

fn asked() -> Outcome<Dump> {
    let dump = Netifd::connect("").and_then(|mut netifd| netifd.dump());
    dump.map_err(Failure::failed)
}

/// The interfaces that `name` means, `*` being all of them, with the prefixes
/// delegated to each.
pub fn links(dump: &Dump, name: &str) -> Vec<Link> {
    let meant = |i: &&Interface| is_word(&i.name) && (name == "*" || name == i.name);
    let link = |interface: &Interface| Link {
        interface: interface.name.clone(),
        prefixes: interface.prefixes.iter().filter_map(net).collect(),
    };
    dump.interfaces.iter().filter(meant).map(link).collect()
}

fn net(prefix: &Ipv6Entry) -> Option<Ipv6Net> {
    Ipv6Net::new(prefix.address, prefix.len).ok()
}
