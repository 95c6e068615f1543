//! The whole flow with records that exist already: found, crashed at every call, into the very table
//! that is asked, overloaded, under tables that change.

use std::collections::BTreeSet;
use std::sync::Arc;

use batchfleet_core::checksum::FileSum;
use batchfleet_core::exact::ExactNumber;
use batchfleet_core::job::{JobStatus, ReasonCode};
use batchfleet_core::lookup::{Existing, existing_part};
use batchfleet_core::ports::{KeyValue, LookupKey};
use batchfleet_core::report::Summary;
use batchfleet_core::source::Redriven;
use batchfleet_definition::Code;
use batchfleet_testing::LookupFault;
use serde_json::Value;

use crate::fleet::{Expected, Fleet, sequential};
use crate::{DEFINITION, rows, small};

const RETRIES: &str = "retries: {max: 2, base_ms: 100, cap_ms: 400}\n";

/// Rows whose id is that of a customer are rejects.
fn into_files() -> String {
    format!("{DEFINITION}{RETRIES}duplicates_of: [{{table: customers, key: {{customer: id}}}}]\n")
}

/// Rows go into the table that is asked.
fn into_the_table() -> String {
    let destination = "destination: {type: dynamodb, table: people, key: [id]}\n";
    format!("{DEFINITION}{RETRIES}{destination}duplicates_of: [destination]\n")
}

fn key(id: i64) -> LookupKey {
    let number = ExactNumber::parse(&id.to_string()).unwrap();
    LookupKey(vec![KeyValue::Number(number)])
}

fn fleet(text: &str, definition: &str) -> Fleet {
    let fleet = Fleet::new(text, definition, small());
    fleet.nap(250);
    fleet.tables.put("customers", []);
    fleet.tables.limit(2);
    fleet
}

/// A fleet into the table that is asked, which has these records already.
fn fleet_into_the_table(text: &str, ids: &[i64]) -> Fleet {
    let fleet = fleet(text, &into_the_table());
    let sink = Arc::clone(&fleet.sink);
    fleet.tables.share("people", sink, fleet.id());
    fleet.tables.put("people", ids.iter().copied().map(key));
    fleet
}

fn id(row: &Value) -> i64 {
    row["id"].as_i64().unwrap()
}

/// Each row is where it belongs, once: those of these ids among the rejects, in their place.
fn assert_found(
    fleet: &Fleet,
    summary: &Summary,
    delivered: &[Value],
    expected: &Expected,
    ids: &[i64],
) {
    assert_eq!(summary.status, JobStatus::Completed, "{:?}", summary.reason);
    let mut accepted = expected.accepted.clone();
    accepted.retain(|row| !ids.contains(&id(row)));
    assert_eq!(delivered, accepted);
    let counts = &summary.counts;
    let found = ids.len() as u64;
    assert_eq!(counts.records, expected.records);
    assert_eq!(counts.accepted, accepted.len() as u64);
    assert_eq!(counts.rejected, expected.rejected + found);
    let external = summary.errors.get(&Code::ExternalDuplicate).copied();
    assert_eq!(external.unwrap_or(0), found);
    let reasons = fleet.reasons();
    assert_eq!(reasons.len() as u64, counts.rejected);
    for id in ids {
        // The ids count the rows.
        let reason = &reasons[&id.cast_unsigned()];
        assert!(reason.contains("has this record already"), "{reason}");
        assert!(fleet.rejects().contains(&format!("\n{id},")), "the cells");
    }
}

#[tokio::test]
async fn records_that_exist_are_rejects_in_their_place() {
    let text = rows(60);
    let expected = sequential(&text, DEFINITION);
    for ids in [vec![], vec![0], vec![4, 5, 6], vec![11, 12, 53, 55]] {
        let fleet = fleet(&text, &into_files());
        fleet.tables.put("customers", ids.iter().copied().map(key));
        // Those that are no good rows are not asked for.
        fleet.tables.put("customers", [key(1), key(1_000)]);
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_found(&fleet, &summary, &fleet.delivered(), &expected, &ids);
        let asked: Vec<LookupKey> = fleet.tables.calls().concat();
        let distinct: BTreeSet<&LookupKey> = asked.iter().collect();
        assert_eq!(asked.len(), distinct.len(), "each record is asked for once");
        assert_eq!(asked.len(), expected.accepted.len());
        // What is kept of a look-up has no values.
        let kept = fleet.text(&existing_part(0));
        let records = if ids == [0] { "[[0]]" } else { "[[]]" };
        assert!(kept.contains(records), "{kept}");
    }
}

