//! The spool, under `spool/<job>/` of the results bucket: a prefix of its own, so that a role may
//! remove what is there and nothing else, and a lifecycle rule what was left.

use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete as Removal, ObjectIdentifier};
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::Spool;
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

use super::{Absence, absence, collect, persist};
use crate::errors::port_error;

/// Listings of one clearing at most, of 1,000 parts each: more than a text of the largest size has.
const LISTINGS_MAX: u32 = 10_000;

/// The spool in the results bucket.
#[derive(Clone, Debug)]
pub struct S3Spool {
    client: Client,
    bucket: String,
}

impl S3Spool {
    /// In this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }

    async fn put_object(&self, action: &'static str, key: String, bytes: Bytes) -> PortResult<()> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("application/octet-stream")
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|e| port_error(action, e))?;
        Ok(())
    }

    async fn marks_once(&self, key: &str) -> PortResult<Option<Bytes>> {
        let action = "read marks";
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

    async fn read_once(&self, key: &str, range: &Range<u64>) -> PortResult<Option<Bytes>> {
        let action = "read spool";
        let sent = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .range(format!("bytes={}-{}", range.start, range.end - 1))
            .send()
            .await;
        let output = match sent {
            Ok(output) => output,
            Err(error) if absence(&error) == Some(Absence::Missing) => return Ok(None),
            Err(error) => return Err(port_error(action, error)),
        };
        let bytes = collect(action, output.body).await?;
        if bytes.len() as u64 != range.end - range.start {
            return Err(PortError::transient(action, "the body ended early"));
        }
        Ok(Some(bytes))
    }

    /// The keys of up to 1,000 parts.
    async fn list(&self, prefix: &str) -> PortResult<Vec<String>> {
        let listed = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .send()
            .await
            .map_err(|e| port_error("list spool", e))?;
        let keys = listed.contents().iter().filter_map(|one| one.key());
        Ok(keys.map(str::to_owned).collect())
    }

    async fn remove(&self, keys: Vec<String>) -> PortResult<()> {
        let action = "clear spool";
        let mut parts = Removal::builder().quiet(true);
        for key in keys {
            let part = ObjectIdentifier::builder().key(key).build();
            parts = parts.objects(part.map_err(|e| PortError::refused(action, e))?);
        }
        let parts = parts.build().map_err(|e| PortError::refused(action, e))?;
        let removed = self
            .client
            .delete_objects()
            .bucket(&self.bucket)
            .delete(parts)
            .send()
            .await
            .map_err(|e| port_error(action, e))?;
        match removed.errors().first() {
            None => Ok(()),
            Some(error) => {
                let code = error.code().unwrap_or("unnamed error").to_owned();
                Err(PortError::transient(action, code))
            }
        }
    }
}

#[async_trait]
impl Spool for S3Spool {
    async fn put(&self, job: &JobId, part: u64, bytes: Bytes) -> PortResult<()> {
        self.put_object("write spool", key_of(job, part), bytes)
            .await
    }

    async fn put_marks(&self, job: &JobId, batch: u64, bytes: Bytes) -> PortResult<()> {
        self.put_object("write marks", marks_key(job, batch), bytes)
            .await
    }

    async fn marks(&self, job: &JobId, batch: u64) -> PortResult<Option<Bytes>> {
        let key = marks_key(job, batch);
        persist(|| self.marks_once(&key)).await
    }

    async fn read(&self, job: &JobId, part: u64, range: Range<u64>) -> PortResult<Option<Bytes>> {
        if range.is_empty() {
            return Ok(Some(Bytes::new()));
        }
        let key = key_of(job, part);
        persist(|| self.read_once(&key, &range)).await
    }

    /// What is removed is no longer listed, so each listing begins anew.
    async fn clear(&self, job: &JobId) -> PortResult<()> {
        let prefix = format!("spool/{job}/");
        for _ in 0..LISTINGS_MAX {
            let keys = self.list(&prefix).await?;
            if keys.is_empty() {
                return Ok(());
            }
            self.remove(keys).await?;
        }
        Err(PortError::transient("clear spool", "there are parts left"))
    }
}

fn marks_key(job: &JobId, batch: u64) -> String {
    format!("spool/{job}/marks-{batch:09}")
}

fn key_of(job: &JobId, part: u64) -> String {
    format!("spool/{job}/part-{part:09}")
}
