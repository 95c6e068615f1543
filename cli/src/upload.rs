//! `batchfleet upload`: puts a file where its definition's uploads go, follows the job that its
//! event starts, and prints the summary.

use std::process::ExitCode;

use batchfleet_aws::s3::upload_file;
use batchfleet_core::report::Summary;
use batchfleet_core::source::{INCOMING_PREFIX, is_definition_name};

use crate::args::UploadArgs;
use crate::follow::follow;
use crate::outcome::{Failure, report};
use crate::site::Site;
use crate::stack::{Part, Stack};
use crate::terminal::note;

/// Runs the command.
pub(crate) async fn upload(args: &UploadArgs) -> Result<ExitCode, Failure> {
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

    let summary = upload_and_follow(args, &key).await?;
    Ok(report(&summary, args.json))
}

async fn upload_and_follow(args: &UploadArgs, key: &str) -> Result<Summary, Failure> {
    let flags = [(Part::UploadBucket, args.upload_bucket.as_ref())];
    let stack = Stack::open(&args.stack, &flags).await?;
    let (s3, bucket) = (
        stack.clients.s3.clone(),
        stack.name(Part::UploadBucket)?.to_owned(),
    );
    // Before the upload: it must not start a job that can't be followed.
    let site = Site::on_aws(stack)?;
    let source = upload_file(&s3, &bucket, key, &args.file).await?;
    let id = source.job_id();
    note!("uploaded s3://{bucket}/{key}, job {id}");
    let end = site.clock.now_ms() + args.timeout_seconds * 1_000;
    let summary = follow(&site, &id, source.size, Some(end)).await?;
    summary.ok_or_else(|| {
        Failure::stopped(format!(
            "job {id} is not over after {} s; it goes on without this command",
            args.timeout_seconds
        ))
    })
}
