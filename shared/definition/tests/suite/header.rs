//! How definitions bind to the headers of files.

use batchfleet_definition::{Definition, HeaderFault, MAX_COLUMNS};
use batchfleet_grammar::Limits;

use crate::{check, definition, header, plan};

const PEOPLE: &str = "
fields:
  - { name: Email, type: email, required: true }
  - { name: Full Name }
  - { name: age, type: integer, default: 7 }
";

#[track_caller]
fn faults(text: &str, names: &[&str]) -> String {
    let faults = definition(text).bind(&header(names));
    faults.expect_err("faults").to_string()
}

#[test]
fn names_compare_trimmed_and_without_case() {
    let plan = plan(PEOPLE, &["AGE", " full name ", "\u{a0}eMail\t"]);
    assert_eq!(plan.columns(), 3);
    assert_eq!(
        plan.field_names().collect::<Vec<_>>(),
        ["Email", "Full Name", "age"]
    );
    assert_eq!(plan.field_name(2), Some("age"));
    assert_eq!(plan.field_name(3), None);
    let row = check(&plan, &["3", "Ann", "a@b.c"]).unwrap();
    assert_eq!(
        row,
        "{\"Email\":\"a@b.c\",\"Full Name\":\"Ann\",\"age\":3}\n"
    );
}

#[test]
fn unknown_columns_are_ignored_and_listed() {
    let plan = plan(PEOPLE, &["email", "Shoe Size", "", "notes"]);
    assert_eq!(plan.ignored_columns(), ["Shoe Size", "", "notes"]);
    let row = check(&plan, &["a@b.c", "44", "x", "y"]).unwrap();
    assert_eq!(row, "{\"Email\":\"a@b.c\",\"Full Name\":null,\"age\":7}\n");
}

#[test]
fn columns_of_our_reports_are_dropped() {
    let names = ["_record", "email", "_LINE", "_errors", "_Codes"];
    let people = plan(PEOPLE, &names);
    assert_eq!(people.columns(), 5);
    assert!(people.ignored_columns().is_empty());
    let open = plan("{}", &names);
    assert_eq!(open.field_names().collect::<Vec<_>>(), ["email"]);
    assert!(open.ignored_columns().is_empty());
    assert_eq!(
        check(&open, &["1", "x", "2", "", ""]).unwrap(),
        "{\"email\":\"x\"}\n"
    );
}

#[test]
fn an_open_definition_takes_every_column_as_text() {
    let open = Definition::open()
        .bind(&header(&[" Id ", "", "naïve \"x\"", ""]))
        .unwrap();
    let row = check(&open, &["1", " ", "", "NaN"]).unwrap();
    assert_eq!(
        row,
        "{\"Id\":\"1\",\"column_2\":\" \",\"naïve \\\"x\\\"\":\"\",\"column_4\":\"NaN\"}\n"
    );
}

#[test]
fn a_given_name_cannot_meet_another() {
    assert_eq!(
        faults("{}", &["", "column_1"]),
        "columns 1 and 2 have the same name \"column_1\""
    );
}

#[test]
fn missing_columns_are_named_with_what_may_be_meant() {
    let text = "
fields:
  - { name: email, required: true }
  - { name: role, required: true, default: guest }
  - { name: age }";
    assert_eq!(
        faults(text, &["e-mail", "Age", "shoe"]),
        "the column \"email\" is required but missing; is it the column \"e-mail\"?\n\
         the column \"role\" is required but missing"
    );
    let found = definition(text)
        .bind(&header(&["emial", "role"]))
        .unwrap_err();
    let expected = HeaderFault::MissingRequired {
        field: "email".to_owned(),
        did_you_mean: Some("emial".to_owned()),
    };
    assert_eq!(found.0, [expected]);
}

#[test]
fn a_file_without_any_known_column_is_refused() {
    assert_eq!(
        faults("fields: [{ name: a }, { name: b }]", &["x", "y"]),
        "no column of the header is a field of the definition; is this the right file?"
    );
}

#[test]
fn duplicate_names_are_refused_where_they_matter() {
    let names = ["email", "note", "", "Note ", "", "EMAIL", "note"];
    let twice = "columns 1 and 6 have the same name \"EMAIL\"";
    assert_eq!(faults(PEOPLE, &names), twice);
    let all = format!(
        "columns 2 and 4 have the same name \"Note\"\n{twice}\n\
         columns 2 and 7 have the same name \"note\""
    );
    assert_eq!(faults("{}", &names), all);
    assert_eq!(
        faults(&format!("{PEOPLE}unknown_columns: keep\n"), &names),
        all
    );
    let ignored = plan(PEOPLE, &["email", "note", "Note", "", ""]);
    assert_eq!(ignored.ignored_columns(), ["note", "Note", "", ""]);
}

#[test]
fn headers_are_text() {
    let cells = [
        b"email\0".to_vec(),
        b"caf\xe9".to_vec(),
        b"a\nb".to_vec(),
        b"\x1b[1m".to_vec(),
    ];
    let faults = definition(PEOPLE).bind(&cells).unwrap_err();
    let expected = [
        HeaderFault::NotText { column: 1 },
        HeaderFault::NotUtf8 { column: 2 },
        HeaderFault::NotText { column: 4 },
    ];
    assert_eq!(faults.0, expected);
    assert_eq!(
        faults.to_string(),
        "the name of column 1 has control characters; is this a CSV file?\n\
         the name of column 2 is not valid UTF-8 text; save the file as UTF-8\n\
         the name of column 4 has control characters; is this a CSV file?"
    );
}

#[test]
fn a_name_may_have_a_line_break() {
    let plan = plan("fields: [{ name: \"Full\\nName\" }]", &["full\nname"]);
    assert_eq!(
        check(&plan, &["Ann"]).unwrap(),
        "{\"Full\\nName\":\"Ann\"}\n"
    );
}

#[test]
fn an_empty_header_is_refused() {
    let expected = "the header is empty: the first row must name the columns";
    for names in [
        &[][..],
        &[""],
        &["", "  ", "\t"],
        &["_record", "_errors"],
        &["_record", ""],
    ] {
        assert_eq!(faults("{}", names), expected, "{names:?}");
        assert_eq!(faults(PEOPLE, names), expected, "{names:?}");
    }
}

#[test]
fn columns_are_bounded_within_what_the_grammar_keeps() {
    assert!(MAX_COLUMNS <= Limits::default().columns_max);
    let names = |count: usize| {
        (0..count)
            .map(|name| name.to_string().into_bytes())
            .collect::<Vec<_>>()
    };
    assert!(Definition::open().bind(&names(MAX_COLUMNS)).is_ok());
    let faults = Definition::open()
        .bind(&names(MAX_COLUMNS + 1))
        .unwrap_err();
    assert_eq!(
        faults.to_string(),
        "the header has 4097 columns, more than the 4096 allowed"
    );
}
