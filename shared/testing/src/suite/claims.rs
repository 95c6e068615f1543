//! Batches: claimed, kept alive, completed, handed back, and taken over.

use std::collections::BTreeMap;
use std::sync::Arc;

use batchfleet_core::batch::{BatchItem, BatchStatus, Completion, Lease, Written};
use batchfleet_core::checksum::FileSum;
use batchfleet_core::job::{CodeCounts, Counts};
use batchfleet_core::ports::{ClaimOutcome, CompleteOutcome, Held, Store};
use batchfleet_definition::Code;

use super::fixture::{LEASE, NOW, batch, claim, completion, counts, key, owner, published, sweep};

/// A lease that was in force and no longer is, and the one that took its place.
async fn superseded(store: &dyn Store) -> (Lease, Lease) {
    let job = published(store, 1).await;
    let older = claim(store, &key(&job, 0), NOW).await;
    let newer = claim(store, &key(&job, 0), NOW + LEASE).await;
    (older, newer)
}

/// Leases that are not the one in force, each wrong in its own way.
fn impostors(older: &Lease, newer: &Lease) -> [Lease; 3] {
    let stale = Lease {
        fence: older.fence,
        ..newer.clone()
    };
    let stranger = Lease {
        owner: owner(),
        ..newer.clone()
    };
    [older.clone(), stale, stranger]
}

/// A batch that nobody claimed is claimable; once claimed, it is its holder's until the lease ends.
pub async fn a_claim_holds_a_batch_until_its_lease_ends(store: Arc<dyn Store>) {
    let job = published(&*store, 3).await;
    let key = key(&job, 1);
    assert!(sweep(&*store, &job, 0).await.batches.is_empty());

    let holder = owner();
    let outcome = store.claim(&key, &holder, NOW, NOW + LEASE).await;
    let lease = Lease {
        key: key.clone(),
        owner: holder.clone(),
        fence: 1,
        attempt: 1,
    };
    assert_eq!(outcome.expect("claim"), ClaimOutcome::Claimed(lease));
    for now in [NOW, NOW + LEASE - 1] {
        let outcome = store.claim(&key, &owner(), now, now + LEASE).await;
        assert_eq!(
            outcome.expect("claim"),
            ClaimOutcome::HeldUntil(NOW + LEASE)
        );
    }
    let expected = BatchItem {
        status: BatchStatus::Leased,
        fence: 1,
        attempts: 1,
        owner: Some(holder),
        lease_until_ms: NOW + LEASE,
        completion: None,
    };
    let view = sweep(&*store, &job, 0).await;
    assert_eq!(view.batches, BTreeMap::from([(1, expected)]));
}

/// Whoever comes when a lease has ended takes the batch; each such claim counts.
pub async fn a_claim_after_the_lease_ended_raises_fence_and_attempts(store: Arc<dyn Store>) {
    let job = published(&*store, 1).await;
    let key = key(&job, 0);
    for round in 0..4 {
        let lease = claim(&*store, &key, NOW + round * LEASE).await;
        assert_eq!(
            (lease.fence, u64::from(lease.attempt)),
            (round + 1, round + 1)
        );
        let item = batch(&*store, &key).await;
        assert_eq!(item.owner, Some(lease.owner));
        assert_eq!(item.lease_until_ms, NOW + (round + 1) * LEASE);
    }
}

/// The holder keeps its batch for as long as it says so, also when it says so late.
pub async fn a_heartbeat_extends_the_lease(store: Arc<dyn Store>) {
    let job = published(&*store, 1).await;
    let lease = claim(&*store, &key(&job, 0), NOW).await;
    for until in [NOW + 2 * LEASE, NOW + 5 * LEASE] {
        let kept = store.heartbeat(&lease, until).await.expect("heartbeat");
        assert_eq!(kept, Held::Kept);
        let other = owner();
        let outcome = store.claim(&lease.key, &other, until - 1, until + LEASE);
        let held = ClaimOutcome::HeldUntil(until);
        assert_eq!(outcome.await.expect("claim"), held);
    }
    let item = batch(&*store, &lease.key).await;
    assert_eq!((item.fence, item.attempts), (1, 1));
}

