//! Reads what must hold for the values of a field, or for the items of a list.

use std::cmp::Ordering;

use super::super::Constraints;
use crate::constraint::{compare, literal};
use crate::language::{At, Mapping, Reader};
use crate::pattern;
use crate::types::{Converter, FieldType, Literal};

/// The longest length that can be asked for: no cell is longer.
const LENGTH_MAX: u32 = 1 << 20;

const TEXTS: [FieldType; 6] = [
    FieldType::String,
    FieldType::Email,
    FieldType::Url,
    FieldType::Uuid,
    FieldType::Phone,
    FieldType::Enum,
];
const ORDERED: [FieldType; 5] = [
    FieldType::Integer,
    FieldType::Number,
    FieldType::Decimal,
    FieldType::Date,
    FieldType::DateTime,
];

impl Reader {
    pub(super) fn constraints(
        &mut self,
        keys: &Mapping<'_>,
        kind: FieldType,
        converter: &Converter,
    ) -> Constraints {
        let mut constraints = Constraints::default();
        if let Some(at) = self.key_of(keys, "pattern", kind, &TEXTS) {
            constraints.pattern = self.pattern(at);
        }
        for (key, place) in [("min", &mut constraints.min), ("max", &mut constraints.max)] {
            if let Some(at) = self.key_of(keys, key, kind, &ORDERED) {
                *place = self.literal(at, kind, converter);
            }
        }
        let mut measured = TEXTS.to_vec();
        measured.push(FieldType::Array);
        for (key, place) in [
            ("min_length", &mut constraints.min_length),
            ("max_length", &mut constraints.max_length),
        ] {
            if let Some(at) = self.key_of(keys, key, kind, &measured) {
                *place = self.integer(at, 0..=LENGTH_MAX);
            }
        }
        let mut counted = TEXTS.to_vec();
        counted.extend(ORDERED);
        if let Some(at) = self.key_of(keys, "one_of", kind, &counted) {
            constraints.one_of = self.one_of(at, kind, converter).unwrap_or_default();
            let ignore_case = keys.get("ignore_case");
            constraints.ignore_case = ignore_case.is_some_and(|at| at.is_word("true"));
        }
        self.ordered(keys, &constraints);
        constraints
    }

    /// A key that only some types have.
    fn key_of<'k, 't>(
        &mut self,
        keys: &'k Mapping<'t>,
        key: &str,
        kind: FieldType,
        kinds: &[FieldType],
    ) -> Option<&'k At<'t>> {
        let at = keys.get(key)?;
        if kinds.contains(&kind) {
            return Some(at);
        }
        let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        let message = format!(
            "the type {} does not have this key; it belongs to {}",
            kind.as_str(),
            names.join(", ")
        );
        self.fault(at, message);
        None
    }

    pub(super) fn pattern(&mut self, at: &At<'_>) -> Option<String> {
        let text = self.text(at, "a regular expression")?;
        if let Err(message) = pattern::compile(text) {
            self.fault(at, message);
            return None;
        }
        Some(text.to_owned())
    }

    fn one_of(
        &mut self,
        at: &At<'_>,
        kind: FieldType,
        converter: &Converter,
    ) -> Option<Vec<Literal>> {
        let items = self.sequence(at, "a list of values")?;
        if items.is_empty() {
            self.fault(at, "expected at least one value");
        }
        let values = items
            .iter()
            .filter_map(|item| self.literal(item, kind, converter));
        Some(values.collect())
    }

    /// No upper bound is below its lower bound.
    fn ordered(&mut self, keys: &Mapping<'_>, constraints: &Constraints) {
        if let (Some(min), Some(max), Some(at)) =
            (&constraints.min, &constraints.max, keys.get("max"))
            && compare(&min.value(), &max.value()) == Some(Ordering::Greater)
        {
            self.fault(
                at,
                format!("expected at least min, which is {}", literal(min)),
            );
        }
        if let (Some(min), Some(max), Some(at)) = (
            constraints.min_length,
            constraints.max_length,
            keys.get("max_length"),
        ) && min > max
        {
            self.fault(at, format!("expected at least min_length, which is {min}"));
        }
    }
}
