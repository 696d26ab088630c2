// SPDX-License-Identifier: GPL-2.0-or-later
//! What to do about a finding, as codes with arguments and as sentences.

use serde::Serialize;
use thiserror::Error;

/// What to do. On the bus as [`Seen`](super::Seen) is: a code with arguments,
/// and an English sentence for people at the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Error)]
#[serde(
    tag = "remedy_code",
    content = "remedy_args",
    rename_all = "snake_case"
)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[expect(missing_docs, reason = "each sentence says what its variant means")]
pub enum Remedy {
    #[error(
        "run /etc/init.d/network restart; if this is no OpenWrt router, run mape doctor on the router"
    )]
    StartNetifd {},
    #[error("bring up the IPv6 uplink, usually wan6, and name it in option tunlink")]
    ConnectUplink {},
    #[error("check the cable and the log of {uplink}, then run ifup {uplink}")]
    CheckUplink { uplink: String },
    #[error(
        "set option reqprefix 'auto' on {uplink}, or ask the provider whether the line delegates a prefix"
    )]
    RequestPrefix { uplink: String },
    #[error("remove option ip6prefix of {uplink}")]
    RemoveIp6prefix { uplink: String },
    #[error("wait, or run ifup {uplink}")]
    RenewUplink { uplink: String },
    #[error("set option provider 'auto'")]
    DetectProvider {},
    #[error("remove the rule and set option provider '{provider}'")]
    UseProvider {
        provider: String,
        provider_name: String,
    },
    #[error(
        "remove the rule, so that the line is set up as what it is, unless the provider gave it to you"
    )]
    CheckLine {},
    #[error("set option maptype to what the line is, or to auto, which finds out")]
    UseOtherType {},
    #[error(
        "set option reqopts '94 95 96' on the uplink if the provider sends its rule by DHCPv6; else what its letter says: a rule with option provider 'none', or option maptype 'ds-lite' or 'ipip'"
    )]
    GiveRule {},
    #[error("correct that option; mape calc shows what a rule comes to")]
    CorrectOption {},
    #[error("check the rule's IPv6 prefix against that of the uplink, or set enduserprefix")]
    CheckPrefix {},
    #[error("see logread; usually a package or a kernel module is missing")]
    ReadLog {},
    #[error("ifup {interface}")]
    Start { interface: String },
    #[error("ifdown {interface}, then ifup {interface}, and see logread")]
    Restart { interface: String },
    #[error("mape hotplug {interface}; if that does not help, restart the router")]
    Repair { interface: String },
    #[error(
        "remove option psid, which the prefix tells; or check its justification: in proto map PSID {psid} is written {left_justified} (left-justified in 16 bits), in proto mape {psid}"
    )]
    RemovePsid { psid: u16, left_justified: u16 },
    #[error("let the router that has the whole prefix do MAP, or ask the provider")]
    WholePrefix {},
    #[error("set option legacymap '{legacymap}'")]
    SetDialect {
        dialect: &'static str,
        legacymap: u8,
    },
    #[error("remove option peeraddr, or set it to {peer}")]
    SetPeer { peer: String },
    #[error("the uplink needs an IPv6 default route: see ip -6 route")]
    DefaultRoute6 {},
    #[error("another IPv6 default route wins; set metrics, or option tunlink")]
    SetMetric {},
    #[error("if it should, IPv6 itself does not work on this line")]
    CheckIpv6 {},
    #[error("does another router do this on the line, such as a home gateway? Only one can")]
    OtherRouter {},
    #[error("run this again in a few seconds")]
    TryLater {},
    #[error("remove option mtu, or set it to {mtu}")]
    SetMtu { mtu: u16 },
    #[error("set option mtu_fix '1' in zone {zone} of /etc/config/firewall")]
    ClampMss { zone: String },
    #[error("set option encaplimit 'ignore'")]
    SetEncaplimit {},
    #[error("run /etc/init.d/firewall reload, and see logread if it stays so")]
    ReloadRules { interface: String },
    #[error("remove that chain, or give it a priority above 95")]
    RemoveChain { chain: String, table: String },
    #[error("install {}, then run ifup {interface}", packages.join(" "))]
    Install {
        packages: Vec<&'static str>,
        interface: String,
    },
    #[error("set option flow_offloading_hw '0' in /etc/config/firewall; software offloading works")]
    OffloadSoftware {},
    #[error("use a port of the set, for instance {port}, or the IPv6 address")]
    ForwardOwnPort { port: u16 },
    #[error("use a port of the set, or the IPv6 address")]
    ForwardByIpv6 {},
    #[error("open the host's IPv6 address instead")]
    UseIpv6 {},
    #[error("set option upnp '16' of {interface}: miniupnpd then refuses what would not arrive")]
    ShareForUpnp { interface: String },
    #[error("set option enabled '0' in /etc/config/upnpd, or external_iface to another line")]
    UpnpElsewhere {},
    #[error("the uplink must have the line's own DNS servers: only they know that name")]
    CheckResolvers {},
    #[error(
        "compare update_url, username and password with the provider's letter; mape tries again until it succeeds"
    )]
    CheckAccount {},
    #[error(
        "check option update_url and the uplink's DNS servers; mape tries again until it succeeds"
    )]
    CheckUpdateServer {},
    #[error(
        "it is asked again in {minutes} min; option provision 'off' asks nobody, and a rule of the provider needs no answer"
    )]
    AskedAgain { minutes: u64 },
    #[error("likely causes: {}", sentence(causes))]
    CheckSubscription { causes: Vec<Cause> },
    #[error("the BR takes us for another subscriber: check rule, PSID and its justification")]
    CheckRule {},
    #[error(
        "the BR takes us for another subscriber: compare ipaddr and interfaceid with the provider's letter"
    )]
    CheckAddress {},
    #[error("see mape ports; option conntrack 'tight' frees ports sooner, and IPv6 needs none")]
    SavePorts {},
    #[error("remove the package map, then install mape again")]
    Reinstall {},
    #[error("nft delete table {table}, and remove the script that makes it")]
    DeleteTable { table: &'static str },
}

/// Why a BR may say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Error)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(serde::Deserialize))]
#[expect(missing_docs, reason = "each sentence says what its variant means")]
pub enum Cause {
    #[error("the dialect (option legacymap)")]
    Dialect,
    #[error("the address of the BR or AFTR")]
    Peer,
    #[error("offset, PSID length or the justification of psid")]
    PortParams,
    #[error(
        "a PSID offset (DHCPv6 option 93) that the DHCPv6 client has lost, so that 6 was taken: ask the provider and set option offset"
    )]
    OffsetLost,
    #[error("ipaddr or interfaceid unlike the provider's letter")]
    FixedAddress,
    #[error("an address that is not registered with the provider (option update_url)")]
    NotRegistered,
    #[error("the encapsulation limit")]
    Encaplimit,
    #[error("a line that is not (yet) enabled for this service: the provider switches it on")]
    NotEnabled,
    #[error("another router on the line that does this already")]
    OtherRouter,
}

fn sentence(causes: &[Cause]) -> String {
    let causes: Vec<String> = causes.iter().map(Cause::to_string).collect();
    causes.join("; ")
}
