//! Steps 6 to 8 of the protocol: tickets, claims, completions, and the sweep.

use std::collections::BTreeMap;

use batchfleet_core::batch::{BatchKey, Completion, Lease, Shard};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::ports::{
    CancelOutcome, ClaimOutcome, CompleteOutcome, Held, ShardView, TicketOutcome,
};
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
        return Ok(TicketOutcome::Short(Shard::default()));
    };
    let outcome = shard.take_tickets(count, published_seen);
    if matches!(outcome, TicketOutcome::Taken(_)) {
        rows::put_shard(tx, job, number, &shard)?;
    }
    Ok(outcome)
}

pub(super) fn claim(
    tx: &Connection,
    key: &BatchKey,
    owner: &OwnerId,
    now_ms: u64,
    until_ms: u64,
) -> Result<ClaimOutcome, Fault> {
    let mut item = rows::batch(tx, key)?.unwrap_or_default();
    let outcome = item.claim(key, owner, now_ms, until_ms);
    if matches!(outcome, ClaimOutcome::Claimed(_)) {
        rows::put_batch(tx, key, &item)?;
    }
    Ok(outcome)
}

pub(super) fn cancel(tx: &Connection, key: &BatchKey, now_ms: u64) -> Result<CancelOutcome, Fault> {
    let mut item = rows::batch(tx, key)?.unwrap_or_default();
    let outcome = item.cancel(now_ms);
    if outcome == CancelOutcome::Cancelled {
        rows::put_batch(tx, key, &item)?;
    }
    Ok(outcome)
}

pub(super) fn heartbeat(tx: &Connection, lease: &Lease, until_ms: u64) -> Result<Held, Fault> {
    let mut item = rows::batch(tx, &lease.key)?.unwrap_or_default();
    let kept = item.heartbeat(lease, until_ms);
    if kept == Held::Kept {
        rows::put_batch(tx, &lease.key, &item)?;
    }
    Ok(kept)
}

pub(super) fn release(tx: &Connection, lease: &Lease) -> Result<Held, Fault> {
    let mut item = rows::batch(tx, &lease.key)?.unwrap_or_default();
    let kept = item.release(lease);
    if kept == Held::Kept {
        rows::put_batch(tx, &lease.key, &item)?;
    }
    Ok(kept)
}

pub(super) fn complete(
    tx: &Connection,
    lease: &Lease,
    completion: &Completion,
) -> Result<CompleteOutcome, Fault> {
    let mut item = rows::batch(tx, &lease.key)?.unwrap_or_default();
    let outcome = item.complete(lease, completion);
    if outcome == CompleteOutcome::Completed {
        rows::put_batch(tx, &lease.key, &item)?;
    }
    Ok(outcome)
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
