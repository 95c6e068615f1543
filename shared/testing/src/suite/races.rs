//! Many at once: exactly one of them wins, and the others hear who.

use std::sync::Arc;

use batchfleet_core::batch::{Completion, ShardTotals};
use batchfleet_core::job::{Counts, Ending, JobStatus};
use batchfleet_core::ports::{
    ClaimOutcome, CloseOutcome, CompleteOutcome, CreateOutcome, FinalizeOutcome, PreparerOutcome,
    Store, TicketOutcome,
};

use super::fixture::{
    LEASE, NOW, RACERS, claim, completion, counts, created, job, key, new_job, owner, planned,
    published, race, reason, shard, sweep,
};

/// One event, delivered many times.
pub async fn one_of_many_creates_a_job(store: Arc<dyn Store>) {
    let new = new_job();
    let outcomes = race(|_| {
        let (store, new) = (Arc::clone(&store), new.clone());
        async move { store.create(&new).await.expect("create") }
    })
    .await;
    let created = outcomes.iter().filter(|o| **o == CreateOutcome::Created);
    assert_eq!(created.count(), 1);
    assert_eq!(job(&*store, &new.id).await.status, JobStatus::Preparing);
}

/// At each fence, one; the others hear until when.
pub async fn one_of_many_preparers_is_granted(store: Arc<dyn Store>) {
    let job = created(&*store).await;
    for round in 1..=3 {
        let (now, until) = (NOW + round * LEASE, NOW + (round + 1) * LEASE);
        let outcomes = race(|_| {
            let (store, job) = (Arc::clone(&store), job.clone());
            async move { store.take_preparer(&job, &owner(), now, until).await }
        })
        .await;
        let mut granted = 0;
        for outcome in outcomes {
            match outcome.expect("take preparer") {
                PreparerOutcome::Granted(hold, _) => {
                    granted += 1;
                    assert_eq!(hold.fence, round);
                }
                other => assert_eq!(other, PreparerOutcome::HeldUntil(until)),
            }
        }
        assert_eq!(granted, 1, "at fence {round}");
    }
}

/// Blocks of many sizes: no slot twice, none left out, none above what is published.
pub async fn tickets_are_given_once(store: Arc<dyn Store>) {
    const BATCHES: u32 = 1_000;
    let job = published(&*store, BATCHES).await;
    let taken = race(|racer| {
        let (store, job) = (Arc::clone(&store), job.clone());
        async move {
            let mut block = 1 + racer as u32 % 7;
            let mut slots = Vec::new();
            while block > 0 {
                let asked = store.take_tickets(&job, 0, block, BATCHES).await;
                match asked.expect("take tickets") {
                    TicketOutcome::Taken(range) => slots.extend(range),
                    TicketOutcome::Short(shard) => {
                        block = block.min(shard.published - shard.cursor);
                    }
                }
            }
            slots
        }
    })
    .await;
    let mut slots: Vec<u32> = taken.into_iter().flatten().collect();
    slots.sort_unstable();
    assert_eq!(slots, (0..BATCHES).collect::<Vec<_>>());
    assert_eq!(shard(&*store, &job, 0).await.cursor, BATCHES);
}

/// 64 tasks, four after every one of 1,000 batches; and again when all those leases have ended (I2).
pub async fn a_batch_is_won_once_at_each_fence(store: Arc<dyn Store>) {
    const BATCHES: u32 = 1_000;
    const LANES: usize = RACERS / 4;
    let job = published(&*store, BATCHES).await;
    for round in 1..=2 {
        let (now, until) = (NOW + round * LEASE, NOW + (round + 1) * LEASE);
        let won = race(|racer| {
            let (store, job, owner) = (Arc::clone(&store), job.clone(), owner());
            async move {
                let mut won = Vec::new();
                for slot in (0..BATCHES).skip(racer % LANES).step_by(LANES) {
                    let claimed = store.claim(&key(&job, slot), &owner, now, until).await;
                    match claimed.expect("claim") {
                        ClaimOutcome::Claimed(lease) => {
                            assert_eq!((lease.fence, u64::from(lease.attempt)), (round, round));
                            won.push(slot);
                        }
                        other => assert_eq!(other, ClaimOutcome::HeldUntil(until)),
                    }
                }
                won
            }
        })
        .await;
        let mut won: Vec<u32> = won.into_iter().flatten().collect();
        won.sort_unstable();
        assert_eq!(won, (0..BATCHES).collect::<Vec<_>>(), "at fence {round}");
    }
    let view = sweep(&*store, &job, 0).await;
    assert_eq!(view.batches.len(), BATCHES as usize);
    assert!(view.batches.values().all(|item| item.fence == 2));
}

