//! A type with all that a definition says about it, compiled once for a job.
//!
//! It runs for every cell of every import, so a good cell costs no allocation and no dynamic call.
//! It must not know about fields, required cells or defaults.

use super::array::Arrays;
use super::boolean::Words;
use super::date::Dates;
use super::datetime::DateTimes;
use super::decimal::{DIGITS_MAX, Decimals};
use super::digits::Marks;
use super::options::{OptionFault, TypeOptions};
use super::set::Set;
use super::url::Urls;
use super::{
    FieldType, Literal, Mismatch, Value, boolean, date, email, integer, json, number, phone, text,
    uuid,
};

/// A compiled type. [`Converter::convert`] takes one cell at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Converter {
    kind: FieldType,
    pub(super) rule: Rule,
}

/// What is compiled of a type. The plain ones, which a definition says nothing about, have rules of
/// their own because they are what most fields are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    Text,
    Number,
    NumberWith(Marks),
    Integer,
    /// The flag tells whether zeros may follow a decimal separator.
    IntegerWith(Marks, bool),
    Decimal(Decimals),
    Boolean,
    BooleanOf(Words),
    IsoDate,
    Date(Dates),
    DateTime(DateTimes),
    Email,
    Url(Urls),
    Uuid,
    Phone,
    Enum(Set),
    Array(Arrays),
    Json,
}

impl Converter {
    /// Compiles a type.
    ///
    /// # Errors
    ///
    /// All that is wrong with the options, those that the type does not have among them.
    pub fn compile(kind: FieldType, options: &TypeOptions) -> Result<Self, Vec<OptionFault>> {
        Self::compile_within(kind, options, 0)
    }

    /// As [`Converter::compile`], within so many arrays.
    pub(super) fn compile_within(
        kind: FieldType,
        options: &TypeOptions,
        depth: u32,
    ) -> Result<Self, Vec<OptionFault>> {
        let mut faults = options.misplaced(kind);
        let rule = rule(kind, options, depth, &mut faults);
        match rule {
            Some(rule) if faults.is_empty() => Ok(Self { kind, rule }),
            _ => Err(faults),
        }
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> FieldType {
        self.kind
    }

    /// Converts a cell, which is not empty and has no spaces around it. Only a
    /// [`FieldType::String`] takes any cell, as it is. `out` is scratch, used again and again; the
    /// value may lie in it.
    ///
    /// # Errors
    ///
    /// Why the cell does not fit.
    #[inline]
    pub fn convert<'a>(
        &'a self,
        cell: &'a [u8],
        out: &'a mut String,
    ) -> Result<Value<'a>, Mismatch> {
        let converted = match &self.rule {
            Rule::Text => text(cell).map(Value::Str),
            Rule::Number => number::parse(cell).map(Value::Num),
            Rule::NumberWith(marks) => number::marked(cell, *marks, out).map(Value::Num),
            Rule::Integer => integer::parse(cell).map(Value::Int),
            Rule::IntegerWith(marks, fraction) => {
                integer::marked(cell, *marks, *fraction).map(Value::Int)
            }
            Rule::Decimal(decimals) => decimals.parse(cell, out).map(Value::Decimal),
            Rule::Boolean => boolean::parse(cell).map(Value::Bool),
            Rule::BooleanOf(words) => words.parse(cell, out).map(Value::Bool),
            Rule::IsoDate => date::parse(cell).map(Value::Str),
            Rule::Date(dates) => dates.parse(cell, out).map(Value::Str),
            Rule::DateTime(times) => times.parse(cell, out).map(Value::Str),
            Rule::Email => email::parse(cell).map(Value::Str),
            Rule::Url(urls) => urls.parse(cell).map(Value::Str),
            Rule::Uuid => uuid::parse(cell, out).map(Value::Str),
            Rule::Phone => phone::parse(cell, out).map(Value::Str),
            Rule::Enum(set) => set.parse(cell, out).map(Value::Str),
            Rule::Array(arrays) => arrays.parse(cell, out).map(Value::Json),
            Rule::Json => json::parse(cell, out).map(Value::Json),
        };
        // Most types look at ASCII only, so bytes that are no text at all fail them first.
        converted.map_err(|mismatch| text(cell).err().unwrap_or(mismatch))
    }

    /// What may have been meant by a cell that does not fit, where that is obvious. It fits.
    #[must_use]
    pub fn suggest(&self, cell: &[u8]) -> Option<String> {
        /// Nobody reads a longer suggestion, and looking for one takes time.
        const LONGEST: usize = 300;
        if cell.len() > LONGEST {
            return None;
        }
        let cell = text(cell).ok()?.trim();
        let suggestion = self.guess(cell)?;
        let fits = suggestion.len() <= LONGEST
            && suggestion != cell
            && self
                .convert(suggestion.as_bytes(), &mut String::new())
                .is_ok();
        fits.then_some(suggestion)
    }

    /// A cell that fits, for an example; as far as there are enough, a different one for every `n`.
    #[must_use]
    pub fn example(&self, n: u64) -> String {
        super::example::of(self, n)
    }

    /// A cell for a value of a number, a date or a time, or for one that is `steps` above it: ones of a
    /// number, days of a date. Most of them fit, which [`convert`](Self::convert) tells.
    #[must_use]
    pub fn example_near(&self, literal: &Literal, steps: i64) -> Option<String> {
        super::example::near(self, literal, steps)
    }
}

fn rule(
    kind: FieldType,
    options: &TypeOptions,
    depth: u32,
    faults: &mut Vec<OptionFault>,
) -> Option<Rule> {
    Some(match kind {
        FieldType::String => Rule::Text,
        FieldType::Number => match Marks::compile(options, faults) {
            None => Rule::Number,
            Some(marks) => Rule::NumberWith(marks),
        },
        FieldType::Integer => match Marks::compile(options, faults) {
            None => Rule::Integer,
            Some(marks) => Rule::IntegerWith(marks, options.decimal_separator.is_some()),
        },
        FieldType::Decimal => {
            let fraction_digits = options.fraction_digits;
            if fraction_digits.is_some_and(|digits| digits as usize > DIGITS_MAX) {
                let message = format!("expected a whole number from 0 to {DIGITS_MAX}");
                faults.push(OptionFault::of("fraction_digits", message));
            }
            Rule::Decimal(Decimals {
                marks: Marks::compile(options, faults),
                fraction_digits,
            })
        }
        FieldType::Boolean => match Words::compile(options, faults) {
            None => Rule::Boolean,
            Some(words) => Rule::BooleanOf(words),
        },
        FieldType::Date => match Dates::compile(&options.formats, faults) {
            None => Rule::IsoDate,
            Some(dates) => Rule::Date(dates),
        },
        FieldType::DateTime => Rule::DateTime(DateTimes::compile(options, faults)),
        FieldType::Email => Rule::Email,
        FieldType::Url => Rule::Url(Urls::compile(options, faults)),
        FieldType::Uuid => Rule::Uuid,
        FieldType::Phone => Rule::Phone,
        FieldType::Enum => Rule::Enum(Set::compile(options, faults)),
        FieldType::Array => Rule::Array(Arrays::compile(options, depth, faults)?),
        FieldType::Json => Rule::Json,
    })
}
