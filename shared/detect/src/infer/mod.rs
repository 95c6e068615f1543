//! A definition from a file: what its columns are, and on what evidence.
//!
//! Records go by once, in a [`Profile`], whose memory is bounded whatever the file's length;
//! [`Profile::finish`] makes an [`Inferred`] of it, which writes itself as a definition with comments. A
//! [`Check`] then takes the same records through the compiled definition, and [`Inferred::loosen`] takes
//! back what it claimed too much. It must not know where the records come from.
//!
//! What it writes accepts the records that it saw. So a column with a few odd cells stays text, and the
//! comment says which type it would be, and in which lines it is not.

mod check;
mod choose;
mod column;
mod head;
mod kinds;
mod shapes;
mod words;
mod yaml;

use batchfleet_definition::{Definition, FieldType, TypeOptions};
use batchfleet_grammar::Record;

pub use check::{Check, Outcome, reads_alike};

use self::choose::{Facts, Locale};
use self::column::{Column, Difference, Room};
use self::head::Naming;
use crate::{Found, FoundEncoding};

/// Values of all columns together that are compared to see whether they differ: 16 bytes each, and as
/// much again for finding them.
pub const HASHES_MAX: usize = 1_000_000;

/// Lines that a sentence names.
const LINES_NAMED: usize = 5;

/// What a file's records look like, while they go by.
#[derive(Debug)]
pub struct Profile {
    columns: Vec<Column>,
    room: Room,
    rows: u64,
    short: Places,
    long: Places,
    unreadable: Places,
}

/// Rows of a kind: how many there are, and the lines of the first.
#[derive(Debug, Default, Clone)]
struct Places {
    count: u64,
    lines: Vec<u64>,
}

/// What is known of the file besides its records.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'o> {
    /// What the file is called, for people.
    pub file: &'o str,
    /// The names of its columns, as the header has them.
    pub columns: &'o [String],
    /// Its encoding; `None` where that goes without saying, as in JSON.
    pub encoding: Option<&'o FoundEncoding>,
    /// Its table; `None` where the records were JSON.
    pub found: Option<&'o Found>,
    /// Whether the records were all there are.
    pub whole: bool,
}

/// A definition on the way: what was concluded, and why.
#[derive(Debug, Clone)]
pub struct Inferred {
    title: Option<String>,
    notes: Vec<String>,
    head: head::Head,
    /// Why cells beyond the last column are dropped, if they are.
    truncate: Option<String>,
    /// Why columns without a name are kept, if they are.
    keep: Option<String>,
    fields: Vec<InferredField>,
}

/// One field of it.
#[derive(Debug, Clone, PartialEq)]
pub struct InferredField {
    /// The key of the output, and the header of its column.
    pub name: String,
    /// Its type.
    pub kind: FieldType,
    /// What is said about the type.
    pub options: TypeOptions,
    /// Whether no cell was empty.
    pub required: bool,
    /// Whether no two rows had the same value.
    pub unique: bool,
    /// Cells that stand for no value.
    pub null_values: Vec<String>,
    /// Why, in short sentences; values of records are in them where they are few and short.
    pub evidence: Vec<String>,
}

