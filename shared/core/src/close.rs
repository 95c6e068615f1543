//! The closer: from the last batch to the report (steps 10 to 12 of the protocol).
//!
//! Whoever finds a sealed shard with every batch over closes it; whoever closes the last one ends
//! the job; whoever finds the outbox mark set writes the report. All of it may be done again by
//! anyone after a crash, and comes to the same. It checks the promises before it closes anything.

use std::sync::Arc;

use batchfleet_definition::{Definition, Destination};
use batchfleet_grammar::BatchRange;
use bytes::Bytes;
use futures_util::future::try_join_all;

use crate::batch::{BatchKey, BatchStatus, Shard, ShardTotals};
use crate::error::{PortError, PortResult};
use crate::ids::JobId;
use crate::invariants;
use crate::job::{Ending, Job, JobStatus, Reason};
use crate::manifest::{Listed, ManifestWriter};
use crate::mutation::{self, Mutation};
use crate::ports::{CancelOutcome, Clock, FinalizeOutcome, Results, ShardView, Spool, Store};
use crate::process::JobPlan;
use crate::report::{
    Account, Decoded, FailedBatch, Locations, MANIFEST_FILE, OUTPUT_FOLDER, PartOf, Report,
    SUMMARY_FILE, Summary, output_part,
};

/// Looks at the batches of a job that ended early, before its report is left to the watch.
const QUIESCE_LOOKS_MAX: u32 = 8;

/// The time between two looks.
const QUIESCE_EVERY_MS: u64 = 500;

/// Batches cancelled side by side.
const CANCELS_AT_ONCE: usize = 32;

/// Closes shards and jobs.
#[derive(Clone)]
pub struct Closer {
    /// Jobs and batches.
    pub store: Arc<dyn Store>,
    /// Reports.
    pub results: Arc<dyn Results>,
    /// The decoded text and the marks, which go with the job.
    pub spool: Arc<dyn Spool>,
    /// The time of the ending.
    pub clock: Arc<dyn Clock>,
}

impl Closer {
    /// Closes a shard whose every batch is over, after checking its ledger and tiling against the
    /// plan. Does nothing for one that is not ready.
    ///
    /// # Errors
    /// A port's.
    pub async fn close_shard(&self, job: &Job, number: u32, view: &ShardView) -> PortResult<()> {
        let is_complete = view.shard.sealed || mutation::on(Mutation::CloseUnsealed);
        if !is_complete || view.shard.closed || !view.is_over() {
            return Ok(());
        }
        let ranges = self.ranges(&job.id, number).await?;
        match check_shard(view, &ranges) {
            Ok(totals) => {
                let outcome = self.store.close_shard(&job.id, number, &totals).await?;
                tracing::debug!(job = %job.id, shard = number, ?outcome, "closing shard");
            }
            Err(violation) => {
                self.fail(&job.id, Reason::defect(&violation)).await?;
            }
        }
        Ok(())
    }

    async fn ranges(&self, job: &JobId, shard: u32) -> PortResult<Vec<BatchRange>> {
        let pages = self.store.pages(job, shard).await?;
        Ok(pages.into_iter().flat_map(|page| page.ranges).collect())
    }

    /// Ends the job if every shard is closed. Returns the status if the job is over.
    ///
    /// Whoever ends the job writes its report. Others leave that to it for the length of a lease:
    /// then it counts as dead, and whoever comes next writes the report.
    ///
    /// # Errors
    /// A port's; whoever comes next does it again.
    pub async fn finish(&self, id: &JobId) -> PortResult<Option<JobStatus>> {
        let Some(job) = self.store.job(id).await? else {
            return Ok(None);
        };
        if job.is_balanced() {
            let ending = match invariants::job_balances(&job, &self.shards(&job).await?) {
                Ok(()) => match job.intolerable(job.closed.rejected) {
                    Some(reason) => Ending::Failed(reason),
                    None => Ending::Completed,
                },
                Err(_) if mutation::on(Mutation::FinalizeUnchecked) => Ending::Completed,
                Err(violation) => Ending::Failed(Reason::defect(&violation)),
            };
            let status = self.end(id, &ending).await?;
            // It may have been paused in between: then it stays open, and whoever comes next ends it.
            let counts = status.is_terminal() || mutation::on(Mutation::PausedCountsAsOver);
            return Ok(counts.then_some(status));
        }
        if !job.status.is_terminal() {
            return Ok(None);
        }
        let patience_ends = job.finished_ms.unwrap_or(0) + job.policy.lease_ms;
        if job.outbox && self.clock.now_ms() >= patience_ends {
            self.report(&job).await?;
        }
        Ok(Some(job.status))
    }

