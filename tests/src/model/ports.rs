//! The ports of an invocation: each method is one call of the [`Tape`] over one operation of the
//! simulator's table, its buckets, or the queue.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use batchfleet_core::batch::{BatchKey, Completion, Lease, Publication, Shard, ShardTotals};
use batchfleet_core::checksum::FileSum;
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{Checkpoint, Ending, Job, Layout, NewJob, PlanTotals, PreparerHold};
use batchfleet_core::message::Message;
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{
    CancelOutcome, ClaimOutcome, Clock, CloseOutcome, CompleteOutcome, CreateOutcome, Definitions,
    FinalizeOutcome, FoundDefinition, Held, Ids, PauseOutcome, PreparerOutcome, PutOutcome, Queue,
    Results, ShardView, Snapshot, Source, Store, TicketOutcome,
};
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::source::SourceRef;
use batchfleet_core::throttle::Throttle;
use batchfleet_core::watch::Watch;
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

use super::tape::{Kind, Tape};
use super::world::{Stage, World, but_its_seat};
use crate::sim::brief::Brief;
use crate::sim::bugs::StoreBug;
use crate::sim::files::DEFINITION;
use crate::sim::history::By;
use crate::sim::record::Record;
use crate::sim::table::Table;

/// What an answer can be.
trait Told: Brief + std::fmt::Debug + Clone + Send + Sync + 'static {}

impl<T: Brief + std::fmt::Debug + Clone + Send + Sync + 'static> Told for T {}

impl Tape {
    /// Reads something of the job.
    async fn look<T: Told>(
        &self,
        kind: Kind,
        name: &'static str,
        what: impl FnOnce() -> String + Send,
        look: impl FnOnce(&Record) -> Option<T> + Send,
    ) -> PortResult<Option<T>> {
        self.call(kind, name, what, |world, _| {
            Ok(world.record().and_then(look))
        })
        .await
    }

