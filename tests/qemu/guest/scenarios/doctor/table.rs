// SPDX-License-Identifier: GPL-2.0-or-later
//! A row or more for each check of `mape doctor`: what is broken on the router or beyond,
//! what the doctor says of it, and how it is mended.

use super::super::expect;
use super::clinic::{Clinic, LINE, NEIGHBOUR};
use crate::Result;
use crate::guest::topology::TUNNEL;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// A fault made on purpose.
pub struct Row {
    pub check: &'static str,
    pub verdict: &'static str,
    /// Part of what is seen and of what to do.
    pub says: &'static str,
    pub fault: &'static str,
    pub make: fn(&Clinic) -> Result<()>,
    pub mend: fn(&Clinic) -> Result<()>,
}

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    Row { check: "uplink", verdict: "fail", says: "wan6 is not up",
        fault: "the uplink goes down",
        make: |c| { c.router.uplink(c.ce(), false)?; c.router.until_down() },
        mend: |c| { c.router.uplink(c.ce(), true)?; c.until_up() } },
    Row { check: "prefix", verdict: "fail", says: "has no IPv6 prefix",
        fault: "the uplink has an address and no prefix",
        make: |c| { c.router.uplink_mask(128); c.delegate(None)?; c.router.until_down() },
        mend: |c| { c.router.uplink_mask(64); c.delegate(Some(&prefix()))?; c.until_up() } },
    Row { check: "provider", verdict: "fail", says: "2001:db8:1200:3400::/56 belongs to no known provider",
        fault: "the prefix of a provider nobody knows",
        make: |c| { c.delegate(Some("2001:db8:1200:3400::"))?; c.router.until_error("MAPE_UNKNOWN_PROVIDER") },
        mend: |c| { c.delegate(Some(&prefix()))?; c.until_up() } },
    Row { check: "asked", verdict: "warn", says: "4over6.info",
        fault: "a line that nobody knows, and a resolver that does not say what it is",
        make: unanswered,
        mend: |c| { c.router.uplink_dns(&[]); c.delegate(Some(&prefix()))?; c.until_up() } },
    Row { check: "rule", verdict: "fail", says: "ealen 99",
        fault: "a rule that contradicts itself",
        make: |c| { c.configure(&by_hand(&[("legacymap", "1"), ("ealen", "99")]))?;
            c.router.until_error("MAPE_INVALID_CONFIG") },
        mend: |c| c.configured(&[]) },
    Row { check: "dialect", verdict: "fail", says: "set option legacymap '1'",
        fault: "the rule by hand, and legacymap forgotten",
        make: |c| c.configured(&by_hand(&[])),
        mend: |c| c.configured(&[]) },
    Row { check: "aftr", verdict: "fail", says: "own DNS servers",
        fault: "DS-Lite with an AFTR whose name no resolver of the line knows",
        make: |c| { c.configure(&[("maptype", "ds-lite"), ("peeraddr", "aftr.lab.example")])?;
            c.router.until_error("MAPE_NAME_NOT_RESOLVED") },
        mend: |c| c.configured(&[]) },
    Row { check: "registration", verdict: "fail", says: "no DNS server",
        fault: "a fixed address whose update server cannot be found",
        make: unregistered,
        mend: |c| c.configured(&[]) },
    Row { check: "br_route", verdict: "fail", says: "nreachable",
        fault: "the IPv6 default route is gone",
        make: |c| c.ce().run(&["ip", "-6", "route", "flush", "exact", "default"]).map(drop),
        mend: |c| c.ce().ip("route add default via 2001:db8:0:1::1 dev wan proto static") },
    Row { check: "br_reply", verdict: "unknown", says: "does not answer ICMPv6 echo",
        fault: "a BR that answers no echo",
        make: |c| c.net.br.sysctl(&["net/ipv6/icmp/echo_ignore_all=1"]),
        mend: |c| c.net.br.sysctl(&["net/ipv6/icmp/echo_ignore_all=0"]) },
    Row { check: "probe", verdict: "warn", says: "2001:db8:0:1::1 does not answer",
        fault: "the address to probe answers no echo",
        make: |c| c.net.acc.sysctl(&["net/ipv6/icmp/echo_ignore_all=1"]),
        mend: |c| c.net.acc.sysctl(&["net/ipv6/icmp/echo_ignore_all=0"]) },
    Row { check: "ce_address", verdict: "fail", says: "is in use by another device on the line",
        fault: "another router on the link has the CE's address",
        make: duplicate,
        mend: unique },
    Row { check: "tunnel", verdict: "fail", says: "map-wanmap is down",
        fault: "the tunnel is set down",
        make: |c| c.ce().ip(&format!("link set dev {TUNNEL} down")),
        mend: |c| c.restart() },
    Row { check: "mtu", verdict: "warn", says: "set it to 1460",
        fault: "option mtu as large as the line",
        make: |c| c.configured(&[("mtu", "1500")]),
        mend: |c| c.configured(&[]) },
    Row { check: "mtu", verdict: "warn", says: "set option mtu_fix '1' in zone wan",
        fault: "a firewall zone without MSS clamping",
        make: |c| c.write("firewall", "config zone\n\toption name 'wan'\n\tlist network 'wanmap'\n"),
        mend: |c| c.write("firewall", "config zone\n\toption name 'wan'\n\toption mtu_fix '1'\n\tlist network 'wanmap'\n") },
    Row { check: "encaplimit", verdict: "fail", says: "set option encaplimit 'ignore'",
        fault: "packets carry an encapsulation limit",
        make: |c| c.configured(&[("encaplimit", "4")]),
        mend: |c| c.configured(&[]) },
    Row { check: "ipv4", verdict: "fail", says: "no IPv4 default route",
        fault: "somebody deletes the IPv4 default route behind netifd's back",
        make: |c| c.ce().ip(&format!("route del default dev {TUNNEL}")),
        mend: |c| c.restart() },
    Row { check: "nat", verdict: "fail", says: "table ip mape_wanmap is missing",
        fault: "our rules are deleted",
        make: |c| c.ce().nft("delete table ip mape_wanmap"),
        mend: firewall },
    Row { check: "edge", verdict: "fail", says: "table netdev mape_wanmap is missing",
        fault: "the edge map is deleted",
        make: |c| c.ce().nft("delete table netdev mape_wanmap"),
        mend: firewall },
    Row { check: "edge", verdict: "fail", says: "redirects what map-wanmap receives past the edge map",
        fault: "SQM was started, and nobody has told us",
        make: |c| c.ce().run(&["tc", "qdisc", "add", "dev", TUNNEL, "ingress"]).map(drop),
        mend: firewall },
    Row { check: "offload", verdict: "warn", says: "set option flow_offloading_hw '0'",
        fault: "hardware flow offloading is switched on",
        make: |c| c.write("firewall", "config defaults\n\toption flow_offloading '1'\n\toption flow_offloading_hw '1'\n"),
        mend: |c| c.write("firewall", "config defaults\n\toption flow_offloading '1'\n\toption flow_offloading_hw '0'\n") },
    Row { check: "forwards", verdict: "warn", says: "uses port 443, which is not in the port set",
        fault: "a forward of a port that is somebody else's",
        make: |c| c.write("firewall", &web(443)),
        mend: |c| c.write("firewall", &web(LINE.ranges()[0].0)) },
    Row { check: "upnp", verdict: "warn", says: "set option upnp '16' of wanmap",
        fault: "miniupnpd with the permissions it is installed with",
        make: |c| c.write("upnpd", UPNPD),
        mend: |c| c.write("upnpd", &UPNPD.replace("enabled '1'", "enabled '0'")) },
    Row { check: "packages", verdict: "fail", says: "install kmod-nft-nat",
        fault: "a kernel module is missing",
        make: take_module,
        mend: give_module },
    Row { check: "replies", verdict: "fail", says: "none received",
        fault: "the BR drops all tunnel packets",
        make: |c| { c.net.br.nft("table ip6 deaf {\n\tchain in {\n\t\ttype filter hook prerouting priority raw;\n\t\tmeta l4proto 4 drop\n\t}\n}\n")?;
            c.restart()?;
            c.datagrams(12).map(drop) },
        mend: |c| { c.net.br.nft("delete table ip6 deaf")?; c.traffic() } },
    Row { check: "ports", verdict: "fail", says: "192.168.1.11 has 23",
        fault: "one host takes nearly all ports",
        make: |c| c.datagrams(236).map(drop),
        mend: |c| c.forget() },
    Row { check: "conflicts", verdict: "fail", says: "nft delete table inet mape",
        fault: "the table of a patched map.sh is left over",
        make: |c| c.ce().nft("table inet mape {\n\tchain srcnat {\n\t\ttype nat hook postrouting priority 0;\n\t}\n}\n"),
        mend: |c| c.ce().nft("delete table inet mape") },
];

