//! The `batchfleet` command. Only this crate prints, and of it only `terminal`.
//!
//! Exit codes: 0 the job completed, with rejects or not, or is open; 1 it failed, was aborted, or the
//! command could not go on; 2 bad usage, no such job, a bad definition or an unreadable file. Of a
//! check: 0 all is good; 1 it is not, or the file can't be read.

mod args;
mod check;
mod cost;
mod definition;
mod destination;
mod detect;
#[cfg(feature = "aws")]
mod dlq;
mod explain;
mod follow;
mod infer;
mod look;
mod memory;
mod outcome;
mod progress;
mod redrive;
mod rejects;
mod run;
mod site;
#[cfg(feature = "aws")]
mod stack;
mod status;
mod steer;
mod template;
mod terminal;
#[cfg(feature = "aws")]
mod upload;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::args::{Args, Command};
use crate::outcome::Failure;

fn main() -> ExitCode {
    memory::give_back_large_buffers();
    let args = Args::parse();
    // Logs are for those who ask: RUST_LOG=info shows what the use cases do.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let ended = match &args.command {
        Command::Run(options) => run::run(options),
        Command::Detect(options) => detect::detect(options),
        Command::Check(options) => check::check(options),
        Command::Template(options) => template::template(options),
        Command::Definition(options) => definition::definition(options),
        Command::Infer(options) => infer::infer(options),
        #[cfg(feature = "aws")]
        Command::Upload(options) => block_on(upload::upload(options)),
        Command::Jobs(options) => block_on(status::jobs(options)),
        Command::Status(options) => block_on(status::status(options)),
        Command::Watch(options) => block_on(follow::watch(options)),
        Command::Pause(options) => block_on(steer::pause(options)),
        Command::Resume(options) => block_on(steer::resume(options)),
        Command::Abort(options) => block_on(steer::abort(options)),
        Command::Redrive(options) => redrive::redrive(options),
        Command::Rejects(options) => block_on(rejects::rejects(options)),
        Command::Explain(options) => block_on(status::explain_job(options)),
        #[cfg(feature = "aws")]
        Command::Dlq(options) => block_on(dlq::dlq(options)),
    };
    match ended {
        Ok(code) => code,
        Err(Failure { message, code }) => {
            terminal::note!("batchfleet: {message}");
            ExitCode::from(code)
        }
    }
}

/// Runs a command that waits more than it computes.
pub(crate) fn block_on(
    command: impl Future<Output = Result<ExitCode, Failure>>,
) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::stopped(format!("cannot start threads: {error}")))?;
    runtime.block_on(command)
}
