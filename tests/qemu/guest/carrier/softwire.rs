// SPDX-License-Identifier: GPL-2.0-or-later
//! The far end of a softwire without MAP: an AFTR that translates (RFC 6333),
//! or a BR with a fixed address. What arrives wrong is dropped and counted,
//! before the kernel puts fragments together.

use super::AFTR_NAME;
use crate::Result;
use crate::guest::netns::Netns;
use crate::guest::shell;
use crate::guest::topology::{MTU, Topology};
use ipnet::{Ipv4Net, Ipv6Net};
use nix::libc;
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// The address that an AFTR gives to what it translates.
pub const AFTR_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 250);

/// How often a thread looks whether its namespace is still wanted.
const LOOK: Duration = Duration::from_secs(1);

/// Protocol number of IPv4 in IPv6.
const IPIP: i32 = 4;

/// What an AFTR takes from a subscriber beside the B4's own packets: those of
/// hosts with private addresses.
const PRIVATE: &str = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16";

/// How IPv4 gets to a subscriber.
#[derive(Debug, Clone, Copy)]
pub enum Softwire {
    /// DS-Lite. Whichever address of `subscriber` speaks is the B4, as with a
    /// real AFTR.
    DsLite { aftr: Ipv6Addr, subscriber: Ipv6Net },
    /// A fixed address, or block with the one that hosts share, for the CE with
    /// that address.
    IpIp {
        br: Ipv6Addr,
        ce: Ipv6Addr,
        ipv4: Ipv4Net,
    },
}

impl Softwire {
    /// Opens the provider's end, and takes away the one that was there.
    pub fn open(self, net: &Topology) -> Result<()> {
        // There is none before the first.
        let _ = net.br.ip("link del dev ce\n");
        match self {
            Self::DsLite { aftr, subscriber } => {
                net.far_end(aftr)?;
                let routes = format!("{PRIVATE}, 192.0.0.2");
                make_device(&net.br, aftr, "any", routes.split(", "))?;
                net.br
                    .nft(&format!("{}{}", outer(aftr, subscriber), translation()))?;
                follow(&net.br, aftr, subscriber)
            }
            Self::IpIp { br, ce, ipv4 } => {
                net.far_end(br)?;
                let block = ipv4.trunc().to_string();
                make_device(&net.br, br, &ce.to_string(), [block.as_str()])?;
                net.br
                    .nft(&format!("{}{}", outer(br, ce.into()), fixed(ipv4)))
            }
        }
    }
}

impl std::fmt::Display for Softwire {
    /// What a router must make of it, a line each.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DsLite { aftr, subscriber } => write!(
                f,
                "AFTR       {AFTR_NAME}, {aftr}\n\
                 inside     192.0.0.2 and private addresses, which the AFTR translates to {AFTR_ADDRESS}\n\
                 B4         any address of {subscriber}\n"
            ),
            Self::IpIp { br, ce, ipv4 } => write!(
                f,
                "IPv4       {} (hosts share {})\nCE         {ce}\nBR         {br}\n",
                ipv4.trunc(),
                ipv4.addr()
            ),
        }
    }
}

/// Hosts' packets and the B4's own are counted apart: a router that translates
/// makes hosts' packets look like its own.
fn translation() -> String {
    format!(
        "table ip border {{
            counter good_lan {{ }}
            counter good_b4 {{ }}
            counter bad_address {{ }}
            chain prerouting {{
                type filter hook prerouting priority -450; policy accept;
                iifname != \"ce\" accept
                ip saddr 192.0.0.2 counter name good_b4 accept
                ip saddr {{ {PRIVATE} }} counter name good_lan accept
                counter name bad_address drop
            }}
            chain postrouting {{
                type nat hook postrouting priority srcnat; policy accept;
                oifname \"srv\" ip saddr {{ 192.0.0.2, {PRIVATE} }} snat to {AFTR_ADDRESS}
            }}
        }}"
    )
}

/// The rest of a block is for forwards and hosts that have an address of their
/// own, and counted apart.
fn fixed(ipv4: Ipv4Net) -> String {
    format!(
        "table ip border {{
            counter good_shared {{ }}
            counter good_block {{ }}
            counter bad_address {{ }}
            chain prerouting {{
                type filter hook prerouting priority -450; policy accept;
                iifname != \"ce\" accept
                ip saddr {} counter name good_shared accept
                ip saddr {} counter name good_block accept
                counter name bad_address drop
            }}
        }}",
        ipv4.addr(),
        ipv4.trunc(),
    )
}

fn make_device<'a>(
    br: &Netns,
    local: Ipv6Addr,
    remote: &str,
    inside: impl IntoIterator<Item = &'a str>,
) -> Result<()> {
    br.ip(&format!(
        "link add name ce type ip6tnl mode ipip6 local {local} remote {remote} encaplimit none
         link set dev ce mtu {MTU} up\n"
    ))?;
    // Packets that were joined on the way would be counted as one.
    br.run(&["ethtool", "-K", "ce", "gro", "off"])?;
    for network in inside {
        br.ip(&format!("route replace {network} dev ce\n"))?;
    }
    Ok(())
}

/// Of tunnel packets to `relay` only those pass that come from `subscriber` and
/// have IPv4 right behind the IPv6 header: no encapsulation limit, no fragment.
fn outer(relay: Ipv6Addr, subscriber: Ipv6Net) -> String {
    format!(
        "flush ruleset
        table ip6 outer {{
            counter good_outer {{ }}
            counter bad_outer {{ }}
            chain prerouting {{
                type filter hook prerouting priority -500; policy accept;
                iifname != \"acc\" accept
                ip6 daddr != {relay} accept
                ip6 nexthdr ipv6-icmp accept
                ip6 nexthdr ipencap ip6 saddr {subscriber} counter name good_outer accept
                counter name bad_outer drop
            }}
        }}
        "
    )
}

/// Turns the tunnel to whichever address of `subscriber` sends to `aftr`, until
/// the namespace is gone.
fn follow(br: &Netns, aftr: Ipv6Addr, subscriber: Ipv6Net) -> Result<()> {
    let failed = |e: std::io::Error| format!("softwires to {aftr}: {e}");
    let socket = br.within(|| {
        let protocol = Some(Protocol::from(IPIP));
        let socket =
            Socket::new(Domain::IPV6, Type::from(libc::SOCK_RAW), protocol).map_err(failed)?;
        let local = std::net::SocketAddr::from((aftr, 0));
        socket.bind(&local.into()).map_err(failed)?;
        socket.set_read_timeout(Some(LOOK)).map_err(failed)?;
        // Only the sender of a packet is wanted, which both kinds tell alike.
        Ok(UdpSocket::from(socket))
    })?;
    let alive = br.alive();
    thread::spawn(move || {
        let mut known = None;
        while alive.strong_count() > 0 {
            // Nothing in time, or a packet of somebody.
            let Ok((_, from)) = socket.recv_from(&mut [0]) else {
                continue;
            };
            let IpAddr::V6(from) = from.ip() else {
                continue;
            };
            if subscriber.contains(&from) && known != Some(from) {
                known = Some(from);
                let mut change = Command::new("ip");
                change.args(["-n", "br", "link", "change", "dev", "ce"]);
                change.args(["type", "ip6tnl", "remote", &from.to_string()]);
                // A line that was closed has no tunnel any more.
                let _ = shell::run(&mut change);
            }
        }
    });
    Ok(())
}
