//! A job: one version of one uploaded object, processed under one snapshot of its definition.
//!
//! The state machine is [`JobStatus::after`]; stores apply it by their own means (a condition
//! expression, a row read and written in one transaction) and must agree with it.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use batchfleet_definition::Code;
use batchfleet_grammar::{Dialect, Position};
use serde::{Deserialize, Serialize};

use crate::ids::{JobId, OwnerId};
use crate::invariants::Violation;
use crate::source::SourceRef;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobStatus {
    /// The preparer is still writing the plan; workers already run on what is published.
    Preparing,
    /// The plan is complete; batches remain.
    Processing,
    /// An operator stopped claiming; nothing is lost.
    Paused,
    /// Every batch is accounted for.
    Completed,
    /// The job ended early, with a reason.
    Failed,
    /// An operator ended the job.
    Aborted,
}

/// What can happen to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEvent {
    /// The preparer published its last batch.
    Prepared,
    /// Every shard is closed and the ledger holds.
    Balanced,
    /// Something ended the job for good.
    Failed,
    /// An operator paused it.
    Paused,
    /// An operator resumed it.
    Resumed,
    /// An operator aborted it.
    Aborted,
}

impl JobStatus {
    /// The one description of a job's life: where `event` leads, or `None` where it changes nothing.
    #[must_use]
    pub fn after(self, event: JobEvent) -> Option<Self> {
        match (self, event) {
            (Self::Preparing, JobEvent::Prepared) | (Self::Paused, JobEvent::Resumed) => {
                Some(Self::Processing)
            }
            (Self::Processing, JobEvent::Balanced) => Some(Self::Completed),
            (Self::Processing, JobEvent::Paused) => Some(Self::Paused),
            (Self::Preparing | Self::Processing | Self::Paused, JobEvent::Failed) => {
                Some(Self::Failed)
            }
            (Self::Preparing | Self::Processing | Self::Paused, JobEvent::Aborted) => {
                Some(Self::Aborted)
            }
            (_, _) => None,
        }
    }

    /// Whether the job is over.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Aborted)
    }

    /// The stored and printed name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "PREPARING",
            Self::Processing => "PROCESSING",
            Self::Paused => "PAUSED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Aborted => "ABORTED",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Preparing,
            Self::Processing,
            Self::Paused,
            Self::Completed,
            Self::Failed,
            Self::Aborted,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }
}

/// Why a job failed: a stable code for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable, for example `MISSING_COLUMN`.
    pub code: ReasonCode,
    /// What happened, where, and what to do. Holds no record values (I8).
    pub message: String,
}

impl Reason {
    /// The pinned version is gone (I5).
    #[must_use]
    pub fn source_changed() -> Self {
        Self {
            code: ReasonCode::SourceChanged,
            message:
                "the file was changed or removed while it was imported: what was delivered before \
                      is accounted for below; upload the file again"
                    .to_owned(),
        }
    }

    /// A promise does not hold: the job must not complete on it.
    #[must_use]
    pub fn defect(violation: &Violation) -> Self {
        Self {
            code: ReasonCode::LedgerMismatch,
            message: format!("{violation}; this is a defect of batchfleet, please report it"),
        }
    }

    /// An output has other content than its batch gives now.
    #[must_use]
    pub fn output_conflict(name: &str) -> Self {
        Self {
            code: ReasonCode::OutputConflict,
            message: format!(
                "the output {name} exists with other content than its rows give now: either another \
                 program wrote it, or batchfleet was changed while the job ran; nothing was overwritten"
            ),
        }
    }
}

/// The stable codes of [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReasonCode {
    /// The file has no bytes, or nothing but blank lines.
    EmptyFile,
    /// The header does not fit the definition, or is no header.
    BadHeader,
    /// No definition of that name, or it has faults.
    BadDefinition,
    /// A record does not end within the limit.
    RecordUnbounded,
    /// The object changed or vanished under the running job.
    SourceChanged,
    /// An output of that name exists with other content.
    OutputConflict,
    /// The counts or ranges of the batches do not add up. This is a defect of ours, never of the file.
    LedgerMismatch,
}

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
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            batch_records_max: 5_000,
            batch_bytes_max: 8 << 20,
            shard_batches: 1_000,
            page_batches: 25,
            lease_ms: 60_000,
            attempts_max: 5,
            workers_max: 50,
        }
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
    /// Blank rows.
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
}

impl Job {
    /// Whether every shard of a complete plan is closed, so that the job can end.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let closed = |plan: PlanTotals| plan.shards == self.shards_closed;
        self.status == JobStatus::Processing && self.plan.is_some_and(closed)
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
}

/// What the preparer read off the head of the file. Written once, before the first batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// How the bytes are read.
    pub dialect: Dialect,
    /// The header's cells as they are in the file. Cells that are not UTF-8 never get here: they
    /// end the job.
    pub header: Vec<String>,
    /// Where the data begins.
    pub data: Position,
}

/// How far the preparer is. Everything before `next` is written and published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The first record that is in no published batch.
    pub next: Position,
    /// The index of the next batch.
    pub next_batch: u64,
    /// Work messages sent so far.
    pub messages: u32,
}

/// The preparer's hold on a job that is being planned.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_status_is_never_left() {
        for status in [JobStatus::Completed, JobStatus::Failed, JobStatus::Aborted] {
            assert!(status.is_terminal());
            for event in [
                JobEvent::Prepared,
                JobEvent::Balanced,
                JobEvent::Failed,
                JobEvent::Paused,
                JobEvent::Resumed,
                JobEvent::Aborted,
            ] {
                assert_eq!(status.after(event), None);
            }
        }
    }

    #[test]
    fn only_a_planned_job_completes() {
        assert_eq!(JobStatus::Preparing.after(JobEvent::Balanced), None);
        assert_eq!(JobStatus::Paused.after(JobEvent::Balanced), None);
        assert_eq!(
            JobStatus::Processing.after(JobEvent::Balanced),
            Some(JobStatus::Completed)
        );
    }
}
