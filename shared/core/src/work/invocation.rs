//! One invocation of a worker: tickets, then sweeps, then out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use batchfleet_grammar::BatchRange;

use crate::batch::{BatchKey, Completion, Shard};
use crate::error::{PortError, PortResult};
use crate::ids::OwnerId;
use crate::job::{Job, JobStatus};
use crate::mutation::{self, Mutation};
use crate::plan::PlanPage;
use crate::ports::{ClaimOutcome, Held, Sink, TicketOutcome};
use crate::process::SharedPlan;
use crate::work::scope::Before;
use crate::work::{AskedTable, Bound, Place, Worker};

/// How often a worker looks whether its job was paused or ended.
const STATUS_EVERY_MS: u64 = 1_000;

/// Tickets of one block at most: what a killed worker leaves to the sweep.
const BLOCK_MAX: u32 = 8;

/// Tries of one claim, the first included.
const CLAIM_TRIES_MAX: u32 = 3;

/// Sweeps of all shards in one invocation that may find work, before it lets others have a turn.
const SWEEPS_MAX: u32 = 1_000;

/// What became of trying a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    /// It was claimed and worked.
    Worked,
    /// Someone else has it.
    Taken,
    /// The invocation ends.
    Stop(Stop),
}

/// What became of a claimed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BatchEnd {
    /// It is over, with this.
    Completed(Completion),
    /// The lease was lost; someone else works it, or will.
    Lost,
    /// The job was paused or ended meanwhile; it is to be handed back.
    Stopped,
    /// The invocation has no time to finish it. The lease is left to run out, so that the attempt
    /// counts: a batch that no invocation finishes is given up in the end.
    OutOfTime,
}

/// Why an invocation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// No such job.
    UnknownJob,
    /// The job is over and reported.
    JobOver(JobStatus),
    /// Too little time for another batch.
    OutOfTime,
    /// Nothing claimable for this long.
    NothingFor(u64),
}

/// What a sweep of all shards found.
#[derive(Default)]
struct Swept {
    /// Batches were claimed, so it is worth looking again.
    found_work: bool,
    /// The first lease of another worker to end.
    next_lease_end: Option<u64>,
}

/// One invocation: an owner, a job, and the time it has.
pub(super) struct Invocation<'a> {
    pub(super) worker: &'a Worker,
    pub(super) job: Job,
    pub(super) owner: OwnerId,
    pub(super) plan: SharedPlan,
    place: Place,
    /// Where the records go, if they go there one by one.
    pub(super) sink: Option<Arc<dyn Sink>>,
    /// Tables whose records the rows must not be, in the order of the definition.
    pub(super) tables: Vec<AskedTable>,
    /// The SHA-256 of the definition's text.
    pub(super) definition_sum: Arc<str>,
    deadline_ms: Option<u64>,
    /// When others get a turn, if there are any.
    turn_ends_ms: u64,
    /// Time that a batch must find left, at least.
    margin_ms: u64,
    /// The slowest batch of this invocation.
    batch_ms_max: u64,
    status_read_ms: AtomicU64,
    /// Rejects of the batches that this invocation completed.
    rejected: u64,
    /// What a redrive needs to know of the attempts before.
    pub(super) before: Before,
    /// The page used last: the tickets of a block lie side by side.
    page: Option<(u32, u32, PlanPage)>,
}

impl<'a> Invocation<'a> {
    pub(super) fn new(
        worker: &'a Worker,
        job: Job,
        owner: OwnerId,
        bound: Bound,
        place: Place,
        deadline_ms: Option<u64>,
    ) -> Self {
        let status_read_ms = worker.clock.now_ms();
        // A function with a short time limit still works for most of it.
        let time = deadline_ms.map_or(u64::MAX, |deadline| deadline.saturating_sub(status_read_ms));
        let margin_ms = worker.pace.handover_margin_ms.min(time / 4);
        Self {
            worker,
            job,
            owner,
            plan: bound.plan,
            sink: bound.sink,
            tables: bound.tables,
            definition_sum: bound.definition_sum,
            place,
            deadline_ms,
            turn_ends_ms: status_read_ms.saturating_add(worker.pace.turn_ms),
            margin_ms,
            batch_ms_max: 0,
            status_read_ms: AtomicU64::new(status_read_ms),
            rejected: 0,
            before: Before::default(),
            page: None,
        }
    }

