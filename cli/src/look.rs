//! One look at a job: what is stored of it at one moment, and what that sums to. Only reads.

use batchfleet_core::batch::{BatchItem, BatchStatus};
use batchfleet_core::ids::JobId;
use batchfleet_core::job::{CodeCounts, Counts, Job, JobStatus, add_codes};
use batchfleet_core::ports::ShardView;
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::throttle;
use batchfleet_core::watch::Watch;

use crate::outcome::Failure;
use crate::site::{Site, Workers};

/// Which batches are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Those of every shard.
    All,
    /// Those of open shards; closed ones count by their sums.
    Open,
}

/// What is stored of a job.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) job: Job,
    /// The state of its planning.
    pub(crate) preparer: PreparerItem,
    /// The message that looks after it.
    pub(crate) watch: Option<Watch>,
    /// Its published shards in order. A closed one may come without its batches.
    pub(crate) shards: Vec<ShardView>,
    /// Whether anyone works here.
    pub(crate) workers: Workers,
    /// What is among the dead letters, where someone looked there.
    pub(crate) dead: Option<Dead>,
    /// When this was.
    pub(crate) now_ms: u64,
}

/// Messages of a job among the dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dead {
    pub(crate) messages: u64,
    /// When the oldest was sent.
    pub(crate) sent_ms: Option<u64>,
    /// What puts them back.
    pub(crate) command: String,
}

/// How a job's fleet is slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slowed {
    /// Workers that run.
    pub(crate) workers: u32,
    /// Workers that there may be.
    pub(crate) of: u32,
    /// How long until all run again, if nothing else is throttled.
    pub(crate) all_ms: u64,
}

/// What the batches of a job sum to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// The ledger of the batches that are over.
    pub(crate) counts: Counts,
    /// Rejected rows by error code, those of closed shards only at [`Depth::All`].
    pub(crate) errors: CodeCounts,
    /// Accepted rows with warnings, likewise.
    pub(crate) warned: u64,
    /// Those by the codes of their warnings, likewise.
    pub(crate) warnings: CodeCounts,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Batches that workers can know of.
    pub(crate) published: u64,
    pub(crate) done: u64,
    /// Given up.
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    /// Under a lease in force.
    pub(crate) leased: u64,
    /// Under a lease that has ended: claimable.
    pub(crate) expired: u64,
    /// Never claimed, or handed back: claimable.
    pub(crate) pending: u64,
    /// Claims so far, those of closed shards only at [`Depth::All`].
    pub(crate) claims: u64,
    /// Claims beyond the first of each batch.
    pub(crate) retries: u64,
    /// For each lease in force, when its holder was last heard of: the lease began then.
    pub(crate) seen_ms: Vec<u64>,
    /// When the first of them ends.
    pub(crate) next_end_ms: Option<u64>,
    /// When the last of them ends.
    pub(crate) last_end_ms: Option<u64>,
}

impl Look {
    /// Looks at a job; `None` where there is none.
    pub(crate) async fn take(
        site: &Site,
        id: &JobId,
        depth: Depth,
    ) -> Result<Option<Self>, Failure> {
        let Some(job) = site.store.job(id).await? else {
            return Ok(None);
        };
        let preparer = site.store.preparer(id).await?.unwrap_or_default();
        let watch = site.store.watch(id).await?;
        let mut shards = Vec::new();
        for number in 0.. {
            let view = match site.store.shard(id, number).await? {
                Some(shard) if shard.closed && depth == Depth::Open => Some(ShardView {
                    shard,
                    batches: std::collections::BTreeMap::new(),
                }),
                Some(_) => site.store.sweep(id, number).await?,
                None => None,
            };
            let Some(view) = view else {
                break;
            };
            shards.push(view);
        }
        Ok(Some(Self {
            job,
            preparer,
            watch,
            shards,
            workers: site.workers(),
            dead: None,
            now_ms: site.clock.now_ms(),
        }))
    }

