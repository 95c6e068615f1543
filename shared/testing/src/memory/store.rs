//! The store in memory: every step of the protocol under one mutex, decided by the core's pure
//! functions, and everything really kept. It is the model that the other stores are held against.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use async_trait::async_trait;
use batchfleet_core::batch::{
    BatchItem, BatchKey, Completion, Lease, Publication, Shard, ShardTotals,
};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{Checkpoint, Ending, Job, Layout, NewJob, PlanTotals, PreparerHold};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{
    CancelOutcome, ClaimOutcome, CloseOutcome, CompleteOutcome, CreateOutcome, FinalizeOutcome,
    Held, PauseOutcome, PreparerOutcome, ShardView, Snapshot, Store, TicketOutcome,
};
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::throttle::Throttle;
use batchfleet_core::watch::Watch;
use batchfleet_core::{PortError, PortResult};

use super::lock;

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
    preparer: PreparerItem,
    shards: BTreeMap<u32, ShardRecord>,
    watch: Option<Watch>,
    tallies: HashMap<OwnerId, u64>,
}

/// A shard: its own item once published, its pages, and the batches that were ever claimed.
#[derive(Debug, Default)]
struct ShardRecord {
    item: Option<Shard>,
    pages: BTreeMap<u32, PlanPage>,
    batches: BTreeMap<u32, BatchItem>,
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
            job: Job::new(new),
            snapshot: Snapshot {
                definition_text: new.definition_text.clone(),
                layout: None,
            },
            preparer: PreparerItem::default(),
            shards: BTreeMap::new(),
            watch: None,
            tallies: HashMap::new(),
        }
    }

    fn shard(&mut self, shard: u32) -> &mut ShardRecord {
        self.shards.entry(shard).or_default()
    }

    /// The shard's own item; `None` where nothing is published of it.
    fn published(&mut self, shard: u32) -> Option<&mut Shard> {
        self.shards.get_mut(&shard)?.item.as_mut()
    }

    /// A batch that was ever claimed.
    fn claimed(&mut self, key: &BatchKey) -> Option<&mut BatchItem> {
        self.shards.get_mut(&key.shard)?.batches.get_mut(&key.slot)
    }

    fn close_shard(&mut self, shard: u32, totals: &ShardTotals) -> CloseOutcome {
        let found = self.shards.get_mut(&shard);
        match found.and_then(|record| record.item.as_mut()) {
            Some(item) => self.job.close_shard(item, totals),
            None => CloseOutcome::Refused,
        }
    }
}

impl ShardRecord {
    /// Keeps a page. A page is immutable: whoever writes it again must write the same (I5).
    fn write_page(&mut self, number: u32, page: &PlanPage) -> PortResult<()> {
        let kept = self.pages.entry(number).or_insert_with(|| page.clone());
        if kept == page {
            Ok(())
        } else {
            Err(PortError::corrupt(
                "a page of the plan",
                format!("page {number} was written before with other ranges"),
            ))
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
            let preparer = &mut record.preparer;
            preparer.take(&record.job, owner, now_ms, until_ms)
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
            let mut item = record.shard(shard).item.unwrap_or_default();
            if record.job.publish(&mut item, publication) {
                record.shard(shard).item = Some(item);
            }
        })
    }

    async fn checkpoint(
        &self,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> PortResult<Held> {
        self.change("checkpoint", &hold.job, |record| {
            record.preparer.checkpoint(hold, checkpoint, until_ms)
        })
    }

    async fn mark_prepared(&self, hold: &PreparerHold, totals: &PlanTotals) -> PortResult<Held> {
        self.change("mark prepared", &hold.job, |record| {
            let preparer = &record.preparer;
            record.job.mark_prepared(preparer, hold, totals)
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
        let mut jobs = lock(&self.jobs);
        let published = jobs.get_mut(job).and_then(|record| record.published(shard));
        Ok(match published {
            Some(item) => item.take_tickets(count, published_seen),
            None => TicketOutcome::Short(Shard::default()),
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
            let batches = &mut record.shard(key.shard).batches;
            let item = batches.entry(key.slot).or_default();
            item.claim(key, owner, now_ms, until_ms)
        })
    }

    async fn heartbeat(&self, lease: &Lease, until_ms: u64) -> PortResult<Held> {
        self.change("heartbeat", &lease.key.job, |record| {
            let found = record.claimed(&lease.key);
            found.map_or(Held::Lost, |item| item.heartbeat(lease, until_ms))
        })
    }

    async fn complete(
        &self,
        lease: &Lease,
        completion: &Completion,
    ) -> PortResult<CompleteOutcome> {
        self.change("complete batch", &lease.key.job, |record| {
            let found = record.claimed(&lease.key);
            found.map_or(CompleteOutcome::Lost, |item| {
                item.complete(lease, completion)
            })
        })
    }

    async fn release(&self, lease: &Lease) -> PortResult<Held> {
        self.change("release batch", &lease.key.job, |record| {
            let found = record.claimed(&lease.key);
            found.map_or(Held::Lost, |item| item.release(lease))
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
            record.job.end(ending, finished_ms)
        })
    }

    async fn cancel(&self, key: &BatchKey, now_ms: u64) -> PortResult<CancelOutcome> {
        self.change("cancel batch", &key.job, |record| {
            let shard = record.shard(key.shard);
            shard.batches.entry(key.slot).or_default().cancel(now_ms)
        })
    }

    async fn set_paused(&self, job: &JobId, paused: bool, now_ms: u64) -> PortResult<PauseOutcome> {
        self.change("pause job", job, |record| {
            record.job.set_paused(paused, now_ms)
        })
    }

    async fn preparer(&self, job: &JobId) -> PortResult<Option<PreparerItem>> {
        Ok(self.look(job, |record| record.preparer.clone()))
    }

    async fn watch(&self, job: &JobId) -> PortResult<Option<Watch>> {
        Ok(self.look(job, |record| record.watch).flatten())
    }

    async fn record_watch(&self, job: &JobId, watch: &Watch) -> PortResult<()> {
        self.change("record watch", job, |record| {
            if record.watch.is_none_or(|kept| kept.token < watch.token) {
                record.watch = Some(*watch);
            }
        })
    }

    async fn record_tally(&self, job: &JobId, owner: &OwnerId, rejected: u64) -> PortResult<()> {
        self.change("record tally", job, |record| {
            record.tallies.insert(owner.clone(), rejected);
        })
    }

    async fn tallied(&self, job: &JobId) -> PortResult<u64> {
        let sum = self.look(job, |record| record.tallies.values().sum());
        Ok(sum.unwrap_or(0))
    }

    async fn set_throttle(
        &self,
        job: &JobId,
        seen: Option<Throttle>,
        throttle: Throttle,
    ) -> PortResult<()> {
        self.change("set throttle", job, |record| {
            record.job.set_throttle(seen, throttle);
        })
    }

    async fn open_jobs(&self) -> PortResult<Vec<JobId>> {
        let jobs = lock(&self.jobs);
        let open = jobs
            .iter()
            .filter(|(_, record)| !record.job.status.is_terminal() || record.job.outbox);
        Ok(open.map(|(id, _)| id.clone()).collect())
    }

    async fn clear_outbox(&self, job: &JobId) -> PortResult<()> {
        self.change("clear outbox", job, |record| record.job.outbox = false)
    }
}