    /// Works until there is a reason to stop.
    pub(super) async fn run(&mut self) -> PortResult<Stop> {
        if let Some(stop) = self.look_at_rejects().await? {
            return Ok(stop);
        }
        for _ in 0..SWEEPS_MAX {
            if let Some(stop) = self.drain_all().await? {
                return Ok(stop);
            }
            let mut swept = Swept::default();
            if let Some(stop) = self.sweep_all(&mut swept).await? {
                return Ok(stop);
            }
            if let Some(status) = self.worker.closer().finish(&self.job.id).await? {
                return Ok(Stop::JobOver(status));
            }
            if !swept.found_work {
                return self.nothing_left(swept.next_lease_end).await;
            }
        }
        Ok(Stop::NothingFor(0))
    }

    /// Others hold what is left, or the preparer has more to publish.
    async fn nothing_left(&mut self, next_lease_end: Option<u64>) -> PortResult<Stop> {
        // As the sweep found it: what was published since, it did not see.
        let mut swept_status = self.job.status;
        if let Some(stop) = self.look_at_status(0).await? {
            return Ok(stop);
        }
        if mutation::on(Mutation::WaitUnswept) {
            swept_status = self.job.status;
        }
        let idle = self.worker.pace.idle_ms;
        let now = self.worker.clock.now_ms();
        let delay = match (swept_status, next_lease_end) {
            (JobStatus::Processing, Some(end)) => end.saturating_sub(now).max(1),
            // While planning goes on there will be something new before any lease ends.
            (_, Some(end)) => end.saturating_sub(now).clamp(1, idle),
            (_, None) => idle,
        };
        Ok(Stop::NothingFor(delay))
    }

    /// Takes tickets from every shard, beginning at the hint, until none are left.
    async fn drain_all(&mut self) -> PortResult<Option<Stop>> {
        let hint = self.place.shard;
        let mut number = hint;
        loop {
            match self.worker.store.shard(&self.job.id, number).await? {
                Some(shard) => {
                    if let Some(stop) = self.drain(number, shard).await? {
                        return Ok(Some(stop));
                    }
                    number += 1;
                }
                // Past the last shard: on with those before the hint.
                None if number >= hint && hint > 0 => number = 0,
                None => return Ok(None),
            }
            if number == hint {
                return Ok(None);
            }
        }
    }

    async fn drain(&mut self, number: u32, mut shard: Shard) -> PortResult<Option<Stop>> {
        while !shard.closed && shard.cursor < shard.published {
            let left = shard.published - shard.cursor;
            // A page has just been published, and every worker waits for it: no more of them than
            // it has batches should ask, since one that comes too late costs a write all the same.
            if !shard.sealed && !self.is_chosen(left) {
                break;
            }
            let block = (left / (2 * self.job.policy.workers_max.max(1))).clamp(1, BLOCK_MAX);
            let store = &self.worker.store;
            match store
                .take_tickets(&self.job.id, number, block, shard.published)
                .await?
            {
                TicketOutcome::Taken(slots) => {
                    shard.cursor = slots.end;
                    for slot in slots {
                        if let Tried::Stop(stop) = self.try_batch(number, slot).await? {
                            return Ok(Some(stop));
                        }
                    }
                }
                TicketOutcome::Short(now) => shard = now,
            }
        }
        Ok(None)
    }

