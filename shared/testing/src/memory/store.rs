//! The store in memory: every condition of the protocol checked under one mutex, and everything
//! really kept. It is the model that the other stores are held against.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use async_trait::async_trait;
use batchfleet_core::batch::{BatchKey, Completion, Lease, Publication, Shard, ShardTotals};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{
    Checkpoint, Counts, Ending, Job, JobEvent, JobStatus, Layout, NewJob, PlanTotals, PreparerHold,
};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{
    ClaimOutcome, CloseOutcome, CompleteOutcome, CreateOutcome, FinalizeOutcome, Held,
    PreparerOutcome, ShardView, Snapshot, Store, TicketOutcome,
};
use batchfleet_core::{PortError, PortResult};

use super::lock;
use super::shards::ShardRecord;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    jobs: Mutex<HashMap<JobId, Record>>,
}

/// Everything about one job.
#[derive(Debug)]
struct Record {
    job: Job,
    snapshot: Snapshot,
    preparer: Preparer,
    shards: BTreeMap<u32, ShardRecord>,
}

#[derive(Debug, Default)]
struct Preparer {
    owner: Option<OwnerId>,
    fence: u64,
    lease_until_ms: u64,
    checkpoint: Option<Checkpoint>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every job, in no order.
    #[must_use]
    pub fn job_ids(&self) -> Vec<JobId> {
        lock(&self.jobs).keys().cloned().collect()
    }

    /// Looks at a job; `None` where there is none.
    fn look<T>(&self, job: &JobId, look: impl FnOnce(&Record) -> T) -> Option<T> {
        lock(&self.jobs).get(job).map(look)
    }

    /// Changes a job in one atomic step.
    fn change<T>(
        &self,
        action: &'static str,
        job: &JobId,
        change: impl FnOnce(&mut Record) -> T,
    ) -> PortResult<T> {
        match lock(&self.jobs).get_mut(job) {
            Some(record) => Ok(change(record)),
            None => Err(PortError::refused(action, format!("there is no job {job}"))),
        }
    }
}

impl Record {
    fn new(new: &NewJob) -> Self {
        Self {
            job: Job {
                id: new.id.clone(),
                status: JobStatus::Preparing,
                source: new.source.clone(),
                definition_name: new.definition_name.clone(),
                policy: new.policy,
                created_ms: new.created_ms,
                plan: None,
                shards_closed: 0,
                closed: Counts::default(),
                closed_bytes: 0,
                finished_ms: None,
                reason: None,
                outbox: false,
            },
            snapshot: Snapshot {
                definition_text: new.definition_text.clone(),
                layout: None,
            },
            preparer: Preparer::default(),
            shards: BTreeMap::new(),
        }
    }

    fn shard(&mut self, shard: u32) -> &mut ShardRecord {
        self.shards.entry(shard).or_default()
    }

    fn is_held_by(&self, hold: &PreparerHold) -> bool {
        self.preparer.fence == hold.fence && self.preparer.owner.as_ref() == Some(&hold.owner)
    }

    fn take_preparer(&mut self, owner: &OwnerId, now_ms: u64, until_ms: u64) -> PreparerOutcome {
        if self.job.status != JobStatus::Preparing {
            return PreparerOutcome::NotPreparing(self.job.status);
        }
        let preparer = &mut self.preparer;
        if preparer.lease_until_ms <= now_ms {
            preparer.owner = Some(owner.clone());
            preparer.fence += 1;
            preparer.lease_until_ms = until_ms;
        } else if preparer.owner.as_ref() != Some(owner) {
            return PreparerOutcome::HeldUntil(preparer.lease_until_ms);
        }
        // Taken now, or by this very call when it was made before and its response was lost.
        let hold = PreparerHold {
            job: self.job.id.clone(),
            owner: owner.clone(),
            fence: preparer.fence,
        };
        PreparerOutcome::Granted(hold, preparer.checkpoint)
    }

    fn checkpoint(&mut self, hold: &PreparerHold, checkpoint: &Checkpoint, until_ms: u64) -> Held {
        if !self.is_held_by(hold) {
            return Held::Lost;
        }
        self.preparer.checkpoint = Some(*checkpoint);
        self.preparer.lease_until_ms = until_ms;
        Held::Kept
    }

    fn mark_prepared(&mut self, hold: &PreparerHold, totals: &PlanTotals) -> Held {
        if !self.is_held_by(hold) {
            return Held::Lost;
        }
        if let Some(status) = self.job.status.after(JobEvent::Prepared) {
            self.job.status = status;
            self.job.plan = Some(*totals);
            return Held::Kept;
        }
        // This very call may have gone through before, and its response been lost.
        if !self.job.status.is_terminal() && self.job.plan.as_ref() == Some(totals) {
            Held::Kept
        } else {
            Held::Lost
        }
    }

    fn close_shard(&mut self, shard: u32, totals: &ShardTotals) -> CloseOutcome {
        let is_over = self.job.status.is_terminal();
        let Some(record) = self.shards.get_mut(&shard) else {
            return CloseOutcome::Refused;
        };
        if record.item.is_some_and(|item| item.closed) {
            return CloseOutcome::AlreadyClosed;
        }
        if is_over || !record.close(totals) {
            return CloseOutcome::Refused;
        }
        self.job.shards_closed += 1;
        self.job.closed += totals.counts;
        self.job.closed_bytes += totals.bytes;
        CloseOutcome::Closed
    }

