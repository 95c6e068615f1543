//! What the tests of this crate share: a record by value, ways to read, and a slow model.
//!
//! The model is the specification in `lib.rs` said once more, a byte at a time and without any care
//! for speed, so that the fast code has something to agree with. It must not use the crate's own
//! finder or reader.

use batchfleet_grammar::{
    BatchLimits, BatchRange, BoundaryFinder, Dialect, Limits, Position, RecordFault, RecordReader,
    RecordSpan, SplitError, Splitter,
};

/// A record by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) index: u64,
    pub(crate) line: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) blank: bool,
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
        rows.push(Row {
            index: record.index(),
            line: record.line(),
            start: record.start(),
            end: record.end(),
            blank: record.is_blank(),
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
    let mut here = 0;
    let mut line = at.line;
    while here < input.len() {
        let start = here;
        let (cells, unclosed) = model_record(input, &mut here, dialect, line);
        let content = &input[start..here];
        let blank = unclosed.is_none() && matches!(content, b"\n" | b"\r\n" | b"\r");
        rows.push(Row {
            index: at.record + rows.len() as u64,
            line,
            start: at.offset + start as u64,
            end: at.offset + here as u64,
            blank,
            cells: if blank { Vec::new() } else { cells },
            fault: unclosed.map(|line| RecordFault::UnclosedQuote { line }),
        });
        line += newlines(content);
    }
    rows
}

/// One record's cells, and the line of the quote that is never closed, if one is.
fn model_record(
    input: &[u8],
    here: &mut usize,
    dialect: Dialect,
    line: u64,
) -> (Vec<Vec<u8>>, Option<u64>) {
    let start = *here;
    let mut cells = Vec::new();
    loop {
        let mut cell = Vec::new();
        if *here < input.len() && Some(input[*here]) == dialect.quote {
            let opened = line + newlines(&input[start..*here]);
            *here += 1;
            loop {
                let Some(&byte) = input.get(*here) else {
                    cells.push(cell);
                    return (cells, Some(opened));
                };
                *here += 1;
                if Some(byte) == dialect.quote {
                    if input.get(*here).copied() != dialect.quote {
                        break;
                    }
                    *here += 1;
                }
                cell.push(byte);
            }
        }
        let from = *here;
        while *here < input.len() && input[*here] != b'\n' && input[*here] != dialect.delimiter {
            *here += 1;
        }
        let delimiter = input.get(*here) == Some(&dialect.delimiter);
        let tail = &input[from..*here];
        cell.extend_from_slice(match tail {
            [data @ .., b'\r'] if !delimiter => data,
            data => data,
        });
        cells.push(cell);
        *here = (*here + 1).min(input.len());
        if !delimiter {
            return (cells, None);
        }
    }
}

/// How many `\n` are in `bytes`.
pub(crate) fn newlines(bytes: &[u8]) -> u64 {
    bytes.split(|&byte| byte == b'\n').count() as u64 - 1
}
