// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of what the provider gives: uplink, prefix, rule, dialect.

use crate::map::{Dialect, Mapping};

use super::facts::{Facts, Known};
use super::finding::{Finding, fail, not_up, ok, unknown, warn};
use super::remedy::Remedy;
use super::seen::Seen;
use crate::reason::Reason;
use crate::status::netifd::Phase;

pub(super) fn uplink(facts: &Facts<'_>) -> Finding {
    if !facts.bus {
        // Only root is sure to reach the bus.
        return match facts.root {
            true => fail(Seen::NetifdSilent {}, Remedy::StartNetifd {}),
            false => unknown(Seen::NetifdSilent {}),
        };
    }
    let Some(found) = &facts.uplink else {
        return fail(Seen::NoUplink {}, Remedy::ConnectUplink {});
    };
    let uplink = found.name.clone();
    if !found.up {
        let seen = Seen::UplinkDown {
            uplink: uplink.clone(),
        };
        return fail(seen, Remedy::CheckUplink { uplink });
    }
    let device = found.device.clone().unwrap_or_else(|| "no device".into());
    ok(Seen::UplinkUp { uplink, device })
}

pub(super) fn prefix(facts: &Facts<'_>) -> Finding {
    if !facts.bus {
        return unknown(Seen::NetifdSilent {});
    }
    let Some(found) = facts.uplink.as_ref().filter(|uplink| uplink.up) else {
        return unknown(Seen::NoPrefixWithoutUplink {});
    };
    let uplink = found.name.clone();
    let Some(offer) = &facts.offer else {
        let seen = Seen::NoPrefix {
            uplink: uplink.clone(),
        };
        return fail(seen, Remedy::RequestPrefix { uplink });
    };
    let prefix = offer.prefix;
    if offer.deprecated {
        let seen = Seen::PrefixDeprecated {
            prefix,
            uplink: uplink.clone(),
        };
        return warn(seen, Remedy::RenewUplink { uplink });
    }
    if let Some(stale) = offer.stale {
        let seen = Seen::PrefixStale {
            prefix,
            stale,
            uplink: uplink.clone(),
        };
        return warn(seen, Remedy::RemoveIp6prefix { uplink });
    }
    match offer.source.as_str() {
        "option" => ok(Seen::PrefixConfigured { prefix }),
        origin => ok(Seen::PrefixFound {
            prefix,
            uplink,
            origin: origin.into(),
        }),
    }
}

pub(super) fn provider(facts: &Facts<'_>) -> Finding {
    let found = |(provider, provider_name): (&String, &String)| Seen::ProviderFound {
        provider: provider.clone(),
        provider_name: provider_name.clone(),
    };
    let Some(state) = facts.state else {
        return match (&facts.known, &facts.offer) {
            (Known::Map { id, name, .. } | Known::Tunnel { id, name, .. }, _) => {
                ok(found((id, name)))
            }
            (Known::Refused(reason), _) => {
                let reason = reason.clone();
                fail(Seen::OtherLine { reason }, Remedy::UseOtherType {})
            }
            (Known::No, None) if facts.bus => unknown(Seen::ProviderOpen {}),
            (Known::No, None) => not_up(facts),
            (Known::No, Some(offer)) => {
                let prefix = offer.prefix;
                fail(Seen::ProviderUnknown { prefix }, Remedy::GiveRule {})
            }
        };
    };
    match (&state.provider, &facts.known) {
        (
            Some((own, name)),
            Known::Map {
                id, name: there, ..
            },
        ) if own != id && state.mapping().is_some() => {
            let seen = Seen::ProviderDiffers {
                provider: own.clone(),
                provider_name: name.clone(),
                expected: id.clone(),
                expected_name: there.clone(),
            };
            warn(seen, Remedy::DetectProvider {})
        }
        (Some((own, name)), _) => ok(found((own, name))),
        (None, known) if state.mapping().is_some() => by_hand(known),
        (None, _) => ok(Seen::MechanismConfigured {
            mechanism: state.mechanism.kind().as_str(),
        }),
    }
}

/// A rule that is configured by hand, beside what is known of the line.
fn by_hand(known: &Known) -> Finding {
    match known {
        Known::No => ok(Seen::RuleConfigured {}),
        Known::Refused(reason) | Known::Tunnel { reason, .. } => {
            let reason = reason.clone();
            warn(Seen::RuleOnOtherLine { reason }, Remedy::CheckLine {})
        }
        Known::Map { id, name, same, .. } => {
            let (provider, provider_name) = (id.clone(), name.clone());
            if *same {
                return ok(Seen::RuleAsProvider {
                    provider,
                    provider_name,
                });
            }
            let seen = Seen::RuleUnlikeProvider {
                provider: provider.clone(),
                provider_name: provider_name.clone(),
            };
            let remedy = Remedy::UseProvider {
                provider,
                provider_name,
            };
            warn(seen, remedy)
        }
    }
}

