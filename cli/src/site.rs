//! Where jobs are kept, and what every command needs of it: a local folder, or the table and the
//! bucket of a deployed stack. The commands themselves know the ports alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use batchfleet_core::close::Closer;
use batchfleet_core::error::chain;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::Job;
use batchfleet_core::ports::{Clock, Results, Spool, Store};
use batchfleet_core::report::{SUMMARY_FILE, Summary};
use batchfleet_local::{
    FolderLock, FolderResults, FolderSpool, LockError, SqliteStore, SystemClock,
};

use crate::args::{DEFAULT_OUT, SiteArgs};
use crate::outcome::Failure;
#[cfg(feature = "aws")]
use crate::stack::{Part, Stack};

/// The file in a folder of jobs that holds their state.
pub(crate) const DATABASE: &str = "batchfleet.db";

/// Characters of a job's id that name it, at least.
const PREFIX_MIN: usize = 6;

/// Where jobs are kept.
pub(crate) struct Site {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) results: Arc<dyn Results>,
    spool: Arc<dyn Spool>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The folder of local jobs.
    folder: Option<Folder>,
    /// The deployed stack.
    #[cfg(feature = "aws")]
    pub(crate) stack: Option<Stack>,
}

struct Folder {
    out: PathBuf,
    store: Arc<SqliteStore>,
}

/// Whether anyone works at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workers {
    /// A `batchfleet run` uses the folder.
    Running,
    /// None does: every lease found there belongs to a process that is gone.
    None,
    /// Functions of a stack: they come when a message wakes them.
    Functions,
}

impl Site {
    /// Opens what the arguments name.
    pub(crate) async fn open(args: &SiteArgs) -> Result<Self, Failure> {
        #[cfg(feature = "aws")]
        if args.is_stack() {
            return Self::on_aws(Stack::open(&args.stack, &[]).await?);
        }
        let out = args.out.as_deref().unwrap_or(Path::new(DEFAULT_OUT));
        std::future::ready(Self::local(out)).await
    }

    /// A folder of jobs.
    pub(crate) fn local(out: &Path) -> Result<Self, Failure> {
        let database = out.join(DATABASE);
        // Opening would make it.
        if !database.is_file() {
            return Err(Failure::usage(format!(
                "there are no jobs in {}: give the --out of their run",
                out.display()
            )));
        }
        let store = SqliteStore::open(&database).map_err(|error| Failure::usage(chain(&error)))?;
        let store = Arc::new(store);
        Ok(Self {
            store: Arc::clone(&store) as _,
            results: Arc::new(FolderResults::new(out)),
            spool: Arc::new(FolderSpool::new(out)),
            clock: Arc::new(SystemClock::new()),
            folder: Some(Folder {
                out: out.to_owned(),
                store,
            }),
            #[cfg(feature = "aws")]
            stack: None,
        })
    }

    /// A deployed stack.
    #[cfg(feature = "aws")]
    pub(crate) fn on_aws(stack: Stack) -> Result<Self, Failure> {
        use batchfleet_aws::dynamo::DynamoStore;
        use batchfleet_aws::s3::{S3Results, S3Spool};
        let (table, bucket) = (stack.name(Part::Table)?, stack.name(Part::ResultsBucket)?);
        Ok(Self {
            store: Arc::new(DynamoStore::builder(stack.clients.dynamodb.clone(), table).build()),
            results: Arc::new(S3Results::new(stack.clients.s3.clone(), bucket)),
            spool: Arc::new(S3Spool::new(stack.clients.s3.clone(), bucket)),
            clock: Arc::new(SystemClock::new()),
            folder: None,
            stack: Some(stack),
        })
    }

    /// Whether its requests are billed.
    pub(crate) fn is_billed(&self) -> bool {
        self.folder.is_none()
    }

    /// The jobs that it lists, the oldest first: all of a folder, the open ones of a stack.
    pub(crate) async fn jobs(&self) -> Result<Vec<Job>, Failure> {
        let ids = self.ids().await?;
        let mut jobs = Vec::with_capacity(ids.len());
        for id in ids {
            jobs.extend(self.store.job(&id).await?);
        }
        jobs.sort_by_key(|job| job.created_ms);
        Ok(jobs)
    }

    async fn ids(&self) -> Result<Vec<JobId>, Failure> {
        Ok(match &self.folder {
            Some(folder) => {
                let entries = folder.store.jobs()?;
                entries.into_iter().map(|entry| entry.id).collect()
            }
            None => self.store.open_jobs().await?,
        })
    }

