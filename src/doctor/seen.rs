// SPDX-License-Identifier: GPL-2.0-or-later
//! What checks see, as codes with arguments and as sentences.

use std::net::Ipv6Addr;

use crate::reason::Reason;
use ipnet::{Ipv4Net, Ipv6Net};
use serde::Serialize;
use thiserror::Error;

/// What a check has seen. On the bus it is a code with arguments, which LuCI
/// says in the user's language; its `Display` is the English sentence. The
/// codes and their arguments are listed in `tests/data/bus/findings.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Error)]
#[serde(tag = "code", content = "args", rename_all = "snake_case")]
#[cfg_attr(test, derive(serde::Deserialize))]
#[expect(missing_docs, reason = "each sentence says what its variant means")]
pub enum Seen {
    // Uplink and prefix.
    #[error("netifd does not answer")]
    NetifdSilent {},
    #[error("no interface that is up has IPv6")]
    NoUplink {},
    #[error("{uplink} is not up")]
    UplinkDown { uplink: String },
    #[error("{uplink} is up on {device}")]
    UplinkUp { uplink: String, device: String },
    #[error("there is no uplink to have a prefix")]
    NoPrefixWithoutUplink {},
    #[error("{uplink} has no IPv6 prefix")]
    NoPrefix { uplink: String },
    #[error("{prefix} of {uplink} is deprecated: a new prefix is on its way")]
    PrefixDeprecated { prefix: Ipv6Net, uplink: String },
    #[error("option ip6prefix of {uplink} names {stale}, but the line has {prefix}, which is used")]
    PrefixStale {
        prefix: Ipv6Net,
        stale: Ipv6Net,
        uplink: String,
    },
    #[error("{prefix}, {}", obtained(origin, uplink))]
    PrefixFound {
        prefix: Ipv6Net,
        uplink: String,
        #[serde(rename = "source")]
        origin: String,
    },
    #[error("{prefix}, from option enduserprefix")]
    PrefixConfigured { prefix: Ipv6Net },

