//! What the tests of this crate share: a record by value, ways to read, and a slow model.
//!
//! The model is the specification in `lib.rs` said once more, a byte at a time and without any care
//! for speed, so that the fast code has something to agree with. It must not use the crate's own
//! finder or reader.

use batchfleet_grammar::{
    BatchLimits, BatchRange, BoundaryFinder, Dialect, Limits, LineEnd, Position, RecordFault,
    RecordReader, RecordSpan, SplitError, Splitter,
};

/// A record by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) index: u64,
    pub(crate) line: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) blank: bool,
    pub(crate) comment: bool,
    pub(crate) cells: Vec<Vec<u8>>,
    pub(crate) fault: Option<RecordFault>,
}

/// All records that the reader finds.
pub(crate) fn read(input: &[u8], dialect: Dialect, limits: Limits, at: Position) -> Vec<Row> {
    let mut reader = RecordReader::new(input, dialect, limits, at);
    let mut rows = Vec::new();
    while let Some(record) = reader.read() {
        let cells: Vec<Vec<u8>> = record.cells().map(<[u8]>::to_vec).collect();
        assert_eq!(cells.len(), record.len());
        assert_eq!(cells.is_empty(), record.is_empty());
        assert_eq!(record.get(cells.len()), None);
        for (i, cell) in cells.iter().enumerate() {
            assert_eq!(record.get(i), Some(&cell[..]));
        }
        let start = (record.start() - at.offset) as usize;
        assert!(input[start..].starts_with(record.raw()));
        assert_eq!(
            record.is_skippable(),
            record.is_blank() || record.is_comment()
        );
        rows.push(Row {
            index: record.index(),
            line: record.line(),
            start: record.start(),
            end: record.end(),
            blank: record.is_blank(),
            comment: record.is_comment(),
            cells,
            fault: record.fault(),
        });
    }
    assert_eq!(reader.position().offset, at.offset + input.len() as u64);
    assert!(reader.read().is_none(), "the end stays the end");
    rows
}

/// All records that the finder finds when the input comes in `pieces`.
pub(crate) fn find<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    dialect: Dialect,
    at: Position,
) -> Vec<RecordSpan> {
    let mut finder = BoundaryFinder::new(dialect, at);
    let mut spans = Vec::new();
    for piece in pieces {
        finder.push(piece, |span| spans.push(span));
    }
    finder.finish(|span| spans.push(span));
    assert_eq!(finder.open_bytes(), 0);
    assert_eq!(finder.position().record, at.record + spans.len() as u64);
    spans
}

/// All batches that the splitter cuts when the input comes in pieces of `chunk` bytes.
pub(crate) fn split(
    input: &[u8],
    dialect: Dialect,
    limits: Limits,
    batch: BatchLimits,
    (at, index): (Position, u64),
    chunk: usize,
) -> (Vec<BatchRange>, Result<(), SplitError>) {
    let mut splitter = Splitter::new(dialect, limits, batch, at, index);
    let mut batches = Vec::new();
    for piece in input.chunks(chunk) {
        if let Err(error) = splitter.push(piece, &mut batches) {
            return (batches, Err(error));
        }
    }
    let outcome = splitter.finish(&mut batches);
    (batches, outcome)
}

/// What the specification says the records of `input` are, without limits.
pub(crate) fn model(input: &[u8], dialect: Dialect, at: Position) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut line = at.line;
    let mut start = 0;
    while start < input.len() {
        let mut model = Model {
            input,
            dialect,
            start,
            here: start,
            line,
        };
        let (cells, opened) = if model.at(dialect.comment) {
            while model.line_end() == 0 {
                model.here += 1;
            }
            (None, None)
        } else {
            model.record()
        };
        let comment = model.input[start..].first().copied() == dialect.comment;
        let end = (model.here + model.line_end().min(2)).min(input.len());
        rows.push(Row {
            index: at.record + rows.len() as u64,
            line,
            start: at.offset + start as u64,
            end: at.offset + end as u64,
            blank: cells.is_none() && !comment,
            comment,
            cells: cells.unwrap_or_default(),
            fault: opened.map(|line| RecordFault::UnclosedQuote { line }),
        });
        line += lines(&input[start..end], dialect);
        start = end;
    }
    rows
}

/// The model at one place of one record.
struct Model<'a> {
    input: &'a [u8],
    dialect: Dialect,
    start: usize,
    here: usize,
    /// Of the record's first byte.
    line: u64,
}

