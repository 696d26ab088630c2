// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of the way to the BR and back: routes, addresses, tunnel.

use std::net::Ipv6Addr;

use crate::handler::{Code, Registration, State};
use crate::mechanism::{Kind, Mechanism};

use super::facts::{Facts, Known, Reply};
use super::finding::{Finding, fail, not_up, ok, unknown, warn};
use super::remedy::{Cause, Remedy};
use super::seen::Seen;
use crate::status::netifd::Phase;

/// The address of the BR, or the DMR's prefix.
fn border(state: &State) -> Option<String> {
    Some(state.mechanism.border()?.to_string())
}

pub(super) fn br_route(facts: &Facts<'_>, state: &State) -> Finding {
    let (Some(route), Some(peer)) = (&facts.br_route, border(state)) else {
        return not_up(facts);
    };
    if let Known::Map {
        border: Some(known),
        id,
        name,
        ..
    } = &facts.known
        && state.mapping().is_some()
        && *known != peer
    {
        let seen = Seen::PeerDiffers {
            peer,
            expected: known.clone(),
            provider: id.clone(),
            provider_name: name.clone(),
        };
        let peer = known.clone();
        return warn(seen, Remedy::SetPeer { peer });
    }
    let uplink = facts.uplink.as_ref();
    let uplink = uplink.and_then(|uplink| uplink.device.as_ref());
    match route {
        Err(error) => {
            let error = error.clone();
            fail(
                Seen::PeerUnreachable { peer, error },
                Remedy::DefaultRoute6 {},
            )
        }
        Ok((route, device)) => {
            let route = route.clone();
            if uplink.is_some_and(|uplink| uplink != device) {
                return warn(Seen::PeerNotByUplink { peer, route }, Remedy::SetMetric {});
            }
            ok(Seen::PeerRouted { peer, route })
        }
    }
}

pub(super) fn br_reply(facts: &Facts<'_>, state: &State) -> Finding {
    let Some(peer) = border(state) else {
        return not_up(facts);
    };
    match &facts.br_reply {
        None => unknown(Seen::PeerIsPrefix { peer }),
        Some(Reply::No) => unknown(Seen::PeerSilent { address: peer }),
        Some(reply) => asked(peer, reply),
    }
}

/// Whether the AFTR's name was found, and still has the address that is in use.
/// Nothing is said of a line without such a name.
pub(super) fn aftr(facts: &Facts<'_>) -> Vec<Finding> {
    if let (None, Some((code, detail))) = (facts.state, facts.error)
        && code == Code::NameNotResolved.as_str()
    {
        let error = detail.clone();
        return vec![fail(Seen::AftrUnknown { error }, Remedy::CheckResolvers {})];
    }
    let Some(Mechanism::DsLite(line)) = facts.state.map(|state| &state.mechanism) else {
        return Vec::new();
    };
    let (Some(name), Some(found)) = (line.name(), &facts.aftr) else {
        return Vec::new();
    };
    let (name, address) = (name.to_string(), line.aftr());
    vec![match found {
        Err(error) => {
            let error = error.clone();
            warn(Seen::AftrUnknown { error }, Remedy::CheckResolvers {})
        }
        Ok(all) if all.contains(&address) => ok(Seen::AftrFound { name, address }),
        Ok(_) => {
            let interface = facts.interface.to_owned();
            warn(
                Seen::AftrMoved { name, address },
                Remedy::Restart { interface },
            )
        }
    }]
}

pub(super) fn probe(address: &Ipv6Addr, reply: &Reply) -> Finding {
    asked(address.to_string(), reply)
}

/// What came of an echo request to `address`, which should answer.
fn asked(address: String, reply: &Reply) -> Finding {
    match reply {
        Reply::Yes(ms) => ok(Seen::Answers { address, ms: *ms }),
        Reply::No => warn(Seen::NoAnswer { address }, Remedy::CheckIpv6 {}),
        Reply::Error(error) => {
            let error = error.clone();
            unknown(Seen::PingFailed { address, error })
        }
    }
}

pub(super) fn ce_address(facts: &Facts<'_>, state: &State) -> Finding {
    let address = state.mechanism.ce_address();
    let Some(found) = &facts.ce else {
        // nat46 answers for its addresses itself.
        if state.mechanism.kind() == Kind::MapT {
            let device = state.device.clone();
            return ok(Seen::CeTranslated { address, device });
        }
        return again(facts, Seen::CeMissing { address });
    };
    let device = found.device.clone();
    if found.duplicate {
        let seen = Seen::CeDuplicate { address, device };
        return fail(seen, Remedy::OtherRouter {});
    }
    if found.tentative {
        return warn(Seen::CeTentative { address, device }, Remedy::TryLater {});
    }
    ok(Seen::CePresent { address, device })
}

pub(super) fn tunnel(facts: &Facts<'_>) -> Finding {
    let Some(state) = facts.state else {
        return match facts.phase {
            // netifd took the link, and then nobody loaded the rules: the guard
            // lets nothing pass.
            Phase::Up => again(facts, Seen::HandlerDied {}),
            Phase::Down if facts.died => {
                let interface = facts.interface.to_owned();
                fail(Seen::TeardownStuck {}, Remedy::Repair { interface })
            }
            _ if facts.died => warn(Seen::SetupDied {}, Remedy::ReadLog {}),
            _ => not_up(facts),
        };
    };
    let device = state.device.clone();
    match facts.device {
        None => again(facts, Seen::DeviceMissing { device }),
        Some((false, _)) => again(facts, Seen::DeviceDown { device }),
        Some((true, _)) => ok(Seen::DeviceUp { device }),
    }
}

