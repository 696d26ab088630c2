// SPDX-License-Identifier: GPL-2.0-or-later
//! A v6plus line in namespaces, as the handler would have left it: real rules,
//! real connections, and the state file that `mape status` reads. A veth pair
//! takes the tunnel's place. Shared by a test and a bench.

#![allow(dead_code, reason = "test and bench use their parts")]

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use mape::map::{Domain, Mapping};
use mape::nat::{Claim, Kernel, Line, Plan, Wishes};
use mape::netfilter::Nft;
use mape::provider::load;
use nix::sched::{CloneFlags, setns};
use serde_json::json;

use super::netns::Namespace;

const TIMEOUT: Duration = Duration::from_secs(20);
pub const FAR: &str = "198.51.100.1";

/// A line that is up. The thread that made it is on the router.
pub struct TestLine {
    ce: Namespace,
    br: Namespace,
    root: PathBuf,
    pub plan: Plan,
}

fn mapping() -> Mapping {
    let table = load("files").table;
    let prefix = "240b:10:1:200::/56".parse().unwrap();
    let (found, _) = table.choose(&[prefix]).unwrap();
    let domain: Domain = found.domain(false).unwrap();
    domain.map(&[prefix]).unwrap()
}

impl TestLine {
    /// Makes it, with rules that let `opened` ports pass; unless that is
    /// impossible here.
    pub fn new(name: &str, opened: &str) -> Option<Self> {
        let (ce, br) = (Namespace::new("ce")?, Namespace::new("br")?);
        ce.ip(&format!(
            "link add map-wanmap address 02:00:00:00:00:01 type veth peer name far \
             address 02:00:00:00:00:02 netns {}",
            br.name()
        ));
        for words in [
            "link set map-wanmap up",
            "addr add 106.72.0.1/32 dev map-wanmap",
            "route add default via 198.51.100.1 dev map-wanmap onlink",
            "neigh add 198.51.100.1 lladdr 02:00:00:00:00:02 dev map-wanmap",
        ] {
            ce.ip(words);
        }
        for words in [
            "addr add 198.51.100.1/24 dev far",
            "link set far up",
            "route add 106.72.0.1 dev far",
            "neigh add 106.72.0.1 lladdr 02:00:00:00:00:01 dev far",
        ] {
            br.ip(words);
        }
        let line = Line::new("wanmap", "map-wanmap", &mapping().into(), false);
        let wishes = Wishes {
            opened: vec![Claim {
                title: "port forward".into(),
                ports: opened.parse().unwrap(),
            }],
            ..Wishes::default()
        };
        let plan = Plan::new(line, &wishes, &Kernel::full()).unwrap();
        let name = format!("mape-{name}-{}", std::process::id());
        let line = TestLine {
            ce,
            br,
            root: std::env::temp_dir().join(name),
            plan,
        };
        line.at_router();
        line.load();
        // However busy the machine is.
        line.ce.sysctl("net.netfilter.nf_conntrack_udp_timeout=600");
        line.ce
            .sysctl("net.netfilter.nf_conntrack_icmp_timeout=600");
        line.write_files();
        Some(line)
    }

    /// Loads the rules, as the handler does.
    pub fn load(&self) {
        let nft = Nft::find().unwrap();
        nft.run(&self.plan.combined(), TIMEOUT).unwrap();
    }

    /// What the handler leaves, and what the kernel says of the device: files
    /// under a root of our own.
    fn write_files(&self) {
        let state = json!({
            "interface": "wanmap", "proto": "mape", "device": "map-wanmap",
            "type": "map-e", "dialect": "draft-03",
            "end_user_prefix": "240b:10:1:200::/56",
            "rule": "type=map-e,ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,\
                     prefix4len=15,ealen=25,psidlen=8,offset=4,br=2404:9200:225:100::64",
            "fmrs": [], "provider": "v6plus", "provider_name": "v6 Plus",
            "uplink": "wan6", "prefix_source": "delegated", "mtu": 1460,
            "encaplimit": "ignore", "zone": null, "mesh": false,
            "nat": "auto", "nat_mode": self.plan.technique().name(),
            "nat_reason": self.plan.reason(), "fingerprint": "", "conntrack": "normal",
            "reserve": [], "since": 0,
        });
        self.write("var/run/mape/wanmap.json", &state.to_string());
        let table = include_str!("../../files/usr/share/mape/providers.json");
        self.write("usr/share/mape/providers.json", table);
        for (name, number) in [
            ("rx_bytes", 4),
            ("rx_packets", 1),
            ("tx_bytes", 8),
            ("tx_packets", 2),
        ] {
            let path = format!("sys/class/net/map-wanmap/statistics/{name}");
            self.write(&path, &format!("{number}\n"));
        }
    }

    /// Writes a file of the router.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs the program on the router.
    pub fn mape(&self, args: &[&str]) -> Output {
        let mut words = vec![env!("CARGO_BIN_EXE_mape")];
        words.extend(args);
        self.run(&words)
    }

    /// Starts the program where this thread is, which is on the router, without
    /// `ip netns` in between.
    pub fn start(&self, args: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_mape"))
            .args(args)
            .env("MAPE_ROOT", &self.root)
            .env("MAPE_UBUS_SOCKET", self.root.join("no-bus"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Runs a command on the router.
    pub fn run(&self, words: &[&str]) -> Output {
        let mut command = self.ce.command(words);
        command.env("MAPE_ROOT", &self.root);
        command.env("MAPE_UBUS_SOCKET", self.root.join("no-bus"));
        command.output().unwrap()
    }

    /// Moves this thread to the router.
    pub fn at_router(&self) {
        enter(&self.ce);
    }

    /// A UDP server beyond the BR; a socket stays where it was made.
    pub fn udp_server(&self, port: u16) -> UdpSocket {
        enter(&self.br);
        let socket = UdpSocket::bind((FAR, port)).unwrap();
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        self.at_router();
        socket
    }

    /// A TCP server beyond the BR.
    pub fn tcp_server(&self, port: u16) -> TcpListener {
        enter(&self.br);
        let listener = TcpListener::bind((FAR, port)).unwrap();
        self.at_router();
        listener
    }
}

/// A TCP connection with both of its ends.
pub fn connect(server: &TcpListener) -> (TcpStream, TcpStream) {
    let near = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    let (far, _) = server.accept().unwrap();
    (near, far)
}

fn enter(ns: &Namespace) {
    let file = fs::File::open(format!("/run/netns/{}", ns.name())).unwrap();
    setns(file.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
}

impl Drop for TestLine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}
