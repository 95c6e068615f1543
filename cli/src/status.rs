//! `batchfleet jobs`, `status` and `explain`: what is so, without changing anything.

use std::process::ExitCode;

use batchfleet_core::ids::JobId;
use batchfleet_core::job::{Job, JobStatus};
use batchfleet_core::source::{Redriven, SourceRef};
use jiff::{Timestamp, Unit};
use serde_json::{Value, json};

use crate::args::{JobArgs, JobsArgs};
use crate::cost::{self, Cost};
use crate::explain::{explain, fleet};
use crate::look::{Depth, Look, Sums};
use crate::outcome::{Failure, by_code, duration, plural, rate, skipped, thousands, warned};
use crate::site::Site;
use crate::terminal::{note, one_line, say, say_json};

/// The time between two looks that tell whether a job moves.
const LOOKS_APART_MS: u64 = 1_000;

/// Runs `batchfleet jobs`.
pub(crate) async fn jobs(args: &JobsArgs) -> Result<ExitCode, Failure> {
    let site = Site::open(&args.site).await?;
    let jobs = site.jobs().await?;
    if args.json {
        let list: Vec<Value> = jobs.iter().map(entry).collect();
        say_json(&Value::from(list));
        return Ok(ExitCode::SUCCESS);
    }
    for job in &jobs {
        let rows = known_rows(job).map_or_else(|| "?".to_owned(), thousands);
        say!(
            "{}  {:<10}  {}  {rows:>15} rows  {:<16}  {}",
            job.id,
            job.status.as_str(),
            moment(job.created_ms),
            one_line(&job.definition_name),
            one_line(&file(job))
        );
    }
    if site.is_billed() {
        note!("these are the open jobs; one that is over needs its whole id in the commands");
    }
    Ok(ExitCode::SUCCESS)
}

fn entry(job: &Job) -> Value {
    json!({
        "job": job.id,
        "status": job.status,
        "created_ms": job.created_ms,
        "rows": known_rows(job),
        "definition": job.definition_name,
        "file": file(job),
    })
}

/// The rows of a job, once its plan is complete.
fn known_rows(job: &Job) -> Option<u64> {
    job.plan.map(|plan| plan.records)
}

/// What a job imports, as a person names it.
fn file(job: &Job) -> String {
    source_name(&job.source)
}

/// A source, as a person names it.
pub(crate) fn source_name(source: &SourceRef) -> String {
    match source.bucket.as_str() {
        "file" => source.key.clone(),
        bucket => format!("s3://{bucket}/{}", source.key),
    }
}

/// Which rows of which job an attempt works again.
fn redrive_of(job: &Job) -> Option<String> {
    let redrive = job.source.redrive.as_ref()?;
    let what = match redrive.what {
        Redriven::Failed => "the batches that were given up or never worked",
        Redriven::Rejected => "the rejected rows",
    };
    Some(format!("{what} of job {}", redrive.of))
}

/// `2026-11-24T18:30:01Z`.
pub(crate) fn moment(ms: u64) -> String {
    let time = Timestamp::from_millisecond(ms.cast_signed());
    match time.and_then(|time| time.round(Unit::Second)) {
        Ok(time) => time.to_string(),
        Err(_) => "?".to_owned(),
    }
}

/// Runs `batchfleet status`.
pub(crate) async fn status(args: &JobArgs) -> Result<ExitCode, Failure> {
    let site = Site::open(&args.site).await?;
    let job = site.find(&args.job).await?;
    print(&site, &job.id, args.json).await
}

/// Prints where a job stands.
pub(crate) async fn print(site: &Site, id: &JobId, as_json: bool) -> Result<ExitCode, Failure> {
    let look = Look::again(site, id, Depth::All).await?;
    let report = Report::of(&look, site.is_billed());
    if as_json {
        say_json(&report.json());
    } else {
        say!("{}", report.text().trim_end());
    }
    Ok(exit_code(look.job.status))
}

/// 0 while the job is open or when it completed, else 1.
fn exit_code(status: JobStatus) -> ExitCode {
    ExitCode::from(u8::from(matches!(
        status,
        JobStatus::Failed | JobStatus::Aborted
    )))
}

