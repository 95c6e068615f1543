//! A batch's bytes into its delivered part and its rejects: pure, and the same whoever runs it.
//!
//! The outcome depends on the bytes, the definition and the layout alone, so a batch that is worked
//! again yields the same objects again. It must not know of leases, stores or time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use batchfleet_decode::{Fault, Row};
use batchfleet_definition::{
    Cells, Code, Definition, Destination, JsonLines, Retries, RowError, RowPlan,
};
use batchfleet_grammar::{BatchRange, Limits, Position, Record, RecordFault, RecordReader};
use bytes::Bytes;

use crate::batch::Completion;
use crate::error::{PortError, PortResult};
use crate::job::{CodeCounts, Counts, Layout};
use crate::ports::{SinkRecord, Snapshot};
use crate::rejects::{self, RejectWriter};
use crate::work::Scope;

/// Keys and defaults of one part, at most: with the cells, and the rejects, well within a worker's
/// memory.
const PART_BYTES_MAX: u64 = 64 << 20;

/// A job's definition bound to its file, compiled once per job.
pub struct JobPlan {
    layout: Layout,
    rows: RowPlan,
    limits: Limits,
    destination: Destination,
    retries: Retries,
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
        Ok(Self {
            layout,
            rows,
            limits: Limits::default(),
            destination: definition.destination().clone(),
            retries: definition.retries(),
        })
    }

    /// How the file is read.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The most records of a batch whose part fits into memory whatever its cells hold: keys and
    /// defaults are in every row of the output, so a file of a few bytes a row can become one of a
    /// hundred kilobytes a row.
    #[must_use]
    pub fn batch_records_max(&self) -> u32 {
        let records = PART_BYTES_MAX / self.rows.bytes_of_every_row().max(1);
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

    /// The header line of rejects.csv.
    #[must_use]
    pub fn rejects_head(&self) -> Vec<u8> {
        RejectWriter::new(&self.layout).head(&self.layout.header)
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

struct RowCells<'a, 'r>(&'a Record<'r>);

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
    /// The ledger.
    pub counts: Counts,
    /// Rows by error code.
    pub codes: CodeCounts,
    /// The index of each accepted record, and where its row ends in the part. Only for a destination
    /// that takes records one by one.
    pub rows: Vec<(u64, usize)>,
}

impl Processed {
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

    /// The completion of the batch that came to this.
    #[must_use]
    pub fn completion(&self, range: &BatchRange, failed: bool) -> Completion {
        Completion {
            failed,
            counts: self.counts,
            bytes: range.end - range.start,
            codes: self.codes.clone(),
        }
    }
}

/// A batch in the making; [`step`](Self::step) does a bounded number of records at a time, so that
/// its caller can keep the lease alive and notice a pause between them.
pub struct Processing<'a> {
    plan: &'a JobPlan,
    scope: &'a Scope,
    reader: RecordReader<'a>,
    encoder: JsonLines,
    errors: Vec<RowError>,
    rejects: RejectWriter,
    counts: Counts,
    codes: CodeCounts,
    rows: Vec<(u64, usize)>,
    refused: BTreeMap<u64, RowError>,
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
            errors: Vec::new(),
            rejects: RejectWriter::new(&plan.layout),
            counts: Counts::default(),
            codes: CodeCounts::new(),
            rows: Vec::new(),
            refused: BTreeMap::new(),
        }
    }

    /// The same batch once more, now that the destination has refused these of its good records: they
    /// become rejects, in their place among the others. The part is not to be used.
    #[must_use]
    pub fn refusing(self, refused: BTreeMap<u64, RowError>) -> Self {
        Self { refused, ..self }
    }

    /// Does up to `records` records. `false` once there are none left.
    pub fn step(&mut self, records: u32) -> bool {
        for _ in 0..records {
            let Some(record) = self.reader.read() else {
                return false;
            };
            self.counts.records += 1;
            if record.is_blank() || !self.scope.has(record.index()) {
                self.counts.skipped += 1;
                continue;
            }
            self.errors.clear();
            let origin = origin(&self.plan.layout, &record);
            let mut accepted = match (record.fault(), origin.fault) {
                (None, None) => {
                    self.plan
                        .rows
                        .check(&RowCells(&record), &mut self.encoder, &mut self.errors)
                }
                (Some(fault), _) => {
                    self.errors.push(describe_fault(fault));
                    false
                }
                (None, Some(fault)) => {
                    self.errors.push(describe_json_fault(fault));
                    false
                }
            };
            if accepted && let Some(refusal) = self.refused.remove(&record.index()) {
                self.errors.push(refusal);
                accepted = false;
            }
            if accepted {
                self.counts.accepted += 1;
                if self.plan.destination.is_record_wise() {
                    let end = self.encoder.buffer().len();
                    self.rows.push((record.index(), end));
                }
            } else {
                self.counts.rejected += 1;
                count_codes(&mut self.codes, &self.errors);
                self.rejects.record(&record, origin.line, &self.errors);
            }
        }
        true
    }

    /// What it came to.
    #[must_use]
    pub fn finish(mut self) -> Processed {
        Processed {
            part: self.encoder.take(),
            rejects: self.rejects.finish(),
            counts: self.counts,
            codes: self.codes,
            rows: self.rows,
        }
    }
}