    /// Looks through every open shard: claims what can be claimed, closes what is over.
    async fn sweep_all(&mut self, swept: &mut Swept) -> PortResult<Option<Stop>> {
        for number in 0.. {
            match self.worker.store.shard(&self.job.id, number).await? {
                None => break,
                Some(shard) if shard.closed => {}
                // While planning goes on, a shard that is still filled is looked through by one
                // worker in so many, and not by every one that waits for the next page.
                Some(shard) if !shard.sealed && !self.is_chosen(1) => {}
                Some(_) => {
                    if let Some(stop) = self.sweep(number, swept).await? {
                        return Ok(Some(stop));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Chooses so many of the job's workers, at random.
    fn is_chosen(&self, workers: u32) -> bool {
        let of = u64::from(self.job.policy.workers_max.max(1));
        self.worker.ids.random() % of < u64::from(workers)
    }

    async fn sweep(&mut self, number: u32, swept: &mut Swept) -> PortResult<Option<Stop>> {
        let store = &self.worker.store;
        let Some(view) = store.sweep(&self.job.id, number).await? else {
            return Ok(None);
        };
        let abandoned = view.abandoned(self.worker.clock.now_ms());
        swept.found_work |= !abandoned.is_empty() || view.shard.cursor < view.shard.published;
        if abandoned.is_empty() {
            let end = view.next_lease_end(self.worker.clock.now_ms());
            swept.next_lease_end = [swept.next_lease_end, end].into_iter().flatten().min();
            self.worker
                .closer()
                .close_shard(&self.job, number, &view)
                .await?;
            return Ok(None);
        }
        // Workers that sweep at once begin at different places, so that they seldom meet; and where
        // two do, the view is out of date, so the one that came second looks again.
        let begin = self.worker.ids.random() as usize % abandoned.len();
        for slot in abandoned[begin..].iter().chain(&abandoned[..begin]) {
            match self.try_batch(number, *slot).await? {
                Tried::Worked => {}
                Tried::Taken => break,
                Tried::Stop(stop) => return Ok(Some(stop)),
            }
        }
        Ok(None)
    }

    /// Claims one batch and works it; losing the race for it is nothing.
    async fn try_batch(&mut self, shard: u32, slot: u32) -> PortResult<Tried> {
        if let Some(stop) = self.look_at_status(STATUS_EVERY_MS).await? {
            return Ok(Tried::Stop(stop));
        }
        if self.is_short_of_time() {
            return Ok(Tried::Stop(Stop::OutOfTime));
        }
        let begun = self.worker.clock.now_ms();
        let key = self.job.batch(shard, slot);
        let range = self.range(shard, slot).await?;
        let scope = self.scope(&key, &range).await?;
        // Finding that out took a redrive several calls, in which its job may have been paused.
        if self.job.source.redrive.is_some()
            && !mutation::on(Mutation::RedriveLooksEarly)
            && let Some(stop) = self.look_at_status(STATUS_EVERY_MS).await?
        {
            return Ok(Tried::Stop(stop));
        }
        let until = begun + self.job.policy.lease_ms;
        let ClaimOutcome::Claimed(lease) = self.claim(&key, begun, until).await? else {
            return Ok(Tried::Taken);
        };
        match self.work_batch(&lease, &range, &scope).await {
            Ok(BatchEnd::Completed(completion)) => {
                if let Some(stop) = self.count_rejects(&completion).await? {
                    return Ok(Tried::Stop(stop));
                }
            }
            Ok(BatchEnd::Stopped) => {
                let _ = self.worker.store.release(&lease).await;
                let stop = self.look_at_status(0).await?;
                return Ok(stop.map_or(Tried::Worked, Tried::Stop));
            }
            Ok(BatchEnd::OutOfTime) => {
                tracing::warn!(job = %self.job.id, shard, slot, attempt = lease.attempt, "out of time in a batch");
                return Ok(Tried::Stop(Stop::OutOfTime));
            }
            Ok(BatchEnd::Lost) => {
                tracing::warn!(job = %self.job.id, shard, slot, fence = lease.fence, "lease lost");
            }
            Err(error) => {
                // Best effort: where this fails too, the lease runs out by itself.
                let released = self.worker.store.release(&lease).await;
                return match (error, released) {
                    // Whoever holds the batch now gave it up, and took the name of its part.
                    (PortError::Conflict { .. }, Ok(Held::Lost))
                        if !mutation::on(Mutation::ZombieConflict) =>
                    {
                        Ok(Tried::Worked)
                    }
                    // Whether that is so can't be told for now.
                    (PortError::Conflict { .. }, Err(unknown)) => Err(unknown),
                    (error, _) => Err(error),
                };
            }
        }
        let took = self.worker.clock.now_ms().saturating_sub(begun);
        self.batch_ms_max = self.batch_ms_max.max(took);
        Ok(Tried::Worked)
    }

    /// A claim whose answer was lost is asked for again at once: it would otherwise hold the batch
    /// until its lease ends, and count as an attempt that died. The adapter has waited already.
    async fn claim(&self, key: &BatchKey, now_ms: u64, until_ms: u64) -> PortResult<ClaimOutcome> {
        let store = &self.worker.store;
        let mut outcome = store.claim(key, &self.owner, now_ms, until_ms).await;
        for _ in 1..CLAIM_TRIES_MAX {
            match &outcome {
                Err(error) if error.is_retryable() => {}
                _ => break,
            }
            outcome = store.claim(key, &self.owner, now_ms, until_ms).await;
        }
        outcome
    }

    /// Reads the job again if the last look is `every_ms` old: pausing and ending take effect here.
    async fn look_at_status(&mut self, every_ms: u64) -> PortResult<Option<Stop>> {
        let now = self.worker.clock.now_ms();
        if now.saturating_sub(self.status_read_ms.load(Relaxed)) < every_ms {
            return Ok(None);
        }
        self.status_read_ms.store(now, Relaxed);
        let Some(job) = self.worker.store.job(&self.job.id).await? else {
            return Ok(Some(Stop::UnknownJob));
        };
        self.job = job;
        match self.job.status {
            JobStatus::Preparing | JobStatus::Processing => self.look_at_fleet(now).await,
            JobStatus::Paused if mutation::on(Mutation::ClaimWhilePaused) => Ok(None),
            JobStatus::Paused => Ok(Some(Stop::NothingFor(self.worker.pace.paused_ms))),
            status @ (JobStatus::Completed | JobStatus::Failed | JobStatus::Aborted) => {
                self.worker.closer().finish(&self.job.id).await?;
                Ok(Some(Stop::JobOver(status)))
            }
        }
    }

    /// Ends the job where its workers together found more rejects than it bears.
    async fn look_at_rejects(&self) -> PortResult<Option<Stop>> {
        if self.job.policy.tolerated.is_none() {
            return Ok(None);
        }
        let tallied = self.worker.store.tallied(&self.job.id).await?;
        self.fail_beyond_tolerance(tallied).await
    }

    async fn fail_beyond_tolerance(&self, rejected: u64) -> PortResult<Option<Stop>> {
        match self.job.intolerable(rejected) {
            Some(reason) => self.worker.fail(&self.job.id, reason).await.map(Some),
            None => Ok(None),
        }
    }

    /// Of a job that goes on: whether it bears its rejects, and whether this worker lets others run.
    async fn look_at_fleet(&mut self, now_ms: u64) -> PortResult<Option<Stop>> {
        if let Some(stop) = self.look_at_rejects().await? {
            return Ok(Some(stop));
        }
        if let Some(wait_ms) = self.place.held_back_ms(&self.job, now_ms) {
            return Ok(Some(Stop::NothingFor(wait_ms)));
        }
        if now_ms < self.turn_ends_ms {
            return Ok(None);
        }
        self.turn_ends_ms = now_ms.saturating_add(self.worker.pace.turn_ms);
        let open = self.worker.store.open_jobs().await?;
        let others_wait = open.iter().any(|id| *id != self.job.id);
        Ok(others_wait.then_some(Stop::OutOfTime))
    }

    /// Adds to the job's tally, where it bears a bounded number of rejects.
    async fn count_rejects(&mut self, completion: &Completion) -> PortResult<Option<Stop>> {
        if self.job.policy.tolerated.is_none() || completion.counts.rejected == 0 {
            return Ok(None);
        }
        self.rejected += completion.counts.rejected;
        let (id, store) = (&self.job.id, &self.worker.store);
        store.record_tally(id, &self.owner, self.rejected).await?;
        self.fail_beyond_tolerance(self.rejected).await
    }

    /// Whether the job was paused or ended, looked at now and then in the middle of a batch.
    pub(super) async fn is_stopped(&self) -> PortResult<bool> {
        let now = self.worker.clock.now_ms();
        let read_ms = self.status_read_ms.load(Relaxed);
        let is_due = now.saturating_sub(read_ms) >= STATUS_EVERY_MS;
        if !is_due || mutation::on(Mutation::StopUnnoticed) {
            return Ok(false);
        }
        self.status_read_ms.store(now, Relaxed);
        let job = self.worker.store.job(&self.job.id).await?;
        Ok(job
            .is_none_or(|job| !matches!(job.status, JobStatus::Preparing | JobStatus::Processing)))
    }

    /// When a delivery must be over: half of what a batch finds left at least is for the rest of it.
    pub(super) fn delivery_ends_ms(&self) -> Option<u64> {
        let deadline_ms = self.deadline_ms?;
        Some(deadline_ms.saturating_sub(self.margin_ms / 2))
    }

    fn is_short_of_time(&self) -> bool {
        let margin = self.margin_ms.max(2 * self.batch_ms_max);
        let now = self.worker.clock.now_ms();
        self.deadline_ms
            .is_some_and(|deadline| deadline.saturating_sub(now) < margin)
    }

    async fn range(&mut self, shard: u32, slot: u32) -> PortResult<BatchRange> {
        let per_page = self.job.policy.page_batches;
        let number = slot / per_page;
        if !matches!(&self.page, Some((s, p, _)) if (*s, *p) == (shard, number)) {
            let page = self.worker.store.page(&self.job.id, shard, number).await?;
            let page = page.ok_or_else(|| {
                PortError::corrupt(
                    "the plan",
                    format!("page {number} of shard {shard} is published but missing"),
                )
            })?;
            self.page = Some((shard, number, page));
        }
        let range = self
            .page
            .as_ref()
            .and_then(|(_, _, page)| page.ranges.get((slot % per_page) as usize));
        range.copied().ok_or_else(|| {
            PortError::corrupt(
                "the plan",
                format!("slot {slot} of shard {shard} is published but missing"),
            )
        })
    }
}
