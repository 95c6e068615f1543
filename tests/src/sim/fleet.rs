//! The fleet: receives messages, runs each invocation as a future, and kills and freezes some.
//!
//! One thread, one virtual time. A future is polled only when something it waits for is due, and
//! whatever is due at the same time comes in an order that the seed chooses.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use batchfleet_core::PortResult;
use batchfleet_core::job::JobStatus;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{NoSinks, Unobserved};
use batchfleet_core::prepare::{Prepared, Preparer};
use batchfleet_core::sweep::{Sweeper, Swept};
use batchfleet_core::work::{Pace, PlanCache, Worked, Worker};

use super::brief::{self, Brief};
use super::history::{Handled, Standing};
use super::logs;
use super::messages::{Place, Stored};
use super::ports::{Ports, deliver};
use super::scenario::EPOCH_MS;
use super::world::{ActorId, Event, State, World};

/// The sweeper's period.
pub(crate) const SWEEP_EVERY_MS: u64 = 60_000;

/// A run that is not over by then never will be.
const RUN_MS_MAX: u64 = 3_600_000;

/// Nor one in which so much happens: it runs in circles.
const EVENTS_MAX: u64 = 200_000;

/// How an invocation ended by itself.
enum Done {
    Prepared(Prepared),
    Worked(Worked),
    Swept(Swept),
}

impl Brief for Done {
    fn brief(&self) -> String {
        match self {
            Self::Prepared(prepared) => brief::outcome(prepared),
            Self::Worked(worked) => brief::outcome(worked),
            Self::Swept(swept) => brief::outcome(swept),
        }
    }
}

type Call = Pin<Box<dyn Future<Output = PortResult<Done>> + Send>>;

/// A process that serves invocations, one after the other.
struct Process {
    ports: Arc<Ports>,
    preparer: Preparer,
    worker: Worker,
    sweeper: Sweeper,
}

/// One invocation.
struct Actor {
    call: Call,
    process: Arc<Process>,
    /// The message it has; `None` for the sweeper.
    message: Option<(u64, Message)>,
    begun_ms: u64,
    frozen_until_ms: u64,
    woken: Arc<Woken>,
}

impl Actor {
    fn has(&self, id: u64) -> bool {
        self.message.as_ref().is_some_and(|(has, _)| *has == id)
    }
}

/// Set where a future asks to be polled again at once.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// All invocations that live, and the processes that wait for one.
pub(crate) struct Fleet {
    pub(crate) world: Arc<World>,
    actors: BTreeMap<ActorId, Actor>,
    warm: Vec<Arc<Process>>,
    invocations: ActorId,
}

impl Fleet {
    pub(crate) fn new(state: State) -> Self {
        Self {
            world: Arc::new(World::new(state)),
            actors: BTreeMap::new(),
            warm: Vec::new(),
            invocations: 0,
        }
    }

    /// Runs until nothing is left to happen: every job over, every message gone, every zombie dead.
    pub(crate) fn run(&mut self) {
        for _ in 0..EVENTS_MAX {
            let event = {
                let mut state = self.world.lock();
                if state.now_ms > EPOCH_MS + RUN_MS_MAX {
                    return;
                }
                state.pop()
            };
            match event {
                None => return,
                Some(Event::Wake(actor)) => self.wake(actor),
                Some(Event::Deadline(actor)) => self.kill(actor, "killed at its time limit"),
                Some(Event::Visible(id, receipts)) => self.receive(id, receipts),
                Some(Event::Upload(upload)) => self.upload(upload),
                Some(Event::Sweep) => self.sweep(),
                Some(Event::Late(change)) => change(&mut self.world.lock()),
                Some(Event::FaultsEnd) => self.take_stock(),
            }
            let mut state = self.world.lock();
            logs::drain(|line| state.history.logs.push(line));
        }
    }

    fn upload(&self, upload: usize) {
        let state = &mut *self.world.lock();
        let upload = state.scenario.uploads[upload].clone();
        let source = state.bucket.upload(&upload.key, upload.file.text.into());
        state.history.uploads.push((state.now_ms, source.clone()));
        state.note(0, "upload", || {
            format!("{} as {:?}", source.job_id(), source)
        });
        for event_ms in upload.events_ms {
            let message = Message::Prepare {
                source: source.clone(),
            };
            let (at_ms, retry_ms) = (state.now_ms + event_ms, state.scenario.event_retry_ms);
            deliver(state, message, at_ms, retry_ms);
        }
    }

