//! The preparer: from an uploaded object to a complete plan (steps 1 to 5 and 9 of the protocol).
//!
//! It streams the object once, finds where records begin and end, and writes the ranges of batches
//! as it goes, so that workers run while it still reads. It holds the job under a lease and a fence
//! and leaves a checkpoint after every window, so that another can go on where it stopped. It reads
//! no cell but the header's, and those whose values must be unique.

pub(crate) mod footer;
mod planning;
mod redrive;
mod tail;
mod text;
mod uniques;

use std::sync::Arc;

use batchfleet_definition::Definition;
use batchfleet_grammar::SplitError;
use bytes::Bytes;

use crate::close::Closer;
use crate::error::{PortError, PortResult};
use crate::head::HEAD_BYTES;
use crate::ids::{JobId, OwnerId};
use crate::job::{
    Checkpoint, Job, JobStatus, Layout, NewJob, Policy, PreparerHold, Reason, ReasonCode,
};
use crate::message::Message;
use crate::mutation::{self, Mutation};
use crate::opening;
use crate::ports::{
    Clock, Definitions, FoundDefinition, Ids, PreparerOutcome, Queue, Results, Source, Spool, Store,
};
use crate::prepare::planning::Planning;
pub use crate::prepare::redrive::next_attempt;
use crate::process::JobPlan;
use crate::source::{Route, SourceRef};
use crate::unique::Spills;

/// How long after a lease has ended a message waits that looks after it.
const GRACE_MS: u64 = 500;

/// Plans jobs.
pub struct Preparer {
    /// Jobs and plans.
    pub store: Arc<dyn Store>,
    /// The uploaded bytes.
    pub source: Arc<dyn Source>,
    /// The decoded text of sources that do not split, and the marks of duplicates.
    pub spool: Arc<dyn Spool>,
    /// Definitions by name.
    pub definitions: Arc<dyn Definitions>,
    /// Reports of jobs that end here.
    pub results: Arc<dyn Results>,
    /// Messages to workers, and to the preparer that comes after this one.
    pub queue: Arc<dyn Queue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The owner's id.
    pub ids: Arc<dyn Ids>,
    /// How new jobs are cut, where their definitions leave it open.
    pub policy: Policy,
    /// Records in a batch, asked for over what the definition says: a flag of the command.
    pub batch_records: Option<u32>,
    /// How much of the object is read at once. Two windows are in memory: one is scanned while the
    /// next is fetched. Parts of a spool are as long: whoever reads a batch reads a part or two.
    pub window_bytes: u64,
    /// Room for the keys of unique fields that do not fit into memory.
    pub spills: Arc<dyn Spills>,
    /// Bytes of memory for those keys: 29 to 57 each, as its table is just doubled or full.
    pub unique_memory_bytes: u64,
}

/// Memory for some 7 million keys. What comes after goes to disk.
pub const UNIQUE_MEMORY_BYTES: u64 = 512 << 20;

/// The window for S3: AWS advises ranged reads of 8 to 16 MB.
/// <https://docs.aws.amazon.com/whitepapers/latest/s3-optimizing-performance-best-practices/use-byte-range-fetches.html>
pub const S3_WINDOW_BYTES: u64 = 8 << 20;

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// The key starts no job, for this reason.
    Ignored(&'static str),
    /// The plan is complete.
    Planned(JobId),
    /// The job ended here: it had no records, or could not begin.
    Ended(JobId, JobStatus),
    /// The job is past preparing; an earlier event did it.
    AlreadyPrepared(JobId, JobStatus),
    /// Another preparer is at it until then; a message looks after that.
    HeldUntil(JobId, u64),
    /// Out of time: the next preparer goes on from the checkpoint.
    HandedOver(JobId),
    /// Another preparer took over in between.
    Superseded(JobId),
}

impl Preparer {
    /// Prepares an uploaded object under the definition that its key names.
    ///
    /// # Errors
    /// A port's. The same call may be repeated: what was done is found.
    pub async fn prepare(
        &self,
        source: &SourceRef,
        deadline_ms: Option<u64>,
    ) -> PortResult<Prepared> {
        match source.route() {
            Route::Ignored(reason) => Ok(Prepared::Ignored(reason)),
            Route::Definition(name) => self.prepare_under(source, &name, deadline_ms).await,
        }
    }