/// A batch went through many hands; all their holders complete it at once, and the last one counts.
pub async fn a_batch_is_completed_once(store: Arc<dyn Store>) {
    let job = published(&*store, 1).await;
    let mut leases = Vec::new();
    for round in 0..RACERS as u64 {
        leases.push(claim(&*store, &key(&job, 0), NOW + round * LEASE).await);
    }
    let outcomes = race(|racer| {
        let (store, lease) = (Arc::clone(&store), leases[racer].clone());
        async move {
            let done = Completion {
                bytes: lease.fence,
                ..completion()
            };
            store.complete(&lease, &done).await.expect("complete")
        }
    })
    .await;
    for (racer, outcome) in outcomes.into_iter().enumerate() {
        let expected = if racer == RACERS - 1 {
            CompleteOutcome::Completed
        } else {
            CompleteOutcome::Lost
        };
        assert_eq!(outcome, expected, "racer {racer}");
    }
    let item = &sweep(&*store, &job, 0).await.batches[&0];
    let bytes = item.completion.as_ref().map(|done| done.bytes);
    assert_eq!(bytes, Some(RACERS as u64));
}

/// Many sweeps find the same shards finished; each is in the job once (I4).
pub async fn a_shard_is_closed_once(store: Arc<dyn Store>) {
    const SHARDS: u32 = 4;
    let id = planned(&*store, SHARDS, 3).await;
    let sums = ShardTotals {
        counts: counts(30),
        bytes: 3_000,
        failed_batches: 0,
    };
    let outcomes = race(|racer| {
        let (store, id) = (Arc::clone(&store), id.clone());
        async move {
            let number = racer as u32 % SHARDS;
            let closed = store.close_shard(&id, number, &sums).await;
            closed.expect("close shard")
        }
    })
    .await;
    let closed = outcomes.iter().filter(|o| **o == CloseOutcome::Closed);
    assert_eq!(closed.count(), SHARDS as usize);
    assert!(!outcomes.contains(&CloseOutcome::Refused));

    let mut whole = Counts::default();
    for _ in 0..SHARDS {
        whole += counts(30);
    }
    let kept = job(&*store, &id).await;
    assert_eq!((kept.shards_closed, kept.closed), (SHARDS, whole));
    assert_eq!(kept.closed_bytes, 12_000);
}

/// Some complete it, some fail it: one ending, and all hear the same (I4).
pub async fn a_job_is_ended_once(store: Arc<dyn Store>) {
    let id = planned(&*store, 0, 0).await;
    let outcomes = race(|racer| {
        let (store, id) = (Arc::clone(&store), id.clone());
        async move {
            let ending = if racer % 2 == 0 {
                Ending::Completed
            } else {
                Ending::Failed(reason())
            };
            let ended = store.finalize(&id, &ending, NOW + racer as u64).await;
            (racer, ended.expect("finalize"))
        }
    })
    .await;
    let over = job(&*store, &id).await;
    let mut winners = Vec::new();
    for (racer, outcome) in outcomes {
        match outcome {
            FinalizeOutcome::Won => winners.push(racer),
            other => assert_eq!(other, FinalizeOutcome::AlreadyOver(over.status)),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(over.finished_ms, Some(NOW + winners[0] as u64));
    let completed = winners[0].is_multiple_of(2);
    assert_eq!(over.status == JobStatus::Completed, completed);
    assert_eq!(over.reason.is_none(), completed);
    assert!(over.outbox);
}
