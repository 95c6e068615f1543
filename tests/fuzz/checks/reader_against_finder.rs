//! Splitter and reader agree on every input, in every dialect, whatever the pieces (promise I7), and
//! with the slow model of the grammar's own tests.
//!
//! An input is a line of settings in printable bytes, so that seeds can be read and written by hand,
//! and behind its `\n` the file: see [`Case::of`]. It must not know how finder and reader work.

use batchfleet_grammar::{
    BatchLimits, BatchRange, BoundaryFinder, Dialect, Limits, LineEnd, Position, RecordFault,
    RecordReader, RecordSpan, SplitError, Splitter,
};

#[path = "../../../shared/grammar/tests/support/mod.rs"]
#[expect(
    dead_code,
    reason = "of what those tests share, the model is needed here"
)]
mod support;

/// No file begins here, so that offsets, indexes and lines that start at 0 or 1 would show.
const AT: Position = Position {
    offset: 1_000,
    record: 70,
    line: 90,
};

struct Case<'a> {
    dialect: Dialect,
    limits: Limits,
    batch: BatchLimits,
    /// Bytes of each piece.
    piece: usize,
    file: &'a [u8],
}

impl<'a> Case<'a> {
    /// The first seven bytes are flags (1 quote, 2 escape, 4 comment, 8 any line end, 16 trim, 32
    /// low limits), delimiter, quote, escape, comment, the size of pieces and the size of batches;
    /// then comes one byte that means nothing.
    fn of(input: &'a [u8]) -> Option<Self> {
        let (&[flags, delimiter, quote, escape, comment, piece, batch, _], file) =
            input.split_first_chunk::<8>()?;
        let has = |flag: u8, byte: u8| (flags & flag != 0).then_some(byte);
        let mut dialect = Dialect::new(delimiter, has(1, quote));
        dialect.escape = has(2, escape);
        dialect.comment = has(4, comment);
        if flags & 8 != 0 {
            dialect.line_end = LineEnd::Any;
        }
        dialect.trim = flags & 16 != 0;
        // A delimiter that is part of a line end is refused, and means nothing.
        if matches!(delimiter, b'\r' | b'\n') {
            return None;
        }
        let mut limits = Limits::default();
        if flags & 32 != 0 {
            limits.record_bytes_max = u64::from(batch % 32);
            limits.columns_max = usize::from(batch % 4);
            limits.record_scan_bytes_max = 64;
        }
        let batch = BatchLimits {
            records_max: u32::from(batch % 8),
            bytes_max: u64::from(batch),
        };
        Some(Self {
            dialect,
            limits,
            batch,
            piece: usize::from(piece) + 1,
            file,
        })
    }

    /// The model knows neither limits nor dialects that are not valid.
    fn is_within_the_model(&self) -> bool {
        self.limits == Limits::default() && self.dialect.validate().is_ok()
    }

    fn spans(&self, piece: usize) -> Vec<RecordSpan> {
        let mut finder = BoundaryFinder::new(self.dialect, AT);
        let mut spans = Vec::new();
        for bytes in self.file.chunks(piece) {
            finder.push(bytes, |span| spans.push(span));
        }
        finder.finish(|span| spans.push(span));
        assert_eq!(finder.open_bytes(), 0);
        spans
    }

    fn batches(&self, piece: usize) -> (Vec<BatchRange>, Result<(), SplitError>) {
        let mut splitter = Splitter::new(self.dialect, self.limits, self.batch, AT, 3);
        let mut batches = Vec::new();
        for bytes in self.file.chunks(piece) {
            if let Err(error) = splitter.push(bytes, &mut batches) {
                return (batches, Err(error));
            }
        }
        let outcome = splitter.finish(&mut batches);
        (batches, outcome)
    }

