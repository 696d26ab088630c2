// SPDX-License-Identifier: GPL-2.0-or-later
//! Finds overlapping prefixes while a file is read.

use ipnet::{Ipv4Net, Ipv6Net};

use crate::map::covers;

/// Prefixes of which none contains another, sorted, each with its owner:
/// provider and rule by number.
#[derive(Default)]
pub(super) struct Prefixes(Vec<(Ipv6Net, Owner)>);

pub(super) type Owner = (usize, usize);

impl Prefixes {
    /// Adds `net` unless it overlaps one that is there already, whose owner is
    /// then returned.
    pub(super) fn insert(&mut self, net: Ipv6Net, owner: Owner) -> Result<(), Owner> {
        // Two prefixes overlap if one contains the other, and they are
        // neighbours then.
        let octets = net.addr().octets();
        let at = self
            .0
            .partition_point(|(own, _)| own.addr().octets() <= octets);
        for near in self.0.iter().take(at + 1).skip(at.saturating_sub(1)) {
            if covers(near.0, net) || covers(net, near.0) {
                return Err(near.1);
            }
        }
        self.0.insert(at, (net, owner));
        Ok(())
    }
}

/// An IPv4 prefix as the beginning of an IPv6 one, which keeps one copy of this
/// in the program instead of two.
pub(super) fn in_ipv6(net: Ipv4Net) -> Ipv6Net {
    let [a, b, c, d] = net.addr().octets();
    let address = [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].into();
    // A length of IPv4 is one of IPv6, too.
    Ipv6Net::new(address, net.prefix_len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_fine_and_overlaps_are_not() {
        let mut prefixes = Prefixes::default();
        let mut insert = |text: &str, owner| {
            let net: Ipv4Net = text.parse().unwrap();
            prefixes.insert(in_ipv6(net), owner)
        };
        assert_eq!(insert("10.16.0.0/12", (0, 1)), Ok(()));
        assert_eq!(insert("10.32.0.0/12", (0, 2)), Ok(()));
        assert_eq!(insert("10.0.0.0/12", (1, 1)), Ok(()));
        assert_eq!(insert("10.17.2.0/24", (9, 9)), Err((0, 1)));
        assert_eq!(insert("10.31.255.255/32", (9, 9)), Err((0, 1)));
        assert_eq!(insert("10.32.0.0/11", (9, 9)), Err((0, 2)));
        assert_eq!(insert("10.32.0.0/12", (9, 9)), Err((0, 2)));
        assert_eq!(insert("0.0.0.0/0", (9, 9)), Err((1, 1)));
        assert_eq!(insert("10.48.0.0/32", (0, 3)), Ok(()));
    }
}
