// SPDX-License-Identifier: GPL-2.0-or-later
//! The CE as a router: the real handler, called by the double of ubusd and
//! netifd, which makes in the kernel what the handler asks for.

mod calls;
mod until;

pub use calls::STOCK;

use super::netns::Netns;
use super::oracle::{Dialect, Line};
use super::topology::lan_host;
use super::{shell, sys};
use crate::Result;
use crate::double::discovery::config_json;
use crate::double::{
    Double, Effect, Interface, KernelEffects, ROOT_VARIABLE, Route, SOCKET_VARIABLE,
};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs;
use std::net::Ipv6Addr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// The logical interface under test.
pub const INTERFACE: &str = "wanmap";
/// The interface it runs over.
pub const UPLINK: &str = "wan6";
/// Its address on the access network.
pub const ADDRESS: &str = "2001:db8:0:1::2";

/// A router that has its delegated prefix and a configured, idle interface.
pub struct Router {
    double: Double,
}

impl Router {
    /// Starts the router's daemons in `ce`, with the uplink up and `wanmap`
    /// configured as a subscriber of `line` would.
    pub fn start(ce: &Netns, line: &Line) -> Result<Self> {
        let options = options(line);
        let options: Vec<(&str, &str)> = options
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Self::configured(ce, ADDRESS, line, &options)
    }

    /// A router whose uplink has `address` and the delegated prefix of `line`,
    /// with `wanmap` configured as told.
    pub fn configured(
        ce: &Netns,
        address: &str,
        line: &Line,
        options: &[(&str, &str)],
    ) -> Result<Self> {
        let len = u8::try_from(line.prefix_len()).unwrap_or(128);
        let uplink = uplink(address, 64).prefix(&line.prefix().to_string(), len);
        Self::over(ce, uplink, "map", options)
    }

    /// A router configured with the two lines that suffice. The uplink is up
    /// and has its address, `address` with its length, and no prefix.
    pub fn two_lines(ce: &Netns, address: (&str, u8)) -> Result<Self> {
        let (address, len) = address;
        let uplink = uplink(address, len);
        Self::over(ce, uplink, "mape", &[("tunlink", UPLINK)])
    }

    /// A router with a resolver on its uplink, configured with the two lines
    /// that suffice, and these.
    pub fn resolving(ce: &Netns, resolver: Ipv6Addr, more: &[(&str, &str)]) -> Result<Self> {
        let uplink = uplink(ADDRESS, 64).dns(&resolver.to_string());
        let options = [&[("tunlink", UPLINK)], more].concat();
        Self::over(ce, uplink, "mape", &options)
    }

    fn over(ce: &Netns, uplink: Interface, proto: &str, options: &[(&str, &str)]) -> Result<Self> {
        ce.within(|| {
            let binary = Path::new("/usr/sbin/mape");
            let double = Double::start_with(binary, KernelEffects::default());
            double.add(uplink);
            double.ifup(UPLINK);
            double.configure(INTERFACE, proto, options);
            Ok(Self { double })
        })
    }

    /// A second uplink on `wanb` with the delegated prefix of `line`, and an
    /// interface `second` over it.
    pub fn add_second(&self, ce: &Netns, line: &Line, second: &str) -> Result<()> {
        ce.within(|| {
            let len = u8::try_from(line.prefix_len()).unwrap_or(128);
            self.double.add(
                Interface::on("wanb6", "wanb")
                    .address("2001:db8:0:3::2", 64)
                    .prefix(&line.prefix().to_string(), len)
                    .route(Route::via("::", 0, "2001:db8:0:3::1")),
            );
            self.double.ifup("wanb6");
            let options = [("tunlink", "wanb6"), ("defaultroute", "0")];
            self.double.configure(second, "mape", &options);
            self.double.ifup(second);
            self.double
                .wait("the second is up", |world| world.is_up(second));
            self.double.wait_idle(second);
            Ok(())
        })
    }

    /// `ifdown` of the second interface.
    pub fn remove_second(&self, ce: &Netns, second: &str) -> Result<()> {
        ce.within(|| {
            self.double.ifdown(second);
            self.double
                .wait("the second is down", |world| !world.is_up(second));
            self.double.wait_idle(second);
            Ok(())
        })
    }