/// Runs `batchfleet explain`. A job that seems to stand still is looked at twice: between two
/// batches nobody holds one.
pub(crate) async fn explain_job(args: &JobArgs) -> Result<ExitCode, Failure> {
    let site = Site::open(&args.site).await?;
    let found = site.find(&args.job).await;
    #[cfg(feature = "aws")]
    let found = match found {
        Err(failure) => Err(Box::pin(crate::dlq::explain_none(&site, &args.job, failure)).await),
        found => found,
    };
    let job = found?;
    let command = |verb: &str| site.command(verb, &job.id);
    let mut look = Look::again(&site, &job.id, Depth::Open).await?;
    let mut before = None;
    if !explain(&look, None, command).moving && look.is_claimed_from() {
        before = Some(look.sums().over());
        site.clock.sleep_ms(LOOKS_APART_MS).await;
        look = Look::again(&site, &job.id, Depth::Open).await?;
    }
    #[cfg(feature = "aws")]
    {
        look.dead = Box::pin(crate::dlq::of_job(&site, &job.id)).await;
    }
    let said = explain(&look, before, command);
    if args.json {
        let dead = look.dead.as_ref();
        let object = json!({
            "job": look.job.id,
            "status": look.job.status,
            "moving": said.moving,
            "explanation": said.sentence,
            "dead_letters": dead.map(|dead| json!({ "messages": dead.messages, "sent_ms": dead.sent_ms })),
        });
        say_json(&object);
    } else {
        say!("{}", said.sentence);
    }
    Ok(exit_code(look.job.status))
}

/// A look, with what follows from it.
struct Report<'a> {
    look: &'a Look,
    sums: Sums,
    elapsed_ms: u64,
    /// Bytes of the rows.
    bytes: u64,
    cost: Option<Cost>,
}

impl<'a> Report<'a> {
    fn of(look: &'a Look, is_billed: bool) -> Self {
        let sums = look.sums();
        let end = look.job.finished_ms.unwrap_or(look.now_ms);
        Self {
            cost: is_billed.then(|| cost::estimate(look, &sums)),
            elapsed_ms: end.saturating_sub(look.job.created_ms),
            bytes: look.bytes(),
            sums,
            look,
        }
    }

    /// In tenths of a percent.
    fn permille(&self) -> u64 {
        if self.look.job.status == JobStatus::Completed {
            return 1_000;
        }
        // A file that is decoded has more text than bytes, which is known once it is planned.
        (self.sums.bytes * 1_000 / self.bytes.max(1)).min(1_000)
    }

    /// At the pace since the job was created; `None` where that tells nothing.
    fn eta_ms(&self) -> Option<u64> {
        let left = self.bytes.saturating_sub(self.sums.bytes);
        let is_told = self.look.is_claimed_from() && self.sums.bytes > 0;
        let at_this_pace = u128::from(self.elapsed_ms) * u128::from(left);
        is_told.then(|| (at_this_pace / u128::from(self.sums.bytes)) as u64)
    }

    /// Since the holder that has been silent longest was last heard of.
    fn oldest_ms(&self) -> Option<u64> {
        let oldest = self.sums.seen_ms.iter().min();
        oldest.map(|seen| self.look.now_ms.saturating_sub(*seen))
    }

    /// How the planning stands, in a word, and since when its preparer is silent.
    fn planning(&self) -> (&'static str, Option<u64>) {
        let (look, preparer) = (self.look, &self.look.preparer);
        if look.job.plan.is_some() {
            return ("complete", None);
        }
        if look.job.status.is_terminal() {
            return ("ended", None);
        }
        if preparer.lease_until_ms <= look.now_ms {
            let word = if preparer.fence == 0 {
                "not begun"
            } else {
                "free"
            };
            return (word, None);
        }
        let seen = preparer.lease_until_ms - look.job.policy.lease_ms;
        ("held", Some(look.now_ms.saturating_sub(seen)))
    }

