//! One sentence on why a job does not move, or that it does. Pure: it judges what a look saw.
//!
//! A worker that lives extends its leases at a third of their length, and a preparer reports after
//! every window of the file. So one who is silent for half a lease is probably gone, and what it
//! holds is free when the lease ends.

use batchfleet_core::job::JobStatus;

use crate::look::{Dead, Look, Slowed, Sums};
use crate::outcome::{duration, plural, thousands};
use crate::site::Workers;

/// What is to be said of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// Whether it moves.
    pub(crate) moving: bool,
    pub(crate) sentence: String,
}

/// Explains a job. `over_before` is how many batches were over at an earlier look, a second or more
/// ago; `command` spells a command about this job.
pub(crate) fn explain(
    look: &Look,
    over_before: Option<u64>,
    command: impl Fn(&str) -> String,
) -> Explanation {
    let mut said = explain_state(look, over_before, command);
    let more = [
        look.slowed()
            .map(|slowed| format!("throttled by a service: {}", fleet(slowed))),
        look.dead.as_ref().map(|dead| among_dead(dead, look.now_ms)),
    ];
    for more in more.into_iter().flatten() {
        said.sentence.extend(["; ", &more]);
    }
    said
}

/// `12 of 50 workers run, all in 21 s`.
pub(crate) fn fleet(slowed: Slowed) -> String {
    format!(
        "{} of {} workers run, all in {}",
        slowed.workers,
        slowed.of,
        duration(slowed.all_ms)
    )
}

/// Messages of the job were given up.
pub(crate) fn among_dead(dead: &Dead, now_ms: u64) -> String {
    let (which, them) = if dead.messages == 1 {
        ("", "is")
    } else {
        ("the oldest ", "are")
    };
    let since = dead.sent_ms.map_or_else(String::new, |sent| {
        format!(
            " ({which}sent {} ago)",
            duration(now_ms.saturating_sub(sent))
        )
    });
    format!(
        "{} of the job{since} {them} among the dead letters; {}",
        plural(dead.messages, "message"),
        dead.command
    )
}

/// What is to be said of the job's state alone.
fn explain_state(
    look: &Look,
    over_before: Option<u64>,
    command: impl Fn(&str) -> String,
) -> Explanation {
    let sums = look.sums();
    let moving =
        over_before.is_some_and(|before| sums.over() > before) || has_live_worker(look, &sums);
    let stuck = |sentence| Explanation {
        moving: false,
        sentence,
    };
    if look.job.status.is_terminal() {
        return stuck(over(look, &sums));
    }
    if look.job.status == JobStatus::Paused {
        return stuck(paused(look, &sums, &command("resume")));
    }
    if look.workers == Workers::None {
        return stuck(format!(
            "no run works in this folder: start the same `batchfleet run` again, and it goes on from {}",
            done_of(look, &sums)
        ));
    }
    if moving {
        let planned = if look.job.status == JobStatus::Preparing {
            "; the file is still being planned"
        } else {
            ""
        };
        return Explanation {
            moving,
            sentence: format!(
                "moving: {}, {} held{planned}",
                done_of(look, &sums),
                sums.leased
            ),
        };
    }
    if look.job.status == JobStatus::Preparing {
        return planning(look, &sums);
    }
    if sums.over() == look.batches(&sums) {
        return Explanation {
            moving: true,
            sentence: format!(
                "all {} are over, and the job is about to be closed{}",
                plural(sums.over(), "batch"),
                and_watch(look)
            ),
        };
    }
    stuck(waiting(look, &sums))
}

/// How long someone may be silent before it counts as probably gone.
fn patience_ms(look: &Look) -> u64 {
    look.job.policy.lease_ms / 2
}

fn has_live_worker(look: &Look, sums: &Sums) -> bool {
    let since = look.now_ms.saturating_sub(patience_ms(look));
    sums.seen_ms.iter().any(|&seen| seen >= since)
}

/// `12 of 40 batches done`.
fn done_of(look: &Look, sums: &Sums) -> String {
    let so_far = if look.job.plan.is_none() {
        " found so far"
    } else {
        ""
    };
    let batches = plural(look.batches(sums), "batch");
    format!("{} of {batches}{so_far} done", thousands(sums.over()))
}

fn over(look: &Look, sums: &Sums) -> String {
    let status = look.job.status.as_str();
    if !look.job.outbox {
        return match &look.job.reason {
            Some(reason) => format!("the job is over: {status}, {}", reason.message),
            None => format!("the job is over: {status}"),
        };
    }
    let patience_ends = look.job.finished_ms.unwrap_or(0) + look.job.policy.lease_ms;
    let why = match (sums.last_end_ms, look.workers) {
        (_, Workers::None) => {
            "no run works in this folder; start the same `batchfleet run` again, and it writes it"
                .to_owned()
        }
        (Some(end), _) => format!(
            "{} still held, for {} at most",
            are(sums.leased),
            duration(end.saturating_sub(look.now_ms))
        ),
        (None, Workers::Running) => "the run is about to write it".to_owned(),
        (None, Workers::Functions) if patience_ends > look.now_ms => format!(
            "whoever ended the job is at it, or others do it in {}",
            duration(patience_ends - look.now_ms)
        ),
        (None, Workers::Functions) => {
            format!("whoever ended the job is gone{}", and_watch(look))
        }
    };
    format!("the job is over ({status}); its report is not written yet: {why}")
}

