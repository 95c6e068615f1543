//! What an import would make of a text, without a job: the same splitting, reading and checking, one
//! window at a time, with counts, a few samples, and the values that must be unique remembered.
//!
//! Pure: it must not know where the windows come from, nor print. It delivers nothing, so good rows
//! are not encoded, save those it shows.

mod samples;

use std::collections::BTreeMap;

use batchfleet_decode::Row;
use batchfleet_definition::{
    Checked, Code, Definition, Encoder, RowError, Scratch, Severity, Value,
};
use batchfleet_grammar::{
    BatchLimits, BatchRange, Limits, Record, RecordReader, SplitError, Splitter,
};

use crate::error::PortResult;
use crate::job::{CodeCounts, Counts};
use crate::prepare::footer::{Footer, Scanned};
use crate::process::{JobPlan, Keys, Processed, RowCells, count_codes, origin, reject_oversize};
use crate::unique::{Seen, Spills};

pub use samples::GoodRow;
use samples::Samples;

/// Records and bytes that are read at once.
const RANGE: BatchLimits = BatchLimits {
    records_max: 100_000,
    bytes_max: 1 << 20,
};

/// Text that is held while a record does not end: more than a range and the longest record that is
/// read. What goes on after that will not be read, so that its bytes are let go.
const HELD_BYTES_MAX: usize = 4 << 20;

/// Kept of a record that is not read, for its report.
const LONG_RECORD_BYTES: usize = 64 << 10;

/// How much is looked at, and remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Rows, blank ones aside; all where there is none.
    pub rows_max: Option<u64>,
    /// Keys of unique values in memory, in bytes, before they go to a spill; for each constraint.
    pub unique_bytes: u64,
}

/// What the rows looked at came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The ledger: what an import of these rows would count.
    pub counts: Counts,
    /// Bad rows by error code.
    pub codes: CodeCounts,
    /// Good rows with warnings.
    pub warned: u64,
    /// Those by the codes of their warnings.
    pub warnings: CodeCounts,
    /// Errors and warnings by field and code; without a field those of whole rows.
    pub by_field: BTreeMap<(Option<u32>, Code, bool), u64>,
    /// The first good rows, converted.
    pub good: Vec<GoodRow>,
    /// The first bad rows and those of another kind, as rejects.jsonl has them.
    pub bad: Vec<u8>,
    /// Good rows with warnings, likewise.
    pub warned_rows: Vec<u8>,
    /// Bytes of the text that were looked at.
    pub bytes: u64,
}

/// Why a preview stops before the end.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// An import would end here too.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// No room for the values that must be unique.
    #[error("cannot remember the values that must be unique")]
    Spill(#[from] crate::PortError),
}

/// A preview in the making.
pub struct Preview<'p> {
    plan: &'p JobPlan,
    rows_max: u64,
    splitter: Splitter,
    ranges: Vec<BatchRange>,
    /// Ranges that may hold footers.
    footer: Footer,
    is_over: bool,
    /// Text that is not checked yet; it begins at `text_at`.
    text: Vec<u8>,
    text_at: u64,
    /// Where the next window begins.
    window_at: u64,
    rows: Rows<'p>,
}

impl<'p> Preview<'p> {
    /// Begins at the first byte of the data.
    #[must_use]
    pub fn new(
        definition: &Definition,
        plan: &'p JobPlan,
        extent: Extent,
        spills: &'p dyn Spills,
    ) -> Self {
        let data = plan.layout().data;
        let dialect = plan.layout().dialect;
        let uniques = plan.rows().unique_constraints().iter();
        Self {
            plan,
            rows_max: extent.rows_max.unwrap_or(u64::MAX),
            splitter: Splitter::new(dialect, Limits::default(), RANGE, data, 0),
            ranges: Vec::new(),
            footer: Footer::new(plan.footer_rows()),
            is_over: false,
            text: Vec::new(),
            text_at: data.offset,
            window_at: data.offset,
            rows: Rows {
                plan,
                seen: uniques
                    .map(|_| Seen::new(extent.unique_bytes, spills))
                    .collect(),
                keys: Vec::new(),
                scratch: Scratch::default(),
                errors: Vec::new(),
                samples: Samples::new(definition, plan),
                looked: Looked::default(),
            },
        }
    }

