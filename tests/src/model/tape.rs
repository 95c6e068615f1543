//! The tape: what stands between one invocation's future and the world.
//!
//! A future can neither be copied nor compared, as states of a model must be. But the code of an
//! invocation is deterministic: where it stands follows from the answers that its calls got so far.
//! So a state keeps those answers, and to take a step the invocation is run again from its
//! beginning, fed with them, and then one more call of it is made.
//!
//! Each poll of the future brings one turn: an answer from before, or the call to make now.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use batchfleet_core::{PortError, PortResult};

use super::memory::Memory;
use super::world::{Digest, World};
use crate::sim::brief::Brief;
use crate::sim::bugs::StoreBug;
use crate::sim::history::By;

/// What kind of call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It reads what no one changes any more, or writes what no one can read yet and whoever writes
    /// it writes the same. It makes no difference when it happens, so it happens at once.
    Quiet,
    /// It reads.
    Read,
    /// It writes: its response can be lost.
    Write,
    /// It is no call: the invocation waits for time to pass.
    Sleep,
}

/// A call that the future waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// Counted from the beginning of the invocation.
    pub(super) call: u32,
    pub(super) kind: Kind,
    pub(super) name: &'static str,
}

/// What a call was answered.
#[derive(Clone)]
enum Answer {
    Value(Arc<dyn Any + Send + Sync>),
    Lost,
    Conflict(String),
    SourceChanged,
    Refused(String),
}

impl Answer {
    fn of<T: Clone + Send + Sync + 'static>(outcome: &PortResult<T>) -> Self {
        match outcome {
            Ok(value) => Self::Value(Arc::new(value.clone())),
            Err(PortError::Conflict { name }) => Self::Conflict(name.clone()),
            Err(PortError::SourceChanged) => Self::SourceChanged,
            Err(PortError::Transient { .. }) => Self::Lost,
            Err(error) => Self::Refused(error.to_string()),
        }
    }

    fn outcome<T: Clone + 'static>(&self, name: &'static str) -> PortResult<T> {
        Err(match self {
            Self::Value(value) => {
                return match value.downcast_ref::<T>() {
                    Some(value) => Ok(value.clone()),
                    // Would mean that an invocation is not deterministic.
                    None => Err(PortError::corrupt("the tape", name)),
                };
            }
            Self::Lost => PortError::transient(name, "the response was lost"),
            Self::Conflict(name) => PortError::Conflict { name: name.clone() },
            Self::SourceChanged => PortError::SourceChanged,
            Self::Refused(cause) => PortError::refused(name, cause.clone()),
        })
    }
}

/// An answer, when it came, and to which call.
pub(super) struct Entry {
    call: u32,
    now_ms: u64,
    answer: Answer,
    name: &'static str,
    what: String,
    /// What tells the answer from others.
    digest: u64,
}

impl Entry {
    /// The call.
    pub(super) fn call(&self) -> (&'static str, &str) {
        (self.name, &self.what)
    }

    /// Commits the answer to memory; returns what the code goes by of it.
    pub(super) fn learn(&self, memory: &mut Memory) -> u64 {
        let (now_ms, nothing) = (self.now_ms, &());
        let answer: &dyn Any = match &self.answer {
            Answer::Value(value) => &**value,
            _ => nothing,
        };
        memory.learn((self.name, &self.what), answer, self.digest, now_ms)
    }
}

/// What a poll brings.
enum Turn {
    Again(Arc<Entry>),
    Make { call: u32, is_lost: bool },
}

#[derive(Default)]
struct Inner {
    slot: usize,
    number: u32,
    now_ms: u64,
    calls: u32,
    randoms: u64,
    pending: Vec<Pending>,
    turn: Option<Turn>,
    made: Option<Entry>,
    world: Option<Arc<World>>,
    lines: Option<Vec<String>>,
}

/// The ports of one invocation at a time. See the module's page.
#[derive(Default)]
pub(super) struct Tape(Mutex<Inner>);

impl Tape {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an invocation, the `number`-th of its slot.
    pub(super) fn rewind(&self, slot: usize, number: u32, begun_ms: u64, world: &Arc<World>) {
        let lines = self.lock().lines.take();
        *self.lock() = Inner {
            slot,
            number,
            now_ms: begun_ms,
            world: Some(Arc::clone(world)),
            lines,
            ..Inner::default()
        };
    }

    /// The next poll answers a call as it was answered before.
    pub(super) fn again(&self, entry: &Arc<Entry>) {
        let mut inner = self.lock();
        inner.now_ms = entry.now_ms;
        inner.turn = Some(Turn::Again(Arc::clone(entry)));
    }

