//! Finds how a file is to be read from its first bytes: its encoding, its dialect, where its table
//! begins, and whether the first row names the columns.
//!
//! It is pure: it must not know where the bytes come from, nor jobs, nor batches. Whatever the
//! definition fixes ([`Reading`]) is taken as given.

use batchfleet_definition::Reading;
use batchfleet_grammar::{Dialect, Position};

/// What was found of a file's table, in text that is UTF-8.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// How its records are read.
    pub dialect: Dialect,
    /// Lines above the table that are no part of it, blank ones included.
    pub preamble_rows: u32,
    /// Whether the table's first row names its columns.
    pub header: bool,
    /// The names of the columns: the header's cells as they stand, or `column_1` and so on.
    pub columns: Vec<String>,
    /// Where the first record after the header begins.
    pub data: Position,
    /// How sure this is, from 0 to 1.
    pub confidence: f64,
    /// Why, in sentences for people.
    pub evidence: Vec<String>,
}

/// Why no table was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotATable {
    /// There is nothing but blank lines.
    Empty(String),
    /// There is something, but no header or table; the sentence says what, where, and what to do.
    Unreadable(String),
}

/// Finds the table in `head`, the first bytes of a text in UTF-8; `whole` says whether they are all
/// of it.
///
/// # Errors
/// Why there is none.
pub fn table(_head: &[u8], _whole: bool, _reading: &Reading) -> Result<Found, NotATable> {
    Err(NotATable::Unreadable(String::new()))
}
