//! What is refused and with which words, what a definition fixes, and where the data begins.

use batchfleet_definition::Reading;
use batchfleet_detect::{Found, NotATable, table};
use batchfleet_grammar::{LineEnd, Position};

fn found(text: &[u8], reading: &Reading, names: &[&str]) -> Found {
    match table(text, true, reading, names) {
        Ok(found) => found,
        Err(why) => panic!("{why:?}"),
    }
}

fn why(head: &[u8], whole: bool, reading: &Reading) -> NotATable {
    match table(head, whole, reading, &[]) {
        Ok(found) => panic!("{found:?}"),
        Err(why) => why,
    }
}

#[test]
fn what_is_no_table_is_refused_with_a_sentence() {
    let open = Reading::default();
    for (bytes, words) in [
        (&b""[..], "empty"),
        (b"\n\n", "blank"),
        (b"\xEF\xBB\xBF", "blank"),
        (b" \r\n", "blank"),
    ] {
        let NotATable::Empty(message) = why(bytes, true, &open) else {
            panic!("{bytes:?} is not empty");
        };
        assert!(message.contains(words), "{message}");
    }
    let long = vec![b'x'; 1 << 20];
    let quotes = format!("\"{}\"\n", "\"\"".repeat(180_000));
    for (bytes, whole, words) in [
        (&[0; 4096][..], true, "NUL"),
        (b"a,\x02\n", true, "control"),
        (b"a,\xE9t\xE9\n", true, "UTF-8"),
        (b"\xFF\xFEa\0", true, "UTF-16"),
        (b"\x1F\x8B\x08", true, "gzip"),
        (b"PK\x03\x04", true, "spreadsheet"),
        (b"\"a,b\n", true, "line 1"),
        (&long, false, "does not end"),
        (quotes.as_bytes(), true, "360004 bytes"),
    ] {
        let NotATable::Unreadable(message) = why(bytes, whole, &open) else {
            panic!("{words}: it is empty");
        };
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn the_data_begins_behind_the_header() {
    let open = Reading::default();
    let at = |text: &[u8]| {
        let data = found(text, &open, &[]).data;
        (data.offset, data.line)
    };
    assert_eq!(at(b"a,\"b\nc\"\n1,2\n"), (8, 3));
    assert_eq!(at(b"\xEF\xBB\xBFa,b\r\n1,2\r\n"), (8, 2));
    assert_eq!(at(b"a,b"), (3, 1));
    assert_eq!(at(b"\n\r\na,b\n1,2\n"), (7, 4));
    assert_eq!(at(b"sep=;\r\na;b\r\n1;2\r\n"), (12, 3));
    assert_eq!(at(b"Title\n\na;b\n1;2\n3;4\n"), (11, 4));
    assert_eq!(at(b"# note\na;b\n1;2\n3;4\n"), (11, 3));
    assert_eq!(at(b"a,b\r1,2\r3,4\r"), (4, 2));
    // Without a header the data begins with the first row, behind what stands above it.
    assert_eq!(found(b"1,2\n3,4\n", &open, &[]).data, Position::START);
    assert_eq!(at(b"\n1,2\n3,4\n"), (1, 2));
}

#[test]
fn what_the_definition_fixes_is_taken() {
    let text = b"a;b,c\n1;2,3\n4;5,6\n";
    let fixed = Reading {
        delimiter: Some(b','),
        ..Reading::default()
    };
    assert_eq!(found(text, &fixed, &[]).columns, ["a;b", "c"]);
    let fixed = Reading {
        header: Some(false),
        ..Reading::default()
    };
    let none = found(b"a,b\n1,2\n", &fixed, &[]);
    assert_eq!(
        (none.columns, none.data),
        (
            vec!["column_1".to_owned(), "column_2".to_owned()],
            Position::START
        )
    );
    let fixed = Reading {
        header: Some(false),
        columns: vec!["x".to_owned(), "y".to_owned()],
        ..Reading::default()
    };
    assert_eq!(found(b"1,2\n3,4\n", &fixed, &[]).columns, ["x", "y"]);
    let fixed = Reading {
        header: Some(true),
        ..Reading::default()
    };
    assert_eq!(found(b"1,2\n3,4\n", &fixed, &[]).columns, ["1", "2"]);
    // The rows above are as many as the definition says, whatever they look like.
    let fixed = Reading {
        preamble_rows: Some(1),
        ..Reading::default()
    };
    let one = found(b"id,name\nx,y\n1,Ann\n", &fixed, &[]);
    assert_eq!(
        (one.columns, one.preamble_rows),
        (vec!["x".to_owned(), "y".to_owned()], 1)
    );
    let fixed = Reading {
        preamble_rows: Some(0),
        ..Reading::default()
    };
    assert_eq!(
        found(b"Title\nid,name\n1,Ann\n2,Bob\n", &fixed, &[]).columns,
        ["Title"]
    );
    let fixed = Reading {
        quote: Some(None),
        ..Reading::default()
    };
    assert_eq!(
        found(b"\"a\",b\n1,2\n", &fixed, &[]).columns,
        ["\"a\"", "b"]
    );
    let fixed = Reading {
        line_end: Some(LineEnd::Lf),
        trim: Some(false),
        ..Reading::default()
    };
    assert_eq!(
        found(b"a, b\n1, 2\n3, 4\n", &fixed, &[]).columns,
        ["a", " b"]
    );
    // `sep=` is above the table whether the definition counts it or not.
    let fixed = Reading {
        preamble_rows: Some(1),
        ..Reading::default()
    };
    assert_eq!(found(b"sep=;\na;b\n1;2\n", &fixed, &[]).preamble_rows, 1);
}

#[test]
fn names_that_the_definition_knows_are_the_header() {
    let open = Reading::default();
    let text = b"alpha;beta\nrot;blau\ngelb;weiss\n";
    assert!(!found(text, &open, &[]).header);
    assert!(found(text, &open, &["Beta", "alpha"]).header);
    // Wherever they stand: what is above is no part of the table.
    let text = b"Liste;Mai\nx;y\nalpha;beta\nrot;blau\ngelb;weiss\n";
    let with_names = found(text, &open, &["alpha", "beta"]);
    assert_eq!(
        (with_names.preamble_rows, with_names.columns),
        (2, vec!["alpha".to_owned(), "beta".to_owned()])
    );
    // They decide between delimiters too.
    let text = b"first,last;b\nx,y;1\nz,w;2\n";
    assert_eq!(
        found(text, &open, &["first,last", "b"]).columns,
        ["first,last", "b"]
    );
}

#[test]
fn rows_that_look_like_totals_are_told_and_kept() {
    let text = b"id;name;qty\n1;Bolt;5\n2;Nut;7\nSumme;;12\n-- end --\n";
    let found = found(text, &Reading::default(), &[]);
    assert_eq!(found.footer_rows_guess, 2);
    assert!(
        found
            .evidence
            .iter()
            .any(|sentence| sentence.contains("last 2 rows")),
        "{:?}",
        found.evidence
    );
}

#[test]
fn a_row_that_may_be_data_is_never_above_the_table() {
    // Nearly empty rows and no header: passing them would lose them.
    let rows = b";B_22;x\n;;y\n2024-05-01;A-1;x\n2024-05-02;B_22;y\n2024-05-03;A-1;z\n";
    let found = found(rows, &Reading::default(), &[]);
    assert_eq!((found.preamble_rows, found.header), (0, false));
}

/// A quotation mark that is never closed, below cells that need theirs: without quotes the halves of a
/// cell would pass for rows, so its row is to be the reject.
#[test]
fn cells_in_good_quotes_are_not_torn_for_one_that_is_never_closed() {
    let text = "email,name,age\na@example.com,Ann,36\nbad,x,x\nb@example.com\nc@example.com,\"Cleo\nthe second\",1,,x\nd@example.com,\"Dan\n";
    let open = Reading::default();
    assert_eq!(found(text.as_bytes(), &open, &[]).dialect.quote, Some(b'"'));
    // Without any, a single one is what its cell begins with, and takes no other row with it.
    let text =
        "email,name,age\na@example.com,Ann,36\nb@example.com,\"open,1\nc@example.com,Cleo,2\n";
    assert_eq!(found(text.as_bytes(), &open, &[]).dialect.quote, None);
}

/// What a comment begins with may begin a cell too, further down than was looked. So a mark is only taken
/// from lines among the rows, and none from a line with as many cells as they have.
#[test]
fn no_row_is_taken_for_a_comment() {
    let open = Reading::default();
    let comment = |text: &[u8]| {
        let found = found(text, &open, &[]);
        (found.dialect.comment, found.preamble_rows)
    };
    // Above the table they are lines above it.
    assert_eq!(comment(b"# made by x\nid,tag\n1,a\n2,b\n"), (None, 1));
    assert_eq!(
        comment(b"// made by x\npath,size\n/usr,5\n/bin,6\nx,7\n"),
        (None, 1)
    );
    assert_eq!(
        comment(b"path,size\n// system\n/usr,5\n/bin,6\nx,7\n"),
        (None, 0)
    );
    // Among the rows they are comments, unless one of them has a row's cells.
    assert_eq!(
        comment(b"id,tag\n# first\n1,a\n# second\n2,b\n"),
        (Some(b'#'), 0)
    );
    assert_eq!(
        comment(b"tag,id\n# first\na,1\n#b,2\nc,3\nd,4\ne,5\nf,6\n"),
        (None, 0)
    );
    // Lines drawn between rows are none, where a row may begin with a minus.
    assert_eq!(comment(b"id,n\n-----\n1,5\n2,6\n3,7\n"), (None, 0));
    assert_eq!(
        comment(b"| id | n |\n-----\n| 1 | 5 |\n| 2 | 6 |\n"),
        (Some(b'-'), 0)
    );
    // A byte that has another meaning marks nothing.
    let quoted = Reading {
        quote: Some(Some(b'#')),
        ..Reading::default()
    };
    let text = b"id,tag\n1,#a,b#\n# first\n2,b\n3,c\n";
    assert_eq!(found(text, &quoted, &[]).dialect.comment, None);
}

/// Where the definition says that rows begin at once, the first record is one, whatever it looks like.
#[test]
fn where_no_line_is_above_the_rows_none_is_passed_over() {
    let first = |text: &[u8], comment| {
        let fixed = Reading {
            header: Some(false),
            preamble_rows: Some(0),
            comment,
            trim: Some(false),
            ..Reading::default()
        };
        let found = found(text, &fixed, &[]);
        assert_eq!(u64::from(found.preamble_rows), found.data.line - 1);
        found.data.offset
    };
    assert_eq!(first(b"# a\n1,2\n3,4\n", Some(None)), 0);
    assert_eq!(first(b" # a\n1,2\n3,4\n", Some(Some(b'#'))), 0);
    assert_eq!(first(b"-----\n1\n3\n", Some(None)), 0);
    assert_eq!(first(b"   \n1,2\n3,4\n", None), 0);
    assert_eq!(first(b"\t\t\n1\t2\t3\n4\t5\t6\n", None), 0);
    // What is no record in any dialect, or by the definition's own word, is passed over.
    assert_eq!(first(b"\n\r\n1,2\n3,4\n", None), 3);
    assert_eq!(first(b"# a\n1,2\n3,4\n", Some(Some(b'#'))), 4);
}

/// Evidence is shown and may be logged: it speaks of the header at most, never of a record.
#[test]
fn no_value_of_a_record_is_in_the_evidence() {
    let text =
        b"Secret title\n\nname;amount\nhidden-person;4711,42\nother-person;815,00\nTotal;9\n";
    let found = found(text, &Reading::default(), &[]);
    for word in ["hidden", "4711", "815", "other-person"] {
        assert!(
            !found
                .evidence
                .iter()
                .any(|sentence| sentence.contains(word)),
            "{:?}",
            found.evidence
        );
    }
}
