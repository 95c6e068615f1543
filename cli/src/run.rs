//! `batchfleet run`: the same preparer and workers as the Lambdas, in one process.
//!
//! The folder of `--out` holds the state of its jobs and their results. Whoever holds its lock is
//! the only process in it, so every lease found there belongs to a process that is gone.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use batchfleet_core::PortError;
use batchfleet_core::error::chain;
use batchfleet_core::ids::{JobId, hex_digest};
use batchfleet_core::job::{JobStatus, Policy};
use batchfleet_core::message::Message;
use batchfleet_core::ports::{Clock, Queue, Spool, Store};
use batchfleet_core::prepare::{Prepared, Preparer, UNIQUE_MEMORY_BYTES, next_attempt};
use batchfleet_core::report::Summary;
use batchfleet_core::source::{Redriven, SourceRef};
use batchfleet_core::work::{Pace, PlanCache, Worked, Worker};
use batchfleet_definition::Definition;
use batchfleet_local::{
    FileSource, FixedDefinitions, FolderLock, FolderResults, FolderSpool, LocalQueue, LockError,
    SqliteStore, SystemClock, SystemIds,
};
use batchfleet_spills::FileSpills;
use tokio::sync::mpsc;

use crate::args::{DEFAULT_OUT, RedriveArgs, RunArgs};
use crate::definition;
use crate::destination::{Tables, tables};
use crate::outcome::{Failure, report};
use crate::progress::{Progress, Tally};
use crate::site::{DATABASE, Site, command, read_summary};

/// Records in a batch where nobody says otherwise: larger than on AWS, since a local batch costs a
/// file of its own and no request is ever lost.
const BATCH_RECORDS: u32 = 10_000;

/// Bytes read at once: a disk gains nothing from more.
const WINDOW_BYTES: u64 = 1 << 20;

/// How often a run looks whether the report of its ended job is written.
const REPORT_LOOK_MS: u64 = 2;

/// How long a run leaves the report to whoever ended the job, before it writes it itself.
const REPORT_PATIENCE_MS: u64 = 10_000;

/// How often a run looks whether another command paused or ended its job.
const STEERING_LOOK_MS: u64 = 500;

/// How often a run tries to take its folder, and the time between two tries.
const LOCK_TRIES_MAX: u32 = 10;
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// The definition's name where none is given.
const OPEN_DEFINITION: &str = "none";

/// Runs the command.
pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let definition = read_definition(args.definition.as_deref())?;
    let source = FileSource::describe(&args.file).map_err(usage)?;
    let workers = args.workers.map_or_else(default_workers, usize::from);
    let runtime = runtime(workers)?;
    let tables = runtime.block_on(tables(&definition.parsed))?;
    let lock = lock(&args.out)?;
    let summary = runtime.block_on(async {
        let run = Run::open(&args.out, definition, tables, workers, args.batch_records)?;
        let source = run.choose_attempt(source, args.again).await?;
        run.drive(&source).await
    })?;
    drop(lock);
    Ok(report(&summary, args.json))
}

/// Runs `batchfleet redrive` in a folder of jobs.
pub(crate) fn redrive(args: &RedriveArgs, what: Redriven) -> Result<ExitCode, Failure> {
    let out = args.job.site.out.as_deref();
    let out = out.unwrap_or(Path::new(DEFAULT_OUT));
    let workers = default_workers();
    let runtime = runtime(workers)?;
    // Looked for first, because taking the lock would make the folder.
    let site = Site::local(out)?;
    let lock = lock(out)?;
    let summary = runtime.block_on(async {
        let job = site.find(&args.job.job).await?;
        let source = next_attempt(&*site.store, &job.id, what)
            .await?
            .map_err(Failure::usage)?;
        let definition = match &args.definition {
            Some(path) => read_definition(Some(path))?,
            None => stored_definition(&site, &job.id).await?,
        };
        let definition = ChosenDefinition {
            name: job.definition_name,
            ..definition
        };
        let tables = tables(&definition.parsed).await?;
        let run = Run::open(out, definition, tables, workers, None)?;
        run.drive(&source).await
    })?;
    drop(lock);
    Ok(report(&summary, args.job.json))
}

