// SPDX-License-Identifier: GPL-2.0-or-later
//! Which way the kernel would send a packet. Numbers are those of
//! `linux/rtnetlink.h`.

use std::fmt;
use std::io;
use std::net::Ipv6Addr;

use nix::sys::socket::SockProtocol;

use super::netlink::{Question, attribute, encode};

/// `RTM_GETROUTE`.
const GET_ROUTE: u16 = 26;
const AF_INET6: u8 = 10;

/// A route to an IPv6 address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route6 {
    /// The next router, unless the address is on the link.
    pub gateway: Option<Ipv6Addr>,
    /// The device packets leave by.
    pub device: String,
}

impl fmt::Display for Route6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(gateway) = self.gateway {
            write!(f, "via {gateway} ")?;
        }
        write!(f, "dev {}", self.device)
    }
}

/// The route to `address`, as anybody may ask for it. `from` matters where
/// routes depend on the source, as OpenWrt's do.
///
/// # Errors
/// The network is unreachable, or the kernel has no IPv6.
pub fn route_to(address: Ipv6Addr, from: Option<Ipv6Addr>) -> io::Result<Route6> {
    let from_len = if from.is_some() { 128 } else { 0 };
    // struct rtmsg: family, lengths of destination and source, all else 0.
    let mut body = vec![AF_INET6, 128, from_len, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    body.extend(encode(1, &address.octets()));
    if let Some(from) = from {
        body.extend(encode(2, &from.octets()));
    }
    let question = Question {
        protocol: SockProtocol::NetlinkRoute,
        kind: GET_ROUTE,
        flags: 0,
        body,
    };
    let mut route = None;
    question.ask(|body| route = read(body))?;
    let (index, gateway) = route.ok_or(io::ErrorKind::InvalidData)?;
    Ok(Route6 {
        gateway,
        device: nix::net::if_::if_indextoname(index)
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_else(|_| format!("interface {index}")),
    })
}

fn read(body: &[u8]) -> Option<(u32, Option<Ipv6Addr>)> {
    let attributes = body.get(12..)?;
    let index = u32::from_ne_bytes(*attribute(attributes, 4)?.first_chunk()?);
    let gateway = attribute(attributes, 5).and_then(|value| value.first_chunk::<16>());
    Some((index, gateway.map(|octets| Ipv6Addr::from(*octets))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ourselves_are_reached_through_lo() {
        let route = route_to(Ipv6Addr::LOCALHOST, None).unwrap();
        assert_eq!(route.to_string(), "dev lo");
    }

    #[test]
    fn cut_answers_are_none() {
        let whole = [vec![0; 12], encode(4, &[1, 0, 0, 0])].concat();
        assert_eq!(read(&whole), Some((u32::from_ne_bytes([1, 0, 0, 0]), None)));
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]), None);
        }
    }
}