    /// Takes the next bytes of the text. `false` once enough rows were looked at.
    ///
    /// # Errors
    /// Where an import would end too, or there is no room for unique values.
    pub fn push(&mut self, window: &[u8]) -> Result<bool, PreviewError> {
        let start = self.window_at;
        self.window_at += window.len() as u64;
        // While there may be footers, the text of the rows before them is needed.
        let is_held = self.text.len() < HELD_BYTES_MAX || self.plan.footer_rows() > 0;
        if is_held {
            self.text.extend_from_slice(window);
        }
        let split = self.splitter.push(window, &mut self.ranges);
        let missing = if is_held { &[][..] } else { window };
        self.work(missing, start)?;
        split?;
        Ok(!self.is_enough())
    }

    /// Says that nothing follows.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(&mut self) -> Result<(), PreviewError> {
        let split = self.splitter.finish(&mut self.ranges);
        self.is_over = true;
        self.work(&[], self.window_at)?;
        Ok(split?)
    }

    /// What the rows looked at so far came to.
    #[must_use]
    pub fn looked(self) -> Looked {
        let Rows {
            samples,
            mut looked,
            ..
        } = self.rows;
        samples.into_looked(&mut looked);
        looked
    }

    fn is_enough(&self) -> bool {
        let Counts {
            accepted, rejected, ..
        } = self.rows.looked.counts;
        accepted + rejected >= self.rows_max
    }

    /// The ranges that are complete, and in which no footers are that nobody knows of yet.
    fn ready(&mut self) -> Vec<BatchRange> {
        let ranges = std::mem::take(&mut self.ranges);
        if self.plan.footer_rows() == 0 {
            return ranges;
        }
        let mut keys = Keys::new(self.plan);
        for range in ranges {
            let mut entries = Vec::new();
            let footer = &mut self.footer;
            if range.oversize {
                footer.row(range.first_record);
            } else {
                let place = |offset: u64| (offset - self.text_at) as usize;
                let bytes = &self.text[place(range.start)..place(range.end)];
                keys.read(&range, bytes, &mut entries, |record| footer.row(record));
            }
            footer.hold(Scanned { range, entries });
        }
        let free = if self.is_over {
            self.footer.finish()
        } else {
            self.footer.release()
        };
        free.into_iter().map(|scanned| scanned.range).collect()
    }

    /// Checks the ranges that are complete. `missing` is a window that was not held, since a record
    /// was too long; it begins at `missing_at`.
    fn work(&mut self, missing: &[u8], missing_at: u64) -> Result<(), PreviewError> {
        for range in self.ready() {
            if self.is_enough() {
                return Ok(());
            }
            let held_end = self.text_at + self.text.len() as u64;
            let from = (range.start - self.text_at) as usize;
            if range.footer == range.records {
                self.rows.footers(range.records);
            } else if range.oversize {
                let head = self.text.get(from..).unwrap_or_default();
                let length = ((range.end - range.start) as usize).min(head.len());
                let head = &head[..length.min(LONG_RECORD_BYTES)];
                self.rows.too_long(&range, head);
            } else {
                let to = (range.end - self.text_at) as usize;
                let bytes = &self.text[from..to];
                self.rows.range(bytes, &range, self.rows_max)?;
            }
            self.rows.looked.bytes = range.end - self.plan.layout().data.offset;
            if range.end > held_end {
                self.text.clear();
                let rest = (range.end - missing_at) as usize;
                self.text
                    .extend_from_slice(missing.get(rest..).unwrap_or_default());
                self.text_at = range.end;
            }
        }
        // The text of what is done is let go, once a window.
        let first = self.footer.first().map(|range| range.start);
        let done = first.unwrap_or(self.splitter.position().offset);
        let done = (done.saturating_sub(self.text_at) as usize).min(self.text.len());
        self.text.drain(..done);
        self.text_at += done as u64;
        Ok(())
    }
}

/// What runs for every row.
struct Rows<'p> {
    plan: &'p JobPlan,
    seen: Vec<Seen<'p>>,
    keys: Vec<Option<u128>>,
    scratch: Scratch,
    errors: Vec<RowError>,
    samples: Samples<'p>,
    looked: Looked,
}

