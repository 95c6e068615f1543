//! The proof: the records once more, through the definition that was written.
//!
//! It is the check of an import, so that whatever it finds nobody has to find later. It must not know how
//! the definition came about.

use std::collections::{BTreeMap, HashSet};

use batchfleet_definition::{
    Cells, Checked, Definition, Encoder, HeaderFaults, Reading, RowError, RowPlan, Scratch, Value,
};
use batchfleet_grammar::{Limits, Record, RecordReader};

use super::HASHES_MAX;
use crate::Found;

/// Records on their way through a definition.
#[derive(Debug)]
pub struct Check {
    plan: RowPlan,
    scratch: Scratch,
    errors: Vec<RowError>,
    keys: Vec<Option<u128>>,
    seen: Vec<HashSet<u128>>,
    kept: usize,
    outcome: Outcome,
}

/// What became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows accepted.
    pub accepted: u64,
    /// Rows without a value.
    pub skipped: u64,
    /// Rows that no definition can accept: they can't be read, or are no text.
    pub unreadable: u64,
    /// Rows refused that could be read.
    pub refused: u64,
    /// The fields that refused a value, by their place, each with the first line where it did.
    pub fields: BTreeMap<usize, u64>,
    /// The names of fields with a value that was there before, each with the line of the first.
    pub duplicates: BTreeMap<String, u64>,
    /// The line of the first row with more cells than are borne.
    pub ragged: Option<u64>,
}

/// Whether a text is read under `reading` as it was without one: the same records, under the same names
/// unless the reading gives others. They may begin at different lines where those between are blank or
/// comments.
#[must_use]
pub fn reads_alike(text: &[u8], found: &Found, reading: &Reading, again: &Found) -> bool {
    let is_named_alike = if reading.header == Some(false) {
        found.columns.len() == again.columns.len()
    } else {
        found.columns == again.columns
    };
    is_named_alike
        && found.dialect == again.dialect
        && first_record(text, found) == first_record(text, again)
}

/// Where the first record begins; nothing where there is none.
fn first_record(text: &[u8], found: &Found) -> Option<u64> {
    let rest = text.get(found.data.offset as usize..)?;
    let mut reader = RecordReader::new(rest, found.dialect, Limits::default(), found.data);
    while let Some(record) = reader.read() {
        if !record.is_skippable() {
            return Some(record.start());
        }
    }
    None
}

impl Check {
    /// Binds a definition to the columns of a file.
    ///
    /// # Errors
    /// What is wrong between the two.
    pub fn new(definition: &Definition, columns: &[String]) -> Result<Self, HeaderFaults> {
        let header: Vec<Vec<u8>> = columns
            .iter()
            .map(|name| name.clone().into_bytes())
            .collect();
        let plan = definition.bind(&header)?;
        let constraints = plan.unique_constraints().len();
        Ok(Self {
            plan,
            scratch: Scratch::default(),
            errors: Vec::new(),
            keys: Vec::new(),
            seen: vec![HashSet::new(); constraints],
            kept: 0,
            outcome: Outcome::default(),
        })
    }

    /// Checks a record that begins on `line`.
    pub fn add(&mut self, record: &Record<'_>, line: u64) {
        if record.fault().is_some() {
            self.outcome.unreadable += 1;
            return;
        }
        if record.is_skippable() {
            self.outcome.skipped += 1;
            return;
        }
        self.errors.clear();
        let row = Row(record);
        match self
            .plan
            .check(&row, &mut self.scratch, &mut Nowhere, &mut self.errors)
        {
            Checked::Skipped => self.outcome.skipped += 1,
            Checked::Accepted => {
                if self.is_unique(&row, line) {
                    self.outcome.accepted += 1;
                } else {
                    self.outcome.refused += 1;
                }
            }
            Checked::Rejected
                if record
                    .cells()
                    .any(|cell| std::str::from_utf8(cell).is_err()) =>
            {
                self.outcome.unreadable += 1;
            }
            Checked::Rejected => {
                self.outcome.refused += 1;
                for error in &self.errors {
                    match error.field {
                        Some(field) => {
                            self.outcome.fields.entry(field as usize).or_insert(line);
                        }
                        None => self.outcome.ragged = self.outcome.ragged.or(Some(line)),
                    }
                }
            }
        }
    }

    /// Counts a row that no definition can accept.
    pub fn add_unreadable(&mut self) {
        self.outcome.unreadable += 1;
    }

    /// What became of all of them.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        self.outcome
    }

    fn is_unique(&mut self, row: &Row<'_, '_>, line: u64) -> bool {
        self.plan
            .unique_keys(row, &mut self.scratch, &mut self.keys);
        let mut is_unique = true;
        for (index, key) in self.keys.iter().enumerate() {
            let (Some(key), Some(seen)) = (key, self.seen.get_mut(index)) else {
                continue;
            };
            // More is claimed to be unique of no file that a profile was made of.
            if self.kept >= HASHES_MAX {
                continue;
            }
            if seen.insert(*key) {
                self.kept += 1;
            } else if let Some(name) = self.plan.unique_constraints().get(index) {
                is_unique = false;
                self.outcome.duplicates.entry(name.clone()).or_insert(line);
            }
        }
        is_unique
    }
}

/// A record as the plan takes it.
struct Row<'a, 'r>(&'a Record<'r>);

impl Cells for Row<'_, '_> {
    fn cell(&self, index: usize) -> Option<&[u8]> {
        self.0.get(index)
    }

    fn count(&self) -> usize {
        self.0.len()
    }
}

/// Where checked rows go.
struct Nowhere;

impl Encoder for Nowhere {
    fn begin(&mut self) {}
    fn field(&mut self, _: usize, _: Value<'_>) {}
    fn end(&mut self) {}
    fn discard(&mut self) {}
}
