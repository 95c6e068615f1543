//! Numbers that look random and repeat with their seed. Nothing here may ask the system for any.

/// The `step`-th number of the sequence that `seed` begins: a counter, thoroughly mixed, so that
/// neighbours share nothing. (The finalizer of `SplitMix64`.)
pub(crate) fn mixed(seed: u64, step: u64) -> u64 {
    let mut number = seed.wrapping_add(step.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::mixed;

    #[test]
    fn steps_and_seeds_differ_and_repeat() {
        assert_eq!(mixed(1, 2), mixed(1, 2));
        assert_ne!(mixed(1, 2), mixed(1, 3));
        assert_ne!(mixed(1, 2), mixed(2, 2));
    }
}
