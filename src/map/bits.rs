// SPDX-License-Identifier: GPL-2.0-or-later
//! Bit fields of addresses, counted from the most significant bit as the RFCs
//! do.
//!
//! On octets and bit by bit: the routers this is for have 32-bit registers, in
//! which every shift of 128 bits takes dozens of instructions.

use ipnet::Ipv6Net;

fn mask(at: u8) -> u8 {
    0x80 >> (at % 8)
}

/// `len` bits of `octets` starting `from` bits after its most significant one,
/// right-justified. Bits past the end read as zero; `len` above 32 as 32.
pub(super) fn extract(octets: &[u8], from: u8, len: u8) -> u32 {
    let mut value = 0;
    for at in (from..=u8::MAX).take(usize::from(len.min(32))) {
        let octet = octets.get(usize::from(at / 8)).unwrap_or(&0);
        value = value << 1 | u32::from(octet & mask(at) != 0);
    }
    value
}

/// Sets the bits of `bits` (right-justified, `len` of them) in `octets`, `from`
/// bits after its most significant bit. Bits past the end are lost.
pub(super) fn place(octets: &mut [u8], bits: u32, from: u8, len: u8) {
    for (at, left) in (from..=u8::MAX).zip((0..len).rev()) {
        let is_set = bits.checked_shr(u32::from(left)).unwrap_or(0) & 1 == 1;
        if let Some(octet) = octets.get_mut(usize::from(at / 8)).filter(|_| is_set) {
            *octet |= mask(at);
        }
    }
}

/// Puts the first `len` bits of `from` in place of those of `to`.
pub(super) fn overlay(to: &mut [u8], from: &[u8], len: u8) {
    let mut left = len;
    for (to, from) in to.iter_mut().zip(from) {
        let kept = 0xffu8.checked_shr(left.into()).unwrap_or(0);
        *to = *to & kept | from & !kept;
        left = left.saturating_sub(8);
    }
}

/// Whether every address of `inner` is in `outer`.
///
/// ```
/// use mape::map::covers;
///
/// assert!(covers("2001:db8::/32".parse()?, "2001:db8:12::/48".parse()?));
/// assert!(!covers("2001:db8:12::/48".parse()?, "2001:db8::/32".parse()?));
/// # Ok::<(), ipnet::AddrParseError>(())
/// ```
pub fn covers(outer: Ipv6Net, inner: Ipv6Net) -> bool {
    let mut start = inner.addr().octets();
    overlay(&mut start, &outer.addr().octets(), outer.prefix_len());
    inner.prefix_len() >= outer.prefix_len() && start == inner.addr().octets()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_at_both_ends_and_across_bytes() {
        let v = 0x2001_0db8_0012_3400_0000_0000_0000_0001u128.to_be_bytes();
        assert_eq!(extract(&v, 0, 16), 0x2001);
        assert_eq!(extract(&v, 40, 16), 0x1234);
        assert_eq!(extract(&v, 44, 8), 0x23);
        assert_eq!(extract(&v, 120, 8), 1);
        assert_eq!(extract(&v, 120, 16), 0x100);
        assert_eq!(extract(&v, 128, 8), 0);
        assert_eq!(extract(&v, 5, 0), 0);
        assert_eq!(extract(&v, 250, 48), 0);
    }

    #[test]
    fn place_is_the_inverse_of_extract() {
        for from in [0u8, 7, 40, 63, 96] {
            let mut octets = [0; 16];
            place(&mut octets, 0xabc, from, 12);
            assert_eq!(extract(&octets, from, 12), 0xabc);
            let set: u32 = octets.iter().map(|o| o.count_ones()).sum();
            assert_eq!(set, 0xabcu32.count_ones());
        }
        let mut octets = [0; 4];
        place(&mut octets, 0xffff, 24, 16);
        place(&mut octets, 0xff00, 0, 8);
        assert_eq!(octets, [0, 0, 0, 0xff]);
    }

    proptest! {
        #[test]
        fn covering_is_what_ipnet_says(a: u128, b: u128, len: u8, more: u8, same: bool) {
            let (len, more) = (len % 129, more % 129);
            let outer = Ipv6Net::new(a.into(), len).unwrap();
            let b = if same { a ^ b.checked_shr(len.into()).unwrap_or(0) } else { b };
            let inner = Ipv6Net::new(b.into(), more).unwrap();
            prop_assert_eq!(covers(outer, inner), outer.contains(&inner));
        }
    }
}
