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
}

/// The kind of an error, with a stable spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// A cell that must hold a value is empty.
    Required,
    /// A cell does not fit the type of its field.
    TypeMismatch,
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
    pub const ALL: [Self; 6] = [
        Self::Required,
        Self::TypeMismatch,
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
            Self::Required | Self::TypeMismatch => Category::Validation,
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
    /// The import went wrong: whoever runs it.
    Processing,
}

impl Category {
    /// The stable spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "VALIDATION",
            Self::Format => "FORMAT",
            Self::Processing => "PROCESSING",
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
