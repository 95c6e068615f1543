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
    /// Print how a file would be read, and why: its encoding, delimiter, quotes, header, columns.
    ///
    /// It looks at the first MiB, unpacked where the file is gzip or zstd. In --json, `escape` is what
    /// makes a quote data within quotes: the quote itself where a doubled quote does, a backslash, or
    /// null where there are no quotes. `line_end` is "\n", "\r\n", "\r" or "mixed".
    Detect(DetectArgs),
    /// Print a definition for a file: names, types, formats, what is required and unique, with comments
    /// that say on what evidence.
    ///
    /// What it prints accepts that very file: it is checked against it first. Rows that no definition can
    /// accept are said on stderr. Exits with 1 where the definition could not be shown to accept the file.
    Infer(InferArgs),
    /// Upload a file to a deployed stack, follow its job, and print the summary.
    #[cfg(feature = "aws")]
    Upload(UploadArgs),
    /// List the jobs, the newest last; of a deployed stack, those that are not over.
    Jobs(JobsArgs),
    /// Print where a job stands: rows, rate, batches, leases.
    ///
    /// Exits with 0 while the job is open or when it completed, with 1 when it failed or was aborted.
    Status(JobArgs),
    /// Follow a job to its end, and print its summary.
    Watch(WatchArgs),
    /// Stop claiming; what is done stays done, and nothing is lost.
    Pause(JobArgs),
    /// Let a paused job go on.
    Resume(JobArgs),
    /// End a job for good, and print the summary of what was done.
    Abort(JobArgs),
    /// Work again on what an ended job left undone, as a new attempt with counts of its own.
    ///
    /// Rows that any attempt delivered are not delivered again. In a folder it runs here, like run; of a
    /// deployed stack, the functions do it, and this prints the new job's id.
    Redrive(RedriveArgs),
    /// Print the rejected rows, as CSV or as JSON Lines; of an open job, those so far.
    Rejects(RejectsArgs),
    /// Say in one sentence why a job does not move, or that it does.
    Explain(JobArgs),
    /// List the messages of a deployed stack that were given up, or put them back.
    ///
    /// Exits with 1 where some could not be put back.
    #[cfg(feature = "aws")]
    Dlq(DlqArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    /// The CSV file.
    pub(crate) file: PathBuf,
    /// What a good row is (YAML or JSON). Without it every column is a string.
    #[arg(long, value_name = "DEF.yaml")]
    pub(crate) definition: Option<PathBuf>,
    /// Where the results and the state of the job are kept.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_OUT)]
    pub(crate) out: PathBuf,
    /// Workers at once [default: two more than cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: Option<u16>,
    /// Records in a batch at most [default: the definition's, else 10000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) batch_records: Option<u32>,
    /// Import again what was imported already, as a new attempt with counts of its own.
    #[arg(long)]
    pub(crate) again: bool,
    /// Print one JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DetectArgs {
    /// The file.
    pub(crate) file: PathBuf,
    /// Print one JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct InferArgs {
    /// The file, or - for stdin.
    pub(crate) file: PathBuf,
    /// Look at the first N rows alone. What is inferred then says less, and may not accept the others.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rows: Option<u64>,
    /// Look at every row; this goes without saying.
    #[arg(long, conflicts_with = "rows")]
    pub(crate) all: bool,
}

/// The folder of local jobs, unless another is named.
pub(crate) const DEFAULT_OUT: &str = "batchfleet-out";

/// Where jobs are: a local folder, or a deployed stack.
#[derive(Debug, ClapArgs)]
pub(crate) struct SiteArgs {
    /// The folder of local jobs [default: batchfleet-out].
    #[arg(long, value_name = "DIR")]
    #[cfg_attr(feature = "aws", arg(conflicts_with_all = ["stack", "table"]))]
    pub(crate) out: Option<PathBuf>,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) stack: StackArgs,
}

#[cfg(feature = "aws")]
impl SiteArgs {
    /// Whether they name a deployed stack.
    pub(crate) fn is_stack(&self) -> bool {
        self.out.is_none() && crate::stack::is_named(&self.stack)
    }
}

/// A deployed stack. The variables are read by `stack`, which knows what goes before what.
#[cfg(feature = "aws")]
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "A deployed stack (--out DIR means a folder instead)")]
pub(crate) struct StackArgs {
    /// Its name [env: `BATCHFLEET_STACK`]. What it consists of is read from its table's tags.
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// Its output `TableName`, where it is not to be looked up [env: `BATCHFLEET_TABLE`].
    #[arg(long, value_name = "TABLE")]
    pub(crate) table: Option<String>,
    /// Its output `ResultsBucket`, likewise [env: `BATCHFLEET_RESULTS_BUCKET`].
    #[arg(long, value_name = "BUCKET")]
    pub(crate) results_bucket: Option<String>,
    /// Its region [default: what the AWS configuration says].
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobsArgs {
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    /// Print one JSON array on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobArgs {
    /// The job's id, or at least the first 6 characters of it.
    pub(crate) job: String,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    /// Print one JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    /// Print the status and leave after this many seconds; the job goes on.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout_seconds: Option<u64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RedriveArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    /// The rejected records, not the batches that were given up or never worked.
    #[arg(long)]
    pub(crate) rejected: bool,
    /// What a good row is now, in a folder of jobs [default: as in the attempt before]. A stack takes
    /// the definition that has the name now.
    #[arg(long, value_name = "DEF.yaml")]
    pub(crate) definition: Option<PathBuf>,
    /// The stack's output `PrepareQueueUrl`, likewise [env: `BATCHFLEET_PREPARE_QUEUE_URL`].
    #[cfg(feature = "aws")]
    #[arg(
        long,
        value_name = "URL",
        help_heading = "A deployed stack (--out DIR means a folder instead)"
    )]
    pub(crate) prepare_queue_url: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RejectsArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    /// As CSV, to be mended and imported again, or as JSON Lines, one object with its errors a row.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = RejectsFormat::Csv)]
    pub(crate) format: RejectsFormat,
    /// Write the rows to this file, not to stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
}

/// How rejected rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RejectsFormat {
    Csv,
    Jsonl,
}

#[cfg(feature = "aws")]
#[derive(Debug, ClapArgs)]
pub(crate) struct UploadArgs {
    /// The CSV file.
    pub(crate) file: PathBuf,
    /// The name of the definition: the file is put under incoming/NAME/.
    #[arg(long, value_name = "NAME")]
    pub(crate) definition: String,
    /// The stack's output `UploadBucket` [env: `BATCHFLEET_UPLOAD_BUCKET`].
    #[arg(long, value_name = "BUCKET")]
    pub(crate) upload_bucket: Option<String>,
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// Give up following after this many seconds; the job goes on.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    pub(crate) timeout_seconds: u64,
    /// Print one JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "aws")]
#[derive(Debug, ClapArgs)]
pub(crate) struct DlqArgs {
    /// Left out, nothing is changed.
    pub(crate) action: Option<DlqAction>,
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// Print one JSON object on stdout and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "aws")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DlqAction {
    /// Put the messages back to where they were.
    Drain,
}
