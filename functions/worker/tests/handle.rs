//! The handler over ports in memory: what it answers decides which messages come again.

use std::sync::Arc;

use batchfleet_aws::{Settings, SystemClock, SystemIds};
use batchfleet_core::job::JobStatus;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{NoLookups, NoSinks, PauseOutcome, Store, Unobserved};
use batchfleet_core::prepare::{Preparer, S3_WINDOW_BYTES, UNIQUE_MEMORY_BYTES};
use batchfleet_core::source::SourceRef;
use batchfleet_core::work::{Pace, PlanCache, Worker};
use batchfleet_testing::{
    MemoryDefinitions, MemoryQueue, MemoryResults, MemorySource, MemorySpills, MemorySpool,
    MemoryStore,
};
use batchfleet_worker::{Context, handle};
use serde_json::{Value, json};

struct World {
    context: Context,
    store: Arc<MemoryStore>,
    source: Arc<MemorySource>,
    queue: Arc<MemoryQueue>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(SystemClock);
        let store = Arc::new(MemoryStore::new());
        let source = Arc::new(MemorySource::versioned());
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let settings = Settings::from_env(|name| {
            let required = ["TABLE", "BUCKET", "URL"]
                .iter()
                .any(|end| name.ends_with(end));
            required.then(|| "memory".to_owned())
        });
        let context = Context {
            worker: Worker {
                store: store.clone(),
                source: source.clone(),
                spool: Arc::new(MemorySpool::new()),
                results: Arc::new(MemoryResults::new()),
                sinks: Arc::new(NoSinks),
                lookups: Arc::new(NoLookups),
                queue: queue.clone(),
                clock: clock.clone(),
                ids: Arc::new(SystemIds),
                observer: Arc::new(Unobserved),
                pace: Pace::default(),
                plans: PlanCache::default(),
            },
            settings: settings.expect("settings"),
            clock,
            metering: Arc::default(),
        };
        Self {
            context,
            store,
            source,
            queue,
        }
    }

    /// Uploads the example and plans its job.
    async fn planned(&self) -> SourceRef {
        let text = include_str!("../../../examples/people.csv");
        let source = self.source.put("uploads", "incoming/people/june.csv", text);
        let definitions = MemoryDefinitions::new();
        definitions.insert("people", include_str!("../../../examples/people.yaml"));
        let worker = &self.context.worker;
        let preparer = Preparer {
            store: worker.store.clone(),
            source: worker.source.clone(),
            spool: worker.spool.clone(),
            definitions: Arc::new(definitions),
            results: worker.results.clone(),
            queue: worker.queue.clone(),
            clock: worker.clock.clone(),
            ids: worker.ids.clone(),
            policy: self.context.settings.policy(),
            batch_records: None,
            window_bytes: S3_WINDOW_BYTES,
            spills: Arc::new(MemorySpills::new()),
            unique_memory_bytes: UNIQUE_MEMORY_BYTES,
        };
        preparer.prepare(&source, None).await.expect("prepare");
        source
    }

    async fn handle(&self, event: Value) -> Value {
        // 1970: what a runtime says that has no deadline.
        json!(handle(event, 1, &self.context).await.expect("an SQS event"))
    }
}

fn failed(ids: &[&str]) -> Value {
    let failures = ids.iter().map(|id| json!({ "itemIdentifier": id }));
    json!({ "batchItemFailures": failures.collect::<Vec<_>>() })
}

#[tokio::test]
async fn a_message_becomes_a_completed_job_and_its_second_delivery_changes_nothing() {
    let world = World::new();
    let source = world.planned().await;
    let body = Message::Work {
        job: source.job_id(),
        shard: 0,
        seat: 0,
    }
    .encode();
    let event =
        json!({ "Records": [{ "messageId": "m", "eventSource": "aws:sqs", "body": body }] });
    for _ in 0..2 {
        assert_eq!(world.handle(event.clone()).await, failed(&[]));
        let job = world.store.job(&source.job_id()).await.unwrap().unwrap();
        assert_eq!((job.status, job.outbox), (JobStatus::Completed, false));
    }
}

