//! Planning a job: the preparer's hold, its checkpoint, and what it publishes.

use std::sync::Arc;

use batchfleet_core::batch::{Shard, ShardTotals};
use batchfleet_core::ids::JobId;
use batchfleet_core::job::{Checkpoint, Ending, JobStatus, PreparerHold};
use batchfleet_core::ports::{
    CloseOutcome, FinalizeOutcome, Held, PreparerOutcome, Store, TicketOutcome,
};
use batchfleet_grammar::Position;

use super::fixture::{
    LEASE, NOW, claim, completion, counts, created, job, key, layout, new_job, owner, page,
    planned, prepare, publication, reason, shard, sweep, totals,
};

fn checkpoint(next_batch: u64) -> Checkpoint {
    Checkpoint {
        next: Position {
            offset: 8 + next_batch * 1_000,
            record: next_batch * 10,
            line: 2 + next_batch * 11,
        },
        next_batch,
        messages: 4,
        fruitless: 2,
    }
}

/// Tries to take the planning as a new owner.
async fn take(store: &dyn Store, job: &JobId, now_ms: u64) -> PreparerOutcome {
    let owner = owner();
    let taken = store.take_preparer(job, &owner, now_ms, now_ms + LEASE);
    taken.await.expect("take preparer")
}

/// Takes the planning, which must be free.
async fn taken(store: &dyn Store, job: &JobId, now_ms: u64) -> (PreparerHold, Option<Checkpoint>) {
    match take(store, job, now_ms).await {
        PreparerOutcome::Granted(hold, checkpoint) => (hold, checkpoint),
        other => panic!("{other:?}"),
    }
}

/// A lease has ended at its end, not before.
pub async fn the_planning_is_held_until_its_lease_ends(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let first = owner();
    let outcome = store.take_preparer(&job, &first, NOW, NOW + LEASE).await;
    let hold = PreparerHold {
        job: job.clone(),
        owner: first,
        fence: 1,
    };
    let expected = PreparerOutcome::Granted(hold, None);
    assert_eq!(outcome.expect("take preparer"), expected);

    for now in [NOW, NOW + LEASE - 1] {
        let outcome = take(&*store, &job, now).await;
        assert_eq!(outcome, PreparerOutcome::HeldUntil(NOW + LEASE));
    }
    let (second, checkpoint) = taken(&*store, &job, NOW + LEASE).await;
    assert_eq!((second.fence, checkpoint), (2, None));
    let outcome = take(&*store, &job, NOW + LEASE).await;
    assert_eq!(outcome, PreparerOutcome::HeldUntil(NOW + 2 * LEASE));
}

/// There is nothing to take of a job that was never created, and nothing is made of it.
pub async fn only_a_job_that_exists_is_planned(store: Arc<dyn Store>) {
    let unknown = new_job().id;
    let owner = owner();
    let outcome = store.take_preparer(&unknown, &owner, NOW, NOW + LEASE);
    let error = outcome.await.expect_err("there is no such job");
    assert!(!error.is_retryable(), "{error}");
    assert_eq!(store.job(&unknown).await.expect("job"), None);
}

/// Progress survives its preparer.
pub async fn a_checkpoint_extends_the_hold_and_is_handed_over(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let hold = prepare(&*store, &job).await;
    for (batches, until) in [(25, NOW + LEASE + 7), (50, NOW + 2 * LEASE)] {
        let kept = store.checkpoint(&hold, &checkpoint(batches), until).await;
        assert_eq!(kept.expect("checkpoint"), Held::Kept);
    }
    let outcome = take(&*store, &job, NOW + 2 * LEASE - 1).await;
    assert_eq!(outcome, PreparerOutcome::HeldUntil(NOW + 2 * LEASE));
    let (next, handed) = taken(&*store, &job, NOW + 2 * LEASE).await;
    assert_eq!((next.fence, handed), (2, Some(checkpoint(50))));
}

/// A hold that is given up is free at once, with its checkpoint.
pub async fn a_preparer_gives_its_hold_up(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let hold = prepare(&*store, &job).await;
    let kept = store.checkpoint(&hold, &checkpoint(25), 0).await;
    assert_eq!(kept.expect("checkpoint"), Held::Kept);
    let (next, handed) = taken(&*store, &job, NOW + 1).await;
    assert_eq!((next.fence, handed), (2, Some(checkpoint(25))));
}

