//! Reads the records of one batch out of its bytes.
//!
//! The workers' half of the grammar: it sees the same records as the
//! [`BoundaryFinder`](crate::BoundaryFinder), and their cells besides. It must not know where the
//! bytes come from, or what the cells mean.

use std::ops::Range;

use crate::cursor::{Cursor, Quoted};
use crate::dialect::Marks;
use crate::machine::{Kind, Machine};
use crate::record::Cell;
use crate::{Dialect, Limits, Position, Record, RecordFault};

/// Reads records one after another, and lends each until the next is asked for.
///
/// It holds the input by reference, the places of one record's cells, and the cells of that record
/// that had to be unescaped: never more than one record besides the input.
///
/// ```
/// use batchfleet_grammar::{Dialect, Limits, Position, RecordReader};
///
/// let input = b"a,\"say \"\"b\"\"\"\n\nc\n";
/// let mut reader =
///     RecordReader::new(input, Dialect::default(), Limits::default(), Position::START);
/// let mut cells = Vec::new();
/// while let Some(record) = reader.read() {
///     cells.push(record.cells().map(<[u8]>::to_vec).collect::<Vec<_>>());
/// }
/// assert_eq!(cells, [vec![b"a".to_vec(), b"say \"b\"".to_vec()], vec![], vec![b"c".to_vec()]]);
/// ```
#[derive(Debug)]
pub struct RecordReader<'a> {
    pub(crate) input: &'a [u8],
    marks: Marks,
    pub(crate) record_max: u64,
    columns_max: usize,
    cursor: Cursor,
    /// Where the input begins in the file, and where its next record does.
    origin: u64,
    pub(crate) next: Position,
    pub(crate) store: Store,
    /// What reads the records of dialects that are not plain, in the cursor's place.
    machine: Option<Box<Machine>>,
}

/// What one record's cells are kept in, used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// Slots, the first few of which are in use.
    cells: Vec<Cell>,
    pub(crate) scratch: Vec<u8>,
}

/// What is known of the record being read.
pub(crate) struct Progress {
    /// The index in the input of its first byte.
    pub(crate) start: usize,
    cells: usize,
    /// Line ends passed.
    pub(crate) lines: u64,
    /// Whether a cell was not kept because there are too many.
    overflowing: bool,
    /// The line of the quote that is never closed.
    pub(crate) unclosed: Option<u64>,
}

impl<'a> RecordReader<'a> {
    /// A reader of `input`, whose first byte is a record's first byte at `at` in the file, and
    /// whose last byte is a record's last.
    #[must_use]
    pub fn new(input: &'a [u8], dialect: Dialect, limits: Limits, at: Position) -> Self {
        let marks = Marks::of(dialect);
        Self {
            input,
            marks,
            record_max: limits.record_bytes_limit(),
            columns_max: limits.columns_max,
            cursor: Cursor::new(input, marks),
            origin: at.offset,
            next: at,
            store: Store::default(),
            machine: Machine::of(dialect, marks).map(Box::new),
        }
    }

