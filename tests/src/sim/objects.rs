//! The ports over the buckets: uploads and results.

use std::ops::Range;

use async_trait::async_trait;
use batchfleet_core::checksum::FileSum;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{PutOutcome, Results, Source, Spool};
use batchfleet_core::report::SUMMARY_FILE;
use batchfleet_core::source::SourceRef;
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

use super::bugs::StoreBug;
use super::history::Read;
use super::ports::{Kind, Ports};

#[async_trait]
impl Source for Ports {
    async fn read(&self, source: &SourceRef, range: Range<u64>) -> PortResult<Bytes> {
        let (wanted, actor) = (source.clone(), self.actor());
        let (start, end) = (range.start as usize, range.end as usize);
        self.call(
            Kind::Read,
            "read",
            || format!("{} {range:?}", source.key),
            move |state| {
                let is_pinned = !state.table.has(StoreBug::UnpinnedRead);
                let (got, content) = state.bucket.read(&wanted, is_pinned)?;
                let read = Read {
                    wanted: wanted.clone(),
                    got: got.clone(),
                };
                let by = state.by(actor);
                state.history.reads.push((by, read));
                if start > end || end > content.len() {
                    let cause = format!("{start}..{end} of {} bytes", content.len());
                    return Err(PortError::refused("read source", cause));
                }
                Ok(content.slice(start..end))
            },
        )
        .await
    }
}

#[async_trait]
impl Spool for Ports {
    async fn put(&self, job: &JobId, part: u64, bytes: Bytes) -> PortResult<()> {
        let (job, length) = (job.clone(), bytes.len());
        self.call(
            Kind::Write,
            "spool",
            || format!("part {part}, {length} bytes"),
            move |state| {
                state.bucket.put_spool(&job, part, bytes.clone());
                Ok(())
            },
        )
        .await
    }

    async fn read(&self, job: &JobId, part: u64, range: Range<u64>) -> PortResult<Option<Bytes>> {
        let job = job.clone();
        let (start, end) = (range.start as usize, range.end as usize);
        self.call(
            Kind::Read,
            "read spool",
            || format!("part {part}, {range:?}"),
            move |state| {
                let Some(part) = state.bucket.spool.get(&(job.clone(), part)) else {
                    return Ok(None);
                };
                if start > end || end > part.len() {
                    let cause = format!("{start}..{end} of {} bytes", part.len());
                    return Err(PortError::refused("read spool", cause));
                }
                Ok(Some(part.slice(start..end)))
            },
        )
        .await
    }

    async fn put_marks(&self, job: &JobId, batch: u64, bytes: Bytes) -> PortResult<()> {
        let (job, length) = (job.clone(), bytes.len());
        self.call(
            Kind::Write,
            "marks",
            || format!("batch {batch}, {length} bytes"),
            move |state| {
                state.bucket.put_marks(&job, batch, bytes.clone());
                Ok(())
            },
        )
        .await
    }

    async fn marks(&self, job: &JobId, batch: u64) -> PortResult<Option<Bytes>> {
        let job = job.clone();
        self.call(
            Kind::Read,
            "read marks",
            || format!("batch {batch}"),
            move |state| Ok(state.bucket.marks.get(&(job.clone(), batch)).cloned()),
        )
        .await
    }

    async fn clear(&self, job: &JobId) -> PortResult<()> {
        let job = job.clone();
        self.call(Kind::Write, "clear spool", String::new, move |state| {
            state.bucket.spool.retain(|(owner, _), _| *owner != job);
            state.bucket.marks.retain(|(owner, _), _| *owner != job);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Results for Ports {
    async fn put_once(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<PutOutcome> {
        let (job, of, bytes) = (job.clone(), name.to_owned(), content.len());
        self.call(
            Kind::Write,
            "put once",
            || format!("{name}, {bytes} bytes"),
            move |state| state.bucket.put_once(&job, &of, content.clone()),
        )
        .await
    }

    async fn put(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<()> {
        let (job, of, bytes, actor) = (job.clone(), name.to_owned(), content.len(), self.actor());
        self.call(
            Kind::Write,
            "put",
            || format!("{name}, {bytes} bytes"),
            move |state| {
                if of == SUMMARY_FILE {
                    let by = state.by(actor);
                    let report = (by, job.clone(), content.clone());
                    state.history.summaries.push(report);
                }
                state.bucket.put(&job, &of, content.clone());
                Ok(())
            },
        )
        .await
    }

    async fn join(
        &self,
        job: &JobId,
        name: &str,
        head: Bytes,
        parts: &[String],
    ) -> PortResult<FileSum> {
        let (job, whole, of) = (job.clone(), name.to_owned(), parts.to_vec());
        self.call(
            Kind::Write,
            "join",
            || format!("{name} of {} parts", parts.len()),
            move |state| state.bucket.join(&job, &whole, &head, &of),
        )
        .await
    }

    async fn get(&self, job: &JobId, name: &str) -> PortResult<Option<Bytes>> {
        let (job, name) = (job.clone(), name.to_owned());
        self.call(Kind::Read, "get", String::new, move |state| {
            Ok(state.bucket.result(&job, &name).cloned())
        })
        .await
    }

    fn location(&self, job: &JobId, name: &str) -> String {
        format!("sim://{job}/{name}")
    }
}
