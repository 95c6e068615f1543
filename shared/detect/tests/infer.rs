//! Definitions from files: every file of the corpora is accepted by what is inferred from it, typical
//! ones become what a person would write, and no table of any cells refutes its own definition.
//!
//! A file is read, inferred, read again under the definition, as an import would, and checked.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose files cannot be read fails"
)]

use std::fs;
use std::path::{Path, PathBuf};

use batchfleet_definition::{Definition, Reading};
use batchfleet_detect::infer::{Check, Origin, Outcome, Profile, reads_alike};
use batchfleet_detect::{Found, FoundEncoding, NotATable, decode_head, encoding, table};
use batchfleet_grammar::{Limits, Record, RecordReader};
use proptest::prelude::*;

/// What was inferred, and what an import under it comes to.
struct Proven {
    text: String,
    rows: u64,
    outcome: Outcome,
    /// How often something had to be taken back.
    loosened: u32,
}

fn each(text: &[u8], found: &Found, mut take: impl FnMut(&Record<'_>)) {
    let from = found.data.offset as usize;
    let mut reader = RecordReader::new(&text[from..], found.dialect, Limits::default(), found.data);
    while let Some(record) = reader.read() {
        take(&record);
    }
}

fn infer(bytes: &[u8], file: &str) -> Result<Proven, NotATable> {
    let encoding = encoding(bytes, true, None);
    let text = decode_head(bytes, true, &encoding).into_owned();
    let found = table(&text, true, &Reading::default(), &[])?;
    let mut profile = Profile::new(found.columns.len());
    each(&text, &found, |record| profile.add(record, record.line()));
    let rows = profile.rows();
    let mut inferred = profile.finish(&Origin {
        file,
        columns: &found.columns,
        encoding: Some(&encoding),
        found: Some(&found),
        whole: true,
    });
    let mut loosened = 0;
    let mut is_firm = false;
    loop {
        let text = inferred.to_yaml();
        let Some((columns, imported)) = import(bytes, &text, &encoding, &found) else {
            assert!(!is_firm, "it is read in another way:\n{text}");
            inferred.fix_reading();
            is_firm = true;
            continue;
        };
        let definition = Definition::parse(&text).unwrap();
        let mut check = match Check::new(&definition, &columns) {
            Ok(check) => check,
            // Without rows, there is no other way to name the columns than the header's own.
            Err(_) if rows == 0 => return Err(NotATable::Empty(text)),
            Err(faults) => panic!("{faults}\n{text}"),
        };
        each(&imported, &found, |record| check.add(record, record.line()));
        let outcome = check.outcome();
        if !inferred.loosen(&outcome) || loosened == 5 {
            return Ok(Proven {
                text,
                rows,
                outcome,
                loosened,
            });
        }
        loosened += 1;
    }
}

/// The columns and the text of the file as an import under the definition reads them; nothing where it
/// reads it in another way than before.
fn import(
    bytes: &[u8],
    written: &str,
    before: &FoundEncoding,
    first: &Found,
) -> Option<(Vec<String>, Vec<u8>)> {
    let definition = Definition::parse(written).unwrap();
    let reading = definition.reading();
    let encoding = encoding(bytes, true, reading.encoding.as_deref());
    let text = decode_head(bytes, true, &encoding).into_owned();
    let names: Vec<&str> = definition
        .fields()
        .iter()
        .flat_map(|field| field.headers())
        .collect();
    let found = table(&text, true, reading, &names).ok()?;
    let is_same = encoding.name() == before.name() && reads_alike(&text, first, &found);
    is_same.then_some((found.columns, text))
}

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
            text.push_str(&format!("{delimiter}Name {column}"));
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
