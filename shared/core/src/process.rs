//! A batch's bytes into its delivered part and its rejects: pure, and the same whoever runs it.
//!
//! The outcome depends on the bytes, the definition, the layout, the marks of duplicates and what is
//! [refused](Processing::refusing) alone, so a batch that is worked again yields the same objects again. It
//! must not know of leases, stores or time.

mod given_up;
mod keys;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use batchfleet_decode::{Fault, Row};
use batchfleet_definition::{
    Cells, Checked, Code, Definition, Destination, Encoder, JsonLines, Retries, RowError, RowPlan,
    Scratch, Severity, TableLookup,
};
use batchfleet_grammar::{BatchRange, Limits, Position, Record, RecordFault, RecordReader};
use bytes::Bytes;

use crate::batch::{Completion, Written};
use crate::checksum::FileSum;
use crate::error::{PortError, PortResult};
use crate::job::{CodeCounts, Counts, Layout};
use crate::ports::{SinkRecord, Snapshot};
use crate::rejects::{self, RejectForm, RejectWriter, Reported};
use crate::unique::Mark;
use crate::work::Scope;

pub use given_up::{refused_by_destination, reject_all, reject_oversize, reject_unread};
pub use keys::{Entry, Keys};

/// Keys and defaults of one part, at most: with the cells, and the rejects, well within a worker's
/// memory.
const PART_BYTES_MAX: u64 = 64 << 20;

/// A job's definition bound to its file, compiled once per job.
pub struct JobPlan {
    layout: Layout,
    rows: RowPlan,
    rejects: RejectForm,
    limits: Limits,
    destination: Destination,
    retries: Retries,
    footer_rows: u32,
}

impl JobPlan {
    /// Compiles what the store keeps of a job. The preparer bound the same definition to the same
    /// header before the first batch was published, so this cannot fail on a user's fault.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] where it does all the same.
    pub fn compile(snapshot: Snapshot) -> PortResult<Self> {
        let what = "the snapshot of the job";
        let layout = snapshot
            .layout
            .ok_or_else(|| PortError::corrupt(what, "no layout"))?;
        let definition = Definition::parse(&snapshot.definition_text)
            .map_err(|e| PortError::corrupt(what, e))?;
        Self::bind(&definition, layout).map_err(|e| PortError::corrupt(what, e.to_string()))
    }

    /// Binds a definition to a file's header.
    ///
    /// # Errors
    /// The header's faults, for the person who uploaded the file.
    pub fn bind(
        definition: &Definition,
        layout: Layout,
    ) -> Result<Self, batchfleet_definition::HeaderFaults> {
        let cells: Vec<Vec<u8>> = layout
            .header
            .iter()
            .map(|name| name.clone().into_bytes())
            .collect();
        let rows = definition.bind(&cells)?;
        let sensitive = rows.sensitive_columns().iter().copied().collect();
        let rejects = RejectForm::new(&layout, rows.field_names(), sensitive);
        let is_json = layout.is_json();
        let is_rejects_file = rejects::is_rejects_file(&layout.header);
        Ok(Self {
            layout,
            rows,
            rejects,
            limits: Limits::default(),
            destination: definition.destination().clone(),
            retries: definition.retries(),
            // JSON ends where it ends, and so do rejects.
            footer_rows: if is_json || is_rejects_file {
                0
            } else {
                definition.reading().footer_rows
            },
        })
    }

    /// How the file is read.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The most records of a batch whose part and reports fit into memory whatever its cells hold: keys
    /// and defaults are in every row of the output, and the names of the columns in every object of the
    /// rejects, so a file of a few bytes a row can become one of a hundred kilobytes a row.
    #[must_use]
    pub fn batch_records_max(&self) -> u32 {
        let row = self.rows.bytes_of_every_row();
        let row = row.max(self.rejects.bytes_of_every_object());
        let records = PART_BYTES_MAX / row.max(1);
        u32::try_from(records.max(1)).unwrap_or(u32::MAX)
    }

    /// Where accepted rows go.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// How patient a delivery is.
    #[must_use]
    pub fn retries(&self) -> Retries {
        self.retries
    }

    /// Over how many sets of fields values are unique.
    #[must_use]
    pub fn unique_constraints(&self) -> usize {
        self.rows.unique_constraints().len()
    }

    /// How much of a record is read.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Rows at the end of the file that are no part of the table.
    #[must_use]
    pub fn footer_rows(&self) -> u32 {
        self.footer_rows
    }

