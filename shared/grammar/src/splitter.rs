//! Cuts a file into batches: byte ranges that tile it, each beginning at a record's first byte.
//!
//! Batches are a function of the file and the limits alone, so that a preparer which was stopped
//! and begins again at a batch's start cuts the rest the same way. It must not know where batches
//! are written, who works on them, or what is in a record.

use serde::{Deserialize, Serialize};

use crate::{BoundaryFinder, Dialect, Limits, Position, RecordSpan};

/// How large a batch may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchLimits {
    /// Most records of one batch, blank ones and comments included; 0 counts as 1.
    pub records_max: u32,
    /// Most bytes of one batch of more than one record.
    pub bytes_max: u64,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            records_max: 5000,
            bytes_max: 8 << 20,
        }
    }
}

/// One batch: the part of the file that one worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BatchRange {
    /// Batches of the file before it.
    pub index: u64,
    /// Offset of its first byte in the file.
    pub start: u64,
    /// Offset just past its last byte, line end included.
    pub end: u64,
    /// Index of its first record in the file.
    pub first_record: u64,
    /// Records it holds, blank ones and comments included; at least 1.
    pub records: u64,
    /// Physical line of its first byte, counted from 1.
    pub first_line: u64,
    /// Whether it is one record longer than the limit, which no worker is to load.
    pub oversize: bool,
    /// How many of its records, the last ones, are no part of the table: footers, with the blank
    /// ones and comments among them. The splitter knows of none.
    #[serde(default)]
    pub footer: u64,
}

impl BatchRange {
    /// Where it begins: what a [`RecordReader`](crate::RecordReader) of its bytes is given.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position {
            offset: self.start,
            record: self.first_record,
            line: self.first_line,
        }
    }

    /// The index of the first record that is a footer, or of the one after the last.
    #[must_use]
    pub const fn footer_start(&self) -> u64 {
        self.first_record + self.records - self.footer
    }
}

/// Why a file cannot be cut any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A record goes on and on.
    #[error(
        "the record that begins at line {line} (byte {offset}) is {bytes} bytes long and has not \
         ended within the limit; a quote opened there is probably never closed"
    )]
    RecordUnbounded {
        /// Physical line of its first byte, counted from 1.
        line: u64,
        /// Offset of its first byte in the file.
        offset: u64,
        /// Its length in bytes when it was given up; more than the limit.
        bytes: u64,
    },
}

/// The batch being filled: where it begins, and what it holds.
#[derive(Debug, Clone, Copy)]
struct Open {
    index: u64,
    at: Position,
    bytes: u64,
    records: u64,
    lines: u64,
}

/// Cuts a file that arrives in pieces of any size into batches.
#[derive(Debug, Clone)]
pub struct Splitter {
    finder: BoundaryFinder,
    cutter: Cutter,
}

/// The half of the splitter that is told of records, apart from the half that finds them.
#[derive(Debug, Clone)]
struct Cutter {
    record_max: u64,
    scan_max: u64,
    records_max: u64,
    bytes_max: u64,
    open: Open,
    failed: Option<SplitError>,
}

impl Splitter {
    /// A splitter whose first byte to come is the one at `at`, and whose first batch gets
    /// `first_batch_index`. `at` is a file's first record, or an earlier splitter's
    /// [`position`](Self::position).
    #[must_use]
    pub fn new(
        dialect: Dialect,
        limits: Limits,
        batch: BatchLimits,
        at: Position,
        first_batch_index: u64,
    ) -> Self {
        Self {
            finder: BoundaryFinder::new(dialect, at),
            cutter: Cutter {
                record_max: limits.record_bytes_limit(),
                scan_max: limits.record_scan_bytes_max,
                records_max: u64::from(batch.records_max.max(1)),
                bytes_max: batch.bytes_max,
                open: Open {
                    index: first_batch_index,
                    at,
                    bytes: 0,
                    records: 0,
                    lines: 0,
                },
                failed: None,
            },
        }
    }

