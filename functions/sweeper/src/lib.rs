//! The sweeper: once a minute, it looks at every open job and wakes those that nobody looks after.
//!
//! Everything is the core's [`Sweeper`]. Nothing here knows of the Lambda runtime, so that a test can
//! call [`handle`].

use std::sync::Arc;

use batchfleet_aws::{Adapters, Clients, Settings, SystemClock};
use batchfleet_core::error::chain;
use batchfleet_core::sweep::Sweeper;
use serde_json::{Value, json};

/// What is made once per cold start.
pub struct Context {
    /// The use case.
    pub sweeper: Sweeper,
}

/// A sweep that did not look at every job: Lambda counts it as an error, and the next one does.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The open jobs could not be listed.
    #[error("the open jobs could not be listed")]
    List(#[from] batchfleet_core::PortError),
    /// Some could not be looked at; the log has each one's reason.
    #[error("{failed} of {open} open jobs could not be looked at")]
    Jobs {
        /// How many could not.
        failed: u32,
        /// How many are open.
        open: u32,
    },
}

impl Context {
    /// The context over AWS.
    #[must_use]
    pub fn new(clients: Clients, settings: &Settings) -> Self {
        let adapters = Adapters::new(clients, settings);
        Self {
            sweeper: Sweeper {
                store: adapters.store,
                queue: adapters.queue,
                clock: Arc::new(SystemClock),
            },
        }
    }
}

/// Sweeps once, and answers what it found.
///
/// # Errors
/// [`Failure`] where a job could not be looked at.
pub async fn handle(context: &Context) -> Result<Value, Failure> {
    let swept = context
        .sweeper
        .sweep()
        .await
        .inspect_err(|error| tracing::error!(error = %chain(error), "sweeping failed"))?;
    tracing::info!(
        open = swept.open,
        woken = swept.woken,
        failed = swept.failed,
        "swept"
    );
    if swept.failed > 0 {
        let (failed, open) = (swept.failed, swept.open + swept.failed);
        return Err(Failure::Jobs { failed, open });
    }
    Ok(json!({ "open": swept.open, "woken": swept.woken }))
}
