//! The promises as predicates: one pure function each, shared by production, tests and simulation.
//!
//! Production calls them before a shard or a job closes (I3 asks for it); a violation there is a
//! defect of ours and ends the job with `LEDGER_MISMATCH` rather than with a wrong summary.

use std::fmt;

use batchfleet_grammar::BatchRange;

use crate::batch::{Completion, Shard, ShardTotals};
use crate::job::{Counts, Job};

/// A promise that does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `I1` to `I8`.
    pub promise: &'static str,
    /// What was found.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.detail)
    }
}

fn violated(promise: &'static str, detail: String) -> Result<(), Violation> {
    Err(Violation { promise, detail })
}

/// I1: `ranges` tile `start..end` exactly, in order, with no gap and no overlap.
///
/// # Errors
/// The first place where they do not.
pub fn tiles(ranges: &[BatchRange], start: u64, end: u64) -> Result<(), Violation> {
    let mut at = start;
    for range in ranges {
        if range.start != at || range.end <= range.start {
            return violated(
                "I1",
                format!(
                    "batch {} covers bytes {}..{}, expected to begin at {at}",
                    range.index, range.start, range.end
                ),
            );
        }
        at = range.end;
    }
    if at != end {
        return violated(
            "I1",
            format!("the batches end at byte {at}, the data at {end}"),
        );
    }
    Ok(())
}

/// I3: every record is accepted, rejected or skipped.
///
/// # Errors
/// Where the sums differ.
pub fn balances(counts: &Counts) -> Result<(), Violation> {
    if counts.records == counts.accepted + counts.rejected + counts.skipped {
        return Ok(());
    }
    violated("I3", format!("{counts:?} does not add up"))
}

/// I3 and I7 for one batch: its ledger balances, and the reader found just the records and bytes
/// that the splitter planned.
///
/// # Errors
/// Where they differ.
pub fn batch_matches_plan(range: &BatchRange, done: &Completion) -> Result<(), Violation> {
    balances(&done.counts)?;
    if done.counts.records != range.records || done.bytes != range.end - range.start {
        return violated(
            "I7",
            format!(
                "batch {} was planned with {} records in {} bytes and read as {} records in {} bytes",
                range.index,
                range.records,
                range.end - range.start,
                done.counts.records,
                done.bytes
            ),
        );
    }
    Ok(())
}

/// I1 and I3 for a whole job whose shards are all closed: the shards tile the data, and the sums in
/// the job are the sums of the shards and the totals of the plan.
///
/// # Errors
/// The first thing that does not add up.
pub fn job_balances(job: &Job, shards: &[Shard]) -> Result<(), Violation> {
    let Some(plan) = &job.plan else {
        return violated("I3", "the job has no plan totals".to_owned());
    };
    let mut sums = ShardTotals::default();
    let mut at = plan.data_start;
    for (number, shard) in shards.iter().enumerate() {
        let Some(totals) = shard.totals.filter(|_| shard.closed) else {
            return violated("I3", format!("shard {number} is not closed"));
        };
        if shard.start != at {
            return violated(
                "I1",
                format!(
                    "shard {number} begins at byte {}, expected {at}",
                    shard.start
                ),
            );
        }
        at = shard.end;
        sums.counts += totals.counts;
        sums.bytes += totals.bytes;
    }
    if shards.len() != plan.shards as usize || at != plan.data_end {
        return violated(
            "I1",
            format!(
                "{} shards end at byte {at}, the data at {}",
                shards.len(),
                plan.data_end
            ),
        );
    }
    if sums.counts != job.closed || sums.bytes != job.closed_bytes {
        return violated(
            "I4",
            format!(
                "the shards sum to {:?}, the job to {:?}",
                sums.counts, job.closed
            ),
        );
    }
    if sums.counts.records != plan.records || sums.bytes != plan.data_end - plan.data_start {
        return violated(
            "I3",
            format!("{} records planned, {:?} done", plan.records, sums.counts),
        );
    }
    balances(&sums.counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(index: u64, start: u64, end: u64) -> BatchRange {
        BatchRange {
            index,
            start,
            end,
            first_record: index,
            records: 1,
            first_line: 1,
            oversize: false,
            footer: 0,
        }
    }

    #[test]
    fn gaps_overlaps_and_short_ends_are_found() {
        assert_eq!(tiles(&[range(0, 5, 9), range(1, 9, 12)], 5, 12), Ok(()));
        assert_eq!(tiles(&[], 5, 5), Ok(()));
        for ranges in [
            vec![range(0, 5, 9), range(1, 10, 12)],
            vec![range(0, 5, 9), range(1, 8, 12)],
            vec![range(0, 5, 9)],
            vec![range(0, 6, 12)],
            vec![range(0, 5, 5), range(1, 5, 12)],
        ] {
            assert_eq!(tiles(&ranges, 5, 12).unwrap_err().promise, "I1");
        }
    }

    #[test]
    fn a_batch_read_differently_than_planned_is_found() {
        let mut done = Completion {
            failed: false,
            counts: Counts {
                records: 1,
                accepted: 1,
                rejected: 0,
                skipped: 0,
            },
            bytes: 4,
            codes: std::collections::BTreeMap::new(),
            ..Completion::default()
        };
        assert_eq!(batch_matches_plan(&range(0, 5, 9), &done), Ok(()));
        done.counts.rejected = 1;
        assert_eq!(
            batch_matches_plan(&range(0, 5, 9), &done)
                .unwrap_err()
                .promise,
            "I3"
        );
        done.counts.records = 2;
        assert_eq!(
            batch_matches_plan(&range(0, 5, 9), &done)
                .unwrap_err()
                .promise,
            "I7"
        );
    }
}
