// SPDX-License-Identifier: GPL-2.0-or-later
//! What keeps an interface from coming up, as people get to read it.

use std::fmt;
use std::ops::Deref;

use crate::reason::{Reason, Tell};
use crate::sanitize::one_line;

/// The codes netifd passes on; LuCI translates each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A rule contradicts itself or is incomplete (stock code).
    InvalidMapRule,
    /// The rules given match no prefix we have (stock code).
    NoMatchingPd,
    /// The protocol needs something this router does not have (stock code).
    UnsupportedType,
    /// An option is out of range.
    InvalidConfig,
    /// The uplink has no IPv6 prefix, or not yet.
    NoUplinkPrefix,
    /// No known provider has that prefix.
    UnknownProvider,
    /// Another interface has a tunnel from the same address.
    AddressInUse,
    /// The uplink's resolvers do not know the name of AFTR or BR.
    NameNotResolved,
    /// netifd or the kernel refused the tunnel.
    TunnelFailed,
    /// The address translation could not be loaded.
    NatFailed,
}

impl Code {
    /// As it goes over the bus.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidMapRule => "INVALID_MAP_RULE",
            Code::NoMatchingPd => "NO_MATCHING_PD",
            Code::UnsupportedType => "UNSUPPORTED_TYPE",
            Code::InvalidConfig => "MAPE_INVALID_CONFIG",
            Code::NoUplinkPrefix => "MAPE_NO_UPLINK_PREFIX",
            Code::UnknownProvider => "MAPE_UNKNOWN_PROVIDER",
            Code::AddressInUse => "MAPE_ADDRESS_IN_USE",
            Code::NameNotResolved => "MAPE_NAME_NOT_RESOLVED",
            Code::TunnelFailed => "MAPE_TUNNEL_FAILED",
            Code::NatFailed => "MAPE_NAT_FAILED",
        }
    }
}

/// A reason not to be up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(Box<Parts>);

/// What a [`Problem`] says. In a box, since nearly everything here returns one
/// instead of what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Its class.
    pub code: Code,
    /// One line: what exactly is wrong and, if it helps, what to do.
    pub detail: String,
    /// The same for programs.
    pub reason: Reason,
    /// Whether the configuration contradicts itself whatever the line may be:
    /// only another configuration helps. Nothing else may be fatal, since what
    /// changes by itself must be able to come right by itself.
    pub fatal: bool,
}

/// Details quote what users and servers wrote; netifd keeps so many characters.
const MAX_DETAIL: usize = 300;

impl Problem {
    /// Something in the configuration that no prefix can mend.
    pub fn fatal(code: Code, what: impl Tell) -> Self {
        Self::new(code, what.reason(), true)
    }

    /// Something that can come right while we wait.
    pub fn passing(code: Code, what: impl Tell) -> Self {
        Self::new(code, what.reason(), false)
    }

    fn new(code: Code, reason: Reason, fatal: bool) -> Self {
        Problem(Box::new(Parts {
            code,
            detail: one_line(&reason.to_string(), MAX_DETAIL),
            reason,
            fatal,
        }))
    }
}

impl Deref for Problem {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_whatever_is_quoted() {
        let problem = Problem::fatal(Code::InvalidConfig, "ealen 1\nroot: x\u{1b}[0m");
        assert_eq!(
            problem.to_string(),
            "MAPE_INVALID_CONFIG: ealen 1 root: x [0m"
        );
    }
}
