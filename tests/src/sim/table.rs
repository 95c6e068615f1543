//! The table: every step of the protocol as one atomic operation, decided by the core's pure
//! functions, with a record of what each one changed. And the planted bugs of a store.
//!
//! It knows nothing of faults, time or scheduling: those lie in front of it.

use std::collections::BTreeMap;

use batchfleet_core::batch::{
    BatchItem, BatchKey, Completion, Lease, Publication, Shard, ShardTotals,
};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{
    Checkpoint, Ending, JobStatus, Layout, NewJob, PlanTotals, PreparerHold,
};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{
    CancelOutcome, ClaimOutcome, CloseOutcome, CompleteOutcome, CreateOutcome, FinalizeOutcome,
    Held, PauseOutcome, PreparerOutcome, ShardView, TicketOutcome,
};
use batchfleet_core::throttle::Throttle;
use batchfleet_core::watch::Watch;
use batchfleet_core::{PortError, PortResult};

use super::bugs::StoreBug;
use super::history::{By, Change};
use super::record::Record;

/// The table of all jobs.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) jobs: BTreeMap<JobId, Record>,
    /// Changes since the history last took them.
    pub(crate) changes: Vec<(By, Change)>,
    bug: Option<StoreBug>,
}

impl Table {
    pub(crate) fn new(bug: Option<StoreBug>) -> Self {
        Self {
            jobs: BTreeMap::new(),
            changes: Vec::new(),
            bug,
        }
    }

    pub(crate) fn has(&self, bug: StoreBug) -> bool {
        self.bug == Some(bug)
    }

    fn record(&mut self, job: &JobId) -> PortResult<&mut Record> {
        let found = self.jobs.get_mut(job);
        found.ok_or_else(|| PortError::refused("change", format!("there is no job {job}")))
    }

    /// Changes a job's own item, with all that hangs on it, in one step.
    pub(crate) fn change_job<T>(
        &mut self,
        by: By,
        job: &JobId,
        change: impl FnOnce(&mut Record) -> T,
    ) -> PortResult<T> {
        let record = self.record(job)?;
        let before = record.job.clone();
        let outcome = change(record);
        if record.job != before {
            let after = Box::new(record.job.clone());
            let shards = record.shards.values().copied().collect();
            let before = Some(Box::new(before));
            let change = Change::Job {
                before,
                after,
                shards,
            };
            self.changes.push((by, change));
        }
        Ok(outcome)
    }

    pub(crate) fn change_shard<T>(
        &mut self,
        by: By,
        step: &'static str,
        job: &JobId,
        number: u32,
        change: impl FnOnce(&mut Shard) -> T,
    ) -> PortResult<T> {
        let record = self.record(job)?;
        let shard = record.shards.entry(number).or_default();
        let before = *shard;
        let outcome = change(shard);
        let after = *shard;
        self.note_shard(by, step, job, number, before, after);
        Ok(outcome)
    }

    fn note_shard(
        &mut self,
        by: By,
        step: &'static str,
        job: &JobId,
        number: u32,
        before: Shard,
        after: Shard,
    ) {
        if before == after {
            return;
        }
        let view = self.jobs.get(job).and_then(|record| record.view(number));
        let change = Change::Shard {
            step,
            job: job.clone(),
            number,
            before,
            after,
            batches: view.map(|view| view.batches).unwrap_or_default(),
        };
        self.changes.push((by, change));
    }

    fn change_batch<T>(
        &mut self,
        by: By,
        step: &'static str,
        key: &BatchKey,
        told: (Option<u64>, Option<u64>),
        change: impl FnOnce(&mut BatchItem) -> T,
    ) -> PortResult<T> {
        let batches = &mut self.record(&key.job)?.batches;
        let place = (key.shard, key.slot);
        let mut item = batches.get(&place).cloned().unwrap_or_default();
        let before = item.clone();
        let outcome = change(&mut item);
        if item != before {
            batches.insert(place, item.clone());
            let change = Change::Batch {
                step,
                key: key.clone(),
                fence: told.0,
                caller_ms: told.1,
                before: Box::new(before),
                after: Box::new(item),
            };
            self.changes.push((by, change));
        }
        Ok(outcome)
    }

    fn change_preparer<T>(
        &mut self,
        by: By,
        step: &'static str,
        job: &JobId,
        fence: Option<u64>,
        change: impl FnOnce(&mut Record) -> T,
    ) -> PortResult<T> {
        let record = self.record(job)?;
        let before = record.preparer.clone();
        let outcome = change(record);
        let after = record.preparer.clone();
        if before != after {
            let change = Change::Preparer {
                step,
                fence,
                before,
                after,
            };
            self.changes.push((by, change));
        }
        Ok(outcome)
    }
}

// The steps, in the order of the protocol.
impl Table {
    pub(crate) fn create(&mut self, by: By, new: &NewJob) -> CreateOutcome {
        if self.jobs.contains_key(&new.id) {
            return CreateOutcome::Exists;
        }
        let record = Record::new(new);
        let after = Box::new(record.job.clone());
        self.jobs.insert(new.id.clone(), record);
        let change = Change::Job {
            before: None,
            after,
            shards: Vec::new(),
        };
        self.changes.push((by, change));
        CreateOutcome::Created
    }

