//! A preview sees what the workers see.

use batchfleet_definition::Code;
use batchfleet_grammar::BatchRange;
use proptest::prelude::*;

use super::*;
use crate::opening;
use crate::process::Processing;
use crate::unique::NoSpills;
use crate::work::Scope;

const ALL: Extent = Extent {
    rows_max: None,
    unique_bytes: 1 << 20,
};

fn definition(text: &str) -> Definition {
    Definition::parse(text).unwrap()
}

/// What a preview makes of a file whose text comes in windows of this many bytes.
fn looked(definition: &Definition, file: &[u8], extent: Extent, window: usize) -> Looked {
    let layout = opening::layout(file, true, definition, 1 << 20).unwrap();
    let data = &file[layout.data.offset as usize..];
    let plan = JobPlan::bind(definition, layout).unwrap();
    let mut preview = Preview::new(definition, &plan, extent, &NoSpills);
    for window in data.chunks(window) {
        if !preview.push(window).unwrap() {
            return preview.looked();
        }
    }
    preview.finish().unwrap();
    preview.looked()
}

const DIALECT: &str = "dialect: { delimiter: ',', quote: '\"', header: true, preamble_rows: 0, \
                       line_end: lf, comment: none, escape: none, trim: false }\n";

const PEOPLE: &str = "fields:
- { name: email, type: email, required: true }
- { name: age, type: integer, max: 120, severity: warning }
- { name: code, pattern: '^[A-Z]{2}$' }
";

proptest! {
    /// Whatever is in a file, and however its text is cut into windows, the counts are those of the
    /// worker that has all of it in one batch.
    #[test]
    fn the_counts_are_those_of_a_worker(
        body in "([a-z@.\",\n]|ab@c\\.de,|[0-9]{1,3},|[A-Z]{2}\n|\n){0,80}",
        window in 1_usize..50,
    ) {
        let file = format!("email,age,code\n{body}");
        // Of a file like these nobody could tell how it is to be read.
        let definition = definition(&format!("{DIALECT}{PEOPLE}"));
        let layout = opening::layout(file.as_bytes(), true, &definition, 1 << 20).unwrap();
        let data = layout.data;
        let plan = JobPlan::bind(&definition, layout).unwrap();
        let range = BatchRange {
            index: 0,
            start: data.offset,
            end: file.len() as u64,
            first_record: 0,
            // More than the text can have: none of them is footer.
            records: 1_000,
            first_line: data.line,
            oversize: false,
            footer: 0,
        };
        let bytes = &file.as_bytes()[data.offset as usize..];
        let mut worker = Processing::new(&plan, bytes, &range, &Scope::All);
        while worker.step(1_000) {}
        let expected = worker.finish();
        let seen = looked(&definition, file.as_bytes(), ALL, window);
        prop_assert_eq!(&seen.counts, &expected.counts);
        prop_assert_eq!(&seen.codes, &expected.codes);
        prop_assert_eq!(seen.warned, expected.warned);
        prop_assert_eq!(&seen.warnings, &expected.warnings);
        let first: Vec<&[u8]> = expected.part.split(|b| *b == b'\n').take(3).collect();
        for (good, part) in seen.good.iter().zip(first) {
            prop_assert_eq!(good.json.as_bytes(), part);
        }
    }
}

#[test]
fn only_as_many_rows_are_looked_at_as_were_asked_for() {
    let definition = definition(PEOPLE);
    let file = b"email,age,code\n\na@b.de,1,AB\n\nx,2,AB\nc@d.de,3,AB\ny,4,AB\n";
    for window in [1, 7, 1_000] {
        let extent = Extent {
            rows_max: Some(3),
            ..ALL
        };
        let seen = looked(&definition, file, extent, window);
        assert_eq!((seen.counts.accepted, seen.counts.rejected), (2, 1));
    }
}

#[test]
fn the_first_of_each_kind_of_error_is_shown() {
    let definition = definition(PEOPLE);
    let mut file = String::from("email,age,code\n");
    for _ in 0..20 {
        file.push_str("bad,1,AB\n");
    }
    file.push_str("bad,1,x\n,1,AB\n");
    let seen = looked(&definition, file.as_bytes(), ALL, 100);
    let bad = String::from_utf8(seen.bad).unwrap();
    let lines: Vec<u64> = bad
        .lines()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap())
        .map(|row| row["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [2, 3, 4, 22, 23]);
    assert_eq!(
        seen.by_field[&(Some(0), Code::TypeMismatch, false)],
        21,
        "{:?}",
        seen.by_field
    );
}

#[test]
fn unique_values_are_compared_across_windows_and_bad_rows_count() {
    let definition = definition("fields: [{ name: id, unique: true }, { name: n, type: integer }]");
    let file = b"id,n\na,1\nb,x\nA,2\nb,3\nc,4\n";
    let seen = looked(&definition, file, ALL, 3);
    assert_eq!((seen.counts.accepted, seen.counts.rejected), (2, 3));
    assert_eq!(seen.codes[&Code::DuplicateValue], 2);
    assert!(
        String::from_utf8_lossy(&seen.bad).contains("in line 2 already"),
        "{}",
        String::from_utf8_lossy(&seen.bad)
    );
}

#[test]
fn what_is_sensitive_is_in_no_sample() {
    let definition = definition(
        "fields: [{ name: id, type: integer }, { name: pin, sensitive: true, pattern: '^4' }]",
    );
    let file = b"id,pin\n1,4711\nx,4712\n2,9999\n3,4713,4714\n5,\"4715";
    let seen = looked(&definition, file, ALL, 1_000);
    assert_eq!((seen.counts.accepted, seen.counts.rejected), (1, 4));
    let shown = format!(
        "{:?}{}",
        seen.good,
        String::from_utf8_lossy(&[seen.bad, seen.warned_rows].concat())
    );
    for secret in ["471", "999"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_record_too_long_to_be_read_is_one_bad_row_and_is_not_kept() {
    let definition = definition("fields: [{ name: id }, { name: text }]");
    let long = "x".repeat(9 << 20);
    let file = format!("id,text\n1,a\n2,\"{long}\"\n3,c\n4,d\n");
    for window in [64 << 10, 1 << 20, 20 << 20] {
        let seen = looked(&definition, file.as_bytes(), ALL, window);
        assert_eq!((seen.counts.accepted, seen.counts.rejected), (3, 1));
        assert_eq!(seen.codes[&Code::RecordTooLong], 1);
        assert!(seen.bad.len() < 100_000);
    }
    // Without an end.
    let file = format!("id,text\n1,a\n2,\"{long}");
    let seen = looked(&definition, file.as_bytes(), ALL, 1 << 20);
    assert_eq!((seen.counts.accepted, seen.counts.rejected), (1, 1));
}

#[test]
fn footers_are_no_rows_however_many_windows_they_come_in() {
    let definition = definition(
        "{ dialect: { footer_rows: 2 }, fields: [{ name: id, type: integer }, { name: n }] }",
    );
    let file = b"id,n\n1,a\n2,b\n3,c\n\nTotal,3\n\nSigned,me\n\n";
    for window in [1, 5, 1_000] {
        let seen = looked(&definition, file, ALL, window);
        assert_eq!((seen.counts.accepted, seen.counts.rejected), (3, 0));
        assert_eq!(seen.counts.records, 8);
    }
    // More than there are rows.
    let seen = looked(&definition, b"id,n\nTotal,3\n", ALL, 3);
    assert_eq!((seen.counts.accepted, seen.counts.rejected), (0, 0));
}
