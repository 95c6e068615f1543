//! A field as the definition says it, and what holds for rows as a whole: plain data.
//!
//! Commands that write, explain or fill a definition read it here. What runs for every row is
//! compiled from it and kept beside it; this file must not know how.

use std::sync::Arc;

use crate::field_plan::FieldPlan;
use crate::row_error::Severity;
use crate::types::{FieldType, Literal, TypeOptions};

/// One field: a key of the output, and the column that fills it.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The key of the output, without spaces around; the header of its column unless `column` says
    /// another.
    pub name: String,
    /// What it is, in its author's words.
    pub description: Option<String>,
    /// The header of its column, where that is not its name.
    pub column: Option<String>,
    /// Other headers its column may have.
    pub aliases: Vec<String>,
    /// The type of its values.
    pub kind: FieldType,
    /// What the type leaves to the definition.
    pub options: TypeOptions,
    /// Whether the column must exist and its cells must hold a value.
    pub required: bool,
    /// The value where the column is missing or the cell is empty.
    pub default: Option<Literal>,
    /// The value in every row, of a field without a column.
    pub constant: Option<Literal>,
    /// The expression that gives its text in every row, of a field without a column.
    pub compute: Option<String>,
    /// Whether spaces around a cell are no part of it.
    pub trim: bool,
    /// Cells that stand for no value, compared without the spaces around.
    pub null_values: Vec<String>,
    /// What is done to the text of a cell before it is converted, in order.
    pub transforms: Vec<Transform>,
    /// What must hold for a value.
    pub constraints: Constraints,
    /// What must hold for each item of a list.
    pub items: Constraints,
    /// Whether no two rows of a job may have the same value.
    pub unique: Option<Unique>,
    /// Whether what is wrong with a value makes its row a reject.
    pub severity: Severity,
    /// What to say in place of our own sentence.
    pub message: Option<String>,
    /// What to suggest, whatever the value.
    pub suggestion: Option<String>,
    /// Whether its values may be seen in messages and reports.
    pub sensitive: bool,
    /// What runs for every row.
    pub(crate) plan: Compiled,
}

impl Field {
    /// Whether a column fills it: it is neither a constant nor calculated.
    #[must_use]
    pub fn has_column(&self) -> bool {
        self.constant.is_none() && self.compute.is_none()
    }

    /// The headers that its column may have: `column` or the name first, then the aliases. None for a
    /// field without a column.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let first = self.column.as_deref().unwrap_or(&self.name);
        let aliases = self.aliases.iter().map(String::as_str);
        let has_column = self.has_column();
        std::iter::once(first)
            .chain(aliases)
            .filter(move |_| has_column)
    }
}

/// What is compiled from a field. Two fields that say the same are the same, so it is not compared.
#[derive(Clone)]
pub(crate) struct Compiled(pub(crate) Arc<FieldPlan>);

impl PartialEq for Compiled {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compiled")
    }
}

/// What must hold for a value that is there: an empty cell meets them all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Constraints {
    /// A regular expression that must match somewhere in the text.
    pub pattern: Option<String>,
    /// The smallest value, or the earliest.
    pub min: Option<Literal>,
    /// The largest value, or the latest.
    pub max: Option<Literal>,
    /// The fewest characters, or items of a list.
    pub min_length: Option<u32>,
    /// The most characters, or items of a list.
    pub max_length: Option<u32>,
    /// The values allowed; any where there are none.
    pub one_of: Vec<Literal>,
    /// Whether `one_of` compares without regard to case.
    pub ignore_case: bool,
}

/// How values that must be unique are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unique {
    /// Whether texts that differ in case alone are the same.
    pub ignore_case: bool,
}

impl Default for Unique {
    fn default() -> Self {
        Self { ignore_case: true }
    }
}

/// Fields whose values together are unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueTogether {
    /// The fields' names.
    pub fields: Vec<String>,
    /// How their values are compared.
    pub unique: Unique,
}

/// One thing done to the text of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transform {
    /// Spaces around are taken off.
    Trim,
    /// Runs of spaces and line breaks become one space, and those around are taken off.
    CollapseWhitespace,
    /// Letters become small.
    Lowercase,
    /// Letters become capital.
    Uppercase,
    /// The first letter of each word becomes capital, the others small.
    TitleCase,
    /// Any of these characters is taken off both ends.
    Strip(String),
    /// Any of these characters is taken out everywhere.
    Remove(String),
    /// This text is taken off the beginning.
    StripPrefix(String),
    /// This text is taken off the end.
    StripSuffix(String),
    /// Every match of a regular expression becomes something else, in which `$1` is its first group.
    Replace {
        /// The regular expression.
        pattern: String,
        /// What a match becomes.
        with: String,
    },
    /// The first group of a regular expression, or its match, is kept; nothing where it has none.
    Extract(String),
    /// A text that is in the table becomes what stands beside it.
    Map {
        /// Texts and what they become.
        table: Vec<(String, String)>,
        /// Whether case does not count.
        ignore_case: bool,
    },
    /// Characters after this many are cut off.
    Truncate(u32),
    /// A text is put before.
    Prefix(String),
    /// A text is put behind.
    Suffix(String),
    /// Characters are put before until there are enough.
    PadLeft(Pad),
    /// Characters are put behind until there are enough.
    PadRight(Pad),
    /// An address as people paste it becomes the plain address in small letters.
    NormalizeEmail,
    /// Characters that look alike and mean the same become the same (Unicode NFC).
    NormalizeUnicode,
    /// All but the digits 0 to 9 is taken out.
    DigitsOnly,
    /// Letters lose their accents, and `ß`, `ø`, `æ` and the like become plain letters.
    RemoveAccents,
}

/// How far a text is filled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pad {
    /// How many characters there are to be.
    pub length: u32,
    /// The character put there.
    pub with: char,
}

/// What is done with a row that has more or fewer cells than the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ragged {
    /// It is a reject.
    Reject,
    /// Missing cells are empty. Further cells are dropped if they are empty, else it is a reject.
    #[default]
    Pad,
    /// Missing cells are empty, further cells are dropped.
    Truncate,
}

/// What is done with a column that is no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownColumns {
    /// It is left out.
    #[default]
    Ignore,
    /// It is in the output as text, under its own header, after the fields.
    Keep,
    /// The file is refused.
    Error,
}
