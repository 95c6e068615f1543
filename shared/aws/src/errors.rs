//! From an SDK's error to a port's, once and for all services: what may succeed when tried again
//! is [`PortError::Transient`], or [`PortError::Throttled`] where fewer calls would help; everything
//! else is [`PortError::Refused`].
//!
//! It knows codes and statuses, not operations: an adapter first picks out the errors that mean
//! something to it (an unmet condition, a missing key) and hands the rest here.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use batchfleet_core::PortError;

/// Codes of a service that has too much to do.
const THROTTLED_CODES: [&str; 10] = [
    "BandwidthLimitExceeded",
    "KmsThrottled",
    "OverLimit",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Codes that ask for patience whatever status they come with.
const TRANSIENT_CODES: [&str; 8] = [
    "ConditionalRequestConflict",
    "InternalError",
    "OperationAborted",
    "PriorRequestNotComplete",
    "ReplicatedWriteConflictException",
    "RequestTimeout",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// What a service answered, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{code} (status {status}): {message}")]
struct ServiceFault {
    code: String,
    status: u16,
    message: String,
}

/// Maps an SDK's error.
pub(crate) fn port_error<E>(action: &'static str, error: SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let fault = ServiceFault {
                code: context.err().code().unwrap_or("unnamed error").to_owned(),
                status: context.raw().status().as_u16(),
                message: context.err().message().unwrap_or("no message").to_owned(),
            };
            if is_throttled(&fault.code, fault.status) {
                PortError::throttled(action, fault)
            } else if is_transient(&fault.code, fault.status) {
                PortError::transient(action, fault)
            } else {
                PortError::refused(action, fault)
            }
        }
        // The request could not even be built: a setting is wrong, or credentials are missing.
        SdkError::ConstructionFailure(_) => PortError::refused(action, error),
        SdkError::DispatchFailure(ref failure) if failure.is_user() => {
            PortError::refused(action, error)
        }
        // No connection, a timeout, an answer that is no answer. The type may grow; what it grows
        // is tried again, a bounded number of times.
        _ => PortError::transient(action, error),
    }
}

/// Whether a service's answer asks for another try.
pub(crate) fn is_transient(code: &str, status: u16) -> bool {
    let asks = status >= 500 || status == 408 || TRANSIENT_CODES.contains(&code);
    asks || is_throttled(code, status)
}

/// Whether a service has too much to do.
fn is_throttled(code: &str, status: u16) -> bool {
    status == 429 || THROTTLED_CODES.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_asked_for_by_code_or_status() {
        assert!(is_transient("ProvisionedThroughputExceededException", 400));
        assert!(is_transient("ThrottlingException", 400));
        assert!(is_transient("SlowDown", 503));
        assert!(is_transient("anything", 500));
        assert!(is_throttled("SlowDown", 503));
        assert!(is_throttled("anything", 429));
        assert!(!is_throttled("InternalError", 500));
        for (code, status) in [
            ("AccessDeniedException", 400),
            ("ValidationException", 400),
            ("AccessDenied", 403),
        ] {
            assert!(!is_transient(code, status), "{code}");
        }
    }
}
