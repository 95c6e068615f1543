//! Writes one object piece by piece, in bounded memory: what is pushed fills a buffer, and every full
//! buffer becomes a part of a multipart upload; a small object is one plain put. A reader sees
//! nothing until it is whole.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use batchfleet_core::{PortError, PortResult};
use bytes::{Bytes, BytesMut};

use crate::errors::port_error;

const ACTION: &str = "write object";

/// The usual size of a part. S3 takes 5 MiB to 5 GiB, and 10,000 parts: 80 GB in all.
const PART_BYTES: usize = 8 << 20;

/// S3's limit on parts.
const PARTS_MAX: i32 = 10_000;

/// Named throughout: the completion must repeat every part's checksum in the upload's own kind.
const CHECKSUM: ChecksumAlgorithm = ChecksumAlgorithm::Crc32;

/// What S3 said of a written object.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) version: Option<String>,
    pub(super) etag: Option<String>,
}

/// An object being written.
pub(super) struct Assembly<'a> {
    client: &'a Client,
    bucket: &'a str,
    key: String,
    content_type: &'static str,
    part_bytes: usize,
    buffer: BytesMut,
    /// Begun with the first full buffer.
    upload: Option<String>,
    parts: Vec<CompletedPart>,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(
        client: &'a Client,
        bucket: &'a str,
        key: String,
        content_type: &'static str,
    ) -> Self {
        Self {
            client,
            bucket,
            key,
            content_type,
            part_bytes: PART_BYTES,
            buffer: BytesMut::new(),
            upload: None,
            parts: Vec::new(),
        }
    }

    /// Takes parts large enough for an object of this size.
    pub(super) fn sized(mut self, bytes: u64) -> Self {
        let needed = bytes.div_ceil(u64::from(PARTS_MAX.unsigned_abs()));
        self.part_bytes = PART_BYTES.max(usize::try_from(needed).unwrap_or(usize::MAX));
        self
    }

    /// Appends bytes.
    pub(super) async fn push(&mut self, mut bytes: Bytes) -> PortResult<()> {
        while !bytes.is_empty() {
            let room = self.part_bytes - self.buffer.len();
            self.buffer
                .extend_from_slice(&bytes.split_to(room.min(bytes.len())));
            if self.buffer.len() == self.part_bytes {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    /// Makes the object appear.
    pub(super) async fn finish(&mut self) -> PortResult<Written> {
        if self.upload.is_none() {
            return self.put_whole().await;
        }
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(std::mem::take(&mut self.parts)))
            .build();
        let output = self
            .client
            .complete_multipart_upload()
            .bucket(self.bucket)
            .key(&self.key)
            .set_upload_id(self.upload.clone())
            .multipart_upload(parts)
            .send()
            .await
            .map_err(|e| port_error(ACTION, e))?;
        Ok(Written {
            version: output.version_id,
            etag: output.e_tag,
        })
    }

    /// Gives up what was uploaded, as far as possible: the bucket's lifecycle rule removes the rest.
    pub(super) async fn abort(&mut self) {
        let Some(upload) = self.upload.take() else {
            return;
        };
        let call = self
            .client
            .abort_multipart_upload()
            .bucket(self.bucket)
            .key(&self.key);
        if let Err(error) = call.upload_id(upload).send().await {
            let error = port_error("abort upload", error);
            tracing::warn!(error = %batchfleet_core::error::chain(&error), "an unfinished upload is left behind");
        }
    }

    async fn put_whole(&mut self) -> PortResult<Written> {
        let output = self
            .client
            .put_object()
            .bucket(self.bucket)
            .key(&self.key)
            .content_type(self.content_type)
            .body(ByteStream::from(self.buffer.split().freeze()))
            .send()
            .await
            .map_err(|e| port_error(ACTION, e))?;
        Ok(Written {
            version: output.version_id,
            etag: output.e_tag,
        })
    }

    /// The upload, begun unless it is.
    async fn upload(&mut self) -> PortResult<String> {
        if let Some(upload) = &self.upload {
            return Ok(upload.clone());
        }
        let output = self
            .client
            .create_multipart_upload()
            .bucket(self.bucket)
            .key(&self.key)
            .content_type(self.content_type)
            .checksum_algorithm(CHECKSUM)
            .send()
            .await
            .map_err(|e| port_error(ACTION, e))?;
        let upload = output.upload_id.ok_or_else(|| {
            PortError::corrupt("the answer to a new upload", "it names no upload id")
        })?;
        self.upload = Some(upload.clone());
        Ok(upload)
    }

    async fn send_part(&mut self) -> PortResult<()> {
        let number = self
            .parts
            .last()
            .and_then(CompletedPart::part_number)
            .unwrap_or(0)
            + 1;
        if number > PARTS_MAX {
            return Err(PortError::refused(
                ACTION,
                "the object would have more than 10,000 parts",
            ));
        }
        let upload = self.upload().await?;
        let output = self
            .client
            .upload_part()
            .bucket(self.bucket)
            .key(&self.key)
            .upload_id(upload)
            .part_number(number)
            .checksum_algorithm(CHECKSUM)
            .body(ByteStream::from(self.buffer.split().freeze()))
            .send()
            .await
            .map_err(|e| port_error(ACTION, e))?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(output.e_tag)
            .set_checksum_crc32(output.checksum_crc32);
        self.parts.push(part.build());
        Ok(())
    }
}