    /// The tables whose records the rows must not be.
    #[must_use]
    pub fn lookups(&self) -> &[TableLookup] {
        self.rows.lookups()
    }

    /// What is said of a row that is a record of one of the [`lookups`](Self::lookups).
    #[must_use]
    pub fn external_duplicate(&self, lookup: usize) -> RowError {
        self.rows.external_duplicate(lookup)
    }

    /// Whether it matters where each row of a part ends.
    fn needs_rows(&self) -> bool {
        self.destination.is_record_wise() || !self.lookups().is_empty()
    }

    /// Checks one record and encodes it, then adds which earlier rows it repeats. What is in `errors` of
    /// an accepted one are warnings.
    pub(crate) fn check<E: Encoder>(
        &self,
        record: &Record<'_>,
        fault_before: Option<(Fault, &str)>,
        marks: &[Mark],
        scratch: &mut Scratch,
        encoder: &mut E,
        errors: &mut Vec<RowError>,
    ) -> Checked {
        if let Some(fault) = record.fault() {
            errors.push(describe_fault(self, record, fault));
            return Checked::Rejected;
        }
        if let Some(fault) = fault_before {
            errors.push(describe_json_fault(fault));
            return Checked::Rejected;
        }
        if let Some(column) = self.rejects.masked_column(record) {
            let message = format!(
                "{column}: the value was hidden when the row was rejected: put it in again, or redrive \
                 the job"
            );
            errors.push(RowError::of_row(Code::Required, message));
            return Checked::Rejected;
        }
        let checked = self.rows.check(&RowCells(record), scratch, encoder, errors);
        if marks.is_empty() || checked == Checked::Skipped {
            return checked;
        }
        let mut is_accepted = checked == Checked::Accepted;
        for mark in marks {
            let error = self
                .rows
                .duplicate(mark.constraint as usize, mark.first_line);
            if is_accepted && error.severity == Severity::Error {
                encoder.discard();
                is_accepted = false;
            }
            errors.push(error);
        }
        if is_accepted {
            Checked::Accepted
        } else {
            Checked::Rejected
        }
    }

    /// The definition, bound to the file's header.
    #[must_use]
    pub fn rows(&self) -> &RowPlan {
        &self.rows
    }

    /// How records are reported.
    pub(crate) fn reject_form(&self) -> &RejectForm {
        &self.rejects
    }

    /// The header line of rejects.csv.
    #[must_use]
    pub fn rejects_head(&self) -> Vec<u8> {
        self.rejects.head()
    }

    /// The records that a part of the rejects names, by their index in the job.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] where it is no part of these rejects.
    pub fn rejected_records(&self, part: &[u8]) -> PortResult<BTreeSet<u64>> {
        rejects::records(part, self.layout.dialect, self.limits)
    }

    /// Columns of the file that no field of the definition takes.
    #[must_use]
    pub fn ignored_columns(&self) -> &[String] {
        self.rows.ignored_columns()
    }
}

pub(crate) struct RowCells<'a, 'r>(pub(crate) &'a Record<'r>);

impl Cells for RowCells<'_, '_> {
    #[inline]
    fn cell(&self, index: usize) -> Option<&[u8]> {
        self.0.get(index)
    }
    #[inline]
    fn count(&self) -> usize {
        self.0.len()
    }
}

/// What a batch came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Processed {
    /// JSON Lines, one per accepted record.
    pub part: Vec<u8>,
    /// Rows of rejects.csv, without its header.
    pub rejects: Vec<u8>,
    /// The same records as JSON Lines, one object each.
    pub rejects_json: Vec<u8>,
    /// Accepted records with warnings, in the same form.
    pub warnings_json: Vec<u8>,
    /// The ledger.
    pub counts: Counts,
    /// Rejected rows by error code.
    pub codes: CodeCounts,
    /// Accepted rows with warnings.
    pub warned: u64,
    /// Those by the codes of their warnings.
    pub warnings: CodeCounts,
    /// The index of each accepted record, and where its row ends in the part. Only for a destination
    /// that takes records one by one, and where rows are looked up.
    pub rows: Vec<(u64, usize)>,
}

impl Processed {
    /// These reports, and nothing else yet.
    fn of(reported: Reported) -> Self {
        Self {
            rejects: reported.rejects,
            rejects_json: reported.rejects_json,
            warnings_json: reported.warnings_json,
            ..Self::default()
        }
    }

