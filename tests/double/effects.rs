// SPDX-License-Identifier: GPL-2.0-or-later
//! What netifd does to the kernel.

use super::interface::{Address, Route};
use std::process::Command;

/// A tunnel as netifd reads it from `notify_proto`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    pub mode: String,
    pub local: Option<String>,
    pub remote: Option<String>,
    pub mtu: Option<i32>,
    /// 0 and absent have become 64.
    pub ttl: i32,
    /// The logical interface it goes over.
    pub link: Option<String>,
    pub encap: EncapLimit,
    pub fmrs: Vec<Fmr>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncapLimit {
    /// No `data` was sent, and netifd does not touch it.
    Default,
    /// No encapsulation limit option.
    Ignore,
    Limit(u8),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fmr {
    pub prefix6: String,
    pub prefix4: String,
    pub ealen: u8,
    pub offset: u8,
}

/// The kernel, or what stands for it. Everything asked of it is also in the record.
pub trait Effects: Send {
    /// Makes the link and sets it up. `device` is that of the link's interface.
    fn create_tunnel(
        &mut self,
        name: &str,
        tunnel: &Tunnel,
        device: Option<&str>,
    ) -> Result<(), String>;
    fn delete_link(&mut self, name: &str);
    fn add_address(&mut self, device: &str, address: &Address);
    fn delete_address(&mut self, device: &str, address: &Address);
    fn add_route(&mut self, device: &str, route: &Route);
    fn delete_route(&mut self, device: &str, route: &Route);
}

/// A kernel that takes everything.
pub struct NullEffects;

impl Effects for NullEffects {
    fn create_tunnel(&mut self, _: &str, _: &Tunnel, _: Option<&str>) -> Result<(), String> {
        Ok(())
    }
    fn delete_link(&mut self, _: &str) {}
    fn add_address(&mut self, _: &str, _: &Address) {}
    fn delete_address(&mut self, _: &str, _: &Address) {}
    fn add_route(&mut self, _: &str, _: &Route) {}
    fn delete_route(&mut self, _: &str, _: &Route) {}
}

/// The kernel of the network namespace this process is in.
///
/// What netifd does with netlink goes through `ip` here. FMRs need OpenWrt's kernel patch and
/// are left out.
#[derive(Default)]
pub struct KernelEffects {
    /// What `ip` complained about, with the command.
    pub complaints: Vec<String>,
}

impl KernelEffects {
    fn ip(&mut self, arguments: &str) -> Result<(), String> {
        let words = arguments.split_whitespace();
        let output = Command::new("ip").args(words).output();
        let problem = match output {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        let complaint = format!("ip {arguments}: {problem}");
        eprintln!("{complaint}");
        self.complaints.push(complaint.clone());
        Err(complaint)
    }
}

impl Effects for KernelEffects {
    fn create_tunnel(
        &mut self,
        name: &str,
        tunnel: &Tunnel,
        device: Option<&str>,
    ) -> Result<(), String> {
        let mut link = format!("link add name {name} type ip6tnl mode ipip6");
        let mut option = |name: &str, value: &str| link.push_str(&format!(" {name} {value}"));
        if let Some(local) = &tunnel.local {
            option("local", local);
        }
        if let Some(remote) = &tunnel.remote {
            option("remote", remote);
        }
        option("ttl", &tunnel.ttl.to_string());
        match tunnel.encap {
            EncapLimit::Default => {}
            EncapLimit::Ignore => option("encaplimit", "none"),
            EncapLimit::Limit(limit) => option("encaplimit", &limit.to_string()),
        }
        if let Some(device) = device {
            option("dev", device);
        }
        self.ip(&link)?;
        if let Some(mtu) = tunnel.mtu {
            self.ip(&format!("link set {name} mtu {mtu}"))?;
        }
        self.ip(&format!("link set {name} up"))
    }

    fn delete_link(&mut self, name: &str) {
        let _ = self.ip(&format!("link del {name}"));
    }

    fn add_address(&mut self, device: &str, address: &Address) {
        let Address { address, mask } = address;
        let _ = self.ip(&format!("addr replace {address}/{mask} dev {device}"));
    }

    fn delete_address(&mut self, device: &str, address: &Address) {
        let Address { address, mask } = address;
        let _ = self.ip(&format!("addr del {address}/{mask} dev {device}"));
    }

    fn add_route(&mut self, device: &str, route: &Route) {
        let words = route_words(device, route);
        let _ = self.ip(&format!("{} replace {words}", family(route)));
    }

    fn delete_route(&mut self, device: &str, route: &Route) {
        let words = route_words(device, route);
        let _ = self.ip(&format!("{} del {words}", family(route)));
    }
}

fn family(route: &Route) -> &'static str {
    if route.target.contains(':') {
        "-6 route"
    } else {
        "-4 route"
    }
}

fn route_words(device: &str, route: &Route) -> String {
    let mut words = format!("{}/{} dev {device} proto static", route.target, route.mask);
    if !matches!(route.nexthop.as_str(), "0.0.0.0" | "::") {
        words.push_str(&format!(" via {}", route.nexthop));
    }
    for (name, value) in [("metric", route.metric), ("mtu", route.mtu)] {
        if let Some(value) = value {
            words.push_str(&format!(" {name} {value}"));
        }
    }
    if let Some(table) = &route.table {
        words.push_str(&format!(" table {table}"));
    }
    words
}