    /// The schedule of the sweeper; it ends with the last job.
    fn sweep(&mut self) {
        let is_needed = {
            let mut state = self.world.lock();
            let again_ms = state.now_ms + SWEEP_EVERY_MS;
            let uploads = state.scenario.uploads.len();
            let is_needed = state.history.uploads.len() < uploads
                || !state.table.open_jobs().is_empty()
                || !state.messages.is_empty();
            if is_needed {
                state.push(again_ms, Event::Sweep);
            }
            is_needed
        };
        if is_needed {
            self.invoke(None);
        }
    }

    fn receive(&mut self, id: u64, receipts: u32) {
        let stored = {
            let state = &mut *self.world.lock();
            let is_with_another = self.actors.values().any(|actor| actor.has(id));
            if is_with_another && !state.messages.may_double() {
                let later_ms = state.now_ms + state.scenario.visibility_ms;
                state.push(later_ms, Event::Visible(id, receipts));
                return;
            }
            let Some(stored) = state.messages.receive(id, receipts, state.now_ms) else {
                return;
            };
            if let Place::Hidden(until_ms) = stored.place {
                state.push(until_ms, Event::Visible(id, stored.receipts));
            }
            stored
        };
        self.invoke(Some((id, stored)));
    }

    /// Begins an invocation, in a warm process or in a new one.
    fn invoke(&mut self, message: Option<(u64, Stored)>) {
        self.invocations += 1;
        let id = self.invocations;
        let process = self.process();
        process.ports.serve(id);
        let message = message.map(|(number, stored)| (number, stored.message));
        let (begun_ms, deadline_ms) = {
            let mut state = self.world.lock();
            state.history.invocations += 1;
            let limit_ms = state.scenario.time_limit_ms;
            let (now_ms, at_ms) = (process.ports.clock_ms(&state), state.now_ms + limit_ms);
            state.push(at_ms, Event::Deadline(id));
            state.push(at_ms - limit_ms, Event::Wake(id));
            state.note(id, "invoked", || match &message {
                Some((_, message)) => format!("{}, clock {}", message.brief(), now_ms % 10_000_000),
                None => "by the schedule of the sweeper".to_owned(),
            });
            (state.now_ms, now_ms + limit_ms)
        };
        let call = call(
            &process,
            message.as_ref().map(|(_, message)| message),
            deadline_ms,
        );
        let actor = Actor {
            call,
            process,
            message,
            begun_ms,
            frozen_until_ms: 0,
            woken: Arc::default(),
        };
        self.actors.insert(id, actor);
    }

    fn process(&mut self) -> Arc<Process> {
        let mut state = self.world.lock();
        if !self.warm.is_empty() && state.random.one_in(2) {
            return self.warm.remove(0);
        }
        let most_ms = state.scenario.faults.skew_ms;
        let skew_ms = state.random.between(0, 2 * most_ms).cast_signed() - most_ms.cast_signed();
        let (policy, window_bytes) = (state.scenario.policy, state.scenario.window_bytes);
        drop(state);
        let ports = Arc::new(Ports::new(Arc::clone(&self.world), skew_ms));
        let preparer = Preparer {
            store: ports.clone(),
            source: ports.clone(),
            definitions: ports.clone(),
            results: ports.clone(),
            queue: ports.clone(),
            clock: ports.clone(),
            ids: ports.clone(),
            policy,
            batch_records: None,
            window_bytes,
        };
        let worker = Worker {
            store: ports.clone(),
            source: ports.clone(),
            results: ports.clone(),
            sinks: Arc::new(NoSinks),
            queue: ports.clone(),
            clock: ports.clone(),
            ids: ports.clone(),
            observer: Arc::new(Unobserved),
            pace: Pace::default(),
            plans: PlanCache::default(),
        };
        let sweeper = Sweeper {
            store: ports.clone(),
            queue: ports.clone(),
            clock: ports.clone(),
        };
        Arc::new(Process {
            ports,
            preparer,
            worker,
            sweeper,
        })
    }

