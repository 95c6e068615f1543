//! The handler over ports in memory: what it answers decides what Lambda repeats.

use std::sync::Arc;

use async_trait::async_trait;
use batchfleet_aws::{Settings, SystemClock, SystemIds};
use batchfleet_core::job::JobStatus;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{Definitions, FoundDefinition, Store};
use batchfleet_core::prepare::{Preparer, S3_WINDOW_BYTES, UNIQUE_MEMORY_BYTES};
use batchfleet_core::report::{
    MANIFEST_FILE, Outcome, PartOf, REJECTS_FILE, Report, SUMMARY_FILE, output_part,
};
use batchfleet_core::source::{Route, SourceRef};
use batchfleet_core::{PortError, PortResult};
use batchfleet_orchestrator::{Context, Failure, handle};
use batchfleet_testing::{
    MemoryDefinitions, MemoryQueue, MemoryResults, MemorySource, MemorySpills, MemorySpool,
    MemoryStore,
};
use serde_json::{Value, json};

struct World {
    context: Context,
    store: Arc<MemoryStore>,
    source: Arc<MemorySource>,
    queue: Arc<MemoryQueue>,
}

/// Fails for now, always.
struct Throttled;

#[async_trait]
impl Definitions for Throttled {
    async fn definition(&self, _name: &str) -> PortResult<FoundDefinition> {
        Err(PortError::transient("read definition", "slow down"))
    }
}

fn world(definitions: Arc<dyn Definitions>) -> World {
    let clock = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::new());
    let source = Arc::new(MemorySource::versioned());
    let queue = Arc::new(MemoryQueue::new(clock.clone()));
    let settings = Settings::from_env(|name| {
        let required = ["TABLE", "RESULTS_BUCKET", "URL"];
        let is_required = required.iter().any(|end| name.ends_with(end));
        match name {
            "BATCHFLEET_UPLOAD_BUCKET" => Some("uploads".to_owned()),
            _ => is_required.then(|| "memory".to_owned()),
        }
    });
    let settings = settings.expect("settings");
    let context = Context {
        preparer: Preparer {
            store: store.clone(),
            source: source.clone(),
            spool: Arc::new(MemorySpool::new()),
            definitions,
            results: Arc::new(MemoryResults::new()),
            queue: queue.clone(),
            clock: clock.clone(),
            ids: Arc::new(SystemIds),
            policy: settings.policy(),
            batch_records: None,
            window_bytes: S3_WINDOW_BYTES,
            spills: Arc::new(MemorySpills::new()),
            unique_memory_bytes: UNIQUE_MEMORY_BYTES,
        },
        settings,
        clock,
        metering: Arc::default(),
    };
    World {
        context,
        store,
        source,
        queue,
    }
}

fn people() -> World {
    let definitions = MemoryDefinitions::new();
    definitions.insert("people", include_str!("../../../examples/people.yaml"));
    world(Arc::new(definitions))
}

impl World {
    fn upload(&self, key: &str) -> SourceRef {
        self.source
            .put("uploads", key, include_str!("../../../examples/people.csv"))
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        // 1970: what a runtime says that has no deadline.
        handle(event, 1, &self.context).await
    }

    async fn status(&self, source: &SourceRef) -> Option<JobStatus> {
        self.store
            .job(&source.job_id())
            .await
            .expect("read job")
            .map(|job| job.status)
    }
}

