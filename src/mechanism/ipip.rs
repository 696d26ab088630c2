// SPDX-License-Identifier: GPL-2.0-or-later
//! A fixed IPv4 address, or block of them, in a tunnel of IPv4 in IPv6
//! (RFC 2473).

use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};

use super::error::{MechanismError, check_remote};
use super::identifier::InterfaceId;
use crate::endpoint::check_ipv4;

/// A line with a fixed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpIp {
    end_user: Ipv6Net,
    ce_address: Ipv6Addr,
    ipv4: Ipv4Net,
    br: Ipv6Addr,
}

impl IpIp {
    /// The line with that end-user prefix, address or block, and BR; `id` makes
    /// the CE's address.
    ///
    /// # Errors
    /// An address cannot be what it would be used for.
    pub fn new(
        end_user: Ipv6Net,
        id: InterfaceId,
        ipv4: Ipv4Net,
        br: Ipv6Addr,
    ) -> Result<Self, MechanismError> {
        let ce_address = id.address(end_user, ipv4.network());
        Self::with_address(end_user, ce_address, ipv4, br)
    }

    /// The line whose CE has that very address in `end_user`.
    ///
    /// # Errors
    /// An address cannot be what it would be used for.
    pub fn with_address(
        end_user: Ipv6Net,
        ce_address: Ipv6Addr,
        ipv4: Ipv4Net,
        br: Ipv6Addr,
    ) -> Result<Self, MechanismError> {
        check_ipv4(ipv4.addr()).map_err(|error| MechanismError::Ipv4 { ipv4, error })?;
        check_remote(br, ce_address)?;
        Ok(IpIp {
            end_user,
            ce_address,
            ipv4,
            br,
        })
    }

    /// The prefix, or single address, that the CE's address is in.
    pub fn end_user(&self) -> Ipv6Net {
        self.end_user
    }

    /// Our end of the tunnel.
    pub fn ce_address(&self) -> Ipv6Addr {
        self.ce_address
    }

    /// The address, or the block with the address that packets of other hosts
    /// leave with.
    pub fn ipv4(&self) -> Ipv4Net {
        self.ipv4
    }

    /// The BR.
    pub fn br(&self) -> Ipv6Addr {
        self.br
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_of_a_block_forms_the_ce_address() {
        let line = IpIp::new(
            "2001:db8:7:100::/56".parse().unwrap(),
            InterfaceId::Draft03,
            "203.0.113.97/29".parse().unwrap(),
            "2001:db8:ffff::1".parse().unwrap(),
        )
        .unwrap();
        assert_eq!(line.ce_address().to_string(), "2001:db8:7:100:cb:71:6000:0");
        assert_eq!(line.ipv4().addr().to_string(), "203.0.113.97");
    }

    #[test]
    fn addresses_that_cannot_be() {
        let says = |ipv4: &str, br: &str| {
            let (ipv4, br) = (ipv4.parse().unwrap(), br.parse().unwrap());
            let prefix = "2001:db8:7:100::/56".parse().unwrap();
            let line = IpIp::new(prefix, InterfaceId::Bits(1), ipv4, br);
            line.unwrap_err().to_string()
        };
        let br = "2001:db8:ffff::1";
        assert!(says("127.0.0.1/32", br).starts_with("ipaddr 127.0.0.1/32: a loopback"));
        assert!(says("192.0.2.1/32", "::1").starts_with("::1 cannot be"));
        assert!(says("192.0.2.1/32", "2001:db8:7:100::1").ends_with("on the line"));
    }
}
