//! The store in one SQLite database, for one process at a time.
//!
//! Each call is one transaction of a few statements, some tens of microseconds long, on one
//! connection: it runs where it is called, without a thread of its own. The decisions are those of
//! the core's pure functions, made on rows read within the transaction.
//!
//! # What survives
//! A process killed at any moment loses nothing that was answered: commits are in the system's
//! hands by then. After a power cut the database is consistent, but may be that of some moments
//! before, because commits are not brought to the disk one by one. Then some batches are worked
//! again, and find their parts written.

mod batches;
mod jobs;
mod planning;
mod rows;
mod sql;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use batchfleet_core::batch::{BatchKey, Completion, Lease, Publication, Shard, ShardTotals};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{
    Checkpoint, Ending, Job, JobStatus, Layout, NewJob, PlanTotals, PreparerHold,
};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{
    CancelOutcome, ClaimOutcome, CloseOutcome, CompleteOutcome, CreateOutcome, FinalizeOutcome,
    Held, PauseOutcome, PreparerOutcome, ShardView, Snapshot, Store, TicketOutcome,
};
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::throttle::Throttle;
use batchfleet_core::watch::Watch;
use batchfleet_core::{PortError, PortResult};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::refuse_link;

/// How long a call waits for another process that is reading or writing the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// More than there are statements, so that each is compiled once.
const STATEMENTS_MAX: usize = 64;

/// A store in a SQLite database.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Mutex<Connection>,
}

/// A job as [`SqliteStore::jobs`] lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEntry {
    /// Its id.
    pub id: JobId,
    /// Where it stands.
    pub status: JobStatus,
    /// When it was created (milliseconds since 1970).
    pub created_ms: u64,
}

/// Why a database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A later release wrote it.
    #[error("{} was written by a newer release of batchfleet (schema {found}, this one knows {known}); use that release, or another folder", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema's version.
        found: i64,
        /// The version this release writes.
        known: i64,
    },
    /// It holds something else.
    #[error("{} is not a batchfleet database; choose another folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A symbolic link is in its place.
    #[error("cannot use the database {}", path.display())]
    Link {
        /// The link.
        path: PathBuf,
        /// What to do about it.
        #[source]
        source: std::io::Error,
    },
    /// It can't be opened or written.
    #[error("cannot use the database {}", path.display())]
    Unusable {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
}

impl SqliteStore {
    /// Opens a database, and makes it where there is none. Its folder exists.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        refuse_link(path).map_err(|source| OpenError::Link {
            path: path.to_owned(),
            source,
        })?;
        let connection = Connection::open(path).map_err(|error| unusable(path, error))?;
        Self::over(connection, path)
    }

    /// A store that ends with the process.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn in_memory() -> Result<Self, OpenError> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| unusable(path, error))?;
        Self::over(connection, path)
    }

    fn over(mut connection: Connection, path: &Path) -> Result<Self, OpenError> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        let readied = connection
            .busy_timeout(BUSY_TIMEOUT)
            .and_then(|()| migrate(&mut connection));
        match readied {
            Ok(Schema::Ours) => {}
            Ok(Schema::Newer(found)) => {
                return Err(OpenError::Newer {
                    path: path.to_owned(),
                    found,
                    known: sql::SCHEMA_VERSION,
                });
            }
            Ok(Schema::Foreign) => {
                return Err(OpenError::Foreign {
                    path: path.to_owned(),
                });
            }
            Err(error) => return Err(unusable(path, error)),
        }
        // Only now: a database that is not ours is left as it was.
        connection
            .execute_batch(sql::PRAGMAS)
            .map_err(|error| unusable(path, error))?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Takes every batch and every planning back from whoever held it, and says how many there were.
    /// For the start of a run that holds the folder's lock: the holders are dead. Their attempts do
    /// not count: here it is people who kill runs, and no row may become a reject by that.
    ///
    /// # Errors
    /// The store's.
    pub fn release_everything(&self) -> PortResult<usize> {
        self.write("release leases", |tx| {
            let batches = tx.execute(sql::RELEASE_BATCHES, [])?;
            let preparers = tx.execute(sql::END_PREPARERS, [])?;
            Ok(batches + preparers)
        })
    }

    /// Every job, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn jobs(&self) -> PortResult<Vec<JobEntry>> {
        self.read("list jobs", jobs::list)
    }

    /// One transaction that may write.
    fn write<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> PortResult<T> {
        self.transaction(TransactionBehavior::Immediate, work)
            .map_err(|fault| fault.into_port(action))
    }

    /// One transaction that reads: several rows of the same moment.
    fn read<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> PortResult<T> {
        self.transaction(TransactionBehavior::Deferred, work)
            .map_err(|fault| fault.into_port(action))
    }

    fn transaction<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        // A panic under the lock has rolled its transaction back.
        let lock = self.connection.lock();
        let connection = lock.unwrap_or_else(PoisonError::into_inner);
        let transaction = Transaction::new_unchecked(&connection, behavior)?;
        let answer = work(&transaction)?;
        transaction.commit()?;
        Ok(answer)
    }
}

