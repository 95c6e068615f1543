//! One field of the output, bound to a column: a cell in, a value or what is wrong with it out.
//!
//! The order is the same for every field: the cell, the spaces around it, cells that stand for no
//! value, the default or what is required, transforms, conversion, constraints. It must not know of
//! the other fields of the row.

use std::sync::Arc;

use crate::constraint::Violation;
use crate::definition::Field;
use crate::field_plan::FieldPlan;
use crate::plan::{Cells, Scratch};
use crate::row_error::{Code, RowError, Severity};
use crate::show::shown_bytes;
use crate::transform::TooLong;
use crate::types::{FieldType, Literal, Mismatch, Value};

/// One field of the output.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) name: String,
    /// The column that fills it. Without one, every row has the fallback.
    pub(crate) column: Option<usize>,
    /// Bytes that it may have in every row, if it is calculated: its text then stands in place of the
    /// record's first cell.
    pub(crate) computed: Option<usize>,
    pub(crate) kind: FieldType,
    pub(crate) required: bool,
    pub(crate) sensitive: bool,
    pub(crate) severity: Severity,
    /// The default, or the constant.
    fallback: Option<Literal>,
    trim: bool,
    null_values: Vec<String>,
    /// Nothing for a column that is taken as it is.
    plan: Option<Arc<FieldPlan>>,
    message: Option<String>,
    suggestion: Option<String>,
}

/// Why a cell is no value of the field.
#[derive(Debug)]
pub(crate) enum Problem {
    Required,
    /// The text after the transforms, where there are some, is in [`Scratch::text`].
    Mismatch {
        mismatch: Mismatch,
        transformed: bool,
    },
    Grown,
}

impl Slot {
    /// A field with its column.
    pub(crate) fn of(field: &Field, column: Option<usize>) -> Self {
        let fallback = field.constant.as_ref().or(field.default.as_ref());
        Self {
            name: field.name.clone(),
            column,
            computed: field.compute.as_ref().map(|_| 0),
            kind: field.kind,
            required: field.required,
            sensitive: field.sensitive,
            severity: field.severity,
            fallback: fallback.cloned(),
            trim: field.trim,
            null_values: field.null_values.clone(),
            plan: Some(Arc::clone(&field.plan.0)),
            message: field.message.clone(),
            suggestion: field.suggestion.clone(),
        }
    }

    /// A column as it is, under a name.
    pub(crate) fn plain(name: String, column: usize) -> Self {
        Self {
            name,
            column: Some(column),
            computed: None,
            kind: FieldType::String,
            required: false,
            sensitive: false,
            severity: Severity::Error,
            fallback: None,
            trim: false,
            null_values: Vec::new(),
            plan: None,
            message: None,
            suggestion: None,
        }
    }

    /// Bytes of the output that it takes in every row, whatever its cell holds.
    pub(crate) fn bytes_of_every_row(&self) -> u64 {
        let fallback = match &self.fallback {
            Some(Literal::Str(text) | Literal::Decimal(text) | Literal::Json(text)) => text.len(),
            _ => 0,
        };
        let added = self
            .plan
            .as_ref()
            .map_or(0, |plan| plan.steps.bytes_added_max());
        // Quotes, colon and comma.
        (self.name.len() + 4 + fallback.max(added) + self.computed.unwrap_or(0)) as u64
    }

    /// The cell of the record that its text is in.
    #[inline]
    fn source(&self) -> Option<usize> {
        if self.is_computed() {
            Some(0)
        } else {
            self.column
        }
    }

    pub(crate) fn is_computed(&self) -> bool {
        self.computed.is_some()
    }

