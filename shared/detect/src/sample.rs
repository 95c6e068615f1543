//! The first rows of a table as one dialect reads them.
//!
//! Rows come from the very reader that will import them, so that what is found here is what the
//! workers will see. It must not know which dialect is right.

use batchfleet_grammar::{Dialect, Limits, LineEnd, Position, Record, RecordReader};

use crate::kind::{Kind, kind, trimmed};
use crate::marks::quoted_fields;

/// How much is read at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) bytes: usize,
    pub(crate) rows: usize,
    pub(crate) cells: usize,
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Where it begins: in the head, and in lines.
    pub(crate) at: Position,
    /// Just past its line end, in the head.
    pub(crate) end: usize,
    /// The line that the next row begins in.
    pub(crate) next_line: u64,
    /// How many cells it has; 0 for one that is no record, can't be read, or is passed over.
    pub(crate) width: usize,
    /// How many of them are not empty.
    pub(crate) filled: usize,
    /// What it is, besides a row of cells.
    pub(crate) role: Role,
    /// Whether the dialect read with makes it no record.
    pub(crate) skippable: bool,
    line_end: Ending,
    kinds: usize,
}

/// What a row is for the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It may belong to the table.
    Cells,
    Blank,
    /// A line that begins as comments do, with this byte: `#`, `%`, `!`, or `/` of `//`.
    Note(u8),
    /// A line drawn with dashes or the like; the byte it begins with.
    Ruler(u8),
}

impl Role {
    /// Whether a row has no value, whatever the dialect makes of it.
    const fn is_empty(self) -> bool {
        matches!(self, Self::Blank | Self::Ruler(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    None,
    Lf,
    CrLf,
    Cr,
}

/// How often each line end ends a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineEnds {
    /// `\n` alone.
    pub lf: usize,
    /// `\r\n`.
    pub crlf: usize,
    /// `\r` alone.
    pub cr: usize,
}

impl LineEnds {
    /// `"\n"`, `"\r\n"` or `"\r"` where all rows looked at end alike, else `mixed`. A text of one
    /// line that does not end has `"\n"`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match (self.lf > 0, self.crlf > 0, self.cr > 0) {
            (_, false, false) => "\n",
            (false, true, false) => "\r\n",
            (false, false, true) => "\r",
            _ => "mixed",
        }
    }
}

/// The rows.
#[derive(Debug)]
pub(crate) struct Sample<'h> {
    head: &'h [u8],
    pub(crate) dialect: Dialect,
    pub(crate) rows: Vec<Row>,
    kinds: Vec<Kind>,
    /// Bytes of the extent that no row took: the row cut at its end.
    pub(crate) cut_bytes: usize,
    /// Whether the last row ends within quotes.
    pub(crate) unclosed: bool,
    /// Whether the last row is the file's last.
    pub(crate) to_the_end: bool,
}

impl<'h> Sample<'h> {
    /// Reads rows from `at` on; `whole` says whether the head is all of the file.
    pub(crate) fn read(
        head: &'h [u8],
        at: Position,
        dialect: Dialect,
        extent: Extent,
        whole: bool,
    ) -> Self {
        let from = (at.offset as usize).min(head.len());
        let to = head.len().min(from + extent.bytes);
        let whole = whole && to == head.len();
        let mut sample = Self {
            head,
            dialect,
            rows: Vec::new(),
            kinds: Vec::new(),
            cut_bytes: 0,
            unclosed: false,
            to_the_end: false,
        };
        let mut reader = RecordReader::new(&head[from..to], dialect, limits(), at);
        let mut next = at;
        while sample.rows.len() < extent.rows && sample.kinds.len() < extent.cells {
            let Some(record) = reader.read() else {
                sample.to_the_end = whole;
                break;
            };
            let end = record.end() as usize;
            let ending = ending(&record, head);
            // A row that ends with the extent may go on behind it.
            if end == to && !whole && ending != Ending::Lf && ending != Ending::CrLf {
                sample.cut_bytes = end - next.offset as usize;
                break;
            }
            sample.unclosed = record.fault().is_some();
            sample.take(&record, next, ending);
            next = reader.position();
            if let Some(row) = sample.rows.last_mut() {
                row.next_line = next.line;
            }
        }
        sample
    }

    fn take(&mut self, record: &Record<'_>, at: Position, line_end: Ending) {
        let kinds = self.kinds.len();
        let role = role(record.raw());
        let mut row = Row {
            at,
            end: record.end() as usize,
            next_line: at.line,
            width: 0,
            filled: 0,
            role,
            skippable: record.is_skippable(),
            line_end,
            kinds,
        };
        if !row.skippable {
            row.width = record.len();
            let raw = record.raw();
            let mut flags = Vec::new();
            if self
                .dialect
                .quote
                .is_some_and(|quote| memchr::memchr(quote, raw).is_some())
            {
                flags = quoted_fields(raw, self.dialect);
            }
            for (index, cell) in record.cells().enumerate() {
                let quoted = flags.get(index).copied().unwrap_or(false);
                let mut kind = kind(cell, quoted);
                if !quoted && memchr::memchr(b'\r', cell).is_some() {
                    kind = Kind::Odd;
                }
                row.filled += usize::from(kind != Kind::Empty);
                self.kinds.push(kind);
            }
        }
        self.rows.push(row);
    }

