//! Every file of the detect corpora through the whole flow, under the definition that takes
//! everything: no row is lost, and none is doubled.
//!
//! The independent answer: `encoding_rs` decodes the file in one call, and one reader goes through the
//! text from its first row to its last, in the dialect that was found. The flow decodes the file in
//! pieces, cuts it into batches of three rows and reads each by itself. What it must not come to
//! depend on is which of the two found a row, so this file judges rows by itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use batchfleet_core::job::{JobStatus, ReasonCode};
use batchfleet_core::report::{REJECTS_FILE, REJECTS_JSON_FILE, Summary};
use batchfleet_definition::Reading;
use batchfleet_detect::{Found, encoding, table};
use batchfleet_grammar::{Dialect, Limits, Position, Record, RecordReader};
use encoding_rs::{Encoding, UTF_8};
use serde_json::{Map, Value};

use crate::fleet::Fleet;
use crate::small;

/// What is added to each row of rejects.csv.
const ADDED: [&str; 4] = ["_record", "_line", "_errors", "_codes"];

/// Files that cannot begin under a definition that takes every column: one has control characters in
/// its header, the others have a name twice. The rest must complete.
const FAILED: &[(&str, ReasonCode)] = &[
    ("csvkit/test_header_newline", ReasonCode::BadHeader),
    ("own/c_ing_umsatz", ReasonCode::BadHeader),
    ("own/c_jira", ReasonCode::BadHeader),
    ("own/d_ing_de", ReasonCode::BadHeader),
    ("own/d_jira", ReasonCode::BadHeader),
    ("own/group_header", ReasonCode::BadHeader),
    ("own/header_duplicates", ReasonCode::BadHeader),
];

/// A file's text, whatever its encoding, and the table in it.
struct Read {
    text: Vec<u8>,
    found: Found,
}

fn files() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/detect/tests/corpus");
    let mut files = Vec::new();
    for folder in fs::read_dir(root).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "csv") {
                let folder = folder.file_name().unwrap().to_string_lossy().into_owned();
                let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
                files.push((format!("{folder}/{stem}"), file));
            }
        }
    }
    files.sort();
    files
}

/// The text that the flow's offsets are offsets of: the file itself where it is UTF-8, with its mark;
/// else what it decodes to, without one.
fn decoded(file: &[u8]) -> Vec<u8> {
    let name = encoding(file, true, None).name();
    let encoding = Encoding::for_label(name.as_bytes()).unwrap_or(UTF_8);
    if encoding == UTF_8 {
        return file.to_vec();
    }
    let (text, _) = encoding.decode_with_bom_removal(file);
    text.into_owned().into_bytes()
}

fn read(file: &[u8]) -> Option<Read> {
    let text = decoded(file);
    let found = table(&text, true, &Reading::default(), &[]).ok()?;
    Some(Read { text, found })
}

/// What has to become of a row.
#[derive(Debug, PartialEq)]
enum Fate {
    Skipped,
    Delivered(Value),
    /// Its text, where no cells could be made of it.
    Rejected(Option<String>),
}

/// Nothing but spaces, tabs, line breaks and page breaks.
fn is_blank(cell: &[u8]) -> bool {
    cell.iter().all(u8::is_ascii_whitespace)
}

/// Judges a row as `docs/definitions.md` says that a definition without fields does.
fn fate(record: &Record<'_>, columns: &[String]) -> Fate {
    if record.is_skippable() {
        return Fate::Skipped;
    }
    if record.fault().is_some() {
        let raw = String::from_utf8_lossy(record.raw()).into_owned();
        return Fate::Rejected(Some(raw));
    }
    if record.cells().all(is_blank) {
        return Fate::Skipped;
    }
    let extra = record.cells().skip(columns.len());
    if extra.into_iter().any(|cell| !is_blank(cell)) {
        return Fate::Rejected(None);
    }
    let mut row = Map::new();
    for (column, name) in columns.iter().enumerate() {
        if ADDED.contains(&name.trim()) {
            continue;
        }
        let Ok(cell) = std::str::from_utf8(record.get(column).unwrap_or_default()) else {
            return Fate::Rejected(None);
        };
        let key = match name.trim() {
            "" => format!("column_{}", column + 1),
            name => name.to_owned(),
        };
        row.insert(key, Value::String(cell.to_owned()));
    }
    Fate::Delivered(Value::Object(row))
}

/// The rejects as programs read them, by their record.
fn objects(fleet: &Fleet) -> BTreeMap<u64, Value> {
    let text = fleet.text(REJECTS_JSON_FILE);
    let mut objects = BTreeMap::new();
    for line in text.lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        let record = object["record"].as_u64().unwrap();
        assert!(objects.insert(record, object).is_none(), "{record} twice");
    }
    objects
}

/// The rows of rejects.csv, by their record: the cells as they were in the file.
fn reject_rows(fleet: &Fleet, dialect: Dialect, columns: &[String]) -> BTreeMap<u64, Vec<Vec<u8>>> {
    let text = fleet.bytes(REJECTS_FILE);
    let mut reader = RecordReader::new(&text, dialect, Limits::default(), Position::default());
    let mut rows = BTreeMap::new();
    let mut is_header = true;
    while let Some(row) = reader.read() {
        assert_eq!((row.fault(), row.is_skippable()), (None, false));
        let mut cells: Vec<Vec<u8>> = row.cells().map(<[u8]>::to_vec).collect();
        let added = cells.split_off(cells.len() - ADDED.len());
        if is_header {
            assert_eq!(added, ADDED.map(|name| name.as_bytes().to_vec()));
            let names: Vec<&[u8]> = columns.iter().map(String::as_bytes).collect();
            assert_eq!(cells, names, "the header of rejects.csv");
            is_header = false;
            continue;
        }
        let record: u64 = std::str::from_utf8(&added[0]).unwrap().parse().unwrap();
        assert!(rows.insert(record, cells).is_none(), "{record} twice");
    }
    rows
}

