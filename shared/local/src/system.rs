//! The real clock and real randomness: the one file of this crate that asks the system for them.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use batchfleet_core::ports::{Clock, Ids};

/// The system's clock, as it was when the process first asked, moved on by the time that has passed
/// since. So it never goes backwards while the process lives, whatever is done to the system's
/// clock, and all of them agree. It may stand still while the computer sleeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now_ms(&self) -> u64 {
        static START: OnceLock<(Duration, Instant)> = OnceLock::new();
        let (since_1970, start) = START.get_or_init(|| {
            // A clock set to before 1970 counts as 1970.
            let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            (since_1970.unwrap_or_default(), Instant::now())
        });
        (*since_1970 + start.elapsed()).as_millis() as u64
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    async fn sleep_ms(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// The system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl SystemIds {
    /// The system's randomness.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Ids for SystemIds {
    /// # Panics
    /// Where the system has no random numbers to give, in which case nothing here is safe to run.
    #[expect(clippy::disallowed_methods, reason = "this is the Ids port")]
    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).expect("the system gives random numbers");
        u64::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn time_goes_on_and_is_the_systems() {
        let clock = SystemClock::new();
        let before = clock.now_ms();
        clock.sleep_ms(20).await;
        let after = SystemClock::new().now_ms();
        assert!(after >= before + 20, "{before} to {after}");
        assert!(before > 1_700_000_000_000, "{before} is long ago");
    }

    #[test]
    fn random_numbers_differ() {
        let ids = SystemIds::new();
        assert_ne!(ids.random(), ids.random());
    }
}
