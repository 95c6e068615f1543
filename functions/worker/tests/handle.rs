//! The handler over ports in memory: what it answers decides which messages come again.

use std::sync::Arc;

use batchfleet_aws::{Settings, SystemClock, SystemIds};
use batchfleet_core::job::JobStatus;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{NoSinks, Store, Unobserved};
use batchfleet_core::prepare::{Preparer, S3_WINDOW_BYTES};
use batchfleet_core::source::SourceRef;
use batchfleet_core::work::{Pace, PlanCache, Worker};
use batchfleet_testing::{
    MemoryDefinitions, MemoryQueue, MemoryResults, MemorySource, MemoryStore,
};
use batchfleet_worker::{Context, handle};
use serde_json::{Value, json};

struct World {
    context: Context,
    store: Arc<MemoryStore>,
    source: Arc<MemorySource>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(SystemClock);
        let store = Arc::new(MemoryStore::new());
        let source = Arc::new(MemorySource::versioned());
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
                results: Arc::new(MemoryResults::new()),
                sinks: Arc::new(NoSinks),
                queue: Arc::new(MemoryQueue::new(clock.clone())),
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
            definitions: Arc::new(definitions),
            results: worker.results.clone(),
            queue: worker.queue.clone(),
            clock: worker.clock.clone(),
            ids: worker.ids.clone(),
            policy: self.context.settings.policy(),
            batch_records: None,
            window_bytes: S3_WINDOW_BYTES,
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
