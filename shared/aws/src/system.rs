//! The real clock and the real randomness. The only place of this crate that asks the operating
//! system for either; everything else goes through the ports, so that tests can stand in for them.

use std::time::Duration;
use std::time::SystemTime;

use async_trait::async_trait;
use batchfleet_core::ports::{Clock, Ids};

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the real clock")]
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |elapsed| elapsed.as_millis() as u64)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the real clock")]
    async fn sleep_ms(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        #[expect(clippy::disallowed_methods, reason = "this is the real randomness")]
        let filled = getrandom::fill(&mut bytes);
        // Two workers with one id could break promise I2; without randomness nothing may go on.
        assert!(filled.is_ok(), "the operating system gives no random bytes");
        u64::from_le_bytes(bytes)
    }
}
