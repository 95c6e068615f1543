//! Each rule of the grammar by example, numbered as in `lib.rs`, and each fault once found.
//!
//! These say what is meant; `properties.rs` says that it holds everywhere. Every example is read by
//! the reader, found by the finder in one piece and in pieces cut at every byte, and compared with
//! the slow model. It must not know how finder and reader work.

mod support;

use batchfleet_grammar::{
    BatchLimits, BoundaryFinder, Dialect, DialectError, Limits, LineEnd, Position, RecordFault,
    RecordReader, SplitError, Splitter, bom_len,
};
use support::{Row, find, model, read, split};

/// Reads `input` every way there is, and checks that all agree.
fn rows_of(input: &[u8], dialect: Dialect) -> Vec<Row> {
    let rows = read(input, dialect, Limits::default(), Position::START);
    assert_eq!(rows, model(input, dialect, Position::START), "the model");
    let whole = find([input], dialect, Position::START);
    for at in 0..=input.len() {
        let (a, b) = input.split_at(at);
        assert_eq!(find([a, b], dialect, Position::START), whole, "cut at {at}");
    }
    assert_eq!(find(input.chunks(1), dialect, Position::START), whole);
    let places: Vec<_> = rows
        .iter()
        .map(|row| (row.start, row.end, row.line, row.blank, row.comment))
        .collect();
    let found: Vec<_> = whole
        .iter()
        .map(|span| (span.start, span.end, span.line, span.blank, span.comment))
        .collect();
    assert_eq!(places, found, "the finder");
    rows
}

/// The cells of each record, as text; blank records have none.
fn cells(input: impl AsRef<[u8]>) -> Vec<Vec<String>> {
    cells_in(input, Dialect::default())
}

fn cells_in(input: impl AsRef<[u8]>, dialect: Dialect) -> Vec<Vec<String>> {
    rows_of(input.as_ref(), dialect)
        .into_iter()
        .map(|row| {
            assert_eq!(row.fault, None);
            row.cells
                .iter()
                .map(|cell| cell.escape_ascii().to_string())
                .collect()
        })
        .collect()
}

#[test]
fn rule_1_all_bytes_without_a_meaning_are_data() {
    assert_eq!(
        cells(b"a\0,\xff\xfe;'\t\x0b\n"),
        [["a\\x00", r"\xff\xfe;\'\t\x0b"]]
    );
    assert_eq!(cells("é,😀\n")[0].len(), 2);
}

#[test]
fn rule_1_delimiter_and_quote_are_the_dialects() {
    assert_eq!(
        cells_in("a;'b;c';\"d\n", Dialect::new(b';', Some(b'\''))),
        [["a", "b;c", "\\\"d"]]
    );
    assert_eq!(
        cells_in("a\tb,c\n", Dialect::new(b'\t', Some(b'"'))),
        [["a", "b,c"]]
    );
}

#[test]
fn rule_1_without_a_quote_quotes_are_data() {
    let dialect = Dialect::new(b',', None);
    assert_eq!(
        cells_in("\"a,b\"\n\"\n", dialect),
        [vec!["\\\"a", "b\\\""], vec!["\\\""]]
    );
}

#[test]
fn rule_2_a_quote_opens_only_as_a_fields_first_byte() {
    assert_eq!(cells("\"a,b\",\"c\nd\"\n"), [["a,b", "c\\nd"]]);
    assert_eq!(
        cells("a\"b,c \"d\n\"e\"\n"),
        [vec!["a\\\"b", "c \\\"d"], vec!["e"]]
    );
    assert_eq!(cells(" \"a\nb\"\n").len(), 2);
}

#[test]
fn rule_2_a_stray_quote_in_an_unquoted_field_hides_no_line_end() {
    assert_eq!(
        cells("5\" pipe,x\n6\" pipe,y\n"),
        [["5\\\" pipe", "x"], ["6\\\" pipe", "y"]]
    );
}

#[test]
fn rule_3_a_doubled_quote_is_one() {
    assert_eq!(
        cells("\"a\"\"b\",\"\"\"\",\"\"\n"),
        [["a\\\"b", "\\\"", ""]]
    );
    assert_eq!(cells("\"\"\"\"\"\"\n"), [["\\\"\\\""]]);
    assert_eq!(cells("\"a\"\"\n\"\"b\"\nc\n"), [["a\\\"\\n\\\"b"], ["c"]]);
}

