//! Each sentence of `explain`, by the state that it tells of.

use std::collections::BTreeMap;

use batchfleet_core::batch::{BatchItem, BatchStatus, Completion, Shard};
use batchfleet_core::ids::OwnerId;
use batchfleet_core::job::{
    CodeCounts, Counts, Job, NewJob, PlanTotals, Policy, Reason, ReasonCode,
};
use batchfleet_core::ports::ShardView;
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::source::SourceRef;
use batchfleet_core::throttle::Throttle;
use batchfleet_core::watch::Watch;

use super::*;

const NOW: u64 = 1_800_000_000_000;

/// A job of `done` batches that are done, `free` that nobody claimed, and one for each of `held`,
/// whose holder was last heard of so many seconds ago.
fn look(status: JobStatus, done: u32, free: u32, held: &[u64]) -> Look {
    let source = SourceRef {
        bucket: "uploads".into(),
        key: "incoming/people/june.csv".into(),
        version: None,
        etag: "e".into(),
        sequencer: None,
        size: 100,
        attempt: 0,
        redrive: None,
    };
    let mut job = Job::new(&NewJob {
        id: source.job_id(),
        source,
        definition_name: "people".into(),
        definition_text: String::new(),
        policy: Policy::default(),
        created_ms: NOW - 120_000,
    });
    job.status = status;
    let batches = done + free + held.len() as u32;
    if status != JobStatus::Preparing {
        job.plan = Some(PlanTotals {
            batches: batches.into(),
            ..PlanTotals::default()
        });
    }
    let completion = Completion {
        failed: false,
        counts: Counts::default(),
        bytes: 1,
        codes: CodeCounts::new(),
        ..Completion::default()
    };
    let claimed = |until| BatchItem::default().claimed(&OwnerId::from_random(1), until);
    let is_done = (0..done).map(|_| claimed(NOW).completed(completion.clone()));
    let is_held = held
        .iter()
        .map(|seconds| claimed(NOW - seconds * 1_000 + job.policy.lease_ms));
    Look {
        shards: vec![ShardView {
            shard: Shard {
                published: batches,
                ..Shard::default()
            },
            batches: (0..)
                .zip(is_done.chain(is_held))
                .collect::<BTreeMap<_, _>>(),
        }],
        job,
        preparer: PreparerItem::default(),
        watch: None,
        workers: Workers::Functions,
        dead: None,
        now_ms: NOW,
    }
}

fn say(look: &Look) -> String {
    explain(look, None, |verb| format!("batchfleet {verb} JOB")).sentence
}

fn is_moving(look: &Look) -> bool {
    explain(look, None, str::to_owned).moving
}

#[test]
fn a_job_that_moves() {
    let fresh = look(JobStatus::Processing, 12, 25, &[1, 2, 45]);
    assert_eq!(say(&fresh), "moving: 12 of 40 batches done, 3 held");
    assert!(is_moving(&fresh));
    let between = look(JobStatus::Processing, 12, 28, &[]);
    let explained = explain(&between, Some(11), str::to_owned);
    assert_eq!(explained.sentence, "moving: 12 of 40 batches done, 0 held");
    assert!(!explain(&between, Some(12), str::to_owned).moving);
    assert_eq!(
        say(&look(JobStatus::Preparing, 2, 1, &[1])),
        "moving: 2 of 4 batches found so far done, 1 held; the file is still being planned"
    );
}

#[test]
fn batches_held_by_workers_that_are_gone() {
    let two = look(JobStatus::Processing, 12, 0, &[41, 50]);
    assert_eq!(
        say(&two),
        "2 batches are held by workers last seen 41 s ago; they become claimable in 10 s"
    );
    assert!(!is_moving(&two));
    assert_eq!(
        say(&look(JobStatus::Processing, 12, 0, &[41])),
        "1 batch is held by a worker last seen 41 s ago; it becomes claimable in 19 s"
    );
    let mut both = look(JobStatus::Processing, 0, 3, &[41]);
    both.workers = Workers::Running;
    assert_eq!(
        say(&both),
        "3 batches are claimable and nobody claims them: the run in this folder is at another job, or \
         only beginning; 1 batch is held by a worker last seen 41 s ago; it becomes claimable in 19 s"
    );
}

#[test]
fn batches_that_nobody_claims() {
    let mut free = look(JobStatus::Processing, 0, 12, &[]);
    assert_eq!(
        say(&free),
        "all 12 batches are claimable and nobody claims them: are workers running? (the sweeper \
         wakes the job)"
    );
    let watch = |due_ms| Some(Watch { token: 3, due_ms });
    free.watch = watch(NOW + 5_000);
    assert!(say(&free).ends_with("are workers running? (the watch looks after it in 5 s)"));
    free.watch = watch(NOW - 90_000);
    assert!(say(&free).ends_with("(the watch is 1 min 30 s late, and the sweeper sends another)"));
    // A lease that has ended is no hold.
    let expired = look(JobStatus::Processing, 3, 0, &[61]);
    assert!(say(&expired).starts_with("1 batch is claimable and nobody claims it: "));
    free.workers = Workers::None;
    assert_eq!(
        say(&free),
        "no run works in this folder: start the same `batchfleet run` again, and it goes on from 0 of \
         12 batches done"
    );
}

