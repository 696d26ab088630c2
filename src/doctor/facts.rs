// SPDX-License-Identifier: GPL-2.0-or-later
//! What the checks are about, as plain values.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::Ipv6Net;

use crate::handler::{Problem, Registration, State};
use crate::map::{Dialect, Psid};
use crate::netfilter::Chain;

use super::remedy::Remedy;
use super::seen::Seen;
use crate::netfilter::Traffic;
use crate::reason::Reason;
use crate::status::Dropped;
use crate::status::netifd::Phase;

/// The interface the tunnel runs over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uplink {
    /// Logical name.
    pub name: String,
    /// It is up.
    pub up: bool,
    /// Its network device.
    pub device: Option<String>,
    /// MTU of that device for IPv6 in bytes.
    pub mtu: Option<u16>,
}

/// The end-user prefix that the uplink offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// Where it comes from: `delegated`, `on-link`, `ip6prefix`, `option`.
    pub source: String,
    /// It is about to go.
    pub deprecated: bool,
    /// What `option ip6prefix` of the uplink names although the line has this
    /// prefix.
    pub stale: Option<Ipv6Net>,
}

/// What the provider table says of that prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It is in no table.
    No,
    /// A provider's MAP line.
    Map {
        /// The provider's id.
        id: String,
        /// The provider's name.
        name: String,
        /// The dialect it speaks.
        dialect: Dialect,
        /// Its BR or DMR for that prefix.
        border: Option<String>,
        /// Its rules make of that prefix the very mapping that is in use.
        same: bool,
    },
    /// A line of DS-Lite or IPIP.
    Tunnel {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// Why MAP is wrong there: a sentence with what to do.
        reason: Reason,
    },
    /// Not MAP, or not to be used unasked: a sentence with what to do.
    Refused(Reason),
}

/// The CE's IPv6 address on this router.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// The device it is on.
    pub device: String,
    /// Duplicate address detection goes on.
    pub tentative: bool,
    /// Somebody else on the link has it.
    pub duplicate: bool,
}

/// What came of an echo request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer, after so many milliseconds.
    Yes(u32),
    /// None.
    No,
    /// It could not be sent, or was refused: why.
    Error(Reason),
}

/// A miniupnpd that opens ports of a line whose address is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upnp {
    /// Ports that are kept for it.
    pub kept: u32,
    /// `option upnp` says how many, and its permissions follow.
    pub is_counted: bool,
    /// What it opens.
    pub opens: Opens,
}

/// What a miniupnpd opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opens {
    /// Only ports that are kept for it.
    Kept,
    /// Others too, that never arrive: the first of them.
    Lost(String),
    /// Its permissions are in a file of its own.
    Unread,
}

/// All that is known of one interface and what it stands on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Logical interface.
    pub interface: &'a str,
    /// We are root, and see everything.
    pub root: bool,
    /// netifd has answered.
    pub bus: bool,
    /// Where the interface stands.
    pub phase: Phase,
    /// Its last error: code and detail.
    pub error: Option<&'a (String, Reason)>,
    /// Why its configuration can never work, if that is so.
    pub refused: Option<Problem>,
    /// Its uplink, if there is one.
    pub uplink: Option<Uplink>,
    /// The prefix that uplink offers.
    pub offer: Option<Offer>,
    /// What the provider table says of it.
    pub known: Known,
    /// What was set up, if the interface is up.
    pub state: Option<&'a State>,
    /// The last setup died before it ended.
    pub died: bool,
    /// What became of asking the line by HB46PP: why it failed, if it did, and
    /// seconds to the next attempt.
    pub asked: Option<(Option<Reason>, u64)>,
    /// What became of the registration of a fixed address.
    pub registration: Option<&'a Registration>,
    /// What the uplink's resolvers say of the AFTR's name, if it has one.
    pub aftr: Option<Result<Vec<Ipv6Addr>, Reason>>,
    /// A PSID that is configured, and the one at its place in the prefix.
    pub psids: Option<(Psid, u16)>,
    /// The way to the BR, in the words of `ip route`, or why there is none.
    pub br_route: Option<Result<(String, String), Reason>>,
    /// Whether the BR answers; `None` if there is no single address to ask.
    pub br_reply: Option<Reply>,
    /// The address given with `--probe`, and whether it answers.
    pub probe: Option<(Ipv6Addr, Reply)>,
    /// The CE's address, if some device has it.
    pub ce: Option<Address>,
    /// Whether the tunnel device is up, and its MTU; `None` if there is no
    /// device.
    pub device: Option<(bool, u16)>,
    /// IPv4 addresses netifd has put on the interface, and are still there.
    pub ipv4: Vec<String>,
    /// It has an IPv4 default route.
    pub default4: bool,
    /// A default route is not wanted (`defaultroute 0`).
    pub no_default: bool,
    /// Chains of nftables; `None` if we may not see them.
    pub chains: Option<Vec<Chain>>,
    /// Traffic control may redirect what the device receives.
    pub redirected: bool,
    /// Whether the kernel refused an edge map since boot.
    pub edge_refused: bool,
    /// The rule came by DHCPv6 and has the PSID offset that is taken if none is
    /// given.
    pub offset_assumed: bool,
    /// A firewall zone that the interface is in and that does not clamp the MSS.
    pub unclamped: Option<String>,
    /// The kernel's release, if its flow tables look through tunnels.
    pub looks_through: Option<String>,
    /// Software and hardware flow offloading are on.
    pub offload: (bool, bool),
    /// Forwards of ports that are not ours: name and ports.
    pub foreign: Vec<(String, String)>,
    /// What miniupnpd does, if it opens ports of this line.
    pub upnp: Option<Upnp>,
    /// A port of the set that is free to forward.
    pub example: Option<u16>,
    /// Packages that are missing.
    pub missing: Vec<&'static str>,
    /// Counters of the device.
    pub traffic: Option<Traffic>,
    /// Counters of the rules.
    pub dropped: Option<Dropped>,
    /// Ports in use of the busiest protocol; `None` if we may not see.
    pub used: Option<usize>,
    /// Ports that NAT may use.
    pub free: u32,
    /// The host that uses most ports: address, name, ports.
    pub busiest: Option<(Ipv4Addr, Option<&'a str>, usize)>,
    /// What is in the way, and what to do about it.
    pub conflicts: Vec<(Seen, Remedy)>,
}
