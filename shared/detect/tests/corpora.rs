//! Files in the wild, and what an expert reads in them: `tests/corpus/README.md` says where each comes
//! from and explains every miss.
//!
//! Each `NAME.json` beside a file holds the expected encoding, dialect, header, columns and first
//! records. A table of right and wrong is printed; a miss that is not listed fails, and so does a
//! listed one that is none any more.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose files cannot be read fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use batchfleet_definition::Reading;
use batchfleet_detect::{Found, FoundEncoding, NotATable, decode_head, encoding, table};
use batchfleet_grammar::{Limits, RecordReader};
use serde_json::{Value, json};

/// What is expected otherwise, as `corpus/NAME property`. The README says why each is as it is.
const MISSES: &[&str] = &[
    "csv-spectrum/location_coordinates first",
    "own/b_gb18030 encoding",
    "own/b_ini_like header",
    "own/b_ini_like columns",
    "own/b_ini_like records",
    "own/b_ini_like first",
    "own/b_prose preamble_rows",
    "own/b_prose columns",
    "own/b_prose records",
    "own/b_prose first",
];

const PROPERTIES: [&str; 12] = [
    "encoding",
    "delimiter",
    "quote",
    "escape",
    "comment",
    "line_end",
    "trim",
    "header",
    "preamble_rows",
    "columns",
    "records",
    "first",
];

struct Read {
    encoding: FoundEncoding,
    found: Found,
    records: Vec<Vec<String>>,
}

fn read(bytes: &[u8]) -> Result<Read, NotATable> {
    let encoding = encoding(bytes, true, None);
    let text = decode_head(bytes, true, &encoding).into_owned();
    let found = table(&text, true, &Reading::default(), &[])?;
    let from = found.data.offset as usize;
    let mut reader = RecordReader::new(&text[from..], found.dialect, Limits::default(), found.data);
    let mut records = Vec::new();
    while let Some(record) = reader.read() {
        if !record.is_skippable() {
            records.push(
                record
                    .cells()
                    .map(|cell| String::from_utf8_lossy(cell).into_owned())
                    .collect(),
            );
        }
    }
    Ok(Read {
        encoding,
        found,
        records,
    })
}

fn byte(byte: Option<u8>) -> Value {
    byte.map_or(Value::Null, |byte| json!(char::from(byte).to_string()))
}

/// What was found, in the words of the expectations.
fn actual(read: &Read) -> Value {
    let dialect = &read.found.dialect;
    json!({
        "encoding": read.encoding.name(),
        "delimiter": byte(Some(dialect.delimiter)),
        "quote": byte(dialect.quote),
        "escape": byte(dialect.escape.or(dialect.quote)),
        "comment": byte(dialect.comment),
        "line_end": read.found.line_ends.name(),
        "trim": dialect.trim,
        "header": read.found.header,
        "preamble_rows": read.found.preamble_rows,
        "columns": read.found.columns,
        "records": read.records.len(),
        "first": read.records.iter().take(3).collect::<Vec<_>>(),
    })
}

fn corpora() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = Vec::new();
    for folder in fs::read_dir(root).unwrap() {
        let folder = folder.unwrap().path();
        if folder.is_dir() {
            for file in fs::read_dir(folder).unwrap() {
                let file = file.unwrap().path();
                if file.extension().is_some_and(|ext| ext == "json") {
                    files.push(file);
                }
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_file_is_read_as_an_expert_would() {
    let mut right: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let (mut files_right, mut misses) = (0, Vec::new());
    let expectations = corpora();
    for path in &expectations {
        let expected: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let bytes = fs::read(path.with_extension("csv")).unwrap();
        let folder = path
            .parent()
            .and_then(Path::file_name)
            .unwrap()
            .to_string_lossy();
        let name = format!("{folder}/{}", path.file_stem().unwrap().to_string_lossy());
        let found = read(&bytes).map(|read| actual(&read));
        let before = misses.len();
        for property in PROPERTIES {
            // What an expectation leaves out may be anything.
            let Some(wanted) = expected.get(property) else {
                continue;
            };
            let got = found
                .as_ref()
                .map_or(&Value::Null, |found| &found[property]);
            let (hits, all) = right.entry(property).or_default();
            *all += 1;
            if got == wanted {
                *hits += 1;
            } else {
                println!("{name} {property}: expected {wanted}, found {got}");
                misses.push(format!("{name} {property}"));
            }
        }
        if let Err(why) = found {
            println!("{name}: {why:?}");
        }
        files_right += usize::from(misses.len() == before);
    }
    println!(
        "{:<14} {:>5} of {:>5}",
        "files right",
        files_right,
        expectations.len()
    );
    for (property, (hits, all)) in &right {
        println!("{property:<14} {hits:>5} of {all:>5}");
    }
    assert!(expectations.len() >= 80, "{} files", expectations.len());
    let unlisted: Vec<&String> = misses
        .iter()
        .filter(|miss| !MISSES.contains(&miss.as_str()))
        .collect();
    assert!(unlisted.is_empty(), "not listed: {unlisted:#?}");
    let healed: Vec<&&str> = MISSES
        .iter()
        .filter(|miss| !misses.iter().any(|m| m == *miss))
        .collect();
    assert!(healed.is_empty(), "listed, but right: {healed:#?}");
}