#[test]
fn rule_3_line_ends_and_delimiters_in_quotes_are_data() {
    assert_eq!(
        cells("\"a\r\nb\r\",\",\"\r\nc"),
        [vec!["a\\r\\nb\\r", ","], vec!["c"]]
    );
}

#[test]
fn rule_4_what_follows_a_closing_quote_is_appended() {
    assert_eq!(cells("\"a\"b,\"c\" \n"), [["ab", "c "]]);
    assert_eq!(
        cells("\"a\"b\"c\",\"d\"\"e\"f\"\"g\n"),
        [["ab\\\"c\\\"", "d\\\"ef\\\"\\\"g"]]
    );
    assert_eq!(cells("\"a\"\rb\n"), [["a\\rb"]]);
    assert_eq!(cells("\"a\"x\r\n\"b\"\"\"x\r"), [["ax"], ["b\\\"x"]]);
}

#[test]
fn rule_5_cr_before_lf_belongs_to_the_line_end() {
    assert_eq!(cells("a,b\r\nc,d\r\n"), [["a", "b"], ["c", "d"]]);
    assert_eq!(cells("a,\r\n"), [["a", ""]]);
    assert_eq!(cells("\"a\"\r\n"), [["a"]]);
    assert_eq!(cells("a\r\r\n"), [["a\\r"]]);
}

#[test]
fn rule_5_a_lone_cr_is_data() {
    assert_eq!(cells("a\rb,\rc\r,d\n"), [["a\\rb", "\\rc\\r", "d"]]);
    assert_eq!(cells("\r\"a\n"), [["\\r\\\"a"]]);
}

#[test]
fn rule_5_cr_as_the_last_byte_belongs_to_the_line_end() {
    assert_eq!(cells("a,b\r"), [["a", "b"]]);
    assert_eq!(cells("a,\r"), [["a", ""]]);
    assert_eq!(cells("\"a\"\r"), [["a"]]);
    assert_eq!(cells("a\r\r"), [["a\\r"]]);
}

#[test]
fn rule_6_the_last_record_needs_no_line_end_and_a_line_end_begins_none() {
    assert_eq!(cells("a\nb"), cells("a\nb\n"));
    assert_eq!(cells("a\n\"b\""), cells("a\n\"b\"\r\n"));
    assert_eq!(cells("a,"), [["a", ""]]);
    assert!(cells("").is_empty());
}

#[test]
fn rule_6_an_unclosed_quote_is_a_fault_that_names_its_line() {
    let rows = rows_of(b"a\nb,\"c\nd\",\"e\"\"\nf,g\r\n", Dialect::default());
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].line, 2);
    assert_eq!(rows[1].cells, [&b"b"[..], b"c\nd", b"e\"\nf,g\r\n"]);
    assert_eq!(rows[1].fault, Some(RecordFault::UnclosedQuote { line: 3 }));
    assert_eq!(
        rows[1].fault.unwrap().to_string(),
        "the quote opened at line 3 is never closed"
    );
    let lone = rows_of(b"\"", Dialect::default());
    assert_eq!(lone[0].cells, [b""]);
    assert_eq!(lone[0].fault, Some(RecordFault::UnclosedQuote { line: 1 }));
}

#[test]
fn rule_7_blank_records_count_and_have_no_cells() {
    let rows = rows_of(b"\na\r\n\r\n\n\"\"\n\r", Dialect::default());
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.index, row.line, row.blank, row.cells.len()))
        .collect();
    assert_eq!(
        seen,
        [
            (0, 1, true, 0),
            (1, 2, false, 1),
            (2, 3, true, 0),
            (3, 4, true, 0),
            (4, 5, false, 1),
            (5, 6, true, 0)
        ]
    );
}

#[test]
fn rule_7_a_record_has_one_cell_more_than_delimiters() {
    assert_eq!(cells(","), [["", ""]]);
    assert_eq!(cells(",,\n"), [["", "", ""]]);
    assert_eq!(cells(" \n"), [[" "]]);
}

