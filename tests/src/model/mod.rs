//! The exhaustive model: the real use cases under every interleaving of a small world.
//!
//! Two workers, two preparers and the sweeper import a file of three batches in two shards. The
//! simulator draws schedules and faults; here [`stateright`] goes through all of them, up to a number
//! of faults.
//!
//! - [`Worker`](batchfleet_core::work::Worker), [`Preparer`](batchfleet_core::prepare::Preparer),
//!   [`Closer`](batchfleet_core::close::Closer) and [`Sweeper`](batchfleet_core::sweep::Sweeper) are
//!   the real ones: `invocation` runs them, `tape` says how one can be a part of a state. The table
//!   and the buckets behind their `ports` are the simulator's, so each step of the protocol is the
//!   core's own decision.
//! - A state is the `World` and the invocations in it. An [`Action`] is one call of a port, the
//!   receipt of a message, a lease that ends, or a fault.
//! - After every step the predicates of the simulator say whether a promise is broken.
//! - That every job ends (I6) is asked of the states from which nothing leads on. Each run comes to
//!   one: time passes [`WAITS_MAX`] times at most, faults are counted, and a worker looks again only
//!   after the table changed, in which fences, cursors and endings only grow. So the known limit of
//!   stateright's `eventually`, cycles, does not arise; nor does the other, joins, because a job that
//!   is over stays so.
//!
//! Time is abstract: it passes where all wait for it, and where a fault says so. A lease ends at any
//! moment once its holder is dead, and, as a fault, while its holder lives: that makes a zombie.

mod invocation;
mod memory;
mod ports;
mod search;
mod state;
mod tape;
mod world;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use batchfleet_core::invariants::Violation;
use stateright::{Model, Property};

use self::invocation::{Invocation, PREPARERS, SWEEPER, name, slots_for};
use self::tape::Kind;
use self::world::{Digest, EPOCH_MS, POLICY, Stage, WINDOW_BYTES, World};
use crate::sim::Bug;
use crate::sim::brief::Brief;
use crate::sim::checks::{self, Evidence};
use crate::sim::destination::Rows;
use crate::sim::history::History;
use crate::sim::scenario::{Faults, Scenario, Upload};
use crate::sim::steering::Steering;

pub use self::search::{Found, Planted, SCOPES, planted, search};
pub use self::state::State;

/// Times that all may wait for time to pass; a job that is open after that never ends.
pub const WAITS_MAX: u8 = 8;

/// How much of the space is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The planning is done before the search begins.
    pub is_planned: bool,
    /// Faults in one run.
    pub faults: u8,
    /// Of which kind alone; `None` for all.
    pub only: Option<Fault>,
    /// Messages that come back while others still work, in one run: one that waits for a moment, as
    /// a worker's does that finds nothing to do.
    pub returns: u8,
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An invocation dies, before any of its calls or before its message is deleted.
    Crash,
    /// A call is made and its response is lost.
    Lose,
    /// A lease ends while its holder lives; or all freeze until a lease has passed.
    Freeze,
    /// The queue delivers a message twice, or never.
    Message,
}

/// The model of one scope.
pub struct Fleet {
    scope: Scope,
    bug: Option<Bug>,
    scenario: Scenario,
    /// What invocations that remember the same did next: see `memory`.
    habits: Mutex<HashMap<u64, u64>>,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A function receives the message at this place of the queue.
    Receive(usize),
    /// An invocation makes a call that it waits for; or one of its waits ends.
    Call(usize, u32),
    /// An invocation is over, and its message is deleted, or hidden if it failed.
    Acknowledge(usize),
    /// The lease of a batch ends whose holder is dead.
    Expire(u32, u32),
    /// A delayed message comes while others still work.
    Return(usize),
    /// Nothing else can happen: a lease passes.
    Wait,
    /// Nor is there a message that comes by then: minutes pass, and the sweeper runs.
    WaitForSweeper,
    /// A fault: a call is made and its response is lost.
    Lose(usize, u32),
    /// A fault: an invocation dies.
    Crash(usize),
    /// A fault: the lease of a batch ends while its holder lives.
    Freeze(u32, u32),
    /// A fault: a lease passes while invocations live, all of them frozen.
    FreezeAll,
    /// A fault: a message is delivered twice.
    Duplicate(usize),
    /// A fault: the queue loses a message.
    LoseMessage(usize),
}

