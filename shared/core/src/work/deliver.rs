//! One batch under its lease: read, check, deliver, complete.

use std::ops::Range;

use batchfleet_grammar::BatchRange;
use bytes::Bytes;
use futures_util::future::try_join;

use crate::batch::{Completion, Lease};
use crate::error::{PortError, PortResult};
use crate::lease::{hold, yield_now};
use crate::mutation::{self, Mutation};
use crate::ports::CompleteOutcome;
use crate::process::{Processed, Processing, Refused, reject_all, reject_oversize, reject_unread};
use crate::rejects::RAW_BYTES_MAX;
use crate::report::{PartOf, Report, output_part};
use crate::spool;
use crate::unique::{Mark, marks};
use crate::work::Scope;
use crate::work::invocation::{BatchEnd, Invocation};

impl Invocation<'_> {
    /// Works a claimed batch. Everything up to the completion happens under the heartbeat; where the
    /// lease is lost the work is dropped, and the completion would change nothing anyway.
    pub(super) async fn work_batch(
        &self,
        lease: &Lease,
        range: &BatchRange,
        scope: &Scope,
    ) -> PortResult<BatchEnd> {
        let (store, clock) = (&*self.worker.store, &*self.worker.clock);
        let lease_ms = self.job.policy.lease_ms;
        let work = self.deliver(lease, range, scope);
        let Some(delivered) = hold(store, clock, lease, lease_ms, work).await else {
            return Ok(BatchEnd::Lost);
        };
        let completion = match delivered? {
            Ok(completion) => completion,
            Err(end) => return Ok(end),
        };
        match store.complete(lease, &completion).await? {
            CompleteOutcome::Completed => {
                self.worker.observer.batch_completed(&completion);
                Ok(BatchEnd::Completed(completion))
            }
            CompleteOutcome::Lost => Ok(BatchEnd::Lost),
        }
    }

    /// The completion, or why there is none: then nothing is delivered, or, to a destination that takes
    /// records one by one, perhaps some of it.
    async fn deliver(
        &self,
        lease: &Lease,
        range: &BatchRange,
        scope: &Scope,
    ) -> PortResult<Result<Completion, BatchEnd>> {
        if scope.is_empty() {
            return Ok(Ok(Processed::skipped(range).completion(range, false)));
        }
        let attempts_max = self.job.policy.attempts_max;
        let is_worn = lease.attempt > attempts_max;
        // What takes records one by one has no name to be claimed.
        let is_named = is_worn && self.sink.is_none() && !mutation::on(Mutation::GiveUpUnnamed);
        if is_worn && (!is_named || self.claim_the_name(range).await?) {
            return self.give_up(lease, range, scope).await.map(Ok);
        }
        if let Some(sink) = &self.sink {
            return self.deliver_records(lease, range, scope, &**sink).await;
        }
        let processed = match self.process(lease, range, scope).await? {
            Ok(processed) => processed,
            Err(end) => return Ok(Err(end)),
        };
        if mutation::on(Mutation::CompleteFirst) {
            let done = processed.completion(range, false);
            self.worker.store.complete(lease, &done).await?;
        }
        let part = mutation::per_claim(output_part(range.index), lease.fence);
        let completion = processed.completion(range, false);
        self.put(lease, range, processed, part, completion)
            .await
            .map(Ok)
    }

    async fn process(
        &self,
        lease: &Lease,
        range: &BatchRange,
        scope: &Scope,
    ) -> PortResult<Result<Processed, BatchEnd>> {
        if range.oversize {
            let head = self.read_head(range).await?;
            return Ok(Ok(reject_oversize(&self.plan, range, &head)));
        }
        let (bytes, marks) = try_join(self.read(range), self.marks(range)).await?;
        if mutation::on(Mutation::LoudLog) {
            tracing::warn!(?bytes, "read");
        }
        let checked = self.check(lease, range, scope, &bytes, &marks).await?;
        Ok(checked.map(|(processed, _)| processed))
    }

    /// The batch without the records that exist already, and what was said of those.
    pub(super) async fn check(
        &self,
        lease: &Lease,
        range: &BatchRange,
        scope: &Scope,
        bytes: &[u8],
        marks: &[Mark],
    ) -> PortResult<Result<(Processed, Refused), BatchEnd>> {
        let processing = Processing::new(&self.plan, bytes, range, scope).marked(marks);
        let Some(processed) = self.work_through(processing).await? else {
            return Ok(Err(BatchEnd::Stopped));
        };
        let found = match self.find_existing(lease, range, &processed).await? {
            Ok(found) if found.is_empty() => return Ok(Ok((processed, found))),
            Ok(found) => found,
            Err(end) => return Ok(Err(end)),
        };
        let again = Processing::new(&self.plan, bytes, range, scope).marked(marks);
        let again = again.refusing(found.clone());
        let Some(again) = self.work_through(again).await? else {
            return Ok(Err(BatchEnd::Stopped));
        };
        Ok(Ok((again, found)))
    }

    /// `None` where the job was paused or ended meanwhile.
    pub(super) async fn work_through(
        &self,
        mut processing: Processing<'_>,
    ) -> PortResult<Option<Processed>> {
        while processing.step(self.worker.pace.step_records) {
            yield_now().await;
            if self.is_stopped().await? {
                return Ok(None);
            }
        }
        Ok(Some(processing.finish()))
    }

    pub(super) async fn read(&self, range: &BatchRange) -> PortResult<Bytes> {
        self.read_bytes(range.start..range.end).await
    }

    /// What the preparer found of the batch's records, where anything must be unique.
    pub(super) async fn marks(&self, range: &BatchRange) -> PortResult<Vec<Mark>> {
        let constraints = self.plan.unique_constraints();
        if constraints == 0 {
            return Ok(Vec::new());
        }
        let read = self.worker.spool.marks(&self.job.id, range.index).await?;
        // They were written before the batch was published, also where there are none.
        let bytes = read.ok_or(PortError::SpoolGone)?;
        marks::decode(range, constraints, &bytes)
    }

    async fn read_bytes(&self, bytes: Range<u64>) -> PortResult<Bytes> {
        match &self.plan.layout().spool {
            None => self.worker.source.read(&self.job.source, bytes).await,
            Some(layout) => {
                spool::read_text(&*self.worker.spool, &self.job.id, layout, bytes).await
            }
        }
    }

    /// The beginning of a record that is too long to be read: what is kept of it, and a character more.
    pub(super) async fn read_head(&self, range: &BatchRange) -> PortResult<Bytes> {
        let end = range.end.min(range.start + RAW_BYTES_MAX as u64 + 4);
        self.read_bytes(range.start..end).await
    }

    /// Writes the part, under this name, and the reports of a batch that ends like this. Empty ones are
    /// not written.
    pub(super) async fn put(
        &self,
        lease: &Lease,
        range: &BatchRange,
        processed: Processed,
        part_name: String,
        completion: Completion,
    ) -> PortResult<Completion> {
        let of = PartOf::new(range.index, lease.fence, &completion);
        let part = self.put_one(part_name, processed.part);
        let reports = async {
            let rejects = Report::Rejects.part(of);
            self.put_one(rejects, processed.rejects).await?;
            let rejects_json = Report::RejectsJson.part(of);
            self.put_one(rejects_json, processed.rejects_json).await?;
            let warnings = Report::Warnings.part(of);
            self.put_one(warnings, processed.warnings_json).await
        };
        try_join(part, reports).await?;
        Ok(completion)
    }

    async fn put_one(&self, name: String, content: Vec<u8>) -> PortResult<()> {
        if !content.is_empty() {
            self.worker
                .results
                .put_once(&self.job.id, &name, content.into())
                .await?;
        }
        Ok(())
    }

    /// Writes an empty object under the name of the part, so that no earlier worker that still lives
    /// can deliver under it later. `false` where one already has: then only its completion is missing.
    async fn claim_the_name(&self, range: &BatchRange) -> PortResult<bool> {
        let name = output_part(range.index);
        match self
            .worker
            .results
            .put_once(&self.job.id, &name, Bytes::new())
            .await
        {
            Ok(_) => Ok(true),
            Err(PortError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends a batch whose workers keep dying: each of its records becomes a reject. Should that kill
    /// workers too, the batch is ended without the text of its rows; the summary says where they are.
    async fn give_up(
        &self,
        lease: &Lease,
        range: &BatchRange,
        scope: &Scope,
    ) -> PortResult<Completion> {
        tracing::error!(job = %self.job.id, batch = range.index, attempts = lease.attempt, "batch given up");
        let attempts = lease.attempt - 1;
        let is_read = attempts == self.job.policy.attempts_max;
        let processed = if range.oversize {
            let head = if is_read {
                self.read_head(range).await?
            } else {
                Bytes::new()
            };
            reject_oversize(&self.plan, range, &head)
        } else if is_read {
            reject_all(&self.plan, &self.read(range).await?, range, scope, attempts)
        } else {
            reject_unread(&self.plan, range, scope, attempts)
        };
        let part = output_part(range.index);
        let completion = processed.completion(range, true);
        self.put(lease, range, processed, part, completion).await
    }
}
