// SPDX-License-Identifier: GPL-2.0-or-later
//! Whose line it is, and what that means for a tunnel.

use super::link::PROVISIONED;
use super::provisioned::Provisioned;
use crate::provider::{EncapLimit, OtherLine, Provider};

/// A provider or a line without MAP.
pub struct Owner {
    /// Id in the provider table, or [`PROVISIONED`].
    pub id: String,
    /// The name people know.
    pub name: String,
    /// Largest MTU of the tunnel in bytes.
    pub mtu: Option<u16>,
    /// The encapsulation limit that its BRs put up with, if that is known.
    pub encap_limit: Option<EncapLimit>,
}

impl From<&Provider> for Owner {
    fn from(provider: &Provider) -> Self {
        Owner {
            id: provider.id().to_owned(),
            name: provider.name().to_owned(),
            mtu: provider.mtu(),
            encap_limit: Some(provider.encap_limit()),
        }
    }
}

impl From<&OtherLine> for Owner {
    fn from(line: &OtherLine) -> Self {
        Owner {
            id: line.id().to_owned(),
            name: line.name().to_owned(),
            mtu: line.mtu(),
            encap_limit: None,
        }
    }
}

impl From<&Provisioned> for Owner {
    fn from(provisioned: &Provisioned) -> Self {
        Owner {
            id: PROVISIONED.to_owned(),
            name: provisioned.name(),
            mtu: None,
            // HB46PP has no key for it; the BRs of those who use it want none.
            encap_limit: Some(EncapLimit::Ignore),
        }
    }
}
