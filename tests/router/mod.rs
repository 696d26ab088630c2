// SPDX-License-Identifier: GPL-2.0-or-later
//! A router for tests: the double of netifd with the real handler, in a
//! network namespace of its own. Needs root.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

#[path = "../skip/mod.rs"]
pub mod skip;

use std::ops::Deref;
use std::path::Path;
use std::process::{Command, Output};

use nix::sched::{CloneFlags, unshare};

use crate::double::blobmsg::Value;
use crate::double::{Address, Double, Effect, Effects, Entry, Interface, Route, State, Tunnel};

/// A line of a provider and what a subscriber of it must get.
pub struct Line {
    pub prefix: (&'static str, u8),
    pub ce: &'static str,
    pub br: &'static str,
    pub options: &'static [(&'static str, &'static str)],
}

pub const V6PLUS: Line = Line {
    prefix: ("240b:12:aaaa:bb00::", 56),
    ce: "240b:12:aaaa:bb00:e:8aa:aa00:bb00",
    br: "2404:9200:225:100::64",
    options: &[
        ("maptype", "map-e"),
        ("legacymap", "1"),
        ("tunlink", "wan6"),
        ("peeraddr", "2404:9200:225:100::64"),
        ("ipaddr", "14.8.0.0"),
        ("ip4prefixlen", "15"),
        ("ip6prefix", "240b:12::"),
        ("ip6prefixlen", "31"),
        ("ealen", "25"),
        ("psidlen", "8"),
        ("offset", "4"),
        ("mtu", "1460"),
        ("encaplimit", "ignore"),
    ],
};

pub const OCN: Line = Line {
    prefix: ("2400:4050:90f9:3300::", 56),
    ce: "2400:4050:90f9:3300:99:f243:e400:3300",
    br: "2001:380:a120::9",
    options: &[],
};

impl Line {
    /// The uplink gets address, delegated prefix and default route.
    pub fn bring_up(&self, net: &Double) {
        let (prefix, len) = self.prefix;
        net.add(
            Interface::on("wan6", "eth1")
                .address(&format!("{prefix}1"), 64)
                .prefix(prefix, len)
                .route(default_route())
                .zone("wan"),
        );
        net.ifup("wan6");
    }
}

/// `::/0`, as from a router advertisement.
pub fn default_route() -> Route {
    Route::via("::", 0, "fe80::1")
}

/// What the DHCPv6 client's script adds for S46 options: everything is text.
pub fn from_dhcp(rules: &str) -> Value {
    Value::table()
        .with("name", "wan6_4")
        .with("ifname", "@wan6")
        .with("proto", "map")
        .with("type", "map-e")
        .with("_prefsig", "2001:db8:12:3400::/56,3600,7200 ")
        .with("rule", rules)
        .with("tunlink", "wan6")
        .with("zone", "wan")
        .with("encaplimit", "ignore")
        .with("mtu", "1452")
        .with("delegate", "0")
}

/// The double in a namespace.
pub struct Router(Double);

impl Deref for Router {
    type Target = Double;

    fn deref(&self) -> &Double {
        &self.0
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        let crash = self.with(|world| world.crash.take());
        if !std::thread::panicking() {
            assert_eq!(crash, None, "netifd would have crashed");
        }
    }
}

impl Router {
    /// A router with no interface. `None`, and a line that says so, without
    /// root.
    pub fn new() -> Option<Self> {
        if unshare(CloneFlags::CLONE_NEWNET).is_err() {
            skip::skip("a network namespace needs root");
            return None;
        }
        let binary = Path::new(env!("CARGO_BIN_EXE_mape"));
        Some(Router(Double::start_with(binary, StandIn)))
    }

    /// A router whose uplink is up.
    pub fn with_uplink(line: &Line) -> Option<Self> {
        let router = Router::new()?;
        line.bring_up(&router);
        Some(router)
    }

    /// A file below the router's root.
    pub fn file(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root().join(path)).ok()
    }

    /// Runs `mape` as it would be run on this router.
    fn output(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mape"))
            .args(args)
            .envs(self.with(|world| world.env.clone()))
            .output()
            .unwrap()
    }