    /// The value of the field in a record. Constraints are for [`violations`](Self::violations).
    #[inline]
    pub(crate) fn read<'a, C: Cells + ?Sized>(
        &'a self,
        record: &'a C,
        scratch: &'a mut Scratch,
    ) -> Result<Value<'a>, Problem> {
        let Some(column) = self.source() else {
            return self.no_value();
        };
        let cell = record.cell(column).unwrap_or_default();
        let cell = if self.trim { trimmed(cell) } else { cell };
        if cell.is_empty() {
            return self.empty();
        }
        let Some(plan) = &self.plan else {
            return self.text(cell, false);
        };
        if !self.null_values.is_empty() && self.is_null(cell) {
            return self.no_value();
        }
        let Scratch {
            text, spare, out, ..
        } = scratch;
        let transformed = !plan.steps.is_empty();
        let cell = if transformed {
            let before = std::str::from_utf8(cell).map_err(|_| not_utf8())?;
            text.clear();
            text.push_str(before);
            plan.steps
                .run(text, spare)
                .map_err(|TooLong| Problem::Grown)?;
            if text.is_empty() {
                return self.empty();
            }
            text.as_bytes()
        } else {
            cell
        };
        if self.kind == FieldType::String {
            return self.text(cell, transformed);
        }
        let converted = plan.converter.convert(cell, out);
        converted.map_err(|mismatch| Problem::Mismatch {
            mismatch,
            transformed,
        })
    }

    /// Text keeps its spaces, but spaces alone are not what is required.
    #[inline]
    fn text<'a>(&self, cell: &'a [u8], transformed: bool) -> Result<Value<'a>, Problem> {
        let text = std::str::from_utf8(cell).map_err(|_| Problem::Mismatch {
            mismatch: Mismatch::NotUtf8,
            transformed,
        })?;
        if self.required && text.trim_start().is_empty() {
            return Err(Problem::Required);
        }
        Ok(Value::Str(text))
    }

    /// What an empty cell is: the default, else an empty text where the field is text.
    #[inline]
    fn empty(&self) -> Result<Value<'_>, Problem> {
        let is_text = self.kind == FieldType::String && !self.required;
        if is_text && self.fallback.is_none() {
            return Ok(Value::Str(""));
        }
        self.no_value()
    }

    /// What a missing column is, and a cell that stands for no value.
    #[inline]
    fn no_value(&self) -> Result<Value<'_>, Problem> {
        match &self.fallback {
            Some(literal) => Ok(literal.value()),
            None if self.required => Err(Problem::Required),
            None => Ok(Value::Null),
        }
    }

    fn is_null(&self, cell: &[u8]) -> bool {
        let cell = trimmed(cell);
        self.null_values.iter().any(|null| null.as_bytes() == cell)
    }

    /// Adds what does not hold for a value of the field.
    #[inline]
    pub(crate) fn violations(&self, value: &Value<'_>, found: &mut Vec<Violation>) {
        if let Some(plan) = &self.plan
            && let Some(checks) = &plan.checks
        {
            checks.check(value, found);
        }
    }

    /// What a warning leaves of a cell that is no value of the field: its text.
    #[cold]
    pub(crate) fn kept<'a, C: Cells + ?Sized>(
        &self,
        record: &C,
        problem: &Problem,
        scratch: &'a mut Scratch,
    ) -> Value<'a> {
        let Scratch { text, out, .. } = scratch;
        if matches!(
            problem,
            Problem::Mismatch {
                transformed: true,
                ..
            }
        ) {
            return Value::Str(text);
        }
        let cell = self.cell(record);
        if cell.is_empty() || (matches!(problem, Problem::Required) && !self.keeps_spaces()) {
            return Value::Null;
        }
        out.clear();
        out.push_str(&String::from_utf8_lossy(cell));
        Value::Str(out)
    }

    fn keeps_spaces(&self) -> bool {
        self.kind == FieldType::String && !self.trim
    }

    fn cell<'a, C: Cells + ?Sized>(&self, record: &'a C) -> &'a [u8] {
        let cell = self.source().and_then(|column| record.cell(column));
        cell.unwrap_or_default()
    }

    /// Whether nobody may see the value of this field in this record.
    fn is_hidden(&self, scratch: &Scratch) -> bool {
        self.sensitive || scratch.hides_all
    }

    /// The error of a cell that is no value of the field.
    #[cold]
    pub(crate) fn problem<C: Cells + ?Sized>(
        &self,
        index: usize,
        record: &C,
        problem: &Problem,
        scratch: &Scratch,
    ) -> RowError {
        let is_hidden = self.is_hidden(scratch);
        let (code, tail, suggestion) = match problem {
            Problem::Required => (Code::Required, "a value is required".to_owned(), None),
            Problem::Grown => {
                let subject = self.subject(record, is_hidden);
                let tail = format!("{subject} is too long for what is to be done to it");
                (Code::Length, tail, None)
            }
            Problem::Mismatch {
                mismatch,
                transformed,
            } => {
                let cell = if *transformed {
                    scratch.text.as_bytes()
                } else {
                    trimmed(self.cell(record))
                };
                let plan = self.plan.as_ref();
                let near = plan.and_then(|plan| plan.converter.suggest(cell));
                let sentence = if is_hidden {
                    hidden(mismatch)
                } else {
                    format!("{} {mismatch}", self.subject(record, false))
                };
                (mismatch.code(), sentence, near)
            }
        };
        // A value that is near to a secret tells it.
        let suggestion = suggestion.filter(|_| !is_hidden);
        self.error(index, code, &tail, suggestion)
    }

    /// The error of a constraint.
    #[cold]
    pub(crate) fn violation<C: Cells + ?Sized>(
        &self,
        index: usize,
        record: &C,
        violation: Violation,
        scratch: &Scratch,
    ) -> RowError {
        let Violation {
            code,
            tail,
            suggestion,
            item,
        } = violation;
        let is_hidden = self.is_hidden(scratch);
        let subject = match item {
            Some((place, _)) if is_hidden => format!("item {place}"),
            Some((place, item)) => format!("item {place}, {item},"),
            None => self.subject(record, is_hidden),
        };
        let suggestion = suggestion.filter(|_| !is_hidden);
        self.error(index, code, &format!("{subject} {tail}"), suggestion)
    }

    /// An error of the field, in its author's words where there are some.
    #[cold]
    pub(crate) fn error(
        &self,
        index: usize,
        code: Code,
        sentence: &str,
        suggestion: Option<String>,
    ) -> RowError {
        let sentence = self.message.as_deref().unwrap_or(sentence);
        RowError {
            code,
            field: Some(index as u32),
            message: format!("{}: {sentence}", self.name),
            suggestion: self.suggestion.clone().or(suggestion),
            severity: self.severity,
        }
    }

    /// What a sentence about the cell begins with.
    fn subject<C: Cells + ?Sized>(&self, record: &C, is_hidden: bool) -> String {
        if is_hidden {
            "the value".to_owned()
        } else {
            shown_bytes(self.cell(record))
        }
    }
}

/// What is wrong with a value that nobody may see. Which item it is says nothing about it.
fn hidden(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Item(item) => match &item.why {
            inner @ Mismatch::Item(_) => hidden(inner),
            why => format!("item {} {why}", item.number),
        },
        mismatch => format!("the value {mismatch}"),
    }
}

fn not_utf8() -> Problem {
    Problem::Mismatch {
        mismatch: Mismatch::NotUtf8,
        transformed: false,
    }
}

/// A cell without the spaces around it, those that only Unicode knows among them.
#[inline]
fn trimmed(cell: &[u8]) -> &[u8] {
    let cell = cell.trim_ascii();
    match (cell.first(), cell.last()) {
        (Some(first), Some(last)) if first.is_ascii() && last.is_ascii() => cell,
        (None, _) | (_, None) => cell,
        _ => std::str::from_utf8(cell).map_or(cell, |text| text.trim().as_bytes()),
    }
}
