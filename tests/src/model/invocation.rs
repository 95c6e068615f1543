//! One invocation of a function: the real use case, as far as its calls were answered.

use std::cell::OnceCell;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use async_trait::async_trait;
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::message::Message;
use batchfleet_core::mutation;
use batchfleet_core::ports::{NoLookups, NoSinks, Spool, Unobserved};
use batchfleet_core::prepare::Preparer;
use batchfleet_core::sweep::Sweeper;
use batchfleet_core::unique::NoSpills;
use batchfleet_core::work::{Pace, PlanCache, Worker};
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

use super::memory::Memory;
use super::tape::{Entry, Kind, Pending, Tape, random};
use super::world::{Digest, LEASE_MS, POLICY, Stage, WINDOW_BYTES, World, but_its_seat};

/// Places for invocations at once: two workers, two preparers, the sweeper.
pub(super) const SLOTS: usize = 5;

/// Where a message's invocation may run.
pub(super) fn slots_for(message: &Message) -> Range<usize> {
    match message {
        Message::Work { .. } | Message::Watch { .. } => 0..PREPARERS,
        Message::Prepare { .. } => PREPARERS..SWEEPER,
    }
}

/// The first preparer's place; workers come before.
pub(super) const PREPARERS: usize = 2;

/// The sweeper's place.
pub(super) const SWEEPER: usize = 4;

/// What a reader calls a place.
pub(super) fn name(slot: usize) -> &'static str {
    [
        "worker A",
        "worker B",
        "preparer A",
        "preparer B",
        "sweeper",
    ][slot]
}

/// One invocation.
#[derive(Clone)]
pub(super) struct Invocation {
    slot: usize,
    /// How many this place had before.
    number: u32,
    /// `None` for the sweeper.
    pub(super) message: Option<Message>,
    begun_ms: u64,
    log: Vec<Arc<Entry>>,
    memory: Memory,
    /// Stands for what of all that matters from now on, whoever it is.
    pub(super) digest: u64,
    /// What it waits for; empty where it is over.
    pub(super) pending: Vec<Pending>,
    /// How it ended by itself: whether its message is handled.
    pub(super) end: Option<bool>,
}

/// What a step came to.
pub(super) struct Stepped {
    pub(super) invocation: Invocation,
    pub(super) world: Arc<World>,
    /// Stands for the call that was made.
    pub(super) asked: u64,
    /// Stands for the answers.
    pub(super) told: u64,
}

impl Invocation {
    /// A function receives a message, and goes on to its first call.
    pub(super) fn begin(
        slot: usize,
        number: u32,
        message: Option<Message>,
        world: &Arc<World>,
    ) -> Option<Stepped> {
        let invocation = Self {
            slot,
            number,
            memory: Memory::new(message.as_ref()),
            message,
            begun_ms: world.now_ms,
            log: Vec::new(),
            digest: 0,
            pending: Vec::new(),
            end: None,
        };
        with_process(|process| process.play(&invocation, world, None))
    }

    /// Makes one call that it waits for, and goes on to the next; its response may be lost. `None`
    /// where it no longer waits for it.
    pub(super) fn step(&self, call: u32, is_lost: bool, world: &Arc<World>) -> Option<Stepped> {
        with_process(|process| process.play(self, world, Some((call, is_lost))))
    }

    /// As [`step`](Self::step), with a line of each call that was made.
    pub(super) fn told_step(&self, call: u32, is_lost: bool, world: &Arc<World>) -> Vec<String> {
        with_process(|process| {
            process.tape.listen();
            process.play(self, world, Some((call, is_lost)));
            process.tape.heard()
        })
    }

    /// Whether it waits for time to pass: it works under a lease, or did.
    pub(super) fn sleeps(&self) -> bool {
        self.pending.iter().any(|call| call.kind == Kind::Sleep)
    }

    /// Its owner's id, where it is a worker: the first random number that it draws.
    pub(super) fn owner(&self) -> OwnerId {
        OwnerId::from_random(random(self.slot, self.number, 1))
    }
}

/// A warm process: the real use cases over a tape.
struct Process {
    tape: Arc<Tape>,
    worker: Worker,
    preparer: Preparer,
    sweeper: Sweeper,
}

fn with_process<T>(run: impl FnOnce(&Process) -> T) -> T {
    thread_local! {
        static PROCESS: OnceCell<Process> = const { OnceCell::new() };
    }
    PROCESS.with(|process| run(process.get_or_init(Process::warm)))
}

/// Set where a future asks to be polled again at once.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// The model's files are CSV in UTF-8, which needs no spool.
struct NoSpool;

#[async_trait]
impl Spool for NoSpool {
    async fn put(&self, _job: &JobId, _part: u64, _bytes: Bytes) -> PortResult<()> {
        Err(PortError::refused("write spool", "the model has none"))
    }

    async fn read(&self, _: &JobId, _: u64, _: Range<u64>) -> PortResult<Option<Bytes>> {
        Err(PortError::refused("read spool", "the model has none"))
    }

    async fn put_marks(&self, _: &JobId, _: u64, _: Bytes) -> PortResult<()> {
        Err(PortError::refused("write marks", "the model has none"))
    }

    async fn marks(&self, _: &JobId, _: u64) -> PortResult<Option<Bytes>> {
        Err(PortError::refused("read marks", "the model has none"))
    }

    async fn clear(&self, _job: &JobId) -> PortResult<()> {
        Err(PortError::refused("clear spool", "the model has none"))
    }
}

