//! What holds for every input: the promises that splitter and readers build on.
//!
//! Inputs are short strings of the bytes the grammar cares about, so that its corners come up all
//! the time, with a run of plain bytes now and then, so that they come up anywhere within a block
//! of 64 bytes. It must not know how finder and reader work.

mod support;

use batchfleet_grammar::{BatchLimits, Dialect, Limits, LineEnd, Position, RecordFault, Splitter};
use proptest::prelude::*;
use support::{Row, find, lines, model, read, split};

const AT: Position = Position {
    offset: 1_000,
    record: 70,
    line: 90,
};

/// Failures are kept as named tests in `rules.rs`, not as seeds in a file.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => Just(b"\"".to_vec()),
        4 => Just(b",".to_vec()),
        3 => Just(b"\n".to_vec()),
        2 => Just(b"\r".to_vec()),
        2 => Just(b"\r\n".to_vec()),
        3 => Just(b"\\".to_vec()),
        2 => Just(b"#".to_vec()),
        2 => Just(b" ".to_vec()),
        1 => Just(b"\t".to_vec()),
        1 => Just(b"\n#".to_vec()),
        1 => Just(b"\\\r\n".to_vec()),
        1 => Just(b", \"".to_vec()),
        1 => Just(b",\"".to_vec()),
        1 => Just(b"\"\n".to_vec()),
        4 => prop::sample::select(vec![b'a', b'b', b';', 0, 0xff, 0xef])
            .prop_map(|byte| vec![byte]),
        1 => Just("é😀".as_bytes().to_vec()),
        1 => (1_usize..70).prop_map(|len| vec![b'x'; len]),
    ]
}

fn input() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

/// Plain dialects half of the time, and else any of those that are not.
fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![plain_dialect(), rich_dialect()]
}

fn plain_dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![
        6 => Just(Dialect::default()),
        1 => Just(Dialect::new(b',', None)),
        1 => Just(Dialect::new(b';', Some(b'a'))),
    ]
}

fn rich_dialect() -> impl Strategy<Value = Dialect> {
    (
        prop_oneof![
            6 => plain_dialect(),
            1 => Just(Dialect::new(b'\t', Some(b'"'))),
            1 => Just(Dialect::new(b' ', Some(b'"'))),
        ],
        prop_oneof![Just(None), Just(Some(b'\\'))],
        prop_oneof![2 => Just(None), 1 => Just(Some(b'#'))],
        prop::sample::select(vec![LineEnd::Lf, LineEnd::Any]),
        any::<bool>(),
    )
        .prop_map(|(mut dialect, escape, comment, line_end, trim)| {
            dialect.escape = escape;
            dialect.comment = comment;
            dialect.line_end = line_end;
            dialect.trim = trim;
            assert_eq!(dialect.validate(), Ok(()));
            dialect
        })
}

fn junk_mark() -> impl Strategy<Value = u8> {
    prop_oneof![0_u8..3, any::<u8>(), Just(b'\n'), Just(b' ')]
}

/// Limits that are met often.
fn limits() -> impl Strategy<Value = Limits> {
    (
        prop_oneof![3 => Just(1_u64 << 20), 1 => 1_u64..40],
        prop_oneof![3 => Just(4096_usize), 1 => 0_usize..5],
    )
        .prop_map(|(record_bytes_max, columns_max)| Limits {
            record_bytes_max,
            columns_max,
            ..Limits::default()
        })
}

fn batch() -> impl Strategy<Value = BatchLimits> {
    (0_u32..6, 0_u64..120).prop_map(|(records_max, bytes_max)| BatchLimits {
        records_max,
        bytes_max,
    })
}

/// What the limits make of a record that the model read without any.
fn limited(mut row: Row, limits: Limits) -> Row {
    let bytes = row.end - row.start;
    let limit = limits.columns_max;
    if row.cells.len() > limit {
        row.cells.truncate(limit);
        row.fault = row.fault.or(Some(RecordFault::TooManyColumns { limit }));
    }
    if bytes > limits.record_bytes_max {
        row.cells.clear();
        row.fault = Some(RecordFault::TooLong {
            bytes,
            limit: limits.record_bytes_max,
        });
    }
    row
}

