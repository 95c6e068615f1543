//! The compiled check: a definition bound to one header, applied to one record at a time.
//!
//! It runs for every row of every import, so a good row without transforms costs no allocation and
//! no dynamic call. It must not know how records were split nor what the encoded rows become.

use crate::constraint::Violation;
use crate::definition::{Ragged, TableLookup};
use crate::logic::{Logic, RowLogic};
use crate::row_error::{Code, RowError, Severity};
use crate::rules::Row;
use crate::slot::Slot;
use crate::types::Value;
use crate::unique::{self, Constraint};

/// The cells of one record, without their quotes.
pub trait Cells {
    /// The cell of a column, counted from 0; `None` after the last.
    fn cell(&self, index: usize) -> Option<&[u8]>;
    /// How many cells there are.
    fn count(&self) -> usize;
}

impl<T: AsRef<[u8]>> Cells for [T] {
    fn cell(&self, index: usize) -> Option<&[u8]> {
        self.get(index).map(AsRef::as_ref)
    }

    fn count(&self) -> usize {
        self.len()
    }
}

/// Takes accepted rows.
///
/// A row is `begin`, then `field` for every field of the plan in order, then `end`. At any point
/// after `begin`, `discard` may take the place of the rest; and after `end` it may come once more, where
/// something else speaks against the row.
pub trait Encoder {
    /// Begins a row.
    fn begin(&mut self);
    /// Adds the value of a field, by its place in the plan.
    fn field(&mut self, index: usize, value: Value<'_>);
    /// Ends the row and keeps it.
    fn end(&mut self);
    /// Forgets all that came since `begin`, also where the row has ended already.
    fn discard(&mut self);
}

/// Room to work in, used again for every record. Each worker of a plan has its own.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The text of a cell while it is transformed.
    pub(crate) text: String,
    /// What a transform writes into.
    pub(crate) spare: String,
    /// What a conversion writes into.
    pub(crate) out: String,
    /// The bytes of a unique key.
    key: Vec<u8>,
    violations: Vec<Violation>,
    /// Whether no message about the record may show a value. In a row with more or fewer cells than the
    /// header a sensitive value may stand in any column, so all of them are treated as such.
    pub(crate) hides_all: bool,
    /// The values of the record, where rules are to be asked about them.
    row: Row,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It is in the encoder. What was found are warnings.
    Accepted,
    /// Nothing of it is in the encoder, and at least one error was found.
    Rejected,
    /// It has no value in any cell, and the definition passes over such rows.
    Skipped,
}

/// A definition bound to the header of a file. Made by [`Definition::bind`] once, used for every
/// record.
///
/// [`Definition::bind`]: crate::Definition::bind
#[derive(Debug, Clone)]
pub struct RowPlan {
    pub(crate) columns: usize,
    pub(crate) ragged: Ragged,
    pub(crate) skip_empty_rows: bool,
    pub(crate) slots: Vec<Slot>,
    pub(crate) ignored: Vec<String>,
    pub(crate) sensitive: Vec<usize>,
    pub(crate) unique: Vec<Constraint>,
    pub(crate) unique_names: Vec<String>,
    pub(crate) lookups: Vec<TableLookup>,
    pub(crate) logic: Logic,
}

/// Whether a record is one that the plan can check.
enum Shape {
    Good,
    Empty,
    /// It has this many cells.
    Ragged(usize),
}

impl RowPlan {
    /// How many columns the header has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes of the output that every accepted row may have, whatever its cells hold: keys,
    /// punctuation, defaults, what transforms add.
    #[must_use]
    pub fn bytes_of_every_row(&self) -> u64 {
        self.slots.iter().map(Slot::bytes_of_every_row).sum()
    }