    fn rows(&self, bytes: &[u8], at: Position) -> Vec<Row> {
        let mut reader = RecordReader::new(bytes, self.dialect, self.limits, at);
        let mut rows = Vec::new();
        while let Some(record) = reader.read() {
            assert!(bytes[(record.start() - at.offset) as usize..].starts_with(record.raw()));
            assert!(record.start() + record.raw().len() as u64 <= record.end());
            assert!(!record.is_skippable() || record.is_empty());
            complete_last(&mut rows, record.line());
            rows.push(Row {
                index: record.index(),
                span: RecordSpan {
                    start: record.start(),
                    end: record.end(),
                    line: record.line(),
                    lines: 0,
                    blank: record.is_blank(),
                    comment: record.is_comment(),
                },
                cells: record.cells().map(<[u8]>::to_vec).collect(),
                fault: record.fault(),
            });
        }
        assert_eq!(reader.position().offset, at.offset + bytes.len() as u64);
        complete_last(&mut rows, reader.position().line);
        rows
    }
}

/// A reader says where lines begin, not how many a record has: so the next record's line completes
/// the one before.
fn complete_last(rows: &mut [Row], line: u64) {
    if let Some(last) = rows.last_mut() {
        last.span.lines = line - last.span.line;
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    index: u64,
    span: RecordSpan,
    cells: Vec<Vec<u8>>,
    fault: Option<RecordFault>,
}

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let Some(case) = Case::of(input) else { return };
    let spans = case.spans(case.piece);
    assert_eq!(spans, case.spans(usize::MAX), "pieces make no difference");

    let mut end = AT.offset;
    for span in &spans {
        assert_eq!(span.start, end, "records tile the file");
        assert!(span.end > span.start);
        end = span.end;
    }
    assert_eq!(end, AT.offset + case.file.len() as u64);

    let rows = case.rows(case.file, AT);
    let read: Vec<RecordSpan> = rows.iter().map(|row| row.span).collect();
    assert_eq!(read, spans, "the reader sees what the finder sees");
    if case.is_within_the_model() {
        let model = support::model(case.file, case.dialect, AT);
        assert_eq!(rows.len(), model.len());
        for (row, model) in rows.iter().zip(model) {
            assert_eq!(
                (row.span.start, row.span.line, &row.cells, row.fault),
                (model.start, model.line, &model.cells, model.fault),
                "the specification says so"
            );
        }
    }

    let (batches, outcome) = case.batches(case.piece);
    let mut end = AT;
    let mut joined = Vec::new();
    for (range, index) in batches.iter().zip(3..) {
        assert_eq!(
            (range.index, range.position()),
            (index, end),
            "batches tile the file"
        );
        let bytes =
            &case.file[(range.start - AT.offset) as usize..(range.end - AT.offset) as usize];
        let rows = case.rows(bytes, range.position());
        assert_eq!(rows.len() as u64, range.records);
        let last = &rows[rows.len() - 1].span;
        end = Position {
            offset: range.end,
            record: range.first_record + range.records,
            line: last.line + last.lines,
        };
        joined.extend(rows);
    }
    match outcome {
        Ok(()) => assert_eq!(end.offset, AT.offset + case.file.len() as u64),
        Err(_) => assert!(spans.iter().any(|span| span.end - span.start > 64)),
    }
    assert_eq!(
        joined[..],
        rows[..joined.len()],
        "batches read apart are the file read whole"
    );

    let (again, outcome_again) = case.batches(case.file.len().max(1));
    assert_eq!(again, batches, "pieces make no difference to batches");
    assert_eq!(outcome_again.is_err(), outcome.is_err());
    resume(&case, &batches);
}

/// A splitter that begins where any batch does cuts the same batches from there on.
fn resume(case: &Case, batches: &[BatchRange]) {
    let Some((from, rest)) = batches
        .get(case.piece % batches.len().max(1)..)
        .and_then(<[BatchRange]>::split_first)
    else {
        return;
    };
    let mut splitter = Splitter::new(
        case.dialect,
        case.limits,
        case.batch,
        from.position(),
        from.index,
    );
    let mut found = Vec::new();
    let bytes = &case.file[(from.start - AT.offset) as usize..];
    if splitter.push(bytes, &mut found).is_ok() {
        let _ = splitter.finish(&mut found);
    }
    assert_eq!(found.first(), Some(from));
    assert_eq!(&found[1..], rest);
}
