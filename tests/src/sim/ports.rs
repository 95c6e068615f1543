//! The ports of one invocation: every call waits, may fail, may be lost or repeated, and may be
//! where its invocation dies.
//!
//! A call is two waits around one atomic operation: the way there and the way back. So a crash
//! strikes before the operation, or after it with its response lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use async_trait::async_trait;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{Clock, Definitions, FoundDefinition, Ids, Queue};
use batchfleet_core::{PortError, PortResult};

use super::brief::Brief;
use super::world::{ActorId, Event, State, World};

/// The ports of one invocation, and of those that run in the same warm process after it.
pub(crate) struct Ports {
    pub(crate) world: Arc<World>,
    actor: AtomicU32,
    /// How far this process' clock is ahead, or behind.
    skew_ms: i64,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Good,
    Failed,
    LostResponse,
    LateWrite,
    Repeated,
}

/// What kind of call it is: a read can only fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
    /// A write that leaves another message where its sender does not hear that it went through.
    Send,
}

impl Ports {
    pub(crate) fn new(world: Arc<World>, skew_ms: i64) -> Self {
        Self {
            world,
            actor: AtomicU32::new(0),
            skew_ms,
        }
    }

    /// A warm process serves its next invocation.
    pub(crate) fn serve(&self, actor: ActorId) {
        self.actor.store(actor, Relaxed);
    }

    pub(crate) fn actor(&self) -> ActorId {
        self.actor.load(Relaxed)
    }

    /// The time by this process' clock.
    pub(crate) fn clock_ms(&self, state: &State) -> u64 {
        state.now_ms.saturating_add_signed(self.skew_ms)
    }

    /// Makes a call: waits, does the operation under its fate, waits.
    pub(crate) async fn call<T, F>(
        &self,
        kind: Kind,
        name: &'static str,
        what: impl FnOnce() -> String + Send,
        mut operation: F,
    ) -> PortResult<T>
    where
        T: Brief + Send + 'static,
        F: FnMut(&mut State) -> PortResult<T> + Send + 'static,
    {
        let actor = self.actor();
        let (there_ms, back_ms, fate, what) = {
            let mut state = self.world.lock();
            let what = state.trace.keeps_text().then(what).unwrap_or_default();
            (
                way(&mut state, actor),
                way(&mut state, actor),
                fate(&mut state, kind, actor),
                what,
            )
        };
        self.world.wait(actor, there_ms).await;
        let outcome = match fate {
            Fate::Good => self.done(actor, name, &what, fate, &mut operation),
            Fate::Failed => self.failed(actor, name, &what, fate),
            Fate::LostResponse => {
                let _ = self.done(actor, name, &what, fate, &mut operation);
                Err(PortError::transient(name, "the response was lost"))
            }
            Fate::Repeated => {
                let _ = self.done(actor, name, &what, fate, &mut operation);
                self.world.wait(actor, back_ms).await;
                self.done(actor, name, &what, fate, &mut operation)
            }
            Fate::LateWrite => {
                let failed = self.failed(actor, name, &what, fate);
                let mut state = self.world.lock();
                let lease_ms = state.scenario.policy.lease_ms;
                let at_ms = state.now_ms + state.random.between(100, 2 * lease_ms);
                let late = move |state: &mut State| {
                    let outcome = operation(state);
                    state.note(actor, name, || match outcome {
                        Ok(answer) => format!("arrives late: {what} -> {}", answer.brief()),
                        Err(error) => format!("arrives late: {what} -> {error}"),
                    });
                };
                state.push(at_ms, Event::Late(Box::new(late)));
                drop(state);
                failed
            }
        };
        self.world.wait(actor, back_ms).await;
        outcome
    }

    fn done<T: Brief>(
        &self,
        actor: ActorId,
        name: &'static str,
        what: &str,
        fate: Fate,
        operation: &mut impl FnMut(&mut State) -> PortResult<T>,
    ) -> PortResult<T> {
        let mut state = self.world.lock();
        let outcome = operation(&mut state);
        state.note(actor, name, || {
            let fault = match fate {
                Fate::LostResponse => " [response lost]",
                Fate::Repeated => " [made twice]",
                Fate::Good | Fate::Failed | Fate::LateWrite => "",
            };
            match &outcome {
                Ok(answer) => format!("{what} -> {}{fault}", answer.brief()),
                Err(error) => format!("{what} -> {error}{fault}"),
            }
        });
        outcome
    }

