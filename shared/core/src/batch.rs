//! A batch: a run of consecutive records, claimed and completed as a unit; and the shards that
//! group batches.
//!
//! The decisions here are pure: the memory and SQLite stores call them inside their atomic
//! sections, and the condition expressions of the DynamoDB store say the same in its language.

use serde::{Deserialize, Serialize};

use crate::checksum::FileSum;
use crate::ids::{JobId, OwnerId};
use crate::job::{CodeCounts, Counts, Policy};
use crate::mutation::{self, Mutation};
use crate::ports::{CancelOutcome, ClaimOutcome, CompleteOutcome, Held};
pub use crate::shard::{Publication, Shard, ShardTotals};

/// Names one batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BatchKey {
    /// Its job.
    pub job: JobId,
    /// Its shard.
    pub shard: u32,
    /// Its place in the shard, from 0.
    pub slot: u32,
}

impl BatchKey {
    /// The key of the batch with this index in the job.
    #[must_use]
    pub fn of(job: &JobId, index: u64, policy: &Policy) -> Self {
        let per_shard = u64::from(policy.shard_batches);
        Self {
            job: job.clone(),
            shard: (index / per_shard) as u32,
            slot: (index % per_shard) as u32,
        }
    }

    /// The index in the job.
    #[must_use]
    pub fn index(&self, policy: &Policy) -> u64 {
        u64::from(self.shard) * u64::from(policy.shard_batches) + u64::from(self.slot)
    }
}

/// Where a batch stands. A batch that nobody ever claimed has no item at all: that is `Pending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BatchStatus {
    /// Claimable.
    Pending,
    /// Held by an owner until its lease ends.
    Leased,
    /// Completed with its counts.
    Done,
    /// Given up after too many claims died; its records are rejects.
    Failed,
    /// The job ended before it was worked; nobody may claim it any more.
    Cancelled,
}

impl BatchStatus {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Leased => "LEASED",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Leased,
            Self::Done,
            Self::Failed,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }

    /// Whether nothing will happen to the batch any more.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// The mutable state of a batch, as stored. The default is that of a batch that nobody ever claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchItem {
    /// Where it stands.
    pub status: BatchStatus,
    /// Raised by every claim (I2).
    pub fence: u64,
    /// Claims that were not handed back: a worker that dies leaves one behind.
    pub attempts: u32,
    /// The last holder.
    pub owner: Option<OwnerId>,
    /// When the lease ends (milliseconds since 1970); 0 where none is held.
    pub lease_until_ms: u64,
    /// Set when it is over.
    pub completion: Option<Completion>,
}

impl Default for BatchItem {
    fn default() -> Self {
        Self {
            status: BatchStatus::Pending,
            fence: 0,
            attempts: 0,
            owner: None,
            lease_until_ms: 0,
            completion: None,
        }
    }
}

/// What a batch came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// `true` where the batch was given up rather than worked.
    #[serde(default)]
    pub failed: bool,
    /// The ledger of the batch.
    pub counts: Counts,
    /// Bytes read.
    pub bytes: u64,
    /// Rejected rows by error code.
    #[serde(default)]
    pub codes: CodeCounts,
    /// Accepted rows with warnings.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warned: u64,
    /// Those by the codes of their warnings.
    #[serde(default, skip_serializing_if = "CodeCounts::is_empty")]
    pub warnings: CodeCounts,
    /// What was written of it, beside the rows of rejects.csv. Releases before there was a manifest
    /// did not keep it, and wrote nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Written>,
}

/// What was written of a batch. That it is there at all says that the rejects, if there are any, were
/// written as JSON Lines too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The sum of its part; none where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<FileSum>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A worker's time-limited hold on a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The batch.
    pub key: BatchKey,
    /// The holder.
    pub owner: OwnerId,
    /// The fence of this claim.
    pub fence: u64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

impl BatchItem {
    /// Whether a claim at `now_ms` succeeds: pending, or leased and expired.
    #[must_use]
    pub fn is_claimable(&self, now_ms: u64) -> bool {
        match self.status {
            BatchStatus::Pending => true,
            BatchStatus::Leased => {
                self.lease_until_ms <= now_ms || mutation::on(Mutation::ClaimWithoutExpiry)
            }
            BatchStatus::Done | BatchStatus::Failed | BatchStatus::Cancelled => false,
        }
    }

    /// Whether `lease` is the one in force: same owner, same fence, still leased. An expired lease
    /// that nobody claimed since is still in force.
    #[must_use]
    pub fn is_held_by(&self, lease: &Lease) -> bool {
        self.status == BatchStatus::Leased
            && self.fence == lease.fence
            && self.owner.as_ref() == Some(&lease.owner)
    }

