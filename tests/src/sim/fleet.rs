//! The fleet: receives messages, runs each invocation as a future, and kills and freezes some.
//!
//! One thread, one virtual time. A future is polled only when something it waits for is due, and
//! whatever is due at the same time comes in an order that the seed chooses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use batchfleet_core::PortResult;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::JobStatus;
use batchfleet_core::message::Message;
use batchfleet_core::source::SourceRef;
use batchfleet_core::work::Worked;

use super::brief::Brief;
use super::history::{Change, Handled, Standing};
use super::logs;
use super::messages::{Place, Stored};
use super::ports::deliver;
use super::process::{Call, Done, Process, Task, call};
use super::scenario::EPOCH_MS;
use super::steering::{Command, LOOKS_AFTER_EVERY_MS, Order};
use super::world::{ActorId, Event, State, World};

/// The sweeper's period.
pub(crate) const SWEEP_EVERY_MS: u64 = 60_000;

/// A run that is not over by then never will be.
const RUN_MS_MAX: u64 = 3_600_000;

/// Nor one in which so much happens: it runs in circles.
const EVENTS_MAX: u64 = 200_000;

/// One invocation.
struct Actor {
    call: Call,
    process: Arc<Process>,
    task: Task,
    begun_ms: u64,
    frozen_until_ms: u64,
    woken: Arc<Woken>,
}

impl Actor {
    fn has(&self, id: u64) -> bool {
        matches!(self.task, Task::Message(has, _) if has == id)
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
    /// When what goes on by then is left as it is.
    until_ms: u64,
}

impl Fleet {
    pub(crate) fn new(state: State) -> Self {
        Self {
            world: Arc::new(World::new(state)),
            actors: BTreeMap::new(),
            warm: Vec::new(),
            invocations: 0,
            until_ms: EPOCH_MS + RUN_MS_MAX,
        }
    }

    /// What operators do once all is over, among new faults; whether that is anything.
    pub(crate) fn encore(&mut self) -> bool {
        {
            let state = &mut *self.world.lock();
            let steering = state.scenario.steering.clone();
            if steering.encore.is_empty() {
                return false;
            }
            let begun_ms = state.now_ms;
            self.until_ms = begun_ms + RUN_MS_MAX;
            state.note(0, "encore", String::new);
            let faults_end_ms = begun_ms + steering.encore_faults_ms;
            state.scenario.faults_end_ms = faults_end_ms - EPOCH_MS;
            state.push(faults_end_ms, Event::FaultsEnd);
            state.push(begun_ms + SWEEP_EVERY_MS, Event::Sweep);
            let last_ms = steering.encore.iter().map(|order| order.after_ms).max();
            let quiet_ms = steering.encore_faults_ms.max(last_ms.unwrap_or(0)) + 60_000;
            for order in steering.encore {
                state.push(begun_ms + order.after_ms, Event::Order(order));
                state.push(begun_ms + quiet_ms, Event::LookAfter(order.upload));
            }
        }
        self.run();
        true
    }

    /// Runs until nothing is left to happen: every job over, every message gone, every zombie dead.
    pub(crate) fn run(&mut self) {
        for _ in 0..EVENTS_MAX {
            let (event, seen) = {
                let mut state = self.world.lock();
                if state.now_ms > self.until_ms {
                    return;
                }
                (state.pop(), state.history.changes.len())
            };
            match event {
                None => return,
                Some(Event::Wake(actor)) => self.wake(actor),
                Some(Event::Deadline(actor)) => self.kill(actor, "killed at its time limit"),
                Some(Event::Visible(id, receipts)) => self.receive(id, receipts),
                Some(Event::Upload(upload)) => self.upload(upload),
                Some(Event::Sweep) => self.sweep(),
                Some(Event::Order(order)) => self.give(order),
                Some(Event::LookAfter(upload)) => self.look_after(upload),
                Some(Event::Late(change)) => change(&mut self.world.lock()),
                Some(Event::FaultsEnd) => {
                    let state = &mut *self.world.lock();
                    state.note(0, "faults end", String::new);
                    for job in state.table.open_jobs() {
                        take_stock(state, job);
                    }
                }
            }
            let state = &mut *self.world.lock();
            Self::look_at_created(state, seen);
            logs::drain(|line| state.history.logs.push(line));
        }
    }

