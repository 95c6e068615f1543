//! The same call again: after a response that was lost, after an event that came twice.
//!
//! A store cannot tell these from a first call except by what it holds. So it reads that, and
//! answers what is true.

use std::sync::Arc;

use batchfleet_core::batch::{BatchKey, Completion, ShardTotals};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{Checkpoint, Ending, JobStatus};
use batchfleet_core::ports::{
    ClaimOutcome, CloseOutcome, CompleteOutcome, CreateOutcome, FinalizeOutcome, Held,
    PreparerOutcome, Store, TicketOutcome,
};
use batchfleet_grammar::Position;

use super::fixture::{
    LEASE, NOW, batch, claim, completion, counts, created, job, key, layout, new_job, owner, page,
    persist, planned, prepare, publication, published, reason, shard, sweep, totals,
};
use crate::faults::LostResponses;

/// Under any state the job is in.
pub async fn creating_again_finds_the_job(store: Arc<dyn Store>) {
    let new = new_job();
    let first = store.create(&new).await.expect("create");
    assert_eq!(first, CreateOutcome::Created);
    let again = store.create(&new).await.expect("create again");
    assert_eq!(again, CreateOutcome::Exists);

    let ending = Ending::Failed(reason());
    let ended = store.finalize(&new.id, &ending, NOW);
    assert_eq!(ended.await.expect("finalize"), FinalizeOutcome::Won);
    let before = job(&*store, &new.id).await;
    let again = store.create(&new).await.expect("create again");
    assert_eq!(again, CreateOutcome::Exists);
    assert_eq!(job(&*store, &new.id).await, before);
}

/// The caller holds the planning, by a call whose response it never got.
pub async fn taking_the_planning_again_answers_the_same_hold(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let taker = owner();
    let call = || store.take_preparer(&job, &taker, NOW, NOW + LEASE);
    let first = call().await.expect("take preparer");
    let again = call().await.expect("take preparer again");
    assert_eq!(again, first);
    let PreparerOutcome::Granted(hold, None) = again else {
        panic!("{again:?}");
    };
    assert_eq!(hold.fence, 1);
    let kept = store.checkpoint(&hold, &checkpoint(), NOW + LEASE).await;
    assert_eq!(kept.expect("checkpoint"), Held::Kept);

    let other = store.take_preparer(&job, &owner(), NOW, NOW + LEASE).await;
    let expected = PreparerOutcome::HeldUntil(NOW + LEASE);
    assert_eq!(other.expect("take preparer"), expected);
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        next: Position {
            offset: 1_008,
            record: 10,
            line: 13,
        },
        next_batch: 1,
        messages: 1,
        fruitless: 2,
    }
}

/// Also one that gives the hold up, until someone else has taken it.
pub async fn a_checkpoint_again_is_kept(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    let hold = prepare(&*store, &job).await;
    for until in [NOW + LEASE, NOW + LEASE, 0, 0] {
        let kept = store.checkpoint(&hold, &checkpoint(), until).await;
        assert_eq!(kept.expect("checkpoint"), Held::Kept);
    }
    let next = prepare(&*store, &job).await;
    assert_eq!(next.fence, 2);
    let kept = store.checkpoint(&hold, &checkpoint(), 0).await;
    assert_eq!(kept.expect("checkpoint"), Held::Lost);
}

/// Only for the very same call.
pub async fn marking_prepared_again_is_kept(store: Arc<dyn Store>) {
    let id = created(&*store).await;
    let hold = prepare(&*store, &id).await;
    for _ in 0..2 {
        let marked = store.mark_prepared(&hold, &totals(1, 25)).await;
        assert_eq!(marked.expect("mark prepared"), Held::Kept);
    }
    let marked = store.mark_prepared(&hold, &totals(1, 26)).await;
    assert_eq!(marked.expect("mark prepared"), Held::Lost);
    let stranger = batchfleet_core::job::PreparerHold {
        owner: owner(),
        ..hold
    };
    let marked = store.mark_prepared(&stranger, &totals(1, 25)).await;
    assert_eq!(marked.expect("mark prepared"), Held::Lost);
    let kept = job(&*store, &id).await;
    assert_eq!(kept.status, JobStatus::Processing);
    assert_eq!(kept.plan, Some(totals(1, 25)));
}

