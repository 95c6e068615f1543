//! `on_error` and `tolerated_failures`: a job fails exactly where more rows are rejected than its
//! definition bears, soon, and accounts for what was done.

use batchfleet_core::job::{JobStatus, ReasonCode};
use batchfleet_core::report::Summary;

use crate::fleet::{Fleet, sequential};
use crate::{DEFINITION, rows, small};

const ROWS: usize = 70;

async fn run_under(policy: &str) -> (Fleet, Summary) {
    let definition = format!("{DEFINITION}{policy}\n");
    let fleet = Fleet::new(&rows(ROWS), &definition, small());
    fleet.upload().await;
    let summary = fleet.run().await;
    (fleet, summary)
}

/// What was counted as accepted is what was delivered, and no more.
fn assert_accounted(fleet: &Fleet, summary: &Summary) {
    let counts = &summary.counts;
    let sum = counts.accepted + counts.rejected + counts.skipped;
    assert_eq!(counts.records, sum);
    let delivered = fleet.delivered_but(&summary.uncounted_parts);
    assert_eq!(counts.accepted, delivered.len() as u64);
    let expected = sequential(&rows(ROWS), DEFINITION).accepted;
    assert!(delivered.iter().all(|row| expected.contains(row)));
}

#[tokio::test]
async fn the_bound_is_exact() {
    let rejected = sequential(&rows(ROWS), DEFINITION).rejected;
    assert_eq!(rejected, 20);
    for (policy, status) in [
        ("on_error: continue".to_owned(), JobStatus::Completed),
        (
            "tolerated_failures: {count: 20}".to_owned(),
            JobStatus::Completed,
        ),
        (
            "tolerated_failures: {count: 19}".to_owned(),
            JobStatus::Failed,
        ),
        // 20 of 70 are 28.5714 %.
        (
            "tolerated_failures: {percent: 28.58}".to_owned(),
            JobStatus::Completed,
        ),
        (
            "tolerated_failures: {percent: 28.57}".to_owned(),
            JobStatus::Failed,
        ),
        (
            "tolerated_failures: {percent: 100}".to_owned(),
            JobStatus::Completed,
        ),
        (
            "tolerated_failures: {count: 20, percent: 28}".to_owned(),
            JobStatus::Failed,
        ),
        ("on_error: stop".to_owned(), JobStatus::Failed),
        (
            "on_error: stop\ntolerated_failures: {count: 20}".to_owned(),
            JobStatus::Completed,
        ),
    ] {
        let (fleet, summary) = Box::pin(run_under(&policy)).await;
        assert_eq!(summary.status, status, "{policy}");
        let code = summary.reason.as_ref().map(|reason| reason.code);
        let expected = (status == JobStatus::Failed).then_some(ReasonCode::TooManyRejects);
        assert_eq!(code, expected, "{policy}");
        assert_accounted(&fleet, &summary);
    }
}

#[tokio::test]
async fn the_first_reject_stops_the_claiming() {
    let (_, summary) = Box::pin(run_under("on_error: stop")).await;
    assert!(summary.counts.rejected >= 1);
    assert_eq!(summary.batches, 1, "the first batch has a bad row");
    let reason = summary.reason.expect("a reason").message;
    assert!(reason.contains("tolerates none"), "{reason}");
}

/// No worker alone found too many.
#[tokio::test]
async fn the_workers_count_together() {
    let definition = format!("{DEFINITION}tolerated_failures: {{count: 9}}\n");
    let fleet = Fleet::new(&rows(ROWS), &definition, small());
    fleet.upload().await;
    // Each gets to one batch or two, and hands over: a batch has two rejects at most.
    fleet.let_time_pass(1_000);
    fleet.limit_time(Some(40_000));
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Failed);
    assert!(
        (10..=15).contains(&summary.counts.rejected),
        "{:?}",
        summary.counts
    );
    assert_accounted(&fleet, &summary);
}

#[tokio::test]
async fn a_crash_at_any_call_changes_neither_outcome_nor_account() {
    for (policy, status) in [
        ("tolerated_failures: {count: 20}", JobStatus::Completed),
        ("tolerated_failures: {count: 12}", JobStatus::Failed),
    ] {
        for call in 0.. {
            let definition = format!("{DEFINITION}{policy}\n");
            let fleet = Fleet::new(&rows(ROWS), &definition, small());
            fleet.crash_at(call);
            fleet.upload().await;
            let summary = fleet.run().await;
            assert_eq!(summary.status, status, "crash at call {call}");
            assert_accounted(&fleet, &summary);
            if !fleet.has_crashed() {
                break;
            }
        }
    }
}
