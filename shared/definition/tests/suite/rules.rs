//! Rules, checks and calculated fields as definitions have them: what becomes of rows, and where
//! their faults are said to be.

use batchfleet_definition::{Checked, Code, JsonLines, RowError, Scratch, Severity};
use proptest::prelude::*;

use crate::{check, definition, faults, plan};

const BOOKINGS: &str = r#"
fields:
  - { name: guest, required: true, trim: true }
  - { name: start date, type: date, required: true }
  - { name: end, type: date }
  - { name: nights, type: integer, check: [{ check: value > 0, message: a stay has a night }, value < 100] }
  - { name: price, type: number }
  - { name: total, type: number, compute: nights * price }
rules:
  - { check: 'end >= row["start date"]', field: end, message: the end is before the start }
  - { when: has(end) && has(nights), check: 'end - row["start date"] == days(nights)' }
  - { check: price < 1000.0, severity: warning }
"#;
const HEADER: [&str; 5] = ["guest", "start date", "end", "nights", "price"];

fn messages(errors: &[RowError]) -> Vec<&str> {
    errors.iter().map(|error| &*error.message).collect()
}

#[test]
fn a_good_row_is_calculated_and_accepted() {
    let plan = plan(BOOKINGS, &HEADER);
    assert_eq!(
        check(&plan, &["Ann", "2024-01-30", "2024-02-02", "3", "80.5"]).unwrap(),
        concat!(
            r#"{"guest":"Ann","start date":"2024-01-30","end":"2024-02-02","nights":3,"#,
            r#""price":80.5,"total":241.5}"#,
            "\n"
        )
    );
    // What is not known breaks no rule, and makes nothing.
    let row = check(&plan, &["Ann", "2024-01-30", "", "", ""]).unwrap();
    assert!(
        row.ends_with("\"nights\":null,\"price\":null,\"total\":null}\n"),
        "{row}"
    );
}

#[test]
fn every_rule_that_is_broken_is_an_error_of_the_row() {
    let plan = plan(BOOKINGS, &HEADER);
    let errors = check(&plan, &["Ann", "2024-01-30", "2024-01-01", "0", "1"]).unwrap_err();
    assert_eq!(
        messages(&errors),
        [
            "nights: a stay has a night",
            "the end is before the start",
            "rule 2 does not hold: end - row[\"start date\"] == days(nights)",
        ]
    );
    assert!(errors.iter().all(|error| error.code == Code::Rule));
    assert_eq!(
        errors.iter().map(|error| error.field).collect::<Vec<_>>(),
        [Some(3), Some(2), None]
    );
    let errors = check(&plan, &["Ann", "2024-01-30", "", "100", "1"]).unwrap_err();
    assert_eq!(
        messages(&errors),
        ["nights: the check does not hold: value < 100"]
    );
}

/// An empty cell is no value that a check could be about, be it text or not.
#[test]
fn an_empty_cell_meets_every_check() {
    let text = "
fields:
  - { name: a, check: size(value) > 3 }
  - { name: b, type: integer, check: value > 3 }
";
    let plan = plan(text, &["a", "b"]);
    assert_eq!(check(&plan, &["", "4"]).unwrap(), "{\"a\":\"\",\"b\":4}\n");
    assert_eq!(
        check(&plan, &["abcd", ""]).unwrap(),
        "{\"a\":\"abcd\",\"b\":null}\n"
    );
    assert_eq!(check(&plan, &["abc", "3"]).unwrap_err().len(), 2);
}

/// Rules look at fields that could be read; whatever is wrong with the others is said besides.
#[test]
fn rules_are_left_out_where_a_cell_is_no_value() {
    let plan = plan(BOOKINGS, &HEADER);
    let errors = check(&plan, &["", "soon", "2024-01-01", "0", "free"]).unwrap_err();
    assert_eq!(
        errors.iter().map(|error| error.code).collect::<Vec<_>>(),
        [
            Code::Required,
            Code::TypeMismatch,
            Code::TypeMismatch,
            Code::Rule,
        ]
    );
    assert_eq!(errors[3].message, "nights: a stay has a night");
}

#[test]
fn a_warning_does_not_reject() {
    let plan = plan(BOOKINGS, &HEADER);
    let mut encoder = JsonLines::new(&plan);
    let mut errors = Vec::new();
    let cells = ["Ann", "2024-01-30", "", "", "5000"];
    let checked = plan.check(
        &cells[..],
        &mut Scratch::default(),
        &mut encoder,
        &mut errors,
    );
    assert_eq!(checked, Checked::Accepted);
    assert_eq!(messages(&errors), ["rule 3 does not hold: price < 1000.0"]);
    assert_eq!(errors[0].severity, Severity::Warning);
}

