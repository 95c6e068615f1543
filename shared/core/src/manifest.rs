//! `manifest.json`: every output part of a job, and its reports, each with records, length and
//! SHA-256, so that whoever fetches them knows that nothing is missing and nothing was changed.
//!
//! It is one JSON document with a line for each part, written in the order of the batches as their
//! items are read, in bounded memory: what fills a buffer is kept as a piece under a name of its own,
//! and the document is the pieces joined. It is made of stored facts alone, so that it is the same
//! however often it is written. It must not know how batches are worked.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::batch::Completion;
use crate::checksum::FileSum;
use crate::error::PortResult;
use crate::ids::JobId;
use crate::job::Job;
use crate::ports::Results;
use crate::report::{MANIFEST_FILE, output_part};

/// The buffer: some 25,000 parts. Smaller manifests have no pieces.
const PIECE_BYTES_MAX: usize = 4 << 20;

/// A file that the manifest lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name below the folder of the job.
    pub name: String,
    /// Its records.
    pub records: u64,
    /// Its length and its SHA-256. A part that was written by a release before there was a manifest
    /// has none.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub sum: Option<FileSum>,
}

/// The manifest as a program reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this format: 1.
    pub version: u32,
    /// The job.
    pub job: JobId,
    /// The output parts whose rows are in the job's counts, in the order of the rows.
    pub parts: Vec<Listed>,
    /// The reports that were merged.
    pub reports: Vec<Listed>,
    /// The sums of `parts`.
    pub totals: Totals,
}

/// What the output parts sum to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many there are.
    pub parts: u64,
    /// Their records.
    pub records: u64,
    /// Their bytes, as far as they are known.
    pub bytes: u64,
}

/// A manifest in the making.
pub struct ManifestWriter<'a> {
    results: &'a dyn Results,
    job: JobId,
    buffer: Vec<u8>,
    buffer_max: usize,
    pieces: Vec<String>,
    totals: Totals,
}

impl<'a> ManifestWriter<'a> {
    /// Begins the manifest of a job.
    #[must_use]
    pub fn new(results: &'a dyn Results, job: &Job) -> Self {
        Self::with_buffer(results, &job.id, PIECE_BYTES_MAX)
    }

    /// Begins one that keeps a piece whenever it has this many bytes.
    #[must_use]
    pub fn with_buffer(results: &'a dyn Results, job: &JobId, bytes: usize) -> Self {
        Self {
            results,
            job: job.clone(),
            buffer: format!("{{\"version\":1,\"job\":\"{job}\",\"parts\":[").into_bytes(),
            buffer_max: bytes,
            pieces: Vec::new(),
            totals: Totals::default(),
        }
    }

    /// Adds the part of a batch that is over, if it has one. To be called in the order of the batches.
    ///
    /// # Errors
    /// That of writing a piece.
    pub async fn add(&mut self, batch: u64, done: &Completion) -> PortResult<()> {
        if done.failed || done.counts.accepted == 0 {
            return Ok(());
        }
        let sum = done
            .written
            .as_ref()
            .and_then(|written| written.part.clone());
        self.buffer.extend_from_slice(if self.totals.parts == 0 {
            b"\n"
        } else {
            b",\n"
        });
        self.totals.parts += 1;
        self.totals.records += done.counts.accepted;
        self.totals.bytes += sum.as_ref().map_or(0, |sum| sum.bytes);
        let listed = Listed {
            name: output_part(batch),
            records: done.counts.accepted,
            sum,
        };
        self.json(&listed);
        if self.buffer.len() >= self.buffer_max {
            let name = format!("manifest/piece-{:06}.json", self.pieces.len());
            let piece = Bytes::from(std::mem::take(&mut self.buffer));
            self.results.put(&self.job, &name, piece).await?;
            self.pieces.push(name);
        }
        Ok(())
    }

    /// Writes the manifest, with the merged reports.
    ///
    /// # Errors
    /// That of writing it.
    pub async fn finish(mut self, reports: &[Listed]) -> PortResult<()> {
        self.buffer.extend_from_slice(b"\n],\"reports\":[");
        for (place, report) in reports.iter().enumerate() {
            self.buffer
                .extend_from_slice(if place == 0 { b"\n" } else { b",\n" });
            self.json(report);
        }
        self.buffer.extend_from_slice(b"\n],\"totals\":");
        let totals = self.totals;
        self.json(&totals);
        self.buffer.extend_from_slice(b"}\n");
        let rest = Bytes::from(self.buffer);
        if self.pieces.is_empty() {
            return self.results.put(&self.job, MANIFEST_FILE, rest).await;
        }
        let last = format!("manifest/piece-{:06}.json", self.pieces.len());
        self.results.put(&self.job, &last, rest).await?;
        self.pieces.push(last);
        let pieces = &self.pieces;
        self.results
            .join(&self.job, MANIFEST_FILE, Bytes::new(), pieces)
            .await?;
        Ok(())
    }

    fn json<T: Serialize>(&mut self, value: &T) {
        // Neither writing to memory nor text and numbers can fail.
        let _ = serde_json::to_writer(&mut self.buffer, value);
    }
}
