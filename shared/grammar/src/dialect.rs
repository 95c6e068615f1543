//! What a CSV file's bytes mean (delimiter, quote, line end and so on) and how much of it may be held.
//!
//! Both halves of the grammar, the finder in the preparer and the reader in the workers, are given
//! the same two values; that is why they live in one place and can be stored with the job.
//! It must not know columns, their types, or where the bytes come from.

use serde::{Deserialize, Serialize};

/// The bytes with a meaning in one file; [the grammar](crate) says which.
///
/// Whatever a later version adds defaults to what this version does, so a stored dialect keeps its
/// meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Dialect {
    /// The byte between two fields; `,` unless told otherwise.
    pub delimiter: u8,
    /// The byte around a quoted field, `"` unless told otherwise; `None` makes quotes plain data.
    pub quote: Option<u8>,
    /// The byte that makes the next one data, inside quotes and outside; none unless told otherwise.
    /// A doubled quote is one quote whatever this is, so it is never the quote itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape: Option<u8>,
    /// The byte that makes a record a comment, as its first; none unless told otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<u8>,
    /// What ends a line.
    #[serde(skip_serializing_if = "LineEnd::is_default")]
    pub line_end: LineEnd,
    /// Whether spaces and tabs around a field are no part of it, outside quotes. A delimiter stays
    /// one, though it be a space or a tab.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub trim: bool,
}

/// What ends a line, and so a record outside quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnd {
    /// `\n`, with a `\r` before it or without. A `\r` elsewhere is data.
    #[default]
    Lf,
    /// `\n`, `\r\n` and `\r` alike.
    Any,
}

impl LineEnd {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Dialect {
    /// A dialect of these two bytes; check it with [`Dialect::validate`].
    #[must_use]
    pub const fn new(delimiter: u8, quote: Option<u8>) -> Self {
        Self {
            delimiter,
            quote,
            escape: None,
            comment: None,
            line_end: LineEnd::Lf,
            trim: false,
        }
    }

    /// Checks that no byte has two meanings.
    ///
    /// Whoever is given a dialect from outside calls this first. Finder and reader do not panic on
    /// one that fails it, but what they find then means nothing.
    ///
    /// # Errors
    ///
    /// The first rule broken: a byte that is not ASCII, one that is a line end or NUL, or one that
    /// stands for two things. An escape that is also the quote is refused too, since doubled quotes
    /// need no escape.
    pub fn validate(&self) -> Result<(), DialectError> {
        let named = [
            ("delimiter", Some(self.delimiter)),
            ("quote", self.quote),
            ("escape", self.escape),
            ("comment", self.comment),
        ];
        for (i, (name, byte)) in named.into_iter().enumerate() {
            let Some(byte) = byte else { continue };
            if !byte.is_ascii() {
                return Err(DialectError::NotAscii { name, byte });
            }
            if matches!(byte, b'\r' | b'\n' | 0) {
                return Err(DialectError::Reserved { name, byte });
            }
            for &(other, taken) in &named[..i] {
                if taken == Some(byte) {
                    return Err(match (other, name) {
                        ("delimiter", "quote") => DialectError::DelimiterIsQuote { byte },
                        ("quote", "escape") => DialectError::QuoteIsEscape { byte },
                        _ => DialectError::TwoMeanings { other, name, byte },
                    });
                }
            }
            if self.trim && name != "delimiter" && is_padding(byte) {
                return Err(DialectError::Trimmed { name, byte });
            }
        }
        Ok(())
    }

    /// Whether it is RFC 4180's but for the choice of delimiter and quote: the dialects that finder
    /// and reader have fast ways for.
    pub(crate) const fn is_plain(&self) -> bool {
        self.escape.is_none()
            && self.comment.is_none()
            && !self.trim
            && matches!(self.line_end, LineEnd::Lf)
    }
}

/// What a dialect that trims takes away around fields.
pub(crate) const fn is_padding(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The bytes that finder and reader look for: a dialect in which none has two meanings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) comment: Option<u8>,
}

