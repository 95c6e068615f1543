//! A job: one version of one uploaded object, processed under one snapshot of its definition.
//!
//! The state machine is [`JobStatus::after`]; what each step of the protocol does to a job is a pure
//! method of [`Job`]. The memory and SQLite stores call them inside their atomic sections, and the
//! condition expressions of the DynamoDB store say the same in its language.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use batchfleet_decode::{Notes, Row};
use batchfleet_definition::{Code, Tolerated};
use batchfleet_grammar::{Dialect, Position};
use serde::{Deserialize, Serialize};

use crate::batch::{BatchKey, Publication, Shard, ShardTotals};
use crate::ids::{JobId, OwnerId};
use crate::mutation::{self, Mutation};
use crate::ports::{CloseOutcome, FinalizeOutcome, Held, PauseOutcome};
use crate::preparer::PreparerItem;
pub use crate::reason::{Reason, ReasonCode};
use crate::source::SourceRef;
use crate::spool::SpoolLayout;
pub use crate::status::{JobEvent, JobStatus};
use crate::throttle::Throttle;

/// How a job is cut and worked, fixed when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Records in a batch at most.
    pub batch_records_max: u32,
    /// Bytes in a batch at most.
    pub batch_bytes_max: u64,
    /// Batches in a shard: they share a partition key, which takes 1,000 writes a second.
    pub shard_batches: u32,
    /// Batches in a page of the plan: a page is one item of under 1 KB. Divides `shard_batches`.
    pub page_batches: u32,
    /// How long a lease lasts without a heartbeat.
    pub lease_ms: u64,
    /// Claims of a batch that may die before it is given up.
    pub attempts_max: u32,
    /// Workers that are woken at most.
    pub workers_max: u32,
    /// Rejects that the job bears; without it, any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerated: Option<Tolerated>,
}

impl Policy {
    /// What goes where neither settings nor definition say otherwise.
    pub const DEFAULT: Self = Self {
        batch_records_max: 5_000,
        batch_bytes_max: 8 << 20,
        shard_batches: 1_000,
        page_batches: 25,
        lease_ms: 60_000,
        attempts_max: 5,
        workers_max: 50,
        tolerated: None,
    };
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The ledger's columns (I3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows found.
    pub records: u64,
    /// Rows delivered.
    pub accepted: u64,
    /// Rows refused, each with its reasons in the rejects.
    pub rejected: u64,
    /// Rows with nothing to import: blank or empty ones, comments and footers; in a redrive also those
    /// that it does not owe.
    pub skipped: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.skipped += other.skipped;
    }
}

/// How many rows had each error.
pub type CodeCounts = BTreeMap<Code, u64>;

/// Adds to them.
pub fn add_codes(sums: &mut CodeCounts, more: &CodeCounts) {
    for (code, rows) in more {
        *sums.entry(*code).or_default() += rows;
    }
}

/// What makes a job, written once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Derived from the source.
    pub id: JobId,
    /// What is imported.
    pub source: SourceRef,
    /// The definition's name, as the key routed it.
    pub definition_name: String,
    /// The definition's text: the snapshot under which every row is judged.
    pub definition_text: String,
    /// How it is cut and worked.
    pub policy: Policy,
    /// When it was created (milliseconds since 1970).
    pub created_ms: u64,
}

/// A job as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Where it stands.
    pub status: JobStatus,
    /// What it imports.
    pub source: SourceRef,
    /// The name of its definition.
    pub definition_name: String,
    /// How it is cut and worked.
    pub policy: Policy,
    /// When it was created.
    pub created_ms: u64,
    /// Set with [`JobStatus::Processing`].
    pub plan: Option<PlanTotals>,
    /// Shards closed into the job.
    pub shards_closed: u32,
    /// Sums of the closed shards.
    pub closed: Counts,
    /// Bytes of the closed shards' batches.
    pub closed_bytes: u64,
    /// Set with a terminal status.
    pub finished_ms: Option<u64>,
    /// Why it failed.
    pub reason: Option<Reason>,
    /// The closing effects are still owed (I4).
    pub outbox: bool,
    /// Set once a worker was throttled: how far the fleet slows down.
    pub throttle: Option<Throttle>,
    /// Set while the job is paused: since when.
    pub paused_ms: Option<u64>,
}

