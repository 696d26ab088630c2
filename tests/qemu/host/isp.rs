// SPDX-License-Identifier: GPL-2.0-or-later
//! The lab provider, started and spoken to (docs/isp.md).

use super::{boot, image, kernel, work_dir};
use crate::Result;
use crate::guest::isp::Mode;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Tells this program that it is the provider in namespaces.
pub const IN_NAMESPACES: &str = "MAPE_ISP_NAMESPACES";

/// The packages of the daemons; their libraries come with kea-common.
const PACKAGES: &[&str] = &["kea-dhcp6-server", "radvd", "tayga"];

/// Where a line or a LAN ends outside.
#[derive(Debug, PartialEq, Eq)]
pub enum Plug {
    /// A TCP port that another QEMU connects to.
    Socket(String),
    /// A tap device that exists.
    Tap(String),
    /// A bridge that exists, through qemu-bridge-helper.
    Bridge(String),
    /// A network card of this machine, which the provider takes.
    Card(String),
}

impl Plug {
    /// What a user writes as `ISP_NIC` or `ISP_LAN`.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("socket", place)) => Ok(Self::Socket(place.to_owned())),
            Some(("tap", name)) => Ok(Self::Tap(name.to_owned())),
            Some(("bridge", name)) => Ok(Self::Bridge(name.to_owned())),
            Some(("card", name)) => Ok(Self::Card(name.to_owned())),
            _ => Err(format!(
                "{text}: one of socket:ADDRESS:PORT, tap:NAME, bridge:NAME, card:NAME"
            )),
        }
    }

    /// QEMU's end of it. Cards have none.
    fn netdev(&self, id: &str) -> Option<String> {
        match self {
            Self::Socket(place) => Some(format!("socket,id={id},listen={place}")),
            Self::Tap(name) => Some(format!("tap,id={id},ifname={name},script=no,downscript=no")),
            Self::Bridge(name) => Some(format!("bridge,id={id},br={name}")),
            Self::Card(_) => None,
        }
    }
}

/// What to start.
pub struct Plan {
    pub mode: String,
    pub provider: String,
    pub line: Plug,
    pub lan: Option<Plug>,
    /// Ports of this machine that lead to ports of the router's LAN side,
    /// through one of the hosts there.
    pub forwards: Vec<(String, u16)>,
}

/// `make isp`: the provider in the foreground, or a word to one that runs.
pub fn main() -> Result<()> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let command = variable("ISP_CMD");
    if !command.is_empty() {
        return tell(&command, |line| println!("{line}"));
    }
    let plug = |name: &str| match variable(name).as_str() {
        "" => Ok(None),
        text => Plug::parse(text).map(Some),
    };
    let plan = Plan {
        mode: variable("ISP_MODE"),
        provider: variable("PROVIDER"),
        line: plug("ISP_NIC")?.ok_or("ISP_NIC says where the line ends; docs/isp.md")?,
        lan: plug("ISP_LAN")?,
        forwards: Vec::new(),
    };
    let mut child = start(&plan)?;
    boot::stream(&mut child, &work_dir().join("isp.log"), "isp", None)?;
    let status = child.wait().map_err(|e| e.to_string())?;
    if status.success() {
        return Ok(());
    }
    let why = fs::read_to_string(work_dir().join("isp-qemu.log")).unwrap_or_default();
    Err(format!("the provider ended: {status} {}", why.trim()))
}

/// Starts it; its console is the child's standard output.
pub fn start(plan: &Plan) -> Result<Child> {
    // What is wrong is said before anything is built.
    Mode::parse(&plan.mode)?.line(&plan.provider)?;
    let dir = work_dir();
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let daemons = dir.join("daemons");
    kernel::programs(&daemons, PACKAGES)?;
    match (&plan.line, &plan.lan) {
        (Plug::Card(line), None) => namespaces(plan, &daemons, &[line]),
        (Plug::Card(line), Some(Plug::Card(lan))) => namespaces(plan, &daemons, &[line, lan]),
        (Plug::Card(_), Some(_)) | (_, Some(Plug::Card(_))) => {
            Err("line and LAN must both be cards, or neither".to_owned())
        }
        (line, lan) => machine(plan, &dir, &daemons, line, lan.as_ref()),
    }
}

