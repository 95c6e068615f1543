//! What jobs produce, under `jobs/<job>/` of the results bucket.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use batchfleet_core::checksum::{FileSum, Summing};
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{PutOutcome, Results};
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};

use super::assembly::Assembly;
use super::{Absence, absence, collect, persist};
use crate::backoff::Backoff;
use crate::errors::port_error;
use crate::system::{SystemClock, SystemIds};

/// Parts that are fetched before they are needed: most are small, and a request takes tens of
/// milliseconds however small.
const PARTS_AHEAD: usize = 32;

/// The results bucket.
#[derive(Clone, Debug)]
pub struct S3Results {
    client: Client,
    bucket: String,
}

impl S3Results {
    /// Over this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }

    /// A report reads the rejects of every batch, one after the other, so one body that breaks off
    /// must not be the end of it.
    async fn read(&self, key: &str) -> PortResult<Option<Bytes>> {
        persist(|| self.read_once(key)).await
    }

    async fn read_once(&self, key: &str) -> PortResult<Option<Bytes>> {
        let action = "read result";
        let sent = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        match sent {
            Ok(output) => collect(action, output.body).await.map(Some),
            Err(error) if absence(&error) == Some(Absence::Missing) => Ok(None),
            Err(error) => Err(port_error(action, error)),
        }
    }

    async fn part(&self, key: String) -> PortResult<Bytes> {
        let content = self.read(&key).await?;
        content.ok_or_else(|| {
            PortError::corrupt("the rejects of a batch", format!("{key} is missing"))
        })
    }
}

#[async_trait]
impl Results for S3Results {
    /// The write is refused by S3 itself where the name exists (`If-None-Match: *`); only then is
    /// the object read, and compared byte for byte. A try repeated after a lost response finds its
    /// own object and is told [`PutOutcome::Existed`], which is as good.
    async fn put_once(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<PutOutcome> {
        let action = "write result";
        let key = key_of(job, name);
        let mut backoff = Backoff::new(&SystemClock, &SystemIds);
        loop {
            let sent = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(&key)
                .content_type(content_type(name))
                .if_none_match("*")
                .body(ByteStream::from(content.clone()))
                .send()
                .await;
            let Err(error) = sent else {
                return Ok(PutOutcome::Created);
            };
            let busy = error
                .as_service_error()
                .and_then(ProvideErrorMetadata::code)
                == Some("ConditionalRequestConflict");
            if absence(&error) == Some(Absence::Different) {
                match self.read(&key).await? {
                    Some(existing) if existing == content => return Ok(PutOutcome::Existed),
                    Some(_) => {
                        return Err(PortError::Conflict {
                            name: name.to_owned(),
                        });
                    }
                    // Removed between the two calls: the name is free again.
                    None => {}
                }
            } else if !busy {
                return Err(port_error(action, error));
            }
            if !backoff.wait().await {
                return Err(port_error(action, error));
            }
        }
    }

    async fn put(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<()> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key_of(job, name))
            .content_type(content_type(name))
            .body(ByteStream::from(content))
            .send()
            .await
            .map_err(|e| port_error("write result", e))?;
        Ok(())
    }

    async fn join(
        &self,
        job: &JobId,
        name: &str,
        head: Bytes,
        parts: &[String],
    ) -> PortResult<FileSum> {
        let key = key_of(job, name);
        let mut joined = Assembly::new(&self.client, &self.bucket, key, content_type(name));
        let outcome = async {
            let mut summing = Summing::default();
            summing.update(&head);
            joined.push(head).await?;
            let keys: Vec<String> = parts.iter().map(|part| key_of(job, part)).collect();
            let contents = keys.into_iter().map(|key| self.part(key));
            let mut contents = stream::iter(contents).buffered(PARTS_AHEAD);
            while let Some(content) = contents.next().await {
                let content = content?;
                summing.update(&content);
                joined.push(content).await?;
            }
            joined.finish().await?;
            Ok(summing.finish())
        }
        .await;
        if outcome.is_err() {
            joined.abort().await;
        }
        outcome
    }

    async fn get(&self, job: &JobId, name: &str) -> PortResult<Option<Bytes>> {
        self.read(&key_of(job, name)).await
    }

    fn location(&self, job: &JobId, name: &str) -> String {
        format!("s3://{}/{}", self.bucket, key_of(job, name))
    }
}

fn key_of(job: &JobId, name: &str) -> String {
    format!("jobs/{job}/{name}")
}

/// What a browser or a query engine is told of an object, by its name.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("csv") => "text/csv; charset=utf-8",
        Some("json") => "application/json",
        Some("jsonl" | "ndjson") => "application/x-ndjson",
        _ => "application/octet-stream",
    }
}
