//! The whole flow into a destination that takes records one by one: crashed at every call, refusing,
//! overloaded, gone, aborted.

use std::collections::BTreeMap;

use batchfleet_core::job::{JobStatus, Policy};
use batchfleet_core::report::Summary;
use batchfleet_definition::Code;
use batchfleet_testing::SinkFault;
use serde_json::Value;

use crate::fleet::{Expected, Fleet, sequential};
use crate::{DEFINITION, rows, small};

/// The definition of the other tests, into a table.
fn definition(retries: &str) -> String {
    format!("{DEFINITION}destination: {{type: dynamodb, table: people, key: [id]}}\n{retries}\n")
}

const NO_RETRIES: &str = "retries: {max: 0}";
const RETRIES: &str = "retries: {max: 2, base_ms: 100, cap_ms: 400}";

/// Longer than any step of a delivery's wait, shorter than the wait for a heartbeat.
const NAP_MS: u64 = 250;

/// Batches that take the destination several calls.
fn large() -> Policy {
    Policy {
        batch_records_max: 12,
        ..small()
    }
}

fn fleet(text: &str, retries: &str) -> Fleet {
    let fleet = Fleet::new(text, &definition(retries), large());
    fleet.sink.limit(3);
    fleet.nap(NAP_MS);
    fleet
}

/// Whatever happened on the way: each accepted row is in the destination, as it should be, and those
/// with these ids are rejects instead, with the destination's reason, in their place in the file.
fn assert_accounted_for(fleet: &Fleet, summary: &Summary, expected: &Expected, refused: &[i64]) {
    let is_refused = |row: &Value| refused.contains(&row["id"].as_i64().unwrap());
    let accepted: Vec<&Value> = expected
        .accepted
        .iter()
        .filter(|row| !is_refused(row))
        .collect();
    assert_eq!(
        fleet.delivered_one_by_one().iter().collect::<Vec<_>>(),
        accepted
    );
    let counts = &summary.counts;
    let refused_count = refused.len() as u64;
    assert_eq!(counts.records, expected.records);
    assert_eq!(counts.accepted, accepted.len() as u64);
    assert_eq!(counts.rejected, expected.rejected + refused_count);
    assert_eq!(counts.skipped, expected.skipped);
    let delivery_failed = summary.errors.get(&Code::DeliveryFailed).copied();
    assert_eq!(delivery_failed.unwrap_or(0), refused_count);
    let reasons = fleet.reasons();
    assert_eq!(reasons.len() as u64, counts.rejected);
    for id in refused {
        // The ids count the rows.
        let reason = &reasons[&id.cast_unsigned()];
        assert!(
            reason.starts_with("the destination refused the row"),
            "{reason}"
        );
        assert!(fleet.rejects().contains(&format!("\n{id},")), "the cells");
    }
    assert!(
        fleet.delivered().is_empty(),
        "no parts beside the destination"
    );
}

#[tokio::test]
async fn every_row_is_delivered_or_rejected() {
    let text = rows(60);
    let expected = sequential(&text, DEFINITION);
    for refused in [vec![], vec![0], vec![4, 5, 6], vec![11, 12, 53, 55]] {
        let fleet = fleet(&text, RETRIES);
        for id in &refused {
            fleet.sink.refuse(&format!("\"id\":{id},"), u32::MAX);
        }
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed);
        assert_accounted_for(&fleet, &summary, &expected, &refused);
        assert_eq!(summary.output, "dynamodb://people");
    }
}

