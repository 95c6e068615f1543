//! Which records of a batch a redrive works on.
//!
//! The attempts at one version of a source are a chain: each redrive names the attempt before. What a
//! batch still owes is read off that chain, from the oldest attempt to the newest: a batch that was
//! done owes its rejects, one that was given up or cancelled owes all that it was to work on, and one
//! that an attempt left aside owes what it owed before. So no row that any attempt delivered is
//! delivered again, however redrives of failed batches and of rejects follow one another.

use std::collections::BTreeSet;

use batchfleet_grammar::BatchRange;

use crate::batch::{BatchItem, BatchKey, BatchStatus};
use crate::error::{PortError, PortResult};
use crate::ids::JobId;
use crate::job::Job;
use crate::mutation::{self, Mutation};
use crate::ports::ShardView;
use crate::report::Report;
use crate::source::{Redrive, Redriven};
use crate::work::invocation::Invocation;

/// The records of a batch that are worked, by their index in the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// These.
    Only(BTreeSet<u64>),
}

impl Scope {
    /// None of them.
    pub const NONE: Self = Self::Only(BTreeSet::new());

    /// Whether no record is worked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only(records) if records.is_empty())
    }

    /// Whether the record is worked.
    #[must_use]
    pub fn has(&self, record: u64) -> bool {
        match self {
            Self::All => true,
            Self::Only(records) => records.contains(&record),
        }
    }

    /// How many of the range's records are worked. Of a part of them, none is a footer.
    #[must_use]
    pub fn count(&self, range: &BatchRange) -> u64 {
        match self {
            Self::All => range.records - range.footer,
            Self::Only(records) => records.len() as u64,
        }
    }
}

/// What a batch owes after an attempt.
enum Owed {
    /// It was not worked to its end: these.
    Undone(Scope),
    /// It was given up: these, which are rejects too.
    GivenUp(Scope),
    /// It was done, but for its rejects.
    Rejects(Scope),
}

impl Owed {
    /// What the next attempt works on.
    fn chosen(&self, what: Redriven) -> Option<&Scope> {
        match (what, self) {
            (Redriven::Failed, Self::Undone(scope))
            | (_, Self::GivenUp(scope))
            | (Redriven::Rejected, Self::Rejects(scope)) => Some(scope).filter(|it| !it.is_empty()),
            (Redriven::Failed, Self::Rejects(_)) | (Redriven::Rejected, Self::Undone(_)) => None,
        }
    }
}

/// The attempts before a redrive, and the shard of each that was read last.
#[derive(Default)]
pub(super) struct Before {
    /// The oldest first.
    attempts: Vec<Job>,
    /// A shard's number, and how each attempt left it.
    shard: Option<(u32, Vec<ShardView>)>,
    /// The attempts that began with what is worked of the batch looked at last, and did not finish it:
    /// they may have delivered some of it.
    pub(super) begun: Vec<JobId>,
}

impl Invocation<'_> {
    /// The records of a batch that this job works on.
    pub(super) async fn scope(&mut self, key: &BatchKey, range: &BatchRange) -> PortResult<Scope> {
        let Some(redrive) = self.job.source.redrive.clone() else {
            return Ok(Scope::All);
        };
        if self.before.attempts.is_empty() {
            self.before.attempts = self.attempts_before(&redrive).await?;
        }
        if !matches!(&self.before.shard, Some((number, _)) if *number == key.shard) {
            let views = self.views(key.shard).await?;
            self.before.shard = Some((key.shard, views));
        }
        let (owed, begun) = self.owed(key, range).await?;
        self.before.begun = begun;
        Ok(match owed.chosen(redrive.what) {
            Some(_) if mutation::on(Mutation::RedriveWholeBatches) => Scope::All,
            Some(scope) => scope.clone(),
            None => Scope::NONE,
        })
    }

    /// Every attempt before this one, up to the one that imported the whole file.
    async fn attempts_before(&self, redrive: &Redrive) -> PortResult<Vec<Job>> {
        let mut attempts = Vec::new();
        let mut next = Some(redrive.clone());
        while let Some(before) = next.take() {
            let found = self.worker.store.job(&before.of).await?;
            let job = found.ok_or_else(|| gone(&before.of))?;
            next.clone_from(&job.source.redrive);
            attempts.push(job);
        }
        attempts.reverse();
        Ok(attempts)
    }

    async fn views(&self, shard: u32) -> PortResult<Vec<ShardView>> {
        let mut views = Vec::with_capacity(self.before.attempts.len());
        for job in &self.before.attempts {
            let view = self.worker.store.sweep(&job.id, shard).await?;
            views.push(view.ok_or_else(|| gone(&job.id))?);
        }
        Ok(views)
    }

    /// What a batch owes after all attempts before this one, and which of them began with just that.
    async fn owed(&self, key: &BatchKey, range: &BatchRange) -> PortResult<(Owed, Vec<JobId>)> {
        let mut owed = Owed::Undone(Scope::All);
        let mut begun = Vec::new();
        let views = self.before.shard.iter().flat_map(|(_, views)| views);
        for (job, view) in self.before.attempts.iter().zip(views) {
            let chosen = match &job.source.redrive {
                None => Some(&Scope::All),
                Some(_) if mutation::on(Mutation::RedriveForgetsChain) => Some(&Scope::All),
                Some(redrive) => owed.chosen(redrive.what),
            };
            if let Some(scope) = chosen.cloned() {
                let item = view.batches.get(&key.slot);
                owed = self.owed_after(job, item, range, scope).await?;
                match &owed {
                    // Its rejects are none that it delivered.
                    Owed::Rejects(_) => begun.clear(),
                    Owed::Undone(_) | Owed::GivenUp(_) => begun.push(job.id.clone()),
                }
            }
        }
        Ok((owed, begun))
    }

    /// What a batch owes after an attempt that was to work on `scope`.
    async fn owed_after(
        &self,
        job: &Job,
        item: Option<&BatchItem>,
        range: &BatchRange,
        scope: Scope,
    ) -> PortResult<Owed> {
        let Some(item) = item else {
            return Ok(Owed::Undone(scope));
        };
        Ok(match item.status {
            BatchStatus::Done => {
                let name = Report::Rejects.part_of(range.index, item);
                let rejects = if let Some(name) = name {
                    let part = self.worker.results.get(&job.id, &name).await?;
                    let part = part.ok_or_else(|| {
                        PortError::refused(
                            "read rejects",
                            format!("{name} of job {} is gone", job.id),
                        )
                    })?;
                    self.plan.rejected_records(&part)?
                } else {
                    BTreeSet::new()
                };
                Owed::Rejects(Scope::Only(rejects))
            }
            BatchStatus::Failed => Owed::GivenUp(scope),
            BatchStatus::Pending | BatchStatus::Leased | BatchStatus::Cancelled => {
                Owed::Undone(scope)
            }
        })
    }
}

fn gone(job: &JobId) -> PortError {
    PortError::refused("redrive", format!("job {job} is gone"))
}
