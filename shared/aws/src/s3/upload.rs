//! Puts a local file into the upload bucket, without ever holding more of it than one part.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use aws_sdk_s3::Client;
use batchfleet_core::source::SourceRef;
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

use super::assembly::{Assembly, Written};

const ACTION: &str = "upload file";

/// How much of the file is read at once.
const READ_BYTES: usize = 1 << 20;

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
    let unreadable = |error| PortError::refused(ACTION, error);
    let mut file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut object = Assembly::new(client, bucket, key.to_owned(), "text/csv").sized(size);
    let sent = send(&mut file, &mut object).await;
    if sent.is_err() {
        object.abort().await;
    }
    let written = sent?;
    let Some(version) = written.version else {
        let cause = format!("the bucket {bucket} keeps no versions");
        return Err(PortError::refused(ACTION, cause));
    };
    Ok(SourceRef {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        version: Some(version),
        etag: written
            .etag
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned(),
        sequencer: None,
        size,
        attempt: 0,
        redrive: None,
    })
}

async fn send(file: &mut File, object: &mut Assembly<'_>) -> PortResult<Written> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = file
            .read(&mut buffer)
            .map_err(|error| PortError::refused(ACTION, error))?;
        if read == 0 {
            return object.finish().await;
        }
        object.push(Bytes::copy_from_slice(&buffer[..read])).await?;
    }
}