impl Job {
    /// Step 1: the job at its beginning, with nothing planned.
    #[must_use]
    pub fn new(new: &NewJob) -> Self {
        Self {
            id: new.id.clone(),
            status: JobStatus::Preparing,
            source: new.source.clone(),
            definition_name: new.definition_name.clone(),
            policy: new.policy,
            created_ms: new.created_ms,
            plan: None,
            shards_closed: 0,
            closed: Counts::default(),
            closed_bytes: 0,
            finished_ms: None,
            reason: None,
            outbox: false,
            throttle: None,
            paused_ms: None,
        }
    }

    /// Why the job must not go on, if `rejected` of its records are. A share is one of all records, so
    /// it is known to be exceeded once the plan is complete.
    #[must_use]
    pub fn intolerable(&self, rejected: u64) -> Option<Reason> {
        let tolerated = self.policy.tolerated.as_ref()?;
        let records = self.plan.map(|plan| plan.records);
        let is_exceeded = tolerated.is_exceeded(rejected, records);
        is_exceeded.then(|| Reason::too_many_rejects(rejected, tolerated))
    }

    /// Step 16: slows the fleet down, unless someone else did since `seen` was read, or the job is over.
    pub fn set_throttle(&mut self, seen: Option<Throttle>, throttle: Throttle) {
        let is_over = self.status.is_terminal() && !mutation::on(Mutation::ThrottleEnded);
        if self.throttle == seen && !is_over {
            self.throttle = Some(throttle);
        }
    }

    /// Whether every shard of a complete plan is closed, so that the job can end.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let closed = |plan: PlanTotals| {
            plan.shards == self.shards_closed
                || (self.shards_closed > 0 && mutation::on(Mutation::FinalizeOnOneShard))
        };
        self.status == JobStatus::Processing && self.plan.is_some_and(closed)
    }

    /// Whether the job, past its planning, has something to be done and perhaps no watch: that is left
    /// with the first batch alone.
    #[must_use]
    pub fn has_only_its_guard(&self) -> bool {
        let is_done = self.status.is_terminal() && !self.outbox;
        !is_done && self.plan.is_none_or(|plan| plan.batches == 0)
    }

    /// Step 9: ends the planning, if `hold` is the one in force on this job's `preparer`; or finds
    /// that this very call ended it before.
    pub fn mark_prepared(
        &mut self,
        preparer: &PreparerItem,
        hold: &PreparerHold,
        totals: &PlanTotals,
    ) -> Held {
        if !preparer.is_held_by(hold) {
            return Held::Lost;
        }
        if let Some(status) = self.status.after(JobEvent::Prepared) {
            self.status = status;
            self.plan = Some(*totals);
            return Held::Kept;
        }
        if !self.status.is_terminal() && self.plan.as_ref() == Some(totals) {
            Held::Kept
        } else {
            Held::Lost
        }
    }

    /// Step 4: publishes into one of the job's shards; of a job that is over nothing any more, since its
    /// report counts what there is. Whether the publication was looked at.
    pub fn publish(&self, shard: &mut Shard, publication: &Publication) -> bool {
        let is_open = !self.status.is_terminal() || mutation::on(Mutation::PublishIntoEnded);
        if is_open {
            shard.publish(publication);
        }
        is_open
    }

    /// Step 10: closes one of the job's shards and adds its sums. Shard and job are kept together or
    /// not at all.
    pub fn close_shard(&mut self, shard: &mut Shard, totals: &ShardTotals) -> CloseOutcome {
        if shard.closed {
            return CloseOutcome::AlreadyClosed;
        }
        let is_complete = shard.sealed || mutation::on(Mutation::CloseUnsealed);
        if !is_complete || self.status.is_terminal() {
            return CloseOutcome::Refused;
        }
        shard.closed = true;
        shard.totals = Some(*totals);
        self.shards_closed += 1;
        self.closed += totals.counts;
        self.closed_bytes += totals.bytes;
        CloseOutcome::Closed
    }

    /// The key of one of the job's batches.
    #[must_use]
    pub fn batch(&self, shard: u32, slot: u32) -> BatchKey {
        BatchKey {
            job: self.id.clone(),
            shard,
            slot,
        }
    }

    /// Step 13: pauses or resumes the job, where that is possible.
    pub fn set_paused(&mut self, paused: bool, now_ms: u64) -> PauseOutcome {
        let (event, wanted) = pause_event(paused);
        match self.status.after(event) {
            Some(status) => {
                self.status = status;
                self.paused_ms = paused.then_some(now_ms);
            }
            None if self.status == wanted => {}
            None => return PauseOutcome::NotPossible(self.status),
        }
        PauseOutcome::Done
    }

    /// Step 11: ends the job for good, with its closing effects owed (I4).
    pub fn end(&mut self, ending: &Ending, finished_ms: u64) -> FinalizeOutcome {
        if self.status.is_terminal() {
            return FinalizeOutcome::AlreadyOver(self.status);
        }
        let (event, is_ready, reason) = match ending {
            Ending::Completed => (JobEvent::Balanced, self.is_balanced(), None),
            Ending::Failed(reason) => (JobEvent::Failed, true, Some(reason.clone())),
            Ending::Aborted => (JobEvent::Aborted, true, None),
        };
        match self.status.after(event) {
            Some(status) if is_ready => {
                self.status = status;
                self.finished_ms = Some(finished_ms);
                self.paused_ms = None;
                self.reason = reason;
                self.outbox = true;
                FinalizeOutcome::Won
            }
            _ => FinalizeOutcome::NotReady,
        }
    }
}

