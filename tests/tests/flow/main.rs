//! The whole flow over memory adapters: plan, claim, deliver, close; undisturbed, crashed at every
//! call, with lost responses, out of time, with a changed source, with a batch that kills workers.
//!
//! One thread and a clock that moves only when nothing is due: every run is the same.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod corpus;
mod decoding;
mod existing;
mod fleet;
mod footers;
mod one_by_one;
mod overload;
mod redrive;
mod reports;
mod tolerance;
mod unique;

use std::sync::Arc;

use batchfleet_core::job::{JobStatus, Policy, ReasonCode};
use batchfleet_core::ports::PauseOutcome;
use batchfleet_core::prepare::Prepared;
use batchfleet_core::sweep::Swept;
use batchfleet_testing::{LostResponses, MemoryStore};

use crate::fleet::{Fleet, sequential};

/// Rows with everything that makes boundaries hard, some of them bad.
fn rows(count: usize) -> String {
    let rows = (0..count).map(|row| match row % 7 {
        0 => format!("{row},\"a \"\"quoted\"\"\nname, here\",{row}\r\n"),
        1 => format!("{row},bad age,old\n"),
        2 => format!("{row},too,many,cells\n"),
        3 => "\n".to_owned(),
        _ => format!("{row},Zoë,{row}\n"),
    });
    std::iter::once("id,name,age\n".to_owned())
        .chain(rows)
        .collect()
}

const DEFINITION: &str = "fields:\n  - {name: id, type: integer, required: true}\n  - {name: name}\n  - {name: age, type: integer}\n";

fn small() -> Policy {
    Policy {
        batch_records_max: 3,
        shard_batches: 4,
        page_batches: 2,
        workers_max: 3,
        ..Policy::default()
    }
}

#[tokio::test]
async fn every_row_is_accounted_for_at_any_cut() {
    for count in [0, 1, 2, 3, 7, 40, 100] {
        let text = rows(count);
        for (records, shard, page) in [(1, 2, 1), (3, 4, 2), (7, 1_000, 25), (1_000, 1_000, 25)] {
            let policy = Policy {
                batch_records_max: records,
                shard_batches: shard,
                page_batches: page,
                ..small()
            };
            let fleet = Fleet::new(&text, DEFINITION, policy);
            fleet.upload().await;
            let summary = fleet.run().await;
            assert_eq!(summary.status, JobStatus::Completed);
            fleet.assert_delivered(&summary, &sequential(&text, DEFINITION));
        }
    }
}

#[tokio::test]
async fn a_file_with_only_a_header_completes_at_once_with_nothing() {
    let fleet = Fleet::new("id,name,age\n", DEFINITION, small());
    assert!(matches!(
        fleet.upload().await,
        Prepared::Ended(_, JobStatus::Completed)
    ));
    let summary = fleet.run().await;
    assert_eq!((summary.counts.records, summary.batches), (0, 0));
    assert_eq!(
        fleet.rejects(),
        "id,name,age,_record,_line,_errors,_codes\n"
    );
}

#[tokio::test]
async fn five_events_are_one_job() {
    let text = rows(50);
    let fleet = Fleet::new(&text, DEFINITION, small());
    for _ in 0..5 {
        fleet.upload().await;
    }
    let summary = fleet.run().await;
    fleet.assert_delivered(&summary, &sequential(&text, DEFINITION));
    assert_eq!(fleet.store.job_ids().len(), 1);
    assert!(matches!(
        fleet.upload().await,
        Prepared::AlreadyPrepared(_, JobStatus::Completed)
    ));
}

/// A process that dies at its nth call of any port, for every n, loses nothing and doubles nothing:
/// the message that was left behind, or the queue's redelivery, goes on.
#[tokio::test]
async fn a_crash_at_any_call_loses_nothing_and_doubles_nothing() {
    let text = rows(40);
    let expected = sequential(&text, DEFINITION);
    let mut crashes = 0;
    for call in 0.. {
        let fleet = Fleet::new(&text, DEFINITION, small());
        fleet.crash_at(call);
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed, "crash at call {call}");
        fleet.assert_delivered(&summary, &expected);
        if !fleet.has_crashed() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 50, "only {crashes} calls to crash at");
}

