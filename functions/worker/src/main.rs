//! The worker's binary: logs, settings and clients, once per cold start; then the handler.

use batchfleet_aws::start;
use batchfleet_worker::{Context, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let (clients, settings) = start().await?;
    let context = Context::new(clients, settings);
    let context = &context;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        handle(event.payload, event.context.deadline, context)
            .await
            .map_err(Error::from)
    }))
    .await
}
