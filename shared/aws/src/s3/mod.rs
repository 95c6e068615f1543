//! S3: the uploaded objects, the definitions beside them, and what jobs produce.

mod assembly;
mod definitions;
mod results;
mod source;
mod spool;
mod upload;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use batchfleet_core::{PortError, PortResult};
use bytes::Bytes;

use crate::backoff::Backoff;
use crate::system::{SystemClock, SystemIds};

pub use self::definitions::S3Definitions;
pub use self::results::S3Results;
pub use self::source::S3Source;
pub use self::spool::S3Spool;
pub use self::upload::upload_file;

/// What an S3 error's code and status say about the object that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absence {
    /// There is no such key or version, or it is a delete marker.
    Missing,
    /// It is there, but not the one that the request's condition names.
    Different,
}

/// Reads absence off an error; `None` for any other failure.
fn absence<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<Absence> {
    let SdkError::ServiceError(context) = error else {
        return None;
    };
    // A HEAD's answer has no body, hence no code: the status must do.
    match (context.raw().status().as_u16(), context.err().code()) {
        (404, Some("NoSuchBucket")) => None,
        (404, _) | (405, Some("MethodNotAllowed")) => Some(Absence::Missing),
        (412, _) => Some(Absence::Different),
        _ => None,
    }
}

/// Makes a whole call again, a few times, when it fails for now: the SDK's own retries end with the
/// headers, and a body may break off after them.
async fn persist<T, F>(mut call: impl FnMut() -> F) -> PortResult<T>
where
    F: Future<Output = PortResult<T>>,
{
    let mut backoff = Backoff::new(&SystemClock, &SystemIds);
    loop {
        match call().await {
            Err(error) if error.is_retryable() => {
                if !backoff.wait().await {
                    return Err(error);
                }
            }
            done => return done,
        }
    }
}

/// Reads a whole body.
async fn collect(action: &'static str, body: ByteStream) -> PortResult<Bytes> {
    let collected = body
        .collect()
        .await
        .map_err(|e| PortError::transient(action, e))?;
    Ok(collected.into_bytes())
}
