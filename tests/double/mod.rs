// SPDX-License-Identifier: GPL-2.0-or-later
//! A stand-in for netifd, for tests, on the broker of the crate `ubusd`.
//!
//! It speaks the real protocol on a real socket, runs the real binary as netifd runs its
//! protocol scripts, and is as strict and as unforgiving as the real ones: types, statuses,
//! restarts without backoff, signals, dependencies. `double_contract` holds it against
//! recordings of the real daemons.
//!
//! ```ignore
//! let net = Double::start();
//! net.add(Interface::on("wan6", "eth0").address("2001:db8::1", 64).route(default_route()));
//! net.interface_up("wan6");
//! net.configure("wanmap", "map", &[("maptype", "map-e"), ("tunlink", "wan6")]);
//! net.ifup("wanmap");
//! net.wait("wanmap is up", |world| world.is_up("wanmap"));
//! ```
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../blobmsg/mod.rs"]
pub mod blobmsg;
mod broker;
pub mod bus;
mod dependency;
pub mod discovery;
pub mod effects;
pub mod faults;
pub mod handler;
mod hotplug;
pub mod interface;
mod methods;
mod notify;
mod parse;
pub mod record;
mod relay;
pub mod world;

pub use effects::{Effects, EncapLimit, Fmr, KernelEffects, NullEffects, Tunnel};
pub use faults::{Fault, Said, When};
pub use interface::{Address, Interface, Route, State};
pub use record::{Call, Effect, Entry};
pub use world::{Happening, World};

use broker::Broker;
use bus::Bus;
use handler::HandlerState;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use world::Shared;

/// Where the handler finds the socket, instead of ubusd's usual paths.
pub const SOCKET_VARIABLE: &str = "MAPE_UBUS_SOCKET";
/// The folder that stands for `/` in the handler's file names.
pub const ROOT_VARIABLE: &str = "MAPE_ROOT";

/// Longer than anything takes, even on a machine under load.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running double with a file system root of its own. Dropping it ends everything it started.
pub struct Double {
    shared: Arc<Shared>,
    root: PathBuf,
    _broker: Broker,
}

impl Double {
    /// Starts with a kernel that takes everything, and asks the built binary for its protocols.
    pub fn start() -> Self {
        let Some(binary) = option_env!("CARGO_BIN_EXE_mape") else {
            panic!("only the package's own tests know where its binary is");
        };
        Double::start_with(Path::new(binary), NullEffects)
    }

    /// Starts with another binary behind the scripts, or another kernel.
    pub fn start_with(binary: &Path, effects: impl Effects + 'static) -> Self {
        let double = Double::without_scripts(effects);
        for script in ["map.sh", "mape.sh"] {
            double.add_script(script, binary);
        }
        double
    }

