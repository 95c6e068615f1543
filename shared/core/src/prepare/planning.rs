//! One preparer's run over the object: windows in, published batches and checkpoints out.

use batchfleet_decode::Notes;
use batchfleet_grammar::{BatchLimits, BatchRange, Position, Splitter};
use bytes::Bytes;
use futures_util::future::{join, try_join_all};

use super::text::SourceText;
use super::uniques::{BatchMarks, Scan};
use super::{Prepared, Preparer, Stop};
use crate::batch::Publication;
use crate::error::{PortError, PortResult};
use crate::job::{Checkpoint, Job, JobStatus, Layout, PlanTotals, PreparerHold, Reason};
use crate::message::Message;
use crate::mutation::{self, Mutation};
use crate::plan::PlanPage;
use crate::ports::Held;
use crate::process::JobPlan;
use crate::work::leave_watch;

/// A preparer hands over when less than this is left of its time: enough for a window over a slow
/// connection, its publication, and the message.
const HANDOVER_MARGIN_MS: u64 = 20_000;

/// Preparers in a row that may run out of time before they have gone through a source as far as an
/// earlier one did.
pub(super) const FRUITLESS_MAX: u32 = 3;

/// One preparer's run over the object.
pub(super) struct Planning<'a> {
    pub(super) preparer: &'a Preparer,
    pub(super) job: &'a Job,
    pub(super) layout: &'a Layout,
    hold: PreparerHold,
    splitter: Splitter,
    /// Ranges that are not published yet; the first begins a page.
    pending: Vec<BatchRange>,
    /// What looks at the records before they are pending, where anything does.
    pub(super) scan: Option<Box<Scan<'a>>>,
    pub(super) progress: Checkpoint,
    /// When the hold was last extended.
    held_ms: u64,
    /// When it hands over.
    stop_ms: Option<u64>,
}

impl<'a> Planning<'a> {
    pub(super) fn new(
        preparer: &'a Preparer,
        job: &'a Job,
        hold: PreparerHold,
        plan: &'a JobPlan,
        checkpoint: Option<Checkpoint>,
        deadline_ms: Option<u64>,
    ) -> Self {
        let layout = plan.layout();
        let progress = checkpoint.unwrap_or(Checkpoint {
            next: layout.data,
            next_batch: 0,
            ..Checkpoint::default()
        });
        let batches = BatchLimits {
            records_max: job.policy.batch_records_max.min(plan.batch_records_max()),
            bytes_max: job.policy.batch_bytes_max,
        };
        let now = preparer.clock.now_ms();
        // A function with a short time limit still reads for most of it.
        let stop_ms = deadline_ms
            .map(|deadline| deadline - HANDOVER_MARGIN_MS.min(deadline.saturating_sub(now) / 4));
        let splitter = Splitter::new(
            layout.dialect,
            plan.limits(),
            batches,
            progress.next,
            progress.next_batch,
        );
        Self {
            preparer,
            job,
            layout,
            hold,
            splitter,
            pending: Vec::new(),
            scan: Scan::of(preparer, job, plan, progress.next.offset).map(Box::new),
            progress,
            held_ms: now,
            stop_ms,
        }
    }

    pub(super) async fn run(&mut self) -> Result<Prepared, Stop> {
        if let Some(redrive) = &self.job.source.redrive {
            return self.redrive(redrive).await;
        }
        let recalled = self.recall(&self.job.id, self.progress.next_batch).await?;
        if let Some(early) = recalled {
            return Ok(early);
        }
        let from = self.progress.next.offset;
        let mut text = SourceText::open(self.preparer, self.job, self.layout, from)?;
        let mut next = text.next().await?;
        while let Some(window) = next {
            if let Some(status) = self.ended_meanwhile().await? {
                return Ok(Prepared::AlreadyPrepared(self.job.id.clone(), status));
            }
            let held = if window.is_empty() {
                next = text.next().await?;
                self.extend_hold().await?
            } else {
                let marks = self.cut(Some(&window)).await?;
                let (published, read) = join(self.publish(marks, false), text.next()).await;
                let published = published?;
                next = read?;
                published
            };
            if held == Held::Lost {
                return Ok(Prepared::Superseded(self.job.id.clone()));
            }
            if self.is_short_of_time() && next.is_some() {
                return self.hand_over(&text, from).await;
            }
        }
        let marks = self.cut(None).await?;
        if self.publish(marks, true).await? == Held::Lost {
            return Ok(Prepared::Superseded(self.job.id.clone()));
        }
        self.mark_prepared(text.end(), text.notes()).await
    }

    /// Cuts the batches that end in the next window; or, without one, the last. The answer is what is
    /// to be written of them before they are published.
    async fn cut(&mut self, window: Option<&Bytes>) -> Result<Vec<BatchMarks>, Stop> {
        let mut ranges = Vec::new();
        match window {
            Some(window) => self.splitter.push(window, &mut ranges)?,
            None => self.splitter.finish(&mut ranges)?,
        }
        let Some(scan) = &mut self.scan else {
            self.pending.append(&mut ranges);
            return Ok(Vec::new());
        };
        let open = self.splitter.position().offset;
        scan.take(window, ranges, open, &mut self.pending).await
    }