#[test]
fn a_check_takes_its_fields_message_and_severity() {
    let text = "
fields:
  - { name: a, type: integer, check: value != 3, severity: warning, message: three is odd }
";
    let rules = definition(text).rules().to_vec();
    assert_eq!(
        (rules[0].severity, rules[0].message.as_deref()),
        (Severity::Warning, Some("three is odd"))
    );
}

#[test]
fn calculated_fields_pass_through_the_field_like_cells() {
    let text = r#"
fields:
  - { name: first, trim: true }
  - { name: last, trim: true }
  - { name: id, type: integer }
  - { name: key, compute: "'USER#' + string(id)", required: true, transforms: [lowercase], max_length: 9 }
  - { name: full, compute: "(first + ' ' + last).trim()", default: nobody }
  - { name: words, type: array, compute: "full.split(' ')" }
  - { name: quotient, type: number, compute: 100 / id }
"#;
    let plan = plan(text, &["id", "first", "last"]);
    assert_eq!(
        check(&plan, &["7", "Ada", "Lovelace"]).unwrap(),
        concat!(
            r#"{"first":"Ada","last":"Lovelace","id":7,"key":"user#7","full":"Ada Lovelace","#,
            r#""words":["Ada","Lovelace"],"quotient":14.0}"#,
            "\n"
        )
    );
    let row = check(&plan, &["8", "", ""]).unwrap();
    assert!(
        row.contains(r#""full":"nobody","words":["nobody"]"#),
        "{row}"
    );
    let errors = check(&plan, &["", "Ada", "Lovelace"]).unwrap_err();
    assert_eq!(messages(&errors), ["key: a value is required"]);
    let errors = check(&plan, &["1234567", "Ada", "Lo,ce"]).unwrap_err();
    assert_eq!(
        messages(&errors),
        [
            "key: \"USER#1234567\" has 12 characters, at most 9 allowed",
            "words: it can't be calculated: an item of the list has the separator in it",
        ]
    );
}

#[test]
fn what_can_not_be_calculated_is_an_error_of_the_field() {
    let text = "
fields:
  - { name: id, type: integer }
  - { name: part, type: integer, compute: 100 / id }
  - { name: day, type: date, compute: \"'2024-02-' + string(id)\" }
";
    let plan = plan(text, &["id"]);
    let errors = check(&plan, &["0"]).unwrap_err();
    assert_eq!(
        errors[0].message,
        "part: it can't be calculated: division by zero"
    );
    assert_eq!((errors[0].code, errors[0].field), (Code::Rule, Some(1)));
    // The cell is blamed, and nothing else.
    let errors = check(&plan, &["x"]).unwrap_err();
    assert_eq!(messages(&errors), ["id: \"x\" is not a whole number"]);
    let errors = check(&plan, &["30"]).unwrap_err();
    assert_eq!(errors[0].code, Code::TypeMismatch);
    assert!(
        errors[0].message.starts_with("day: \"2024-02-30\""),
        "{}",
        errors[0].message
    );
}

/// A required field that is calculated from a missing value is missing itself.
#[test]
fn a_required_field_is_never_left_out() {
    let text = "
fields:
  - { name: id, type: integer, severity: warning }
  - { name: other }
  - { name: key, compute: 'string(id)', required: true }
";
    let plan = plan(text, &["id", "other"]);
    assert_eq!(
        messages(&check(&plan, &["", "y"]).unwrap_err()),
        ["key: a value is required"]
    );
    let errors = check(&plan, &["x", "y"]).unwrap_err();
    assert_eq!(
        messages(&errors),
        [
            "id: \"x\" is not a whole number",
            "key: a value is required"
        ]
    );
}

/// A key that is calculated is as good as one in the file.
#[test]
fn calculated_keys_are_unique_over_the_job() {
    let text = "
fields:
  - { name: a }
  - { name: b }
  - { name: key, compute: a + '/' + b, unique: true }
";
    let plan = plan(text, &["a", "b"]);
    let keys = |cells: [&str; 2]| {
        let mut out = Vec::new();
        plan.unique_keys(&cells[..], &mut Scratch::default(), &mut out);
        out
    };
    assert_eq!(keys(["x", "y/z"]), keys(["x/y", "z"]));
    assert_ne!(keys(["x", "y"]), keys(["x", "z"]));
    assert!(keys(["x", "y"])[0].is_some());
}

/// What is made of a secret is one.
#[test]
fn secrets_stay_secret_when_they_are_calculated_with() {
    let text = "
fields:
  - { name: pin, sensitive: true }
  - { name: code, type: integer, compute: \"'x' + pin\" }
rules: [{ check: pin != 'planted' }]
";
    assert!(definition(text).fields()[1].sensitive);
    let errors = check(&plan(text, &["pin"]), &["planted"]).unwrap_err();
    assert_eq!(
        messages(&errors),
        [
            "code: the value is not a whole number",
            "rule 1 does not hold: pin != 'planted'"
        ]
    );
}

/// However a row is calculated, its part of the output stays within what is planned for.
#[test]
fn calculated_texts_are_no_larger_than_planned() {
    let text = "
fields:
  - { name: a }
  - { name: b, compute: 'a + a + a + a + a + a + a + a' }
  - { name: c, compute: 'a + a + a + a + a + a + a + a + a + a' }
";
    let plan = plan(text, &["a"]);
    assert!(plan.bytes_of_every_row() > 2 * 256);
    let cell = "x".repeat(10_000);
    let errors = check(&plan, &[&cell]).unwrap_err();
    assert_eq!(
        messages(&errors),
        ["c: it can't be calculated: a text or a list grows too large"]
    );
}

#[test]
fn faults_are_where_the_expression_is() {
    for (text, expected) in [
        (
            "fields: [{ name: age, type: integer }]\nrules:\n  - check: ag > 5\n",
            "line 3, column 12: rules[0].check: there is no field \"ag\"; did you mean \"age\"? (at character 1)",
        ),
        (
            "fields: [{ name: age, type: integer }]\nrules:\n  - { check: age > 5, when: age >, field: agee }\n",
            "line 3, column 29: rules[0].when: the expression ends where a value is expected (at character 6)\n\
             line 3, column 43: rules[0].field: there is no field \"agee\"; did you mean \"age\"?",
        ),
        (
            "fields:\n  - { name: age, type: integer, check: value > x }\n",
            "line 2, column 40: fields[0].check: there is no field \"x\" (at character 9)",
        ),
        (
            "fields:\n  - name: age\n    check: [value == '', { check: 'value = 1' }]\n",
            "line 3, column 35: fields[0].check[1].check: = is no operator: write == to compare (at character 7)",
        ),
        (
            "rules: [{ check: age > 5 }]\n",
            "line 1, column 18: rules[0].check: there is no field \"age\" (at character 1)",
        ),
        (
            "fields:\n  - { name: a, compute: b + 'x' }\n  - { name: b }\n",
            "line 2, column 25: fields[0].compute: a field is calculated from those above it; put it below \"b\"",
        ),
        (
            "fields: [{ name: a, compute: a + 'x' }]\n",
            "line 1, column 30: fields[0].compute: a field can't be calculated from itself",
        ),
        (
            "fields: [{ name: b }, { name: a, compute: b + 1, column: c }]\n",
            "line 1, column 58: fields[1].column: a calculated field has no column, so it does not have this key",
        ),
        (
            "rules: [{ when: 'true' }]\n",
            "line 1, column 9: rules[0]: the key \"check\" is missing",
        ),
        (
            "rules: [{ check: 'true', severty: warning }]\n",
            "line 1, column 26: rules[0].severty: unknown key \"severty\"; expected one of when, check, message, field, severity; did you mean \"severity\"?",
        ),
        // The fields are to be mended first; what is wrong whatever they are is said besides.
        (
            "fields: [{ name: a, type: intger }]\nrules: [{ check: b > 1 }, { check: a > }]\n",
            "line 1, column 27: fields[0].type: unknown type \"intger\"; expected one of",
        ),
    ] {
        let found = faults(text);
        assert!(found.starts_with(expected), "{text}\n{found}\n{expected}");
    }
    let found =
        faults("fields: [{ name: a, type: intger }]\nrules: [{ check: b > 1 }, { check: a > }]\n");
    assert!(found.ends_with("line 2, column 36: rules[1].check: the expression ends where a value is expected (at character 4)"), "{found}");
    assert_eq!(found.lines().count(), 2, "{found}");
}

proptest! {
    /// With rules that always hold, a row is what it is without rules, and so are its errors.
    #[test]
    fn rules_that_hold_change_nothing(cells in proptest::collection::vec("[0-9x-]{0,4}", 3)) {
        prop_assume!(cells.iter().any(|cell| !cell.is_empty()));
        let fields = "fields: [{ name: a, type: integer }, { name: b, type: number }, { name: c, required: true }]\n";
        let with = fields.to_owned() + "rules: [{ check: a == a && b <= b }, { check: size(c) < 9 }]\n";
        let header = ["a", "b", "c"];
        prop_assert_eq!(check(&plan(fields, &header), &cells), check(&plan(&with, &header), &cells));
    }
}
