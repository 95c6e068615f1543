//! The worker: claims batches until there are none left for it (steps 6 to 8 and 10 of the protocol).
//!
//! An invocation first takes tickets, shard by shard: they spread workers over the batches without
//! contention. Where the tickets are used up it sweeps: one query a shard finds batches whose
//! holders died or handed back, and shards whose every batch is over. It never waits for another
//! worker's lease: it sends its message on, delayed to the end of that lease, and returns.

mod deliver;
mod existing;
mod invocation;
mod records;
mod scope;

use std::sync::{Arc, Mutex, PoisonError};

use crate::checksum::FileSum;
use crate::close::Closer;
use crate::error::{PortError, PortResult, chain};
use crate::ids::{JobId, OwnerId};
use crate::job::{Job, JobStatus, Reason};
use crate::message::Message;
use crate::mutation::{self, Mutation};
use crate::ports::{
    Clock, FoundLookup, FoundSink, Ids, Lookup, Lookups, Observer, Queue, Results, Sink, Sinks,
    Source, Spool, Store,
};
use crate::process::{JobPlan, SharedPlan};
use crate::throttle::{self, Throttle};
use crate::watch::Watch;
use crate::work::invocation::{Invocation, Stop};
pub use crate::work::scope::Scope;

/// Works on jobs. One value serves many invocations, also at once.
pub struct Worker {
    /// Jobs, plans, batches.
    pub store: Arc<dyn Store>,
    /// The uploaded bytes.
    pub source: Arc<dyn Source>,
    /// The decoded text of sources that do not split.
    pub spool: Arc<dyn Spool>,
    /// Parts and rejects.
    pub results: Arc<dyn Results>,
    /// Destinations that take records one by one.
    pub sinks: Arc<dyn Sinks>,
    /// Tables whose records the rows must not be.
    pub lookups: Arc<dyn Lookups>,
    /// The message sent on.
    pub queue: Arc<dyn Queue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Owners' ids.
    pub ids: Arc<dyn Ids>,
    /// Who hears of completed batches.
    pub observer: Arc<dyn Observer>,
    /// How it waits.
    pub pace: Pace,
    /// Plans compiled lately.
    pub plans: PlanCache,
}

/// How long a worker's message waits where there is no lease to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The preparer has published nothing new: look again after this.
    pub idle_ms: u64,
    /// The job is paused: look again after this. The watch, too, comes back to it.
    pub paused_ms: u64,
    /// A port failed for now: try again after this, or up to twice as long.
    pub retry_ms: u64,
    /// Stop claiming when less than this is left, or less than twice the slowest batch so far.
    pub handover_margin_ms: u64,
    /// While other jobs are open: hand over after so long, so that they get their turn.
    pub turn_ms: u64,
    /// Records of a batch between two chances for the heartbeat and for a look at the job; above 0.
    pub step_records: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            idle_ms: 1_000,
            paused_ms: 2_000,
            retry_ms: 5_000,
            handover_margin_ms: 10_000,
            turn_ms: 20_000,
            // About a millisecond of work.
            step_records: 2_000,
        }
    }
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worked {
    /// There is no such job: its items are gone, or the message is forged.
    UnknownJob(JobId),
    /// The message is for another function.
    NotForWorkers,
    /// The job is over, and its report is written.
    JobOver(JobId, JobStatus),
    /// Nothing to claim now; the message was sent on, delayed by this.
    Deferred(JobId, u64),
    /// Nothing to claim now; the watch that is already in the queue comes back to it.
    Watching(JobId),
    /// Out of time; the message was sent on.
    HandedOver(JobId),
}

impl Worker {
    /// Works on the job of a message.
    ///
    /// # Errors
    /// A port's refusal, or a failure even to send the message on: the queue delivers it again.
    pub async fn work(&self, message: &Message, deadline_ms: Option<u64>) -> PortResult<Worked> {
        let (job, place, is_watch) = match message {
            Message::Work { job, shard, seat } => (job, Place::new(*shard, *seat), false),
            Message::Watch { job, token } => {
                if let Some(done) = self.leave_next_watch(job, *token).await? {
                    return Ok(done);
                }
                (job, Place::default(), true)
            }
            Message::Prepare { .. } => return Ok(Worked::NotForWorkers),
        };
        match self.work_on(job, place, deadline_ms).await {
            Ok(Stop::UnknownJob) => Ok(Worked::UnknownJob(job.clone())),
            Ok(Stop::JobOver(status)) => Ok(Worked::JobOver(job.clone(), status)),
            Ok(Stop::OutOfTime) => {
                self.queue.send(&successor(message), 0).await?;
                Ok(Worked::HandedOver(job.clone()))
            }
            Ok(_) if is_watch => Ok(Worked::Watching(job.clone())),
            Ok(Stop::NothingFor(delay_ms)) => self.defer(message, job, delay_ms).await,
            Err(error) if error.is_retryable() && is_watch => {
                tracing::warn!(job = %job, error = %chain(&error), "a port failed for now");
                Ok(Worked::Watching(job.clone()))
            }
            Err(error) if error.is_retryable() => {
                if matches!(error, PortError::Throttled { .. }) {
                    self.slow_down(job).await;
                }
                let delay_ms = self.pace.retry_ms + self.ids.random() % self.pace.retry_ms.max(1);
                tracing::warn!(job = %job, error = %chain(&error), delay_ms, "a port failed for now");
                self.defer(message, job, delay_ms).await
            }
            Err(error) => Err(error),
        }
    }

