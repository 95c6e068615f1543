//! The CSV grammar: where records begin and end, and what they say.
//!
//! The preparer cuts a file into batches with the [`Splitter`]; workers read the batches with the
//! [`RecordReader`]. A row would be lost or read twice if the two ever disagreed, so this crate is
//! the only place that knows CSV, and this page is the only specification of it. It must not know
//! S3, columns, types, or jobs.
//!
//! # The grammar
//!
//! RFC 4180 §2, and a meaning for all it leaves open: every input, of any bytes, is a sequence of
//! records, and every byte belongs to exactly one.
//!
//! 1. Bytes have a meaning only by the [`Dialect`]: a delimiter (`,`), a quote (`"`, or none), and
//!    the line ends; in some dialects also an escape, a comment byte, and what is trimmed (rules 11
//!    to 14). All others are data, whatever they are: NUL, or bytes that are not UTF-8.
//! 2. A quote opens a quoted field only as the field's first byte: at the record's start, or right
//!    after a delimiter. Anywhere else in an unquoted field it is data.
//! 3. Inside quotes, two quotes in a row are one quote of data; delimiters, `\n` and `\r` are data.
//!    A quote that is not doubled closes the field.
//! 4. After the closing quote, all bytes up to the delimiter or the line end are appended to the
//!    field as they are. Quotes there are data.
//! 5. Outside quotes, `\n` ends the record. A `\r` right before it belongs to the line end, and so
//!    does a `\r` that is the input's last byte. Any other `\r` is data.
//! 6. At the input's end the last record ends, with or without a line end; a line end there begins
//!    no further record. If it ends inside quotes, the record is reported as faulty.
//! 7. A record of no byte but its line end is *blank*. It counts as a record, and has no fields.
//!    Any other record has one field more than it has delimiters outside quotes, comments aside.
//! 8. Records may differ in their number of fields.
//! 9. Lines are counted from 1 by `\n` bytes, those inside quotes too. A record's line is that of
//!    its first byte.
//! 10. A byte order mark means something only at the file's very first byte. It is no part of this
//!     grammar: whoever opens a file skips [`bom_len`] bytes and begins at [`Position::after_bom`].
//!
//! In dialects that have what they speak of:
//!
//! 11. *An escape* makes the next byte data, inside quotes and outside, and is itself dropped if
//!     that byte has a meaning in the dialect: delimiter, quote, escape, comment byte, `\r`, `\n`,
//!     and a space or tab if it trims. Before any other byte both are data (`C:\temp`, `\N`), and
//!     so is an escape that is the input's last byte. Outside quotes, an escape before a `\r` makes
//!     a `\n` right behind that data as well. Doubled quotes keep their meaning.
//! 12. *A comment* is a record whose first byte is the comment byte, up to the line end; no other
//!     byte in it has a meaning. It counts as a record, and has no fields. Anywhere else, the
//!     comment byte is data.
//! 13. *Any line end* ([`LineEnd::Any`], in place of rules 5 and 9): outside quotes `\n`, `\r\n`
//!     and `\r` end the record, and everywhere each of them counts as one line.
//! 14. *Trimming*: spaces and tabs at the beginning and the end of a field are no part of it, unless
//!     they are quoted or escaped. A quote behind such ones opens the field as if it came first. A
//!     record of nothing but those and its line end is blank. A delimiter is never trimmed.
//!
//! # Limits
//!
//! A record longer than [`Limits::record_bytes_max`] is still one record, with a place in the file;
//! it is alone in a batch marked as [`BatchRange::oversize`], and the reader gives it without cells.
//! Only a record longer than [`Limits::record_scan_bytes_max`] stops the splitting: see
//! [`SplitError::RecordUnbounded`].

mod block;
mod cursor;
mod dialect;
mod finder;
mod machine;
mod reader;
mod record;
mod splitter;
mod stepping;

pub use dialect::{Dialect, DialectError, Limits, LineEnd};
pub use finder::{BoundaryFinder, Position, RecordSpan};
pub use reader::RecordReader;
pub use record::{Record, RecordFault};
pub use splitter::{BatchLimits, BatchRange, SplitError, Splitter};

/// How many bytes of a file's beginning are a UTF-8 byte order mark: 3 or 0. `head` is the file's
/// first bytes, at least 3 of them if it has as many.
#[must_use]
pub const fn bom_len(head: &[u8]) -> usize {
    if let [0xef, 0xbb, 0xbf, ..] = head {
        3
    } else {
        0
    }
}