/// What a reason of the destination is cut to: it may quote the call that it answers.
const REASON_CHARACTERS_MAX: usize = 300;

/// Why a good record becomes a reject: the destination refused it, `tries` times.
#[must_use]
pub fn refused_by_destination(reason: &str, tries: u32) -> RowError {
    let times = match tries {
        0 | 1 => String::new(),
        _ => format!(" {tries} times"),
    };
    let mut message = format!("the destination refused the row{times}: ");
    let mut characters = reason.chars();
    let shown = characters.by_ref().take(REASON_CHARACTERS_MAX);
    message.extend(shown.map(|one| if one.is_control() { ' ' } else { one }));
    if characters.next().is_some() {
        message.push('…');
    }
    RowError::of_row(Code::DeliveryFailed, message)
}

/// A record that is too long to be read into memory: one reject that says where its bytes are.
#[must_use]
pub fn reject_oversize(plan: &JobPlan, range: &BatchRange) -> Processed {
    let bytes = range.end - range.start;
    let limit = plan.limits.record_bytes_max;
    let file = file(plan);
    let message = format!(
        "the record is {bytes} bytes long, over the limit of {limit}; its bytes are {}..{} of {file}; \
         a quotation mark opened in it may never be closed",
        range.start, range.end
    );
    let error = RowError::of_row(Code::RecordTooLong, message);
    reject_range(
        plan,
        range,
        &error,
        Counts {
            records: 1,
            rejected: 1,
            ..Counts::default()
        },
    )
}

/// Every record of a batch as a reject: what is left of a batch whose workers keep dying.
#[must_use]
pub fn reject_all(
    plan: &JobPlan,
    bytes: &[u8],
    range: &BatchRange,
    scope: &Scope,
    attempts: u32,
) -> Processed {
    let doubt = doubt(plan, "the row");
    let message = format!(
        "the batch of this row was given up after {attempts} attempts that did not finish{doubt}"
    );
    let error = RowError::of_row(Code::BatchFailed, message);
    let at = Position {
        offset: range.start,
        record: range.first_record,
        line: range.first_line,
    };
    let mut reader = RecordReader::new(bytes, plan.layout.dialect, plan.limits, at);
    let mut rejects = RejectWriter::new(&plan.layout);
    let mut counts = Counts::default();
    while let Some(record) = reader.read() {
        counts.records += 1;
        if record.is_blank() || !scope.has(record.index()) {
            counts.skipped += 1;
        } else {
            counts.rejected += 1;
            let line = origin(&plan.layout, &record).line;
            rejects.record(&record, line, std::slice::from_ref(&error));
        }
    }
    let codes = CodeCounts::from([(error.code, counts.rejected)]);
    Processed {
        rejects: rejects.finish(),
        counts,
        codes,
        ..Processed::default()
    }
}

/// A batch whose bytes even the reader did not survive: one row that says where the records are.
#[must_use]
pub fn reject_unread(
    plan: &JobPlan,
    range: &BatchRange,
    scope: &Scope,
    attempts: u32,
) -> Processed {
    let BatchRange { start, end, .. } = *range;
    let rejected = scope.count(range);
    let (doubt, file) = (doubt(plan, "some"), file(plan));
    let message = format!(
        "{rejected} rows from here on were given up unread after {attempts} attempts that did not finish; \
         their bytes are {start}..{end} of {file}{doubt}"
    );
    let error = RowError::of_row(Code::BatchFailed, message);
    let counts = Counts {
        records: range.records,
        rejected,
        skipped: range.records - rejected,
        ..Counts::default()
    };
    reject_range(plan, range, &error, counts)
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
fn origin<'r>(layout: &Layout, record: &Record<'r>) -> Row<'r> {
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