    /// Looks at a job that was there a moment ago.
    pub(crate) async fn again(site: &Site, id: &JobId, depth: Depth) -> Result<Self, Failure> {
        let look = Self::take(site, id, depth).await?;
        look.ok_or_else(|| Failure::stopped(format!("job {id} is gone")))
    }

    /// Adds up the batches.
    pub(crate) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for view in &self.shards {
            let published = u64::from(view.shard.published);
            sums.published += published;
            if let (Some(totals), true) = (view.shard.totals, view.batches.is_empty()) {
                sums.counts += totals.counts;
                sums.bytes += totals.bytes;
                sums.failed += u64::from(totals.failed_batches);
                sums.done += published - u64::from(totals.failed_batches);
                continue;
            }
            sums.pending += published.saturating_sub(view.batches.len() as u64);
            for item in view.batches.values() {
                sums.add(item, self.job.policy.lease_ms, self.now_ms);
            }
        }
        sums
    }

    /// Batches there will be: of the plan, or, while that is written, those so far.
    pub(crate) fn batches(&self, sums: &Sums) -> u64 {
        self.job.plan.map_or(sums.published, |plan| plan.batches)
    }

    /// Bytes of rows there are: of the plan, or, while that is written, the whole file.
    pub(crate) fn bytes(&self) -> u64 {
        let planned = |plan: batchfleet_core::job::PlanTotals| plan.data_end - plan.data_start;
        self.job.plan.map_or(self.job.source.size, planned)
    }

    /// How the fleet is slowed down, while it works and is.
    pub(crate) fn slowed(&self) -> Option<Slowed> {
        let (throttle, policy) = (self.job.throttle, &self.job.policy);
        let last = policy.workers_max.saturating_sub(1);
        let all_ms = throttle::held_back_ms(throttle, policy, last, self.now_ms)?;
        self.is_claimed_from().then(|| Slowed {
            workers: throttle::allowed(throttle, policy, self.now_ms),
            of: policy.workers_max,
            all_ms,
        })
    }

    /// Since when the job is paused, where that is known.
    pub(crate) fn paused_for_ms(&self) -> Option<u64> {
        let since = self.job.paused_ms?;
        Some(self.now_ms.saturating_sub(since))
    }

    /// Whether batches may be claimed.
    pub(crate) fn is_claimed_from(&self) -> bool {
        matches!(
            self.job.status,
            JobStatus::Preparing | JobStatus::Processing
        )
    }
}

impl Sums {
    fn add(&mut self, item: &BatchItem, lease_ms: u64, now_ms: u64) {
        let mut claims = item.fence;
        match item.status {
            BatchStatus::Done => self.done += 1,
            BatchStatus::Failed => self.failed += 1,
            BatchStatus::Pending => self.pending += 1,
            BatchStatus::Cancelled => {
                self.cancelled += 1;
                // Cancelling raised it too.
                claims = claims.saturating_sub(1);
            }
            BatchStatus::Leased if item.lease_until_ms <= now_ms => self.expired += 1,
            BatchStatus::Leased => {
                let end = item.lease_until_ms;
                self.leased += 1;
                self.seen_ms.push(end.saturating_sub(lease_ms));
                self.next_end_ms = Some(self.next_end_ms.map_or(end, |first| first.min(end)));
                self.last_end_ms = self.last_end_ms.max(Some(end));
            }
        }
        self.claims += claims;
        self.retries += claims.saturating_sub(1);
        if let Some(done) = item.completion.as_ref().filter(|_| item.status.is_over()) {
            self.counts += done.counts;
            self.bytes += done.bytes;
            add_codes(&mut self.errors, &done.codes);
            self.warned += done.warned;
            add_codes(&mut self.warnings, &done.warnings);
        }
    }

    /// Batches that a claim would win.
    pub(crate) fn claimable(&self) -> u64 {
        self.pending + self.expired
    }

    /// Batches to which nothing will happen any more, cancelled ones aside.
    pub(crate) fn over(&self) -> u64 {
        self.done + self.failed
    }
}
