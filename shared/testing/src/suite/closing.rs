//! The end of shards and jobs: once, in order, and for good.

use std::sync::Arc;

use batchfleet_core::batch::ShardTotals;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::{Ending, JobStatus};
use batchfleet_core::ports::{CloseOutcome, FinalizeOutcome, Held, Store};

use super::fixture::{
    NOW, counts, created, job, planned, prepare, publication, published, reason, shard, totals,
};

fn sums(records: u64) -> ShardTotals {
    ShardTotals {
        counts: counts(records),
        bytes: records * 100,
        failed_batches: 2,
    }
}

async fn close(store: &dyn Store, job: &JobId, shard: u32) -> CloseOutcome {
    let closed = store.close_shard(job, shard, &sums(30)).await;
    closed.expect("close shard")
}

async fn complete(store: &dyn Store, job: &JobId) -> FinalizeOutcome {
    let ended = store.finalize(job, &Ending::Completed, NOW + 9).await;
    ended.expect("finalize")
}

async fn fail(store: &dyn Store, job: &JobId) -> FinalizeOutcome {
    let ending = Ending::Failed(reason());
    let ended = store.finalize(job, &ending, NOW + 7);
    ended.await.expect("finalize")
}

/// The sums of each shard are in the job, once.
pub async fn a_shard_closes_once_and_adds_its_sums(store: Arc<dyn Store>) {
    let id = planned(&*store, 3, 5).await;
    let mut whole = counts(0);
    for (number, records) in [(1, 11), (0, 22)] {
        let closed = store.close_shard(&id, number, &sums(records)).await;
        assert_eq!(closed.expect("close shard"), CloseOutcome::Closed);
        whole += counts(records);

        // Whoever comes second adds nothing, whatever it says.
        let again = store.close_shard(&id, number, &sums(77)).await;
        assert_eq!(again.expect("close again"), CloseOutcome::AlreadyClosed);
        let kept = shard(&*store, &id, number).await;
        assert_eq!((kept.closed, kept.totals), (true, Some(sums(records))));
    }
    let kept = job(&*store, &id).await;
    assert_eq!((kept.shards_closed, kept.closed), (2, whole));
    assert_eq!(kept.closed_bytes, 3_300);
    assert_eq!(kept.status, JobStatus::Processing);
    assert!(!shard(&*store, &id, 2).await.closed);
}

/// A shard to which batches may still be added does not close; nor does one that is not there.
pub async fn only_a_sealed_shard_closes(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    assert_eq!(close(&*store, &id, 0).await, CloseOutcome::Refused);
    let open = publication(25, false);
    store.publish(&id, 0, &open).await.expect("publish");
    assert_eq!(close(&*store, &id, 0).await, CloseOutcome::Refused);
    let kept = job(&*store, &id).await;
    assert_eq!((kept.shards_closed, kept.closed), (0, counts(0)));

    let sealed = publication(25, true);
    store.publish(&id, 0, &sealed).await.expect("publish");
    assert_eq!(close(&*store, &id, 0).await, CloseOutcome::Closed);
    let kept = job(&*store, &id).await;
    assert_eq!((kept.shards_closed, kept.closed), (1, counts(30)));
}

/// The sums of a job that is over are what they were when it ended.
pub async fn no_shard_closes_into_a_job_that_is_over(store: Arc<dyn Store>) {
    let id = planned(&*store, 2, 5).await;
    assert_eq!(close(&*store, &id, 0).await, CloseOutcome::Closed);
    assert_eq!(fail(&*store, &id).await, FinalizeOutcome::Won);
    let before = job(&*store, &id).await;
    assert_eq!(close(&*store, &id, 1).await, CloseOutcome::Refused);
    assert_ne!(close(&*store, &id, 0).await, CloseOutcome::Closed);
    assert_eq!(job(&*store, &id).await, before);
    assert!(!shard(&*store, &id, 1).await.closed);
}