/// miniupnpd, enabled, with the permissions it is installed with.
/// miniupnpd as its package configures it.
pub const UPNPD: &str = "config upnpd 'config'\n\toption enabled '1'\n\
    config perm_rule\n\toption action 'allow'\n\toption ext_ports '1024-65535'\n\
    config perm_rule\n\toption action 'deny'\n\toption ext_ports '0-65535'\n";

fn prefix() -> String {
    LINE.prefix().to_string()
}

/// The provider's rule written into the configuration.
pub fn by_hand(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    const RULE: [(&str, &str); 10] = [
        ("provider", "none"),
        ("maptype", "map-e"),
        ("encaplimit", "ignore"),
        ("peeraddr", "2404:9200:225:100::64"),
        ("ipaddr", "106.72.0.0"),
        ("ip4prefixlen", "15"),
        ("ip6prefix", "240b:10::"),
        ("ip6prefixlen", "31"),
        ("psidlen", "8"),
        ("offset", "4"),
    ];
    let mut options = RULE.to_vec();
    if !more.iter().any(|(name, _)| *name == "ealen") {
        options.push(("ealen", "25"));
    }
    options.extend(more);
    options
}

/// What firewall4 does after a reload.
fn firewall(clinic: &Clinic) -> Result<()> {
    clinic.router.mape(clinic.ce(), &["firewall"]).map(drop)
}