/// The event of pausing or resuming, and the status that it leads to.
#[must_use]
pub fn pause_event(paused: bool) -> (JobEvent, JobStatus) {
    if paused {
        (JobEvent::Paused, JobStatus::Paused)
    } else {
        (JobEvent::Resumed, JobStatus::Processing)
    }
}

/// What the preparer found, written when the plan is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanTotals {
    /// Shards of the plan.
    pub shards: u32,
    /// Batches of the plan.
    pub batches: u64,
    /// Rows of the plan.
    pub records: u64,
    /// Where the first record begins, in bytes.
    pub data_start: u64,
    /// Where the last record ends.
    pub data_end: u64,
    /// When the plan was complete.
    pub prepared_ms: u64,
    /// Sequences of a spooled source that mean nothing in its encoding, and became U+FFFD.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub malformed: u64,
    /// Objects of a JSON source with keys that were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub late_keys: u64,
}

impl PlanTotals {
    /// What decoding noted.
    #[must_use]
    pub fn notes(&self) -> Notes {
        Notes {
            malformed: self.malformed,
            late_keys: self.late_keys,
        }
    }
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

/// What the preparer read off the head of the file. Written once, before the first batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// How the bytes are read; of a spooled source, those of its text.
    pub dialect: Dialect,
    /// The header's cells as they are in the file. Cells that are not UTF-8 never get here: they
    /// end the job.
    pub header: Vec<String>,
    /// Where the data begins.
    pub data: Position,
    /// Set where the plan's ranges are those of the decoded text, which is in the spool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spool: Option<SpoolLayout>,
}

impl Layout {
    /// Whether the rows were JSON: they begin with two cells of ours, their line and their fault.
    #[must_use]
    pub fn is_json(&self) -> bool {
        let spool = self.spool.as_ref();
        spool.is_some_and(|spool| spool.format.json.is_some())
    }

    /// How many columns of ours the header begins with.
    #[must_use]
    pub fn own_columns(&self) -> usize {
        if self.is_json() {
            Row::COLUMNS.len()
        } else {
            0
        }
    }
}

/// How far the preparer is. Everything before `next` is written and published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The first record that is in no published batch.
    pub next: Position,
    /// The index of the next batch.
    pub next_batch: u64,
    /// Work messages sent so far.
    pub messages: u32,
    /// Preparers in a row that had no time to decode the source up to `next` again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fruitless: u32,
}

/// The preparer's hold on a job that is being planned. Checked against its [`PreparerItem`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparerHold {
    /// The job.
    pub job: JobId,
    /// Who holds it.
    pub owner: OwnerId,
    /// Raised by every take-over.
    pub fence: u64,
}