/// A worker that died may have delivered first, where nothing keeps the two together.
fn doubt(plan: &JobPlan, what: &str) -> String {
    if plan.destination.is_record_wise() {
        format!("; {what} may have reached the destination all the same")
    } else {
        String::new()
    }
}

/// One row of rejects for a whole range.
fn reject_range(plan: &JobPlan, range: &BatchRange, error: &RowError, counts: Counts) -> Processed {
    let mut rejects = RejectWriter::new(&plan.layout);
    rejects.without_cells(range, error);
    let codes = CodeCounts::from([(error.code, counts.rejected)]);
    Processed {
        rejects: rejects.finish(),
        counts,
        codes,
        ..Processed::default()
    }
}

fn describe_fault(fault: RecordFault) -> RowError {
    let code = match fault {
        RecordFault::TooLong { .. } => Code::RecordTooLong,
        _ => Code::MalformedRow,
    };
    RowError::of_row(code, fault.to_string())
}

/// A row counts once under each code it has, however many of its fields have it.
fn count_codes(codes: &mut CodeCounts, errors: &[RowError]) {
    let distinct: BTreeSet<Code> = errors.iter().map(|error| error.code).collect();
    for code in distinct {
        *codes.entry(code).or_default() += 1;
    }
}

/// A plan shared by the batches of an invocation.
pub type SharedPlan = Arc<JobPlan>;

#[cfg(test)]
mod tests {
    use batchfleet_grammar::Dialect;

    use super::*;

    fn plan(definition: &str, header: &[&str]) -> JobPlan {
        let layout = Layout {
            dialect: Dialect::default(),
            header: header.iter().map(|&name| name.to_owned()).collect(),
            data: Position {
                offset: 0,
                record: 0,
                line: 2,
            },
            spool: None,
        };
        JobPlan::bind(&Definition::parse(definition).unwrap(), layout).unwrap()
    }

    fn run(plan: &JobPlan, text: &[u8]) -> Processed {
        let range = BatchRange {
            index: 0,
            start: 0,
            end: text.len() as u64,
            first_record: 0,
            records: 0,
            first_line: 2,
            oversize: false,
        };
        let mut processing = Processing::new(plan, text, &range, &Scope::All);
        while processing.step(1) {}
        processing.finish()
    }

    const PEOPLE: &str =
        "fields:\n  - {name: email, type: email, required: true}\n  - {name: age, type: integer}\n";

    #[test]
    fn good_rows_are_delivered_typed_and_bad_rows_with_every_reason() {
        let plan = plan(PEOPLE, &["email", "age"]);
        let done = run(&plan, b"a@b.de,42\nnope,old\n\n\"c@d.de\",\n");
        assert_eq!(
            String::from_utf8(done.part).unwrap(),
            "{\"email\":\"a@b.de\",\"age\":42}\n{\"email\":\"c@d.de\",\"age\":null}\n"
        );
        assert_eq!(
            done.counts,
            Counts {
                records: 4,
                accepted: 2,
                rejected: 1,
                skipped: 1
            }
        );
        assert_eq!(done.codes, CodeCounts::from([(Code::TypeMismatch, 1)]));
        let rejects = String::from_utf8(done.rejects).unwrap();
        assert!(rejects.starts_with("nope,old,1,3,"), "{rejects}");
        assert!(
            rejects.contains("email") && rejects.contains("age"),
            "both reasons: {rejects}"
        );
    }