    /// Takes the next bytes, and appends each batch that is now complete.
    ///
    /// # Errors
    ///
    /// [`SplitError::RecordUnbounded`] once a record is longer than
    /// [`Limits::record_scan_bytes_max`], and again on every later call. Batches before that record
    /// that are complete have been appended.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<BatchRange>) -> Result<(), SplitError> {
        self.cutter.outcome()?;
        let cutter = &mut self.cutter;
        self.finder.push(bytes, |span| cutter.add(&span, out));
        let open = self.finder.open_bytes();
        if cutter.failed.is_none() && open > cutter.scan_max {
            let at = self.finder.position();
            cutter.fail(at.line, at.offset, open);
        }
        cutter.outcome()
    }

    /// Says that no byte follows, and appends the last batch.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn finish(&mut self, out: &mut Vec<BatchRange>) -> Result<(), SplitError> {
        self.cutter.outcome()?;
        let cutter = &mut self.cutter;
        self.finder.finish(|span| cutter.add(&span, out));
        cutter.outcome()?;
        cutter.cut(false, out);
        Ok(())
    }

    /// Where the next batch begins: just past the last one appended. A new splitter that is given
    /// this, [`next_index`](Self::next_index) and the bytes from here on appends the same batches
    /// as this one will.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.cutter.open.at
    }

    /// The index of the next batch.
    #[must_use]
    pub const fn next_index(&self) -> u64 {
        self.cutter.open.index
    }
}

impl Cutter {
    fn outcome(&self) -> Result<(), SplitError> {
        self.failed.map_or(Ok(()), Err)
    }

    #[cold]
    fn fail(&mut self, line: u64, offset: u64, bytes: u64) {
        self.failed = Some(SplitError::RecordUnbounded {
            line,
            offset,
            bytes,
        });
    }

    #[inline]
    fn add(&mut self, span: &RecordSpan, out: &mut Vec<BatchRange>) {
        let bytes = span.end - span.start;
        if bytes > self.record_max || bytes > self.scan_max {
            self.add_long(span, out);
            return;
        }
        if self.failed.is_some() {
            return;
        }
        if self.open.bytes + bytes > self.bytes_max {
            self.cut(false, out);
        }
        self.open.bytes += bytes;
        self.open.records += 1;
        self.open.lines += span.lines;
        // Full by bytes counts too: any further record would be too much, and a batch known to be
        // complete is best passed on at once.
        if self.open.records >= self.records_max || self.open.bytes >= self.bytes_max {
            self.cut(false, out);
        }
    }

    /// A record that no worker is to load: alone in its batch. One longer than the scan limit ends
    /// the splitting, even if its end has come with the same piece, so that the size of pieces
    /// makes no difference.
    #[cold]
    fn add_long(&mut self, span: &RecordSpan, out: &mut Vec<BatchRange>) {
        if self.failed.is_some() {
            return;
        }
        let bytes = span.end - span.start;
        if bytes > self.scan_max {
            self.fail(span.line, span.start, bytes);
            return;
        }
        self.cut(false, out);
        self.open.bytes = bytes;
        self.open.records = 1;
        self.open.lines = span.lines;
        self.cut(true, out);
    }

    /// Completes the batch being filled, if it holds anything.
    fn cut(&mut self, oversize: bool, out: &mut Vec<BatchRange>) {
        let open = self.open;
        if open.records == 0 {
            return;
        }
        let end = open.at.offset + open.bytes;
        out.push(BatchRange {
            index: open.index,
            start: open.at.offset,
            end,
            first_record: open.at.record,
            records: open.records,
            first_line: open.at.line,
            oversize,
            footer: 0,
        });
        self.open = Open {
            index: open.index + 1,
            at: Position {
                offset: end,
                record: open.at.record + open.records,
                line: open.at.line + open.lines,
            },
            bytes: 0,
            records: 0,
            lines: 0,
        };
    }
}