#[test]
fn rule_8_records_may_differ_in_length() {
    assert_eq!(
        cells("a\nb,c\nd,e,f\n"),
        [vec!["a"], vec!["b", "c"], vec!["d", "e", "f"]]
    );
}

#[test]
fn rule_9_lines_are_counted_by_lf_in_quotes_too() {
    let rows = rows_of(b"a\n\"b\n\n\",\"c\n\"\nd\n", Dialect::default());
    let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [1, 2, 6]);
    let spans = find(
        [&b"a\n\"b\n\n\",\"c\n\"\nd"[..]],
        Dialect::default(),
        Position::START,
    );
    let lines: Vec<_> = spans.iter().map(|span| span.lines).collect();
    assert_eq!(lines, [1, 4, 0]);
}

#[test]
fn rule_10_a_bom_is_measured_and_nothing_else() {
    assert_eq!(bom_len(b"\xef\xbb\xbfa,b"), 3);
    assert_eq!(bom_len(b"\xef\xbb\xbf"), 3);
    assert_eq!(bom_len(b"\xef\xbb"), 0);
    assert_eq!(bom_len(b"a\xef\xbb\xbf"), 0);
    assert_eq!(bom_len(b""), 0);
    assert_eq!(
        cells(b"\xef\xbb\xbf\"a\"\n"),
        [["\\xef\\xbb\\xbf\\\"a\\\""]]
    );
    assert_eq!(
        Position::after_bom(3),
        Position {
            offset: 3,
            record: 0,
            line: 1
        }
    );
}

fn escaping() -> Dialect {
    let mut dialect = Dialect::default();
    dialect.escape = Some(b'\\');
    dialect
}

fn commenting() -> Dialect {
    let mut dialect = Dialect::default();
    dialect.comment = Some(b'#');
    dialect
}

fn any_line_end() -> Dialect {
    let mut dialect = Dialect::default();
    dialect.line_end = LineEnd::Any;
    dialect
}

fn trimming() -> Dialect {
    let mut dialect = Dialect::default();
    dialect.trim = true;
    dialect
}

#[test]
fn rule_11_an_escape_makes_the_next_byte_data() {
    assert_eq!(
        cells_in("a\\,b,\\\"c\\\"\n\"d\\\"e,\",f\\\\\n", escaping()),
        [["a,b", "\\\"c\\\""], ["d\\\"e,", "f\\\\"]]
    );
    assert_eq!(
        cells_in("a\\\nb,c\n\"d\\\ne\",f\n", escaping()),
        [["a\\nb", "c"], ["d\\ne", "f"]]
    );
    assert_eq!(
        cells_in("\"a\"\\,b,\"c\\\\\",\"\\\\\"\n", escaping()),
        [["a,b", "c\\\\", "\\\\"]]
    );
    assert_eq!(cells("a\\,b\n"), [["a\\\\", "b"]], "none unless told");
}

#[test]
fn rule_11_an_escape_before_a_byte_without_a_meaning_is_data_too() {
    assert_eq!(
        cells_in("C:\\temp,\\N,\"C:\\new\",\\#\n", escaping()),
        [["C:\\\\temp", "\\\\N", "C:\\\\new", "\\\\#"]]
    );
    let mut dialect = escaping();
    dialect.comment = Some(b'#');
    dialect.trim = true;
    assert_eq!(cells_in("\\#a\\ , \\ b\\#\n", dialect), [["#a ", " b#"]]);
}

#[test]
fn rule_11_doubled_quotes_keep_their_meaning() {
    assert_eq!(
        cells_in("\"a\"\"b\\\"\"\"\",c\n", escaping()),
        [["a\\\"b\\\"\\\"", "c"]]
    );
}

#[test]
fn rule_11_an_escape_before_a_cr_lf_makes_both_data() {
    assert_eq!(
        cells_in("a\\\r\nb\r\nc\\\rd\n", escaping()),
        [["a\\r\\nb"], ["c\\rd"]]
    );
    assert_eq!(
        cells_in("\"a\\\r\nb\"\r\n", escaping()),
        [["a\\r\\nb"]],
        "inside quotes it is data anyway"
    );
}