    fn upload(&self, upload: usize) {
        let state = &mut *self.world.lock();
        Self::expect_orders(state, upload);
        let upload = state.scenario.uploads[upload].clone();
        let source = state.bucket.upload(&upload.key, upload.file.bytes().into());
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

    /// Operators see the job once its first event has come.
    fn expect_orders(state: &mut State, upload: usize) {
        let events_ms = state.scenario.uploads[upload].events_ms.iter().min();
        let begun_ms = state.now_ms + events_ms.copied().unwrap_or(0);
        let mut orders = state.scenario.steering.orders.clone();
        orders.retain(|order| order.upload == upload);
        for order in &orders {
            state.push(begun_ms + order.after_ms, Event::Order(*order));
        }
        if !orders.is_empty() {
            let at_ms = EPOCH_MS + state.scenario.steering.looked_after_ms;
            state.push(at_ms, Event::LookAfter(upload));
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
            self.invoke(Task::Sweep);
        }
    }

    /// An operator gives a command.
    fn give(&mut self, order: Order) {
        let job = {
            let state = &mut *self.world.lock();
            let job = newest_attempt(state, order.upload);
            let by = state.by(self.invocations + 1);
            state.history.orders.push((by, job.clone(), order.command));
            job
        };
        self.invoke(Task::Order(order, job));
    }

    /// The command of an operator failed, or was killed: it is given again, or the operator leaves.
    fn give_again(state: &mut State, order: Order) {
        if let Some(repeats) = order.repeats.checked_sub(1) {
            let at_ms = state.now_ms + state.random.between(500, 5_000);
            state.push(at_ms, Event::Order(Order { repeats, ..order }));
        }
    }

    /// No job stays paused for good.
    fn look_after(&mut self, upload: usize) {
        let status = {
            let state = &mut *self.world.lock();
            let job = newest_attempt(state, upload);
            let record = state.table.jobs.get(&job);
            let status = record.map(|record| record.job.status);
            if status.is_some_and(JobStatus::is_terminal) {
                return;
            }
            let again_ms = state.now_ms + LOOKS_AFTER_EVERY_MS;
            state.push(again_ms, Event::LookAfter(upload));
            status
        };
        if status == Some(JobStatus::Paused) {
            self.give(Order {
                after_ms: 0,
                upload,
                command: Command::Resume,
                repeats: 0,
            });
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
        self.invoke(Task::Message(id, stored.message));
    }

    /// Begins an invocation, in a warm process or in a new one.
    fn invoke(&mut self, task: Task) {
        self.invocations += 1;
        let id = self.invocations;
        let process = self.process(&task);
        process.ports.serve(id);
        let (begun_ms, deadline_ms) = {
            let mut state = self.world.lock();
            state.history.invocations += 1;
            let limit_ms = state.scenario.time_limit_ms;
            let (now_ms, at_ms) = (process.ports.clock_ms(&state), state.now_ms + limit_ms);
            state.push(at_ms, Event::Deadline(id));
            state.push(at_ms - limit_ms, Event::Wake(id));
            state.note(id, "invoked", || match &task {
                Task::Message(_, message) => {
                    format!("{}, clock {}", message.brief(), now_ms % 10_000_000)
                }
                Task::Sweep => "by the schedule of the sweeper".to_owned(),
                Task::Order(order, job) => {
                    format!("by an operator: {:?} {}", order.command, job.brief())
                }
            });
            (state.now_ms, now_ms + limit_ms)
        };
        let call = call(&process, &task, deadline_ms);
        let actor = Actor {
            call,
            process,
            task,
            begun_ms,
            frozen_until_ms: 0,
            woken: Arc::default(),
        };
        self.actors.insert(id, actor);
    }

    fn process(&mut self, task: &Task) -> Arc<Process> {
        let mut state = self.world.lock();
        let is_function = !matches!(task, Task::Order(..));
        if is_function && !self.warm.is_empty() && state.random.one_in(2) {
            return self.warm.remove(0);
        }
        let most_ms = state.scenario.faults.skew_ms;
        let skew_ms = state.random.between(0, 2 * most_ms).cast_signed() - most_ms.cast_signed();
        Arc::new(Process::new(&self.world, &state.scenario, skew_ms))
    }

    /// Lets an invocation go on; or it dies here, or freezes.
    fn wake(&mut self, id: ActorId) {
        let Some(actor) = self.actors.get_mut(&id) else {
            return;
        };
        let dies = {
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
                state.history.disturbed.insert(id);
                state.push(actor.frozen_until_ms, Event::Wake(id));
                state.note(id, "frozen", || format!("for {frozen_ms} ms"));
                return;
            }
            let dies = state.strikes(crash);
            if dies {
                state.note(id, "crashed", String::new);
            }
            dies
        };
        if dies {
            self.bury(id);
            return;
        }
        let waker = Waker::from(Arc::clone(&actor.woken));
        let polled = actor.call.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(outcome) = polled {
            self.end(id, outcome);
        } else if actor.woken.0.swap(false, Relaxed) {
            // A worker between two steps of a batch.
            let mut state = self.world.lock();
            let at_ms = state.now_ms + state.scenario.steering.step.ms;
            state.push(at_ms, Event::Wake(id));
        }
    }

    fn kill(&mut self, id: ActorId, why: &'static str) {
        if self.actors.contains_key(&id) {
            self.world.lock().note(id, "killed", || why.to_owned());
            self.bury(id);
        }
    }

    /// An invocation is dead. Its message stays hidden; an operator may give the command again.
    fn bury(&mut self, id: ActorId) {
        let Some(actor) = self.actors.remove(&id) else {
            return;
        };
        let state = &mut *self.world.lock();
        state.history.deaths += 1;
        state.history.disturbed.insert(id);
        if let Task::Order(order, _) = actor.task {
            Self::give_again(state, order);
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
        match (actor.task, outcome) {
            (Task::Message(number, message), Ok(done)) => {
                if let Done::Worked(worked) = done {
                    let clock_ms = actor.process.ports.clock_ms(state);
                    let handled = handled(state, message, worked, actor.begun_ms, clock_ms);
                    let by = state.by(id);
                    state.history.handled.push((by, handled));
                }
                state.messages.delete(number);
                self.warm.push(actor.process);
            }
            (Task::Order(order, job), Ok(Done::Obeyed(obeyed))) => {
                let by = state.by(id);
                let entry = (by, job, order.command, obeyed);
                state.history.obeyed.push(entry);
            }
            (Task::Order(order, _), _) => Self::give_again(state, order),
            (Task::Sweep, Ok(_)) => self.warm.push(actor.process),
            (Task::Message(..) | Task::Sweep, Err(_)) => {}
        }
    }

    /// Takes stock of a job that was created after the faults: by a write whose caller was gone, or by a
    /// zombie, of which nobody may know but the guards that were left before.
    fn look_at_created(state: &mut State, seen: usize) {
        let created = state.history.changes[seen..]
            .iter()
            .find_map(|(_, change)| match change {
                Change::Job {
                    before: None,
                    after,
                    ..
                } => Some(after.id.clone()),
                _ => None,
            });
        if let Some(job) = created.filter(|_| !state.has_faults()) {
            take_stock(state, job);
        }
    }
}

/// The job of the newest attempt at an upload.
fn newest_attempt(state: &State, upload: usize) -> JobId {
    let mut newest = state.history.uploads[upload].1.clone();
    loop {
        let next = SourceRef {
            attempt: newest.attempt + 1,
            ..newest.clone()
        };
        if !state.table.jobs.contains_key(&next.job_id()) {
            return newest.job_id();
        }
        newest = next;
    }
}

/// Notes what an open job has to go on with, now that nothing goes wrong any more.
fn take_stock(state: &mut State, job: JobId) {
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
    let has_lost_guard =
        needs_guard && state.messages.all_hidden(guards) && !state.messages.has_ended_guard(&job);
    let is_lost = has_lost_guard || state.messages.all_hidden(watches);
    state.history.standing.push(Standing { job, is_lost });
}

/// How a worker's message was handled, and what its job had to be done then.
fn handled(
    state: &State,
    message: Message,
    worked: Worked,
    begun_ms: u64,
    clock_ms: u64,
) -> Handled {
    let job = match &worked {
        Worked::Deferred(job, _) => state.table.jobs.get(job),
        _ => None,
    };
    Handled {
        message,
        next_claimable_in_ms: job.and_then(|job| job.next_claimable_in(clock_ms)),
        worked,
        begun_ms,
    }
}
