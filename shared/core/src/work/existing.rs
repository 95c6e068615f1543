//! Which rows of a batch exist already in tables that the definition names: asked once for the batch,
//! and kept before anything of it is delivered. See [`lookup`](crate::lookup) for why.

use batchfleet_grammar::BatchRange;
use bytes::Bytes;

use crate::batch::Lease;
use crate::error::{PortError, PortResult};
use crate::ids::JobId;
use crate::lookup::{Asked, Asking, Existing, RowKeys, existing_part};
use crate::mutation::{self, Mutation};
use crate::process::{Processed, Refused};
use crate::work::invocation::{BatchEnd, Invocation};

impl Invocation<'_> {
    /// What is said of the good records of a batch that exist already; nothing where the definition
    /// looks nothing up.
    pub(super) async fn find_existing(
        &self,
        lease: &Lease,
        range: &BatchRange,
        processed: &Processed,
    ) -> PortResult<Result<Refused, BatchEnd>> {
        if self.tables.is_empty() || processed.rows.is_empty() {
            return Ok(Ok(Refused::new()));
        }
        let name = existing_part(range.index);
        let existing = match self.kept(lease, &name).await? {
            Some(kept) => kept,
            None => match self.ask(processed).await? {
                Ok(asked) => asked,
                Err(end) => return Ok(Err(end)),
            },
        };
        let existing = if mutation::on(Mutation::LookUpAgain) {
            existing
        } else {
            self.keep(&name, existing).await?
        };
        let mut found = Refused::new();
        for (record, found_by) in existing.by_record() {
            let errors = found_by
                .into_iter()
                .map(|place| self.plan.external_duplicate(place));
            found.insert(record, errors.collect());
        }
        Ok(Ok(found))
    }

    /// What an earlier attempt at the batch was told: of this job, or, into a destination that takes
    /// records one by one, of those before it that began with what this one works on: they may have
    /// delivered some of it.
    async fn kept(&self, lease: &Lease, name: &str) -> PortResult<Option<Existing>> {
        // Nobody can have been told anything before the first claim.
        if lease.fence > 1
            && let Some(kept) = self.read_kept(&self.job.id, name).await?
        {
            return Ok(Some(kept));
        }
        if mutation::on(Mutation::RedriveLooksUpAgain) {
            return Ok(None);
        }
        let begun = self.sink.iter().flat_map(|_| &self.before.begun);
        for job in begun.rev() {
            if let Some(kept) = self.read_kept(job, name).await? {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }

    async fn read_kept(&self, job: &JobId, name: &str) -> PortResult<Option<Existing>> {
        let Some(kept) = self.worker.results.get(job, name).await? else {
            return Ok(None);
        };
        Existing::read(&kept, &self.definition_sum, self.tables.len())
    }

    /// Keeps an answer, and gives the one that is kept: somebody else's, where it came first.
    async fn keep(&self, name: &str, existing: Existing) -> PortResult<Existing> {
        let content = Bytes::from(existing.to_json());
        let (job, results) = (&self.job.id, &self.worker.results);
        match results.put_once(job, name, content).await {
            Ok(_) => Ok(existing),
            Err(PortError::Conflict { .. }) => {
                let kept = self.read_kept(job, name).await?;
                kept.ok_or_else(|| PortError::corrupt("a kept look-up", "it is of another job"))
            }
            Err(error) => Err(error),
        }
    }

    /// Asks every table for the good records.
    async fn ask(&self, processed: &Processed) -> PortResult<Result<Existing, BatchEnd>> {
        let mut keys = RowKeys::new(self.tables.len());
        for (record, row) in processed.records() {
            keys.add(self.plan.lookups(), record, row)?;
        }
        let mut records = Vec::with_capacity(self.tables.len());
        for (place, table) in self.tables.iter().enumerate() {
            let asking = Asking {
                lookup: &*table.lookup,
                retries: self.plan.retries(),
                ends_ms: self.delivery_ends_ms(),
                clock: &*self.worker.clock,
                ids: &*self.worker.ids,
                steering: self,
            };
            match asking.existing(&keys.of(place)).await? {
                Asked::Done(existing) => records.push(keys.records(place, &existing)),
                Asked::Stopped => return Ok(Err(BatchEnd::Stopped)),
                Asked::OutOfTime => return Ok(Err(BatchEnd::OutOfTime)),
            }
        }
        Ok(Ok(Existing::new(&self.definition_sum, records)))
    }
}
