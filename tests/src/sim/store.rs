//! The store port: each method is one call of [`Ports`] over one operation of the table.
//!
//! A new method of the port needs two lines here and its operation in `table`.

use async_trait::async_trait;
use batchfleet_core::PortResult;
use batchfleet_core::batch::{BatchKey, Completion, Lease, Publication, Shard, ShardTotals};
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

use super::brief::Brief;
use super::bugs::StoreBug;
use super::history::By;
use super::ports::{Kind, Ports};
use super::record::Record;
use super::table::Table;

impl Ports {
    /// Reads something of a job.
    async fn look<T: Brief + Send + 'static>(
        &self,
        name: &'static str,
        job: &JobId,
        what: impl FnOnce() -> String + Send,
        look: impl Fn(&Record) -> Option<T> + Send + 'static,
    ) -> PortResult<Option<T>> {
        let job = job.clone();
        self.call(Kind::Read, name, what, move |state| {
            Ok(state.table.jobs.get(&job).and_then(&look))
        })
        .await
    }

    /// Changes the table in one step.
    async fn change<T: Brief + Send + 'static>(
        &self,
        name: &'static str,
        what: impl FnOnce() -> String + Send,
        mut step: impl FnMut(&mut Table, By) -> PortResult<T> + Send + 'static,
    ) -> PortResult<T> {
        let actor = self.actor();
        self.call(Kind::Write, name, what, move |state| {
            let by = state.by(actor);
            let outcome = step(&mut state.table, by);
            state.history.changes.append(&mut state.table.changes);
            outcome
        })
        .await
    }
}

fn place(key: &BatchKey) -> String {
    format!("{}/{}", key.shard, key.slot)
}

fn under(lease: &Lease) -> String {
    format!("{} under fence {}", place(&lease.key), lease.fence)
}

#[async_trait]
impl Store for Ports {
    async fn create(&self, job: &NewJob) -> PortResult<CreateOutcome> {
        let job = job.clone();
        let step = move |table: &mut Table, by| Ok(table.create(by, &job));
        self.change("create", String::new, step).await
    }

    async fn job(&self, job: &JobId) -> PortResult<Option<Job>> {
        let look = |record: &Record| Some(record.job.clone());
        self.look("job", job, String::new, look).await
    }

    async fn snapshot(&self, job: &JobId) -> PortResult<Option<Snapshot>> {
        let look = |record: &Record| Some(record.snapshot.clone());
        self.look("snapshot", job, String::new, look).await
    }