fn runtime(workers: usize) -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers + 1)
        // Every thread that ever allocates keeps some memory for itself.
        .max_blocking_threads(workers)
        // The network too, where the destination is a table.
        .enable_all()
        .build()
        .map_err(|error| Failure::stopped(format!("cannot start threads: {error}")))
}

/// Takes the folder. Commands that look at it hold the lock for a moment, to see whether a run does.
fn lock(out: &Path) -> Result<FolderLock, Failure> {
    for _ in 1..LOCK_TRIES_MAX {
        match FolderLock::take(out) {
            Err(LockError::Busy { .. }) => std::thread::sleep(LOCK_RETRY),
            other => return other.map_err(usage),
        }
    }
    FolderLock::take(out).map_err(usage)
}

/// Two more than cores: while one waits for the disk, another computes.
fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from) + 2
}

/// A definition, as it is read and as it is kept.
struct ChosenDefinition {
    name: String,
    text: String,
    parsed: Definition,
}

/// The definition that judged a job.
async fn stored_definition(site: &Site, id: &JobId) -> Result<ChosenDefinition, Failure> {
    let text = site.definition(id).await?;
    let parsed = Definition::parse(&text).map_err(|faults| {
        Failure::usage(format!(
            "the definition of job {id} has faults; give a mended one with --definition:\n{faults}"
        ))
    })?;
    Ok(ChosenDefinition {
        name: String::new(),
        text,
        parsed,
    })
}

/// The definition that a path names. Its faults are told with the file's name before any job begins.
fn read_definition(path: Option<&Path>) -> Result<ChosenDefinition, Failure> {
    let Some(path) = path else {
        return Ok(ChosenDefinition {
            name: OPEN_DEFINITION.to_owned(),
            text: Definition::OPEN_TEXT.to_owned(),
            parsed: Definition::open(),
        });
    };
    let text = definition::read_text(path)?;
    let parsed = definition::parse(path, &text)?;
    let name = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or(OPEN_DEFINITION);
    Ok(ChosenDefinition {
        name: name.to_owned(),
        text,
        parsed,
    })
}

/// The pieces of a run, wired together.
struct Run {
    store: Arc<SqliteStore>,
    results: Arc<FolderResults>,
    spool: Arc<FolderSpool>,
    queue: Arc<LocalQueue>,
    clock: Arc<SystemClock>,
    tally: Arc<Tally>,
    preparer: Preparer,
    worker: Arc<Worker>,
    workers: usize,
    out: PathBuf,
    definition_name: String,
    definition_digest: String,
}

