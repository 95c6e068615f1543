//! Finds how a file is to be read from its first bytes: what it is at all, its encoding, its dialect,
//! where its table begins, and whether the first row names the columns.
//!
//! It is pure: it must not know where the bytes come from, nor jobs, nor batches. Whatever the
//! definition fixes ([`Reading`](batchfleet_definition::Reading)) is taken as given.
//!
//! The steps, in order: [`content`] of the raw bytes; [`encoding`], and [`decode_head`] with it;
//! [`content`] again, since JSON may come in any encoding; [`table`] of the text.

mod candidates;
mod content;
mod encoding;
mod header;
pub mod infer;
mod kind;
mod marks;
mod region;
mod sample;
mod score;
mod table;
mod words;

use batchfleet_grammar::{Dialect, Position};

pub use content::{Content, Foreign, content};
pub use encoding::{FoundEncoding, decode_head, encoding};
pub use sample::LineEnds;
pub use table::{HEADER_BYTES_MAX, table};

/// What was found of a file's table, in text that is UTF-8.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// How its records are read.
    pub dialect: Dialect,
    /// Lines above the table that are no part of it, blank ones and comments included.
    pub preamble_rows: u32,
    /// Whether the table's first row names its columns.
    pub header: bool,
    /// The names of the columns: the header's cells as they stand, or `column_1` and so on.
    pub columns: Vec<String>,
    /// Where the first record after the header begins.
    pub data: Position,
    /// How sure this is, from 0 to 1.
    pub confidence: f64,
    /// Why, in sentences for people. They hold no value of any record.
    pub evidence: Vec<String>,
    /// How the rows looked at end. The dialect only says what ends a row.
    pub line_ends: LineEnds,
    /// Rows at the end of a file looked at whole that seem to be totals or notes. They are only told:
    /// they stay rows unless the definition says otherwise.
    pub footer_rows_guess: u32,
}

/// Why no table was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotATable {
    /// There is nothing but blank lines.
    Empty(String),
    /// There is something, but no header or table; the sentence says what, where, and what to do.
    Unreadable(String),
}
