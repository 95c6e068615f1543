//! Values that must be unique: the first record has them, whatever dies and whoever works.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use batchfleet_core::job::{JobStatus, Policy, ReasonCode};
use batchfleet_core::prepare::Prepared;
use batchfleet_core::source::Redriven;
use batchfleet_definition::Code;
use batchfleet_testing::{LostResponses, MemoryStore};
use serde_json::json;

use crate::fleet::Fleet;
use crate::small;

const DEFINITION: &str = "\
ragged: reject
fields:
  - {name: id, type: integer, required: true}
  - {name: name, unique: true}
  - {name: age, type: integer}
unique_together: [[id, age]]
";

/// A file, and by hand: which of its records are rejects, with the lines that their reasons name.
struct Planted {
    text: String,
    records: u64,
    rejects: BTreeMap<u64, Vec<u64>>,
}

/// Rows of which many share a name, some an id and an age; with blank, short and wrong ones.
fn planted(rows: u64) -> Planted {
    let mut text = "id,name,age\n".to_owned();
    let mut names = BTreeMap::new();
    let mut pairs = BTreeMap::new();
    let mut rejects = BTreeMap::new();
    let mut line = 2;
    for record in 0..rows {
        let seed = record.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let name = match seed % 3 {
            0 => format!("Name {}", seed % 11),
            1 => format!("nAME {}", seed % 11),
            _ => format!("\"Own\n{record}\""),
        };
        let (id, age) = (seed % 40, record % 5);
        let mut wrong = false;
        let mut is_read = true;
        match seed % 13 {
            0 => text.push('\n'),
            1 => writeln!(text, "{id},{name}").unwrap(),
            2 => {
                writeln!(text, "{id},{name},old").unwrap();
                wrong = true;
            }
            _ => writeln!(text, "{id},{name},{age}").unwrap(),
        }
        let mut earlier = Vec::new();
        match seed % 13 {
            0 => is_read = false,
            1 => {
                is_read = false;
                wrong = true;
            }
            _ => {}
        }
        if is_read {
            let first = *names.entry(name.to_lowercase()).or_insert(line);
            if first != line {
                earlier.push(first);
            }
        }
        if is_read && !wrong {
            let first = *pairs.entry((id, age)).or_insert(line);
            if first != line {
                earlier.push(first);
            }
        }
        if wrong || !earlier.is_empty() {
            rejects.insert(record, earlier);
        }
        line += 1 + u64::from(name.contains('\n') && seed % 13 != 0);
    }
    Planted {
        text,
        records: rows,
        rejects,
    }
}

