//! The start of every function, once per cold start: logs, settings, clients.

use tracing_subscriber::EnvFilter;

use crate::settings::SettingsFaults;
use crate::{Clients, Settings};

/// Begins to log JSON lines to stdout, by the filter in `RUST_LOG` (default `info`), and reads the
/// settings from the environment.
///
/// # Errors
/// Every fault of the settings, which is logged too.
pub async fn start() -> Result<(Clients, Settings), SettingsFaults> {
    // CloudWatch has a time of its own for every line, and shows no colours. The template's metric
    // filter for failed jobs relies on the message being a field of the line itself.
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
    Ok((Clients::from_environment().await, settings))
}