/// Each row is exactly once in the output, in the rejects, or skipped; a reject has what the row had.
fn assert_nothing_lost(name: &str, fleet: &Fleet, summary: &Summary, read: &Read) {
    let columns = &read.found.columns;
    let mut delivered = fleet.delivered().into_iter();
    let mut objects = objects(fleet);
    let mut rows = reject_rows(fleet, read.found.dialect, columns);
    let mut counts = [0_u64; 4];
    let text = &read.text[read.found.data.offset as usize..];
    let (dialect, limits) = (read.found.dialect, Limits::default());
    let mut reader = RecordReader::new(text, dialect, limits, read.found.data);
    while let Some(record) = reader.read() {
        let index = record.index();
        counts[0] += 1;
        match fate(&record, columns) {
            Fate::Skipped => counts[3] += 1,
            Fate::Delivered(row) => {
                counts[1] += 1;
                assert_eq!(delivered.next(), Some(row), "{name}: record {index}");
            }
            Fate::Rejected(raw) => {
                counts[2] += 1;
                let object = objects.remove(&index);
                let object = object.unwrap_or_else(|| panic!("{name}: record {index} is gone"));
                assert_eq!(object["line"], record.line(), "{name}");
                assert_eq!(object["offset"], record.start(), "{name}");
                let row = rows.remove(&index).unwrap_or_default();
                if let Some(raw) = raw {
                    assert_eq!(object["raw"], raw, "{name}: record {index}");
                    assert_eq!(row[0], record.raw(), "{name}: record {index}");
                    continue;
                }
                let mut cells: Vec<Vec<u8>> = record.cells().map(<[u8]>::to_vec).collect();
                cells.resize(cells.len().max(columns.len()), Vec::new());
                assert_eq!(row, cells, "{name}: record {index}");
            }
        }
    }
    assert_eq!(
        delivered.next(),
        None,
        "{name}: more rows than the file has"
    );
    assert!(objects.is_empty() && rows.is_empty(), "{name}: {objects:?}");
    let told = &summary.counts;
    let told = [told.records, told.accepted, told.rejected, told.skipped];
    assert_eq!(told, counts, "{name}");
}

/// rejects.csv, uploaded as it is, is read as the table that it is: the same columns, and a row each.
async fn assert_rejects_can_be_uploaded(name: &str, fleet: &Fleet, summary: &Summary) {
    let file = fleet.bytes(REJECTS_FILE);
    let again = Fleet::decoding(file, "{}", small(), 512);
    again.upload().await;
    let second = again.run().await;
    assert_eq!(
        (second.status, second.counts.records),
        (JobStatus::Completed, summary.counts.rejected),
        "{name}: {:?}\n{}",
        second.reason,
        String::from_utf8_lossy(&fleet.bytes(REJECTS_FILE))
    );
}

#[tokio::test]
async fn no_file_of_the_corpora_loses_a_row() {
    let files = files();
    assert!(files.len() >= 260, "{} files", files.len());
    let mut failed = Vec::new();
    let mut sums = BTreeMap::<String, [u64; 6]>::new();
    println!(
        "{:<42} {:<10} {:>8} {:>8} {:>8} {:>8}",
        "file", "", "records", "accepted", "rejected", "skipped"
    );
    for (name, path) in &files {
        let file = fs::read(path).unwrap();
        let fleet = Fleet::decoding(file.clone(), "{}", small(), 512);
        fleet.upload().await;
        let summary = fleet.run().await;
        let counts = &summary.counts;
        let outcome = match &summary.reason {
            None => summary.status.as_str().to_owned(),
            Some(reason) => format!("{:?}: {}", reason.code, reason.message),
        };
        println!(
            "{name:<42} {outcome:<10} {:>8} {:>8} {:>8} {:>8}",
            counts.records, counts.accepted, counts.rejected, counts.skipped
        );
        let folder = name.split('/').next().unwrap_or_default();
        let sum = sums.entry(folder.to_owned()).or_default();
        sum[0] += 1;
        if let Some(reason) = &summary.reason {
            sum[1] += 1;
            failed.push((name.as_str(), reason.code));
            assert_eq!(counts.records, 0, "{name}");
            continue;
        }
        assert_eq!(summary.status, JobStatus::Completed, "{name}");
        for (at, count) in [
            counts.records,
            counts.accepted,
            counts.rejected,
            counts.skipped,
        ]
        .into_iter()
        .enumerate()
        {
            sum[at + 2] += count;
        }
        let read = read(&file).unwrap_or_else(|| panic!("{name}: no table"));
        assert_nothing_lost(name, &fleet, &summary, &read);
        if counts.rejected > 0 {
            assert_rejects_can_be_uploaded(name, &fleet, &summary).await;
        }
    }
    println!(
        "{:<12} {:>6} {:>7} {:>8} {:>8} {:>8} {:>8}",
        "corpus", "files", "failed", "records", "accepted", "rejected", "skipped"
    );
    for (folder, [files, failed, records, accepted, rejected, skipped]) in &sums {
        println!(
            "{folder:<12} {files:>6} {failed:>7} {records:>8} {accepted:>8} {rejected:>8} {skipped:>8}"
        );
    }
    assert_eq!(failed, FAILED);
}
