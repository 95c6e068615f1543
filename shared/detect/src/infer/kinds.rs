//! The types that are more than text: which of those that fit is meant.
//!
//! Where the same cells are two things, `03/04/2024` or `1.234`, the rest of the file decides, and it is
//! said so. This file must not know of empty cells, or of what is unique.

use std::fmt::Write as _;

use batchfleet_definition::{FieldType, TypeOptions};

use super::choose::{Facts, truth};
use super::column::{Bound, Column, Trial};
use super::counted;
use super::shapes::{Shape, Trait};
use super::words::{Hint, says};

/// Longer whole numbers are no amounts but names, and lose digits in programs that read JSON.
const WHOLE_DIGITS_MAX: usize = 15;
/// As many digits as a double keeps for certain.
const DOUBLE_DIGITS: u32 = 15;
/// Digits after the point that a fixed number of them may be.
const SCALE_MAX: u32 = 8;
/// Values from which a form is more than chance.
const VALUES_FOR_FORM: u64 = 3;

/// A type with its options.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) of: FieldType,
    pub(super) options: TypeOptions,
    /// The place of the shape that it is.
    pub(super) shape: Option<usize>,
}

impl Kind {
    pub(super) fn text() -> Self {
        Self {
            of: FieldType::String,
            options: TypeOptions::default(),
            shape: None,
        }
    }

    fn of(trial: &Trial, shape: &Shape) -> Self {
        Self {
            of: shape.kind,
            options: shape.options.clone(),
            shape: Some(trial.shape),
        }
    }
}

/// The type of a column whose values all fit one, or text where they are digits that stay text; nothing
/// where no type fits.
pub(super) fn strict(
    name: &str,
    column: &Column,
    facts: &Facts<'_>,
    evidence: &mut Vec<String>,
) -> Option<Kind> {
    let has_null_days = !column.null_days.is_empty();
    if !has_null_days && let Some((options, why)) = truth(name, column) {
        evidence.push(why);
        return Some(Kind {
            of: FieldType::Boolean,
            options,
            shape: None,
        });
    }
    if let Some(kind) = time(name, column, facts, evidence) {
        return Some(kind);
    }
    if has_null_days {
        return None;
    }
    for (trial, shape) in fitting(column, facts.shapes) {
        let is_form = matches!(
            shape.kind,
            FieldType::Email
                | FieldType::Url
                | FieldType::Uuid
                | FieldType::Json
                | FieldType::Phone
        );
        if is_form && is_telling(name, column, trial, shape) {
            evidence.push(format!("every value is {}", article(shape.kind)));
            return Some(Kind::of(trial, shape));
        }
    }
    let kind = number(name, column, facts, evidence)?;
    if let Some(why) = no_number(name, column) {
        evidence.truncate(0);
        evidence.push(why);
        return Some(Kind::text());
    }
    Some(kind)
}

/// The shapes that every value fits.
fn fitting<'s>(
    column: &'s Column,
    shapes: &'s [Shape],
) -> impl Iterator<Item = (&'s Trial, &'s Shape)> + Clone {
    let is_fit = |trial: &&Trial| trial.misses == 0 && trial.hits > 0;
    let fits = column.trials.iter().filter(is_fit);
    fits.filter_map(|trial| Some((trial, shapes.get(trial.shape)?)))
}

/// Whether fitting a shape means something: what fits many things by chance needs more than that.
pub(super) fn is_telling(name: &str, column: &Column, trial: &Trial, shape: &Shape) -> bool {
    let lengths = column.lengths.unwrap_or_default();
    match (shape.kind, shape.is) {
        // Checksums have 32 hexadecimal digits too.
        (FieldType::Uuid, _) => lengths.0 == 36 || (lengths.0 >= 32 && says(name, Hint::Key)),
        (FieldType::Json, _) => column.brackets == column.values,
        (FieldType::Phone, _) => {
            says(name, Hint::Phone) || (column.plus == column.values && lengths.1 >= 10)
        }
        (_, Trait::Digits) => is_telling_digits(name, column, trial, shape),
        (_, Trait::ShortYear) => lengths == (8, 8),
        _ => true,
    }
}

