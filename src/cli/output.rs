// SPDX-License-Identifier: GPL-2.0-or-later
//! What several commands print alike.

use super::{Args, Failure, Outcome, Page};
use crate::map::{Mapping, PortRange};
use crate::status::json::{self, rule};
use crate::value::Value;

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

/// Ends a command that cannot be done: where JSON was asked for, the reason is
/// its answer too.
pub(super) fn fail(args: &Args, out: &mut Page, reason: String) -> Outcome {
    if args.has("json") {
        out.json(&object!["error": &reason]);
    }
    Err(Failure::Failed(reason).into())
}
