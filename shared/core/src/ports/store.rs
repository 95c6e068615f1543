//! The store port: the plan, the leases and the ledger of every job.
//!
//! # The protocol
//!
//! Items of a job, and who writes them:
//!
//! | item | written by | changes |
//! | --- | --- | --- |
//! | job | create, then `mark_prepared`, `close_shard`, `finalize`, `clear_outbox` | rarely: once a shard |
//! | snapshot: the definition's text | create | never |
//! | layout: dialect and header | the preparer, before the first batch | never |
//! | preparer: lease, fence, checkpoint | the preparer | once a window |
//! | shard: published, cursor, sealed, closed | `publish` raises, `take_tickets` raises, `close_shard` closes | |
//! | page: the ranges of 25 batches | the preparer | never |
//! | batch: status, fence, lease, counts | claim, heartbeat, complete, release | the only truth of what is done |
//!
//! 1. `create` writes job, snapshot and preparer item, on condition that the job does not exist.
//! 2. `take_preparer` raises the preparer's fence, on condition that no lease is in force.
//! 3. `put_layout`, `write_pages`: immutable and the same whoever writes them.
//! 4. `publish` raises `published` (never lowers it), after the pages below it are written, and on
//!    condition that the job is not over: its report counts what was published before.
//! 5. `checkpoint` records the progress under the preparer's fence, after `publish`.
//! 6. `take_tickets` raises the cursor by a block, never above `published`.
//! 7. `claim` takes a batch that is pending or whose lease has ended, and raises its fence.
//! 8. `heartbeat`, `complete`, `release` act under owner and fence, or change nothing.
//! 9. `mark_prepared` ends the planning under the preparer's fence.
//! 10. `close_shard` marks the shard closed and adds its sums to the job, in one transaction
//!     conditioned on the shard being sealed and open and the job not being over.
//! 11. `finalize` moves the job to its one terminal status and sets the outbox mark; completion asks
//!     that every shard of the plan is closed.
//! 12. `cancel` takes every batch that is not over out of a job that ended early, before its report;
//!     `clear_outbox` after the closing effects.
//! 13. `set_paused`: `PROCESSING ⇄ PAUSED`, by an operator; a paused job keeps since when.
//! 14. `record_watch`: the job's next watch is in the queue. `open_jobs`, `watch` and `preparer` tell
//!     the sweeper which jobs nobody looks after.
//! 15. `record_tally`: what a worker rejected so far, for jobs that bear a bounded number of rejects.
//! 16. `set_throttle`: a worker was throttled, so the job's fleet slows down.
//!
//! Every method is atomic. Whether a write whose response was lost went through is resolved by the
//! adapter, by reading: a method answers what is true, or an error, after which the caller may call
//! again. Times are the caller's clock; nothing relies on the store's.

use std::collections::BTreeMap;
use std::ops::Range;

use async_trait::async_trait;

use crate::batch::{
    BatchItem, BatchKey, BatchStatus, Completion, Lease, Publication, Shard, ShardTotals,
};
use crate::error::PortResult;
use crate::ids::{JobId, OwnerId};
use crate::job::{Checkpoint, Ending, Job, JobStatus, Layout, NewJob, PlanTotals, PreparerHold};
use crate::plan::PlanPage;
use crate::preparer::PreparerItem;
use crate::throttle::Throttle;
use crate::watch::Watch;

/// Whether a job was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// It was made now.
    Created,
    /// It exists, made by an earlier event or attempt.
    Exists,
}

/// Whether the planning of a job was taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreparerOutcome {
    /// It is held now, from this checkpoint on (`None`: from the beginning).
    Granted(PreparerHold, Option<Checkpoint>),
    /// Someone else holds it until then (milliseconds since 1970).
    HeldUntil(u64),
    /// The job is no longer being planned.
    NotPreparing(JobStatus),
}

/// Whether a fenced action found its hold still in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It was, and the action is done.
    Kept,
    /// It was not, and nothing changed.
    Lost,
}

/// What asking for tickets brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketOutcome {
    /// These slots, for this caller to try first.
    Taken(Range<u32>),
    /// Fewer were left than asked for; the shard as it is.
    Short(Shard),
}

/// What a claim brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The batch is held.
    Claimed(Lease),
    /// Someone else holds it until then.
    HeldUntil(u64),
    /// It is already over.
    Over,
}

/// What a completion brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompleteOutcome {
    /// The batch is over, with this completion.
    Completed,
    /// The lease was no longer in force, and nothing changed (I2).
    Lost,
}