impl Profile {
    /// A profile of records that have this many columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        let shapes = shapes::all();
        Self {
            columns: (0..columns).map(|_| Column::new(shapes.len())).collect(),
            room: Room {
                shapes,
                hashes: HASHES_MAX,
                out: String::new(),
            },
            rows: 0,
            short: Places::default(),
            long: Places::default(),
            unreadable: Places::default(),
        }
    }

    /// Looks at a record that begins on `line`. One without a value in any cell is passed over, as an
    /// import does; one that the reader finds fault with is only counted.
    pub fn add(&mut self, record: &Record<'_>, line: u64) {
        if record.fault().is_some() {
            self.add_unreadable(line);
            return;
        }
        if record.is_skippable() || is_blank(record, 0) {
            return;
        }
        self.rows += 1;
        let width = self.columns.len();
        if record.len() < width {
            self.short.add(line);
        } else if !is_blank(record, width) {
            self.long.add(line);
        }
        let mut is_text = true;
        for (index, column) in self.columns.iter_mut().enumerate() {
            match record.get(index) {
                None => column.add_empty(line),
                Some(cell) => {
                    is_text = is_text && std::str::from_utf8(cell).is_ok();
                    column.add(cell, line, &mut self.room);
                }
            }
        }
        if !is_text {
            self.add_unreadable(line);
        }
    }

    /// Counts a row that no definition can accept.
    pub fn add_unreadable(&mut self, line: u64) {
        self.unreadable.add(line);
    }

    /// Rows that had a value.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What follows from all that went by.
    #[must_use]
    pub fn finish(self, origin: &Origin<'_>) -> Inferred {
        let delimiter = origin.found.map(|found| found.dialect.delimiter);
        let facts = Facts {
            shapes: &self.room.shapes,
            rows: self.rows,
            whole: origin.whole,
            locale: Locale::of(&self.columns, &self.room.shapes, delimiter),
        };
        let filled = |index: usize| {
            let column = self.columns.get(index);
            column.is_some_and(|column| column.empty < self.rows)
        };
        let naming = Naming::of(origin, self.rows, filled);
        let mut fields = Vec::with_capacity(naming.fields.len());
        for (index, name) in &naming.fields {
            if let Some(column) = self.columns.get(*index) {
                fields.push(choose::choose(name.clone(), column, &facts));
            }
        }
        let mut notes = self.notes(origin);
        notes.extend(naming.notes.iter().cloned());
        let truncate = (self.long.count > 0).then(|| {
            let all = if self.long.count == self.rows {
                ". Every row has: name the columns under dialect (columns, header: false) to keep them"
            } else {
                ""
            };
            format!(
                "{} more cells than the header, which are dropped: {}{all}",
                has(self.long.count),
                self.long.shown()
            )
        });
        Inferred {
            title: head::title(origin.file),
            notes,
            head: head::Head::of(origin, &naming),
            truncate,
            keep: naming.keep,
            fields,
        }
    }

    fn notes(&self, origin: &Origin<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        let rows = counted(self.rows, "row");
        notes.push(if origin.whole {
            format!("Inferred from {}: {rows}, all there are.", origin.file)
        } else {
            format!(
                "Inferred from the first {rows} of {}: those behind may not fit, so nothing is said to be \
                 required or unique.",
                origin.file
            )
        });
        notes.push(
            "The comments say on what evidence. What can't be seen in one file is for you to say."
                .to_owned(),
        );
        if self.short.count > 0 {
            notes.push(format!(
                "{} fewer cells than the header; those missing count as empty: {}.",
                has(self.short.count),
                self.short.shown()
            ));
        }
        if self.unreadable.count > 0 {
            notes.push(format!(
                "{} can't be read, and will be rejected under any definition: {}.",
                counted(self.unreadable.count, "row"),
                self.unreadable.shown()
            ));
        }
        let footers = origin.found.map_or(0, |found| found.footer_rows_guess);
        if footers > 0 {
            notes.push(format!(
                "The last {} looks like totals or notes. Without it, columns may have stricter types.",
                counted(u64::from(footers), "row")
            ));
        }
        let is_full = |column: &Column| matches!(column.difference, Difference::Unknown);
        if self.columns.iter().any(is_full) {
            notes.push(format!(
                "More than {} different values: whether all differ is not known of every column.",
                grouped(HASHES_MAX as u64)
            ));
        }
        notes
    }
}

impl Inferred {
    /// The fields, in the order of the columns.
    #[must_use]
    pub fn fields(&self) -> &[InferredField] {
        &self.fields
    }

    /// Adds a sentence to those at the top.
    pub fn note(&mut self, sentence: String) {
        self.notes.push(sentence);
    }

    /// Fixes all that was found of how the file is read, not only what is unusual.
    pub fn fix_reading(&mut self) {
        self.head.is_firm = true;
    }

    /// Takes back what a check refuted; whether there was anything to take back.
    pub fn loosen(&mut self, outcome: &Outcome) -> bool {
        let mut is_changed = false;
        for (index, line) in &outcome.fields {
            let Some(field) = self.fields.get_mut(*index) else {
                continue;
            };
            if field.kind == FieldType::String && !field.required {
                continue;
            }
            field.evidence.push(format!(
                "{} was refuted by line {line}",
                kinds::written(field.kind, &field.options)
            ));
            field.kind = FieldType::String;
            field.options = TypeOptions::default();
            field.null_values.clear();
            field.required = false;
            is_changed = true;
        }
        for (name, line) in &outcome.duplicates {
            for field in self.fields.iter_mut().filter(|field| field.name == *name) {
                is_changed |= field.unique;
                field.unique = false;
                field
                    .evidence
                    .push(format!("not unique: line {line} has a value once more"));
            }
        }
        if let Some(line) = outcome.ragged
            && self.truncate.is_none()
        {
            self.truncate = Some(format!("line {line} has more cells than the header"));
            is_changed = true;
        }
        is_changed
    }

    /// The definition, with comments as far as its length allows. It can always be parsed.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        if self.fields.is_empty() {
            return yaml::open(self, "");
        }
        for style in [yaml::Style::Full, yaml::Style::Bare, yaml::Style::Typed] {
            let text = yaml::write(self, style);
            if Definition::parse(&text).is_ok() {
                return text;
            }
        }
        yaml::open(
            self,
            "There are more columns than a definition can name: without fields, every column is text.",
        )
    }
}

impl Places {
    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.lines.len() < LINES_NAMED {
            self.lines.push(line);
        }
    }

    fn shown(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(u64::to_string).collect();
        let word = if self.count == 1 { "line" } else { "lines" };
        let more = if self.count > lines.len() as u64 {
            " and others"
        } else {
            ""
        };
        format!("{word} {}{more}", lines.join(", "))
    }
}

/// Whether no cell from one on holds anything but spaces.
fn is_blank(record: &Record<'_>, from: usize) -> bool {
    record
        .cells()
        .skip(from)
        .all(|cell| cell.trim_ascii().is_empty())
}

/// `1 row has`, `2,000 rows have`.
fn has(count: u64) -> String {
    let verb = if count == 1 { "has" } else { "have" };
    format!("{} {verb}", counted(count, "row"))
}

/// `1 row`, `2,000 rows`.
fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count))
}

/// A number with commas between its thousands.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