impl Run {
    fn open(
        out: &Path,
        definition: ChosenDefinition,
        tables: Tables,
        workers: usize,
        batch_records: Option<u32>,
    ) -> Result<Self, Failure> {
        let store = SqliteStore::open(&out.join(DATABASE)).map_err(|error| {
            Failure::stopped(format!(
                "cannot open the state in {}: {}",
                out.display(),
                chain(&error)
            ))
        })?;
        let store = Arc::new(store);
        store.release_everything().map_err(stopped)?;
        let results = Arc::new(FolderResults::new(out));
        let spool = Arc::new(FolderSpool::new(out));
        let source = Arc::new(FileSource::new());
        let clock = Arc::new(SystemClock::new());
        let queue = Arc::new(LocalQueue::new(Arc::clone(&clock) as _));
        let (ids, tally) = (Arc::new(SystemIds), Arc::new(Tally::default()));
        let definition_digest = hex_digest(definition.text.as_bytes());
        let policy = Policy {
            batch_records_max: BATCH_RECORDS,
            workers_max: workers as u32,
            ..Policy::default()
        };
        let preparer = Preparer {
            store: Arc::clone(&store) as _,
            source: Arc::clone(&source) as _,
            spool: Arc::clone(&spool) as _,
            definitions: Arc::new(FixedDefinitions::new(&definition.name, definition.text)),
            results: Arc::clone(&results) as _,
            queue: Arc::clone(&queue) as _,
            clock: Arc::clone(&clock) as _,
            ids: Arc::clone(&ids) as _,
            policy,
            batch_records,
            window_bytes: WINDOW_BYTES,
            // Beside the results, where a file that is imported has room; the usual place for temporary
            // files is in memory on many systems.
            spills: Arc::new(FileSpills::new(out)),
            unique_memory_bytes: UNIQUE_MEMORY_BYTES,
        };
        let worker = Worker {
            store: Arc::clone(&store) as _,
            source,
            spool: Arc::clone(&spool) as _,
            results: Arc::clone(&results) as _,
            sinks: tables.sinks,
            lookups: tables.lookups,
            queue: Arc::clone(&queue) as _,
            clock: Arc::clone(&clock) as _,
            ids,
            observer: Arc::clone(&tally) as _,
            // Nothing is billed here, so looking again is cheap.
            pace: Pace {
                idle_ms: 10,
                paused_ms: 500,
                retry_ms: 200,
                handover_margin_ms: 0,
                // The process has this job alone.
                turn_ms: u64::MAX,
                ..Pace::default()
            },
            plans: PlanCache::default(),
        };
        Ok(Self {
            store,
            results,
            spool,
            queue,
            clock,
            tally,
            preparer,
            worker: Arc::new(worker),
            workers,
            out: out.to_owned(),
            definition_name: definition.name,
            definition_digest,
        })
    }

    /// The attempt to go on with, to report, or, `again`, to begin: the newest there is, or the next.
    /// The same file under another definition is another job.
    async fn choose_attempt(&self, source: SourceRef, again: bool) -> Result<SourceRef, Failure> {
        let mut newest = SourceRef {
            sequencer: Some(self.definition_digest.clone()),
            ..source
        };
        loop {
            let next = SourceRef {
                attempt: newest.attempt + 1,
                ..newest.clone()
            };
            if self
                .store
                .job(&next.job_id())
                .await
                .map_err(stopped)?
                .is_none()
            {
                let job = self.store.job(&newest.job_id()).await.map_err(stopped)?;
                let is_over = job.is_some_and(|job| job.status.is_terminal());
                return Ok(if is_over && again { next } else { newest });
            }
            newest = next;
        }
    }

    /// Runs preparer and workers until the job is over, and reads its summary.
    async fn drive(&self, source: &SourceRef) -> Result<Summary, Failure> {
        let id = source.job_id();
        self.results.clean(&id).map_err(stopped)?;
        // Whoever ended the job without reporting it is gone: this process is alone here.
        self.preparer
            .closer()
            .report_owed(&id)
            .await
            .map_err(stopped)?;
        let known = self.store.job(&id).await.map_err(stopped)?;
        let is_over = known.as_ref().is_some_and(|job| job.status.is_terminal());
        if is_over {
            // A preparer that was still at it when the job ended may have written one part more.
            self.spool.clear(&id).await.map_err(stopped)?;
        }
        let (events, mut heard) = mpsc::unbounded_channel();
        let mut tasks = tokio::task::JoinSet::new();
        if !is_over {
            self.count_done(&id).await?;
            let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
            let _progress = Progress::show(Arc::clone(&self.tally), clock, source.size);
            for seat in 0..self.workers as u32 {
                let message = Message::Work {
                    job: id.clone(),
                    shard: 0,
                    seat,
                };
                self.queue.send(&message, 0).await.map_err(stopped)?;
                tasks.spawn(work(
                    Arc::clone(&self.worker),
                    Arc::clone(&self.queue),
                    events.clone(),
                ));
            }
            self.wait(source, &mut heard).await?;
            tasks.shutdown().await;
        }
        read_summary(&*self.results, &id).await
    }