fn web(port: u16) -> String {
    format!(
        "config zone\n\toption name 'wan'\n\toption mtu_fix '1'\n\tlist network 'wanmap'\n\
         config redirect\n\toption name 'web'\n\toption src 'wan'\n\toption proto 'tcp'\n\
         \toption src_dport '{port}'\n\toption dest_ip '192.168.1.11'\n"
    )
}

/// A line of no known provider, whose resolver is none.
fn unanswered(clinic: &Clinic) -> Result<()> {
    clinic.router.uplink_dns(&["2001:db8:0:1::1"]);
    clinic.delegate(Some("2001:db8:1200:3400::"))?;
    wait_for(clinic, "wanmap.hb46pp")
}

/// A line with a fixed address that tries to register it.
fn unregistered(clinic: &Clinic) -> Result<()> {
    clinic.configure(&[
        ("maptype", "ipip"),
        ("ipaddr", "192.0.2.8/29"),
        ("interfaceid", "::feed"),
        ("peeraddr", "2001:db8:ffff::102"),
        ("update_url", "v6plus"),
        ("username", "user"),
        ("password", "secret"),
    ])?;
    clinic.router.until_address("192.0.2.8")?;
    wait_for(clinic, "wanmap.registration")
}

/// Waits until the program has noted what came of an attempt.
fn wait_for(clinic: &Clinic, file: &str) -> Result<()> {
    let result = clinic.router.root().join("var/run/mape").join(file);
    for _ in 0..200 {
        if result.exists() {
            return Ok(());
        }
        sleep(Duration::from_millis(100));
    }
    Err(format!("there is no {file}: nothing was tried"))
}

