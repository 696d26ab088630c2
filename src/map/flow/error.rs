// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be wrong with a flow.

use std::net::{Ipv6Addr, SocketAddrV4};

use super::super::address::Dialect;

/// Why a flow does not exist in a domain, or is not what it claims to be.
///
/// ```
/// # use mape::map::{Dialect, Domain, MapType, Relay, RuleSpec};
/// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
/// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
/// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
/// # let relay = Relay::new(&domain);
/// let error = relay.outer("192.0.2.18:80".parse()?, "198.51.100.1:443".parse()?);
/// assert_eq!(
///     error.unwrap_err().to_string(),
///     "port 80 belongs to no CE: with PSID offset 6 ports below 1024 are nobody's"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// Neither end is a CE of this domain.
    #[error("neither {0} nor {1} belongs to a CE under these rules")]
    NoCe(String, String),
    /// The address is shared, but nobody has that port.
    #[error("port {0} belongs to no CE: with PSID offset {1} ports below {2} are nobody's")]
    NobodysPort(u16, u8, u32),
    /// The binding of lw4o6, or a provisioned PSID, is another.
    #[error("port {0} has PSID {1}, the rule is for PSID {2}")]
    OtherPsid(u16, u16, u16),
    /// There is nowhere to send it.
    #[error("the rule has no br and no dmr: add br=ADDRESS (MAP-E, lw4o6) or dmr=PREFIX (MAP-T)")]
    NoBorder,
    /// An IPv6 address is neither a CE's nor the border's.
    #[error("{0} is neither under a rule IPv6 prefix nor the BR or under the DMR")]
    Stranger(Ipv6Addr),
    /// The identifier is laid out as the other dialect does it.
    #[error("{address} has its interface identifier as {found} has it, these rules are {expected}")]
    OtherDialect {
        /// The address at hand.
        address: Ipv6Addr,
        /// How it is laid out.
        found: Dialect,
        /// How it should be.
        expected: Dialect,
    },
    /// Prefix and interface identifier contradict each other: forged, or a CE
    /// that computes wrongly.
    #[error("{address} is not what a CE there uses: its prefix makes it {expected}")]
    Identifier {
        /// The address at hand.
        address: Ipv6Addr,
        /// The address of the CE with that prefix.
        expected: Ipv6Addr,
    },
    /// The IPv6 source is not the one its IPv4 source and port belong to.
    #[error("spoofed: {inner} must come from {expected}, not from {found}")]
    Spoofed {
        /// IPv4 source and port.
        inner: SocketAddrV4,
        /// The IPv6 source it should have.
        expected: Ipv6Addr,
        /// The IPv6 source it has.
        found: Ipv6Addr,
    },
}
