//! Queues and event deliveries: at least once, in any order, hidden while someone has them.

use std::collections::BTreeMap;

use batchfleet_core::ids::JobId;
use batchfleet_core::message::Message;

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It waits until then.
    Waiting(u64),
    /// An invocation has it, living or dead; unless deleted, it shows up again then.
    Hidden(u64),
}

/// One message, or one event of S3, whose retries work alike.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) message: Message,
    pub(crate) place: Place,
    pub(crate) receipts: u32,
    /// After how long it shows up again if its receiver fails.
    pub(crate) visibility_ms: u64,
}

/// Messages that a fault of the queue doubles, at most in one run. Each copy of a worker's message
/// lives as long as its job, so that they would grow beyond all bounds.
const DOUBLES_MAX: u32 = 12;

/// All messages that are not handled yet.
#[derive(Default)]
pub(crate) struct Messages {
    sent: u64,
    doubled: u32,
    /// The guard of each job that was sent last.
    guards: BTreeMap<JobId, u64>,
    stored: BTreeMap<u64, Stored>,
}

impl Messages {
    /// Keeps a message; it is to be shown at `due_ms`.
    pub(crate) fn add(&mut self, message: Message, due_ms: u64, visibility_ms: u64) -> u64 {
        self.sent += 1;
        let stored = Stored {
            message,
            place: Place::Waiting(due_ms),
            receipts: 0,
            visibility_ms,
        };
        self.stored.insert(self.sent, stored);
        self.sent
    }

    /// Receives a message that is visible now; `None` where it is gone, or was received since.
    pub(crate) fn receive(&mut self, id: u64, receipts: u32, now_ms: u64) -> Option<Stored> {
        let stored = self.stored.get_mut(&id)?;
        if stored.receipts != receipts {
            return None;
        }
        stored.receipts += 1;
        stored.place = Place::Hidden(now_ms + stored.visibility_ms);
        Some(stored.clone())
    }

    /// Keeps in mind that this is the newest guard of a job.
    pub(crate) fn is_guard(&mut self, job: JobId, id: u64) {
        self.guards.insert(job, id);
    }

    /// Whether the newest guard of a job was handled, and so left to others what is to be done.
    pub(crate) fn has_ended_guard(&self, job: &JobId) -> bool {
        let newest = self.guards.get(job);
        newest.is_some_and(|id| !self.stored.contains_key(id))
    }

    /// Whether a fault may still make two of one message; it does then.
    pub(crate) fn may_double(&mut self) -> bool {
        self.doubled += 1;
        self.doubled <= DOUBLES_MAX
    }

    /// It was handled.
    pub(crate) fn delete(&mut self, id: u64) {
        self.stored.remove(&id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// Whether there are messages of that kind, and invocations have all of them.
    pub(crate) fn all_hidden(&self, kind: impl Fn(&&Stored) -> bool) -> bool {
        let mut places = self.stored.values().filter(kind).map(|stored| stored.place);
        let is_hidden = |place: Place| matches!(place, Place::Hidden(_));
        places.next().is_some_and(is_hidden) && places.all(is_hidden)
    }
}