impl Fleet {
    /// The model of a scope, with a bug planted.
    #[must_use]
    pub fn new(scope: Scope, bug: Option<Bug>) -> Self {
        let upload = Upload {
            at_ms: 0,
            key: world::key(),
            file: world::file(),
            events_ms: Vec::new(),
        };
        let scenario = Scenario {
            policy: POLICY,
            uploads: vec![upload],
            versioned: true,
            faults: Faults::default(),
            faults_end_ms: 0,
            latency_ms: 0,
            visibility_ms: 0,
            event_retry_ms: 0,
            time_limit_ms: 0,
            window_bytes: WINDOW_BYTES,
            unique: false,
            steering: Steering::default(),
            destination: None,
        };
        Self {
            scope,
            bug,
            scenario,
            habits: Mutex::default(),
        }
    }

    fn may(&self, state: &State, fault: Fault) -> bool {
        state.faults < self.scope.faults && self.scope.only.is_none_or(|only| only == fault)
    }

    fn plant(&self) {
        invocation::plant(self.bug.and_then(|bug| bug.core));
    }

    /// A state after the planning, in which the preparer was alone.
    fn planned(&self) -> State {
        let mut state = self.unplanned();
        loop {
            let next = state.living().next().map(|(slot, invocation)| {
                let call = invocation.pending.first();
                call.map_or(Action::Acknowledge(slot), |call| {
                    Action::Call(slot, call.call)
                })
            });
            let next = next.or_else(|| {
                let queue = state.world.queue.iter();
                let mut ready = queue.enumerate().filter(|(_, stored)| {
                    stored.stage == Stage::Ready && slots_for(&stored.message).start == PREPARERS
                });
                ready.next().map(|(place, _)| Action::Receive(place))
            });
            match next.and_then(|action| self.next_state(&state, action)) {
                Some(next) => state = next,
                None => return State::new(state.world).sealed(None),
            }
        }
    }

    fn unplanned(&self) -> State {
        let world = World::new(self.bug.and_then(|bug| bug.store));
        State::new(Arc::new(world)).sealed(None)
    }

    /// What the steps of the protocol allow. What comes last is followed first: preparers and zombies
    /// lag, since that is where bugs show.
    fn steps(&self, state: &State, actions: &mut Vec<Action>) {
        let leased = state.world.leased();
        let holds = |living: &Invocation| {
            let owner = living.owner();
            leased.iter().any(|(_, holder)| *holder == owner)
        };
        let mut living: Vec<_> = state.living().collect();
        living.sort_by_key(|(slot, living)| {
            let is_zombie = living.sleeps() && !holds(living);
            (*slot < PREPARERS, !is_zombie)
        });
        for (slot, invocation) in living {
            if invocation.end.is_some() {
                actions.push(Action::Acknowledge(slot));
            }
            // A heartbeat changes nothing while the lease is in force and time stands still.
            let is_held = holds(invocation);
            for call in &invocation.pending {
                if call.kind != Kind::Sleep || !is_held {
                    actions.push(Action::Call(slot, call.call));
                }
            }
        }
        if state.world.is_done() {
            return;
        }
        for (place, holder) in &leased {
            if state.living().all(|(_, living)| living.owner() != *holder) {
                actions.push(Action::Expire(place.0, place.1));
            }
        }
        if !state.is_quiet() && state.returns < self.scope.returns {
            for (place, stored) in state.world.queue.iter().enumerate() {
                if stored.stage == Stage::Delayed && state.free(&stored.message).is_some() {
                    actions.push(Action::Return(place));
                }
            }
        }
        if state.is_quiet() && state.waits < WAITS_MAX {
            actions.push(if state.world.has(Stage::Delayed) {
                Action::Wait
            } else {
                Action::WaitForSweeper
            });
        }
    }

    fn faults(&self, state: &State, actions: &mut Vec<Action>) {
        let leased = state.world.leased();
        for (slot, invocation) in state.living() {
            if self.may(state, Fault::Crash) {
                actions.push(Action::Crash(slot));
            }
            if self.may(state, Fault::Lose) {
                let writes = invocation.pending.iter();
                let writes = writes.filter(|call| call.kind == Kind::Write);
                actions.extend(writes.map(|call| Action::Lose(slot, call.call)));
            }
            if self.may(state, Fault::Freeze) {
                let owner = invocation.owner();
                let held = leased.iter().filter(|(_, holder)| *holder == owner);
                actions.extend(held.map(|((shard, slot), _)| Action::Freeze(*shard, *slot)));
            }
        }
    }