/// Owners are unique to one invocation, which never claims what it knows it holds: so it is a repeat.
pub async fn claiming_again_answers_the_same_lease(store: Arc<dyn Store>) {
    let job = published(&*store, 1).await;
    let (key, holder) = (key(&job, 0), owner());
    let call = || store.claim(&key, &holder, NOW, NOW + LEASE);
    let first = call().await.expect("claim");
    let before = batch(&*store, &key).await;
    let again = call().await.expect("claim again");
    assert_eq!(again, first);
    assert_eq!(batch(&*store, &key).await, before);
    assert_eq!((before.fence, before.attempts), (1, 1));

    let ClaimOutcome::Claimed(lease) = again else {
        panic!("{again:?}");
    };
    let done = store.complete(&lease, &completion()).await;
    assert_eq!(done.expect("complete"), CompleteOutcome::Completed);
}

/// Once the lease has ended, even its former holder claims anew: others may have been there.
pub async fn claiming_again_after_the_lease_ended_is_a_new_claim(store: Arc<dyn Store>) {
    let job = published(&*store, 1).await;
    let (key, holder) = (key(&job, 0), owner());
    for round in 0..2 {
        let now = NOW + round * LEASE;
        let claimed = store.claim(&key, &holder, now, now + LEASE).await;
        let Ok(ClaimOutcome::Claimed(lease)) = claimed else {
            panic!("{claimed:?}");
        };
        assert_eq!(
            (lease.fence, u64::from(lease.attempt)),
            (round + 1, round + 1)
        );
    }
}

/// Only for the very same call; of another completion, nothing is kept.
pub async fn completing_again_is_completed(store: Arc<dyn Store>) {
    let job = published(&*store, 2).await;
    for (slot, failed) in [(0, false), (1, true)] {
        let lease = claim(&*store, &key(&job, slot), NOW).await;
        let done = Completion {
            failed,
            ..completion()
        };
        for _ in 0..3 {
            let outcome = store.complete(&lease, &done).await;
            assert_eq!(outcome.expect("complete"), CompleteOutcome::Completed);
        }
        let other = Completion {
            counts: counts(11),
            ..done.clone()
        };
        let outcome = store.complete(&lease, &other).await.expect("complete");
        assert_eq!(outcome, CompleteOutcome::Lost);
        let item = batch(&*store, &lease.key).await;
        assert_eq!((item.completion, item.fence), (Some(done), 1));
    }
}

/// A release that went through already is lost the second time, and gives no second attempt back.
pub async fn releasing_and_heartbeating_again_do_no_harm(store: Arc<dyn Store>) {
    let job = published(&*store, 1).await;
    let lost = claim(&*store, &key(&job, 0), NOW).await;
    let lease = claim(&*store, &lost.key, NOW + LEASE).await;
    for _ in 0..2 {
        let kept = store.heartbeat(&lease, NOW + 3 * LEASE).await;
        assert_eq!(kept.expect("heartbeat"), Held::Kept);
    }
    let first = store.release(&lease).await.expect("release");
    assert_eq!(first, Held::Kept);
    let again = store.release(&lease).await.expect("release again");
    assert_eq!(again, Held::Lost);
    let item = batch(&*store, &lease.key).await;
    assert_eq!((item.attempts, item.fence), (1, 2));
}