    /// Writes the report of an ended job if it is still owed, for a caller who knows that whoever
    /// ended the job is gone.
    ///
    /// # Errors
    /// A port's.
    pub async fn report_owed(&self, id: &JobId) -> PortResult<()> {
        match self.store.job(id).await? {
            Some(job) if job.status.is_terminal() && job.outbox => self.report(&job).await,
            _ => Ok(()),
        }
    }

    /// Ends the job early. Returns the status it has then: another ending may have come first.
    ///
    /// # Errors
    /// A port's.
    pub async fn fail(&self, id: &JobId, reason: Reason) -> PortResult<JobStatus> {
        self.end(id, &Ending::Failed(reason.clipped())).await
    }

    /// Ends the job because an operator asks for it.
    ///
    /// # Errors
    /// A port's.
    pub async fn abort(&self, id: &JobId) -> PortResult<JobStatus> {
        self.end(id, &Ending::Aborted).await
    }

    async fn end(&self, id: &JobId, ending: &Ending) -> PortResult<JobStatus> {
        let outcome = self.store.finalize(id, ending, self.clock.now_ms()).await?;
        let job = self.reread(id).await?;
        if outcome == FinalizeOutcome::Won {
            match ending {
                Ending::Completed => tracing::info!(job = %id, "job completed"),
                // The alarm of the template counts these lines.
                Ending::Failed(reason) => {
                    tracing::error!(job = %id, code = ?reason.code, "job failed");
                }
                Ending::Aborted => tracing::warn!(job = %id, "job aborted"),
            }
            self.report(&job).await?;
        }
        Ok(job.status)
    }

    async fn reread(&self, id: &JobId) -> PortResult<Job> {
        let job = self.store.job(id).await?;
        job.ok_or_else(|| PortError::corrupt("the job", "it vanished while it was closed"))
    }

    /// The shards of the plan, for the check before the ending.
    async fn shards(&self, job: &Job) -> PortResult<Vec<Shard>> {
        let count = job.plan.map_or(0, |plan| plan.shards);
        let mut shards = Vec::new();
        for number in 0..count {
            shards.extend(self.store.shard(&job.id, number).await?);
        }
        Ok(shards)
    }

