//! The sweeper: finds jobs that nobody looks after any more (I6), and wakes them.
//!
//! A job's guard (while it is planned) and its watch (from its first batch on) wait in queues, and
//! are all it normally needs. A queue may lose them all the same: a message can be given up to the
//! dead letters, or expire while nobody receives. So once a minute every open job is looked at: one
//! whose watch is overdue gets a new one, one whose preparer's lease ended long ago is prepared on.

use std::sync::Arc;

use crate::error::{PortResult, chain};
use crate::ids::JobId;
use crate::job::{Job, JobStatus};
use crate::message::Message;
use crate::mutation::{self, Mutation};
use crate::ports::{Clock, Queue, Store};

/// How long after its time a message counts as lost: longer than a queue is ever late.
pub const GRACE_MS: u64 = 30_000;

/// Looks after all jobs.
pub struct Sweeper {
    /// Open jobs.
    pub store: Arc<dyn Store>,
    /// Where they are woken.
    pub queue: Arc<dyn Queue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Jobs that are open or owe their report.
    pub open: u32,
    /// Jobs that were woken.
    pub woken: u32,
    /// Jobs that could not be looked at; the next sweep does.
    pub failed: u32,
}

impl Sweeper {
    /// Looks at every open job once. One that fails keeps none of the others from being looked at.
    ///
    /// # Errors
    /// Where the open jobs can't be listed.
    pub async fn sweep(&self) -> PortResult<Swept> {
        let mut swept = Swept::default();
        for id in self.store.open_jobs().await? {
            match self.look_after(&id).await {
                Ok(None) => {}
                Ok(Some(woken)) => {
                    swept.open += 1;
                    swept.woken += u32::from(woken);
                }
                Err(error) => {
                    swept.failed += 1;
                    tracing::warn!(job = %id, error = %chain(&error), "sweeping failed");
                }
            }
        }
        Ok(swept)
    }

    /// Whether the job was woken; `None` where it needs nobody any more.
    async fn look_after(&self, id: &JobId) -> PortResult<Option<bool>> {
        let Some(job) = self.store.job(id).await? else {
            return Ok(None);
        };
        if job.status.is_terminal() && !job.outbox {
            // Listed although it is over: whoever cleared the mark died before it took it off.
            self.store.clear_outbox(id).await?;
            return Ok(None);
        }
        let overdue = self.overdue(&job).await?;
        for message in &overdue {
            tracing::warn!(job = %id, status = job.status.as_str(), "waking a job that nobody looks after");
            self.queue.send(message, 0).await?;
        }
        Ok(Some(!overdue.is_empty()))
    }

    /// The messages that the job needs and has not: a job that is planned may have lost its guard, its
    /// watch, or both.
    async fn overdue(&self, job: &Job) -> PortResult<Vec<Message>> {
        let now = self.clock.now_ms();
        let is_planning = job.status == JobStatus::Preparing;
        let mut overdue = Vec::new();
        if is_planning {
            let preparer = self.store.preparer(&job.id).await?;
            let until = preparer.map_or(0, |preparer| preparer.lease_until_ms);
            let since = until.max(job.created_ms) + job.policy.lease_ms + GRACE_MS;
            overdue.extend((since < now).then(|| Message::Prepare {
                source: job.source.clone(),
            }));
        }
        let watch = self.store.watch(&job.id).await?;
        if is_planning && (watch.is_none() || mutation::on(Mutation::SweepOneByOne)) {
            // The preparer leaves the first with the first batch.
            return Ok(overdue);
        }
        // Without any, the job ended or was planned before its first batch: since then it is due.
        let (token, due) = watch.map_or((0, job.created_ms), |watch| (watch.token, watch.due_ms));
        overdue.extend((due + GRACE_MS < now).then(|| Message::Watch {
            job: job.id.clone(),
            token,
        }));
        Ok(overdue)
    }
}
