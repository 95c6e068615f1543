//! What must hold for a converted value: pattern, bounds, length, a set of values.
//!
//! Compiled once from [`Constraints`]. A good value costs no allocation; the sentences are made for
//! bad ones alone. It must not know of fields, rows or how a value was read: its sentences continue
//! one that begins with the value.

mod order;

use std::cmp::Ordering;
use std::collections::HashSet;

use regex::Regex;
use serde_json::value::RawValue;

use crate::definition::Constraints;
use crate::pattern;
use crate::row_error::Code;
use crate::show::shown;
use crate::suggest::nearest;
use crate::types::{FieldType, Literal, Value};

pub(crate) use self::order::{Digits, compare, moment};

/// How many of the values allowed a sentence names.
const SHOWN_VALUES_MAX: usize = 10;

/// So many values are compared one after another without taking longer than a hash.
const FEW: usize = 16;

/// Something that does not hold.
#[derive(Debug, PartialEq)]
pub(crate) struct Violation {
    pub(crate) code: Code,
    /// Continues a sentence that begins with the value: `is below the minimum 18`.
    pub(crate) tail: String,
    /// A value that was probably meant.
    pub(crate) suggestion: Option<String>,
    /// The item of a list that it concerns, and its place counted from 1.
    pub(crate) item: Option<(usize, String)>,
}

impl Violation {
    fn new(code: Code, tail: String) -> Self {
        Self {
            code,
            tail,
            suggestion: None,
            item: None,
        }
    }
}

/// The constraints of a field, compiled.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    pattern: Option<Regex>,
    min: Option<Literal>,
    max: Option<Literal>,
    min_length: usize,
    max_length: Option<usize>,
    one_of: Vec<Literal>,
    /// The same where they are many texts; in small letters where case does not count.
    many: HashSet<String>,
    ignore_case: bool,
    items: Option<Items>,
}

/// What must hold for each item of a list.
#[derive(Debug)]
struct Items {
    kind: FieldType,
    checks: Box<Checks>,
}

impl Checks {
    /// Compiles constraints; only a pattern can be wrong by itself.
    pub(crate) fn compile(constraints: &Constraints) -> Result<Self, String> {
        let pattern = constraints.pattern.as_deref().map(pattern::compile);
        Ok(Self {
            pattern: pattern.transpose()?,
            min: constraints.min.clone(),
            max: constraints.max.clone(),
            min_length: constraints.min_length.unwrap_or(0) as usize,
            max_length: constraints.max_length.map(|length| length as usize),
            one_of: constraints.one_of.clone(),
            many: many(constraints),
            ignore_case: constraints.ignore_case,
            items: None,
        })
    }

    /// The same with checks of each item.
    pub(crate) fn with_items(mut self, kind: FieldType, items: Self) -> Self {
        if !items.is_empty() {
            self.items = Some(Items {
                kind,
                checks: Box::new(items),
            });
        }
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pattern.is_none()
            && self.min.is_none()
            && self.max.is_none()
            && !self.has_length()
            && self.one_of.is_empty()
            && self.items.is_none()
    }

    fn has_length(&self) -> bool {
        self.min_length > 0 || self.max_length.is_some()
    }

    /// Adds what does not hold for a value. No value at all, and an empty text, meet everything.
    #[inline]
    pub(crate) fn check(&self, value: &Value<'_>, found: &mut Vec<Violation>) {
        match value {
            Value::Null | Value::Str("") => return,
            Value::Str(text) => {
                if let Some(pattern) = &self.pattern
                    && !pattern.is_match(text)
                {
                    found.push(mismatched(pattern));
                }
                if self.has_length() {
                    self.check_length(text.chars().count(), "character", found);
                }
            }
            Value::Json(list) if self.has_length() || self.items.is_some() => {
                self.check_list(list, found);
            }
            _ => {}
        }
        if let Some(min) = &self.min
            && compare(value, &min.value()) == Some(Ordering::Less)
        {
            found.push(beyond("below the minimum", min));
        }
        if let Some(max) = &self.max
            && compare(value, &max.value()) == Some(Ordering::Greater)
        {
            found.push(beyond("above the maximum", max));
        }
        if !self.one_of.is_empty() && !self.is_in_set(value) {
            found.push(self.not_in_set(value));
        }
    }

