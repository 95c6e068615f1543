//! `batchfleet upload`: puts a file where its definition's uploads go, follows the job that its
//! event starts, and prints the summary.

use std::process::ExitCode;
use std::sync::Arc;

use batchfleet_aws::dynamo::DynamoStore;
use batchfleet_aws::s3::{S3Results, upload_file};
use batchfleet_aws::{Clients, SystemClock};
use batchfleet_core::error::chain;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::{Counts, Job};
use batchfleet_core::ports::{Clock, Results, Store};
use batchfleet_core::report::{SUMMARY_FILE, Summary};
use batchfleet_core::source::{INCOMING_PREFIX, is_definition_name};

use crate::args::UploadArgs;
use crate::outcome::{Failure, report};
use crate::progress::{Progress, Tally};

/// How often the job is looked at: one read, and one query for each open shard looked into.
const LOOK_MS: u64 = 1_000;

/// Open shards that are looked into for the progress bar, at most: it is gentle on the table.
const SHARDS_WATCHED_MAX: usize = 4;

/// Runs the command.
pub(crate) fn upload(args: &UploadArgs) -> Result<ExitCode, Failure> {
    if !is_definition_name(&args.definition) {
        return Err(Failure::usage(format!(
            "{:?} is no name of a definition: it has 1 to 64 letters, digits, hyphens, underscores or dots",
            args.definition
        )));
    }
    let shown = args.file.display();
    let metadata = std::fs::metadata(&args.file)
        .map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?;
    if !metadata.is_file() {
        return Err(Failure::usage(format!(
            "{shown} is a folder; give the path of a CSV file"
        )));
    }
    let name = args.file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::usage(format!("the name of {shown} is not UTF-8")))?;
    let key = format!("{INCOMING_PREFIX}{}/{name}", args.definition);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime =
        runtime.map_err(|error| Failure::stopped(format!("cannot start threads: {error}")))?;
    let summary = runtime.block_on(follow(args, &key))?;
    Ok(report(&summary, args.json))
}

async fn follow(args: &UploadArgs, key: &str) -> Result<Summary, Failure> {
    let clients = Clients::from_environment().await;
    let source = upload_file(&clients.s3, &args.upload_bucket, key, &args.file)
        .await
        .map_err(stopped)?;
    let id = source.job_id();
    eprintln!("uploaded s3://{}/{key}, job {id}", args.upload_bucket);
    let store = DynamoStore::builder(clients.dynamodb, &args.table).build();
    let results = S3Results::new(clients.s3, &args.results_bucket);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tally = Arc::new(Tally::default());
    let progress = Progress::show(Arc::clone(&tally), Arc::clone(&clock), source.size);
    let end = clock.now_ms() + args.timeout_seconds * 1_000;
    loop {
        if let Some(job) = store.job(&id).await.map_err(stopped)? {
            if job.status.is_terminal() && !job.outbox {
                break;
            }
            let (counts, bytes) = done_so_far(&store, &job).await.map_err(stopped)?;
            tally.set(&counts, bytes);
        }
        if clock.now_ms() >= end {
            return Err(Failure::stopped(format!(
                "job {id} is not over after {} s; it goes on without this command",
                args.timeout_seconds
            )));
        }
        clock.sleep_ms(LOOK_MS).await;
    }
    drop(progress);
    read_summary(&results, &id).await
}

async fn read_summary(results: &S3Results, id: &JobId) -> Result<Summary, Failure> {
    let text = results.get(id, SUMMARY_FILE).await.map_err(stopped)?;
    let text =
        text.ok_or_else(|| Failure::stopped(format!("the summary of job {id} is missing")))?;
    serde_json::from_slice(&text).map_err(|error| {
        Failure::stopped(format!("the summary of job {id} does not read: {error}"))
    })
}

/// The closed shards' sums, and those of the first open shards.
async fn done_so_far(store: &DynamoStore, job: &Job) -> batchfleet_core::PortResult<(Counts, u64)> {
    let (mut counts, mut bytes) = (job.closed, job.closed_bytes);
    let mut watched = 0;
    for number in 0.. {
        match store.shard(&job.id, number).await? {
            None => break,
            Some(shard) if shard.closed => continue,
            Some(_) => {}
        }
        if let Some(view) = store.sweep(&job.id, number).await? {
            for completion in view
                .batches
                .values()
                .filter_map(|item| item.completion.as_ref())
            {
                counts += completion.counts;
                bytes += completion.bytes;
            }
        }
        watched += 1;
        if watched == SHARDS_WATCHED_MAX {
            break;
        }
    }
    Ok((counts, bytes))
}

fn stopped(error: impl std::error::Error) -> Failure {
    Failure::stopped(chain(&error))
}