#[tokio::test]
async fn a_warning_rejects_nothing() {
    let text = rows(30);
    let expected = sequential(&text, DEFINITION);
    let definition = format!(
        "{DEFINITION}duplicates_of:\n  - {{table: customers, key: {{customer: id}}, severity: warning, \
         message: is a customer}}\n  - {{table: banned, key: {{id: id}}}}\n"
    );
    let fleet = fleet(&text, &definition);
    fleet.tables.put("customers", [key(4), key(5)]);
    fleet.tables.put("banned", [key(5), key(6)]);
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_found(&fleet, &summary, &fleet.delivered(), &expected, &[5, 6]);
    assert_eq!(summary.warned, 1);
    assert_eq!(summary.warnings.get(&Code::ExternalDuplicate), Some(&1));
    let warnings = fleet.text("warnings.jsonl");
    assert!(warnings.contains("id: is a customer"), "{warnings}");
    let both = &fleet.reasons()[&5];
    assert!(
        both.contains("is a customer") && both.contains("banned"),
        "{both}"
    );
}

/// A worker that is killed at any call: between the answer and its being kept, between that and the
/// delivery, in the middle of it. A row that it had delivered is no duplicate of itself.
#[tokio::test]
async fn a_crash_at_any_call_makes_no_row_a_duplicate_of_itself() {
    let text = rows(40);
    let expected = sequential(&text, DEFINITION);
    let mut again = 0;
    for call in 0.. {
        let fleet = fleet_into_the_table(&text, &[5, 33]);
        fleet.sink.limit(1);
        fleet.crash_at(call);
        fleet.upload().await;
        let summary = fleet.run().await;
        let delivered = fleet.delivered_one_by_one();
        assert_found(&fleet, &summary, &delivered, &expected, &[5, 33]);
        let offered = fleet.sink.calls().concat();
        again += u32::from(offered.len() > delivered.len());
        if !fleet.has_crashed() {
            break;
        }
    }
    assert!(again > 10, "only {again} crashes fell into a delivery");
}

/// What is found depends on the moment, so two attempts at one batch could come to two parts: they go
/// by one answer.
#[tokio::test]
async fn tables_that_change_between_two_attempts_change_nothing() {
    let text = rows(40);
    let expected = sequential(&text, DEFINITION);
    let mut kept = 0;
    for call in 0.. {
        let fleet = fleet(&text, &into_files());
        fleet.tables.put("customers", [key(5), key(33)]);
        fleet.crash_at(call);
        fleet.upload().await;
        while !fleet.has_crashed() && fleet.deliver_next().await {}
        if !fleet.has_crashed() {
            break;
        }
        // Others come and go while the batch waits for its next worker.
        fleet.tables.empty("customers");
        fleet
            .tables
            .put("customers", [key(4), key(6), key(32), key(34)]);
        let summary = fleet.run().await;
        let delivered = fleet.delivered();
        let ids: BTreeSet<i64> = delivered.iter().map(id).collect();
        let found: Vec<i64> = expected.accepted.iter().map(id).collect();
        let found: Vec<i64> = found.into_iter().filter(|id| !ids.contains(id)).collect();
        assert_found(&fleet, &summary, &delivered, &expected, &found);
        let (before, after) = ([5, 33], [4, 6, 32, 34]);
        assert!(
            found
                .iter()
                .all(|id| before.contains(id) || after.contains(id))
        );
        kept += u32::from(found.contains(&5));
    }
    assert!(kept > 5, "only {kept} answers were kept");
}

/// Whoever keeps an answer second goes by the first.
#[tokio::test]
async fn the_first_answer_that_is_kept_counts() {
    let text = rows(20);
    let expected = sequential(&text, DEFINITION);
    let definition = into_files();
    let fleet = fleet(&text, &definition);
    fleet.tables.put("customers", [key(5)]);
    let sum = FileSum::of(definition.as_bytes()).sha256;
    let first = Existing::new(&sum, vec![vec![4]]);
    // Records 3 to 5.
    fleet.leave(&existing_part(1), first.to_json());
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_found(&fleet, &summary, &fleet.delivered(), &expected, &[4]);
}