/// A holder that lost its batch hears of it.
pub async fn a_heartbeat_under_an_older_fence_changes_nothing(store: Arc<dyn Store>) {
    let (older, newer) = superseded(&*store).await;
    let before = batch(&*store, &newer.key).await;
    for lease in impostors(&older, &newer) {
        let kept = store.heartbeat(&lease, NOW + 9 * LEASE).await;
        assert_eq!(kept.expect("heartbeat"), Held::Lost);
    }
    assert_eq!(batch(&*store, &newer.key).await, before);
}

/// Counts, bytes and the rows by error code.
pub async fn a_completion_reads_back(store: Arc<dyn Store>) {
    let job = published(&*store, 1).await;
    let lease = claim(&*store, &key(&job, 0), NOW).await;
    let done = Completion {
        failed: false,
        counts: Counts {
            records: 100,
            accepted: 70,
            rejected: 25,
            skipped: 5,
        },
        bytes: 12_345,
        codes: CodeCounts::from([
            (Code::Required, 3),
            (Code::TypeMismatch, 20),
            (Code::MalformedRow, 2),
        ]),
        warned: 70,
        warnings: CodeCounts::from([(Code::Length, 60), (Code::Rule, 20)]),
        written: Some(Written {
            part: Some(FileSum::of(b"70 rows")),
        }),
    };
    let outcome = store.complete(&lease, &done).await.expect("complete");
    assert_eq!(outcome, CompleteOutcome::Completed);
    let expected = BatchItem {
        status: BatchStatus::Done,
        fence: 1,
        attempts: 1,
        owner: Some(lease.owner),
        lease_until_ms: 0,
        completion: Some(done),
    };
    assert_eq!(batch(&*store, &lease.key).await, expected);
}

/// A batch whose every claim died.
pub async fn a_batch_given_up_reads_back_as_failed(store: Arc<dyn Store>) {
    let (_, lease) = superseded(&*store).await;
    let given_up = Completion {
        failed: true,
        counts: Counts {
            accepted: 0,
            rejected: 10,
            ..counts(10)
        },
        bytes: 1_000,
        codes: CodeCounts::from([(Code::BatchFailed, 10)]),
        ..Completion::default()
    };
    let outcome = store.complete(&lease, &given_up).await;
    assert_eq!(outcome.expect("complete"), CompleteOutcome::Completed);
    let item = batch(&*store, &lease.key).await;
    assert_eq!((item.status, item.attempts), (BatchStatus::Failed, 2));
    assert_eq!(item.completion, Some(given_up));
}

/// I2, before and after the newer holder completed.
pub async fn a_completion_under_an_older_fence_changes_nothing(store: Arc<dyn Store>) {
    let (older, newer) = superseded(&*store).await;
    let before = batch(&*store, &newer.key).await;
    for lease in impostors(&older, &newer) {
        let outcome = store.complete(&lease, &completion()).await;
        assert_eq!(outcome.expect("complete"), CompleteOutcome::Lost);
    }
    assert_eq!(batch(&*store, &newer.key).await, before);

    let outcome = store.complete(&newer, &completion()).await;
    assert_eq!(outcome.expect("complete"), CompleteOutcome::Completed);
    let done = batch(&*store, &newer.key).await;
    for lease in impostors(&older, &newer) {
        let outcome = store.complete(&lease, &completion()).await;
        assert_eq!(outcome.expect("complete"), CompleteOutcome::Lost);
    }
    assert_eq!(batch(&*store, &newer.key).await, done);
}

/// The work of a slow holder is not thrown away where nobody else began it.
pub async fn an_ended_lease_that_nobody_took_still_completes(store: Arc<dyn Store>) {
    let job = published(&*store, 1).await;
    let ended = NOW - 3 * LEASE;
    let lease = claim(&*store, &key(&job, 0), ended).await;
    let outcome = store.complete(&lease, &completion()).await;
    assert_eq!(outcome.expect("complete"), CompleteOutcome::Completed);
    let outcome = store.claim(&lease.key, &owner(), NOW, NOW + LEASE).await;
    assert_eq!(outcome.expect("claim"), ClaimOutcome::Over);
}