    /// Step 12: the closing effects, then the mark is cleared. The mark stays where workers of a job
    /// that ended early still hold batches: the watch comes back to it.
    async fn report(&self, job: &Job) -> PortResult<()> {
        let is_early = job.status != JobStatus::Completed && !mutation::on(Mutation::ReportUnquiet);
        if is_early && !self.quiesce(job).await? {
            return Ok(());
        }
        if mutation::on(Mutation::ClearOutboxFirst) {
            self.store.clear_outbox(&job.id).await?;
        }
        let snapshot = self.store.snapshot(&job.id).await?;
        let snapshot = snapshot
            .ok_or_else(|| PortError::corrupt("the snapshot of the job", "it is missing"))?;
        // A definition that does not read has no batches.
        let definition = Definition::parse(&snapshot.definition_text);
        let has_marks = definition.as_ref().is_ok_and(Definition::has_unique);
        let destination = definition.map_or_else(
            |_| Destination::default(),
            |definition| definition.destination().clone(),
        );
        let mut manifest = ManifestWriter::new(&*self.results, job);
        let account = self.account(job, &destination, &mut manifest).await?;
        let definition_text = snapshot.definition_text.clone();
        let layout = snapshot.layout.as_ref();
        let is_spooled = layout.is_some_and(|layout| layout.spool.is_some());
        let mut ignored_columns = Vec::new();
        let mut reports = Vec::new();
        // A job that failed before its first batch has none, even if a layout is kept since: a write
        // that timed out may arrive after the report, which must stay the same.
        let has_rejects = job.status == JobStatus::Completed || account.batches > 0;
        let decoded = layout
            .filter(|_| has_rejects)
            .and_then(|layout| Decoded::of(job, layout));
        if snapshot.layout.is_some() && (has_rejects || mutation::on(Mutation::ReportLateLayout)) {
            let plan = JobPlan::compile(snapshot)?;
            ignored_columns = plan.ignored_columns().to_vec();
            reports = self.merge(&job.id, &plan, &account).await?;
        }
        manifest.finish(&reports).await?;
        let output = match &destination {
            Destination::JsonLines => self.results.location(&job.id, OUTPUT_FOLDER),
            Destination::DynamoDb(to) => format!("dynamodb://{}", to.table),
        };
        let location = |report: Report| {
            let is_there = reports.iter().any(|listed| listed.name == report.file());
            is_there.then(|| self.results.location(&job.id, report.file()))
        };
        let at = Locations {
            output,
            reports: Report::ALL.map(location),
            manifest: self.results.location(&job.id, MANIFEST_FILE),
        };
        let summary = Summary {
            decoded,
            ..Summary::new(job, account, definition_text, ignored_columns, at)
        };
        self.results
            .put(&job.id, SUMMARY_FILE, summary.to_json().into())
            .await?;
        // Every batch is over, so nobody reads it any more.
        if (is_spooled || has_marks) && !mutation::on(Mutation::SpoolKept) {
            self.spool.clear(&job.id).await?;
        }
        self.store.clear_outbox(&job.id).await
    }

    /// Merges the reports of the batches: the rejects always, the warnings where there are any.
    async fn merge(
        &self,
        job: &JobId,
        plan: &JobPlan,
        account: &Account,
    ) -> PortResult<Vec<Listed>> {
        let mut reports = Vec::new();
        for (report, parts) in Report::ALL.into_iter().zip(&account.parts) {
            let (head, records) = match report {
                Report::Rejects => (plan.rejects_head().into(), account.counts.rejected),
                Report::RejectsJson => (Bytes::new(), account.counts.rejected),
                Report::Warnings if account.warned == 0 => continue,
                Report::Warnings => (Bytes::new(), account.warned),
            };
            let parts: Vec<String> = parts.iter().map(|of| report.part(*of)).collect();
            let sum = self.results.join(job, report.file(), head, &parts).await?;
            reports.push(Listed {
                name: report.file().to_owned(),
                records,
                sum: Some(sum),
            });
        }
        Ok(reports)
    }

    /// Takes every batch that is not over out of a job that ended early, so that nothing is delivered
    /// after its report. Workers notice the ending within a second or two and let go.
    async fn quiesce(&self, job: &Job) -> PortResult<bool> {
        for look in 1..=QUIESCE_LOOKS_MAX {
            if self.cancel_open(job).await? {
                return Ok(true);
            }
            if look < QUIESCE_LOOKS_MAX {
                self.clock.sleep_ms(QUIESCE_EVERY_MS).await;
            }
        }
        Ok(false)
    }

    /// Cancels what can be cancelled; whether that was all.
    async fn cancel_open(&self, job: &Job) -> PortResult<bool> {
        let mut is_quiet = true;
        for number in 0.. {
            let Some(view) = self.store.sweep(&job.id, number).await? else {
                break;
            };
            for slots in view.open().chunks(CANCELS_AT_ONCE) {
                let now = self.clock.now_ms();
                let keys: Vec<BatchKey> =
                    slots.iter().map(|&slot| job.batch(number, slot)).collect();
                let cancels = keys.iter().map(|key| self.store.cancel(key, now));
                let outcomes = try_join_all(cancels).await?;
                is_quiet &= !outcomes
                    .iter()
                    .any(|one| matches!(one, CancelOutcome::HeldUntil(_)));
            }
        }
        Ok(is_quiet)
    }

