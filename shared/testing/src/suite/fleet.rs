//! What a job's workers tell one another: how much they rejected, and that they were throttled.

use std::sync::Arc;

use batchfleet_core::job::Ending;
use batchfleet_core::ports::{FinalizeOutcome, Store};
use batchfleet_core::throttle::Throttle;

use super::fixture::{NOW, created, job, owner};

/// Each worker's newest word counts, and no other job's.
pub async fn tallies_add_up(store: Arc<dyn Store>) {
    let (id, other) = (created(&*store).await, created(&*store).await);
    let (first, second) = (owner(), owner());
    assert_eq!(store.tallied(&id).await.expect("tallied"), 0);
    for (job, worker, rejected, sum) in [
        (&id, &first, 3, 3),
        (&id, &second, 4, 7),
        (&id, &first, 5, 9),
        (&id, &first, 5, 9),
        (&other, &first, 100, 9),
        (&id, &second, 1 << 40, (1 << 40) + 5),
    ] {
        let recorded = store.record_tally(job, worker, rejected).await;
        recorded.expect("record tally");
        assert_eq!(store.tallied(&id).await.expect("tallied"), sum);
    }
    assert_eq!(store.tallied(&other).await.expect("tallied"), 100);
}

/// Of those that saw the same, one sets it.
pub async fn a_throttle_is_set_over_the_one_that_was_seen(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    assert_eq!(job(&*store, &id).await.throttle, None);
    let throttle = |workers| Throttle {
        workers,
        since_ms: NOW + u64::from(workers),
    };
    for (seen, set, kept) in [
        (Some(throttle(9)), 8, None),
        (None, 25, Some(25)),
        (None, 24, Some(25)),
        (Some(throttle(25)), 12, Some(12)),
        (Some(throttle(25)), 6, Some(12)),
    ] {
        let done = store.set_throttle(&id, seen, throttle(set)).await;
        done.expect("set throttle");
        assert_eq!(job(&*store, &id).await.throttle, kept.map(throttle));
    }
}

/// A worker that was throttled and then frozen comes too late for a job that is over.
pub async fn a_throttle_changes_no_job_that_is_over(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    let ended = store.finalize(&id, &Ending::Aborted, NOW + 1).await;
    assert_eq!(ended.expect("finalize"), FinalizeOutcome::Won);
    let over = job(&*store, &id).await;
    let throttle = Throttle {
        workers: 1,
        since_ms: NOW + 2,
    };
    let done = store.set_throttle(&id, None, throttle).await;
    done.expect("set throttle");
    assert_eq!(job(&*store, &id).await, over);
}
