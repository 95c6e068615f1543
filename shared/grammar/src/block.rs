//! Which of 64 bytes equal a given byte, as one bit each.
//!
//! Finder and reader both move over these bit sets instead of over bytes; that is where their speed
//! comes from. Nothing here knows CSV, or what the byte looked for means.

/// Bytes looked at in one step: one bit each in a `u64`.
pub(crate) const BLOCK: usize = 64;

/// Fewer than 64 bytes as a block. Past them it holds zeros, which match nothing that a valid
/// dialect looks for; callers mask them off all the same.
pub(crate) fn padded(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let len = bytes.len().min(BLOCK);
    block[..len].copy_from_slice(&bytes[..len]);
    block
}

/// Bit `i` is set where byte `i` equals `byte`.
#[inline]
pub(crate) fn equal(block: &[u8; BLOCK], byte: u8) -> u64 {
    bits(block, |other| other == byte)
}

/// Bit `i` is set where byte `i` equals `a` or `b`.
#[inline]
pub(crate) fn either(block: &[u8; BLOCK], a: u8, b: u8) -> u64 {
    bits(block, |byte| byte == a || byte == b)
}

/// The lowest `count` bits.
#[inline]
pub(crate) fn low_bits(count: usize) -> u64 {
    if count >= BLOCK {
        u64::MAX
    } else {
        (1 << count) - 1
    }
}

/// Bit `i` is set where `wanted` says so of byte `i`.
///
/// The processor's own instruction for this cannot be reached from safe code, and no loop over bits
/// is compiled to it. This form is: comparing, choosing and joining become vector instructions,
/// on every architecture that has them, and what is left to do is one transposition. (Measured
/// against nine other forms, among them multiplying each eight bytes' bits together: twice as fast
/// as all but its own variants.)
#[inline]
fn bits(block: &[u8; BLOCK], wanted: impl Fn(u8) -> bool) -> u64 {
    // Of the eight words of eight bytes, the bytes of word `i` vote with bit `i`.
    let votes: [u8; BLOCK] =
        std::array::from_fn(|i| if wanted(block[i]) { 1 << (i / 8) } else { 0 });
    let (words, _) = votes.as_chunks::<8>();
    transpose(
        words
            .iter()
            .fold(0, |joined, word| joined | u64::from_le_bytes(*word)),
    )
}

/// Swaps rows and columns of 8 by 8 bits, a byte being a row (Warren, Hacker's Delight, §7-3).
#[inline]
const fn transpose(mut x: u64) -> u64 {
    let mut swap = (x ^ (x >> 7)) & 0x00aa_00aa_00aa_00aa;
    x ^= swap ^ (swap << 7);
    swap = (x ^ (x >> 14)) & 0x0000_cccc_0000_cccc;
    x ^= swap ^ (swap << 14);
    swap = (x ^ (x >> 28)) & 0x0000_0000_f0f0_f0f0;
    x ^ swap ^ (swap << 28)
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, either, equal, low_bits, padded};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        /// For any 64 bytes and any two bytes looked for, the bits say of every position just what
        /// comparing that one byte says.
        #[test]
        fn bits_are_the_bytes_that_match(
            bytes in prop::collection::vec(prop_oneof![0_u8..4, 126_u8..130, any::<u8>()], BLOCK),
            a in prop_oneof![0_u8..4, 126_u8..130],
            b in prop_oneof![0_u8..4, any::<u8>()],
        ) {
            let slow = |wanted: &dyn Fn(u8) -> bool| {
                (0..BLOCK).fold(0_u64, |bits, i| bits | u64::from(wanted(bytes[i])) << i)
            };
            let block = padded(&bytes);
            prop_assert_eq!(equal(&block, a), slow(&|byte| byte == a));
            prop_assert_eq!(either(&block, a, b), slow(&|byte| byte == a || byte == b));
        }
    }

    #[test]
    fn each_single_position_has_its_own_bit() {
        for i in 0..BLOCK {
            let mut block = [b'x'; BLOCK];
            block[i] = b',';
            assert_eq!(equal(&block, b','), 1 << i);
        }
    }

    #[test]
    fn a_partial_block_is_padded_and_low_bits_cover_it() {
        let block = padded(b"a,b");
        assert_eq!(equal(&block, b','), 0b010);
        assert_eq!(equal(&block, 0) & low_bits(3), 0);
        assert_eq!(low_bits(0), 0);
        assert_eq!(low_bits(64), u64::MAX);
    }
}