    /// Prepares while the workers run, and waits for the end of the job.
    async fn wait(
        &self,
        source: &SourceRef,
        heard: &mut mpsc::UnboundedReceiver<Result<Worked, PortError>>,
    ) -> Result<(), Failure> {
        let prepared = self
            .preparer
            .prepare_under(source, &self.definition_name, None);
        let mut prepared = std::pin::pin!(prepared);
        let (mut planning, mut over) = (true, false);
        let mut next_look_ms = 0_u64;
        while !over {
            let until_look_ms = next_look_ms.saturating_sub(self.clock.now_ms());
            tokio::select! {
                outcome = &mut prepared, if planning => {
                    planning = false;
                    over |= match outcome.map_err(stopped)? {
                        Prepared::Ended(..) => true,
                        Prepared::AlreadyPrepared(_, status) => status.is_terminal(),
                        _ => false,
                    };
                }
                Some(worked) = heard.recv() => {
                    over |= matches!(worked.map_err(stopped)?, Worked::JobOver(..));
                }
                () = self.clock.sleep_ms(until_look_ms) => {
                    over |= self.look_at_steering(&source.job_id()).await?;
                    next_look_ms = self.clock.now_ms() + STEERING_LOOK_MS;
                }
            }
        }
        let id = source.job_id();
        let mut reported = std::pin::pin!(self.wait_for_report(&id));
        loop {
            tokio::select! {
                // If the preparer ended the job, it is at the report.
                outcome = &mut prepared, if planning => {
                    planning = false;
                    outcome.map_err(stopped)?;
                }
                done = &mut reported => return done,
            }
        }
    }

    /// Says so where the job was paused; whether it was ended.
    async fn look_at_steering(&self, id: &JobId) -> Result<bool, Failure> {
        let job = self.store.job(id).await.map_err(stopped)?;
        let status = job.map(|job| job.status);
        let is_paused = status == Some(JobStatus::Paused);
        let resume = || format!("paused; {}", command("resume", id, Some(&self.out)));
        self.tally.explain(is_paused.then(resume));
        Ok(status.is_some_and(JobStatus::is_terminal))
    }

    /// Whoever ended the job is at its report: another task, or another command. Should that have
    /// died, this run writes it.
    async fn wait_for_report(&self, id: &JobId) -> Result<(), Failure> {
        let patience_ends = self.clock.now_ms() + REPORT_PATIENCE_MS;
        while self.owes_report(id).await? {
            self.clock.sleep_ms(REPORT_LOOK_MS).await;
            if self.clock.now_ms() >= patience_ends {
                let closer = self.preparer.closer();
                closer.report_owed(id).await.map_err(stopped)?;
            }
        }
        Ok(())
    }

    async fn owes_report(&self, id: &JobId) -> Result<bool, Failure> {
        let job = self.store.job(id).await.map_err(stopped)?;
        Ok(job.is_none_or(|job| !job.status.is_terminal() || job.outbox))
    }

    /// Brings the tally to what an earlier run completed.
    async fn count_done(&self, id: &JobId) -> Result<(), Failure> {
        use batchfleet_core::ports::Observer as _;
        for number in 0.. {
            let Some(view) = self.store.sweep(id, number).await.map_err(stopped)? else {
                break;
            };
            for completion in view
                .batches
                .values()
                .filter_map(|item| item.completion.as_ref())
            {
                self.tally.batch_completed(completion);
            }
        }
        Ok(())
    }
}

/// One worker: message after message, until the run drops it.
async fn work(
    worker: Arc<Worker>,
    queue: Arc<LocalQueue>,
    events: mpsc::UnboundedSender<Result<Worked, PortError>>,
) {
    loop {
        let message = queue.receive().await;
        if events.send(worker.work(&message, None).await).is_err() {
            return;
        }
    }
}

fn usage(error: impl std::error::Error) -> Failure {
    Failure::usage(chain(&error))
}

fn stopped(error: impl std::error::Error) -> Failure {
    let why = chain(&error);
    Failure::stopped(format!(
        "the run stopped: {why}; run the same command again to go on"
    ))
}