impl Rows<'_> {
    fn range(&mut self, bytes: &[u8], range: &BatchRange, rows_max: u64) -> PortResult<()> {
        let (plan, at) = (self.plan, range.position());
        let mut reader = RecordReader::new(bytes, plan.layout().dialect, plan.limits(), at);
        while let Some(record) = reader.read() {
            let counts = &mut self.looked.counts;
            if counts.accepted + counts.rejected >= rows_max {
                break;
            }
            counts.records += 1;
            if record.is_skippable() || record.index() >= range.footer_start() {
                counts.skipped += 1;
                continue;
            }
            self.record(&record)?;
        }
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>) -> PortResult<()> {
        let origin = origin(self.plan.layout(), record);
        self.errors.clear();
        let mut checked = if self.samples.wants_good() {
            let (scratch, errors) = (&mut self.scratch, &mut self.errors);
            self.samples.check(record, &origin, scratch, errors)
        } else {
            let (scratch, errors) = (&mut self.scratch, &mut self.errors);
            self.plan
                .check(record, origin.fault, &[], scratch, &mut Nowhere, errors)
        };
        if checked == Checked::Skipped {
            self.looked.counts.skipped += 1;
            return Ok(());
        }
        if !self.seen.is_empty() && record.fault().is_none() && origin.fault.is_none() {
            self.duplicates(record, origin.line)?;
            if self.errors.iter().any(|e| e.severity == Severity::Error) {
                checked = Checked::Rejected;
            }
        }
        let looked = &mut self.looked;
        if checked == Checked::Accepted {
            looked.counts.accepted += 1;
            self.samples.accepted(origin.line);
            if !self.errors.is_empty() {
                looked.warned += 1;
                count_codes(&mut looked.warnings, &self.errors, Severity::Warning);
                count_fields(looked, &self.errors);
                self.samples.warned(record, origin.line, &self.errors);
            }
        } else {
            looked.counts.rejected += 1;
            count_codes(&mut looked.codes, &self.errors, Severity::Error);
            count_fields(looked, &self.errors);
            self.samples.rejected(record, origin.line, &self.errors);
        }
        Ok(())
    }

    /// Adds the errors of values that an earlier record has.
    fn duplicates(&mut self, record: &Record<'_>, line: u64) -> PortResult<()> {
        let rows = self.plan.rows();
        rows.unique_keys(&RowCells(record), &mut self.scratch, &mut self.keys);
        for (constraint, (key, seen)) in self.keys.iter().zip(&mut self.seen).enumerate() {
            let Some(key) = key else { continue };
            if let Some(first_line) = seen.first(*key, line)? {
                self.errors.push(rows.duplicate(constraint, first_line));
            }
        }
        Ok(())
    }

    /// Records that are no part of the table.
    fn footers(&mut self, records: u64) {
        let counts = &mut self.looked.counts;
        counts.records += records;
        counts.skipped += records;
    }

    /// A record that is longer than those that are read.
    fn too_long(&mut self, range: &BatchRange, head: &[u8]) {
        let Processed {
            counts,
            codes,
            rejects_json,
            ..
        } = reject_oversize(self.plan, range, head);
        let looked = &mut self.looked;
        looked.counts.records += counts.records;
        looked.counts.rejected += counts.rejected;
        for (code, rows) in codes {
            *looked.codes.entry(code).or_default() += rows;
            *looked.by_field.entry((None, code, false)).or_default() += rows;
        }
        self.samples.rejected_whole(&rejects_json);
    }
}

/// A row counts once under each field and code.
fn count_fields(looked: &mut Looked, errors: &[RowError]) {
    let mut last = None;
    for error in errors {
        let kind = (error.field, error.code, error.severity == Severity::Warning);
        // Those of one field come one after another.
        if last != Some(kind) {
            *looked.by_field.entry(kind).or_default() += 1;
        }
        last = Some(kind);
    }
}

/// Takes rows and keeps nothing of them.
struct Nowhere;

impl Encoder for Nowhere {
    #[inline]
    fn begin(&mut self) {}
    #[inline]
    fn field(&mut self, _: usize, _: Value<'_>) {}
    #[inline]
    fn end(&mut self) {}
    #[inline]
    fn discard(&mut self) {}
}

/// Where a record came from, as far as samples need it.
type Origin<'r> = Row<'r>;

#[cfg(test)]
mod tests;
