//! Steps 2 to 5 and 9 of the protocol: the preparer's hold and what it writes.

use batchfleet_core::PortError;
use batchfleet_core::batch::{Publication, Shard};
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{Checkpoint, JobEvent, JobStatus, Layout, PlanTotals, PreparerHold};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{Held, PreparerOutcome};
use rusqlite::{Connection, params};

use super::rows::Preparer;
use super::{Fault, jobs, rows, sql};

pub(super) fn take_preparer(
    tx: &Connection,
    id: &JobId,
    owner: &OwnerId,
    now_ms: u64,
    until_ms: u64,
) -> Result<PreparerOutcome, Fault> {
    let job = jobs::existing(tx, id, "take preparer")?;
    if job.status != JobStatus::Preparing {
        return Ok(PreparerOutcome::NotPreparing(job.status));
    }
    let mut preparer = rows::preparer(tx, id)?.unwrap_or_default();
    if preparer.lease_until_ms <= now_ms {
        preparer.owner = Some(owner.clone());
        preparer.fence += 1;
        preparer.lease_until_ms = until_ms;
        rows::update_preparer(tx, id, &preparer)?;
    } else if preparer.owner.as_ref() != Some(owner) {
        return Ok(PreparerOutcome::HeldUntil(preparer.lease_until_ms));
    }
    // Taken now, or by this very call when it was made before and its response was lost.
    let hold = PreparerHold {
        job: id.clone(),
        owner: owner.clone(),
        fence: preparer.fence,
    };
    Ok(PreparerOutcome::Granted(hold, preparer.checkpoint))
}

/// The preparer's item where `hold` is in force.
fn held(tx: &Connection, hold: &PreparerHold) -> Result<Option<Preparer>, Fault> {
    let preparer = rows::preparer(tx, &hold.job)?;
    Ok(preparer.filter(|preparer| {
        preparer.fence == hold.fence && preparer.owner.as_ref() == Some(&hold.owner)
    }))
}

pub(super) fn put_layout(tx: &Connection, job: &JobId, layout: &Layout) -> Result<(), Fault> {
    let layout = rows::to_json("the layout of a job", layout)?;
    tx.execute(sql::SET_LAYOUT, params![job.as_str(), layout])?;
    Ok(())
}

pub(super) fn write_pages(
    tx: &Connection,
    job: &JobId,
    shard: u32,
    first_page: u32,
    pages: &[PlanPage],
) -> Result<(), Fault> {
    for (number, page) in (first_page..).zip(pages) {
        let text = page.encode();
        let mut insert = tx.prepare_cached(sql::INSERT_PAGE)?;
        let inserted = insert.execute(params![job.as_str(), shard, number, text])?;
        // A page is immutable: whoever writes it again must write the same (I5).
        if inserted == 0 && self::page(tx, job, shard, number)?.as_ref() != Some(page) {
            return Err(Fault::Port(PortError::corrupt(
                "a page of the plan",
                format!("page {number} of shard {shard} was written before with other ranges"),
            )));
        }
    }
    Ok(())
}

pub(super) fn page(
    tx: &Connection,
    job: &JobId,
    shard: u32,
    page: u32,
) -> Result<Option<PlanPage>, Fault> {
    let text = rows::text(tx, sql::SELECT_PAGE, params![job.as_str(), shard, page])?;
    Ok(text.as_deref().map(PlanPage::decode).transpose()?)
}

pub(super) fn pages(tx: &Connection, job: &JobId, shard: u32) -> Result<Vec<PlanPage>, Fault> {
    let mut statement = tx.prepare_cached(sql::SELECT_PAGES)?;
    let mut rows = statement.query(params![job.as_str(), shard])?;
    let mut pages = Vec::new();
    while let Some(row) = rows.next()? {
        pages.push(PlanPage::decode(&row.get::<_, String>(0)?)?);
    }
    Ok(pages)
}

/// Raises what is published; an older publication, or any after the seal, changes nothing.
pub(super) fn publish(
    tx: &Connection,
    job: &JobId,
    number: u32,
    publication: &Publication,
) -> Result<(), Fault> {
    let before = rows::shard(tx, job, number)?;
    let is_newer = before.is_none_or(|shard| {
        let grows = publication.published > shard.published;
        let seals = publication.published == shard.published && publication.sealed;
        !shard.sealed && (grows || seals)
    });
    if !is_newer {
        return Ok(());
    }
    let shard = Shard {
        published: publication.published,
        cursor: before.map_or(0, |shard| shard.cursor),
        sealed: publication.sealed,
        closed: false,
        start: publication.start,
        end: publication.end,
        totals: None,
    };
    rows::put_shard(tx, job, number, &shard)
}

pub(super) fn checkpoint(
    tx: &Connection,
    hold: &PreparerHold,
    checkpoint: &Checkpoint,
    until_ms: u64,
) -> Result<Held, Fault> {
    let Some(mut preparer) = held(tx, hold)? else {
        return Ok(Held::Lost);
    };
    preparer.checkpoint = Some(*checkpoint);
    preparer.lease_until_ms = until_ms;
    rows::update_preparer(tx, &hold.job, &preparer)?;
    Ok(Held::Kept)
}

pub(super) fn mark_prepared(
    tx: &Connection,
    hold: &PreparerHold,
    totals: &PlanTotals,
) -> Result<Held, Fault> {
    if held(tx, hold)?.is_none() {
        return Ok(Held::Lost);
    }
    let mut job = jobs::existing(tx, &hold.job, "mark prepared")?;
    if let Some(status) = job.status.after(JobEvent::Prepared) {
        job.status = status;
        job.plan = Some(*totals);
        rows::update_job(tx, &job)?;
        return Ok(Held::Kept);
    }
    // This very call may have gone through before, and its response been lost.
    if !job.status.is_terminal() && job.plan.as_ref() == Some(totals) {
        Ok(Held::Kept)
    } else {
        Ok(Held::Lost)
    }
}
