//! Reports of a few records, and that rejects.csv reads back in every dialect.

use batchfleet_grammar::LineEnd;
use proptest::prelude::*;

use super::*;

const NAMES: [&str; 3] = ["a", "b", "c"];

fn form(dialect: Dialect, header: &[&str], sensitive: &[usize]) -> RejectForm {
    let layout = Layout {
        dialect,
        header: header.iter().map(|&name| name.to_owned()).collect(),
        data: Position::START,
        spool: None,
    };
    RejectForm::new(
        &layout,
        NAMES.into_iter(),
        sensitive.iter().copied().collect(),
    )
}

/// Reports every record of a text.
fn report(form: &RejectForm, text: &[u8], errors: &[RowError]) -> Reported {
    let limits = Limits::default();
    let at = Position {
        offset: 100,
        record: 10,
        line: 20,
    };
    let mut reader = RecordReader::new(text, form.dialect, limits, at);
    let mut writer = RejectWriter::new(form);
    while let Some(record) = reader.read() {
        if !record.is_skippable() {
            writer.record(&record, record.line(), errors);
        }
    }
    writer.finish()
}

fn mismatch(message: &str) -> RowError {
    RowError {
        field: Some(1),
        ..RowError::of_row(Code::TypeMismatch, message.to_owned())
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn an_added_cell_is_never_a_formula() {
    assert_eq!(defuse("=1+1".into()), "'=1+1");
    assert_eq!(defuse("age: fine".into()), "age: fine");
}

#[test]
fn a_row_with_an_error_in_every_column_fits_into_a_spreadsheets_cell_and_into_memory() {
    let error = mismatch(&"é".repeat(100));
    assert_eq!(
        sentences(&vec![error.clone(); 2]),
        format!("{0}; {0}", error.message)
    );
    let all = vec![error; 4096];
    let full = sentences(&all);
    assert!(full.len() <= 32_767, "{} bytes", full.len());
    let told = full.matches("éé; ").count();
    assert!(
        full.ends_with(&format!("; and {} more", 4096 - told)),
        "{told}"
    );
    let reported = report(&form(Dialect::default(), &NAMES, &[]), b"1,2,3\n", &all);
    assert!(reported.rejects_json.len() < 33_000);
    let object: serde_json::Value = serde_json::from_slice(&reported.rejects_json).unwrap();
    let told = object["errors"].as_array().unwrap().len();
    assert_eq!(object["more_errors"], 4096 - told);
}

#[test]
fn errors_are_told_with_their_suggestions_and_each_code_once() {
    let mut date = mismatch("b: \"2024-02-30\" is not a day of the calendar");
    date.suggestion = Some("2024-02-29".to_owned());
    let mut warning = RowError::of_row(Code::Length, "c: long".to_owned());
    warning.severity = Severity::Warning;
    let rule = RowError::of_row(Code::Rule, "end before start".to_owned());
    let errors = [date.clone(), rule, date, warning];
    let form = form(Dialect::default(), &NAMES, &[]);
    let reported = report(&form, b"1,2024-02-30,3\n", &errors);
    let day = "b: \"\"2024-02-30\"\" is not a day of the calendar; did you mean 2024-02-29?";
    assert_eq!(
        text(&reported.rejects),
        format!(
            "1,2024-02-30,3,10,20,\"{day}; end before start; {day}; warning: c: long\",TYPE_MISMATCH RULE\n"
        )
    );
    let object: serde_json::Value = serde_json::from_slice(&reported.rejects_json).unwrap();
    let day = serde_json::json!({
        "code": "TYPE_MISMATCH", "category": "VALIDATION", "field": "b",
        "message": "b: \"2024-02-30\" is not a day of the calendar", "suggestion": "2024-02-29",
    });
    let expected = serde_json::json!({
        "record": 10, "line": 20, "offset": 100,
        "errors": [
            day,
            {"code": "RULE", "category": "CUSTOM", "message": "end before start"},
            day,
            {"code": "LENGTH", "category": "VALIDATION", "message": "c: long", "severity": "warning"},
        ],
        "cells": {"a": "1", "b": "2024-02-30", "c": "3"},
    });
    assert_eq!(object, expected);
}

/// Short and long rows, names that are empty or stand twice, columns of an earlier rejects.csv, bytes
/// that are no text.
#[test]
fn objects_name_every_cell_once() {
    let header = ["x", "", "x", "_Line ", "x (column 3)"];
    let form = form(Dialect::default(), &header, &[]);
    let error = mismatch("no");
    let reported = report(
        &form,
        b"1,2,3,4,5,6,7\n8,\xE9\n",
        std::slice::from_ref(&error),
    );
    let objects: Vec<serde_json::Value> = text(&reported.rejects_json)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let long = serde_json::json!({"x": "1", "column 2": "2", "x (column 3)": "3", "x (column 3) (column 5)": "5"});
    assert_eq!(objects[0]["cells"], long);
    assert_eq!(objects[0]["extra"], serde_json::json!(["6", "7"]));
    let short = serde_json::json!({"x": "8", "column 2": "\u{fffd}"});
    assert_eq!(objects[1]["cells"], short);
    assert_eq!(objects[1]["extra"], serde_json::Value::Null);
    assert!(
        reported.rejects.windows(2).any(|two| two == b",\xE9"),
        "as it was: {:?}",
        reported.rejects
    );
}

#[test]
fn a_record_that_can_not_be_read_keeps_its_text() {
    let form = form(Dialect::default(), &NAMES, &[]);
    let error = RowError::of_row(Code::MalformedRow, "open".to_owned());
    let reported = report(&form, b"1,\"2,3\n4,5,6\n", std::slice::from_ref(&error));
    assert_eq!(
        text(&reported.rejects),
        "\"1,\"\"2,3\n4,5,6\n\",,,10,20,open,MALFORMED_ROW\n"
    );
    let object: serde_json::Value = serde_json::from_slice(&reported.rejects_json).unwrap();
    assert_eq!(object["raw"], "1,\"2,3\n4,5,6\n");
    assert_eq!(object["cells"], serde_json::Value::Null);
}

#[test]
fn kept_text_ends_with_a_whole_character() {
    for character in ["a", "é", "€", "🦀"] {
        let raw = character.repeat(RAW_BYTES_MAX);
        for skip in 0..character.len() {
            // Bytes before the first whole character shift where the cut falls.
            let shifted = format!("{}{raw}", "x".repeat(skip));
            let kept = kept_of(shifted.as_bytes());
            assert!(shifted.is_char_boundary(kept), "{character} {skip}");
            assert!((RAW_BYTES_MAX - 3..=RAW_BYTES_MAX).contains(&kept));
        }
    }
    assert_eq!(kept_of(&vec![0x80; RAW_BYTES_MAX + 1]), RAW_BYTES_MAX - 3);
    assert_eq!(kept_of(b"short"), 5);
}

/// In a row that has not as many cells as the header, a value may stand in another column than its own.
#[test]
fn sensitive_cells_are_hidden() {
    let form = form(Dialect::default(), &NAMES, &[1]);
    let error = mismatch("no");
    let rows = b"1,secret,3\n4,,6\nseven,secret\n1,2,secret,4\n5,\"secret\n";
    let reported = report(&form, rows, std::slice::from_ref(&error));
    for report in [&reported.rejects, &reported.rejects_json] {
        assert!(!text(report).contains("secret"), "{}", text(report));
    }
    let rows: Vec<&str> = text(&reported.rejects).lines().collect();
    assert_eq!(rows[0], "1,***,3,10,20,no,TYPE_MISMATCH");
    assert_eq!(rows[1], "4,,6,11,21,no,TYPE_MISMATCH", "nothing to hide");
    assert_eq!(rows[2], "***,***,,12,22,no,TYPE_MISMATCH");
    assert_eq!(rows[3], "***,***,***,***,13,23,no,TYPE_MISMATCH");
    assert_eq!(rows[4], "***,,,14,24,no,TYPE_MISMATCH");
}

/// What hides a value must never be imported in its place.
#[test]
fn a_hidden_value_is_found_in_an_uploaded_rejects_file() {
    let dialect = Dialect::default();
    let masked = |header: &[&str], row: &[u8]| {
        let form = form(dialect, header, &[1]);
        let mut reader = RecordReader::new(row, dialect, Limits::default(), Position::START);
        let record = reader.read().unwrap();
        form.masked_column(&record).map(str::to_owned)
    };
    let again = ["a", "b", "_record"];
    assert_eq!(masked(&again, b"1,***,3\n"), Some("b".to_owned()));
    assert_eq!(
        masked(&again, b"***,2,3\n"),
        None,
        "that column hides nothing"
    );
    assert_eq!(
        masked(&["a", "b", "c"], b"1,***,3\n"),
        None,
        "its own stars"
    );
}

#[test]
fn the_rows_of_earlier_releases_name_their_records() {
    let dialect = Dialect::default();
    let part = b"7,8,3,9,b: no\n7,8,4,10,no,TYPE_MISMATCH\n7,8,5,11,no,RULE LENGTH\n1,2,6,12,no,\n";
    let found = records(part, dialect, Limits::default()).unwrap();
    assert_eq!(found, BTreeSet::from([3, 4, 5, 6]));
    assert!(records(b"x\n", dialect, Limits::default()).is_err());
}

/// Found by the property below: trimming uncovers a comment byte, and a row that begins with it would be
/// a comment.
#[test]
fn a_row_never_becomes_a_comment() {
    for (trim, delimiter, text, expected) in [
        (true, b',', &b"\t#,2,3\n"[..], &b" #,2,3,"[..]),
        (true, b' ', b"\t# 2 3\n", b"\t# 2 3 "),
        (true, b'\t', b" #\t2\t3\n", b" #\t2\t3\t"),
        (false, b',', b"x,#,2,3\n", b"'#,2,3,"),
    ] {
        let mut dialect = Dialect::new(delimiter, None);
        dialect.comment = Some(b'#');
        dialect.trim = trim;
        let dropped = ["_line", "a", "b", "c"];
        let header = if trim { &dropped[1..] } else { &dropped[..] };
        let reported = report(&form(dialect, header, &[]), text, &[mismatch("no")]);
        assert!(
            reported.rejects.starts_with(expected),
            "{:?}",
            reported.rejects
        );
        let named = records(&reported.rejects, dialect, Limits::default()).unwrap();
        assert_eq!(named, BTreeSet::from([10]), "{dialect:?}");
    }
}

/// Dialects of every kind, by the bytes that are given a meaning.
fn dialects() -> impl Strategy<Value = Dialect> {
    let one_of = |bytes: &[u8]| {
        let some = bytes.iter().map(|&byte| Some(byte));
        prop::sample::select([None].into_iter().chain(some).collect::<Vec<_>>())
    };
    let delimiter = prop::sample::select(b",;\t| ".to_vec());
    let line_end = prop::sample::select(vec![LineEnd::Lf, LineEnd::Any]);
    let bytes = (delimiter, one_of(b"\"'"), one_of(b"\\\""), one_of(b"#;"));
    (bytes, line_end, any::<bool>()).prop_map(
        |((delimiter, quote, escape, comment), line_end, trim)| {
            let mut dialect = Dialect::new(delimiter, quote);
            dialect.escape = escape;
            dialect.comment = comment;
            dialect.line_end = line_end;
            dialect.trim = trim;
            // No byte has two meanings.
            if dialect.validate().is_err() {
                dialect.escape = None;
            }
            if dialect.validate().is_err() {
                dialect.comment = None;
            }
            dialect
        },
    )
}

/// Bytes of which most mean something in some dialect.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(b",;\t| \"'\\#\n\n\rab\xC3\xA9".to_vec());
    prop::collection::vec(byte, 0..120)
}

type Row = Vec<Vec<u8>>;

fn rows(dialect: Dialect, text: &[u8]) -> Vec<(Row, Option<Vec<u8>>)> {
    let mut reader = RecordReader::new(text, dialect, Limits::default(), Position::START);
    let mut rows = Vec::new();
    while let Some(record) = reader.read() {
        if !record.is_skippable() {
            let raw = record.fault().map(|_| record.raw().to_vec());
            rows.push((record.cells().map(<[u8]>::to_vec).collect(), raw));
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(4_000)
    })]

    /// Whatever a dialect reads, the same dialect reads again out of the rejects: the same cells in the
    /// same columns, and in an added column which record it was. Where the dialect has quotes or an
    /// escape, so does it read the text of a record that could not be read, and our sentences.
    #[test]
    fn every_dialect_reads_its_rejects(dialect in dialects(), text in texts(), sentence in "\\PC{0,20}") {
        prop_assert_eq!(dialect.validate(), Ok(()));
        let holds_everything = dialect.quote.or(dialect.escape).is_some();
        let form = form(dialect, &NAMES, &[]);
        let errors = [mismatch(&sentence), RowError::of_row(Code::Rule, "b".to_owned())];
        let reported = report(&form, &text, &errors);
        let before = rows(dialect, &text);
        let after = rows(dialect, &reported.rejects);
        prop_assert_eq!(before.len(), after.len());
        for ((cells, raw), (again, fault)) in before.iter().zip(&after) {
            prop_assert_eq!(fault, &None);
            let mut kept = cells.clone();
            if let Some(raw) = raw {
                if holds_everything {
                    prop_assert_eq!(&again[0], raw);
                }
                kept = vec![again[0].clone()];
            }
            kept.resize(kept.len().max(NAMES.len()), Vec::new());
            prop_assert_eq!(again.len(), kept.len() + REJECT_COLUMNS.len());
            prop_assert_eq!(&again[..kept.len()], &kept[..]);
            let added = &again[kept.len()..];
            if holds_everything {
                prop_assert_eq!(String::from_utf8_lossy(&added[2]), sentences(&errors));
            }
        }
        let named = records(&reported.rejects, dialect, Limits::default()).unwrap();
        prop_assert_eq!(named.len(), before.len());
        let objects = reported.rejects_json.split(|byte| *byte == b'\n').filter(|it| !it.is_empty());
        for (object, index) in objects.zip(&named) {
            let object: serde_json::Value = serde_json::from_slice(object).unwrap();
            prop_assert_eq!(&object["record"], index);
        }
    }
}
