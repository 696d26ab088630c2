// SPDX-License-Identifier: GPL-2.0-or-later
//! What a user does with the router, in order.

use super::Bench;
use super::health::Netifd::{self, Restarts, Stays};
use super::manager::Manager;
use super::page;
use super::{beside, disturb};
use crate::Result;
use crate::host::isp;
use serde_json::Value;

type Run = fn(&mut Bench) -> Result<String>;

/// Something that a user does.
pub struct Step {
    pub name: &'static str,
    /// What it does with netifd.
    pub netifd: Netifd,
    /// A program that the router must have for it.
    pub needs: Option<&'static str>,
    pub run: Run,
}

const fn step(name: &'static str, netifd: Netifd, run: Run) -> Step {
    Step {
        name,
        netifd,
        needs: None,
        run,
    }
}

const fn with(needs: &'static str, step: Step) -> Step {
    Step {
        needs: Some(needs),
        ..step
    }
}

/// All of them.
pub const ALL: &[Step] = &[
    step("the router boots", Restarts, boots),
    step("the packages install", Restarts, installs),
    step("netifd knows the protocol", Restarts, known),
    step("two lines of configuration give IPv4", Stays, two_lines),
    step("the ports of the line", Stays, measured),
    step("the page in LuCI", Stays, page::shows),
    step("everything by clicks", Stays, page::clicks),
    with(
        "/usr/lib/sqm/run.sh",
        step("SQM on the tunnel", Stays, beside::sqm),
    ),
    with(
        "/usr/sbin/miniupnpd",
        step("a program opens a port", Stays, beside::miniupnpd),
    ),
    step("an upgrade while it is up", Stays, upgraded),
    step("another prefix", Stays, renumbered),
    step("service firewall restart", Stays, disturb::firewall),
    step("service network restart", Restarts, disturb::network),
    step("a reboot", Restarts, reboots),
    step("the power goes during setup", Restarts, disturb::power),
    step("a backup has the configuration", Stays, backup),
    step("a /64 by advertisement alone", Stays, by_advertisement),
    step("another provider's prefix", Stays, by_ocn),
    step("MAP-T", Stays, by_mapt),
    step("DHCPv6 brings the rule", Stays, by_dhcpv6),
    step("lw4o6 through DHCPv6", Stays, by_lw4o6),
    step("nothing is left when it is removed", Stays, removed),
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
    Manager::of(router)?.install(router, &bench.packages)
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
    disturb::interruption(&bench.router)
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
pub fn up(bench: &Bench, interface: &str) -> Result<String> {
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
pub fn expected() -> Result<String> {
    let mut address = None;
    isp::tell("status", |text| {
        let line = text.lines().find_map(|line| line.strip_prefix("IPv4"));
        address = line.and_then(|line| Some(line.split_whitespace().next()?.to_owned()));
    })?;
    address.ok_or_else(|| "the provider told no address".to_owned())
}

/// Figures of the router's NAT that must meet the goals of the pool.
pub fn measure(names: &str) -> Result<String> {
    let (mut figures, mut failed) = (Vec::new(), Vec::new());
    isp::tell(&format!("measure {names}"), |text| {
        if text.contains(" FAILED: ") {
            failed.push(text.to_owned());
        } else if text.contains(" = ") || text.contains(" reaches ") {
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

fn upgraded(bench: &mut Bench) -> Result<String> {
    let router = &bench.router;
    // A tunnel that was taken down and made again would have another number.
    let device = "cat /sys/class/net/map-wanmap/ifindex";
    let uplink = "logread | grep -c \"'wan6' is now up\"";
    let (manager, before) = (Manager::of(router)?, router.run(device)?);
    let ups = router.run(uplink)?;
    manager.install(router, &bench.packages.join("newer"))?;
    let installed = manager.installed(router, "mape")?;
    if installed.lines().any(|line| !line.contains("-r2")) {
        return Err(format!("it has {}", installed.replace('\n', " ")));
    }
    let seen = up(bench, "wanmap")?;
    if router.run(device)? == before {
        return Ok(format!("the same tunnel, {seen}"));
    }
    // It follows its line, whatever is installed meanwhile.
    if router.run(uplink)? != ups {
        return Ok(format!("the line itself started over, {seen}"));
    }
    Err("the tunnel was taken down".to_owned())
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

fn by_advertisement(bench: &mut Bench) -> Result<String> {
    on_line(bench, "ra", "wanmap", "fill_v6plus eim_udp icmp_errors")
}

fn by_ocn(bench: &mut Bench) -> Result<String> {
    on_line(bench, "pd ocn", "wanmap", "fill_ocn eim_udp")
}

/// MAP-T as DHCPv6 brings it. Without the kernel module for it DHCPv6 makes no
/// interface; who makes one is told what is missing.
fn by_mapt(bench: &mut Bench) -> Result<String> {
    // Not every release asks for these options by itself.
    bench.router.run(
        "uci delete network.wanmap && uci set network.wan6.reqopts='94 95 96' && \
         uci commit network && service network reload",
    )?;
    if bench.router.run("modprobe nat46 || insmod nat46").is_ok() {
        return on_line(bench, "mapt", "wan6_4", "fill_v6plus eim_udp");
    }
    replug(bench, "mapt")?;
    let router = &bench.router;
    let rule = "type=map-t,ipv6prefix=2001:db8:1000::,prefix6len=40,ipv4prefix=203.0.113.0,\
        prefix4len=24,ealen=16,offset=6,dmr=2001:db8:fffe::/64";
    router.run(&format!(
        "uci set network.mapt=interface && uci set network.mapt.proto=map && \
         uci set network.mapt.type=map-t && uci set network.mapt.tunlink=wan6 && \
         uci set network.mapt.rule={rule} && uci commit network && service network reload"
    ))?;
    let missing = "map-t needs the package kmod-nat46, which is not installed";
    let status = "ubus call network.interface.mapt status";
    router.until(status, |text| text.contains(missing))?;
    router.run("uci delete network.mapt && uci commit network && service network reload")?;
    Ok(missing.to_owned())
}

fn by_dhcpv6(bench: &mut Bench) -> Result<String> {
    on_line(bench, "mape", "wan6_4", "fill_v6plus eim_udp")
}

fn by_lw4o6(bench: &mut Bench) -> Result<String> {
    on_line(bench, "lw4o6", "wan6_4", "fill_v6plus eim_udp")
}

/// The router's line is of another kind: the interface is up with what the new
/// one says, and its ports are all there.
fn on_line(bench: &Bench, kind: &str, interface: &str, figures: &str) -> Result<String> {
    replug(bench, kind)?;
    let seen = up(bench, interface)?;
    Ok(format!("{interface} {seen}; {}", measure(figures)?))
}

fn replug(bench: &Bench, kind: &str) -> Result<()> {
    isp::tell(&format!("mode {kind}"), |_| ())?;
    isp::tell("down", |_| ())?;
    bench
        .router
        .until("ip link show eth1", |text| !text.is_empty())?;
    isp::tell("up", |_| ())?;
    bench.router.run("ifup wan6").map(drop)
}

/// What of us could be found on a router. opkg leaves empty folders behind.
const TRACES: &str = "nft list tables | grep mape; ip link show | grep -o 'map-[a-z0-9_]*'; \
    uci show firewall | grep mape; ls -d /var/run/mape/* /tmp/map-*.rules /tmp/mape* 2>/dev/null; \
    find / -xdev ! -type d \\( -name 'mape*' -o -name '*-mape' -o -path '*/netifd/proto/map.sh' -o -path '*/mape/*' \\) \
    -not -path '/tmp/packages/*' -not -path '/proc/*' -not -path '/tmp/backup*'";

fn removed(bench: &mut Bench) -> Result<String> {
    let router = &bench.router;
    let manager = Manager::of(router)?;
    manager.remove(router, "luci-i18n-mape-ja luci-proto-mape mape")?;
    router.until("ubus list", |objects| {
        objects.lines().all(|object| object != "mape")
    })?;
    let left = router.run(&format!("{TRACES}; true"))? + &manager.installed(router, "mape")?;
    if left.trim().is_empty() {
        return Ok("no table, device, include, file or package".to_owned());
    }
    Err(left.replace('\n', " "))
}