    async fn defer(&self, message: &Message, job: &JobId, delay_ms: u64) -> PortResult<Worked> {
        if !mutation::on(Mutation::DropInsteadOfDefer) {
            self.queue.send(message, delay_ms).await?;
        }
        Ok(Worked::Deferred(job.clone(), delay_ms))
    }

    /// Before it works, a watch leaves the next one: whatever dies, one is waiting. A watch that has
    /// a successor already ends here.
    async fn leave_next_watch(&self, job: &JobId, token: u64) -> PortResult<Option<Worked>> {
        let Some(stored) = self.store.job(job).await? else {
            return Ok(Some(Worked::UnknownJob(job.clone())));
        };
        if stored.status.is_terminal() && !stored.outbox {
            return Ok(Some(Worked::JobOver(job.clone(), stored.status)));
        }
        let newest = self.store.watch(job).await?;
        if newest.is_some_and(|newest| newest.supersedes(token)) {
            return Ok(Some(Worked::Watching(job.clone())));
        }
        if stored.status == JobStatus::Paused && mutation::on(Mutation::PausedUnwatched) {
            return Ok(None);
        }
        leave_watch(
            &*self.store,
            &*self.queue,
            &*self.clock,
            &stored,
            token.saturating_add(1),
        )
        .await?;
        Ok(None)
    }

    /// Has fewer of the job's workers run. As good as can be: whoever is throttled next does it again.
    async fn slow_down(&self, id: &JobId) {
        let Ok(Some(job)) = self.store.job(id).await else {
            return;
        };
        let slower = Throttle::slower(job.throttle, &job.policy, self.clock.now_ms());
        if let Some(throttle) = slower {
            tracing::warn!(job = %id, workers = throttle.workers, "throttled: the job's fleet slows down");
            let _ = self.store.set_throttle(id, job.throttle, throttle).await;
        }
    }

    async fn work_on(
        &self,
        id: &JobId,
        place: Place,
        deadline_ms: Option<u64>,
    ) -> PortResult<Stop> {
        if let Some(status) = self.closer().finish(id).await? {
            return Ok(Stop::JobOver(status));
        }
        let Some(job) = self.store.job(id).await? else {
            return Ok(Stop::UnknownJob);
        };
        if job.status == JobStatus::Paused && !mutation::on(Mutation::ClaimWhilePaused) {
            return Ok(Stop::NothingFor(self.pace.paused_ms));
        }
        if let Some(wait_ms) = place.held_back_ms(&job, self.clock.now_ms()) {
            return Ok(Stop::NothingFor(wait_ms));
        }
        let owner = OwnerId::from_random(self.ids.random());
        let bound = match self.bind(id).await? {
            Ok(Some(bound)) => bound,
            Ok(None) => return Ok(Stop::NothingFor(self.pace.idle_ms)),
            Err(reason) => return self.fail(id, reason).await,
        };
        let mut invocation = Invocation::new(self, job, owner, bound, place, deadline_ms);
        // Boxed: whoever calls this would carry all that a batch needs around.
        match Box::pin(invocation.run()).await {
            Ok(stop) => Ok(stop),
            Err(PortError::SourceChanged) => self.fail(id, Reason::source_changed()).await,
            // Or the job is over by now, and this worker comes too late: then nothing fails.
            Err(PortError::SpoolGone) => self.fail(id, Reason::spool_gone()).await,
            Err(PortError::Conflict { name }) => {
                self.fail(id, Reason::output_conflict(&name)).await
            }
            Err(error) => Err(error),
        }
    }

    async fn fail(&self, job: &JobId, reason: Reason) -> PortResult<Stop> {
        Ok(Stop::JobOver(self.closer().fail(job, reason).await?))
    }

