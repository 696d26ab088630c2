// SPDX-License-Identifier: GPL-2.0-or-later
//! The scenarios' router with the real ubusd, netifd, uci and firewall4.

mod looks;
mod overlay;

use crate::program;
use crate::scenarios::{self, Line, Router, Seen};
use overlay::{install, lay_out};
use serde_json::{Value as Json, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// What a scenario adds to the firewall's configuration follows it.
const MARK: &str = "
# of the test
";

/// The daemons in namespaces of their own. Dropping it ends them.
pub struct Netifd {
    /// `unshare`; with it goes everything inside.
    outside: Child,
    /// The first process inside, as seen from here.
    inside: String,
    work: PathBuf,
    netifd: String,
    /// netifd's pid inside.
    started: u32,
    uplinks: Vec<(&'static str, &'static str)>,
}

/// For daemons that were built with AddressSanitizer: they are to say what they use wrongly, not
/// what they have not freed at their end.
const SANITIZER: (&str, &str) = ("ASAN_OPTIONS", "detect_leaks=0");

/// The folder that `NETIFD_PREFIX` names.
pub fn prefix() -> Option<PathBuf> {
    std::env::var_os("NETIFD_PREFIX")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// Which netifd to start: without ip6_tunnel in the kernel, one that makes other devices
/// instead, where the prefix has it.
pub fn which_netifd(prefix: &Path) -> &'static str {
    let has_tunnels = Command::new("unshare")
        .args([
            "-n", "ip", "link", "add", "t", "type", "ip6tnl", "mode", "ipip6",
        ])
        .args(["local", "2001:db8::1", "remote", "2001:db8::2"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let stand_in = ["sbin", "usr/sbin"]
        .iter()
        .any(|folder| prefix.join(folder).join("netifd-standin").exists());
    if !has_tunnels && stand_in {
        "netifd-standin"
    } else {
        "netifd"
    }
}

impl Netifd {
    pub fn start(prefix: &Path, number: usize) -> Self {
        let netifd = which_netifd(prefix).to_owned();
        let work =
            std::env::temp_dir().join(format!("mape-netifd-{}-{number}", std::process::id()));
        let files = work.join("files");
        fs::create_dir_all(work.join("router")).unwrap();
        lay_out(&files, prefix);
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/netifd");
        let mut outside = Command::new("unshare")
            .args(["-n", "-m", "-p", "--fork", "--kill-child"])
            .args(["--propagation", "private", "sh"])
            .arg(tests.join("inside"))
            .args([prefix, &work])
            .arg(&netifd)
            .env(SANITIZER.0, SANITIZER.1)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let stdout = outside.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut said).unwrap();
        assert_eq!(
            said,
            "ready\n",
            "the daemons of {} did not start",
            prefix.display()
        );
        let id = outside.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let inside = children.split_whitespace().next().unwrap().to_owned();
        let mut router = Netifd {
            outside,
            inside,
            work,
            netifd,
            started: 0,
            uplinks: Vec::new(),
        };
        router.started = router.pid().unwrap();
        router
    }

    /// The process that was started as netifd, while it lives.
    fn pid(&self) -> Option<u32> {
        let pid: u32 = self.file("tmp/netifd.pid")?.trim().parse().ok()?;
        let name = self.file(&format!("proc/{pid}/comm"))?;
        name.starts_with("netifd").then_some(pid)
    }

    /// netifd is killed, the sections of these interfaces go, and another netifd starts when ubusd
    /// has forgotten the first: procd waits for five seconds.
    pub fn replace_netifd(&mut self, without: &[&str]) {
        let pid = self.started.to_string();
        self.run(&["kill", "-9", &pid]);
        for section in without {
            self.run(&["uci", "delete", &format!("network.{section}")]);
        }
        self.run(&["uci", "commit", "network"]);
        let start = format!(
            "while ubus list network >/dev/null 2>&1; do sleep 0.1 2>/dev/null || sleep 1; done; \
             {} -S -l 4 >>/tmp/netifd.log 2>&1 & echo $! >/tmp/netifd.pid; \
             until ubus call network get_proto_handlers >/dev/null 2>&1; \
             do sleep 0.1 2>/dev/null || sleep 1; done",
            self.netifd
        );
        self.run(&["sh", "-c", &start]);
        self.started = self.pid().unwrap();
    }

    /// Waits until hotplug is done with its events.
    pub fn settle(&self) {
        let mut quiet = 0;
        while quiet < 4 {
            let is_busy = !self.run(&["pgrep", "-f", "hotplug-call"]).is_empty();
            quiet = if is_busy { 0 } else { quiet + 1 };
            sleep(Duration::from_millis(200));
        }
    }

    /// Where a file of the router is for us.
    fn place(&self, path: &str) -> String {
        format!("/proc/{}/root/{path}", self.inside)
    }

    /// A file of the router.
    pub fn file(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.place(path)).ok()
    }

    /// Runs a program of the router.
    pub fn run(&self, command: &[&str]) -> String {
        self.enter(&["-m", "-n", "-p", "-r", "-w"], command)
    }

    /// Runs a program of this machine in the router's network.
    fn in_network(&self, command: &[&str]) -> String {
        self.enter(&["-n"], command)
    }

    fn enter(&self, namespaces: &[&str], command: &[&str]) -> String {
        let output = Command::new("nsenter")
            .args(["-t", &self.inside])
            .args(namespaces)
            .arg("--")
            .args(command)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env(SANITIZER.0, SANITIZER.1)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            text
        } else {
            format!("{text}{}", String::from_utf8_lossy(&output.stderr))
        }
    }

    pub fn ubus(&self, object: &str, method: &str, arguments: &Json) -> Json {
        let arguments = arguments.to_string();
        // An object that goes away during a call never answers it.
        let answer = self.run(&["ubus", "-t", "3", "call", object, method, &arguments]);
        serde_json::from_str(&answer).unwrap_or(Json::String(answer))
    }

    fn notify(&self, mut message: Json, interface: &str) {
        message["interface"] = interface.into();
        // It may be tearing the interface down.
        for _ in 0..50 {
            if self.ubus("network.interface", "notify_proto", &message) == "" {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("netifd refused {message}");
    }
}

impl Router for Netifd {
    fn line_gives(&mut self, line: Line, prefix: Option<&str>) {
        self.uplinks.push((line.interface, line.device));
        // With its lifetimes; without, it would be of `option ip6prefix`.
        let leased = |prefix| format!("{prefix},86400,172800");
        let prefixes: Vec<String> = prefix.into_iter().map(leased).collect();
        let message = json!({
            "action": 0,
            "link-up": true,
            "ifname": line.device,
            "ip6addr": [{"ipaddr": line.address, "mask": "64"}],
            "ip6prefix": prefixes,
            "routes6": [{"target": "::", "netmask": "0", "gateway": line.gateway}],
        });
        self.notify(message, line.interface);
    }

    fn line_lost(&mut self, line: Line) {
        self.notify(json!({"action": 0, "link-up": false}), line.interface);
    }

    fn configure(&mut self, name: &str, proto: &str, options: &[(&str, &str)]) {
        let mut batch =
            format!("set network.{name}=interface\nset network.{name}.proto='{proto}'\n");
        for (option, value) in options {
            batch.push_str(&format!("set network.{name}.{option}='{value}'\n"));
        }
        batch.push_str("commit network\n");
        fs::write(self.place("tmp/batch"), batch).unwrap();
        let answer = self.run(&["uci", "-f", "/tmp/batch", "batch"]);
        assert_eq!(answer, "");
        self.ubus("network", "reload", &json!({}));
    }

    fn adds(&mut self, line: Line, name: &str, proto: &str, options: &[(&str, &str)]) {
        let mut message =
            json!({"name": name, "ifname": format!("@{}", line.interface), "proto": proto});
        for (option, value) in options {
            message[*option] = (*value).into();
        }
        let answer = self.ubus("network", "add_dynamic", &message);
        assert_eq!(answer, "", "netifd refused {message}");
    }

    fn dhcpv6_tells(&mut self, line: Line, rules: &str) {
        let script = ". /etc/odhcp6c.user.d/90-mape; wait";
        let says = [
            format!("INTERFACE={}", line.interface),
            format!("MAPE={rules}"),
        ];
        let command = ["env", &says[0], &says[1], "sh", "-c", script];
        assert_eq!(self.run(&command), "");
    }

    fn ifup(&mut self, name: &str) {
        self.run(&[
            "ubus",
            "call",
            "network.interface",
            "up",
            &json!({"interface": name}).to_string(),
        ]);
    }

    fn ifdown(&mut self, name: &str) {
        self.run(&[
            "ubus",
            "call",
            "network.interface",
            "down",
            &json!({"interface": name}).to_string(),
        ]);
    }

    fn renew(&mut self, name: &str) {
        self.run(&[
            "ubus",
            "call",
            "network.interface",
            "renew",
            &json!({"interface": name}).to_string(),
        ]);
    }

    fn refuse_tunnels(&mut self, refuse: bool) -> bool {
        if self.netifd != "netifd-standin" {
            // A kernel that can make tunnels cannot be talked out of it.
            return false;
        }
        let switch = self.place("tmp/run/standin-refuse-tunnel");
        if refuse {
            fs::write(switch, "").unwrap();
        } else {
            fs::remove_file(switch).unwrap();
        }
        true
    }

    fn upgrade(&mut self) {
        install(Path::new(&self.place("usr/sbin/mape")));
    }

    fn nft(&mut self, script: Option<&str>) {
        match script {
            Some(script) => {
                let place = self.place("usr/sbin/nft");
                let new = format!("{place}.new");
                program::write(
                    Path::new(&new),
                    &scenarios::nft_script(script, "/usr/sbin/nft.real"),
                );
                self.run(&["mv", "/usr/sbin/nft", "/usr/sbin/nft.real"]);
                fs::rename(new, place).unwrap();
            }
            None => assert_eq!(self.run(&["mv", "/usr/sbin/nft.real", "/usr/sbin/nft"]), ""),
        }
    }

    fn mape(&mut self, arguments: &[&str]) {
        self.run(&[&["mape"], arguments].concat());
    }

    fn firewall(&mut self, sections: &str) {
        let place = self.place("etc/config/firewall");
        let now = fs::read_to_string(&place).unwrap();
        // What the package added to it stays.
        let (own, _) = now.split_once(MARK).unwrap_or((&now, ""));
        fs::write(&place, format!("{own}{MARK}{sections}")).unwrap();
        self.run(&["fw4", "-q", "reload"]);
    }

    fn deafen(&mut self) {
        assert_eq!(self.run(&["rm", "-r", "/etc/hotplug.d/iface"]), "");
    }

    fn bus_dies(&mut self) {
        let restart = "kill -9 $(pidof ubusd); ubusd -s /var/run/ubus/ubus.sock >/dev/null 2>&1 &";
        assert_eq!(self.run(&["sh", "-c", restart]), "");
    }

    fn see(&mut self, name: &str) -> Seen {
        let device = format!("map-{name}");
        let status = self.status(name).unwrap_or_default();
        let errors = status["errors"].as_array().cloned().unwrap_or_default();
        let addresses = self.ip(&["-4", "addr", "show", "dev", &device]);
        let ipv4 = addresses.first().map_or(Vec::new(), |link| {
            let list = link["addr_info"].as_array().cloned().unwrap_or_default();
            list.iter()
                .filter_map(|a| a["local"].as_str().map(str::to_owned))
                .collect()
        });
        let default_route = !self
            .ip(&["-4", "route", "show", "default", "dev", &device])
            .is_empty();
        let listed = self.run(&["nft", "list", "tables"]);
        Seen {
            up: status["up"] == true,
            pending: status["pending"] == true,
            errors: errors
                .iter()
                .filter_map(|e| e["code"].as_str().map(str::to_owned))
                .collect(),
            details: errors.iter().map(|e| e["data"].to_string()).collect(),
            ipv4,
            default_route,
            tunnel: self.tunnel(&device),
            ce: self.ce_addresses(name),
            tables: scenarios::tables_of(name, &listed),
            zone: status["data"]["zone"].as_str().map(str::to_owned),
        }
    }

    fn crash(&mut self) -> Option<String> {
        (self.pid() != Some(self.started))
            .then(|| "it is not the process that was started".to_owned())
    }

    fn network(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/ns/net", self.inside))
    }

    fn calls(&mut self, name: &str, action: &str) -> usize {
        let calls = self.file("tmp/calls");
        let wanted = format!("{action} {name}");
        let wanted = wanted.split(' ').rev().collect::<Vec<_>>().join(" ");
        calls
            .unwrap_or_default()
            .lines()
            .filter(|line| *line == wanted)
            .count()
    }

    fn story(&mut self) -> String {
        let file = |name: &str| self.file(&format!("tmp/{name}")).unwrap_or_default();
        format!("calls:\n{}netifd:\n{}", file("calls"), file("netifd.log"))
    }
}

impl Drop for Netifd {
    fn drop(&mut self) {
        let _ = self.outside.kill();
        let _ = self.outside.wait();
        let _ = std::io::stdout().flush();
        let _ = fs::remove_dir_all(&self.work);
    }
}
