//! Jobs, plans and completions to test with, and races between many tasks.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use batchfleet_core::PortResult;
use batchfleet_core::batch::{BatchItem, BatchKey, Completion, Lease, Publication, Shard, Written};
use batchfleet_core::checksum::FileSum;
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{
    CodeCounts, Counts, Job, Layout, NewJob, PlanTotals, Policy, PreparerHold, Reason, ReasonCode,
};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{
    ClaimOutcome, CreateOutcome, Held, PreparerOutcome, ShardView, Store,
};
use batchfleet_core::source::SourceRef;
use batchfleet_definition::Code;
use batchfleet_grammar::{BatchRange, Dialect, Position};
use tokio::sync::Barrier;

use crate::random::mixed;

/// The time at which tests begin.
pub(super) const NOW: u64 = 1_700_000_000_000;
/// How long their leases last.
pub(super) const LEASE: u64 = 60_000;
/// How many tasks take part in a race.
pub(super) const RACERS: usize = 64;

/// A number that no other test drew, in this run or any other.
pub(super) fn unique() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    // The standard library seeds its hash maps at random: enough to keep two runs apart.
    let seed = *SEED.get_or_init(|| RandomState::new().hash_one(std::process::id()));
    mixed(seed, DRAWN.fetch_add(1, Ordering::SeqCst))
}

pub(super) fn owner() -> OwnerId {
    OwnerId::from_random(unique())
}

/// A job that no other test has.
#[must_use]
pub fn new_job() -> NewJob {
    let source = SourceRef {
        bucket: "uploads".into(),
        key: format!("incoming/people/{:016x}.csv", unique()),
        version: None,
        etag: "0123456789abcdef".into(),
        sequencer: Some("0055AED6DCD90281E5".into()),
        size: 1_000_000,
        attempt: 0,
        redrive: None,
    };
    NewJob {
        id: source.job_id(),
        source,
        definition_name: "people".into(),
        definition_text: "fields: {}".into(),
        policy: Policy::default(),
        created_ms: NOW,
    }
}

/// A job that was just created.
pub(super) async fn created(store: &dyn Store) -> JobId {
    let job = new_job();
    let outcome = store.create(&job).await.expect("create");
    assert_eq!(outcome, CreateOutcome::Created);
    job.id
}

pub(super) fn layout() -> Layout {
    Layout {
        dialect: Dialect::new(b',', Some(b'"')),
        header: vec!["id".into(), "name".into()],
        data: Position {
            offset: 8,
            record: 0,
            line: 2,
        },
        spool: None,
    }
}

/// Batches `from..from + count` of a job whose batches are all alike.
pub(super) fn page(from: u64, count: u64) -> PlanPage {
    let range = |index| BatchRange {
        index,
        start: 8 + index * 1_000,
        end: 8 + (index + 1) * 1_000,
        first_record: index * 10,
        records: 10,
        first_line: 2 + index * 11,
        oversize: false,
        footer: 0,
    };
    PlanPage {
        ranges: (from..from + count).map(range).collect(),
    }
}

pub(super) fn publication(published: u32, sealed: bool) -> Publication {
    Publication {
        published,
        start: 8,
        end: 8 + u64::from(published) * 1_000,
        sealed,
    }
}

/// The publication of shard `shard` of a job whose shards each have `batches` batches.
pub(super) fn shard_publication(shard: u32, batches: u32) -> Publication {
    let bytes = u64::from(batches) * 1_000;
    Publication {
        published: batches,
        start: 8 + u64::from(shard) * bytes,
        end: 8 + u64::from(shard + 1) * bytes,
        sealed: true,
    }
}

/// A created job with one sealed shard of `batches` batches.
pub(super) async fn published(store: &dyn Store, batches: u32) -> JobId {
    let job = created(store).await;
    let publication = publication(batches, true);
    store.publish(&job, 0, &publication).await.expect("publish");
    job
}

pub(super) fn totals(shards: u32, batches: u64) -> PlanTotals {
    PlanTotals {
        shards,
        batches,
        records: batches * 10,
        data_start: 8,
        data_end: 8 + batches * 1_000,
        prepared_ms: NOW + 5,
        ..PlanTotals::default()
    }
}

