// SPDX-License-Identifier: GPL-2.0-or-later
//! What several commands print alike.

use std::io::{self, Write};

use crate::value::Value;

use super::{Args, Failure, Outcome};
use crate::map::{Mapping, PortRange};
use crate::status::json::{self, rule};

/// The whole mapping of a CE: what `mape calc --json` prints.
///
/// `mtu` is in bytes.
pub fn mapping_json(mapping: &Mapping, provider: Option<&str>, mtu: u16) -> Value {
    let ranges: Vec<PortRange> = mapping.ports().ranges().collect();
    let fmrs: Vec<Value> = mapping.fmrs().iter().map(rule).collect();
    let mut members = json::mapping(mapping);
    members.extend(members![
        "provider": &provider,
        "fmrs": &fmrs,
        "port_ranges": &ranges,
        "port_count": &mapping.ports().count(),
        "mtu": &mtu,
    ]);
    members.into()
}

/// Prints a value as one line of JSON.
pub(super) fn json_line(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{}", crate::json::line(value))
}

/// Ends a command that cannot be done: where JSON was asked for, the reason is
/// its answer too.
pub(super) fn fail(args: &Args, out: &mut dyn Write, reason: String) -> Outcome {
    if args.has("json") {
        json_line(out, &object!["error": &reason])?;
    }
    Err(Failure::Failed(reason))
}
