//! Steps 6 to 8 of the protocol: tickets, claims, completions, and the sweep.

use std::collections::BTreeMap;

use batchfleet_core::PortError;
use batchfleet_core::batch::{BatchItem, BatchKey, Completion, Lease};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::ports::{ClaimOutcome, CompleteOutcome, Held, ShardView, TicketOutcome};
use rusqlite::{Connection, params};

use super::{Fault, rows, sql};

pub(super) fn take_tickets(
    tx: &Connection,
    job: &JobId,
    number: u32,
    count: u32,
    published_seen: u32,
) -> Result<TicketOutcome, Fault> {
    let Some(mut shard) = rows::shard(tx, job, number)? else {
        let cause = format!("nothing is published of shard {number}");
        return Err(PortError::refused("take tickets", cause).into());
    };
    let limit = published_seen.min(shard.published);
    match shard.cursor.checked_add(count) {
        Some(end) if end <= limit => {
            let taken = shard.cursor..end;
            shard.cursor = end;
            rows::put_shard(tx, job, number, &shard)?;
            Ok(TicketOutcome::Taken(taken))
        }
        _ => Ok(TicketOutcome::Short(shard)),
    }
}

/// Claims, or answers again the claim that `owner` has in force: a repeat of the same call.
pub(super) fn claim(
    tx: &Connection,
    key: &BatchKey,
    owner: &OwnerId,
    now_ms: u64,
    until_ms: u64,
) -> Result<ClaimOutcome, Fault> {
    let mut item = rows::batch(tx, key)?.unwrap_or_default();
    if item.is_claimable(now_ms) {
        item = item.claimed(owner, until_ms);
        rows::put_batch(tx, key, &item)?;
    } else if item.status.is_over() {
        return Ok(ClaimOutcome::Over);
    } else if item.owner.as_ref() != Some(owner) {
        return Ok(ClaimOutcome::HeldUntil(item.lease_until_ms));
    }
    Ok(ClaimOutcome::Claimed(Lease {
        key: key.clone(),
        owner: owner.clone(),
        fence: item.fence,
        attempt: item.attempts,
    }))
}

/// Changes the batch if `lease` is in force.
fn under_lease(
    tx: &Connection,
    lease: &Lease,
    change: impl FnOnce(BatchItem) -> BatchItem,
) -> Result<Held, Fault> {
    match rows::batch(tx, &lease.key)? {
        Some(item) if item.is_held_by(lease) => {
            rows::put_batch(tx, &lease.key, &change(item))?;
            Ok(Held::Kept)
        }
        _ => Ok(Held::Lost),
    }
}

pub(super) fn heartbeat(tx: &Connection, lease: &Lease, until_ms: u64) -> Result<Held, Fault> {
    under_lease(tx, lease, |item| BatchItem {
        lease_until_ms: until_ms,
        ..item
    })
}

pub(super) fn release(tx: &Connection, lease: &Lease) -> Result<Held, Fault> {
    under_lease(tx, lease, BatchItem::released)
}

/// Completes, or finds that this very call completed the batch before.
pub(super) fn complete(
    tx: &Connection,
    lease: &Lease,
    completion: &Completion,
) -> Result<CompleteOutcome, Fault> {
    let Some(item) = rows::batch(tx, &lease.key)? else {
        return Ok(CompleteOutcome::Lost);
    };
    if item.is_held_by(lease) {
        rows::put_batch(tx, &lease.key, &item.completed(completion.clone()))?;
        return Ok(CompleteOutcome::Completed);
    }
    let by_this_call = item.status.is_over()
        && item.fence == lease.fence
        && item.owner.as_ref() == Some(&lease.owner)
        && item.completion.as_ref() == Some(completion);
    if by_this_call {
        Ok(CompleteOutcome::Completed)
    } else {
        Ok(CompleteOutcome::Lost)
    }
}

pub(super) fn sweep(tx: &Connection, job: &JobId, number: u32) -> Result<Option<ShardView>, Fault> {
    let Some(shard) = rows::shard(tx, job, number)? else {
        return Ok(None);
    };
    let mut statement = tx.prepare_cached(sql::SELECT_BATCHES)?;
    let mut found = statement.query(params![job.as_str(), number])?;
    let mut batches = BTreeMap::new();
    while let Some(row) = found.next()? {
        let (slot, item) = rows::batch_row(row)?;
        batches.insert(slot, item);
    }
    Ok(Some(ShardView { shard, batches }))
}