#[tokio::test]
async fn lost_responses_lose_nothing_and_double_nothing() {
    let text = rows(60);
    let expected = sequential(&text, DEFINITION);
    for seed in 0..100 {
        let memory = Arc::new(MemoryStore::new());
        let lossy = Arc::new(LostResponses::new(Arc::clone(&memory), seed, 15));
        let fleet = Fleet::over(&text, DEFINITION, small(), memory, lossy);
        fleet.upload().await;
        let summary = fleet.run().await;
        assert_eq!(summary.status, JobStatus::Completed, "seed {seed}");
        fleet.assert_delivered(&summary, &expected);
    }
}

#[tokio::test]
async fn invocations_that_run_out_of_time_hand_over() {
    let text = rows(60);
    let mut deliveries = Vec::new();
    for limit_ms in [None, Some(5_000)] {
        let fleet = Fleet::new(&text, DEFINITION, small());
        fleet.let_time_pass(200);
        fleet.limit_time(limit_ms);
        fleet.upload().await;
        let mut count = 0;
        while fleet.deliver_next().await {
            count += 1;
        }
        deliveries.push(count);
        let summary = fleet.run().await;
        fleet.assert_delivered(&summary, &sequential(&text, DEFINITION));
    }
    let [unlimited, limited] = deliveries[..] else {
        panic!("two runs")
    };
    assert!(limited > unlimited, "{limited} and {unlimited}");
}

/// A job of which the watch alone is left goes on at once where that runs out of time, not a lease later
/// for each batch.
#[tokio::test]
async fn a_watch_that_runs_out_of_time_is_followed_at_once() {
    let text = rows(60);
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.upload().await;
    fleet.leave_the_watch_alone().await;
    fleet.let_time_pass(200);
    fleet.limit_time(Some(5_000));
    for round in 0..3 {
        assert!(fleet.deliver_next().await);
        assert_eq!(fleet.silence_ms(), Some(0), "{round}");
    }
    fleet.limit_time(None);
    let summary = fleet.run().await;
    fleet.assert_delivered(&summary, &sequential(&text, DEFINITION));
}

#[tokio::test]
async fn an_object_overwritten_under_its_job_fails_it_and_no_wrong_byte_is_read() {
    let text = rows(60);
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.upload().await;
    fleet.overwrite("id,name,age\n1,other,2\n");
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Failed);
    assert_eq!(
        summary.reason.as_ref().map(|reason| reason.code),
        Some(ReasonCode::SourceChanged)
    );
    assert!(!fleet.delivered().iter().any(|row| row["name"] == "other"));
}

/// Zombies: each batch's first worker dies after it claimed; its lease must run out.
#[tokio::test]
async fn a_batch_that_kills_every_worker_is_given_up_and_its_rows_are_rejects() {
    let text = rows(30);
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.poison_byte(text.find("\n12,").map(|at| at as u64));
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Completed);
    assert_eq!(summary.failed_batches.len(), 1);
    let failed = &summary.failed_batches[0];
    assert_eq!(failed.records, 3);
    assert_eq!(summary.counts.records, 30);
    let expected = sequential(&text, DEFINITION);
    let lost: Vec<_> = expected
        .accepted
        .iter()
        .filter(|row| !fleet.delivered().contains(row))
        .cloned()
        .collect();
    assert!(lost.len() as u64 <= failed.records);
    assert_eq!(
        fleet.delivered().len() + lost.len(),
        expected.accepted.len()
    );
}

#[tokio::test]
async fn what_cannot_begin_ends_with_its_reason_and_a_report() {
    for (text, definition, code) in [
        ("", DEFINITION, ReasonCode::EmptyFile),
        ("\n\n", DEFINITION, ReasonCode::EmptyFile),
        ("name,age\nx,1\n", DEFINITION, ReasonCode::BadHeader),
        (
            "id,name,age,Name\n1,2,3,4\n",
            DEFINITION,
            ReasonCode::BadHeader,
        ),
        ("\0\0\0\0\0\0\0\0", DEFINITION, ReasonCode::BadHeader),
        (
            "id,name,age\n1,2,3\n",
            "fields: [",
            ReasonCode::BadDefinition,
        ),
        (
            "id,name,age\n1,2,3\n",
            "fields: [{name: id, type: integr}]",
            ReasonCode::BadDefinition,
        ),
    ] {
        let fleet = Fleet::new(text, definition, small());
        assert!(
            matches!(fleet.upload().await, Prepared::Ended(_, JobStatus::Failed)),
            "{text:?}"
        );
        let summary = fleet.run().await;
        assert_eq!(
            summary.reason.as_ref().map(|reason| reason.code),
            Some(code),
            "{text:?}"
        );
        assert_eq!(summary.counts.records, 0);
    }
}