    async fn take_preparer(
        &self,
        job: &JobId,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<PreparerOutcome> {
        let (job, owner) = (job.clone(), owner.clone());
        let step =
            move |table: &mut Table, by| table.take_preparer(by, &job, &owner, now_ms, until_ms);
        self.change("take preparer", String::new, step).await
    }

    async fn put_layout(&self, job: &JobId, layout: &Layout) -> PortResult<()> {
        let (job, layout) = (job.clone(), layout.clone());
        let step = move |table: &mut Table, _| table.put_layout(&job, &layout);
        self.change("put layout", String::new, step).await
    }

    async fn write_pages(
        &self,
        job: &JobId,
        shard: u32,
        first_page: u32,
        pages: &[PlanPage],
    ) -> PortResult<()> {
        let (job, pages) = (job.clone(), pages.to_vec());
        let count = pages.len();
        let what = || format!("{count} from {shard}/{first_page}");
        let step =
            move |table: &mut Table, by| table.write_pages(by, &job, shard, first_page, &pages);
        self.change("write pages", what, step).await
    }

    async fn publish(&self, job: &JobId, shard: u32, publication: &Publication) -> PortResult<()> {
        let (job, publication) = (job.clone(), *publication);
        let what = || format!("shard {shard}: {publication:?}");
        let step = move |table: &mut Table, by| table.publish(by, &job, shard, &publication);
        self.change("publish", what, step).await
    }

    async fn checkpoint(
        &self,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> PortResult<Held> {
        let (hold, checkpoint) = (hold.clone(), *checkpoint);
        let (batch, fence) = (checkpoint.next_batch, hold.fence);
        let what = move || format!("batch {batch} under fence {fence}");
        let step = move |table: &mut Table, by| table.checkpoint(by, &hold, &checkpoint, until_ms);
        self.change("checkpoint", what, step).await
    }

    async fn mark_prepared(&self, hold: &PreparerHold, totals: &PlanTotals) -> PortResult<Held> {
        let (hold, totals) = (hold.clone(), *totals);
        let (shards, fence) = (totals.shards, hold.fence);
        let what = move || format!("{shards} shards under fence {fence}");
        let step = move |table: &mut Table, by| table.mark_prepared(by, &hold, &totals);
        self.change("mark prepared", what, step).await
    }

    async fn shard(&self, job: &JobId, shard: u32) -> PortResult<Option<Shard>> {
        let look = move |record: &Record| record.shards.get(&shard).copied();
        self.look("shard", job, || shard.to_string(), look).await
    }

    async fn take_tickets(
        &self,
        job: &JobId,
        shard: u32,
        count: u32,
        published_seen: u32,
    ) -> PortResult<TicketOutcome> {
        let job = job.clone();
        let what = || format!("{count} of shard {shard}, {published_seen} seen");
        let step =
            move |table: &mut Table, by| table.take_tickets(by, &job, shard, count, published_seen);
        self.change("take tickets", what, step).await
    }

    async fn page(&self, job: &JobId, shard: u32, page: u32) -> PortResult<Option<PlanPage>> {
        let look = move |record: &Record| record.pages.get(&(shard, page)).cloned();
        self.look("page", job, || format!("{shard}/{page}"), look)
            .await
    }

    async fn pages(&self, job: &JobId, shard: u32) -> PortResult<Vec<PlanPage>> {
        let look = move |record: &Record| {
            let pages = record.pages.range((shard, 0)..=(shard, u32::MAX));
            Some(pages.map(|(_, page)| page.clone()).collect())
        };
        let pages: Option<Vec<_>> = self.look("pages", job, || shard.to_string(), look).await?;
        Ok(pages.unwrap_or_default())
    }

    async fn claim(
        &self,
        key: &BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<ClaimOutcome> {
        let (of, owner) = (key.clone(), owner.clone());
        let step = move |table: &mut Table, by| table.claim(by, &of, &owner, now_ms, until_ms);
        self.change("claim", || place(key), step).await
    }

    async fn heartbeat(&self, lease: &Lease, until_ms: u64) -> PortResult<Held> {
        let held = lease.clone();
        let step = move |table: &mut Table, by| table.heartbeat(by, &held, until_ms);
        self.change("heartbeat", || under(lease), step).await
    }

    async fn complete(
        &self,
        lease: &Lease,
        completion: &Completion,
    ) -> PortResult<CompleteOutcome> {
        let (held, completion) = (lease.clone(), completion.clone());
        let step = move |table: &mut Table, by| table.complete(by, &held, &completion);
        self.change("complete", || under(lease), step).await
    }

    async fn release(&self, lease: &Lease) -> PortResult<Held> {
        let held = lease.clone();
        let step = move |table: &mut Table, by| table.release(by, &held);
        self.change("release", || under(lease), step).await
    }

    async fn sweep(&self, job: &JobId, shard: u32) -> PortResult<Option<ShardView>> {
        let job = job.clone();
        self.call(
            Kind::Read,
            "sweep",
            || shard.to_string(),
            move |state| Ok(state.table.view(&job, shard)),
        )
        .await
    }

    async fn close_shard(
        &self,
        job: &JobId,
        shard: u32,
        totals: &ShardTotals,
    ) -> PortResult<CloseOutcome> {
        let (job, totals) = (job.clone(), *totals);
        let what = || format!("shard {shard}");
        if !self.world.lock().table.has(StoreBug::CloseInTwoWrites) {
            let step = move |table: &mut Table, by| table.close_shard(by, &job, shard, &totals);
            return self.change("close shard", what, step).await;
        }
        let of = job.clone();
        let step = move |table: &mut Table, by| table.mark_closed(by, &of, shard, &totals);
        let outcome = self.change("mark closed", what, step).await?;
        if outcome == CloseOutcome::Closed {
            let step = move |table: &mut Table, by| table.add_sums(by, &job, &totals);
            self.change("add sums", what, step).await?;
        }
        Ok(outcome)
    }

    async fn finalize(
        &self,
        job: &JobId,
        ending: &Ending,
        finished_ms: u64,
    ) -> PortResult<FinalizeOutcome> {
        let (job, end) = (job.clone(), ending.clone());
        let step = move |table: &mut Table, by| table.finalize(by, &job, &end, finished_ms);
        self.change("finalize", || format!("{ending:?}"), step)
            .await
    }

    async fn cancel(&self, key: &BatchKey, now_ms: u64) -> PortResult<CancelOutcome> {
        let of = key.clone();
        let step = move |table: &mut Table, by| table.cancel(by, &of, now_ms);
        self.change("cancel", || place(key), step).await
    }

    async fn set_paused(&self, job: &JobId, paused: bool, now_ms: u64) -> PortResult<PauseOutcome> {
        let job = job.clone();
        let step = move |table: &mut Table, by| table.set_paused(by, &job, paused, now_ms);
        self.change("set paused", || paused.to_string(), step).await
    }

    async fn preparer(&self, job: &JobId) -> PortResult<Option<PreparerItem>> {
        let look = |record: &Record| Some(record.preparer.clone());
        self.look("preparer", job, String::new, look).await
    }

    async fn watch(&self, job: &JobId) -> PortResult<Option<Watch>> {
        let look = |record: &Record| record.watch;
        self.look("watch", job, String::new, look).await
    }

    async fn record_watch(&self, job: &JobId, watch: &Watch) -> PortResult<()> {
        let (job, watch) = (job.clone(), *watch);
        let step = move |table: &mut Table, _| table.record_watch(&job, &watch);
        self.change("record watch", || format!("token {}", watch.token), step)
            .await
    }

    async fn record_tally(&self, job: &JobId, owner: &OwnerId, rejected: u64) -> PortResult<()> {
        let (job, owner) = (job.clone(), owner.clone());
        let step = move |table: &mut Table, _| table.record_tally(&job, &owner, rejected);
        self.change("record tally", || rejected.to_string(), step)
            .await
    }

    async fn tallied(&self, job: &JobId) -> PortResult<u64> {
        let look = |record: &Record| Some(record.tallies.values().sum::<u64>());
        let sum = self.look("tallied", job, String::new, look).await?;
        Ok(sum.unwrap_or(0))
    }

    async fn set_throttle(
        &self,
        job: &JobId,
        seen: Option<Throttle>,
        throttle: Throttle,
    ) -> PortResult<()> {
        let what = || format!("{} workers", throttle.workers);
        let job = job.clone();
        let step = move |table: &mut Table, by| table.set_throttle(by, &job, seen, throttle);
        self.change("set throttle", what, step).await
    }

    async fn open_jobs(&self) -> PortResult<Vec<JobId>> {
        let read = |state: &mut super::world::State| Ok(state.table.open_jobs());
        self.call(Kind::Read, "open jobs", String::new, read).await
    }

    async fn clear_outbox(&self, job: &JobId) -> PortResult<()> {
        let job = job.clone();
        let step = move |table: &mut Table, by| table.clear_outbox(by, &job);
        self.change("clear outbox", String::new, step).await
    }
}