    /// Whether there is a row that may belong to a table.
    pub(crate) fn has_cells(&self) -> bool {
        let is_passed = |row: &Row| row.width == 0 || row.role.is_empty();
        !self.rows.iter().all(is_passed)
    }

    /// Takes the width of rows without a value: drawn lines, and those of spaces and tabs.
    pub(crate) fn pass_over_empty(&mut self) {
        for row in &mut self.rows {
            if row.role.is_empty() {
                row.width = 0;
            }
        }
    }

    /// Takes the width of comments, those that begin with `mark`.
    pub(crate) fn pass_over_comments(&mut self, mark: u8) {
        for row in &mut self.rows {
            let first = self.head.get(row.at.offset as usize);
            if row.role == Role::Note(mark) || first == Some(&mark) {
                row.width = 0;
            }
        }
    }

    /// Whether the first byte of a row is that one: what makes it a comment.
    pub(crate) fn begins_with(&self, row: &Row, byte: u8) -> bool {
        self.raw(row).first() == Some(&byte)
    }

    /// What a row's cells look like.
    pub(crate) fn kinds(&self, row: &Row) -> &[Kind] {
        &self.kinds[row.kinds..row.kinds + row.width]
    }

    /// The bytes of a row's cells, read again.
    pub(crate) fn cells(&self, row: &Row) -> Vec<Vec<u8>> {
        let from = row.at.offset as usize;
        let mut dialect = self.dialect;
        // What was taken for a row is read as one.
        dialect.comment = None;
        let mut reader = RecordReader::new(&self.head[from..row.end], dialect, limits(), row.at);
        reader.read().map_or_else(Vec::new, |record| {
            record.cells().map(|cell| trimmed(cell).to_vec()).collect()
        })
    }

    /// The bytes of a row as they stand, with its line end.
    pub(crate) fn raw(&self, row: &Row) -> &'h [u8] {
        &self.head[row.at.offset as usize..row.end]
    }

    /// How the rows end.
    pub(crate) fn line_ends(&self) -> LineEnds {
        let mut ends = LineEnds::default();
        for row in &self.rows {
            match row.line_end {
                Ending::None => {}
                Ending::Lf => ends.lf += 1,
                Ending::CrLf => ends.crlf += 1,
                Ending::Cr => ends.cr += 1,
            }
        }
        ends
    }
}

/// Cells enough for any table; rows as long as the head.
fn limits() -> Limits {
    Limits {
        record_bytes_max: Limits::RECORD_BYTES_CAP,
        ..Limits::default()
    }
}

fn ending(record: &Record<'_>, head: &[u8]) -> Ending {
    let (start, end) = (record.start() as usize, record.end() as usize);
    let behind = head
        .get(start + record.raw().len()..end)
        .unwrap_or_default();
    match behind {
        [.., b'\r', b'\n'] => Ending::CrLf,
        [.., b'\n'] => Ending::Lf,
        [.., b'\r'] => Ending::Cr,
        _ => Ending::None,
    }
}

fn role(raw: &[u8]) -> Role {
    let text = trimmed(raw);
    let Some(&first) = text.first() else {
        return Role::Blank;
    };
    let second = text.get(1).copied();
    if matches!(
        (first, second),
        (b'#' | b'%' | b'!', Some(_)) | (b'/', Some(b'/'))
    ) {
        return Role::Note(first);
    }
    let is_line = |byte: &u8| matches!(byte, b'-' | b'=' | b'+' | b'_' | b'*' | b' ');
    if text.len() >= 3
        && matches!(first, b'-' | b'=' | b'+' | b'_' | b'*')
        && text.iter().all(is_line)
    {
        // `-` alone stands for nothing in a cell, three of a kind in a row are drawn.
        let drawn = text
            .windows(3)
            .any(|w| w[0] == w[1] && w[1] == w[2] && w[0] != b' ');
        if drawn {
            return Role::Ruler(first);
        }
    }
    Role::Cells
}

/// Where the line behind `lines` lines begins.
pub(crate) fn after_lines(head: &[u8], at: Position, lines: u32, line_end: LineEnd) -> Position {
    let mut at = at;
    for _ in 0..lines {
        let rest = &head[(at.offset as usize).min(head.len())..];
        let end = match line_end {
            LineEnd::Lf => memchr::memchr(b'\n', rest),
            LineEnd::Any => memchr::memchr2(b'\n', b'\r', rest),
        };
        let Some(end) = end else {
            at.offset = head.len() as u64;
            break;
        };
        let pair = rest[end] == b'\r' && rest.get(end + 1) == Some(&b'\n');
        at.offset += end as u64 + 1 + u64::from(pair);
        at.line += 1;
    }
    at
}
