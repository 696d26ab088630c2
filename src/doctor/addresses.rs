// SPDX-License-Identifier: GPL-2.0-or-later
//! Devices, addresses and routes as the kernel has them.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, socket};

use crate::handler::State;
use crate::status::Interface;

use super::facts::Address;
use super::read::read;

pub(super) fn device(name: &str) -> Option<(bool, u16)> {
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
pub(super) fn address(wanted: Ipv6Addr) -> Option<Address> {
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
pub(super) fn on_us(addresses: &[(Ipv4Addr, u8)]) -> Vec<String> {
    addresses
        .iter()
        .filter(|(address, _)| may_bind(*address) != Err(Errno::EADDRNOTAVAIL))
        .map(|(address, len)| format!("{address}/{len}"))
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
pub(super) fn has_default(interface: &Interface<'_>, state: Option<&State>) -> bool {
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