#[test]
fn rule_11_an_escape_at_the_inputs_end_is_data() {
    assert_eq!(cells_in("a,b\\", escaping()), [["a", "b\\\\"]]);
    assert_eq!(cells_in("\\", escaping()), [["\\\\"]]);
    assert_eq!(cells_in("a\\\r", escaping()), [["a\\r"]]);
    let rows = rows_of(b"a,\"b\\", escaping());
    assert_eq!(rows[0].cells, [&b"a"[..], b"b\\"]);
    assert_eq!(rows[0].fault, Some(RecordFault::UnclosedQuote { line: 1 }));
    let rows = rows_of(b"a,\"b\\\"\n", escaping());
    assert_eq!(rows[0].fault, Some(RecordFault::UnclosedQuote { line: 1 }));
}

#[test]
fn rule_12_a_comment_is_a_record_without_cells() {
    let rows = rows_of(b"# \"a,\nb\r\n#\r\nc,#d\n\"#e\"\n#f", commenting());
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.index, row.line, row.comment, row.cells.len()))
        .collect();
    assert_eq!(
        seen,
        [
            (0, 1, true, 0),
            (1, 2, false, 1),
            (2, 3, true, 0),
            (3, 4, false, 2),
            (4, 5, false, 1),
            (5, 6, true, 0),
        ]
    );
    assert_eq!(rows[3].cells, [b"c", b"#d".as_slice()]);
    let mut reader = RecordReader::new(
        b"# a, \"b\r\n",
        commenting(),
        Limits::default(),
        Position::START,
    );
    let record = reader.read().unwrap();
    assert_eq!(record.raw(), b"# a, \"b");
    assert!(record.is_comment() && record.is_skippable() && !record.is_blank());
}

#[test]
fn rule_12_a_comment_begins_with_the_records_first_byte_and_knows_no_escape() {
    let mut dialect = commenting();
    dialect.trim = true;
    dialect.escape = Some(b'\\');
    let rows = rows_of(b" #a\n#b\\\nc\n\\#d\n", dialect);
    let seen: Vec<_> = rows.iter().map(|row| row.comment).collect();
    assert_eq!(seen, [false, true, false, false]);
    assert_eq!(rows[0].cells, [b"#a"]);
}

#[test]
fn rule_13_lf_cr_lf_and_cr_each_end_a_record() {
    assert_eq!(
        cells_in("a,b\rc\r\nd\n\"e\"\r\r\nf\n\rg\r", any_line_end()),
        [
            vec!["a", "b"],
            vec!["c"],
            vec!["d"],
            vec!["e"],
            vec![],
            vec!["f"],
            vec![],
            vec!["g"]
        ]
    );
}

#[test]
fn rule_13_each_line_end_is_one_line_in_quotes_too() {
    let rows = rows_of(b"\"a\r\nb\rc\nd\r\",\"\n\"\re\r\nf", any_line_end());
    let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [1, 7, 8]);
    assert_eq!(rows[0].cells, [&b"a\r\nb\rc\nd\r"[..], b"\n"]);
    let rows = rows_of(b"a\r\"b\r\n", any_line_end());
    assert_eq!(rows[1].fault, Some(RecordFault::UnclosedQuote { line: 2 }));
}

/// A `\r` is not known to end its record before the byte behind it has come, which is the next
/// record's unless it is a `\n`.
#[test]
fn rule_13_a_batch_never_ends_within_a_cr_lf() {
    let batch = BatchLimits {
        records_max: 1,
        ..BatchLimits::default()
    };
    let limits = Limits::default();
    let mut splitter = Splitter::new(any_line_end(), limits, batch, Position::START, 0);
    let mut batches = Vec::new();
    splitter.push(b"a\r", &mut batches).unwrap();
    assert_eq!((batches.len(), splitter.position().offset), (0, 0));
    splitter.push(b"\nb\r", &mut batches).unwrap();
    assert_eq!((batches.len(), splitter.position().offset), (1, 3));
    splitter.push(b"c", &mut batches).unwrap();
    assert_eq!((batches.len(), splitter.position().offset), (2, 5));
    splitter.finish(&mut batches).unwrap();
    let ends: Vec<_> = batches.iter().map(|b| (b.end, b.first_line)).collect();
    assert_eq!(ends, [(3, 1), (5, 2), (6, 3)]);
}