    /// The next poll makes this call, in the world as it is now.
    pub(super) fn make(&self, call: u32, is_lost: bool) {
        let mut inner = self.lock();
        inner.now_ms = inner.world.as_ref().map_or(0, |world| world.now_ms);
        inner.turn = Some(Turn::Make { call, is_lost });
    }

    /// What the last poll's call was answered; `None` where the future no longer waits for it.
    pub(super) fn take_made(&self) -> Option<Entry> {
        let mut inner = self.lock();
        inner.turn = None;
        inner.made.take()
    }

    /// The world as the calls left it.
    pub(super) fn take_world(&self) -> Option<Arc<World>> {
        self.lock().world.take()
    }

    pub(super) fn pending(&self) -> Vec<Pending> {
        self.lock().pending.clone()
    }

    /// From now on, keeps a line of every call that is made.
    pub(super) fn listen(&self) {
        self.lock().lines = Some(Vec::new());
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.lock().lines.take().unwrap_or_default()
    }

    /// Whether this bug of the store is planted.
    pub(super) fn has(&self, bug: StoreBug) -> bool {
        let inner = self.lock();
        inner
            .world
            .as_ref()
            .is_some_and(|world| world.table.has(bug))
    }

    pub(super) fn now(&self) -> u64 {
        self.lock().now_ms
    }

    /// Never the same twice, and divisible by 2 and 3: a worker that is one of so many finds itself
    /// chosen, and begins at the first of what it sweeps.
    pub(super) fn next_random(&self) -> u64 {
        let mut inner = self.lock();
        inner.randoms += 1;
        random(inner.slot, inner.number, inner.randoms)
    }

    /// Waits for the call's turn, and then makes it or answers it again.
    pub(super) async fn call<T, F>(
        &self,
        kind: Kind,
        name: &'static str,
        what: impl FnOnce() -> String + Send,
        operation: F,
    ) -> PortResult<T>
    where
        T: Brief + std::fmt::Debug + Clone + Send + Sync + 'static,
        F: FnOnce(&mut Arc<World>, By) -> PortResult<T> + Send,
    {
        let waiting = self.begin(kind, name);
        let mut operation = Some((operation, what));
        std::future::poll_fn(|_| self.turn(waiting.call, name, &mut operation)).await
    }

    fn begin(&self, kind: Kind, name: &'static str) -> Waiting<'_> {
        let mut inner = self.lock();
        inner.calls += 1;
        let call = inner.calls;
        inner.pending.push(Pending { call, kind, name });
        drop(inner);
        Waiting { tape: self, call }
    }

    fn turn<T, F, W>(
        &self,
        call: u32,
        name: &'static str,
        operation: &mut Option<(F, W)>,
    ) -> Poll<PortResult<T>>
    where
        T: Brief + std::fmt::Debug + Clone + Send + Sync + 'static,
        F: FnOnce(&mut Arc<World>, By) -> PortResult<T>,
        W: FnOnce() -> String,
    {
        let inner = &mut *self.lock();
        match inner.turn.take() {
            Some(Turn::Again(entry)) if entry.call == call => {
                Poll::Ready(entry.answer.outcome(name))
            }
            Some(Turn::Make {
                call: wanted,
                is_lost,
            }) if wanted == call => {
                let (Some((operation, what)), Some(world)) =
                    (operation.take(), inner.world.as_mut())
                else {
                    return Poll::Pending;
                };
                let by = By {
                    at_ms: inner.now_ms,
                    actor: inner.slot as u32,
                };
                let mut outcome = operation(world, by);
                let what = what();
                if let Some(lines) = &mut inner.lines {
                    let lost = if is_lost { " [response lost]" } else { "" };
                    let answer = match &outcome {
                        Ok(answer) => answer.brief(),
                        Err(error) => error.to_string(),
                    };
                    lines.push(format!("{name:<13} {what} -> {answer}{lost}"));
                }
                if is_lost {
                    outcome = Err(PortError::transient(name, "the response was lost"));
                }
                inner.made = Some(Entry {
                    call,
                    now_ms: inner.now_ms,
                    answer: Answer::of(&outcome),
                    name,
                    what,
                    digest: Digest::of(&outcome),
                });
                Poll::Ready(outcome)
            }
            other => {
                inner.turn = other;
                Poll::Pending
            }
        }
    }
}

/// See [`Tape::next_random`].
pub(super) fn random(slot: usize, number: u32, count: u64) -> u64 {
    ((slot as u64 + 8 * u64::from(number)) * 100_000 + count) * 6
}

/// A call that waits, until it is dropped.
struct Waiting<'a> {
    tape: &'a Tape,
    call: u32,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let call = self.call;
        self.tape
            .lock()
            .pending
            .retain(|pending| pending.call != call);
    }
}
