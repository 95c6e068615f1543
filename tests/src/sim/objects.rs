//! The ports over the buckets: uploads and results.

use std::ops::Range;

use async_trait::async_trait;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{PutOutcome, Results, Source};
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
        let (source, actor) = (source.clone(), self.actor());
        let what = format!("{} {range:?}", source.key);
        self.call(
            Kind::Read,
            "read",
            || what,
            move |state| {
                let is_pinned = !state.table.has(StoreBug::UnpinnedRead);
                let (got, content) = state.bucket.read(&source, is_pinned)?;
                let read = Read {
                    wanted: source.clone(),
                    got: got.clone(),
                };
                let by = state.by(actor);
                state.history.reads.push((by, read));
                let (start, end) = (range.start as usize, range.end as usize);
                if start > end || end > content.len() {
                    let cause = format!("{range:?} of {} bytes", content.len());
                    return Err(PortError::refused("read source", cause));
                }
                Ok(content.slice(start..end))
            },
        )
        .await
    }
}

#[async_trait]
impl Results for Ports {
    async fn put_once(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<PutOutcome> {
        let (job, name) = (job.clone(), name.to_owned());
        let what = format!("{name}, {} bytes", content.len());
        self.call(
            Kind::Write,
            "put once",
            || what,
            move |state| state.bucket.put_once(&job, &name, content.clone()),
        )
        .await
    }

    async fn put(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<()> {
        let (job, name, actor) = (job.clone(), name.to_owned(), self.actor());
        let what = format!("{name}, {} bytes", content.len());
        self.call(
            Kind::Write,
            "put",
            || what,
            move |state| {
                if name == SUMMARY_FILE {
                    let by = state.by(actor);
                    let report = (by, job.clone(), content.clone());
                    state.history.summaries.push(report);
                }
                state.bucket.put(&job, &name, content.clone());
                Ok(())
            },
        )
        .await
    }

    async fn join(&self, job: &JobId, name: &str, head: Bytes, parts: &[String]) -> PortResult<()> {
        let (job, name, parts) = (job.clone(), name.to_owned(), parts.to_vec());
        let what = format!("{name} of {} parts", parts.len());
        self.call(
            Kind::Write,
            "join",
            || what,
            move |state| state.bucket.join(&job, &name, &head, &parts),
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
