//! What an invocation remembers of the answers it got: two that remember the same go on alike.
//!
//! Without this, a state would keep apart all the ways that led to it. A worker that looked through
//! a shard has forgotten what it saw there once it goes on to the next; that is said here, by hand,
//! for the worker alone. It never makes a step that the real code would not: at worst, where the
//! code came to remember more than is said here, the search would miss steps. So each search holds
//! what is said here against what the code does: see `search`.

use std::any::Any;
use std::fmt::Debug;

use batchfleet_core::batch::Shard;
use batchfleet_core::job::{Job, JobStatus};
use batchfleet_core::message::Message;
use batchfleet_core::ports::{
    ClaimOutcome, CloseOutcome, CompleteOutcome, Held, PreparerOutcome, PutOutcome, ShardView,
    TicketOutcome,
};

use batchfleet_core::preparer::PreparerItem;

use super::world::{Digest, but_its_owner};

/// Where a worker's invocation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Before its first look at a shard; and all of an invocation that is not a worker's.
    #[default]
    Beginning,
    /// It takes tickets, shard by shard.
    Draining,
    /// It looks for what is left, shard by shard.
    Sweeping,
    /// It has looked through all of them.
    Finishing,
    /// It found the job over, or balanced: it never goes back.
    Ending,
}

/// What a worker found in its sweep of all shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Swept {
    found_work: bool,
    next_lease_end: Option<u64>,
}

/// What an invocation remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// The shard that it begins with, where it is a worker's.
    hint: Option<u32>,
    phase: Phase,
    /// The job as it read it last to see whether to go on, and when.
    status: Option<JobStatus>,
    status_ms: u64,
    /// The shard that it drains or sweeps.
    number: u32,
    shard: Option<Shard>,
    swept: Swept,
    /// The rest: a hash of the answers since it last forgot what came before.
    recent: u64,
}

impl Memory {
    pub(super) fn new(message: Option<&Message>) -> Self {
        let hint = match message {
            Some(Message::Work { shard, .. }) => Some(*shard),
            Some(Message::Watch { .. }) => Some(0),
            Some(Message::Prepare { .. }) | None => None,
        };
        Self {
            hint,
            ..Self::default()
        }
    }

    /// It got an answer: `what` was asked for by `name`. Returns what the code goes by of it.
    pub(super) fn learn(
        &mut self,
        (name, what): (&str, &str),
        answer: &dyn Any,
        told: u64,
        now_ms: u64,
    ) -> u64 {
        let essence = essence(name, answer).unwrap_or(told);
        self.recent = Digest::of(&(self.recent, name, what, now_ms, essence));
        self.keep(name, what, answer, now_ms);
        essence
    }

    fn keep(&mut self, name: &str, what: &str, answer: &dyn Any, now_ms: u64) {
        let Some(hint) = self.hint else {
            return;
        };
        if self.phase == Phase::Ending {
            return;
        }
        if let Some(Some(job)) = answer.downcast_ref::<Option<Job>>() {
            if self.phase != Phase::Finishing {
                (self.status, self.status_ms) = (Some(job.status), now_ms);
            }
            if job.status.is_terminal() || job.is_balanced() {
                self.phase = Phase::Ending;
            } else if self.phase == Phase::Finishing {
                self.forget(&"finishing");
            }
        } else if let Some(shard) = answer.downcast_ref::<Option<Shard>>() {
            self.looked(hint, what.parse().unwrap_or(0), *shard);
        } else if let Some(view) = answer.downcast_ref::<Option<ShardView>>() {
            self.swept(view.as_ref(), now_ms);
        } else if self.phase == Phase::Draining {
            self.drained(name, answer);
        }
    }

    /// Only what it keeps elsewhere, and this, matters from now on.
    fn forget(&mut self, but: &dyn Debug) {
        self.recent = Digest::of(but);
    }

