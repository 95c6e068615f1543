//! `batchfleet rejects`: the rejected rows, of a job at any moment.
//!
//! They are put together from the parts of the batches that are over, in the order of the rows, which
//! is what the reports of an ended job are made of: so memory stays that of one batch.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use batchfleet_core::PortError;
use batchfleet_core::job::Job;
use batchfleet_core::process::JobPlan;
use batchfleet_core::report::Report;
use serde_json::json;

use crate::args::{RejectsArgs, RejectsFormat};
use crate::outcome::{Failure, plural};
use crate::site::Site;
use crate::terminal::{Rows, note, say_json};

/// The rejects so far.
struct Parts {
    head: Vec<u8>,
    names: Vec<String>,
    rows: u64,
    /// Batches with rejects and without a part of this report.
    without: u64,
}

/// Runs the command.
pub(crate) async fn rejects(args: &RejectsArgs) -> Result<ExitCode, Failure> {
    let site = Site::open(&args.job.site).await?;
    let job = site.find(&args.job.job).await?;
    let report = match args.format {
        RejectsFormat::Csv => Report::Rejects,
        RejectsFormat::Jsonl => Report::RejectsJson,
    };
    let parts = parts(&site, &job, report).await?;
    if parts.without > 0 {
        let batches = plural(parts.without, "batch");
        note!("the rejects of {batches} of an earlier release are there as CSV alone");
    }
    let is_final = job.status.is_terminal() && !job.outbox;
    let location = site.results.location(&job.id, report.file());
    if let Some(path) = &args.to {
        let failed =
            |error: io::Error| Failure::usage(format!("cannot write {}: {error}", path.display()));
        let mut file = BufWriter::new(File::create(path).map_err(failed)?);
        write(&site, &job, &parts, &mut file)
            .await?
            .map_err(failed)?;
    }
    if args.job.json {
        let object = json!({
            "job": job.id,
            "status": job.status,
            "rejected": parts.rows,
            "final": is_final,
            "rejects": is_final.then_some(&location),
        });
        say_json(&object);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = plural(parts.rows, "rejected row");
    if is_final {
        note!("{rows}, also at {location}");
    } else {
        note!("{rows} so far: the job is {}", job.status.as_str());
    }
    if args.to.is_none() {
        let written = write(&site, &job, &parts, &mut Rows::to_stdout()).await?;
        match written {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            other => other.map_err(|error| Failure::stopped(format!("cannot write: {error}")))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The rejects of the batches that are over.
async fn parts(site: &Site, job: &Job, report: Report) -> Result<Parts, Failure> {
    let snapshot = site.store.snapshot(&job.id).await?;
    let snapshot = snapshot.filter(|snapshot| snapshot.layout.is_some());
    let Some(snapshot) = snapshot else {
        return Err(Failure::stopped(format!(
            "job {} has no rejects: the header of its file was not read",
            job.id
        )));
    };
    let head = match report {
        Report::Rejects => JobPlan::compile(snapshot)?.rejects_head(),
        Report::RejectsJson | Report::Warnings => Vec::new(),
    };
    let mut parts = Parts {
        head,
        names: Vec::new(),
        rows: 0,
        without: 0,
    };
    for number in 0.. {
        let Some(view) = site.store.sweep(&job.id, number).await? else {
            break;
        };
        for (&slot, item) in &view.batches {
            let done = item.completion.as_ref().filter(|_| item.status.is_over());
            let Some(done) = done.filter(|done| done.counts.rejected > 0) else {
                continue;
            };
            parts.rows += done.counts.rejected;
            let index = job.batch(number, slot).index(&job.policy);
            match report.part_of(index, item) {
                Some(name) => parts.names.push(name),
                None => parts.without += 1,
            }
        }
    }
    Ok(parts)
}

/// Writes head and parts. The outer error is that of reading.
async fn write(
    site: &Site,
    job: &Job,
    parts: &Parts,
    to: &mut impl Write,
) -> Result<io::Result<()>, Failure> {
    if let Err(error) = to.write_all(&parts.head) {
        return Ok(Err(error));
    }
    for name in &parts.names {
        let content = site.results.get(&job.id, name).await?;
        let content = content.ok_or_else(|| {
            PortError::corrupt("the rejects of a batch", format!("{name} is missing"))
        })?;
        if let Err(error) = to.write_all(&content) {
            return Ok(Err(error));
        }
    }
    Ok(to.flush())
}
