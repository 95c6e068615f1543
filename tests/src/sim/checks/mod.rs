//! The invariants, one pure predicate each, over what a run left and what happened in it.
//!
//! Where production checks the same, the predicate is the core's own. The truth about a file comes
//! from its generator and the `csv` crate, never from the code under test.

mod destination;
mod ending;
mod ledger;
mod liveness;
mod manifest;
mod owners;
mod plan;
mod quiet;
mod redrive;
mod rows;
mod spool;
mod steering;

pub(crate) use destination::record_wise;
pub(crate) use liveness::delays;
pub(crate) use rows::uncounted_parts;
pub(crate) use spool::decoded;

use batchfleet_core::batch::{BatchItem, BatchStatus};
use batchfleet_core::invariants::Violation;
use batchfleet_core::job::{JobStatus, ReasonCode};
use batchfleet_core::source::SourceRef;
use batchfleet_grammar::BatchRange;

use super::bucket::Bucket;
use super::destination::Rows;
use super::files::File;
use super::history::History;
use super::record::Record;
use super::scenario::Scenario;
use super::table::Table;

/// All that a run left.
pub(crate) struct Evidence<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) history: &'a History,
    pub(crate) table: &'a Table,
    pub(crate) bucket: &'a Bucket,
    pub(crate) rows: &'a Rows,
}

/// What a check says.
pub(crate) type Verdict = Result<(), Violation>;

fn violated(promise: &'static str, detail: impl Into<String>) -> Verdict {
    Err(Violation {
        promise,
        detail: detail.into(),
    })
}

/// The first invariant that does not hold, if any. Those of the table come before those of its
/// consequences.
pub(crate) fn check(evidence: &Evidence<'_>) -> Verdict {
    owners::one_owner(evidence.history)?;
    owners::one_preparer(evidence.history)?;
    plan::pages_are_immutable(evidence.history)?;
    plan::publications_only_grow(evidence.history)?;
    plan::reads_are_pinned(evidence.history)?;
    spool::parts_are_immutable(evidence.bucket)?;
    quiet::no_value_leaks(evidence)?;
    check_jobs(evidence)?;
    ending::one_ending(evidence.history)?;
    ending::shards_close_once_and_whole(evidence.history)?;
    steering::rest_is_kept(evidence)?;
    steering::reported_jobs_rest(evidence.history)?;
    liveness::messages_are_sent_on(evidence.history)?;
    liveness::nobody_oversleeps(evidence)?;
    liveness::every_job_ends_in_time(evidence)
}

/// The first invariant that does not hold after an encore: all the others still, and what is promised
/// of redrives.
pub(crate) fn check_encore(evidence: &Evidence<'_>) -> Verdict {
    check(evidence)?;
    redrive::attempts_are_true(evidence)
}

pub(crate) use redrive::redrives;

/// The first invariant of the table that its recorded changes violate, if any: those that hold of
/// each change by itself, so that the exhaustive model can ask after every step.
pub(crate) fn check_changes(history: &History) -> Verdict {
    owners::one_owner(history)?;
    owners::one_preparer(history)?;
    plan::pages_are_immutable(history)?;
    plan::publications_only_grow(history)?;
    ending::one_ending(history)?;
    ending::shards_close_once_and_whole(history)
}

/// The first invariant that a job violates, if any: its plan, its ledger, what it
/// delivered, how it ended and what it reports.
pub(crate) fn check_jobs(evidence: &Evidence<'_>) -> Verdict {
    for job in jobs(evidence) {
        check_job(evidence, &job?)?;
    }
    Ok(())
}

fn check_job(evidence: &Evidence<'_>, job: &Imported<'_>) -> Verdict {
    plan::tiles(job)?;
    ledger::batches_are_true(evidence, job)?;
    ledger::job_is_true(job)?;
    if job.record.job.status.is_terminal() {
        rows::delivered_once(evidence, job)?;
        rows::rejects_are_true(evidence, job)?;
    }
    destination::puts_are_true(evidence, job)?;
    ending::status_is_right(evidence, job)?;
    ending::one_summary(evidence, job)?;
    manifest::is_true(evidence, job)?;
    spool::is_the_text(evidence, job)?;
    steering::answers_are_true(evidence, job)
}

/// A job with the file that it imports.
pub(crate) struct Imported<'a> {
    pub(crate) source: &'a SourceRef,
    pub(crate) file: &'a File,
    pub(crate) record: &'a Record,
    /// When it was uploaded.
    pub(crate) uploaded_ms: u64,
}

/// The job of every upload; I4 where an upload has none of its own.
fn jobs<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Result<Imported<'a>, Violation>> {
    let uploads = evidence
        .history
        .uploads
        .iter()
        .zip(&evidence.scenario.uploads);
    uploads.map(|((uploaded_ms, source), upload)| {
        let record = evidence.table.jobs.values();
        let mut record = record.filter(|record| record.job.source == *source);
        let record = record.next().ok_or_else(|| Violation {
            promise: "I4",
            detail: format!("the upload {source:?} has no job of its own"),
        })?;
        Ok(Imported {
            source,
            file: &upload.file,
            record,
            uploaded_ms: *uploaded_ms,
        })
    })
}

impl Imported<'_> {
    /// Every batch of the plan, with its state, in the order of the file.
    pub(crate) fn batches(&self) -> Vec<(BatchRange, BatchItem)> {
        let mut batches = Vec::new();
        for (&(shard, page), ranges) in &self.record.pages {
            let first = page * self.record.job.policy.page_batches;
            for (slot, range) in (first..).zip(&ranges.ranges) {
                let item = self.record.batches.get(&(shard, slot));
                batches.push((*range, item.cloned().unwrap_or_default()));
            }
        }
        batches
    }

    pub(crate) fn is_completed(&self) -> bool {
        self.record.job.status == JobStatus::Completed
    }

    pub(crate) fn failed_as(&self) -> Option<ReasonCode> {
        let job = &self.record.job;
        let reason = job
            .reason
            .as_ref()
            .filter(|_| job.status == JobStatus::Failed);
        reason.map(|reason| reason.code)
    }
}

/// The rows of a range, as places in [`File::rows`].
pub(crate) fn rows_of(range: &BatchRange) -> std::ops::Range<usize> {
    let first = range.first_record as usize;
    first..first + range.records as usize
}

pub(crate) fn was_worked(item: &BatchItem) -> bool {
    item.status == BatchStatus::Done
}

pub(crate) fn was_given_up(item: &BatchItem) -> bool {
    item.status == BatchStatus::Failed
}