    /// Lets an invocation go on; or it dies here, or freezes.
    fn wake(&mut self, id: ActorId) {
        let Some(actor) = self.actors.get_mut(&id) else {
            return;
        };
        {
            let state = &mut *self.world.lock();
            if actor.frozen_until_ms > state.now_ms {
                state.push(actor.frozen_until_ms, Event::Wake(id));
                return;
            }
            let (crash, freeze) = (state.scenario.faults.crash, state.scenario.faults.freeze);
            if state.strikes(freeze) {
                let lease_ms = state.scenario.policy.lease_ms;
                let frozen_ms = state.random.between(lease_ms / 4, 3 * lease_ms);
                actor.frozen_until_ms = state.now_ms + frozen_ms;
                state.push(actor.frozen_until_ms, Event::Wake(id));
                state.note(id, "frozen", || format!("for {frozen_ms} ms"));
                return;
            }
            if state.strikes(crash) {
                drop(self.actors.remove(&id));
                state.history.deaths += 1;
                state.note(id, "crashed", String::new);
                return;
            }
        }
        let waker = Waker::from(Arc::clone(&actor.woken));
        let polled = actor.call.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(outcome) = polled {
            self.end(id, outcome);
        } else if actor.woken.0.swap(false, Relaxed) {
            let mut state = self.world.lock();
            let now_ms = state.now_ms;
            state.push(now_ms, Event::Wake(id));
        }
    }

    fn kill(&mut self, id: ActorId, why: &'static str) {
        if self.actors.remove(&id).is_some() {
            let mut state = self.world.lock();
            state.history.deaths += 1;
            state.note(id, "killed", || why.to_owned());
        }
    }

    /// An invocation is over. One that failed leaves its message hidden, to be received again.
    fn end(&mut self, id: ActorId, outcome: PortResult<Done>) {
        let Some(actor) = self.actors.remove(&id) else {
            return;
        };
        let state = &mut *self.world.lock();
        state.note(id, "ended", || match &outcome {
            Ok(done) => done.brief(),
            Err(error) => format!("with an error: {error}"),
        });
        let Ok(done) = outcome else {
            return;
        };
        if let Some((number, message)) = actor.message {
            if let Done::Worked(worked) = done {
                let job = match &worked {
                    Worked::Deferred(job, _) => state.table.jobs.get(job),
                    _ => None,
                };
                let clock_ms = actor.process.ports.clock_ms(state);
                let handled = Handled {
                    message,
                    next_claimable_in_ms: job.and_then(|job| job.next_claimable_in(clock_ms)),
                    worked,
                    begun_ms: actor.begun_ms,
                };
                let by = state.by(id);
                state.history.handled.push((by, handled));
            }
            state.messages.delete(number);
        }
        self.warm.push(actor.process);
    }

    /// Notes what each open job has to go on with, now that nothing goes wrong any more.
    fn take_stock(&self) {
        let state = &mut *self.world.lock();
        state.note(0, "faults end", String::new);
        let jobs: Vec<_> = state.table.open_jobs();
        for job in jobs {
            let guards = |stored: &&Stored| match &stored.message {
                Message::Prepare { source } => source.job_id() == job,
                Message::Work { .. } | Message::Watch { .. } => false,
            };
            let record = &state.table.jobs[&job];
            // An older one ends where it finds a newer one recorded.
            let newest = record.watch.map_or(0, |watch| watch.token);
            let watches = |stored: &&Stored| match &stored.message {
                Message::Watch { job: of, token } => *of == job && *token >= newest,
                Message::Work { .. } | Message::Prepare { .. } => false,
            };
            let is_planning = record.job.status == JobStatus::Preparing;
            let needs_guard = is_planning || record.job.has_only_its_guard();
            let has_lost_guard = needs_guard
                && state.messages.all_hidden(guards)
                && !state.messages.has_ended_guard(&job);
            let is_lost = has_lost_guard || state.messages.all_hidden(watches);
            state.history.standing.push(Standing { job, is_lost });
        }
    }
}

/// The future of an invocation; it owns all it needs, so that its process can be dropped with it.
fn call(process: &Arc<Process>, message: Option<&Message>, deadline_ms: u64) -> Call {
    let (process, message) = (Arc::clone(process), message.cloned());
    Box::pin(async move {
        match message {
            None => process.sweeper.sweep().await.map(Done::Swept),
            Some(Message::Prepare { source }) => {
                let prepared = process.preparer.prepare(&source, Some(deadline_ms)).await;
                prepared.map(Done::Prepared)
            }
            Some(message) => {
                let worked = process.worker.work(&message, Some(deadline_ms)).await;
                worked.map(Done::Worked)
            }
        }
    })
}
