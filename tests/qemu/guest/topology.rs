// SPDX-License-Identifier: GPL-2.0-or-later
//! Three LAN hosts, the CE, the access network, the BR and five servers.
//!
//! ```text
//! lan1 lan2 lan3 --- ce ===(IPv6)=== acc ===(IPv6)=== br --- srv (5 addresses)
//!                     \________ IPv4 in IPv6 _________/
//! ```

use super::netns::Netns;
use super::oracle::Line;
use super::shell;
use crate::Result;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;

/// The tunnel device of the CE, as netifd names it for `wanmap`.
pub const TUNNEL: &str = "map-wanmap";
/// The tunnel's MTU on a line of 1500 bytes.
pub const MTU: u16 = 1460;
/// The server whose path is narrower than the tunnel.
pub const NARROW: usize = 4;
/// The MTU of that path.
pub const NARROW_MTU: u16 = 1300;
/// The CE's LAN address.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

/// The address of a server, 0 to 4.
pub fn server(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, 1 + (index % 5) as u8)
}

/// The address of a LAN host, 0 to 2.
pub fn lan_host(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, 1, 11 + (index % 3) as u8)
}

/// The namespaces. Dropping them takes everything down.
#[derive(Debug)]
pub struct Topology {
    pub lan: [Netns; 3],
    pub ce: Netns,
    pub acc: Netns,
    pub br: Netns,
    pub srv: Netns,
}

/// Network cards that lead to a router outside: of the line, of its LAN.
#[derive(Debug)]
pub struct Cards {
    pub line: String,
    pub lan: Option<String>,
}

impl Topology {
    /// Everything but the CE's tunnel and ruleset.
    pub fn build(line: &Line) -> Result<Self> {
        let topology = Self::routed(&line.end_user_prefix())?;
        topology.to_relay(line)?;
        topology.tunnel(line)?;
        Ok(topology)
    }

    /// The same with nothing that carries IPv4, for a subscriber with that
    /// prefix.
    pub fn routed(prefix: &str) -> Result<Self> {
        let topology = Self::namespaces()?;
        topology.access()?;
        topology.route_to_subscriber(prefix)?;
        topology.lan(Some(GATEWAY))?;
        topology.border()?;
        Ok(topology)
    }

    /// The access network sends what is for `prefix` to the CE.
    pub fn route_to_subscriber(&self, prefix: &str) -> Result<()> {
        self.acc
            .ip(&format!("route replace {prefix} via 2001:db8:0:1::2\n"))
    }

    /// The LAN host, 0 to 2.
    pub fn host(&self, index: usize) -> &Netns {
        let [first, second, third] = &self.lan;
        match index % 3 {
            0 => first,
            1 => second,
            _ => third,
        }
    }

    /// The same around a router that is plugged into `cards`. How packets get
    /// to the subscriber, and what the BR makes of them, is left to the caller.
    pub fn plugged(cards: &Cards) -> Result<Self> {
        let topology = Self::namespaces()?;
        let host = |words: &[&str]| shell::run(Command::new("ip").args(words));
        host(&["link", "set", &cards.line, "netns", "acc"])?;
        topology
            .acc
            .ip(&format!("link set dev {} name ce\n", cards.line))?;
        // A line that was unplugged has its addresses still.
        topology
            .acc
            .sysctl(&["net/ipv6/conf/ce/keep_addr_on_down=1"])?;
        topology
            .acc
            .ip("link set dev ce up\naddr add 2001:db8:0:1::1/64 dev ce nodad\n")?;
        topology.to_border()?;
        // Where the CE would be there is only the switch of its LAN.
        topology.lan(None)?;
        if let Some(card) = &cards.lan {
            host(&["link", "set", card, "netns", "ce"])?;
            topology.ce.ip(&format!(
                "link set dev {card} master br-lan\nlink set dev {card} up\n"
            ))?;
        }
        topology.border()?;
        Ok(topology)
    }

    fn namespaces() -> Result<Self> {
        let topology = Self {
            lan: [
                Netns::create("lan1")?,
                Netns::create("lan2")?,
                Netns::create("lan3")?,
            ],
            ce: Netns::create("ce")?,
            acc: Netns::create("acc")?,
            br: Netns::create("br")?,
            srv: Netns::create("srv")?,
        };
        topology.sysctls()?;
        Ok(topology)
    }

    fn sysctls(&self) -> Result<()> {
        let quiet = "net/ipv6/conf/default/accept_dad=0";
        let tunnels = "net/core/somaxconn=4096";
        self.ce.sysctl(&[
            quiet,
            "net/ipv4/ip_forward=1",
            "net/ipv6/conf/all/forwarding=1",
        ])?;
        self.acc
            .sysctl(&[quiet, "net/ipv6/conf/all/forwarding=1"])?;
        self.br.sysctl(&[
            quiet,
            "net/ipv4/ip_forward=1",
            "net/ipv6/conf/all/forwarding=1",
            // Every expired packet of a test must be answered.
            "net/ipv4/icmp_ratelimit=0",
        ])?;
        self.srv
            .sysctl(&[quiet, tunnels, "net/ipv4/icmp_ratelimit=0"])?;
        for host in &self.lan {
            host.sysctl(&["net/ipv4/ping_group_range=0 2147483647"])?;
        }
        Ok(())
    }