/// A worker that is killed at any call, in the middle of a delivery too: its batch is delivered once
/// more under the next claim, to the same rows.
#[tokio::test]
async fn a_crash_at_any_call_loses_nothing_and_doubles_nothing() {
    let text = rows(40);
    let expected = sequential(&text, DEFINITION);
    let mut again = 0;
    for call in 0.. {
        let fleet = fleet(&text, RETRIES);
        fleet.sink.refuse("\"id\":5,", u32::MAX);
        fleet.sink.refuse("\"id\":21,", u32::MAX);
        fleet.crash_at(call);
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed, "crash at call {call}");
        assert_accounted_for(&fleet, &summary, &expected, &[5, 21]);
        let mut offered = BTreeMap::new();
        for record in fleet.sink.calls().into_iter().flatten() {
            *offered.entry(record).or_insert(0) += 1;
        }
        // A good record that no bad one stood beside.
        again += u32::from(offered[&33] > 1);
        if !fleet.has_crashed() {
            assert_eq!(offered[&33], 1);
            break;
        }
    }
    assert!(again > 3, "only {again} crashes fell into a delivery");
}

/// The destination refuses a row of a batch whose worker then dies, and takes it from the next: the
/// rejects of the dead one are not merged. And the other way round.
#[tokio::test]
async fn the_rejects_are_those_of_the_claim_that_completed() {
    let text = rows(40);
    let expected = sequential(&text, DEFINITION);
    let mut changed = 0;
    for call in 0.. {
        let fleet = fleet(&text, NO_RETRIES);
        // One refusal is of the call, the next of its left part, the third of the record alone.
        fleet.sink.limit(1);
        fleet.sink.refuse("\"id\":5,", 1);
        fleet.crash_at(call);
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed, "crash at call {call}");
        let is_refused = summary.errors.contains_key(&Code::DeliveryFailed);
        let refused: &[i64] = if is_refused { &[5] } else { &[] };
        assert_accounted_for(&fleet, &summary, &expected, refused);
        changed += u32::from(!is_refused);
        if !fleet.has_crashed() {
            break;
        }
    }
    assert!(
        changed > 3,
        "only {changed} crashes fell between refusal and completion"
    );
}

/// Whatever is the destination's trouble becomes nobody's reject, however long it lasts; no attempt
/// counts, so no batch is given up.
#[tokio::test]
async fn trouble_of_the_destination_is_never_a_reject() {
    let text = rows(40);
    let expected = sequential(&text, DEFINITION);
    for fault in [
        SinkFault::Overloaded(None),
        SinkFault::Overloaded(Some(3_600_000)),
        SinkFault::Unavailable,
        SinkFault::LeftOver(usize::MAX),
    ] {
        let fleet = fleet(&text, RETRIES);
        fleet.sink.fail_always(Some(fault));
        fleet.upload().await;
        for _ in 0..300 {
            assert!(fleet.deliver_next().await, "the job is not over");
        }
        assert_eq!(fleet.delivered_one_by_one(), Vec::<Value>::new());
        fleet.sink.fail_always(None);
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed, "{fault:?}");
        assert_eq!(summary.failed_batches, []);
        assert_accounted_for(&fleet, &summary, &expected, &[]);
    }
}

/// A destination that every other call finds overloaded or cut off.
#[tokio::test]
async fn a_shaky_destination_gets_every_row() {
    let text = rows(60);
    let fleet = fleet(&text, RETRIES);
    let faults = [
        SinkFault::Overloaded(None),
        SinkFault::None,
        SinkFault::ResponseLost,
        SinkFault::None,
        SinkFault::LeftOver(1),
        SinkFault::Unavailable,
    ];
    fleet.sink.refuse("\"id\":11,", u32::MAX);
    fleet.sink.fail_next(faults.into_iter().cycle().take(60));
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Completed);
    assert_accounted_for(&fleet, &summary, &sequential(&text, DEFINITION), &[11]);
}

/// A batch whose every row is refused ends at its first claim.
#[tokio::test]
async fn a_batch_of_poison_does_not_loop() {
    let text = rows(30);
    let expected = sequential(&text, DEFINITION);
    let fleet = fleet(&text, RETRIES);
    fleet.sink.refuse("id", u32::MAX);
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Completed);
    assert_eq!(summary.failed_batches, []);
    let refused: Vec<i64> = expected
        .accepted
        .iter()
        .map(|row| row["id"].as_i64().unwrap())
        .collect();
    assert_accounted_for(&fleet, &summary, &expected, &refused);
    let calls = fleet.sink.calls().len();
    // Two a row and one for each of two retries.
    assert!(calls <= 4 * refused.len(), "{calls}");
}