    /// The part of a cancelled batch, where a worker delivered it and died before it could say so. Its
    /// rows are in the output and in no count, so the summary names it. Where there is none, an empty
    /// object takes its name, so that no worker that still lives delivers under it later.
    async fn uncounted_part(&self, job: &Job, shard: u32, slot: u32) -> PortResult<Option<String>> {
        let name = output_part(job.batch(shard, slot).index(&job.policy));
        if mutation::on(Mutation::CancelledNameFree) {
            return Ok(self.results.get(&job.id, &name).await?.map(|_| name));
        }
        match self.results.put_once(&job.id, &name, Bytes::new()).await {
            Ok(_) => Ok(None),
            Err(PortError::Conflict { name }) => {
                Ok(Some(name).filter(|_| !mutation::on(Mutation::UncountedUnnamed)))
            }
            Err(error) => Err(error),
        }
    }

    /// Adds up the batches that are over, shard by shard, and lists their parts.
    async fn account(
        &self,
        job: &Job,
        destination: &Destination,
        manifest: &mut ManifestWriter<'_>,
    ) -> PortResult<Account> {
        let mut account = Account::default();
        for number in 0.. {
            let Some(view) = self.store.sweep(&job.id, number).await? else {
                break;
            };
            let mut unfinished = Vec::new();
            let mut failed = Vec::new();
            for (&slot, item) in &view.batches {
                // One that was claimed before it was cancelled.
                if item.status == BatchStatus::Cancelled && item.fence > 1 {
                    if destination.is_record_wise() {
                        if !mutation::on(Mutation::BegunUnnamed) {
                            unfinished.push(slot);
                        }
                    } else {
                        let uncounted = self.uncounted_part(job, number, slot).await?;
                        account.uncounted_parts.extend(uncounted);
                    }
                }
                let Some(done) = item.completion.as_ref().filter(|_| item.status.is_over()) else {
                    continue;
                };
                let index = job.batch(number, slot).index(&job.policy);
                account.add(PartOf::new(index, item.fence, done), done);
                if !destination.is_record_wise() {
                    manifest.add(index, done).await?;
                }
                if done.failed {
                    failed.push(slot);
                }
            }
            if !failed.is_empty() || !unfinished.is_empty() {
                let ranges = self.ranges(&job.id, number).await?;
                let place = |slot: &u32| ranges.get(*slot as usize).map(FailedBatch::of);
                account
                    .failed_batches
                    .extend(failed.iter().filter_map(place));
                let places = unfinished.iter().filter_map(place);
                account.uncounted_batches.extend(places);
            }
        }
        Ok(account)
    }
}

/// The sums of a shard whose batches are all over, if they tile it and match the plan.
fn check_shard(
    view: &ShardView,
    ranges: &[BatchRange],
) -> Result<ShardTotals, invariants::Violation> {
    invariants::tiles(ranges, view.shard.start, view.shard.end)?;
    let mut totals = ShardTotals::default();
    if ranges.len() != view.shard.published as usize {
        return Err(invariants::Violation {
            promise: "I1",
            detail: format!(
                "{} batches published, {} planned",
                view.shard.published,
                ranges.len()
            ),
        });
    }
    for (slot, range) in (0..).zip(ranges) {
        let Some(done) = view
            .batches
            .get(&slot)
            .and_then(|item| item.completion.as_ref())
        else {
            return Err(invariants::Violation {
                promise: "I3",
                detail: format!("batch {} is not over", range.index),
            });
        };
        invariants::batch_matches_plan(range, done)?;
        totals.counts += done.counts;
        totals.bytes += done.bytes;
        totals.failed_batches += u32::from(done.failed);
    }
    Ok(totals)
}