/// The sums are in the job once.
pub async fn closing_again_adds_nothing(store: Arc<dyn Store>) {
    let id = planned(&*store, 1, 3).await;
    let sums = ShardTotals {
        counts: counts(30),
        bytes: 3_000,
        failed_batches: 0,
    };
    for expected in [CloseOutcome::Closed, CloseOutcome::AlreadyClosed] {
        let closed = store.close_shard(&id, 0, &sums).await;
        assert_eq!(closed.expect("close shard"), expected);
    }
    let kept = job(&*store, &id).await;
    assert_eq!((kept.shards_closed, kept.closed), (1, counts(30)));
    assert_eq!(kept.closed_bytes, 3_000);
}

/// The mark is what is left to do, whoever finds it.
pub async fn finalizing_again_finds_the_job_over(store: Arc<dyn Store>) {
    let id = planned(&*store, 0, 0).await;
    let over = FinalizeOutcome::AlreadyOver(JobStatus::Completed);
    for (at, expected) in [(NOW, FinalizeOutcome::Won), (NOW + 1, over)] {
        let ended = store.finalize(&id, &Ending::Completed, at).await;
        assert_eq!(ended.expect("finalize"), expected);
    }
    let kept = job(&*store, &id).await;
    assert_eq!((kept.finished_ms, kept.outbox), (Some(NOW), true));
}

/// Tickets whose response was lost are lost too: hints, which the sweep makes up for.
pub async fn taking_tickets_again_takes_others(store: Arc<dyn Store>) {
    let job = published(&*store, 10).await;
    for expected in [0..4, 4..8] {
        let taken = store.take_tickets(&job, 0, 4, 10).await;
        assert_eq!(taken.expect("take tickets"), TicketOutcome::Taken(expected));
    }
    let lease = claim(&*store, &key(&job, 0), NOW).await;
    assert_eq!(lease.fence, 1);
}

/// An event comes again when workers are far on: nothing of what they did is undone (I4, I5).
pub async fn events_delivered_again_change_nothing(store: Arc<dyn Store>) {
    let new = new_job();
    let pages = [page(0, 25), page(25, 5)];
    for round in 0..2 {
        let outcome = store.create(&new).await.expect("create");
        assert_eq!(outcome == CreateOutcome::Created, round == 0);
        let put = store.put_layout(&new.id, &layout()).await;
        put.expect("put layout");
        let written = store.write_pages(&new.id, 0, 0, &pages).await;
        written.expect("write pages");
        for (published, sealed) in [(25, false), (30, true)] {
            let said = publication(published, sealed);
            store.publish(&new.id, 0, &said).await.expect("publish");
        }
        if round == 0 {
            let taken = store.take_tickets(&new.id, 0, 3, 30).await;
            assert_eq!(taken.expect("take tickets"), TicketOutcome::Taken(0..3));
            let done = claim(&*store, &key(&new.id, 0), NOW).await;
            store
                .complete(&done, &completion())
                .await
                .expect("complete");
            let back = claim(&*store, &key(&new.id, 1), NOW).await;
            store.release(&back).await.expect("release");
            claim(&*store, &key(&new.id, 2), NOW).await;
        }
        let view = sweep(&*store, &new.id, 0).await;
        let fences: Vec<_> = view
            .batches
            .iter()
            .map(|(slot, b)| (*slot, b.fence))
            .collect();
        assert_eq!(fences, [(0, 1), (1, 1), (2, 1)], "round {round}");
        assert_eq!(view.batches[&0].completion, Some(completion()));
        assert_eq!((view.shard.cursor, view.shard.published), (3, 30));
        assert_eq!(store.pages(&new.id, 0).await.expect("pages"), pages);
    }
}