    /// Starts without any protocol script.
    pub fn without_scripts(effects: impl Effects + 'static) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mape-double-{}-{number}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let scripts = root.join("lib/netifd/proto");
        for folder in ["var/run/mape", "tmp", "etc/config", "usr/share/mape"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::create_dir_all(&scripts).unwrap();
        let table = include_str!("../../files/usr/share/mape/providers.json");
        fs::write(root.join("usr/share/mape/providers.json"), table).unwrap();
        let socket = root.join("ubus.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let behind = root.join("ubusd.sock");
        let broker = Broker::start(&behind);
        let (bus, reader) = Bus::connect(&behind);
        let shared = Arc::new_cyclic(|shared| Shared {
            world: Mutex::new(World {
                interfaces: BTreeMap::new(),
                handlers: BTreeMap::new(),
                record: Vec::new(),
                log: Vec::new(),
                open_logs: BTreeMap::new(),
                effects: Box::new(effects),
                links: BTreeMap::new(),
                refuse_tunnels: false,
                mute: false,
                deny: BTreeMap::new(),
                fault: None,
                pauses: 0,
                bus,
                scripts,
                env: vec![
                    (SOCKET_VARIABLE.to_owned(), socket),
                    (ROOT_VARIABLE.to_owned(), root.clone()),
                ],
                shared: shared.clone(),
                stopping: false,
                crash: None,
                hotplug: hotplug::Hotplug::default(),
            }),
            changed: Condvar::new(),
        });
        bus::listen(&shared, reader);
        relay::listen(&shared, listener, behind);
        Double {
            shared,
            root,
            _broker: broker,
        }
    }

    /// Links `name` to a program and asks it for its protocols, as netifd does at its start.
    pub fn add_script(&self, name: &str, program: &Path) {
        let (folder, env) = self.with(|w| (w.scripts.clone(), w.env.clone()));
        symlink(program, folder.join(name)).unwrap();
        let script = format!("./{name}");
        let output = Command::new(&script)
            .args(["", "dump"])
            .current_dir(&folder)
            .envs(env)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for handler in discovery::parse(&script, &text) {
            self.with(|w| w.handlers.insert(handler.name.clone(), handler));
        }
    }

    pub fn socket(&self) -> PathBuf {
        self.root.join("ubus.sock")
    }

    /// What stands for `/`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Looks at the world, or changes it.
    pub fn with<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        self.shared.with(f)
    }

    /// From now on `program` is run as hotplug scripts run it, at each event of an interface.
    pub fn start_hotplug(&self, program: &Path) {
        self.with(|w| w.start_hotplug(program.to_owned()));
    }

    /// Adds an interface; it is down.
    pub fn add(&self, interface: Interface) {
        self.with(|w| w.add_interface(interface));
    }

    /// Adds an interface of one of the scripts' protocols with UCI options; it is down. A list
    /// is written with `\n` between its entries.
    pub fn configure(&self, name: &str, proto: &str, options: &[(&str, &str)]) {
        self.with(|w| {
            let handler = w
                .handlers
                .get(proto)
                .unwrap_or_else(|| panic!("no protocol {proto}"));
            let config = discovery::config_json(handler, options);
            w.add_handled(name, proto, config);
        });
    }

    /// The same with the configuration as the script will get it, whatever it says.
    pub fn configure_raw(&self, name: &str, proto: &str, config: &str) {
        self.with(|w| w.add_handled(name, proto, config.to_owned()));
    }

    pub fn ifup(&self, name: &str) {
        self.with(|w| w.set_up(name));
    }

    pub fn ifdown(&self, name: &str) {
        self.with(|w| w.set_down(name));
    }

    /// `network add_dynamic`, as the DHCPv6 client's script calls it.
    pub fn add_dynamic(&self, definition: &blobmsg::Value) -> mape::ubus::Status {
        self.with(|w| w.run_method("network", "add_dynamic", definition).0)
    }

    /// Changes the configuration the script will get next time.
    pub fn reconfigure(&self, name: &str, config: &str) {
        self.with(|w| {
            if let Some(handler) = w.interface_mut(name).handler.as_mut() {
                config.clone_into(&mut handler.config);
            }
        });
    }

    /// `network reload` after the options of an interface changed: what is up or
    /// pending is torn down and set up again.
    pub fn reload(&self, name: &str, options: &[(&str, &str)]) {
        self.with(|w| {
            let proto = w.interface(name).proto.clone();
            let config = discovery::config_json(&w.handlers[&proto], options);
            if let Some(handler) = w.handler(name) {
                handler.config = config;
            }
            w.take_down(name, false);
        });
    }

    /// `network.interface renew`, as hotplug would call it.
    pub fn renew(&self, name: &str) {
        self.with(|w| w.renew(name));
    }

    /// Brings a static interface up, with whatever was changed about it.
    pub fn interface_up(&self, name: &str) {
        self.ifup(name);
    }

    /// The uplink loses its link; it comes back with [`Double::ifup`].
    pub fn interface_lost(&self, name: &str) {
        self.with(|w| w.take_down(name, false));
    }

    /// Changes an interface while it is up, and tells everybody; `what` is one of addresses,
    /// routes, prefixes and data.
    pub fn update(&self, name: &str, what: &'static str, change: impl FnOnce(&mut Interface)) {
        self.with(|w| {
            let interface = w.interface_mut(name);
            change(interface);
            interface.updated = vec![what];
            if interface.is_up() {
                w.happened(name, Happening::Update);
            }
        });
    }

    /// Gives an interface exactly this delegated prefix, or none.
    pub fn set_prefix(&self, name: &str, prefix: Option<(&str, u8)>) {
        self.update(name, "prefixes", |interface| {
            interface.prefixes.clear();
            if let Some((address, mask)) = prefix {
                let with = Interface::new(&interface.name, "").prefix(address, mask);
                interface.prefixes = with.prefixes;
            }
        });
    }

    /// Waits until something is so; fails with everything known if it never is.
    pub fn wait(&self, what: &str, mut is_so: impl FnMut(&World) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut world = self.shared.lock();
        while !is_so(&world) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let story = world.story();
                drop(world);
                panic!("waited in vain for: {what}\n{story}");
            }
            let result = self.shared.changed.wait_timeout(world, left);
            world = result.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until no script of the interface runs, nor anything a script started, and all they
    /// wrote is in the log. A supervised process may go on. (Between a teardown and the setup that follows it is idle, too.)
    pub fn wait_idle(&self, name: &str) {
        self.wait(&format!("{name} idle"), |w| {
            let handler = w.interfaces.get(name).and_then(|i| i.handler.as_ref());
            let tasks = handler.map_or(0, |h| usize::from(h.task.is_some()));
            let quiet = w.open_logs.get(name).is_none_or(|open| *open <= tasks);
            quiet && handler.is_none_or(|h| h.running.is_none())
        });
    }

    /// Everything that happened, in words; for messages of failing tests.
    pub fn story(&self) -> String {
        self.shared.lock().story()
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.with(|w| w.calls().cloned().collect())
    }

    /// All log lines so far.
    pub fn log(&self) -> Vec<String> {
        self.with(|w| w.log.clone())
    }

    /// How many times a script was started for that action.
    pub fn spawned(&self, name: &str, action: &str) -> usize {
        self.with(|w| w.spawned(name, action))
    }
}

impl World {
    fn add_handled(&mut self, name: &str, proto: &str, config: String) {
        let handler = self
            .handlers
            .get(proto)
            .unwrap_or_else(|| panic!("no protocol {proto}"));
        let mut interface = Interface::new(name, proto);
        interface.available = handler.available;
        interface.handler = Some(HandlerState::new(handler, config));
        self.add_interface(interface);
    }