    fn access(&self) -> Result<()> {
        self.acc
            .ip("link add name ce type veth peer name wan netns ce
             link set dev ce up
             addr add 2001:db8:0:1::1/64 dev ce nodad")?;
        self.ce.ip("link set dev wan up
             addr add 2001:db8:0:1::2/64 dev wan nodad
             route add default via 2001:db8:0:1::1")?;
        self.to_border()
    }

    fn to_border(&self) -> Result<()> {
        self.acc
            .ip("link add name br type veth peer name acc netns br
             link set dev br up
             addr add 2001:db8:0:2::1/64 dev br nodad")?;
        self.br.ip("link set dev acc up
             addr add 2001:db8:0:2::2/64 dev acc nodad
             route add default via 2001:db8:0:2::1")
    }

    fn lan(&self, gateway: Option<Ipv4Addr>) -> Result<()> {
        self.ce
            .ip("link add name br-lan type bridge\nlink set dev br-lan up")?;
        if let Some(gateway) = gateway {
            self.ce.ip(&format!("addr add {gateway}/24 dev br-lan\n"))?;
        }
        for (index, host) in self.lan.iter().enumerate() {
            let port = index + 1;
            self.ce.ip(&format!(
                "link add name lan{port} type veth peer name eth0 netns lan{port}
                 link set dev lan{port} master br-lan
                 link set dev lan{port} up"
            ))?;
            host.ip(&format!(
                "link set dev eth0 up
                 addr add {}/24 dev eth0
                 route add default via {GATEWAY}",
                lan_host(index)
            ))?;
        }
        // One host computes its checksums itself, as a NIC without offload
        // does: a sum that is already complete must survive the edge as well.
        self.lan[1]
            .run(&["ethtool", "-K", "eth0", "tx", "off"])
            .map(drop)
    }

    /// The provider gives the subscriber another prefix.
    pub fn renumber(&self, old: &Line, new: &Line) -> Result<()> {
        self.acc.ip(&format!(
            "route del {}/{}\nroute add {}/{} via 2001:db8:0:1::2\n",
            old.prefix(),
            old.prefix_len(),
            new.prefix(),
            new.prefix_len()
        ))?;
        self.br.ip("link del dev ce")?;
        self.tunnel(new)
    }

    /// The BR has its address, and the access network knows where it is.
    pub fn to_relay(&self, line: &Line) -> Result<()> {
        self.far_end(line.br)
    }

    /// The same for the far end of any tunnel.
    pub fn far_end(&self, address: Ipv6Addr) -> Result<()> {
        self.br
            .ip(&format!("addr replace {address}/128 dev lo nodad\n"))?;
        self.acc
            .ip(&format!("route replace {address} via 2001:db8:0:2::2\n"))
    }

    /// The BR's end of the CE's tunnel.
    pub fn tunnel(&self, line: &Line) -> Result<()> {
        self.tunnel_end(line, "ce")
    }

    /// The BR's end of a tunnel, as its device `name`.
    fn tunnel_end(&self, line: &Line, name: &str) -> Result<()> {
        self.br.ip(&format!(
            "link add name {name} type ip6tnl mode ipip6 local {br} remote {ce} encaplimit none
             link set dev {name} mtu {MTU} up
             route add {v4}/32 dev {name}",
            br = line.br,
            ce = line.ce_address(),
            v4 = line.ipv4(),
        ))
    }

    /// A second subscriber of the same BR, with nothing behind it.
    pub fn neighbour(&self, line: &Line) -> Result<Netns> {
        let ce = Netns::create("ce2")?;
        ce.sysctl(&[
            "net/ipv6/conf/default/accept_dad=0",
            "net/ipv4/ip_forward=1",
            "net/ipv6/conf/all/forwarding=1",
        ])?;
        self.second_line(line, "ce2", "wan")?;
        ce.ip("link set dev wan up
             addr add 2001:db8:0:3::2/64 dev wan nodad
             route add default via 2001:db8:0:3::1")?;
        Ok(ce)
    }

    /// A second uplink of the CE, `wanb`. Its tunnel packets leave by it, as
    /// their source says.
    pub fn second_uplink(&self, line: &Line) -> Result<()> {
        self.second_line(line, "ce", "wanb")?;
        self.ce.ip("link set dev wanb up
             addr add 2001:db8:0:3::2/64 dev wanb nodad
             route add default via 2001:db8:0:3::1 dev wanb metric 2048
             route add default via 2001:db8:0:3::1 dev wanb table 200")?;
        let prefix = format!("{}/{}", line.prefix(), line.prefix_len());
        let rule = ["ip", "-6", "rule", "add", "from", &prefix, "lookup", "200"];
        self.ce.run(&rule).map(drop)
    }

    /// The provider's side of a second line that ends at `device` of `netns`.
    fn second_line(&self, line: &Line, netns: &str, device: &str) -> Result<()> {
        self.acc.ip(&format!(
            "link add name ce2 type veth peer name {device} netns {netns}
             link set dev ce2 up
             addr add 2001:db8:0:3::1/64 dev ce2 nodad
             route add {}/{} via 2001:db8:0:3::2",
            line.prefix(),
            line.prefix_len()
        ))?;
        self.tunnel_end(line, "ce2")
    }

    /// The access network knows no route to the subscriber's prefix: its /64
    /// is on the link, and the host that has an address answers for it.
    pub fn on_link(&self, line: &Line) -> Result<()> {
        let (prefix, len) = (line.prefix(), line.prefix_len());
        self.acc.ip(&format!(
            "route del {prefix}/{len}\naddr add {prefix}fffe/64 dev ce nodad\n"
        ))
    }

    fn border(&self) -> Result<()> {
        self.br.ip(&format!(
            "link add name srv type veth peer name eth0 netns srv
             link set dev srv up
             addr add 198.51.100.254/24 dev srv
             route add {narrow}/32 dev srv mtu lock {NARROW_MTU}",
            narrow = server(NARROW),
        ))?;
        let mut batch = String::from("link set dev eth0 up\n");
        for index in 0..5 {
            batch += &format!("addr add {}/24 dev eth0\n", server(index));
        }
        batch += "route add default via 198.51.100.254\n";
        self.srv.ip(&batch)
    }
}