/// A whole job over a store that loses two responses in five: whoever calls again hears the truth,
/// so every batch is claimed at one fence, counted once, and the job ends once.
pub async fn a_job_is_accounted_for_though_responses_are_lost(store: Arc<dyn Store>) {
    const WORKERS: usize = 4;
    let lossy: Arc<dyn Store> = Arc::new(LostResponses::new(store, 7, 40));
    let id = lossy_plan(&lossy).await;

    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(tokio::spawn(lossy_work(Arc::clone(&lossy), id.clone())));
    }
    for worker in workers {
        worker.await.expect("the worker came through");
    }
    // Some tickets were lost with their responses; the sweep finds those batches.
    let sweeper = owner();
    for slot in sweep(&*lossy, &id, 0).await.claimable(NOW) {
        lossy_batch(&*lossy, &key(&id, slot), &sweeper).await;
    }

    let view = sweep(&*lossy, &id, 0).await;
    assert!(view.is_over());
    for (slot, item) in &view.batches {
        assert_eq!((item.fence, item.attempts), (1, 1), "slot {slot}");
        assert_eq!(item.completion, Some(completion()));
    }
    let sums = ShardTotals {
        counts: counts(u64::from(LOSSY_BATCHES) * 10),
        bytes: u64::from(LOSSY_BATCHES) * 1_000,
        failed_batches: 0,
    };
    let closed = persist(|| lossy.close_shard(&id, 0, &sums)).await;
    assert_ne!(closed, CloseOutcome::Refused);
    let ended = persist(|| lossy.finalize(&id, &Ending::Completed, NOW)).await;
    assert_ne!(ended, FinalizeOutcome::NotReady);
    persist(|| lossy.clear_outbox(&id)).await;

    let over = job(&*lossy, &id).await;
    assert_eq!((over.status, over.outbox), (JobStatus::Completed, false));
    assert_eq!((over.shards_closed, over.closed), (1, sums.counts));
    assert_eq!(shard(&*lossy, &id, 0).await.totals, Some(sums));
}

const LOSSY_BATCHES: u32 = 75;

async fn lossy_plan(store: &Arc<dyn Store>) -> JobId {
    let new = new_job();
    let (id, preparer) = (&new.id, owner());
    persist(|| store.create(&new)).await;
    let taken = persist(|| store.take_preparer(id, &preparer, NOW, NOW + LEASE)).await;
    let PreparerOutcome::Granted(hold, None) = taken else {
        panic!("{taken:?}");
    };
    assert_eq!(hold.fence, 1);
    let (layout, progress) = (layout(), checkpoint());
    persist(|| store.put_layout(id, &layout)).await;
    for number in 0..LOSSY_BATCHES / 25 {
        let pages = [page(u64::from(number) * 25, 25)];
        persist(|| store.write_pages(id, 0, number, &pages)).await;
        let published = (number + 1) * 25;
        let said = publication(published, published == LOSSY_BATCHES);
        persist(|| store.publish(id, 0, &said)).await;
        let kept = persist(|| store.checkpoint(&hold, &progress, NOW + LEASE)).await;
        assert_eq!(kept, Held::Kept);
    }
    let totals = totals(1, u64::from(LOSSY_BATCHES));
    let marked = persist(|| store.mark_prepared(&hold, &totals)).await;
    assert_eq!(marked, Held::Kept);
    new.id
}

async fn lossy_work(store: Arc<dyn Store>, job: JobId) {
    let worker = owner();
    while let TicketOutcome::Taken(slots) =
        persist(|| store.take_tickets(&job, 0, 1, LOSSY_BATCHES)).await
    {
        for slot in slots {
            lossy_batch(&*store, &key(&job, slot), &worker).await;
        }
    }
}

async fn lossy_batch(store: &dyn Store, key: &BatchKey, owner: &OwnerId) {
    let claimed = persist(|| store.claim(key, owner, NOW, NOW + LEASE)).await;
    let ClaimOutcome::Claimed(lease) = claimed else {
        panic!("nobody else has a ticket for {key:?}: {claimed:?}");
    };
    let done = completion();
    let outcome = persist(|| store.complete(&lease, &done)).await;
    assert_eq!(outcome, CompleteOutcome::Completed);
}