impl Process {
    fn new() -> Self {
        let tape = Arc::new(Tape::default());
        Self {
            worker: Worker {
                store: tape.clone(),
                source: tape.clone(),
                spool: Arc::new(NoSpool),
                results: tape.clone(),
                sinks: Arc::new(NoSinks),
                lookups: Arc::new(NoLookups),
                queue: tape.clone(),
                clock: tape.clone(),
                ids: tape.clone(),
                observer: Arc::new(Unobserved),
                pace: Pace {
                    idle_ms: LEASE_MS / 3,
                    paused_ms: LEASE_MS / 3,
                    retry_ms: LEASE_MS / 3,
                    ..Pace::default()
                },
                plans: PlanCache::default(),
            },
            preparer: Preparer {
                store: tape.clone(),
                source: tape.clone(),
                spool: Arc::new(NoSpool),
                definitions: tape.clone(),
                results: tape.clone(),
                queue: tape.clone(),
                clock: tape.clone(),
                ids: tape.clone(),
                policy: POLICY,
                batch_records: None,
                window_bytes: WINDOW_BYTES,
                spills: Arc::new(NoSpills),
                unique_memory_bytes: 0,
            },
            sweeper: Sweeper {
                store: tape.clone(),
                queue: tape.clone(),
                clock: tape.clone(),
            },
            tape,
        }
    }

    /// A process that has compiled the plan, so that each of its invocations begins alike.
    fn warm() -> Self {
        let process = Self::new();
        let mut world = Arc::new(World::new(None));
        for slot in [PREPARERS, 0] {
            let next = world.queue.iter().position(|stored| {
                stored.stage == Stage::Ready && slots_for(&stored.message).contains(&slot)
            });
            if let Some(next) = next {
                let message = Arc::make_mut(&mut world).queue.remove(next).message;
                world = process.alone(slot, &message, world);
            }
        }
        process
    }

    /// Runs one invocation from beginning to end, with nobody beside it.
    fn alone(&self, slot: usize, message: &Message, world: Arc<World>) -> Arc<World> {
        self.tape.rewind(slot, 0, world.now_ms, &world);
        let mut future = pin!(self.call(Some(message)));
        let mut end = poll(future.as_mut());
        while end.is_none() {
            let pending = self.tape.pending();
            let Some(next) = pending.iter().find(|call| call.kind != Kind::Sleep) else {
                break;
            };
            self.tape.make(next.call, false);
            end = poll(future.as_mut());
            self.tape.take_made();
        }
        self.tape.take_world().unwrap_or(world)
    }

    /// Runs an invocation as far as it was answered; then makes one call, if one is named, and all
    /// quiet ones that follow.
    fn play(
        &self,
        invocation: &Invocation,
        world: &Arc<World>,
        make: Option<(u32, bool)>,
    ) -> Option<Stepped> {
        let Invocation {
            slot,
            number,
            message,
            begun_ms,
            ..
        } = invocation;
        self.tape.rewind(*slot, *number, *begun_ms, world);
        let mut future = pin!(self.call(message.as_ref()));
        let mut end = poll(future.as_mut());
        for entry in &invocation.log {
            self.tape.again(entry);
            end = poll(future.as_mut());
        }
        let mut next = invocation.clone();
        let (mut asked, mut told) = (None, 0);
        let mut make = make.or_else(|| self.quiet());
        while let Some((call, is_lost)) = make {
            self.tape.make(call, is_lost);
            end = poll(future.as_mut());
            let entry = self.tape.take_made()?;
            told = Digest::of(&(told, entry.learn(&mut next.memory)));
            asked = asked.or(Some(Digest::of(&entry.call())));
            next.log.push(Arc::new(entry));
            make = self.quiet();
        }
        next.pending = self.tape.pending();
        next.end = end;
        let waits_for: Vec<&str> = next.pending.iter().map(|call| call.name).collect();
        let memory = next.end.is_none().then_some(&next.memory);
        let message = message.as_ref().map(but_its_seat);
        next.digest = Digest::of(&(message, memory, waits_for, next.end));
        let world = self.tape.take_world()?;
        Some(Stepped {
            invocation: next,
            world,
            asked: asked.unwrap_or_default(),
            told,
        })
    }

    fn quiet(&self) -> Option<(u32, bool)> {
        let pending = self.tape.pending();
        let quiet = pending.iter().find(|call| call.kind == Kind::Quiet)?;
        Some((quiet.call, false))
    }

    /// The use case that a message is for; whether the message is handled.
    async fn call(&self, message: Option<&Message>) -> bool {
        match message {
            None => self.sweeper.sweep().await.is_ok(),
            Some(Message::Prepare { source }) => self.preparer.prepare(source, None).await.is_ok(),
            Some(message) => self.worker.work(message, None).await.is_ok(),
        }
    }
}

/// Polls until the future waits for the tape; how it ended, if it did.
fn poll(mut future: Pin<&mut impl Future<Output = bool>>) -> Option<bool> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(end) => return Some(end),
            Poll::Pending if woken.0.swap(false, Relaxed) => {}
            Poll::Pending => return None,
        }
    }
}

/// Makes the process of this thread, before a bug is planted in it.
pub(super) fn warm() {
    with_process(|_| ());
}

/// Plants a bug of the core for this thread.
pub(super) fn plant(bug: Option<mutation::Mutation>) {
    mutation::plant(bug);
}
