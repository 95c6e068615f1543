//! `batchfleet pause`, `resume` and `abort`: what operators do to a job.

use std::process::ExitCode;

use batchfleet_core::ids::JobId;
use batchfleet_core::job::{Ending, Job, JobStatus};
use batchfleet_core::ports::PauseOutcome;
use serde_json::json;

use crate::args::JobArgs;
use crate::look::{Depth, Look};
use crate::outcome::{Failure, plural, report};
use crate::site::{Site, Workers};
use crate::terminal::{note, say, say_json};

/// How long a pause waits for the planning to end: only then is a job paused.
const PLANNING_WAIT_MS: u64 = 60_000;

/// How long a pause waits for workers to let go.
const QUIET_WAIT_MS: u64 = 3_000;

/// How often it is looked whether it is so yet.
const LOOK_MS: u64 = 250;

/// How long workers take to notice that a job was paused, at most: they look once a second.
const NOTICE_MS: u64 = 1_200;

/// How long an abort waits for its report beyond the leases that it finds.
const REPORT_WAIT_MS: u64 = 30_000;

/// Runs `batchfleet pause`.
pub(crate) async fn pause(args: &JobArgs) -> Result<ExitCode, Failure> {
    let site = Site::open(&args.site).await?;
    let job = site.find(&args.job).await?;
    let planning_ends = site.clock.now_ms() + PLANNING_WAIT_MS;
    let mut told = false;
    loop {
        let now = site.clock.now_ms();
        match site.store.set_paused(&job.id, true, now).await? {
            PauseOutcome::Done => break,
            PauseOutcome::NotPossible(JobStatus::Preparing)
                if site.clock.now_ms() < planning_ends =>
            {
                if !told {
                    note!("the file is still being planned; waiting for that, to pause then");
                    told = true;
                }
                site.clock.sleep_ms(LOOK_MS).await;
            }
            PauseOutcome::NotPossible(JobStatus::Preparing) => {
                return Err(Failure::stopped(
                    "the file is still being planned, and only then can the job be paused; try again \
                     later, or abort it",
                ));
            }
            PauseOutcome::NotPossible(status) => return Err(over(&job.id, status)),
        }
    }
    let held = quiet(&site, &job.id).await?;
    let status = reread(&site, &job.id).await?.status;
    if args.json {
        say_json(&json!({ "job": job.id, "status": status, "held": held }));
        return Ok(ExitCode::SUCCESS);
    }
    say!("job {} is {}", job.id, status.as_str());
    if held > 0 {
        say!("{} still held", plural(held, "batch"));
    }
    say!("{}", site.command("resume", &job.id));
    Ok(ExitCode::SUCCESS)
}

/// Waits until the workers of a job that was just paused have let go; how many batches they still
/// hold after that.
async fn quiet(site: &Site, id: &JobId) -> Result<u64, Failure> {
    if site.workers() == Workers::None {
        return held(site, id).await;
    }
    let end = site.clock.now_ms() + QUIET_WAIT_MS;
    // Before that, one who holds nothing may still claim.
    site.clock.sleep_ms(NOTICE_MS).await;
    loop {
        let held = held(site, id).await?;
        if held == 0 || site.clock.now_ms() >= end {
            return Ok(held);
        }
        site.clock.sleep_ms(LOOK_MS).await;
    }
}

/// Runs `batchfleet resume`.
pub(crate) async fn resume(args: &JobArgs) -> Result<ExitCode, Failure> {
    let site = Site::open(&args.site).await?;
    let job = site.find(&args.job).await?;
    let now = site.clock.now_ms();
    let status = match site.store.set_paused(&job.id, false, now).await? {
        PauseOutcome::Done => JobStatus::Processing,
        // It is not paused, as was asked for.
        PauseOutcome::NotPossible(JobStatus::Preparing) => JobStatus::Preparing,
        PauseOutcome::NotPossible(status) => return Err(over(&job.id, status)),
    };
    let is_worked = site.workers() != Workers::None;
    if args.json {
        say_json(&json!({ "job": job.id, "status": status }));
    } else {
        say!("job {} is {}", job.id, status.as_str());
    }
    if !is_worked {
        note!("no run works in this folder: start the same `batchfleet run` again to go on");
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `batchfleet abort`. It succeeds if the job is aborted in the end, by whomever.
pub(crate) async fn abort(args: &JobArgs) -> Result<ExitCode, Failure> {
    let site = Site::open(&args.site).await?;
    let job = site.find(&args.job).await?;
    // Where no run works, whoever holds a batch is dead, and there is no lease to wait for.
    let alone = site.take_over()?;
    if !job.status.is_terminal() {
        let now = site.clock.now_ms();
        site.store.finalize(&job.id, &Ending::Aborted, now).await?;
    }
    let ended = write_report(&site, &job.id).await?;
    drop(alone);
    let summary = site.summary(&job.id).await?;
    let code = report(&summary, args.json);
    if ended.status == JobStatus::Aborted {
        return Ok(ExitCode::SUCCESS);
    }
    note!("the job was over before it could be aborted");
    Ok(code)
}

/// Writes the report of a job that is over, unless someone else does; waits for workers that still
/// hold batches, at most for their leases.
async fn write_report(site: &Site, id: &JobId) -> Result<Job, Failure> {
    let mut job = reread(site, id).await?;
    let end = site.clock.now_ms() + job.policy.lease_ms + REPORT_WAIT_MS;
    while job.outbox {
        if site.clock.now_ms() >= end {
            let held = plural(held(site, id).await?, "batch");
            return Err(Failure::stopped(format!(
                "job {id} is {}, but its report is not written yet, with {held} still held; {} says more",
                job.status.as_str(),
                site.command("explain", id)
            )));
        }
        site.closer().report_owed(id).await?;
        job = reread(site, id).await?;
    }
    Ok(job)
}

async fn held(site: &Site, id: &JobId) -> Result<u64, Failure> {
    let look = Look::again(site, id, Depth::Open).await?;
    Ok(look.sums().leased)
}

async fn reread(site: &Site, id: &JobId) -> Result<Job, Failure> {
    let job = site.store.job(id).await?;
    job.ok_or_else(|| Failure::stopped(format!("job {id} is gone")))
}

fn over(id: &JobId, status: JobStatus) -> Failure {
    Failure::stopped(format!(
        "job {id} is over ({}), so there is nothing to pause or resume",
        status.as_str()
    ))
}
