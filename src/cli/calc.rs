// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape calc`: the whole mapping of a CE.

use std::io::{self, Write};

use lexopt::Arg;

use super::mapping_args::{Found, MappingArgs};
use super::output::{failed_json, json_line, mapping_json, row};
use super::{Command, Failure, Outcome, unknown};
use crate::map::{Border, Mapping, PortRange};

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
    run,
};

fn run(parser: &mut lexopt::Parser, out: &mut dyn Write) -> Outcome {
    let mut args = MappingArgs::default();
    let mut json = false;
    while let Some(arg) = parser.next()? {
        // The argument borrows the parser; what names it does not.
        match arg {
            Arg::Long("json") => json = true,
            Arg::Long(name) if MappingArgs::knows(name) => {
                let name = name.to_owned();
                args.take(&name, parser)?;
            }
            other => return Err(unknown(other)),
        }
    }
    let found = match args.find() {
        Err(Failure::Failed(reason)) if json => return failed_json(out, reason),
        other => other?,
    };
    if json {
        let object = mapping_json(&found.mapping, found.provider.as_deref(), found.mtu);
        return Ok(json_line(out, &object.into())?);
    }
    Ok(print(out, &found)?)
}

/// Prints a mapping for people.
pub(super) fn print(out: &mut dyn Write, found: &Found) -> io::Result<()> {
    let mapping = &found.mapping;
    let ports = mapping.ports();
    let kind = format!("{}, {}", mapping.map_type(), mapping.dialect());
    row(out, "type", kind)?;
    if let Some(provider) = &found.provider {
        row(out, "provider", provider)?;
    }
    row(out, "end-user prefix", mapping.end_user())?;
    row(out, "rule", rule_line(mapping))?;
    row(out, "IPv4", ipv4_line(mapping))?;
    if ports.is_shared() {
        let psid = ports.psid();
        row(
            out,
            "PSID",
            format!("{} (0x{0:x}), {} bits", psid.value(), psid.len()),
        )?;
    }
    row(out, "CE address", mapping.ce_address())?;
    match mapping.border() {
        Some(Border::Br(br)) => row(out, "BR", br)?,
        Some(Border::Dmr(dmr)) => row(out, "DMR", dmr)?,
        None => {}
    }
    row(out, "MTU", found.mtu)?;
    let ranges: Vec<PortRange> = ports.ranges().collect();
    row(
        out,
        "ports",
        format!("{} in {} ranges", ports.count(), ranges.len()),
    )?;
    for line in ranges.chunks(6) {
        let cells: Vec<String> = line.iter().map(|range| format!("{range:<12}")).collect();
        writeln!(out, "  {}", cells.concat().trim_end())?;
    }
    if mapping.subnet_id() != 0 {
        writeln!(
            out,
            "note: the BR sends to subnet 0 of the /{}; this prefix is subnet {}, so nothing \
             will come back",
            mapping.bmr().end_user_len(),
            mapping.subnet_id()
        )?;
    }
    Ok(())
}

fn rule_line(mapping: &Mapping) -> String {
    let rule = mapping.bmr();
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

fn ipv4_line(mapping: &Mapping) -> String {
    let ipv4 = mapping.ipv4();
    match mapping.ports().params().sharing_ratio() {
        1 if ipv4.prefix_len() == 32 => format!("{}, not shared", ipv4.addr()),
        1 => ipv4.to_string(),
        ratio => format!("{}, shared by {ratio}", ipv4.addr()),
    }
}
