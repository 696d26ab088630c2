// SPDX-License-Identifier: GPL-2.0-or-later
//! Looks for the facts. Sends nothing but a few echo requests to the BR and to
//! the address that was asked for.

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, socket};

use crate::firewall::Section;
use crate::handler::{State, uplink_mtu};
use crate::map::{Border, MapType, Mapping, Psid};
use crate::nat::PortList;
use crate::netfilter::{self, Chain};
use crate::paths::{read_lossy, rooted, run_dir, stems_in};
use crate::provider::{self, Verdict};

use super::ping::ping;
use super::route::route_to;
use super::{Address, Facts, Known, Offer, Uplink, reason};
use crate::status::netifd::has_default_route;
use crate::status::{Interface, LineUp, World};

/// What there is to know about `interface`.
pub fn gather<'a>(interface: &'a Interface<'_>, probe: Option<Ipv6Addr>) -> Facts<'a> {
    let world = interface.world();
    let line = interface.line.as_ref();
    let state = line.map(|line| line.state);
    let mapping = state.map(|state| &state.mapping);
    let (uplink, offer) = uplink(interface, state);
    let br = mapping.and_then(target);
    let ce = mapping.map(Mapping::ce_address);
    let chains = netfilter::chains().ok();
    let known = offer.as_ref();
    let known = known.map_or(Known::No, |offer| known_line(offer, mapping));
    let map_type = mapping.map_or(MapType::MapE, Mapping::map_type);
    let usage = line.and_then(|line| line.usage.as_ref());
    let netifd = interface.known;
    Facts {
        interface: interface.name,
        root: nix::unistd::Uid::effective().is_root(),
        bus: world.dump.is_some(),
        phase: interface.phase,
        error: interface.error.as_ref(),
        uplink,
        offer,
        known,
        psids: mapping.and_then(|mapping| psids(interface, mapping)),
        br_route: br.map(|br| route(br, ce)),
        br_reply: br.filter(|_| is_tunnel(map_type)).map(|br| ping(br, ce)),
        probe: probe.map(|address| (address, ping(address, None))),
        ce: ce.and_then(address),
        device: state.and_then(|state| device(&state.device)),
        ipv4: netifd.map(|known| on_us(&known.ipv4)).unwrap_or_default(),
        default4: netifd.is_some_and(has_default_route) && has_default(interface, state),
        no_default: interface.config.and_then(|c| c.flag("defaultroute")) == Some(false),
        offload: offload(world),
        foreign: line.map(foreign).unwrap_or_default(),
        example: line.and_then(example),
        missing: missing(map_type, state.is_some()),
        conflicts: conflicts(chains.as_deref().unwrap_or_default()),
        chains,
        traffic: line.and_then(|line| line.traffic),
        dropped: line.and_then(|line| line.dropped),
        used: usage.map(|usage| usage.max()),
        free: line.map_or(0, LineUp::free),
        busiest: usage
            .and_then(|usage| usage.hosts().first())
            .map(|host| (host.address, world.name_of(host.address), host.total())),
        state,
    }
}

fn is_tunnel(map_type: MapType) -> bool {
    map_type != MapType::MapT
}

/// The address that stands for the border: the BR, or the DMR's network.
fn target(mapping: &Mapping) -> Option<Ipv6Addr> {
    match mapping.border()? {
        Border::Br(br) => Some(br),
        Border::Dmr(dmr) => Some(dmr.prefix().network()),
    }
}

fn uplink(interface: &Interface<'_>, state: Option<&State>) -> (Option<Uplink>, Option<Offer>) {
    let (name, candidate) = interface.uplink();
    // What the tunnel runs over now counts more than what would be chosen.
    let name = state.map(|state| state.uplink.clone()).or(name);
    let dump = interface.world().dump.as_ref();
    let found = name.map(|name| {
        let known = dump.and_then(|dump| dump.find(&name));
        let device = known.and_then(|known| known.l3_device.as_deref());
        Uplink {
            name,
            up: known.is_some_and(|known| known.up),
            mtu: device.and_then(uplink_mtu),
            device: device.map(str::to_owned),
        }
    });
    let offer = match (state, candidate) {
        (Some(state), candidate) => Some(Offer {
            prefix: state.mapping.end_user(),
            source: state.prefix_source.clone(),
            deprecated: candidate
                .is_some_and(|c| c.deprecated && c.prefix == state.mapping.end_user()),
        }),
        (None, Some(candidate)) => Some(Offer {
            prefix: candidate.prefix,
            source: candidate.source.as_str().into(),
            deprecated: candidate.deprecated,
        }),
        (None, None) => None,
    };
    (found, offer)
}

fn read(path: &str) -> Option<String> {
    Some(read_lossy(rooted(path)).ok()?.trim().to_owned())
}