    /// Changes the table in one step.
    async fn step<T: Told>(
        &self,
        name: &'static str,
        what: impl FnOnce() -> String + Send,
        step: impl FnOnce(&mut Table, By) -> PortResult<T> + Send,
    ) -> PortResult<T> {
        self.call(Kind::Write, name, what, |world, by| {
            step(&mut Arc::make_mut(world).table, by)
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
impl Store for Tape {
    async fn create(&self, job: &NewJob) -> PortResult<CreateOutcome> {
        self.step("create", String::new, |table, by| Ok(table.create(by, job)))
            .await
    }

    async fn job(&self, _: &JobId) -> PortResult<Option<Job>> {
        let look = |record: &Record| Some(record.job.clone());
        self.look(Kind::Read, "job", String::new, look).await
    }

    async fn snapshot(&self, _: &JobId) -> PortResult<Option<Snapshot>> {
        let look = |record: &Record| Some(record.snapshot.clone());
        self.look(Kind::Quiet, "snapshot", String::new, look).await
    }

    async fn take_preparer(
        &self,
        job: &JobId,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<PreparerOutcome> {
        self.step("take preparer", String::new, |table, by| {
            table.take_preparer(by, job, owner, now_ms, until_ms)
        })
        .await
    }

    async fn put_layout(&self, job: &JobId, layout: &Layout) -> PortResult<()> {
        let put = |world: &mut Arc<World>, _| Arc::make_mut(world).table.put_layout(job, layout);
        self.call(Kind::Quiet, "put layout", String::new, put).await
    }

    async fn write_pages(
        &self,
        job: &JobId,
        shard: u32,
        first_page: u32,
        pages: &[PlanPage],
    ) -> PortResult<()> {
        let what = || format!("{} from {shard}/{first_page}", pages.len());
        let write = |world: &mut Arc<World>, by| {
            let table = &mut Arc::make_mut(world).table;
            table.write_pages(by, job, shard, first_page, pages)
        };
        self.call(Kind::Quiet, "write pages", what, write).await
    }

    async fn publish(&self, job: &JobId, shard: u32, publication: &Publication) -> PortResult<()> {
        let sealed = if publication.sealed { ", sealed" } else { "" };
        let what = || format!("shard {shard}: {} batches{sealed}", publication.published);
        self.step("publish", what, |table, by| {
            table.publish(by, job, shard, publication)
        })
        .await
    }

    async fn checkpoint(
        &self,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> PortResult<Held> {
        let what = || format!("batch {} under fence {}", checkpoint.next_batch, hold.fence);
        self.step("checkpoint", what, |table, by| {
            table.checkpoint(by, hold, checkpoint, until_ms)
        })
        .await
    }

    async fn mark_prepared(&self, hold: &PreparerHold, totals: &PlanTotals) -> PortResult<Held> {
        let what = || format!("{} shards under fence {}", totals.shards, hold.fence);
        self.step("mark prepared", what, |table, by| {
            table.mark_prepared(by, hold, totals)
        })
        .await
    }

    async fn shard(&self, _: &JobId, shard: u32) -> PortResult<Option<Shard>> {
        let look = |record: &Record| record.shards.get(&shard).copied();
        self.look(Kind::Read, "shard", || shard.to_string(), look)
            .await
    }

    async fn take_tickets(
        &self,
        job: &JobId,
        shard: u32,
        count: u32,
        published_seen: u32,
    ) -> PortResult<TicketOutcome> {
        let what = || format!("{count} of shard {shard}, {published_seen} seen");
        self.step("take tickets", what, |table, by| {
            table.take_tickets(by, job, shard, count, published_seen)
        })
        .await
    }

    async fn page(&self, _: &JobId, shard: u32, page: u32) -> PortResult<Option<PlanPage>> {
        let look = |record: &Record| record.pages.get(&(shard, page)).cloned();
        self.look(Kind::Quiet, "page", || format!("{shard}/{page}"), look)
            .await
    }

    async fn pages(&self, _: &JobId, shard: u32) -> PortResult<Vec<PlanPage>> {
        let look = |record: &Record| {
            let pages = record.pages.range((shard, 0)..=(shard, u32::MAX));
            Some(pages.map(|(_, page)| page.clone()).collect::<Vec<_>>())
        };
        let what = || format!("of shard {shard}");
        let pages = self.look(Kind::Quiet, "pages", what, look).await?;
        Ok(pages.unwrap_or_default())
    }

    async fn claim(
        &self,
        key: &BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<ClaimOutcome> {
        self.step(
            "claim",
            || place(key),
            |table, by| table.claim(by, key, owner, now_ms, until_ms),
        )
        .await
    }

    async fn heartbeat(&self, lease: &Lease, until_ms: u64) -> PortResult<Held> {
        self.step(
            "heartbeat",
            || under(lease),
            |table, by| table.heartbeat(by, lease, until_ms),
        )
        .await
    }

    async fn complete(
        &self,
        lease: &Lease,
        completion: &Completion,
    ) -> PortResult<CompleteOutcome> {
        self.step(
            "complete",
            || under(lease),
            |table, by| table.complete(by, lease, completion),
        )
        .await
    }

    async fn release(&self, lease: &Lease) -> PortResult<Held> {
        self.step(
            "release",
            || under(lease),
            |table, by| table.release(by, lease),
        )
        .await
    }

    async fn sweep(&self, _: &JobId, shard: u32) -> PortResult<Option<ShardView>> {
        let look = |record: &Record| record.view(shard);
        self.look(Kind::Read, "sweep", || shard.to_string(), look)
            .await
    }

    async fn close_shard(
        &self,
        job: &JobId,
        shard: u32,
        totals: &ShardTotals,
    ) -> PortResult<CloseOutcome> {
        let what = || format!("shard {shard}");
        if !self.has(StoreBug::CloseInTwoWrites) {
            let close = |table: &mut Table, by| table.close_shard(by, job, shard, totals);
            return self.step("close shard", what, close).await;
        }
        let mark = |table: &mut Table, by| table.mark_closed(by, job, shard, totals);
        let outcome = self.step("mark closed", what, mark).await?;
        if outcome == CloseOutcome::Closed {
            let add = |table: &mut Table, by| table.add_sums(by, job, totals);
            self.step("add sums", what, add).await?;
        }
        Ok(outcome)
    }

    async fn finalize(
        &self,
        job: &JobId,
        ending: &Ending,
        finished_ms: u64,
    ) -> PortResult<FinalizeOutcome> {
        self.step(
            "finalize",
            || format!("{ending:?}"),
            |table, by| table.finalize(by, job, ending, finished_ms),
        )
        .await
    }

    async fn cancel(&self, key: &BatchKey, now_ms: u64) -> PortResult<CancelOutcome> {
        self.step(
            "cancel",
            || place(key),
            |table, by| table.cancel(by, key, now_ms),
        )
        .await
    }

    async fn set_paused(&self, job: &JobId, paused: bool, now_ms: u64) -> PortResult<PauseOutcome> {
        self.step(
            "set paused",
            || paused.to_string(),
            |table, by| table.set_paused(by, job, paused, now_ms),
        )
        .await
    }

    async fn preparer(&self, _: &JobId) -> PortResult<Option<PreparerItem>> {
        let look = |record: &Record| Some(record.preparer.clone());
        self.look(Kind::Read, "preparer", String::new, look).await
    }

    async fn watch(&self, _: &JobId) -> PortResult<Option<Watch>> {
        let look = |record: &Record| record.watch;
        self.look(Kind::Read, "watch", String::new, look).await
    }

    async fn record_watch(&self, job: &JobId, watch: &Watch) -> PortResult<()> {
        let what = || format!("token {}", watch.token);
        self.step("record watch", what, |table, _| {
            table.record_watch(job, watch)
        })
        .await
    }

    async fn record_tally(&self, job: &JobId, owner: &OwnerId, rejected: u64) -> PortResult<()> {
        let what = || rejected.to_string();
        self.step("record tally", what, |table, _| {
            table.record_tally(job, owner, rejected)
        })
        .await
    }

    async fn tallied(&self, _: &JobId) -> PortResult<u64> {
        let look = |record: &Record| Some(record.tallies.values().sum::<u64>());
        let sum = self.look(Kind::Read, "tallied", String::new, look).await?;
        Ok(sum.unwrap_or(0))
    }

    async fn set_throttle(
        &self,
        job: &JobId,
        seen: Option<Throttle>,
        throttle: Throttle,
    ) -> PortResult<()> {
        let what = || format!("{} workers", throttle.workers);
        self.step("set throttle", what, |table, by| {
            table.set_throttle(by, job, seen, throttle)
        })
        .await
    }

    async fn open_jobs(&self) -> PortResult<Vec<JobId>> {
        let look = |world: &mut Arc<World>, _| Ok(world.table.open_jobs());
        self.call(Kind::Read, "open jobs", String::new, look).await
    }

    async fn clear_outbox(&self, job: &JobId) -> PortResult<()> {
        self.step("clear outbox", String::new, |table, by| {
            table.clear_outbox(by, job)
        })
        .await
    }
}

#[async_trait]
impl Source for Tape {
    async fn read(&self, source: &SourceRef, range: Range<u64>) -> PortResult<Bytes> {
        let read = |world: &mut Arc<World>, _| {
            let (_, content) = world.bucket.read(source, true)?;
            let (start, end) = (range.start as usize, range.end as usize);
            if start > end || end > content.len() {
                return Err(PortError::refused("read source", "a range outside of it"));
            }
            Ok(content.slice(start..end))
        };
        let what = || format!("{}..{}", range.start, range.end);
        self.call(Kind::Quiet, "read", what, read).await
    }
}

#[async_trait]
impl Results for Tape {
    async fn put_once(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<PutOutcome> {
        let put = |world: &mut Arc<World>, _| {
            let bucket = &mut Arc::make_mut(world).bucket;
            bucket.put_once(job, name, content)
        };
        self.call(Kind::Write, "put once", || name.to_owned(), put)
            .await
    }

    async fn put(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<()> {
        let put = |world: &mut Arc<World>, _| {
            Arc::make_mut(world).bucket.put(job, name, content);
            Ok(())
        };
        self.call(Kind::Write, "put", || name.to_owned(), put).await
    }

    async fn join(
        &self,
        job: &JobId,
        name: &str,
        head: Bytes,
        parts: &[String],
    ) -> PortResult<FileSum> {
        let join =
            |world: &mut Arc<World>, _| Arc::make_mut(world).bucket.join(job, name, &head, parts);
        self.call(Kind::Quiet, "join", || name.to_owned(), join)
            .await
    }

    async fn get(&self, job: &JobId, name: &str) -> PortResult<Option<Bytes>> {
        let get = |world: &mut Arc<World>, _| Ok(world.bucket.result(job, name).cloned());
        self.call(Kind::Read, "get", || name.to_owned(), get).await
    }

    fn location(&self, job: &JobId, name: &str) -> String {
        format!("model://{job}/{name}")
    }
}

#[async_trait]
impl Definitions for Tape {
    async fn definition(&self, name: &str) -> PortResult<FoundDefinition> {
        let get = |_: &mut Arc<World>, _| Ok(FoundDefinition::Text(DEFINITION.to_owned()));
        self.call(Kind::Quiet, "definition", || name.to_owned(), get)
            .await
    }
}

#[async_trait]
impl Queue for Tape {
    async fn send(&self, message: &Message, delay_ms: u64) -> PortResult<()> {
        let stage = if delay_ms == 0 {
            Stage::Ready
        } else {
            Stage::Delayed
        };
        let send = |world: &mut Arc<World>, _| {
            Arc::make_mut(world).send(message.clone(), stage);
            Ok(())
        };
        let what = || format!("{}, {stage:?}", but_its_seat(message).brief());
        self.call(Kind::Write, "send", what, send).await
    }
}

#[async_trait]
impl Clock for Tape {
    fn now_ms(&self) -> u64 {
        self.now()
    }

    async fn sleep_ms(&self, ms: u64) {
        let what = || format!("{ms} ms");
        let _ = self.call(Kind::Sleep, "sleep", what, |_, _| Ok(())).await;
    }
}

impl Ids for Tape {
    fn random(&self) -> u64 {
        self.next_random()
    }
}
