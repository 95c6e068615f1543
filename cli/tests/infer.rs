//! `batchfleet infer` as a person meets it: what it prints is a definition under which `batchfleet run`
//! rejects nothing of that file.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn batchfleet(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_batchfleet"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Infers a definition from a file and imports the file under it: the definition, and the summary.
fn infer_and_run(name: &str, bytes: &[u8]) -> (String, Value) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let output = batchfleet(&["infer", name], folder.path());
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{text}");
    fs::write(folder.path().join("D.yaml"), &text).unwrap();
    let ran = batchfleet(
        &["run", name, "--definition", "D.yaml", "--json"],
        folder.path(),
    );
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}\n{text}");
    (text, serde_json::from_slice(&ran.stdout).unwrap())
}

#[test]
fn what_is_inferred_accepts_the_file() {
    let mut people = Vec::new();
    batchfleet_tests::people::write(&mut people, 20_000, 7).unwrap();
    let german = b"Kontostand:;100,00\r\n\r\nDatum;Text;Betrag\r\n31.01.2024;M\xfcller;-12,50\r\n01.02.2024;K\xf6ln;7,00\r\n03.02.2024;K\xf6ln;1.007,00\r\n";
    let json = b"{\"id\": 1, \"tags\": [\"a\"]}\n{\"id\": 2, \"tags\": [], \"late\": true}\n";
    let files: [(&str, Vec<u8>, u64); 4] = [
        ("people.csv", people, 20_000),
        ("umsatz.csv", german.to_vec(), 3),
        ("things.jsonl", json.to_vec(), 2),
        ("twice.csv", b"a,a,\n1,x,7\n2,y,8\n".to_vec(), 2),
    ];
    for (name, bytes, rows) in files {
        let (text, summary) = infer_and_run(name, &bytes);
        assert_eq!(summary["rejected"], 0, "{name}: {text}");
        assert_eq!(summary["accepted"], rows, "{name}: {text}");
    }
}

#[test]
fn packed_files_are_read_to_their_end() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writeln!(packed, "time,value").unwrap();
    for row in 0..50_000 {
        writeln!(packed, "2024-01-01T00:00:00Z,{}.{}", row / 10, row % 10).unwrap();
    }
    writeln!(packed, "2024-01-01T00:00:00Z,n/a").unwrap();
    let (text, summary) = infer_and_run("sensor.csv.gz", &packed.finish().unwrap());
    assert_eq!(
        (&summary["rejected"], &summary["accepted"]),
        (&0.into(), &50_001.into())
    );
    assert!(text.contains("null_values: [n/a]"), "{text}");
    assert!(text.contains("type: datetime"), "{text}");
}

#[test]
fn a_sample_says_less() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "id\n1\n2\n3\n4\n5\nx\n").unwrap();
    let output = batchfleet(&["infer", "a.csv", "--rows", "5"], folder.path());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("first 5 rows"), "{text}");
    assert!(text.contains("type: integer"), "{text}");
    assert!(
        !text.contains("required: true") && !text.contains("unique: true"),
        "{text}"
    );
}

#[test]
fn what_is_no_table_is_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("empty.csv"), "").unwrap();
    for (file, code, words) in [("empty.csv", 1, "empty"), ("none.csv", 2, "cannot read")] {
        let output = batchfleet(&["infer", file], folder.path());
        assert_eq!(output.status.code(), Some(code), "{file}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(words), "{said}");
        assert!(output.stdout.is_empty());
    }
}
