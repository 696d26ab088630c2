// SPDX-License-Identifier: GPL-2.0-or-later
//! DS-Lite (RFC 6333): packets go to the AFTR as they are, and it translates.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::Ipv6Net;

use super::error::{MechanismError, check_remote};
use crate::endpoint::DnsName;
use crate::map::{Dialect, Psid};

/// A DS-Lite line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DsLite {
    end_user: Ipv6Net,
    aftr: Ipv6Addr,
    name: Option<DnsName>,
}

impl DsLite {
    /// The IPv4 address of every B4 (RFC 6333 section 5.7).
    pub const B4: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 2);

    /// The line with that end-user prefix, or single address, and AFTR.
    ///
    /// # Errors
    /// Nothing can be sent to the AFTR's address, or it is ours.
    pub fn new(end_user: Ipv6Net, aftr: Ipv6Addr) -> Result<Self, MechanismError> {
        let line = DsLite {
            end_user,
            aftr,
            name: None,
        };
        check_remote(aftr, line.ce_address())?;
        Ok(line)
    }

    /// The same line, whose AFTR was provisioned as `name`.
    #[must_use]
    pub fn named(self, name: Option<DnsName>) -> Self {
        DsLite { name, ..self }
    }

    /// The prefix, or single address, that the B4's address is in.
    pub fn end_user(&self) -> Ipv6Net {
        self.end_user
    }

    /// The AFTR.
    pub fn aftr(&self) -> Ipv6Addr {
        self.aftr
    }

    /// The name that the AFTR was found by; `None` if its address is
    /// provisioned.
    pub fn name(&self) -> Option<&DnsName> {
        self.name.as_ref()
    }

    /// The B4's IPv6 address: an AFTR takes any of the subscriber's. It is
    /// formed like that of a CE with the B4's IPv4 address (RFC 7597 section
    /// 6), so that it stays the same as long as the prefix does.
    pub fn ce_address(&self) -> Ipv6Addr {
        Dialect::Rfc7597.ce_address(self.end_user, Self::B4, Psid::NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_the_first_64_or_is_the_only_one() {
        let aftr = "2001:db8:ffff::1".parse().unwrap();
        let ce = |prefix: &str| {
            let line = DsLite::new(prefix.parse().unwrap(), aftr).unwrap();
            line.ce_address().to_string()
        };
        assert_eq!(ce("2001:db8:12:3400::/56"), "2001:db8:12:3400:0:c000:2:0");
        assert_eq!(ce("2001:db8::5/128"), "2001:db8::5");
    }

    #[test]
    fn an_aftr_that_cannot_be() {
        let prefix = "2001:db8:12:3400::/56".parse().unwrap();
        let says = |aftr: &str| {
            let error = DsLite::new(prefix, aftr.parse().unwrap()).unwrap_err();
            error.to_string()
        };
        assert_eq!(
            says("ff02::1"),
            "ff02::1 cannot be the far end of a tunnel: a multicast address cannot be used"
        );
        assert!(says("2001:db8:12:3400:0:c000:2:0").ends_with("own address on the line"));
    }
}
