//! Finds where records begin and end in a stream of bytes, without looking at their fields.
//!
//! The preparer passes a whole file through it, however large, so it holds a few words of state and
//! no bytes. It must not know batches, limits, or what is in a record.

use serde::{Deserialize, Serialize};

use crate::Dialect;
use crate::block::{BLOCK, equal, low_bits, padded};
use crate::dialect::Marks;
use crate::machine::{Kind, Machine, Step};

/// A place in a file where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Bytes of the file before it.
    pub offset: u64,
    /// Records before it, blank ones and comments included: the index of the record that begins here.
    pub record: u64,
    /// Physical line of its first byte, counted from 1 by line ends.
    pub line: u64,
}

impl Position {
    /// Where a file without a byte order mark begins.
    pub const START: Self = Self::after_bom(0);

    /// Where the records begin after a byte order mark of `bom_len` bytes (see
    /// [`bom_len`](crate::bom_len)).
    #[must_use]
    pub const fn after_bom(bom_len: u64) -> Self {
        Self {
            offset: bom_len,
            record: 0,
            line: 1,
        }
    }
}

impl Default for Position {
    fn default() -> Self {
        Self::START
    }
}

/// One record's place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordSpan {
    /// Offset of its first byte in the file.
    pub start: u64,
    /// Offset just past its line end, which is where the next record begins.
    pub end: u64,
    /// Physical line of its first byte, counted from 1.
    pub line: u64,
    /// Line ends within it: its own and those that are data.
    pub lines: u64,
    /// Whether it has no byte besides its line end, or besides that and what is trimmed.
    pub blank: bool,
    /// Whether it is a comment.
    pub comment: bool,
}

impl RecordSpan {
    /// Whether there is nothing in it to import: it is blank or a comment.
    #[must_use]
    pub const fn is_skippable(&self) -> bool {
        self.blank || self.comment
    }
}

/// Finds the records of a file that arrives in pieces of any size.
///
/// ```
/// use batchfleet_grammar::{BoundaryFinder, Dialect, Position};
///
/// let mut finder = BoundaryFinder::new(Dialect::default(), Position::START);
/// let mut ends = Vec::new();
/// finder.push(b"a,\"b\n", |span| ends.push(span.end));
/// finder.push(b"c\"\nd", |span| ends.push(span.end));
/// finder.finish(|span| ends.push(span.end));
/// assert_eq!(ends, [8, 9]);
/// ```
#[derive(Debug, Clone)]
pub struct BoundaryFinder {
    marks: Marks,
    /// Offset of the next byte to come.
    offset: u64,
    /// The record in progress: where it begins, and the `\n` bytes it holds up to now.
    at: Position,
    lines: u64,
    /// The last byte seen; only asked for when it belongs to the record in progress.
    previous: u8,
    in_quotes: bool,
    /// Just past the quote last seen to close a field: another quote right there was the second of
    /// a doubled one, and the field goes on.
    reopens_at: u64,
    /// What finds the records of dialects that are not plain; of the rest only `offset` and `at`
    /// are then used.
    machine: Option<Machine>,
}

impl BoundaryFinder {
    /// A finder whose first byte to come is the one at `at`.
    #[must_use]
    pub const fn new(dialect: Dialect, at: Position) -> Self {
        let marks = Marks::of(dialect);
        Self {
            marks,
            offset: at.offset,
            at,
            lines: 0,
            previous: 0,
            in_quotes: false,
            // No byte is ever there.
            reopens_at: u64::MAX,
            machine: Machine::of(dialect, marks),
        }
    }

    /// Takes the next bytes and reports each record that ends in them, in order.
    #[inline]
    pub fn push(&mut self, bytes: &[u8], mut on_record: impl FnMut(RecordSpan)) {
        if let Some(machine) = &mut self.machine {
            step_all(machine, bytes, &mut self.offset, &mut self.at, on_record);
            return;
        }
        let first = self.offset;
        let (blocks, tail) = bytes.as_chunks::<BLOCK>();
        let mut here = 0;
        for block in blocks {
            self.scan(block, u64::MAX, bytes, here, &mut on_record);
            here += BLOCK;
            self.offset = first + here as u64;
        }
        if !tail.is_empty() {
            let valid = low_bits(tail.len());
            self.scan(&padded(tail), valid, bytes, here, &mut on_record);
            self.offset = first + bytes.len() as u64;
        }
        if let Some(&last) = bytes.last() {
            self.previous = last;
        }
    }

    /// Says that no byte follows, and reports the last record if it has no line end. A `\r` there
    /// counts as its line end.
    pub fn finish(&mut self, mut on_record: impl FnMut(RecordSpan)) {
        let open = self.open_bytes();
        if open == 0 {
            return;
        }
        if let Some(machine) = &mut self.machine {
            on_record(end_record(machine, self.offset, &mut self.at));
        } else {
            let blank = !self.in_quotes && open == 1 && self.previous == b'\r';
            self.emit(self.offset, self.lines, blank, &mut on_record);
            self.in_quotes = false;
        }
    }