    /// The batch after a claim. Call only where [`is_claimable`](Self::is_claimable).
    #[must_use]
    pub fn claimed(self, owner: &OwnerId, until_ms: u64) -> Self {
        Self {
            status: BatchStatus::Leased,
            fence: self.fence + 1,
            attempts: self.attempts + 1,
            owner: Some(owner.clone()),
            lease_until_ms: until_ms,
            completion: None,
        }
    }

    /// The batch after it was handed back unworked: the attempt does not count.
    #[must_use]
    pub fn released(self) -> Self {
        Self {
            status: BatchStatus::Pending,
            attempts: self.attempts.saturating_sub(1),
            owner: None,
            lease_until_ms: 0,
            ..self
        }
    }

    /// The batch after its completion.
    #[must_use]
    pub fn completed(self, completion: Completion) -> Self {
        let status = if completion.failed {
            BatchStatus::Failed
        } else {
            BatchStatus::Done
        };
        Self {
            status,
            lease_until_ms: 0,
            completion: Some(completion),
            ..self
        }
    }

    /// Step 7: claims the batch, which `key` names, where that [succeeds](Self::is_claimable); or
    /// answers again the claim that `owner` has in force, a repeat of the same call.
    pub fn claim(
        &mut self,
        key: &BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> ClaimOutcome {
        if self.status.is_over() {
            return ClaimOutcome::Over;
        }
        if self.is_claimable(now_ms) {
            *self = std::mem::take(self).claimed(owner, until_ms);
        } else if self.owner.as_ref() != Some(owner) {
            return ClaimOutcome::HeldUntil(self.lease_until_ms);
        }
        ClaimOutcome::Claimed(Lease {
            key: key.clone(),
            owner: owner.clone(),
            fence: self.fence,
            attempt: self.attempts,
        })
    }

    /// Step 8: extends the lease.
    pub fn heartbeat(&mut self, lease: &Lease, until_ms: u64) -> Held {
        self.under_lease(lease, |item| Self {
            lease_until_ms: until_ms,
            ..item
        })
    }

    /// Step 8: hands the batch back.
    pub fn release(&mut self, lease: &Lease) -> Held {
        self.under_lease(lease, Self::released)
    }

    /// Step 8: ends the batch, or finds that this very call ended it before.
    pub fn complete(&mut self, lease: &Lease, completion: &Completion) -> CompleteOutcome {
        self.under_lease(lease, |item| item.completed(completion.clone()));
        // Since now, or since this call was made before and its response was lost.
        let is_so = self.status.is_over()
            && self.fence == lease.fence
            && self.owner.as_ref() == Some(&lease.owner)
            && self.completion.as_ref() == Some(completion);
        if is_so {
            CompleteOutcome::Completed
        } else {
            CompleteOutcome::Lost
        }
    }

    /// Takes the batch out of the job, where a claim would succeed: of a job that ended early. The
    /// fence is raised, so that a worker whose lease ran out can't complete it either.
    pub fn cancel(&mut self, now_ms: u64) -> CancelOutcome {
        if self.status.is_over() {
            return CancelOutcome::Over;
        }
        if !self.is_claimable(now_ms) {
            return CancelOutcome::HeldUntil(self.lease_until_ms);
        }
        self.status = BatchStatus::Cancelled;
        self.fence += u64::from(!mutation::on(Mutation::CancelKeepsFence));
        self.lease_until_ms = 0;
        CancelOutcome::Cancelled
    }

    /// Changes the batch if `lease` is in force.
    fn under_lease(&mut self, lease: &Lease, change: impl FnOnce(Self) -> Self) -> Held {
        if !self.is_held_by(lease) {
            return Held::Lost;
        }
        *self = change(std::mem::take(self));
        Held::Kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(fence: u64, owner: u64) -> Lease {
        Lease {
            key: BatchKey {
                job: JobId::derive(&["j"]),
                shard: 0,
                slot: 0,
            },
            owner: OwnerId::from_random(owner),
            fence,
            attempt: 1,
        }
    }

    #[test]
    fn every_claim_raises_the_fence_and_ends_the_older_lease() {
        let first = BatchItem::default().claimed(&OwnerId::from_random(1), 100);
        assert!(!first.is_claimable(99));
        assert!(first.is_claimable(100), "a lease has ended at its end");
        assert!(first.is_held_by(&lease(1, 1)));
        let second = first.claimed(&OwnerId::from_random(2), 200);
        assert!(!second.is_held_by(&lease(1, 1)));
        assert!(
            !second.is_held_by(&lease(2, 1)),
            "the owner counts as well as the fence"
        );
        assert!(second.is_held_by(&lease(2, 2)));
    }

    #[test]
    fn a_release_gives_the_attempt_back_but_never_the_fence() {
        let item = BatchItem::default()
            .claimed(&OwnerId::from_random(1), 100)
            .released();
        assert_eq!(
            (item.attempts, item.fence, item.status),
            (0, 1, BatchStatus::Pending)
        );
    }

    #[test]
    fn a_claim_again_by_the_holder_answers_the_same_lease() {
        let (key, holder) = (lease(1, 1).key, OwnerId::from_random(1));
        let mut item = BatchItem::default();
        for now in [0, 99] {
            let outcome = item.claim(&key, &holder, now, 100);
            assert_eq!(outcome, ClaimOutcome::Claimed(lease(1, 1)));
        }
        let other = item.claim(&key, &OwnerId::from_random(2), 99, 200);
        assert_eq!(other, ClaimOutcome::HeldUntil(100));
        assert_eq!(
            (item.fence, item.attempts, item.lease_until_ms),
            (1, 1, 100)
        );

        let anew = Lease {
            attempt: 2,
            ..lease(2, 1)
        };
        let outcome = item.claim(&key, &holder, 100, 200);
        assert_eq!(outcome, ClaimOutcome::Claimed(anew), "its lease had ended");
    }

    #[test]
    fn only_the_lease_in_force_extends_or_hands_back() {
        let mut item = BatchItem::default().claimed(&OwnerId::from_random(1), 100);
        let before = item.clone();
        for lost in [lease(0, 1), lease(1, 2)] {
            assert_eq!(item.heartbeat(&lost, 900), Held::Lost);
            assert_eq!(item.release(&lost), Held::Lost);
        }
        assert_eq!(item, before);
        assert_eq!(item.heartbeat(&lease(1, 1), 200), Held::Kept);
        assert_eq!(item.lease_until_ms, 200);
        assert_eq!(item.release(&lease(1, 1)), Held::Kept);
        assert_eq!(item.release(&lease(1, 1)), Held::Lost);
        assert_eq!(item, before.released());
    }

    #[test]
    fn only_the_same_completion_of_the_same_lease_is_repeated() {
        let completion = |bytes| Completion {
            failed: false,
            counts: Counts::default(),
            bytes,
            codes: CodeCounts::new(),
            ..Completion::default()
        };
        let mut item = BatchItem::default();
        let unclaimed = item.complete(&lease(0, 1), &completion(7));
        assert_eq!(unclaimed, CompleteOutcome::Lost);

        item = item.claimed(&OwnerId::from_random(1), 100);
        for (lease, bytes, expected) in [
            (lease(1, 2), 7, CompleteOutcome::Lost),
            (lease(1, 1), 7, CompleteOutcome::Completed),
            (lease(1, 1), 7, CompleteOutcome::Completed),
            (lease(1, 1), 8, CompleteOutcome::Lost),
            (lease(1, 2), 7, CompleteOutcome::Lost),
            (lease(0, 1), 7, CompleteOutcome::Lost),
        ] {
            let outcome = item.complete(&lease, &completion(bytes));
            assert_eq!(outcome, expected, "{lease:?} with {bytes}");
        }
        assert_eq!(item.completion, Some(completion(7)));
        let late = item.claim(&lease(1, 1).key, &OwnerId::from_random(1), 900, 1_000);
        assert_eq!(late, ClaimOutcome::Over);
    }

    #[test]
    fn keys_and_indexes_agree() {
        let policy = Policy::default();
        let job = JobId::derive(&["j"]);
        for index in [0, 1, 999, 1_000, 123_456] {
            assert_eq!(BatchKey::of(&job, index, &policy).index(&policy), index);
        }
    }

    #[test]
    fn a_cancelled_batch_is_neither_claimed_nor_completed() {
        let mut item = BatchItem::default().claimed(&OwnerId::from_random(1), 100);
        assert_eq!(item.cancel(99), CancelOutcome::HeldUntil(100));
        assert_eq!(item.cancel(100), CancelOutcome::Cancelled);
        assert_eq!(item.cancel(101), CancelOutcome::Over);
        let key = lease(1, 1).key;
        let claim = item.claim(&key, &OwnerId::from_random(2), 200, 300);
        assert_eq!(claim, ClaimOutcome::Over);
        let done = Completion {
            failed: false,
            counts: Counts::default(),
            bytes: 0,
            codes: CodeCounts::new(),
            ..Completion::default()
        };
        assert_eq!(item.complete(&lease(1, 1), &done), CompleteOutcome::Lost);
    }
}
