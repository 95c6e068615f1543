//! The `batchfleet` command. Only this crate prints.
//!
//! Exit codes: 0 the job completed, with rejects or not; 1 it failed, was aborted, or the run could
//! not go on; 2 bad usage, a bad definition or an unreadable file.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what a command is for"
)]

mod args;
mod outcome;
mod progress;
mod run;
#[cfg(feature = "aws")]
mod upload;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::args::{Args, Command};
use crate::outcome::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    // Logs are for those who ask: RUST_LOG=info shows what the use cases do.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let ended = match args.command {
        Command::Run(options) => run::run(&options),
        #[cfg(feature = "aws")]
        Command::Upload(options) => upload::upload(&options),
    };
    match ended {
        Ok(code) => code,
        Err(Failure { message, code }) => {
            eprintln!("batchfleet: {message}");
            ExitCode::from(code)
        }
    }
}
