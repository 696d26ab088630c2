// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape doctor` on a router of the double whose line is well, and where it
//! cannot see everything. A veth pair takes the tunnel's place; faults are made
//! on the wire (`make test-qemu SCENARIO=doctor_faults`). Needs root, for
//! network namespaces of its own.

mod double;
mod netns;

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use double::{Address, Double, Effects, Interface, KernelEffects, Route, Tunnel};
use netns::Namespace;
use nix::sched::{CloneFlags, setns};
use serde_json::Value;

const BR: &str = "2404:9200:225:100::64";
const BINARY: &str = env!("CARGO_BIN_EXE_mape");

/// The kernel, but for the tunnel.
#[derive(Default)]
struct Veth(KernelEffects);

impl Effects for Veth {
    fn create_tunnel(
        &mut self,
        name: &str,
        tunnel: &Tunnel,
        _: Option<&str>,
    ) -> Result<(), String> {
        let mtu = tunnel.mtu.unwrap_or(1460);
        // Nothing but what is sent through it may be counted.
        let batch = format!(
            "link add name {name} mtu {mtu} type veth peer name far\n\
             link set {name} addrgenmode none\nlink set far addrgenmode none\n\
             link set far up\nlink set {name} up\n"
        );
        for line in batch.lines() {
            let done = Command::new("ip").args(line.split(' ')).output();
            let done = done.map_err(|error| error.to_string())?;
            if !done.status.success() {
                return Err(String::from_utf8_lossy(&done.stderr).into_owned());
            }
        }
        Ok(())
    }

    fn delete_link(&mut self, name: &str) {
        self.0.delete_link(name);
    }
    fn add_address(&mut self, device: &str, address: &Address) {
        self.0.add_address(device, address);
    }
    fn delete_address(&mut self, device: &str, address: &Address) {
        self.0.delete_address(device, address);
    }
    fn add_route(&mut self, device: &str, route: &Route) {
        self.0.add_route(device, route);
    }
    fn delete_route(&mut self, device: &str, route: &Route) {
        self.0.delete_route(device, route);
    }
}

/// A router and the BR, which is its neighbour.
struct House {
    net: Double,
    router: Namespace,
    _br: Namespace,
}

impl House {
    /// A v6plus line that is up; unless that is impossible here.
    fn new() -> Option<Self> {
        let (router, br) = (Namespace::new("router")?, Namespace::new("br")?);
        for ns in [&router, &br] {
            ns.sysctl("net.ipv6.conf.default.accept_dad=0");
        }
        router.ip(&format!(
            "link add eth1 type veth peer name eth0 netns {}",
            br.name()
        ));
        router.ip("link set eth1 up");
        br.ip("link set eth0 up");
        br.ip("addr add fe80::1/64 dev eth0");
        br.ip(&format!("addr add {BR}/128 dev lo"));
        br.ip("route add 240b:10::/31 dev eth0");
        enter(&router);
        let house = House {
            net: Double::start_with(Path::new(BINARY), Veth::default()),
            router,
            _br: br,
        };
        house.furnish();
        house.net.add(
            Interface::on("wan6", "eth1")
                .address("240b:10:1:200::1", 64)
                .prefix("240b:10:1:200::", 56)
                .route(Route::via("::", 0, "fe80::1")),
        );
        house.net.ifup("wan6");
        house
            .net
            .configure("wanmap", "mape", &[("tunlink", "wan6")]);
        house.net.ifup("wanmap");
        house
            .net
            .wait("wanmap is up", |world| world.is_up("wanmap"));
        house.net.wait_idle("wanmap");
        Some(house)
    }

