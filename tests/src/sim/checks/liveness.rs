//! I6: once nothing goes wrong any more, every job ends, and within its bound.
//!
//! The bound of a job counts from the end of the faults, or from its creation if that is later. With
//! its guard or watch left in a queue it is [`LEASES_MAX`] leases, [`CALLS_MAX`] calls and
//! [`RETRIES_MS`]: the guard or the watch comes after a lease, the dead holder of the planning, of a
//! batch and of the report each keep it for a lease, and clocks differ by half of one; the rest is
//! work. Where all of them were with invocations that may be dead, the sweeper's period and patience
//! come on top.

use batchfleet_core::sweep;
use batchfleet_core::work::Worked;

use super::super::fleet::SWEEP_EVERY_MS;
use super::super::history::{Change, History};
use super::{Evidence, Verdict, violated};

/// Leases that may have to run out one after the other.
const LEASES_MAX: u64 = 4;

/// Calls that may have to be made one after the other.
const CALLS_MAX: u64 = 1_000;

/// Pauses after errors that lie before the end of the faults, and whole seconds of queues.
const RETRIES_MS: u64 = 10_000;

/// How much later than a lease's end a worker may come that waits for it.
const OVERSLEPT_MS_MAX: u64 = 2_000;

/// I6: a worker's message of an open job is handled by sending it on.
pub(super) fn messages_are_sent_on(history: &History) -> Verdict {
    for (by, handled) in &history.handled {
        let must_send = matches!(handled.worked, Worked::Deferred(..) | Worked::HandedOver(_));
        let mut sent = history.sent.iter().rev();
        let is_sent = sent.any(|(of, sent)| of.actor == by.actor && *sent == handled.message);
        if must_send && !is_sent {
            let (actor, worked) = (by.actor, &handled.worked);
            return violated("I6", format!("#{actor} dropped its message: {worked:?}"));
        }
    }
    Ok(())
}

/// I6: a worker that waits, waits no longer than the first lease that ends, and two seconds. Only of
/// what began after the faults had ended: a worker that met one comes back after a pause.
pub(super) fn nobody_oversleeps(evidence: &Evidence<'_>) -> Verdict {
    let quiet_ms = evidence.scenario.faults_end_at_ms();
    for (by, handled) in &evidence.history.handled {
        let (Worked::Deferred(_, delay_ms), Some(free_ms)) =
            (&handled.worked, handled.next_claimable_in_ms)
        else {
            continue;
        };
        if handled.begun_ms >= quiet_ms && *delay_ms > free_ms + OVERSLEPT_MS_MAX {
            let actor = by.actor;
            return violated(
                "I6",
                format!("#{actor} waits {delay_ms} ms, a batch can be claimed in {free_ms} ms"),
            );
        }
    }
    Ok(())
}

/// When a job was created, and when it was over with its report written.
fn life(history: &History, job: &batchfleet_core::ids::JobId) -> (Option<u64>, Option<u64>) {
    let (mut created, mut over) = (None, None);
    for (by, change) in &history.changes {
        if let Change::Job { before, after, .. } = change
            && after.id == *job
        {
            if before.is_none() {
                created = Some(by.at_ms);
            }
            if after.status.is_terminal() && !after.outbox {
                over = over.or(Some(by.at_ms));
            }
        }
    }
    (created, over)
}

/// How long every job took to end after it could, against its bound: both in milliseconds.
pub(crate) fn delays(evidence: &Evidence<'_>) -> Vec<(String, Option<u64>, u64)> {
    let faults_end_ms = evidence.scenario.faults_end_at_ms();
    let lease_ms = evidence.scenario.policy.lease_ms;
    let mut delays = Vec::new();
    for id in evidence.table.jobs.keys() {
        let (created, over) = life(evidence.history, id);
        let since = created.unwrap_or(0).max(faults_end_ms);
        let mut standing = evidence.history.standing.iter();
        let mut bound_ms =
            LEASES_MAX * lease_ms + CALLS_MAX * evidence.scenario.latency_ms + RETRIES_MS;
        if standing.any(|standing| standing.job == *id && standing.is_lost) {
            bound_ms += SWEEP_EVERY_MS + sweep::GRACE_MS + lease_ms;
        }
        delays.push((
            id.to_string(),
            over.map(|over| over.saturating_sub(since)),
            bound_ms,
        ));
    }
    delays
}

/// I6: every job is over, its report written and its mark cleared, within the bound.
pub(super) fn every_job_ends_in_time(evidence: &Evidence<'_>) -> Verdict {
    for (id, took, bound_ms) in delays(evidence) {
        match took {
            Some(took_ms) if took_ms <= bound_ms => {}
            Some(took_ms) => {
                return violated(
                    "I6",
                    format!(
                        "{id} ended {took_ms} ms after the faults, over its bound of {bound_ms} ms"
                    ),
                );
            }
            None => {
                let record = evidence
                    .table
                    .jobs
                    .values()
                    .find(|record| record.job.id.as_str() == id);
                let job = record.map(|record| (record.job.status, record.job.outbox));
                return violated(
                    "I6",
                    format!("{id} never ended: {job:?} with its mark, after an hour"),
                );
            }
        }
    }
    Ok(())
}