    /// Prepares a source under a named definition.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub async fn prepare_under(
        &self,
        source: &SourceRef,
        definition_name: &str,
        deadline_ms: Option<u64>,
    ) -> PortResult<Prepared> {
        let id = source.job_id();
        let job = self.store.job(&id).await?;
        if let Some(job) = job.filter(|job| job.status != JobStatus::Preparing) {
            if job.has_only_its_guard() && !mutation::on(Mutation::GuardEndsEarly) {
                self.leave_guard(source).await?;
            }
            self.closer().finish(&id).await?;
            return Ok(Prepared::AlreadyPrepared(id, job.status));
        }
        // Before anything else: should this preparer die at any later point, this message finds the
        // job after the lease has ended. While the job is being planned each delivery leaves the next.
        if !mutation::on(Mutation::NoGuard) {
            self.leave_guard(source).await?;
        }
        self.create(&id, source, definition_name).await?;

        let owner = OwnerId::from_random(self.ids.random());
        let now = self.clock.now_ms();
        match self
            .store
            .take_preparer(&id, &owner, now, now + self.policy.lease_ms)
            .await?
        {
            PreparerOutcome::HeldUntil(until) => Ok(Prepared::HeldUntil(id, until)),
            PreparerOutcome::NotPreparing(status) => Ok(Prepared::AlreadyPrepared(id, status)),
            PreparerOutcome::Granted(hold, checkpoint) => {
                tracing::info!(job = %id, fence = hold.fence, resumed = checkpoint.is_some(), "preparing");
                self.plan(hold, checkpoint, deadline_ms).await
            }
        }
    }

    async fn leave_guard(&self, source: &SourceRef) -> PortResult<()> {
        let guard = Message::Prepare {
            source: source.clone(),
        };
        let delay_ms = self.policy.lease_ms + GRACE_MS;
        self.queue.send(&guard, delay_ms).await
    }

    /// The closer over this preparer's ports.
    #[must_use]
    pub fn closer(&self) -> Closer {
        Closer {
            store: Arc::clone(&self.store),
            results: Arc::clone(&self.results),
            spool: Arc::clone(&self.spool),
            clock: Arc::clone(&self.clock),
        }
    }

    async fn create(
        &self,
        id: &JobId,
        source: &SourceRef,
        definition_name: &str,
    ) -> PortResult<()> {
        if self.store.job(id).await?.is_some() {
            return Ok(());
        }
        let before = match &source.redrive {
            Some(redrive) => self.attempt_before(redrive).await?,
            None => None,
        };
        // A definition that is missing is kept as an empty text, which `plan` then reports.
        let definition_text = match self.definitions.definition(definition_name).await? {
            FoundDefinition::Text(text) => text,
            FoundDefinition::Missing | FoundDefinition::Unusable(_) => before
                .as_ref()
                .map_or_else(String::new, |(_, text)| text.clone()),
        };
        let mut policy = self.policy;
        if let Ok(definition) = Definition::parse(&definition_text) {
            apply(&mut policy, &definition);
        }
        policy.batch_records_max = self.batch_records.unwrap_or(policy.batch_records_max);
        if let Some((job, _)) = &before {
            policy = redrive::policy(policy, &job.policy);
        }
        let job = NewJob {
            id: id.clone(),
            source: source.clone(),
            definition_name: definition_name.to_owned(),
            definition_text,
            policy,
            created_ms: self.clock.now_ms(),
        };
        self.store.create(&job).await?;
        Ok(())
    }

    /// Plans under the hold, or ends the job with the reason why it can't be.
    async fn plan(
        &self,
        hold: PreparerHold,
        checkpoint: Option<Checkpoint>,
        deadline_ms: Option<u64>,
    ) -> PortResult<Prepared> {
        let id = hold.job.clone();
        let Some(job) = self.store.job(&id).await? else {
            return Err(PortError::corrupt(
                "the job",
                "it vanished after it was created",
            ));
        };
        let planned = match self.job_plan(&job).await {
            Ok(plan) => {
                let mut planning = Planning::new(self, &job, hold, &plan, checkpoint, deadline_ms);
                // Boxed: whoever calls this would carry its windows and decoder around.
                Box::pin(planning.run()).await
            }
            Err(stop) => Err(stop),
        };
        match planned {
            Ok(prepared) => Ok(prepared),
            Err(Stop::Port(PortError::SourceChanged)) => {
                self.end(&id, Reason::source_changed()).await
            }
            Err(Stop::Port(error)) => Err(error),
            Err(Stop::Job(reason)) => self.end(&id, reason).await,
        }
    }

    async fn end(&self, id: &JobId, reason: Reason) -> PortResult<Prepared> {
        let status = self.closer().fail(id, reason).await?;
        Ok(Prepared::Ended(id.clone(), status))
    }

    /// Why a job has no definition's text. Looked up again, since only the text is kept.
    async fn no_definition(&self, name: &str) -> PortResult<Reason> {
        let message = match self.definitions.definition(name).await? {
            FoundDefinition::Unusable(why) => format!("the definition {name} can't be used: {why}"),
            FoundDefinition::Text(_) | FoundDefinition::Missing => format!(
                "there was no definition named {name}, or it was empty: put it at \
                 definitions/{name}.yaml and upload the file again"
            ),
        };
        Ok(Reason {
            code: ReasonCode::BadDefinition,
            message,
        })
    }

    /// The definition bound to the layout that an earlier preparer kept, or to the one that the head
    /// of the file shows.
    async fn job_plan(&self, job: &Job) -> Result<JobPlan, Stop> {
        let snapshot = self.store.snapshot(&job.id).await?;
        let Some(snapshot) = snapshot else {
            return Err(PortError::corrupt("the snapshot of the job", "it is missing").into());
        };
        if snapshot.layout.is_some() {
            return Ok(JobPlan::compile(snapshot)?);
        }
        if snapshot.definition_text.is_empty() {
            return Err(Stop::Job(self.no_definition(&job.definition_name).await?));
        }
        let definition = Definition::parse(&snapshot.definition_text).map_err(|faults| {
            Stop::Job(Reason {
                code: ReasonCode::BadDefinition,
                message: format!(
                    "the definition {} has faults: {faults}",
                    job.definition_name
                ),
            })
        })?;
        let layout = match &job.source.redrive {
            Some(redrive) => self.layout_before(redrive, job, &definition).await?,
            None => self.read_layout(job, &definition).await?,
        };
        // Rows that were JSON are in a dialect of our own.
        if !layout.is_json() && !definition.reading().allows(&layout.dialect) {
            return Err(dialect_changed(&job.definition_name));
        }
        let plan = JobPlan::bind(&definition, layout).map_err(|faults| {
            Stop::Job(Reason {
                code: ReasonCode::BadHeader,
                message: faults.to_string(),
            })
        })?;
        self.store.put_layout(&job.id, plan.layout()).await?;
        Ok(plan)
    }

    /// What the head of the file shows.
    async fn read_layout(&self, job: &Job, definition: &Definition) -> Result<Layout, Stop> {
        let window = job.source.size.min(HEAD_BYTES);
        let bytes = if window == 0 {
            Bytes::new()
        } else {
            self.source.read(&job.source, 0..window).await?
        };
        let whole = window == job.source.size;
        opening::layout(&bytes, whole, definition, self.window_bytes).map_err(Stop::Job)
    }
}

/// What a definition says of how its jobs are cut and worked.
fn apply(policy: &mut Policy, definition: &Definition) {
    if let Some(records) = definition.batches().records {
        policy.batch_records_max = records;
    }
    if let Some(bytes) = definition.batches().bytes {
        policy.batch_bytes_max = bytes;
    }
    if let Some(workers) = definition.max_workers() {
        policy.workers_max = policy.workers_max.min(workers);
    }
    policy.tolerated = definition.tolerated();
}

/// A redrive takes over how its file was read.
fn dialect_changed(definition: &str) -> Stop {
    Stop::Job(Reason {
        code: ReasonCode::BadDefinition,
        message: format!(
            "the dialect of the definition {definition} was changed since the file was planned: import the \
             file again"
        ),
    })
}

/// Why planning stopped short.
enum Stop {
    /// The job can't go on, for this reason.
    Job(Reason),
    /// A port failed; the next preparer goes on.
    Port(PortError),
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<SplitError> for Stop {
    fn from(error: SplitError) -> Self {
        Self::Job(Reason {
            code: ReasonCode::RecordUnbounded,
            message: error.to_string(),
        })
    }
}