    fn finalize(&mut self, ending: &Ending, finished_ms: u64) -> FinalizeOutcome {
        let job = &mut self.job;
        if job.status.is_terminal() {
            return FinalizeOutcome::AlreadyOver(job.status);
        }
        let (event, reason) = match ending {
            Ending::Completed => (JobEvent::Balanced, None),
            Ending::Failed(reason) => (JobEvent::Failed, Some(reason.clone())),
        };
        let is_whole = job
            .plan
            .is_some_and(|plan| plan.shards == job.shards_closed);
        match job.status.after(event) {
            Some(status) if event == JobEvent::Failed || is_whole => {
                job.status = status;
                job.finished_ms = Some(finished_ms);
                job.reason = reason;
                job.outbox = true;
                FinalizeOutcome::Won
            }
            _ => FinalizeOutcome::NotReady,
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create(&self, job: &NewJob) -> PortResult<CreateOutcome> {
        let mut jobs = lock(&self.jobs);
        if jobs.contains_key(&job.id) {
            return Ok(CreateOutcome::Exists);
        }
        jobs.insert(job.id.clone(), Record::new(job));
        Ok(CreateOutcome::Created)
    }

    async fn job(&self, job: &JobId) -> PortResult<Option<Job>> {
        Ok(self.look(job, |record| record.job.clone()))
    }

    async fn snapshot(&self, job: &JobId) -> PortResult<Option<Snapshot>> {
        Ok(self.look(job, |record| record.snapshot.clone()))
    }

    async fn take_preparer(
        &self,
        job: &JobId,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<PreparerOutcome> {
        self.change("take preparer", job, |record| {
            record.take_preparer(owner, now_ms, until_ms)
        })
    }

    async fn put_layout(&self, job: &JobId, layout: &Layout) -> PortResult<()> {
        self.change("put layout", job, |record| {
            record.snapshot.layout.get_or_insert_with(|| layout.clone());
        })
    }

    async fn write_pages(
        &self,
        job: &JobId,
        shard: u32,
        first_page: u32,
        pages: &[PlanPage],
    ) -> PortResult<()> {
        self.change("write pages", job, |record| {
            let shard = record.shard(shard);
            (first_page..)
                .zip(pages)
                .try_for_each(|(number, page)| shard.write_page(number, page))
        })?
    }

    async fn publish(&self, job: &JobId, shard: u32, publication: &Publication) -> PortResult<()> {
        self.change("publish", job, |record| {
            record.shard(shard).publish(publication);
        })
    }

    async fn checkpoint(
        &self,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> PortResult<Held> {
        self.change("checkpoint", &hold.job, |record| {
            record.checkpoint(hold, checkpoint, until_ms)
        })
    }

    async fn mark_prepared(&self, hold: &PreparerHold, totals: &PlanTotals) -> PortResult<Held> {
        self.change("mark prepared", &hold.job, |record| {
            record.mark_prepared(hold, totals)
        })
    }

    async fn shard(&self, job: &JobId, shard: u32) -> PortResult<Option<Shard>> {
        let item = self.look(job, |record| record.shards.get(&shard)?.item);
        Ok(item.flatten())
    }

    async fn take_tickets(
        &self,
        job: &JobId,
        shard: u32,
        count: u32,
        published_seen: u32,
    ) -> PortResult<TicketOutcome> {
        self.change("take tickets", job, |record| {
            record.shard(shard).take_tickets(count, published_seen)
        })
    }

    async fn page(&self, job: &JobId, shard: u32, page: u32) -> PortResult<Option<PlanPage>> {
        let found = self.look(job, |record| {
            record.shards.get(&shard)?.pages.get(&page).cloned()
        });
        Ok(found.flatten())
    }

    async fn pages(&self, job: &JobId, shard: u32) -> PortResult<Vec<PlanPage>> {
        let found = self.look(job, |record| match record.shards.get(&shard) {
            Some(shard) => shard.pages.values().cloned().collect(),
            None => Vec::new(),
        });
        Ok(found.unwrap_or_default())
    }

    async fn claim(
        &self,
        key: &BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<ClaimOutcome> {
        self.change("claim batch", &key.job, |record| {
            record.shard(key.shard).claim(key, owner, now_ms, until_ms)
        })
    }

    async fn heartbeat(&self, lease: &Lease, until_ms: u64) -> PortResult<Held> {
        self.change("heartbeat", &lease.key.job, |record| {
            let shard = record.shard(lease.key.shard);
            shard.under_lease(lease, |mut item| {
                item.lease_until_ms = until_ms;
                item
            })
        })
    }

    async fn complete(
        &self,
        lease: &Lease,
        completion: &Completion,
    ) -> PortResult<CompleteOutcome> {
        self.change("complete batch", &lease.key.job, |record| {
            record.shard(lease.key.shard).complete(lease, completion)
        })
    }

    async fn release(&self, lease: &Lease) -> PortResult<Held> {
        self.change("release batch", &lease.key.job, |record| {
            let shard = record.shard(lease.key.shard);
            shard.under_lease(lease, batchfleet_core::batch::BatchItem::released)
        })
    }

    async fn sweep(&self, job: &JobId, shard: u32) -> PortResult<Option<ShardView>> {
        let view = self.look(job, |record| {
            let record = record.shards.get(&shard)?;
            let shard = record.item?;
            Some(ShardView {
                shard,
                batches: record.batches.clone(),
            })
        });
        Ok(view.flatten())
    }

    async fn close_shard(
        &self,
        job: &JobId,
        shard: u32,
        totals: &ShardTotals,
    ) -> PortResult<CloseOutcome> {
        self.change("close shard", job, |record| {
            record.close_shard(shard, totals)
        })
    }

    async fn finalize(
        &self,
        job: &JobId,
        ending: &Ending,
        finished_ms: u64,
    ) -> PortResult<FinalizeOutcome> {
        self.change("finalize job", job, |record| {
            record.finalize(ending, finished_ms)
        })
    }

    async fn clear_outbox(&self, job: &JobId) -> PortResult<()> {
        self.change("clear outbox", job, |record| record.job.outbox = false)
    }
}
