//! `batchfleet check` as a person and a program meet it.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a file and, where there is one, a definition.
struct Case {
    folder: TempDir,
    has_definition: bool,
}

impl Case {
    fn new(file: &[u8], definition: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file.csv"), file).unwrap();
        if let Some(definition) = definition {
            fs::write(folder.path().join("def.yaml"), definition).unwrap();
        }
        Self {
            folder,
            has_definition: definition.is_some(),
        }
    }

    fn run(&self, command: &str, more: &[&str]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_batchfleet"));
        program
            .current_dir(self.folder.path())
            .args([command, "file.csv"]);
        if self.has_definition {
            program.args(["--definition", "def.yaml"]);
        }
        program.args(more).output().unwrap()
    }

    fn check(&self, more: &[&str]) -> (Value, Option<i32>) {
        let more = [more, &["--json"]].concat();
        let output = self.run("check", &more);
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        });
        (report, output.status.code())
    }

    /// What people see, without the time that it took.
    fn text(&self, more: &[&str]) -> String {
        let output = self.run("check", more);
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("time "));
        lines.fold(String::new(), |text, line| text + line + "\n")
    }
}

const DEFINITION: &str = "fields:
  - { name: email, type: email, required: true }
  - { name: age, type: integer, max: 120 }
  - { name: city }
  - { name: nick, max_length: 3, severity: warning }
  - { name: source, constant: crm }
";

const FILE: &[u8] = b"Mail list of June\n\nemail;age;ctiy;nick;notes\nann@example.com;42;Oslo;ann;x\nbob;130;;bo;y\n\ncy@example.com;;Rome;cyrus;z\ndee@example.com;1;;d;;more\n";

#[test]
fn people_see_how_a_file_is_read_and_what_is_wrong() {
    let case = Case::new(FILE, Some(DEFINITION));
    assert_eq!(
        case.text(&[]),
        r#"file       file.csv
read as    CSV, UTF-8, delimiter ";", quote "\"", a header, 2 lines above the table
columns    5
     1 email → field email
     2 age → field age
     3 ctiy → no field; left out; did you mean city?
     4 nick → field nick
     5 notes → no field; left out
     - field city: no column; empty in every row
     - field source: no column; the same in every row
looked at  4 rows, the whole file
good       2
bad        2
skipped    1
warned     1 of the good rows
  MALFORMED_ROW      (the row): 1 row
  TYPE_MISMATCH      email: 1 row
  OUT_OF_RANGE       age: 1 row
  LENGTH             nick: 1 row (warning)

Good rows, as they would come out:
  line 4: {"email":"ann@example.com","age":42,"city":null,"nick":"ann","source":"crm"}
  line 7: {"email":"cy@example.com","age":null,"city":null,"nick":"cyrus","source":"crm"}

Bad rows:
  line 5: {"email":"bob","age":"130","ctiy":"","nick":"bo","notes":"y"}
    TYPE_MISMATCH email: "bob" is not an email address
    OUT_OF_RANGE age: "130" is above the maximum 120
  line 8: {"email":"dee@example.com","age":"1","ctiy":"","nick":"d","notes":""} and ["more"]
    MALFORMED_ROW the row has 6 cells, the header has 5

Rows with warnings:
  line 7: {"email":"cy@example.com","age":"","ctiy":"Rome","nick":"cyrus","notes":"z"}
    LENGTH nick: "cyrus" has 5 characters, at most 3 allowed
"#
    );
}

