//! Steps 1 and 10 to 12 of the protocol: a job's beginning and end.

use batchfleet_core::PortError;
use batchfleet_core::batch::ShardTotals;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::{Counts, Ending, Job, JobEvent, JobStatus, NewJob};
use batchfleet_core::ports::{CloseOutcome, CreateOutcome, FinalizeOutcome, Snapshot};
use rusqlite::{Connection, params};

use super::{Fault, JobEntry, rows, sql};

pub(super) fn create(tx: &Connection, new: &NewJob) -> Result<CreateOutcome, Fault> {
    let job = Job {
        id: new.id.clone(),
        status: JobStatus::Preparing,
        source: new.source.clone(),
        definition_name: new.definition_name.clone(),
        policy: new.policy,
        created_ms: new.created_ms,
        plan: None,
        shards_closed: 0,
        closed: Counts::default(),
        closed_bytes: 0,
        finished_ms: None,
        reason: None,
        outbox: false,
    };
    if !rows::insert_job(tx, &job)? {
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
    if shard.closed {
        return Ok(CloseOutcome::AlreadyClosed);
    }
    let mut job = existing(tx, id, "close shard")?;
    if !shard.sealed || job.status.is_terminal() {
        return Ok(CloseOutcome::Refused);
    }
    shard.closed = true;
    shard.totals = Some(*totals);
    rows::put_shard(tx, id, number, &shard)?;
    job.shards_closed += 1;
    job.closed += totals.counts;
    job.closed_bytes += totals.bytes;
    rows::update_job(tx, &job)?;
    Ok(CloseOutcome::Closed)
}

pub(super) fn finalize(
    tx: &Connection,
    id: &JobId,
    ending: &Ending,
    finished_ms: u64,
) -> Result<FinalizeOutcome, Fault> {
    let mut job = existing(tx, id, "finalize job")?;
    if job.status.is_terminal() {
        return Ok(FinalizeOutcome::AlreadyOver(job.status));
    }
    let is_whole = job
        .plan
        .is_some_and(|plan| plan.shards == job.shards_closed);
    let (event, is_ready, reason) = match ending {
        Ending::Completed => (JobEvent::Balanced, is_whole, None),
        Ending::Failed(reason) => (JobEvent::Failed, true, Some(reason.clone())),
    };
    match job.status.after(event) {
        Some(status) if is_ready => {
            job.status = status;
            job.finished_ms = Some(finished_ms);
            job.reason = reason;
            job.outbox = true;
            rows::update_job(tx, &job)?;
            Ok(FinalizeOutcome::Won)
        }
        _ => Ok(FinalizeOutcome::NotReady),
    }
}

pub(super) fn clear_outbox(tx: &Connection, id: &JobId) -> Result<(), Fault> {
    let mut job = existing(tx, id, "clear outbox")?;
    job.outbox = false;
    rows::update_job(tx, &job)
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
