//! I6: once nothing goes wrong any more, every job ends, and within its bound.
//!
//! The bound of a job counts from the end of the faults, or from its creation if that is later; of one
//! that is paused after that, from when it was resumed or ended. With its guard or watch left in a
//! queue it is [`LEASES_MAX`] leases, [`CALLS_MAX`] calls and [`RETRIES_MS`]: the guard or the watch
//! comes after a lease, the dead holder of the planning, of a batch and of the report each keep it for
//! a lease, and clocks differ by half of one; the rest is work, with what the rows take.
//!
//! Where none was left in a queue, there was nobody but the sweeper to go on with: its period and
//! patience come on top of the end of the faults, or of the creation, and the sweep looks after a
//! paused job too. So it is where all of them were with invocations that may be dead, or were hidden
//! since one that had them failed: the visibility timeout is no part of any bound. A job that a write
//! creates which arrives after the faults, its caller gone, has only the guards that were left before.

use batchfleet_core::ids::JobId;
use batchfleet_core::job::JobStatus;
use batchfleet_core::message::Message;
use batchfleet_core::sweep;
use batchfleet_core::work::Worked;

use super::super::fleet::SWEEP_EVERY_MS;
use super::super::history::{Change, History};
use super::super::scenario::Scenario;
use super::{Evidence, Verdict, violated};

/// Leases that may have to run out one after the other.
const LEASES_MAX: u64 = 4;

/// Calls that may have to be made one after the other.
const CALLS_MAX: u64 = 1_000;

/// Pauses after errors that lie before the end of the faults, and whole seconds of queues.
const RETRIES_MS: u64 = 10_000;

/// How much later than a lease's end a worker may come that waits for it.
const OVERSLEPT_MS_MAX: u64 = 2_000;

/// I6: a worker's message of an open job is handled by sending it on, and none counts as over that is
/// open.
pub(super) fn messages_are_sent_on(history: &History) -> Verdict {
    for (by, handled) in &history.handled {
        if let Worked::JobOver(id, status) = &handled.worked
            && !status.is_terminal()
        {
            let actor = by.actor;
            return violated("I6", format!("#{actor} takes {id} for over, as {status:?}"));
        }
        let must_send = matches!(handled.worked, Worked::Deferred(..) | Worked::HandedOver(_));
        let mut sent = history.sent.iter().rev();
        let next = next(&handled.message);
        let is_sent = sent.any(|(of, sent)| of.actor == by.actor && *sent == next);
        if must_send && !is_sent {
            let (actor, worked) = (by.actor, &handled.worked);
            return violated("I6", format!("#{actor} dropped its message: {worked:?}"));
        }
    }
    Ok(())
}

/// What goes on after a message: itself; after a watch, the one that follows.
fn next(message: &Message) -> Message {
    match message {
        Message::Watch { job, token } => Message::Watch {
            job: job.clone(),
            token: token + 1,
        },
        Message::Work { .. } | Message::Prepare { .. } => message.clone(),
    }
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

/// The moments of a job, in milliseconds since 1970.
#[derive(Default)]
struct Life {
    created: Option<u64>,
    /// It was resumed or aborted for the last time.
    steered: Option<u64>,
    /// It was over, with its report written.
    over: Option<u64>,
}

fn life(history: &History, job: &JobId) -> Life {
    let mut life = Life::default();
    for (by, change) in &history.changes {
        if let Change::Job { before, after, .. } = change
            && after.id == *job
        {
            let status = before.as_ref().map(|before| before.status);
            if status.is_none() {
                life.created = Some(by.at_ms);
            }
            let is_aborted = after.status == JobStatus::Aborted && status != Some(after.status);
            if is_aborted
                || (status == Some(JobStatus::Paused) && after.status != JobStatus::Paused)
            {
                life.steered = Some(by.at_ms);
            }
            if after.status.is_terminal() && !after.outbox {
                life.over = life.over.or(Some(by.at_ms));
            }
        }
    }
    life
}

/// What all rows take of the time of one worker.
fn rows_ms(scenario: &Scenario) -> u64 {
    let uploads = scenario.uploads.iter();
    let rows: usize = uploads.map(|upload| upload.file.rows.len()).sum();
    rows as u64 * scenario.goes_max() * scenario.steering.step.ms
}

/// How long every job took to end after it could, against its bound: both in milliseconds.
pub(crate) fn delays(evidence: &Evidence<'_>) -> Vec<(String, Option<u64>, u64)> {
    let faults_end_ms = evidence.scenario.faults_end_at_ms();
    let lease_ms = evidence.scenario.policy.lease_ms;
    let mut delays = Vec::new();
    for id in evidence.table.jobs.keys() {
        let life = life(evidence.history, id);
        let can_go_on_ms = life.created.unwrap_or(0).max(faults_end_ms);
        let since_ms = can_go_on_ms.max(life.steered.unwrap_or(0));
        let calls_ms = CALLS_MAX * evidence.scenario.latency_ms;
        let mut bound_ms =
            LEASES_MAX * lease_ms + calls_ms + RETRIES_MS + rows_ms(evidence.scenario);
        let mut standing = evidence.history.standing.iter();
        if standing.any(|standing| standing.job == *id && standing.is_lost) {
            let swept_ms = can_go_on_ms + SWEEP_EVERY_MS + sweep::GRACE_MS + lease_ms;
            bound_ms += swept_ms.saturating_sub(since_ms);
        }
        delays.push((
            id.to_string(),
            life.over.map(|over_ms| over_ms.saturating_sub(since_ms)),
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
