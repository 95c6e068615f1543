//! Definitions from files: every file of the corpora is accepted by what is inferred from it, typical
//! ones become what a person would write, and no table of any cells refutes its own definition.
//!
//! A file is read, inferred, read again under the definition, as an import would, and checked.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose files cannot be read fails"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use batchfleet_definition::Definition;
use proptest::prelude::*;

use proof::infer;

mod proof;

fn corpora() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = Vec::new();
    for folder in fs::read_dir(root).unwrap() {
        let folder = folder.unwrap().path();
        if folder.is_dir() {
            for file in fs::read_dir(folder).unwrap() {
                let file = file.unwrap().path();
                if file.extension().is_some_and(|ext| ext == "csv") {
                    files.push(file);
                }
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_file_is_accepted_by_what_is_inferred_from_it() {
    let files = corpora();
    let (mut tables, mut rows, mut accepted, mut unreadable, mut loosened) = (0, 0, 0, 0, 0);
    let mut kinds = std::collections::BTreeMap::<String, u32>::new();
    let (mut required, mut unique) = (0, 0);
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy();
        let bytes = fs::read(file).unwrap();
        let Ok(proven) = infer(&bytes, &name) else {
            continue;
        };
        if std::env::var_os("SHOW_DEFINITIONS").is_some() {
            println!("----- {}\n{}", file.display(), proven.text);
        }
        let outcome = &proven.outcome;
        assert_eq!(outcome.refused, 0, "{name}: {outcome:?}\n{}", proven.text);
        assert!(
            outcome.accepted + outcome.unreadable >= proven.rows,
            "{name}: {outcome:?} of {} rows",
            proven.rows
        );
        tables += 1;
        rows += proven.rows;
        accepted += outcome.accepted;
        unreadable += outcome.unreadable;
        loosened += proven.loosened;
        for field in Definition::parse(&proven.text).unwrap().fields() {
            *kinds.entry(field.kind.as_str().to_owned()).or_default() += 1;
            required += u32::from(field.required);
            unique += u32::from(field.unique.is_some());
        }
    }
    println!("files {}, tables {tables}", files.len());
    println!("rows {rows}, accepted {accepted}, unreadable {unreadable}, taken back {loosened}");
    println!("fields {kinds:?}, required {required}, unique {unique}");
    assert!(tables >= 250, "{tables} tables of {} files", files.len());
    assert!(accepted > 1_000, "{accepted} rows accepted");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A table of cells that are nearly numbers, dates, words and so on is accepted, to the last row
    /// that can be read, by the definition that is inferred from it.
    #[test]
    fn any_table_is_accepted_by_its_own_definition(
        rows in proptest::collection::vec(proptest::collection::vec(cell(), 1..6), 1..40),
        delimiter in prop_oneof![Just(','), Just(';'), Just('\t')],
    ) {
        let mut text = String::from("id");
        for column in 1..rows[0].len() {
            let _ = write!(text, "{delimiter}Name {column}");
        }
        text.push('\n');
        for row in &rows {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| {
                    if cell.contains([delimiter, '"', '\n', '\r']) {
                        format!("\"{}\"", cell.replace('"', "\"\""))
                    } else {
                        cell.clone()
                    }
                })
                .collect();
            text.push_str(&cells.join(&delimiter.to_string()));
            text.push('\n');
        }
        if let Ok(proven) = infer(text.as_bytes(), "table.csv") {
            prop_assert_eq!(proven.outcome.refused, 0, "{:?}\n{}\n{}", proven.outcome, proven.text, text);
            prop_assert_eq!(proven.loosened, 0, "{}\n{}", proven.text, text);
        }
    }

    /// Whatever the bytes are, there is a definition that can be parsed, or a reason why there is none.
    #[test]
    fn any_bytes_make_a_definition_or_none(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..400),
            "[a-c0-9,;\"'\n\r\t \\\\|#-]{0,300}".prop_map(String::into_bytes),
            "(\\PC{0,4}[,\n]){0,60}".prop_map(String::into_bytes),
        ],
    ) {
        if let Ok(proven) = infer(&bytes, "bytes.csv") {
            prop_assert_eq!(proven.outcome.refused, 0, "{:?}\n{}", proven.outcome, proven.text);
        }
    }
}