fn is_telling_digits(name: &str, column: &Column, trial: &Trial, shape: &Shape) -> bool {
    let format = shape.options.formats.first().map_or("", String::as_str);
    let wanted = match format {
        "YYYYMMDD" => 8,
        "YYYYMMDDHHmmss" => 14,
        "unix" => 10,
        _ => 13,
    };
    if column.digits != column.values || column.lengths != Some((wanted, wanted)) {
        return false;
    }
    if format.starts_with("unix") {
        return says(name, Hint::Unix) && column.leading_zeros == 0;
    }
    let is_known = says(name, Hint::Time) || column.values >= VALUES_FOR_FORM;
    let is_near = match &trial.range {
        Some((Bound::Day(low), Bound::Day(high))) => &**low >= "1900" && &**high < "2101",
        _ => wanted == 14,
    };
    is_known && is_near
}

/// A day or a moment.
fn time(
    name: &str,
    column: &Column,
    facts: &Facts<'_>,
    evidence: &mut Vec<String>,
) -> Option<Kind> {
    let is_time = |(trial, shape): &(&Trial, &Shape)| {
        matches!(shape.kind, FieldType::Date | FieldType::DateTime)
            && is_telling(name, column, trial, shape)
    };
    let fits: Vec<(&Trial, &Shape)> = fitting(column, facts.shapes).filter(is_time).collect();
    let (first, shape) = *fits.first()?;
    let order = |shape: &Shape| {
        let format = shape.options.formats.first()?;
        let letters = format.as_bytes().first_chunk::<3>()?;
        match letters {
            b"DD/" | b"DD-" if !format.contains("MMM") => Some((true, letters[2])),
            b"MM/" | b"MM-" => Some((false, letters[2])),
            _ => None,
        }
    };
    let Some((is_day_first, mark)) = order(shape) else {
        return Some(Kind::of(first, shape));
    };
    let other = fits
        .iter()
        .find(|(_, other)| order(other).is_some_and(|(is_day, _)| is_day != is_day_first));
    let Some(&(second, other)) = other else {
        evidence.push("the other order of day and month does not fit".to_owned());
        return Some(Kind::of(first, shape));
    };
    // Hyphens are hardly ever written between month, day and year in that order.
    let day_first = facts.locale.day_first.unwrap_or(mark == b'-');
    let (chosen, why) = match facts.locale.day_first {
        Some(_) => (day_first, "as other columns or the delimiter suggest"),
        None => (day_first, "by no more than custom"),
    };
    let (trial, shape) = if chosen == is_day_first {
        (first, shape)
    } else {
        (second, other)
    };
    evidence.push(format!(
        "no number is above 12 that would tell the day from the month: {} {why}; check it",
        shape.options.formats.first().map_or("", String::as_str)
    ));
    Some(Kind::of(trial, shape))
}

/// A number, with the marks that the file writes.
fn number(
    name: &str,
    column: &Column,
    facts: &Facts<'_>,
    evidence: &mut Vec<String>,
) -> Option<Kind> {
    let numbers = fitting(column, facts.shapes).filter(|(_, shape)| shape.is_numeric());
    // Spaces and apostrophes stand between thousands alone.
    let is_clear = |shape: &Shape| {
        shape.kind == FieldType::Integer
            && !matches!(shape.options.thousands_separator, Some('.' | ','))
    };
    if let Some((trial, shape)) = numbers.clone().find(|(_, shape)| is_clear(shape)) {
        return Some(Kind::of(trial, shape));
    }
    let best = |mark: Trait| numbers.clone().find(|(_, shape)| shape.is == mark);
    let (point, comma) = (best(Trait::Point), best(Trait::Comma));
    let (trial, shape) = match (point, comma) {
        (Some(point), Some(comma)) => {
            let is_comma = facts.locale.comma.unwrap_or(false);
            let (chosen, mark) = if is_comma {
                (comma, "a comma")
            } else {
                (point, "a point")
            };
            let why = match facts.locale.comma {
                Some(_) => "as other columns or the delimiter suggest",
                None => "by no more than custom",
            };
            evidence.push(format!(
                "three digits behind every mark: read with {mark} before the fraction {why}; check it"
            ));
            chosen
        }
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return None,
    };
    if shape.kind != FieldType::Decimal {
        return Some(Kind::of(trial, shape));
    }
    Some(scaled(
        name,
        column,
        facts,
        Kind::of(trial, shape),
        shape,
        evidence,
    ))
}