fn duplicate(clinic: &Clinic) -> Result<()> {
    let address = LINE.ce_address();
    clinic
        .net
        .acc
        .ip(&format!("addr add {address}/128 dev ce nodad"))?;
    clinic.ce().sysctl(&["net/ipv6/conf/wan/accept_dad=1"])?;
    clinic.restart()?;
    // Until the kernel has made up its mind, the verdict is another.
    for _ in 0..50 {
        let found = clinic.examine()?;
        if found
            .of("ce_address")
            .is_some_and(|(verdict, _)| verdict != "warn")
        {
            break;
        }
        sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn unique(clinic: &Clinic) -> Result<()> {
    let address = LINE.ce_address();
    clinic
        .net
        .acc
        .ip(&format!("addr del {address}/128 dev ce"))?;
    clinic.ce().sysctl(&["net/ipv6/conf/wan/accept_dad=0"])?;
    clinic.restart()
}

const MODULE: &str = "nft_nat";

/// The file of the module, and where it is put meanwhile.
fn module() -> Result<(PathBuf, PathBuf)> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").map_err(|e| e.to_string())?;
    let folder = Path::new("/lib/modules").join(release.trim());
    let file = folder.join(format!("kernel/net/netfilter/{MODULE}.ko"));
    Ok((file, folder.join("taken.away")))
}

fn take_module(clinic: &Clinic) -> Result<()> {
    clinic.router.down(clinic.ce())?;
    clinic.ce().run(&["nft", "flush", "ruleset"])?;
    // What used it is freed a moment later.
    let unload = || clinic.ce().run(&["modprobe", "-r", MODULE]);
    let unloaded = (0..50).any(|_| {
        let done = unload().is_ok();
        sleep(Duration::from_millis(if done { 0 } else { 100 }));
        done
    });
    expect(unloaded, || format!("{MODULE} is in use: {:?}", unload()))?;
    let (file, away) = module()?;
    fs::rename(&file, away).map_err(|e| format!("{}: {e}", file.display()))?;
    clinic.ce().nft(&crate::guest::nat::firewall4("", ""))?;
    clinic.router.want(clinic.ce())?;
    clinic.router.until_error("MAPE_NAT_FAILED")
}

fn give_module(clinic: &Clinic) -> Result<()> {
    let (file, away) = module()?;
    fs::rename(away, file).map_err(|e| e.to_string())?;
    clinic.restart()
}

/// Nobody but the BR and the address to probe may be asked, twice at most.
pub fn packets(clinic: &Clinic) -> Result<String> {
    clinic.net.acc.nft(&format!(
        "table ip6 census {{
            counter br {{ }}
            counter probed {{ }}
            counter others {{ }}
            chain in {{
                type filter hook prerouting priority raw; policy accept;
                iifname != \"ce\" accept
                icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld2-listener-report }} accept
                icmpv6 type echo-request ip6 daddr {br} counter name br accept
                icmpv6 type echo-request ip6 daddr {NEIGHBOUR} counter name probed accept
                counter name others
            }}
        }}",
        br = LINE.br
    ))?;
    clinic.examine()?;
    let text = clinic
        .net
        .acc
        .run(&["nft", "list", "counters", "table", "ip6", "census"])?;
    let sent: Vec<u32> = text
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("packets ")?
                .split(' ')
                .next()?
                .parse()
                .ok()
        })
        .collect();
    let few = |count: &u32| (1..=2).contains(count);
    match sent.as_slice() {
        [br, probed, 0] if few(br) && few(probed) => Ok(format!("{br} to the BR, {probed} to it")),
        _ => Err(format!(
            "to the BR, to the address probed, to others: {sent:?}"
        )),
    }
}
