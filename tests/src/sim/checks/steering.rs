//! What operators are promised: pausing and ending a job take effect within 2 s, an abort that was
//! answered stays, and once a job's report is written nothing of it moves any more.

use std::collections::BTreeMap;

use batchfleet_core::batch::{BatchKey, BatchStatus};
use batchfleet_core::ids::JobId;
use batchfleet_core::job::JobStatus;

use super::super::history::{Change, History};
use super::super::steering::{Command, Obeyed};
use super::super::world::ActorId;
use super::{Evidence, Imported, Verdict, violated};

/// The name of these promises, beside I1 to I8.
const CONTROLS: &str = "controls";

/// Within this a worker claims nothing more, and has handed back what it holds.
const EFFECT_MS: u64 = 2_000;

/// How often a worker looks whether its job was paused or ended: the part of it that is no call.
const LOOK_EVERY_MS: u64 = 1_000;

/// Calls that may lie between the last look that still found the job running and the end of a lease:
/// the definition, page, claim, the name of a worn batch, its bytes, the next look, the rejects in both
/// forms with the part beside them, the completion; a heartbeat may come between any two of them.
const CALLS_MAX: u64 = 14;

/// A time in which nothing of a job is to be claimed: it is paused, or over.
struct Rest {
    from_ms: u64,
    to_ms: u64,
    status: JobStatus,
}

/// The rests of every job, in order.
fn rests(history: &History) -> BTreeMap<&JobId, Vec<Rest>> {
    let mut rests: BTreeMap<&JobId, Vec<Rest>> = BTreeMap::new();
    for (by, change) in &history.changes {
        let Change::Job {
            before: Some(before),
            after,
            ..
        } = change
        else {
            continue;
        };
        if before.status == after.status {
            continue;
        }
        let of_job = rests.entry(&after.id).or_default();
        if let Some(last) = of_job.last_mut() {
            last.to_ms = by.at_ms;
        }
        of_job.push(Rest {
            from_ms: by.at_ms,
            to_ms: u64::MAX,
            status: after.status,
        });
    }
    for of_job in rests.values_mut() {
        of_job.retain(|rest| rest.status == JobStatus::Paused || rest.status.is_terminal());
    }
    rests
}

/// A lease as it was: who held it, from when to when.
struct Holding<'a> {
    key: &'a BatchKey,
    actor: ActorId,
    from_ms: u64,
    to_ms: u64,
}

/// Every lease that an invocation held which met no fault.
fn holdings(history: &History) -> Vec<Holding<'_>> {
    let mut open: BTreeMap<(&JobId, u32, u32), Holding<'_>> = BTreeMap::new();
    let mut holdings = Vec::new();
    for (by, change) in &history.changes {
        let Change::Batch {
            step, key, after, ..
        } = change
        else {
            continue;
        };
        let place = (&key.job, key.shard, key.slot);
        if (*step == "claim" || after.status != BatchStatus::Leased)
            && let Some(mut held) = open.remove(&place)
        {
            held.to_ms = by.at_ms;
            holdings.push(held);
        }
        if *step == "claim" && !history.disturbed.contains(&by.actor) {
            let held = Holding {
                key,
                actor: by.actor,
                from_ms: by.at_ms,
                to_ms: u64::MAX,
            };
            open.insert(place, held);
        }
    }
    holdings.extend(open.into_values());
    holdings
}

/// Two seconds after a job was paused or is over, nobody claims a batch of it, and each that was held
/// has been handed back or is done. Of invocations that met no fault: a call may take half a lease, and
/// a frozen worker looks when it wakes up.
pub(super) fn rest_is_kept(evidence: &Evidence<'_>) -> Verdict {
    let calls_ms = CALLS_MAX * 2 * evidence.scenario.latency_ms;
    let step_ms = evidence.scenario.steering.step.ms;
    let hand_back_ms = EFFECT_MS.max(LOOK_EVERY_MS + step_ms + calls_ms);
    let rests = rests(evidence.history);
    for held in holdings(evidence.history) {
        for rest in rests.get(&held.key.job).map_or(&[][..], Vec::as_slice) {
            let at_rest = |at_ms| rest.from_ms <= at_ms && at_ms < rest.to_ms;
            let after_ms = held.from_ms.saturating_sub(rest.from_ms);
            let latest_ms = rest.from_ms + hand_back_ms;
            let is_late = at_rest(held.from_ms) && after_ms > EFFECT_MS;
            let is_kept = held.from_ms < rest.to_ms && at_rest(latest_ms) && held.to_ms > latest_ms;
            if is_late || is_kept {
                let what = if is_late { "claimed" } else { "still held" };
                let (place, actor) = ((held.key.shard, held.key.slot), held.actor);
                let (status, id) = (rest.status, &held.key.job);
                return violated(
                    CONTROLS,
                    format!(
                        "batch {place:?} of {id} was {what} by #{actor} from {after_ms} ms after the job \
                         was {status:?}, until {} ms",
                        held.to_ms.saturating_sub(rest.from_ms)
                    ),
                );
            }
        }
    }
    Ok(())
}

/// Once its report is written and its mark cleared, no batch of a job changes, whoever wakes up.
pub(super) fn reported_jobs_rest(history: &History) -> Verdict {
    let mut reported: BTreeMap<&JobId, u64> = BTreeMap::new();
    for (by, change) in &history.changes {
        match change {
            Change::Job { after, .. } if after.status.is_terminal() && !after.outbox => {
                reported.entry(&after.id).or_insert(by.at_ms);
            }
            Change::Batch { step, key, .. } if reported.contains_key(&key.job) => {
                let (place, actor) = ((key.shard, key.slot), by.actor);
                let since_ms = by.at_ms - reported[&key.job];
                let id = &key.job;
                return violated(
                    CONTROLS,
                    format!(
                        "batch {place:?} of {id}: {step} by #{actor}, {since_ms} ms after its report"
                    ),
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a command answered is so: an abort stays an abort, and no command is answered as if the job
/// were over that is not.
pub(super) fn answers_are_true(evidence: &Evidence<'_>, job: &Imported<'_>) -> Verdict {
    let (id, status) = (&job.record.job.id, job.record.job.status);
    let answers = evidence.history.obeyed.iter();
    for (by, _, command, obeyed) in answers.filter(|(_, of, _, _)| of == id) {
        let is_true = match obeyed {
            Obeyed::Over(answered) => answered.is_terminal() && *answered == status,
            Obeyed::Paused | Obeyed::Resumed | Obeyed::TooEarly => *command != Command::Abort,
            Obeyed::Redriving(attempt) => attempt != id || job.record.job.source.attempt > 0,
            Obeyed::NotRedriven => true,
        };
        if !is_true {
            let actor = by.actor;
            return violated(
                CONTROLS,
                format!("{command:?} by #{actor} came to {obeyed:?}, and {id} is {status:?}"),
            );
        }
    }
    Ok(())
}

/// Whether anybody ever asked for the end of the job.
pub(super) fn was_aborted(evidence: &Evidence<'_>, id: &JobId) -> bool {
    let mut orders = evidence.history.orders.iter();
    orders.any(|(_, of, command)| of == id && *command == Command::Abort)
}