    fn next(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Receive(place) => {
                let message = Arc::make_mut(&mut next.world).queue.remove(place).message;
                let slot = state.free(&message)?;
                next.begin(slot, Some(message))?;
            }
            Action::Call(slot, call) => self.call(&mut next, slot, call, false)?,
            Action::Acknowledge(slot) => {
                let invocation = next.invocations[slot].take()?;
                if invocation.end == Some(false) {
                    next.hide(&invocation);
                }
            }
            Action::Expire(shard, slot) => {
                Arc::make_mut(&mut next.world).expire((shard, slot));
            }
            Action::Return(place) => {
                next.returns += 1;
                Arc::make_mut(&mut next.world).queue[place].stage = Stage::Ready;
            }
            Action::Wait => {
                next.waits += 1;
                Arc::make_mut(&mut next.world).pass_lease();
            }
            Action::WaitForSweeper => {
                next.waits += 1;
                Arc::make_mut(&mut next.world).pass_minutes();
                next.begin(SWEEPER, None)?;
            }
            Action::Lose(slot, call) => {
                next.faults += 1;
                self.call(&mut next, slot, call, true)?;
            }
            Action::Crash(slot) => {
                next.faults += 1;
                let invocation = next.invocations[slot].take()?;
                next.hide(&invocation);
            }
            Action::Freeze(shard, slot) => {
                next.faults += 1;
                Arc::make_mut(&mut next.world).expire((shard, slot));
            }
            Action::FreezeAll => {
                next.faults += 1;
                Arc::make_mut(&mut next.world).pass_lease();
            }
            Action::Duplicate(place) => {
                next.faults += 1;
                let world = Arc::make_mut(&mut next.world);
                let stored = world.queue[place].clone();
                world.queue.push(stored);
            }
            Action::LoseMessage(place) => {
                next.faults += 1;
                Arc::make_mut(&mut next.world).queue.remove(place);
            }
        }
        if next.violation.is_none() {
            next.violation = self.violation(state, &mut next).map(Arc::new);
        }
        Some(next.sealed(Some(state)))
    }

    /// An invocation makes a call. One that remembers the same must have made the same, and gone on
    /// alike, or `memory` says of the code what is not so.
    fn call(&self, state: &mut State, slot: usize, call: u32, is_lost: bool) -> Option<()> {
        let before = Arc::clone(state.invocations[slot].as_ref()?);
        let stepped = before.step(call, is_lost, &state.world)?;
        let place = before
            .pending
            .iter()
            .position(|pending| pending.call == call);
        let asked = Digest::of(&(before.digest, place));
        let told = Digest::of(&(asked, is_lost, state.world.now_ms, stepped.told));
        let next = stepped.invocation.digest;
        let mut habits = self.habits.lock().unwrap_or_else(PoisonError::into_inner);
        let is_alike = *habits.entry(asked).or_insert(stepped.asked) == stepped.asked
            && *habits.entry(told).or_insert(next) == next;
        drop(habits);
        if !is_alike {
            state.violation = Some(Arc::new(Violation {
                promise: MEMORY,
                detail: format!("{} remembers more than is said in `memory`", name(slot)),
            }));
        }
        state.keep(slot, stepped);
        Some(())
    }

    /// The first promise that this step broke, by the predicates of the simulator.
    fn violation(&self, before: &State, after: &mut State) -> Option<Violation> {
        if Arc::ptr_eq(&before.world, &after.world) {
            return None;
        }
        let mut history = History::default();
        if !after.world.table.changes.is_empty() {
            history.changes = std::mem::take(&mut Arc::make_mut(&mut after.world).table.changes);
            if let Err(violation) = checks::check_changes(&history) {
                return Some(violation);
            }
        }
        let record = after.world.record()?;
        if !record.job.status.is_terminal() {
            return None;
        }
        history.uploads = vec![(EPOCH_MS, after.world.source.clone())];
        // A summary that is written again must be the same.
        let job = &record.job.id;
        let summary = batchfleet_core::report::SUMMARY_FILE;
        if let Some(text) = before.world.bucket.result(job, summary) {
            let by = crate::sim::history::By {
                at_ms: before.world.now_ms,
                actor: 0,
            };
            history.summaries.push((by, job.clone(), text.clone()));
        }
        let evidence = Evidence {
            scenario: &self.scenario,
            history: &history,
            table: &after.world.table,
            bucket: &after.world.bucket,
            rows: &Rows::default(),
        };
        checks::check_jobs(&evidence).err()
    }

    /// What a step did, for a reader.
    fn told(&self, state: &State, action: Action) -> Vec<String> {
        self.plant();
        let queued = |place: usize| state.world.queue[place].message.brief();
        let line = match action {
            Action::Receive(place) => {
                let slot = state.free(&state.world.queue[place].message);
                format!("{:<11}receives {}", slot.map_or("", name), queued(place))
            }
            Action::Call(slot, call) | Action::Lose(slot, call) => {
                let is_lost = matches!(action, Action::Lose(..));
                let invocation = state.invocations[slot].as_ref();
                let lines =
                    invocation.map(|invocation| invocation.told_step(call, is_lost, &state.world));
                let lines = lines.unwrap_or_default().into_iter();
                return lines
                    .map(|line| format!("{:<11}{line}", name(slot)))
                    .collect();
            }
            Action::Acknowledge(slot) => format!("{:<11}is over", name(slot)),
            Action::Crash(slot) => format!("{:<11}DIES", name(slot)),
            Action::Expire(shard, slot) => {
                format!("the lease of {shard}/{slot} ends, its holder is dead")
            }
            Action::Freeze(shard, slot) => {
                format!("the lease of {shard}/{slot} ENDS while its holder lives")
            }
            Action::Return(place) => format!("{} comes back", queued(place)),
            Action::Wait => "all wait until a lease has passed".to_owned(),
            Action::WaitForSweeper => "minutes pass, and the sweeper begins".to_owned(),
            Action::FreezeAll => "all FREEZE until a lease has passed".to_owned(),
            Action::Duplicate(place) => format!("{} is DOUBLED", queued(place)),
            Action::LoseMessage(place) => format!("{} is LOST", queued(place)),
        };
        vec![line]
    }
}

