//! Writes one object out of many, in bounded memory: their bodies are streamed into a buffer, and
//! every full buffer becomes a part of a multipart upload. A reader sees nothing until it is whole.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use batchfleet_core::{PortError, PortResult};
use bytes::{Bytes, BytesMut};

use crate::errors::port_error;

const ACTION: &str = "join results";

/// The size of a part. S3 takes 5 MiB to 5 GiB, and 10,000 parts: 80 GB in all.
const PART_BYTES: usize = 8 << 20;

/// S3's limit on parts.
const PARTS_MAX: i32 = 10_000;

/// Named throughout: the completion must repeat every part's checksum in the upload's own kind.
const CHECKSUM: ChecksumAlgorithm = ChecksumAlgorithm::Crc32;

/// An object being joined.
pub(super) struct Joiner<'a> {
    client: &'a Client,
    bucket: &'a str,
    key: String,
    content_type: &'static str,
    buffer: BytesMut,
    /// Begun with the first full buffer.
    upload: Option<String>,
    parts: Vec<CompletedPart>,
}

impl<'a> Joiner<'a> {
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
            buffer: BytesMut::new(),
            upload: None,
            parts: Vec::new(),
        }
    }

    /// Appends bytes.
    pub(super) async fn push(&mut self, mut bytes: Bytes) -> PortResult<()> {
        while !bytes.is_empty() {
            let room = PART_BYTES - self.buffer.len();
            self.buffer
                .extend_from_slice(&bytes.split_to(room.min(bytes.len())));
            if self.buffer.len() == PART_BYTES {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    /// Appends the content of an object of the same bucket.
    pub(super) async fn append(&mut self, key: &str) -> PortResult<()> {
        let call = self.client.get_object().bucket(self.bucket).key(key);
        let output = call.send().await.map_err(|e| port_error(ACTION, e))?;
        let expected = output
            .content_length()
            .and_then(|length| u64::try_from(length).ok());
        let mut body = output.body;
        let mut received = 0;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|e| PortError::transient(ACTION, e))?;
            received += chunk.len() as u64;
            self.push(chunk).await?;
        }
        if expected != Some(received) {
            return Err(PortError::transient(ACTION, "a part's body ended early"));
        }
        Ok(())
    }

    /// Makes the object appear.
    pub(super) async fn finish(&mut self) -> PortResult<()> {
        if self.upload.is_none() {
            return self.put_whole().await;
        }
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(std::mem::take(&mut self.parts)))
            .build();
        self.client
            .complete_multipart_upload()
            .bucket(self.bucket)
            .key(&self.key)
            .set_upload_id(self.upload.clone())
            .multipart_upload(parts)
            .send()
            .await
            .map_err(|e| port_error(ACTION, e))?;
        Ok(())
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
            tracing::warn!(error = %crate::chain(&error), "an unfinished upload is left behind");
        }
    }

    async fn put_whole(&mut self) -> PortResult<()> {
        self.client
            .put_object()
            .bucket(self.bucket)
            .key(&self.key)
            .content_type(self.content_type)
            .body(ByteStream::from(self.buffer.split().freeze()))
            .send()
            .await
            .map_err(|e| port_error(ACTION, e))?;
        Ok(())
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
                "the joined object would exceed 80 GB",
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
