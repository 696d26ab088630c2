// SPDX-License-Identifier: GPL-2.0-or-later
//! Port sets (RFC 7597 section 5.1).
//!
//! A 16-bit port is `A | PSID | M`: `a` offset bits, `k` PSID bits and `m`
//! bits of contiguous ports. A CE owns every port with its PSID in the middle;
//! with `a > 0` those whose `A` is 0 (the system ports) belong to nobody.

use super::psid::{Psid, PsidError};
use super::range::PortRange;

/// How ports are cut into sets: PSID offset `a` and PSID length `k`,
/// with `a + k <= 16`.
///
/// ```
/// use mape::map::PortParams;
///
/// let v6plus = PortParams::new(4, 8)?;
/// assert_eq!(v6plus.sharing_ratio(), 256);
/// # Ok::<(), mape::map::PsidError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PortParams {
    offset: u8,
    psid_len: u8,
}

impl PortParams {
    /// Checks `offset` and `psid_len` (both in bits) against each other.
    ///
    /// ```
    /// use mape::map::PortParams;
    ///
    /// assert!(PortParams::new(6, 8).is_ok());
    /// let error = PortParams::new(10, 8).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "offset 10 and psidlen 8: together at most 16 (the bits of a port)"
    /// );
    /// ```
    ///
    /// # Errors
    /// Either above 16, or their sum.
    pub fn new(offset: u8, psid_len: u8) -> Result<Self, PsidError> {
        if offset > 16 {
            return Err(PsidError::Offset(offset));
        }
        if psid_len > 16 {
            return Err(PsidError::Length(psid_len));
        }
        if offset + psid_len > 16 {
            return Err(PsidError::Sum { offset, psid_len });
        }
        Ok(PortParams { offset, psid_len })
    }

    /// PSID offset `a` in bits.
    ///
    /// ```
    /// use mape::map::PortParams;
    ///
    /// assert_eq!(PortParams::new(6, 8)?.offset(), 6);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn offset(self) -> u8 {
        self.offset
    }

    /// PSID length `k` in bits; 0 means that the address is not shared.
    ///
    /// ```
    /// use mape::map::PortParams;
    ///
    /// assert_eq!(PortParams::new(6, 8)?.psid_len(), 8);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn psid_len(self) -> u8 {
        self.psid_len
    }

    /// Contiguous-port bits `m`.
    fn contiguous_bits(self) -> u8 {
        16 - self.offset - self.psid_len
    }

    /// Number of CEs that share one IPv4 address, `2^k`.
    ///
    /// ```
    /// use mape::map::PortParams;
    ///
    /// assert_eq!(PortParams::new(6, 8)?.sharing_ratio(), 256);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn sharing_ratio(self) -> u32 {
        1 << self.psid_len
    }

    /// The PSID of a port: its `k` bits after the first `a`.
    ///
    /// ```
    /// use mape::map::PortParams;
    ///
    /// // RFC 7597 appendix A, example 1: port 1232 is one of PSID 0x34.
    /// assert_eq!(PortParams::new(6, 8)?.psid_of(1232).value(), 0x34);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn psid_of(self, port: u16) -> Psid {
        let moved = port.checked_shr(u32::from(self.contiguous_bits()));
        Psid::of_bits(moved.unwrap_or(0).into(), self.psid_len)
    }
}

/// The ports of one CE.
///
/// ```
/// use mape::map::{PortParams, PortSet};
///
/// let ports = PortSet::new(PortParams::new(6, 8)?, 0x34)?;
/// assert_eq!(ports.ranges().next().map(|range| range.to_string()), Some("1232-1235".into()));
/// # Ok::<(), mape::map::PsidError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PortSet {
    params: PortParams,
    psid: Psid,
}

impl PortSet {
    /// All ports of an address that is not shared.
    ///
    /// ```
    /// use mape::map::PortSet;
    ///
    /// assert_eq!(PortSet::ALL.count(), 65536);
    /// ```
    pub const ALL: PortSet = PortSet {
        params: PortParams {
            offset: 0,
            psid_len: 0,
        },
        psid: Psid::NONE,
    };

    /// The set of `psid` (right-justified) under `params`.
    ///
    /// ```
    /// use mape::map::{PortParams, PortSet};
    ///
    /// let params = PortParams::new(6, 8)?;
    /// assert!(PortSet::new(params, 255).is_ok());
    /// assert!(PortSet::new(params, 256).is_err());
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    ///
    /// # Errors
    /// The PSID does not fit into the PSID length.
    pub fn new(params: PortParams, psid: u16) -> Result<Self, PsidError> {
        let psid = Psid::new(psid, params.psid_len)?;
        Ok(PortSet { params, psid })
    }

    /// The set of a PSID that was read from a port, an address or a prefix.
    pub(super) fn of(params: PortParams, bits: u32) -> Self {
        let psid = Psid::of_bits(bits, params.psid_len);
        PortSet { params, psid }
    }

    /// Offset and PSID length.
    ///
    /// ```
    /// use mape::map::PortSet;
    ///
    /// assert_eq!(PortSet::ALL.params().psid_len(), 0);
    /// ```
    pub fn params(self) -> PortParams {
        self.params
    }

