//! `batchfleet template`: what it prints passes `batchfleet check`, whatever the definition.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn batchfleet(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_batchfleet"))
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap()
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.to_owned()
}

/// The template of a definition, or what is said instead. What is printed was checked.
fn template(definition: &str, rows: u64) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("def.yaml"), definition).unwrap();
    let count = rows.to_string();
    let output = batchfleet(folder.path(), &["template", "def.yaml", "--rows", &count]);
    if !output.status.success() {
        assert!(output.stdout.is_empty(), "{definition}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        return Err(said);
    }
    fs::write(folder.path().join("file.csv"), &output.stdout).unwrap();
    let checked = batchfleet(
        folder.path(),
        &[
            "check",
            "file.csv",
            "--definition",
            "def.yaml",
            "--all",
            "--json",
        ],
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let report: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(checked.status.code(), Some(0), "{definition}{text}{report}");
    assert_eq!(report["rows"]["good"], rows, "{definition}{text}{report}");
    Ok(text)
}

fn good(definition: &str, rows: u64) -> String {
    template(definition, rows).unwrap_or_else(|said| panic!("{definition}: {said}"))
}

#[test]
fn a_template_has_the_header_and_rows_that_are_good() {
    let people = fs::read_to_string(root().join("examples/people.yaml")).unwrap();
    assert_eq!(
        good(&people, 3),
        "email,name,age,signup_date,role\n\
         person1@example.com,text 1,1,2024-01-01,guest\n\
         person2@example.com,text 2,2,2024-01-02,text 1\n\
         person3@example.com,text 3,3,2024-01-03,text 2\n"
    );
    assert_eq!(good(&people, 0), "email,name,age,signup_date,role\n");
}

/// Every definition of the examples and of the reference page that has fields: it has a template, or
/// it is one of those few of which that is said.
#[test]
fn every_definition_we_have_has_a_template() {
    let page = fs::read_to_string(root().join("docs/definitions.md")).unwrap();
    let blocks = page.split("```yaml\n").skip(1);
    let mut definitions: Vec<String> = blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            definitions.push(fs::read_to_string(path).unwrap());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut good = 0;
    let mut said = Vec::new();
    for definition in definitions {
        fs::write(folder.path().join("def.yaml"), &definition).unwrap();
        let checked = batchfleet(folder.path(), &["definition", "check", "def.yaml"]);
        if checked.status.code() != Some(0) {
            continue;
        }
        match template(&definition, 3) {
            Ok(_) => good += 1,
            Err(why) => said.push((definition, why)),
        }
    }
    assert!(good >= 35, "{good}");
    for (definition, why) in &said {
        let is_expected = ["has no fields", "data.tags.exists"];
        let is_expected = is_expected.iter().any(|expected| why.contains(expected));
        assert!(is_expected, "{definition}\n{why}");
    }
}

#[test]
fn constraints_of_all_kinds_are_met() {
    for definition in [
        "fields: [{ name: code, pattern: '^[A-Z]{3}-\\d{4}$', unique: true }]",
        "fields: [{ name: code, pattern: '^(?:red|green)$' }, { name: n, type: integer, min: -5, max: -4 }]",
        "fields: [{ name: born, type: date, format: DD.MM.YYYY, max: 1990-01-01 }]",
        "fields: [{ name: at, type: datetime, min: 2031-01-01T00:00:00Z, max: 2031-01-03T00:00:00Z }]",
        "fields: [{ name: price, type: decimal, thousands_separator: '.', decimal_separator: ',', min: 1000, max: 1000.5 }]",
        "fields: [{ name: ratio, type: number, min: 0.1, max: 0.2 }]",
        "fields: [{ name: name, min_length: 40, max_length: 40, transforms: [uppercase] }]",
        "fields: [{ name: tags, type: array, separator: '|', min_length: 3, max_length: 4, items: { type: integer, min: 10, max: 12 } }]",
        "fields: [{ name: tags, type: array, items: { one_of: [red, blue] } }]",
        "fields: [{ name: size, transforms: [{ map: { klein: S, gross: L } }], one_of: [S, L] }]",
        "fields: [{ name: id, transforms: [{ extract: 'ID-(\\d+)' }], type: integer }]",
        "fields: [{ name: flag, type: boolean, true_words: [ja], false_words: [nein] }]",
        "fields: [{ name: level, type: enum, values: [low, high], unique: true }, { name: note }]",
        "fields: [{ name: a, default: x, one_of: [x, y], null_values: ['-'] }]",
        "fields: [{ name: doc, type: json }, { name: home, type: url, schemes: [ftp] }]",
        "{ unique_together: [[a, b]], fields: [{ name: a, type: boolean }, { name: b, type: boolean }] }",
    ] {
        let rows = if definition.contains("low, high") {
            2
        } else {
            3
        };
        good(definition, rows);
    }
}

#[test]
fn rules_are_met_where_examples_can_meet_them() {
    for definition in [
        "{ rules: [{ check: end_date > start_date }], fields: [{ name: start_date, type: date }, { name: end_date, type: date }] }",
        "{ rules: [{ when: 'role == \"admin\"', check: 'age >= 18' }, { check: 'role in [\"admin\", \"guest\"]' }], fields: [{ name: role, required: true }, { name: age, type: integer, required: true }] }",
        "{ rules: [{ check: 'total == net + tax' }], fields: [{ name: net, type: integer }, { name: tax, type: integer }, { name: total, type: integer }] }",
        "fields: [{ name: n, type: integer, required: true, check: 'value % 7 == 0' }]",
    ] {
        good(definition, 5);
    }
    let never = "{ rules: [{ check: 'a == \"secret\" + string(b * 99991)', message: the code is wrong }], fields: [{ name: a, required: true }, { name: b, type: integer, required: true }] }";
    let said = template(never, 1).unwrap_err();
    assert!(
        said.contains("the code is wrong; write the rows by hand"),
        "{said}"
    );
}

#[test]
fn dialects_are_kept() {
    assert_eq!(
        good(
            "{ dialect: { delimiter: ';', quote: \"'\" }, fields: [{ name: a, one_of: ['x;y'] }, { name: b }] }",
            1
        ),
        "a;b\n'x;y';text 1\n"
    );
    assert_eq!(
        good(
            "{ dialect: { delimiter: tab, columns: [id, skipped, name] }, fields: [{ name: name }, { name: id, type: integer }] }",
            2
        ),
        "1\t\ttext 1\n2\t\ttext 2\n"
    );
    assert_eq!(
        good(
            "{ dialect: { header: false }, fields: [{ name: column_2, type: integer }, { name: column_1 }] }",
            1
        ),
        "text 1,1\n"
    );
    good(
        "{ dialect: { preamble_rows: 2, escape: '\\', trim: true, comment: '#' }, fields: [{ name: a, one_of: ['#1'] }, { name: b }] }",
        3,
    );
    good(
        "{ dialect: { encoding: windows-1252 }, fields: [{ name: a, one_of: [ä, ö] }, { name: größe }] }",
        2,
    );
    good(
        "{ dialect: { encoding: utf-16le }, fields: [{ name: a }, { name: größe }] }",
        2,
    );
    good(
        "{ dialect: { encoding: utf-16be, quote: none }, fields: [{ name: a, one_of: ['x,y', z] }, { name: b }] }",
        1,
    );
}

#[test]
fn what_can_not_be_made_is_said() {
    for (definition, expected) in [
        ("{}", "has no fields"),
        (
            "fields: [{ name: a, constant: x }]",
            "no field has a column",
        ),
        (
            "fields: [{ name: a, type: boolean, unique: true }]",
            "only 2 rows were found that differ in what must be unique: a; ask for fewer with --rows 2",
        ),
        (
            "fields: [{ name: a, required: true, pattern: '^x{9}$', max_length: 3 }]",
            "no value was found that the field \"a\" takes",
        ),
        (
            "{ dialect: { header: false }, fields: [{ name: a }] }",
            "name its columns in dialect.columns",
        ),
    ] {
        let said = template(definition, 3).unwrap_err();
        assert!(said.contains(expected), "{definition}: {said}");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.yaml"), "fields: 1").unwrap();
    let output = batchfleet(folder.path(), &["template", "bad.yaml"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_field_without_an_example_that_may_be_empty_is_empty() {
    let definition = "fields: [{ name: a, pattern: '^x{9}$', max_length: 3 }, { name: b }]";
    assert_eq!(good(definition, 2), "a,b\n,text 1\n,text 2\n");
}