fn device(name: &str) -> Option<(bool, u16)> {
    /// `IFF_UP`.
    const UP: u32 = 1;
    if name.contains('/') {
        return None;
    }
    let flags = read(&format!("/sys/class/net/{name}/flags"))?;
    let flags = u32::from_str_radix(flags.strip_prefix("0x")?, 16).ok()?;
    let mtu = read(&format!("/sys/class/net/{name}/mtu"))?.parse().ok()?;
    Some((flags & UP != 0, mtu))
}

/// `/proc/net/if_inet6`: address, index, length, scope, flags, device.
fn address(wanted: Ipv6Addr) -> Option<Address> {
    /// `IFA_F_DADFAILED`.
    const DADFAILED: u32 = 0x08;
    /// `IFA_F_TENTATIVE`.
    const TENTATIVE: u32 = 0x40;
    let mut digits = String::new();
    for octet in wanted.octets() {
        let _ = write!(digits, "{octet:02x}");
    }
    let text = read("/proc/net/if_inet6")?;
    let line = text.lines().find(|line| line.starts_with(&digits))?;
    let mut words = line.split_ascii_whitespace().skip(4);
    let flags = u32::from_str_radix(words.next()?, 16).ok()?;
    Some(Address {
        device: words.next()?.to_owned(),
        tentative: flags & TENTATIVE != 0,
        duplicate: flags & DADFAILED != 0,
    })
}

/// Those of netifd's addresses that the kernel has, too.
fn on_us(addresses: &[(Ipv4Addr, u8)]) -> Vec<String> {
    let here = |(address, _): &&(Ipv4Addr, u8)| may_bind(*address) != Err(Errno::EADDRNOTAVAIL);
    let here = addresses.iter().filter(here);
    here.map(|(address, len)| format!("{address}/{len}"))
        .collect()
}

fn may_bind(address: Ipv4Addr) -> Result<(), Errno> {
    let (kind, flags) = (SockType::Datagram, SockFlag::SOCK_CLOEXEC);
    let socket = socket(AddressFamily::Inet, kind, flags, None)?;
    let place = SockaddrIn::from(SocketAddrV4::new(address, 0));
    bind(socket.as_raw_fd(), &place)
}

/// Whether the default route that netifd knows of is in the kernel's main
/// table; one that belongs into another table is not looked for.
fn has_default(interface: &Interface<'_>, state: Option<&State>) -> bool {
    let (Some(state), None) = (state, interface.option("ip4table")) else {
        return true;
    };
    read("/proc/net/route").is_none_or(|table| is_default_in(&table, &state.device))
}

/// `/proc/net/route`: device, destination and five others, mask.
fn is_default_in(table: &str, device: &str) -> bool {
    const ANY: &str = "00000000";
    table.lines().any(|line| {
        let mut words = line.split_ascii_whitespace();
        let is_ours = words.next() == Some(device) && words.next() == Some(ANY);
        is_ours && words.nth(5) == Some(ANY)
    })
}

fn known_line(offer: &Offer, mapping: Option<&Mapping>) -> Known {
    let loaded = provider::load(rooted(""));
    let verdict = loaded.table.lookup_line(&offer.prefix);
    if let Verdict::Map(found) | Verdict::Unconfirmed(found) = verdict {
        let border = found.border().map(|border| match border {
            Border::Br(br) => br.to_string(),
            Border::Dmr(dmr) => dmr.to_string(),
        });
        return Known::Map {
            id: found.provider().id().to_owned(),
            name: found.provider().name().to_owned(),
            dialect: found.provider().dialect(),
            border,
            same: mapping.is_some_and(|mapping| {
                let domain = found.domain(false).ok();
                let theirs = domain.and_then(|d| d.map(&[mapping.end_user()]).ok());
                let what = |m: &Mapping| (m.ce_address(), m.ipv4(), m.ports(), m.border());
                theirs.is_some_and(|theirs| what(&theirs) == what(mapping))
            }),
        };
    }
    match verdict.refusal(&offer.prefix) {
        Some(refusal) => Known::Refused(refusal.to_string()),
        None => Known::No,
    }
}

/// A PSID that is configured though the EA bits hold one too, and that one.
fn psids(interface: &Interface<'_>, mapping: &Mapping) -> Option<(Psid, u16)> {
    let rule = mapping.bmr();
    let psid = rule.provisioned_psid()?;
    let ea_len: u8 = interface.option("ealen")?.parse().ok()?;
    let end_user = mapping.end_user();
    let end = rule.end_user_len().checked_add(psid.len())?;
    if mapping.map_type() == MapType::Lw4o6 || ea_len <= rule.ea_len() {
        return None;
    }
    if end_user.prefix_len() < end {
        return None;
    }
    // What holds a PSID is a /64 or shorter.
    let bits = (end_user.network().to_bits() >> 64) as u64;
    let bits = bits.checked_shr(u32::from(64u8.checked_sub(end)?))?;
    let mask = (1u64 << psid.len()) - 1;
    let found = (bits & mask) as u16;
    (found != psid.value()).then_some((psid, found))
}

