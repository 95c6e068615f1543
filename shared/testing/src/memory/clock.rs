//! A clock that moves when it is told to, and ids that repeat with their seed.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use batchfleet_core::ports::{Clock, Ids};

use crate::random::mixed;

/// A clock that stands still until it is advanced. Sleeping advances it at once by the time slept,
/// and lets other tasks run: nobody ever really waits.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `now_ms`.
    #[must_use]
    pub fn new(now_ms: u64) -> Self {
        Self {
            now_ms: AtomicU64::new(now_ms),
        }
    }

    /// Moves the clock forward.
    pub fn advance(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    async fn sleep_ms(&self, ms: u64) {
        self.advance(ms);
        tokio::task::yield_now().await;
    }
}

/// Numbers that look random, never repeat within one instance, and are the same for the same seed.
#[derive(Debug)]
pub struct SequenceIds {
    seed: u64,
    next: AtomicU64,
}

impl SequenceIds {
    /// The sequence of this seed, from its beginning.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            next: AtomicU64::new(0),
        }
    }
}

impl Ids for SequenceIds {
    fn random(&self) -> u64 {
        mixed(self.seed, self.next.fetch_add(1, Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeping_moves_the_clock() {
        let clock = ManualClock::new(10);
        clock.advance(5);
        clock.sleep_ms(7).await;
        assert_eq!(clock.now_ms(), 22);
    }

    #[test]
    fn ids_repeat_with_their_seed() {
        let (one, same, other) = (
            SequenceIds::new(1),
            SequenceIds::new(1),
            SequenceIds::new(2),
        );
        let first = one.random();
        assert_eq!(first, same.random());
        assert_ne!(first, other.random());
        assert_ne!(first, one.random());
    }
}
