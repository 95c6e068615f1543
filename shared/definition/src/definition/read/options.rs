//! Reads what a type leaves to the definition: formats, words, separators, the items of a list.
//!
//! Which type has which option, and whether its values make sense, is the types' to say.

use super::super::Constraints;
use crate::language::{At, Mapping, Reader};
use crate::types::{Converter, FieldType, ItemType, OptionFault, TypeOptions};

/// The keys of `items`: those of its type, and constraints.
pub(super) const ITEM_KEYS: [&str; 20] = [
    "type",
    "format",
    "formats",
    "time_zone",
    "true_words",
    "false_words",
    "values",
    "ignore_case",
    "decimal_separator",
    "thousands_separator",
    "schemes",
    "fraction_digits",
    "pattern",
    "min",
    "max",
    "min_length",
    "max_length",
    "one_of",
    "separator",
    "items",
];
const FRACTION_DIGITS_MAX: u32 = 38;

impl Reader {
    /// The options of a type, and what must hold for its items. Without a type that is known, the case
    /// of letters may be for any.
    pub(super) fn options(
        &mut self,
        keys: &Mapping<'_>,
        kind: FieldType,
        known: bool,
    ) -> (TypeOptions, Constraints) {
        let mut options = TypeOptions {
            formats: self.formats(keys),
            ..TypeOptions::default()
        };
        for (key, place) in [
            ("true_words", &mut options.true_words),
            ("false_words", &mut options.false_words),
            ("values", &mut options.values),
            ("schemes", &mut options.schemes),
        ] {
            if let Some(at) = keys.get(key) {
                *place = self.texts(at, "a list of texts").unwrap_or_default();
                if place.is_empty() {
                    self.fault(at, "expected at least one");
                }
            }
        }
        for (key, place) in [
            ("time_zone", &mut options.time_zone),
            ("separator", &mut options.separator),
        ] {
            if let Some(at) = keys.get(key) {
                *place = self.short_text(at, "text");
            }
        }
        for (key, place) in [
            ("decimal_separator", &mut options.decimal_separator),
            ("thousands_separator", &mut options.thousands_separator),
        ] {
            if let Some(at) = keys.get(key) {
                *place = self.character(at);
            }
        }
        if let Some(at) = keys.get("fraction_digits") {
            options.fraction_digits = self.integer(at, 0..=FRACTION_DIGITS_MAX);
        }
        if let Some(at) = keys.get("ignore_case") {
            let ignore_case = self.boolean(at).unwrap_or_default();
            // It may be for `one_of`, which every text has.
            options.ignore_case = ignore_case && (kind == FieldType::Enum || !known);
            if kind != FieldType::Enum && known && keys.get("one_of").is_none() {
                self.fault(
                    at,
                    "expected the type \"enum\" or the key \"one_of\" beside it",
                );
            }
        }
        let items = keys.get("items").and_then(|at| self.items(at));
        let (items, constraints) = items.unzip();
        options.items = items.map(Box::new);
        (options, constraints.unwrap_or_default())
    }

    fn formats(&mut self, keys: &Mapping<'_>) -> Vec<String> {
        if let (Some(at), Some(_)) = (keys.get("format"), keys.get("formats")) {
            self.fault(
                at,
                "\"format\" and \"formats\" are the same; keep one of them",
            );
        }
        let Some(at) = keys.get("formats").or_else(|| keys.get("format")) else {
            return Vec::new();
        };
        let formats = self.texts(at, "a format, or a list of formats");
        let formats = formats.unwrap_or_default();
        if formats.is_empty() {
            self.fault(at, "expected at least one");
        }
        formats
    }

    /// What the items of a list are: a type alone, or with its options.
    fn items(&mut self, at: &At<'_>) -> Option<(ItemType, Constraints)> {
        if !at.is_mapping() {
            let item = ItemType {
                kind: self.kind(at)?,
                options: TypeOptions::default(),
            };
            return Some((item, Constraints::default()));
        }
        let expected = "a type, or a mapping with the key \"type\"";
        let keys = self.mapping(at, expected, &ITEM_KEYS)?;
        let kind = match keys.get("type") {
            Some(at) => self.kind(at)?,
            None => FieldType::String,
        };
        let (options, inner) = self.options(&keys, kind, true);
        if inner != Constraints::default()
            && let Some(at) = keys.get("items")
        {
            self.fault(
                at,
                "the items of an item have a type with its options, and no constraints",
            );
        }
        let converter = self.converter(&keys, kind, &options, true)?;
        let constraints = self.constraints(&keys, kind, &converter);
        Some((ItemType { kind, options }, constraints))
    }

    /// Compiles a type, and says what is wrong with its options.
    pub(super) fn converter(
        &mut self,
        keys: &Mapping<'_>,
        kind: FieldType,
        options: &TypeOptions,
        known: bool,
    ) -> Option<Converter> {
        match Converter::compile(kind, options) {
            Ok(converter) => Some(converter),
            // Of a type that is not known nothing is known.
            Err(_) if !known => None,
            Err(faults) => {
                for fault in &faults {
                    self.option_fault(keys, fault);
                }
                None
            }
        }
    }

    fn option_fault(&mut self, keys: &Mapping<'_>, fault: &OptionFault) {
        let at = match fault.key {
            "formats" => keys.get("formats").or_else(|| keys.get("format")),
            // What is wrong with an item has been said where the item was read.
            "items" if keys.get("items").is_some_and(At::is_mapping) && fault.index.is_some() => {
                return;
            }
            key => keys.get(key),
        };
        let Some(at) = at else {
            let message = format!("{}: {}", fault.key, fault.message);
            return self.fault(keys.at(), message);
        };
        let items = at.items();
        let place = fault.index.and_then(|index| items.get(index)).unwrap_or(at);
        self.fault(place, fault.message.clone());
    }
}