impl Marks {
    /// A byte that has another meaning already is left out: only a dialect that is not valid has
    /// one, and neither finder nor reader could tell what is meant.
    pub(crate) const fn of(dialect: Dialect) -> Self {
        let delimiter = dialect.delimiter;
        let quote = unless_taken(dialect.quote, [Some(delimiter), None, None]);
        let escape = unless_taken(dialect.escape, [Some(delimiter), quote, None]);
        let comment = unless_taken(dialect.comment, [Some(delimiter), quote, escape]);
        Self {
            delimiter,
            quote,
            escape,
            comment,
        }
    }
}

/// `byte`, unless it is part of a line end or one of `taken`.
const fn unless_taken(byte: Option<u8>, taken: [Option<u8>; 3]) -> Option<u8> {
    let Some(wanted) = byte else { return None };
    if matches!(wanted, b'\r' | b'\n') {
        return None;
    }
    let mut i = 0;
    while i < taken.len() {
        if let Some(other) = taken[i]
            && other == wanted
        {
            return None;
        }
        i += 1;
    }
    byte
}

impl Default for Dialect {
    /// RFC 4180 §2: comma and double quote.
    fn default() -> Self {
        Self::new(b',', Some(b'"'))
    }
}

/// Why a [`Dialect`] cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialectError {
    /// Delimiter and quote are the same byte.
    #[error("delimiter and quote are both {:?}; they must differ", char::from(*.byte))]
    DelimiterIsQuote {
        /// The byte given for both.
        byte: u8,
    },
    /// Quote and escape are the same byte.
    #[error(
        "quote and escape are both {:?}; leave out the escape, since a doubled quote is one quote without it",
        char::from(*.byte)
    )]
    QuoteIsEscape {
        /// The byte given for both.
        byte: u8,
    },
    /// Two others are the same byte.
    #[error("{other} and {name} are both {:?}; they must differ", char::from(*.byte))]
    TwoMeanings {
        /// `delimiter`, `quote` or `escape`.
        other: &'static str,
        /// `escape` or `comment`.
        name: &'static str,
        /// The byte given for both.
        byte: u8,
    },
    /// The byte is a space or tab, and those around fields are to be taken away.
    #[error("the {name} cannot be {:?} where spaces and tabs around fields are trimmed", char::from(*.byte))]
    Trimmed {
        /// `quote`, `escape` or `comment`.
        name: &'static str,
        /// The byte given.
        byte: u8,
    },
    /// The byte is a line end or NUL, which always are line end or data.
    #[error("the {name} cannot be {:?}", char::from(*.byte))]
    Reserved {
        /// `delimiter`, `quote`, `escape` or `comment`.
        name: &'static str,
        /// The byte given.
        byte: u8,
    },
    /// The byte is not ASCII, and so may be a part of a longer UTF-8 character.
    #[error("the {name} must be one ASCII character, not the byte {byte:#04x}")]
    NotAscii {
        /// `delimiter`, `quote`, `escape` or `comment`.
        name: &'static str,
        /// The byte given.
        byte: u8,
    },
}

/// How much one record may take before it is refused instead of held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Longest record that is read, in bytes with its line end. Longer ones are reported and passed
    /// over. No more than [`Limits::RECORD_BYTES_CAP`] counts.
    pub record_bytes_max: u64,
    /// Most cells kept of one record.
    pub columns_max: usize,
    /// Longest record whose end is looked for, in bytes with its line end: past it splitting stops,
    /// because a quote is probably never closed.
    pub record_scan_bytes_max: u64,
}

impl Limits {
    /// Cells are kept as 31-bit offsets from their record's start, so no longer record is read
    /// whatever `record_bytes_max` says.
    pub const RECORD_BYTES_CAP: u64 = (1 << 31) - 1;

    /// The limit the splitter and the reader both apply: `record_bytes_max`, within the cap.
    #[must_use]
    pub const fn record_bytes_limit(&self) -> u64 {
        if self.record_bytes_max < Self::RECORD_BYTES_CAP {
            self.record_bytes_max
        } else {
            Self::RECORD_BYTES_CAP
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes_max: 1 << 20,
            columns_max: 4096,
            record_scan_bytes_max: 256 << 20,
        }
    }
}