    /// The kernel's files and a program that everybody may run.
    fn furnish(&self) {
        let root = self.net.root();
        symlink("/proc", root.join("proc")).unwrap();
        symlink("/sys", root.join("sys")).unwrap();
        symlink("/usr/sbin", root.join("usr/sbin")).unwrap();
        fs::create_dir(root.join("bin")).unwrap();
        fs::copy(BINARY, root.join("bin/mape")).unwrap();
        let network = "config interface 'wanmap'\n\toption proto mape\n\toption tunlink wan6\n";
        fs::write(root.join("etc/config/network"), network).unwrap();
    }

    /// Runs the program, through another one where there is one before it.
    fn run(&self, before: &[&str], args: &[&str]) -> Output {
        self.run_on(&self.net.socket(), before, args)
    }

    fn run_on(&self, bus: &Path, before: &[&str], args: &[&str]) -> Output {
        let program = self.net.root().join("bin/mape");
        let words = [before, &[program.to_str().unwrap()], args].concat();
        let mut command = self.router.command(&words);
        command.env("MAPE_ROOT", self.net.root());
        command.env("MAPE_UBUS_SOCKET", bus);
        command.output().unwrap()
    }
}

fn enter(ns: &Namespace) {
    let file = fs::File::open(format!("/run/netns/{}", ns.name())).unwrap();
    setns(file.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
}

/// What was found: name, verdict and what was seen.
fn checks(done: &Output) -> Vec<(String, String, String)> {
    let answer: Value =
        serde_json::from_slice(&done.stdout).unwrap_or_else(|e| panic!("{e}: {done:?}"));
    assert_eq!(answer["ok"] == true, done.status.success(), "{answer}");
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let all = answer["checks"].as_array().unwrap().iter();
    all.map(|check| {
        (
            text(check, "id"),
            text(check, "verdict"),
            text(check, "seen"),
        )
    })
    .collect()
}

fn with<'a>(all: &'a [(String, String, String)], verdict: &str) -> Vec<&'a str> {
    let found = all.iter().filter(|(_, other, _)| other == verdict);
    found.map(|(id, _, _)| id.as_str()).collect()
}

/// Nothing fails or warns, and what is unknown says why.
fn assert_no_alarm(all: &[(String, String, String)]) {
    let alarms: Vec<_> = all
        .iter()
        .filter(|(_, verdict, seen)| {
            !matches!(verdict.as_str(), "ok" | "unknown") || seen.is_empty()
        })
        .collect();
    assert!(alarms.is_empty(), "{alarms:?}");
}

#[test]
fn a_healthy_line_raises_no_alarm_whoever_asks() {
    let Some(house) = House::new() else { return };
    let done = house.run(&[], &["doctor", "--json", "--probe", BR]);
    let all = checks(&done);
    assert_no_alarm(&all);
    let ids: Vec<&str> = all.iter().map(|(id, _, _)| id.as_str()).collect();
    // A MAP line that is known is not asked, has no AFTR, and registers no address. There is no
    // miniupnpd.
    let absent = ["asked", "aftr", "registration", "upnp"];
    let of_map = mape::doctor::ids().filter(|id| !absent.contains(id));
    assert_eq!(ids, of_map.collect::<Vec<_>>());
    // Nobody has used the line yet.
    assert_eq!(with(&all, "unknown"), ["replies"], "{all:?}");
    assert!(done.stderr.is_empty(), "{done:?}");

    // For people: a line each but for the probe, then how many came to each verdict.
    let text = String::from_utf8(house.run(&[], &["doctor", "wanmap"]).stdout).unwrap();
    assert_eq!(text.lines().count(), all.len(), "{text}");
    let last = text.lines().last().unwrap_or_default();
    let counted = all.len() - 1;
    assert!(
        last.starts_with(&format!("{counted} checks: ")) && last.contains(" 0 fail"),
        "{text}"
    );

    let web = "config zone\n\toption name wan\n\toption mtu_fix 1\n\tlist network wanmap\nconfig redirect\n\
               \toption name web\n\toption src wan\n\toption proto tcp\n\
               \toption src_dport 443\n\toption dest_ip 192.168.1.10\n";
    let firewall = house.net.root().join("etc/config/firewall");
    fs::write(&firewall, web).unwrap();
    let text = String::from_utf8(house.run(&[], &["doctor"]).stdout).unwrap();
    let page = include_str!("../docs/commands.md");
    let (_, example) = page.split_once("# mape doctor\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    for line in example.lines().filter(|line| *line != "...") {
        assert!(
            text.lines().any(|said| said == line),
            "{line}\nis not in\n{text}"
        );
    }
    fs::remove_file(&firewall).unwrap();

    // ubusd and the kernel tell others less.
    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let done = house.run(&nobody, &["doctor", "--json"]);
    let all = checks(&done);
    assert_no_alarm(&all);
    assert!(done.status.success(), "{done:?}");
    for hidden in ["nat", "edge", "ports"] {
        let (_, _, seen) = all.iter().find(|(id, _, _)| id == hidden).unwrap();
        assert!(seen.starts_with("only root can see"), "{hidden}: {seen}");
    }
    for open in ["br_route", "ce_address", "tunnel", "dialect"] {
        assert!(with(&all, "ok").contains(&open), "{open}: {all:?}");
    }
}

