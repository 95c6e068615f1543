//! A destination that takes records one by one: it gets the accepted rows of its jobs, as they are in
//! the file, and nothing else.

use std::collections::BTreeMap;

use batchfleet_core::report::OUTPUT_FOLDER;
use serde_json::Value;

use super::super::files::Told;
use super::{Evidence, Imported, Verdict, rows, rows_of, violated, was_given_up, was_worked};

/// I4: what was put is what the file has; of a job whose report is written, in batches that are counted,
/// were given up, or are named as in no count.
pub(super) fn puts_are_true(evidence: &Evidence<'_>, job: &Imported<'_>) -> Verdict {
    if evidence.scenario.destination.is_none() {
        return Ok(());
    }
    let id = &job.record.job.id;
    let parts = evidence.bucket.results.iter();
    let mut parts = parts.filter(|((of, name), _)| of == id && name.starts_with(OUTPUT_FOLDER));
    if let Some(((_, name), _)) = parts.next() {
        return violated("I4", format!("{id} wrote {name} beside its destination"));
    }
    let puts: BTreeMap<u64, &Value> = puts(evidence, job).collect();
    for (index, row) in &puts {
        let told = job.file.rows.get(*index as usize);
        if !matches!(told, Some(Told::Accepted(is) | Told::Fickle(is)) if is == *row) {
            return violated("I4", format!("{id} put {row} for record {index}: {told:?}"));
        }
    }
    if !job.record.job.status.is_terminal() || job.record.job.outbox {
        return Ok(());
    }
    let uncounted = rows::summary(evidence, job);
    let uncounted = uncounted.map_or_else(Vec::new, |summary| summary.uncounted_batches);
    for (range, item) in job.batches() {
        let is_told = was_worked(&item)
            || was_given_up(&item)
            || uncounted.iter().any(|batch| batch.batch == range.index);
        let records = range.first_record..range.first_record + range.records;
        if !is_told && let Some((index, _)) = puts.range(records).next() {
            return violated("I4", format!("{id} put record {index} and tells nobody"));
        }
    }
    Ok(())
}

/// The records that a job put and their rows, one by one as the destination took them.
pub(super) fn puts<'a>(
    evidence: &'a Evidence<'_>,
    job: &Imported<'a>,
) -> impl Iterator<Item = (u64, &'a Value)> {
    let id = &job.record.job.id;
    let puts = evidence.rows.puts.iter().filter(move |put| put.job == *id);
    puts.map(|put| (put.index, &put.row))
}

/// The rows that a job put in batches that it counts, without those that it rejects all the same: the
/// destination took them at one time and refused them at another.
pub(super) fn delivered(evidence: &Evidence<'_>, job: &Imported<'_>) -> Vec<Value> {
    let puts: BTreeMap<u64, &Value> = puts(evidence, job).collect();
    let rejected = rows::rejected_records(evidence, job).unwrap_or_default();
    let mut rows = Vec::new();
    for (range, item) in job.batches() {
        if was_worked(&item) {
            let records = rows_of(&range).map(|record| record as u64);
            let counted = records.filter(|record| !rejected.contains(record));
            rows.extend(counted.filter_map(|record| Some((*puts.get(&record)?).clone())));
        }
    }
    rows
}

/// How many jobs went into such a destination.
pub(crate) fn record_wise(evidence: &Evidence<'_>) -> u64 {
    let is_there = evidence.scenario.destination.is_some();
    u64::from(is_there) * evidence.table.jobs.len() as u64
}
