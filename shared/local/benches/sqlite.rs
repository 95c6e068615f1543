//! How many batches a second the SQLite store can hand out and take back: `cargo bench -p
//! batchfleet-local`. A run's workers share one store, so this bounds them all together.

use std::sync::Arc;

use batchfleet_core::batch::{BatchKey, Completion, Publication};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{CodeCounts, Counts, NewJob, Policy};
use batchfleet_core::ports::{ClaimOutcome, Clock, CompleteOutcome, Store};
use batchfleet_core::source::SourceRef;
use batchfleet_local::{SqliteStore, SystemClock};

const SHARDS: u32 = 100;
const SHARD_BATCHES: u32 = 1_000;

#[expect(clippy::print_stdout, reason = "its output is the measurement")]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    for workers in [1, 2] {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("store.sqlite")).expect("a store");
        let (store, clock) = (Arc::new(store), SystemClock::new());
        let job = prepare(&*store).await;

        let begun = clock.now_ms();
        let mut tasks = Vec::new();
        for worker in 0..workers {
            tasks.push(tokio::spawn(work(
                Arc::clone(&store),
                job.clone(),
                worker,
                workers,
            )));
        }
        for task in tasks {
            task.await.expect("a worker");
        }
        let took = (clock.now_ms() - begun).max(1);
        let pairs = u64::from(SHARDS * SHARD_BATCHES);
        println!(
            "{workers} workers: {pairs} claims and completions in {took} ms: {} pairs/s",
            pairs * 1_000 / took
        );
    }
}

async fn prepare(store: &dyn Store) -> JobId {
    let source = SourceRef {
        bucket: "file".into(),
        key: "/data/people.csv".into(),
        version: None,
        etag: "1-2-3".into(),
        sequencer: None,
        size: 1,
        attempt: 0,
        redrive: None,
    };
    let job = NewJob {
        id: source.job_id(),
        source,
        definition_name: "people".into(),
        definition_text: "fields: {}".into(),
        policy: Policy::default(),
        created_ms: 1,
    };
    store.create(&job).await.expect("create");
    for shard in 0..SHARDS {
        let publication = Publication {
            published: SHARD_BATCHES,
            start: 0,
            end: 1,
            sealed: true,
        };
        store
            .publish(&job.id, shard, &publication)
            .await
            .expect("publish");
    }
    job.id
}

async fn work(store: Arc<SqliteStore>, job: JobId, worker: u32, workers: u32) {
    let owner = OwnerId::from_random(u64::from(worker));
    let done = Completion {
        failed: false,
        counts: Counts {
            records: 5_000,
            accepted: 4_990,
            rejected: 10,
            skipped: 0,
        },
        bytes: 400_000,
        codes: CodeCounts::new(),
        ..Completion::default()
    };
    for shard in (worker..SHARDS).step_by(workers as usize) {
        for slot in 0..SHARD_BATCHES {
            let key = BatchKey {
                job: job.clone(),
                shard,
                slot,
            };
            let claimed = store.claim(&key, &owner, 1, 60_000).await.expect("claim");
            let ClaimOutcome::Claimed(lease) = claimed else {
                panic!("{claimed:?}");
            };
            let outcome = store.complete(&lease, &done).await.expect("complete");
            assert_eq!(outcome, CompleteOutcome::Completed);
        }
    }
}