    /// The keys of the output, in order. [`RowError::field`] and [`Encoder::field`] count by it.
    #[must_use]
    pub fn field_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.slots.iter().map(|slot| slot.name.as_str())
    }

    /// The name of one field.
    #[must_use]
    pub fn field_name(&self, index: u32) -> Option<&str> {
        let slot = self.slots.get(index as usize)?;
        Some(&slot.name)
    }

    /// The column that fills a field, counted from 0; nothing where it has none.
    #[must_use]
    pub fn field_column(&self, index: u32) -> Option<usize> {
        self.slots.get(index as usize)?.column
    }

    /// The columns of the header that no field uses, by name.
    #[must_use]
    pub fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }

    /// The columns whose cells nobody may see in reports, counted from 0, in order.
    #[must_use]
    pub fn sensitive_columns(&self) -> &[usize] {
        &self.sensitive
    }

    /// Checks one record, converts it and encodes it. `errors` gets every error of it, not only the
    /// first, and its warnings. Unless the record was accepted, nothing of it is left in the encoder.
    #[inline]
    pub fn check<C, E>(
        &self,
        record: &C,
        scratch: &mut Scratch,
        encoder: &mut E,
        errors: &mut Vec<RowError>,
    ) -> Checked
    where
        C: Cells + ?Sized,
        E: Encoder,
    {
        match self.shape(record) {
            Shape::Good => {}
            Shape::Empty => return Checked::Skipped,
            Shape::Ragged(count) => {
                errors.push(self.ragged(count));
                return Checked::Rejected;
            }
        }
        scratch.hides_all = !self.sensitive.is_empty() && record.count() != self.columns;
        let errors_before = errors.len();
        encoder.begin();
        if let Some(logic) = self.logic.get() {
            self.check_with(logic, record, scratch, encoder, errors);
        } else {
            for index in 0..self.slots.len() {
                self.field(index, record, scratch, None, encoder, errors);
            }
        }
        if errors[errors_before..].iter().any(is_error) {
            encoder.discard();
            return Checked::Rejected;
        }
        encoder.end();
        Checked::Accepted
    }

    /// Checks and encodes one field, and keeps its value where it is needed again.
    #[inline]
    fn field<C, E>(
        &self,
        index: usize,
        record: &C,
        scratch: &mut Scratch,
        row: Option<&mut Row>,
        encoder: &mut E,
        errors: &mut Vec<RowError>,
    ) where
        C: Cells + ?Sized,
        E: Encoder,
    {
        let slot = &self.slots[index];
        let mut violations = std::mem::take(&mut scratch.violations);
        match slot.read(record, scratch) {
            Ok(value) => {
                slot.violations(&value, &mut violations);
                encoder.field(index, value);
                if let Some(row) = row {
                    row.push(Some(value));
                }
            }
            Err(problem) => {
                errors.push(slot.problem(index, record, &problem, scratch));
                if slot.severity == Severity::Warning {
                    encoder.field(index, slot.kept(record, &problem, scratch));
                }
                if let Some(row) = row {
                    row.push(None);
                }
            }
        }
        for violation in violations.drain(..) {
            errors.push(slot.violation(index, record, violation, scratch));
        }
        scratch.violations = violations;
    }

    /// Checks and encodes the fields of a record, calculates those that are calculated, and asks the
    /// rules.
    fn check_with<C, E>(
        &self,
        logic: &RowLogic,
        record: &C,
        scratch: &mut Scratch,
        encoder: &mut E,
        errors: &mut Vec<RowError>,
    ) where
        C: Cells + ?Sized,
        E: Encoder,
    {
        let errors_before = errors.len();
        let mut row = std::mem::take(&mut scratch.row);
        row.clear();
        for (index, slot) in self.slots.iter().enumerate() {
            let Some(computed) = logic.computed(index) else {
                self.field(index, record, scratch, Some(&mut row), encoder, errors);
                continue;
            };
            let text = match computed.text(&row) {
                Ok(text) => text,
                Err(why) => {
                    let sentence = format!("it can't be calculated: {why}");
                    errors.push(slot.error(index, Code::Rule, &sentence, None));
                    None
                }
            };
            // What it needs is an error already, unless that was a warning only.
            if text.is_none() && errors[errors_before..].iter().any(is_error) {
                row.push(None);
                continue;
            }
            let cell = Calculated(text.unwrap_or_default());
            self.field(index, &cell, scratch, Some(&mut row), encoder, errors);
        }
        logic.rules.check(&row, errors);
        scratch.row = row;
    }

    /// The values of a record, for keys that are calculated from them.
    fn values<C: Cells + ?Sized>(
        &self,
        logic: &RowLogic,
        record: &C,
        scratch: &mut Scratch,
        row: &mut Row,
    ) {
        row.clear();
        for (index, slot) in self.slots.iter().enumerate() {
            let Some(computed) = logic.computed(index) else {
                row.push(slot.read(record, scratch).ok());
                continue;
            };
            let text = computed.text(row).ok().flatten();
            let cell = text.map(Calculated);
            row.push(cell.as_ref().and_then(|cell| slot.read(cell, scratch).ok()));
        }
    }

    /// The constraints over the whole job, by the names of their fields. [`unique_keys`] and
    /// [`duplicate`] count by it.
    ///
    /// [`unique_keys`]: Self::unique_keys
    /// [`duplicate`]: Self::duplicate
    #[must_use]
    pub fn unique_constraints(&self) -> &[String] {
        &self.unique_names
    }

    /// The key of a record under each of the [`unique_constraints`](Self::unique_constraints), in
    /// place of what `out` held. Two records with one key have the same values there. `None` where a
    /// value is missing or does not fit its type: such a record is no duplicate and makes none. It
    /// looks at the cells concerned alone.
    pub fn unique_keys<C: Cells + ?Sized>(
        &self,
        record: &C,
        scratch: &mut Scratch,
        out: &mut Vec<Option<u128>>,
    ) {
        out.clear();
        if self.unique.is_empty() {
            return;
        }
        if !matches!(self.shape(record), Shape::Good) {
            out.resize(self.unique.len(), None);
            return;
        }
        let mut key = std::mem::take(&mut scratch.key);
        let mut row = std::mem::take(&mut scratch.row);
        let is_computed = |slot: &usize| self.slots[*slot].is_computed();
        let logic = self.logic.get().filter(|_| {
            let mut slots = self.unique.iter().flat_map(|unique| &unique.slots);
            slots.any(is_computed)
        });
        if let Some(logic) = logic {
            self.values(logic, record, scratch, &mut row);
        }
        for constraint in &self.unique {
            key.clear();
            let mut is_whole = true;
            for &index in &constraint.slots {
                let slot = &self.slots[index];
                let value = match logic {
                    Some(_) => row.get(index as u32),
                    None => slot.read(record, scratch).ok(),
                };
                is_whole = value.is_some_and(|value| {
                    unique::add(&mut key, &value, slot.kind, constraint.ignore_case)
                });
                if !is_whole {
                    break;
                }
            }
            out.push(is_whole.then(|| unique::hash(&key)));
        }
        scratch.key = key;
        scratch.row = row;
    }

    /// The error of a record that has the key of an earlier one, which began on `first_line`.
    #[must_use]
    pub fn duplicate(&self, constraint: usize, first_line: u64) -> RowError {
        let sentence = |what: &str| format!("{what} in line {first_line} already");
        let slots = self.unique.get(constraint).map(|unique| &unique.slots[..]);
        if let Some(&[index]) = slots {
            let slot = &self.slots[index];
            let sentence = sentence("the value must be unique, and is");
            return slot.error(index, Code::DuplicateValue, &sentence, None);
        }
        let names = self.unique_names.get(constraint);
        let names = names.map_or("", String::as_str);
        let what = format!("{names}: these values together must be unique, and are");
        RowError::of_row(Code::DuplicateValue, sentence(&what))
    }

    /// The tables whose records the rows must not be. [`external_duplicate`] counts by it.
    ///
    /// [`external_duplicate`]: Self::external_duplicate
    #[must_use]
    pub fn lookups(&self) -> &[TableLookup] {
        &self.lookups
    }

    /// The error, or warning, of a row that is a record of one of the [`lookups`](Self::lookups). It
    /// names the fields and not their values: those are in the row.
    #[must_use]
    pub fn external_duplicate(&self, lookup: usize) -> RowError {
        let Some(lookup) = self.lookups.get(lookup) else {
            let message = "the record exists already".to_owned();
            return RowError::of_row(Code::ExternalDuplicate, message);
        };
        let table = &lookup.table;
        let own = lookup.message.clone();
        let sentence = own.unwrap_or_else(|| {
            let destination = if lookup.is_destination {
                "the destination, "
            } else {
                ""
            };
            format!("{destination}the table {table} has this record already")
        });
        let names: Vec<&str> = lookup.key.iter().map(|one| &*one.field).collect();
        let mut error = RowError::of_row(
            Code::ExternalDuplicate,
            format!("{}: {sentence}", names.join(", ")),
        );
        error.severity = lookup.severity;
        if let [name] = names[..] {
            let place = self.slots.iter().position(|slot| slot.name == name);
            error.field = place.map(|place| place as u32);
        }
        error
    }

    #[inline]
    fn shape<C: Cells + ?Sized>(&self, record: &C) -> Shape {
        let count = record.count();
        if self.skip_empty_rows && is_blank(record, 0..count) {
            return Shape::Empty;
        }
        let is_good = count == self.columns
            || match self.ragged {
                Ragged::Reject => false,
                Ragged::Pad => count < self.columns || is_blank(record, self.columns..count),
                Ragged::Truncate => true,
            };
        if is_good {
            Shape::Good
        } else {
            Shape::Ragged(count)
        }
    }

    #[cold]
    fn ragged(&self, count: usize) -> RowError {
        let cells = if count == 1 { "cell" } else { "cells" };
        let message = format!(
            "the row has {count} {cells}, the header has {}",
            self.columns
        );
        RowError::of_row(Code::MalformedRow, message)
    }
}

/// A calculated text in place of a record's cells.
struct Calculated(String);

impl Cells for Calculated {
    fn cell(&self, _: usize) -> Option<&[u8]> {
        Some(self.0.as_bytes())
    }

    fn count(&self) -> usize {
        1
    }
}

fn is_error(error: &RowError) -> bool {
    error.severity == Severity::Error
}

/// Whether none of these cells holds anything but spaces and tabs.
#[inline]
fn is_blank<C: Cells + ?Sized>(record: &C, mut cells: std::ops::Range<usize>) -> bool {
    cells.all(|cell| {
        record
            .cell(cell)
            .unwrap_or_default()
            .trim_ascii()
            .is_empty()
    })
}
