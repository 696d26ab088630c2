// SPDX-License-Identifier: GPL-2.0-or-later
//! A subscriber's router of two lines of configuration, and the means to break
//! and mend it.

use super::super::{Bench, expect};
use crate::Result;
use crate::guest::border;
use crate::guest::netns::Netns;
use crate::guest::oracle::{Line, V6PLUS};
use crate::guest::router::{Router, UPLINK};
use crate::guest::server::{Servers, WHOAMI};
use crate::guest::topology::{Topology, server};
use crate::guest::{nat, udp};
use serde_json::Value;
use std::net::{SocketAddrV4, UdpSocket};
use std::time::Duration;

/// The line of all of this.
pub const LINE: Line = V6PLUS;
/// An address of the access network that answers, unless it is told not to.
pub const NEIGHBOUR: &str = "2001:db8:0:1::1";
/// The configuration that suffices.
const OPTIONS: [(&str, &str); 1] = [("tunlink", UPLINK)];

/// What `mape doctor --json` answered.
pub struct Examination {
    answer: Value,
    /// Exit status 0.
    pub success: bool,
}

impl Examination {
    /// Names of the checks, in their order.
    pub fn ids(&self) -> Vec<&str> {
        self.all()
            .filter_map(|check| check["id"].as_str())
            .collect()
    }

    /// Verdict of a check, and what it says: seen and remedy.
    pub fn of(&self, id: &str) -> Option<(&str, String)> {
        let check = self.all().find(|check| check["id"] == id)?;
        let text = |key: &str| check[key].as_str().unwrap_or_default();
        let said = format!("{} -> {}", text("seen"), text("remedy"));
        Some((check["verdict"].as_str()?, said))
    }

    /// The checks that are neither ok nor unknown for a reason.
    pub fn alarms(&self) -> Vec<String> {
        let verdict = |check: &Value| check["verdict"].as_str().unwrap_or_default().to_owned();
        self.all()
            .filter(|check| !matches!(verdict(check).as_str(), "ok" | "unknown"))
            .map(|check| format!("{}: {}", check["id"], check["seen"]))
            .collect()
    }

    /// The checks that could not tell.
    pub fn unknown(&self) -> Vec<&str> {
        let unknown = self.all().filter(|check| check["verdict"] == "unknown");
        unknown.filter_map(|check| check["id"].as_str()).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Value> {
        self.answer["checks"].as_array().into_iter().flatten()
    }
}

/// The router with all it is connected to.
pub struct Clinic {
    pub net: Topology,
    pub router: Router,
    servers: Servers,
}

impl Clinic {
    /// A healthy line that has been used.
    pub fn open(bench: &mut Bench) -> Result<Self> {
        bench.leave();
        let net = Topology::build(&LINE)?;
        border::load(&net.br, &LINE)?;
        let servers = Servers::start(&net.srv)?;
        net.ce.nft(&nat::firewall4("", ""))?;
        let router = Router::two_lines(&net.ce, ("2001:db8:0:1::2", 64))?;
        let clinic = Clinic {
            net,
            router,
            servers,
        };
        clinic.router.furnish(&OPTIONS)?;
        clinic.delegate(Some(LINE.prefix().to_string().as_str()))?;
        clinic.router.up(clinic.ce())?;
        clinic.traffic()?;
        Ok(clinic)
    }

    pub fn ce(&self) -> &Netns {
        &self.net.ce
    }

    /// Writes a configuration file.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        self.router.write(name, text).map(drop)
    }

    /// Gives the interface other options beside `tunlink`, and asks for it.
    pub fn configure(&self, more: &[(&str, &str)]) -> Result<()> {
        let options = [&OPTIONS, more].concat();
        self.router.describe(&options)?;
        self.router.down(self.ce())?;
        self.router.reconfigure("mape", &options);
        self.router.want(self.ce())
    }

    /// The same, until it is up.
    pub fn configured(&self, more: &[(&str, &str)]) -> Result<()> {
        self.configure(more)?;
        self.until_up()
    }

    pub fn until_up(&self) -> Result<()> {
        self.router.until_address(&LINE.ipv4().to_string())
    }

    /// `ifdown`, `ifup`.
    pub fn restart(&self) -> Result<()> {
        self.router.down(self.ce())?;
        self.router.up(self.ce())
    }

    /// The uplink gets this /56, or none at all, and hotplug runs.
    pub fn delegate(&self, prefix: Option<&str>) -> Result<()> {
        let prefix = prefix.map(|prefix| (prefix, LINE.prefix_len() as u8));
        self.router.delegate(self.ce(), prefix)
    }

    /// Datagrams from a LAN host to a server, each from a socket of its own,
    /// and how many of them were answered.
    pub fn datagrams(&self, count: usize) -> Result<(Vec<UdpSocket>, usize)> {
        let [host, ..] = &self.net.lan;
        let mut sockets = Vec::new();
        for _ in 0..count {
            let socket = host.within(udp::socket)?;
            udp::send(&socket, b"x", SocketAddrV4::new(server(0), WHOAMI))?;
            sockets.push(socket);
        }
        let answers = udp::collect(&sockets, count, Duration::from_secs(2)).len();
        Ok((sockets, answers))
    }

    /// Something is sent, and answered.
    pub fn traffic(&self) -> Result<()> {
        let (_, answered) = self.datagrams(12)?;
        expect(answered == 12, || format!("{answered} of 12 were answered"))
    }

    /// Forgets all connections.
    pub fn forget(&self) -> Result<()> {
        self.servers.drop_all();
        self.ce().run(&["conntrack", "-F"]).map(drop)
    }

    /// Runs the doctor.
    pub fn examine(&self) -> Result<Examination> {
        let words = ["doctor", "--json", "--probe", NEIGHBOUR];
        let out = self.router.output(self.ce(), &words)?;
        let answer: Value = serde_json::from_slice(&out.stdout)
            .map_err(|e| format!("{e}: {}", String::from_utf8_lossy(&out.stderr)))?;
        let success = out.status.success();
        expect(answer["ok"] == success, || {
            format!("ok is {} and the status {}", answer["ok"], out.status)
        })?;
        Ok(Examination { answer, success })
    }
}
