// SPDX-License-Identifier: GPL-2.0-or-later
//! The initramfs: this binary as `/init`, `mape`, a few Debian tools with
//! their libraries, and the kernel modules of the scenarios.

use super::cpio::Archive;
use super::kernel::{self, Kernel};
use crate::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tools of the machine, by the name they are called by.
const TOOLS: &[&str] = &[
    "nft",
    "ip",
    "tc",
    "conntrack",
    "iperf3",
    "ethtool",
    "kmod",
    "busybox",
];

/// Daemons of the lab provider.
const DAEMONS: &[&str] = &["kea-dhcp6", "radvd", "tayga"];

/// Programs that other people's routers run beside ours, unpacked and not
/// installed, and their packages.
const BESIDE: &[&str] = &["usr/sbin/miniupnpd", "usr/bin/wg"];
const BESIDE_PACKAGES: &[&str] = &["miniupnpd-nftables", "wireguard-tools"];

/// Modules the scenarios need; what these depend on comes along.
const MODULES: &[&str] = &[
    "/kernel/net/netfilter/",
    "/kernel/net/ipv4/netfilter/",
    "/kernel/net/ipv6/netfilter/",
    "/kernel/net/bridge/bridge.",
    "/kernel/net/ipv6/ip6_tunnel.",
    "/kernel/net/ipv4/tcp_diag.",
    "/kernel/net/ipv4/inet_diag.",
    "/kernel/net/sched/sch_ingress.",
    "/kernel/net/sched/sch_cake.",
    "/kernel/net/sched/cls_u32.",
    "/kernel/net/sched/act_mirred.",
    "/kernel/drivers/net/ifb.",
    "/kernel/drivers/net/veth.",
    "/kernel/drivers/net/wireguard/wireguard.",
    "/kernel/drivers/net/dummy.",
    "/kernel/drivers/net/tun.",
    "/kernel/drivers/net/virtio_net.",
    "/kernel/drivers/virtio/",
];

/// Names that nft may use in a ruleset, as every router has them.
const PROTOCOLS: &str = "icmp 1 ICMP\nipip 4 IPIP\nipencap 4 IP-ENCAP\ntcp 6 TCP\nudp 17 UDP\n\
ipv6 41 IPv6\ngre 47 GRE\nesp 50 IPSEC-ESP\nipv6-icmp 58 IPv6-ICMP\nsctp 132 SCTP\n";

/// Builds the initramfs and returns its path. The lab provider's has
/// `daemons` in it: a root folder of the programs that `DAEMONS` names.
pub fn build(dir: &Path, kernel: &Kernel, daemons: Option<&Path>) -> Result<PathBuf> {
    let mut archive = skeleton();
    archive.file(Path::new("etc/protocols"), PROTOCOLS.as_bytes());

    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    program(&mut archive, &own, "init")?;
    let mape = Path::new(env!("CARGO_BIN_EXE_mape"));
    program(&mut archive, mape, "usr/sbin/mape")?;
    tools(&mut archive, TOOLS)?;
    for applet in [
        "sh",
        "cat",
        "ping",
        "wget",
        "traceroute",
        "sleep",
        "ls",
        "date",
    ] {
        archive.symlink(&Path::new("usr/bin").join(applet), "/usr/sbin/busybox");
    }
    archive.symlink(Path::new("usr/sbin/modprobe"), "kmod");
    if let Some(stock) = std::env::var_os("STOCK").filter(|dir| !dir.is_empty()) {
        add(&mut archive, Path::new(&stock), Path::new("usr"))?;
        if !archive.has(Path::new("usr/sbin/mapcalc")) {
            archive.symlink(Path::new("usr/sbin/mapcalc"), "mape");
        }
    }
    modules(&mut archive, kernel, |path| {
        MODULES.iter().any(|part| path.starts_with(part)) || path.contains("/crc32c")
    })?;
    if let Some(root) = daemons {
        // radvd looks whose its configuration is.
        archive.file(Path::new("etc/passwd"), b"root:x:0:0:root:/root:/bin/sh\n");
        for name in DAEMONS {
            let place = format!("usr/sbin/{name}");
            program(&mut archive, &root.join(&place), &place)?;
        }
        let hook = format!(
            "usr/lib/{}-linux-gnu/kea/hooks/libdhcp_run_script.so",
            std::env::consts::ARCH
        );
        program(&mut archive, &Path::new("/").join(&hook), &hook)?;
    } else {
        let root = dir.join("beside");
        kernel::programs(&root, BESIDE_PACKAGES)?;
        for place in BESIDE {
            program(&mut archive, &root.join(place), place)?;
        }
    }

    let kind = if daemons.is_some() {
        "isp"
    } else {
        "initramfs"
    };
    let path = dir.join(format!("{kind}-{}", kernel.release));
    fs::write(&path, archive.finish()).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}

