//! The port to the spool: what the preparer leaves beside a file for its workers, until the job is over:
//! the decoded text of sources that do not split, and the marks of duplicates.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::PortResult;
use crate::ids::JobId;

/// Keeps the decoded text of a job's source, in parts, and the marks of its batches (see
/// [`unique`](crate::unique)), until the job is over.
///
/// All parts of a job but the last have one length, so that an offset of the text leads to its part
/// (see [`spool`](crate::spool)). The text is a function of the source alone: whoever writes a part
/// again, a preparer that was superseded too, writes the same; and so are the marks of a batch.
#[async_trait]
pub trait Spool: Send + Sync {
    /// Writes a part as a whole; a reader sees all of it or nothing. Writing it again is no error.
    async fn put(&self, job: &JobId, part: u64, bytes: Bytes) -> PortResult<()>;

    /// Reads `range` of a part, counted from the part's first byte; it is not empty, lies within the
    /// part, and the answer has exactly its length. `None` where there is no such part.
    async fn read(&self, job: &JobId, part: u64, range: Range<u64>) -> PortResult<Option<Bytes>>;

    /// Writes the marks of a batch as a whole, empty ones too; a reader sees all of them or nothing.
    /// Writing them again is no error.
    async fn put_marks(&self, job: &JobId, batch: u64, bytes: Bytes) -> PortResult<()>;

    /// The marks of a batch; `None` where none were written.
    async fn marks(&self, job: &JobId, batch: u64) -> PortResult<Option<Bytes>>;

    /// Removes every part and all marks of the job. Removing what is not there is no error; what is
    /// written at the same time may stay.
    async fn clear(&self, job: &JobId) -> PortResult<()>;
}
