// SPDX-License-Identifier: GPL-2.0-or-later
//! What several commands print alike.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::{Failure, Outcome};
use crate::json::{self, object};
use crate::map::{Border, Mapping, PortRange, Rule};

/// A rule as every answer of ours shows it.
pub(super) fn rule_json(rule: &Rule) -> Value {
    let params = rule.port_params();
    object(&[
        ("ipv6_prefix", &rule.ipv6()),
        ("ipv4_prefix", &rule.ipv4()),
        ("ea_len", &rule.ea_len()),
        ("psid_offset", &params.offset()),
        ("psid_len", &params.psid_len()),
    ])
}

/// The whole mapping of a CE: what `mape calc --json` prints.
///
/// `mtu` is in bytes.
pub fn mapping_json(mapping: &Mapping, provider: Option<&str>, mtu: u16) -> Map<String, Value> {
    let ports = mapping.ports();
    let ranges: Vec<PortRange> = ports.ranges().collect();
    let border = mapping.border();
    let psid = ports.is_shared().then(|| ports.psid().value());
    let bmr = rule_json(mapping.bmr());
    let fmrs: Vec<Value> = mapping.fmrs().iter().map(rule_json).collect();
    json::map(&[
        ("type", &mapping.map_type().as_str()),
        ("dialect", &mapping.dialect().as_str()),
        ("provider", &provider),
        ("end_user_prefix", &mapping.end_user()),
        ("bmr", &bmr),
        ("fmrs", &fmrs),
        ("ipv4_address", &mapping.ipv4().addr()),
        ("ipv4_prefix_len", &mapping.ipv4().prefix_len()),
        ("psid", &psid),
        ("sharing_ratio", &ports.params().sharing_ratio()),
        ("ce_address", &mapping.ce_address()),
        ("br", &border.and_then(Border::br)),
        ("dmr", &border.and_then(Border::dmr)),
        ("port_ranges", &ranges),
        ("port_count", &ports.count()),
        ("mtu", &mtu),
    ])
}

/// Prints a value as one line of JSON.
pub(super) fn json_line(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value}")
}

/// Ends a command that was asked for JSON and cannot be done: the reason is
/// its answer too.
pub(super) fn failed_json(out: &mut dyn Write, reason: String) -> Outcome {
    json_line(out, &object(&[("error", &reason)]))?;
    Err(Failure::Failed(reason))
}

/// Prints `label` and `text` in two columns.
pub(super) fn row(
    out: &mut dyn Write,
    label: &str,
    text: impl std::fmt::Display,
) -> io::Result<()> {
    writeln!(out, "{label:<18}{text}")
}