fn assert_rejects(fleet: &Fleet, planted: &Planted, what: &str) {
    let reasons = fleet.reasons();
    let found: Vec<u64> = reasons.keys().copied().collect();
    let expected: Vec<u64> = planted.rejects.keys().copied().collect();
    assert_eq!(found, expected, "{what}");
    for (record, lines) in &planted.rejects {
        let reason = &reasons[record];
        let told = reason.matches(" already").count();
        assert_eq!(told, lines.len(), "{what}: record {record}: {reason}");
        for line in lines {
            let sentence = format!("in line {line} already");
            assert!(
                reason.contains(&sentence),
                "{what}: record {record}: {reason}"
            );
        }
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn the_first_record_has_the_value_at_any_cut() {
    let mut spilled = 0;
    for rows in [0, 1, 7, 60, 300] {
        let planted = planted(rows);
        for (batch, window) in [(1, 30), (3, 100), (7, 1 << 20), (1_000, 90)] {
            for packed in [false, true] {
                let policy = Policy {
                    batch_records_max: batch,
                    ..small()
                };
                let file = if packed {
                    gzip(&planted.text)
                } else {
                    planted.text.clone().into_bytes()
                };
                let fleet = Fleet::decoding(file, DEFINITION, policy, window);
                fleet.upload().await;
                let summary = fleet.run().await;
                assert_eq!(summary.status, JobStatus::Completed);
                let what = format!("{rows} rows, {batch} a batch, {window} a window, {packed}");
                assert_eq!(summary.counts.records, planted.records, "{what}");
                assert_rejects(&fleet, &planted, &what);
                assert!(fleet.spool.is_empty(), "the marks go with the job");
                spilled += fleet.spills.opened();
            }
        }
    }
    assert!(spilled > 5, "the memory is for a few keys");
}

/// A process that dies at its nth call of any port, for every n: what it had seen is gone, and whoever
/// comes next sees it again.
#[tokio::test]
async fn a_crash_at_any_call_makes_no_difference() {
    let planted = planted(40);
    for packed in [false, true] {
        let mut crashes = 0;
        for call in 0.. {
            let file = if packed {
                gzip(&planted.text)
            } else {
                planted.text.clone().into_bytes()
            };
            let fleet = Fleet::decoding(file, DEFINITION, small(), 90);
            fleet.crash_at(call);
            fleet.upload().await;
            let summary = fleet.run().await;
            let what = format!("crash at call {call}");
            assert_eq!(summary.status, JobStatus::Completed, "{what}");
            assert_rejects(&fleet, &planted, &what);
            assert!(fleet.spool.is_empty(), "{what}");
            if !fleet.has_crashed() {
                break;
            }
            crashes += 1;
        }
        assert!(crashes > 100, "only {crashes} calls to crash at");
    }
}

#[tokio::test]
async fn a_preparer_out_of_time_is_followed_by_one_that_remembers() {
    let planted = planted(2_000);
    let fleet = Fleet::decoding(planted.text.clone().into(), DEFINITION, small(), 100);
    fleet.let_time_pass(15);
    let mut handed_over = 0;
    fleet.limit_time(Some(5_000));
    let mut outcome = fleet.upload().await;
    while matches!(outcome, Prepared::HandedOver(_)) && handed_over < 100 {
        handed_over += 1;
        fleet.limit_time(Some(5_000 * (handed_over + 1)));
        outcome = fleet.upload().await;
    }
    assert!(matches!(outcome, Prepared::Planned(_)), "{outcome:?}");
    assert!(handed_over >= 2, "{handed_over}");
    fleet.let_time_pass(0);
    fleet.limit_time(None);
    assert_eq!(fleet.run().await.status, JobStatus::Completed);
    assert_rejects(&fleet, &planted, "handed over");
}

/// No preparer could ever get behind the checkpoint: that is said, rather than tried for ever.
#[tokio::test]
async fn a_file_that_takes_longer_to_remember_than_a_preparer_has_fails_its_job() {
    let planted = planted(2_000);
    let fleet = Fleet::decoding(planted.text.clone().into(), DEFINITION, small(), 100);
    fleet.let_time_pass(20);
    fleet.limit_time(Some(10_000));
    assert!(matches!(fleet.upload().await, Prepared::HandedOver(_)));
    fleet.limit_time(Some(200));
    let mut outcome = fleet.upload().await;
    for _ in 0..10 {
        if matches!(outcome, Prepared::Ended(..)) {
            break;
        }
        outcome = fleet.upload().await;
    }
    assert!(
        matches!(outcome, Prepared::Ended(_, JobStatus::Failed)),
        "{outcome:?}"
    );
    fleet.let_time_pass(0);
    fleet.limit_time(None);
    let reason = fleet.run().await.reason.unwrap();
    assert_eq!(reason.code, ReasonCode::BadSource);
    assert!(
        reason.message.contains("divide the file"),
        "{}",
        reason.message
    );
    assert!(fleet.spool.is_empty());
}

#[tokio::test]
async fn a_full_disk_fails_the_job_with_what_to_do() {
    let planted = planted(300);
    let fleet = Fleet::decoding(planted.text.into(), DEFINITION, small(), 1_000);
    fleet.spills.fill();
    let outcome = fleet.upload().await;
    assert!(
        matches!(outcome, Prepared::Ended(_, JobStatus::Failed)),
        "{outcome:?}"
    );
    let reason = fleet.run().await.reason.unwrap();
    assert_eq!(reason.code, ReasonCode::OutOfRoom);
    for part in ["no space left", "memory"] {
        assert!(reason.message.contains(part), "{}", reason.message);
    }
}

#[tokio::test]
async fn marks_that_are_gone_fail_the_job_and_count_nothing_as_unique() {
    let planted = planted(60);
    let fleet = Fleet::decoding(planted.text.into(), DEFINITION, small(), 1_000);
    fleet.upload().await;
    fleet.parts_are_gone();
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Failed);
    let reason = summary.reason.unwrap();
    assert_eq!(reason.code, ReasonCode::BadSource);
    assert!(reason.message.contains("upload"), "{}", reason.message);
    assert!(fleet.delivered().is_empty());
}

/// Whether the first record is a reject itself makes no difference.
#[tokio::test]
async fn every_error_of_a_duplicate_is_told_and_a_warning_rejects_nothing() {
    let text = "id,name,age\nx,Ann,1\n2,ANN,old\n3,ann,3\n4,Bob,\n";
    let fleet = Fleet::new(text, DEFINITION, small());
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.counts.rejected, 3);
    let reasons = fleet.reasons();
    assert!(reasons[&1].contains("age") && reasons[&1].contains("in line 2 already"));
    assert!(reasons[&2].contains("name: the value must be unique, and is in line 2 already"));
    assert_eq!(summary.errors[&Code::DuplicateValue], 2);
    assert_eq!(summary.errors[&Code::TypeMismatch], 2);

    let warned = DEFINITION.replace("unique: true", "unique: true, severity: warning");
    let fleet = Fleet::new(text, &warned, small());
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!((summary.counts.accepted, summary.counts.rejected), (2, 2));
    assert_eq!(fleet.delivered()[0]["name"], "ann");
    assert_eq!(fleet.text("warnings.jsonl").lines().count(), 1);
}

