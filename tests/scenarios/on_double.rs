// SPDX-License-Identifier: GPL-2.0-or-later
//! The scenarios' router with the double of ubusd and netifd.

use crate::double::blobmsg::Value;
use crate::double::{
    Address, Double, Effects, Interface, ROOT_VARIABLE, Route, SOCKET_VARIABLE, State, Tunnel,
    World,
};
use crate::odhcp6c;
use crate::program;
use crate::scenarios::{self, Line, Router, Scenario, Seen, Stage};
use nix::sched::{CloneFlags, unshare};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const FIREWALL: &str =
    "config zone\n\toption name wan\n\toption network 'wan6 wan7'\n\toption mtu_fix 1\n";

const PATIENCE: Duration = Duration::from_secs(30);

/// The double. Translation is loaded into the
/// network namespace of the calling thread, which must not be the machine's.
pub struct OnDouble {
    double: Double,
}

/// Tells a scenario to the double, in a thread and a network namespace of their own. What was
/// noted, or why it failed.
pub fn tell(scenario: &Scenario) -> Result<Vec<String>, String> {
    let run = scenario.run;
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let mut router = OnDouble::start();
        let mut stage = Stage::new(&mut router);
        run(&mut stage);
        stage.notes
    });
    thread.join().map_err(|panic| scenarios::message(&*panic))
}

impl OnDouble {
    pub fn start() -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_mape"));
        let double = Double::start_with(program, Devices);
        fs::write(double.root().join("etc/config/firewall"), FIREWALL).unwrap();
        double.start_hotplug(program);
        OnDouble { double }
    }
}

/// A kernel without tunnels, but with devices of their names: rules that name a device can be
/// loaded.
struct Devices;

impl Effects for Devices {
    fn create_tunnel(&mut self, name: &str, _: &Tunnel, _: Option<&str>) -> Result<(), String> {
        ip(&["link", "add", name, "type", "bridge"])
    }
    fn delete_link(&mut self, name: &str) {
        // Unless somebody else has.
        let _ = ip(&["link", "delete", name]);
    }
    fn add_address(&mut self, _: &str, _: &Address) {}
    fn delete_address(&mut self, _: &str, _: &Address) {}
    fn add_route(&mut self, _: &str, _: &Route) {}
    fn delete_route(&mut self, _: &str, _: &Route) {}
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output();
    let output = output.map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn on_line(line: Line, prefix: Option<&str>) -> Interface {
    let interface = Interface::on(line.interface, line.device)
        .address(line.address, 64)
        .route(Route::via("::", 0, line.gateway));
    match prefix.and_then(|p| p.split_once('/')) {
        Some((address, mask)) => interface.prefix(address, mask.parse().unwrap()),
        None => interface,
    }
}

impl Router for OnDouble {
    fn line_gives(&mut self, line: Line, prefix: Option<&str>) {
        let name = line.interface;
        let known = self.double.with(|w| w.interfaces.contains_key(name));
        let split = prefix.map(|p| p.split_once('/').unwrap());
        let split = split.map(|(address, mask)| (address, mask.parse().unwrap()));
        if !known {
            self.double.add(on_line(line, prefix));
            self.double.interface_up(name);
        } else if self.double.with(|w| w.is_up(name)) {
            self.double.set_prefix(name, split);
        } else {
            self.double.set_prefix(name, split);
            self.double.interface_up(name);
        }
    }

    fn line_lost(&mut self, line: Line) {
        // A static interface of the double would be back at once.
        self.double.ifdown(line.interface);
    }

    fn configure(&mut self, name: &str, proto: &str, options: &[(&str, &str)]) {
        if self
            .double
            .with(|world| world.interfaces.contains_key(name))
        {
            return self.double.reload(name, options);
        }
        self.double.configure(name, proto, options);
        self.double.ifup(name);
    }

    fn adds(&mut self, line: Line, name: &str, proto: &str, options: &[(&str, &str)]) {
        let mut message = Value::table()
            .with("name", name)
            .with("ifname", format!("@{}", line.interface))
            .with("proto", proto);
        for (option, value) in options {
            message = message.with(option, *value);
        }
        let mut netifd = mape::ubus::Client::connect(&self.double.socket(), PATIENCE).unwrap();
        netifd
            .call("network", "add_dynamic", &message.to_arguments(), PATIENCE)
            .unwrap();
    }