/// A job whose planning is complete, with `shards` sealed shards of `batches` batches each.
pub(super) async fn planned(store: &dyn Store, shards: u32, batches: u32) -> JobId {
    let job = created(store).await;
    let hold = prepare(store, &job).await;
    for shard in 0..shards {
        let publication = shard_publication(shard, batches);
        store
            .publish(&job, shard, &publication)
            .await
            .expect("publish");
    }
    let totals = totals(shards, u64::from(shards) * u64::from(batches));
    let marked = store.mark_prepared(&hold, &totals).await;
    assert_eq!(marked.expect("mark prepared"), Held::Kept);
    job
}

/// Takes the planning of a job at [`NOW`].
pub(super) async fn prepare(store: &dyn Store, job: &JobId) -> PreparerHold {
    let taken = store.take_preparer(job, &owner(), NOW, NOW + LEASE).await;
    match taken.expect("take preparer") {
        PreparerOutcome::Granted(hold, _) => hold,
        other => panic!("{other:?}"),
    }
}

pub(super) fn key(job: &JobId, slot: u32) -> BatchKey {
    BatchKey {
        job: job.clone(),
        shard: 0,
        slot,
    }
}

/// Claims a batch that must be claimable.
pub(super) async fn claim(store: &dyn Store, key: &BatchKey, now_ms: u64) -> Lease {
    let claimed = store.claim(key, &owner(), now_ms, now_ms + LEASE).await;
    match claimed.expect("claim") {
        ClaimOutcome::Claimed(lease) => lease,
        other => panic!("{other:?}"),
    }
}

pub(super) fn counts(records: u64) -> Counts {
    Counts {
        records,
        accepted: records,
        rejected: 0,
        skipped: 0,
    }
}

/// The completion of a batch of 10 good records.
pub(super) fn completion() -> Completion {
    Completion {
        failed: false,
        counts: counts(10),
        bytes: 1_000,
        codes: CodeCounts::new(),
        warned: 3,
        warnings: CodeCounts::from([(Code::Length, 3)]),
        written: Some(Written {
            part: Some(FileSum::of(b"part")),
        }),
    }
}

pub(super) fn reason() -> Reason {
    Reason {
        code: ReasonCode::BadHeader,
        message: "the column “größe” is missing; add it or drop it from the definition".into(),
    }
}

pub(super) async fn job(store: &dyn Store, id: &JobId) -> Job {
    store.job(id).await.expect("job").expect("the job exists")
}

pub(super) async fn shard(store: &dyn Store, job: &JobId, shard: u32) -> Shard {
    sweep(store, job, shard).await.shard
}

pub(super) async fn sweep(store: &dyn Store, job: &JobId, shard: u32) -> ShardView {
    let view = store.sweep(job, shard).await.expect("sweep");
    view.expect("the shard is published")
}

/// One batch as it is stored; pending where it was never claimed.
pub(super) async fn batch(store: &dyn Store, key: &BatchKey) -> BatchItem {
    let view = sweep(store, &key.job, key.shard).await;
    view.batches.get(&key.slot).cloned().unwrap_or_default()
}

/// Runs `racer` in [`RACERS`] tasks that begin at once, and answers what each of them came to.
pub(super) async fn race<F, T>(racer: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let start = Arc::new(Barrier::new(RACERS));
    let mut tasks = Vec::new();
    for number in 0..RACERS {
        let (start, run) = (Arc::clone(&start), racer(number));
        tasks.push(tokio::spawn(async move {
            start.wait().await;
            run.await
        }));
    }
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("the racer came through"));
    }
    results
}

/// Makes a call again while its response is lost, as callers do.
pub(super) async fn persist<T, F>(call: impl Fn() -> F) -> T
where
    F: Future<Output = PortResult<T>>,
{
    const CALLS_MAX: u32 = 1_000;
    for _ in 0..CALLS_MAX {
        match call().await {
            Ok(answer) => return answer,
            Err(error) if error.is_retryable() => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("{CALLS_MAX} calls in a row failed");
}
