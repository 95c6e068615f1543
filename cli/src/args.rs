//! What the command line takes.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Imports CSV files, whatever their size, and accounts for every row.
#[derive(Debug, Parser)]
#[command(name = "batchfleet", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Import a file in this process, with nothing to install.
    ///
    /// Killed at any moment and run again with the same --out, it goes on where it was; run again
    /// after it ended, it reports the ended job.
    Run(RunArgs),
    /// Upload a file to a deployed stack, follow its job, and print the summary.
    #[cfg(feature = "aws")]
    Upload(UploadArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    /// The CSV file.
    pub(crate) file: PathBuf,
    /// What a good row is (YAML or JSON). Without it every column is a string.
    #[arg(long, value_name = "DEF.yaml")]
    pub(crate) definition: Option<PathBuf>,
    /// Where the results and the state of the job are kept.
    #[arg(long, value_name = "DIR", default_value = "batchfleet-out")]
    pub(crate) out: PathBuf,
    /// Workers at once [default: two more than cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: Option<u16>,
    /// Records in a batch at most [default: the definition's, else 20000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) batch_records: Option<u32>,
    /// Import again what was imported already, as a new attempt with counts of its own.
    #[arg(long)]
    pub(crate) again: bool,
    /// Print one JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "aws")]
#[derive(Debug, ClapArgs)]
pub(crate) struct UploadArgs {
    /// The CSV file.
    pub(crate) file: PathBuf,
    /// The name of the definition: the file is put under incoming/NAME/.
    #[arg(long, value_name = "NAME")]
    pub(crate) definition: String,
    /// The upload bucket.
    #[arg(long, env = "BATCHFLEET_UPLOAD_BUCKET", value_name = "BUCKET")]
    pub(crate) upload_bucket: String,
    /// The results bucket.
    #[arg(long, env = "BATCHFLEET_RESULTS_BUCKET", value_name = "BUCKET")]
    pub(crate) results_bucket: String,
    /// The table.
    #[arg(long, env = "BATCHFLEET_TABLE", value_name = "TABLE")]
    pub(crate) table: String,
    /// Give up following after this many seconds; the job goes on.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    pub(crate) timeout_seconds: u64,
    /// Print one JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}
