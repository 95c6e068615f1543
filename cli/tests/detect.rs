//! `batchfleet detect` as a person and a program meet it.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// What the command says of a file with these bytes.
fn detect(bytes: &[u8], more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.bin");
    fs::write(&file, bytes).unwrap();
    Command::new(env!("CARGO_BIN_EXE_batchfleet"))
        .arg("detect")
        .arg(&file)
        .args(more)
        .output()
        .unwrap()
}

fn as_json(bytes: &[u8]) -> Value {
    let output = detect(bytes, &["--json"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The properties without those that are prose or a matter of degree.
fn properties(bytes: &[u8]) -> Value {
    let mut value = as_json(bytes);
    let object = value.as_object_mut().unwrap();
    assert!(object.remove("confidence").unwrap().as_f64().unwrap() > 0.4);
    assert!(
        !object
            .remove("evidence")
            .unwrap()
            .as_array()
            .unwrap()
            .is_empty()
    );
    value
}

const GERMAN: &[u8] = b"Kontostand:;100,00\r\n\r\nDatum;Text;Betrag\r\n31.01.2024;M\xfcller;-12,50\r\n01.02.2024;K\xf6ln;7,00\r\n";

#[test]
fn every_property_is_told_to_programs() {
    assert_eq!(
        properties(GERMAN),
        json!({
            "encoding": "windows-1252", "bom": false, "delimiter": ";", "quote": "\"", "escape": "\"",
            "comment": null, "line_end": "\r\n", "trim": false, "header": true, "preamble_rows": 2,
            "columns": ["Datum", "Text", "Betrag"], "content": "csv",
        })
    );
    assert_eq!(
        properties(b"\xef\xbb\xbf1\t'it\\'s'\n# note\n2\t'b'\n3\t'c'\n"),
        json!({
            "encoding": "utf-8", "bom": true, "delimiter": "\t", "quote": "'", "escape": "\\",
            "comment": "#", "line_end": "\n", "trim": false, "header": false, "preamble_rows": 0,
            "columns": ["column_1", "column_2"], "content": "csv",
        })
    );
}

#[test]
fn people_are_told_in_lines() {
    let output = detect(b"id;name\n1;\x1b[31mAnn\n", &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("delimiter      \";\""), "{text}");
    assert!(text.contains("columns        2: id, name"), "{text}");
    assert!(text.contains("  - "), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
}

#[test]
fn compressed_files_are_looked_into() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(GERMAN).unwrap();
    // A frame of one segment with one raw block (RFC 8878).
    let length = u8::try_from(GERMAN.len()).unwrap();
    let block = (u32::from(length) << 3 | 1).to_le_bytes();
    let zstd = [
        &[0x28, 0xb5, 0x2f, 0xfd, 0x20, length][..],
        &block[..3],
        GERMAN,
    ]
    .concat();
    for (bytes, content) in [(packed.finish().unwrap(), "gzip"), (zstd, "zstd")] {
        let value = as_json(&bytes);
        assert_eq!(value["content"], content);
        assert_eq!(value["encoding"], "windows-1252");
        assert_eq!(value["columns"], json!(["Datum", "Text", "Betrag"]));
        // Cut off, it is no valid file.
        let output = detect(&bytes[..bytes.len() / 2], &["--json"]);
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn json_is_no_table() {
    assert_eq!(as_json(b"{\"a\":1}\n{\"a\":2}\n")["content"], "ndjson");
    assert_eq!(as_json(b"[\n {\"a\":1}]")["content"], "json");
    let utf16: Vec<u8> = "\u{feff}{\"a\":1}\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(as_json(&utf16)["content"], "ndjson");
    assert_eq!(as_json(&utf16)["encoding"], "utf-16le");
}

#[test]
fn what_can_not_be_read_is_told_in_a_sentence() {
    for (bytes, words) in [
        (&b""[..], "empty"),
        (b"\n \n", "blank"),
        (b"PK\x03\x04", "spreadsheet"),
        (&[0; 64], "NUL"),
        (b"%PDF-1.7", "PDF"),
    ] {
        let output = detect(bytes, &[]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(words), "{text}");
        assert!(output.stdout.is_empty());
    }
    let missing = Command::new(env!("CARGO_BIN_EXE_batchfleet"))
        .args(["detect", "no/such/file"])
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(2));
}

/// `batchfleet detect FILE | head -1`: whoever has seen enough closes the pipe, and nothing panics.
#[test]
fn a_reader_that_has_seen_enough_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wide.csv");
    let names: Vec<String> = (0..2_000).map(|column| format!("name_{column}")).collect();
    fs::write(&file, format!("{}\n", names.join(","))).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_batchfleet"))
        .args(["detect", "--json"])
        .arg(&file)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(!notes.contains("panicked"), "{notes}");
    assert_eq!(output.status.code(), Some(0), "{notes}");
}
