// SPDX-License-Identifier: GPL-2.0-or-later
//! A row for each fault: what is broken, and which check says so.

use super::super::*;
use super::routers::*;
use crate::handler::{Code, Problem, RegistrationResult};
use crate::map::{Dialect, Psid};
use crate::nat::Mode;
use crate::netfilter::{Chain, Traffic};
use crate::provider::load;
use crate::status::netifd::Phase;

pub(super) struct Row {
    pub(super) fault: &'static str,
    pub(super) id: &'static str,
    pub(super) verdict: Verdict,
    /// Part of what is seen and of what to do.
    pub(super) says: &'static str,
    pub(super) make: fn(&mut Facts<'static>),
}

#[rustfmt::skip]
pub(super) const FAULTS: &[Row] = &[
    Row { fault: "killed after the link was up", id: "tunnel", verdict: Verdict::Fail, says: "ifup wanmap",
        make: |f| take_down(f, Phase::Up, None) },
    Row { fault: "killed before the link was up", id: "tunnel", verdict: Verdict::Warn, says: "follows within a minute",
        make: |f| { take_down(f, Phase::Pending, None); f.died = true; } },
    Row { fault: "killed while the uplink went down", id: "tunnel", verdict: Verdict::Fail, says: "mape hotplug wanmap",
        make: |f| { take_down(f, Phase::Down, None); f.died = true; } },
    Row { fault: "no uplink", id: "uplink", verdict: Verdict::Fail, says: "tunlink",
        make: |f| f.uplink = None },
    Row { fault: "uplink down", id: "uplink", verdict: Verdict::Fail, says: "ifup wan6",
        make: |f| f.uplink.as_mut().unwrap().up = false },
    Row { fault: "netifd silent", id: "uplink", verdict: Verdict::Fail, says: "/etc/init.d/network restart",
        make: |f| f.bus = false },
    Row { fault: "no prefix", id: "prefix", verdict: Verdict::Fail, says: "reqprefix",
        make: |f| f.offer = None },
    Row { fault: "prefix about to go", id: "prefix", verdict: Verdict::Warn, says: "deprecated",
        make: |f| f.offer.as_mut().unwrap().deprecated = true },
    Row { fault: "option ip6prefix of long ago", id: "prefix", verdict: Verdict::Warn, says: "remove option ip6prefix of wan6",
        make: |f| f.offer.as_mut().unwrap().stale = Some("240b:10:9:200::/56".parse().unwrap()) },
    Row { fault: "foreign prefix", id: "provider", verdict: Verdict::Fail, says: "no known provider",
        make: |f| { f.known = Known::No; take_down(f, Phase::Error, Some(("MAPE_UNKNOWN_PROVIDER", "x"))); } },
    Row { fault: "DS-Lite line", id: "provider", verdict: Verdict::Fail, says: "DS-Lite",
        make: |f| { f.known = Known::Refused("it is DS-Lite".into()); take_down(f, Phase::Error, None); } },
    Row { fault: "manual rule on a provider's line", id: "provider", verdict: Verdict::Warn, says: "provider 'v6plus'",
        make: |f| { set_up(f, |s| s.link.provider = None);
            if let Known::Map { same, .. } = &mut f.known { *same = false } } },
    Row { fault: "the provider's rule by hand", id: "provider", verdict: Verdict::Ok, says: "it is that of v6 Plus",
        make: |f| set_up(f, |s| s.link.provider = None) },
    Row { fault: "wrong provider", id: "provider", verdict: Verdict::Warn, says: "belongs to v6 Plus",
        make: |f| set_up(f, |s| s.link.provider = Some(("ocn".into(), "OCN".into()))) },
    Row { fault: "contradicting rule", id: "rule", verdict: Verdict::Fail, says: "ealen 99",
        make: |f| take_down(f, Phase::Error, Some(("MAPE_INVALID_CONFIG", "ealen 99: at most 48"))) },
    Row { fault: "wrong option, not started", id: "rule", verdict: Verdict::Fail, says: "ealen 99",
        make: |f| { take_down(f, Phase::Down, None);
            f.refused = Some(Problem::fatal(Code::InvalidMapRule, "ealen 99: at most 48")); } },
    Row { fault: "rule of another prefix", id: "rule", verdict: Verdict::Fail, says: "enduserprefix",
        make: |f| take_down(f, Phase::Error, Some(("NO_MATCHING_PD", "no rule matches 240b:10:1:200::/56"))) },
    Row { fault: "PSID written left-justified", id: "rule", verdict: Verdict::Fail, says: "is written 13312 (left-justified",
        make: |f| f.psids = Some((Psid::new(0x34, 8).unwrap(), 2)) },
    Row { fault: "not started", id: "rule", verdict: Verdict::Warn, says: "ifup wanmap",
        make: |f| take_down(f, Phase::Down, None) },
    Row { fault: "subnet of a prefix", id: "rule", verdict: Verdict::Warn, says: "subnet 1",
        make: |f| {
            set_up(f, |state| {
                let prefix = "240b:10:1:201::/64".parse().unwrap();
                let table = load("files").table;
                let (found, _) = table.choose(&[prefix]).unwrap();
                let mapping = found.domain(false).unwrap().map(&[prefix]).unwrap();
                state.link.mechanism = mapping.into();
            });
        } },
    Row { fault: "legacymap forgotten", id: "dialect", verdict: Verdict::Fail, says: "legacymap '0'",
        make: |f| if let Known::Map { dialect, .. } = &mut f.known { *dialect = Dialect::Rfc7597 } },
    Row { fault: "DS-Lite by hand", id: "provider", verdict: Verdict::Ok, says: "ds-lite, as configured",
        make: |f| { ds_lite(f); set_up(f, |s| s.link.provider = None) } },
    Row { fault: "AFTR as it was", id: "aftr", verdict: Verdict::Ok, says: "gw.transix.jp is 2404",
        make: ds_lite },
    Row { fault: "AFTR elsewhere", id: "aftr", verdict: Verdict::Warn, says: "is no longer",
        make: |f| { ds_lite(f); f.aftr = Some(Ok(vec!["2404:8e00::feed:100".parse().unwrap()])) } },
    Row { fault: "AFTR unknown", id: "aftr", verdict: Verdict::Warn, says: "own DNS servers",
        make: |f| { ds_lite(f); f.aftr = Some(Err("gw.transix.jp: there is no such name".into())) } },
    Row { fault: "AFTR not found at setup", id: "aftr", verdict: Verdict::Fail, says: "own DNS servers",
        make: |f| take_down(f, Phase::Error, Some(("MAPE_NAME_NOT_RESOLVED", "gw.transix.jp: there is no such name"))) },
    Row { fault: "the line says what it is", id: "asked", verdict: Verdict::Ok, says: "it says how it carries IPv4",
        make: |f| f.asked = Some((None, 3600)) },
    Row { fault: "the line's DNS is silent", id: "asked", verdict: Verdict::Warn, says: "asked again in 2 min",
        make: |f| f.asked = Some((Some("no DNS server of the uplink answers when asked for 4over6.info".into()), 119)) },
    Row { fault: "address registered", id: "registration", verdict: Verdict::Ok, says: "is registered with v6plus",
        make: |f| register(f, RegistrationResult::Registered, "") },
    Row { fault: "registration refused", id: "registration", verdict: Verdict::Fail, says: "refuses to register 2001:db8:7:100::feed: NG, HTTP status 200",
        make: |f| register(f, RegistrationResult::Refused, "NG, HTTP status 200") },
    Row { fault: "a web page for an answer", id: "registration", verdict: Verdict::Fail, says: "update_url",
        make: |f| register(f, RegistrationResult::Unclear, "a web page, HTTP status 200") },
    Row { fault: "update server gone", id: "registration", verdict: Verdict::Fail, says: "DNS servers",
        make: |f| register(f, RegistrationResult::Unreached, "v6plus.example: there is no such name") },
    Row { fault: "password forgotten", id: "registration", verdict: Verdict::Fail, says: "v6plus needs option password",
        make: |f| register(f, RegistrationResult::Incomplete, "password") },
    Row { fault: "forward on DS-Lite", id: "forwards", verdict: Verdict::Warn, says: "no port of a public IPv4 address is ours",
        make: |f| { ds_lite(f); f.foreign = vec![("web".into(), "443".into())] } },
    Row { fault: "no route", id: "br_route", verdict: Verdict::Fail, says: "unreachable",
        make: |f| f.br_route = Some(Err("network unreachable".into())) },
    Row { fault: "route of another uplink", id: "br_route", verdict: Verdict::Warn, says: "not the uplink's device",
        make: |f| f.br_route = Some(Ok(("dev wg0".into(), "wg0".into()))) },
    Row { fault: "another provider's BR", id: "br_route", verdict: Verdict::Warn, says: "peeraddr",
        make: |f| if let Known::Map { border, .. } = &mut f.known { *border = Some("2001:260:700:1::1:275".into()) } },
    Row { fault: "BR answers", id: "br_reply", verdict: Verdict::Ok, says: "after 7 ms",
        make: |f| f.br_reply = Some(Reply::Yes(7)) },
    Row { fault: "may not ping", id: "br_reply", verdict: Verdict::Unknown, says: "not permitted",
        make: |f| f.br_reply = Some(Reply::Error("Operation not permitted".into())) },
    Row { fault: "CE address missing", id: "ce_address", verdict: Verdict::Fail, says: "on no device",
        make: |f| f.ce = None },
    Row { fault: "CE address in DAD", id: "ce_address", verdict: Verdict::Warn, says: "duplicates",
        make: |f| f.ce.as_mut().unwrap().tentative = true },
    Row { fault: "CE address taken", id: "ce_address", verdict: Verdict::Fail, says: "another router",
        make: |f| f.ce.as_mut().unwrap().duplicate = true },
    Row { fault: "no tunnel device", id: "tunnel", verdict: Verdict::Fail, says: "no device map-wanmap",
        make: |f| f.device = None },
    Row { fault: "tunnel down", id: "tunnel", verdict: Verdict::Fail, says: "is down",
        make: |f| f.device = Some((false, 1460)) },
    Row { fault: "MTU too large", id: "mtu", verdict: Verdict::Warn, says: "set it to 1460",
        make: |f| f.device = Some((true, 1500)) },
    Row { fault: "the stock MTU", id: "mtu", verdict: Verdict::Warn, says: "smaller than it need be",
        make: |f| f.device = Some((true, 1280)) },
    Row { fault: "no MSS clamping", id: "mtu", verdict: Verdict::Warn, says: "set option mtu_fix '1' in zone wan ",
        make: |f| f.unclamped = Some("wan".into()) },
    Row { fault: "encapsulation limit", id: "encaplimit", verdict: Verdict::Fail, says: "'ignore'",
        make: |f| set_up(f, |s| s.link.encaplimit = Some("4".into())) },
    Row { fault: "no IPv4 address", id: "ipv4", verdict: Verdict::Fail, says: "does not have 106.72.0.1",
        make: |f| f.ipv4.clear() },
    Row { fault: "no default route", id: "ipv4", verdict: Verdict::Fail, says: "no IPv4 default route",
        make: |f| f.default4 = false },
    Row { fault: "rules flushed", id: "nat", verdict: Verdict::Fail, says: "firewall reload",
        make: |f| f.chains.as_mut().unwrap().retain(|c| c.table != "mape_wanmap" || c.family != "ip") },
    Row { fault: "guard still up", id: "nat", verdict: Verdict::Fail, says: "mape_guard_wanmap",
        make: |f| f.chains.as_mut().unwrap().push(chain("inet", "mape_guard_wanmap", "filter", 4, 110)) },
    Row { fault: "masquerade first", id: "nat", verdict: Verdict::Fail, says: "translates before ours",
        make: |f| f.chains.as_mut().unwrap().push(chain("inet", "fw4", "nat", 4, 90)) },
    Row { fault: "somebody's rules first", id: "nat", verdict: Verdict::Warn, says: "translates before ours",
        make: |f| f.chains.as_mut().unwrap().push(chain("ip", "nat", "nat", 4, 90)) },
    Row { fault: "not root", id: "nat", verdict: Verdict::Unknown, says: "only root",
        make: |f| f.chains = None },
    Row { fault: "edge map gone", id: "edge", verdict: Verdict::Fail, says: "netdev mape_wanmap is missing",
        make: |f| f.chains.as_mut().unwrap().retain(|c| c.family != "netdev") },
    Row { fault: "half an edge map", id: "edge", verdict: Verdict::Fail, says: "one direction",
        make: |f| { f.chains.as_mut().unwrap().pop(); } },
    Row { fault: "SQM unnoticed", id: "edge", verdict: Verdict::Fail, says: "redirects what map-wanmap receives",
        make: |f| f.redirected = true },
    Row { fault: "SQM noticed", id: "edge", verdict: Verdict::Ok, says: "240 ports mapped",
        make: |f| {
            f.redirected = true;
            let chains = f.chains.as_mut().unwrap();
            chains.retain(|c| c.place != Some((0, -200)));
            chains.push(Chain { name: "ingress".into(), ..chain("ip", "mape_wanmap", "filter", 0, -310) });
        } },
    Row { fault: "no egress hook", id: "edge", verdict: Verdict::Warn, says: "kmod-nft-netdev",
        make: |f| {
            f.edge_refused = true;
            set_up(f, |s| s.technique = ("hash".into(), "no netdev egress".into()));
        } },
    Row { fault: "a hash that the user chose", id: "edge", verdict: Verdict::Ok, says: "",
        make: |f| {
            f.edge_refused = true;
            set_up(f, |s| { s.nat = Mode::Hash; s.technique.0 = "hash".into(); });
        } },
    Row { fault: "a kernel whose flow tables look through tunnels", id: "offload", verdict: Verdict::Fail, says: "ip mape_exempt_wanmap is missing",
        make: |f| f.looks_through = Some("7.2.1".into()) },
    Row { fault: "the same, and our connections stay out", id: "offload", verdict: Verdict::Ok, says: "stay out of it",
        make: |f| {
            f.looks_through = Some("7.2.1".into());
            f.chains.as_mut().unwrap().push(chain("ip", "mape_exempt_wanmap", "filter", 2, -160));
        } },
    Row { fault: "hardware offloading", id: "offload", verdict: Verdict::Warn, says: "flow_offloading_hw '0'",
        make: |f| f.offload = (true, true) },
    Row { fault: "forward outside the set", id: "forwards", verdict: Verdict::Warn, says: "for instance 4128",
        make: |f| f.foreign = vec![("a forward".into(), "80".into()), ("b".into(), "81".into())] },
    Row { fault: "miniupnpd as it is installed", id: "upnp", verdict: Verdict::Warn, says: "option upnp '16' of wanmap",
        make: |f| f.upnp = upnp(0, Opens::Lost("1024-65535".into())) },
    Row { fault: "miniupnpd does not follow the line", id: "upnp", verdict: Verdict::Warn, says: "firewall reload",
        make: |f| f.upnp = upnp(16, Opens::Lost("62272-62287".into())) },
    Row { fault: "permissions in a file of miniupnpd's own", id: "upnp", verdict: Verdict::Unknown, says: "is not read; 16 ports",
        make: |f| f.upnp = upnp(16, Opens::Unread) },
    Row { fault: "only what is kept for it", id: "upnp", verdict: Verdict::Ok, says: "kept for it: 16",
        make: |f| f.upnp = upnp(16, Opens::Kept) },
    Row { fault: "miniupnpd on DS-Lite", id: "upnp", verdict: Verdict::Warn, says: "external_iface",
        make: |f| { ds_lite(f); f.upnp = upnp(0, Opens::Lost("1024-65535".into())); } },
    Row { fault: "module missing", id: "packages", verdict: Verdict::Fail, says: "install kmod-ip6-tunnel",
        make: |f| f.missing = vec!["kmod-ip6-tunnel"] },
    Row { fault: "sent, nothing received", id: "replies", verdict: Verdict::Fail, says: "enabled for this service",
        make: |f| f.traffic = Some(Traffic { tx_packets: 50, ..Traffic::default() }) },
    Row { fault: "offset lost by the DHCPv6 client", id: "replies", verdict: Verdict::Fail, says: "option 93",
        make: |f| { f.traffic = Some(Traffic { tx_packets: 50, ..Traffic::default() }); f.offset_assumed = true; } },
    Row { fault: "only other people's ports", id: "replies", verdict: Verdict::Fail, says: "justification",
        make: |f| { f.traffic.as_mut().unwrap().rx_packets = 9; f.dropped.as_mut().unwrap().not_ours = 9; } },
    Row { fault: "a fixed address that nobody has registered", id: "replies", verdict: Verdict::Fail, says: "not registered",
        make: |f| { ipip(f); f.traffic = Some(Traffic { tx_packets: 50, ..Traffic::default() }); } },
    Row { fault: "a fixed address of somebody else", id: "replies", verdict: Verdict::Fail, says: "ipaddr and interfaceid",
        make: |f| { ipip(f); f.traffic.as_mut().unwrap().rx_packets = 9; f.dropped.as_mut().unwrap().not_ours = 9; } },
    Row { fault: "ports run short", id: "ports", verdict: Verdict::Warn, says: "(laptop) has 40",
        make: |f| f.used = Some(200) },
    Row { fault: "ports exhausted", id: "ports", verdict: Verdict::Fail, says: "412 connections",
        make: |f| { f.used = Some(239); f.dropped.as_mut().unwrap().exhausted = 412; } },
    Row { fault: "conntrack hidden", id: "ports", verdict: Verdict::Warn, says: "kmod-nf-conntrack-netlink",
        make: |f| f.used = None },
    Row { fault: "a shortage long ago", id: "ports", verdict: Verdict::Ok, says: "5 connections",
        make: |f| f.dropped.as_mut().unwrap().exhausted = 5 },
    Row { fault: "stock package", id: "conflicts", verdict: Verdict::Fail, says: "remove",
        make: |f| f.conflicts = vec![(Seen::StockPackage {}, Remedy::Reinstall {})] },
];