#[test]
fn rule_14_spaces_and_tabs_around_fields_are_no_part_of_them() {
    assert_eq!(
        cells_in(" a b\t, \"c \" ,\"d\"\r\n\t\"e\nf\"", trimming()),
        [vec!["a b", "c ", "d"], vec!["e\\nf"]]
    );
    assert_eq!(
        cells_in("a , \"b\" c \"d\" , \r\n", trimming()),
        [["a", "b c \\\"d\\\"", ""]]
    );
    assert_eq!(cells_in("a \r b\n", trimming()), [["a \\r b"]]);
    assert_eq!(cells(" a , \"b\"\n"), [[" a ", " \\\"b\\\""]]);
}

#[test]
fn rule_14_a_record_of_nothing_but_padding_is_blank() {
    let rows = rows_of(b" \t\r\n ,\n\"\" \n\t", trimming());
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.blank, row.cells.len()))
        .collect();
    assert_eq!(seen, [(true, 0), (false, 2), (false, 1), (true, 0)]);
}

#[test]
fn rule_14_a_delimiter_is_never_trimmed() {
    let mut dialect = trimming();
    dialect.delimiter = b'\t';
    assert_eq!(
        cells_in("a \t\t \"b\t\"\n\t\n", dialect),
        [vec!["a", "", "b\\t"], vec!["", ""]]
    );
}

/// Corners on and about the bounds of the 64-byte blocks that bytes are looked at in.
#[test]
fn rules_hold_at_every_distance_from_a_block_bound() {
    for corner in [
        "\"\"\"\",x\r\n\n",
        "\"a\n\"\"b\"c\r\n",
        ",\",\",\r\n",
        "\"\"\n\"\"",
        "\r\n\"\"\"\n",
    ] {
        for lead in 0..140 {
            for tail in ["", "\n", ",y\"z\n"] {
                let input = format!("{}\n{corner}{tail}", "x".repeat(lead));
                rows_of(input.as_bytes(), Dialect::default());
                rows_of(format!("\"{input}").as_bytes(), Dialect::default());
                if lead % 16 == 15 {
                    rows_of(input.as_bytes(), escaping());
                    rows_of(input.as_bytes(), any_line_end());
                }
            }
        }
    }
}

#[test]
fn a_record_too_long_has_no_cells_and_the_next_is_read() {
    let limits = Limits {
        record_bytes_max: 6,
        ..Limits::default()
    };
    let rows = read(
        b"abcde\nabc,ef\n\"\"\"\",\"b\"c\nx\n",
        Dialect::default(),
        limits,
        Position::START,
    );
    let faults: Vec<_> = rows
        .iter()
        .map(|row| (row.cells.len(), row.fault))
        .collect();
    let too_long = |bytes| Some(RecordFault::TooLong { bytes, limit: 6 });
    assert_eq!(
        faults,
        [(1, None), (0, too_long(7)), (0, too_long(10)), (1, None)]
    );
}

#[test]
fn too_many_columns_keep_the_first_and_the_next_record_is_read() {
    let limits = Limits {
        columns_max: 2,
        ..Limits::default()
    };
    let rows = read(
        b"a,b\na,b,\"c\n\"\"\",d\ne\n",
        Dialect::default(),
        limits,
        Position::START,
    );
    assert_eq!(rows[0].fault, None);
    assert_eq!(rows[1].cells, [b"a", b"b"]);
    assert_eq!(
        rows[1].fault,
        Some(RecordFault::TooManyColumns { limit: 2 })
    );
    assert_eq!(
        (rows[2].line, &rows[2].cells[..]),
        (4, &[b"e".to_vec()][..])
    );
}

#[test]
fn wide_records_are_read_whole() {
    let wide = vec!["x"; 4096].join(",");
    let rows = read(
        format!("a\n{wide}\n{wide},y\n").as_bytes(),
        Dialect::default(),
        Limits::default(),
        Position::START,
    );
    assert_eq!((rows[1].cells.len(), rows[1].fault), (4096, None));
    assert_eq!(
        rows[2].fault,
        Some(RecordFault::TooManyColumns { limit: 4096 })
    );
}

