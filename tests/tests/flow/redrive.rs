//! Redriving: what an ended job left undone or rejected is worked again, and nothing else is.

use batchfleet_core::job::{JobStatus, ReasonCode};
use batchfleet_core::prepare::Prepared;
use batchfleet_core::source::Redriven;
use serde_json::Value;

use crate::fleet::{Fleet, sequential};
use crate::{DEFINITION, rows, small};

/// Under this, a row whose age is a word is good.
const MENDED: &str =
    "fields:\n  - {name: id, type: integer, required: true}\n  - {name: name}\n  - {name: age}\n";

fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(|row| row["id"].as_i64());
    rows
}

/// Every good row was delivered once, by one attempt or another.
fn assert_once(deliveries: &[Vec<Value>], text: &str) {
    let delivered = sorted(deliveries.concat());
    assert_eq!(delivered, sorted(sequential(text, DEFINITION).accepted));
}

#[tokio::test]
async fn rejects_are_redriven_alone_under_the_mended_definition() {
    let text = rows(70);
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.upload().await;
    let first = fleet.run().await;
    let (delivered, rejected) = (fleet.delivered(), first.counts.rejected);
    assert_eq!(rejected, 20);

    fleet.define(MENDED);
    assert!(matches!(
        fleet.redrive(Redriven::Rejected).await,
        Ok(Prepared::Planned(_))
    ));
    let second = fleet.run().await;
    assert_eq!(second.status, JobStatus::Completed);
    let counts = second.counts;
    assert_eq!(
        (
            counts.records,
            counts.accepted,
            counts.rejected,
            counts.skipped
        ),
        (70, 10, 10, 50)
    );
    let mended = fleet.delivered();
    assert!(mended.iter().all(|row| row["age"] == "old"), "{mended:?}");
    assert!(mended.iter().all(|row| !delivered.contains(row)));
    assert!(fleet.rejects().contains("too,many,cells"));
    assert_eq!(
        second.source.redrive.map(|redrive| redrive.of),
        Some(first.job)
    );

    // What is still rejected is all that a third attempt looks at.
    fleet.redrive(Redriven::Rejected).await.unwrap();
    let third = fleet.run().await.counts;
    assert_eq!((third.accepted, third.rejected, third.skipped), (0, 10, 60));
}

#[tokio::test]
async fn a_batch_that_was_given_up_is_redriven() {
    let text = rows(30);
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.poison_byte(text.find("\n12,").map(|at| at as u64));
    fleet.upload().await;
    assert_eq!(fleet.run().await.failed_batches.len(), 1);
    let first = fleet.delivered();

    fleet.poison_byte(None);
    fleet.redrive(Redriven::Failed).await.unwrap();
    let second = fleet.run().await;
    assert_eq!(
        (second.status, second.failed_batches.len()),
        (JobStatus::Completed, 0)
    );
    assert!(second.counts.skipped >= 27, "{:?}", second.counts);
    assert_once(&[first, fleet.delivered()], &text);
}

/// Its rows are rejects as well.
#[tokio::test]
async fn a_batch_that_was_given_up_is_redriven_with_the_rejects() {
    let text = rows(30);
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.poison_byte(text.find("\n12,").map(|at| at as u64));
    fleet.upload().await;
    let rejected = fleet.run().await.counts.rejected;
    let first = fleet.delivered();

    fleet.poison_byte(None);
    fleet.redrive(Redriven::Rejected).await.unwrap();
    let second = fleet.run().await.counts;
    // Given up unread, its blank row counted as one.
    assert_eq!(second.accepted + second.rejected, rejected - 1);
    let second = fleet.delivered();
    assert_once(&[first.clone(), second.clone()], &text);

    // They were delivered since: a redrive of failed batches finds nothing.
    fleet.redrive(Redriven::Failed).await.unwrap();
    let third = fleet.run().await.counts;
    assert_eq!((third.records, third.skipped), (30, 30));
}

