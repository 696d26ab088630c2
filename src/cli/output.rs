// SPDX-License-Identifier: GPL-2.0-or-later
//! What several commands print alike.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Failure, Outcome};
use crate::map::{Border, Mapping, Rule};

/// A rule as every answer of ours shows it.
pub(super) fn rule_json(rule: &Rule) -> Value {
    let params = rule.port_params();
    json!({
        "ipv6_prefix": rule.ipv6().to_string(),
        "ipv4_prefix": rule.ipv4().to_string(),
        "ea_len": rule.ea_len(),
        "psid_offset": params.offset(),
        "psid_len": params.psid_len(),
    })
}

/// The whole mapping of a CE: what `mape calc --json` prints.
///
/// `mtu` is in bytes.
pub fn mapping_json(mapping: &Mapping, provider: Option<&str>, mtu: u16) -> Map<String, Value> {
    let ports = mapping.ports();
    let ranges: Vec<Value> = ports
        .ranges()
        .map(|range| json!([range.first(), range.last()]))
        .collect();
    let (br, dmr) = match mapping.border() {
        Some(Border::Br(br)) => (Some(br.to_string()), None),
        Some(Border::Dmr(dmr)) => (None, Some(dmr.to_string())),
        None => (None, None),
    };
    let psid = ports.is_shared().then(|| ports.psid().value());
    let fmrs: Vec<Value> = mapping.fmrs().iter().map(rule_json).collect();
    let members = [
        ("type", json!(mapping.map_type().as_str())),
        ("dialect", json!(mapping.dialect().as_str())),
        ("provider", json!(provider)),
        ("end_user_prefix", json!(mapping.end_user().to_string())),
        ("bmr", rule_json(mapping.bmr())),
        ("fmrs", json!(fmrs)),
        ("ipv4_address", json!(mapping.ipv4().addr().to_string())),
        ("ipv4_prefix_len", json!(mapping.ipv4().prefix_len())),
        ("psid", json!(psid)),
        ("sharing_ratio", json!(ports.params().sharing_ratio())),
        ("ce_address", json!(mapping.ce_address().to_string())),
        ("br", json!(br)),
        ("dmr", json!(dmr)),
        ("port_ranges", json!(ranges)),
        ("port_count", json!(ports.count())),
        ("mtu", json!(mtu)),
    ];
    members
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

/// Prints a value as one line of JSON.
pub(super) fn json_line(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value}")
}

/// Ends a command that was asked for JSON and cannot be done: the reason is
/// its answer too.
pub(super) fn failed_json(out: &mut dyn Write, reason: String) -> Outcome {
    json_line(out, &json!({ "error": reason }))?;
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