/// What setting the interface up again may mend.
fn again(facts: &Facts<'_>, seen: Seen) -> Finding {
    let interface = facts.interface.to_owned();
    fail(seen, Remedy::Restart { interface })
}

pub(super) fn mtu(facts: &Facts<'_>, state: &State) -> Finding {
    let mtu = facts.device.map_or(state.mtu, |(_, mtu)| mtu);
    let uplink = facts.uplink.as_ref().and_then(|uplink| uplink.mtu);
    let Some(uplink_mtu) = uplink else {
        return unknown(Seen::MtuUplinkUnknown { mtu });
    };
    let best = uplink_mtu.saturating_sub(state.mechanism.kind().overhead());
    let seen = match mtu {
        mtu if mtu > best => Seen::MtuTooLarge {
            mtu,
            uplink_mtu,
            best,
        },
        // A provider's line may take less than the device.
        mtu if mtu < 1400 && mtu < best => Seen::MtuTooSmall {
            mtu,
            uplink_mtu,
            best,
        },
        _ => return mss(facts, mtu, uplink_mtu),
    };
    warn(seen, Remedy::SetMtu { mtu: best })
}

/// An MTU that fits is smaller than hosts expect. If the ICMP error that says so
/// gets lost, only a smaller MSS keeps connections from hanging.
fn mss(facts: &Facts<'_>, mtu: u16, uplink_mtu: u16) -> Finding {
    match facts.unclamped.clone() {
        None => ok(Seen::MtuFits { mtu, uplink_mtu }),
        Some(zone) => {
            let remedy = Remedy::ClampMss { zone: zone.clone() };
            warn(Seen::MssNotClamped { mtu, zone }, remedy)
        }
    }
}

pub(super) fn encaplimit(facts: &Facts<'_>, state: &State) -> Finding {
    if state.mechanism.kind() == Kind::MapT {
        return ok(Seen::EncaplimitNotUsed {});
    }
    let Some(limit) = state.encapsulation_limit() else {
        return ok(Seen::EncaplimitOff {});
    };
    let limit = limit.to_owned();
    let known = match (&facts.known, &state.provider) {
        (Known::Map { id, name, .. }, _) | (_, Some((id, name))) => Some((id, name)),
        _ => None,
    };
    let remedy = Remedy::SetEncaplimit {};
    match known {
        Some((id, name)) => {
            let seen = Seen::EncaplimitDropped {
                limit,
                provider: id.clone(),
                provider_name: name.clone(),
            };
            fail(seen, remedy)
        }
        None => warn(Seen::EncaplimitRisky { limit }, remedy),
    }
}

pub(super) fn ipv4(facts: &Facts<'_>, state: &State) -> Finding {
    if !facts.bus {
        return unknown(Seen::NetifdSilent {});
    }
    let device = state.device.clone();
    let address = state.mechanism.ipv4().addr().to_string();
    let assigned = facts
        .ipv4
        .iter()
        .find(|text| text.split('/').next() == Some(address.as_str()));
    let Some(assigned) = assigned else {
        return again(facts, Seen::Ipv4Missing { address, device });
    };
    let address = assigned.clone();
    match (facts.default4, facts.no_default) {
        (true, _) => ok(Seen::Ipv4Present { address, device }),
        (false, true) => ok(Seen::Ipv4WithoutDefault { address }),
        (false, false) => again(facts, Seen::Ipv4NoRoute { address, device }),
    }
}

pub(super) fn replies(facts: &Facts<'_>, state: &State) -> Finding {
    let Some(traffic) = facts.traffic else {
        return not_up(facts);
    };
    let (sent, received) = (traffic.tx_packets, traffic.rx_packets);
    let foreign = facts.dropped.map_or(0, |dropped| dropped.not_ours);
    match (sent, received) {
        (0, 0) => unknown(Seen::NothingSent {}),
        (1..10, 0) => unknown(Seen::NoReplyYet { sent }),
        (_, 0) => {
            let causes = causes(facts, state);
            fail(Seen::NoReply { sent }, Remedy::CheckSubscription { causes })
        }
        (_, received) if foreign >= received => {
            let remedy = match state.mapping() {
                Some(_) => Remedy::CheckRule {},
                None => Remedy::CheckAddress {},
            };
            fail(Seen::ForeignReplies { received }, remedy)
        }
        _ => ok(Seen::RepliesReceived { received }),
    }
}

/// Why a BR says nothing, the most frequent first, without what is certain to
/// be right.
fn causes(facts: &Facts<'_>, state: &State) -> Vec<Cause> {
    let mut causes = Vec::new();
    if facts.offset_assumed {
        causes.push(Cause::OffsetLost);
    }
    let by_hand = state.provider.is_none();
    match &state.mechanism {
        // What the line says of itself is right.
        _ if state.is_provisioned() => {}
        Mechanism::Map(_) if by_hand || !matches!(facts.known, Known::Map { .. }) => {
            causes.extend([Cause::Dialect, Cause::Peer, Cause::PortParams]);
        }
        Mechanism::DsLite(_) if by_hand => causes.push(Cause::Peer),
        Mechanism::IpIp(_) => {
            if !facts.registration.is_some_and(Registration::is_done) {
                causes.push(Cause::NotRegistered);
            }
            causes.extend([Cause::FixedAddress, Cause::Peer]);
        }
        Mechanism::Map(_) | Mechanism::DsLite(_) => {}
    }
    if state.encapsulation_limit().is_some() {
        causes.push(Cause::Encaplimit);
    }
    causes.extend([Cause::NotEnabled, Cause::OtherRouter]);
    causes
}