/// A root with folders and a console and nothing else.
pub fn skeleton() -> Archive {
    let mut archive = Archive::default();
    for (link, to) in [
        ("bin", "usr/bin"),
        ("sbin", "usr/sbin"),
        ("lib", "usr/lib"),
        ("lib64", "usr/lib64"),
    ] {
        archive.directory(Path::new(to));
        archive.symlink(Path::new(link), to);
    }
    for place in ["dev", "proc", "sys", "run", "tmp", "var", "etc", "root"] {
        archive.directory(Path::new(place));
    }
    archive.symlink(Path::new("var/run"), "/run");
    archive.console();
    archive
}

/// Adds tools of this machine.
pub fn tools(archive: &mut Archive, names: &[&str]) -> Result<()> {
    for tool in names {
        program(archive, &find(tool)?, &format!("usr/sbin/{tool}"))?;
    }
    Ok(())
}

fn find(tool: &str) -> Result<PathBuf> {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .map(|dir| Path::new(dir).join(tool))
        .find(|path| path.exists())
        .ok_or_else(|| format!("{tool} is not installed; run `make setup-qemu`"))
}

/// Adds the files of a folder below `place`; what is below `usr` already stays
/// there, since the other folders are links to those.
fn add(archive: &mut Archive, dir: &Path, place: &Path) -> Result<()> {
    let failed = |e: std::io::Error| format!("{}: {e}", dir.display());
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name());
        let to = match name == "usr" {
            true => place.to_owned(),
            false => place.join(name),
        };
        if path.is_dir() {
            add(archive, &path, &to)?;
        } else {
            archive.file(&to, &fs::read(&path).map_err(failed)?);
        }
    }
    Ok(())
}

/// Adds a program and the libraries it is linked with.
fn program(archive: &mut Archive, path: &Path, name: &str) -> Result<()> {
    let read = |path: &Path| fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    archive.file(Path::new(name), &read(path)?);
    let out = Command::new("ldd")
        .arg(path)
        .output()
        .map_err(|e| format!("ldd: {e}"))?;
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        let Some(library) = line.split_whitespace().find(|word| word.starts_with('/')) else {
            continue;
        };
        let library = Path::new(library);
        // /lib is a symlink in the image: store below what it points to.
        let place = match library
            .strip_prefix("/lib64")
            .or_else(|_| library.strip_prefix("/lib"))
        {
            Ok(rest) if library.starts_with("/lib64") => Path::new("usr/lib64").join(rest),
            Ok(rest) => Path::new("usr/lib").join(rest),
            Err(_) => library.to_path_buf(),
        };
        if !archive.has(&place) {
            archive.file(&place, &read(library)?);
        }
    }
    Ok(())
}

/// Adds the wanted modules with everything that these need, and their index.
pub fn modules(
    archive: &mut Archive,
    kernel: &Kernel,
    wanted: impl Fn(&str) -> bool,
) -> Result<()> {
    let place = Path::new("usr/lib/modules").join(&kernel.release);
    for module in kernel.wanted(wanted)? {
        let from = kernel.modules.join(&module);
        let content = fs::read(&from).map_err(|e| format!("{}: {e}", from.display()))?;
        archive.file(&place.join(module), &content);
    }
    for index in [
        "modules.dep",
        "modules.dep.bin",
        "modules.alias",
        "modules.alias.bin",
        "modules.softdep",
        "modules.symbols",
        "modules.symbols.bin",
        "modules.builtin",
        "modules.builtin.bin",
        "modules.order",
    ] {
        if let Ok(content) = fs::read(kernel.modules.join(index)) {
            archive.file(&place.join(index), &content);
        }
    }
    Ok(())
}
