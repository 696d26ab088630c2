// SPDX-License-Identifier: GPL-2.0-or-later
//! `/tmp/map-<interface>.rules` as the stock package writes it: the rule, then
//! what the helper computed from it. Scripts of users read it.

use crate::map::{Border, Mapping, PortRange, RuleSpec};

/// The file's text. `rule_text` is the rule as configured; rules that came
/// from a provider are written as if they had been. `uplink` is the logical
/// interface the prefix is from.
pub fn text(mapping: &Mapping, rule_text: &str, uplink: &str) -> String {
    let bmr = mapping.bmr();
    let written;
    let rule = if rule_text.is_empty() {
        let spec = RuleSpec::from_rule(bmr, mapping.map_type(), mapping.border());
        written = spec.to_string();
        &written
    } else {
        rule_text
    };
    let params = bmr.port_params();
    let is_fmr = mapping.fmrs().contains(bmr);
    let mut lines = vec![
        format!("rule={rule}"),
        format!("RULE_1_FMR={}", u8::from(is_fmr)),
        format!("RULE_1_EALEN={}", bmr.ea_len()),
        format!("RULE_1_PSIDLEN={}", params.psid_len()),
        format!("RULE_1_OFFSET={}", params.offset()),
        format!("RULE_1_PREFIX4LEN={}", bmr.ipv4().prefix_len()),
        format!("RULE_1_PREFIX6LEN={}", bmr.ipv6().prefix_len()),
        format!("RULE_1_IPV4PREFIX={}", bmr.ipv4().network()),
        format!("RULE_1_IPV6PREFIX={}", bmr.ipv6().network()),
        format!("RULE_1_IPV6PD={}", mapping.end_user().network()),
        format!("RULE_1_PD6LEN={}", mapping.end_user().prefix_len()),
        format!("RULE_1_PD6IFACE={uplink}"),
        format!("RULE_1_IPV6ADDR={}", mapping.ce_address()),
        "RULE_BMR=1".into(),
        format!("RULE_1_IPV4ADDR={}", mapping.ipv4().addr()),
        format!("RULE_1_ADDR4LEN={}", mapping.ipv4().prefix_len()),
    ];
    if mapping.ports().is_shared() {
        let range = |r: PortRange| format!("{}-{} ", r.first().max(1), r.last());
        let sets: String = mapping.ports().ranges().map(range).collect();
        lines.push(format!("RULE_1_PORTSETS='{sets}'"));
    }
    match mapping.border() {
        Some(Border::Br(br)) => lines.push(format!("RULE_1_BR={br}")),
        Some(Border::Dmr(dmr)) => lines.push(format!("RULE_1_DMR={dmr}")),
        None => {}
    }
    lines.push("RULE_COUNT=1\n".into());
    lines.join("\n")
}