    // Provider and rule.
    #[error("{provider_name}")]
    ProviderFound {
        provider: String,
        provider_name: String,
    },
    #[error("{provider_name} is configured, but the prefix belongs to {expected_name}")]
    ProviderDiffers {
        provider: String,
        provider_name: String,
        expected: String,
        expected_name: String,
    },
    #[error("{prefix} belongs to no known provider")]
    ProviderUnknown { prefix: Ipv6Net },
    #[error("without a prefix nobody knows whose line it is")]
    ProviderOpen {},
    #[error("none, the rule is configured")]
    RuleConfigured {},
    #[error("none, the rule is configured; it is that of {provider_name}")]
    RuleAsProvider {
        provider: String,
        provider_name: String,
    },
    #[error(
        "a rule is configured by hand that is not the one of {provider_name}, whose line it is"
    )]
    RuleUnlikeProvider {
        provider: String,
        provider_name: String,
    },
    #[error("a rule is configured by hand, but {reason}")]
    RuleOnOtherLine { reason: Reason },
    #[error("{reason}")]
    OtherLine { reason: Reason },
    #[error("{detail} ({error})")]
    SetupFailed { error: String, detail: Reason },
    #[error("the interface is not started")]
    NotStarted {},
    #[error("the interface is not up, so no rule is in use yet")]
    NoRuleYet {},
    #[error("the interface is not up")]
    NotUp {},
    #[error("netifd has the link up, but its setup died before it was finished")]
    HandlerDied {},
    #[error("the last setup was killed or crashed; the next follows within a minute")]
    SetupDied {},
    #[error("netifd has been in the middle of a teardown since a setup was killed")]
    TeardownStuck {},
    #[error("PSID {psid} is configured, but the prefix has {found} in its place")]
    PsidDiffers { psid: u16, found: u16 },
    #[error(
        "{prefix} is subnet {subnet} of the /{length} that the rule is about; the BR sends to subnet 0"
    )]
    WrongSubnet {
        prefix: Ipv6Net,
        subnet: u32,
        length: u8,
    },
    #[error("{ipv6_prefix} to {ipv4_prefix}, {ea_len} EA bits")]
    RuleInUse {
        ipv6_prefix: Ipv6Net,
        ipv4_prefix: Ipv4Net,
        ea_len: u8,
    },
    #[error("{dialect}, as {provider_name} uses it")]
    DialectAsProvider {
        dialect: &'static str,
        provider: String,
        provider_name: String,
    },
    #[error("{dialect}, but {provider_name} uses {expected}: the BR drops everything")]
    DialectDiffers {
        dialect: &'static str,
        expected: &'static str,
        provider: String,
        provider_name: String,
    },
    #[error("{dialect}, as configured")]
    DialectConfigured { dialect: &'static str },

    #[error("{mechanism}, as configured")]
    MechanismConfigured { mechanism: &'static str },

    #[error("it says how it carries IPv4 (HB46PP)")]
    LineAnswered {},
    #[error("it does not say how it carries IPv4 (HB46PP): {error}")]
    LineSilent { error: Reason },

    // Border relay and tunnel.
    #[error("{name} is {address}")]
    AftrFound { name: String, address: Ipv6Addr },
    #[error("{name} is no longer {address}, which is in use")]
    AftrMoved { name: String, address: Ipv6Addr },
    #[error("{error}")]
    AftrUnknown { error: Reason },
    #[error("{address} is registered with {server}")]
    Registered { server: String, address: Ipv6Addr },
    #[error("{server} refuses to register {address}: {answer}")]
    RegistrationRefused {
        server: String,
        address: Ipv6Addr,
        answer: String,
    },
    #[error("{server} gives no clear answer to the registration of {address}: {answer}")]
    RegistrationUnclear {
        server: String,
        address: Ipv6Addr,
        answer: String,
    },
    #[error("{server} is not reached to register {address}: {error}")]
    RegistrationUnreached {
        server: String,
        address: Ipv6Addr,
        error: Reason,
    },
    #[error("{address} is not registered: {server} needs option {option}")]
    RegistrationIncomplete {
        server: String,
        address: Ipv6Addr,
        option: String,
    },
    #[error("{peer} is configured, but the BR of {provider_name} for this prefix is {expected}")]
    PeerDiffers {
        peer: String,
        expected: String,
        provider: String,
        provider_name: String,
    },
    #[error("{peer}: {error}")]
    PeerUnreachable { peer: String, error: Reason },
    #[error("{peer} {route}, which is not the uplink's device")]
    PeerNotByUplink { peer: String, route: String },
    #[error("{peer} {route}")]
    PeerRouted { peer: String, route: String },
    #[error("{peer} is a prefix; nothing in it can be asked")]
    PeerIsPrefix { peer: String },
    #[error("{address} answers after {ms} ms")]
    Answers { address: String, ms: u32 },
    #[error("{address} does not answer ICMPv6 echo; many BRs do not")]
    PeerSilent { address: String },
    #[error("{address} does not answer")]
    NoAnswer { address: String },
    #[error("{address}: {error}")]
    PingFailed { address: String, error: Reason },
    #[error("{address}, translated by {device}")]
    CeTranslated { address: Ipv6Addr, device: String },
    #[error("{address} is on no device")]
    CeMissing { address: Ipv6Addr },
    #[error("{address} on {device} is in use by another device on the line")]
    CeDuplicate { address: Ipv6Addr, device: String },
    #[error("{address} on {device} is still being checked for duplicates")]
    CeTentative { address: Ipv6Addr, device: String },
    #[error("{address} on {device}")]
    CePresent { address: Ipv6Addr, device: String },
    #[error("there is no device {device}")]
    DeviceMissing { device: String },
    #[error("{device} is down")]
    DeviceDown { device: String },
    #[error("{device} is up")]
    DeviceUp { device: String },
    #[error("{mtu}; the uplink's is not known")]
    MtuUplinkUnknown { mtu: u16 },
    #[error("{mtu}, uplink {uplink_mtu}")]
    MtuFits { mtu: u16, uplink_mtu: u16 },
    #[error("{mtu}, uplink {uplink_mtu}: large packets do not fit")]
    MtuTooLarge {
        mtu: u16,
        uplink_mtu: u16,
        best: u16,
    },
    #[error("{mtu}, uplink {uplink_mtu}: smaller than it need be")]
    MtuTooSmall {
        mtu: u16,
        uplink_mtu: u16,
        best: u16,
    },
    #[error(
        "{mtu} fits, but zone {zone} does not clamp the MSS: connections to some sites may hang"
    )]
    MssNotClamped { mtu: u16, zone: String },
    #[error("MAP-T has none")]
    EncaplimitNotUsed {},
    #[error("none")]
    EncaplimitOff {},
    #[error(
        "{limit}: each packet carries a destination option, which the BR of {provider_name} drops"
    )]
    EncaplimitDropped {
        limit: String,
        provider: String,
        provider_name: String,
    },
    #[error("{limit}: each packet carries a destination option, which some BRs drop")]
    EncaplimitRisky { limit: String },
    #[error("{address} and the default route on {device}")]
    Ipv4Present { address: String, device: String },
    #[error("{address}; no default route, as configured")]
    Ipv4WithoutDefault { address: String },
    #[error("{device} does not have {address}")]
    Ipv4Missing { address: String, device: String },
    #[error("{address}, but no IPv4 default route on {device}")]
    Ipv4NoRoute { address: String, device: String },
    #[error("nothing was sent yet")]
    NothingSent {},
    #[error("{sent} packets sent, none received yet")]
    NoReplyYet { sent: u64 },
    #[error("{sent} packets sent, none received")]
    NoReply { sent: u64 },
    #[error("all {received} packets received are for ports or addresses not ours")]
    ForeignReplies { received: u64 },
    #[error("{received} packets received")]
    RepliesReceived { received: u64 },

    // Address translation and ports.
    #[error("only root can see the rules")]
    RulesHidden {},
    #[error("table {table} still holds back all IPv4: the rules were not loaded")]
    GuardStays { table: String },
    #[error("table {table} is missing")]
    TableMissing { table: String },
    #[error(
        "chain {chain} of table {table} translates before ours (priority {priority}, ours {own})"
    )]
    TranslatedBefore {
        chain: String,
        table: String,
        priority: i32,
        own: i32,
    },
    #[error("table {table}, before masquerade")]
    NatInPlace { table: String },
    #[error("none, NAT is hash: {reason}")]
    EdgeHash { reason: String },
    #[error("not needed, NAT is {mode}")]
    EdgeNotNeeded { mode: String },
    #[error("table {table} has one direction only")]
    EdgeHalf { table: String },
    #[error(
        "traffic control (SQM?) redirects what {device} receives past the edge map: replies are lost"
    )]
    EdgeBypassed { device: String },
    #[error("{ports} ports mapped")]
    EdgeMapped { ports: u32 },
    #[error("flow offloading is off")]
    OffloadOff {},
    #[error("software flow offloading, compatible")]
    OffloadSoftware {},
    #[error(
        "software flow offloading; connections of this line stay out of it, since Linux {kernel} would send them past the tunnel"
    )]
    OffloadLeftOut { kernel: String },
    #[error(
        "table {table} is missing: with software flow offloading Linux {kernel} sends connections past the tunnel, and they hang"
    )]
    OffloadNotLeftOut { kernel: String, table: String },
    #[error("hardware flow offloading: no hardware knows this tunnel or its ports")]
    OffloadHardware {},
    #[error("none outside the port set")]
    ForwardsFit {},
    #[error("the interface is not up, so the port set is not known")]
    PortsNotKnown {},
    #[error("forward \"{name}\" uses port {ports}, which is not in the port set")]
    ForwardOutside { name: String, ports: String },
    #[error("forward \"{name}\" uses port {ports}, which is not in the port set, and {more} more")]
    ForwardsOutside {
        name: String,
        ports: String,
        more: usize,
    },
    #[error(
        "forward \"{name}\" has no effect: with DS-Lite no port of a public IPv4 address is ours"
    )]
    ForwardsRefused { name: String },
    #[error("miniupnpd opens only ports that are kept for it: {kept}")]
    UpnpFits { kept: u32 },
    #[error("miniupnpd has a file of its own, which is not read; {kept} ports are kept for it")]
    UpnpHidden { kept: u32 },
    #[error("miniupnpd opens ports that never arrive here, such as {ports}")]
    UpnpLost { ports: String },
    #[error("miniupnpd opens ports, and with DS-Lite none of a public IPv4 address is ours")]
    UpnpUseless {},
    #[error("only root can see connections")]
    ConnectionsHidden {},
    #[error("conntrack does not answer, so the ports in use are not known")]
    ConnectionsUnknown {},
    #[error("{used} of {pool} used{}", refused(*exhausted))]
    PortsFree {
        used: usize,
        pool: u32,
        exhausted: u64,
    },
    #[error("{used} of {pool} used{}; {device} has {count} of them", refused(*exhausted))]
    PortsScarce {
        used: usize,
        pool: u32,
        exhausted: u64,
        device: String,
        count: usize,
    },

    // What is installed.
    #[error("all kernel modules are there")]
    PackagesPresent {},
    #[error("missing: {}", packages.join(", "))]
    PackagesMissing { packages: Vec<&'static str> },
    #[error("no other MAP package or script")]
    NoConflicts {},
    #[error("{path} is not ours but the stock package's or a patched one")]
    StockFiles { path: &'static str },
    #[error("the stock package map is installed")]
    StockPackage {},
    #[error("table {table} of a patched map.sh is loaded and rewrites our packets")]
    PatchedTable { table: &'static str },
    #[error("{error}")]
    StateUnreadable { error: Reason },
}

/// Where a prefix comes from, in the words of the option or of the protocol.
fn obtained(origin: &str, uplink: &str) -> String {
    match origin {
        "delegated" => format!("delegated to {uplink}"),
        "ip6prefix" => format!("from option ip6prefix of {uplink}"),
        _ => format!("the on-link prefix of {uplink}; none is delegated"),
    }
}

/// The end of a sentence about connections that found no free port.
fn refused(exhausted: u64) -> String {
    match exhausted {
        0 => String::new(),
        count => format!("; {count} connections found no free port"),
    }
}
