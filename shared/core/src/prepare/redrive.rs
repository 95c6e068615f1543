//! Planning a redrive: the plan of the attempt before, taken over as it is.
//!
//! Nobody re-derives a plan (I5), so a redrive has the very batches of the attempt before, under the
//! same indexes, and reads the same version of the source. Which of their records are worked again
//! the workers find out batch by batch (`work::scope`); all others count as skipped.

use batchfleet_definition::Definition;
use batchfleet_grammar::{BatchRange, Position};

use super::planning::Planning;
use super::text::SourceText;
use super::{Prepared, Preparer, Stop, dialect_changed};
use crate::batch::Publication;
use crate::error::{PortError, PortResult};
use crate::ids::JobId;
use crate::job::{Job, Layout, Policy, Reason, ReasonCode};
use crate::ports::{Held, Store};
use crate::source::{Redrive, Redriven, SourceRef};

/// The policy of a redrive: the batches of the attempt before, everything else as for a new job.
pub(super) fn policy(new: Policy, before: &Policy) -> Policy {
    Policy {
        batch_records_max: before.batch_records_max,
        batch_bytes_max: before.batch_bytes_max,
        shard_batches: before.shard_batches,
        page_batches: before.page_batches,
        ..new
    }
}

/// The attempt that redrives the newest one at a job's source; or why there can be none, for whoever
/// asked for it. A redrive that is already at it is answered again; of two that ask at once for
/// different ones, the first to make the job decides.
///
/// # Errors
/// The store's.
pub async fn next_attempt(
    store: &dyn Store,
    job: &JobId,
    what: Redriven,
) -> PortResult<Result<SourceRef, String>> {
    let Some(mut newest) = store.job(job).await? else {
        return Ok(Err(format!("there is no job {job}")));
    };
    loop {
        let next = SourceRef {
            attempt: newest.source.attempt + 1,
            redrive: Some(Redrive {
                of: newest.id.clone(),
                what,
            }),
            ..newest.source.clone()
        };
        match store.job(&next.job_id()).await? {
            Some(newer) => newest = newer,
            None if is_at_it(&newest, what) => return Ok(Ok(newest.source)),
            None => return Ok(refusal(&newest).map_or(Ok(next), Err)),
        }
    }
}

fn is_at_it(job: &Job, what: Redriven) -> bool {
    let redrive = job.source.redrive.as_ref();
    !job.status.is_terminal() && redrive.is_some_and(|redrive| redrive.what == what)
}

/// Why a job can't be redriven; `None` where it can.
fn refusal(before: &Job) -> Option<String> {
    let id = &before.id;
    if !before.status.is_terminal() {
        return Some(format!(
            "job {id} is {}: only a job that is over can be redriven",
            before.status.as_str()
        ));
    }
    if before.outbox {
        return Some(format!(
            "the report of job {id} is not written yet; try again in a minute"
        ));
    }
    if before.plan.is_none() {
        return Some(format!(
            "job {id} ended before its file was planned to the end, so there are rows that no batch has: \
             import the file again"
        ));
    }
    None
}

impl Preparer {
    /// The attempt before, with the text of its definition.
    pub(super) async fn attempt_before(
        &self,
        redrive: &Redrive,
    ) -> PortResult<Option<(Job, String)>> {
        let job = self.store.job(&redrive.of).await?;
        let snapshot = self.store.snapshot(&redrive.of).await?;
        Ok(job.zip(snapshot.map(|snapshot| snapshot.definition_text)))
    }

    /// The layout of the attempt before. Its plan says which rows are footers, so their number is as it
    /// was.
    pub(super) async fn layout_before(
        &self,
        redrive: &Redrive,
        job: &Job,
        definition: &Definition,
    ) -> Result<Layout, Stop> {
        let gone = || not_redrivable(format!("there is no job {} any more", redrive.of));
        let snapshot = self.store.snapshot(&redrive.of).await?.ok_or_else(gone)?;
        let layout = snapshot.layout.ok_or_else(gone)?;
        let footer_rows = definition.reading().footer_rows;
        let before = Definition::parse(&snapshot.definition_text);
        let is_same = before.is_ok_and(|before| before.reading().footer_rows == footer_rows);
        if !is_same && !layout.is_json() {
            return Err(dialect_changed(&job.definition_name));
        }
        Ok(layout)
    }
}