#[test]
fn programs_see_the_same() {
    let case = Case::new(FILE, Some(DEFINITION));
    let (report, code) = case.check(&["--all"]);
    assert_eq!(code, Some(1));
    assert_eq!(report["ok"], json!(false));
    assert_eq!(report["reading"]["delimiter"], json!(";"));
    assert_eq!(report["reading"]["preamble_rows"], json!(2));
    assert_eq!(
        report["columns"][2],
        json!({"column": 3, "name": "ctiy", "field": null, "use": "ignored", "did_you_mean": "city"})
    );
    assert_eq!(
        report["fields_without_column"],
        json!([{"field": "city", "value": "null"}, {"field": "source", "value": "constant"}])
    );
    assert_eq!(
        report["rows"],
        json!({"looked_at": 4, "good": 2, "bad": 2, "skipped": 1, "warned": 1, "whole_file": true})
    );
    assert_eq!(
        report["errors"],
        json!({"TYPE_MISMATCH": 1, "OUT_OF_RANGE": 1, "MALFORMED_ROW": 1})
    );
    assert_eq!(report["warnings"], json!({"LENGTH": 1}));
    assert_eq!(report["bad_rows"][0]["line"], json!(5));
    assert_eq!(report["good_rows"][0]["row"]["age"], json!(42));
    assert!(report["rows_per_second"].as_u64().unwrap() > 0);
}