    fn is_in_set(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Str(text) if !self.many.is_empty() && self.ignore_case => {
                self.many.contains(&text.to_lowercase())
            }
            Value::Str(text) if !self.many.is_empty() => self.many.contains(*text),
            _ => self.one_of.iter().any(|one| self.is_same(value, one)),
        }
    }

    fn is_same(&self, value: &Value<'_>, one: &Literal) -> bool {
        match (value, one) {
            (Value::Str(text), Literal::Str(one)) if self.ignore_case => {
                text.eq_ignore_ascii_case(one)
                    || (!text.is_ascii() && text.to_lowercase() == one.to_lowercase())
            }
            (Value::Str(text), Literal::Str(one)) => text == one,
            _ => compare(value, &one.value()) == Some(Ordering::Equal),
        }
    }

    #[inline]
    fn check_length(&self, length: usize, what: &str, found: &mut Vec<Violation>) {
        if length < self.min_length {
            let wanted = self.min_length;
            let tail = format!("has {}, at least {wanted} needed", counted(length, what));
            found.push(Violation::new(Code::Length, tail));
        }
        if let Some(wanted) = self.max_length
            && length > wanted
        {
            let tail = format!("has {}, at most {wanted} allowed", counted(length, what));
            found.push(Violation::new(Code::Length, tail));
        }
    }

    #[cold]
    fn not_in_set(&self, value: &Value<'_>) -> Violation {
        let mut shown_values = String::new();
        for (index, one) in self.one_of.iter().enumerate() {
            if index == SHOWN_VALUES_MAX {
                shown_values.push_str(", …");
                break;
            }
            if index > 0 {
                shown_values.push_str(", ");
            }
            shown_values.push_str(&literal(one));
        }
        let texts = self.one_of.iter().filter_map(|one| match one {
            Literal::Str(text) => Some(text.as_str()),
            _ => None,
        });
        let near = match value {
            Value::Str(text) => nearest(text, texts).map(str::to_owned),
            _ => None,
        };
        Violation {
            suggestion: near,
            ..Violation::new(
                Code::NotInSet,
                format!("is none of the values allowed: {shown_values}"),
            )
        }
    }

    fn check_list(&self, list: &str, found: &mut Vec<Violation>) {
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(list) else {
            return;
        };
        self.check_length(items.len(), "item", found);
        let Some(Items { kind, checks }) = &self.items else {
            return;
        };
        for (index, item) in items.iter().enumerate() {
            let mut text = String::new();
            let value = item_value(item.get(), *kind, &mut text);
            let before = found.len();
            checks.check(&value, found);
            for violation in &mut found[before..] {
                violation.item = Some((index + 1, shown(&item_text(&value))));
            }
        }
    }
}

