//! One record as read: its place in the file, its cells, and what is wrong with it.
//!
//! A record borrows from its reader, so that reading allocates nothing per row. It must not know
//! what its cells mean: no columns, no types, no UTF-8.

use std::fmt;

use crate::machine::Kind;

/// What makes a record unfit to import, though its place in the file is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordFault {
    /// It is longer than [`Limits::record_bytes_limit`](crate::Limits::record_bytes_limit). It has
    /// no cells.
    TooLong {
        /// Its length in bytes, with its line end.
        bytes: u64,
        /// The longest length allowed.
        limit: u64,
    },
    /// It has more cells than [`Limits::columns_max`](crate::Limits::columns_max). It has its first
    /// `limit` cells.
    TooManyColumns {
        /// Most cells allowed.
        limit: usize,
    },
    /// The input ends inside a quoted field. It has the cells read, the last one up to the input's
    /// end.
    UnclosedQuote {
        /// Physical line of the opening quote, counted from 1.
        line: u64,
    },
}

impl fmt::Display for RecordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, limit } => {
                write!(
                    f,
                    "the record is {bytes} bytes long; at most {limit} are read"
                )
            }
            Self::TooManyColumns { limit } => {
                write!(f, "the record has more than {limit} columns")
            }
            Self::UnclosedQuote { line } => {
                write!(f, "the quote opened at line {line} is never closed")
            }
        }
    }
}

/// Where one cell's bytes are: offsets from the record's start, or into the scratch buffer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cell {
    /// The highest bit says that the offsets are into the scratch buffer.
    start: u32,
    end: u32,
}

impl Cell {
    const SCRATCH: u32 = 1 << 31;

    /// A cell that stands in the record as it is.
    #[inline]
    pub(crate) const fn raw(start: usize, end: usize) -> Self {
        Self {
            start: start as u32 & !Self::SCRATCH,
            end: end as u32,
        }
    }

    /// A cell that had to be put together in the scratch buffer.
    pub(crate) const fn scratch(start: usize, end: usize) -> Self {
        Self {
            start: start as u32 | Self::SCRATCH,
            end: end as u32,
        }
    }

    #[inline]
    fn of<'r>(self, raw: &'r [u8], scratch: &'r [u8]) -> &'r [u8] {
        let from = if self.start & Self::SCRATCH == 0 {
            raw
        } else {
            scratch
        };
        let start = (self.start & !Self::SCRATCH) as usize;
        // Never out of range: a record too long for these offsets keeps no cells.
        from.get(start..self.end as usize).unwrap_or_default()
    }
}

/// One record, for as long as its reader is not asked for the next.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r> {
    pub(crate) index: u64,
    pub(crate) line: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) raw: &'r [u8],
    pub(crate) scratch: &'r [u8],
    pub(crate) cells: &'r [Cell],
    pub(crate) kind: Kind,
    pub(crate) fault: Option<RecordFault>,
}

impl<'r> Record<'r> {
    /// Records before it in the file, blank ones and comments included.
    #[inline]
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Physical line of its first byte, counted from 1.
    #[inline]
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Offset of its first byte in the file.
    #[inline]
    #[must_use]
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// Offset in the file just past its line end.
    #[inline]
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Its bytes as they stand in the file, without the line end.
    #[inline]
    #[must_use]
    pub const fn raw(&self) -> &'r [u8] {
        self.raw
    }

    /// How many cells it has.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it has no cells: it is blank, a comment, or faulty.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The bytes of one cell, counted from 0, without its quotes and escapes.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'r [u8]> {
        let cell = self.cells.get(index)?;
        Some(cell.of(self.raw, self.scratch))
    }

    /// The bytes of each cell in turn, without their quotes and escapes.
    #[inline]
    #[must_use]
    pub fn cells(&self) -> impl ExactSizeIterator<Item = &'r [u8]> + DoubleEndedIterator + use<'r> {
        let (raw, scratch) = (self.raw, self.scratch);
        self.cells.iter().map(move |cell| cell.of(raw, scratch))
    }

    /// Whether it has no byte besides its line end, or besides that and what is trimmed. It then has
    /// no cells.
    #[inline]
    #[must_use]
    pub const fn is_blank(&self) -> bool {
        matches!(self.kind, Kind::Blank)
    }

    /// Whether it is a comment. It then has no cells; its text is [`raw`](Self::raw).
    #[inline]
    #[must_use]
    pub const fn is_comment(&self) -> bool {
        matches!(self.kind, Kind::Comment)
    }

    /// Whether there is nothing in it to import: it is blank or a comment.
    #[inline]
    #[must_use]
    pub const fn is_skippable(&self) -> bool {
        !matches!(self.kind, Kind::Row)
    }

    /// What is wrong with it, if anything: the first in the order of [`RecordFault::TooLong`],
    /// [`RecordFault::UnclosedQuote`], [`RecordFault::TooManyColumns`].
    #[inline]
    #[must_use]
    pub const fn fault(&self) -> Option<RecordFault> {
        self.fault
    }
}
