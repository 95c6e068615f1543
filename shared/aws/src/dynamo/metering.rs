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
    /// Whole units, by [`Kind`].
    writes: [AtomicU64; 8],
    /// In halves of a unit: an eventually consistent read costs half of one.
    read_halves: AtomicU64,
    unmet: AtomicU64,
}

/// Capacity units by what they were for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// Pages, publications and checkpoints.
    pub publish: u64,
    /// Tickets.
    pub ticket: u64,
    /// Claims, won and lost.
    pub claim: u64,
    /// Heartbeats.
    pub heartbeat: u64,
    /// Completions.
    pub complete: u64,
    /// Batches handed back.
    pub release: u64,
    /// Shards closed into their job.
    pub close: u64,
    /// What a job costs once: its creation, hold, layout, end.
    pub other: u64,
    /// All reads.
    pub read: f64,
    /// Writes whose condition was not met. DynamoDB bills them like others but does not report
    /// them; each is counted above as the one unit that an item of under 1 KB costs (two for each
    /// part of a transaction).
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
        let units = halves(reported) / 2;
        self.writes[kind as usize].fetch_add(units, Ordering::Relaxed);
    }

    pub(super) fn read<'a>(&self, reported: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.read_halves
            .fetch_add(halves(reported), Ordering::Relaxed);
    }

    /// Counts a write whose condition was not met, and what it is billed at.
    pub(super) fn unmet(&self, kind: Kind, units: u64) {
        if self.enabled {
            self.unmet.fetch_add(1, Ordering::Relaxed);
            self.writes[kind as usize].fetch_add(units, Ordering::Relaxed);
        }
    }

    /// The units since the last call, or `None` where they are not counted.
    pub fn take(&self) -> Option<Units> {
        let take = |kind: Kind| self.writes[kind as usize].swap(0, Ordering::Relaxed);
        self.enabled.then(|| Units {
            publish: take(Kind::Publish),
            ticket: take(Kind::Ticket),
            claim: take(Kind::Claim),
            heartbeat: take(Kind::Heartbeat),
            complete: take(Kind::Complete),
            release: take(Kind::Release),
            close: take(Kind::Close),
            other: take(Kind::Other),
            read: self.read_halves.swap(0, Ordering::Relaxed) as f64 / 2.0,
            unmet: self.unmet.swap(0, Ordering::Relaxed),
        })
    }
}

#[expect(clippy::cast_sign_loss, reason = "capacity is never negative")]
fn halves<'a>(reported: impl IntoIterator<Item = &'a ConsumedCapacity>) -> u64 {
    let units = reported
        .into_iter()
        .filter_map(ConsumedCapacity::capacity_units);
    (units.sum::<f64>() * 2.0).round() as u64
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
