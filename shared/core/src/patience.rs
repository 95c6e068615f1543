//! How patiently a service is asked that is overloaded or can't be reached: tries, waits, and when to
//! stop.
//!
//! The same call is made again after a wait, `retries.max` times in a row without any progress. No wait
//! begins that would end after `ends_ms`, and one that lasts is broken off when the job is paused or
//! ended. It must not know what is asked for.

use async_trait::async_trait;
use batchfleet_definition::Retries;

use crate::error::{PortError, PortResult};
use crate::ports::{Clock, Ids};

/// A wait is broken off after this at most.
const STEP_MS: u64 = 250;

/// Tells whether the work is still wanted.
#[async_trait]
pub trait Steering: Send + Sync {
    /// Whether the job was paused or ended. Asked before every call and during waits, so it must be
    /// cheap.
    async fn is_stopped(&self) -> PortResult<bool>;
}

/// Why one ends early.
pub(crate) enum Halt {
    Stopped,
    OutOfTime,
    Failed(PortError),
}

impl From<PortError> for Halt {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

/// The patience of one delivery or look-up.
pub(crate) struct Patience<'a> {
    /// How often, and after which waits.
    pub(crate) retries: Retries,
    /// When it must be over (milliseconds since 1970); `None` where there is time.
    pub(crate) ends_ms: Option<u64>,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) ids: &'a dyn Ids,
    pub(crate) steering: &'a dyn Steering,
}

impl Patience<'_> {
    /// Waits after the `failures`th failure in a row; the error itself once that were too many.
    pub(crate) async fn bear(
        &self,
        error: PortError,
        failures: u32,
        retry_after_ms: u64,
    ) -> Result<(), Halt> {
        // Who asks for more patience than that gets it, but not from a worker that holds a batch
        // meanwhile.
        if failures > self.retries.max || retry_after_ms > u64::from(self.retries.cap_ms) {
            return Err(Halt::Failed(error));
        }
        match self.wait_before(failures, retry_after_ms).await {
            Err(Halt::OutOfTime) => Err(Halt::Failed(error)),
            waited => waited,
        }
    }

    /// Waits before a try, for `least_ms` at least, unless that would end too late.
    pub(crate) async fn wait_before(&self, try_number: u32, least_ms: u64) -> Result<(), Halt> {
        let ms = self.backoff_ms(try_number).max(least_ms);
        let until = self.clock.now_ms() + ms;
        if self.ends_ms.is_some_and(|ends| until >= ends) {
            return Err(Halt::OutOfTime);
        }
        let mut left = ms;
        while left > 0 {
            self.clock.sleep_ms(left.min(STEP_MS)).await;
            if self.steering.is_stopped().await? {
                return Err(Halt::Stopped);
            }
            left = until.saturating_sub(self.clock.now_ms());
        }
        Ok(())
    }

    /// A random time of at most `base_ms`, doubled with every try, and never more than `cap_ms`.
    fn backoff_ms(&self, try_number: u32) -> u64 {
        let doubled = u64::from(self.retries.base_ms) << (try_number - 1).min(16);
        let longest = doubled.min(self.retries.cap_ms.into());
        self.ids.random() % (longest + 1)
    }

    /// Whether another call may be made.
    pub(crate) async fn check(&self) -> Result<(), Halt> {
        if self.steering.is_stopped().await? {
            return Err(Halt::Stopped);
        }
        let now = self.clock.now_ms();
        if self.ends_ms.is_some_and(|ends| now >= ends) {
            return Err(Halt::OutOfTime);
        }
        Ok(())
    }
}
