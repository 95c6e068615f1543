//! Redrives: attempts that work again on what an earlier one left undone or rejected.

use std::collections::BTreeSet;

use batchfleet_core::invariants;
use batchfleet_core::source::{Redriven, SourceRef};

use super::super::files::Told;
use super::{
    Evidence, Imported, Verdict, destination, ending, jobs, plan, rows, rows_of, steering,
    violated, was_worked,
};

/// The attempts at an upload's version, the first of them first.
fn attempts<'a>(evidence: &'a Evidence<'_>, first: Imported<'a>) -> Vec<Imported<'a>> {
    let mut source = first.source.clone();
    let mut attempts = vec![first];
    loop {
        source = SourceRef {
            attempt: source.attempt + 1,
            ..source
        };
        let Some(record) = evidence.table.jobs.get(&source.job_id()) else {
            return attempts;
        };
        let Imported {
            source,
            file,
            uploaded_ms,
            ..
        } = attempts[0];
        attempts.push(Imported {
            source,
            file,
            record,
            uploaded_ms,
        });
    }
}

/// How many attempts redrove an earlier one.
pub(crate) fn redrives(evidence: &Evidence<'_>) -> u64 {
    let jobs = evidence.table.jobs.values();
    jobs.filter(|record| record.job.source.redrive.is_some())
        .count() as u64
}

/// Each attempt has a plan, a ledger, an ending and a report like any job; and together they deliver
/// each row once.
pub(super) fn attempts_are_true(evidence: &Evidence<'_>) -> Verdict {
    for job in jobs(evidence) {
        let attempts = attempts(evidence, job?);
        for attempt in &attempts[1..] {
            plan::tiles(attempt)?;
            ledger_balances(attempt)?;
            destination::puts_are_true(evidence, attempt)?;
            ending::status_is_right(evidence, attempt)?;
            ending::one_summary(evidence, attempt)?;
            steering::answers_are_true(evidence, attempt)?;
        }
        deliver_once(evidence, &attempts)?;
    }
    Ok(())
}

/// I3: what is not worked again counts as skipped.
fn ledger_balances(attempt: &Imported<'_>) -> Verdict {
    for (range, item) in attempt.batches() {
        if let Some(done) = &item.completion {
            invariants::batch_matches_plan(&range, done)?;
        }
    }
    if attempt.is_completed() {
        let shards: Vec<_> = attempt.record.shards.values().copied().collect();
        invariants::job_balances(&attempt.record.job, &shards)?;
    }
    Ok(())
}

/// I4: no row is delivered by two attempts, nor one that is not in the file; and after a redrive of what
/// was undone that completed, none is missing but those of batches that it gave up itself.
fn deliver_once(evidence: &Evidence<'_>, attempts: &[Imported<'_>]) -> Verdict {
    let accepted = |told: &Told| match told {
        Told::Accepted(row) => Some(row.to_string()),
        Told::Fickle(_) | Told::Rejected | Told::Skipped => None,
    };
    let deliverable = |told: &Told| match told {
        Told::Fickle(row) => Some(row.to_string()),
        _ => accepted(told),
    };
    let rows = attempts[0].file.rows.iter();
    let mut missing: BTreeSet<String> = rows.filter_map(deliverable).collect();
    for attempt in attempts {
        let id = &attempt.record.job.id;
        for row in rows::delivered(evidence, attempt, &rows::uncounted(evidence, attempt)) {
            if !missing.remove(&row.to_string()) {
                let detail = format!("{id} delivered again, or what is not in the file: {row}");
                return violated("I4", detail);
            }
        }
    }
    let (Some(newest), true) = (attempts.last(), attempts.len() > 1) else {
        return Ok(());
    };
    let redrive = newest.record.job.source.redrive.as_ref();
    let is_of_failed = redrive.is_some_and(|redrive| redrive.what == Redriven::Failed);
    if !is_of_failed || !newest.is_completed() {
        return Ok(());
    }
    for (range, item) in newest.batches() {
        let rows = &newest.file.rows[rows_of(&range)];
        if was_worked(&item)
            && let Some(row) = rows
                .iter()
                .filter_map(accepted)
                .find(|row| missing.contains(row))
        {
            let id = &newest.record.job.id;
            return violated(
                "I4",
                format!("{id} completed, and no attempt delivered {row}"),
            );
        }
    }
    Ok(())
}
