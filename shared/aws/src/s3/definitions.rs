//! Finds definitions by name in the upload bucket.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use batchfleet_core::PortResult;
use batchfleet_core::ports::{Definitions, FoundDefinition};

use super::{Absence, absence, collect, persist};
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

    async fn read_once(&self, key: &str) -> PortResult<FoundDefinition> {
        let sent = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        let output = match sent {
            Ok(output) => output,
            Err(error) if absence(&error) == Some(Absence::Missing) => {
                return Ok(FoundDefinition::Missing);
            }
            Err(error) => return Err(port_error(ACTION, error)),
        };
        let length = output.content_length().unwrap_or_default();
        if usize::try_from(length).is_ok_and(|length| length > DEFINITION_BYTES_MAX) {
            return Ok(FoundDefinition::Unusable("it is larger than 256 KiB"));
        }
        let bytes = collect(ACTION, output.body).await?;
        Ok(match String::from_utf8(bytes.into()) {
            Ok(text) => FoundDefinition::Text(text),
            Err(_) => FoundDefinition::Unusable("it is not UTF-8"),
        })
    }
}

#[async_trait]
impl Definitions for S3Definitions {
    /// `definitions/NAME.yaml`, else `.yml`, else `.json`.
    async fn definition(&self, name: &str) -> PortResult<FoundDefinition> {
        for extension in ["yaml", "yml", "json"] {
            let key = format!("definitions/{name}.{extension}");
            let found = persist(|| self.read_once(&key)).await?;
            if found != FoundDefinition::Missing {
                return Ok(found);
            }
        }
        Ok(FoundDefinition::Missing)
    }
}
