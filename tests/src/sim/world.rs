//! The world outside the code under test: one virtual time, what is due when, and everything that
//! the invocations share.
//!
//! All of it lies under one lock, so that an operation on it is atomic. It must hold no collection
//! whose order is not that of its keys: the schedule depends on the seed alone.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use super::bucket::Bucket;
use super::destination::Rows;
use super::fleet::SWEEP_EVERY_MS;
use super::history::{By, History};
use super::messages::Messages;
use super::random::Random;
use super::scenario::{EPOCH_MS, Scenario};
use super::steering::Order;
use super::table::Table;
use super::trace::Trace;

/// Names an invocation of a function; 0 is the world itself.
pub(crate) type ActorId = u32;

/// A change of the world that was sent and has not arrived.
pub(crate) type Late = Box<dyn FnOnce(&mut State) + Send>;

/// What is due at some time.
pub(crate) enum Event {
    /// An invocation may go on.
    Wake(ActorId),
    /// The time limit of an invocation.
    Deadline(ActorId),
    /// A message becomes visible; the number is that of its receipts so far.
    Visible(u64, u32),
    /// An object is put.
    Upload(usize),
    /// A write arrives whose caller does not wait for it any more.
    Late(Late),
    /// The sweeper's schedule.
    Sweep,
    /// An operator gives a command.
    Order(Order),
    /// An operator looks whether the job of an upload is paused for good.
    LookAfter(usize),
    /// From here on nothing goes wrong.
    FaultsEnd,
}

/// Orders what is due: by time, then by chance, then by age.
type Due = (u64, u32, u64);

pub(crate) struct State {
    /// Milliseconds since 1970, by the one true clock.
    pub(crate) now_ms: u64,
    pub(crate) random: Random,
    pub(crate) scenario: Scenario,
    due: BTreeMap<Due, Event>,
    pushed: u64,
    pub(crate) table: Table,
    pub(crate) bucket: Bucket,
    pub(crate) rows: Rows,
    pub(crate) messages: Messages,
    pub(crate) history: History,
    pub(crate) trace: Trace,
}

impl State {
    pub(crate) fn new(scenario: Scenario, random: Random, trace: Trace, table: Table) -> Self {
        let mut state = Self {
            now_ms: EPOCH_MS,
            random,
            due: BTreeMap::new(),
            pushed: 0,
            table,
            bucket: Bucket::new(scenario.versioned),
            rows: Rows::new(scenario.destination.as_ref()),
            messages: Messages::default(),
            history: History::default(),
            trace,
            scenario,
        };
        for upload in 0..state.scenario.uploads.len() {
            let at_ms = EPOCH_MS + state.scenario.uploads[upload].at_ms;
            state.push(at_ms, Event::Upload(upload));
        }
        let end_ms = state.scenario.faults_end_at_ms();
        state.push(end_ms, Event::FaultsEnd);
        state.push(EPOCH_MS + SWEEP_EVERY_MS, Event::Sweep);
        state
    }

    pub(crate) fn has_faults(&self) -> bool {
        self.now_ms < self.scenario.faults_end_at_ms()
    }

    /// Whether a fault of that rate happens now.
    pub(crate) fn strikes(&mut self, per_million: u64) -> bool {
        self.has_faults() && self.random.happens(per_million)
    }

    pub(crate) fn push(&mut self, at_ms: u64, event: Event) {
        self.pushed += 1;
        let tie = self.random.next() as u32;
        self.due.insert((at_ms, tie, self.pushed), event);
    }

    /// Takes what is due next, and moves the time there.
    pub(crate) fn pop(&mut self) -> Option<Event> {
        let ((at_ms, _, _), event) = self.due.pop_first()?;
        self.now_ms = self.now_ms.max(at_ms);
        Some(event)
    }

    pub(crate) fn by(&self, actor: ActorId) -> By {
        By {
            at_ms: self.now_ms,
            actor,
        }
    }

    /// Writes a line of the trace, whose text is made only where somebody reads it.
    pub(crate) fn note(
        &mut self,
        actor: ActorId,
        call: &'static str,
        text: impl FnOnce() -> String,
    ) {
        let at_ms = self.now_ms - EPOCH_MS;
        self.trace.note(at_ms, actor, call, text);
    }
}

/// The world as its parts share it.
pub(crate) struct World(Mutex<State>);

impl World {
    pub(crate) fn new(state: State) -> Self {
        Self(Mutex::new(state))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits in virtual time, and lets the schedule choose who is next even where that is no time.
    pub(crate) fn wait(&self, actor: ActorId, ms: u64) -> Wait<'_> {
        Wait {
            world: self,
            actor,
            ms,
            until_ms: None,
        }
    }
}

/// A wait; see [`World::wait`].
pub(crate) struct Wait<'a> {
    world: &'a World,
    actor: ActorId,
    ms: u64,
    until_ms: Option<u64>,
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.world.lock();
        match self.until_ms {
            Some(until_ms) if state.now_ms >= until_ms => Poll::Ready(()),
            Some(_) => Poll::Pending,
            None => {
                let until_ms = state.now_ms + self.ms;
                state.push(until_ms, Event::Wake(self.actor));
                drop(state);
                self.until_ms = Some(until_ms);
                Poll::Pending
            }
        }
    }
}
