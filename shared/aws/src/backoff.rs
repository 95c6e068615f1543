//! Waiting between attempts that the SDK does not make by itself: transactions in conflict,
//! unprocessed items of a batch write, bodies that break off. Bounded, exponential, with full jitter.

use batchfleet_core::ports::{Clock, Ids};

/// Attempts in all, the first included.
const ATTEMPTS_MAX: u32 = 6;
/// The longest first wait.
const BASE_MS: u64 = 25;
/// The longest wait.
const CAP_MS: u64 = 1_000;

/// One call's waits.
pub(crate) struct Backoff<'a> {
    clock: &'a dyn Clock,
    ids: &'a dyn Ids,
    attempts: u32,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(clock: &'a dyn Clock, ids: &'a dyn Ids) -> Self {
        Self {
            clock,
            ids,
            attempts: 1,
        }
    }

    /// Waits, and says whether another attempt may be made.
    pub(crate) async fn wait(&mut self) -> bool {
        if self.attempts >= ATTEMPTS_MAX {
            return false;
        }
        let ceiling = (BASE_MS << self.attempts.min(16)).min(CAP_MS);
        self.attempts += 1;
        self.clock.sleep_ms(self.ids.random() % (ceiling + 1)).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;

    #[derive(Default)]
    struct Waits(Mutex<Vec<u64>>);

    #[async_trait]
    impl Clock for Waits {
        fn now_ms(&self) -> u64 {
            0
        }
        async fn sleep_ms(&self, ms: u64) {
            self.0.lock().unwrap().push(ms);
        }
    }

    struct Longest;

    impl Ids for Longest {
        fn random(&self) -> u64 {
            u64::MAX
        }
    }

    #[tokio::test]
    async fn waits_are_bounded_in_number_and_length() {
        let waits = Waits::default();
        let mut backoff = Backoff::new(&waits, &Longest);
        let mut attempts = 1;
        while backoff.wait().await {
            attempts += 1;
        }
        assert_eq!(attempts, ATTEMPTS_MAX);
        let waits = waits.0.into_inner().unwrap();
        assert_eq!(waits.len(), ATTEMPTS_MAX as usize - 1);
        assert!(waits.iter().all(|&ms| ms <= CAP_MS));
    }
}
