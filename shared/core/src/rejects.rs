//! The records that a batch reports, in two forms: rows of rejects.csv, with the cells as they were,
//! in the dialect they came in, so that the file can be mended in a spreadsheet and uploaded again as
//! it is; and JSON objects for programs, of rejects and of records with warnings.
//!
//! It must not know how rows are judged.

mod cells;
mod objects;

use std::collections::BTreeSet;
use std::fmt::Write;

use batchfleet_definition::{Code, RowError, Severity};
use batchfleet_grammar::{BatchRange, Dialect, Limits, Position, Record, RecordReader};

use crate::error::{PortError, PortResult};
use crate::job::Layout;
use cells::RowWriter;
use objects::{Content, Objects};

/// Columns that rejects.csv adds behind the original ones. A file that has them, because it is a
/// rejects.csv uploaded again, is read without them.
pub const REJECT_COLUMNS: [&str; 4] = ["_record", "_line", "_errors", "_codes"];

/// Columns that releases before there was `_codes` added.
const REJECT_COLUMNS_BEFORE: usize = 3;

/// What stands in the place of a value that nobody is to see.
pub const MASK: &str = "***";

/// The most that is kept of the text of a record that could not be read into cells: a spreadsheet's
/// cell takes 32,767 characters.
pub const RAW_BYTES_MAX: usize = 32_000;

/// Whether a column of a file is one that an earlier rejects.csv added.
#[must_use]
pub fn is_added(name: &str) -> bool {
    let name = name.trim();
    REJECT_COLUMNS
        .iter()
        .any(|added| name.eq_ignore_ascii_case(added))
}

/// Whether these are the columns of a rejects.csv, of this release or of one before it.
#[must_use]
pub fn is_rejects_file(columns: &[String]) -> bool {
    [REJECT_COLUMNS.len(), REJECT_COLUMNS_BEFORE]
        .into_iter()
        .any(|added| {
            let own = columns.len().checked_sub(added);
            own.is_some_and(|own| {
                let pairs = columns[own..].iter().zip(REJECT_COLUMNS);
                pairs
                    .into_iter()
                    .all(|(name, added)| name.trim().eq_ignore_ascii_case(added))
            })
        })
}

/// Rows as text that a reader of the dialect reads the same cells from, as far as the dialect can hold
/// them; a row of one empty cell it takes for a blank line.
#[must_use]
pub fn write_rows(dialect: Dialect, rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = RowWriter::new(dialect);
    for row in rows {
        for cell in row {
            writer.cell(cell.as_bytes());
        }
        writer.end_row();
    }
    writer.finish()
}

/// How the records of a file are reported; made once a job.
#[derive(Debug)]
pub(crate) struct RejectForm {
    dialect: Dialect,
    /// The columns of the file that are repeated: all but those that an earlier rejects.csv added.
    columns: Vec<usize>,
    /// Their names.
    names: Vec<String>,
    /// Their keys in the objects, as JSON, each with its colon.
    keys: Vec<String>,
    /// The fields of the definition, which errors name by their place.
    fields: Vec<String>,
    /// Columns of the file.
    width: usize,
    /// The columns whose values nobody is to see.
    sensitive: BTreeSet<usize>,
}

