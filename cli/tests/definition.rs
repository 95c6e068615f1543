//! `batchfleet definition` as a person and a program meet it.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn definition(args: &[&str], text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("def.yaml"), text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_batchfleet"))
        .current_dir(folder.path())
        .arg("definition")
        .args(args)
        .output()
        .unwrap()
}

fn said(output: Output) -> (String, Option<i32>) {
    let code = output.status.code();
    (String::from_utf8(output.stdout).unwrap(), code)
}

const FAULTY: &str = "name: a b
fields:
  - { name: id, type: integr }
  - { name: id, required: true }
ragged: bad
";

#[test]
fn every_fault_is_told_with_its_place() {
    let (text, code) = said(definition(&["check", "def.yaml"], FAULTY));
    assert_eq!(code, Some(1));
    assert_eq!(
        text,
        "def.yaml: 4 faults
line 1, column 7: name: expected a name of 1 to 64 letters, digits, \"-\", \"_\" and \".\", found \"a b\"
line 3, column 23: fields[0].type: unknown type \"integr\"; expected one of string, number, integer, \
decimal, boolean, date, datetime, email, url, uuid, phone, enum, array, json; did you mean \"integer\"?
line 4, column 13: fields[1].name: duplicate field \"id\", first on line 3; case does not count
line 5, column 9: ragged: unknown ragged \"bad\"; expected one of pad, reject, truncate; did you mean \"pad\"?
"
    );
    let (text, _) = said(definition(&["check", "def.yaml", "--json"], FAULTY));
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["ok"], json!(false));
    assert_eq!(
        report["faults"][1],
        json!({
            "path": "fields[0].type", "line": 3, "column": 23,
            "message": "unknown type \"integr\"; expected one of string, number, integer, decimal, \
                        boolean, date, datetime, email, url, uuid, phone, enum, array, json; did you \
                        mean \"integer\"?",
        })
    );
}

#[test]
fn a_good_definition_is_good_and_what_is_suspicious_is_said() {
    let good = "{ rules: [{ check: 'a > 1' }], fields: [{ name: a, type: integer }, { name: b }] }";
    let (text, code) = said(definition(&["check", "def.yaml"], good));
    assert_eq!(
        (text.as_str(), code),
        ("def.yaml: good; 2 fields, 1 rule\n", Some(0))
    );
    let strange = "fields:
  - { name: flag, type: boolean, unique: true }
  - { name: kind, type: enum, values: [a, b, c], unique: true }
  - { name: code, unique: true }
  - { name: given, required: true, default: x }
  - { name: must, required: true, severity: warning }
unique_together: [[kind, code]]
";
    let (text, code) = said(definition(&["check", "def.yaml"], strange));
    assert_eq!(code, Some(0));
    assert_eq!(
        text,
        "def.yaml: good; 5 fields
warning: flag: it is unique and has 2 values at most, so no file has more good rows with a value
warning: kind: it is unique and has 3 values at most, so no file has more good rows with a value
warning: given: it is required and has a default, so an empty cell is never an error
warning: must: it is required, but that it is missing is only a warning
warning: unique_together of kind, code: kind alone is unique already
warning: unique_together of kind, code: code alone is unique already
"
    );
    let (text, _) = said(definition(&["check", "def.yaml", "--json"], strange));
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["ok"], json!(true));
    assert_eq!(report["warnings"].as_array().unwrap().len(), 6);
}

#[test]
fn what_can_not_be_read_is_bad_usage() {
    let output = definition(&["check", "missing.yaml"], "");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("batchfleet: cannot read the definition missing.yaml"),
        "{said}"
    );
}

#[test]
fn the_schema_is_the_one_of_the_documentation() {
    let (text, code) = said(definition(&["schema"], ""));
    assert_eq!(code, Some(0));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let kept = fs::read_to_string(root.join("docs/definition.schema.json")).unwrap();
    assert_eq!(text, kept);
}

/// The examples say nothing suspicious.
#[test]
fn every_example_is_good() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut good = 0;
    for entry in fs::read_dir(root.join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let (said, code) = said(definition(&["check", "def.yaml"], &text));
        assert_eq!(code, Some(0), "{}: {said}", path.display());
        assert!(!said.contains("warning"), "{}: {said}", path.display());
        good += 1;
    }
    assert!(good >= 3, "{good}");
}
