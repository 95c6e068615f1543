//! Rows as the domain's values, and back. Decides nothing.

use batchfleet_core::PortError;
use batchfleet_core::batch::{BatchItem, BatchKey, BatchStatus, Shard};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{Job, JobStatus};
use batchfleet_core::preparer::PreparerItem;
use batchfleet_core::watch::Watch;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Fault, sql};

/// A number as SQLite keeps it: the signed one of the same bits.
pub(super) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

pub(super) fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| PortError::corrupt(what, error).into())
}

pub(super) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| PortError::corrupt(what, error).into())
}

fn maybe_to_json<T: Serialize>(
    what: &'static str,
    value: Option<&T>,
) -> Result<Option<String>, Fault> {
    value.map(|value| to_json(what, value)).transpose()
}

pub(super) fn maybe_from_json<T: DeserializeOwned>(
    what: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, Fault> {
    text.map(|text| from_json(what, text)).transpose()
}

pub(super) fn job_status(text: &str) -> Result<JobStatus, Fault> {
    JobStatus::parse(text)
        .ok_or_else(|| PortError::corrupt("the status of a job", text.to_owned()).into())
}

const JOB: &str = "a job";

pub(super) fn job(tx: &Connection, id: &JobId) -> Result<Option<Job>, Fault> {
    let mut statement = tx.prepare_cached(sql::SELECT_JOB)?;
    let mut rows = statement.query(params![id.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Job {
        id: id.clone(),
        status: job_status(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?,
        source: from_json(JOB, &row.get::<_, String>(1)?)?,
        definition_name: row.get(2)?,
        policy: from_json(JOB, &row.get::<_, String>(3)?)?,
        created_ms: unsigned(row, 4)?,
        plan: maybe_from_json(JOB, row.get::<_, Option<String>>(5)?.as_deref())?,
        shards_closed: row.get(6)?,
        closed: from_json(JOB, &row.get::<_, String>(7)?)?,
        closed_bytes: unsigned(row, 8)?,
        finished_ms: row.get::<_, Option<i64>>(9)?.map(i64::cast_unsigned),
        reason: maybe_from_json(JOB, row.get::<_, Option<String>>(10)?.as_deref())?,
        outbox: row.get(11)?,
        throttle: maybe_from_json(JOB, row.get::<_, Option<String>>(12)?.as_deref())?,
        paused_ms: row.get::<_, Option<i64>>(13)?.map(i64::cast_unsigned),
    }))
}

/// Whether the job was not there.
pub(super) fn insert_job(tx: &Connection, job: &Job) -> Result<bool, Fault> {
    let inserted = tx.prepare_cached(sql::INSERT_JOB)?.execute(params![
        job.id.as_str(),
        job.status.as_str(),
        to_json(JOB, &job.source)?,
        job.definition_name,
        to_json(JOB, &job.policy)?,
        signed(job.created_ms),
        maybe_to_json(JOB, job.plan.as_ref())?,
        job.shards_closed,
        to_json(JOB, &job.closed)?,
        signed(job.closed_bytes),
        job.finished_ms.map(signed),
        maybe_to_json(JOB, job.reason.as_ref())?,
        job.outbox,
        maybe_to_json(JOB, job.throttle.as_ref())?,
        job.paused_ms.map(signed),
    ])?;
    Ok(inserted == 1)
}

/// Keeps what can change of a job.
pub(super) fn update_job(tx: &Connection, job: &Job) -> Result<(), Fault> {
    tx.prepare_cached(sql::UPDATE_JOB)?.execute(params![
        job.id.as_str(),
        job.status.as_str(),
        maybe_to_json(JOB, job.plan.as_ref())?,
        job.shards_closed,
        to_json(JOB, &job.closed)?,
        signed(job.closed_bytes),
        job.finished_ms.map(signed),
        maybe_to_json(JOB, job.reason.as_ref())?,
        job.outbox,
        maybe_to_json(JOB, job.throttle.as_ref())?,
        job.paused_ms.map(signed),
    ])?;
    Ok(())
}

pub(super) fn preparer(tx: &Connection, job: &JobId) -> Result<Option<PreparerItem>, Fault> {
    let mut statement = tx.prepare_cached(sql::SELECT_PREPARER)?;
    let mut rows = statement.query(params![job.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let checkpoint: Option<String> = row.get(3)?;
    Ok(Some(PreparerItem {
        owner: owner(row, 0)?,
        fence: unsigned(row, 1)?,
        lease_until_ms: unsigned(row, 2)?,
        checkpoint: maybe_from_json("a checkpoint", checkpoint.as_deref())?,
    }))
}

pub(super) fn watch(tx: &Connection, job: &JobId) -> Result<Option<Watch>, Fault> {
    let mut statement = tx.prepare_cached(sql::SELECT_WATCH)?;
    let mut rows = statement.query(params![job.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Watch {
        token: unsigned(row, 0)?,
        due_ms: unsigned(row, 1)?,
    }))
}

pub(super) fn put_tally(
    tx: &Connection,
    job: &JobId,
    owner: &OwnerId,
    rejected: u64,
) -> Result<(), Fault> {
    let values = params![job.as_str(), owner.as_str(), signed(rejected)];
    tx.prepare_cached(sql::UPSERT_TALLY)?.execute(values)?;
    Ok(())
}

/// Summed here, because statements do not count.
pub(super) fn tallied(tx: &Connection, job: &JobId) -> Result<u64, Fault> {
    let mut statement = tx.prepare_cached(sql::SELECT_TALLIES)?;
    let tallies = statement.query_map(params![job.as_str()], |row| unsigned(row, 0))?;
    Ok(tallies.sum::<rusqlite::Result<u64>>()?)
}

pub(super) fn put_watch(tx: &Connection, job: &JobId, watch: &Watch) -> Result<(), Fault> {
    let values = params![job.as_str(), signed(watch.token), signed(watch.due_ms)];
    tx.prepare_cached(sql::UPSERT_WATCH)?.execute(values)?;
    Ok(())
}

pub(super) fn update_preparer(
    tx: &Connection,
    job: &JobId,
    preparer: &PreparerItem,
) -> Result<(), Fault> {
    tx.prepare_cached(sql::UPDATE_PREPARER)?.execute(params![
        job.as_str(),
        preparer.owner.as_ref().map(OwnerId::as_str),
        signed(preparer.fence),
        signed(preparer.lease_until_ms),
        maybe_to_json("a checkpoint", preparer.checkpoint.as_ref())?,
    ])?;
    Ok(())
}

fn owner(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<OwnerId>> {
    let text: Option<String> = row.get(column)?;
    Ok(text.map(OwnerId::from_stored))
}

pub(super) fn shard(tx: &Connection, job: &JobId, number: u32) -> Result<Option<Shard>, Fault> {
    let mut statement = tx.prepare_cached(sql::SELECT_SHARD)?;
    let mut rows = statement.query(params![job.as_str(), number])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let totals: Option<String> = row.get(6)?;
    Ok(Some(Shard {
        published: row.get(0)?,
        cursor: row.get(1)?,
        sealed: row.get(2)?,
        closed: row.get(3)?,
        start: unsigned(row, 4)?,
        end: unsigned(row, 5)?,
        totals: maybe_from_json("the sums of a shard", totals.as_deref())?,
    }))
}

pub(super) fn put_shard(
    tx: &Connection,
    job: &JobId,
    number: u32,
    shard: &Shard,
) -> Result<(), Fault> {
    tx.prepare_cached(sql::UPSERT_SHARD)?.execute(params![
        job.as_str(),
        number,
        shard.published,
        shard.cursor,
        shard.sealed,
        shard.closed,
        signed(shard.start),
        signed(shard.end),
        maybe_to_json("the sums of a shard", shard.totals.as_ref())?,
    ])?;
    Ok(())
}

/// A batch that was ever claimed.
pub(super) fn batch(tx: &Connection, key: &BatchKey) -> Result<Option<BatchItem>, Fault> {
    let mut statement = tx.prepare_cached(sql::SELECT_BATCH)?;
    let mut rows = statement.query(params![key.job.as_str(), key.shard, key.slot])?;
    match rows.next()? {
        Some(row) => Ok(Some(batch_row(row)?.1)),
        None => Ok(None),
    }
}

/// A row of [`sql::SELECT_BATCH`] or [`sql::SELECT_BATCHES`], with its slot.
pub(super) fn batch_row(row: &Row<'_>) -> Result<(u32, BatchItem), Fault> {
    let status = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
    let status = BatchStatus::parse(status)
        .ok_or_else(|| PortError::corrupt("the status of a batch", status.to_owned()))?;
    let completion = row.get_ref(6)?.as_str_or_null();
    let completion = completion.map_err(rusqlite::Error::from)?;
    let item = BatchItem {
        status,
        fence: unsigned(row, 2)?,
        attempts: row.get(3)?,
        owner: owner(row, 4)?,
        lease_until_ms: unsigned(row, 5)?,
        completion: maybe_from_json("the completion of a batch", completion)?,
    };
    Ok((row.get(0)?, item))
}

pub(super) fn put_batch(tx: &Connection, key: &BatchKey, item: &BatchItem) -> Result<(), Fault> {
    tx.prepare_cached(sql::UPSERT_BATCH)?.execute(params![
        key.job.as_str(),
        key.shard,
        key.slot,
        item.status.as_str(),
        signed(item.fence),
        item.attempts,
        item.owner.as_ref().map(OwnerId::as_str),
        signed(item.lease_until_ms),
        maybe_to_json("the completion of a batch", item.completion.as_ref())?,
    ])?;
    Ok(())
}

/// One column of one row, as text.
pub(super) fn text(
    tx: &Connection,
    statement: &'static str,
    params: impl rusqlite::Params,
) -> Result<Option<String>, Fault> {
    let mut statement = tx.prepare_cached(statement)?;
    Ok(statement.query_row(params, |row| row.get(0)).optional()?)
}