    fn looked(&mut self, hint: u32, number: u32, shard: Option<Shard>) {
        let was_last = match self.phase {
            Phase::Beginning | Phase::Finishing => {
                self.phase = Phase::Draining;
                self.swept = Swept::default();
                false
            }
            // From the hint on, then those before it.
            Phase::Draining => hint > 0 && self.number + 1 == hint,
            Phase::Sweeping | Phase::Ending => false,
        };
        if was_last {
            self.phase = Phase::Sweeping;
        }
        (self.number, self.shard) = (number, shard);
        match (self.phase, shard) {
            (Phase::Draining, None) if hint == 0 => self.phase = Phase::Sweeping,
            (Phase::Sweeping, None) => self.phase = Phase::Finishing,
            // It only asks whether the shard is closed or sealed.
            (Phase::Sweeping, Some(shard)) => {
                self.shard = Some(Shard {
                    closed: shard.closed,
                    sealed: shard.sealed,
                    ..Shard::default()
                });
            }
            _ => {}
        }
        self.forget(&"looked");
    }

    fn drained(&mut self, name: &str, answer: &dyn Any) {
        let mut is_done = false;
        if let Some(outcome) = answer.downcast_ref::<TicketOutcome>() {
            match (outcome, &mut self.shard) {
                (TicketOutcome::Taken(slots), Some(shard)) => {
                    shard.cursor = slots.end;
                    self.forget(outcome);
                }
                (TicketOutcome::Short(now), shard) => {
                    *shard = Some(*now);
                    is_done = true;
                }
                _ => {}
            }
        } else if let Some(outcome) = answer.downcast_ref::<ClaimOutcome>() {
            is_done = !matches!(outcome, ClaimOutcome::Claimed(_));
        } else if let Some(outcome) = answer.downcast_ref::<Held>() {
            // What is handed back was not worked, for a reason that it still knows.
            is_done = *outcome == Held::Lost && name == "heartbeat";
        } else {
            is_done = answer.is::<CompleteOutcome>();
        }
        if is_done {
            self.forget(&"drained");
        }
    }

    fn swept(&mut self, view: Option<&ShardView>, now_ms: u64) {
        let Some(view) = view else {
            return;
        };
        let abandoned = view.abandoned(now_ms);
        self.swept.found_work |= !abandoned.is_empty() || view.shard.cursor < view.shard.published;
        if abandoned.is_empty() {
            let ends = [self.swept.next_lease_end, view.next_lease_end(now_ms)];
            self.swept.next_lease_end = ends.into_iter().flatten().min();
        }
        let closes = view.is_over().then(|| plain(view));
        self.forget(&("swept", abandoned, closes));
    }
}

/// What the code goes by, of an answer of which it does not go by the whole. Owners are left out: an
/// invocation knows its own, and goes by no other.
fn essence(name: &str, answer: &dyn Any) -> Option<u64> {
    if let Some(Some(job)) = answer.downcast_ref::<Option<Job>>() {
        // Sums count once every shard is closed.
        let is_open = !job.status.is_terminal() && !job.is_balanced();
        return is_open.then(|| Digest::of(&job.status));
    }
    if let Some(Some(view)) = answer.downcast_ref::<Option<ShardView>>() {
        return Some(plain(view));
    }
    if let Some(ClaimOutcome::Claimed(lease)) = answer.downcast_ref::<ClaimOutcome>() {
        return Some(Digest::of(&(lease.fence, lease.attempt)));
    }
    if let Some(outcome) = answer.downcast_ref::<PreparerOutcome>()
        && let PreparerOutcome::Granted(hold, checkpoint) = outcome
    {
        return Some(Digest::of(&(hold.fence, checkpoint)));
    }
    if let Some(Some(preparer)) = answer.downcast_ref::<Option<PreparerItem>>() {
        return Some(Digest::of(&preparer.lease_until_ms));
    }
    // Not so of a planted bug that closes in two writes.
    let is_closing = name == "close shard" && answer.is::<CloseOutcome>();
    let is_unread = answer.is::<PutOutcome>() || is_closing;
    is_unread.then_some(0)
}

/// A shard and its batches, whoever holds them.
fn plain(view: &ShardView) -> u64 {
    let batches = view.batches.iter();
    let batches: Vec<_> = batches
        .map(|(slot, item)| (slot, but_its_owner(item)))
        .collect();
    Digest::of(&(view.shard, batches))
}