/// A header without a name is taken as a line above the table; behind it, a comment or a blank line is
/// no record, whether a reading begins above or below it.
#[test]
fn lines_that_are_no_records_may_stand_between_the_header_and_the_rows() {
    for file in [
        &b"'\n,\"\"\r#0\r0,\n0'',0\r, \""[..],
        b",\n# a comment\n1,2\n3,4\n",
        b",\n\n# a comment\n\n1,2\n3,4\n",
    ] {
        let proven = infer(file, "file.csv").unwrap();
        assert_eq!(proven.outcome.refused, 0, "{}", proven.text);
        assert_eq!(proven.rows, 2, "{}", proven.text);
    }
}

/// Cells of which a column may be made that looks like something.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[0-9]{1,4}",
        2 => "[-+]?[0-9]{1,3}([.,][0-9]{1,3}){0,2}",
        1 => "[0-9]{1,2}[./-][0-9]{1,2}[./-](20)?[0-9]{2}",
        1 => "20[0-9]{2}-[01][0-9]-[0-3][0-9]([ T][0-2][0-9]:[0-5][0-9])?",
        1 => Just(String::new()),
        1 => prop_oneof![Just("yes"), Just("no"), Just("TRUE"), Just("n/a"), Just("-"), Just("NULL"), Just("\\N")]
            .prop_map(str::to_owned),
        1 => "[a-z]{1,4}@[a-z]{2,4}\\.(com|de)",
        1 => "\\+49 ?[0-9]{6,9}",
        1 => "[ \u{a0}]{0,2}[a-zA-Z]{0,3}[ \u{b}\t]{0,2}",
        1 => "\\PC{0,5}",
    ]
}