#[test]
fn a_job_that_is_paused() {
    let mut paused = look(JobStatus::Paused, 12, 28, &[]);
    assert_eq!(
        say(&paused),
        "the job is paused with 12 of 40 batches done; batchfleet resume JOB"
    );
    paused.job.paused_ms = Some(NOW - 185_000);
    assert_eq!(
        say(&paused),
        "the job has been paused for 3 min 5 s, with 12 of 40 batches done; batchfleet resume JOB"
    );
    paused.workers = Workers::None;
    assert!(say(&paused).ends_with("start the same `batchfleet run` again as well"));
    let held = look(JobStatus::Paused, 12, 27, &[1]);
    assert!(say(&held).ends_with("; 1 batch is still held, by workers that let go within 2 s"));
    assert!(!is_moving(&held));
}

#[test]
fn a_job_that_is_planned() {
    let mut job = look(JobStatus::Preparing, 0, 0, &[]);
    assert!(say(&job).starts_with("nobody has begun to plan the job, created 2 min ago: "));
    job.preparer = PreparerItem {
        owner: Some(OwnerId::from_random(1)),
        fence: 1,
        lease_until_ms: NOW + 59_000,
        checkpoint: None,
    };
    assert_eq!(
        say(&job),
        "moving: the file is being planned, 0 batches so far"
    );
    assert!(is_moving(&job));
    job.preparer.lease_until_ms = NOW + 19_000;
    assert_eq!(
        say(&job),
        "the preparer has not reported for 41 s; its lease ends in 19 s"
    );
    job.preparer.lease_until_ms = NOW - 3_000;
    assert!(
        say(&job)
            .starts_with("the preparer was last heard of 1 min 3 s ago and its lease has ended")
    );
    job.preparer.lease_until_ms = 0;
    assert_eq!(
        say(&job),
        "the planning was handed over, and the next preparer has not begun"
    );
}

#[test]
fn a_job_about_to_be_closed() {
    let mut done = look(JobStatus::Processing, 4, 0, &[]);
    done.workers = Workers::Running;
    assert_eq!(
        say(&done),
        "all 4 batches are over, and the job is about to be closed"
    );
    assert!(is_moving(&done));
}

#[test]
fn a_job_that_is_over() {
    assert_eq!(
        say(&look(JobStatus::Completed, 4, 0, &[])),
        "the job is over: COMPLETED"
    );
    let mut failed = look(JobStatus::Failed, 0, 0, &[]);
    failed.job.reason = Some(Reason {
        code: ReasonCode::EmptyFile,
        message: "the file is empty".into(),
    });
    assert_eq!(say(&failed), "the job is over: FAILED, the file is empty");
}

#[test]
fn a_job_whose_report_is_owed() {
    let mut job = look(JobStatus::Aborted, 4, 0, &[10]);
    job.job.outbox = true;
    job.job.finished_ms = Some(NOW - 1_000);
    let said = |job: &Look| {
        let sentence = say(job);
        let begin = "the job is over (ABORTED); its report is not written yet: ";
        sentence.strip_prefix(begin).unwrap().to_owned()
    };
    assert_eq!(said(&job), "1 batch is still held, for 50 s at most");
    job.shards[0]
        .batches
        .retain(|_, item| item.status != BatchStatus::Leased);
    assert_eq!(
        said(&job),
        "whoever ended the job is at it, or others do it in 59 s"
    );
    job.job.finished_ms = Some(NOW - 61_000);
    assert_eq!(
        said(&job),
        "whoever ended the job is gone; the sweeper wakes the job"
    );
    job.workers = Workers::Running;
    assert_eq!(said(&job), "the run is about to write it");
    job.workers = Workers::None;
    assert!(said(&job).starts_with("no run works in this folder; "));
}

#[test]
fn a_job_whose_fleet_is_throttled() {
    let mut job = look(JobStatus::Processing, 12, 25, &[1, 2, 45]);
    job.job.throttle = Some(Throttle {
        workers: 12,
        since_ms: NOW - 1_000,
    });
    // The default lease is a minute: the number doubles every 2.5 s, to 24, to 48, to more than 50.
    assert_eq!(
        say(&job),
        "moving: 12 of 40 batches done, 3 held; throttled by a service: 12 of 50 workers run, all in 6 s"
    );
    assert!(is_moving(&job));
    job.now_ms = NOW + 6_500;
    assert!(!say(&job).contains("throttled"), "all run again");
    job.now_ms = NOW;
    job.job.status = JobStatus::Paused;
    assert!(!say(&job).contains("throttled"), "nobody is to run");
}

#[test]
fn a_job_with_messages_among_the_dead_letters() {
    let mut job = look(JobStatus::Processing, 0, 12, &[]);
    let mut dead = Dead {
        messages: 1,
        sent_ms: Some(NOW - 720_000),
        command: "batchfleet dlq drain --stack prod".into(),
    };
    job.dead = Some(dead.clone());
    assert!(say(&job).ends_with(
        "; 1 message of the job (sent 12 min ago) is among the dead letters; batchfleet dlq drain \
         --stack prod"
    ));
    assert!(!is_moving(&job));
    dead.messages = 3;
    job.dead = Some(dead.clone());
    assert!(say(&job).contains(
        "; 3 messages of the job (the oldest sent 12 min ago) are among the dead letters; batchfleet"
    ));
    dead.sent_ms = None;
    job.dead = Some(dead);
    assert!(say(&job).contains("; 3 messages of the job are among the dead letters; batchfleet"));
}