/// What cancelling a batch brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Nobody can claim or complete it any more.
    Cancelled,
    /// Someone holds it until then; nothing changed.
    HeldUntil(u64),
    /// It is over already.
    Over,
}

/// What pausing or resuming brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseOutcome {
    /// The job is paused, or processing, as asked for.
    Done,
    /// A job in this status is neither paused nor resumed; nothing changed.
    NotPossible(JobStatus),
}

/// What closing a shard brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseOutcome {
    /// Closed now, its sums added to the job.
    Closed,
    /// Closed before, by whomever; nothing changed.
    AlreadyClosed,
    /// The shard is not sealed, or the job is over; nothing changed.
    Refused,
}

/// What finalizing brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalizeOutcome {
    /// This call ended the job (I4: at most one ever gets this).
    Won,
    /// The job is over already, with this status.
    AlreadyOver(JobStatus),
    /// Completion was asked for while shards are open or the plan is not complete.
    NotReady,
}

/// The immutable side of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The definition's text.
    pub definition_text: String,
    /// Absent until the preparer has read the head of the file.
    pub layout: Option<Layout>,
}

/// A shard with the state of its batches, read consistently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardView {
    /// The shard's own item.
    pub shard: Shard,
    /// Batches that were ever claimed, by slot. A slot below `published` without an item is pending.
    pub batches: BTreeMap<u32, BatchItem>,
}

impl ShardView {
    /// Whether every published batch is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        (0..self.shard.published).all(|slot| {
            self.batches
                .get(&slot)
                .is_some_and(|item| item.status.is_over())
        })
    }

    /// The published slots that are not over, in order.
    #[must_use]
    pub fn open(&self) -> Vec<u32> {
        let item = |slot: &u32| self.batches.get(slot);
        (0..self.shard.published)
            .filter(|slot| item(slot).is_none_or(|item| !item.status.is_over()))
            .collect()
    }

    /// The published slots that a claim at `now_ms` would win, in order.
    #[must_use]
    pub fn claimable(&self, now_ms: u64) -> Vec<u32> {
        (0..self.shard.published)
            .filter(|slot| {
                self.batches
                    .get(slot)
                    .is_none_or(|item| item.is_claimable(now_ms))
            })
            .collect()
    }

    /// Those of the claimable slots for which tickets were handed out: whoever had one died, handed the
    /// batch back, or is about to claim it. The others are left to whoever takes their tickets.
    #[must_use]
    pub fn abandoned(&self, now_ms: u64) -> Vec<u32> {
        let mut slots = self.claimable(now_ms);
        slots.retain(|&slot| slot < self.shard.cursor);
        slots
    }

    /// When the first of the leases in force ends; `None` where there are none.
    #[must_use]
    pub fn next_lease_end(&self, now_ms: u64) -> Option<u64> {
        let leased = self
            .batches
            .values()
            .filter(|item| item.status == BatchStatus::Leased);
        leased
            .map(|item| item.lease_until_ms)
            .filter(|&until| until > now_ms)
            .min()
    }
}

/// The store. See the module's page for the protocol that its methods make up.
///
/// What each step decides is written once, as pure methods of [`Job`],
/// [`PreparerItem`], [`Shard`] and [`BatchItem`].
#[async_trait]
pub trait Store: Send + Sync {
    /// Step 1: makes a job in `PREPARING`, unless its id exists. One transaction.
    async fn create(&self, job: &NewJob) -> PortResult<CreateOutcome>;

    /// The job, read consistently.
    async fn job(&self, job: &JobId) -> PortResult<Option<Job>>;

    /// The immutable side of the job.
    async fn snapshot(&self, job: &JobId) -> PortResult<Option<Snapshot>>;