/// The input cut at each of `cuts`, taken modulo its length; some pieces may be empty.
fn cut<'a>(input: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (input.len() + 1)).collect();
    cuts.push(0);
    cuts.push(input.len());
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &input[pair[0]..pair[1]])
        .collect()
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// However the input is cut into pieces, empty ones among them, the finder finds the same
    /// records.
    #[test]
    fn pieces_make_no_difference_to_the_finder(
        input in input(),
        dialect in dialect(),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let whole = find([&input[..]], dialect, AT);
        prop_assert_eq!(&find(cut(&input, &cuts), dialect, AT), &whole);
        prop_assert_eq!(&find(input.chunks(1), dialect, AT), &whole);
    }

    /// The records found tile the input: the first begins where it begins, each begins where the
    /// one before ends, the last ends where it ends, and none is empty. Their lines do the same.
    #[test]
    fn records_tile_the_input(input in input(), dialect in dialect()) {
        let (mut offset, mut line) = (AT.offset, AT.line);
        for span in find([&input[..]], dialect, AT) {
            prop_assert_eq!((span.start, span.line), (offset, line));
            prop_assert!(span.end > span.start);
            let bytes = &input[(span.start - AT.offset) as usize..(span.end - AT.offset) as usize];
            prop_assert_eq!(span.lines, lines(bytes, dialect));
            (offset, line) = (span.end, span.line + span.lines);
        }
        prop_assert_eq!(offset, AT.offset + input.len() as u64);
    }

    /// Whatever the bytes, finder and reader see the records that the specification, followed a
    /// byte at a time, says there are: places, lines, blanks, cells, and what is wrong with them.
    #[test]
    fn finder_and_reader_do_as_the_specification_says(
        input in input(),
        dialect in dialect(),
        limits in limits(),
    ) {
        let expected = model(&input, dialect, AT);
        let spans: Vec<_> = find([&input[..]], dialect, AT)
            .iter()
            .map(|span| (span.start, span.end, span.line, span.blank, span.comment))
            .collect();
        let places: Vec<_> = expected
            .iter()
            .map(|row| (row.start, row.end, row.line, row.blank, row.comment))
            .collect();
        prop_assert_eq!(spans, places);
        let expected: Vec<Row> = expected.into_iter().map(|row| limited(row, limits)).collect();
        prop_assert_eq!(read(&input, dialect, limits, AT), expected);
    }

    /// As above for bytes of no pattern at all, and for dialects that are not valid: nothing panics,
    /// and unless the delimiter is part of a line end, finder and reader still agree.
    #[test]
    fn finder_and_reader_agree_on_junk(
        input in prop::collection::vec(prop_oneof![any::<u8>(), 0_u8..3, Just(b'\n')], 0..300),
        delimiter in junk_mark(),
        quote in prop::option::of(junk_mark()),
        escape in prop::option::of(junk_mark()),
        comment in prop::option::of(junk_mark()),
        any_line_end in any::<bool>(),
        trim in any::<bool>(),
        plain in any::<bool>(),
        limits in limits(),
    ) {
        let mut dialect = Dialect::new(delimiter, quote);
        if !plain {
            (dialect.escape, dialect.comment, dialect.trim) = (escape, comment, trim);
            dialect.line_end = if any_line_end { LineEnd::Any } else { LineEnd::Lf };
        }
        let spans = find(input.chunks(7), dialect, AT);
        let rows = read(&input, dialect, limits, AT);
        if !matches!(delimiter, b'\r' | b'\n') {
            prop_assert_eq!(
                spans
                    .iter()
                    .map(|span| (span.start, span.end, span.line, span.blank, span.comment))
                    .collect::<Vec<_>>(),
                rows.iter()
                    .map(|row| (row.start, row.end, row.line, row.blank, row.comment))
                    .collect::<Vec<_>>()
            );
        }
    }

    /// For any limits and pieces: batches tile the input and are numbered in order, each says how
    /// many records it holds and keeps to the limits, and reading each by itself gives together
    /// just what reading all at once gives.
    #[test]
    fn batches_read_apart_are_the_file_read_whole(
        input in input(),
        dialect in dialect(),
        limits in limits(),
        batch in batch(),
        chunk in 1_usize..100,
    ) {
        let (batches, outcome) = split(&input, dialect, limits, batch, (AT, 5), chunk);
        prop_assert_eq!(outcome, Ok(()));
        let mut joined = Vec::new();
        let (mut end, mut index) = (AT.offset, 5);
        for range in &batches {
            prop_assert_eq!((range.start, range.index), (end, index));
            (end, index) = (range.end, index + 1);
            let bytes = &input[(range.start - AT.offset) as usize..(range.end - AT.offset) as usize];
            let rows = read(bytes, dialect, limits, range.position());
            prop_assert_eq!(rows.len() as u64, range.records);
            prop_assert!(range.records <= u64::from(batch.records_max.max(1)));
            prop_assert!(range.records == 1 || bytes.len() as u64 <= batch.bytes_max);
            prop_assert_eq!(range.oversize, bytes.len() as u64 > limits.record_bytes_max && rows.len() == 1);
            prop_assert_eq!(
                range.oversize,
                rows.iter().any(|row| matches!(row.fault, Some(RecordFault::TooLong { .. })))
            );
            joined.extend(rows);
        }
        prop_assert_eq!(end, AT.offset + input.len() as u64);
        prop_assert_eq!(joined, read(&input, dialect, limits, AT));
    }

    /// Batches are as full as the limits allow: no batch could have taken the next one's first
    /// record too.
    #[test]
    fn batches_are_full(
        input in input(),
        dialect in dialect(),
        batch in batch(),
        limits in limits(),
    ) {
        let (batches, _) = split(&input, dialect, limits, batch, (AT, 0), 64);
        let spans = find([&input[..]], dialect, AT);
        for pair in batches.windows(2) {
            let next = &spans[(pair[1].first_record - AT.record) as usize];
            let oversize = pair[0].oversize || pair[1].oversize;
            let full = pair[0].records >= u64::from(batch.records_max.max(1));
            prop_assert!(oversize || full || next.end - pair[0].start > batch.bytes_max);
        }
    }

    /// A splitter that is stopped after any number of bytes, and replaced by one that begins at its
    /// `position`, loses and repeats nothing: the batches before and after are those of one run,
    /// whatever the pieces.
    #[test]
    fn a_resumed_splitter_cuts_the_same_batches(
        input in input(),
        dialect in dialect(),
        limits in limits(),
        batch in batch(),
        stop in any::<usize>(),
        chunks in (1_usize..100, 1_usize..100),
    ) {
        let (whole, _) = split(&input, dialect, limits, batch, (AT, 0), chunks.0);
        let mut first = Splitter::new(dialect, limits, batch, AT, 0);
        let mut batches = Vec::new();
        for piece in input[..stop % (input.len() + 1)].chunks(chunks.1) {
            first.push(piece, &mut batches).unwrap();
        }
        let at = first.position();
        let skipped = (at.offset - AT.offset) as usize;
        let (rest, outcome) =
            split(&input[skipped..], dialect, limits, batch, (at, first.next_index()), chunks.1);
        prop_assert_eq!(outcome, Ok(()));
        batches.extend(rest);
        prop_assert_eq!(batches, whole);
    }

    /// A file with a record longer than the scan limit is refused wherever its pieces are cut, with
    /// the same batches before it and the same record named; any other file is not.
    #[test]
    fn unbounded_records_are_refused_whatever_the_pieces(
        input in input(),
        dialect in dialect(),
        record_scan_bytes_max in 0_u64..100,
        batch in batch(),
        chunks in (1_usize..100, 1_usize..100),
    ) {
        let limits = Limits { record_scan_bytes_max, ..Limits::default() };
        let run = |chunk| {
            let (batches, outcome) = split(&input, dialect, limits, batch, (AT, 0), chunk);
            let named = outcome.err().map(|error| {
                let batchfleet_grammar::SplitError::RecordUnbounded { line, offset, bytes } = error
                    else { panic!("another error") };
                assert!(bytes > record_scan_bytes_max);
                (line, offset)
            });
            (batches, named)
        };
        let (batches, named) = run(chunks.0);
        let long = find([&input[..]], dialect, AT)
            .into_iter()
            .find(|span| span.end - span.start > record_scan_bytes_max);
        prop_assert_eq!(named, long.map(|span| (span.line, span.start)));
        prop_assert_eq!(run(chunks.1), (batches, named));
    }
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// A file that the `csv` crate writes, whatever the values, with either line end and in each
    /// style of quoting, is read with the values that were written, which is how the `csv` crate
    /// reads it too.
    #[test]
    fn files_written_by_the_csv_crate_are_read_as_it_reads_them(
        rows in prop::collection::vec(prop::collection::vec(value(), 1..6), 0..8),
        style in prop::sample::select(vec![
            csv::QuoteStyle::Necessary,
            csv::QuoteStyle::Always,
            csv::QuoteStyle::NonNumeric,
        ]),
        crlf in any::<bool>(),
        unended in any::<bool>(),
    ) {
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .quote_style(style)
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let mut file = writer.into_inner().unwrap();
        if unended && file.ends_with(b"\n") {
            file.pop();
        }
        let cells: Vec<_> = read(&file, Dialect::default(), Limits::default(), AT)
            .into_iter()
            .map(|row| { assert_eq!(row.fault, None); row.cells })
            .collect();
        prop_assert_eq!(&cells, &rows);
        let theirs: Vec<Vec<Vec<u8>>> = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(&file[..])
            .into_byte_records()
            .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
            .collect();
        prop_assert_eq!(&cells, &theirs);
    }

    /// For any bytes that end no record by `\r` alone, which the `csv` crate does and this grammar
    /// does not, both read the same rows, blank ones aside.
    #[test]
    fn junk_without_lone_cr_is_read_as_the_csv_crate_reads_it(input in input()) {
        let mut input = input;
        input.retain(|&byte| byte != b'\r');
        let cells: Vec<_> = read(&input, Dialect::default(), Limits::default(), AT)
            .into_iter()
            .filter(|row| !row.blank)
            .map(|row| row.cells)
            .collect();
        let theirs: Vec<Vec<Vec<u8>>> = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(&input[..])
            .into_byte_records()
            .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
            .collect();
        // It also passes over a byte order mark, which this grammar leaves to others.
        if batchfleet_grammar::bom_len(&input) == 0 {
            prop_assert_eq!(&cells, &theirs);
        }
    }
    /// For any bytes with comments among them and line ends of all three kinds, the `csv` crate, told
    /// to read both, reads the same rows, blank ones and comments aside.
    #[test]
    fn comments_and_any_line_ends_are_read_as_the_csv_crate_reads_them(input in input()) {
        let mut dialect = Dialect::default();
        dialect.comment = Some(b'#');
        dialect.line_end = LineEnd::Any;
        // It ends comments by `\n` alone, and makes a row of one that the input's end ends.
        let mut input = input;
        input.push(b'\n');
        if input.contains(&b'#') {
            input.retain(|&byte| byte != b'\r');
        }
        let cells: Vec<_> = read(&input, dialect, Limits::default(), AT)
            .into_iter()
            .filter(|row| !row.blank && !row.comment)
            .map(|row| row.cells)
            .collect();
        let theirs: Vec<Vec<Vec<u8>>> = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .from_reader(&input[..])
            .into_byte_records()
            .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
            .collect();
        if batchfleet_grammar::bom_len(&input) == 0 {
            prop_assert_eq!(&cells, &theirs);
        }
    }
}