impl Planning<'_> {
    /// Takes over the shards from the checkpoint on.
    pub(super) async fn redrive(&mut self, redrive: &Redrive) -> Result<Prepared, Stop> {
        let store = &self.preparer.store;
        let Some(before) = store.job(&redrive.of).await? else {
            return Err(not_redrivable(format!(
                "there is no job {} any more",
                redrive.of
            )));
        };
        if let Some(why) = refusal(&before) {
            return Err(not_redrivable(why));
        }
        let plan = before.plan.unwrap_or_default();
        if let Some(early) = self.decode_again().await? {
            return Ok(early);
        }
        let shards = plan.shards;
        let per_shard = u64::from(self.job.policy.shard_batches);
        let first = (self.progress.next_batch / per_shard) as u32;
        // The last shard is seldom full, and is then taken over again: its values are not to be seen
        // twice.
        let seen = u64::from(first) * per_shard;
        if let Some(early) = self.recall(&redrive.of, seen).await? {
            return Ok(early);
        }
        for number in first..shards {
            if let Some(status) = self.ended_meanwhile().await? {
                return Ok(Prepared::AlreadyPrepared(self.job.id.clone(), status));
            }
            if let Some(early) = self.take_over_shard(redrive, number).await? {
                return Ok(early);
            }
            if self.is_short_of_time() && number + 1 < shards {
                return self.hand_on().await;
            }
        }
        self.mark_prepared(plan.data_end, plan.notes()).await
    }

    /// Decodes a spooled source into this job's own spool: that of the attempt before is gone. Until
    /// that is done nothing is published, so that the checkpoint says how far it is. What there is to
    /// be returned where it does not get to its end.
    async fn decode_again(&mut self) -> Result<Option<Prepared>, Stop> {
        if self.layout.spool.is_none() || self.progress.next_batch > 0 {
            return Ok(None);
        }
        let from = self.progress.next.offset;
        let mut text = SourceText::open(self.preparer, self.job, self.layout, from)?;
        while text.next().await?.is_some() {
            if let Some(status) = self.ended_meanwhile().await? {
                return Ok(Some(Prepared::AlreadyPrepared(self.job.id.clone(), status)));
            }
            if text.end() > self.progress.next.offset {
                self.progress.next.offset = text.end();
                self.progress.fruitless = 0;
            }
            if self.extend_hold().await? == Held::Lost {
                return Ok(Some(Prepared::Superseded(self.job.id.clone())));
            }
            if self.is_short_of_time() {
                return self.hand_over(&text, from).await.map(Some);
            }
        }
        Ok(None)
    }

    /// What there is to be returned where the shard is not taken over.
    async fn take_over_shard(
        &mut self,
        redrive: &Redrive,
        number: u32,
    ) -> Result<Option<Prepared>, Stop> {
        if self.extend_hold().await? == Held::Lost {
            return Ok(Some(Prepared::Superseded(self.job.id.clone())));
        }
        let store = &self.preparer.store;
        let pages = store.pages(&redrive.of, number).await?;
        let last = pages.last().and_then(|page| page.ranges.last()).copied();
        let shard = store.shard(&redrive.of, number).await?;
        let (Some(last), Some(shard)) = (last, shard) else {
            let missing = format!("shard {number} of job {} is missing", redrive.of);
            return Err(PortError::corrupt("the plan", missing).into());
        };
        if self.remembers() {
            // Whoever takes over a shard again writes the same.
            let ranges: Vec<BatchRange> = pages
                .iter()
                .flat_map(|page| &page.ranges)
                .copied()
                .collect();
            let (found, early) = self.go_through(&ranges).await?;
            if early.is_some() {
                return Ok(early);
            }
            self.put_marks(found).await?;
        }
        let store = &self.preparer.store;
        store.write_pages(&self.job.id, number, 0, &pages).await?;
        let publication = Publication {
            published: shard.published,
            start: shard.start,
            end: shard.end,
            sealed: true,
        };
        store.publish(&self.job.id, number, &publication).await?;
        self.progress.next_batch = last.index + 1;
        self.progress.next = Position {
            offset: last.end,
            record: last.first_record + last.records,
            line: last.first_line,
        };
        self.progress.fruitless = 0;
        self.wake_workers().await?;
        let held = self.checkpoint().await?;
        Ok((held == Held::Lost).then(|| Prepared::Superseded(self.job.id.clone())))
    }
}

fn not_redrivable(message: String) -> Stop {
    Stop::Job(Reason {
        code: ReasonCode::NotRedrivable,
        message,
    })
}
