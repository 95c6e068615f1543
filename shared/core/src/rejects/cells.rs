//! Rows of CSV, written so that a dialect's own reader reads the same cells back.
//!
//! It is written here because no crate knows this grammar: bytes after a closing quote, an escape
//! outside quotes, trimming, comments. It must not know what the rows are.

use batchfleet_grammar::{Dialect, LineEnd};

/// What takes the place of a space that a dialect without quotes can't hold, because it is its
/// delimiter.
pub(super) const SPACE_INSTEAD: u8 = b';';

/// Writes rows into memory.
///
/// A dialect without quotes and without an escape can't hold everything: there a delimiter or a line
/// end within a cell becomes a space (or [`SPACE_INSTEAD`]), and a row that would begin like a comment
/// gets an apostrophe before it, unless a space there is trimmed away. Cells that were read in such a dialect have none of these, but our
/// own sentences may, and so may the text of a record that could not be read.
pub(super) struct RowWriter {
    dialect: Dialect,
    out: Vec<u8>,
    /// Whether the next cell is the first of its row.
    is_first: bool,
}

impl RowWriter {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            out: Vec::new(),
            is_first: true,
        }
    }

    /// Adds a cell to the row.
    pub(super) fn cell(&mut self, cell: &[u8]) {
        let dialect = self.dialect;
        let begins_comment = self.is_first
            && cell
                .first()
                .is_some_and(|&byte| dialect.comment == Some(byte));
        if !self.is_first {
            self.out.push(dialect.delimiter);
        }
        self.is_first = false;
        let is_padded = dialect.trim && (is_blank(cell.first()) || is_blank(cell.last()));
        let is_plain =
            !begins_comment && !is_padded && !cell.iter().any(|&byte| self.is_special(byte));
        match (dialect.quote, dialect.escape) {
            _ if is_plain => self.out.extend_from_slice(cell),
            (Some(quote), escape) => self.quoted(cell, quote, escape),
            (None, Some(escape)) => self.escaped(cell, escape, begins_comment),
            (None, None) => self.replaced(cell, begins_comment),
        }
    }

    /// Ends the row. A row of one empty cell would be a blank line, so the caller writes more.
    pub(super) fn end_row(&mut self) {
        self.out.push(b'\n');
        self.is_first = true;
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Whether the byte means something outside quotes.
    fn is_special(&self, byte: u8) -> bool {
        let Dialect {
            delimiter,
            quote,
            escape,
            line_end,
            ..
        } = self.dialect;
        // In quotes no reader can take a carriage return for a part of the line end; without them it
        // is data in the middle of a row, unless it ends lines by itself.
        let is_return = byte == b'\r' && (quote.is_some() || line_end == LineEnd::Any);
        byte == delimiter
            || byte == b'\n'
            || is_return
            || quote == Some(byte)
            || escape == Some(byte)
    }

    fn quoted(&mut self, cell: &[u8], quote: u8, escape: Option<u8>) {
        self.out.push(quote);
        for &byte in cell {
            if byte == quote {
                self.out.push(escape.unwrap_or(quote));
            } else if let Some(escape) = escape
                && byte == escape
            {
                self.out.push(escape);
            }
            self.out.push(byte);
        }
        self.out.push(quote);
    }

    fn escaped(&mut self, cell: &[u8], escape: u8, begins_comment: bool) {
        for (at, &byte) in cell.iter().enumerate() {
            let is_edge = at == 0 || at + 1 == cell.len();
            let is_padding = self.dialect.trim && is_edge && is_blank(Some(&byte));
            if self.is_special(byte) || is_padding || (at == 0 && begins_comment) {
                self.out.push(escape);
            }
            self.out.push(byte);
        }
    }

    fn replaced(&mut self, cell: &[u8], begins_comment: bool) {
        let space = if self.dialect.delimiter == b' ' {
            SPACE_INSTEAD
        } else {
            b' '
        };
        if begins_comment {
            self.out
                .push(match (self.dialect.trim, self.dialect.delimiter) {
                    // Trimmed away again.
                    (true, b' ') => b'\t',
                    (true, _) => b' ',
                    (false, _) => b'\'',
                });
        }
        for &byte in cell {
            self.out
                .push(if self.is_special(byte) { space } else { byte });
        }
    }
}

/// What trimming takes away.
fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b' ' | b'\t'))
}