/// Not while it is planned, not while a shard is open; then once.
pub async fn a_job_completes_when_every_shard_is_closed(store: Arc<dyn Store>) {
    let id = published(&*store, 5).await;
    let hold = prepare(&*store, &id).await;
    // The workers were faster than the planning.
    assert_eq!(close(&*store, &id, 0).await, CloseOutcome::Closed);
    assert_eq!(complete(&*store, &id).await, FinalizeOutcome::NotReady);
    assert_eq!(job(&*store, &id).await.status, JobStatus::Preparing);

    let second = publication(3, true);
    store.publish(&id, 1, &second).await.expect("publish");
    let marked = store.mark_prepared(&hold, &totals(2, 8)).await;
    assert_eq!(marked.expect("mark prepared"), Held::Kept);
    assert_eq!(complete(&*store, &id).await, FinalizeOutcome::NotReady);
    let open = job(&*store, &id).await;
    assert_eq!(
        (open.status, open.finished_ms),
        (JobStatus::Processing, None)
    );
    assert!(!open.outbox);

    assert_eq!(close(&*store, &id, 1).await, CloseOutcome::Closed);
    assert_eq!(complete(&*store, &id).await, FinalizeOutcome::Won);
    let over = job(&*store, &id).await;
    assert_eq!(
        (over.status, over.finished_ms),
        (JobStatus::Completed, Some(NOW + 9))
    );
    assert_eq!((over.reason, over.outbox), (None, true));
    assert_eq!((over.shards_closed, over.closed), (2, counts(60)));
}

/// A file with a header and nothing else: a plan of no shards.
pub async fn a_job_without_records_completes(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    let hold = prepare(&*store, &id).await;
    assert_eq!(complete(&*store, &id).await, FinalizeOutcome::NotReady);
    let marked = store.mark_prepared(&hold, &totals(0, 0)).await;
    assert_eq!(marked.expect("mark prepared"), Held::Kept);
    assert_eq!(complete(&*store, &id).await, FinalizeOutcome::Won);
    let over = job(&*store, &id).await;
    assert_eq!(
        (over.status, over.closed),
        (JobStatus::Completed, counts(0))
    );
    assert_eq!(over.plan, Some(totals(0, 0)));
}

/// A bad header ends the job before there is a plan.
pub async fn a_job_fails_while_it_is_planned(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    let hold = prepare(&*store, &id).await;
    assert_eq!(fail(&*store, &id).await, FinalizeOutcome::Won);
    let over = job(&*store, &id).await;
    assert_eq!(
        (over.status, over.finished_ms),
        (JobStatus::Failed, Some(NOW + 7))
    );
    assert_eq!((over.reason, over.outbox), (Some(reason()), true));
    assert_eq!(over.plan, None);
    let marked = store.mark_prepared(&hold, &totals(0, 0)).await;
    assert_eq!(marked.expect("mark prepared"), Held::Lost);
}

/// With shards open, and keeping what was closed.
pub async fn a_job_fails_while_it_is_worked(store: Arc<dyn Store>) {
    let id = planned(&*store, 2, 5).await;
    assert_eq!(close(&*store, &id, 1).await, CloseOutcome::Closed);
    assert_eq!(fail(&*store, &id).await, FinalizeOutcome::Won);
    let over = job(&*store, &id).await;
    assert_eq!(
        (over.status, over.finished_ms),
        (JobStatus::Failed, Some(NOW + 7))
    );
    assert_eq!(over.reason, Some(reason()));
    assert_eq!((over.shards_closed, over.closed), (1, counts(30)));
}

/// Whatever ends it first: no other ending follows, and nothing of the first changes.
pub async fn a_job_that_is_over_stays_so(store: Arc<dyn Store>) {
    let completed = planned(&*store, 0, 0).await;
    assert_eq!(complete(&*store, &completed).await, FinalizeOutcome::Won);
    let failed = planned(&*store, 0, 0).await;
    assert_eq!(fail(&*store, &failed).await, FinalizeOutcome::Won);

    for (id, status) in [
        (completed, JobStatus::Completed),
        (failed, JobStatus::Failed),
    ] {
        let before = job(&*store, &id).await;
        let over = FinalizeOutcome::AlreadyOver(status);
        assert_eq!(fail(&*store, &id).await, over);
        assert_eq!(complete(&*store, &id).await, over);
        assert_eq!(job(&*store, &id).await, before);
    }
}

/// The mark outlives everything but its clearing, and is not set again.
pub async fn the_outbox_mark_is_set_by_the_ending_and_cleared(store: Arc<dyn Store>) {
    let id = planned(&*store, 0, 0).await;
    assert!(!job(&*store, &id).await.outbox);
    assert_eq!(complete(&*store, &id).await, FinalizeOutcome::Won);
    assert!(job(&*store, &id).await.outbox);
    for _ in 0..2 {
        store.clear_outbox(&id).await.expect("clear outbox");
        assert!(!job(&*store, &id).await.outbox);
    }
    let over = FinalizeOutcome::AlreadyOver(JobStatus::Completed);
    assert_eq!(complete(&*store, &id).await, over);
    let kept = job(&*store, &id).await;
    assert_eq!((kept.outbox, kept.status), (false, JobStatus::Completed));
}