#[tokio::test]
async fn messages_that_fail_are_named_and_only_they() {
    let world = World::new();
    for (payload, bad) in [
        (include_str!("../../../events/sqs-work.json"), vec![]),
        (include_str!("../../../events/sqs-watch.json"), vec![]),
        (
            include_str!("../../../events/sqs-several-records.json"),
            vec![2],
        ),
        (
            include_str!("../../../events/sqs-poison-body.json"),
            vec![0],
        ),
        (
            include_str!("../../../events/sqs-future-version.json"),
            vec![0],
        ),
        // It is the orchestrator's, so somebody mixed up the queues.
        (include_str!("../../../events/sqs-prepare.json"), vec![0]),
    ] {
        let event: Value = serde_json::from_str(payload).unwrap();
        let id = |place: &usize| {
            event["Records"][*place]["messageId"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let ids: Vec<String> = bad.iter().map(id).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        assert_eq!(world.handle(event.clone()).await, failed(&ids), "{payload}");
    }
}

#[tokio::test]
async fn what_is_no_delivery_is_refused() {
    let world = World::new();
    for stranger in [json!({}), json!([]), json!(null), json!({ "Records": 1 })] {
        assert!(handle(stranger, 1, &world.context).await.is_err());
    }
}

#[tokio::test]
async fn forged_messages_are_given_up_and_harm_nothing() {
    let world = World::new();
    let source = world.planned().await;
    let job = source.job_id();
    let event = |body: &str| json!({ "Records": [{ "messageId": "m", "body": body }] });
    let long = "x".repeat(1 << 20);
    for body in [
        r#"{"v":1,"kind":"work","job":"../../../../../../../../etc/passw"}"#.to_owned(),
        r#"{"v":1,"kind":"work","job":7}"#.to_owned(),
        format!(
            r#"{{"v":1,"kind":"work","job":"{}"}}"#,
            job.as_str().to_uppercase()
        ),
        format!(r#"{{"v":1,"kind":"work","job":"{job}","shard":-1}}"#),
        format!(r#"{{"v":1,"kind":"work","job":"{job}","shard":4294967296}}"#),
        format!(r#"{{"v":1,"kind":"work","job":"{job}","shard":0.5}}"#),
        format!(r#"{{"v":1,"kind":"work","job":"{job}","then":"more"}}"#),
        format!(r#"{{"v":1,"kind":"watch","job":"{job}","token":-1}}"#),
        format!(r#"{{"v":1,"kind":"watch","job":"{job}","token":18446744073709551616}}"#),
        format!(r#"{{"v":2,"kind":"work","job":"{job}"}}"#),
        format!(r#"{{"v":-1,"kind":"work","job":"{job}"}}"#),
        format!(r#"{{"kind":"work","job":"{job}"}}"#),
        format!(r#"{{"v":1,"kind":"work","job":"{long}"}}"#),
        "[".repeat(100_000),
        "\0".to_owned(),
    ] {
        let shown = &body[..body.len().min(200)];
        assert_eq!(world.handle(event(&body)).await, failed(&["m"]), "{shown}");
    }
    let stored = world.store.job(&job).await.unwrap().unwrap();
    assert_eq!(stored.status, JobStatus::Processing);

    // A job that is not there; a shard that is not there; a token after which there is none.
    let stranger = "0123456789abcdef0123456789abcdef";
    for body in [
        format!(r#"{{"v":1,"kind":"work","job":"{stranger}","shard":4294967295}}"#),
        format!(r#"{{"v":1,"kind":"watch","job":"{stranger}","token":18446744073709551615}}"#),
        format!(r#"{{"v":1,"kind":"watch","job":"{job}","token":18446744073709551615}}"#),
        format!(r#"{{"v":1,"kind":"work","job":"{job}","shard":4294967295}}"#),
    ] {
        assert_eq!(world.handle(event(&body)).await, failed(&[]), "{body}");
    }
    let stored = world.store.job(&job).await.unwrap().unwrap();
    assert_eq!(stored.status, JobStatus::Completed);
}

/// The longest token still has a watch after it: the job is looked after until it is over.
#[tokio::test]
async fn a_forged_watch_does_not_end_the_watching() {
    let world = World::new();
    let source = world.planned().await;
    let job = source.job_id();
    let paused = world.store.set_paused(&job, true, 5_000).await.unwrap();
    assert_eq!(paused, PauseOutcome::Done);
    let watches = || {
        let is_watch =
            |sent: &batchfleet_testing::Sent| matches!(sent.message, Message::Watch { .. });
        world.queue.sent().into_iter().filter(is_watch).count()
    };
    let body = format!(r#"{{"v":1,"kind":"watch","job":"{job}","token":18446744073709551615}}"#);
    let event = json!({ "Records": [{ "messageId": "m", "body": body }] });
    for _ in 0..3 {
        let before = watches();
        assert_eq!(world.handle(event.clone()).await, failed(&[]));
        assert_eq!(watches(), before + 1);
    }
}