fn unusable(path: &Path, source: rusqlite::Error) -> OpenError {
    if source.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        return OpenError::Foreign {
            path: path.to_owned(),
        };
    }
    OpenError::Unusable {
        path: path.to_owned(),
        source,
    }
}

/// What a database turned out to be.
enum Schema {
    Ours,
    Newer(i64),
    Foreign,
}

/// Makes the tables in a new database, or brings those of an older release up to date.
fn migrate(connection: &mut Connection) -> rusqlite::Result<Schema> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = tx.query_row(sql::READ_VERSION, [], |row| row.get(0))?;
    if version == sql::SCHEMA_VERSION {
        return Ok(Schema::Ours);
    }
    if version > sql::SCHEMA_VERSION {
        return Ok(Schema::Newer(version));
    }
    if version == 1 {
        tx.execute_batch(sql::FROM_VERSION_1)?;
        tx.execute_batch(sql::WRITE_VERSION)?;
        tx.commit()?;
        return Ok(Schema::Ours);
    }
    let tables: i64 = tx.query_row(sql::COUNT_TABLES, [], |row| row.get(0))?;
    if tables > 0 {
        return Ok(Schema::Foreign);
    }
    tx.execute_batch(sql::SCHEMA)?;
    tx.execute_batch(sql::WRITE_VERSION)?;
    tx.commit()?;
    Ok(Schema::Ours)
}

