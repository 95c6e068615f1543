//! Random numbers that are the same for the same seed, for ever and on every machine.

/// `SplitMix64`: small, fast, and good enough to choose schedules by.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

/// A rate of 1: every time.
pub(crate) const MILLION: u64 = 1_000_000;

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Numbers of the seed that have nothing to do with those of [`new`](Self::new), nor with those of
    /// another stream.
    pub(crate) fn stream(seed: u64, stream: u64) -> Self {
        let mut random = Self::new(seed);
        Self::new(random.next() ^ stream.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A number below `bound`, which is above 0. The bias is below one in 2^40 for bounds here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number from `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// Whether something of that rate happens now, in millionths.
    pub(crate) fn happens(&mut self, per_million: u64) -> bool {
        per_million > 0 && self.below(MILLION) < per_million
    }

    /// Whether one in `many` happens now.
    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}
