// SPDX-License-Identifier: GPL-2.0-or-later
//! The far end of a MAP domain.

use std::fmt;
use std::net::Ipv6Addr;

use super::address::Dmr;

/// Where packets for the rest of the Internet go.
///
/// ```
/// use mape::map::Border;
///
/// let border = Border::Dmr("2001:db8:ffff::/64".parse()?);
/// assert_eq!(border.br(), None);
/// assert_eq!(border.to_string(), "2001:db8:ffff::/64");
/// # Ok::<(), mape::map::DmrError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Border {
    /// Tunnel end: the BR of MAP-E or the AFTR of lw4o6.
    Br(Ipv6Addr),
    /// The default mapping rule of MAP-T.
    Dmr(Dmr),
}

/// The address of a tunnel's end, the prefix of a default mapping rule.
impl fmt::Display for Border {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Border::Br(br) => br.fmt(f),
            Border::Dmr(dmr) => dmr.fmt(f),
        }
    }
}

impl Border {
    /// The tunnel end; `None` for MAP-T.
    ///
    /// ```
    /// use mape::map::Border;
    ///
    /// let br = "2001:db8:ffff::1".parse()?;
    /// assert_eq!(Border::Br(br).br(), Some(br));
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn br(self) -> Option<Ipv6Addr> {
        match self {
            Border::Br(br) => Some(br),
            Border::Dmr(_) => None,
        }
    }

    /// The default mapping rule; `None` except for MAP-T.
    ///
    /// ```
    /// use mape::map::Border;
    ///
    /// let dmr = "2001:db8:ffff::/64".parse()?;
    /// assert_eq!(Border::Dmr(dmr).dmr(), Some(dmr));
    /// # Ok::<(), mape::map::DmrError>(())
    /// ```
    pub fn dmr(self) -> Option<Dmr> {
        match self {
            Border::Br(_) => None,
            Border::Dmr(dmr) => Some(dmr),
        }
    }
}
