//! I1, I5 and I7: the plan tiles the file at its records' first bytes, and never changes.

use batchfleet_core::invariants;

use super::super::history::{Change, History};
use super::{Imported, Verdict, rows_of, violated};

/// I1: the batches tile the data, in order, and each begins where a row does (I7). Of a job that did
/// not complete, those that are planned begin right.
pub(super) fn tiles(job: &Imported<'_>) -> Verdict {
    let batches = job.batches();
    let ranges: Vec<_> = batches.iter().map(|(range, _)| *range).collect();
    let places = &job.file.places;
    for range in &ranges {
        let rows = rows_of(range);
        let (Some(start), Some(end)) = (places.get(rows.start), places.get(rows.end)) else {
            return violated("I7", format!("{range:?} has rows that the file has not"));
        };
        let planned = (range.start, range.end, range.first_line);
        if planned != (start.byte, end.byte, start.line) {
            return violated(
                "I7",
                format!("{range:?}, but its rows are at {start:?}..{end:?}"),
            );
        }
    }
    match (places.first(), places.last()) {
        (Some(first), Some(last)) if job.is_completed() => {
            invariants::tiles(&ranges, first.byte, last.byte)
        }
        _ => Ok(()),
    }
}

/// I5: a page of the plan is written once; again, it is the same.
pub(super) fn pages_are_immutable(history: &History) -> Verdict {
    for (by, change) in &history.changes {
        if let Change::Page {
            job,
            shard,
            page,
            before: Some(before),
            after,
        } = change
        {
            let actor = by.actor;
            return violated(
                "I5",
                format!(
                    "page {shard}/{page} of {job} was rewritten by #{actor}: {before:?} became {after:?}"
                ),
            );
        }
    }
    Ok(())
}

/// I5: what is published stays so; and no ticket is given out beyond it, lest a batch that is
/// published later be passed over.
pub(super) fn publications_only_grow(history: &History) -> Verdict {
    for (by, change) in &history.changes {
        let Change::Shard {
            step,
            number,
            before,
            after,
            ..
        } = change
        else {
            continue;
        };
        let grows = after.published >= before.published
            && after.sealed >= before.sealed
            && after.closed >= before.closed
            && (before.published == 0 || after.start == before.start)
            && (!before.sealed || (after.published, after.end) == (before.published, before.end));
        if !grows || after.cursor > after.published {
            let actor = by.actor;
            return violated(
                "I5",
                format!("shard {number}: {step} by #{actor}: {before:?} became {after:?}"),
            );
        }
    }
    Ok(())
}

/// I5: no byte of another version was read.
pub(super) fn reads_are_pinned(history: &History) -> Verdict {
    for (by, read) in &history.reads {
        let is_pinned = match &read.wanted.version {
            Some(version) => read.got.version.as_ref() == Some(version),
            None => read.got.etag == read.wanted.etag,
        };
        if !is_pinned {
            let actor = by.actor;
            let (wanted, got) = (&read.wanted, &read.got);
            return violated(
                "I5",
                format!("#{actor} asked for {wanted:?} and read {got:?}"),
            );
        }
    }
    Ok(())
}
