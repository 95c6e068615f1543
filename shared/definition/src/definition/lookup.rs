//! Tables whose records the rows of a file must not be: `duplicates_of`.
//!
//! It must not know how a table is asked.

use crate::row_error::Severity;

/// A table, and the fields that say which of its records a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLookup {
    /// The table's name: 3 to 255 letters, digits, `_`, `-` and `.`.
    pub table: String,
    /// The attributes of the table's key, one or two, each with the field that has its value. A row
    /// without a value in one of them is no record of the table.
    pub key: Vec<LookupField>,
    /// What becomes of a row that is one.
    pub severity: Severity,
    /// What its error says, in words of the definition's author.
    pub message: Option<String>,
    /// Whether it is the table that accepted rows go to.
    pub is_destination: bool,
}

/// One attribute of a table's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupField {
    /// The attribute's name.
    pub attribute: String,
    /// The field of the definition whose values it has.
    pub field: String,
    /// Whether they are numbers; text where not.
    pub is_number: bool,
}
