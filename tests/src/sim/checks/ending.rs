//! I4: one terminal transition, the right one; one report, written, and the mark cleared.

use std::collections::BTreeMap;

use batchfleet_core::batch::{Shard, ShardTotals};
use batchfleet_core::job::{Counts, Job, JobStatus, ReasonCode};
use batchfleet_core::report::{SUMMARY_FILE, Summary};

use super::super::history::{Change, History};
use super::{Evidence, Imported, Verdict, steering, violated};

/// I4: a job that is over stays as it ended, but for its mark; and what a job sums up is at every
/// moment what its closed shards sum up.
pub(super) fn one_ending(history: &History) -> Verdict {
    for (by, change) in &history.changes {
        let Change::Job {
            before: Some(before),
            after,
            shards,
        } = change
        else {
            continue;
        };
        let actor = by.actor;
        let unmarked = |job: &Job| Job {
            outbox: false,
            ..job.clone()
        };
        if before.status.is_terminal() && (unmarked(before) != unmarked(after) || after.outbox) {
            return violated(
                "I4",
                format!("#{actor} changed a job that was over: {before:?} became {after:?}"),
            );
        }
        if after.status.is_terminal() && !before.status.is_terminal() && !after.outbox {
            return violated("I4", format!("#{actor} ended the job without its mark"));
        }
        let (sums, closed) = sums(shards);
        if (sums, closed) != (after.closed, after.shards_closed) {
            return violated(
                "I4",
                format!(
                    "{closed} closed shards sum to {sums:?}, the job to {:?}",
                    after.closed
                ),
            );
        }
    }
    Ok(())
}

fn sums(shards: &[Shard]) -> (Counts, u32) {
    let mut sums = Counts::default();
    let closed: Vec<ShardTotals> = shards.iter().filter_map(|shard| shard.totals).collect();
    for totals in &closed {
        sums += totals.counts;
    }
    (sums, closed.len() as u32)
}

/// I4: a shard closes once, when it is sealed and every batch of it is over, with their sums.
pub(super) fn shards_close_once_and_whole(history: &History) -> Verdict {
    let mut closed = BTreeMap::new();
    for (by, change) in &history.changes {
        let Change::Shard {
            job,
            number,
            before,
            after,
            batches,
            ..
        } = change
        else {
            continue;
        };
        if before.closed || !after.closed {
            continue;
        }
        let actor = by.actor;
        if closed.insert((job.clone(), *number), actor).is_some() {
            return violated("I4", format!("shard {number} was closed again by #{actor}"));
        }
        let mut sums = Counts::default();
        let mut over = 0;
        for done in batches.values().filter_map(|item| item.completion.as_ref()) {
            sums += done.counts;
            over += 1;
        }
        let counted = after.totals.map(|totals| totals.counts);
        if !before.sealed || over != before.published || counted != Some(sums) {
            return violated(
                "I4",
                format!(
                    "#{actor} closed shard {number} with {over} batches over, {sums:?}: {before:?} became {after:?}"
                ),
            );
        }
    }
    Ok(())
}

/// I4 and I5: the job ended as it had to.
pub(super) fn status_is_right(evidence: &Evidence<'_>, job: &Imported<'_>) -> Verdict {
    if !job.record.job.status.is_terminal() {
        // How long it may take is another promise.
        return Ok(());
    }
    let was_overwritten = evidence.history.uploads.iter().any(|(at_ms, other)| {
        other.version.is_none()
            && other.key == job.source.key
            && other.etag != job.source.etag
            && *at_ms > job.uploaded_ms
    });
    let id = &job.record.job.id;
    let is_right = match job.failed_as() {
        None if job.record.job.status == JobStatus::Aborted => steering::was_aborted(evidence, id),
        None => job.is_completed() && job.file.has_header,
        Some(ReasonCode::SourceChanged) => was_overwritten,
        Some(ReasonCode::EmptyFile | ReasonCode::BadHeader) => !job.file.has_header,
        Some(ReasonCode::BadSource) => may_run_out_of_time(evidence, job),
        Some(_) => false,
    };
    if is_right {
        return Ok(());
    }
    let (status, reason) = (job.record.job.status, &job.record.job.reason);
    violated("I4", format!("{id} ended as {status:?}, {reason:?}"))
}

/// Whether calls may be so slow that several preparers in a row get no further with a file that each must
/// go through from its beginning: a slow call takes up to half a lease.
fn may_run_out_of_time(evidence: &Evidence<'_>, job: &Imported<'_>) -> bool {
    let scenario = evidence.scenario;
    let begins_anew = job.file.packed.is_some() || scenario.unique;
    let is_slow = scenario.faults.slow > 0 || scenario.faults.freeze > 0;
    begins_anew && is_slow && scenario.time_limit_ms < 2 * scenario.policy.lease_ms
}

/// I4: the report of a job that is over was written, is the same however often it was, and says what
/// the table says in the end.
pub(super) fn one_summary(evidence: &Evidence<'_>, job: &Imported<'_>) -> Verdict {
    let id = &job.record.job.id;
    if !job.record.job.status.is_terminal() || job.record.job.outbox {
        return Ok(());
    }
    let Some(text) = evidence.bucket.result(id, SUMMARY_FILE) else {
        return violated("I4", format!("{id} is over and has no summary"));
    };
    let written = evidence
        .history
        .summaries
        .iter()
        .filter(|(_, of, _)| of == id);
    for (by, _, other) in written {
        if other != text {
            let actor = by.actor;
            return violated(
                "I4",
                format!("{id} has two summaries: #{actor} wrote {other:?}, the last is {text:?}"),
            );
        }
    }
    let Ok(summary) = serde_json::from_slice::<Summary>(text) else {
        return violated("I4", format!("the summary of {id} does not read"));
    };
    if job.is_completed() && !summary.uncounted_parts.is_empty() {
        let parts = &summary.uncounted_parts;
        return violated(
            "I4",
            format!("{id} completed and leaves {parts:?} uncounted"),
        );
    }
    let mut counts = Counts::default();
    let mut batches = 0;
    for done in job
        .record
        .batches
        .values()
        .filter_map(|item| item.completion.as_ref())
    {
        counts += done.counts;
        batches += 1;
    }
    if (summary.status, summary.counts, summary.batches) != (job.record.job.status, counts, batches)
    {
        return violated(
            "I4",
            format!(
                "{id}: the table has {batches} batches over, {counts:?}; the summary says {} and {:?}",
                summary.batches, summary.counts
            ),
        );
    }
    Ok(())
}
