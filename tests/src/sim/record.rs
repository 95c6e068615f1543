//! What the table keeps of one job.

use std::collections::BTreeMap;

use batchfleet_core::batch::{BatchItem, BatchStatus, Shard};
use batchfleet_core::job::{Job, JobStatus, NewJob};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{ShardView, Snapshot};
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::watch::Watch;

/// Everything about one job.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) job: Job,
    pub(crate) snapshot: Snapshot,
    pub(crate) preparer: PreparerItem,
    pub(crate) watch: Option<Watch>,
    pub(crate) tallies: BTreeMap<String, u64>,
    pub(crate) shards: BTreeMap<u32, Shard>,
    pub(crate) pages: BTreeMap<(u32, u32), PlanPage>,
    pub(crate) batches: BTreeMap<(u32, u32), BatchItem>,
}

impl Record {
    pub(crate) fn new(new: &NewJob) -> Self {
        Self {
            job: Job::new(new),
            snapshot: Snapshot {
                definition_text: new.definition_text.clone(),
                layout: None,
            },
            preparer: PreparerItem::default(),
            watch: None,
            tallies: BTreeMap::new(),
            shards: BTreeMap::new(),
            pages: BTreeMap::new(),
            batches: BTreeMap::new(),
        }
    }

    /// How long the first published batch that is not over is still held at `now_ms`; 0 where nobody
    /// ever claimed it. `None` where there is none, or the job is not in `PROCESSING`. A batch that was
    /// handed back is left out: whoever did that comes back for it.
    pub(crate) fn next_claimable_in(&self, now_ms: u64) -> Option<u64> {
        if self.job.status != JobStatus::Processing {
            return None;
        }
        let mut first = None;
        for (&number, shard) in &self.shards {
            for slot in 0..shard.published {
                let item = self.batches.get(&(number, slot));
                let is_handed_back = |item: &BatchItem| item.status == BatchStatus::Pending;
                if item.is_some_and(|item| item.status.is_over() || is_handed_back(item)) {
                    continue;
                }
                let until_ms = item.map_or(0, |item| item.lease_until_ms);
                let left_ms = until_ms.saturating_sub(now_ms);
                first = Some(first.map_or(left_ms, |first: u64| first.min(left_ms)));
            }
        }
        first
    }

    /// A shard with its batches; `None` where nothing is published.
    pub(crate) fn view(&self, number: u32) -> Option<ShardView> {
        let shard = *self.shards.get(&number)?;
        let batches = self.batches.range((number, 0)..=(number, u32::MAX));
        Some(ShardView {
            shard,
            batches: batches.map(|(key, item)| (key.1, item.clone())).collect(),
        })
    }
}