#[tokio::test]
async fn a_json_duplicate_is_told_by_the_lines_of_its_file() {
    let text = "{\"id\":1,\"name\":\"Ann\"}\n\n[1]\n{\"id\":2,\"name\":\"ann\"}\n{\"id\":3}\n";
    let fleet = Fleet::decoding(text.into(), DEFINITION, small(), 50);
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!((summary.counts.accepted, summary.counts.rejected), (2, 2));
    assert_eq!(
        fleet.delivered()[1],
        json!({"id": 3, "name": "", "age": null})
    );
    let rejects = fleet.text("rejects.jsonl");
    let last: serde_json::Value = serde_json::from_str(rejects.lines().last().unwrap()).unwrap();
    assert_eq!(last["line"], 4, "{last}");
    let told = last["errors"][0]["message"].as_str().unwrap();
    assert!(told.contains("in line 1 already"), "{told}");
}

/// A redrive judges by the definition as it is now, over the plan as it was.
#[tokio::test]
async fn a_redrive_marks_duplicates_again_whatever_dies() {
    const BEFORE: &str = "fields:\n  - {name: id, type: integer}\n  - {name: name, type: integer}\n  - {name: age}\n";
    const AFTER: &str =
        "fields:\n  - {name: id, type: integer}\n  - {name: name, unique: true}\n  - {name: age}\n";
    let mut text = "id,name,age\n".to_owned();
    for row in 0..40 {
        // Every other name is a number, so it is delivered at once.
        let name = if row % 2 == 0 {
            format!("{}", row % 10)
        } else {
            format!("Name {}", row % 10)
        };
        writeln!(text, "{row},{name},{row}").unwrap();
    }
    for packed in [false, true] {
        for call in 0.. {
            let file = if packed {
                gzip(&text)
            } else {
                text.clone().into_bytes()
            };
            let fleet = Fleet::decoding(file, BEFORE, small(), 100);
            fleet.upload().await;
            assert_eq!(fleet.run().await.counts.rejected, 20);
            fleet.define(AFTER);
            fleet.crash_at(call);
            fleet.redrive(Redriven::Rejected).await.unwrap();
            let second = fleet.run().await;
            assert_eq!(second.status, JobStatus::Completed, "crash at call {call}");
            let counts = second.counts;
            assert_eq!(
                (counts.records, counts.accepted, counts.rejected),
                (40, 5, 15),
                "crash at call {call}"
            );
            let first: Vec<_> = fleet
                .delivered()
                .iter()
                .map(|row| row["id"].clone())
                .collect();
            assert_eq!(first, [1, 3, 5, 7, 9], "crash at call {call}");
            assert!(fleet.spool.is_empty());
            if !fleet.has_crashed() {
                assert!(call > 60, "only {call} calls to crash at");
                break;
            }
        }
    }
}

/// A preparer that heard nothing of its last checkpoint is followed by another, which takes over the last
/// shard again: no record is the duplicate of itself. (The simulator's seed 1053.)
#[tokio::test]
async fn a_shard_that_is_taken_over_again_has_the_same_duplicates() {
    const ANY: &str = "fields: [{name: id}, {name: name, unique: true}, {name: age}]\n";
    let planted = planted(40);
    let mut expected = None;
    for seed in 0..60 {
        let memory = Arc::new(MemoryStore::new());
        let lossy = Arc::new(LostResponses::new(Arc::clone(&memory), seed, 15));
        let fleet = Fleet::over(&planted.text, ANY, small(), memory, lossy);
        fleet.upload().await;
        let first = fleet.run().await;
        assert!(first.counts.rejected > 10, "{:?}", first.counts);
        let before = fleet.reasons();
        fleet.redrive(Redriven::Rejected).await.unwrap();
        let second = fleet.run().await;
        assert_eq!(second.status, JobStatus::Completed, "seed {seed}");
        assert_eq!(fleet.reasons(), before, "seed {seed}");
        let expected = expected.get_or_insert_with(|| before.clone());
        assert_eq!(before, *expected, "seed {seed}");
    }
}

/// What is delivered record by record is marked alike.
#[tokio::test]
async fn a_destination_that_takes_records_gets_no_duplicate() {
    let planted = planted(60);
    let to = format!("{DEFINITION}destination: {{type: dynamodb, table: people, key: [id]}}\n");
    let fleet = Fleet::new(&planted.text, &to, small());
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Completed, "{:?}", summary.reason);
    assert_rejects(&fleet, &planted, "one by one");
    assert_eq!(
        fleet.delivered_one_by_one().len() as u64,
        summary.counts.accepted
    );
}
