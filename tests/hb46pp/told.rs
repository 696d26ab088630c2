// SPDX-License-Identifier: GPL-2.0-or-later
//! What our model and the crate `hb46pp` read in an answer, in the same words.

use std::collections::BTreeMap;

use hb46pp::{MapMode, ProvisioningData};
use mape::map::Dialect;
use mape::provision::hb46pp::{Answer, Auth};

/// All that an answer says, by name.
pub type Told = BTreeMap<String, String>;

pub fn ours(answer: &Answer) -> Told {
    let mut told = Told::new();
    let mut tell = |key: &str, value: String| assert_eq!(told.insert(key.into(), value), None);
    tell("enabler", answer.enabler_name.as_str().into());
    let label = |label: &Option<mape::provision::hb46pp::Label>| {
        format!(
            "{:?}",
            label.as_ref().map(mape::provision::hb46pp::Label::as_str)
        )
    };
    tell("service", label(&answer.service_name));
    tell("isp", label(&answer.isp_name));
    tell(
        "ttl",
        format!(
            "{:?}",
            answer.ttl.map(mape::provision::hb46pp::Ttl::as_secs)
        ),
    );
    let token = answer
        .token
        .as_ref()
        .map(mape::provision::hb46pp::Token::expose);
    tell("token", format!("{token:?}"));
    let auth = answer.auth.map(|auth| match auth {
        Auth::Req => "req",
        Auth::Bad => "bad",
        Auth::Ok => "ok",
    });
    tell("auth", format!("{auth:?}"));
    let order = answer.order.known.iter().map(|c| c.as_str());
    tell("order", order.collect::<Vec<_>>().join(","));
    tell("mostly", answer.ipv6_mostly.to_string());
    if let Some(map_e) = &answer.map_e {
        let is_draft = map_e.dialect == Dialect::Draft03;
        tell("map_e", format!("{is_draft} {} {}", map_e.mesh, map_e.br));
        for (at, rule) in map_e.rules.iter().enumerate() {
            let psid = rule.psid_length();
            tell(
                &format!("map_e {at}"),
                format!(
                    "{} {} {} {} {psid}",
                    rule.ipv6, rule.ipv4, rule.ea_length, rule.psid_offset
                ),
            );
        }
    }
    if let Some(map_t) = &answer.map_t {
        tell("map_t", map_t.dmr.to_string());
        for (at, rule) in map_t.rules.iter().enumerate() {
            let psid = rule.psid_length();
            tell(
                &format!("map_t {at}"),
                format!(
                    "{} {} {} {} {psid}",
                    rule.ipv6, rule.ipv4, rule.ea_length, rule.psid_offset
                ),
            );
        }
    }
    if let Some(lw4o6) = &answer.lw4o6 {
        let ports = format!("{} {} {}", lw4o6.psid, lw4o6.psid_length, lw4o6.psid_offset);
        tell(
            "lw4o6",
            format!("{} {} {} {ports}", lw4o6.lwaftr, lw4o6.ipv6, lw4o6.ipv4),
        );
    }
    if let Some(dslite) = &answer.dslite {
        tell("dslite", dslite.aftr.to_string());
    }
    for (at, tunnel) in answer.ipip.iter().flatten().enumerate() {
        tell(
            &format!("ipip {at}"),
            format!("{} {} {}", tunnel.local, tunnel.remote, tunnel.ipv4),
        );
    }
    if let Some(xlat464) = &answer.xlat464 {
        tell("464xlat", xlat464.nat64_prefix.to_string());
    }
    told
}

pub fn theirs(data: &ProvisioningData) -> Told {
    let mut told = Told::new();
    let mut tell = |key: &str, value: String| assert_eq!(told.insert(key.into(), value), None);
    let info = data.provider_info();
    tell("enabler", info.enabler_name().into());
    tell("service", format!("{:?}", info.service_name()));
    tell("isp", format!("{:?}", info.isp_name()));
    tell("ttl", format!("{:?}", data.ttl().map(hb46pp::Ttl::as_secs)));
    tell(
        "token",
        format!("{:?}", data.token().map(hb46pp::Token::as_str)),
    );
    tell(
        "auth",
        format!("{:?}", data.auth().map(hb46pp::AuthStatus::as_str)),
    );
    let order = data.order().iter().map(|c| c.as_str());
    tell("order", order.collect::<Vec<_>>().join(","));
    tell("mostly", data.ipv6_mostly().unwrap_or(false).to_string());
    if let Some(map_e) = data.map_e() {
        let is_draft = map_e.version() == hb46pp::MapEVersion::Draft03;
        let is_mesh = map_e.mode() == MapMode::Mesh;
        tell("map_e", format!("{is_draft} {is_mesh} {}", map_e.br()));
        for (at, rule) in map_e.rules().iter().enumerate() {
            let (ea, offset, psid) = (rule.ea_length(), rule.psid_offset(), rule.psid_length());
            let prefixes = format!("{} {}", rule.ipv6(), rule.ipv4());
            tell(
                &format!("map_e {at}"),
                format!("{prefixes} {ea} {offset} {psid}"),
            );
        }
    }
    if let Some(map_t) = data.map_t() {
        tell("map_t", map_t.dmr().to_string());
        for (at, rule) in map_t.rules().iter().enumerate() {
            let (ea, offset, psid) = (rule.ea_length(), rule.psid_offset(), rule.psid_length());
            let prefixes = format!("{} {}", rule.ipv6(), rule.ipv4());
            tell(
                &format!("map_t {at}"),
                format!("{prefixes} {ea} {offset} {psid}"),
            );
        }
    }
    if let Some(lw4o6) = data.lw4o6() {
        let set = lw4o6.port_set();
        let ports = format!("{} {} {}", set.psid(), set.psid_length(), set.psid_offset());
        let (prefix, ipv4) = (lw4o6.binding_prefix(), lw4o6.public_ipv4_address());
        tell(
            "lw4o6",
            format!("{} {prefix} {ipv4} {ports}", lw4o6.lwaftr()),
        );
    }
    if let Some(dslite) = data.dslite() {
        tell("dslite", dslite.aftr().to_string());
    }
    for (at, tunnel) in data
        .ipip()
        .iter()
        .flat_map(|ipip| ipip.tunnels())
        .enumerate()
    {
        let ends = format!("{} {}", tunnel.local(), tunnel.remote());
        tell(&format!("ipip {at}"), format!("{ends} {}", tunnel.ipv4()));
    }
    if let Some(xlat464) = data.xlat464() {
        tell("464xlat", xlat464.nat64_prefix().to_string());
    }
    told
}
