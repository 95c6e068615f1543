//! Objects: uploads with their versions, and the results of jobs.

use std::collections::BTreeMap;

use batchfleet_core::checksum::FileSum;
use batchfleet_core::ids::{JobId, hex_digest};
use batchfleet_core::ports::PutOutcome;
use batchfleet_core::source::SourceRef;
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

/// All that is stored as objects.
#[derive(Clone)]
pub(crate) struct Bucket {
    versioned: bool,
    /// Every version of every key, oldest first. Without versions, only the last can be read.
    uploads: BTreeMap<String, Vec<(SourceRef, Bytes)>>,
    puts: u64,
    pub(crate) results: BTreeMap<(JobId, String), Bytes>,
    /// Parts of decoded texts.
    pub(crate) spool: BTreeMap<(JobId, u64), Bytes>,
    /// The marks of batches, by job and batch.
    pub(crate) marks: BTreeMap<(JobId, u64), Bytes>,
    /// Parts and marks that were written over with other bytes: which must never be.
    pub(crate) spool_changed: Vec<(JobId, u64)>,
}

impl Bucket {
    pub(crate) fn new(versioned: bool) -> Self {
        Self {
            versioned,
            uploads: BTreeMap::new(),
            puts: 0,
            results: BTreeMap::new(),
            spool: BTreeMap::new(),
            marks: BTreeMap::new(),
            spool_changed: Vec::new(),
        }
    }

    /// Puts an object, and answers what its event says.
    pub(crate) fn upload(&mut self, key: &str, content: Bytes) -> SourceRef {
        self.puts += 1;
        let source = SourceRef {
            bucket: "uploads".to_owned(),
            key: key.to_owned(),
            version: self.versioned.then(|| format!("v{}", self.puts)),
            etag: hex_digest(&content),
            sequencer: Some(format!("{:016X}", self.puts)),
            size: content.len() as u64,
            attempt: 0,
            redrive: None,
        };
        let versions = self.uploads.entry(key.to_owned()).or_default();
        versions.push((source.clone(), content));
        source
    }

    /// The version that a read of `source` meets, with its content: the pinned one or none. Where
    /// the pin is not sent along (a planted bug), it is whatever is there.
    pub(crate) fn read(
        &self,
        source: &SourceRef,
        is_pinned: bool,
    ) -> PortResult<(&SourceRef, Bytes)> {
        let versions = self.uploads.get(&source.key).map_or(&[][..], Vec::as_slice);
        let found = match (&source.version, is_pinned) {
            (Some(version), true) => versions
                .iter()
                .find(|(kept, _)| kept.version.as_ref() == Some(version)),
            (None, true) => versions.last().filter(|(kept, _)| kept.etag == source.etag),
            (_, false) => versions.last(),
        };
        let (kept, content) = found.ok_or(PortError::SourceChanged)?;
        Ok((kept, content.clone()))
    }

    pub(crate) fn put_spool(&mut self, job: &JobId, part: u64, bytes: Bytes) {
        let key = (job.clone(), part);
        if self.spool.get(&key).is_some_and(|kept| *kept != bytes) {
            self.spool_changed.push(key.clone());
        }
        self.spool.insert(key, bytes);
    }

    pub(crate) fn put_marks(&mut self, job: &JobId, batch: u64, bytes: Bytes) {
        let key = (job.clone(), batch);
        if self.marks.get(&key).is_some_and(|kept| *kept != bytes) {
            self.spool_changed.push(key.clone());
        }
        self.marks.insert(key, bytes);
    }

    pub(crate) fn put_once(
        &mut self,
        job: &JobId,
        name: &str,
        content: Bytes,
    ) -> PortResult<PutOutcome> {
        let key = (job.clone(), name.to_owned());
        match self.results.get(&key) {
            None => {
                self.results.insert(key, content);
                Ok(PutOutcome::Created)
            }
            Some(kept) if *kept == content => Ok(PutOutcome::Existed),
            Some(_) => Err(PortError::Conflict { name: key.1 }),
        }
    }

    pub(crate) fn join(
        &mut self,
        job: &JobId,
        name: &str,
        head: &[u8],
        parts: &[String],
    ) -> PortResult<FileSum> {
        let mut whole = head.to_vec();
        for part in parts {
            let content = self.result(job, part);
            let content =
                content.ok_or_else(|| PortError::refused("join results", format!("no {part}")))?;
            whole.extend_from_slice(content);
        }
        let sum = FileSum::of(&whole);
        self.put(job, name, whole.into());
        Ok(sum)
    }

    pub(crate) fn put(&mut self, job: &JobId, name: &str, content: Bytes) {
        self.results.insert((job.clone(), name.to_owned()), content);
    }

    pub(crate) fn result(&self, job: &JobId, name: &str) -> Option<&Bytes> {
        self.results.get(&(job.clone(), name.to_owned()))
    }
}
