//! Following a job from outside, and `batchfleet watch`. Gentle on the table: one look a second,
//! and few shards looked into.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use batchfleet_core::PortResult;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::{Counts, Job, JobStatus};
use batchfleet_core::ports::Store;
use batchfleet_core::report::Summary;

use crate::args::WatchArgs;
use crate::explain::explain;
use crate::look::{Depth, Look};
use crate::outcome::{Failure, report};
use crate::progress::{Progress, Tally};
use crate::site::Site;
use crate::status;

/// How often the job is looked at: one read, and one query for each open shard looked into.
const LOOK_MS: u64 = 1_000;

/// Open shards that are looked into for the progress bar, at most.
const SHARDS_WATCHED_MAX: usize = 4;

/// How long a job may stand still before it is asked why, and how long until it is asked again.
const STILL_MS: u64 = 10_000;

/// Runs `batchfleet watch`.
pub(crate) async fn watch(args: &WatchArgs) -> Result<ExitCode, Failure> {
    let site = Site::open(&args.job.site).await?;
    let job = site.find(&args.job.job).await?;
    let end = args
        .timeout_seconds
        .map(|seconds| site.clock.now_ms() + seconds * 1_000);
    match follow(&site, &job.id, job.source.size, end).await? {
        Some(summary) => Ok(report(&summary, args.job.json)),
        None => status::print(&site, &job.id, args.job.json).await,
    }
}

/// Follows a job, which perhaps is still to come, until its report is written, and reads it. `None`
/// where `end_ms` came first.
pub(crate) async fn follow(
    site: &Site,
    id: &JobId,
    bytes: u64,
    end_ms: Option<u64>,
) -> Result<Option<Summary>, Failure> {
    let tally = Arc::new(Tally::default());
    let mut follower = Follower::new(site);
    let mut progress = None;
    loop {
        if let Some(job) = site.store.job(id).await? {
            if job.status.is_terminal() && !job.outbox {
                drop(progress);
                return site.summary(id).await.map(Some);
            }
            follower.look(&job, &tally).await?;
        }
        // Only now, so that what was done before is no part of the rate.
        progress.get_or_insert_with(|| {
            Progress::show(Arc::clone(&tally), Arc::clone(&site.clock), bytes)
        });
        if end_ms.is_some_and(|end| site.clock.now_ms() >= end) {
            return Ok(None);
        }
        site.clock.sleep_ms(LOOK_MS).await;
    }
}

/// What was seen of a job so far.
struct Follower<'a> {
    site: &'a Site,
    /// The sums of closed shards: those never change, and are read once.
    closed: BTreeMap<u32, (Counts, u64)>,
    bytes: u64,
    /// When more was last seen done, or the job was last asked why not.
    moved_ms: u64,
}

impl<'a> Follower<'a> {
    fn new(site: &'a Site) -> Self {
        Self {
            site,
            closed: BTreeMap::new(),
            bytes: 0,
            moved_ms: site.clock.now_ms(),
        }
    }

    /// Brings the tally up to date.
    async fn look(&mut self, job: &Job, tally: &Tally) -> Result<(), Failure> {
        let (counts, bytes) = self.done_so_far(&*self.site.store, job).await?;
        tally.set(&counts, bytes);
        let now = self.site.clock.now_ms();
        if bytes != self.bytes {
            self.bytes = bytes;
            self.moved_ms = now;
            tally.explain(None);
        }
        if job.status == JobStatus::Paused {
            let resume = self.site.command("resume", &job.id);
            tally.explain(Some(format!("paused; {resume}")));
            self.moved_ms = now;
        } else if now.saturating_sub(self.moved_ms) >= STILL_MS {
            let look = Look::again(self.site, &job.id, Depth::Open).await?;
            let said = explain(&look, None, |verb| self.site.command(verb, &job.id));
            tally.explain((!said.moving).then_some(said.sentence));
            self.moved_ms = now;
        }
        Ok(())
    }

    /// The closed shards' sums, and those of the first open shards.
    async fn done_so_far(&mut self, store: &dyn Store, job: &Job) -> PortResult<(Counts, u64)> {
        let (mut counts, mut bytes) = (Counts::default(), 0);
        let mut watched = 0;
        for number in 0.. {
            if let Some(sums) = self.closed.get(&number) {
                counts += sums.0;
                bytes += sums.1;
                continue;
            }
            let Some(shard) = store.shard(&job.id, number).await? else {
                break;
            };
            if let Some(totals) = shard.totals.filter(|_| shard.closed) {
                self.closed.insert(number, (totals.counts, totals.bytes));
                counts += totals.counts;
                bytes += totals.bytes;
                continue;
            }
            let Some(view) = store.sweep(&job.id, number).await? else {
                break;
            };
            let completions = view
                .batches
                .values()
                .filter_map(|item| item.completion.as_ref());
            for completion in completions {
                counts += completion.counts;
                bytes += completion.bytes;
            }
            watched += 1;
            if watched == SHARDS_WATCHED_MAX {
                break;
            }
        }
        Ok((counts, bytes))
    }
}
