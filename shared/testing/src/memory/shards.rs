//! What the memory store keeps of one shard, and the decisions about it.

use std::collections::BTreeMap;
use std::ops::Range;

use batchfleet_core::batch::{BatchItem, Completion, Lease, Publication, Shard, ShardTotals};
use batchfleet_core::ids::OwnerId;
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{ClaimOutcome, CompleteOutcome, Held, TicketOutcome};
use batchfleet_core::{PortError, PortResult};

/// A shard: its own item once published, its pages, and the batches that were ever claimed.
#[derive(Debug, Default)]
pub(super) struct ShardRecord {
    pub(super) item: Option<Shard>,
    pub(super) pages: BTreeMap<u32, PlanPage>,
    pub(super) batches: BTreeMap<u32, BatchItem>,
}

impl ShardRecord {
    /// Keeps a page. A page is immutable: whoever writes it again must write the same (I5).
    pub(super) fn write_page(&mut self, number: u32, page: &PlanPage) -> PortResult<()> {
        let kept = self.pages.entry(number).or_insert_with(|| page.clone());
        if kept == page {
            Ok(())
        } else {
            Err(PortError::corrupt(
                "a page of the plan",
                format!("page {number} was written before with other ranges"),
            ))
        }
    }

    /// Raises what is published; an older publication, or any after the seal, changes nothing.
    pub(super) fn publish(&mut self, publication: &Publication) {
        let newer = self.item.is_none_or(|shard| {
            let grows = publication.published > shard.published;
            let seals = publication.published == shard.published && publication.sealed;
            !shard.sealed && (grows || seals)
        });
        if newer {
            let before = self.item.unwrap_or(UNPUBLISHED);
            self.item = Some(Shard {
                published: publication.published,
                sealed: publication.sealed,
                start: publication.start,
                end: publication.end,
                ..before
            });
        }
    }

    /// Takes tickets where as many are left, below both what the caller saw and what is true.
    pub(super) fn take_tickets(&mut self, count: u32, published_seen: u32) -> TicketOutcome {
        let Some(shard) = &mut self.item else {
            return TicketOutcome::Short(UNPUBLISHED);
        };
        let limit = published_seen.min(shard.published);
        match shard.cursor.checked_add(count) {
            Some(end) if end <= limit => {
                let taken: Range<u32> = shard.cursor..end;
                shard.cursor = end;
                TicketOutcome::Taken(taken)
            }
            _ => TicketOutcome::Short(*shard),
        }
    }

    /// Closes the shard where it is sealed and open; whether it did.
    pub(super) fn close(&mut self, totals: &ShardTotals) -> bool {
        match &mut self.item {
            Some(shard) if shard.sealed && !shard.closed => {
                shard.closed = true;
                shard.totals = Some(*totals);
                true
            }
            _ => false,
        }
    }

    /// Claims, or answers again the claim that `owner` has in force: a repeat of the same call.
    pub(super) fn claim(
        &mut self,
        key: &batchfleet_core::batch::BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> ClaimOutcome {
        let item = self.batches.entry(key.slot).or_default();
        if item.is_claimable(now_ms) {
            *item = std::mem::take(item).claimed(owner, until_ms);
        } else if item.status.is_over() {
            return ClaimOutcome::Over;
        } else if item.owner.as_ref() != Some(owner) {
            return ClaimOutcome::HeldUntil(item.lease_until_ms);
        }
        ClaimOutcome::Claimed(Lease {
            key: key.clone(),
            owner: owner.clone(),
            fence: item.fence,
            attempt: item.attempts,
        })
    }

    /// Changes the batch if `lease` is in force.
    pub(super) fn under_lease(
        &mut self,
        lease: &Lease,
        change: impl FnOnce(BatchItem) -> BatchItem,
    ) -> Held {
        match self.batches.get_mut(&lease.key.slot) {
            Some(item) if item.is_held_by(lease) => {
                *item = change(std::mem::take(item));
                Held::Kept
            }
            _ => Held::Lost,
        }
    }

    /// Completes, or finds that this very call completed the batch before.
    pub(super) fn complete(&mut self, lease: &Lease, completion: &Completion) -> CompleteOutcome {
        if self.under_lease(lease, |item| item.completed(completion.clone())) == Held::Kept {
            return CompleteOutcome::Completed;
        }
        let by_this_call = self.batches.get(&lease.key.slot).is_some_and(|item| {
            item.status.is_over()
                && item.fence == lease.fence
                && item.owner.as_ref() == Some(&lease.owner)
                && item.completion.as_ref() == Some(completion)
        });
        if by_this_call {
            CompleteOutcome::Completed
        } else {
            CompleteOutcome::Lost
        }
    }
}

/// A shard of which nothing is published.
const UNPUBLISHED: Shard = Shard {
    published: 0,
    cursor: 0,
    sealed: false,
    closed: false,
    start: 0,
    end: 0,
    totals: None,
};
