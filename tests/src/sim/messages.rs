//! Queues and event deliveries: at least once, in any order, hidden while someone has them.

use std::collections::BTreeMap;

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

/// All messages that are not handled yet.
#[derive(Default)]
pub(crate) struct Messages {
    sent: u64,
    pub(crate) duplicates: u32,
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

    /// It was handled.
    pub(crate) fn delete(&mut self, id: u64) {
        self.stored.remove(&id);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stored> {
        self.stored.values()
    }
}
