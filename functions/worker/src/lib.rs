//! The worker: from a message of the work queue to completed batches, and to the job's report.
//!
//! It decodes what comes in and says what failed; everything else is the core's [`Worker`]. Nothing
//! here knows of the Lambda runtime, so that a test can call [`handle`].

use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use batchfleet_aws::dynamo::Metering;
use batchfleet_aws::{Adapters, Clients, Settings, SystemClock, SystemIds};
use batchfleet_core::error::chain;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{Clock, Unobserved};
use batchfleet_core::work::{Pace, PlanCache, Worked, Worker};
use serde_json::Value;

/// What is made once per cold start.
pub struct Context {
    /// The use case.
    pub worker: Worker,
    /// The time limit, for when an event's deadline cannot be right.
    pub settings: Settings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Capacity units, where they are counted.
    pub metering: Arc<Metering>,
}

/// An event that is no delivery of messages.
#[derive(Debug, thiserror::Error)]
#[error("the event does not come from SQS")]
pub struct NoMessages;

impl Context {
    /// The context over AWS.
    #[must_use]
    pub fn new(clients: Clients, settings: Settings) -> Self {
        let adapters = Adapters::new(clients, &settings);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self {
            metering: adapters.store.metering(),
            worker: Worker {
                store: adapters.store,
                source: adapters.source,
                spool: adapters.spool,
                results: adapters.results,
                sinks: adapters.sinks,
                lookups: adapters.lookups,
                queue: adapters.queue,
                clock: Arc::clone(&clock),
                ids: Arc::new(SystemIds),
                observer: Arc::new(Unobserved),
                pace: Pace::default(),
                plans: PlanCache::default(),
            },
            settings,
            clock,
        }
    }
}

/// Handles one invocation. `announced_deadline_ms` is what the runtime says, in milliseconds since
/// 1970. A message that fails is named in the answer: it comes again, and after its last delivery
/// goes to the dead letters.
///
/// # Errors
/// [`NoMessages`] where the event is none of SQS's.
pub async fn handle(
    mut event: Value,
    announced_deadline_ms: u64,
    context: &Context,
) -> Result<SqsBatchResponse, NoMessages> {
    let deadline_ms = context
        .settings
        .deadline_ms(announced_deadline_ms, context.clock.now_ms());
    let Some(Value::Array(records)) = event.get_mut("Records").map(Value::take) else {
        return Err(NoMessages);
    };
    let mut response = SqsBatchResponse::default();
    for record in records {
        // A record that does not read has no id and no body. Naming an empty id makes Lambda repeat
        // the batch, which is right.
        let message: SqsMessage = serde_json::from_value(record).unwrap_or_default();
        let id = message.message_id.unwrap_or_default();
        if !work(&id, &message.body.unwrap_or_default(), deadline_ms, context).await {
            response.add_failure(id);
        }
    }
    if let Some(units) = context.metering.take() {
        units.log();
    }
    Ok(response)
}

/// Whether the message needs no further delivery.
async fn work(id: &str, body: &str, deadline_ms: u64, context: &Context) -> bool {
    let message = match Message::decode(body) {
        Ok(message) => message,
        Err(error) => {
            // Without its cause, which could quote the body.
            tracing::error!(message_id = id, error = %error, "the message does not read");
            return false;
        }
    };
    match context.worker.work(&message, Some(deadline_ms)).await {
        Ok(Worked::NotForWorkers) => {
            tracing::error!(message_id = id, "the message is for the orchestrator");
            false
        }
        Ok(worked) => {
            tracing::info!(message_id = id, outcome = ?worked, "handled");
            true
        }
        Err(error) => {
            let retryable = error.is_retryable();
            tracing::error!(message_id = id, retryable, error = %chain(&error), "working failed");
            false
        }
    }
}