    /// The uplink gets, changes or loses its delegated prefix, and hotplug
    /// runs as it does on a router.
    pub fn delegate(&self, ce: &Netns, prefix: Option<(&str, u8)>) -> Result<()> {
        ce.within(|| {
            self.double.set_prefix(UPLINK, prefix);
            Ok(())
        })?;
        self.mape(ce, &["hotplug", UPLINK]).map(drop)
    }

    /// The uplink goes down and comes up again.
    pub fn bounce_uplink(&self, ce: &Netns) -> Result<()> {
        ce.within(|| {
            self.double.ifdown(UPLINK);
            self.double.ifup(UPLINK);
            Ok(())
        })
    }

    /// The uplink goes down, or comes up.
    pub fn uplink(&self, ce: &Netns, up: bool) -> Result<()> {
        ce.within(|| {
            match up {
                true => self.double.ifup(UPLINK),
                false => self.double.ifdown(UPLINK),
            }
            Ok(())
        })
    }

    /// netifd sees the addresses of the uplink with another prefix length.
    pub fn uplink_mask(&self, len: u8) {
        self.double.with(|world| {
            for address in &mut world.interface_mut(UPLINK).addresses {
                address.mask = len;
            }
        });
    }

    /// netifd knows these resolvers of the uplink.
    pub fn uplink_dns(&self, resolvers: &[&str]) {
        let resolvers = resolvers.iter().map(|&resolver| resolver.to_owned());
        self.double
            .with(|world| world.interface_mut(UPLINK).dns = resolvers.collect());
    }

    /// Options that `wanmap` will have at the next `ifup`.
    pub fn reconfigure(&self, proto: &str, options: &[(&str, &str)]) {
        let config = self.double.with(|world| {
            let handler = world.handlers.get(proto);
            handler.map(|handler| config_json(handler, options))
        });
        if let Some(config) = config {
            self.double.reconfigure(INTERFACE, &config);
        }
    }

    /// Asks for `wanmap` without waiting for it.
    pub fn want(&self, ce: &Netns) -> Result<()> {
        ce.within(|| {
            self.double.ifup(INTERFACE);
            Ok(())
        })
    }

    /// What netifd shows beside the codes of the errors.
    pub fn details(&self) -> String {
        self.double.with(|world| {
            let found = world.interfaces.get(INTERFACE);
            let errors = found.into_iter().flat_map(|i| &i.errors);
            let details = errors.flat_map(|(_, _, details)| details.clone());
            details.collect::<Vec<_>>().join("; ")
        })
    }

    /// The ends of the tunnel that was made last, ours first.
    pub fn tunnel(&self) -> Option<(Ipv6Addr, Ipv6Addr)> {
        let end = |text: &Option<String>| text.as_deref()?.parse().ok();
        self.double.with(|world| {
            let made: Vec<_> = world
                .effects()
                .filter_map(|effect| match effect {
                    Effect::CreateTunnel(_, tunnel, true) => Some(tunnel),
                    _ => None,
                })
                .collect();
            let last = made.last()?;
            Some((end(&last.local)?, end(&last.remote)?))
        })
    }

    /// How often the kernel refused the tunnel.
    pub fn tunnels_refused(&self) -> usize {
        self.double.with(|world| {
            let refused = |effect: &&Effect| matches!(effect, Effect::CreateTunnel(_, _, false));
            world.effects().filter(refused).count()
        })
    }

    /// How often an action of the handler was started.
    pub fn spawned(&self, action: &str) -> usize {
        self.double.spawned(INTERFACE, action)
    }

    /// What the doctor looks at beside the bus: the kernel, programs, modules,
    /// the configuration of two lines or with these options.
    pub fn furnish(&self, options: &[(&str, &str)]) -> Result<String> {
        for (place, to) in [
            ("proc", "/proc"),
            ("sys", "/sys"),
            ("lib/modules", "/lib/modules"),
            ("usr/sbin", "/usr/sbin"),
        ] {
            let link = self.path(place)?;
            symlink(to, &link).map_err(|e| format!("{}: {e}", link.display()))?;
        }
        self.describe(options)
    }

