// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of what the provider gives: uplink, prefix, rule, dialect.

use crate::handler::State;
use crate::map::Dialect;

use super::facts::{Facts, Known};
use super::finding::{Finding, fail, ok, unknown, warn};
use crate::status::netifd::Phase;

pub(super) fn uplink(facts: &Facts<'_>) -> Finding {
    if !facts.bus {
        return unknown("netifd does not answer, so nothing is known of the uplink");
    }
    match &facts.uplink {
        None => fail(
            "no interface that is up has IPv6",
            "bring up the IPv6 uplink, usually wan6, and name it in option tunlink",
        ),
        Some(uplink) if !uplink.up => {
            let name = &uplink.name;
            fail(
                format!("{name} is not up"),
                format!("check the cable and the log of {name}, then run ifup {name}"),
            )
        }
        Some(uplink) => {
            let device = uplink.device.as_deref().unwrap_or("no device");
            ok(format!("{} is up on {device}", uplink.name))
        }
    }
}

pub(super) fn prefix(facts: &Facts<'_>) -> Finding {
    if !facts.bus {
        return unknown("netifd does not answer");
    }
    let uplink = facts.uplink.as_ref().filter(|uplink| uplink.up);
    let Some(uplink) = uplink else {
        return unknown("there is no uplink to have a prefix");
    };
    let name = &uplink.name;
    let Some(offer) = &facts.offer else {
        return fail(
            format!("{name} has no IPv6 prefix"),
            format!(
                "set option reqprefix 'auto' on {name}, or ask the provider whether the line \
                 delegates a prefix"
            ),
        );
    };
    let prefix = offer.prefix;
    if offer.deprecated {
        return warn(
            format!("{prefix} of {name} is deprecated: a new prefix is on its way"),
            format!("wait, or run ifup {name}"),
        );
    }
    match offer.source.as_str() {
        "delegated" => ok(format!("{prefix}, delegated to {name}")),
        "ip6prefix" => ok(format!("{prefix}, from option ip6prefix of {name}")),
        "option" => ok(format!("{prefix}, from option enduserprefix")),
        _ => ok(format!(
            "{prefix}, the on-link prefix of {name}; none is delegated"
        )),
    }
}

pub(super) fn provider(facts: &Facts<'_>) -> Finding {
    let own = facts.state.map(|state| state.provider.as_ref());
    match (own, &facts.known) {
        (Some(Some((id, name))), Known::Map { id: there, .. }) if id == there => ok(name),
        (Some(Some((_, name))), Known::Map { name: there, .. }) => warn(
            format!("{name} is configured, but the prefix belongs to {there}"),
            "set option provider 'auto'",
        ),
        (Some(Some((_, name))), _) => ok(name),
        (Some(None), Known::Map { name, same, .. }) if *same => ok(format!(
            "none, the rule is configured; it is that of {name}"
        )),
        (Some(None), Known::Map { id, name, .. }) => warn(
            format!("a rule is configured by hand that is not the one of {name}, whose line it is"),
            format!("remove the rule and set option provider '{id}'"),
        ),
        (Some(None), Known::Refused(why)) => warn(
            format!("a rule is configured by hand, but {why}"),
            "check that the line is really MAP",
        ),
        (Some(None), Known::No) => ok("none, the rule is configured"),
        (None, Known::Map { name, .. }) => ok(name),
        (None, Known::Refused(why)) => fail(why, "use what the line is instead of MAP"),
        (None, Known::No) => match &facts.offer {
            None => unknown("without a prefix nobody knows whose line it is"),
            Some(offer) => fail(
                format!("{} belongs to no known provider", offer.prefix),
                "set option reqopts '94 95 96' on the uplink where the provider sends its \
                     rule by DHCPv6; else option provider 'none' and the rule that it names",
            ),
        },
    }
}

pub(super) fn rule(facts: &Facts<'_>) -> Finding {
    let Some(state) = facts.state else {
        return match facts.error {
            Some((code, detail)) if facts.phase == Phase::Error => {
                let remedy = remedy_of(code);
                fail(format!("{detail} ({code})"), remedy)
            }
            _ if !facts.bus => unknown("netifd does not answer"),
            _ if facts.phase == Phase::Down => warn(
                "the interface is not started",
                format!("ifup {}", facts.interface),
            ),
            _ => unknown("the interface is not up, so no rule is in use yet"),
        };
    };
    let mapping = &state.mapping;
    let rule = mapping.bmr();
    if let Some((configured, found)) = facts.psids {
        let (own, left) = (configured.value(), configured.left_justified());
        return fail(
            format!("PSID {own} is configured, but the prefix has {found} in its place"),
            format!(
                "remove option psid, which the prefix tells; or check its justification: in \
                 proto map PSID {own} is written {left} (left-justified in 16 bits), in proto \
                 mape {own}"
            ),
        );
    }
    if mapping.subnet_id() != 0 {
        return warn(
            format!(
                "{} is subnet {} of the /{} that the rule is about; the BR sends to subnet 0",
                mapping.end_user(),
                mapping.subnet_id(),
                rule.end_user_len()
            ),
            "let the router that has the whole prefix do MAP, or ask the provider",
        );
    }
    ok(format!(
        "{} to {}, {} EA bits",
        rule.ipv6(),
        rule.ipv4(),
        rule.ea_len()
    ))
}

/// What to do about an error, by its code.
const REMEDIES: &[(&str, &str)] = &[
    ("INVALID_MAP_RULE", CORRECT),
    ("MAPE_INVALID_CONFIG", CORRECT),
    (
        "NO_MATCHING_PD",
        "check the rule's IPv6 prefix against that of the uplink, or set enduserprefix",
    ),
    (
        "MAPE_UNKNOWN_PROVIDER",
        "set provider 'none' and give the rule the provider names",
    ),
    (
        "UNSUPPORTED_TYPE",
        "choose another type, or install what this one needs",
    ),
    (
        "MAPE_TUNNEL_FAILED",
        "see logread; usually kmod-ip6-tunnel is missing",
    ),
    (
        "MAPE_NAT_FAILED",
        "see logread; usually nftables or one of its modules is missing",
    ),
];
const CORRECT: &str = "correct that option; mape calc shows what a rule comes to";

fn remedy_of(code: &str) -> &'static str {
    let found = REMEDIES.iter().find(|(known, _)| *known == code);
    found.map_or("see logread", |(_, remedy)| remedy)
}

pub(super) fn dialect(facts: &Facts<'_>, state: &State) -> Finding {
    let own = state.mapping.dialect();
    match &facts.known {
        Known::Map { name, dialect, .. } if *dialect == own => {
            ok(format!("{own}, as {name} uses it"))
        }
        Known::Map { name, dialect, .. } => {
            let legacy = u8::from(own == Dialect::Rfc7597);
            fail(
                format!("{own}, but {name} uses {dialect}: the BR drops everything"),
                format!("set option legacymap '{legacy}'"),
            )
        }
        _ => ok(format!("{own}, as configured")),
    }
}