    pub fn renew(&mut self, name: &str) {
        if matches!(self.interface(name).state, State::Up | State::Setup) {
            self.proto_command(name, handler::ProtoCommand::Renew);
        }
    }

    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.record.iter().filter_map(|entry| match entry {
            Entry::Call(call) => Some(call),
            _ => None,
        })
    }

    /// Calls of `notify_proto` with that action for that interface.
    pub fn notifications(&self, name: &str, action: i64) -> Vec<&Call> {
        let interface = |call: &Call| {
            call.arguments
                .get("interface")
                .and_then(|v| v.as_str().map(str::to_owned))
        };
        self.calls()
            .filter(|c| c.action() == Some(action) && interface(c).as_deref() == Some(name))
            .collect()
    }

    pub fn spawned(&self, name: &str, wanted: &str) -> usize {
        let is = |entry: &&Entry| matches!(entry, Entry::Spawn { interface, action, .. } if interface == name && action == wanted);
        self.record.iter().filter(is).count()
    }

    pub fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.record.iter().filter_map(|entry| match entry {
            Entry::Effect(effect) => Some(effect),
            _ => None,
        })
    }

    pub fn story(&self) -> String {
        let mut story = String::from("record:\n");
        for entry in &self.record {
            story.push_str(&format!("  {entry:?}\n"));
        }
        story.push_str("log:\n");
        for line in &self.log {
            story.push_str(&format!("  {line}\n"));
        }
        for interface in self.interfaces.values() {
            let handler = interface.handler.as_ref();
            let handler = handler.map(|h| (h.machine, h.running.as_ref()));
            story.push_str(&format!(
                "{}: {:?} {handler:?} {:?}\n",
                interface.name, interface.state, interface.errors
            ));
        }
        story
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.with(|w| {
            w.stopping = true;
            let mut pids = Vec::new();
            for handler in w.interfaces.values().filter_map(|i| i.handler.as_ref()) {
                pids.extend(handler.running.as_ref().map(|(pid, _)| *pid));
                pids.extend(handler.task);
            }
            for pid in pids {
                w.signal(pid, nix::sys::signal::Signal::SIGKILL);
            }
            w.bus.clients.disconnect_all();
        });
        // Wakes the thread that waits for connections.
        drop(UnixStream::connect(self.socket()));
        let _ = fs::remove_dir_all(&self.root);
    }
}
