// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape calc`: the whole mapping of a CE.

use std::fmt::Write as _;

use super::mapping_args::{Found, MappingArgs};
use super::output::fail;
use super::{Args, Command, Failure, Outcome, Page};
use crate::map::PortRange;
use crate::view::Row;

pub(super) const COMMAND: Command = Command {
    name: "calc",
    about: "the mapping of an end-user prefix: addresses, PSID, ports",
    help: "\
Usage: mape calc --prefix PREFIX [--provider ID | --rule RULE ...] [--legacy] [--json]

Computes what the CE with that end-user IPv6 prefix gets.

  --prefix PREFIX  end-user prefix, or any address within (then its /64)
  --provider ID    rules of a known provider; auto, the default, finds it
  --rule RULE      a rule in the stock form, several times for several rules
  --legacy         rules are of draft-03 (UCI's legacymap), not of RFC 7597
  --json           one JSON object

Example:
  mape calc --prefix 2001:db8:12:3400::/56 --rule \\
    type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\\
prefix4len=24,ealen=16,offset=6,br=2001:db8:ffff::1
",
    options: &["json", "prefix=", "provider=", "rule=", "legacy"],
    words: 0,
    run,
};

fn run(args: &Args, out: &mut Page) -> Outcome {
    let found = match MappingArgs::read(args)?.find() {
        Ok(found) => found,
        Err(failure) => match *failure {
            Failure::Failed(reason) => return fail(args, out, reason),
            other => return Err(other.into()),
        },
    };
    match args.has("json") {
        true => out.json(&found.json()),
        false => print(out, &found),
    }
    Ok(())
}

const ROWS: &[Row] = &[
    ("type", "{type}, {dialect}"),
    ("provider", "{provider}"),
    ("end-user prefix", "{end_user_prefix}"),
    (
        "rule",
        "{bmr.ipv6_prefix} -> {bmr.ipv4_prefix}, EA {bmr.ea_len}, offset {bmr.psid_offset}, \
         PSID length {bmr.psid_len}",
    ),
    ("IPv4", "{ipv4}"),
    ("PSID", "{psid} (0x{psid:x}), {bmr.psid_len} bits"),
    ("CE address", "{ce_address}"),
    ("BR", "{br}"),
    ("DMR", "{dmr}"),
    ("MTU", "{mtu}"),
];

/// Prints a mapping for people.
pub(super) fn print(out: &mut Page, found: &Found) {
    let mapping = &found.mapping;
    let ipv4 = mapping.ipv4();
    let addresses = match mapping.ports().params().sharing_ratio() {
        1 if ipv4.prefix_len() == 32 => format!("{}, not shared", ipv4.addr()),
        1 => ipv4.to_string(),
        ratio => format!("{}, shared by {ratio}", ipv4.addr()),
    };
    let mut answer = found.json();
    answer.put("ipv4", addresses.into());
    out.rows(&answer, ROWS);
    let ranges: Vec<PortRange> = mapping.ports().ranges().collect();
    let (count, in_ranges) = (mapping.ports().count(), ranges.len());
    out.row("ports", &format_args!("{count} in {in_ranges} ranges"));
    for line in ranges.chunks(6) {
        let mut text = String::new();
        for range in line {
            let _ = write!(text, "{range:<12}");
        }
        writeln!(out, "  {}", text.trim_end());
    }
    let (subnet, len) = (mapping.subnet_id(), mapping.bmr().end_user_len());
    if subnet != 0 {
        writeln!(
            out,
            "note: the BR sends to subnet 0 of the /{len}; this prefix is subnet {subnet}, so \
             nothing will come back"
        );
    }
}
