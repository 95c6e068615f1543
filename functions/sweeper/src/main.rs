//! The sweeper's binary: logs, settings and clients, once per cold start; then the handler.

use batchfleet_aws::start;
use batchfleet_sweeper::{Context, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let (clients, settings) = start().await?;
    let context = Context::new(clients, &settings);
    let context = &context;
    // Whatever the schedule sends: there is only one thing to do.
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| async move {
        handle(context).await.map_err(Error::from)
    }))
    .await
}
