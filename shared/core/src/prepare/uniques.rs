//! What the preparer looks at records for: values that must be unique, and rows at the end that are no
//! part of the table. Without either it reads no record.
//!
//! Every record is seen once, in the order of the file, so the first one with a value is the same
//! however many workers there are. What was found of a batch is written to the spool, as marks, before
//! the batch is published: also where nothing was, so that marks that are missing are noticed.
//!
//! What was seen is in this process alone. Whoever takes over goes through the batches that were
//! published before once more, and only then goes on.

use batchfleet_grammar::BatchRange;
use bytes::Bytes;
use futures_util::future::try_join_all;

use super::footer::{Footer, Scanned};
use super::planning::{FRUITLESS_MAX, Planning};
use super::tail::Tail;
use super::{Prepared, Preparer, Stop};
use crate::error::{PortError, PortResult, chain};
use crate::ids::JobId;
use crate::job::{Job, Reason};
use crate::lease::yield_now;
use crate::mutation::{self, Mutation};
use crate::ports::Held;
use crate::process::{Entry, JobPlan, Keys};
use crate::spool;
use crate::unique::{Mark, Seen, marks};

/// Marks written side by side.
const PUTS_AT_ONCE: usize = 32;

/// Others get a turn after so many bytes: at 100 to 300 MB a second, a few milliseconds.
const TURN_BYTES: usize = 1 << 20;

/// The marks of a batch, by its index.
pub(super) type BatchMarks = (u64, Bytes);

/// Looks at the records of batches, in order.
pub(super) struct Scan<'a> {
    keys: Keys<'a>,
    /// What was seen so far, where anything must be unique.
    seen: Option<Seen<'a>>,
    footer: Footer,
    tail: Tail,
    /// Bytes looked at since others had a turn.
    turn_bytes: usize,
    /// Marks that are not written yet: only under [`Mutation::MarksLate`].
    late: Vec<BatchMarks>,
}

impl<'a> Scan<'a> {
    /// `None` where no record needs to be looked at. The text to come begins at `start`.
    pub(super) fn of(
        preparer: &'a Preparer,
        job: &Job,
        plan: &'a JobPlan,
        start: u64,
    ) -> Option<Self> {
        let is_unique = plan.unique_constraints() > 0;
        if !is_unique && plan.footer_rows() == 0 {
            return None;
        }
        let seen = || Seen::new(preparer.unique_memory_bytes, &*preparer.spills);
        Some(Self {
            keys: Keys::new(plan),
            seen: is_unique.then(seen),
            footer: Footer::new(plan.footer_rows()),
            tail: Tail::new(start, job.policy.batch_bytes_max, plan.limits()),
            turn_bytes: 0,
            late: Vec::new(),
        })
    }

    /// Whether whoever begins must go through what came before.
    pub(super) fn remembers(&self) -> bool {
        self.seen.is_some()
    }

    /// The first batch that is held back.
    pub(super) fn first_held(&self) -> Option<&BatchRange> {
        self.footer.first()
    }

    /// Takes the batches that end in `window`, of which the next one begins at `open`; or, without a
    /// window, the last. Those that can be published go to `ready`, with their marks in the answer.
    pub(super) async fn take(
        &mut self,
        window: Option<&Bytes>,
        ranges: Vec<BatchRange>,
        open: u64,
        ready: &mut Vec<BatchRange>,
    ) -> Result<Vec<BatchMarks>, Stop> {
        let bytes = window.cloned().unwrap_or_default();
        for range in ranges {
            let batch = if range.oversize {
                Bytes::new()
            } else {
                self.tail.batch(&range, &bytes)?
            };
            let entries = self.entries(&range, &batch).await;
            self.footer.hold(Scanned { range, entries });
        }
        self.tail.keep(&bytes, open);
        let free = match window {
            Some(_) => self.footer.release(),
            None => self.footer.finish(),
        };
        let mut found = Vec::new();
        for Scanned { range, entries } in free {
            ready.push(range);
            found.extend(self.marks(&range, &entries)?);
        }
        Ok(found)
    }

    /// The keys of a batch, whose rows are seen by the way.
    async fn entries(&mut self, range: &BatchRange, bytes: &Bytes) -> Vec<Entry> {
        let mut entries = Vec::new();
        if range.oversize {
            self.footer.row(range.first_record);
            return entries;
        }
        let footer = &mut self.footer;
        self.keys
            .read(range, bytes, &mut entries, |record| footer.row(record));
        self.turn_bytes += bytes.len();
        if self.turn_bytes >= TURN_BYTES {
            self.turn_bytes = 0;
            yield_now().await;
        }
        entries
    }

    /// Remembers the values of a batch, and marks those that were there before. `None` where nothing
    /// must be unique.
    fn marks(&mut self, range: &BatchRange, entries: &[Entry]) -> Result<Option<BatchMarks>, Stop> {
        let Some(seen) = &mut self.seen else {
            return Ok(None);
        };
        let mut found = Vec::new();
        for entry in entries {
            if let Some(first_line) = seen.first(entry.key, entry.line).map_err(no_room)? {
                found.push(Mark {
                    record: entry.record,
                    constraint: entry.constraint,
                    first_line,
                });
            }
        }
        Ok(Some((range.index, marks::encode(range, &found))))
    }
}

/// A disk that is full stays full for whoever comes next; anything else may pass.
fn no_room(error: PortError) -> Stop {
    if error.is_retryable() {
        return Stop::Port(error);
    }
    Stop::Job(Reason::out_of_room(&chain(&error)))
}