    /// Whether whoever takes over must go through what came before.
    pub(super) fn remembers(&self) -> bool {
        self.scan.as_ref().is_some_and(|scan| scan.remembers())
    }

    /// An aborted or failed job is planned no further: one small read a window.
    pub(super) async fn ended_meanwhile(&self) -> PortResult<Option<JobStatus>> {
        let job = self.preparer.store.job(&self.job.id).await?;
        Ok(job
            .map(|job| job.status)
            .filter(|status| status.is_terminal()))
    }

    pub(super) fn is_short_of_time(&self) -> bool {
        self.stop_ms
            .is_some_and(|stop| self.preparer.clock.now_ms() >= stop)
    }

    /// Leaves the rest to the next preparer. One that decoded all it could and got no further than
    /// `from`, where the one before it was, may have met a slow moment; several in a row mean that no
    /// preparer has the time.
    pub(super) async fn hand_over(
        &mut self,
        text: &SourceText<'_>,
        from: u64,
    ) -> Result<Prepared, Stop> {
        let must_begin_anew = text.is_decoded() || self.remembers();
        if must_begin_anew && self.progress.next.offset == from {
            self.progress.fruitless += 1;
            if self.progress.fruitless >= FRUITLESS_MAX {
                return Err(Stop::Job(Reason::bad_source(&format!(
                    "going through the file up to byte {} of its text takes longer than a preparer has, \
                     and none can begin in the middle: unpack the file or divide it, and upload that",
                    self.progress.next.offset
                ))));
            }
        }
        self.hand_on().await
    }

    /// Sends the next preparer, which goes on from here.
    pub(super) async fn hand_on(&self) -> Result<Prepared, Stop> {
        let message = Message::Prepare {
            source: self.job.source.clone(),
        };
        if self
            .preparer
            .store
            .checkpoint(&self.hold, &self.progress, 0)
            .await?
            == Held::Kept
        {
            self.preparer.queue.send(&message, 0).await?;
        }
        Ok(Prepared::HandedOver(self.job.id.clone()))
    }

    /// Writes every full page (and, at the end, the last one), makes it claimable, wakes workers,
    /// and only then moves the checkpoint behind it: a checkpoint never runs ahead of its batches. Before
    /// all that the marks of the batches that were cut last are written.
    async fn publish(&mut self, marks: Vec<BatchMarks>, last: bool) -> PortResult<Held> {
        self.put_marks(marks).await?;
        let page_batches = self.job.policy.page_batches as usize;
        let ready = if last {
            self.pending.len()
        } else {
            self.pending.len() / page_batches * page_batches
        };
        let ranges: Vec<BatchRange> = self.pending.drain(..ready).collect();
        if mutation::on(Mutation::CheckpointFirst) {
            self.advance(&ranges);
            self.checkpoint().await?;
        }
        let shard_batches = u64::from(self.job.policy.shard_batches);
        for shard in ranges.chunk_by(|a, b| a.index / shard_batches == b.index / shard_batches) {
            if self.extend_hold().await? == Held::Lost {
                return Ok(Held::Lost);
            }
            self.publish_shard(shard).await?;
        }
        if !ranges.is_empty() {
            self.advance(&ranges);
            self.wake_workers().await?;
        }
        if last {
            self.put_marks(Vec::new()).await?;
            self.seal_last_shard().await?;
        }
        self.checkpoint().await
    }

    /// Moves the progress behind `ranges`, which are no longer pending.
    fn advance(&mut self, ranges: &[BatchRange]) {
        if let Some(range) = ranges.last() {
            self.progress.next_batch = range.index + 1;
            self.progress.next = self.next_position();
            self.progress.fruitless = 0;
        }
    }

    /// Extends the hold once a third of it has passed: a window of many small batches may take longer
    /// to publish than a lease lasts, and whoever took over then would not get further.
    pub(super) async fn extend_hold(&mut self) -> PortResult<Held> {
        let passed = self.preparer.clock.now_ms().saturating_sub(self.held_ms);
        if passed < self.job.policy.lease_ms / 3 || mutation::on(Mutation::HoldUnextended) {
            return Ok(Held::Kept);
        }
        self.checkpoint().await
    }

    /// Keeps the progress and extends the hold.
    pub(super) async fn checkpoint(&mut self) -> PortResult<Held> {
        self.held_ms = self.preparer.clock.now_ms();
        let until = self.held_ms + self.job.policy.lease_ms;
        self.preparer
            .store
            .checkpoint(&self.hold, &self.progress, until)
            .await
    }

