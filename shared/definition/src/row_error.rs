//! What can be wrong with one row, and the codes that reports and other programs count by.
//!
//! The codes are a published vocabulary: their spelling never changes. This file must not know
//! how an error was found.

use serde::{Deserialize, Serialize};

/// One error of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// What kind of error it is.
    pub code: Code,
    /// The field of the definition, by its place in [`RowPlan::field_names`]; absent when the
    /// error concerns the whole row.
    ///
    /// [`RowPlan::field_names`]: crate::RowPlan::field_names
    pub field: Option<u32>,
    /// A sentence for people: `age: "abc" is not a whole number`.
    pub message: String,
    /// What the value may have been meant to be, where that is obvious: `2024-02-29`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// Whether it makes the row a reject.
    #[serde(default, skip_serializing_if = "Severity::is_error")]
    pub severity: Severity,
}

impl RowError {
    /// An error of the whole row.
    #[must_use]
    pub fn of_row(code: Code, message: String) -> Self {
        Self {
            code,
            field: None,
            message,
            suggestion: None,
            severity: Severity::Error,
        }
    }
}

/// How much an error matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It makes the row a reject.
    #[default]
    Error,
    /// It is counted and reported, and the row is accepted all the same.
    Warning,
}

impl Severity {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    fn is_error(&self) -> bool {
        *self == Self::Error
    }
}

/// The kind of an error, with a stable spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// A cell that must hold a value is empty.
    Required,
    /// A cell does not fit the type of its field.
    TypeMismatch,
    /// A value does not match the pattern of its field.
    PatternMismatch,
    /// A value is below `min` or above `max`.
    OutOfRange,
    /// A value is shorter than `min_length` or longer than `max_length`.
    Length,
    /// A value is none of those allowed.
    NotInSet,
    /// A rule of the definition does not hold.
    Rule,
    /// The row has a value under a name that no field has, and the definition takes no others.
    UnknownField,
    /// An earlier row of the file has the same value, which must be unique.
    DuplicateValue,
    /// The record exists already where the definition says it must not.
    ExternalDuplicate,
    /// The row breaks the grammar of the file, or has another number of cells than the header.
    MalformedRow,
    /// The row is longer than a record may be.
    RecordTooLong,
    /// The batch of the row failed as a whole.
    BatchFailed,
    /// The destination refused the row or could not be reached.
    DeliveryFailed,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 14] = [
        Self::Required,
        Self::TypeMismatch,
        Self::PatternMismatch,
        Self::OutOfRange,
        Self::Length,
        Self::NotInSet,
        Self::Rule,
        Self::UnknownField,
        Self::DuplicateValue,
        Self::ExternalDuplicate,
        Self::MalformedRow,
        Self::RecordTooLong,
        Self::BatchFailed,
        Self::DeliveryFailed,
    ];

    /// The stable spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "REQUIRED",
            Self::TypeMismatch => "TYPE_MISMATCH",
            Self::PatternMismatch => "PATTERN_MISMATCH",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Length => "LENGTH",
            Self::NotInSet => "NOT_IN_SET",
            Self::Rule => "RULE",
            Self::UnknownField => "UNKNOWN_FIELD",
            Self::DuplicateValue => "DUPLICATE_VALUE",
            Self::ExternalDuplicate => "EXTERNAL_DUPLICATE",
            Self::MalformedRow => "MALFORMED_ROW",
            Self::RecordTooLong => "RECORD_TOO_LONG",
            Self::BatchFailed => "BATCH_FAILED",
            Self::DeliveryFailed => "DELIVERY_FAILED",
        }
    }

    /// The code spelled like this.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// Who can mend an error of this kind.
    #[must_use]
    pub fn category(self) -> Category {
        match self {
            Self::Required
            | Self::TypeMismatch
            | Self::PatternMismatch
            | Self::OutOfRange
            | Self::Length
            | Self::NotInSet
            | Self::UnknownField => Category::Validation,
            Self::Rule => Category::Custom,
            Self::DuplicateValue | Self::ExternalDuplicate => Category::Duplicate,
            Self::MalformedRow | Self::RecordTooLong => Category::Format,
            Self::BatchFailed | Self::DeliveryFailed => Category::Processing,
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A family of codes, by who can mend the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    /// The values are wrong: whoever filled in the file.
    Validation,
    /// The file is wrong: whoever wrote it out.
    Format,
    /// The row is there already, in the file or elsewhere: whoever put both there.
    Duplicate,
    /// The import went wrong: whoever runs it.
    Processing,
    /// A rule of the definition's author's own: see what it says.
    Custom,
}

impl Category {
    /// The stable spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "VALIDATION",
            Self::Format => "FORMAT",
            Self::Duplicate => "DUPLICATE",
            Self::Processing => "PROCESSING",
            Self::Custom => "CUSTOM",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_and_as_str_spell_alike() {
        for code in Code::ALL {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.as_str()));
            assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), code);
            assert_eq!(Code::parse(code.as_str()), Some(code));
            let category = serde_json::to_string(&code.category()).unwrap();
            assert_eq!(category, format!("\"{}\"", code.category().as_str()));
        }
        assert_eq!(Code::parse("required"), None);
    }
}
