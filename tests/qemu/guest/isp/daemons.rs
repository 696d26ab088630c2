// SPDX-License-Identifier: GPL-2.0-or-later
//! Debian's daemons behind the line: radvd, Kea, and tayga for MAP-T.

use super::{Mode, hook, kea};
use crate::Result;
use crate::guest::carrier::RESOLVER;
use crate::guest::netns::Netns;
use crate::guest::oracle::Line;
use crate::guest::topology::{MTU, Topology};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command};

/// Configurations, logs and what the daemons keep.
const PLACE: &str = "/run/isp";
/// Where the daemons' programs are, if not at their usual place.
const ROOT: &str = "MAPE_ISP_ROOT";

/// The running daemons; they end with it.
pub struct Daemons {
    radvd: Option<Child>,
    kea: Option<Child>,
    tayga: Option<Child>,
}

impl Daemons {
    /// A place for them.
    pub fn new(acc: &Netns) -> Result<Self> {
        let failed = |e: std::io::Error| format!("{PLACE}: {e}");
        fs::create_dir_all(PLACE).map_err(failed)?;
        let own = std::env::current_exe().map_err(failed)?;
        symlink(own, script()).map_err(failed)?;
        // The first answer must find a neighbour, not a queue.
        acc.sysctl(&["net/ipv6/conf/ce/accept_dad=0"])?;
        Ok(Self {
            radvd: None,
            kea: None,
            tayga: None,
        })
    }

    /// Router advertisements for the line; `old` is the line that it was.
    pub fn advertise(
        &mut self,
        net: &Topology,
        mode: Mode,
        line: &Line,
        old: Option<&Line>,
    ) -> Result<()> {
        let mut prefixes = String::new();
        if mode == Mode::Ra {
            let lives = |line: &Line, preferred: u32, valid: u32| {
                format!(
                    "\tprefix {}/64 {{ AdvPreferredLifetime {preferred}; AdvValidLifetime {valid}; }};\n",
                    line.prefix()
                )
            };
            prefixes += &lives(line, 1800, 3600);
            if let Some(old) = old {
                prefixes += &lives(old, 0, 0);
            }
        }
        let resolver = format!("\tRDNSS {RESOLVER} {{ }};\n");
        let managed = if mode == Mode::Ra { "off" } else { "on" };
        let config = format!(
            "interface ce {{\n\tAdvSendAdvert on;\n\tMinRtrAdvInterval 3;\n\tMaxRtrAdvInterval 10;\n\
             \tAdvDefaultLifetime 1800;\n\tAdvManagedFlag {managed};\n\tAdvOtherConfigFlag {managed};\n{prefixes}{resolver}}};\n"
        );
        let path = write("radvd.conf", &config)?;
        renew(&mut self.radvd, || {
            let mut command = net.acc.command(&program("radvd"));
            command.args(["-n", "-m", "stderr", "-p", "/run/isp/radvd.pid", "-C"]);
            command.arg(&path);
            run("radvd", command)
        })
    }

    /// DHCPv6 for the line.
    pub fn delegate(&mut self, net: &Topology, mode: Mode, line: &Line) -> Result<()> {
        let root = std::env::var(ROOT).unwrap_or_default();
        let library = format!("usr/lib/{}-linux-gnu/kea/hooks", std::env::consts::ARCH);
        let unpacked = Path::new(&root).join(&library);
        let hooks = if !root.is_empty() && unpacked.exists() {
            unpacked.display().to_string()
        } else {
            format!("/{library}")
        };
        let config = kea::config(mode, line, &hooks, &script());
        let path = write("kea-dhcp6.conf", &config.to_string())?;
        renew(&mut self.kea, || {
            let mut command = net.acc.command(&program("kea-dhcp6"));
            command
                .env("KEA_PIDFILE_DIR", PLACE)
                .env("KEA_LOCKFILE_DIR", PLACE)
                .arg("-c")
                .arg(&path);
            run("kea-dhcp6", command)
        })
    }

    /// A MAP-T BR: one subscriber's address is mapped to its IPv6 address,
    /// everybody else's is below the DMR. Its device has the tunnel's name, so
    /// that the BR checks ports on it as on a tunnel.
    pub fn translate(&mut self, net: &Topology, line: &Line, dmr: &str) -> Result<()> {
        let (v4, ce) = (line.ipv4(), line.ce_address());
        let config = format!(
            "tun-device ce\nipv4-addr 192.0.0.9\nipv6-addr {}\nprefix {dmr}\nmap {v4} {ce}\ndata-dir {PLACE}\n",
            line.br
        );
        let path = write("tayga.conf", &config)?;
        let with_config = |word: &str| {
            let mut command = net.br.command(&program("tayga"));
            command.arg(word).arg("-c").arg(&path);
            command
        };
        crate::guest::shell::run(&mut with_config("--mktun"))?;
        net.br.ip(&format!(
            "link set dev ce mtu {MTU} up\nroute add {v4}/32 dev ce\nroute add {dmr} dev ce\n"
        ))?;
        net.acc
            .ip(&format!("route replace {dmr} via 2001:db8:0:2::2\n"))?;
        self.tayga = Some(run("tayga", with_config("--nodetach"))?);
        Ok(())
    }

    /// The translator, where there is one, lets go of its device.
    pub fn end_translation(&mut self) {
        end(&mut self.tayga);
    }

    /// No DHCPv6 on this line.
    pub fn delegate_nothing(&mut self) {
        end(&mut self.kea);
    }
}

impl Drop for Daemons {
    fn drop(&mut self) {
        for daemon in [&mut self.radvd, &mut self.kea, &mut self.tayga] {
            end(daemon);
        }
    }
}

fn end(daemon: &mut Option<Child>) {
    if let Some(mut daemon) = daemon.take() {
        let _ = daemon.kill();
        let _ = daemon.wait();
    }
}

/// Where Kea finds this program by the name it is to be called by.
fn script() -> String {
    format!("{PLACE}/{}", hook::NAME)
}

fn program(name: &str) -> String {
    let root = std::env::var(ROOT).unwrap_or_default();
    format!("{root}/usr/sbin/{name}")
}

fn write(name: &str, content: &str) -> Result<String> {
    let path = format!("{PLACE}/{name}");
    fs::write(&path, content).map_err(|e| format!("{path}: {e}"))?;
    Ok(path)
}

/// Starts a daemon with its output in a file.
fn run(name: &str, mut command: Command) -> Result<Child> {
    let path = format!("{PLACE}/{name}.log");
    let log = File::options().create(true).append(true).open(&path);
    let log = log.map_err(|e| format!("{path}: {e}"))?;
    let again = log.try_clone().map_err(|e| format!("{path}: {e}"))?;
    command
        .stdout(log)
        .stderr(again)
        .spawn()
        .map_err(|e| format!("{name}: {e}"))
}

/// Lets a running daemon read its configuration again, or starts it.
fn renew(daemon: &mut Option<Child>, start: impl FnOnce() -> Result<Child>) -> Result<()> {
    if let Some(running) = daemon {
        let pid = i32::try_from(running.id()).map_err(|e| e.to_string())?;
        return kill(Pid::from_raw(pid), Signal::SIGHUP).map_err(|e| format!("SIGHUP: {e}"));
    }
    *daemon = Some(start()?);
    Ok(())
}