/// A decimal where its digits matter: they are of a fixed number, or money, or too many for a double.
fn scaled(
    name: &str,
    column: &Column,
    facts: &Facts<'_>,
    decimal: Kind,
    shape: &Shape,
    evidence: &mut Vec<String>,
) -> Kind {
    let mark = usize::from(shape.is == Trait::Comma);
    let (low, high) = column.fractions[mark].unwrap_or_default();
    let all_have = column.marked[mark] == column.values;
    let is_fixed = all_have && low == high && (1..=SCALE_MAX).contains(&high);
    let is_many = column.digits_most > DOUBLE_DIGITS;
    let is_money = says(name, Hint::Money) && high <= 4;
    if is_fixed || is_many || is_money {
        let mut kind = decimal;
        if is_fixed && facts.whole && column.values >= VALUES_FOR_FORM {
            kind.options.fraction_digits = Some(high);
            evidence.push(format!(
                "always {} after the point",
                counted(u64::from(high), "digit")
            ));
        } else if is_many {
            evidence.push("more digits than a double keeps".to_owned());
        } else {
            evidence.push(format!(
                "up to {} after the point",
                counted(u64::from(high), "digit")
            ));
        }
        return kind;
    }
    let same = fitting(column, facts.shapes)
        .find(|(_, other)| other.kind == FieldType::Number && other.options == shape.options);
    evidence.push(format!("{low} to {high} digits after the point"));
    same.map_or(decimal, |(trial, shape)| Kind::of(trial, shape))
}

/// Why digits are no number, though they could be read as one.
fn no_number(name: &str, column: &Column) -> Option<String> {
    let all_digits = column.digits == column.values;
    if column.leading_zeros > 0 {
        return Some("digits with zeros in front, which a number would lose: text".to_owned());
    }
    if column.digits_longest > WHOLE_DIGITS_MAX {
        return Some(format!(
            "up to {} digits: a name rather than a number, so text",
            column.digits_longest
        ));
    }
    if all_digits && column.values >= VALUES_FOR_FORM && column.gtins == column.values {
        return Some("digits with the check digit of an article number (GTIN): text".to_owned());
    }
    let is_name = says(name, Hint::Code) && !says(name, Hint::Money) || says(name, Hint::Phone);
    (all_digits && is_name).then(|| "digits that nobody counts with, by its name: text".to_owned())
}

/// What a column says for the comma as the decimal separator, and for the day before the month: 1, or -1
/// against it, or 0.
pub(super) fn votes(column: &Column, shapes: &[Shape]) -> (i64, i64) {
    let has = |is: Trait, numeric: bool| {
        fitting(column, shapes).any(|(_, shape)| shape.is == is && shape.is_numeric() == numeric)
    };
    let vote = |yes: bool, no: bool| i64::from(yes) - i64::from(no);
    let is_marked = column.marked.iter().any(|count| *count > 0);
    let comma = if is_marked && column.leading_zeros == 0 {
        vote(has(Trait::Comma, true), has(Trait::Point, true))
    } else {
        0
    };
    let days = vote(has(Trait::DayFirst, false), has(Trait::MonthFirst, false));
    (comma, days)
}

/// A type as a sentence has it.
pub(super) fn article(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Integer => "an integer",
        FieldType::Number => "a number",
        FieldType::Decimal => "a decimal number",
        FieldType::Date => "a date",
        FieldType::DateTime => "a datetime",
        FieldType::Email => "an email address",
        FieldType::Url => "a URL",
        FieldType::Uuid => "a UUID",
        FieldType::Phone => "a phone number with its country code",
        FieldType::Json => "JSON",
        FieldType::Boolean => "a boolean",
        FieldType::String | FieldType::Enum | FieldType::Array => "text",
    }
}

/// A type with its options, as a definition has it.
pub(super) fn written(kind: FieldType, options: &TypeOptions) -> String {
    let mut text = format!("type: {}", kind.as_str());
    if let Some(format) = options.formats.first() {
        text.push_str(", format: ");
        text.push_str(format);
    }
    for (key, mark) in [
        ("thousands_separator", options.thousands_separator),
        ("decimal_separator", options.decimal_separator),
    ] {
        if let Some(mark) = mark {
            let _ = write!(text, ", {key}: \"{mark}\"");
        }
    }
    text
}
