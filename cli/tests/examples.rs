//! The imports under `examples/`, each by the real command, against what has to become of it.
//!
//! The expectations come from `tests/examples`, the Python that writes the files: it knows how each row
//! was made, and never asks batchfleet. The messages were written down by hand from
//! `docs/definitions.md`. So this test compares two accounts of one file, byte for byte where bytes are
//! what a person gets.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use batchfleet_core::checksum::FileSum;
use serde_json::{Value, json};

/// Every example, with its file.
const EXAMPLES: [(&str, &str); 5] = [
    ("bank-transactions", "transactions.csv"),
    ("contacts", "contacts.csv"),
    ("orders", "orders.csv"),
    ("products", "products.csv"),
    ("sensor-readings", "readings.csv.gz"),
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// One run of the command over an example, in a folder of its own.
struct Run {
    _out: tempfile::TempDir,
    job: Value,
    folder: PathBuf,
}

impl Run {
    fn of(file: &Path, definition: &Path, batch_records: &str) -> Self {
        let out = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_batchfleet"))
            .arg("run")
            .arg(file)
            .arg("--definition")
            .arg(definition)
            .arg("--out")
            .arg(out.path())
            .args(["--json", "--batch-records", batch_records])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let job: Value = serde_json::from_slice(&output.stdout).unwrap();
        let folder = out.path().join(job["job"].as_str().unwrap());
        Self {
            _out: out,
            job,
            folder,
        }
    }

    /// A result of the job; empty where there is none.
    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// The delivered rows, in the order of the file.
    fn output(&self) -> String {
        let manifest: Value = serde_json::from_str(&self.text("manifest.json")).unwrap();
        let parts = manifest["parts"].as_array().unwrap();
        parts
            .iter()
            .map(|part| self.text(part["name"].as_str().unwrap()))
            .collect()
    }
}

/// Each line of a text as JSON.
fn objects(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Tells the first line in which two texts differ, which a dump of both would hide.
fn assert_same_lines(what: &str, told: &str, expected: &str) {
    for (at, (told, expected)) in told.lines().zip(expected.lines()).enumerate() {
        assert_eq!(told, expected, "{what}, line {}", at + 1);
    }
    assert_eq!(told.len(), expected.len(), "{what}: another length");
}

#[test]
fn every_example_comes_to_what_its_rows_were_made_to_come_to() {
    for (name, file) in EXAMPLES {
        let folder = examples().join(name);
        let expected = |file: &str| {
            let text = fs::read_to_string(folder.join("expected").join(file));
            text.unwrap_or_default()
        };
        // In one batch, and in so many that each has a row or two.
        for batch_records in ["1000", "2"] {
            let (file, definition) = (folder.join(file), folder.join("definition.yaml"));
            let run = Run::of(&file, &definition, batch_records);
            assert_eq!(run.job["status"], "COMPLETED", "{name}: {}", run.job);
            let what = |part: &str| format!("{name}, batches of {batch_records}: {part}");

            let summary: Value = serde_json::from_str(&run.text("summary.json")).unwrap();
            let keys = [
                "accepted", "errors", "records", "rejected", "skipped", "warnings",
            ];
            let mut told: BTreeMap<&str, Value> = BTreeMap::new();
            for key in keys {
                let value = summary.get(key).cloned();
                told.insert(key, value.unwrap_or_else(|| json!({})));
            }
            let wanted: Value = serde_json::from_str(&expected("summary.json")).unwrap();
            assert_same_lines(
                &what("rejects.csv"),
                &run.text("rejects.csv"),
                &expected("rejects.csv"),
            );
            assert_same_lines(&what("output"), &run.output(), &expected("output.jsonl"));
            for report in ["rejects.jsonl", "warnings.jsonl"] {
                let (told, wanted) = (objects(&run.text(report)), objects(&expected(report)));
                for (told, wanted) in told.iter().zip(&wanted) {
                    assert_eq!(told, wanted, "{}", what(report));
                }
                assert_eq!(told.len(), wanted.len(), "{}", what(report));
            }
            assert_eq!(json!(told), wanted, "{}", what("summary"));
        }
    }
}

/// The manifest lists every output part and every report that is there, each with its rows, its length
/// and its SHA-256.
#[test]
fn the_manifest_of_every_example_is_that_of_its_files() {
    for (name, file) in EXAMPLES {
        let folder = examples().join(name);
        let run = Run::of(&folder.join(file), &folder.join("definition.yaml"), "7");
        let manifest: Value = serde_json::from_str(&run.text("manifest.json")).unwrap();
        let mut listed = Vec::new();
        let mut rows = 0;
        for one in manifest["parts"].as_array().unwrap() {
            rows += one["records"].as_u64().unwrap();
        }
        for key in ["parts", "reports"] {
            for one in manifest[key].as_array().unwrap() {
                let part = one["name"].as_str().unwrap();
                let content = fs::read(run.folder.join(part)).unwrap();
                let sum = FileSum::of(&content);
                assert_eq!(one["bytes"], sum.bytes, "{name}: {part}");
                assert_eq!(one["sha256"], sum.sha256, "{name}: {part}");
                if part != "rejects.csv" {
                    let lines = String::from_utf8(content).unwrap().lines().count();
                    assert_eq!(one["records"], lines, "{name}: {part}");
                }
                listed.push(part.to_owned());
            }
        }
        assert_eq!(run.job["accepted"], rows, "{name}");
        let mut there: Vec<String> = Vec::new();
        for part in fs::read_dir(run.folder.join("output")).unwrap() {
            let part = part.unwrap().file_name();
            there.push(format!("output/{}", part.to_string_lossy()));
        }
        for report in ["rejects.csv", "rejects.jsonl", "warnings.jsonl"] {
            if run.folder.join(report).exists() {
                there.push(report.to_owned());
            }
        }
        there.sort();
        listed.sort();
        assert_eq!(listed, there, "{name}");
    }
}

/// rejects.csv is read when it is uploaded as it is, and nothing is lost. Nothing of it is accepted that
/// was not, but for rows whose only fault was that an earlier row, which is not in it, has their values.
#[test]
fn the_rejects_of_every_example_can_be_uploaded_as_they_are() {
    for (name, file) in EXAMPLES {
        let folder = examples().join(name);
        let definition = folder.join("definition.yaml");
        // A footer ends the file itself, and is not in its rejects.
        let text = fs::read_to_string(definition).unwrap();
        let text = text.replace("footer_rows: 2", "footer_rows: 0");
        let there = tempfile::tempdir().unwrap();
        let definition = there.path().join("definition.yaml");
        fs::write(&definition, text).unwrap();
        let first = Run::of(&folder.join(file), &folder.join("definition.yaml"), "1000");
        let mut repeated = 0;
        for reject in objects(&first.text("rejects.jsonl")) {
            let errors = reject["errors"].as_array().unwrap();
            let is_repeated = errors.iter().all(|one| one["code"] == "DUPLICATE_VALUE");
            let cells = reject["cells"].as_object().unwrap();
            // What was masked has to be put in again.
            let is_masked = cells.values().any(|cell| cell == "***");
            repeated += u64::from(is_repeated && !is_masked);
        }
        let again = Run::of(&first.folder.join("rejects.csv"), &definition, "1000");
        assert_eq!(again.job["records"], first.job["rejected"], "{name}");
        assert_eq!(again.job["accepted"], repeated, "{name}");
    }
}