#[test]
fn no_limit_is_above_the_cap() {
    let limits = Limits {
        record_bytes_max: u64::MAX,
        ..Limits::default()
    };
    assert_eq!(limits.record_bytes_limit(), Limits::RECORD_BYTES_CAP);
}

#[test]
fn raw_is_the_record_without_its_line_end() {
    let mut reader = RecordReader::new(
        b"a,\"b\"\r\nc",
        Dialect::default(),
        Limits::default(),
        Position::START,
    );
    assert_eq!(reader.read().unwrap().raw(), b"a,\"b\"");
    assert_eq!(
        reader.position(),
        Position {
            offset: 7,
            record: 1,
            line: 2
        }
    );
    assert_eq!(reader.read().unwrap().raw(), b"c");
    assert!(reader.read().is_none());
}

#[test]
fn the_finder_says_what_is_open() {
    let mut finder = BoundaryFinder::new(Dialect::default(), Position::START);
    finder.push(b"a\n\"b\n", |_| ());
    assert_eq!(finder.open_bytes(), 3);
    assert_eq!(
        finder.position(),
        Position {
            offset: 2,
            record: 1,
            line: 2
        }
    );
}

#[test]
fn batches_end_by_records_by_bytes_and_about_an_oversize_record() {
    let limits = Limits {
        record_bytes_max: 9,
        ..Limits::default()
    };
    let batch = BatchLimits {
        records_max: 3,
        bytes_max: 6,
    };
    let input = b"a\nb\nc\nd\neeee\nffffff\nggggggggggg\nh\n\n";
    let (batches, outcome) = split(
        input,
        Dialect::default(),
        limits,
        batch,
        (Position::START, 0),
        4,
    );
    assert_eq!(outcome, Ok(()));
    let seen: Vec<_> = batches
        .iter()
        .map(|b| (b.start, b.end, b.records, b.first_line, b.oversize))
        .collect();
    assert_eq!(
        seen,
        [
            (0, 6, 3, 1, false),
            (6, 8, 1, 4, false),
            (8, 13, 1, 5, false),
            (13, 20, 1, 6, false),
            (20, 32, 1, 7, true),
            (32, 35, 2, 8, false),
        ]
    );
    let mut empty = Vec::new();
    Splitter::new(Dialect::default(), limits, batch, Position::START, 0)
        .finish(&mut empty)
        .unwrap();
    assert!(empty.is_empty());
}

#[test]
fn a_quote_never_closed_stops_the_splitter_with_its_line_and_keeps_stopping_it() {
    let limits = Limits {
        record_scan_bytes_max: 100,
        ..Limits::default()
    };
    let batch = BatchLimits {
        records_max: 1,
        ..BatchLimits::default()
    };
    let mut splitter = Splitter::new(Dialect::default(), limits, batch, Position::START, 0);
    let mut batches = Vec::new();
    splitter.push(b"a\nb\n\"c\n", &mut batches).unwrap();
    let error = splitter.push(&[b'\n'; 98], &mut batches).unwrap_err();
    assert_eq!(
        error,
        SplitError::RecordUnbounded {
            line: 3,
            offset: 4,
            bytes: 101
        }
    );
    assert_eq!(
        error.to_string(),
        "the record that begins at line 3 (byte 4) is 101 bytes long and has not ended within the \
         limit; a quote opened there is probably never closed"
    );
    assert_eq!(splitter.push(b"\"\nd\n", &mut batches), Err(error));
    assert_eq!(splitter.finish(&mut batches), Err(error));
    assert_eq!(batches.len(), 2);
    assert_eq!((splitter.position().offset, splitter.next_index()), (4, 2));
}