    /// Where the next record begins, or where the input ends.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.next
    }

    /// The next record, or `None` at the end of the input.
    #[inline]
    pub fn read(&mut self) -> Option<Record<'_>> {
        let input = self.input;
        let start = (self.next.offset - self.origin) as usize;
        if start >= input.len() {
            return None;
        }
        self.store.scratch.clear();
        let mut progress = Progress {
            start,
            cells: 0,
            lines: 0,
            overflowing: false,
            unclosed: None,
        };
        if let Some(machine) = self.machine.take() {
            return Some(self.read_stepping(machine, progress));
        }
        // A copy, which the compiler can keep in registers.
        let mut cursor = self.cursor;
        let mut field = start;
        let (content_end, end) = loop {
            if self.marks.quote.is_some() && input.get(field).copied() == self.marks.quote {
                if let Some(ends) = self.read_quoted(&mut cursor, &mut field, &mut progress) {
                    break ends;
                }
                continue;
            }
            let at = cursor.next_separator(input, self.marks);
            if self.is_delimiter(at) {
                self.keep(&mut progress, Cell::raw(field - start, at - start));
                field = at + 1;
                continue;
            }
            let content_end = self.content_end(field, at);
            if content_end > start {
                self.keep(&mut progress, Cell::raw(field - start, content_end - start));
            }
            break (content_end, (at + 1).min(input.len()));
        };
        self.cursor = cursor;
        // Only an unclosed quote or the input's end goes without a `\n`.
        let own = progress.unclosed.is_none() && input[end - 1] == b'\n';
        progress.lines += u64::from(own);
        let kind = if content_end == start {
            Kind::Blank
        } else {
            Kind::Row
        };
        Some(self.complete(&progress, kind, content_end, end))
    }

    #[cold]
    fn read_stepping(&mut self, mut machine: Box<Machine>, mut progress: Progress) -> Record<'_> {
        let (kind, content_end, end) = self.step_record(&mut machine, &mut progress);
        self.machine = Some(machine);
        self.complete(&progress, kind, content_end, end)
    }

    #[inline]
    fn is_delimiter(&self, at: usize) -> bool {
        self.input.get(at) == Some(&self.marks.delimiter)
    }

    /// Where the last field ends, given where the record's `\n` or the input's end is: a `\r` before
    /// that, but not before `floor`, belongs to the line end.
    #[inline]
    fn content_end(&self, floor: usize, at: usize) -> usize {
        if at > floor && self.input[at - 1] == b'\r' {
            at - 1
        } else {
            at
        }
    }

    /// Keeps a cell, or notes that there are too many. All that it changes of `progress` it changes
    /// in line, so that `progress` can be kept in registers.
    #[inline]
    pub(crate) fn keep(&mut self, progress: &mut Progress, cell: Cell) {
        if progress.cells >= self.store.cells.len() && !self.make_room() {
            progress.overflowing = true;
        } else if let Some(slot) = self.store.cells.get_mut(progress.cells) {
            *slot = cell;
            progress.cells += 1;
        }
    }

    /// Makes slots for more cells, if more are allowed.
    #[cold]
    fn make_room(&mut self) -> bool {
        let slots = self.store.cells.len();
        let more = (2 * slots).max(16).min(self.columns_max);
        self.store.cells.resize(more, Cell::default());
        more > slots
    }

    /// Reads one quoted field, moving `field` past its delimiter. If it is the record's last,
    /// returns where its content and where its line end ends.
    #[inline]
    fn read_quoted(
        &mut self,
        cursor: &mut Cursor,
        field: &mut usize,
        progress: &mut Progress,
    ) -> Option<(usize, usize)> {
        let input = self.input;
        let open = *field;
        let Some(quoted) = cursor.pass_quoted(input, self.marks, open) else {
            let len = input.len();
            progress.unclosed = Some(self.next.line + progress.lines);
            progress.lines += count_newlines(&input[open..]);
            if (len - progress.start) as u64 <= self.record_max {
                let cell = self.unescape(open + 1, len, len..len);
                self.keep(progress, cell);
            }
            return Some((len, len));
        };
        let Quoted {
            close,
            doubled,
            separated,
        } = quoted;
        if separated {
            progress.lines += count_newlines(&input[open..close]);
        }
        let at = cursor.next_separator(input, self.marks);
        let is_delimiter = self.is_delimiter(at);
        let content_end = if is_delimiter {
            at
        } else {
            self.content_end(close + 1, at)
        };
        if doubled || content_end > close + 1 {
            // One that does not fit will have no cells, so its bytes are not copied.
            if (content_end - progress.start) as u64 <= self.record_max {
                let cell = self.unescape(open + 1, close, close + 1..content_end);
                self.keep(progress, cell);
            }
        } else {
            let start = progress.start;
            self.keep(progress, Cell::raw(open + 1 - start, close - start));
        }
        if is_delimiter {
            *field = at + 1;
            return None;
        }
        Some((content_end, (at + 1).min(input.len())))
    }

    /// Puts together a cell whose bytes are not as they stand in the file: those between its quotes,
    /// with each doubled quote made one, and then those after its closing quote.
    #[inline(never)]
    fn unescape(&mut self, from: usize, to: usize, after: Range<usize>) -> Cell {
        let scratch = &mut self.store.scratch;
        let start = scratch.len();
        let mut inside = &self.input[from..to];
        if let Some(quote) = self.marks.quote {
            while let Some(at) = memchr::memchr(quote, inside) {
                scratch.extend_from_slice(&inside[..=at]);
                // Inside quotes, each quote is the first of two.
                inside = inside.get(at + 2..).unwrap_or_default();
            }
        }
        scratch.extend_from_slice(inside);
        scratch.extend_from_slice(&self.input[after]);
        Cell::scratch(start, scratch.len())
    }

    #[inline]
    fn complete(
        &mut self,
        progress: &Progress,
        kind: Kind,
        content_end: usize,
        end: usize,
    ) -> Record<'_> {
        let at = self.next;
        let next = self.origin + end as u64;
        let bytes = next - at.offset;
        self.next = Position {
            offset: next,
            record: at.record + 1,
            line: at.line + progress.lines,
        };
        let mut cells = progress.cells;
        let fault = if bytes > self.record_max {
            cells = 0;
            Some(RecordFault::TooLong {
                bytes,
                limit: self.record_max,
            })
        } else if let Some(line) = progress.unclosed {
            Some(RecordFault::UnclosedQuote { line })
        } else if progress.overflowing {
            Some(RecordFault::TooManyColumns {
                limit: self.columns_max,
            })
        } else {
            None
        };
        Record {
            index: at.record,
            line: at.line,
            start: at.offset,
            end: next,
            raw: &self.input[progress.start..content_end],
            scratch: &self.store.scratch,
            cells: &self.store.cells[..cells],
            kind,
            fault,
        }
    }
}

fn count_newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
