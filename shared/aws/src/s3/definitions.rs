//! Finds definitions by name in the upload bucket.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use batchfleet_core::ports::Definitions;
use batchfleet_core::{PortError, PortResult};

use super::{Absence, absence, collect};
use crate::errors::port_error;

const ACTION: &str = "read definition";

/// A definition is kept in one item of the table, which takes 400 KB; and no person writes more.
const DEFINITION_BYTES_MAX: usize = 256 << 10;

/// Definitions under `definitions/` of a bucket.
#[derive(Clone, Debug)]
pub struct S3Definitions {
    client: Client,
    bucket: String,
}

impl S3Definitions {
    /// Over this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }

    async fn read(&self, key: String) -> PortResult<Option<String>> {
        let sent = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        let output = match sent {
            Ok(output) => output,
            Err(error) if absence(&error) == Some(Absence::Missing) => return Ok(None),
            Err(error) => return Err(port_error(ACTION, error)),
        };
        let length = output.content_length().unwrap_or_default();
        if usize::try_from(length).is_ok_and(|length| length > DEFINITION_BYTES_MAX) {
            return Err(PortError::corrupt(
                "the definition",
                "it is larger than 256 KiB",
            ));
        }
        let bytes = collect(ACTION, output.body).await?;
        match String::from_utf8(bytes.into()) {
            Ok(text) => Ok(Some(text)),
            // The error's own text is of no use, and its bytes are none of the log's business.
            Err(_) => Err(PortError::corrupt("the definition", "it is not UTF-8")),
        }
    }
}

#[async_trait]
impl Definitions for S3Definitions {
    /// `definitions/NAME.yaml`, else `.yml`, else `.json`.
    async fn definition(&self, name: &str) -> PortResult<Option<String>> {
        for extension in ["yaml", "yml", "json"] {
            let found = self.read(format!("definitions/{name}.{extension}")).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}
