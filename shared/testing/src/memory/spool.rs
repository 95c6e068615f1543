//! A spool in memory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use async_trait::async_trait;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::Spool;
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

use super::lock;

/// Parts and marks in memory.
#[derive(Debug, Default)]
pub struct MemorySpool {
    parts: Mutex<BTreeMap<(JobId, u64), Bytes>>,
    marks: Mutex<BTreeMap<(JobId, u64), Bytes>>,
}

impl MemorySpool {
    /// No parts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The text of a job, as far as its parts follow one another.
    #[must_use]
    pub fn text(&self, job: &JobId) -> Vec<u8> {
        let parts = lock(&self.parts);
        let mut text = Vec::new();
        for part in 0.. {
            let Some(bytes) = parts.get(&(job.clone(), part)) else {
                break;
            };
            text.extend_from_slice(bytes);
        }
        text
    }

    /// How many parts and marks there are, of all jobs.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.parts).len() + lock(&self.marks).len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[async_trait]
impl Spool for MemorySpool {
    async fn put(&self, job: &JobId, part: u64, bytes: Bytes) -> PortResult<()> {
        lock(&self.parts).insert((job.clone(), part), bytes);
        Ok(())
    }

    async fn read(&self, job: &JobId, part: u64, range: Range<u64>) -> PortResult<Option<Bytes>> {
        let parts = lock(&self.parts);
        let Some(bytes) = parts.get(&(job.clone(), part)) else {
            return Ok(None);
        };
        if range.start > range.end || range.end > bytes.len() as u64 {
            let cause = format!("{range:?} of {} bytes", bytes.len());
            return Err(PortError::refused("read spool", cause));
        }
        Ok(Some(bytes.slice(range.start as usize..range.end as usize)))
    }

    async fn put_marks(&self, job: &JobId, batch: u64, bytes: Bytes) -> PortResult<()> {
        let mut marks = lock(&self.marks);
        let kept = marks
            .entry((job.clone(), batch))
            .or_insert_with(|| bytes.clone());
        // Whoever writes them again must write the same.
        if *kept != bytes {
            let cause = format!("those of batch {batch} were written with other content before");
            return Err(PortError::corrupt("marks", cause));
        }
        Ok(())
    }

    async fn marks(&self, job: &JobId, batch: u64) -> PortResult<Option<Bytes>> {
        Ok(lock(&self.marks).get(&(job.clone(), batch)).cloned())
    }

    async fn clear(&self, job: &JobId) -> PortResult<()> {
        lock(&self.parts).retain(|(owner, _), _| owner != job);
        lock(&self.marks).retain(|(owner, _), _| owner != job);
        Ok(())
    }
}