    /// The same with success; returns what it complains of.
    fn done(&self, args: &[&str]) -> String {
        let output = self.output(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// What a command prints, whether it succeeds or not.
    pub fn mape(&self, args: &[&str]) -> String {
        String::from_utf8(self.output(args).stdout).unwrap()
    }

    /// What firewall4 calls after each load; returns what it says.
    pub fn firewall(&self) -> String {
        self.done(&["firewall"])
    }

    /// A v6plus router with the two lines of configuration that suffice.
    pub fn two_lines() -> Option<Self> {
        let net = Self::with_uplink(&V6PLUS)?;
        net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
        Some(net)
    }

    /// `ifdown`, until nothing is left.
    pub fn down(&self, interface: &str) {
        self.ifdown(interface);
        self.wait("it is down", |world| {
            world.interface(interface).state == State::Down
        });
        self.assert_clean(interface);
    }

    /// What the hotplug script does when an interface came up, changed or went down.
    pub fn hotplug(&self, interface: &str) {
        self.done(&["hotplug", interface]);
    }

    /// What the service does once a minute.
    pub fn service(&self) {
        self.done(&["repair"]);
        self.done(&["history", "--record"]);
    }

    /// What `mape doctor` says of an interface.
    pub fn doctor(&self, interface: &str) -> String {
        self.mape(&["doctor", interface])
    }

    /// Gives the router a file.
    pub fn write(&self, path: &str, contents: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }

    /// Nothing of an interface that is down is left: table, device, address or file.
    pub fn assert_clean(&self, name: &str) {
        self.wait_idle(name);
        let address = format!("{name}_");
        self.wait(&format!("{address} is gone"), |world| {
            !world.interfaces.contains_key(&address)
        });
        let left = self.leftovers(name);
        assert_eq!(left, None, "{}", self.story());
    }

    /// What is left of an interface that is down.
    pub fn leftovers(&self, name: &str) -> Option<String> {
        let tables = run("nft", &["list", "tables"]);
        let links = run("ip", &["-br", "link"]);
        if tables.contains(name) || links.contains(&format!("map-{name}")) {
            return Some(format!("{tables}{links}"));
        }
        for folder in ["var/run/mape", "tmp"] {
            for file in std::fs::read_dir(self.root().join(folder)).unwrap() {
                let file = file.unwrap().file_name().into_string().unwrap();
                if file.contains(name) {
                    return Some(format!("{folder}/{file}"));
                }
            }
        }
        let address = format!("{name}_");
        self.with(|world| world.interfaces.contains_key(&address))
            .then_some(address)
    }

    /// An interface is up with its rules and their record, and nothing holds its packets back.
    pub fn assert_works(&self, name: &str) {
        self.wait(&format!("{name} is up"), |world| world.is_up(name));
        self.wait_idle(name);
        assert!(self.with(|world| world.is_up(name)), "{}", self.story());
        assert_eq!(self.fault(name), None, "{}", self.story());
    }

    /// What an interface lacks that netifd holds to be up.
    pub fn fault(&self, name: &str) -> Option<String> {
        let rules = run("nft", &["list", "ruleset"]);
        if !rules.contains(&format!(" mape_{name} {{")) {
            return Some(format!("no rules:\n{rules}"));
        }
        if rules.contains("mape_guard") {
            return Some("the guard holds packets back".to_owned());
        }
        if self.file(&format!("var/run/mape/{name}.json")).is_none() {
            return Some("no record".to_owned());
        }
        let address = format!("{name}_");
        let is_there = self.with(|world| world.is_up(&address));
        (!is_there).then(|| format!("{address} is not up"))
    }

    /// Waits until netifd shows that error for an interface.
    pub fn wait_error(&self, name: &str, code: &str) {
        self.wait(code, |world| {
            let interface = world.interfaces.get(name);
            interface.is_some_and(|i| i.error_codes().contains(&code))
        });
    }

    /// The sentences that netifd has beside the codes of an interface's errors.
    pub fn details(&self, name: &str) -> Vec<String> {
        self.with(|world| {
            let errors = world.interface(name).errors.iter();
            errors
                .filter_map(|(_, _, data)| data.first().cloned())
                .collect()
        })
    }

    /// The same for programs, as the handler gave it to netifd.
    pub fn reasons(&self, name: &str) -> Vec<serde_json::Value> {
        self.with(|world| {
            let errors = world.interface(name).errors.iter();
            let reasons = errors.filter_map(|(_, _, data)| data.get(1));
            reasons
                .map(|text| serde_json::from_str(text).unwrap())
                .collect()
        })
    }

    /// The tunnel that was made last.
    pub fn tunnel(&self) -> Option<Tunnel> {
        self.with(|world| {
            world.record.iter().rev().find_map(|entry| match entry {
                Entry::Effect(Effect::CreateTunnel(_, tunnel, true)) => Some(tunnel.clone()),
                _ => None,
            })
        })
    }
}

/// Runs a program and returns what it prints.
pub fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes a device that stands for a tunnel which nobody else makes.
pub fn device(name: &str) {
    run(
        "ip",
        &["link", "add", name, "type", "veth", "peer", "name", "p"],
    );
}

/// A kernel without ip6_tunnel: a dummy device stands in for the tunnel.
struct StandIn;

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip")
        .args(arguments.split_whitespace())
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

impl Effects for StandIn {
    fn create_tunnel(&mut self, name: &str, _: &Tunnel, _: Option<&str>) -> Result<(), String> {
        ip(&format!(
            "link add name {name} type veth peer name p-{name}"
        ))?;
        ip(&format!("link set {name} up"))
    }

    fn delete_link(&mut self, name: &str) {
        let _ = ip(&format!("link del {name}"));
    }

    fn add_address(&mut self, _: &str, _: &Address) {}
    fn delete_address(&mut self, _: &str, _: &Address) {}
    fn add_route(&mut self, _: &str, _: &Route) {}
    fn delete_route(&mut self, _: &str, _: &Route) {}
}
