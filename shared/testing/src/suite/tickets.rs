//! Tickets: hints that spread workers over the batches of a shard.

use std::sync::Arc;

use batchfleet_core::batch::Shard;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{Store, TicketOutcome};

use super::fixture::{created, new_job, publication, published, shard};

async fn take(store: &dyn Store, job: &JobId, count: u32, seen: u32) -> TicketOutcome {
    let taken = store.take_tickets(job, 0, count, seen).await;
    taken.expect("take tickets")
}

/// Asks for more than is left, and hears how the shard is.
async fn short(store: &dyn Store, job: &JobId, count: u32, seen: u32) -> (u32, u32) {
    match take(store, job, count, seen).await {
        TicketOutcome::Short(shard) => (shard.cursor, shard.published),
        TicketOutcome::Taken(slots) => panic!("{slots:?} are not there to take"),
    }
}

/// A block is given whole or not at all.
pub async fn tickets_come_in_order_and_stop_at_the_end(store: Arc<dyn Store>) {
    let job = published(&*store, 10).await;
    let taken = take(&*store, &job, 8, 10).await;
    assert_eq!(taken, TicketOutcome::Taken(0..8));
    assert_eq!(short(&*store, &job, 3, 10).await, (8, 10));
    let taken = take(&*store, &job, 1, 10).await;
    assert_eq!(taken, TicketOutcome::Taken(8..9));
    let taken = take(&*store, &job, 1, 10).await;
    assert_eq!(taken, TicketOutcome::Taken(9..10));
    assert_eq!(short(&*store, &job, 1, 10).await, (10, 10));
    assert_eq!(short(&*store, &job, u32::MAX, 10).await, (10, 10));
    assert_eq!(shard(&*store, &job, 0).await.cursor, 10);
}

/// A caller that read the shard a while ago hears of what it did not see, and reads it there.
pub async fn tickets_stay_below_what_the_caller_saw(store: Arc<dyn Store>) {
    let job = published(&*store, 10).await;
    assert_eq!(short(&*store, &job, 5, 4).await, (0, 10));
    assert_eq!(short(&*store, &job, 1, 0).await, (0, 10));
    let taken = take(&*store, &job, 4, 4).await;
    assert_eq!(taken, TicketOutcome::Taken(0..4));
    assert_eq!(short(&*store, &job, 1, 4).await, (4, 10));
    let taken = take(&*store, &job, 6, 10).await;
    assert_eq!(taken, TicketOutcome::Taken(4..10));
}

/// The cursor waits at what is published, and goes on from there.
pub async fn what_is_published_later_has_tickets_too(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let first = publication(2, false);
    store.publish(&job, 0, &first).await.expect("publish");
    let taken = take(&*store, &job, 2, 2).await;
    assert_eq!(taken, TicketOutcome::Taken(0..2));
    assert_eq!(short(&*store, &job, 1, 2).await, (2, 2));
    let more = publication(5, true);
    store.publish(&job, 0, &more).await.expect("publish");
    let taken = take(&*store, &job, 3, 5).await;
    assert_eq!(taken, TicketOutcome::Taken(2..5));
}

/// A caller may be ahead of the preparer. It finds an empty shard, and makes none; no more of a job
/// that was never created.
pub async fn a_shard_of_which_nothing_is_published_has_none(store: Arc<dyn Store>) {
    for job in [created(&*store).await, new_job().id] {
        for (count, seen) in [(1, 0), (1, 1), (5, 10)] {
            let outcome = take(&*store, &job, count, seen).await;
            assert_eq!(outcome, TicketOutcome::Short(Shard::default()));
        }
        assert_eq!(store.shard(&job, 0).await.expect("shard"), None);
        assert_eq!(store.sweep(&job, 0).await.expect("sweep"), None);
    }
}