#[test]
fn without_the_bus_it_says_what_it_can() {
    let Some(house) = House::new() else { return };
    let gone = house.net.root().join("nobody");
    let done = house.run_on(&gone, &[], &["doctor", "--json"]);
    let all = checks(&done);
    assert_eq!(with(&all, "fail"), ["uplink"], "{all:?}");
    assert_eq!(
        with(&all, "unknown"),
        ["prefix", "mtu", "ipv4", "replies"],
        "{all:?}"
    );
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.starts_with("mape: warning: netifd does not answer: "));

    // A bus that hangs is given up in time, and comes to the same.
    house.net.with(|world| world.mute = true);
    let hung = checks(&house.run(&[], &["doctor", "--json"]));
    assert_eq!(with(&hung, "unknown"), with(&all, "unknown"));
    house.net.with(|world| world.mute = false);

    house.net.ifdown("wanmap");
    house
        .net
        .wait("wanmap is down", |world| !world.is_up("wanmap"));
    house.net.wait_idle("wanmap");
    let all = checks(&house.run_on(&gone, &[], &["doctor", "--json"]));
    assert_eq!(with(&all, "fail"), ["uplink"], "{all:?}");
    let all = checks(&house.run(&[], &["doctor", "--json"]));
    assert_eq!(with(&all, "warn"), ["rule"], "{all:?}");
}

#[test]
fn what_is_not_there_is_one_line() {
    let Some(house) = House::new() else { return };
    let none = house.net.root().join("etc/config/network");
    for (args, status, says) in [
        (
            &["doctor", "wan7"][..],
            1,
            "there is no interface wan7 of proto mape or map; there is wanmap",
        ),
        (&["doctor", "wan6"], 1, "there is no interface wan6"),
        (
            &["doctor", "wanmap", "wan6"],
            2,
            "unexpected argument \"wan6\"",
        ),
        (&["doctor", "--prob"], 2, "invalid option '--prob'"),
        (
            &["doctor", "--probe"],
            2,
            "missing argument for option '--probe'",
        ),
        (
            &["doctor", "--probe", "192.0.2.1"],
            1,
            "must be an IPv6 address",
        ),
    ] {
        let done = house.run(&[], args);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(status), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
        assert!(
            said.starts_with("mape: ") && said.contains(says),
            "{args:?}: {said}"
        );
        assert!(done.stdout.is_empty(), "{args:?}");
    }
    house.net.ifdown("wanmap");
    house.net.with(|world| world.interfaces.remove("wanmap"));
    fs::remove_file(none).unwrap();
    let done = house.run(&[], &["doctor"]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1));
    assert!(
        said.starts_with("mape: no interface of proto mape or map is configured"),
        "{said}"
    );
}
