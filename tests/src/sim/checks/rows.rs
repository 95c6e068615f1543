//! The rows: none lost, none twice, none changed, in the output and among the rejects.

use std::collections::BTreeSet;

use batchfleet_core::job::JobStatus;
use batchfleet_core::rejects::REJECT_COLUMNS;
use batchfleet_core::report::{OUTPUT_FOLDER, REJECTS_FILE, Summary, output_part};
use serde_json::Value;

use super::super::files::Told;
use super::{
    Evidence, Imported, Verdict, destination, rows_of, violated, was_given_up, was_worked,
};

/// I4 and I7: every accepted row of a worked batch was delivered once, as it is in the file; and
/// nothing else, but what a job that ended early says it did not count.
pub(super) fn delivered_once(evidence: &Evidence<'_>, job: &Imported<'_>) -> Verdict {
    let mut expected = Vec::new();
    let uncounted = uncounted(evidence, job);
    let rejected = rejected_records(evidence, job);
    for (range, item) in job.batches() {
        let is_uncounted = uncounted.contains(&output_part(range.index));
        if was_worked(&item) || (is_uncounted && !was_given_up(&item)) {
            let rows = rows_of(&range).zip(&job.file.rows[rows_of(&range)]);
            expected.extend(rows.filter_map(|(record, told)| match told {
                Told::Accepted(row) => Some(row.clone()),
                Told::Fickle(row) => {
                    let rejected = rejected.as_ref()?;
                    (!rejected.contains(&(record as u64))).then(|| row.clone())
                }
                Told::Rejected | Told::Skipped => None,
            }));
        }
    }
    let delivered = delivered(evidence, job, &[]);
    if delivered == expected {
        return Ok(());
    }
    let id = &job.record.job.id;
    let mut seen = BTreeSet::new();
    for row in &delivered {
        if !seen.insert(row.to_string()) {
            return violated("I4", format!("{id} delivered twice: {row}"));
        }
        if !expected.contains(row) {
            return violated(
                "I4",
                format!("{id} delivered what it does not account for: {row}"),
            );
        }
    }
    for row in &expected {
        if !seen.contains(&row.to_string()) {
            return violated("I4", format!("{id} lost: {row}"));
        }
    }
    violated("I7", format!("{id} delivered its rows in another order"))
}

/// What the job delivered, in the order of the file, but for these parts.
pub(super) fn delivered(evidence: &Evidence<'_>, job: &Imported<'_>, but: &[String]) -> Vec<Value> {
    if evidence.scenario.destination.is_some() {
        return destination::delivered(evidence, job);
    }
    let mut rows = Vec::new();
    for ((id, name), content) in &evidence.bucket.results {
        let is_part = name.starts_with(OUTPUT_FOLDER) && !but.contains(name);
        if *id == job.record.job.id && is_part {
            for line in content
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                rows.push(serde_json::from_slice(line).unwrap_or(Value::Null));
            }
        }
    }
    rows
}

pub(super) fn summary(evidence: &Evidence<'_>, job: &Imported<'_>) -> Option<Summary> {
    let text = evidence
        .bucket
        .result(&job.record.job.id, batchfleet_core::report::SUMMARY_FILE)?;
    serde_json::from_slice(text).ok()
}

/// How many parts the summaries of aborted jobs name that are in no count.
pub(crate) fn uncounted_parts(evidence: &Evidence<'_>) -> u64 {
    let jobs = super::jobs(evidence).filter_map(Result::ok);
    let jobs = jobs.filter(|job| job.record.job.status == JobStatus::Aborted);
    jobs.map(|job| uncounted(evidence, &job).len() as u64).sum()
}

/// Parts that the summary names as in no count.
pub(super) fn uncounted(evidence: &Evidence<'_>, job: &Imported<'_>) -> Vec<String> {
    if job.is_completed() {
        return Vec::new();
    }
    let summary = summary(evidence, job);
    summary
        .map(|summary| summary.uncounted_parts)
        .unwrap_or_default()
}

/// The records that the job's rejects.csv names, if it is written.
pub(super) fn rejected_records(
    evidence: &Evidence<'_>,
    job: &Imported<'_>,
) -> Option<BTreeSet<u64>> {
    let text = evidence.bucket.result(&job.record.job.id, REJECTS_FILE)?;
    Some(rejected(text).flatten().collect())
}

/// The records that a rejects.csv names, row by row.
pub(super) fn rejected(text: &[u8]) -> impl Iterator<Item = Option<u64>> {
    let reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let rows = reader.into_byte_records().filter_map(Result::ok);
    rows.map(|row| {
        let column = row.len().checked_sub(REJECT_COLUMNS.len())?;
        std::str::from_utf8(row.get(column)?).ok()?.parse().ok()
    })
}

/// I3: rejects.csv has every rejected row of a batch that is over, once, and nothing else. A batch
/// that was given up unread has one line for all of its rows.
pub(super) fn rejects_are_true(evidence: &Evidence<'_>, job: &Imported<'_>) -> Verdict {
    let id = &job.record.job.id;
    let Some(text) = evidence.bucket.result(id, REJECTS_FILE) else {
        return Ok(());
    };
    let mut found = BTreeSet::new();
    for record in rejected(text) {
        if !record.is_some_and(|record| found.insert(record)) {
            return violated(
                "I3",
                format!("{id}: rejects.csv has record {record:?} twice"),
            );
        }
    }
    let mut expected = BTreeSet::new();
    for (range, item) in job.batches() {
        let rows = rows_of(&range).zip(&job.file.rows[rows_of(&range)]);
        let rows = rows.map(|(row, told)| (row as u64, told));
        let counted = item
            .completion
            .as_ref()
            .map_or(0, |done| done.counts.rejected);
        if was_worked(&item) {
            let rejected = rows.filter(|(row, told)| match told {
                Told::Rejected => true,
                Told::Fickle(_) => found.contains(row),
                Told::Accepted(_) | Told::Skipped => false,
            });
            let rejected: BTreeSet<u64> = rejected.map(|(row, _)| row).collect();
            if rejected.len() as u64 != counted {
                let detail = format!("{id}: {range:?} counts {counted} rejects, has {rejected:?}");
                return violated("I3", detail);
            }
            expected.extend(rejected);
        } else if was_given_up(&item) {
            let present = rows.filter(|(_, told)| **told != Told::Skipped);
            let present: BTreeSet<u64> = present.map(|(row, _)| row).collect();
            let is_whole = counted == present.len() as u64 && present.is_subset(&found);
            expected.extend(if is_whole {
                present
            } else {
                BTreeSet::from([range.first_record])
            });
        }
    }
    if found == expected {
        return Ok(());
    }
    let differ: Vec<_> = found.symmetric_difference(&expected).collect();
    violated(
        "I3",
        format!("{id}: rejects.csv and the file differ in the records {differ:?}"),
    )
}
