//! Capacity that the store's calls consumed, by what they were for, so that a test or an operator
//! can add up what a batch costs. Off unless asked for: DynamoDB reports it only on request.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

/// What a write was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Publish,
    Ticket,
    Claim,
    Heartbeat,
    Complete,
    Release,
    Close,
    Other,
}

/// Adds up capacity units until they are taken.
#[derive(Debug, Default)]
pub struct Metering {
    enabled: bool,
    /// In halves of a unit, as an eventually consistent read costs half of one: by [`Kind`], then reads.
    halves: [AtomicU64; 9],
    unmet: AtomicU64,
}

/// Capacity units by what they were for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// Pages, publications and checkpoints.
    pub publish: f64,
    /// Tickets.
    pub ticket: f64,
    /// Claims, won and lost.
    pub claim: f64,
    /// Heartbeats.
    pub heartbeat: f64,
    /// Completions.
    pub complete: f64,
    /// Batches handed back.
    pub release: f64,
    /// Shards closed into their job.
    pub close: f64,
    /// What a job costs once: its creation, hold, layout, end.
    pub other: f64,
    /// All reads.
    pub read: f64,
    /// Writes whose condition was not met. DynamoDB bills them like others but does not report
    /// them; each is counted above as the one unit that an item of under 1 KB costs.
    pub unmet: u64,
}

impl Metering {
    pub(super) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            ..Self::default()
        }
    }

    /// What to ask of DynamoDB.
    pub(super) fn asked(&self) -> Option<ReturnConsumedCapacity> {
        self.enabled.then_some(ReturnConsumedCapacity::Total)
    }

    pub(super) fn wrote<'a>(
        &self,
        kind: Kind,
        reported: impl IntoIterator<Item = &'a ConsumedCapacity>,
    ) {
        self.add(kind as usize, reported);
    }

    pub(super) fn read<'a>(&self, reported: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.add(Kind::Other as usize + 1, reported);
    }

    /// Counts a write whose condition was not met, and what it is billed at.
    pub(super) fn unmet(&self, kind: Kind, units: u64) {
        if self.enabled {
            self.unmet.fetch_add(1, Ordering::Relaxed);
            self.halves[kind as usize].fetch_add(units * 2, Ordering::Relaxed);
        }
    }

    #[expect(clippy::cast_sign_loss, reason = "capacity is never negative")]
    fn add<'a>(&self, place: usize, reported: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        for consumed in reported {
            let halves = (consumed.capacity_units().unwrap_or(0.0) * 2.0).round() as u64;
            self.halves[place].fetch_add(halves, Ordering::Relaxed);
        }
    }

    /// The units since the last call, or `None` where they are not counted.
    pub fn take(&self) -> Option<Units> {
        let take = |place: usize| self.halves[place].swap(0, Ordering::Relaxed) as f64 / 2.0;
        self.enabled.then(|| Units {
            publish: take(Kind::Publish as usize),
            ticket: take(Kind::Ticket as usize),
            claim: take(Kind::Claim as usize),
            heartbeat: take(Kind::Heartbeat as usize),
            complete: take(Kind::Complete as usize),
            release: take(Kind::Release as usize),
            close: take(Kind::Close as usize),
            other: take(Kind::Other as usize),
            read: take(Kind::Other as usize + 1),
            unmet: self.unmet.swap(0, Ordering::Relaxed),
        })
    }
}

impl Units {
    /// Logs them as fields of one line.
    pub fn log(&self) {
        tracing::info!(
            "write_units.publish" = self.publish,
            "write_units.ticket" = self.ticket,
            "write_units.claim" = self.claim,
            "write_units.heartbeat" = self.heartbeat,
            "write_units.complete" = self.complete,
            "write_units.release" = self.release,
            "write_units.close" = self.close,
            "write_units.other" = self.other,
            "read_units" = self.read,
            "conditions_unmet" = self.unmet,
            "capacity used"
        );
    }
}