fn paused(look: &Look, sums: &Sums, resume: &str) -> String {
    let done = done_of(look, sums);
    let mut sentence = match look.paused_for_ms() {
        Some(ms) => format!(
            "the job has been paused for {}, with {done}; {resume}",
            duration(ms)
        ),
        // By a release that did not keep since when.
        None => format!("the job is paused with {done}; {resume}"),
    };
    if sums.leased > 0 && look.workers != Workers::None {
        let held = are(sums.leased);
        sentence.extend([
            "; ",
            &held,
            " still held, by workers that let go within 2 s",
        ]);
    }
    if look.workers == Workers::None {
        sentence +=
            "; no run works in this folder, so start the same `batchfleet run` again as well";
    }
    sentence
}

fn planning(look: &Look, sums: &Sums) -> Explanation {
    let preparer = &look.preparer;
    let lease_ms = look.job.policy.lease_ms;
    let left_ms = preparer.lease_until_ms.saturating_sub(look.now_ms);
    let silent_ms = look
        .now_ms
        .saturating_sub(preparer.lease_until_ms.saturating_sub(lease_ms));
    if left_ms > 0 && silent_ms <= patience_ms(look) {
        return Explanation {
            moving: true,
            sentence: format!(
                "moving: the file is being planned, {} so far",
                plural(sums.published, "batch")
            ),
        };
    }
    let sentence = if preparer.fence == 0 {
        format!(
            "nobody has begun to plan the job, created {} ago: its message is still waiting, or \
             nothing takes messages from the prepare queue",
            duration(look.now_ms.saturating_sub(look.job.created_ms))
        )
    } else if left_ms > 0 {
        format!(
            "the preparer has not reported for {}; its lease ends in {}",
            duration(silent_ms),
            duration(left_ms)
        )
    } else if preparer.lease_until_ms == 0 {
        "the planning was handed over, and the next preparer has not begun".to_owned()
    } else {
        format!(
            "the preparer was last heard of {} ago and its lease has ended; the next message of the \
             prepare queue goes on from its checkpoint",
            duration(silent_ms)
        )
    };
    Explanation {
        moving: false,
        sentence,
    }
}

/// Batches are left, and nobody who is heard of works on them.
fn waiting(look: &Look, sums: &Sums) -> String {
    let free = sums.claimable();
    let held = sums
        .seen_ms
        .iter()
        .max()
        .zip(sums.next_end_ms)
        .map(|(seen, end)| {
            format!(
                "{} held by {} last seen {} ago; {} claimable in {}",
                are(sums.leased),
                if sums.leased == 1 {
                    "a worker"
                } else {
                    "workers"
                },
                duration(look.now_ms.saturating_sub(*seen)),
                if sums.leased == 1 {
                    "it becomes"
                } else {
                    "they become"
                },
                duration(end.saturating_sub(look.now_ms))
            )
        });
    match held {
        Some(held) if free == 0 => held,
        Some(held) => format!(
            "{} claimable and nobody claims {}{}; {held}",
            are(free),
            them(free),
            who(look)
        ),
        None if free == 0 => {
            "every batch that is published is over, and the others are not published".to_owned()
        }
        None => {
            let all = match (free == look.batches(sums), free) {
                (true, 1) => "the one batch is".to_owned(),
                (true, _) => format!("all {} batches are", thousands(free)),
                (false, _) => are(free),
            };
            format!(
                "{all} claimable and nobody claims {}{}",
                them(free),
                who(look)
            )
        }
    }
}

/// Who is missing.
fn who(look: &Look) -> String {
    match look.workers {
        Workers::Running => {
            ": the run in this folder is at another job, or only beginning".to_owned()
        }
        Workers::None => String::new(),
        Workers::Functions => {
            let due = watch_due(look).unwrap_or_default();
            format!(": are workers running? ({due})")
        }
    }
}

/// When the watch of a deployed stack comes.
fn watch_due(look: &Look) -> Option<String> {
    if look.workers != Workers::Functions {
        return None;
    }
    let due_ms = match look.watch {
        None => return Some("the sweeper wakes the job".to_owned()),
        Some(watch) => watch.due_ms,
    };
    Some(if due_ms > look.now_ms {
        format!(
            "the watch looks after it in {}",
            duration(due_ms - look.now_ms)
        )
    } else {
        format!(
            "the watch is {} late, and the sweeper sends another",
            duration(look.now_ms - due_ms)
        )
    })
}

/// The same behind a sentence.
fn and_watch(look: &Look) -> String {
    watch_due(look).map_or_else(String::new, |due| format!("; {due}"))
}

/// `1 batch is`, `2 batches are`.
fn are(batches: u64) -> String {
    let verb = if batches == 1 { "is" } else { "are" };
    format!("{} {verb}", plural(batches, "batch"))
}

fn them(batches: u64) -> &'static str {
    if batches == 1 { "it" } else { "them" }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
