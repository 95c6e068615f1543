//! A state of the model, and when two are the same.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use batchfleet_core::ids::OwnerId;
use batchfleet_core::invariants::Violation;
use batchfleet_core::message::Message;

use super::invocation::{Invocation, SLOTS, Stepped, slots_for};
use super::world::{Digest, Stage, World};

/// A state: the world, and the invocations in it.
#[derive(Clone)]
pub struct State {
    pub(super) world: Arc<World>,
    pub(super) invocations: [Option<Arc<Invocation>>; SLOTS],
    /// Invocations that each place had.
    pub(super) served: [u32; SLOTS],
    pub(super) faults: u8,
    pub(super) returns: u8,
    pub(super) waits: u8,
    pub(super) violation: Option<Arc<Violation>>,
    /// Stands for the world.
    world_digest: u64,
    /// Stands for all of it.
    digest: u64,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.digest);
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl State {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self {
            world,
            invocations: Default::default(),
            served: [0; SLOTS],
            faults: 0,
            returns: 0,
            waits: 0,
            violation: None,
            world_digest: 0,
            digest: 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.violation.is_some()
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.invocations.iter().all(Option::is_none)
    }

    pub(super) fn free(&self, message: &Message) -> Option<usize> {
        slots_for(message).find(|&slot| self.invocations[slot].is_none())
    }

    pub(super) fn living(&self) -> impl Iterator<Item = (usize, &Arc<Invocation>)> {
        let invocations = self.invocations.iter().enumerate();
        invocations.filter_map(|(slot, invocation)| Some((slot, invocation.as_ref()?)))
    }

    /// After a step. A world that was not changed is the same one.
    pub(super) fn sealed(mut self, before: Option<&Self>) -> Self {
        match before {
            Some(before) if Arc::ptr_eq(&before.world, &self.world) => {}
            _ => self.world_digest = self.world.digest(),
        }
        let orders = ORDERS.iter().map(|order| self.digest_in(*order));
        self.digest = orders.min().unwrap_or_default();
        self
    }

    /// The state's digest if the places had been taken in this order. Who was who does not matter,
    /// nor who held what and is dead: no invocation that comes later is the same owner.
    fn digest_in(&self, order: [usize; SLOTS]) -> u64 {
        let invocations = order.map(|slot| self.invocations[slot].as_ref());
        let owners = invocations.map(|living| Some(living?.owner()));
        let place = |holder: &OwnerId| {
            owners
                .iter()
                .position(|owner| owner.as_ref() == Some(holder))
        };
        let holders = self.world.holders().into_iter();
        let holders: Vec<_> = holders.map(|holder| holder.and_then(place)).collect();
        let invocations = invocations.map(|living| Some(living?.digest));
        let counts = (self.faults, self.returns, self.waits);
        let violation = self.violation.as_deref();
        Digest::of(&(self.world_digest, holders, invocations, counts, violation))
    }

    pub(super) fn begin(&mut self, slot: usize, message: Option<Message>) -> Option<()> {
        let number = self.served[slot];
        self.served[slot] += 1;
        let stepped = Invocation::begin(slot, number, message, &self.world)?;
        self.keep(slot, stepped);
        Some(())
    }

    pub(super) fn keep(&mut self, slot: usize, stepped: Stepped) {
        self.invocations[slot] = Some(Arc::new(stepped.invocation));
        self.world = stepped.world;
    }

    /// Its receiver died or failed: the queue shows the message again after its visibility timeout.
    pub(super) fn hide(&mut self, invocation: &Invocation) {
        if let Some(message) = &invocation.message {
            Arc::make_mut(&mut self.world).send(message.clone(), Stage::Hidden);
        }
    }
}

/// The orders of places that come to the same: workers are alike, and so are preparers.
const ORDERS: [[usize; SLOTS]; 4] = [
    [0, 1, 2, 3, 4],
    [1, 0, 2, 3, 4],
    [0, 1, 3, 2, 4],
    [1, 0, 3, 2, 4],
];
