//! The sink port: a destination that takes accepted records one by one, in calls of a few.
//!
//! A worker may die between a call and the completion of its batch, and a worker that lost its lease
//! may have one call on its way. So a record may be put more than once, always with the same row: a
//! sink must make of that what it makes of putting it once.

use std::sync::Arc;

use async_trait::async_trait;
use batchfleet_definition::Destination;
use bytes::Bytes;

use crate::error::PortResult;
use crate::ids::JobId;

/// An accepted record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkRecord {
    /// Its index in the job.
    pub index: u64,
    /// Its row: one JSON object with every field of the definition, typed, in their order.
    pub row: Bytes,
}

impl SinkRecord {
    /// The same for the same record of the same job, for ever; no other record has it.
    #[must_use]
    pub fn idempotency_key(&self, job: &JobId) -> String {
        format!("{job}-{}", self.index)
    }
}

/// What a destination makes of a call, by what the caller does about it. That it can't be reached,
/// or lets nobody in, is no answer but a [`PortError`](crate::PortError).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkAnswer {
    /// Every record is taken.
    Accepted,
    /// The destination tells what became of each record, in their order.
    Each(Vec<RecordAnswer>),
    /// One record at least is refused for this reason, and the destination does not tell which. Some
    /// of the others may be taken.
    Refused(String),
    /// Too much is asked of the destination. Some of the records may be taken.
    Overloaded {
        /// When it wants to be asked again, if it says so.
        retry_after_ms: Option<u64>,
    },
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordAnswer {
    /// It is taken.
    Accepted,
    /// It is refused, for this reason.
    Refused(String),
    /// It was left over, for want of capacity.
    Overloaded,
}

/// A destination that takes records one by one.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Records of one call at most; at least 1.
    fn records_max(&self) -> usize;

    /// Puts 1 to [`records_max`](Self::records_max) records, in the order of the file. Putting a
    /// record again is putting it once.
    ///
    /// A reason holds what a person needs to mend the row. It reaches the rejects and nothing else.
    ///
    /// # Errors
    /// The destination could not be asked: never for the sake of a record.
    async fn put(&self, job: &JobId, records: &[SinkRecord]) -> PortResult<SinkAnswer>;
}

/// What looking for a destination brought.
pub enum FoundSink {
    /// The way to it.
    Sink(Arc<dyn Sink>),
    /// It can't be used, for this reason, which is for the person who uploaded the file: `the table
    /// "people" does not exist; …`.
    Unusable(String),
}

/// Finds the destinations that definitions name.
#[async_trait]
pub trait Sinks: Send + Sync {
    /// The sink of a destination that [takes records one by one](Destination::is_record_wise). Asked
    /// for once a job, so it may take a look at the destination.
    async fn sink(&self, destination: &Destination) -> PortResult<FoundSink>;
}

/// Has no destinations that take records one by one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSinks;

#[async_trait]
impl Sinks for NoSinks {
    async fn sink(&self, _destination: &Destination) -> PortResult<FoundSink> {
        Ok(FoundSink::Unusable(
            "there is no way to this destination from here".to_owned(),
        ))
    }
}
