// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a tunnel without MAP cannot be.

use std::net::Ipv6Addr;

use ipnet::Ipv4Net;

use crate::endpoint::{AddressError, check_ipv6};
use crate::reason::{Reason, Tell, said, sentence};

/// Why a tunnel of DS-Lite or IPIP cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MechanismError {
    /// An address that cannot be the far end of a tunnel.
    Remote {
        /// The address.
        address: Ipv6Addr,
        /// Why not.
        error: AddressError,
    },
    /// The far end has our own address.
    Own(Ipv6Addr),
    /// An IPv4 address that no subscriber can have.
    Ipv4 {
        /// The address or block.
        ipv4: Ipv4Net,
        /// Why not.
        error: AddressError,
    },
}

impl Tell for MechanismError {
    fn reason(&self) -> Reason {
        match self {
            Self::Remote { address, error } => said!(
                "mechanism_remote",
                "{address} cannot be the far end of a tunnel: {reason}",
                address,
                error
            ),
            Self::Own(address) => said!(
                "mechanism_own",
                "{address} cannot be the far end of a tunnel: it is this router's own address on the line",
                address
            ),
            Self::Ipv4 { ipv4, error } => {
                said!("mechanism_ipv4", "ipaddr {address}: {reason}", ipv4, error)
            }
        }
    }
}

sentence!(MechanismError);

/// Checks that `remote` can be the far end of a tunnel from `local`.
pub(super) fn check_remote(remote: Ipv6Addr, local: Ipv6Addr) -> Result<(), MechanismError> {
    check_ipv6(remote).map_err(|error| MechanismError::Remote {
        address: remote,
        error,
    })?;
    match remote == local {
        true => Err(MechanismError::Own(remote)),
        false => Ok(()),
    }
}
