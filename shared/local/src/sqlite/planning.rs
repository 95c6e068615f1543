//! Steps 2 to 5 and 9 of the protocol: the preparer's hold and what it writes.

use batchfleet_core::PortError;
use batchfleet_core::batch::Publication;
use batchfleet_core::ids::{JobId, OwnerId};
use batchfleet_core::job::{Checkpoint, Layout, PlanTotals, PreparerHold};
use batchfleet_core::plan::PlanPage;
use batchfleet_core::ports::{Held, PreparerOutcome};
use rusqlite::{Connection, params};

use super::{Fault, jobs, rows, sql};

pub(super) fn take_preparer(
    tx: &Connection,
    id: &JobId,
    owner: &OwnerId,
    now_ms: u64,
    until_ms: u64,
) -> Result<PreparerOutcome, Fault> {
    let job = jobs::existing(tx, id, "take preparer")?;
    let mut preparer = rows::preparer(tx, id)?.unwrap_or_default();
    let outcome = preparer.take(&job, owner, now_ms, until_ms);
    if matches!(outcome, PreparerOutcome::Granted(..)) {
        rows::update_preparer(tx, id, &preparer)?;
    }
    Ok(outcome)
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

pub(super) fn publish(
    tx: &Connection,
    job: &JobId,
    number: u32,
    publication: &Publication,
) -> Result<(), Fault> {
    let existing = jobs::existing(tx, job, "publish")?;
    let mut shard = rows::shard(tx, job, number)?.unwrap_or_default();
    if existing.publish(&mut shard, publication) {
        rows::put_shard(tx, job, number, &shard)?;
    }
    Ok(())
}

pub(super) fn checkpoint(
    tx: &Connection,
    hold: &PreparerHold,
    checkpoint: &Checkpoint,
    until_ms: u64,
) -> Result<Held, Fault> {
    let mut preparer = rows::preparer(tx, &hold.job)?.unwrap_or_default();
    let kept = preparer.checkpoint(hold, checkpoint, until_ms);
    if kept == Held::Kept {
        rows::update_preparer(tx, &hold.job, &preparer)?;
    }
    Ok(kept)
}

pub(super) fn mark_prepared(
    tx: &Connection,
    hold: &PreparerHold,
    totals: &PlanTotals,
) -> Result<Held, Fault> {
    let Some(preparer) = rows::preparer(tx, &hold.job)? else {
        return Ok(Held::Lost);
    };
    let mut job = jobs::existing(tx, &hold.job, "mark prepared")?;
    let kept = job.mark_prepared(&preparer, hold, totals);
    if kept == Held::Kept {
        rows::update_job(tx, &job)?;
    }
    Ok(kept)
}
