// SPDX-License-Identifier: GPL-2.0-or-later
//! What a user does with the router, in order.

use super::Bench;
use crate::Result;
use crate::host::isp;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

type Step = fn(&mut Bench) -> Result<String>;

/// All of them.
pub const ALL: &[(&str, Step)] = &[
    ("the router boots", boots),
    ("the packages install", installs),
    ("netifd knows the protocol", known),
    ("two lines of configuration give IPv4", two_lines),
    ("the ports of the line", measured),
    ("the page in LuCI", page),
    ("another prefix", renumbered),
    ("a reboot", reboots),
    ("a backup has the configuration", backup),
    ("DHCPv6 brings the rule", by_dhcpv6),
    ("lw4o6 through DHCPv6", by_lw4o6),
    ("nothing is left when it is removed", removed),
];

fn boots(bench: &mut Bench) -> Result<String> {
    let line = ". /etc/openwrt_release; echo $DISTRIB_DESCRIPTION, Linux $(uname -r)";
    let found = bench.router.until(line, |text| text.contains(','))?;
    let wan = "ubus call network.interface.wan6 status";
    bench
        .router
        .until(wan, |text| text.contains("\"up\": true"))?;
    if !found.contains(&bench.release) {
        return Err(format!(
            "RELEASE={} and it is {}",
            bench.release,
            found.trim()
        ));
    }
    Ok(found.trim().to_owned())
}

fn installs(bench: &mut Bench) -> Result<String> {
    let router = &bench.router;
    let (kind, install) =
        if router.run("command -v apk").is_ok() && router.run("command -v opkg").is_err() {
            (
                "apk",
                "apk add --allow-untrusted --no-network /tmp/packages/*.apk",
            )
        } else {
            ("ipk", "opkg install /tmp/packages/*.ipk")
        };
    router.run("mkdir -p /tmp/packages")?;
    let mut names = Vec::new();
    for path in packages(bench, kind)? {
        let content = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        router.feed(&format!("cat >/tmp/packages/{name}"), &content)?;
        names.push(name);
    }
    router.run(install)?;
    Ok(names.join(", "))
}

fn packages(bench: &Bench, kind: &str) -> Result<Vec<PathBuf>> {
    let dir = &bench.packages;
    let entries = fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == kind))
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(format!("no .{kind} in {}", dir.display()));
    }
    Ok(found)
}

fn known(bench: &mut Bench) -> Result<String> {
    let handlers = "ubus call network get_proto_handlers";
    bench
        .router
        .until(handlers, |text| text.contains("\"mape\""))?;
    let wan = "ubus call network.interface.wan6 status";
    bench
        .router
        .until(wan, |text| text.contains("\"up\": true"))?;
    Ok("after netifd's restart the line is up".to_owned())
}

fn two_lines(bench: &mut Bench) -> Result<String> {
    bench.router.run(
        "uci set network.wanmap=interface && uci set network.wanmap.proto=mape && \
         uci set network.wanmap.tunlink=wan6 && uci commit network && service network reload",
    )?;
    up(bench, "wanmap")
}

/// How often a line that came up may go down again before it stays: the
/// DHCPv6 client starts over when the provider changes something.
const ATTEMPTS: usize = 5;

/// The interface is up with the address that the provider expects, and a ping
/// crosses.
fn up(bench: &Bench, interface: &str) -> Result<String> {
    let mut seen = Err(String::new());
    for _ in 0..ATTEMPTS {
        let text = address_of(bench, interface)?;
        seen = measure("ping").map(|_| text);
        if seen.is_ok() {
            break;
        }
    }
    seen
}

fn address_of(bench: &Bench, interface: &str) -> Result<String> {
    let address = expected()?;
    let status = format!("ubus call network.interface.{interface} status");
    bench.router.until(&status, |text| {
        let status: Value = serde_json::from_str(text).unwrap_or_default();
        let found = status
            .pointer("/ipv4-address/0/address")
            .and_then(Value::as_str);
        status.get("up") == Some(&Value::Bool(true)) && found == Some(&address)
    })?;
    let line = bench.router.run("mape status | head -n 3")?;
    Ok(format!(
        "{address}; {}",
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    ))
}

/// The IPv4 address that belongs to the line now.
fn expected() -> Result<String> {
    let mut address = None;
    isp::tell("status", |text| {
        let line = text.lines().find_map(|line| line.strip_prefix("IPv4"));
        address = line.and_then(|line| Some(line.split_whitespace().next()?.to_owned()));
    })?;
    address.ok_or_else(|| "the provider told no address".to_owned())
}