    /// Shows the router's programs the devices of `ce`: what `/sys` shows depends
    /// on the namespace that mounts it.
    pub fn show_devices(&self, ce: &Netns) -> Result<Mounted> {
        let place = self.path("sys/class")?.with_file_name("");
        let failed = |e| format!("{}: {e}", place.display());
        let kind = Some("sysfs");
        ce.within(|| mount(kind, &place, kind, MsFlags::empty(), None::<&str>).map_err(failed))?;
        Ok(Mounted(place.clone()))
    }

    /// Writes `/etc/config/network` with these options of the interface, and
    /// returns its text.
    pub fn describe(&self, options: &[(&str, &str)]) -> Result<String> {
        let mut text = format!("config interface '{INTERFACE}'\n\toption proto 'mape'\n");
        for (name, value) in options {
            text += &format!("\toption {name} '{value}'\n");
        }
        self.write("network", &text)
    }

    /// Writes a configuration file, and returns its text.
    pub fn write(&self, name: &str, text: &str) -> Result<String> {
        let path = self.path(&format!("etc/config/{name}"))?;
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(text.to_owned())
    }

    /// A path of the router, whose folder is there.
    fn path(&self, place: &str) -> Result<PathBuf> {
        let path = self.root().join(place);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| e.to_string())?;
        }
        Ok(path)
    }

    /// Writes the firewall's configuration with these ports forwarded.
    pub fn forward(&self, ports: &[u16]) -> Result<()> {
        self.firewall(ports, "")
    }

    /// The same with more sections.
    pub fn firewall(&self, forwarded: &[u16], more: &str) -> Result<()> {
        let mut text = format!(
            "config zone\n\toption name wan\n\toption mtu_fix 1\n\tlist network {INTERFACE}\n"
        );
        for port in forwarded {
            text += &format!(
                "config redirect\n\toption src wan\n\toption src_dport {port}\n\toption dest lan\n\
                 \toption dest_ip {}\n\toption target DNAT\n",
                lan_host(1)
            );
        }
        self.write("firewall", &(text + more)).map(drop)
    }

    /// `mape` as it would be run on this router.
    pub fn command(&self, ce: &Netns, arguments: &[&str]) -> Command {
        let mut command = ce.command("mape");
        self.environment(command.args(arguments));
        command
    }

    /// Runs `mape`, and says how that ended.
    pub fn output(&self, ce: &Netns, arguments: &[&str]) -> Result<Output> {
        self.environment(ce.command("mape").args(arguments))
            .output()
            .map_err(|e| format!("mape: {e}"))
    }

    /// Runs `mape` as a person or firewall4 would on this router.
    pub fn mape(&self, ce: &Netns, arguments: &[&str]) -> Result<String> {
        shell::run(self.environment(ce.command("mape").args(arguments)))
    }

    /// How long a processor worked for a run of `mape`.
    pub fn cost(&self, ce: &Netns, arguments: &[&str]) -> Result<Duration> {
        ce.within(|| {
            let mut command = Command::new("mape");
            self.environment(command.args(arguments));
            sys::cost_of(command)
        })
    }

    fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env(ROOT_VARIABLE, self.double.root())
            .env(SOCKET_VARIABLE, self.double.socket())
    }

    /// Its daemons.
    pub fn double(&self) -> &Double {
        &self.double
    }

    /// The router's `/`.
    pub fn root(&self) -> &Path {
        self.double.root()
    }
}

/// A mount that lasts as long as this.
pub struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

/// The uplink with an address, and the route that goes with it.
fn uplink(address: &str, len: u8) -> Interface {
    Interface::on(UPLINK, "wan")
        .address(address, len)
        .route(Route::via("::", 0, &gateway_of(address)))
}

/// The access network's end of a link: the same /64, interface identifier 1.
fn gateway_of(address: &str) -> String {
    match address.rsplit_once("::") {
        Some((network, _)) => format!("{network}::1"),
        // An address by autoconfiguration.
        None => "2001:db8:0:1::1".to_owned(),
    }
}

fn options(line: &Line) -> Vec<(&'static str, String)> {
    let mut options = vec![
        ("maptype", "map-e".to_owned()),
        ("tunlink", UPLINK.to_owned()),
        ("encaplimit", "ignore".to_owned()),
        ("mtu", super::topology::MTU.to_string()),
        ("ttl", "64".to_owned()),
    ];
    options.extend(line.uci());
    if line.dialect == Dialect::Draft03 {
        options.push(("legacymap", "1".to_owned()));
    }
    options
}