/// What the line itself says (HB46PP). Nothing is said of one that was not
/// asked.
pub(super) fn asked(facts: &Facts<'_>) -> Vec<Finding> {
    let finding = facts.asked.as_ref().map(|(failure, wait)| match failure {
        None => ok(Seen::LineAnswered {}),
        Some(error) => {
            let error = error.clone();
            let minutes = wait.div_ceil(60);
            warn(Seen::LineSilent { error }, Remedy::AskedAgain { minutes })
        }
    });
    finding.into_iter().collect()
}

/// The rule in use; lines without MAP have none.
pub(super) fn rule(facts: &Facts<'_>) -> Vec<Finding> {
    match facts.state {
        None => vec![no_rule(facts)],
        Some(state) => {
            let mapping = state.mapping().into_iter();
            mapping.map(|mapping| rule_in_use(facts, mapping)).collect()
        }
    }
}

fn rule_in_use(facts: &Facts<'_>, mapping: &Mapping) -> Finding {
    let rule = mapping.bmr();
    if let Some((configured, found)) = facts.psids {
        let psid = configured.value();
        let left_justified = configured.left_justified();
        let remedy = Remedy::RemovePsid {
            psid,
            left_justified,
        };
        return fail(Seen::PsidDiffers { psid, found }, remedy);
    }
    if mapping.subnet_id() != 0 {
        let seen = Seen::WrongSubnet {
            prefix: mapping.end_user(),
            subnet: mapping.subnet_id(),
            length: rule.end_user_len(),
        };
        return warn(seen, Remedy::WholePrefix {});
    }
    ok(Seen::RuleInUse {
        ipv6_prefix: rule.ipv6(),
        ipv4_prefix: rule.ipv4(),
        ea_len: rule.ea_len(),
    })
}

/// Why no rule is in use.
fn no_rule(facts: &Facts<'_>) -> Finding {
    let failed = |code: &str, detail: &Reason| {
        let seen = Seen::SetupFailed {
            error: code.to_owned(),
            detail: detail.clone(),
        };
        fail(seen, remedy_of(code))
    };
    match (facts.error, &facts.refused) {
        (Some((code, detail)), _) if facts.phase == Phase::Error => failed(code, detail),
        // netifd was not asked, or has not started the interface since.
        (_, Some(problem)) => failed(problem.code.as_str(), &problem.reason),
        _ if !facts.bus => unknown(Seen::NetifdSilent {}),
        _ if facts.phase == Phase::Down => {
            let interface = facts.interface.to_owned();
            warn(Seen::NotStarted {}, Remedy::Start { interface })
        }
        _ => unknown(Seen::NoRuleYet {}),
    }
}

/// What to do about an error of the handler, by its code.
fn remedy_of(code: &str) -> Remedy {
    match code {
        "INVALID_MAP_RULE" | "MAPE_INVALID_CONFIG" => Remedy::CorrectOption {},
        "NO_MATCHING_PD" => Remedy::CheckPrefix {},
        "MAPE_UNKNOWN_PROVIDER" => Remedy::GiveRule {},
        "MAPE_NAME_NOT_RESOLVED" => Remedy::CheckResolvers {},
        "UNSUPPORTED_TYPE" => Remedy::UseOtherType {},
        _ => Remedy::ReadLog {},
    }
}

pub(super) fn dialect(facts: &Facts<'_>, mapping: &Mapping) -> Finding {
    let own = mapping.dialect();
    let Known::Map {
        id, name, dialect, ..
    } = &facts.known
    else {
        let dialect = own.as_str();
        return ok(Seen::DialectConfigured { dialect });
    };
    let (provider, provider_name) = (id.clone(), name.clone());
    if *dialect == own {
        return ok(Seen::DialectAsProvider {
            dialect: own.as_str(),
            provider,
            provider_name,
        });
    }
    let seen = Seen::DialectDiffers {
        dialect: own.as_str(),
        expected: dialect.as_str(),
        provider,
        provider_name,
    };
    let remedy = Remedy::SetDialect {
        dialect: dialect.as_str(),
        legacymap: u8::from(*dialect == Dialect::Draft03),
    };
    fail(seen, remedy)
}