    /// Of a batch with nothing to work on.
    #[must_use]
    pub fn skipped(range: &BatchRange) -> Self {
        let counts = Counts {
            records: range.records,
            skipped: range.records,
            ..Counts::default()
        };
        Self {
            counts,
            ..Self::default()
        }
    }

    /// Hands over the accepted records, for a destination that takes them one by one.
    #[must_use]
    pub fn take_records(&mut self) -> Vec<SinkRecord> {
        let part = Bytes::from(std::mem::take(&mut self.part));
        let mut start = 0;
        let mut records = Vec::with_capacity(self.rows.len());
        for (index, end) in self.rows.drain(..) {
            // Without its line feed.
            let row = part.slice(start..end - 1);
            records.push(SinkRecord { index, row });
            start = end;
        }
        records
    }

    /// The accepted records as they are delivered, each with its line feed.
    pub fn records(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let mut start = 0;
        self.rows.iter().map(move |(index, end)| {
            let row = &self.part[start..*end];
            start = *end;
            (*index, row)
        })
    }

    /// The completion of the batch that came to this, with the sum of its part as it is now.
    #[must_use]
    pub fn completion(&self, range: &BatchRange, failed: bool) -> Completion {
        let has_part = !self.part.is_empty();
        Completion {
            failed,
            counts: self.counts,
            bytes: range.end - range.start,
            codes: self.codes.clone(),
            warned: self.warned,
            warnings: self.warnings.clone(),
            written: Some(Written {
                part: has_part.then(|| FileSum::of(&self.part)),
            }),
        }
    }
}

/// What is said of good records from outside, by their index in the job: an error makes a record a
/// reject, a warning does not.
pub type Refused = BTreeMap<u64, Vec<RowError>>;

/// A batch in the making; [`step`](Self::step) does a bounded number of records at a time, so that
/// its caller can keep the lease alive and notice a pause between them.
pub struct Processing<'a> {
    plan: &'a JobPlan,
    scope: &'a Scope,
    reader: RecordReader<'a>,
    encoder: JsonLines,
    scratch: Scratch,
    errors: Vec<RowError>,
    rejects: RejectWriter<'a>,
    counts: Counts,
    codes: CodeCounts,
    warned: u64,
    warnings: CodeCounts,
    rows: Vec<(u64, usize)>,
    refused: Refused,
    /// Marks of records that are still to come, in their order.
    marks: &'a [Mark],
    footer_start: u64,
}

impl<'a> Processing<'a> {
    /// Begins a batch. `bytes` are exactly those of `range`; of its records those in `scope` are
    /// worked, and the others skipped.
    #[must_use]
    pub fn new(plan: &'a JobPlan, bytes: &'a [u8], range: &BatchRange, scope: &'a Scope) -> Self {
        let at = Position {
            offset: range.start,
            record: range.first_record,
            line: range.first_line,
        };
        Self {
            plan,
            scope,
            reader: RecordReader::new(bytes, plan.layout.dialect, plan.limits, at),
            encoder: JsonLines::new(&plan.rows),
            scratch: Scratch::default(),
            errors: Vec::new(),
            rejects: RejectWriter::new(&plan.rejects),
            counts: Counts::default(),
            codes: CodeCounts::new(),
            warned: 0,
            warnings: CodeCounts::new(),
            rows: Vec::new(),
            refused: BTreeMap::new(),
            marks: &[],
            footer_start: range.footer_start(),
        }
    }

    /// With what the preparer found of the batch's records: in their order, each a value that must be
    /// unique and is that of an earlier record.
    #[must_use]
    pub fn marked(self, marks: &'a [Mark]) -> Self {
        Self { marks, ..self }
    }

    /// The same batch once more, now that some of its good records were found elsewhere, or refused by
    /// the destination: they become rejects, in their place among the others.
    #[must_use]
    pub fn refusing(self, refused: Refused) -> Self {
        Self { refused, ..self }
    }

