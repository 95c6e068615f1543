//! Operators: what they ask for at random moments, and the commands that do it.
//!
//! It is drawn from a stream of the seed's own: a run without operators is the one that its seed
//! stood for before there were any, and that it stays for ever.
//!
//! Redrives come in an encore: once every job is over and nothing is left to happen, faults begin
//! again, and with them what is drawn from a third stream: redrives of what was left undone or
//! rejected, paused and aborted like any job. What is promised of them is checked in
//! `checks/redrive`.

use std::sync::Arc;

use batchfleet_core::close::Closer;
use batchfleet_core::ids::JobId;
use batchfleet_core::job::JobStatus;
use batchfleet_core::message::Message;
use batchfleet_core::ports::{Clock, PauseOutcome, Queue, Store};
use batchfleet_core::prepare::next_attempt;
use batchfleet_core::source::Redriven;
use batchfleet_core::{PortError, PortResult};

use super::random::Random;

/// What an operator can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Pause,
    Resume,
    Abort,
    Redrive(Redriven),
}

/// One command, given at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// After the first event of the upload; of the encore, after its beginning.
    pub(crate) after_ms: u64,
    /// Whose job it is about.
    pub(crate) upload: usize,
    pub(crate) command: Command,
    /// How often it is given again where it failed or was killed, before the operator walks away.
    pub(crate) repeats: u32,
}

/// Everything that operators do in one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steering {
    pub(crate) orders: Vec<Order>,
    /// From then on, counted from the beginning of the run, a job that is paused is resumed, whatever
    /// paused it: a pause whose caller gave up waiting may arrive after every order to resume.
    pub(crate) looked_after_ms: u64,
    /// How a worker goes through the records of a batch.
    pub(crate) step: Step,
    /// What happens when all is over; nothing in most runs.
    pub(crate) encore: Vec<Order>,
    /// How long faults happen again then.
    pub(crate) encore_faults_ms: u64,
}

/// How a worker goes through the records of a batch: a pause strikes between two steps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    /// Records in one step; `None` for as many as in production, more than any batch here has.
    pub(crate) records: Option<u32>,
    /// What a step takes.
    pub(crate) ms: u64,
}

/// How often an operator looks whether a job is paused that should not be.
pub(crate) const LOOKS_AFTER_EVERY_MS: u64 = 5_000;

impl Steering {
    /// What operators do under this seed to so many uploads, until some time after the faults. In
    /// every other run it is nothing.
    pub(crate) fn draw(seed: u64, uploads: usize, faults_end_ms: u64, lease_ms: u64) -> Self {
        let mut steering = Self::default();
        steering.draw_encore(&mut Random::stream(seed, 2), uploads);
        let mut random = Random::stream(seed, 1);
        if random.one_in(2) {
            return steering;
        }
        if random.one_in(2) {
            steering.step = Step {
                records: Some(1),
                ms: random.pick(&[0, 400]),
            };
        }
        // Quick enough to meet the planning, a batch, the ending; or any time until after the faults.
        let within_ms = random.pick(&[300, 3_000, 15_000, faults_end_ms + 5_000]);
        for upload in 0..uploads {
            for _ in 0..random.below(4) {
                draw_one(&mut random, &mut steering.orders, upload, within_ms);
            }
        }
        let last_ms = steering.orders.iter().map(|order| order.after_ms).max();
        // The last late write arrives two leases after the faults. An upload comes 15 s after the
        // beginning at most, its first event 20 s after that.
        let quiet_ms = faults_end_ms + 2 * lease_ms + LOOKS_AFTER_EVERY_MS;
        steering.looked_after_ms = quiet_ms.max(last_ms.unwrap_or(0) + 35_000);
        steering
    }
}

impl Steering {
    /// In one of three runs, each upload is redriven up to three times.
    fn draw_encore(&mut self, random: &mut Random, uploads: usize) {
        if !random.one_in(3) {
            return;
        }
        self.encore_faults_ms = random.pick(&[0, 5_000, 40_000]);
        let within_ms = random.pick(&[1_000, 10_000, 60_000]);
        for upload in 0..uploads {
            for _ in 0..random.between(1, 3) {
                let what = random.pick(&[Redriven::Failed, Redriven::Failed, Redriven::Rejected]);
                let after_ms = random.below(within_ms);
                self.encore.push(Order {
                    after_ms,
                    upload,
                    command: Command::Redrive(what),
                    repeats: 5,
                });
                if random.one_in(3) {
                    let after_ms = after_ms + random.below(3_000);
                    draw_story(random, &mut self.encore, upload, after_ms);
                }
            }
        }
    }
}