    fn closer(&self) -> Closer {
        Closer {
            store: Arc::clone(&self.store),
            results: Arc::clone(&self.results),
            spool: Arc::clone(&self.spool),
            clock: Arc::clone(&self.clock),
        }
    }

    /// What the job's batches are worked with; `None` while the preparer has not read the header. The
    /// inner error is why the destination, or a table to look records up in, can't be used.
    async fn bind(&self, job: &JobId) -> PortResult<Result<Option<Bound>, Reason>> {
        if let Some(bound) = self.plans.get(job) {
            return Ok(Ok(Some(bound)));
        }
        let snapshot = self.store.snapshot(job).await?;
        let Some(snapshot) = snapshot.filter(|snapshot| snapshot.layout.is_some()) else {
            return Ok(Ok(None));
        };
        let definition_sum = FileSum::of(snapshot.definition_text.as_bytes()).sha256;
        let plan = Arc::new(JobPlan::compile(snapshot)?);
        let mut sink = None;
        if plan.destination().is_record_wise() {
            sink = match self.sinks.sink(plan.destination()).await? {
                FoundSink::Sink(sink) => Some(sink),
                FoundSink::Unusable(why) => return Ok(Err(Reason::bad_destination(&why))),
            };
        }
        let mut tables = Vec::with_capacity(plan.lookups().len());
        for table in plan.lookups() {
            match self.lookups.lookup(table).await? {
                FoundLookup::Lookup(lookup) => tables.push(AskedTable { lookup }),
                FoundLookup::Unusable(why) => return Ok(Err(Reason::bad_lookup(&why))),
            }
        }
        let bound = Bound {
            plan,
            sink,
            tables,
            definition_sum: definition_sum.into(),
        };
        self.plans.put(job, &bound);
        Ok(Ok(Some(bound)))
    }
}

/// What a worker's message says of it.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The shard to begin at.
    shard: u32,
    /// Which of the job's workers it is.
    seat: u32,
}

impl Place {
    fn new(shard: u32, seat: u32) -> Self {
        Self { shard, seat }
    }

    fn held_back_ms(self, job: &Job, now_ms: u64) -> Option<u64> {
        throttle::held_back_ms(job.throttle, &job.policy, self.seat, now_ms)
    }
}

/// What the batches of one job are worked with.
#[derive(Clone)]
struct Bound {
    plan: SharedPlan,
    /// Where the records go, if they go there one by one.
    sink: Option<Arc<dyn Sink>>,
    /// The tables of the definition's look-ups, in their order.
    tables: Vec<AskedTable>,
    /// The SHA-256 of the definition's text.
    definition_sum: Arc<str>,
}

/// A table whose records the rows must not be.
#[derive(Clone)]
struct AskedTable {
    lookup: Arc<dyn Lookup>,
}

/// The message that goes on where the worker of this one runs out of time. A watch may be all that is
/// left of a job's workers, and its next is a lease away: that one, sent once more, goes on at once.
/// Whichever of the two comes second is superseded.
fn successor(message: &Message) -> Message {
    match message {
        Message::Watch { job, token } => Message::Watch {
            job: job.clone(),
            token: token.saturating_add(1),
        },
        Message::Work { .. } | Message::Prepare { .. } => message.clone(),
    }
}

/// Puts a watch into the queue, and then records it: never the other way round.
pub(crate) async fn leave_watch(
    store: &dyn Store,
    queue: &dyn Queue,
    clock: &dyn Clock,
    job: &Job,
    token: u64,
) -> PortResult<()> {
    if mutation::on(Mutation::NoWatch) {
        return Ok(());
    }
    let delay_ms = job.policy.lease_ms;
    let message = Message::Watch {
        job: job.id.clone(),
        token,
    };
    queue.send(&message, delay_ms).await?;
    let watch = Watch {
        token,
        due_ms: clock.now_ms() + delay_ms,
    };
    store.record_watch(&job.id, &watch).await
}

/// The plans, with their destinations, that a warm function used last.
#[derive(Default)]
pub struct PlanCache(Mutex<Vec<(JobId, Bound)>>);

impl PlanCache {
    const PLANS_MAX: usize = 8;

    fn get(&self, job: &JobId) -> Option<Bound> {
        let plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans
            .iter()
            .find(|(id, _)| id == job)
            .map(|(_, bound)| bound.clone())
    }

    fn put(&self, job: &JobId, bound: &Bound) {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= Self::PLANS_MAX {
            plans.remove(0);
        }
        plans.push((job.clone(), bound.clone()));
    }
}
