//! Reads ranges of an uploaded object, of exactly the version that its job is pinned to (I5).

use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use batchfleet_core::ports::Source;
use batchfleet_core::source::SourceRef;
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

use super::{absence, collect, persist};
use crate::errors::port_error;

const ACTION: &str = "read source";

/// The uploaded objects.
#[derive(Clone, Debug)]
pub struct S3Source {
    client: Client,
}

impl S3Source {
    /// Over this client. The bucket is the source's own.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn read_once(&self, source: &SourceRef, range: &Range<u64>) -> PortResult<Bytes> {
        let call = self
            .client
            .get_object()
            .bucket(&source.bucket)
            .key(&source.key)
            .range(format!("bytes={}-{}", range.start, range.end - 1));
        let call = match &source.version {
            Some(version) => call.version_id(version),
            None if source.etag.is_empty() => {
                return Err(PortError::refused(
                    ACTION,
                    "the source has neither version nor etag",
                ));
            }
            None => call.if_match(format!("\"{}\"", source.etag)),
        };
        let output = call.send().await.map_err(classify)?;
        check_range(source, range, &output)?;
        let bytes = collect(ACTION, output.body).await?;
        if bytes.len() as u64 != range.end - range.start {
            return Err(PortError::transient(ACTION, "the body ended early"));
        }
        Ok(bytes)
    }
}

#[async_trait]
impl Source for S3Source {
    async fn read(&self, source: &SourceRef, range: Range<u64>) -> PortResult<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        persist(|| self.read_once(source, &range)).await
    }
}

fn classify(error: SdkError<GetObjectError>) -> PortError {
    let shorter = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code);
    if absence(&error).is_some() || shorter == Some("InvalidRange") {
        PortError::SourceChanged
    } else {
        port_error(ACTION, error)
    }
}

/// Checks that the answer is the range that was asked for, of an object of the size that the job
/// knows.
fn check_range(source: &SourceRef, range: &Range<u64>, output: &GetObjectOutput) -> PortResult<()> {
    let Some((answered, size)) = output.content_range().and_then(parse_content_range) else {
        return Err(PortError::refused(ACTION, "the answer names no range"));
    };
    if size != source.size {
        return Err(PortError::SourceChanged);
    }
    if answered != *range {
        return Err(PortError::refused(ACTION, "the answer is another range"));
    }
    Ok(())
}

/// Reads `bytes FIRST-LAST/SIZE`.
fn parse_content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let end = last.parse::<u64>().ok()?.checked_add(1)?;
    Some((first.parse().ok()?..end, size.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_read() {
        assert_eq!(parse_content_range("bytes 0-9/100"), Some((0..10, 100)));
        for bad in [
            "",
            "bytes */100",
            "bytes 0-9/*",
            "bytes 0-9",
            "items 0-9/100",
        ] {
            assert_eq!(parse_content_range(bad), None, "{bad}");
        }
    }
}