#[tokio::test]
async fn a_table_that_has_enough_is_asked_again() {
    let text = rows(40);
    let expected = sequential(&text, DEFINITION);
    let fleet = fleet(&text, &into_files());
    fleet.tables.limit(100);
    fleet.tables.put("customers", [key(4), key(6)]);
    fleet.tables.fail_next([
        LookupFault::LeftOver(1),
        LookupFault::Overloaded(None),
        LookupFault::Unavailable,
        LookupFault::LeftOver(2),
        LookupFault::Overloaded(Some(300)),
        // More than a worker waits for.
        LookupFault::Overloaded(Some(60_000)),
        LookupFault::Unavailable,
        LookupFault::Unavailable,
        LookupFault::Unavailable,
        LookupFault::Unavailable,
    ]);
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_found(&fleet, &summary, &fleet.delivered(), &expected, &[4, 6]);
    assert!(summary.failed_batches.is_empty());
}

/// Nothing is delivered meanwhile, and nothing becomes a reject of it.
#[tokio::test]
async fn while_a_table_can_not_be_asked_its_job_waits() {
    let text = rows(20);
    let expected = sequential(&text, DEFINITION);
    let fleet = fleet(&text, &into_files());
    fleet
        .tables
        .fail_always(Some(LookupFault::Overloaded(None)));
    fleet.upload().await;
    for _ in 0..30 {
        fleet.deliver_next().await;
    }
    assert!(fleet.delivered().is_empty());
    fleet.tables.fail_always(None);
    let summary = fleet.run().await;
    assert_found(&fleet, &summary, &fleet.delivered(), &expected, &[]);
    assert!(summary.failed_batches.is_empty());
}

#[tokio::test]
async fn a_table_that_does_not_exist_ends_the_job_before_its_first_row() {
    let text = rows(20);
    let definition = into_files().replace("customers", "costumers");
    let fleet = fleet(&text, &definition);
    fleet.upload().await;
    let summary = fleet.run().await;
    let reason = summary.reason.unwrap();
    assert_eq!(reason.code, ReasonCode::BadLookup);
    assert!(reason.message.contains("\"costumers\" does not exist"));
    assert_eq!(summary.counts.records, 0);
    assert!(fleet.delivered().is_empty());
}

/// Rows of a batch that was given up may have arrived: redriven, they are no duplicates of themselves.
/// Those that existed before still are.
#[tokio::test]
async fn a_redrive_takes_no_row_of_an_unfinished_batch_for_a_duplicate() {
    let text = rows(30);
    let expected = sequential(&text, DEFINITION);
    let fleet = fleet_into_the_table(&text, &[5, 26]);
    fleet.sink.limit(1);
    fleet.deadly_row("\"id\":13,");
    fleet.upload().await;
    let first = fleet.run().await;
    assert_eq!(first.failed_batches.len(), 1);
    let arrived = fleet.delivered_one_by_one();
    assert!(arrived.iter().any(|row| id(row) == 13), "it arrived");

    fleet.deadly_row("nothing");
    fleet.redrive(Redriven::Failed).await.unwrap();
    let second = fleet.run().await;
    assert_eq!(second.status, JobStatus::Completed);
    assert_eq!(second.errors.get(&Code::ExternalDuplicate), None);
    let again = fleet.delivered_one_by_one();
    assert!(again.iter().any(|row| id(row) == 13));
    let all: BTreeSet<i64> = arrived.iter().chain(&again).map(id).collect();
    let good = expected.accepted.iter().map(id);
    let good: BTreeSet<i64> = good.filter(|id| ![5, 26].contains(id)).collect();
    assert_eq!(all, good);
}

/// Rejects are looked up anew: what was in the way may be gone.
#[tokio::test]
async fn a_redrive_of_rejects_looks_again() {
    let text = rows(30);
    let fleet = fleet(&text, &into_files());
    fleet.tables.put("customers", [key(4), key(6)]);
    fleet.upload().await;
    fleet.run().await;
    fleet.tables.empty("customers");
    fleet.tables.put("customers", [key(6)]);
    fleet.redrive(Redriven::Rejected).await.unwrap();
    let second = fleet.run().await;
    let delivered: Vec<i64> = fleet.delivered().iter().map(id).collect();
    assert_eq!(delivered, [4]);
    assert_eq!(second.errors.get(&Code::ExternalDuplicate), Some(&1));
}
