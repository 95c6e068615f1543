//! A shard: consecutive batches under one partition key.
//!
//! The decisions here are pure, as those of [`batch`](crate::batch). Closing a shard changes its job
//! as well: see [`Job::close_shard`](crate::job::Job::close_shard).

use serde::{Deserialize, Serialize};

use crate::job::Counts;
use crate::ports::TicketOutcome;

/// A shard's own item: how far it is published and handed out. The default is that of a shard of
/// which nothing is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Slots that workers may claim: `0..published`.
    pub published: u32,
    /// Tickets handed out: `0..cursor`. A hint that spreads workers, never a hold.
    pub cursor: u32,
    /// No further batch will be published.
    pub sealed: bool,
    /// Summed into the job.
    pub closed: bool,
    /// Where the first batch begins, in bytes.
    pub start: u64,
    /// Where the last batch ends; meaningful once sealed.
    pub end: u64,
    /// The sums, once closed.
    pub totals: Option<ShardTotals>,
}

impl Shard {
    /// Step 4: raises what is published. An older publication changes nothing, nor does any after
    /// the seal.
    pub fn publish(&mut self, publication: &Publication) {
        // An equal one says the same (I5), and maybe that it was the last.
        if self.sealed || publication.published < self.published {
            return;
        }
        *self = Self {
            published: publication.published,
            sealed: publication.sealed,
            start: publication.start,
            end: publication.end,
            ..*self
        };
    }

    /// Step 6: takes `count` (at least 1) tickets where as many are left, below both what the
    /// caller saw and what is true.
    pub fn take_tickets(&mut self, count: u32, published_seen: u32) -> TicketOutcome {
        let limit = published_seen.min(self.published);
        match self.cursor.checked_add(count) {
            Some(end) if end <= limit => {
                let taken = self.cursor..end;
                self.cursor = end;
                TicketOutcome::Taken(taken)
            }
            _ => TicketOutcome::Short(*self),
        }
    }
}

/// What the preparer says of a shard when it publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Slots written so far.
    pub published: u32,
    /// Where the shard begins, in bytes.
    pub start: u64,
    /// Where the last published batch ends.
    pub end: u64,
    /// Whether that was the last.
    pub sealed: bool,
}

/// The sums of a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardTotals {
    /// The ledger of the shard.
    pub counts: Counts,
    /// Bytes of its batches.
    pub bytes: u64,
    /// Batches given up.
    pub failed_batches: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(published: u32, sealed: bool) -> Publication {
        Publication {
            published,
            start: 8,
            end: 8 + u64::from(published),
            sealed,
        }
    }

    #[test]
    fn publications_only_grow_and_the_seal_is_final() {
        let mut shard = Shard::default();
        for (said, in_force) in [
            ((5, false), (5, false)),
            ((3, true), (5, false)),
            ((9, false), (9, false)),
            ((9, true), (9, true)),
            ((9, false), (9, true)),
            ((12, true), (9, true)),
        ] {
            shard.publish(&publication(said.0, said.1));
            assert_eq!((shard.published, shard.sealed), in_force, "after {said:?}");
            assert_eq!((shard.start, shard.end), (8, 8 + u64::from(in_force.0)));
        }
    }

    #[test]
    fn publishing_leaves_the_cursor_alone() {
        let mut shard = Shard::default();
        shard.publish(&publication(5, false));
        assert_eq!(shard.take_tickets(3, 5), TicketOutcome::Taken(0..3));
        shard.publish(&publication(9, true));
        assert_eq!(shard.cursor, 3);
    }

    #[test]
    fn tickets_are_taken_whole_and_below_what_is_seen_and_published() {
        let mut shard = Shard::default();
        assert_eq!(shard.take_tickets(1, 9), TicketOutcome::Short(shard));
        shard.publish(&publication(5, true));
        assert_eq!(shard.take_tickets(3, 2), TicketOutcome::Short(shard));
        assert_eq!(shard.take_tickets(3, 9), TicketOutcome::Taken(0..3));
        assert_eq!(shard.take_tickets(3, 9), TicketOutcome::Short(shard));
        assert_eq!(shard.take_tickets(u32::MAX, 9), TicketOutcome::Short(shard));
        assert_eq!(shard.take_tickets(2, 5), TicketOutcome::Taken(3..5));
    }
}