    /// Does up to `records` records. `false` once there are none left.
    pub fn step(&mut self, records: u32) -> bool {
        for _ in 0..records {
            let Some(record) = self.reader.read() else {
                return false;
            };
            self.counts.records += 1;
            let marks = marks_of(&mut self.marks, record.index());
            let is_footer = record.index() >= self.footer_start;
            if is_footer || record.is_skippable() || !self.scope.has(record.index()) {
                self.counts.skipped += 1;
                continue;
            }
            self.errors.clear();
            let origin = origin(&self.plan.layout, &record);
            let checked = self.plan.check(
                &record,
                origin.fault,
                marks,
                &mut self.scratch,
                &mut self.encoder,
                &mut self.errors,
            );
            if checked == Checked::Skipped {
                self.counts.skipped += 1;
                continue;
            }
            let mut accepted = checked == Checked::Accepted;
            if accepted && let Some(refusals) = self.refused.remove(&record.index()) {
                let is_warning = |one: &RowError| one.severity == Severity::Warning;
                accepted = refusals.iter().all(is_warning);
                self.errors.extend(refusals);
                if !accepted {
                    self.encoder.discard();
                }
            }
            if !accepted {
                self.counts.rejected += 1;
                count_codes(&mut self.codes, &self.errors, Severity::Error);
                self.rejects.record(&record, origin.line, &self.errors);
                continue;
            }
            self.counts.accepted += 1;
            if self.plan.needs_rows() {
                let end = self.encoder.buffer().len();
                self.rows.push((record.index(), end));
            }
            if !self.errors.is_empty() {
                self.warned += 1;
                count_codes(&mut self.warnings, &self.errors, Severity::Warning);
                self.rejects.warn(&record, origin.line, &self.errors);
            }
        }
        true
    }

    /// What it came to.
    #[must_use]
    pub fn finish(mut self) -> Processed {
        Processed {
            part: self.encoder.take(),
            counts: self.counts,
            codes: self.codes,
            warned: self.warned,
            warnings: self.warnings,
            rows: self.rows,
            ..Processed::of(self.rejects.finish())
        }
    }
}

/// Takes the marks of a record off those that are to come.
#[inline]
fn marks_of<'m>(marks: &mut &'m [Mark], record: u64) -> &'m [Mark] {
    if marks.is_empty() {
        return marks;
    }
    let before = marks.iter().take_while(|mark| mark.record < record).count();
    let rest = &marks[before..];
    let own = rest.iter().take_while(|mark| mark.record == record).count();
    let (own, rest) = rest.split_at(own);
    *marks = rest;
    own
}

/// What the ranges of the plan are ranges of, for people.
fn file(plan: &JobPlan) -> &'static str {
    match &plan.layout.spool {
        None => "the file",
        Some(spool) if spool.format.json.is_none() => {
            "the file's text, once it is unpacked and in UTF-8"
        }
        Some(_) => "the rows made of the file",
    }
}

/// Where a record came from: the line, and what was wrong with it before it was a row. Rows that were
/// JSON say so in two cells of ours.
pub(crate) fn origin<'r>(layout: &Layout, record: &Record<'r>) -> Row<'r> {
    let ours = match (layout.is_json(), record.get(0), record.get(1)) {
        (true, Some(line), Some(fault)) => Row::read(line, fault),
        _ => None,
    };
    ours.unwrap_or(Row {
        line: record.line(),
        fault: None,
    })
}

fn describe_json_fault((fault, sentence): (Fault, &str)) -> RowError {
    let code = match fault {
        Fault::Malformed => Code::MalformedRow,
        Fault::UnknownKey => Code::UnknownField,
        Fault::TooLong => Code::RecordTooLong,
    };
    RowError::of_row(code, sentence.to_owned())
}

/// A record that could not be read into cells: what is wrong with it, and where it is.
fn describe_fault(plan: &JobPlan, record: &Record<'_>, fault: RecordFault) -> RowError {
    let code = match fault {
        RecordFault::TooLong { .. } => Code::RecordTooLong,
        _ => Code::MalformedRow,
    };
    let (line, start, end) = (record.line(), record.start(), record.end());
    let file = file(plan);
    let mut message =
        format!("{fault}; the row begins in line {line}, its bytes are {start}..{end} of {file}");
    if let Some(kept) = plan.rejects.cut_at(record.raw()) {
        let _ = write!(message, ", and the first {kept} of them are kept here");
    }
    RowError::of_row(code, message)
}

/// A row counts once under each code it has, however many of its fields have it.
pub(crate) fn count_codes(codes: &mut CodeCounts, errors: &[RowError], severity: Severity) {
    let counted = errors.iter().filter(|error| error.severity == severity);
    let distinct: BTreeSet<Code> = counted.map(|error| error.code).collect();
    for code in distinct {
        *codes.entry(code).or_default() += 1;
    }
}

/// A plan shared by the batches of an invocation.
pub type SharedPlan = Arc<JobPlan>;

#[cfg(test)]
mod tests;
