//! The preparer's item: who plans a job, under which fence, and how far that is.
//!
//! The decisions here are pure, as those of [`batch`](crate::batch).

use crate::ids::OwnerId;
use crate::job::{Checkpoint, Job, JobStatus, PreparerHold};
use crate::ports::{Held, PreparerOutcome};

/// The mutable state of a job's planning, as stored. The default is that of a job whose planning
/// nobody ever took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreparerItem {
    /// The last holder. A hold that is given up keeps its owner, so that what it did again finds
    /// itself.
    pub owner: Option<OwnerId>,
    /// Raised by every take-over.
    pub fence: u64,
    /// When the lease ends (milliseconds since 1970); 0 where none is held.
    pub lease_until_ms: u64,
    /// How far the planning is; `None` where it has not begun.
    pub checkpoint: Option<Checkpoint>,
}

impl PreparerItem {
    /// Whether `hold` is the one in force: same owner, same fence. An ended hold that nobody took
    /// over since is still in force.
    #[must_use]
    pub fn is_held_by(&self, hold: &PreparerHold) -> bool {
        self.fence == hold.fence && self.owner.as_ref() == Some(&hold.owner)
    }

    /// Step 2: takes the planning of `job`, whose item this is, where no lease is in force; or
    /// answers again the hold that `owner` has in force, a repeat of the same call.
    pub fn take(
        &mut self,
        job: &Job,
        owner: &OwnerId,
        now_ms: u64,
        until_ms: u64,
    ) -> PreparerOutcome {
        if job.status != JobStatus::Preparing {
            return PreparerOutcome::NotPreparing(job.status);
        }
        if self.lease_until_ms <= now_ms {
            self.owner = Some(owner.clone());
            self.fence += 1;
            self.lease_until_ms = until_ms;
        } else if self.owner.as_ref() != Some(owner) {
            return PreparerOutcome::HeldUntil(self.lease_until_ms);
        }
        let hold = PreparerHold {
            job: job.id.clone(),
            owner: owner.clone(),
            fence: self.fence,
        };
        PreparerOutcome::Granted(hold, self.checkpoint)
    }

    /// Step 5: records progress and extends the lease to `until_ms`, or gives it up (0).
    pub fn checkpoint(
        &mut self,
        hold: &PreparerHold,
        checkpoint: &Checkpoint,
        until_ms: u64,
    ) -> Held {
        if !self.is_held_by(hold) {
            return Held::Lost;
        }
        self.checkpoint = Some(*checkpoint);
        self.lease_until_ms = until_ms;
        Held::Kept
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use batchfleet_grammar::Position;

    use super::*;
    use crate::ids::JobId;
    use crate::job::{NewJob, PlanTotals, Policy};
    use crate::source::SourceRef;

    /// A job that was just created.
    pub(crate) fn new_job() -> Job {
        Job::new(&NewJob {
            id: JobId::derive(&["j"]),
            source: SourceRef {
                bucket: "uploads".into(),
                key: "incoming/people/a.csv".into(),
                version: None,
                etag: "0123456789abcdef".into(),
                sequencer: None,
                size: 100,
                attempt: 0,
                redrive: None,
            },
            definition_name: "people".into(),
            definition_text: "fields: {}".into(),
            policy: Policy::default(),
            created_ms: 1,
        })
    }

    fn hold(owner: u64, fence: u64) -> PreparerHold {
        PreparerHold {
            job: new_job().id,
            owner: OwnerId::from_random(owner),
            fence,
        }
    }

    fn checkpoint(next_batch: u64) -> Checkpoint {
        Checkpoint {
            next: Position {
                offset: 8,
                record: 1,
                line: 2,
            },
            next_batch,
            messages: 1,
            fruitless: 0,
        }
    }

    /// A planning that owner 1 holds until 100.
    fn taken() -> PreparerItem {
        let mut preparer = PreparerItem::default();
        let outcome = preparer.take(&new_job(), &OwnerId::from_random(1), 0, 100);
        assert_eq!(outcome, PreparerOutcome::Granted(hold(1, 1), None));
        preparer
    }

    #[test]
    fn taking_again_answers_the_same_hold_until_its_lease_ends() {
        let (job, owner) = (new_job(), OwnerId::from_random(1));
        let mut preparer = taken();
        let again = preparer.take(&job, &owner, 99, 900);
        assert_eq!(again, PreparerOutcome::Granted(hold(1, 1), None));
        assert_eq!(preparer, taken());
        let other = preparer.take(&job, &OwnerId::from_random(2), 99, 900);
        assert_eq!(other, PreparerOutcome::HeldUntil(100));

        let anew = preparer.take(&job, &owner, 100, 200);
        assert_eq!(anew, PreparerOutcome::Granted(hold(1, 2), None));
        assert!(!preparer.is_held_by(&hold(1, 1)));
    }

    #[test]
    fn a_hold_that_is_given_up_counts_until_someone_takes_over() {
        let mut preparer = taken();
        for next_batch in [25, 50] {
            let kept = preparer.checkpoint(&hold(1, 1), &checkpoint(next_batch), 0);
            assert_eq!(kept, Held::Kept);
        }
        let next = preparer.take(&new_job(), &OwnerId::from_random(2), 1, 100);
        let expected = PreparerOutcome::Granted(hold(2, 2), Some(checkpoint(50)));
        assert_eq!(next, expected);
        let late = preparer.checkpoint(&hold(1, 1), &checkpoint(75), 0);
        assert_eq!(late, Held::Lost);
        assert_eq!(preparer.checkpoint, Some(checkpoint(50)));
    }

    #[test]
    fn the_planning_ends_once_under_the_hold_in_force() {
        let (mut job, preparer) = (new_job(), taken());
        let totals = |shards| PlanTotals {
            shards,
            ..PlanTotals::default()
        };
        for (hold, shards, expected) in [
            (hold(2, 1), 1, Held::Lost),
            (hold(1, 0), 1, Held::Lost),
            (hold(1, 1), 1, Held::Kept),
            (hold(1, 1), 1, Held::Kept),
            (hold(1, 1), 2, Held::Lost),
            (hold(2, 1), 1, Held::Lost),
        ] {
            let marked = job.mark_prepared(&preparer, &hold, &totals(shards));
            assert_eq!(marked, expected, "{hold:?} with {shards}");
        }
        assert_eq!(job.status, JobStatus::Processing);
        assert_eq!(job.plan, Some(totals(1)));
        let taken = preparer.clone().take(&job, &hold(1, 1).owner, 900, 1_000);
        let expected = PreparerOutcome::NotPreparing(JobStatus::Processing);
        assert_eq!(taken, expected);

        job.status = JobStatus::Failed;
        let marked = job.mark_prepared(&preparer, &hold(1, 1), &totals(1));
        assert_eq!(marked, Held::Lost, "the job is over");
    }
}