    fn failed<T>(
        &self,
        actor: ActorId,
        name: &'static str,
        what: &str,
        fate: Fate,
    ) -> PortResult<T> {
        let mut state = self.world.lock();
        state.note(actor, name, || match fate {
            Fate::LateWrite => format!("{what} -> [timed out, arrives later]"),
            _ => format!("{what} -> [failed before it did anything]"),
        });
        Err(PortError::transient(name, "throttled"))
    }
}

/// How long one way of a call takes.
fn way(state: &mut State, actor: ActorId) -> u64 {
    let slow = state.scenario.faults.slow;
    if state.strikes(slow) {
        state.history.disturbed.insert(actor);
        let lease_ms = state.scenario.policy.lease_ms;
        return state.random.below(lease_ms / 2);
    }
    let most = state.scenario.latency_ms;
    state.random.below(most + 1)
}

fn fate(state: &mut State, kind: Kind, actor: ActorId) -> Fate {
    let faults = &state.scenario.faults;
    let fates = [
        (Fate::Failed, faults.failure),
        (Fate::LostResponse, faults.lost_response),
        (Fate::LateWrite, faults.late_write),
        (Fate::Repeated, faults.repeat),
    ];
    let possible = match kind {
        Kind::Read => &fates[..1],
        Kind::Write | Kind::Send => &fates[..],
    };
    for &(fate, rate) in possible {
        if state.strikes(rate) {
            let doubles = kind == Kind::Send && fate != Fate::Failed;
            if doubles && !state.messages.may_double() {
                return Fate::Good;
            }
            state.history.faults += 1;
            state.history.disturbed.insert(actor);
            return fate;
        }
    }
    Fate::Good
}

#[async_trait]
impl Clock for Ports {
    fn now_ms(&self) -> u64 {
        self.clock_ms(&self.world.lock())
    }

    async fn sleep_ms(&self, ms: u64) {
        self.world.wait(self.actor(), ms).await;
    }
}

impl Ids for Ports {
    fn random(&self) -> u64 {
        self.world.lock().random.next()
    }
}

#[async_trait]
impl Definitions for Ports {
    async fn definition(&self, name: &str) -> PortResult<FoundDefinition> {
        self.call(
            Kind::Read,
            "definition",
            || name.to_owned(),
            |state| Ok(FoundDefinition::Text(state.scenario.definition())),
        )
        .await
    }
}

#[async_trait]
impl Queue for Ports {
    async fn send(&self, message: &Message, delay_ms: u64) -> PortResult<()> {
        let (sent, actor) = (message.clone(), self.actor());
        self.call(
            Kind::Send,
            "send",
            || format!("{} in {delay_ms} ms", message.brief()),
            move |state| {
                send(state, actor, &sent, delay_ms);
                Ok(())
            },
        )
        .await
    }
}

/// SQS counts in whole seconds; a fault adds to that, or makes it two.
fn send(state: &mut State, actor: ActorId, message: &Message, delay_ms: u64) {
    let due_ms = state.now_ms + delay_ms.div_ceil(1_000) * 1_000;
    let by = state.by(actor);
    state.history.sent.push((by, message.clone()));
    let mut copies = 1;
    let duplicate = state.scenario.faults.duplicate;
    if state.strikes(duplicate) && state.messages.may_double() {
        copies = 2;
    }
    for _ in 0..copies {
        let delay = state.scenario.faults.delay;
        let late_ms = if state.strikes(delay) {
            state.random.below(5_000)
        } else {
            state.random.below(50)
        };
        let visibility_ms = state.scenario.visibility_ms;
        let id = deliver(state, message.clone(), due_ms + late_ms, visibility_ms);
        if let Message::Prepare { source } = message {
            state.messages.is_guard(source.job_id(), id);
        }
    }
}

/// Puts a message where it is received at `due_ms`; answers its number.
pub(crate) fn deliver(state: &mut State, message: Message, due_ms: u64, visibility_ms: u64) -> u64 {
    let id = state.messages.add(message, due_ms, visibility_ms);
    state.push(due_ms, Event::Visible(id, 0));
    id
}
