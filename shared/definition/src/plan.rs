//! The compiled check: a definition bound to one header, applied to one record at a time.
//!
//! It runs for every row of every import, so a good row costs no allocation and no dynamic call.
//! It must not know how records were split nor what the encoded rows become.

use crate::row_error::{Code, RowError};
use crate::show::shown_bytes;
use crate::types::{FieldType, Literal, Mismatch, Value};

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
/// after `begin`, `discard` may take the place of the rest.
pub trait Encoder {
    /// Begins a row.
    fn begin(&mut self);
    /// Adds the value of a field, by its place in the plan.
    fn field(&mut self, index: usize, value: Value<'_>);
    /// Ends the row and keeps it.
    fn end(&mut self);
    /// Forgets all that came since `begin`.
    fn discard(&mut self);
}

/// A definition bound to the header of a file. Made by [`Definition::bind`] once, used for every
/// record.
///
/// [`Definition::bind`]: crate::Definition::bind
#[derive(Debug, Clone, PartialEq)]
pub struct RowPlan {
    columns: usize,
    slots: Vec<Slot>,
    ignored: Vec<String>,
}

/// One field of the output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slot {
    pub(crate) name: String,
    /// The column that fills it. Without one, every row has the default.
    pub(crate) column: Option<usize>,
    pub(crate) kind: FieldType,
    pub(crate) required: bool,
    pub(crate) default: Option<Literal>,
}

enum Problem {
    Required,
    Mismatch(Mismatch),
}

impl RowPlan {
    pub(crate) fn new(columns: usize, slots: Vec<Slot>, ignored: Vec<String>) -> Self {
        Self {
            columns,
            slots,
            ignored,
        }
    }

    /// How many columns the header has, and therefore how many cells every row must have.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes of the output that every accepted row has, whatever its cells hold: keys, punctuation,
    /// defaults.
    #[must_use]
    pub fn bytes_of_every_row(&self) -> u64 {
        let field = |slot: &Slot| {
            let default = match slot.fallback() {
                Value::Str(text) => text.len(),
                _ => 0,
            };
            // Quotes, colon and comma.
            (slot.name.len() + 4 + default) as u64
        };
        self.slots.iter().map(field).sum()
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

    /// The columns of the header that no field uses, by name.
    #[must_use]
    pub fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }

    /// Checks one record, converts it and encodes it. True when the row was accepted; else nothing
    /// of it is left in the encoder, and `errors` has every error of it, not only the first.
    #[inline]
    pub fn check<C, E>(&self, record: &C, encoder: &mut E, errors: &mut Vec<RowError>) -> bool
    where
        C: Cells + ?Sized,
        E: Encoder,
    {
        let count = record.count();
        if count != self.columns {
            errors.push(self.ragged(count));
            return false;
        }
        let errors_before = errors.len();
        encoder.begin();
        for (index, slot) in self.slots.iter().enumerate() {
            match slot.value(record) {
                Ok(value) => encoder.field(index, value),
                Err(problem) => errors.push(slot.error(index, record, &problem)),
            }
        }
        let accepted = errors.len() == errors_before;
        if accepted {
            encoder.end();
        } else {
            encoder.discard();
        }
        accepted
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

impl Slot {
    #[inline]
    fn value<'a, C: Cells + ?Sized>(&'a self, record: &'a C) -> Result<Value<'a>, Problem> {
        let Some(column) = self.column else {
            return Ok(self.fallback());
        };
        let cell = record.cell(column).unwrap_or_default();
        if self.kind == FieldType::String {
            return self.text(cell);
        }
        let cell = cell.trim_ascii();
        if !cell.is_empty() {
            return self.kind.convert(cell).map_err(Problem::Mismatch);
        }
        if self.required && self.default.is_none() {
            return Err(Problem::Required);
        }
        Ok(self.fallback())
    }

    /// Text keeps its spaces, and an empty text is a value of its own.
    #[inline]
    fn text<'a>(&'a self, cell: &'a [u8]) -> Result<Value<'a>, Problem> {
        if cell.is_empty()
            && let Some(default) = &self.default
        {
            return Ok(default.value());
        }
        let value = self.kind.convert(cell).map_err(Problem::Mismatch)?;
        match value {
            Value::Str(text) if self.required && text.trim_start().is_empty() => {
                Err(Problem::Required)
            }
            _ => Ok(value),
        }
    }

    fn fallback(&self) -> Value<'_> {
        self.default.as_ref().map_or(Value::Null, Literal::value)
    }

    #[cold]
    fn error<C: Cells + ?Sized>(&self, index: usize, record: &C, problem: &Problem) -> RowError {
        let name = &self.name;
        let (code, message) = match problem {
            Problem::Required => (Code::Required, format!("{name}: a value is required")),
            Problem::Mismatch(mismatch) => {
                let cell = self.column.and_then(|column| record.cell(column));
                let cell = shown_bytes(cell.unwrap_or_default());
                (Code::TypeMismatch, format!("{name}: {cell} {mismatch}"))
            }
        };
        RowError {
            field: Some(index as u32),
            ..RowError::of_row(code, message)
        }
    }
}
