//! The ports: what the use cases need of the world, one narrow trait per capability.
//!
//! Adapters implement them; nothing here knows of AWS, files or SQL. Each trait has one conformance
//! suite in `batchfleet-testing`, and a trait changes there first.

mod lookup;
mod sink;
mod spool;
mod store;

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

pub use lookup::{
    FoundLookup, KeyAnswer, KeyValue, Lookup, LookupAnswer, LookupKey, Lookups, NoLookups,
};
pub use sink::{FoundSink, NoSinks, RecordAnswer, Sink, SinkAnswer, SinkRecord, Sinks};
pub use spool::Spool;
pub use store::{
    CancelOutcome, ClaimOutcome, CloseOutcome, CompleteOutcome, CreateOutcome, FinalizeOutcome,
    Held, PauseOutcome, PreparerOutcome, ShardView, Snapshot, Store, TicketOutcome,
};

use crate::checksum::FileSum;
use crate::error::PortResult;
use crate::ids::JobId;
use crate::message::Message;
use crate::source::SourceRef;

/// Reads the bytes of an uploaded object.
#[async_trait]
pub trait Source: Send + Sync {
    /// Reads `range` (bytes) of exactly the pinned version. The range lies within the object's
    /// size; the answer has exactly its length.
    ///
    /// # Errors
    /// [`PortError::SourceChanged`](crate::PortError::SourceChanged) where the pinned version is
    /// gone: no byte of another version is ever returned (I5).
    async fn read(&self, source: &SourceRef, range: Range<u64>) -> PortResult<Bytes>;
}

/// What looking for a definition brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundDefinition {
    /// Its text, at most 256 KiB.
    Text(String),
    /// There is none of that name.
    Missing,
    /// There is something that can be no definition, for this reason: `it is not UTF-8`.
    Unusable(&'static str),
}

/// Finds definitions by name.
#[async_trait]
pub trait Definitions: Send + Sync {
    /// The definition of that name.
    async fn definition(&self, name: &str) -> PortResult<FoundDefinition>;
}

/// What [`Results::put_once`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// Written now.
    Created,
    /// Already there with the same content: an earlier attempt got that far.
    Existed,
}

/// Writes what a job produces: parts, rejects, reports. Names are relative to the job.
#[async_trait]
pub trait Results: Send + Sync {
    /// Writes a whole object under a name that was never written, or finds the same content there.
    /// A reader sees all of it or nothing.
    ///
    /// # Errors
    /// [`PortError::Conflict`](crate::PortError::Conflict) where the name has other content.
    async fn put_once(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<PutOutcome>;

    /// Writes a whole object, whatever was there. For reports, which are the same however often
    /// they are written.
    async fn put(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<()>;

    /// Writes `head` followed by the contents of `parts`, in order, as one object, in bounded
    /// memory, and answers its sum. Every part exists.
    async fn join(
        &self,
        job: &JobId,
        name: &str,
        head: Bytes,
        parts: &[String],
    ) -> PortResult<FileSum>;

    /// The content of an object, or `None`.
    async fn get(&self, job: &JobId, name: &str) -> PortResult<Option<Bytes>>;

    /// Where a person finds `name`: a path or an `s3://` address.
    fn location(&self, job: &JobId, name: &str) -> String;
}

/// Sends messages to workers and preparers.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends `message`, to be delivered at least once, not before `delay_ms` from now. SQS counts
    /// in whole seconds and delays by 15 minutes at most; adapters round up, and cut at that.
    async fn send(&self, message: &Message, delay_ms: u64) -> PortResult<()>;
}

/// The time, and waiting for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
    /// Waits.
    async fn sleep_ms(&self, ms: u64);
}

/// Randomness, for the ids of owners and for jitter.
pub trait Ids: Send + Sync {
    /// A random number.
    fn random(&self) -> u64;
}

/// Hears what a worker did, for progress bars and counters.
pub trait Observer: Send + Sync {
    /// A batch was completed.
    fn batch_completed(&self, completion: &crate::batch::Completion);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn batch_completed(&self, _completion: &crate::batch::Completion) {}
}