/// How a job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every shard closed; only from [`JobStatus::Processing`] with every shard closed.
    Completed,
    /// Ended early, from any open status.
    Failed(Reason),
    /// Ended by an operator, from any open status.
    Aborted,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(shards: u32) -> Job {
        let plan = PlanTotals {
            shards,
            ..PlanTotals::default()
        };
        Job {
            status: JobStatus::Processing,
            plan: Some(plan),
            ..crate::preparer::tests::new_job()
        }
    }

    fn sums(records: u64) -> ShardTotals {
        ShardTotals {
            counts: Counts {
                records,
                accepted: records,
                ..Counts::default()
            },
            bytes: records * 10,
            failed_batches: 0,
        }
    }

    #[test]
    fn a_shard_closes_once_and_only_when_sealed() {
        let mut job = planned(2);
        let mut shard = Shard::default();
        assert_eq!(job.close_shard(&mut shard, &sums(3)), CloseOutcome::Refused);
        shard.sealed = true;
        assert_eq!(job.close_shard(&mut shard, &sums(3)), CloseOutcome::Closed);
        let again = job.close_shard(&mut shard, &sums(4));
        assert_eq!(again, CloseOutcome::AlreadyClosed);
        assert_eq!((shard.closed, shard.totals), (true, Some(sums(3))));
        assert_eq!((job.shards_closed, job.closed), (1, sums(3).counts));
        assert_eq!(job.closed_bytes, 30);
    }

    #[test]
    fn nothing_is_published_into_a_job_that_is_over() {
        let publication = Publication {
            published: 2,
            start: 8,
            end: 9,
            sealed: true,
        };
        let mut shard = Shard::default();
        for status in [JobStatus::Completed, JobStatus::Failed, JobStatus::Aborted] {
            let over = Job {
                status,
                ..planned(1)
            };
            assert!(!over.publish(&mut shard, &publication));
            assert_eq!(shard, Shard::default());
        }
        assert!(planned(1).publish(&mut shard, &publication));
        assert_eq!((shard.published, shard.sealed), (2, true));
    }

    #[test]
    fn no_shard_closes_into_a_job_that_is_over() {
        let mut job = Job {
            status: JobStatus::Failed,
            ..planned(1)
        };
        let sealed = Shard {
            sealed: true,
            ..Shard::default()
        };
        let mut shard = sealed;
        assert_eq!(job.close_shard(&mut shard, &sums(3)), CloseOutcome::Refused);
        assert_eq!((shard, job.shards_closed), (sealed, 0));
        shard.closed = true;
        let closed_before = job.close_shard(&mut shard, &sums(3));
        assert_eq!(closed_before, CloseOutcome::AlreadyClosed);
    }

    #[test]
    fn a_job_completes_once_every_shard_is_closed() {
        let mut job = planned(1);
        assert_eq!(job.end(&Ending::Completed, 7), FinalizeOutcome::NotReady);
        job.shards_closed = 1;
        let paused = Job {
            status: JobStatus::Paused,
            ..job.clone()
        };
        let ended = paused.clone().end(&Ending::Completed, 7);
        assert_eq!(ended, FinalizeOutcome::NotReady, "it is paused");
        assert_eq!(job.end(&Ending::Completed, 7), FinalizeOutcome::Won);
        assert_eq!((job.finished_ms, job.outbox), (Some(7), true));

        let over = job.clone();
        let failed = Ending::Failed(Reason::source_changed());
        for ending in [Ending::Completed, failed] {
            let again = job.end(&ending, 8);
            assert_eq!(again, FinalizeOutcome::AlreadyOver(JobStatus::Completed));
        }
        assert_eq!(job, over);
    }

    #[test]
    fn a_job_fails_from_any_open_status() {
        for status in [
            JobStatus::Preparing,
            JobStatus::Processing,
            JobStatus::Paused,
        ] {
            let mut job = Job {
                status,
                ..planned(1)
            };
            let reason = Reason::source_changed();
            let ended = job.end(&Ending::Failed(reason.clone()), 7);
            assert_eq!(ended, FinalizeOutcome::Won);
            assert_eq!((job.status, job.reason), (JobStatus::Failed, Some(reason)));
            assert_eq!((job.finished_ms, job.outbox), (Some(7), true));
        }
    }
}