    /// Bytes of the record in progress up to now; 0 between records.
    #[must_use]
    pub const fn open_bytes(&self) -> u64 {
        self.offset - self.at.offset
    }

    /// Where the record in progress begins, or the next one if none is in progress.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.at
    }

    /// Goes through one block, which begins at `bytes[here]` and at `self.offset` in the file.
    #[inline]
    fn scan(
        &mut self,
        block: &[u8; BLOCK],
        valid: u64,
        bytes: &[u8],
        here: usize,
        on_record: &mut impl FnMut(RecordSpan),
    ) {
        let newlines = equal(block, b'\n') & valid;
        let quotes = self
            .marks
            .quote
            .map_or(0, |quote| equal(block, quote) & valid);
        if quotes == 0 {
            if self.in_quotes {
                self.lines += u64::from(newlines.count_ones());
                return;
            }
            let mut rest = newlines;
            while rest != 0 {
                self.end_line(rest.trailing_zeros() as usize, bytes, here, on_record);
                rest &= rest - 1;
            }
            return;
        }
        let mut rest = newlines | quotes;
        while rest != 0 {
            let bit = rest.trailing_zeros() as usize;
            let is_newline = newlines & (rest & rest.wrapping_neg()) != 0;
            rest &= rest - 1;
            if is_newline {
                if self.in_quotes {
                    self.lines += 1;
                } else {
                    self.end_line(bit, bytes, here, on_record);
                }
            } else {
                self.pass_quote(bit, bytes, here);
            }
        }
    }

    /// A quote byte: closes, doubles, opens, or is data.
    #[inline]
    fn pass_quote(&mut self, bit: usize, bytes: &[u8], here: usize) {
        let at = self.offset + bit as u64;
        if self.in_quotes {
            self.in_quotes = false;
            self.reopens_at = at + 1;
        } else {
            self.in_quotes = at == self.reopens_at
                || at == self.at.offset
                || self.before(bytes, here + bit) == self.marks.delimiter;
        }
    }

    /// A `\n` outside quotes: the record ends with it.
    #[inline]
    fn end_line(
        &mut self,
        bit: usize,
        bytes: &[u8],
        here: usize,
        on_record: &mut impl FnMut(RecordSpan),
    ) {
        let end = self.offset + bit as u64 + 1;
        let blank = match end - self.at.offset {
            1 => true,
            2 => self.before(bytes, here + bit) == b'\r',
            _ => false,
        };
        self.emit(end, self.lines + 1, blank, on_record);
    }

    #[inline]
    fn emit(&mut self, end: u64, lines: u64, blank: bool, on_record: &mut impl FnMut(RecordSpan)) {
        on_record(RecordSpan {
            start: self.at.offset,
            end,
            line: self.at.line,
            lines,
            blank,
            comment: false,
        });
        self.at = Position {
            offset: end,
            record: self.at.record + 1,
            line: self.at.line + lines,
        };
        self.lines = 0;
    }

    /// The byte before `bytes[index]`, which may have come with an earlier push.
    #[inline]
    fn before(&self, bytes: &[u8], index: usize) -> u8 {
        match index.checked_sub(1) {
            Some(index) => bytes[index],
            None => self.previous,
        }
    }
}

/// Passes `bytes` through the machine, and reports each record that ends in them.
fn step_all(
    machine: &mut Machine,
    bytes: &[u8],
    offset: &mut u64,
    at: &mut Position,
    mut on_record: impl FnMut(RecordSpan),
) {
    let first = *offset;
    let mut here = 0;
    while let Some(&byte) = bytes.get(here) {
        match machine.step(byte) {
            Step::Within { .. } => {
                here += 1;
                here += machine.run(&bytes[here..]);
            }
            Step::Ends => {
                here += 1;
                on_record(end_record(machine, first + here as u64, at));
            }
            Step::EndedBefore => on_record(end_record(machine, first + here as u64, at)),
        }
    }
    *offset = first + bytes.len() as u64;
}

/// The record that ends at `end`, where the next one begins.
fn end_record(machine: &mut Machine, end: u64, at: &mut Position) -> RecordSpan {
    let ended = machine.end();
    let span = RecordSpan {
        start: at.offset,
        end,
        line: at.line,
        lines: ended.lines,
        blank: ended.kind == Kind::Blank,
        comment: ended.kind == Kind::Comment,
    };
    *at = Position {
        offset: end,
        record: at.record + 1,
        line: at.line + ended.lines,
    };
    span
}