    /// The job that a person named by its id, or by a beginning that only it has among those that
    /// are listed.
    pub(crate) async fn find(&self, name: &str) -> Result<Job, Failure> {
        let none = || Failure::usage(format!("there is no job {name} here"));
        if let Ok(id) = JobId::parse(name) {
            return self.store.job(&id).await?.ok_or_else(none);
        }
        let ids = self.ids().await?;
        let found: Vec<JobId> = ids
            .into_iter()
            .filter(|id| id.as_str().starts_with(name))
            .collect();
        match found.as_slice() {
            _ if name.len() < PREFIX_MIN => Err(Failure::usage(format!(
                "{name:?} is too short for a job: give at least {PREFIX_MIN} characters of its id"
            ))),
            [id] => self.store.job(id).await?.ok_or_else(none),
            [] if self.is_billed() => Err(Failure::usage(format!(
                "no open job begins with {name}; a job that is over needs its whole id"
            ))),
            [] => Err(none()),
            [_, ..] => {
                let ids: Vec<&str> = found.iter().map(JobId::as_str).collect();
                Err(Failure::usage(format!(
                    "several jobs begin with {name}: {}",
                    ids.join(", ")
                )))
            }
        }
    }

    /// Whether anyone works here now.
    pub(crate) fn workers(&self) -> Workers {
        match (&self.folder, self.lock()) {
            (None, _) => Workers::Functions,
            (Some(_), Some(_)) => Workers::None,
            (Some(_), None) => Workers::Running,
        }
    }

    /// Where a folder is used by no run: keeps runs out, and takes all leases from their holders,
    /// who are dead. For as long as the answer is kept.
    pub(crate) fn take_over(&self) -> Result<Option<FolderLock>, Failure> {
        let lock = self.lock();
        if let (Some(_), Some(folder)) = (&lock, &self.folder) {
            folder.store.release_everything()?;
        }
        Ok(lock)
    }

    /// The folder's lock, if nobody has it. One that can't be had for another reason counts as taken.
    fn lock(&self) -> Option<FolderLock> {
        let folder = self.folder.as_ref()?;
        let taken: Result<FolderLock, LockError> = FolderLock::take(&folder.out);
        taken.ok()
    }

    /// The closer over this site's ports.
    pub(crate) fn closer(&self) -> Closer {
        Closer {
            store: Arc::clone(&self.store),
            results: Arc::clone(&self.results),
            spool: Arc::clone(&self.spool),
            clock: Arc::clone(&self.clock),
        }
    }

    /// A command about a job as a person would type it here.
    pub(crate) fn command(&self, verb: &str, id: &JobId) -> String {
        #[cfg(feature = "aws")]
        if let Some(stack) = &self.stack {
            return format!("batchfleet {verb} {id}{}", stack.words);
        }
        command(verb, id, self.folder.as_ref().map(|folder| &*folder.out))
    }

    /// The text of the definition that judged a job.
    pub(crate) async fn definition(&self, id: &JobId) -> Result<String, Failure> {
        let snapshot = self.store.snapshot(id).await?;
        let text = snapshot.map(|snapshot| snapshot.definition_text);
        text.ok_or_else(|| Failure::stopped(format!("the definition of job {id} is missing")))
    }

    /// The summary of a job whose report is written.
    pub(crate) async fn summary(&self, id: &JobId) -> Result<Summary, Failure> {
        read_summary(&*self.results, id).await
    }
}

/// A command about a job as a person would type it.
pub(crate) fn command(verb: &str, id: &JobId, out: Option<&Path>) -> String {
    match out {
        Some(out) if out != Path::new(DEFAULT_OUT) => {
            format!("batchfleet {verb} {id} --out {}", out.display())
        }
        _ => format!("batchfleet {verb} {id}"),
    }
}

/// The summary of a job whose report is written.
pub(crate) async fn read_summary(results: &dyn Results, id: &JobId) -> Result<Summary, Failure> {
    let text = results.get(id, SUMMARY_FILE).await?;
    let text =
        text.ok_or_else(|| Failure::stopped(format!("the summary of job {id} is missing")))?;
    serde_json::from_slice(&text).map_err(|error| {
        Failure::stopped(format!("the summary of job {id} does not read: {error}"))
    })
}
