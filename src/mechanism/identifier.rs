// SPDX-License-Identifier: GPL-2.0-or-later
//! The interface identifier of a subscriber with a fixed IPv4 address.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::Ipv6Net;

use crate::map::{Dialect, Psid};
use crate::reason::{Reason, Tell, said, sentence};
use crate::sanitize::excerpt;

/// The last 64 bits of the CE's address, as `option interfaceid` gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InterfaceId {
    /// Derived from the IPv4 address as in draft-ietf-softwire-map-03, without
    /// a PSID. Of a block it is the first address that counts.
    Draft03,
    /// Those that the provider's letter says.
    Bits(u64),
}

/// A text that is no interface identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InterfaceIdError(String);

impl Tell for InterfaceIdError {
    fn reason(&self) -> Reason {
        said!(
            "interface_id",
            "interfaceid {value}: must be the last four groups of the address, such as 00c6:3364:7b00:0000 or ::feed, or draft-03",
            self.0
        )
    }
}

sentence!(InterfaceIdError);

impl InterfaceId {
    /// The address with this identifier in `prefix`, of which the first /64 is
    /// taken. A prefix that is longer keeps its bits.
    pub fn address(self, prefix: Ipv6Net, first: Ipv4Addr) -> Ipv6Addr {
        match self {
            InterfaceId::Draft03 => Dialect::Draft03.ce_address(prefix, first, Psid::NONE),
            InterfaceId::Bits(bits) => {
                let own = u128::from(bits) & prefix.hostmask().to_bits();
                Ipv6Addr::from_bits(prefix.network().to_bits() | own)
            }
        }
    }
}

impl FromStr for InterfaceId {
    type Err = InterfaceIdError;

    fn from_str(text: &str) -> Result<Self, InterfaceIdError> {
        if text == "draft-03" {
            return Ok(InterfaceId::Draft03);
        }
        let whole = match text.contains("::") {
            true => text.to_owned(),
            false => format!("::{text}"),
        };
        let groups = text.split(':').count();
        let bits = whole.parse::<Ipv6Addr>().ok().map(Ipv6Addr::to_bits);
        let bits = bits.and_then(|bits| u64::try_from(bits).ok());
        match bits {
            Some(bits) if bits != 0 && (text.contains("::") || groups == 4) => {
                Ok(InterfaceId::Bits(bits))
            }
            _ => Err(InterfaceIdError(excerpt(text))),
        }
    }
}

impl fmt::Display for InterfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InterfaceId::Draft03 => f.write_str("draft-03"),
            InterfaceId::Bits(bits) => {
                let groups = [48, 32, 16, 0].map(|shift| format!("{:04x}", (bits >> shift) as u16));
                f.write_str(&groups.join(":"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(id: &str, prefix: &str) -> String {
        let id: InterfaceId = id.parse().unwrap();
        let first = Ipv4Addr::new(203, 0, 113, 96);
        id.address(prefix.parse().unwrap(), first).to_string()
    }

    #[test]
    fn identifiers_of_letters() {
        let prefix = "2001:db8:7:100::/56";
        let feed = "2001:db8:7:100::feed";
        assert_eq!(address("::feed", prefix), feed);
        assert_eq!(address("0:0:0:feed", prefix), feed);
        assert_eq!(
            address("00c6:3364:7b00:0000", prefix),
            "2001:db8:7:100:c6:3364:7b00:0"
        );
    }

    /// The network address of a block, PSID 0.
    #[test]
    fn the_form_of_draft_03() {
        assert_eq!(
            address("draft-03", "2001:db8:7:100::/56"),
            "2001:db8:7:100:cb:71:6000:0"
        );
    }

    #[test]
    fn a_long_prefix_keeps_its_bits() {
        assert_eq!(address("::feed", "2001:db8::7/128"), "2001:db8::7");
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in [
            "",
            "feed",
            "::",
            "1:2:3",
            "1:2:3:4:5",
            "2001:db8::1",
            "::1:2:3:4:5",
            "0:0:0:0",
            "draft03",
            "x:y:z:w",
            "1:2:3:4/64",
        ] {
            assert!(bad.parse::<InterfaceId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_shown_is_read_again() {
        for text in ["draft-03", "00cb:0071:6000:0000"] {
            assert_eq!(text.parse::<InterfaceId>().unwrap().to_string(), text);
        }
    }
}