fn route(br: Ipv6Addr, ce: Option<Ipv6Addr>) -> Result<(String, String), String> {
    match route_to(br, ce) {
        Ok(route) => Ok((route.to_string(), route.device)),
        Err(error) => Err(reason(&error)),
    }
}

fn offload(world: &World) -> (bool, bool) {
    let sections = Section::parse_all(&world.firewall);
    let Some(defaults) = sections.iter().find(|s| s.kind() == "defaults") else {
        return (false, false);
    };
    let on = |key| defaults.flag(key) == Some(true);
    (on("flow_offloading"), on("flow_offloading_hw"))
}

/// Forwards whose ports are not all ours, and those that are not.
fn foreign(line: &LineUp<'_>) -> Vec<(String, String)> {
    let set = PortList::from(line.state.mapping.ports());
    let mut all = Vec::new();
    for forward in line.forwards.iter().filter(|forward| forward.redirect) {
        let left = PortList::from_iter([forward.ports]).minus(&set);
        if let Some(first) = left.ranges().next() {
            let found = (forward.title(), first.to_string());
            if all.last() != Some(&found) {
                all.push(found);
            }
        }
    }
    all
}

/// A port nobody has taken.
fn example(line: &LineUp<'_>) -> Option<u16> {
    let taken = line.forwarded().union(&line.reserved);
    let free = PortList::from(line.state.mapping.ports()).minus(&taken);
    let mut ranges = free.ranges();
    let range = ranges.find(|range| range.last() >= 1024)?;
    Some(range.first().max(1024))
}

const NF_TABLES: (&str, &str) = ("nf_tables", "kmod-nft-core");
const NFT_NAT: (&str, &str) = ("nft_nat", "kmod-nft-nat");

/// Packages without which this type does not work.
fn missing(map_type: MapType, is_up: bool) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    if !exists("/usr/sbin/nft") && !exists("/sbin/nft") {
        missing.push(("nftables".into(), "the program nft".into()));
    }
    // What works is there, in whatever form.
    if is_up {
        return missing;
    }
    let wanted = match is_tunnel(map_type) {
        true => [("ip6_tunnel", "kmod-ip6-tunnel"), NF_TABLES, NFT_NAT],
        false => [("nat46", "kmod-nat46"), NF_TABLES, NFT_NAT],
    };
    let release = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    let modules = format!("/lib/modules/{release}");
    for (module, package) in &wanted {
        if !has_module(&modules, module) {
            missing.push(((*package).into(), format!("kernel module {module}")));
        }
    }
    missing
}

fn exists(path: &str) -> bool {
    rooted(path).exists()
}

/// Whether a module is loaded, built in or on disk. OpenWrt has all modules in
/// one directory; where there is none at all, nothing can be said.
fn has_module(modules: &str, name: &str) -> bool {
    if !exists(modules)
        || exists(&format!("/sys/module/{name}"))
        || exists(&format!("{modules}/{name}.ko"))
    {
        return true;
    }
    let file = format!("/{name}.ko");
    let list = |name| read(&format!("{modules}/{name}")).unwrap_or_default();
    list("modules.builtin").contains(&file)
        || list("modules.dep").lines().any(|line| {
            let path = line.split(':').next().unwrap_or_default();
            path.contains(&file) && exists(&format!("{modules}/{path}"))
        })
}

/// Other programs that want the same interfaces, and what they left behind.
fn conflicts(chains: &[Chain]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut note = |seen: String, remedy: &str| found.push((seen, remedy.to_owned()));
    let reinstall = "remove the package map, then install mape again";
    for path in &["/lib/netifd/proto/map.sh", "/usr/sbin/mapcalc"] {
        if fs::symlink_metadata(rooted(path)).is_ok_and(|found| found.is_file()) {
            note(
                format!("{path} is not ours but the stock package's or a patched one"),
                reinstall,
            );
        }
    }
    let apk = read("/lib/apk/db/installed").unwrap_or_default();
    if exists("/usr/lib/opkg/info/map.control") || apk.lines().any(|line| line == "P:map") {
        note("the stock package map is installed".into(), reinstall);
    }
    if chains.iter().any(|chain| chain.table == "mape") {
        note(
            "table inet mape of a patched map.sh is loaded and rewrites our packets".into(),
            "nft delete table inet mape, and remove the script that makes it",
        );
    }
    // State files that cannot be used.
    for interface in stems_in(&run_dir(), "json").unwrap_or_default() {
        if let Err(error) = State::load(&interface) {
            note(error.to_string(), "run ifup for that interface");
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_route_of_a_device() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n\
            map-wan\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n\
            br-lan\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            half\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n";
        let found = ["map-wan", "br-lan", "half", "eth1"].map(|d| is_default_in(table, d));
        assert_eq!(found, [true, false, false, false]);
    }

    #[test]
    fn addresses_that_are_gone_from_the_kernel() {
        let known = [([127, 0, 0, 1].into(), 8), ([198, 51, 100, 77].into(), 32)];
        assert_eq!(on_us(&known), ["127.0.0.1/8"]);
    }
}
