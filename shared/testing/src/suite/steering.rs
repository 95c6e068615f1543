//! What operators do to a job: paused, resumed, aborted; and its batches cancelled after that.

use std::sync::Arc;

use batchfleet_core::batch::BatchStatus;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::{Ending, JobStatus};
use batchfleet_core::ports::{
    CancelOutcome, ClaimOutcome, CompleteOutcome, FinalizeOutcome, Held, PauseOutcome, Store,
};

use super::fixture::{
    LEASE, NOW, batch, claim, completion, created, job, key, owner, planned, publication,
    published, shard,
};

async fn pause(store: &dyn Store, job: &JobId, paused: bool) -> PauseOutcome {
    let outcome = store.set_paused(job, paused, NOW + 2).await;
    outcome.expect("pause")
}

async fn abort(store: &dyn Store, job: &JobId) -> FinalizeOutcome {
    let ended = store.finalize(job, &Ending::Aborted, NOW + 3).await;
    ended.expect("abort")
}

/// Pausing and resuming are repeated without harm; a paused job says since when, whoever pauses it
/// again.
pub async fn a_job_is_paused_and_resumed_while_it_is_worked(store: Arc<dyn Store>) {
    let id = planned(&*store, 1, 2).await;
    for (paused, now, status, since) in [
        (true, NOW + 5, JobStatus::Paused, Some(NOW + 5)),
        (true, NOW + 9, JobStatus::Paused, Some(NOW + 5)),
        (false, NOW + 12, JobStatus::Processing, None),
        (false, NOW + 13, JobStatus::Processing, None),
        (true, NOW + 20, JobStatus::Paused, Some(NOW + 20)),
    ] {
        let outcome = store.set_paused(&id, paused, now).await;
        assert_eq!(outcome.expect("pause"), PauseOutcome::Done);
        let kept = job(&*store, &id).await;
        assert_eq!((kept.status, kept.paused_ms), (status, since));
    }
}

/// A job that is planned, or over, stays as it is.
pub async fn only_a_job_that_is_worked_is_paused(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    for paused in [true, false] {
        let outcome = pause(&*store, &id, paused).await;
        assert_eq!(outcome, PauseOutcome::NotPossible(JobStatus::Preparing));
    }
    assert_eq!(abort(&*store, &id).await, FinalizeOutcome::Won);
    let outcome = pause(&*store, &id, false).await;
    assert_eq!(outcome, PauseOutcome::NotPossible(JobStatus::Aborted));
}

/// An abort is an ending like any other: once, for good, with its report owed.
pub async fn a_job_is_aborted_from_any_open_status(store: Arc<dyn Store>) {
    let preparing = created(&*store).await;
    let processing = planned(&*store, 1, 2).await;
    let paused = planned(&*store, 1, 2).await;
    pause(&*store, &paused, true).await;
    for id in [preparing, processing, paused] {
        assert_eq!(abort(&*store, &id).await, FinalizeOutcome::Won);
        let again = abort(&*store, &id).await;
        assert_eq!(again, FinalizeOutcome::AlreadyOver(JobStatus::Aborted));
        let ended = job(&*store, &id).await;
        assert_eq!(ended.status, JobStatus::Aborted);
        assert_eq!(ended.finished_ms, Some(NOW + 3));
        assert!(ended.outbox && ended.reason.is_none());
        assert_eq!(ended.paused_ms, None);
    }
}

/// Neither one that was never claimed nor one whose lease ran out; and the holder of that lease
/// finds it lost.
pub async fn a_cancelled_batch_is_neither_claimed_nor_completed(store: Arc<dyn Store>) {
    let id = published(&*store, 2).await;
    let expired = claim(&*store, &key(&id, 1), NOW).await;
    for slot in [0, 1] {
        let key = key(&id, slot);
        let outcome = store.cancel(&key, NOW + LEASE).await.expect("cancel");
        assert_eq!(outcome, CancelOutcome::Cancelled);
        let again = store.cancel(&key, NOW + LEASE).await.expect("cancel again");
        assert_eq!(again, CancelOutcome::Over);
        let later = NOW + 9 * LEASE;
        let claimed = store.claim(&key, &owner(), later, later + LEASE).await;
        assert_eq!(claimed.expect("claim"), ClaimOutcome::Over);
        let kept = batch(&*store, &key).await;
        assert_eq!(kept.status, BatchStatus::Cancelled);
        assert_eq!(kept.fence, u64::from(slot) + 1);
    }
    let done = store.complete(&expired, &completion()).await;
    assert_eq!(done.expect("complete"), CompleteOutcome::Lost);
    let beat = store.heartbeat(&expired, NOW + 99 * LEASE).await;
    assert_eq!(beat.expect("heartbeat"), Held::Lost);
}

/// A worker that lives keeps its batch, and what is done stays done.
pub async fn what_is_held_or_over_is_not_cancelled(store: Arc<dyn Store>) {
    let id = published(&*store, 2).await;
    let held = claim(&*store, &key(&id, 0), NOW).await;
    let done = claim(&*store, &key(&id, 1), NOW).await;
    let outcome = store.complete(&done, &completion()).await;
    assert_eq!(outcome.expect("complete"), CompleteOutcome::Completed);
    let outcome = store
        .cancel(&held.key, NOW + LEASE - 1)
        .await
        .expect("cancel");
    assert_eq!(outcome, CancelOutcome::HeldUntil(NOW + LEASE));
    let outcome = store.cancel(&done.key, NOW + LEASE).await.expect("cancel");
    assert_eq!(outcome, CancelOutcome::Over);
    let outcome = store.complete(&held, &completion()).await;
    assert_eq!(outcome.expect("complete"), CompleteOutcome::Completed);
}

/// Neither more of a shard nor a new one: a preparer that lives on adds nothing to what the report
/// counts.
pub async fn nothing_is_published_into_a_job_that_is_over(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    let first = store.publish(&id, 0, &publication(1, false)).await;
    first.expect("publish");
    assert_eq!(abort(&*store, &id).await, FinalizeOutcome::Won);
    for number in [0, 1] {
        let late = store.publish(&id, number, &publication(2, true)).await;
        late.expect("publish");
    }
    let kept = shard(&*store, &id, 0).await;
    assert_eq!((kept.published, kept.sealed), (1, false));
    let new = store.shard(&id, 1).await.expect("read the shard");
    assert_eq!(new, None);
}