#[tokio::test]
async fn a_missing_definition_is_named() {
    let fleet = Fleet::without_definition("id\n1\n", small());
    fleet.upload().await;
    let reason = fleet.run().await.reason.expect("the job failed");
    assert_eq!(reason.code, ReasonCode::BadDefinition);
    assert!(
        reason.message.contains("definitions/people.yaml"),
        "{}",
        reason.message
    );
}

/// A record over the limit is one reject; the rows around it are delivered.
#[tokio::test]
async fn a_record_over_the_limit_is_one_reject() {
    let text = format!("{}900,{},1\n901,after,2\n", rows(10), "x".repeat(3 << 20));
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.upload().await;
    let summary = fleet.run().await;
    assert_eq!(summary.status, JobStatus::Completed);
    assert_eq!(summary.counts.records, 12);
    assert!(fleet.delivered().iter().any(|row| row["id"] == 901));
    assert!(
        fleet.rejects().contains("the record is 3145735 bytes long"),
        "{}",
        fleet.rejects()
    );
}

/// Aborted after a crash at any call, a job ends with a summary that is right: what it counts as
/// accepted is what was delivered, and nothing is delivered after it.
#[tokio::test]
async fn an_abort_at_any_moment_leaves_a_right_summary() {
    let text = rows(40);
    let expected = sequential(&text, DEFINITION).accepted;
    let (mut aborted, mut uncounted) = (0, 0);
    for call in 0.. {
        let fleet = Fleet::new(&text, DEFINITION, small());
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
        let delivered = fleet.delivered_but(&summary.uncounted_parts);
        assert_eq!(counts.accepted, delivered.len() as u64, "call {call}");
        assert!(delivered.iter().all(|row| expected.contains(row)));
        let rejects = fleet.rejects();
        let rejects = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(rejects.as_bytes())
            .into_records();
        assert_eq!(counts.rejected, rejects.count() as u64, "call {call}");
        uncounted += summary.uncounted_parts.len();
    }
    assert!(aborted > 20, "only {aborted} aborts came in time");
    assert!(
        uncounted > 0,
        "no crash fell between delivery and completion"
    );
}

#[tokio::test]
async fn a_paused_job_waits_and_goes_on() {
    let text = rows(40);
    let fleet = Fleet::new(&text, DEFINITION, small());
    fleet.upload().await;
    assert_eq!(fleet.set_paused(true).await, PauseOutcome::Done);
    for _ in 0..10 {
        fleet.deliver_next().await;
    }
    assert!(fleet.delivered().is_empty(), "a paused job is not worked");
    assert_eq!(fleet.set_paused(false).await, PauseOutcome::Done);
    let summary = fleet.run().await;
    fleet.assert_delivered(&summary, &sequential(&text, DEFINITION));
}

/// Whatever a job was at when its messages were lost, the sweeper wakes it, once.
#[tokio::test]
async fn a_job_that_lost_every_message_is_woken_by_the_sweeper() {
    let text = rows(40);
    let expected = sequential(&text, DEFINITION);
    let mut woken = 0;
    for call in 0.. {
        let fleet = Fleet::new(&text, DEFINITION, small());
        fleet.crash_at(call);
        fleet.upload_once().await;
        fleet.deliver_next().await;
        if !fleet.has_crashed() {
            break;
        }
        fleet.lose_all_messages();
        let early = fleet.sweep_after(1_000).await;
        assert_eq!(early.woken, 0, "its messages may still be on their way");
        let late = fleet.sweep_after(200_000).await;
        assert_eq!((late.woken, late.failed), (late.open, 0), "call {call}");
        woken += late.woken;
        if late.open == 1 {
            let summary = fleet.run().await;
            fleet.assert_delivered(&summary, &expected);
        }
        assert_eq!(fleet.sweep_after(200_000).await, Swept::default());
    }
    assert!(woken > 40, "only {woken} jobs were woken");
}
