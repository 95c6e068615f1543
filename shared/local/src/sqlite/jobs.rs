//! Steps 1 and 10 to 12 of the protocol: a job's beginning and end.

use batchfleet_core::PortError;
use batchfleet_core::batch::ShardTotals;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::{Ending, Job, NewJob};
use batchfleet_core::ports::{
    CloseOutcome, CreateOutcome, FinalizeOutcome, PauseOutcome, Snapshot,
};
use batchfleet_core::throttle::Throttle;
use batchfleet_core::watch::Watch;
use rusqlite::{Connection, params};

use super::{Fault, JobEntry, rows, sql};

pub(super) fn create(tx: &Connection, new: &NewJob) -> Result<CreateOutcome, Fault> {
    if !rows::insert_job(tx, &Job::new(new))? {
        return Ok(CreateOutcome::Exists);
    }
    let id = new.id.as_str();
    tx.execute(sql::INSERT_SNAPSHOT, params![id, new.definition_text])?;
    tx.execute(sql::INSERT_PREPARER, params![id])?;
    Ok(CreateOutcome::Created)
}

/// The job that a step is about, which must exist.
pub(super) fn existing(tx: &Connection, id: &JobId, action: &'static str) -> Result<Job, Fault> {
    let found = rows::job(tx, id)?;
    found.ok_or_else(|| PortError::refused(action, format!("there is no job {id}")).into())
}

pub(super) fn snapshot(tx: &Connection, job: &JobId) -> Result<Option<Snapshot>, Fault> {
    let mut statement = tx.prepare_cached(sql::SELECT_SNAPSHOT)?;
    let mut rows = statement.query(params![job.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let layout: Option<String> = row.get(1)?;
    Ok(Some(Snapshot {
        definition_text: row.get(0)?,
        layout: rows::maybe_from_json("the layout of a job", layout.as_deref())?,
    }))
}

pub(super) fn close_shard(
    tx: &Connection,
    id: &JobId,
    number: u32,
    totals: &ShardTotals,
) -> Result<CloseOutcome, Fault> {
    let Some(mut shard) = rows::shard(tx, id, number)? else {
        return Ok(CloseOutcome::Refused);
    };
    let mut job = existing(tx, id, "close shard")?;
    let outcome = job.close_shard(&mut shard, totals);
    if outcome == CloseOutcome::Closed {
        rows::put_shard(tx, id, number, &shard)?;
        rows::update_job(tx, &job)?;
    }
    Ok(outcome)
}

pub(super) fn finalize(
    tx: &Connection,
    id: &JobId,
    ending: &Ending,
    finished_ms: u64,
) -> Result<FinalizeOutcome, Fault> {
    let mut job = existing(tx, id, "finalize job")?;
    let outcome = job.end(ending, finished_ms);
    if outcome == FinalizeOutcome::Won {
        rows::update_job(tx, &job)?;
    }
    Ok(outcome)
}

pub(super) fn set_paused(
    tx: &Connection,
    id: &JobId,
    paused: bool,
    now_ms: u64,
) -> Result<PauseOutcome, Fault> {
    let mut job = existing(tx, id, "pause job")?;
    let outcome = job.set_paused(paused, now_ms);
    if outcome == PauseOutcome::Done {
        rows::update_job(tx, &job)?;
    }
    Ok(outcome)
}

pub(super) fn clear_outbox(tx: &Connection, id: &JobId) -> Result<(), Fault> {
    let mut job = existing(tx, id, "clear outbox")?;
    job.outbox = false;
    rows::update_job(tx, &job)
}

pub(super) fn set_throttle(
    tx: &Connection,
    id: &JobId,
    seen: Option<Throttle>,
    throttle: Throttle,
) -> Result<(), Fault> {
    let mut job = existing(tx, id, "set throttle")?;
    job.set_throttle(seen, throttle);
    rows::update_job(tx, &job)
}

pub(super) fn record_watch(tx: &Connection, job: &JobId, watch: &Watch) -> Result<(), Fault> {
    match rows::watch(tx, job)? {
        Some(kept) if kept.token >= watch.token => Ok(()),
        _ => rows::put_watch(tx, job, watch),
    }
}

pub(super) fn open(tx: &rusqlite::Transaction<'_>) -> Result<Vec<JobId>, Fault> {
    let mut statement = tx.prepare_cached(sql::SELECT_OPEN_JOBS)?;
    let mut found = statement.query([])?;
    let mut jobs = Vec::new();
    while let Some(row) = found.next()? {
        let id: String = row.get(0)?;
        jobs.push(JobId::parse(&id).map_err(|error| PortError::corrupt("the id of a job", error))?);
    }
    Ok(jobs)
}

/// Sorted here, because statements compare no numbers.
pub(super) fn list(tx: &rusqlite::Transaction<'_>) -> Result<Vec<JobEntry>, Fault> {
    let mut statement = tx.prepare_cached(sql::SELECT_JOBS)?;
    let mut found = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        let (id, status): (String, String) = (row.get(0)?, row.get(1)?);
        entries.push(JobEntry {
            id: JobId::parse(&id).map_err(|error| PortError::corrupt("the id of a job", error))?,
            status: rows::job_status(&status)?,
            created_ms: row.get::<_, i64>(2)?.cast_unsigned(),
        });
    }
    entries.sort_by_key(|entry| entry.created_ms);
    Ok(entries)
}