    fn json(&self) -> Value {
        let (job, sums) = (&self.look.job, &self.sums);
        let (planning, silent_ms) = self.planning();
        let mut object = entry(job);
        let more = json!({
            "records": sums.counts.records,
            "accepted": sums.counts.accepted,
            "rejected": sums.counts.rejected,
            "skipped": sums.counts.skipped,
            "errors": sums.errors,
            "warned": sums.warned,
            "warnings": sums.warnings,
            "bytes": sums.bytes,
            "bytes_total": self.bytes,
            "percent": self.permille() as f64 / 10.0,
            "elapsed_ms": self.elapsed_ms,
            "rows_per_second": rate(sums.counts.records, self.elapsed_ms),
            "eta_ms": self.eta_ms(),
            "batches": {
                "total": self.look.batches(sums),
                "done": sums.done,
                "leased": sums.leased,
                "pending": sums.claimable(),
                "failed": sums.failed,
                "cancelled": sums.cancelled,
            },
            "leases": {
                "held": sums.leased,
                "expired": sums.expired,
                "oldest_ms": self.oldest_ms(),
            },
            "retries": sums.retries,
            "preparer": { "state": planning, "silent_ms": silent_ms, "takeovers": self.look.preparer.fence.saturating_sub(1) },
            "report_owed": job.outbox,
            "tolerated": job.policy.tolerated,
            "paused_ms": job.paused_ms,
            "redrive": job.source.redrive,
            "throttle": self.look.slowed().map(|slowed| json!({
                "workers": slowed.workers,
                "of": slowed.of,
                "all_ms": slowed.all_ms,
            })),
        });
        if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
            object.extend(more);
        }
        if let Some(reason) = &job.reason {
            object["reason"] = json!(reason);
        }
        if let Some(cost) = self.cost {
            object["cost"] = json!({
                "usd": cost.usd,
                "write_units": cost.write_units,
                "read_units": cost.read_units,
                "basis": cost::BASIS,
            });
        }
        object
    }

    fn text(&self) -> String {
        use std::fmt::Write as _;
        let (job, sums) = (&self.look.job, &self.sums);
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            // A reason may have lines of its own, which say where each fault is.
            let value = if name == "reason" {
                value.into()
            } else {
                one_line(&value)
            };
            let _ = writeln!(text, "{name:<10} {value}");
        };
        let ago = duration(self.look.now_ms.saturating_sub(job.created_ms));
        line("job", job.id.to_string());
        line("status", job.status.as_str().to_owned());
        if let Some(reason) = &job.reason {
            line("reason", reason.message.clone());
        }
        line("file", file(job));
        line("definition", job.definition_name.clone());
        line("created", format!("{}, {ago} ago", moment(job.created_ms)));
        if let Some(redriven) = redrive_of(job) {
            line("redrives", redriven);
        }
        if let Some(since) = job.paused_ms {
            let ago = duration(self.look.now_ms.saturating_sub(since));
            line("paused", format!("{}, {ago} ago", moment(since)));
        }
        line("records", self.records());
        line("accepted", thousands(sums.counts.accepted));
        line("rejected", self.rejected());
        for rows in by_code(&sums.errors) {
            line("", rows);
        }
        if sums.counts.skipped > 0 {
            line("skipped", skipped(sums.counts.skipped, &job.source));
        }
        if sums.warned > 0 {
            line("warned", warned(sums.warned));
        }
        for rows in by_code(&sums.warnings) {
            line("", rows);
        }
        line("rate", self.pace());
        line("batches", self.batches());
        line("leases", self.leases());
        if let Some(slowed) = self.look.slowed() {
            line("throttled", fleet(slowed));
        }
        line("retries", thousands(sums.retries));
        line(
            "planning",
            match self.planning() {
                (word, Some(silent)) => format!("{word}, last heard of {} ago", duration(silent)),
                (word, None) => word.to_owned(),
            },
        );
        if job.outbox {
            line("report", "not written yet".to_owned());
        }
        if let Some(cost) = self.cost {
            line(
                "cost",
                format!(
                    "about ${:.4}: {}, {} ({})",
                    cost.usd,
                    plural(cost.write_units, "write unit"),
                    plural(cost.read_units, "read unit"),
                    cost::BASIS
                ),
            );
        }
        text
    }

    fn records(&self) -> String {
        let so_far = thousands(self.sums.counts.records);
        let permille = self.permille();
        let percent = format!("{}.{} % of the bytes", permille / 10, permille % 10);
        match known_rows(&self.look.job) {
            Some(rows) => format!("{so_far} of {}, {percent}", thousands(rows)),
            None => format!("{so_far}, {percent}"),
        }
    }

    fn rejected(&self) -> String {
        let rejected = thousands(self.sums.counts.rejected);
        match &self.look.job.policy.tolerated {
            Some(tolerated) => format!("{rejected}, of which the job bears {tolerated}"),
            None => rejected,
        }
    }

    fn pace(&self) -> String {
        let rows = rate(self.sums.counts.records, self.elapsed_ms);
        let over = duration(self.elapsed_ms);
        let pace = format!("{} rows/s over {over}", thousands(rows));
        let eta = self.eta_ms().map(|eta| format!("ETA {}", duration(eta)));
        [Some(pace), eta]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn batches(&self) -> String {
        let sums = &self.sums;
        let total = self.look.batches(sums);
        let mut parts = vec![
            format!("{} of {} done", thousands(sums.done), thousands(total)),
            format!("{} leased", thousands(sums.leased)),
            format!("{} pending", thousands(sums.claimable())),
        ];
        for (number, word) in [(sums.failed, "failed"), (sums.cancelled, "cancelled")] {
            if number > 0 {
                parts.push(format!("{} {word}", thousands(number)));
            }
        }
        parts.join(", ")
    }

    fn leases(&self) -> String {
        let mut parts = vec![format!("{} held", thousands(self.sums.leased))];
        if let Some(oldest) = self.oldest_ms() {
            parts.push(format!("the oldest last heard of {} ago", duration(oldest)));
        }
        if self.sums.expired > 0 {
            parts.push(format!("{} expired", thousands(self.sums.expired)));
        }
        parts.join(", ")
    }
}
