//! A split block Bloom filter: says of most keys that were never added that they were not.
//!
//! A key's block is one cache line, so asking costs one miss of the cache. (Putze, Sanders, Singler,
//! "Cache-, Hash- and Space-Efficient Bloom Filters"; the Parquet format uses the same.) It must not
//! know what the keys are, only that their bits are evenly spread.

/// Bits for each key: of 200 keys that were not added, one is thought to be.
const BITS_PER_KEY: usize = 12;

/// One bit is set in each of these eight words.
type Block = [u64; 8];

/// The filter of a fixed number of keys.
#[derive(Debug)]
pub(super) struct Filter {
    blocks: Vec<Block>,
}

impl Filter {
    pub(super) fn for_keys(keys: usize) -> Self {
        let blocks = (keys * BITS_PER_KEY).div_ceil(512).max(1);
        Self {
            blocks: vec![[0; 8]; blocks],
        }
    }

    pub(super) fn add(&mut self, key: u128) {
        let place = self.place(key);
        for (word, bit) in self.blocks[place].iter_mut().zip(bits(key)) {
            *word |= bit;
        }
    }

    /// Whether the key may have been added; `false` is certain.
    pub(super) fn may_have(&self, key: u128) -> bool {
        let block = &self.blocks[self.place(key)];
        block
            .iter()
            .zip(bits(key))
            .all(|(word, bit)| word & bit != 0)
    }

    /// The block of a key, by its upper half.
    fn place(&self, key: u128) -> usize {
        let upper = key >> 64;
        ((upper * self.blocks.len() as u128) >> 64) as usize
    }
}

/// One bit of each word, by six bits of the key's lower half.
fn bits(key: u128) -> [u64; 8] {
    std::array::from_fn(|word| 1 << ((key >> (6 * word)) & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64) -> u128 {
        let spread = |n: u64| u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ n);
        let upper = spread(n.wrapping_mul(0xd6e8_feb8_6659_fd93));
        (upper.wrapping_mul(0xbf58_476d_1ce4_e5b9) << 64) | (spread(n) ^ (spread(n) >> 7))
    }

    #[test]
    fn every_key_that_was_added_is_there_and_few_others() {
        let mut filter = Filter::for_keys(100_000);
        for n in 0..100_000 {
            filter.add(key(n));
        }
        assert!((0..100_000).all(|n| filter.may_have(key(n))));
        let wrong = (100_000..200_000)
            .filter(|&n| filter.may_have(key(n)))
            .count();
        assert!(wrong < 2_000, "{wrong} of 100,000 that were not added");
    }
}
