// SPDX-License-Identifier: GPL-2.0-or-later
//! Bit fields of addresses, counted from the most significant bit as the RFCs
//! do.

/// `len` bits of `value` starting `from` bits after its most significant one,
/// right-justified. Bits past the end read as zero; `len` above 32 as 32.
pub(super) fn extract(value: u128, from: u8, len: u8) -> u32 {
    let len = u32::from(len.min(32));
    if len == 0 {
        return 0;
    }
    let moved = value.checked_shl(u32::from(from)).unwrap_or(0);
    // At most 32 bits remain, so the narrowing keeps them all.
    (moved >> (128 - len)) as u32
}

/// `bits` (right-justified, `len` of them) placed `from` bits after the most
/// significant bit of a 128-bit word.
pub(super) fn place(bits: u32, from: u8, len: u8) -> u128 {
    if len == 0 {
        return 0;
    }
    let wide = u128::from(bits) & low_mask(len);
    let shift = 128i32 - i32::from(from) - i32::from(len);
    match u32::try_from(shift) {
        Ok(left) => wide.checked_shl(left).unwrap_or(0),
        Err(_) => wide.checked_shr(shift.unsigned_abs()).unwrap_or(0),
    }
}

/// A word whose `len` most significant bits are set.
pub(super) fn high_mask(len: u8) -> u128 {
    !(u128::MAX.checked_shr(u32::from(len)).unwrap_or(0))
}

/// A word whose `len` least significant bits are set.
pub(super) fn low_mask(len: u8) -> u128 {
    !(u128::MAX.checked_shl(u32::from(len)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_at_both_ends_and_across_bytes() {
        let v = 0x2001_0db8_0012_3400_0000_0000_0000_0001u128;
        assert_eq!(extract(v, 0, 16), 0x2001);
        assert_eq!(extract(v, 40, 16), 0x1234);
        assert_eq!(extract(v, 44, 8), 0x23);
        assert_eq!(extract(v, 120, 8), 1);
        assert_eq!(extract(v, 128, 8), 0);
        assert_eq!(extract(v, 5, 0), 0);
    }

    #[test]
    fn place_is_the_inverse_of_extract() {
        for from in [0u8, 7, 40, 63, 96] {
            let word = place(0xabc, from, 12);
            assert_eq!(extract(word, from, 12), 0xabc);
            assert_eq!(word.count_ones(), 0xabcu32.count_ones());
        }
    }

    #[test]
    fn masks_reach_both_limits() {
        assert_eq!(high_mask(0), 0);
        assert_eq!(high_mask(128), u128::MAX);
        assert_eq!(low_mask(0), 0);
        assert_eq!(low_mask(128), u128::MAX);
        assert_eq!(high_mask(64) ^ low_mask(64), u128::MAX);
    }
}