impl RejectForm {
    /// For a file and the fields of its definition; `sensitive` are columns, counted from 0.
    pub(crate) fn new<'f>(
        layout: &Layout,
        fields: impl Iterator<Item = &'f str>,
        sensitive: BTreeSet<usize>,
    ) -> Self {
        let header = layout.header.iter().enumerate();
        let (columns, names): (Vec<usize>, Vec<String>) = header
            .filter(|(_, name)| !is_added(name))
            .map(|(column, name)| (column, name.clone()))
            .unzip();
        Self {
            dialect: layout.dialect,
            keys: objects::keys(&columns, &names),
            columns,
            names,
            fields: fields.map(str::to_owned).collect(),
            width: layout.header.len(),
            sensitive,
        }
    }

    /// Bytes that every object has, whatever the cells hold.
    pub(crate) fn bytes_of_every_object(&self) -> u64 {
        // Quotes and comma of each value.
        self.keys.iter().map(|key| key.len() as u64 + 3).sum()
    }

    /// The header line of rejects.csv.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut rows = RowWriter::new(self.dialect);
        for name in &self.names {
            rows.cell(name.as_bytes());
        }
        for name in REJECT_COLUMNS {
            rows.cell(name.as_bytes());
        }
        rows.end_row();
        rows.finish()
    }

    /// Whether a row of an uploaded rejects.csv still has the mask where a value should be, and in
    /// which column.
    pub(crate) fn masked_column(&self, record: &Record<'_>) -> Option<&str> {
        let is_rejects_file = self.columns.len() < self.width;
        if !is_rejects_file || self.sensitive.is_empty() {
            return None;
        }
        let is_masked = |column: &usize| {
            self.is_hidden(record, *column) && record.get(*column) == Some(MASK.as_bytes())
        };
        let at = self.columns.iter().position(is_masked)?;
        self.names.get(at).map(String::as_str)
    }

    /// Whether nobody is to see this cell. The cells of a row that has more or fewer than the header
    /// may stand in other columns than their own, so all of them are hidden then.
    fn is_hidden(&self, record: &Record<'_>, column: usize) -> bool {
        let is_ragged = record.len() != self.width;
        self.sensitive.contains(&column) || (is_ragged && !self.sensitive.is_empty())
    }

    /// A cell as it may be shown; `None` behind the last.
    fn shown<'r>(&self, record: &Record<'r>, column: usize) -> Option<&'r [u8]> {
        let cell = record.get(column)?;
        let is_hidden = !cell.is_empty() && self.is_hidden(record, column);
        Some(if is_hidden { MASK.as_bytes() } else { cell })
    }

    /// How much of the text of such a record is left out, if it is for its length: what is kept.
    pub(crate) fn cut_at(&self, raw: &[u8]) -> Option<usize> {
        let kept = kept_of(raw);
        (kept < raw.len() && self.sensitive.is_empty()).then_some(kept)
    }

    /// The text of a record that could not be read into cells, as it may be shown.
    fn shown_raw<'r>(&self, raw: &'r [u8]) -> &'r [u8] {
        if self.sensitive.is_empty() {
            &raw[..kept_of(raw)]
        } else {
            MASK.as_bytes()
        }
    }
}

/// Collects the reports of one batch in memory.
pub(crate) struct RejectWriter<'f> {
    form: &'f RejectForm,
    rows: RowWriter,
    objects: Objects,
    warnings: Objects,
}

/// The reports of one batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) rejects: Vec<u8>,
    pub(crate) rejects_json: Vec<u8>,
    pub(crate) warnings_json: Vec<u8>,
}

impl<'f> RejectWriter<'f> {
    pub(crate) fn new(form: &'f RejectForm) -> Self {
        Self {
            form,
            rows: RowWriter::new(form.dialect),
            objects: Objects::default(),
            warnings: Objects::default(),
        }
    }

    /// A reject with what is wrong with it. A row that is too short is filled with empty cells, so
    /// that the added columns stand under their names; one that is too long keeps all its cells.
    /// `line` is the one at which the record began in the file.
    pub(crate) fn record(&mut self, record: &Record<'_>, line: u64, errors: &[RowError]) {
        let form = self.form;
        if record.fault().is_some() {
            self.unread(&Place::of(record, line), record.raw(), errors);
            return;
        }
        let beyond = form.width..record.len();
        for column in form.columns.iter().copied().chain(beyond) {
            self.rows
                .cell(form.shown(record, column).unwrap_or_default());
        }
        self.add(record.index(), line, errors);
        let content = Content::Cells(record);
        self.objects
            .push(form, &Place::of(record, line), errors, &content);
    }

    /// A reject that could not be read into cells: its text instead, in the first column. Its errors
    /// say where it is in the file.
    pub(crate) fn unread(&mut self, place: &Place, raw: &[u8], errors: &[RowError]) {
        let raw = self.form.shown_raw(raw);
        self.rows.cell(raw);
        for _ in 1..self.form.columns.len() {
            self.rows.cell(b"");
        }
        self.add(place.record, place.line, errors);
        let content = Content::Raw(raw);
        self.objects.push(self.form, place, errors, &content);
    }

    /// An accepted record about which something is to be said.
    pub(crate) fn warn(&mut self, record: &Record<'_>, line: u64, warnings: &[RowError]) {
        let content = Content::Cells(record);
        self.warnings
            .push(self.form, &Place::of(record, line), warnings, &content);
    }

    fn add(&mut self, record: u64, line: u64, errors: &[RowError]) {
        for text in [
            record.to_string(),
            line.to_string(),
            sentences(errors),
            codes(errors),
        ] {
            self.rows.cell(text.as_bytes());
        }
        self.rows.end_row();
    }