    /// The PSID; of length 0 if the address is not shared.
    ///
    /// ```
    /// use mape::map::{PortParams, PortSet};
    ///
    /// assert_eq!(PortSet::new(PortParams::new(6, 8)?, 0x34)?.psid().value(), 0x34);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn psid(self) -> Psid {
        self.psid
    }

    /// Whether other CEs use other ports of the same address.
    ///
    /// ```
    /// use mape::map::{PortParams, PortSet};
    ///
    /// assert!(PortSet::new(PortParams::new(6, 8)?, 0x34)?.is_shared());
    /// assert!(!PortSet::ALL.is_shared());
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn is_shared(self) -> bool {
        !self.psid.is_empty()
    }

    /// Whether `port` belongs to this CE.
    ///
    /// ```
    /// use mape::map::{PortParams, PortSet};
    ///
    /// let ports = PortSet::new(PortParams::new(6, 8)?, 0x34)?;
    /// assert!(ports.contains(1235));
    /// assert!(!ports.contains(1236), "of the next PSID");
    /// assert!(!ports.contains(208), "a system port");
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn contains(self, port: u16) -> bool {
        if !self.is_shared() {
            return true;
        }
        let params = self.params;
        let reserved =
            params.offset > 0 && port.checked_shr(16 - u32::from(params.offset)).unwrap_or(0) == 0;
        !reserved && params.psid_of(port) == self.psid
    }

    /// The contiguous ranges, ascending. Without sharing all ports are one
    /// range whatever the offset (RFC 7597 section 5.1).
    ///
    /// ```
    /// use mape::map::{PortParams, PortSet};
    ///
    /// let ports = PortSet::new(PortParams::new(4, 8)?, 2)?;
    /// let ranges: Vec<String> = ports.ranges().map(|range| range.to_string()).collect();
    /// assert_eq!(ranges.len(), 15);
    /// assert_eq!(ranges[..2], ["4128-4143", "8224-8239"]);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn ranges(self) -> impl Iterator<Item = PortRange> {
        let PortParams { offset, .. } = self.params;
        let m = self.params.contiguous_bits();
        let shared = self.is_shared();
        let blocks = if shared { 1u32 << offset } else { 1 };
        let start = u32::from(shared && offset > 0);
        (start..blocks).map(move |block| {
            if !shared {
                return PortRange::ALL;
            }
            let high = block << (16 - u32::from(offset));
            let first = high | (u32::from(self.psid.value()) << m);
            let last = first | ((1u32 << m) - 1);
            // offset + k + m is 16, so both fit into a port.
            PortRange::only(first as u16).up_to(last as u16)
        })
    }

    /// Number of ports in all ranges.
    ///
    /// ```
    /// use mape::map::{PortParams, PortSet};
    ///
    /// assert_eq!(PortSet::new(PortParams::new(4, 8)?, 2)?.count(), 240);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn count(self) -> u32 {
        self.ranges().map(PortRange::count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(offset: u8, len: u8, psid: u16) -> PortSet {
        PortSet::new(PortParams::new(offset, len).unwrap(), psid).unwrap()
    }

    #[test]
    fn rfc7597_appendix_b2() {
        let ranges: Vec<_> = set(6, 8, 0).ranges().collect();
        assert_eq!(ranges.len(), 63);
        assert_eq!(ranges[0].to_string(), "1024-1027");
        assert_eq!(ranges[62].to_string(), "64512-64515");
        let whole: Vec<_> = set(0, 6, 0).ranges().collect();
        assert_eq!(whole, [PortRange::new(0, 1023).unwrap()]);
    }

    #[test]
    fn every_port_has_one_owner() {
        for (offset, len) in [(0, 4), (4, 8), (6, 6), (6, 0), (1, 15), (0, 16), (15, 1)] {
            let params = PortParams::new(offset, len).unwrap();
            let mut owners = vec![0u8; 65536];
            for psid in 0..params.sharing_ratio() {
                let set = PortSet::of(params, psid);
                let mut n = 0;
                for port in set.ranges().flat_map(PortRange::ports) {
                    owners[usize::from(port)] += 1;
                    assert!(set.contains(port));
                    n += 1;
                }
                assert_eq!(n, set.count());
            }
            let system = if len > 0 && offset > 0 {
                65536usize >> offset
            } else {
                0
            };
            assert!(
                owners[..system].iter().all(|&n| n == 0),
                "a={offset} k={len}"
            );
            assert!(
                owners[system..].iter().all(|&n| n == 1),
                "a={offset} k={len}"
            );
        }
    }

    #[test]
    fn contains_agrees_with_ranges_at_offset_16() {
        let set = set(16, 0, 0);
        assert_eq!(set.count(), 65536);
        assert!(set.contains(0));
    }

    #[test]
    fn limits_are_named() {
        let sum = PortParams::new(10, 8).unwrap_err();
        assert_eq!(
            sum.to_string(),
            "offset 10 and psidlen 8: together at most 16 (the bits of a port)"
        );
        assert_eq!(
            Psid::new(256, 8).unwrap_err().to_string(),
            "psid 256: with psidlen 8 at most 255"
        );
    }
}