/// Neither a checkpoint nor the end of the planning passes under an older fence, or under another
/// owner's name.
pub async fn an_older_preparer_changes_nothing(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    let (older, _) = taken(&*store, &id, NOW).await;
    let (newer, _) = taken(&*store, &id, NOW + LEASE).await;
    let progress = checkpoint(50);
    let kept = store.checkpoint(&newer, &progress, NOW + 2 * LEASE);
    assert_eq!(kept.await.expect("checkpoint"), Held::Kept);

    let stranger = PreparerHold {
        owner: owner(),
        ..newer.clone()
    };
    let stale = PreparerHold {
        fence: older.fence,
        ..newer.clone()
    };
    for hold in [older, stranger, stale] {
        let kept = store.checkpoint(&hold, &checkpoint(25), 0).await;
        assert_eq!(kept.expect("checkpoint"), Held::Lost);
        let marked = store.mark_prepared(&hold, &totals(1, 25)).await;
        assert_eq!(marked.expect("mark prepared"), Held::Lost);
    }
    let kept = job(&*store, &id).await;
    assert_eq!((kept.status, kept.plan), (JobStatus::Preparing, None));
    let (_, handed) = taken(&*store, &id, NOW + 2 * LEASE).await;
    assert_eq!(handed, Some(checkpoint(50)));
}

/// As with batches: what nobody took over is still held.
pub async fn an_ended_hold_that_nobody_took_still_counts(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let hold = prepare(&*store, &job).await;
    let long_after = NOW + 10 * LEASE;
    let kept = store.checkpoint(&hold, &checkpoint(25), long_after).await;
    assert_eq!(kept.expect("checkpoint"), Held::Kept);
    let outcome = take(&*store, &job, long_after - 1).await;
    assert_eq!(outcome, PreparerOutcome::HeldUntil(long_after));
    let marked = store.mark_prepared(&hold, &totals(0, 0)).await;
    assert_eq!(marked.expect("mark prepared"), Held::Kept);
}

/// The end of the planning is for ever, and keeps its totals.
pub async fn a_planned_job_is_not_planned_again(store: Arc<dyn Store>) {
    let id = planned(&*store, 2, 3).await;
    let kept = job(&*store, &id).await;
    assert_eq!(kept.status, JobStatus::Processing);
    assert_eq!(kept.plan, Some(totals(2, 6)));
    for now in [NOW, NOW + 10 * LEASE] {
        let outcome = take(&*store, &id, now).await;
        let expected = PreparerOutcome::NotPreparing(JobStatus::Processing);
        assert_eq!(outcome, expected);
    }
}

/// A job that failed under its preparer stays failed.
pub async fn a_job_that_is_over_is_not_prepared(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    let hold = prepare(&*store, &id).await;
    let ended = store.finalize(&id, &Ending::Failed(reason()), NOW).await;
    assert_eq!(ended.expect("finalize"), FinalizeOutcome::Won);

    let marked = store.mark_prepared(&hold, &totals(1, 25)).await;
    assert_eq!(marked.expect("mark prepared"), Held::Lost);
    let kept = job(&*store, &id).await;
    assert_eq!((kept.status, kept.plan), (JobStatus::Failed, None));
    let outcome = take(&*store, &id, NOW + LEASE).await;
    assert_eq!(outcome, PreparerOutcome::NotPreparing(JobStatus::Failed));
}

