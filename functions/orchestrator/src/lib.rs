//! The orchestrator: from an S3 event, or a message of the prepare queue, to a planned job.
//!
//! It decodes what comes in and says what failed; everything else is the core's
//! [`Preparer`]. Nothing here knows of the Lambda runtime, so that a test can call [`handle`].

use std::sync::Arc;

use aws_lambda_events::sqs::SqsBatchResponse;
use batchfleet_aws::dynamo::Metering;
use batchfleet_aws::{Adapters, Clients, Settings, SystemClock, SystemIds};
use batchfleet_core::error::chain;
use batchfleet_core::message::Message;
use batchfleet_core::ports::Clock;
use batchfleet_core::prepare::{Preparer, S3_WINDOW_BYTES};
use batchfleet_core::source::SourceRef;
use batchfleet_spills::FileSpills;
use serde_json::{Value, json};

pub use batchfleet_aws::event::{Delivery, Event, EventError, Upload};

/// What is made once per cold start.
pub struct Context {
    /// The use case.
    pub preparer: Preparer,
    /// The time limit, for when an event's deadline cannot be right.
    pub settings: Settings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Capacity units, where they are counted.
    pub metering: Arc<Metering>,
}

/// An invocation that Lambda is to repeat.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The event is of no kind that this function serves.
    #[error("the event is not served here")]
    Event(#[from] EventError),
    /// Some uploads failed; the log has each one's reason.
    #[error("{failed} of {records} uploads failed")]
    Uploads {
        /// How many failed.
        failed: usize,
        /// How many the event had.
        records: usize,
    },
}

impl Context {
    /// The context over AWS.
    #[must_use]
    pub fn new(clients: Clients, settings: Settings) -> Self {
        let adapters = Adapters::new(clients, &settings);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self {
            metering: adapters.store.metering(),
            preparer: Preparer {
                store: adapters.store,
                source: adapters.source,
                spool: adapters.spool,
                definitions: adapters.definitions,
                results: adapters.results,
                queue: adapters.queue,
                clock: Arc::clone(&clock),
                ids: Arc::new(SystemIds),
                policy: settings.policy(),
                batch_records: None,
                window_bytes: S3_WINDOW_BYTES,
                // The one folder that a function may write to.
                spills: Arc::new(FileSpills::new("/tmp")),
                unique_memory_bytes: settings.unique_memory_bytes,
            },
            settings,
            clock,
        }
    }
}

/// Handles one invocation. `announced_deadline_ms` is what the runtime says, in milliseconds since
/// 1970.
///
/// # Errors
/// [`Failure`] where Lambda is to repeat the whole event. Messages of a queue that failed are named
/// in the answer instead, and only they come again.
pub async fn handle(
    event: Value,
    announced_deadline_ms: u64,
    context: &Context,
) -> Result<Value, Failure> {
    let deadline_ms = context
        .settings
        .deadline_ms(announced_deadline_ms, context.clock.now_ms());
    let answer = match Event::decode(event)? {
        Event::Test => {
            tracing::info!("a notification was set up: S3 sent its test event");
            Ok(json!({}))
        }
        Event::Uploads(uploads) => prepare_uploads(uploads, deadline_ms, context).await,
        Event::Messages(deliveries) => prepare_messages(deliveries, deadline_ms, context).await,
    };
    if let Some(units) = context.metering.take() {
        units.log();
    }
    answer
}

/// Each record by itself: one that fails keeps none of the others from being tried. Lambda then
/// repeats the event, and what was done is found done.
async fn prepare_uploads(
    uploads: Vec<Result<Upload, EventError>>,
    deadline_ms: u64,
    context: &Context,
) -> Result<Value, Failure> {
    let records = uploads.len();
    let mut failed = 0;
    for upload in uploads {
        let done = match upload {
            Ok(Upload::Created(source)) => prepare(&source, deadline_ms, context).await,
            Ok(Upload::Other(name)) => {
                tracing::info!(event = name, "ignored: nothing was uploaded");
                true
            }
            Err(error) => {
                tracing::error!(error = %chain(&error), "an upload's record does not read");
                false
            }
        };
        failed += usize::from(!done);
    }
    if failed == 0 {
        Ok(json!({}))
    } else {
        Err(Failure::Uploads { failed, records })
    }
}

/// A message that fails is named in the answer: it comes again, and after its last delivery goes to
/// the dead letters.
async fn prepare_messages(
    deliveries: Vec<Delivery>,
    deadline_ms: u64,
    context: &Context,
) -> Result<Value, Failure> {
    let mut response = SqsBatchResponse::default();
    for delivery in deliveries {
        let done = match Message::decode(&delivery.body) {
            Ok(Message::Prepare { source }) => prepare(&source, deadline_ms, context).await,
            Ok(Message::Work { .. } | Message::Watch { .. }) => {
                tracing::error!(message_id = delivery.id, "the message is for workers");
                false
            }
            Err(error) => {
                tracing::error!(message_id = delivery.id, error = %error, "the message does not read");
                false
            }
        };
        if !done {
            response.add_failure(delivery.id);
        }
    }
    Ok(json!(response))
}

/// Whether the source needs no further try by this event or message.
async fn prepare(source: &SourceRef, deadline_ms: u64, context: &Context) -> bool {
    // Only forged events and messages name another, or a notification that somebody set up there.
    if source.bucket != context.settings.upload_bucket {
        let (bucket, key) = (&source.bucket, &source.key);
        tracing::error!(
            bucket,
            key,
            "refused: the object is not in the upload bucket"
        );
        return false;
    }
    match context.preparer.prepare(source, Some(deadline_ms)).await {
        Ok(prepared) => {
            tracing::info!(key = source.key, outcome = ?prepared, "handled");
            true
        }
        Err(error) => {
            let retryable = error.is_retryable();
            tracing::error!(key = source.key, retryable, error = %chain(&error), "preparing failed");
            false
        }
    }
}