/// Why a transaction did not come to an answer. Whatever it was, nothing of it is kept.
enum Fault {
    Sql(rusqlite::Error),
    Port(PortError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<PortError> for Fault {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl Fault {
    fn into_port(self, action: &'static str) -> PortError {
        let error = match self {
            Self::Port(error) => return error,
            Self::Sql(error) => error,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                PortError::transient(action, error)
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                PortError::corrupt("the database", error)
            }
            // A full disk, a missing permission, a failing disk: someone must do something. An error
            // that is not SQLite's own is a column of another type than this release writes.
            Some(_) => PortError::refused(action, error),
            None => PortError::corrupt("a row of the database", error),
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn create(&self, job: &NewJob) -> PortResult<CreateOutcome> {
        self.write("create job", |tx| jobs::create(tx, job))
    }

    async fn job(&self, job: &JobId) -> PortResult<Option<Job>> {
        self.read("read job", |tx| rows::job(tx, job))
    }

    async fn snapshot(&self, job: &JobId) -> PortResult<Option<Snapshot>> {
        self.read("read snapshot", |tx| jobs::snapshot(tx, job))
    }

    async fn take_preparer(
        &self,
        job: &JobId,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<PreparerOutcome> {
        self.write("take preparer", |tx| {
            planning::take_preparer(tx, job, owner, now_ms, until_ms)
        })
    }

    async fn put_layout(&self, job: &JobId, layout: &Layout) -> PortResult<()> {
        self.write("put layout", |tx| planning::put_layout(tx, job, layout))
    }

    async fn write_pages(
        &self,
        job: &JobId,
        shard: u32,
        first_page: u32,
        pages: &[PlanPage],
    ) -> PortResult<()> {
        self.write("write pages", |tx| {
            planning::write_pages(tx, job, shard, first_page, pages)
        })
    }

    async fn publish(&self, job: &JobId, shard: u32, publication: &Publication) -> PortResult<()> {
        self.write("publish", |tx| {
            planning::publish(tx, job, shard, publication)
        })
    }

    async fn checkpoint(
        &self,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> PortResult<Held> {
        self.write("checkpoint", |tx| {
            planning::checkpoint(tx, hold, checkpoint, until_ms)
        })
    }

    async fn mark_prepared(&self, hold: &PreparerHold, totals: &PlanTotals) -> PortResult<Held> {
        self.write("mark prepared", |tx| {
            planning::mark_prepared(tx, hold, totals)
        })
    }

    async fn shard(&self, job: &JobId, shard: u32) -> PortResult<Option<Shard>> {
        self.read("read shard", |tx| rows::shard(tx, job, shard))
    }

    async fn take_tickets(
        &self,
        job: &JobId,
        shard: u32,
        count: u32,
        published_seen: u32,
    ) -> PortResult<TicketOutcome> {
        self.write("take tickets", |tx| {
            batches::take_tickets(tx, job, shard, count, published_seen)
        })
    }

    async fn page(&self, job: &JobId, shard: u32, page: u32) -> PortResult<Option<PlanPage>> {
        self.read("read page", |tx| planning::page(tx, job, shard, page))
    }

    async fn pages(&self, job: &JobId, shard: u32) -> PortResult<Vec<PlanPage>> {
        self.read("read pages", |tx| planning::pages(tx, job, shard))
    }

    async fn claim(
        &self,
        key: &BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<ClaimOutcome> {
        self.write("claim batch", |tx| {
            batches::claim(tx, key, owner, now_ms, until_ms)
        })
    }

    async fn heartbeat(&self, lease: &Lease, until_ms: u64) -> PortResult<Held> {
        self.write("heartbeat", |tx| batches::heartbeat(tx, lease, until_ms))
    }

    async fn complete(
        &self,
        lease: &Lease,
        completion: &Completion,
    ) -> PortResult<CompleteOutcome> {
        self.write("complete batch", |tx| {
            batches::complete(tx, lease, completion)
        })
    }

    async fn release(&self, lease: &Lease) -> PortResult<Held> {
        self.write("release batch", |tx| batches::release(tx, lease))
    }

    async fn sweep(&self, job: &JobId, shard: u32) -> PortResult<Option<ShardView>> {
        self.read("sweep shard", |tx| batches::sweep(tx, job, shard))
    }

    async fn close_shard(
        &self,
        job: &JobId,
        shard: u32,
        totals: &ShardTotals,
    ) -> PortResult<CloseOutcome> {
        self.write("close shard", |tx| {
            jobs::close_shard(tx, job, shard, totals)
        })
    }

    async fn finalize(
        &self,
        job: &JobId,
        ending: &Ending,
        finished_ms: u64,
    ) -> PortResult<FinalizeOutcome> {
        self.write("finalize job", |tx| {
            jobs::finalize(tx, job, ending, finished_ms)
        })
    }

    async fn cancel(&self, key: &BatchKey, now_ms: u64) -> PortResult<CancelOutcome> {
        self.write("cancel batch", |tx| batches::cancel(tx, key, now_ms))
    }

    async fn set_paused(&self, job: &JobId, paused: bool, now_ms: u64) -> PortResult<PauseOutcome> {
        self.write("pause job", |tx| jobs::set_paused(tx, job, paused, now_ms))
    }

    async fn preparer(&self, job: &JobId) -> PortResult<Option<PreparerItem>> {
        self.read("read preparer", |tx| rows::preparer(tx, job))
    }

    async fn watch(&self, job: &JobId) -> PortResult<Option<Watch>> {
        self.read("read watch", |tx| rows::watch(tx, job))
    }

    async fn record_watch(&self, job: &JobId, watch: &Watch) -> PortResult<()> {
        self.write("record watch", |tx| jobs::record_watch(tx, job, watch))
    }

    async fn record_tally(&self, job: &JobId, owner: &OwnerId, rejected: u64) -> PortResult<()> {
        self.write("record tally", |tx| {
            rows::put_tally(tx, job, owner, rejected)
        })
    }

    async fn tallied(&self, job: &JobId) -> PortResult<u64> {
        self.read("read tallies", |tx| rows::tallied(tx, job))
    }

    async fn set_throttle(
        &self,
        job: &JobId,
        seen: Option<Throttle>,
        throttle: Throttle,
    ) -> PortResult<()> {
        self.write("set throttle", |tx| {
            jobs::set_throttle(tx, job, seen, throttle)
        })
    }

    async fn open_jobs(&self) -> PortResult<Vec<JobId>> {
        self.read("list open jobs", jobs::open)
    }

    async fn clear_outbox(&self, job: &JobId) -> PortResult<()> {
        self.write("clear outbox", |tx| jobs::clear_outbox(tx, job))
    }
}