/// A file, and what a person would write of its columns: `name type`, with what is said besides.
const TYPICAL: [(&str, &str, &[&str]); 15] = [
    (
        "contacts",
        "id,email,First Name,zip,phone,newsletter\n1,a@example.com,Ann,01067,+49 30 1234567,yes\n2,b@example.com,Bob,80331,+49 89 7654321,no\n3,c@example.com,Cid,10115,,yes\n4,d@example.com,Dan,20095,+49 40 1112223,no\n5,e@example.com,Eve,50667,,no\n",
        &[
            "id integer required unique",
            "email email required unique",
            "First Name string required",
            "zip string required",
            "phone phone",
            "newsletter boolean required",
        ],
    ),
    (
        "bank export",
        "Buchungstag;Verwendungszweck;Betrag\n31.01.2024;Miete;-850,00\n01.02.2024;Gehalt;2.500,00\n03.02.2024;Kaffee;-3,50\n",
        &[
            "Buchungstag date DD.MM.YYYY required",
            "Verwendungszweck string required",
            "Betrag decimal thousands=. digits=2 required",
        ],
    ),
    (
        "sensor",
        "timestamp,sensor,temp,ok\n2024-01-01T00:00:00Z,a1,20.5,true\n2024-01-01T00:01:00Z,a1,20,false\n2024-01-01T00:02:00Z,a2,NaN,true\n",
        &[
            "timestamp datetime required",
            "sensor string required",
            "temp number null=NaN",
            "ok boolean required",
        ],
    ),
    (
        "SAP list",
        "BELNR;BUDAT;DMBTR\n0100004711;31.01.2024;1.250,00-\n0100004712;01.02.2024;99,50\n0100004713;02.02.2024;5,00\n",
        &[
            "BELNR string required",
            "BUDAT date DD.MM.YYYY required",
            "DMBTR decimal thousands=. digits=2 required",
        ],
    ),
    (
        "orders",
        "order_id,ordered,qty,total\n1001,01/31/2024,1,\"1,299.00\"\n1002,02/01/2024,2,49.90\n1003,02/02/2024,3,5.00\n",
        &[
            "order_id integer required",
            "ordered date MM/DD/YYYY required",
            "qty integer required",
            "total decimal thousands=, digits=2 required",
        ],
    ),
    (
        "flags as digits",
        "id,is_active,level\n1,1,0\n2,0,1\n3,1,1\n",
        &[
            "id integer required",
            "is_active boolean required",
            "level integer required",
        ],
    ),
    (
        "articles",
        "ean,price\n4006381333931,1.5\n4006381333948,2.25\n4006381333955,3\n",
        &["ean string required", "price decimal required"],
    ),
    (
        "no values",
        "a,b\n1,n/a\n2,-\n3,7\n",
        &["a integer required", "b integer null=n/a,-"],
    ),
    (
        "unix times",
        "created_at,v\n1704067200,1\n1704067260,2\n1704067320,3\n",
        &["created_at datetime unix required", "v integer required"],
    ),
    (
        "compact days",
        "day,n\n20240131,1\n20240201,2\n20240202,3\n",
        &["day date YYYYMMDD required", "n integer required"],
    ),
    (
        "links",
        "uuid,url,extra\nf81d4fae-7dec-11d0-a765-00a0c91e6bf6,https://example.com/a,\"{\"\"a\"\": 1}\"\nf81d4fae-7dec-11d0-a765-00a0c91e6bf7,https://example.com/b,\"{\"\"a\"\": 2}\"\nf81d4fae-7dec-11d0-a765-00a0c91e6bf8,https://example.com/c,{}\n",
        &[
            "uuid uuid required",
            "url url required",
            "extra json required",
        ],
    ),
    (
        "card numbers",
        "card,n\n4111111111111111,1\n4111111111111112,2\n4111111111111113,3\n",
        &["card string required", "n integer required"],
    ),
    (
        "German words",
        "Name;bezahlt\nAnn;ja\nBob;nein\nCid;ja\n",
        &[
            "Name string required",
            "bezahlt boolean words=ja/nein required",
        ],
    ),
    (
        "Swiss amounts",
        "Konto;Saldo\nA-1;1'250.50\nA-2;99.00\nA-3;12'000.25\n",
        &[
            "Konto string required",
            "Saldo decimal thousands=' digits=2 required",
        ],
    ),
    (
        "an odd cell",
        "name,age\na,1\nb,2\nc,3\nd,4\ne,5\nf,6\ng,7\nh,8\ni,9\nj,old\n",
        &["name string required", "age string required"],
    ),
];

#[test]
fn typical_files_become_what_a_person_would_write() {
    for (name, file, expected) in TYPICAL {
        let proven = infer(file.as_bytes(), "file.csv").unwrap();
        assert_eq!(proven.outcome.refused, 0, "{name}");
        let definition = Definition::parse(&proven.text).unwrap();
        let found: Vec<String> = definition.fields().iter().map(described).collect();
        assert_eq!(found, expected, "{name}\n{}", proven.text);
    }
    let odd = infer(TYPICAL[14].1.as_bytes(), "odd.csv").unwrap().text;
    let odd = odd.replace("\n    # ", " ");
    assert!(odd.contains("an integer in 9 of 10 values"), "{odd}");
    assert!(
        odd.contains("in line 11: mend them and write type: integer"),
        "{odd}"
    );
}

fn described(field: &batchfleet_definition::Field) -> String {
    let mut out = format!("{} {}", field.name, field.kind.as_str());
    for format in &field.options.formats {
        let _ = write!(out, " {format}");
    }
    if let Some(mark) = field.options.thousands_separator {
        let _ = write!(out, " thousands={mark}");
    }
    if let Some(digits) = field.options.fraction_digits {
        let _ = write!(out, " digits={digits}");
    }
    if let (Some(yes), Some(no)) = (
        field.options.true_words.first(),
        field.options.false_words.first(),
    ) {
        let _ = write!(out, " words={yes}/{no}");
    }
    if !field.null_values.is_empty() {
        let _ = write!(out, " null={}", field.null_values.join(","));
    }
    for (is, word) in [
        (field.required, " required"),
        (field.unique.is_some(), " unique"),
    ] {
        if is {
            out.push_str(word);
        }
    }
    out
}