/// The texts allowed, where they are too many to look at one after another.
fn many(constraints: &Constraints) -> HashSet<String> {
    if constraints.one_of.len() <= FEW {
        return HashSet::new();
    }
    let texts = constraints.one_of.iter().filter_map(|one| match one {
        Literal::Str(text) if constraints.ignore_case => Some(text.to_lowercase()),
        Literal::Str(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

/// An item of a list as the value it was before it was written as JSON.
fn item_value<'a>(json: &'a str, kind: FieldType, text: &'a mut String) -> Value<'a> {
    if json.starts_with('"') {
        *text = serde_json::from_str(json).unwrap_or_default();
        return Value::Str(text);
    }
    match kind {
        FieldType::Integer => json.parse().map_or(Value::Null, Value::Int),
        FieldType::Number => json.parse().map_or(Value::Null, Value::Num),
        FieldType::Decimal => Value::Decimal(json),
        FieldType::Boolean => Value::Bool(json == "true"),
        _ => Value::Json(json),
    }
}

fn item_text(value: &Value<'_>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Str(text) | Value::Decimal(text) | Value::Json(text) => (*text).to_owned(),
        Value::Int(int) => int.to_string(),
        Value::Num(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
    }
}

#[cold]
fn mismatched(pattern: &Regex) -> Violation {
    let tail = format!("does not match the pattern {}", pattern_text(pattern));
    Violation::new(Code::PatternMismatch, tail)
}

/// The pattern, without quotes: it often has some.
fn pattern_text(pattern: &Regex) -> String {
    let shown = shown(pattern.as_str());
    shown[1..shown.len() - 1].to_owned()
}

#[cold]
fn beyond(how: &str, bound: &Literal) -> Violation {
    Violation::new(Code::OutOfRange, format!("is {how} {}", literal(bound)))
}

/// A value of the definition, as its author wrote it.
pub(crate) fn literal(literal: &Literal) -> String {
    let text = item_text(&literal.value());
    let shown = shown(&text);
    shown[1..shown.len() - 1].to_owned()
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tails(constraints: &Constraints, value: Value<'_>) -> Vec<(Code, String)> {
        let checks = Checks::compile(constraints).unwrap();
        let mut found = Vec::new();
        checks.check(&value, &mut found);
        found.into_iter().map(|one| (one.code, one.tail)).collect()
    }

    #[test]
    fn everything_that_does_not_hold_is_said() {
        let constraints = Constraints {
            pattern: Some("^[a-z]+$".to_owned()),
            min_length: Some(3),
            one_of: vec![
                Literal::Str("abc".to_owned()),
                Literal::Str("def".to_owned()),
            ],
            ..Constraints::default()
        };
        assert_eq!(
            tails(&constraints, Value::Str("A")),
            [
                (
                    Code::PatternMismatch,
                    "does not match the pattern ^[a-z]+$".to_owned()
                ),
                (
                    Code::Length,
                    "has 1 character, at least 3 needed".to_owned()
                ),
                (
                    Code::NotInSet,
                    "is none of the values allowed: abc, def".to_owned()
                ),
            ]
        );
        assert_eq!(tails(&constraints, Value::Str("abc")), []);
        assert_eq!(tails(&constraints, Value::Str("")), []);
        assert_eq!(tails(&constraints, Value::Null), []);
    }

    #[test]
    fn bounds_are_inclusive() {
        let constraints = Constraints {
            min: Some(Literal::Int(1)),
            max: Some(Literal::Int(3)),
            ..Constraints::default()
        };
        assert_eq!(tails(&constraints, Value::Int(1)), []);
        assert_eq!(tails(&constraints, Value::Int(3)), []);
        let expected = (Code::OutOfRange, "is above the maximum 3".to_owned());
        assert_eq!(tails(&constraints, Value::Int(4)), [expected]);
    }

    #[test]
    fn items_are_checked_one_by_one() {
        let items = Constraints {
            max: Some(Literal::Int(9)),
            ..Constraints::default()
        };
        let list = Constraints {
            max_length: Some(2),
            ..Constraints::default()
        };
        let checks = Checks::compile(&list)
            .unwrap()
            .with_items(FieldType::Integer, Checks::compile(&items).unwrap());
        let mut found = Vec::new();
        checks.check(&Value::Json("[1,2]"), &mut found);
        assert_eq!(found, []);
        checks.check(&Value::Json("[1,20,3]"), &mut found);
        let found: Vec<_> = found.iter().map(|one| (&*one.tail, &one.item)).collect();
        assert_eq!(
            found,
            [
                ("has 3 items, at most 2 allowed", &None),
                ("is above the maximum 9", &Some((2, "\"20\"".to_owned()))),
            ]
        );
    }

    #[test]
    fn case_counts_unless_told_otherwise() {
        let set = |ignore_case| Constraints {
            one_of: vec![Literal::Str("Äpfel".to_owned())],
            ignore_case,
            ..Constraints::default()
        };
        assert_eq!(tails(&set(true), Value::Str("äPFEL")), []);
        assert_eq!(tails(&set(false), Value::Str("äPFEL")).len(), 1);
    }
}
