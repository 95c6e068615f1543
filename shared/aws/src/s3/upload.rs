//! Puts a local file into the upload bucket, whole or in parts by its size, without ever holding
//! more of it than one part.

use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use batchfleet_core::source::SourceRef;
use batchfleet_core::{PortError, PortResult};

use crate::errors::port_error;

/// Files up to this size go in one request.
const SINGLE_BYTES_MAX: u64 = 16 << 20;

/// S3 takes 10,000 parts at most; a larger file gets larger parts.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const PARTS_MAX: u64 = 10_000;

const ACTION: &str = "upload file";

/// Uploads `path` to `key`, and says what the event of it will name.
///
/// # Errors
/// [`PortError::Refused`] where the file can't be read, or the bucket keeps no versions: without
/// one, the job of the upload can't be told from others of the same key.
pub async fn upload_file(
    client: &Client,
    bucket: &str,
    key: &str,
    path: &Path,
) -> PortResult<SourceRef> {
    let size = std::fs::metadata(path)
        .map_err(|e| PortError::refused(ACTION, e))?
        .len();
    let (version, etag) = if size <= SINGLE_BYTES_MAX {
        let body = ByteStream::from_path(path)
            .await
            .map_err(|e| PortError::refused(ACTION, e))?;
        let sent = client
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type("text/csv")
            .body(body)
            .send();
        let put = sent.await.map_err(|e| port_error(ACTION, e))?;
        (put.version_id, put.e_tag)
    } else {
        in_parts(client, bucket, key, path, size).await?
    };
    let Some(version) = version else {
        return Err(PortError::refused(
            ACTION,
            format!("the bucket {bucket} keeps no versions"),
        ));
    };
    Ok(SourceRef {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        version: Some(version),
        etag: etag.unwrap_or_default().trim_matches('"').to_owned(),
        sequencer: None,
        size,
        attempt: 0,
    })
}

async fn in_parts(
    client: &Client,
    bucket: &str,
    key: &str,
    path: &Path,
    size: u64,
) -> PortResult<(Option<String>, Option<String>)> {
    let begun = client
        .create_multipart_upload()
        .bucket(bucket)
        .key(key)
        .content_type("text/csv")
        .send();
    let begun = begun.await.map_err(|e| port_error(ACTION, e))?;
    let id = begun.upload_id.unwrap_or_default();
    match send_parts(client, bucket, key, &id, path, size).await {
        Ok(parts) => {
            let parts = CompletedMultipartUpload::builder()
                .set_parts(Some(parts))
                .build();
            let sent = client
                .complete_multipart_upload()
                .bucket(bucket)
                .key(key)
                .upload_id(&id);
            let done = sent
                .multipart_upload(parts)
                .send()
                .await
                .map_err(|e| port_error(ACTION, e))?;
            Ok((done.version_id, done.e_tag))
        }
        Err(error) => {
            // Best effort: the bucket's lifecycle rule removes what is left.
            let _ = client
                .abort_multipart_upload()
                .bucket(bucket)
                .key(key)
                .upload_id(&id)
                .send()
                .await;
            Err(error)
        }
    }
}

async fn send_parts(
    client: &Client,
    bucket: &str,
    key: &str,
    id: &str,
    path: &Path,
    size: u64,
) -> PortResult<Vec<CompletedPart>> {
    let part_bytes = SINGLE_BYTES_MAX.max(size.div_ceil(PARTS_MAX));
    let mut parts = Vec::new();
    let mut offset = 0;
    while offset < size {
        let length = part_bytes.min(size - offset);
        let body = ByteStream::read_from()
            .path(path)
            .offset(offset)
            .length(Length::Exact(length));
        let body = body
            .build()
            .await
            .map_err(|e| PortError::refused(ACTION, e))?;
        let number = i32::try_from(parts.len() + 1).map_err(|e| PortError::refused(ACTION, e))?;
        let sent = client
            .upload_part()
            .bucket(bucket)
            .key(key)
            .upload_id(id)
            .part_number(number);
        let sent = sent
            .body(body)
            .send()
            .await
            .map_err(|e| port_error(ACTION, e))?;
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(sent.e_tag)
                .build(),
        );
        offset += length;
    }
    Ok(parts)
}
