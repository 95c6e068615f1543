//! The store's methods that concern single batches (steps 7 and 8), and the sweep over a shard's.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::ReturnValue;
use batchfleet_core::PortResult;
use batchfleet_core::batch::{BatchKey, Completion, Lease};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::ports::{CancelOutcome, ClaimOutcome, CompleteOutcome, Held, ShardView};

use super::job::missing;
use super::metering::Kind;
use super::schema::{self, Change};
use super::{Applied, DynamoStore, item};

impl DynamoStore {
    /// Step 7.
    pub(super) async fn claim_batch(
        &self,
        key: &BatchKey,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PortResult<ClaimOutcome> {
        let lease = |fence, attempt| Lease {
            key: key.clone(),
            owner: owner.clone(),
            fence,
            attempt,
        };
        let change = schema::claim(key, owner, now_ms, until_ms, self.expires());
        match self
            .apply(Kind::Claim, "claim batch", change, ReturnValue::UpdatedNew)
            .await?
        {
            Applied::Done(new) => {
                let new = item::Fields::of("the batch", &new);
                let (fence, attempt) = (new.number(schema::FENCE)?, new.number(schema::ATTEMPTS)?);
                Ok(ClaimOutcome::Claimed(lease(fence, attempt)))
            }
            Applied::Unmet(None) => Err(missing("claim batch", "batch")),
            Applied::Unmet(Some(old)) => {
                let batch = item::batch(&old)?;
                if batch.status.is_over() {
                    return Ok(ClaimOutcome::Over);
                }
                // A lost response: an owner never claims what it holds, so this lease is this call's.
                if batch.owner.as_ref() == Some(owner) && batch.lease_until_ms > now_ms {
                    return Ok(ClaimOutcome::Claimed(lease(batch.fence, batch.attempts)));
                }
                Ok(ClaimOutcome::HeldUntil(batch.lease_until_ms))
            }
        }
    }

    /// Step 12. A repeated try after a lost response finds the batch over, which is as good.
    pub(super) async fn cancel_batch(
        &self,
        key: &BatchKey,
        now_ms: u64,
    ) -> PortResult<CancelOutcome> {
        let change = schema::cancel(key, now_ms, self.expires());
        match self
            .apply(Kind::Other, "cancel batch", change, ReturnValue::None)
            .await?
        {
            Applied::Done(_) => Ok(CancelOutcome::Cancelled),
            Applied::Unmet(None) => Err(missing("cancel batch", "batch")),
            Applied::Unmet(Some(old)) => {
                let batch = item::batch(&old)?;
                Ok(if batch.status.is_over() {
                    CancelOutcome::Over
                } else {
                    CancelOutcome::HeldUntil(batch.lease_until_ms)
                })
            }
        }
    }

    /// Step 8. A repeated try finds its own lease, only longer.
    pub(super) async fn extend_lease(&self, lease: &Lease, until_ms: u64) -> PortResult<Held> {
        let change = schema::heartbeat(lease, until_ms);
        self.under_lease(Kind::Heartbeat, "extend lease", change)
            .await
    }

    /// Step 8. A repeated try after a lost response finds the batch handed back, and is told
    /// [`Held::Lost`]; either way the caller holds it no more.
    pub(super) async fn release_batch(&self, lease: &Lease) -> PortResult<Held> {
        self.under_lease(Kind::Release, "release batch", schema::release(lease))
            .await
    }

    async fn under_lease(
        &self,
        kind: Kind,
        action: &'static str,
        change: Change,
    ) -> PortResult<Held> {
        match self.apply(kind, action, change, ReturnValue::None).await? {
            Applied::Done(_) => Ok(Held::Kept),
            Applied::Unmet(_) => Ok(Held::Lost),
        }
    }

    /// Step 8.
    pub(super) async fn complete_batch(
        &self,
        lease: &Lease,
        completion: &Completion,
    ) -> PortResult<CompleteOutcome> {
        let text = item::json("the completion", completion)?;
        let change = schema::complete(lease, completion.failed, text);
        let old = match self
            .apply(Kind::Complete, "complete batch", change, ReturnValue::None)
            .await?
        {
            Applied::Done(_) => return Ok(CompleteOutcome::Completed),
            Applied::Unmet(old) => old.as_ref().map(item::batch).transpose()?,
        };
        // A lost response: the batch is over under this very lease, with this very completion.
        let done = old.is_some_and(|batch| {
            batch.status.is_over()
                && batch.owner.as_ref() == Some(&lease.owner)
                && batch.fence == lease.fence
                && batch.completion.as_ref() == Some(completion)
        });
        Ok(if done {
            CompleteOutcome::Completed
        } else {
            CompleteOutcome::Lost
        })
    }

    /// The shard and its batches. The shard is read first: once it is sealed its number of batches
    /// is final, and a batch that is over stays so, so the later reads can only show more done.
    pub(super) async fn view_shard(
        &self,
        job: &JobId,
        shard: u32,
    ) -> PortResult<Option<ShardView>> {
        let Some(view) = self.read_shard(job, shard).await? else {
            return Ok(None);
        };
        let pk = schema::shard_pk(job, shard);
        let found = self.query("sweep shard", pk, schema::BATCH_PREFIX).await?;
        let mut batches = BTreeMap::new();
        for stored in &found {
            let slot = item::slot(stored)?;
            // Published, and claimed, after the shard was read.
            if slot < view.published {
                batches.insert(slot, item::batch(stored)?);
            }
        }
        Ok(Some(ShardView {
            shard: view,
            batches,
        }))
    }
}