    #[test]
    fn rejects_can_be_uploaded_again_as_they_are() {
        let first = plan(PEOPLE, &["email", "age"]);
        let text = b"\"a, b\n\"\"c\",1\nshort@x.de\na@b.de,1,2\n\"open,1\n";
        let done = run(&first, text);
        assert_eq!((done.counts.rejected, done.counts.accepted), (4, 0));

        let mut again = first.rejects_head();
        let header_end = again.len();
        again.extend_from_slice(&done.rejects);
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(&again[..]);
        let header: Vec<String> = reader
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        assert_eq!(header, ["email", "age", "_record", "_line", "_errors"]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(&rows[0][0], "a, b\n\"c");
        assert_eq!(rows[1].len(), 5, "a short row is filled");

        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let second = run(&plan(PEOPLE, &header), &again[header_end..]);
        assert_eq!(second.counts.records, 4);
    }

    #[test]
    fn an_added_cell_is_never_a_formula() {
        let plan = plan("fields: [{name: '=cmd', type: integer}]", &["=cmd"]);
        let rejects = String::from_utf8(run(&plan, b"x\n").rejects).unwrap();
        let row = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(rejects.as_bytes())
            .records()
            .next()
            .unwrap()
            .unwrap();
        assert!(!row[3].starts_with('='), "{rejects}");
    }

    #[test]
    fn what_is_not_in_the_scope_is_skipped() {
        let plan = plan(PEOPLE, &["email", "age"]);
        let text = b"a@b.de,42\nnope,old\n\nx@y.de,1\nbad,2\n";
        let range = BatchRange {
            index: 0,
            start: 0,
            end: text.len() as u64,
            first_record: 10,
            records: 5,
            first_line: 2,
            oversize: false,
        };
        let scope = Scope::Only(BTreeSet::from([13, 14]));
        let mut processing = Processing::new(&plan, text, &range, &scope);
        while processing.step(2) {}
        let done = processing.finish();
        assert_eq!(done.part, b"{\"email\":\"x@y.de\",\"age\":1}\n");
        let counts = Counts {
            records: 5,
            accepted: 1,
            rejected: 1,
            skipped: 3,
        };
        assert_eq!(done.counts, counts);
        assert_eq!(
            plan.rejected_records(&done.rejects).unwrap(),
            BTreeSet::from([14])
        );
        let given_up = reject_all(&plan, text, &range, &scope, 3);
        assert_eq!((given_up.counts.rejected, given_up.counts.skipped), (2, 3));
        let unread = reject_unread(&plan, &range, &scope, 4);
        assert_eq!((unread.counts.rejected, unread.counts.skipped), (2, 3));
    }

    #[test]
    fn any_step_gives_the_same() {
        let plan = plan(PEOPLE, &["email", "age"]);
        let text = b"a@b.de,42\nnope,old\n\nx@y.de,1\n";
        let range = BatchRange {
            index: 0,
            start: 0,
            end: text.len() as u64,
            first_record: 0,
            records: 4,
            first_line: 2,
            oversize: false,
        };
        let mut processing = Processing::new(&plan, text, &range, &Scope::All);
        while processing.step(1_000) {}
        assert_eq!(processing.finish(), run(&plan, text));
    }

    #[test]
    fn records_the_destination_refused_become_rejects_in_their_place() {
        let definition = "fields: [{name: id, type: integer, required: true}, {name: name}]\n\
                          destination: {type: dynamodb, table: people, key: [id]}\n";
        let plan = plan(definition, &["id", "name"]);
        let text = b"7,a\nx,b\n\n8,\"c\nd\"\n9,e\n";
        let mut first = run(&plan, text);
        let records = first.take_records();
        let rows: Vec<(u64, &[u8])> = records.iter().map(|one| (one.index, &*one.row)).collect();
        let expected: [(u64, &[u8]); 3] = [
            (0, br#"{"id":7,"name":"a"}"#),
            (3, br#"{"id":8,"name":"c\nd"}"#),
            (4, br#"{"id":9,"name":"e"}"#),
        ];
        assert_eq!(rows, expected);

        let range = BatchRange {
            index: 0,
            start: 0,
            end: text.len() as u64,
            first_record: 0,
            records: 5,
            first_line: 2,
            oversize: false,
        };
        let refusal = refused_by_destination("too\nlarge", 4);
        let refused = BTreeMap::from([(0, refusal.clone()), (3, refusal)]);
        let mut processing = Processing::new(&plan, text, &range, &Scope::All).refusing(refused);
        while processing.step(1) {}
        let second = processing.finish();
        assert_eq!(
            second.counts,
            Counts {
                records: 5,
                accepted: 1,
                rejected: 3,
                skipped: 1
            }
        );
        let codes = [(Code::TypeMismatch, 1), (Code::DeliveryFailed, 2)];
        assert_eq!(second.codes, CodeCounts::from(codes));
        let rejects = String::from_utf8(second.rejects).unwrap();
        let why = "the destination refused the row 4 times: too large";
        assert_eq!(
            rejects,
            format!(
                "7,a,0,2,{why}\nx,b,1,3,\"id: \"\"x\"\" is not a whole number\"\n8,\"c\nd\",3,5,{why}\n"
            )
        );
    }

    #[test]
    fn a_reason_is_short_and_on_one_line() {
        let error = refused_by_destination(&"é\n".repeat(1_000), 1);
        assert_eq!(error.code, Code::DeliveryFailed);
        let cut = format!("the destination refused the row: {}…", "é ".repeat(150));
        assert_eq!(error.message, cut);
    }
}