fn s3_event(sources: &[&SourceRef]) -> Value {
    let text = include_str!("../../../events/s3-put.json");
    let mut event: Value = serde_json::from_str(text).expect("JSON");
    let record = event["Records"][0].take();
    let records = sources.iter().map(|source| {
        let mut record = record.clone();
        record["s3"]["bucket"]["name"] = source.bucket.clone().into();
        record["s3"]["object"] = json!({
            "key": source.key,
            "size": source.size,
            "eTag": source.etag,
            "versionId": source.version,
            "sequencer": source.sequencer,
        });
        record
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

fn sqs_event(bodies: &[&str]) -> Value {
    let records = bodies.iter().enumerate().map(|(index, body)| {
        json!({ "messageId": format!("m{index}"), "eventSource": "aws:sqs", "body": body })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

fn failed(ids: &[&str]) -> Value {
    let failures = ids.iter().map(|id| json!({ "itemIdentifier": id }));
    json!({ "batchItemFailures": failures.collect::<Vec<_>>() })
}

#[tokio::test]
async fn an_upload_becomes_a_planned_job_and_a_second_event_changes_nothing() {
    let world = people();
    let source = world.upload("incoming/people/june.csv");
    for _ in 0..2 {
        world.handle(s3_event(&[&source])).await.unwrap();
        assert_eq!(world.status(&source).await, Some(JobStatus::Processing));
    }
    assert_eq!(world.store.job_ids().len(), 1);
    let woken = |sent: &batchfleet_testing::Sent| matches!(sent.message, Message::Work { .. });
    assert!(world.queue.sent().iter().any(woken));
}

#[tokio::test]
async fn every_record_of_an_event_is_handled() {
    let world = people();
    let sources = ["incoming/people/a.csv", "incoming/people/b.csv"].map(|key| world.upload(key));
    let marker = world.upload("incoming/people/");
    world
        .handle(s3_event(&[&sources[0], &marker, &sources[1]]))
        .await
        .unwrap();
    for source in &sources {
        assert_eq!(world.status(source).await, Some(JobStatus::Processing));
    }
    assert_eq!(world.status(&marker).await, None);
}

#[tokio::test]
async fn a_record_that_fails_makes_lambda_repeat_the_event_but_stops_no_other() {
    let world = people();
    let source = world.upload("incoming/people/june.csv");
    let mut event = s3_event(&[&source, &source]);
    event["Records"][0]["s3"]["object"]["key"] = Value::Null;
    let failure = world.handle(event).await.unwrap_err();
    assert!(
        matches!(
            failure,
            Failure::Uploads {
                failed: 1,
                records: 2
            }
        ),
        "{failure:?}"
    );
    assert_eq!(world.status(&source).await, Some(JobStatus::Processing));

    let world = self::world(Arc::new(Throttled));
    let source = world.upload("incoming/people/june.csv");
    let failure = world.handle(s3_event(&[&source])).await.unwrap_err();
    assert!(
        matches!(
            failure,
            Failure::Uploads {
                failed: 1,
                records: 1
            }
        ),
        "{failure:?}"
    );
}

#[tokio::test]
async fn messages_that_fail_are_named_and_only_they() {
    let world = people();
    let source = world.upload("incoming/people/june.csv");
    let prepare = Message::Prepare {
        source: source.clone(),
    }
    .encode();
    let work = Message::Work {
        job: source.job_id(),
        shard: 0,
        seat: 0,
    }
    .encode();
    let future = r#"{"v":2,"kind":"prepare"}"#;
    let event = sqs_event(&["not json", &prepare, future, &work]);
    assert_eq!(
        world.handle(event).await.unwrap(),
        failed(&["m0", "m2", "m3"])
    );
    assert_eq!(world.status(&source).await, Some(JobStatus::Processing));
    assert_eq!(
        world.handle(sqs_event(&[&prepare])).await.unwrap(),
        failed(&[])
    );
}

#[tokio::test]
async fn frozen_payloads_are_answered() {
    let world = people();
    let event = serde_json::from_str(include_str!("../../../events/s3-test-event.json")).unwrap();
    assert_eq!(world.handle(event).await.unwrap(), json!({}));
    for payload in [
        include_str!("../../../events/sqs-poison-body.json"),
        include_str!("../../../events/sqs-future-version.json"),
    ] {
        let event: Value = serde_json::from_str(payload).unwrap();
        let id = event["Records"][0]["messageId"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(world.handle(event).await.unwrap(), failed(&[&id]));
    }
    assert!(matches!(
        world.handle(json!({})).await,
        Err(Failure::Event(_))
    ));
}

/// Whoever may send to the queue, or invoke the function, can name any object; and somebody can set
/// up a notification in another bucket.
#[tokio::test]
async fn an_object_of_another_bucket_is_refused() {
    let world = people();
    let text = include_str!("../../../examples/people.csv");
    let source = world.source.put("others", "incoming/people/june.csv", text);
    let failure = world.handle(s3_event(&[&source])).await.unwrap_err();
    assert!(matches!(failure, Failure::Uploads { failed: 1, .. }));
    let body = Message::Prepare { source }.encode();
    assert_eq!(
        world.handle(sqs_event(&[&body])).await.unwrap(),
        failed(&["m0"])
    );
    assert_eq!(world.store.job_ids(), []);
}

/// Results lie under `jobs/`, in a bucket of their own. Even were they put where uploads go, no event
/// of one would start a job.
#[tokio::test]
async fn results_never_start_a_job() {
    let world = people();
    let source = world.upload("incoming/people/june.csv");
    world.handle(s3_event(&[&source])).await.unwrap();
    let job = source.job_id();
    let part_of = |outcome| PartOf { batch: 0, outcome };
    let (worked, given_up) = (part_of(Outcome::OfItsBytes), part_of(Outcome::GivenUp(1)));
    for name in [
        output_part(0),
        Report::Rejects.part(worked),
        Report::RejectsJson.part(given_up),
        Report::Warnings.part(worked),
        SUMMARY_FILE.to_owned(),
        MANIFEST_FILE.to_owned(),
        REJECTS_FILE.to_owned(),
    ] {
        let result = world.upload(&format!("jobs/{job}/{name}"));
        assert!(matches!(result.route(), Route::Ignored(_)), "{name}");
        world.handle(s3_event(&[&result])).await.unwrap();
    }
    assert_eq!(world.store.job_ids(), [job]);
}

#[tokio::test]
async fn forged_messages_are_given_up_and_harm_nothing() {
    let world = people();
    let source = world.upload("incoming/people/june.csv");
    let good: Value = serde_json::from_str(
        &Message::Prepare {
            source: source.clone(),
        }
        .encode(),
    )
    .unwrap();
    let with = |place: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(place).unwrap() = value;
        body.to_string()
    };
    let unread = [
        with("/v", json!(2)),
        with("/v", json!(u64::MAX)),
        with("/v", json!("1")),
        with("/kind", json!("delete")),
        with("/source", json!(null)),
        with("/source/size", json!(-1)),
        with("/source/size", json!(1e300)),
        with("/source/key", json!(["incoming/people/x"])),
        "[".repeat(100_000),
        format!("{{\"v\":1,\"kind\":\"{}\"}}", "x".repeat(1 << 20)),
        "\0".to_owned(),
        String::new(),
    ];
    for body in &unread {
        let answer = world.handle(sqs_event(&[body])).await.unwrap();
        assert_eq!(answer, failed(&["m0"]), "{}", &body[..body.len().min(200)]);
    }
    assert_eq!(world.store.job_ids(), [], "none of them made a job");

    // Those that read: they can name no version or size but the right one.
    for (number, place, value) in [
        (0, "/source/size", json!(u64::MAX)),
        (1, "/source/size", json!(1)),
        (2, "/source/version", json!("v0\r\nx-amz-acl: public-read")),
    ] {
        let source = world.upload(&format!("incoming/people/{number}.csv"));
        let mut body = json!({ "v": 1, "kind": "prepare", "source": source });
        *body.pointer_mut(place).unwrap() = value;
        let body = body.to_string();
        let Ok(Message::Prepare { source: forged }) = Message::decode(&body) else {
            panic!("{body}");
        };
        let answer = world.handle(sqs_event(&[&body])).await.unwrap();
        let ended = world.status(&forged).await;
        assert!(
            answer == failed(&["m0"]) || ended == Some(JobStatus::Failed),
            "{body}: {answer}, {ended:?}"
        );
    }
}

#[tokio::test]
async fn path_tricks_in_keys_lead_nowhere() {
    let world = people();
    let long = format!("incoming/{}/x.csv", "p".repeat(65));
    for encoded in [
        "incoming/../definitions/people.yaml",
        "incoming/./people/x.csv",
        "incoming//people/x.csv",
        "/incoming/people/x.csv",
        "incoming/%2e%2e/definitions/people.yaml",
        // Decoded once, as S3 encoded it, and never again.
        "incoming/%252e%252e/x.csv",
        "incoming%252Fpeople/x.csv",
        "incoming/..%5c..%5cpeople/x.csv",
        "incoming/people%00/x.csv",
        "incoming/%00people/x.csv",
        "incoming/people%0a/x.csv",
        "incoming/p%D0%B5ople/x.csv",
        "incoming/%EF%BD%90eople/x.csv",
        "incoming/.people/x.csv",
        "incoming/people;x/x.csv",
        "INCOMING/people/x.csv",
        &long,
    ] {
        let mut event = s3_event(&[&world.upload("incoming/people/june.csv")]);
        event["Records"][0]["s3"]["object"]["key"] = encoded.into();
        world.handle(event).await.unwrap();
        assert_eq!(world.store.job_ids(), [], "{encoded}");
    }
    // A key is opaque: what follows the definition's name is no path, and is read as it is.
    let odd = world.upload("incoming/people/../../\u{1b}[2J\n'\"%2e.csv");
    let mut event = s3_event(&[&odd]);
    event["Records"][0]["s3"]["object"]["key"] =
        "incoming/people/../../%1B%5B2J%0A%27%22%252e.csv".into();
    world.handle(event).await.unwrap();
    assert_eq!(world.status(&odd).await, Some(JobStatus::Processing));
}
