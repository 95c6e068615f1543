//! What a definition may say about a type besides its name.
//!
//! Plain data: whether it makes sense is for [`Converter::compile`] to say. This file must not know
//! how definitions are written.
//!
//! [`Converter::compile`]: super::Converter::compile

use super::FieldType;

/// What a definition says about a type. The default says nothing, and every type but `enum` can do
/// without it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeOptions {
    /// `date`, `datetime`: the formats of cells, tried in order: `DD.MM.YYYY`, `%d.%m.%Y`, `iso`;
    /// for `datetime` also `unix` and `unix_ms`. None is ISO 8601 alone.
    pub formats: Vec<String>,
    /// `datetime`: the zone of cells that name none: `Europe/Berlin`, `+02:00`, `UTC`.
    pub time_zone: Option<String>,
    /// `boolean`: what stands for true, in any case. None is `true`, `yes` and `1`.
    pub true_words: Vec<String>,
    /// `boolean`: what stands for false, in any case. None is `false`, `no` and `0`.
    pub false_words: Vec<String>,
    /// `enum`: the values, at least one.
    pub values: Vec<String>,
    /// `enum`: whether the case of letters counts for nothing. The value is then written as the
    /// definition has it.
    pub ignore_case: bool,
    /// `array`: what stands between two items; `,` unless given.
    pub separator: Option<String>,
    /// `array`: the type of every item; `string` unless given.
    pub items: Option<Box<ItemType>>,
    /// `integer`, `number`, `decimal`: `.` or `,`. Unless given it is the `.`, or the `,` where
    /// thousands are separated by `.`.
    pub decimal_separator: Option<char>,
    /// `integer`, `number`, `decimal`: what may stand between groups of three digits.
    pub thousands_separator: Option<char>,
    /// `url`: the schemes allowed; `http` and `https` unless given.
    pub schemes: Vec<String>,
    /// `decimal`: the most digits after the point, 0 to 38.
    pub fraction_digits: Option<u32>,
}

/// The type of the items of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemType {
    /// The type.
    pub kind: FieldType,
    /// What the definition says about it.
    pub options: TypeOptions,
}

/// What is wrong with one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionFault {
    /// The name of the option, spelled as in [`TypeOptions`].
    pub key: &'static str,
    /// Which of its values, counted from 0, where it has several.
    pub index: Option<usize>,
    /// A sentence for people.
    pub message: String,
}

impl OptionFault {
    pub(super) fn of(key: &'static str, message: impl Into<String>) -> Self {
        Self {
            key,
            index: None,
            message: message.into(),
        }
    }

    pub(super) fn at(key: &'static str, index: usize, message: impl Into<String>) -> Self {
        Self {
            key,
            index: Some(index),
            message: message.into(),
        }
    }
}

impl TypeOptions {
    /// A fault for every option that the type does not have, and would therefore ignore.
    pub(super) fn misplaced(&self, kind: FieldType) -> Vec<OptionFault> {
        use FieldType::{Array, Boolean, Date, DateTime, Decimal, Enum, Integer, Number, Url};
        let given: [(&'static str, bool, &[FieldType]); 12] = [
            ("formats", !self.formats.is_empty(), &[Date, DateTime]),
            ("time_zone", self.time_zone.is_some(), &[DateTime]),
            ("true_words", !self.true_words.is_empty(), &[Boolean]),
            ("false_words", !self.false_words.is_empty(), &[Boolean]),
            ("values", !self.values.is_empty(), &[Enum]),
            ("ignore_case", self.ignore_case, &[Enum]),
            ("separator", self.separator.is_some(), &[Array]),
            ("items", self.items.is_some(), &[Array]),
            (
                "decimal_separator",
                self.decimal_separator.is_some(),
                &[Integer, Number, Decimal],
            ),
            (
                "thousands_separator",
                self.thousands_separator.is_some(),
                &[Integer, Number, Decimal],
            ),
            ("schemes", !self.schemes.is_empty(), &[Url]),
            (
                "fraction_digits",
                self.fraction_digits.is_some(),
                &[Decimal],
            ),
        ];
        let mut faults = Vec::new();
        for (key, is_given, kinds) in given {
            if is_given && !kinds.contains(&kind) {
                let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                let message = format!(
                    "the type {} does not have this key; it belongs to {}",
                    kind.as_str(),
                    names.join(", ")
                );
                faults.push(OptionFault::of(key, message));
            }
        }
        faults
    }
}