/// One story: a pause and its end, or an abort; given once, or by two operators at once.
fn draw_one(random: &mut Random, orders: &mut Vec<Order>, upload: usize, within_ms: u64) {
    let after_ms = random.between(1, within_ms);
    draw_story(random, orders, upload, after_ms);
}

fn draw_story(random: &mut Random, orders: &mut Vec<Order>, upload: usize, after_ms: u64) {
    let mut give = |random: &mut Random, after_ms, command| {
        let repeats = random.pick(&[0, 1, 5]);
        let order = Order {
            after_ms,
            upload,
            command,
            repeats,
        };
        orders.push(order);
        if random.one_in(4) {
            let after_ms = after_ms + random.below(200);
            orders.push(Order { after_ms, ..order });
        }
    };
    if random.one_in(3) {
        give(random, after_ms, Command::Abort);
        return;
    }
    give(random, after_ms, Command::Pause);
    let paused_ms = random.pick(&[100, 2_000, 6_000, 30_000]);
    let resumed_ms = after_ms + random.below(paused_ms);
    give(random, resumed_ms, Command::Resume);
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Obeyed {
    Paused,
    Resumed,
    /// The job is still being planned, and can't be paused before that has ended.
    TooEarly,
    /// The job is over, as this, and so neither paused nor resumed; or, after an abort, its report is
    /// written as well.
    Over(JobStatus),
    /// The attempt is asked for.
    Redriving(JobId),
    /// There can be none now.
    NotRedriven,
}

/// How long a pause waits for the planning to end, and an abort for its report beyond a lease; and
/// how often it is looked whether that is so: as the commands of the command line.
const PLANNING_WAIT_MS: u64 = 60_000;
const REPORT_WAIT_MS: u64 = 30_000;
const LOOK_MS: u64 = 250;

/// Does what an operator asks for.
pub(crate) struct Operator {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) closer: Closer,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Operator {
    pub(crate) async fn obey(&self, command: Command, job: &JobId) -> PortResult<Obeyed> {
        match command {
            Command::Pause => self.pause(job).await,
            Command::Resume => match self.set_paused(job, false).await? {
                PauseOutcome::Done => Ok(Obeyed::Resumed),
                PauseOutcome::NotPossible(JobStatus::Preparing) => Ok(Obeyed::TooEarly),
                PauseOutcome::NotPossible(status) => Ok(Obeyed::Over(status)),
            },
            Command::Abort => self.abort(job).await,
            Command::Redrive(what) => self.redrive(job, what).await,
        }
    }

    async fn redrive(&self, job: &JobId, what: Redriven) -> PortResult<Obeyed> {
        let Ok(source) = next_attempt(&*self.store, job, what).await? else {
            return Ok(Obeyed::NotRedriven);
        };
        let attempt = source.job_id();
        self.queue.send(&Message::Prepare { source }, 0).await?;
        Ok(Obeyed::Redriving(attempt))
    }

    async fn set_paused(&self, job: &JobId, paused: bool) -> PortResult<PauseOutcome> {
        let now_ms = self.clock.now_ms();
        self.store.set_paused(job, paused, now_ms).await
    }

    async fn pause(&self, job: &JobId) -> PortResult<Obeyed> {
        let planning_ends_ms = self.clock.now_ms() + PLANNING_WAIT_MS;
        loop {
            match self.set_paused(job, true).await? {
                PauseOutcome::Done => return Ok(Obeyed::Paused),
                PauseOutcome::NotPossible(JobStatus::Preparing) => {
                    if self.clock.now_ms() >= planning_ends_ms {
                        return Ok(Obeyed::TooEarly);
                    }
                    self.clock.sleep_ms(LOOK_MS).await;
                }
                PauseOutcome::NotPossible(status) => return Ok(Obeyed::Over(status)),
            }
        }
    }

    async fn abort(&self, id: &JobId) -> PortResult<Obeyed> {
        let status = self.closer.abort(id).await?;
        let begun_ms = self.clock.now_ms();
        loop {
            let job = self.store.job(id).await?;
            let job = job.ok_or_else(|| PortError::refused("abort", "the job is gone"))?;
            if !job.outbox {
                return Ok(Obeyed::Over(status));
            }
            if self.clock.now_ms() >= begun_ms + job.policy.lease_ms + REPORT_WAIT_MS {
                return Err(PortError::transient(
                    "abort",
                    "the report is not written yet",
                ));
            }
            self.closer.report_owed(id).await?;
        }
    }
}