    pub(crate) fn finish(self) -> Reported {
        Reported {
            rejects: self.rows.finish(),
            rejects_json: self.objects.finish(),
            warnings_json: self.warnings.finish(),
        }
    }
}

/// Where a reported record is in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Its index in the job.
    pub(crate) record: u64,
    /// The line of its first byte.
    pub(crate) line: u64,
    /// Its first byte.
    pub(crate) offset: u64,
    /// For how many records this one stands, itself included.
    pub(crate) records: u64,
}

impl Place {
    pub(crate) fn of(record: &Record<'_>, line: u64) -> Self {
        Self {
            record: record.index(),
            line,
            offset: record.start(),
            records: 1,
        }
    }

    /// Where a range begins, for this many of its records.
    pub(crate) fn start_of(range: &BatchRange, records: u64) -> Self {
        Self {
            record: range.first_record,
            line: range.first_line,
            offset: range.start,
            records,
        }
    }
}

/// How many bytes of such a text are kept: whole characters, if it is text.
fn kept_of(raw: &[u8]) -> usize {
    if raw.len() <= RAW_BYTES_MAX {
        return raw.len();
    }
    let is_within = |at: usize| raw[at] & 0b1100_0000 == 0b1000_0000;
    let mut end = RAW_BYTES_MAX;
    // A character has four bytes at most.
    while end > RAW_BYTES_MAX - 3 && is_within(end) {
        end -= 1;
    }
    end
}

/// The records whose rows are in a part, which has no header.
pub(crate) fn records(part: &[u8], dialect: Dialect, limits: Limits) -> PortResult<BTreeSet<u64>> {
    let mut reader = RecordReader::new(part, dialect, limits, Position::default());
    let mut records = BTreeSet::new();
    while let Some(row) = reader.read() {
        let place = row.len().checked_sub(added_to(&row));
        let cell = place.and_then(|place| row.get(place));
        let index = cell.and_then(|cell| std::str::from_utf8(cell).ok()?.parse().ok());
        let index = index.ok_or_else(|| {
            PortError::corrupt(
                "the rejects",
                format!("line {} names no record", row.line()),
            )
        })?;
        records.insert(index);
    }
    Ok(records)
}

/// How many cells were added to a row. In the rows of earlier releases a sentence is the last.
fn added_to(row: &Record<'_>) -> usize {
    let last = row.cells().next_back().unwrap_or_default();
    let mut words = last.split(|byte| CODE_SEPARATORS.contains(byte));
    let is_code = |word: &[u8]| std::str::from_utf8(word).is_ok_and(|it| Code::parse(it).is_some());
    if last.is_empty() || words.all(is_code) {
        REJECT_COLUMNS.len()
    } else {
        REJECT_COLUMNS_BEFORE
    }
}

/// What stands between two codes: a space, or what takes its place where that is the delimiter of a
/// dialect without quotes.
const CODE_SEPARATORS: [u8; 2] = [b' ', cells::SPACE_INSTEAD];

/// The longest text of `_errors`: a spreadsheet's cell takes 32,767 characters. A row can have an
/// error in each of 4,096 columns, so without a limit rows of a few bytes would fill the memory.
const ERRORS_BYTES_MAX: usize = 32_000;

/// The cell of `_errors`.
fn sentences(errors: &[RowError]) -> String {
    let mut sentences = String::new();
    for (told, error) in errors.iter().enumerate() {
        let separator = if told == 0 { "" } else { "; " };
        let suggestion = error.suggestion.as_deref().unwrap_or_default();
        if sentences.len() + error.message.len() + suggestion.len() > ERRORS_BYTES_MAX {
            let more = errors.len() - told;
            let _ = write!(sentences, "{separator}and {more} more");
            break;
        }
        sentences.push_str(separator);
        if error.severity == Severity::Warning {
            sentences.push_str("warning: ");
        }
        sentences.push_str(&error.message);
        if error.suggestion.is_some() {
            let _ = write!(sentences, "; did you mean {suggestion}?");
        }
    }
    defuse(sentences)
}

/// The cell of `_codes`: those that make the row a reject, each once, in the order of the errors.
fn codes(errors: &[RowError]) -> String {
    let mut codes: Vec<&str> = Vec::new();
    for error in errors {
        let code = error.code.as_str();
        if error.severity == Severity::Error && !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes.join(" ")
}

/// Spreadsheets run a cell that begins like this as a formula; an apostrophe makes it text. (OWASP,
/// "CSV Injection".)
fn defuse(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
