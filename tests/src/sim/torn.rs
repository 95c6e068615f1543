//! Closing a shard in two writes rather than in one transaction: a planted bug.

use batchfleet_core::PortResult;
use batchfleet_core::batch::{Shard, ShardTotals};
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::CloseOutcome;

use super::history::By;
use super::table::Table;

impl Table {
    /// The first half of closing a shard in two writes.
    pub(crate) fn mark_closed(
        &mut self,
        by: By,
        job: &JobId,
        number: u32,
        totals: &ShardTotals,
    ) -> PortResult<CloseOutcome> {
        self.change_shard(by, "close", job, number, |shard| {
            if shard.closed {
                return CloseOutcome::AlreadyClosed;
            }
            if !shard.sealed {
                return CloseOutcome::Refused;
            }
            shard.closed = true;
            shard.totals = Some(*totals);
            CloseOutcome::Closed
        })
    }

    /// The second half.
    pub(crate) fn add_sums(&mut self, by: By, job: &JobId, totals: &ShardTotals) -> PortResult<()> {
        self.change_job(by, job, |record| {
            let mut shard = Shard {
                sealed: true,
                ..Shard::default()
            };
            record.job.close_shard(&mut shard, totals);
        })
    }
}
