//! The manifest: what it lists is there, as it says, and nothing that counts is left out; and the
//! structured rejects tell of the same records as rejects.csv.

use std::collections::BTreeSet;

use batchfleet_core::checksum::FileSum;
use batchfleet_core::manifest::{Listed, Manifest};
use batchfleet_core::report::{
    MANIFEST_FILE, OUTPUT_FOLDER, REJECTS_FILE, REJECTS_JSON_FILE, WARNINGS_FILE,
};
use serde_json::Value;

use super::{Evidence, Imported, Verdict, rows, violated};

/// I3 and I4: of a job whose report is written.
pub(super) fn is_true(evidence: &Evidence<'_>, job: &Imported<'_>) -> Verdict {
    if !job.record.job.status.is_terminal() || job.record.job.outbox {
        return Ok(());
    }
    let id = &job.record.job.id;
    let text = evidence.bucket.result(id, MANIFEST_FILE);
    let manifest = text.and_then(|text| serde_json::from_slice::<Manifest>(text).ok());
    let Some(manifest) = manifest else {
        return violated("I4", format!("{id} has no manifest that reads"));
    };
    for listed in manifest.parts.iter().chain(&manifest.reports) {
        let content = evidence.bucket.result(id, &listed.name);
        let sum = content.map(|content| FileSum::of(content));
        if sum.is_none() || sum != listed.sum {
            return violated("I4", format!("{id}: {listed:?} is {sum:?}"));
        }
    }
    if evidence.scenario.destination.is_none() {
        parts_are_true(evidence, job, &manifest)?;
    } else if !manifest.parts.is_empty() {
        return violated("I4", format!("{id} lists parts beside its destination"));
    }
    reports_agree(evidence, job, &manifest.reports)
}

/// I3 and I4: it lists what was written, with every accepted row.
fn parts_are_true(evidence: &Evidence<'_>, job: &Imported<'_>, manifest: &Manifest) -> Verdict {
    let id = &job.record.job.id;
    let listed: BTreeSet<&str> = manifest.parts.iter().map(|part| &*part.name).collect();
    let uncounted = rows::uncounted(evidence, job);
    let results = evidence.bucket.results.iter();
    // An empty object keeps its name from a late delivery.
    let written = results.filter(|((of, name), content)| {
        of == id
            && name.starts_with(OUTPUT_FOLDER)
            && !content.is_empty()
            && !uncounted.contains(name)
    });
    let written: BTreeSet<&str> = written.map(|((_, name), _)| &**name).collect();
    if listed != written || listed.len() != manifest.parts.len() {
        return violated(
            "I4",
            format!("{id} wrote {written:?}, its manifest lists {listed:?}"),
        );
    }
    let accepted: u64 = manifest.parts.iter().map(|part| part.records).sum();
    let done = job.record.batches.values();
    let done = done.filter_map(|item| item.completion.as_ref());
    let counted: u64 = done.map(|done| done.counts.accepted).sum();
    if (accepted, manifest.totals.records) != (counted, counted) {
        return violated(
            "I3",
            format!("{id}: {counted} rows are accepted, the manifest has {accepted}"),
        );
    }
    Ok(())
}

/// I3: rejects.csv and rejects.jsonl have the same records in the same order; no row has a warning.
fn reports_agree(evidence: &Evidence<'_>, job: &Imported<'_>, reports: &[Listed]) -> Verdict {
    let id = &job.record.job.id;
    let names: Vec<&str> = reports.iter().map(|report| &*report.name).collect();
    let csv = evidence.bucket.result(id, REJECTS_FILE);
    let jsonl = evidence.bucket.result(id, REJECTS_JSON_FILE);
    let (Some(csv), Some(jsonl)) = (csv, jsonl) else {
        // A job that failed before its header was read.
        return if names.is_empty() && csv.is_none() && jsonl.is_none() {
            Ok(())
        } else {
            violated("I4", format!("{id} has a part of its reports: {names:?}"))
        };
    };
    if names != [REJECTS_FILE, REJECTS_JSON_FILE]
        || evidence.bucket.result(id, WARNINGS_FILE).is_some()
    {
        return violated("I4", format!("{id} lists the reports {names:?}"));
    }
    let lines = jsonl
        .split(|byte| *byte == b'\n')
        .filter(|it| !it.is_empty());
    let objects: Vec<Value> = lines
        .map(|line| serde_json::from_slice(line).unwrap_or_default())
        .collect();
    let told: Vec<Option<u64>> = objects.iter().map(|it| it["record"].as_u64()).collect();
    let rows: Vec<Option<u64>> = rows::rejected(csv).collect();
    let stands_for = |object: &Value| object["records"].as_u64().unwrap_or(1);
    let records: u64 = objects.iter().map(stands_for).sum();
    if told != rows || records != reports[0].records {
        return violated(
            "I3",
            format!("{id}: rejects.csv has {rows:?}, rejects.jsonl {told:?} for {records} records"),
        );
    }
    Ok(())
}
