//! What a job leaves behind: rejects in both forms, warnings, and the manifest with its checksums.

use batchfleet_core::checksum::FileSum;
use batchfleet_core::job::JobStatus;
use batchfleet_core::manifest::Manifest;
use batchfleet_core::report::{
    MANIFEST_FILE, OUTPUT_FOLDER, REJECTS_FILE, REJECTS_JSON_FILE, SUMMARY_FILE, WARNINGS_FILE,
};
use batchfleet_definition::Code;
use serde_json::Value;

use crate::fleet::Fleet;
use crate::{DEFINITION, rows, small};

/// An age that is none, or too high, is a warning; a name that is too long is an error.
const WARNING: &str = "fields:\n  \
    - {name: id, type: integer, required: true}\n  \
    - {name: name, max_length: 20, sensitive: true}\n  \
    - {name: age, type: integer, max: 30, severity: warning}\n";

const REPORTS: [&str; 5] = [
    REJECTS_FILE,
    REJECTS_JSON_FILE,
    WARNINGS_FILE,
    MANIFEST_FILE,
    SUMMARY_FILE,
];

fn objects(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn manifest(fleet: &Fleet) -> Manifest {
    serde_json::from_str(&fleet.text(MANIFEST_FILE)).unwrap()
}

/// Every file that the manifest lists is as it says, and every part is listed.
fn assert_listed(fleet: &Fleet) {
    let manifest = manifest(fleet);
    for listed in manifest.parts.iter().chain(&manifest.reports) {
        let content = fleet.text(&listed.name);
        assert_eq!(
            listed.sum,
            Some(FileSum::of(content.as_bytes())),
            "{listed:?}"
        );
    }
    let listed: Vec<&str> = manifest.parts.iter().map(|part| &*part.name).collect();
    let mut names = fleet.names();
    names.retain(|name| name.starts_with(OUTPUT_FOLDER) && !fleet.text(name).is_empty());
    assert_eq!(listed, names);
}

#[tokio::test]
async fn warnings_are_delivered_counted_and_merged() {
    let fleet = Fleet::new(&rows(50), WARNING, small());
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Completed);
    let delivered = fleet.delivered();
    assert_eq!(delivered.len() as u64, summary.counts.accepted);
    assert!(delivered.iter().any(|row| row["age"] == 47));

    let warned = objects(&fleet.text(WARNINGS_FILE));
    assert_eq!(warned.len() as u64, summary.warned);
    let by_code: u64 = summary.warnings.values().sum();
    assert_eq!(by_code, summary.warned, "{:?}", summary.warnings);
    // Rows 1, 8, … of fifty have no number for an age.
    assert_eq!(summary.warnings[&Code::TypeMismatch], 7);
    let records: Vec<u64> = warned
        .iter()
        .map(|it| it["record"].as_u64().unwrap())
        .collect();
    assert!(records.is_sorted(), "{records:?}");
    let rejected = fleet.reasons();
    assert!(records.iter().all(|record| !rejected.contains_key(record)));
    let manifest = manifest(&fleet);
    let listed = manifest.reports.iter().map(|it| (&*it.name, it.records));
    let expected = [
        (REJECTS_FILE, summary.counts.rejected),
        (REJECTS_JSON_FILE, summary.counts.rejected),
        (WARNINGS_FILE, summary.warned),
    ];
    assert_eq!(listed.collect::<Vec<_>>(), expected);
    assert_eq!(manifest.totals.records, summary.counts.accepted);
    assert_listed(&fleet);
    for report in [REJECTS_FILE, REJECTS_JSON_FILE, WARNINGS_FILE] {
        assert!(
            !fleet.text(report).contains("Zoë"),
            "the name is sensitive: {report}"
        );
    }
    let at = |name: &str| {
        summary
            .manifest
            .as_ref()
            .unwrap()
            .replace(MANIFEST_FILE, name)
    };
    assert_eq!(summary.warnings_jsonl, Some(at(WARNINGS_FILE)));
    assert_eq!(summary.rejects_jsonl, Some(at(REJECTS_JSON_FILE)));
}

/// A process that dies at its nth call of any port, for every n: the same reports, byte for byte.
#[tokio::test]
async fn a_crash_at_any_call_leaves_the_same_reports() {
    let text = rows(20);
    let undisturbed = Fleet::new(&text, WARNING, small());
    undisturbed.upload().await;
    undisturbed.run().await;
    let mut crashes = 0;
    for call in 0.. {
        let fleet = Fleet::new(&text, WARNING, small());
        fleet.crash_at(call);
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed, "call {call}");
        // The summary has times, which differ.
        for report in &REPORTS[..4] {
            assert_eq!(fleet.text(report), undisturbed.text(report), "call {call}");
        }
        assert_listed(&fleet);
        if !fleet.has_crashed() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 50, "only {crashes} calls were tried");
}

/// A job that begins nothing has a manifest that lists nothing, and no reports.
#[tokio::test]
async fn a_job_without_batches_has_an_empty_manifest() {
    let fleet = Fleet::new("no,such,columns\n1,2,3\n", DEFINITION, small());
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Failed);
    let manifest = manifest(&fleet);
    assert_eq!((manifest.parts.len(), manifest.reports.len()), (0, 0));
    assert_eq!((summary.rejects, summary.rejects_jsonl), (None, None));
    assert_eq!(fleet.names(), [MANIFEST_FILE, SUMMARY_FILE]);
}

/// A record over the limit keeps its first bytes, and its reject says where the others are.
#[tokio::test]
async fn a_record_over_the_limit_keeps_its_beginning() {
    let text = format!("{}900,{},1\n901,after,2\n", rows(10), "é".repeat(2 << 20));
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.upload().await;
    fleet.run().await;
    let start = text.find("900,").unwrap();
    let rejects = objects(&fleet.text(REJECTS_JSON_FILE));
    let long = rejects.last().unwrap();
    assert_eq!(long["offset"], start);
    assert_eq!(long["errors"][0]["code"], "RECORD_TOO_LONG");
    let raw = long["raw"].as_str().unwrap();
    assert!(text[start..].starts_with(raw));
    assert_eq!(raw.len(), 32_000);
    let message = long["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("the first 32000 of its bytes are kept here"),
        "{message}"
    );
    assert!(fleet.rejects().contains(raw));
}
