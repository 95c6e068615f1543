//! I3: every record is accounted for, in each batch and in the job, as an independent reading has it.

use std::collections::BTreeMap;

use batchfleet_core::invariants;
use batchfleet_core::job::{Counts, ReasonCode};
use batchfleet_grammar::BatchRange;

use super::super::files::{File, Told};
use super::super::history::Change;
use super::{Evidence, Imported, Verdict, rows_of, violated, was_given_up, was_worked};

/// What the rows of a range come to, but for the fickle ones.
pub(super) fn truth(file: &File, range: &BatchRange) -> Counts {
    let mut counts = Counts::default();
    for told in &file.rows[rows_of(range)] {
        counts.records += 1;
        match told {
            Told::Accepted(_) => counts.accepted += 1,
            // Whether it was taken, the destination alone knows.
            Told::Fickle(_) => {}
            Told::Rejected => counts.rejected += 1,
            Told::Skipped => counts.skipped += 1,
        }
    }
    counts
}

/// I3 for each batch: worked ones have the counts of their rows, and one is given up only after
/// enough claims of it.
pub(super) fn batches_are_true(evidence: &Evidence<'_>, job: &Imported<'_>) -> Verdict {
    let claims = claims(evidence, job);
    let policy = &job.record.job.policy;
    for (range, item) in job.batches() {
        let Some(done) = &item.completion else {
            continue;
        };
        invariants::batch_matches_plan(&range, done)?;
        let truth = truth(job.file, &range);
        if was_worked(&item) && !is_true(&done.counts, &truth) {
            return violated(
                "I3",
                format!("{range:?} holds {truth:?} and was counted {done:?}"),
            );
        }
        if was_given_up(&item) {
            let claims = claims.get(&range.index).copied().unwrap_or(0);
            if claims <= policy.attempts_max || done.counts.accepted > 0 {
                return violated(
                    "I3",
                    format!("{range:?} was given up after {claims} claims: {done:?}"),
                );
            }
        }
    }
    Ok(())
}

/// Whether counts are those of rows of which some, in neither of the sums, were accepted or rejected.
fn is_true(counts: &Counts, truth: &Counts) -> bool {
    invariants::balances(counts).is_ok()
        && (counts.records, counts.skipped) == (truth.records, truth.skipped)
        && counts.accepted >= truth.accepted
        && counts.rejected >= truth.rejected
}

fn claims(evidence: &Evidence<'_>, job: &Imported<'_>) -> BTreeMap<u64, u32> {
    let mut claims = BTreeMap::new();
    for (_, change) in &evidence.history.changes {
        if let Change::Batch {
            step: "claim", key, ..
        } = change
            && key.job == job.record.job.id
        {
            *claims.entry(key.index(&job.record.job.policy)).or_default() += 1;
        }
    }
    claims
}

/// I3 for the job: a completed one sums up to its file, and none fails for a defect of ours.
pub(super) fn job_is_true(job: &Imported<'_>) -> Verdict {
    let record = job.record;
    if let Some(code @ (ReasonCode::LedgerMismatch | ReasonCode::OutputConflict)) = job.failed_as()
    {
        return violated(
            "I3",
            format!("the job failed as {code:?}: {:?}", record.job.reason),
        );
    }
    if !job.is_completed() {
        return Ok(());
    }
    let mut sums = Counts::default();
    for (range, item) in job.batches() {
        sums += match &item.completion {
            Some(done) => done.counts,
            None => truth(job.file, &range),
        };
    }
    if sums.records != job.file.rows.len() as u64 || record.job.closed != sums {
        let rows = job.file.rows.len();
        let closed = record.job.closed;
        return violated(
            "I3",
            format!("the file has {rows} rows: {sums:?}, the job completed with {closed:?}"),
        );
    }
    let shards: Vec<_> = record.shards.values().copied().collect();
    invariants::job_balances(&record.job, &shards)
}
