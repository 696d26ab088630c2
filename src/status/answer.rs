// SPDX-License-Identifier: GPL-2.0-or-later
//! The answer of `status` as `docs/bus.md` describes it.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Serialize;
use serde_json::Value;

use crate::endpoint::DnsName;
use crate::handler::{Registration, RegistrationResult};
use crate::map::{Border, Dialect, Dmr, Mapping, Rule};
use crate::mechanism::{DsLite, Kind, Mechanism};
use crate::nat::Protocol;
use crate::netfilter::Traffic;

use super::netifd::Phase;
use super::world::{Dropped, Interface, LineUp, World};
use crate::reason::Reason;

/// The answer of `status`.
#[derive(Debug, Serialize)]
pub struct StatusAnswer<'a> {
    interfaces: Vec<InterfaceAnswer<'a>>,
}

impl<'a> StatusAnswer<'a> {
    /// What is known of these interfaces.
    pub fn new(interfaces: &'a [Interface<'a>]) -> Self {
        StatusAnswer {
            interfaces: interfaces.iter().map(InterfaceAnswer::new).collect(),
        }
    }
}

/// One interface. Every member is always there; what is not known is null.
#[derive(Debug, Serialize)]
struct InterfaceAnswer<'a> {
    interface: &'a str,
    proto: &'a str,
    state: Phase,
    error: Option<ErrorAnswer<'a>>,
    uptime: Option<u64>,
    #[serde(flatten)]
    link: LinkAnswer<'a>,
    asked: Option<AskedAnswer>,
}

/// What became of asking the line by HB46PP.
#[derive(Debug, Serialize)]
struct AskedAnswer {
    /// Why it gave no answer that can be used, in English.
    failure: Option<String>,
    /// The same for programs.
    reason: Option<Value>,
    /// Seconds to the next attempt.
    next_in: u64,
}

/// The last error of an interface that is not up.
#[derive(Debug, Serialize)]
struct ErrorAnswer<'a> {
    code: &'a str,
    detail: String,
    reason: Option<Value>,
}

/// The link of an interface, or what is known of it before it is up.
#[derive(Debug, Default, Serialize)]
struct LinkAnswer<'a> {
    device: Option<&'a str>,
    provider: Option<&'a str>,
    provider_name: Option<&'a str>,
    uplink: Option<String>,
    prefix_source: Option<&'a str>,
    #[serde(flatten)]
    mapping: MappingAnswer,
    /// The AFTR of DS-Lite.
    aftr: Option<Ipv6Addr>,
    /// Its name, if it was found by one.
    aftr_name: Option<&'a str>,
    /// Why this mechanism was chosen, in English.
    why: Option<&'a str>,
    /// Number of FMRs.
    fmrs: usize,
    mesh: bool,
    mtu: Option<u16>,
    encaplimit: Option<&'a str>,
    nat: NatAnswer<'a>,
    ports: Option<PortCounts>,
    traffic: Option<Traffic>,
    dropped: Option<Dropped>,
    /// The internal host that uses most ports.
    busiest: Option<HostAnswer<'a>>,
    registration: Option<RegistrationAnswer<'a>>,
}

/// What became of the registration of a fixed address. Times are in seconds.
#[derive(Debug, Serialize)]
struct RegistrationAnswer<'a> {
    server: &'a str,
    address: Ipv6Addr,
    result: RegistrationResult,
    detail: &'a str,
    reason: Option<Value>,
    ago: u64,
    next_in: Option<u64>,
}

impl<'a> RegistrationAnswer<'a> {
    fn new(found: &'a Registration, now: u64) -> Self {
        RegistrationAnswer {
            server: &found.server,
            address: found.address,
            result: found.result,
            detail: &found.detail,
            reason: found.why().coded(),
            ago: now.saturating_sub(found.at),
            next_in: found.next.map(|next| next.saturating_sub(now)),
        }
    }
}

/// How ports are translated.
#[derive(Debug, Default, Serialize)]
struct NatAnswer<'a> {
    configured: &'a str,
    mode: Option<&'a str>,
    reason: Option<&'a str>,
    conntrack: &'a str,
}