#[test]
fn a_file_of_good_rows_ends_with_0_and_nothing_is_written() {
    let case = Case::new(b"a,b\n1,2\n", None);
    let (report, code) = case.check(&[]);
    assert_eq!((code, &report["ok"]), (Some(0), &json!(true)));
    assert_eq!(report["columns"][0]["use"], json!("kept"));
    let left: Vec<_> = fs::read_dir(case.folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_header_that_does_not_fit_is_told_with_the_columns() {
    let case = Case::new(b"emial,age\na@b.de,1\n", Some(DEFINITION));
    let (report, code) = case.check(&[]);
    assert_eq!(code, Some(1));
    assert_eq!(report["reason"]["code"], json!("BAD_HEADER"));
    assert_eq!(report["columns"][0]["name"], json!("emial"));
    let text = case.text(&[]);
    assert!(
        text.ends_with(
            "An import would fail with BAD_HEADER:\n  the column \"email\" is required but missing; is it \
             the column \"emial\"?\n"
        ),
        "{text}"
    );
}

#[test]
fn tables_that_a_preview_does_not_ask_are_named() {
    let definition = "fields: [{ name: id, type: integer, required: true }]
duplicates_of:
  - { table: customers, key: { id: id } }
  - { table: leads, key: { id: id } }
";
    let case = Case::new(b"id\n1\n", Some(definition));
    assert!(
        case.text(&[]).contains(
            "\nnot asked  customers, leads: an import rejects the rows that are there already\n"
        ),
        "{}",
        case.text(&[])
    );
    let (report, code) = case.check(&[]);
    assert_eq!(code, Some(0));
    assert_eq!(report["tables_not_asked"], json!(["customers", "leads"]));
}

#[test]
fn what_can_not_be_looked_at_has_its_exit_code() {
    let code = |file: &[u8], definition: Option<&str>, more: &[&str]| {
        Case::new(file, definition).run("check", more).status.code()
    };
    assert_eq!(code(b"", None, &[]), Some(1), "an empty file");
    assert_eq!(code(b"\x1f\x8b\x08 broken", None, &[]), Some(1));
    assert_eq!(code(b"a\n1\n", Some("fields: 1"), &[]), Some(2));
    assert_eq!(code(b"a\n1\n", None, &["--rows", "0"]), Some(2));
    assert_eq!(code(b"a\n1\n", None, &["--rows", "1", "--all"]), Some(2));
    let missing = Command::new(env!("CARGO_BIN_EXE_batchfleet"))
        .args(["check", "no-such-file.csv"])
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(missing.stderr).unwrap(),
        "batchfleet: there is no file no-such-file.csv\n"
    );
}

#[test]
fn the_first_thousand_rows_are_looked_at_unless_more_are_asked_for() {
    let mut file = b"n\n".to_vec();
    for n in 0..1_500 {
        writeln!(
            file,
            "{}",
            if n == 1_200 {
                "x".to_owned()
            } else {
                n.to_string()
            }
        )
        .unwrap();
    }
    let case = Case::new(&file, Some("fields: [{ name: n, type: integer }]"));
    let looked_at = |more: &[&str]| {
        let (report, code) = case.check(more);
        let rows = &report["rows"];
        (rows["looked_at"].as_u64().unwrap(), code)
    };
    assert_eq!(looked_at(&[]), (1_000, Some(0)));
    assert_eq!(looked_at(&["--rows", "1300"]), (1_300, Some(1)));
    assert_eq!(looked_at(&["--all"]), (1_500, Some(1)));
}

#[test]
fn unique_values_are_compared_across_the_rows_looked_at() {
    let case = Case::new(
        b"id,n\na,1\nb,2\nA,3\n",
        Some("fields: [{ name: id, unique: true }, { name: n }]"),
    );
    assert_eq!(case.check(&["--rows", "2"]).1, Some(0));
    let (report, code) = case.check(&["--all"]);
    assert_eq!(code, Some(1));
    assert_eq!(report["errors"], json!({"DUPLICATE_VALUE": 1}));
    assert_eq!(
        report["bad_rows"][0]["errors"][0]["message"],
        json!("id: the value must be unique, and is in line 2 already")
    );
}

#[test]
fn nothing_sensitive_is_printed() {
    let definition = "fields:
  - { name: id, type: integer }
  - { name: pin, sensitive: true, max_length: 4, severity: warning }
";
    let file = b"id,pin\n1,4711\n2,471100\nx,4712\n3,4713,4714\n";
    let case = Case::new(file, Some(definition));
    for more in [&["--all"][..], &["--all", "--json"]] {
        let output = case.run("check", more);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(text.contains("***"), "{text}");
        assert!(!text.contains("471"), "{text}");
    }
}

/// What a check of all rows counts is what an import counts, whatever the file is packed in.
#[test]
fn the_counts_are_those_of_an_import() {
    let csv = "email,age\na@b.de,1\nno,2\nc@d.de,x\n\"e@f.de\",4\nü@ö.de,5\n";
    let json = "{\"email\":\"a@b.de\",\"age\":1}\n{\"email\":\"no\"}\nnonsense\n{\"age\":\"x\"}\n";
    let definition = "fields: [{ name: email, type: email }, { name: age, type: integer }]";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(csv.as_bytes()).unwrap();
    let utf16: Vec<u8> = format!("\u{feff}{csv}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let array = "[{\"email\":\"a@b.de\",\"age\":1}, {\"email\":\"no\"}, 7]";
    for file in [
        csv.as_bytes(),
        &gzip.finish().unwrap(),
        &utf16,
        json.as_bytes(),
        array.as_bytes(),
    ] {
        let case = Case::new(file, Some(definition));
        let (report, _) = case.check(&["--all"]);
        let imported = case.run("run", &["--json"]);
        let summary: Value = serde_json::from_slice(&imported.stdout).unwrap();
        let rows = &report["rows"];
        assert!(rows["bad"].as_u64().unwrap() > 0, "{report}");
        assert_eq!(rows["good"], summary["accepted"], "{report}");
        assert_eq!(rows["bad"], summary["rejected"], "{report}");
        assert_eq!(rows["skipped"], summary["skipped"], "{report}");
    }
}

#[test]
fn a_file_that_is_damaged_at_its_end_is_told_with_what_came_before() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"n\n").unwrap();
    for n in 0..400_000_u64 {
        // Numbers that do not pack well.
        writeln!(gzip, "{}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).unwrap();
    }
    let mut packed = gzip.finish().unwrap();
    packed.truncate(packed.len() - 100);
    let case = Case::new(&packed, None);
    let (report, code) = case.check(&["--all"]);
    assert_eq!(code, Some(1));
    assert_eq!(report["reason"]["code"], json!("BAD_SOURCE"));
    assert!(report["rows"]["looked_at"].as_u64().unwrap() > 100_000);
}

#[test]
fn the_example_of_the_readme_is_checked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_batchfleet"))
        .current_dir(root)
        .args([
            "check",
            "examples/people.csv",
            "--definition",
            "examples/people.yaml",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("looked at  9 rows, the whole file\ngood       5\nbad        4\n"));
}
