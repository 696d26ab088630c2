// SPDX-License-Identifier: GPL-2.0-or-later
//! Which way the kernel would send a packet. Numbers are those of
//! `linux/rtnetlink.h`.

use std::fmt;
use std::io;
use std::net::Ipv6Addr;

use nix::sys::socket::SockProtocol;

use crate::netfilter::netlink::{self, Netfilter, attribute};

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

/// The route to `address`, as anybody may ask for it. `from` matters if
/// routes depend on the source, as OpenWrt's do.
///
/// # Errors
/// The network is unreachable, or the kernel has no IPv6.
pub fn route_to(address: Ipv6Addr, from: Option<Ipv6Addr>) -> io::Result<Route6> {
    let from_len = if from.is_some() { 128 } else { 0 };
    // struct rtmsg: family, lengths of destination and source, all else 0.
    let mut body = vec![AF_INET6, 128, from_len, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    body.extend_from_slice(&attribute(1, &address.octets()));
    if let Some(from) = from {
        body.extend_from_slice(&attribute(2, &from.octets()));
    }
    let answer = ask(GET_ROUTE, &body)?;
    let (index, gateway) = read(&answer).ok_or(io::ErrorKind::InvalidData)?;
    let device = match nix::net::if_::if_indextoname(index) {
        Ok(name) => name.to_string_lossy().into_owned(),
        Err(_) => format!("interface {index}"),
    };
    Ok(Route6 { gateway, device })
}

/// One question, one answer: what follows netlink's header.
fn ask(kind: u16, body: &[u8]) -> io::Result<Vec<u8>> {
    let routing = Netfilter::speaking(SockProtocol::NetlinkRoute)?;
    let mut request = (16 + body.len() as u32).to_ne_bytes().to_vec();
    request.extend_from_slice(&kind.to_ne_bytes());
    request.extend_from_slice(&netlink::REQUEST.to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    request.extend_from_slice(body);
    routing.send(&request)?;
    let mut buffer = vec![0; 4096];
    let len = routing.receive(&mut buffer)?;
    match netlink::messages(buffer.get(..len).unwrap_or_default()).next() {
        Some((netlink::NLMSG_ERROR, payload)) => {
            netlink::verdict(payload)?;
            Err(io::ErrorKind::InvalidData.into())
        }
        Some((_, payload)) => Ok(payload.to_vec()),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn read(body: &[u8]) -> Option<(u32, Option<Ipv6Addr>)> {
    let attributes = body.get(12..)?;
    let index = u32::from_ne_bytes(netlink::array(netlink::find(attributes, 4)?, 0)?);
    let gateway = netlink::find(attributes, 5).and_then(|value| netlink::array::<16>(value, 0));
    Some((index, gateway.map(Ipv6Addr::from)))
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
        let whole = [vec![0; 12], attribute(4, &[1, 0, 0, 0])].concat();
        assert_eq!(read(&whole), Some((u32::from_ne_bytes([1, 0, 0, 0]), None)));
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]), None);
        }
    }
}