/// In a virtual machine.
fn machine(
    plan: &Plan,
    dir: &Path,
    daemons: &Path,
    line: &Plug,
    lan: Option<&Plug>,
) -> Result<Child> {
    let kernel = kernel::prepare(dir)?;
    let initramfs = image::build(dir, &kernel, Some(daemons))?;
    let mut append = format!(
        "{} MAPE_ISP={} MAPE_ISP_NIC=eth0",
        boot::command_line("isp"),
        plan.mode
    );
    if lan.is_some() {
        append += " MAPE_ISP_LAN=eth1";
    }
    if !plan.forwards.is_empty() {
        let ports = plan.forwards.iter().map(|(_, port)| port.to_string());
        append += &format!(" MAPE_ISP_FORWARDS={}", ports.collect::<Vec<_>>().join(","));
    }
    let mut command = boot::machine(&kernel, &initramfs, &boot::plain(), &append);
    let port = format!("unix:{},server=on,wait=off", socket().display());
    command.args(["-serial", &port]);
    for (index, (id, plug)) in [("line", Some(line)), ("lan", lan)].into_iter().enumerate() {
        let Some(netdev) = plug.and_then(|plug| plug.netdev(id)) else {
            continue;
        };
        let device = format!(
            "virtio-net-pci,netdev={id},mac=02:00:5e:10:00:0{}",
            index + 1
        );
        command.args(["-netdev", &netdev, "-device", &device]);
    }
    if !plan.forwards.is_empty() {
        let mut user = "user,id=host,ipv6=off,restrict=on".to_owned();
        for (here, there) in &plan.forwards {
            user += &format!(",hostfwd=tcp:{here}-:{there}");
        }
        command.args(["-netdev", &user, "-device", "virtio-net-pci,netdev=host"]);
    }
    let log = fs::File::create(dir.join("isp-qemu.log")).map_err(|e| e.to_string())?;
    boot::spawn(command.stderr(Stdio::from(log)))
}

/// On this kernel, in namespaces, with cards of this machine. They come back
/// when the namespaces end.
fn namespaces(plan: &Plan, daemons: &Path, cards: &[&String]) -> Result<Child> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new("unshare");
    command
        .args(["-m", "-n", "-p", "-f", "--mount-proc", "--kill-child", "--"])
        .arg(own)
        .env(IN_NAMESPACES, "1")
        .env("MAPE_ISP", &plan.mode)
        .env("MAPE_PROVIDER", &plan.provider)
        .env("MAPE_ISP_ROOT", daemons)
        .env("MAPE_ISP_SOCKET", socket())
        .stdout(Stdio::piped());
    for (name, card) in ["MAPE_ISP_NIC", "MAPE_ISP_LAN"].iter().zip(cards) {
        command.env(name, card);
    }
    let mut child = command.spawn().map_err(|e| format!("unshare: {e}"))?;
    let pid = child.id().to_string();
    let own = fs::read_link("/proc/self/ns/net").map_err(|e| e.to_string())?;
    while fs::read_link(format!("/proc/{pid}/ns/net")).is_ok_and(|its| its == own) {
        if child.try_wait().map_err(|e| e.to_string())?.is_some() {
            return Err("no namespaces; this needs root".to_owned());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    for card in cards {
        let moved = Command::new("ip")
            .args(["link", "set", "dev", card, "netns", &pid])
            .status()
            .map_err(|e| format!("ip: {e}"))?;
        if !moved.success() {
            let _ = child.kill();
            return Err(format!("{card} cannot be given to the provider"));
        }
    }
    Ok(child)
}

/// Where a running provider listens.
fn socket() -> std::path::PathBuf {
    work_dir().join("isp.sock")
}

/// Says `command` to a running provider and hands on what it answers.
pub fn tell(command: &str, mut show: impl FnMut(&str)) -> Result<()> {
    let path = socket();
    let failed = |e: std::io::Error| format!("{}: {e}; does `make isp` run?", path.display());
    let mut stream = UnixStream::connect(&path).map_err(failed)?;
    stream
        .write_all(format!("{command}\n").as_bytes())
        .map_err(failed)?;
    for line in BufReader::new(stream).lines() {
        let Ok(answer) = serde_json::from_str::<Value>(&line.map_err(failed)?) else {
            continue;
        };
        let text = |key: &str| answer.get(key).and_then(Value::as_str);
        if let Some(done) = answer.get("done").and_then(Value::as_bool) {
            let why = text("error").unwrap_or("it could not").to_owned();
            return if done { Ok(()) } else { Err(why) };
        }
        if let Some(text) = text("say") {
            show(text);
        }
        if let (Some(key), Some(value)) = (text("figure"), answer.get("value")) {
            show(&format!("{key} = {value}"));
        }
        match (text("scenario"), text("passed"), text("failed")) {
            (Some(name), _, Some(why)) => show(&format!("{name} FAILED: {why}")),
            (Some(name), Some(how), None) => show(&format!("{name} ok {how}")),
            _ => {}
        }
    }
    Err("the provider ended without an answer".to_owned())
}