/// Figures of the router's NAT that must meet the goals of the pool.
fn measure(names: &str) -> Result<String> {
    let (mut figures, mut failed) = (Vec::new(), Vec::new());
    isp::tell(&format!("measure {names}"), |text| {
        if text.contains(" FAILED: ") {
            failed.push(text.to_owned());
        } else if text.contains(" = ") {
            figures.push(text.to_owned());
        }
    })?;
    if failed.is_empty() {
        return Ok(figures.join(", "));
    }
    Err(format!("{}; {}", failed.join("; "), figures.join(", ")))
}

fn measured(bench: &mut Bench) -> Result<String> {
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    let figures = measure(&wanted.replace(',', " "))?;
    bench.router.run("mape doctor")?;
    Ok(figures)
}

fn page(bench: &mut Bench) -> Result<String> {
    let out = Command::new("node")
        .arg(super::script("luci.mjs"))
        .args([&bench.router.web, &expected()?])
        .output()
        .map_err(|e| format!("node: {e}"))?;
    let text = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    if out.status.success() {
        return Ok(text);
    }
    Err(format!(
        "{text} {}",
        String::from_utf8_lossy(&out.stderr).trim()
    ))
}

fn renumbered(bench: &mut Bench) -> Result<String> {
    isp::tell("renumber", |_| ())?;
    up(bench, "wanmap")
}

fn reboots(bench: &mut Bench) -> Result<String> {
    let boot = "cat /proc/sys/kernel/random/boot_id";
    let before = bench.router.run(boot)?;
    bench.router.reboot()?;
    bench
        .router
        .until(boot, |id| !id.is_empty() && id != before)?;
    up(bench, "wanmap")
}

fn backup(bench: &mut Bench) -> Result<String> {
    bench
        .router
        .run("mkdir -p /etc/mape && echo '{}' >/etc/mape/kept.json")?;
    bench.router.run("sysupgrade -b /tmp/backup.tar.gz")?;
    let list = bench.router.run("tar -tzf /tmp/backup.tar.gz")?;
    let network = bench
        .router
        .run("tar -xzOf /tmp/backup.tar.gz etc/config/network")?;
    bench.router.run("rm -r /etc/mape")?;
    for wanted in [
        "etc/config/network",
        "etc/config/firewall",
        "etc/mape/kept.json",
    ] {
        if !list.lines().any(|line| line == wanted) {
            return Err(format!("no {wanted} among {}", list.replace('\n', " ")));
        }
    }
    if !network.contains("'mape'") {
        return Err("its network configuration knows no mape".to_owned());
    }
    Ok(format!("{} files", list.lines().count()))
}

fn by_dhcpv6(bench: &mut Bench) -> Result<String> {
    // Not every release asks for these options by itself.
    bench.router.run(
        "uci delete network.wanmap && uci set network.wan6.reqopts='94 95 96' && \
         uci commit network && service network reload",
    )?;
    isp::tell("mode mape", |_| ())?;
    dynamic(bench)
}

fn by_lw4o6(bench: &mut Bench) -> Result<String> {
    isp::tell("mode lw4o6", |_| ())?;
    dynamic(bench)
}

/// The client makes an interface of what the new line says, and its ports are
/// all there.
fn dynamic(bench: &mut Bench) -> Result<String> {
    isp::tell("down", |_| ())?;
    bench
        .router
        .until("ip link show eth1", |text| !text.is_empty())?;
    isp::tell("up", |_| ())?;
    bench.router.run("ifup wan6")?;
    let seen = up(bench, "wan6_4")?;
    Ok(format!(
        "wan6_4 {seen}; {}",
        measure("fill_v6plus eim_udp")?
    ))
}

/// What of us could be found on a router. opkg leaves empty folders behind.
const TRACES: &str = "nft list tables | grep mape; ip link show | grep -o 'map-[a-z0-9_]*'; \
    uci show firewall | grep mape; ls /var/run/mape 2>/dev/null; \
    find / -xdev ! -type d \\( -name 'mape*' -o -name '*-mape' -o -path '*/netifd/proto/map.sh' -o -path '*/mape/*' \\) \
    -not -path '/tmp/packages/*' -not -path '/proc/*' -not -path '/tmp/backup*'";

fn removed(bench: &mut Bench) -> Result<String> {
    let router = &bench.router;
    let names = "luci-i18n-mape-ja luci-app-mape mape";
    if router.run("command -v opkg").is_ok() {
        router.run(&format!("opkg remove {names}"))?;
    } else {
        router.run(&format!("apk del {names}"))?;
    }
    let left = router.run(&format!("{TRACES}; true"))?;
    if left.trim().is_empty() {
        return Ok("no table, device, include or file".to_owned());
    }
    Err(left.replace('\n', " "))
}