/// What every answer shows of a mechanism; without MAP there is no rule. All of it is null, except perhaps
/// `end_user_prefix`, while there is no mapping.
#[derive(Debug, Default, Serialize)]
pub struct MappingAnswer {
    #[serde(rename = "type")]
    kind: Option<Kind>,
    dialect: Option<Dialect>,
    end_user_prefix: Option<Ipv6Net>,
    bmr: Option<RuleAnswer>,
    ipv4_address: Option<Ipv4Addr>,
    ipv4_prefix_len: Option<u8>,
    /// Null also if the address is not shared.
    psid: Option<u16>,
    sharing_ratio: Option<u32>,
    ce_address: Option<Ipv6Addr>,
    br: Option<Ipv6Addr>,
    dmr: Option<Ipv6Net>,
}

impl From<&Mapping> for MappingAnswer {
    fn from(mapping: &Mapping) -> Self {
        let ports = mapping.ports();
        let border = mapping.border();
        MappingAnswer {
            kind: Some(mapping.map_type().into()),
            dialect: Some(mapping.dialect()),
            end_user_prefix: Some(mapping.end_user()),
            bmr: Some(mapping.bmr().into()),
            ipv4_address: Some(mapping.ipv4().addr()),
            ipv4_prefix_len: Some(mapping.ipv4().prefix_len()),
            psid: ports.is_shared().then(|| ports.psid().value()),
            sharing_ratio: Some(ports.params().sharing_ratio()),
            ce_address: Some(mapping.ce_address()),
            br: border.and_then(Border::br),
            dmr: border.and_then(Border::dmr).map(Dmr::prefix),
        }
    }
}

impl From<&Mechanism> for MappingAnswer {
    fn from(mechanism: &Mechanism) -> Self {
        let br = match mechanism {
            Mechanism::Map(mapping) => return mapping.into(),
            Mechanism::DsLite(_) => None,
            Mechanism::IpIp(line) => Some(line.br()),
        };
        MappingAnswer {
            kind: Some(mechanism.kind()),
            end_user_prefix: Some(mechanism.end_user()),
            ipv4_address: Some(mechanism.ipv4().addr()),
            ipv4_prefix_len: Some(mechanism.ipv4().prefix_len()),
            sharing_ratio: mechanism.ports().map(|set| set.params().sharing_ratio()),
            ce_address: Some(mechanism.ce_address()),
            br,
            ..MappingAnswer::default()
        }
    }
}

/// A rule as every answer shows it.
#[derive(Debug, Serialize)]
pub struct RuleAnswer {
    ipv6_prefix: Ipv6Net,
    ipv4_prefix: Ipv4Net,
    ea_len: u8,
    psid_offset: u8,
    psid_len: u8,
}

impl From<&Rule> for RuleAnswer {
    fn from(rule: &Rule) -> Self {
        let params = rule.port_params();
        RuleAnswer {
            ipv6_prefix: rule.ipv6(),
            ipv4_prefix: rule.ipv4(),
            ea_len: rule.ea_len(),
            psid_offset: params.offset(),
            psid_len: params.psid_len(),
        }
    }
}

impl<'a> InterfaceAnswer<'a> {
    fn new(interface: &'a Interface<'a>) -> Self {
        let error = interface.error.as_ref();
        let error = error.filter(|_| interface.phase != Phase::Up);
        InterfaceAnswer {
            interface: interface.name,
            proto: interface.proto,
            state: interface.phase,
            error: error.map(|(code, reason)| ErrorAnswer {
                code,
                detail: reason.to_string(),
                reason: reason.coded(),
            }),
            uptime: interface.uptime,
            asked: interface.asked().map(|asked| AskedAnswer {
                failure: asked.failure().map(|failure| failure.to_string()),
                reason: asked.failure().as_ref().and_then(Reason::coded),
                next_in: asked.next.saturating_sub(interface.world().boot_seconds),
            }),
            link: match &interface.line {
                Some(line) => LinkAnswer::of_line(line, interface.world()),
                None => LinkAnswer::not_up(interface),
            },
        }
    }
}

