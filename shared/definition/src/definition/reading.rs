//! What a definition fixes of how its files are read; the rest is found in each file.

use batchfleet_grammar::{Dialect, LineEnd};

/// How a file is to be read, as far as the definition says so. What is `None` is detected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The encoding, by its name in the Encoding Standard: `UTF-8`, `windows-1252`.
    /// <https://encoding.spec.whatwg.org/#names-and-labels>
    pub encoding: Option<String>,
    /// The byte between two fields.
    pub delimiter: Option<u8>,
    /// The byte around a quoted field; `Some(None)` makes quotes plain data.
    pub quote: Option<Option<u8>>,
    /// The byte that makes the next one data; `Some(None)` says that there is none.
    pub escape: Option<Option<u8>>,
    /// The byte that begins a comment; `Some(None)` says that there is none.
    pub comment: Option<Option<u8>>,
    /// What ends a line.
    pub line_end: Option<LineEnd>,
    /// Whether spaces around fields are no part of them.
    pub trim: Option<bool>,
    /// Lines above the header that are no part of the table, blank ones included.
    pub preamble_rows: Option<u32>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// The names of the columns of a file without a header; none where it has one, or where its
    /// columns are to be `column_1`, `column_2` and so on.
    pub columns: Vec<String>,
    /// Rows at the end that are no part of the table: totals, signatures. Blank ones don't count.
    pub footer_rows: u32,
}

impl Reading {
    /// The dialect, with the defaults for all that is open.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        let default = Dialect::default();
        let mut dialect = Dialect::new(
            self.delimiter.unwrap_or(default.delimiter),
            self.quote.unwrap_or(default.quote),
        );
        dialect.escape = self.escape.unwrap_or(default.escape);
        dialect.comment = self.comment.unwrap_or(default.comment);
        dialect.line_end = self.line_end.unwrap_or(default.line_end);
        dialect.trim = self.trim.unwrap_or(default.trim);
        dialect
    }

    /// Whether a dialect is one that this allows: what is fixed is so in it.
    #[must_use]
    pub fn allows(&self, dialect: &Dialect) -> bool {
        self.delimiter
            .is_none_or(|fixed| fixed == dialect.delimiter)
            && self.quote.is_none_or(|fixed| fixed == dialect.quote)
            && self.escape.is_none_or(|fixed| fixed == dialect.escape)
            && self.comment.is_none_or(|fixed| fixed == dialect.comment)
            && self.line_end.is_none_or(|fixed| fixed == dialect.line_end)
            && self.trim.is_none_or(|fixed| fixed == dialect.trim)
    }
}
