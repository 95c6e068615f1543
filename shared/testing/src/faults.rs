//! Faults to wrap around an honest adapter.
//!
//! The nastiest answer of a store is none: the write went through and its response was lost. Whoever
//! called must be able to make the same call again and hear what is true.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use batchfleet_core::batch::{BatchKey, Completion, Lease, Publication, Shard, ShardTotals};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{Checkpoint, Ending, Job, Layout, NewJob, PlanTotals, PreparerHold};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{
    CancelOutcome, ClaimOutcome, CloseOutcome, CompleteOutcome, CreateOutcome, FinalizeOutcome,
    Held, PauseOutcome, PreparerOutcome, ShardView, Snapshot, Store, TicketOutcome,
};
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::throttle::Throttle;
use batchfleet_core::watch::Watch;
use batchfleet_core::{PortError, PortResult};

use crate::random::mixed;

/// A store that does every write, and then loses the response of some of them:
/// [`PortError::Transient`], although it went through. Reads always answer.
#[derive(Debug)]
pub struct LostResponses<S: ?Sized> {
    seed: u64,
    lost_percent: u64,
    writes: AtomicU64,
    inner: Arc<S>,
}

impl<S: Store + ?Sized> LostResponses<S> {
    /// Loses `lost_percent` of the responses, which ones depending on `seed` alone (where the order
    /// of calls does not vary).
    #[must_use]
    pub fn new(inner: Arc<S>, seed: u64, lost_percent: u64) -> Self {
        Self {
            seed,
            lost_percent,
            writes: AtomicU64::new(0),
            inner,
        }
    }

    fn answer<T>(&self, action: &'static str, answer: PortResult<T>) -> PortResult<T> {
        let write = self.writes.fetch_add(1, Ordering::SeqCst);
        if answer.is_ok() && mixed(self.seed, write) % 100 < self.lost_percent {
            return Err(PortError::transient(
                action,
                "the response was lost after the write",
            ));
        }
        answer
    }
}

#[async_trait]
impl<S: Store + ?Sized> Store for LostResponses<S> {
    async fn create(&self, job: &NewJob) -> PortResult<CreateOutcome> {
        self.answer("create job", self.inner.create(job).await)
    }

    async fn job(&self, job: &JobId) -> PortResult<Option<Job>> {
        self.inner.job(job).await
    }

    async fn snapshot(&self, job: &JobId) -> PortResult<Option<Snapshot>> {
        self.inner.snapshot(job).await
    }