/// Publications may come late and in any order; the newest is in force, and the seal is for ever.
pub async fn publications_only_grow(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let steps = [
        // (published, sealed) as said, and as in force afterwards
        ((25, false), (25, false)),
        ((75, false), (75, false)),
        ((50, false), (75, false)),
        ((75, false), (75, false)),
        ((75, true), (75, true)),
        ((75, false), (75, true)),
        ((50, false), (75, true)),
        ((25, true), (75, true)),
        // No preparer says this; a store that believed it would open what is closed or closing.
        ((100, false), (75, true)),
    ];
    for ((published, sealed), (in_force, seal)) in steps {
        let said = publication(published, sealed);
        store.publish(&job, 0, &said).await.expect("publish");
        let expected = Shard {
            published: in_force,
            cursor: 0,
            sealed: seal,
            closed: false,
            start: 8,
            end: 8 + u64::from(in_force) * 1_000,
            totals: None,
        };
        let now = shard(&*store, &job, 0).await;
        assert_eq!(now, expected, "after {said:?}");
    }
    let read = store.shard(&job, 0).await.expect("shard");
    assert!(read.is_some_and(|shard| shard.published <= 75));
    assert_eq!(store.sweep(&job, 1).await.expect("sweep"), None);
}

/// A preparer that was superseded, and publishes on, undoes nothing.
pub async fn publishing_again_leaves_tickets_and_closing_alone(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let half = publication(5, false);
    store.publish(&job, 0, &half).await.expect("publish");
    let tickets = store.take_tickets(&job, 0, 3, 5).await;
    assert_eq!(tickets.expect("take tickets"), TicketOutcome::Taken(0..3));
    let whole = publication(10, true);
    store.publish(&job, 0, &whole).await.expect("publish");
    assert_eq!(shard(&*store, &job, 0).await.cursor, 3);

    let sums = ShardTotals {
        counts: counts(100),
        bytes: 10_000,
        failed_batches: 1,
    };
    let closed = store.close_shard(&job, 0, &sums).await;
    assert_eq!(closed.expect("close shard"), CloseOutcome::Closed);
    for again in [half, whole] {
        store.publish(&job, 0, &again).await.expect("publish again");
    }
    let kept = shard(&*store, &job, 0).await;
    assert_eq!((kept.cursor, kept.published), (3, 10));
    assert!(kept.sealed && kept.closed);
    assert_eq!(kept.totals, Some(sums));
}

/// A preparer dies after its checkpoint; another goes on there, and the first can't interfere.
pub async fn a_half_prepared_job_is_resumed(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    let (dead, _) = taken(&*store, &id, NOW).await;
    store.put_layout(&id, &layout()).await.expect("put layout");
    let pages = [page(0, 25), page(25, 25)];
    let written = store.write_pages(&id, 0, 0, &pages[..1]).await;
    written.expect("write pages");
    let first = publication(25, false);
    store.publish(&id, 0, &first).await.expect("publish");
    let kept = store.checkpoint(&dead, &checkpoint(25), NOW + LEASE).await;
    assert_eq!(kept.expect("checkpoint"), Held::Kept);
    let lease = claim(&*store, &key(&id, 0), NOW).await;
    let completed = store.complete(&lease, &completion()).await;
    completed.expect("complete");

    let (next, handed) = taken(&*store, &id, NOW + LEASE).await;
    assert_eq!(handed, Some(checkpoint(25)));
    let snapshot = store.snapshot(&id).await.expect("snapshot");
    assert_eq!(snapshot.and_then(|kept| kept.layout), Some(layout()));
    // The new preparer writes the rest; the old one wakes up in the middle of it.
    let written = store.write_pages(&id, 0, 0, &pages).await;
    written.expect("write all pages");
    let sealed = publication(50, true);
    store.publish(&id, 0, &sealed).await.expect("publish");
    store.publish(&id, 0, &first).await.expect("publish late");
    let late = checkpoint(30);
    let lost = store.checkpoint(&dead, &late, NOW + 9 * LEASE);
    assert_eq!(lost.await.expect("checkpoint"), Held::Lost);
    let lost = store.mark_prepared(&dead, &totals(1, 30)).await;
    assert_eq!(lost.expect("mark prepared"), Held::Lost);
    let marked = store.mark_prepared(&next, &totals(1, 50)).await;
    assert_eq!(marked.expect("mark prepared"), Held::Kept);

    assert_eq!(job(&*store, &id).await.plan, Some(totals(1, 50)));
    assert_eq!(store.pages(&id, 0).await.expect("pages"), pages);
    let view = sweep(&*store, &id, 0).await;
    assert_eq!((view.shard.published, view.shard.sealed), (50, true));
    assert_eq!(view.batches.len(), 1);
    assert_eq!(view.batches[&0].completion, Some(completion()));
}
