// SPDX-License-Identifier: GPL-2.0-or-later
//! Ports in a row.

use std::fmt;

/// Ports `first` to `last`, both included; never empty.
///
/// ```
/// use mape::map::PortRange;
///
/// let range = PortRange::only(4128).up_to(4143);
/// assert_eq!(range.to_string(), "4128-4143");
/// assert_eq!(PortRange::only(443).to_string(), "443");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// All ports.
    ///
    /// ```
    /// use mape::map::PortRange;
    ///
    /// assert_eq!(PortRange::ALL.count(), 65536);
    /// ```
    pub const ALL: PortRange = PortRange {
        first: 0,
        last: u16::MAX,
    };

    /// A range, or `None` if `last` is below `first`.
    ///
    /// ```
    /// use mape::map::PortRange;
    ///
    /// assert!(PortRange::new(4128, 4143).is_some());
    /// assert_eq!(PortRange::new(4143, 4128), None);
    /// ```
    pub fn new(first: u16, last: u16) -> Option<Self> {
        (first <= last).then_some(PortRange { first, last })
    }

    /// A single port.
    ///
    /// ```
    /// use mape::map::PortRange;
    ///
    /// assert_eq!(PortRange::only(443).count(), 1);
    /// ```
    pub fn only(port: u16) -> Self {
        PortRange {
            first: port,
            last: port,
        }
    }

    /// The same range, but up to `last`, if that is longer.
    ///
    /// ```
    /// use mape::map::PortRange;
    ///
    /// assert_eq!(PortRange::only(4128).up_to(4143).last(), 4143);
    /// assert_eq!(PortRange::only(4128).up_to(80).last(), 4128);
    /// ```
    #[must_use]
    pub fn up_to(self, last: u16) -> Self {
        PortRange {
            last: last.max(self.last),
            ..self
        }
    }

    /// Lowest port.
    ///
    /// ```
    /// use mape::map::PortRange;
    ///
    /// assert_eq!(PortRange::only(4128).up_to(4143).first(), 4128);
    /// ```
    pub fn first(self) -> u16 {
        self.first
    }

    /// Highest port.
    ///
    /// ```
    /// use mape::map::PortRange;
    ///
    /// assert_eq!(PortRange::only(4128).up_to(4143).last(), 4143);
    /// ```
    pub fn last(self) -> u16 {
        self.last
    }

    /// Number of ports, 1 to 65,536.
    ///
    /// ```
    /// use mape::map::PortRange;
    ///
    /// assert_eq!(PortRange::only(4128).up_to(4143).count(), 16);
    /// ```
    pub fn count(self) -> u32 {
        u32::from(self.last) - u32::from(self.first) + 1
    }

    /// Whether `port` lies within.
    ///
    /// ```
    /// use mape::map::PortRange;
    ///
    /// assert!(PortRange::only(4128).up_to(4143).contains(4130));
    /// ```
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// Whether both have a port in common.
    ///
    /// ```
    /// use mape::map::PortRange;
    ///
    /// let range = PortRange::only(4128).up_to(4143);
    /// assert!(range.overlaps(PortRange::only(4143)));
    /// assert!(!range.overlaps(PortRange::only(4144)));
    /// ```
    pub fn overlaps(self, other: PortRange) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// The ports, ascending.
    ///
    /// ```
    /// use mape::map::PortRange;
    ///
    /// assert_eq!(PortRange::only(4128).up_to(4130).ports().collect::<Vec<_>>(), [4128, 4129, 4130]);
    /// ```
    pub fn ports(self) -> std::ops::RangeInclusive<u16> {
        self.first..=self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad`, so that columns line up.
        if self.first == self.last {
            f.pad(&self.first.to_string())
        } else {
            f.pad(&format!("{}-{}", self.first, self.last))
        }
    }
}