    /// Step 2: takes the planning of a job in `PREPARING` whose preparer's lease has ended at `now_ms`.
    /// Called again by the owner whose lease is in force, it answers the same hold and changes
    /// nothing.
    ///
    /// # Errors
    /// One that is not retryable where there is no such job.
    async fn take_preparer(
        &self,
        job: &JobId,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<PreparerOutcome>;

    /// Step 3: keeps the layout, unless one is kept.
    async fn put_layout(&self, job: &JobId, layout: &Layout) -> PortResult<()>;

    /// Step 3: keeps pages of one shard. Page `n` begins at slot `n * page_batches`.
    async fn write_pages(
        &self,
        job: &JobId,
        shard: u32,
        first_page: u32,
        pages: &[PlanPage],
    ) -> PortResult<()>;

    /// Step 4: makes slots claimable. An older publication than the one in force changes nothing,
    /// nor does any after the seal, or after the job's end.
    async fn publish(&self, job: &JobId, shard: u32, publication: &Publication) -> PortResult<()>;

    /// Step 5: records progress and extends the lease to `until_ms`, under the fence. An `until_ms`
    /// of 0 gives the lease up and keeps the owner: anyone may take the planning, and until someone
    /// does, the hold still counts.
    async fn checkpoint(
        &self,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> PortResult<Held>;

    /// Step 9: `PREPARING → PROCESSING` with the plan's totals, under the preparer's fence. A job
    /// that is over stays so: [`Held::Lost`].
    async fn mark_prepared(&self, hold: &PreparerHold, totals: &PlanTotals) -> PortResult<Held>;

    /// The shard's own item, read consistently; `None` where nothing is published yet.
    async fn shard(&self, job: &JobId, shard: u32) -> PortResult<Option<Shard>>;

    /// Step 6: takes `count` (at least 1) tickets, if the cursor is at most `published_seen - count`,
    /// where `published_seen` is what the caller last read of the shard. Of a shard of which nothing
    /// is published it answers [`TicketOutcome::Short`] with the default [`Shard`], and makes
    /// nothing of it.
    async fn take_tickets(
        &self,
        job: &JobId,
        shard: u32,
        count: u32,
        published_seen: u32,
    ) -> PortResult<TicketOutcome>;

    /// One page of the plan; `None` where it is not written.
    async fn page(&self, job: &JobId, shard: u32, page: u32) -> PortResult<Option<PlanPage>>;

    /// All pages of a shard, in order.
    async fn pages(&self, job: &JobId, shard: u32) -> PortResult<Vec<PlanPage>>;

    /// Step 7. Called again by the owner whose lease is in force, it answers the same lease and
    /// changes nothing.
    async fn claim(
        &self,
        key: &BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<ClaimOutcome>;

    /// Step 8: extends the lease.
    async fn heartbeat(&self, lease: &Lease, until_ms: u64) -> PortResult<Held>;

    /// Step 8: ends the batch. Called again with the same lease and completion, it answers the same.
    async fn complete(&self, lease: &Lease, completion: &Completion)
    -> PortResult<CompleteOutcome>;

    /// Step 8: hands the batch back; the attempt does not count.
    async fn release(&self, lease: &Lease) -> PortResult<Held>;

    /// The shard and all its batches, read consistently; `None` where nothing is published yet.
    async fn sweep(&self, job: &JobId, shard: u32) -> PortResult<Option<ShardView>>;

    /// Step 10.
    async fn close_shard(
        &self,
        job: &JobId,
        shard: u32,
        totals: &ShardTotals,
    ) -> PortResult<CloseOutcome>;

    /// Step 11.
    async fn finalize(
        &self,
        job: &JobId,
        ending: &Ending,
        finished_ms: u64,
    ) -> PortResult<FinalizeOutcome>;

    /// Step 12: cancels a batch that is pending or whose lease has ended at `now_ms`. Only of a job
    /// that is over.
    async fn cancel(&self, key: &BatchKey, now_ms: u64) -> PortResult<CancelOutcome>;

    /// Step 13: pauses the job, or resumes it. A job that was paused already stays so since then.
    async fn set_paused(&self, job: &JobId, paused: bool, now_ms: u64) -> PortResult<PauseOutcome>;

    /// The state of the job's planning.
    async fn preparer(&self, job: &JobId) -> PortResult<Option<PreparerItem>>;

    /// The job's newest watch; `None` before the first.
    async fn watch(&self, job: &JobId) -> PortResult<Option<Watch>>;

    /// Step 14: records a watch. One that is not newer than the recorded one changes nothing.
    async fn record_watch(&self, job: &JobId, watch: &Watch) -> PortResult<()>;

    /// Step 15: keeps how many records of completed batches `owner` found to be rejects, in place of
    /// what it recorded before.
    async fn record_tally(&self, job: &JobId, owner: &OwnerId, rejected: u64) -> PortResult<()>;

    /// The sum of the job's tallies: at most as many records as are rejected.
    async fn tallied(&self, job: &JobId) -> PortResult<u64>;

    /// Step 16: sets the job's throttle, if it is still the one that was `seen` and the job is not over.
    async fn set_throttle(
        &self,
        job: &JobId,
        seen: Option<Throttle>,
        throttle: Throttle,
    ) -> PortResult<()>;

    /// Jobs that are not over or still owe their report; perhaps some that were lately.
    async fn open_jobs(&self) -> PortResult<Vec<JobId>>;

    /// Step 12: the report is written; the job is no longer among the open ones. Repeating it does
    /// no harm.
    async fn clear_outbox(&self, job: &JobId) -> PortResult<()>;
}
