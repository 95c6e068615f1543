//! The start of every function, once per cold start: logs, settings, clients.

use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::SettingsFaults;
use crate::{Clients, Settings};

/// Begins to log JSON lines to stdout, by the filter in `RUST_LOG` (default `info`), and reads the
/// settings from the environment.
///
/// # Errors
/// Every fault of the settings, which is logged too.
pub async fn start() -> Result<(Clients, Settings), SettingsFaults> {
    let asked = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    logs(asked, std::io::stdout).init();
    let settings = Settings::from_env(|name| std::env::var(name).ok())
        .inspect_err(|faults| tracing::error!(error = %faults, "cannot start"))?;
    Ok((Clients::from_environment().await, settings))
}

/// Logs JSON lines to `writer`: those that `asked` lets through, and of other crates no details. What
/// the SDK logs as such are requests, with what is in them: record values (I8) and session tokens.
fn logs<W>(asked: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let is_discreet =
        filter_fn(|line| line.target().starts_with("batchfleet") || *line.level() <= Level::INFO);
    // CloudWatch has a time of its own for every line, and shows no colours. The template's metric
    // filter for failed jobs relies on the message being a field of the line itself.
    let lines = layer()
        .json()
        .flatten_event(true)
        .with_ansi(false)
        .without_time()
        .with_writer(writer);
    registry().with(lines.with_filter(asked.and(is_discreet)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `log` logs.
    fn logged(asked: &str, log: impl FnOnce()) -> Vec<String> {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = logs(EnvFilter::new(asked), move || writer.clone());
        tracing::subscriber::with_default(subscriber, log);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The metric behind an alarm counts lines by their message: nobody may write one of them with
    /// the name of a file.
    #[test]
    fn a_value_never_begins_a_line_and_never_reaches_a_terminal_raw() {
        let key = "incoming/people/x\r\n{\"message\":\"job failed\"}\n\u{1b}[2J\u{7}\0.csv";
        let lines = logged("info", || {
            tracing::info!(key, outcome = ?Some(key), error = %key, "handled");
        });
        let [line] = lines.as_slice() else {
            panic!("{lines:?}");
        };
        assert!(!line.contains(char::is_control), "{line:?}");
        let read: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&read["key"], &read["message"]),
            (&key.into(), &"handled".into())
        );
    }

    #[test]
    fn details_of_the_sdk_are_never_logged_whatever_is_asked_for() {
        for asked in [
            "trace",
            "aws_smithy_runtime=trace,hyper=debug,batchfleet_core=trace",
        ] {
            let lines = logged(asked, || {
                tracing::trace!(target: "aws_smithy_runtime::client", body = "planted", "request");
                tracing::debug!(target: "aws_sigv4::http_request", token = "planted", "signing");
                tracing::debug!(target: "hyper::proto", "planted");
                tracing::trace!(target: "batchfleet_core::work", "ours");
                tracing::warn!(target: "aws_config", "no region");
            });
            assert!(
                !lines.iter().any(|line| line.contains("planted")),
                "{lines:?}"
            );
            assert!(lines.iter().any(|line| line.contains("ours")), "{lines:?}");
        }
        let lines = logged("info", || tracing::warn!(target: "aws_config", "no region"));
        assert_eq!(lines.len(), 1, "what they have to say is logged: {lines:?}");
    }
}