impl Model<'_> {
    fn byte(&self) -> Option<u8> {
        self.input.get(self.here).copied()
    }

    /// Whether the next byte is that one.
    fn at(&self, byte: Option<u8>) -> bool {
        byte.is_some() && self.byte() == byte
    }

    /// How long a line end here is outside quotes: 0 if there is none; the input's end is one too.
    fn line_end(&self) -> usize {
        match &self.input[self.here..] {
            [] => usize::MAX,
            [b'\n', ..] | [b'\r'] => 1,
            [b'\r', b'\n', ..] => 2,
            [b'\r', ..] if self.dialect.line_end == LineEnd::Any => 1,
            _ => 0,
        }
    }

    fn at_padding(&self) -> bool {
        self.dialect.trim
            && matches!(self.byte(), Some(b' ' | b'\t'))
            && !self.at(Some(self.dialect.delimiter))
    }

    /// Stands behind an escape: what the escape and the byte here are, or the escape alone.
    fn escaped(&mut self, escape: u8, quoted: bool) -> Vec<u8> {
        let Some(byte) = self.byte() else {
            return vec![escape];
        };
        let dialect = self.dialect;
        let meaning = [
            Some(dialect.delimiter),
            dialect.quote,
            dialect.escape,
            dialect.comment,
        ]
        .contains(&Some(byte))
            || matches!(byte, b'\r' | b'\n')
            || self.at_padding();
        self.here += 1;
        if byte == b'\r' && self.byte() == Some(b'\n') && !quoted {
            self.here += 1;
            b"\r\n".to_vec()
        } else if meaning {
            vec![byte]
        } else {
            vec![escape, byte]
        }
    }

    /// One record's cells, unless it is blank, and the line of the quote that is never closed, if
    /// one is. Stops before the line end.
    fn record(&mut self) -> (Option<Vec<Vec<u8>>>, Option<u64>) {
        let mut cells = Vec::new();
        loop {
            while self.at_padding() {
                self.here += 1;
            }
            if cells.is_empty() && self.line_end() > 0 {
                return (None, None);
            }
            // Bytes, and of each whether it may be trimmed.
            let mut cell: Vec<(u8, bool)> = Vec::new();
            if self.at(self.dialect.quote) {
                let before = &self.input[self.start..self.here];
                let opened = self.line + lines(before, self.dialect);
                self.here += 1;
                let closed = self.quoted(&mut cell);
                if !closed {
                    cells.push(bytes(cell));
                    return (Some(cells), Some(opened));
                }
            }
            while self.line_end() == 0 && !self.at(Some(self.dialect.delimiter)) {
                let byte = self.input[self.here];
                let padding = self.at_padding();
                self.here += 1;
                if Some(byte) == self.dialect.escape {
                    let data = self.escaped(byte, false);
                    cell.extend(data.into_iter().map(|byte| (byte, false)));
                } else {
                    cell.push((byte, padding));
                }
            }
            cells.push(bytes(cell));
            if self.line_end() > 0 {
                return (Some(cells), None);
            }
            self.here += 1;
        }
    }

    /// What is within quotes, up to behind the closing quote. Whether there is one.
    fn quoted(&mut self, cell: &mut Vec<(u8, bool)>) -> bool {
        while let Some(byte) = self.byte() {
            self.here += 1;
            if Some(byte) == self.dialect.escape {
                let data = self.escaped(byte, true);
                cell.extend(data.into_iter().map(|byte| (byte, false)));
                continue;
            }
            if Some(byte) == self.dialect.quote {
                if !self.at(self.dialect.quote) {
                    return true;
                }
                self.here += 1;
            }
            cell.push((byte, false));
        }
        false
    }
}

/// A cell's bytes without the padding at its end.
fn bytes(mut cell: Vec<(u8, bool)>) -> Vec<u8> {
    while cell.last().is_some_and(|&(_, padding)| padding) {
        cell.pop();
    }
    cell.into_iter().map(|(byte, _)| byte).collect()
}

/// How many lines end in `bytes`, which are a record's or its beginning.
pub(crate) fn lines(bytes: &[u8], dialect: Dialect) -> u64 {
    let ends = |i: usize| match bytes[i] {
        b'\n' => dialect.line_end == LineEnd::Lf || i == 0 || bytes[i - 1] != b'\r',
        b'\r' => dialect.line_end == LineEnd::Any,
        _ => false,
    };
    (0..bytes.len()).filter(|&i| ends(i)).count() as u64
}