    async fn take_preparer(
        &self,
        job: &JobId,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<PreparerOutcome> {
        let answer = self.inner.take_preparer(job, owner, now_ms, until_ms).await;
        self.answer("take preparer", answer)
    }

    async fn put_layout(&self, job: &JobId, layout: &Layout) -> PortResult<()> {
        self.answer("put layout", self.inner.put_layout(job, layout).await)
    }

    async fn write_pages(
        &self,
        job: &JobId,
        shard: u32,
        first_page: u32,
        pages: &[PlanPage],
    ) -> PortResult<()> {
        let answer = self.inner.write_pages(job, shard, first_page, pages).await;
        self.answer("write pages", answer)
    }

    async fn publish(&self, job: &JobId, shard: u32, publication: &Publication) -> PortResult<()> {
        let answer = self.inner.publish(job, shard, publication).await;
        self.answer("publish", answer)
    }

    async fn checkpoint(
        &self,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> PortResult<Held> {
        let answer = self.inner.checkpoint(hold, checkpoint, until_ms).await;
        self.answer("checkpoint", answer)
    }

    async fn mark_prepared(&self, hold: &PreparerHold, totals: &PlanTotals) -> PortResult<Held> {
        let answer = self.inner.mark_prepared(hold, totals).await;
        self.answer("mark prepared", answer)
    }

    async fn shard(&self, job: &JobId, shard: u32) -> PortResult<Option<Shard>> {
        self.inner.shard(job, shard).await
    }

    async fn take_tickets(
        &self,
        job: &JobId,
        shard: u32,
        count: u32,
        published_seen: u32,
    ) -> PortResult<TicketOutcome> {
        let answer = self
            .inner
            .take_tickets(job, shard, count, published_seen)
            .await;
        self.answer("take tickets", answer)
    }

    async fn page(&self, job: &JobId, shard: u32, page: u32) -> PortResult<Option<PlanPage>> {
        self.inner.page(job, shard, page).await
    }

    async fn pages(&self, job: &JobId, shard: u32) -> PortResult<Vec<PlanPage>> {
        self.inner.pages(job, shard).await
    }

    async fn claim(
        &self,
        key: &BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<ClaimOutcome> {
        let answer = self.inner.claim(key, owner, now_ms, until_ms).await;
        self.answer("claim batch", answer)
    }

    async fn heartbeat(&self, lease: &Lease, until_ms: u64) -> PortResult<Held> {
        self.answer("heartbeat", self.inner.heartbeat(lease, until_ms).await)
    }

    async fn complete(
        &self,
        lease: &Lease,
        completion: &Completion,
    ) -> PortResult<CompleteOutcome> {
        let answer = self.inner.complete(lease, completion).await;
        self.answer("complete batch", answer)
    }

    async fn release(&self, lease: &Lease) -> PortResult<Held> {
        self.answer("release batch", self.inner.release(lease).await)
    }

    async fn sweep(&self, job: &JobId, shard: u32) -> PortResult<Option<ShardView>> {
        self.inner.sweep(job, shard).await
    }

    async fn close_shard(
        &self,
        job: &JobId,
        shard: u32,
        totals: &ShardTotals,
    ) -> PortResult<CloseOutcome> {
        let answer = self.inner.close_shard(job, shard, totals).await;
        self.answer("close shard", answer)
    }

    async fn finalize(
        &self,
        job: &JobId,
        ending: &Ending,
        finished_ms: u64,
    ) -> PortResult<FinalizeOutcome> {
        let answer = self.inner.finalize(job, ending, finished_ms).await;
        self.answer("finalize job", answer)
    }

    async fn cancel(&self, key: &BatchKey, now_ms: u64) -> PortResult<CancelOutcome> {
        self.answer("cancel batch", self.inner.cancel(key, now_ms).await)
    }

    async fn set_paused(&self, job: &JobId, paused: bool, now_ms: u64) -> PortResult<PauseOutcome> {
        self.answer(
            "pause job",
            self.inner.set_paused(job, paused, now_ms).await,
        )
    }

    async fn preparer(&self, job: &JobId) -> PortResult<Option<PreparerItem>> {
        self.inner.preparer(job).await
    }

    async fn watch(&self, job: &JobId) -> PortResult<Option<Watch>> {
        self.inner.watch(job).await
    }

    async fn record_watch(&self, job: &JobId, watch: &Watch) -> PortResult<()> {
        self.answer("record watch", self.inner.record_watch(job, watch).await)
    }

    async fn record_tally(&self, job: &JobId, owner: &OwnerId, rejected: u64) -> PortResult<()> {
        let answer = self.inner.record_tally(job, owner, rejected).await;
        self.answer("record tally", answer)
    }

    async fn tallied(&self, job: &JobId) -> PortResult<u64> {
        self.inner.tallied(job).await
    }

    async fn set_throttle(
        &self,
        job: &JobId,
        seen: Option<Throttle>,
        throttle: Throttle,
    ) -> PortResult<()> {
        let answer = self.inner.set_throttle(job, seen, throttle).await;
        self.answer("set throttle", answer)
    }

    async fn open_jobs(&self) -> PortResult<Vec<JobId>> {
        self.inner.open_jobs().await
    }

    async fn clear_outbox(&self, job: &JobId) -> PortResult<()> {
        self.answer("clear outbox", self.inner.clear_outbox(job).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    #[tokio::test]
    async fn a_lost_response_hides_a_write_that_went_through() {
        let honest = Arc::new(MemoryStore::new());
        let lossy = LostResponses::new(Arc::clone(&honest), 1, 100);
        let job = JobId::derive(&["j"]);
        let refused = lossy.clear_outbox(&job).await.unwrap_err();
        assert!(!refused.is_retryable(), "a refusal is no response to lose");

        let new = crate::suite::new_job();
        let lost = lossy.create(&new).await.unwrap_err();
        assert!(lost.is_retryable());
        assert!(lossy.job(&new.id).await.unwrap().is_some());
        assert_eq!(honest.create(&new).await.unwrap(), CreateOutcome::Exists);
    }

    #[tokio::test]
    async fn the_share_that_is_lost_is_as_asked_for() {
        let store = LostResponses::new(Arc::new(MemoryStore::new()), 3, 30);
        let mut lost = 0;
        for _ in 0..1_000 {
            let new = crate::suite::new_job();
            lost += u32::from(store.create(&new).await.is_err());
        }
        assert!((250..350).contains(&lost), "{lost} of 1000");
    }
}