/// Nothing reopens a batch: no claim however late, no heartbeat, no release, no other completion.
pub async fn a_batch_that_is_over_stays_so(store: Arc<dyn Store>) {
    let job = published(&*store, 2).await;
    for (slot, failed) in [(0, false), (1, true)] {
        let lease = claim(&*store, &key(&job, slot), NOW).await;
        let done = Completion {
            failed,
            ..completion()
        };
        let outcome = store.complete(&lease, &done).await.expect("complete");
        assert_eq!(outcome, CompleteOutcome::Completed);
        let before = batch(&*store, &lease.key).await;

        let late = NOW + 100 * LEASE;
        let outcome = store.claim(&lease.key, &owner(), late, late + LEASE).await;
        assert_eq!(outcome.expect("claim"), ClaimOutcome::Over);
        let again = store.claim(&lease.key, &lease.owner, NOW, NOW + LEASE);
        assert_eq!(again.await.expect("claim"), ClaimOutcome::Over);
        let kept = store.heartbeat(&lease, late).await.expect("heartbeat");
        assert_eq!(kept, Held::Lost);
        let kept = store.release(&lease).await.expect("release");
        assert_eq!(kept, Held::Lost);
        let other = Completion {
            bytes: 7,
            ..done.clone()
        };
        let outcome = store.complete(&lease, &other).await.expect("complete");
        assert_eq!(outcome, CompleteOutcome::Lost);
        assert_eq!(batch(&*store, &lease.key).await, before);
    }
}

/// A batch that was handed back unworked is claimable at once; its former holder is out.
pub async fn a_release_gives_the_attempt_back_and_keeps_the_fence(store: Arc<dyn Store>) {
    let job = published(&*store, 1).await;
    let first = claim(&*store, &key(&job, 0), NOW).await;
    let kept = store.release(&first).await.expect("release");
    assert_eq!(kept, Held::Kept);
    let expected = BatchItem {
        fence: 1,
        ..BatchItem::default()
    };
    assert_eq!(batch(&*store, &first.key).await, expected);

    let outcome = store.complete(&first, &completion()).await;
    assert_eq!(outcome.expect("complete"), CompleteOutcome::Lost);
    let second = claim(&*store, &first.key, NOW + 1).await;
    assert_eq!((second.fence, second.attempt), (2, 1));
    let kept = store.heartbeat(&first, NOW + 9 * LEASE).await;
    assert_eq!(kept.expect("heartbeat"), Held::Lost);
}

/// Only the holder hands its batch back.
pub async fn a_release_under_an_older_fence_changes_nothing(store: Arc<dyn Store>) {
    let (older, newer) = superseded(&*store).await;
    let before = batch(&*store, &newer.key).await;
    for lease in impostors(&older, &newer) {
        let kept = store.release(&lease).await.expect("release");
        assert_eq!(kept, Held::Lost);
    }
    assert_eq!(batch(&*store, &newer.key).await, before);
}

/// Every state at once, in a shard of several pages: each batch that was ever claimed, and no other.
pub async fn a_sweep_shows_the_truth(store: Arc<dyn Store>) {
    const BATCHES: u32 = 300;
    let job = published(&*store, BATCHES).await;
    let mut expected = BTreeMap::new();
    for slot in (0..BATCHES).step_by(3) {
        let lease = claim(&*store, &key(&job, slot), NOW).await;
        let leased = BatchItem::default().claimed(&lease.owner, NOW + LEASE);
        let item = match slot % 4 {
            0 => {
                let done = Completion {
                    failed: slot % 8 == 0,
                    bytes: u64::from(slot),
                    ..completion()
                };
                store.complete(&lease, &done).await.expect("complete");
                leased.completed(done)
            }
            1 => {
                store.release(&lease).await.expect("release");
                leased.released()
            }
            2 => {
                let late = claim(&*store, &lease.key, NOW + LEASE).await;
                leased.claimed(&late.owner, NOW + 2 * LEASE)
            }
            _ => leased,
        };
        expected.insert(slot, item);
    }
    let view = sweep(&*store, &job, 0).await;
    assert_eq!(view.shard.published, BATCHES);
    assert_eq!(view.batches, expected);
}