/// The promises that a step can break, each a property of every state.
macro_rules! promises {
    ($($promise:literal),+) => {
        [$(Property::always($promise, |_: &Fleet, state: &State| {
            !state.violation.as_ref().is_some_and(|violation| violation.promise == $promise)
        })),+]
    };
}

impl Model for Fleet {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![if self.scope.is_planned {
            self.planned()
        } else {
            self.unplanned()
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.is_over() {
            return;
        }
        // A message that waits to be received is no different from an invocation before its first
        // call, so messages are received at once. After the report they change nothing.
        if !state.world.is_done() {
            for (place, stored) in state.world.queue.iter().enumerate() {
                if stored.stage == Stage::Ready && state.free(&stored.message).is_some() {
                    actions.push(Action::Receive(place));
                    if self.may(state, Fault::Message) {
                        actions.push(Action::Duplicate(place));
                        actions.push(Action::LoseMessage(place));
                    }
                }
            }
        }
        if !actions.is_empty() {
            return;
        }
        // First, and so followed last: it leads to little that the freezing of one does not.
        if self.may(state, Fault::Freeze) && !state.is_quiet() && !state.world.is_done() {
            actions.push(Action::FreezeAll);
        }
        self.steps(state, actions);
        self.faults(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        invocation::warm();
        self.plant();
        let next = self.next(state, action);
        invocation::plant(None);
        next
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = Vec::from(promises!["I1", "I2", "I3", "I4", "I5", "I7"]);
        properties.push(Property::always(MEMORY, |_: &Self, state: &State| {
            let violation = state.violation.as_ref();
            violation.is_none_or(|violation| violation.promise != MEMORY)
        }));
        properties.push(Property::eventually(I6, |_: &Self, state: &State| {
            state.violation.is_some() || state.world.is_done()
        }));
        properties
    }
}

/// The name of the property that every job ends and is reported.
pub const I6: &str = "I6";

/// The name of the property that the model knows what invocations remember.
pub const MEMORY: &str = "the model's memory";