/// A batch whose delivery kills every worker is given up after its attempts, and the job goes on. Its
/// rejects say that the rows may have arrived.
#[tokio::test]
async fn a_batch_whose_workers_die_is_given_up() {
    let text = rows(30);
    let fleet = fleet(&text, RETRIES);
    fleet.deadly_row("\"id\":18,");
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Completed);
    assert_eq!(summary.failed_batches.len(), 1);
    assert_eq!(summary.failed_batches[0].first_record, 12);
    let counts = summary.counts;
    assert_eq!(
        (counts.records, counts.accepted, counts.skipped),
        (30, 10, 4)
    );
    let reasons = fleet.reasons();
    assert_eq!(reasons.len() as u64, counts.rejected);
    let doubt = "given up after 5 attempts that did not finish; the row may have reached";
    assert!(reasons[&13].contains(doubt), "{}", reasons[&13]);
    let arrived = fleet.sink.rows(&fleet.id());
    assert!(arrived.contains_key(&13) && !arrived.contains_key(&21));
}

/// A batch that no invocation has the time for counts an attempt each time, and is given up: it does
/// not loop.
#[tokio::test]
async fn a_batch_that_no_invocation_finishes_is_given_up() {
    let text = rows(30);
    let fleet = fleet(&text, RETRIES);
    fleet.sink.limit(1);
    fleet.slow_sink(6_000);
    fleet.limit_time(Some(30_000));
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Completed);
    // The last batch is short enough.
    assert_eq!(summary.failed_batches.len(), 2);
    let counts = summary.counts;
    assert_eq!((counts.records, counts.skipped), (30, 4));
    assert_eq!(counts.rejected + counts.accepted, 26);
    let reasons = fleet.reasons();
    assert_eq!(reasons.len() as u64, counts.rejected);
    let doubt = "given up after 5 attempts that did not finish; the row may have reached";
    assert!(reasons[&0].contains(doubt), "{}", reasons[&0]);
}

/// Aborted after a crash at any call: what is counted as accepted is in the destination, and what is
/// there beyond lies in the batches that the summary names.
#[tokio::test]
async fn an_abort_at_any_moment_leaves_a_right_summary() {
    let text = rows(40);
    let (mut aborted, mut uncounted) = (0, 0);
    for call in 0.. {
        let fleet = fleet(&text, RETRIES);
        fleet.sink.refuse("\"id\":5,", u32::MAX);
        fleet.crash_at(call);
        fleet.upload().await;
        for _ in 0..3 {
            fleet.deliver_next().await;
        }
        if !fleet.has_crashed() {
            break;
        }
        aborted += u32::from(fleet.abort().await == JobStatus::Aborted);
        let summary = fleet.run().await;
        let counts = &summary.counts;
        assert_eq!(
            counts.records,
            counts.accepted + counts.rejected + counts.skipped
        );
        assert_eq!(fleet.reasons().len() as u64, counts.rejected, "call {call}");
        let is_uncounted = |record: &u64| {
            let mut batches = summary.uncounted_batches.iter();
            batches.any(|one| (one.first_record..one.first_record + one.records).contains(record))
        };
        let rows = fleet.sink.rows(&fleet.id());
        let (beyond, counted): (Vec<u64>, Vec<u64>) = rows.into_keys().partition(is_uncounted);
        assert_eq!(counts.accepted, counted.len() as u64, "call {call}");
        uncounted += beyond.len();
    }
    assert!(aborted > 20, "only {aborted} aborts came in time");
    assert!(uncounted > 0, "no crash fell into a delivery");
}