#[test]
fn dialects_in_which_a_byte_has_two_meanings_are_refused() {
    assert_eq!(Dialect::default().validate(), Ok(()));
    assert_eq!(Dialect::new(b'\t', None).validate(), Ok(()));
    let message = |delimiter, quote| {
        Dialect::new(delimiter, quote)
            .validate()
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message(b'"', Some(b'"')),
        "delimiter and quote are both '\"'; they must differ"
    );
    assert_eq!(message(b'\n', None), "the delimiter cannot be '\\n'");
    assert_eq!(message(b',', Some(0)), "the quote cannot be '\\0'");
    assert_eq!(
        message(0xe9, None),
        "the delimiter must be one ASCII character, not the byte 0xe9"
    );
    let message = |escape, comment, trim| {
        let mut dialect = Dialect::default();
        (dialect.escape, dialect.comment, dialect.trim) = (escape, comment, trim);
        dialect.validate().unwrap_err().to_string()
    };
    assert_eq!(
        message(Some(b'"'), None, false),
        "quote and escape are both '\"'; leave out the escape, since a doubled quote is one quote \
         without it"
    );
    assert_eq!(
        message(Some(b','), None, false),
        "delimiter and escape are both ','; they must differ"
    );
    assert_eq!(
        message(Some(b'#'), Some(b'#'), false),
        "escape and comment are both '#'; they must differ"
    );
    assert_eq!(
        message(None, Some(b'"'), false),
        "quote and comment are both '\"'; they must differ"
    );
    assert_eq!(
        message(None, Some(b' '), true),
        "the comment cannot be ' ' where spaces and tabs around fields are trimmed"
    );
    assert_eq!(
        message(Some(b'\n'), None, false),
        "the escape cannot be '\\n'"
    );
    assert!(matches!(
        Dialect::new(b',', Some(b'\r')).validate(),
        Err(DialectError::Reserved {
            name: "quote",
            byte: b'\r'
        })
    ));
}

/// The reader went past the input's end where a quote, at the same time a delimiter, was doubled.
#[test]
fn regression_an_invalid_dialect_does_not_panic() {
    let dialect = Dialect::new(2, Some(2));
    let rows = read(
        &[3, 2, 2, 2, 2, 2],
        dialect,
        Limits::default(),
        Position::START,
    );
    assert_eq!(rows[0].cells.len(), 6);
}

/// An invalid dialect is read as if the byte had the first of its meanings alone.
#[test]
fn an_escape_that_is_also_the_quote_is_none() {
    let mut dialect = Dialect::default();
    dialect.escape = Some(b'"');
    let rows = read(
        b"\"a\"\"b\",c\n",
        dialect,
        Limits::default(),
        Position::START,
    );
    assert_eq!(rows[0].cells, [&b"a\"b"[..], b"c"]);
}

#[test]
fn a_record_too_long_has_no_cells_in_a_rich_dialect_either() {
    let limits = Limits {
        record_bytes_max: 6,
        columns_max: 2,
        ..Limits::default()
    };
    let mut dialect = escaping();
    dialect.comment = Some(b'#');
    dialect.line_end = LineEnd::Any;
    dialect.trim = true;
    let input = b"a\\,,b\n\"a\\\"b\"\n#abcdef\ra,,,\r\n x\n";
    let rows = read(input, dialect, limits, Position::START);
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.cells.len(), row.comment, row.fault))
        .collect();
    let too_long = |bytes| Some(RecordFault::TooLong { bytes, limit: 6 });
    assert_eq!(
        seen,
        [
            (2, false, None),
            (0, false, too_long(7)),
            (0, true, too_long(8)),
            (2, false, Some(RecordFault::TooManyColumns { limit: 2 })),
            (1, false, None)
        ]
    );
}

#[test]
fn stored_dialects_keep_their_meaning_and_new_fields_are_left_out_while_unused() {
    assert_eq!(
        serde_json::to_string(&Dialect::default()).unwrap(),
        r#"{"delimiter":44,"quote":34}"#
    );
    let mut dialect = escaping();
    dialect.comment = Some(b'#');
    dialect.line_end = LineEnd::Any;
    dialect.trim = true;
    let text = serde_json::to_string(&dialect).unwrap();
    assert_eq!(
        text,
        r#"{"delimiter":44,"quote":34,"escape":92,"comment":35,"line_end":"any","trim":true}"#
    );
    assert_eq!(serde_json::from_str::<Dialect>(&text).unwrap(), dialect);
    assert_eq!(
        serde_json::from_str::<Dialect>(r#"{"delimiter":44,"quote":34}"#).unwrap(),
        Dialect::default()
    );
}
