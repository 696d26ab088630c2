// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape calc`: the whole mapping of a CE.

use std::fmt::{self, Write as _};

use super::args::{Args, Command};
use super::failure::Outcome;
use super::mapping_args::{Found, MappingArgs};
use super::output::json;
use crate::console::row;
use crate::map::{Border, Mapping, PortRange, Rule};

pub(super) const COMMAND: Command = Command {
    name: "calc",
    about: "the mapping of an end-user prefix: addresses, PSID, ports",
    help: "\
Usage: mape calc PREFIX [--provider ID | --rule RULE ...] [--legacy] [--json]

Computes what the CE with that end-user IPv6 prefix gets.

  PREFIX           end-user prefix, or any address within (then its /64);
                   --prefix PREFIX means the same
  --provider ID    rules of a known provider; auto, the default, finds it
  --rule RULE      a rule in the stock form, several times for several rules
  --legacy         rules are of draft-03 (UCI's legacymap), not of RFC 7597
  --json           one JSON object

Examples:
  mape calc 240b:10:1:200::/56
  mape calc 2001:db8:12:3400::/56 --rule \\
    type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\\
prefix4len=24,ealen=16,offset=6,br=2001:db8:ffff::1
",
    options: &["json", "prefix=", "provider=", "rule=", "legacy"],
    words: 1,
    run,
};

fn run(args: &Args, out: &mut String) -> Outcome {
    let found = MappingArgs::read(args)?.find()?;
    match args.has("json") {
        true => json(out, &found.answer()),
        false => Ok(print(out, &found)?),
    }
}

/// Prints a mapping for people.
pub(super) fn print(out: &mut String, found: &Found) -> fmt::Result {
    let mapping = &found.mapping;
    let (map_type, dialect) = (mapping.map_type(), mapping.dialect());
    row(out, "type", format_args!("{map_type}, {dialect}"))?;
    if let Some(provider) = &found.provider {
        row(out, "provider", provider)?;
    }
    row(out, "end-user prefix", mapping.end_user())?;
    row(out, "rule", rule(mapping.bmr()))?;
    row(out, "IPv4", addresses(mapping))?;
    let ports = mapping.ports();
    if ports.is_shared() {
        let (psid, bits) = (ports.psid().value(), ports.psid().len());
        row(
            out,
            "PSID",
            format_args!("{psid} (0x{psid:x}), {bits} bits"),
        )?;
    }
    row(out, "CE address", mapping.ce_address())?;
    match mapping.border() {
        Some(Border::Br(br)) => row(out, "BR", br)?,
        Some(Border::Dmr(dmr)) => row(out, "DMR", dmr)?,
        None => row(out, "BR", "none; a tunnel needs br= in the rule")?,
    }
    row(out, "MTU", found.mtu)?;
    let ranges: Vec<PortRange> = ports.ranges().collect();
    let (count, in_ranges) = (ports.count(), ranges.len());
    row(
        out,
        "ports",
        format_args!("{count} in {in_ranges} {}", ranges_word(in_ranges)),
    )?;
    for line in ranges.chunks(6) {
        let line: String = line.iter().map(|range| format!("{range:<12}")).collect();
        writeln!(out, "  {}", line.trim_end())?;
    }
    let (subnet, len) = (mapping.subnet_id(), mapping.bmr().end_user_len());
    match subnet {
        0 => Ok(()),
        _ => writeln!(
            out,
            "note: the BR sends to subnet 0 of the /{len}; this prefix is subnet {subnet}, so \
             nothing will come back"
        ),
    }
}

fn ranges_word(count: usize) -> &'static str {
    match count {
        1 => "range",
        _ => "ranges",
    }
}

fn rule(rule: &Rule) -> String {
    let params = rule.port_params();
    format!(
        "{} -> {}, EA {}, offset {}, PSID length {}",
        rule.ipv6(),
        rule.ipv4(),
        rule.ea_len(),
        params.offset(),
        params.psid_len()
    )
}

fn addresses(mapping: &Mapping) -> String {
    let ipv4 = mapping.ipv4();
    match mapping.ports().params().sharing_ratio() {
        1 if ipv4.prefix_len() == 32 => format!("{}, not shared", ipv4.addr()),
        1 => ipv4.to_string(),
        ratio => format!("{}, shared by {ratio}", ipv4.addr()),
    }
}
