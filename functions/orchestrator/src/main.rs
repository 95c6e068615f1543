//! The orchestrator's binary: logs, settings and clients, once per cold start; then the handler.

use batchfleet_aws::{Clients, Settings};
use batchfleet_orchestrator::{Context, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Error> {
    // CloudWatch has a time of its own for every line, and shows no colours.
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_ansi(false)
        .without_time()
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    let settings = Settings::from_env(|name| std::env::var(name).ok())
        .inspect_err(|faults| tracing::error!(error = %faults, "cannot start"))?;
    let context = Context::new(Clients::from_environment().await, settings);
    let context = &context;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        handle(event.payload, event.context.deadline, context)
            .await
            .map_err(Error::from)
    }))
    .await
}