impl Planning<'_> {
    /// Writes marks, before their batches are published.
    pub(super) async fn put_marks(&mut self, found: Vec<BatchMarks>) -> PortResult<()> {
        let mut found = found;
        if mutation::on(Mutation::MarksLate)
            && let Some(scan) = &mut self.scan
        {
            std::mem::swap(&mut scan.late, &mut found);
        }
        let (spool, job) = (&self.preparer.spool, &self.job.id);
        for some in found.chunks(PUTS_AT_ONCE) {
            let puts = some
                .iter()
                .map(|(batch, bytes)| spool.put_marks(job, *batch, bytes.clone()));
            try_join_all(puts).await?;
        }
        Ok(())
    }

    /// Goes through the batches of a job's plan before `end` once more, so that their values are
    /// remembered. What there is to be returned where that comes to no end.
    pub(super) async fn recall(&mut self, of: &JobId, end: u64) -> Result<Option<Prepared>, Stop> {
        if !self.remembers() || end == 0 || mutation::on(Mutation::UniqueForgets) {
            return Ok(None);
        }
        let per_shard = u64::from(self.job.policy.shard_batches);
        for shard in 0..end.div_ceil(per_shard) {
            let pages = self.preparer.store.pages(of, shard as u32).await?;
            let ranges = pages.into_iter().flat_map(|page| page.ranges);
            let ranges: Vec<BatchRange> = ranges.filter(|range| range.index < end).collect();
            if (ranges.len() as u64) < per_shard.min(end - shard * per_shard) {
                let missing = format!("shard {shard} has {} batches", ranges.len());
                return Err(PortError::corrupt("the plan", missing).into());
            }
            if let (_, Some(early)) = self.go_through(&ranges).await? {
                return Ok(Some(early));
            }
        }
        Ok(None)
    }

    /// Reads consecutive batches and remembers their values; answers their marks, or what there is to
    /// be returned where it comes to no end.
    pub(super) async fn go_through(
        &mut self,
        ranges: &[BatchRange],
    ) -> Result<(Vec<BatchMarks>, Option<Prepared>), Stop> {
        let mut found = Vec::new();
        let mut rest = ranges;
        while let Some(first) = rest.first() {
            if let Some(status) = self.ended_meanwhile().await? {
                let over = Prepared::AlreadyPrepared(self.job.id.clone(), status);
                return Ok((found, Some(over)));
            }
            if self.extend_hold().await? == Held::Lost {
                let lost = Prepared::Superseded(self.job.id.clone());
                return Ok((found, Some(lost)));
            }
            if self.is_short_of_time() {
                return Ok((found, Some(self.hand_over_fruitless().await?)));
            }
            let (run, after) = rest.split_at(run_length(rest, self.preparer.window_bytes));
            rest = after;
            let bytes = match run {
                [one] if one.oversize => Bytes::new(),
                _ => self.read_again(first.start, run).await?,
            };
            let Some(scan) = &mut self.scan else { break };
            for range in run {
                let own = if range.oversize {
                    Bytes::new()
                } else {
                    let base = first.start;
                    bytes.slice((range.start - base) as usize..(range.end - base) as usize)
                };
                let entries = scan.entries(range, &own).await;
                found.extend(scan.marks(range, &entries)?);
            }
        }
        Ok((found, None))
    }

    async fn read_again(&self, start: u64, run: &[BatchRange]) -> PortResult<Bytes> {
        let preparer = self.preparer;
        let end = run.last().map_or(start, |range| range.end);
        match &self.layout.spool {
            None => preparer.source.read(&self.job.source, start..end).await,
            Some(layout) => {
                spool::read_text(&*preparer.spool, &self.job.id, layout, start..end).await
            }
        }
    }

    /// Leaves it to the next preparer, unless several in a row had no time to get to where the first
    /// one was.
    async fn hand_over_fruitless(&mut self) -> Result<Prepared, Stop> {
        self.progress.fruitless += 1;
        if self.progress.fruitless >= FRUITLESS_MAX {
            return Err(Stop::Job(Reason::bad_source(&format!(
                "remembering the unique values up to byte {} takes longer than a preparer has, and none \
                 can begin in the middle: divide the file, or import it without unique fields",
                self.progress.next.offset
            ))));
        }
        self.hand_on().await
    }
}

/// How many of the batches are read at once: as many as fit into a window, one that no worker is to
/// load by itself, and at least one.
fn run_length(ranges: &[BatchRange], window_bytes: u64) -> usize {
    let Some(first) = ranges.first() else {
        return 0;
    };
    let fits = |range: &&BatchRange| !range.oversize && range.end - first.start <= window_bytes;
    ranges.iter().take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_read_together_as_far_as_they_fit() {
        let range = |index: u64, bytes: u64, oversize| BatchRange {
            index,
            start: index * 10,
            end: index * 10 + bytes,
            first_record: index,
            records: 1,
            first_line: 1,
            oversize,
            footer: 0,
        };
        let ranges = [
            range(0, 10, false),
            range(1, 10, false),
            range(2, 10, true),
            range(3, 10, false),
        ];
        for (from, window, expected) in
            [(0, 100, 2), (0, 19, 1), (0, 1, 1), (2, 100, 1), (3, 100, 1)]
        {
            assert_eq!(
                run_length(&ranges[from..], window),
                expected,
                "{from}, {window}"
            );
        }
        assert_eq!(run_length(&[], 10), 0);
    }
}
