
use std::sync::Arc;
use batchfleet_aws::{Adapters, Clients, Settings, SystemClock, SystemIds};
use batchfleet_core::message::Message;
use batchfleet_core::ports::Store;
use batchfleet_core::prepare::{Preparer, S3_WINDOW_BYTES};
use batchfleet_core::source::SourceRef;
use batchfleet_worker::{Context, handle};
#[tokio::test(flavor = "multi_thread")]
async fn e2e() {
    tracing_subscriber::fmt().json().flatten_event(true).without_time().init();
    let clients = Clients::from_environment().await;
    let settings = Settings::from_env(|n| std::env::var(n).ok()).unwrap();
    for b in [&settings.upload_bucket, &settings.results_bucket] { let _ = clients.s3.create_bucket().bucket(b).send().await; }
    let mut csv = String::from("email,name,age,signup_date,role\n");
    for i in 0..100_000 { csv.push_str(&format!("user{i}@example.com,Name {i},{},2026-01-02,\n", if i % 1000 == 0 { "x".to_owned() } else { (i % 90).to_string() })); }
    let size = csv.len() as u64;
    clients.s3.put_object().bucket(&settings.upload_bucket).key("definitions/people.yaml").body(include_bytes!("../../../examples/people.yaml").to_vec().into()).send().await.unwrap();
    let put = clients.s3.put_object().bucket(&settings.upload_bucket).key("incoming/people/big.csv").body(csv.into_bytes().into()).send().await.unwrap();
    let source = SourceRef { bucket: settings.upload_bucket.clone(), key: "incoming/people/big.csv".into(), version: None, etag: put.e_tag.unwrap().trim_matches('"').into(), sequencer: Some(std::process::id().to_string()), size, attempt: 0 };
    let a = Adapters::new(clients.clone(), &settings);
    let m = a.store.metering();
    let p = Preparer { store: a.store.clone(), source: a.source, definitions: a.definitions, results: a.results, queue: a.queue, clock: Arc::new(SystemClock), ids: Arc::new(SystemIds), policy: settings.policy(), batch_records: None, window_bytes: S3_WINDOW_BYTES };
    let t = std::time::Instant::now();
    println!("{:?} {:?}", p.prepare(&source, None).await.unwrap(), t.elapsed());
    m.take().unwrap().log();
    let context = Context::new(clients.clone(), settings);
    let body = Message::Work { job: source.job_id(), shard: 0 }.encode();
    let event = serde_json::json!({ "Records": [{ "messageId": "m", "eventSource": "aws:sqs", "body": body }] });
    let t = std::time::Instant::now();
    println!("{:?} {:?}", handle(event, 1, &context).await.unwrap(), t.elapsed());
    println!("{:?}", a.store.job(&source.job_id()).await.unwrap());
    let l = clients.s3.list_objects_v2().bucket(&context.settings.results_bucket).prefix(format!("jobs/{}/", source.job_id())).send().await.unwrap();
    for o in l.contents() { println!("{:?} {:?}", o.key(), o.size()); }
}