impl<'a> LinkAnswer<'a> {
    fn of_line(line: &'a LineUp<'a>, world: &'a World) -> Self {
        let state = line.state;
        let (mode, reason) = &state.technique;
        let provider = state.provider.as_ref();
        let ds_lite = match &state.mechanism {
            Mechanism::DsLite(line) => Some(line),
            Mechanism::Map(_) | Mechanism::IpIp(_) => None,
        };
        LinkAnswer {
            device: Some(&state.device),
            provider: provider.map(|(id, _)| id.as_str()),
            provider_name: provider.map(|(_, name)| name.as_str()),
            uplink: Some(state.uplink.clone()),
            prefix_source: Some(&state.prefix_source),
            mapping: (&state.mechanism).into(),
            aftr: ds_lite.map(DsLite::aftr),
            aftr_name: ds_lite.and_then(DsLite::name).map(DnsName::as_str),
            why: Some(state.why.as_str()).filter(|why| !why.is_empty()),
            fmrs: state.mechanism.fmrs().len(),
            mesh: state.mesh,
            mtu: Some(state.mtu),
            encaplimit: state.encaplimit.as_deref(),
            nat: NatAnswer {
                configured: state.nat.as_str(),
                mode: Some(mode),
                reason: Some(reason),
                conntrack: state.timeouts.as_str(),
            },
            ports: state.mechanism.ports().map(|_| PortCounts::new(line)),
            traffic: line.traffic,
            dropped: line.dropped,
            busiest: hosts(line, world).next(),
            registration: line
                .registration
                .map(|found| RegistrationAnswer::new(found, world.boot_seconds)),
        }
    }

    /// What is known without a mapping: the configuration, and what the uplink
    /// offers.
    fn not_up(interface: &'a Interface<'a>) -> Self {
        let (uplink, candidate) = interface.uplink();
        let mesh = interface.config.and_then(|config| config.flag("mesh"));
        LinkAnswer {
            uplink,
            prefix_source: candidate.map(|c| c.source.as_str()),
            mapping: MappingAnswer {
                end_user_prefix: candidate.map(|c| c.prefix),
                ..MappingAnswer::default()
            },
            mesh: mesh.unwrap_or(false),
            nat: NatAnswer {
                configured: interface.option("nat").unwrap_or("auto"),
                conntrack: interface.option("conntrack").unwrap_or("normal"),
                ..NatAnswer::default()
            },
            ..LinkAnswer::default()
        }
    }
}

/// How many ports there are, and how many of them are in use.
#[derive(Debug, Serialize)]
pub(super) struct PortCounts {
    pub total: u32,
    pub reserved: u32,
    pub forwarded: u32,
    pub upnp: u32,
    /// Ports that outgoing connections may take.
    pub pool: u32,
    /// Null if connections cannot be seen.
    pub used: Option<Used>,
    /// Ports in use of the protocol that uses most.
    pub used_max: Option<usize>,
}

/// Ports in use, by protocol.
#[derive(Debug, Serialize)]
pub(super) struct Used {
    pub tcp: usize,
    pub udp: usize,
    pub icmp: usize,
}

impl PortCounts {
    pub fn new(line: &LineUp<'_>) -> Self {
        let usage = line.usage.as_ref();
        PortCounts {
            total: line.total(),
            reserved: line.reserved.count(),
            forwarded: line.forwarded().count(),
            upnp: line.upnp.count(),
            pool: line.free(),
            used: usage.map(|usage| Used {
                tcp: usage.of(Protocol::Tcp),
                udp: usage.of(Protocol::Udp),
                icmp: usage.of(Protocol::Icmp),
            }),
            used_max: usage.map(super::usage::Usage::max),
        }
    }
}

/// An internal host and the ports it uses.
#[derive(Debug, Serialize)]
pub(super) struct HostAnswer<'a> {
    address: Ipv4Addr,
    name: Option<&'a str>,
    tcp: usize,
    udp: usize,
    icmp: usize,
}

/// The internal hosts of a line, those with most ports first.
pub(super) fn hosts<'a>(
    line: &'a LineUp<'a>,
    world: &'a World,
) -> impl Iterator<Item = HostAnswer<'a>> {
    let hosts = line.usage.as_ref().map_or(&[][..], |usage| usage.hosts());
    hosts.iter().map(|host| {
        let [tcp, udp, icmp] = host.ports;
        HostAnswer {
            address: host.address,
            name: world.name_of(host.address),
            tcp,
            udp,
            icmp,
        }
    })
}