    fn dhcpv6_tells(&mut self, line: Line, rules: &str) {
        let (root, socket) = (self.double.root(), self.double.socket());
        let variables = [
            ("INTERFACE", line.interface),
            ("MAPE", rules),
            (ROOT_VARIABLE, root.to_str().unwrap()),
            (SOCKET_VARIABLE, socket.to_str().unwrap()),
        ];
        let run = root.join("var/run/mape");
        odhcp6c::source(&run, env!("CARGO_BIN_EXE_mape"), &variables);
    }

    fn ifup(&mut self, name: &str) {
        self.double.ifup(name);
    }

    fn ifdown(&mut self, name: &str) {
        self.double.ifdown(name);
    }

    fn renew(&mut self, name: &str) {
        self.double.renew(name);
    }

    fn refuse_tunnels(&mut self, refuse: bool) -> bool {
        self.double.with(|w| w.refuse_tunnels = refuse);
        true
    }

    fn upgrade(&mut self) {
        // The double's scripts are links to the program as cargo built it.
    }

    fn nft(&mut self, script: Option<&str>) {
        let place = self.double.root().join("usr/sbin/nft");
        match script {
            Some(script) => {
                fs::create_dir_all(place.parent().unwrap()).unwrap();
                let new = place.with_extension("new");
                program::write(&new, &scenarios::nft_script(script, "/usr/sbin/nft"));
                fs::rename(new, place).unwrap();
            }
            None => fs::remove_file(place).unwrap(),
        }
    }

    fn mape(&mut self, arguments: &[&str]) {
        Command::new(env!("CARGO_BIN_EXE_mape"))
            .args(arguments)
            .env(SOCKET_VARIABLE, self.double.socket())
            .env(ROOT_VARIABLE, self.double.root())
            .stderr(Stdio::null())
            .status()
            .unwrap();
    }

    fn firewall(&mut self, sections: &str) {
        let place = self.double.root().join("etc/config/firewall");
        fs::write(place, format!("{FIREWALL}\n{sections}")).unwrap();
        self.mape(&["firewall"]);
    }

    fn deafen(&mut self) {
        self.double.with(World::stop_hotplug);
    }

    fn bus_dies(&mut self) {
        self.double.with(World::bus_dies);
    }

    fn see(&mut self, name: &str) -> Seen {
        let listed = Command::new("nft")
            .args(["list", "tables"])
            .output()
            .unwrap();
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        self.double.with(|w| Seen {
            tables: scenarios::tables_of(name, &listed),
            ..seen_in(w, name)
        })
    }

    fn crash(&mut self) -> Option<String> {
        self.double.with(|world| world.crash.take())
    }

    fn network(&self) -> PathBuf {
        PathBuf::from("/proc/thread-self/ns/net")
    }

    fn calls(&mut self, name: &str, action: &str) -> usize {
        self.double.spawned(name, action)
    }

    fn story(&mut self) -> String {
        self.double.story()
    }
}

fn seen_in(world: &World, name: &str) -> Seen {
    let Some(interface) = world.interfaces.get(name) else {
        return Seen::default();
    };
    let tunnel = world.links.get(&format!("map-{name}")).map(|tunnel| {
        let text = |end: &Option<String>| end.clone().unwrap_or_default();
        (text(&tunnel.local), text(&tunnel.remote))
    });
    let up = interface.is_up();
    let holder = world.interfaces.get(&format!("{name}_"));
    let ce = holder.filter(|h| h.is_up()).map_or(Vec::new(), |holder| {
        holder.addresses.iter().map(|a| a.address.clone()).collect()
    });
    let zone = interface.data.iter().find(|(key, _)| key == "zone");
    let addresses = interface.addresses.iter().filter(|a| !a.is_v6());
    Seen {
        up,
        pending: interface.state == State::Setup,
        errors: interface
            .error_codes()
            .iter()
            .map(|e| (*e).to_owned())
            .collect(),
        details: interface
            .errors
            .iter()
            .map(|(_, _, data)| serde_json::json!(data).to_string())
            .collect(),
        ipv4: if up {
            addresses.map(|a| a.address.clone()).collect()
        } else {
            Vec::new()
        },
        default_route: up
            && interface
                .routes
                .iter()
                .any(|r| r.target == "0.0.0.0" && r.mask == 0),
        tunnel,
        ce,
        tables: Vec::new(),
        zone: zone.and_then(|(_, zone)| zone.as_str().map(str::to_owned)),
    }
}