    fn next_position(&self) -> Position {
        let held = self.scan.as_ref().and_then(|scan| scan.first_held());
        match self.pending.first().or(held) {
            Some(range) => range.position(),
            None => self.splitter.position(),
        }
    }

    /// `ranges` are consecutive batches of one shard, beginning with a page.
    async fn publish_shard(&self, ranges: &[BatchRange]) -> PortResult<()> {
        let (Some(first), Some(end)) = (ranges.first(), ranges.last()) else {
            return Ok(());
        };
        let policy = &self.job.policy;
        let (per_shard, per_page) = (
            u64::from(policy.shard_batches),
            u64::from(policy.page_batches),
        );
        let shard = (first.index / per_shard) as u32;
        let first_page = (first.index % per_shard / per_page) as u32;
        let pages: Vec<PlanPage> = ranges
            .chunks(policy.page_batches as usize)
            .map(|page| PlanPage {
                ranges: page.to_vec(),
            })
            .collect();
        let store = &self.preparer.store;
        store
            .write_pages(&self.job.id, shard, first_page, &pages)
            .await?;
        let published = (end.index % per_shard + 1) as u32;
        let publication = Publication {
            published,
            start: self.shard_start(shard, first).await?,
            end: end.end,
            sealed: published == policy.shard_batches,
        };
        store.publish(&self.job.id, shard, &publication).await
    }

    /// A full shard seals itself; the last one seldom is full.
    async fn seal_last_shard(&self) -> PortResult<()> {
        let per_shard = u64::from(self.job.policy.shard_batches);
        let batches = self.progress.next_batch;
        if batches.is_multiple_of(per_shard) {
            return Ok(());
        }
        let shard = (batches / per_shard) as u32;
        let publication = Publication {
            published: (batches % per_shard) as u32,
            start: self.stored_start(shard).await?,
            end: self.progress.next.offset,
            sealed: true,
        };
        let store = &self.preparer.store;
        store.publish(&self.job.id, shard, &publication).await
    }

    /// Where the shard of `first` begins.
    async fn shard_start(&self, shard: u32, first: &BatchRange) -> PortResult<u64> {
        let per_shard = u64::from(self.job.policy.shard_batches);
        if first.index.is_multiple_of(per_shard) {
            return Ok(first.start);
        }
        self.stored_start(shard).await
    }

    /// Where a shard begins whose first page is written.
    async fn stored_start(&self, shard: u32) -> PortResult<u64> {
        match self.preparer.store.page(&self.job.id, shard, 0).await? {
            Some(PlanPage { ranges }) if !ranges.is_empty() => Ok(ranges[0].start),
            _ => Err(PortError::corrupt(
                "the plan",
                format!("shard {shard} has no first page"),
            )),
        }
    }

    /// One message a worker, up to the limit, spread over the shards there are; and before the
    /// first, the watch that outlives them all.
    pub(super) async fn wake_workers(&mut self) -> PortResult<()> {
        let policy = &self.job.policy;
        let queue = &self.preparer.queue;
        let wanted = self.progress.next_batch.min(u64::from(policy.workers_max)) as u32;
        if self.progress.messages >= wanted {
            return Ok(());
        }
        let job = &self.job.id;
        if self.progress.messages == 0 {
            let preparer = self.preparer;
            let (store, clock) = (&*preparer.store, &*preparer.clock);
            leave_watch(store, &**queue, clock, self.job, 1).await?;
        }
        let shards = self
            .progress
            .next_batch
            .div_ceil(u64::from(policy.shard_batches)) as u32;
        let messages: Vec<Message> = (self.progress.messages..wanted)
            .map(|n| Message::Work {
                job: job.clone(),
                shard: n % shards,
                seat: n,
            })
            .collect();
        try_join_all(messages.iter().map(|message| queue.send(message, 0))).await?;
        self.progress.messages = wanted;
        Ok(())
    }

    /// Ends the planning of a text of `data_end` bytes.
    pub(super) async fn mark_prepared(
        &self,
        data_end: u64,
        notes: Notes,
    ) -> Result<Prepared, Stop> {
        let id = self.job.id.clone();
        let batches = self.progress.next_batch;
        let totals = PlanTotals {
            shards: batches.div_ceil(u64::from(self.job.policy.shard_batches)) as u32,
            batches,
            records: self.progress.next.record,
            data_start: self.layout.data.offset,
            data_end,
            prepared_ms: self.preparer.clock.now_ms(),
            malformed: notes.malformed,
            late_keys: notes.late_keys,
        };
        if self
            .preparer
            .store
            .mark_prepared(&self.hold, &totals)
            .await?
            == Held::Lost
        {
            return Ok(Prepared::Superseded(id));
        }
        tracing::info!(job = %id, batches, records = totals.records, "prepared");
        // The workers may have been faster than the planning, or there may be nothing to do.
        match self.preparer.closer().finish(&id).await? {
            Some(status) => Ok(Prepared::Ended(id, status)),
            None => Ok(Prepared::Planned(id)),
        }
    }
}