/// However often it is aborted, what was not done is done by one attempt or another, once; and its
/// rejects are redriven by the end, once.
#[tokio::test]
async fn aborted_again_and_again_every_row_is_delivered_once() {
    let text = rows(70);
    let fleet = Fleet::new(&text, DEFINITION, small());
    let mut deliveries = Vec::new();
    let mut rejected = 0;
    fleet.let_time_pass(1_000);
    fleet.limit_time(Some(45_000));
    fleet.upload().await;
    let mut attempts = 0;
    loop {
        // The guard or the watch, and workers of a few batches each.
        for _ in 0..3 + attempts {
            fleet.deliver_next().await;
        }
        let status = fleet.abort().await;
        let summary = fleet.run().await;
        assert_eq!(summary.uncounted_parts, Vec::<String>::new());
        deliveries.push(fleet.delivered());
        rejected += summary.counts.rejected;
        attempts += 1;
        if status == JobStatus::Completed {
            break;
        }
        assert_eq!(status, JobStatus::Aborted);
        fleet.redrive(Redriven::Failed).await.unwrap();
    }
    assert!(attempts > 2, "{attempts} attempts");
    assert_once(&deliveries, &text);
    assert_eq!(rejected, sequential(&text, DEFINITION).rejected);
}

#[tokio::test]
async fn a_redrive_survives_a_crash_at_any_call() {
    let text = rows(40);
    let mut crashes = 0;
    for call in 0.. {
        let fleet = Fleet::new(&text, DEFINITION, small());
        fleet.let_time_pass(1_000);
        fleet.limit_time(Some(45_000));
        fleet.upload().await;
        fleet.deliver_next().await;
        assert_eq!(fleet.abort().await, JobStatus::Aborted);
        fleet.run().await;
        let first = fleet.delivered();
        assert!(!first.is_empty());
        fleet.let_time_pass(0);
        fleet.limit_time(None);
        fleet.crash_at(call);
        fleet.redrive(Redriven::Failed).await.unwrap();
        let second = fleet.run().await;
        assert_eq!(second.status, JobStatus::Completed, "crash at call {call}");
        assert_once(&[first, fleet.delivered()], &text);
        if !fleet.has_crashed() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 20, "only {crashes} calls to crash at");
}

#[tokio::test]
async fn what_can_not_be_redriven_is_said() {
    let fleet = Fleet::new(&rows(40), DEFINITION, small());
    fleet.upload().await;
    let open = fleet.redrive(Redriven::Failed).await.unwrap_err();
    assert!(
        open.contains("is PROCESSING: only a job that is over"),
        "{open}"
    );

    fleet.run().await;
    let first = fleet.redrive(Redriven::Rejected).await.unwrap();
    let again = fleet.redrive(Redriven::Rejected).await.unwrap();
    assert!(
        matches!((first, again), (Prepared::Planned(one), Prepared::AlreadyPrepared(other, _)) if one == other)
    );
    let other = fleet.redrive(Redriven::Failed).await.unwrap_err();
    assert!(other.contains("is PROCESSING"), "{other}");

    let unplanned = Fleet::new("name,age\nx,1\n", DEFINITION, small());
    unplanned.upload().await;
    let unplanned = unplanned.redrive(Redriven::Failed).await.unwrap_err();
    assert!(unplanned.contains("import the file again"), "{unplanned}");
}

#[tokio::test]
async fn a_changed_file_or_dialect_fails_a_redrive() {
    for (change, code) in [
        (0, ReasonCode::SourceChanged),
        (1, ReasonCode::BadDefinition),
    ] {
        let fleet = Fleet::new(&rows(40), DEFINITION, small());
        fleet.upload().await;
        fleet.run().await;
        if change == 0 {
            fleet.overwrite("id,name,age\n1,other,2\n");
        } else {
            fleet.define(&format!("dialect: {{delimiter: ';'}}\n{DEFINITION}"));
        }
        fleet.redrive(Redriven::Rejected).await.unwrap();
        let summary = fleet.run().await;
        assert_eq!(summary.reason.map(|reason| reason.code), Some(code));
        assert!(fleet.delivered().is_empty());
    }
}

/// The definition's name may be gone: then the attempt before says what a good row is.
#[tokio::test]
async fn without_its_definition_a_redrive_takes_that_of_the_attempt_before() {
    let fleet = Fleet::new(&rows(40), DEFINITION, small());
    fleet.upload().await;
    let first = fleet.run().await;
    fleet.forget_definition();
    fleet.redrive(Redriven::Rejected).await.unwrap();
    let second = fleet.run().await;
    assert_eq!(second.status, JobStatus::Completed);
    assert_eq!(second.definition, first.definition);
    assert_eq!(second.counts.rejected, first.counts.rejected);
}