    pub(crate) fn take_preparer(
        &mut self,
        by: By,
        job: &JobId,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<PreparerOutcome> {
        self.change_preparer(by, "take", job, None, |record| {
            record.preparer.take(&record.job, owner, now_ms, until_ms)
        })
    }

    pub(crate) fn put_layout(&mut self, job: &JobId, layout: &Layout) -> PortResult<()> {
        let snapshot = &mut self.record(job)?.snapshot;
        snapshot.layout.get_or_insert_with(|| layout.clone());
        Ok(())
    }

    pub(crate) fn write_pages(
        &mut self,
        by: By,
        job: &JobId,
        shard: u32,
        first_page: u32,
        pages: &[PlanPage],
    ) -> PortResult<()> {
        let resets = self.has(StoreBug::PagesResetBatches);
        for (number, page) in (first_page..).zip(pages) {
            let record = self.record(job)?;
            let before = record.pages.insert((shard, number), page.clone());
            let per_page = record.job.policy.page_batches;
            if before.as_ref() != Some(page) {
                let change = Change::Page {
                    job: job.clone(),
                    shard,
                    page: number,
                    before,
                    after: page.clone(),
                };
                self.changes.push((by, change));
            }
            for place in 0..page.ranges.len() as u32 * u32::from(resets) {
                let key = BatchKey {
                    job: job.clone(),
                    shard,
                    slot: number * per_page + place,
                };
                self.change_batch(by, "write page", &key, (None, None), |item| {
                    *item = BatchItem::default();
                })?;
            }
        }
        Ok(())
    }

    pub(crate) fn publish(
        &mut self,
        by: By,
        job: &JobId,
        number: u32,
        publication: &Publication,
    ) -> PortResult<()> {
        let lowers = self.has(StoreBug::PublishLowers);
        let record = self.record(job)?;
        let before = record.shards.get(&number).copied().unwrap_or_default();
        let mut shard = before;
        if lowers {
            shard.published = shard.published.min(publication.published);
            shard.sealed = false;
        }
        if record.job.publish(&mut shard, publication) {
            record.shards.insert(number, shard);
            self.note_shard(by, "publish", job, number, before, shard);
        }
        Ok(())
    }

    pub(crate) fn checkpoint(
        &mut self,
        by: By,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> PortResult<Held> {
        let unfenced = self.has(StoreBug::CheckpointWithoutFence);
        let fence = Some(hold.fence);
        self.change_preparer(by, "checkpoint", &hold.job, fence, |record| {
            let hold = &mut hold.clone();
            if unfenced {
                hold.fence = record.preparer.fence;
                hold.owner = record.preparer.owner.clone().unwrap_or(hold.owner.clone());
            }
            record.preparer.checkpoint(hold, checkpoint, until_ms)
        })
    }

    pub(crate) fn mark_prepared(
        &mut self,
        by: By,
        hold: &PreparerHold,
        totals: &PlanTotals,
    ) -> PortResult<Held> {
        let revives = self.has(StoreBug::PreparedRevives);
        self.change_job(by, &hold.job, |record| {
            if revives && record.job.status.is_terminal() {
                record.job.status = JobStatus::Preparing;
            }
            record.job.mark_prepared(&record.preparer, hold, totals)
        })
    }

    pub(crate) fn take_tickets(
        &mut self,
        by: By,
        job: &JobId,
        number: u32,
        count: u32,
        published_seen: u32,
    ) -> PortResult<TicketOutcome> {
        if !self.record(job)?.shards.contains_key(&number) {
            return Ok(TicketOutcome::Short(Shard::default()));
        }
        let unbounded = self.has(StoreBug::TicketsPastPublished);
        self.change_shard(by, "take tickets", job, number, |shard| {
            if unbounded && !shard.sealed {
                let from = shard.cursor;
                shard.cursor += count;
                return TicketOutcome::Taken(from..(from + count).min(shard.published).max(from));
            }
            shard.take_tickets(count, published_seen)
        })
    }

    pub(crate) fn claim(
        &mut self,
        by: By,
        key: &BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<ClaimOutcome> {
        let keeps_fence = self.has(StoreBug::ClaimKeepsFence);
        self.change_batch(by, "claim", key, (None, Some(now_ms)), |item| {
            let fence = item.fence.max(1);
            let mut outcome = item.claim(key, owner, now_ms, until_ms);
            if keeps_fence && let ClaimOutcome::Claimed(lease) = &mut outcome {
                item.fence = fence;
                lease.fence = fence;
            }
            outcome
        })
    }

    /// The lease that a store without a fence check takes the caller's for.
    fn unfenced(item: &BatchItem, lease: &Lease) -> Lease {
        Lease {
            owner: item.owner.clone().unwrap_or_else(|| lease.owner.clone()),
            fence: item.fence,
            ..lease.clone()
        }
    }

    pub(crate) fn heartbeat(&mut self, by: By, lease: &Lease, until_ms: u64) -> PortResult<Held> {
        let unfenced = self.has(StoreBug::HeartbeatWithoutFence);
        let told = (Some(lease.fence), None);
        self.change_batch(by, "heartbeat", &lease.key, told, |item| {
            if unfenced {
                let lease = Self::unfenced(item, lease);
                return item.heartbeat(&lease, until_ms);
            }
            item.heartbeat(lease, until_ms)
        })
    }

    pub(crate) fn complete(
        &mut self,
        by: By,
        lease: &Lease,
        completion: &Completion,
    ) -> PortResult<CompleteOutcome> {
        let unfenced = self.has(StoreBug::CompleteWithoutFence);
        let told = (Some(lease.fence), None);
        self.change_batch(by, "complete", &lease.key, told, |item| {
            if unfenced {
                let lease = Self::unfenced(item, lease);
                return item.complete(&lease, completion);
            }
            item.complete(lease, completion)
        })
    }

    pub(crate) fn release(&mut self, by: By, lease: &Lease) -> PortResult<Held> {
        let told = (Some(lease.fence), None);
        self.change_batch(by, "release", &lease.key, told, |item| item.release(lease))
    }

    pub(crate) fn view(&self, job: &JobId, number: u32) -> Option<ShardView> {
        self.jobs.get(job)?.view(number)
    }

    /// Marks a shard closed and adds its sums to the job; or only one of them, where a planted bug
    /// tears the transaction apart.
    pub(crate) fn close_shard(
        &mut self,
        by: By,
        job: &JobId,
        number: u32,
        totals: &ShardTotals,
    ) -> PortResult<CloseOutcome> {
        let torn_sums = self.has(StoreBug::TornSums);
        let record = self.record(job)?;
        let Some(&before) = record.shards.get(&number) else {
            return Ok(CloseOutcome::Refused);
        };
        let mut shard = before;
        let outcome = self.change_job(by, job, |record| {
            let sums = (record.job.closed, record.job.closed_bytes);
            let outcome = record.job.close_shard(&mut shard, totals);
            record.shards.insert(number, shard);
            if torn_sums {
                (record.job.closed, record.job.closed_bytes) = sums;
            }
            outcome
        })?;
        self.note_shard(by, "close", job, number, before, shard);
        Ok(outcome)
    }

    pub(crate) fn finalize(
        &mut self,
        by: By,
        job: &JobId,
        ending: &Ending,
        finished_ms: u64,
    ) -> PortResult<FinalizeOutcome> {
        let forgets = self.has(StoreBug::EndWithoutOutbox);
        let overwrites = self.has(StoreBug::EndTwice);
        self.change_job(by, job, |record| {
            if overwrites && record.job.status.is_terminal() {
                record.job.finished_ms = Some(finished_ms);
                record.job.outbox = true;
                return FinalizeOutcome::Won;
            }
            let outcome = record.job.end(ending, finished_ms);
            record.job.outbox &= !forgets;
            outcome
        })
    }

    pub(crate) fn cancel(
        &mut self,
        by: By,
        key: &BatchKey,
        now_ms: u64,
    ) -> PortResult<CancelOutcome> {
        let told = (None, Some(now_ms));
        self.change_batch(by, "cancel", key, told, |item| item.cancel(now_ms))
    }

    pub(crate) fn set_paused(
        &mut self,
        by: By,
        job: &JobId,
        paused: bool,
        now_ms: u64,
    ) -> PortResult<PauseOutcome> {
        let revives = self.has(StoreBug::ResumeRevives);
        self.change_job(by, job, |record| {
            if revives && !paused && record.job.status == JobStatus::Aborted {
                record.job.status = JobStatus::Paused;
            }
            record.job.set_paused(paused, now_ms)
        })
    }

    pub(crate) fn record_watch(&mut self, job: &JobId, watch: &Watch) -> PortResult<()> {
        let record = self.record(job)?;
        if record.watch.is_none_or(|kept| watch.supersedes(kept.token)) {
            record.watch = Some(*watch);
        }
        Ok(())
    }

    pub(crate) fn record_tally(
        &mut self,
        job: &JobId,
        owner: &OwnerId,
        rejected: u64,
    ) -> PortResult<()> {
        let tallies = &mut self.record(job)?.tallies;
        tallies.insert(owner.as_str().to_owned(), rejected);
        Ok(())
    }

    pub(crate) fn set_throttle(
        &mut self,
        by: By,
        job: &JobId,
        seen: Option<Throttle>,
        throttle: Throttle,
    ) -> PortResult<()> {
        self.change_job(by, job, |record| record.job.set_throttle(seen, throttle))
    }

    pub(crate) fn open_jobs(&self) -> Vec<JobId> {
        let open = |record: &&Record| !record.job.status.is_terminal() || record.job.outbox;
        let open = self.jobs.values().filter(open);
        open.map(|record| record.job.id.clone()).collect()
    }

    pub(crate) fn clear_outbox(&mut self, by: By, job: &JobId) -> PortResult<()> {
        self.change_job(by, job, |record| record.job.outbox = false)
    }
}
