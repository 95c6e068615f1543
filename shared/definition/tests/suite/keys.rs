//! What the keys of fields, rows and dialects may hold, and what is said where they hold something
//! else. What they do to rows is on the reference page, whose examples are run.

use batchfleet_definition::{
    Constraints, Literal, Pad, Ragged, Reading, Severity, Transform, Unique, UniqueTogether,
    UnknownColumns,
};
use batchfleet_grammar::LineEnd;

use crate::{definition, faults};

/// The fault of one field, without its place.
#[track_caller]
fn assert_field_faults(cases: &[(&str, &str)]) {
    for (field, expected) in cases {
        let text = format!("fields: [{{ name: a, {field} }}]");
        assert_faults(&text, expected);
    }
}

#[track_caller]
fn assert_faults(text: &str, expected: &str) {
    let found = faults(text);
    let lines: Vec<&str> = found
        .lines()
        .map(|line| line.splitn(3, ": ").nth(2).unwrap_or(line))
        .collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    assert_eq!(lines, expected, "{text}\n{found}");
}

#[test]
fn every_key_of_a_field_is_plain_data() {
    let text = r#"
fields:
  - name: sku
    description: the number of the article
    column: Article No
    aliases: [SKU, " Item "]
    required: true
    trim: true
    null_values: ["-", n/a]
    transforms: [trim, uppercase, { pad_left: { length: 9, with: "0" } }]
    pattern: "^[A-Z0-9]+$"
    min_length: 2
    max_length: 9
    one_of: [ABC, DEF]
    ignore_case: true
    unique: { ignore_case: false }
    severity: warning
    message: look at the label
    suggestion: ABC
    sensitive: true
  - { name: amount, type: integer, min: 1, max: 10 }
  - { name: origin, constant: crm }
ragged: reject
unknown_columns: keep
skip_empty_rows: false
unique_together: [[sku, amount], { fields: [amount, sku], ignore_case: false }]
"#;
    let read = definition(text);
    let sku = &read.fields()[0];
    assert_eq!(
        sku.description.as_deref(),
        Some("the number of the article")
    );
    assert_eq!(sku.column.as_deref(), Some("Article No"));
    assert_eq!(sku.aliases, ["SKU", "Item"]);
    assert_eq!(
        sku.headers().collect::<Vec<_>>(),
        ["Article No", "SKU", "Item"]
    );
    assert!(sku.required && sku.trim && sku.sensitive);
    assert_eq!(sku.null_values, ["-", "n/a"]);
    let pad = Pad {
        length: 9,
        with: '0',
    };
    assert_eq!(
        sku.transforms,
        [
            Transform::Trim,
            Transform::Uppercase,
            Transform::PadLeft(pad)
        ]
    );
    let text = |text: &str| Literal::Str(text.to_owned());
    assert_eq!(
        sku.constraints,
        Constraints {
            pattern: Some("^[A-Z0-9]+$".to_owned()),
            min: None,
            max: None,
            min_length: Some(2),
            max_length: Some(9),
            one_of: vec![text("ABC"), text("DEF")],
            ignore_case: true,
        }
    );
    assert_eq!(sku.unique, Some(Unique { ignore_case: false }));
    assert_eq!(sku.severity, Severity::Warning);
    assert_eq!(sku.message.as_deref(), Some("look at the label"));
    assert_eq!(sku.suggestion.as_deref(), Some("ABC"));
    let amount = &read.fields()[1];
    assert_eq!(
        (&amount.constraints.min, &amount.constraints.max),
        (&Some(Literal::Int(1)), &Some(Literal::Int(10)))
    );
    assert_eq!(amount.severity, Severity::Error);
    assert!(amount.trim && amount.unique.is_none());
    assert_eq!(read.fields()[2].constant, Some(text("crm")));
    assert_eq!(read.fields()[2].headers().count(), 0);
    assert_eq!(read.ragged(), Ragged::Reject);
    assert_eq!(read.unknown_columns(), UnknownColumns::Keep);
    assert!(!read.skip_empty_rows());
    let together = |fields: [&str; 2], ignore_case| UniqueTogether {
        fields: fields.map(str::to_owned).to_vec(),
        unique: Unique { ignore_case },
    };
    assert_eq!(
        read.unique_together(),
        [
            together(["sku", "amount"], true),
            together(["amount", "sku"], false)
        ]
    );
    let strict = definition("fields: [{ name: a }]\nstrict: true");
    assert_eq!(strict.unknown_columns(), UnknownColumns::Error);
    let none = definition("fields: [{ name: a, unique: false, default: x }]\nstrict: false");
    assert_eq!(none.fields()[0].unique, None);
    assert_eq!(none.unknown_columns(), UnknownColumns::Ignore);
}

#[test]
fn every_key_of_a_dialect_is_plain_data() {
    let text = r##"
dialect:
  encoding: latin1
  delimiter: tab
  quote: "'"
  escape: "\\"
  comment: "#"
  line_end: any
  trim: true
  preamble_rows: 3
  columns: [id, " Full Name "]
  footer_rows: 2
"##;
    let expected = Reading {
        encoding: Some("windows-1252".to_owned()),
        delimiter: Some(b'\t'),
        quote: Some(Some(b'\'')),
        escape: Some(Some(b'\\')),
        comment: Some(Some(b'#')),
        line_end: Some(LineEnd::Any),
        trim: Some(true),
        preamble_rows: Some(3),
        header: Some(false),
        columns: vec!["id".to_owned(), "Full Name".to_owned()],
        footer_rows: 2,
    };
    assert_eq!(definition(text).reading(), &expected);
    let none = "dialect: { quote: none, escape: none, comment: none, line_end: lf, header: true }";
    let none = definition(none).reading().clone();
    assert_eq!(
        (none.quote, none.escape, none.comment),
        (Some(None), Some(None), Some(None))
    );
    assert_eq!(
        (none.line_end, none.header),
        (Some(LineEnd::Lf), Some(true))
    );
    let auto = "dialect: { encoding: auto, delimiter: auto, quote: auto, escape: auto, comment: auto, \
                line_end: auto, trim: auto, preamble_rows: auto, header: auto, columns: auto, \
                footer_rows: auto }";
    assert_eq!(definition(auto).reading(), &Reading::default());
}

#[test]
fn dialects_that_make_no_sense() {
    let sign = "expected one ASCII character in quotes, \"none\" or \"auto\"";
    for (keys, expected) in [
        (
            "encoding: utf_8",
            "expected an encoding, such as UTF-8, windows-1252 or \"auto\", found \"utf_8\"; did you mean \"UTF-8\"?",
        ),
        ("escape: ab", &format!("{sign}, found \"ab\"")),
        ("comment: é", &format!("{sign}, found \"é\"")),
        (
            "line_end: cr",
            "unknown line_end \"cr\"; expected one of lf, any, auto",
        ),
        (
            "trim: 1",
            "expected true or false, found the number 1; did you mean true?",
        ),
        (
            "preamble_rows: -1",
            "expected a whole number from 0 to 10000, found the number -1",
        ),
        (
            "footer_rows: many",
            "expected a whole number from 0 to 1000, found \"many\"",
        ),
        ("columns: []", "expected at least one name"),
        (
            "columns: [a, A]",
            "duplicate column \"A\"; case does not count",
        ),
        (
            "header: true, columns: [a]",
            "a file with a header names its columns itself; say \"header: false\" if it has none",
        ),
    ] {
        assert_faults(&format!("dialect: {{ {keys} }}"), expected);
    }
}

#[test]
fn fields_that_make_no_sense() {
    assert_field_faults(&[
        ("aliases: x", "expected a list of headers, found \"x\""),
        (
            "aliases: [' ', _codes]",
            "expected the header of a column, found \" \"
             the name \"_codes\" is taken by reports of rejected rows",
        ),
        (
            "null_values: { a: b }",
            "expected a list of texts, found a mapping",
        ),
        (
            "severity: fatal",
            "unknown severity \"fatal\"; expected one of error, warning",
        ),
        (
            "unique: yes",
            "expected true or false, found \"yes\"; did you mean true?",
        ),
        (
            "unique: { ignore: true }",
            "unknown key \"ignore\"; expected \"ignore_case\"",
        ),
        (
            "unique: true, default: x",
            "a unique field has no default: the second row with it would be a duplicate",
        ),
        (
            "constant: x, required: true, default: y",
            "a constant has no column, so it does not have this key
             a constant has no column, so it does not have this key",
        ),
        (
            "type: integer, constant: x",
            "expected a whole number of 64 bits, found \"x\"",
        ),
        (
            "ignore_case: true",
            "expected the type \"enum\" or the key \"one_of\" beside it",
        ),
        ("message: [a]", "expected a sentence, found a list"),
        (
            &format!("suggestion: {}", "x".repeat(2049)),
            "the text is 2049 bytes long, more than the 2048 allowed",
        ),
    ]);
}

#[test]
fn constraints_that_make_no_sense() {
    let texts = "string, email, url, uuid, phone, enum";
    assert_field_faults(&[
        (
            "type: integer, pattern: x",
            &format!("the type integer does not have this key; it belongs to {texts}"),
        ),
        (
            "pattern: '['",
            "not a regular expression: unclosed character class",
        ),
        (
            "min: 1",
            "the type string does not have this key; it belongs to integer, number, decimal, date, datetime",
        ),
        (
            "type: date, min: 2023-02-29",
            "expected a date (YYYY-MM-DD), found \"2023-02-29\"",
        ),
        (
            "type: number, min: 2, max: 1.5",
            "expected at least min, which is 2",
        ),
        (
            "type: date, min: 2024-01-02, max: 2024-01-01",
            "expected at least min, which is 2024-01-02",
        ),
        (
            "min_length: 2, max_length: 1",
            "expected at least min_length, which is 2",
        ),
        (
            "type: boolean, max_length: 1",
            &format!("the type boolean does not have this key; it belongs to {texts}, array"),
        ),
        ("one_of: []", "expected at least one value"),
        (
            "type: integer, one_of: [1, x]",
            "expected a whole number of 64 bits, found \"x\"",
        ),
        (
            "type: integer, min: 1, default: 0",
            "the value is below the minimum 1",
        ),
        (
            "constant: x, one_of: [a, b]",
            "the value is none of the values allowed: a, b",
        ),
    ]);
}

#[test]
fn transforms_that_make_no_sense() {
    let text = "expected text of 1 to 2048 bytes";
    assert_field_faults(&[
        (
            "transforms: trim",
            "expected a list of transforms, found \"trim\"",
        ),
        (
            "transforms: [truncate]",
            "expected a value, such as truncate: 100",
        ),
        (
            "transforms: [{ strip: '' }, { prefix: [] }]",
            &format!("{text}, found \"\"\n{text}, found a list"),
        ),
        (
            "transforms: [{ strip: a, remove: b }]",
            "expected one transform for each item of the list",
        ),
        (
            "transforms: [{ replace: { pattern: '(' } }]",
            "the key \"with\" is missing
             not a regular expression: unclosed group",
        ),
        (
            "transforms: [{ map: {} }, { map: [a] }]",
            "expected at least one text and what it becomes
             expected a mapping of texts to texts, found a list",
        ),
        (
            "transforms: [{ map: { a: b, a: c } }]",
            "duplicate key, first on line 1",
        ),
        (
            "transforms: [{ truncate: 0 }]",
            "expected a whole number from 1 to 1048576, found the number 0",
        ),
        (
            "transforms: [{ pad_left: { with: ab } }]",
            "the key \"length\" is missing
             expected one character in quotes, found \"ab\"",
        ),
        (
            &format!("transforms: [{}]", "trim,".repeat(33)),
            "expected at most 32 transforms, found 33",
        ),
    ]);
}

#[test]
fn rows_that_make_no_sense() {
    let fields = "fields: [{ name: a }, { name: b }]\n";
    for (text, expected) in [
        (
            "ragged: fill",
            "unknown ragged \"fill\"; expected one of pad, reject, truncate",
        ),
        (
            "unknown_columns: drop",
            "unknown unknown_columns \"drop\"; expected one of ignore, keep, error",
        ),
        (
            "strict: true\nunknown_columns: keep",
            "\"strict: true\" says that unknown columns are errors",
        ),
        (
            "skip_empty_rows: no",
            "expected true or false, found \"no\"; did you mean false?",
        ),
        (
            "unique_together: [a, b]",
            "expected a list of two fields or more, found \"a\"
             expected a list of two fields or more, found \"b\"",
        ),
        (
            "unique_together: [[a]]",
            "expected two fields or more; one alone is \"unique: true\" at the field",
        ),
        (
            "unique_together: [[a, a]]",
            "the field \"a\" is named twice",
        ),
        (
            "unique_together: [[a, c], { ignore_case: true }]",
            "unknown field \"c\"; expected one of a, b
             the key \"fields\" is missing",
        ),
    ] {
        assert_faults(&format!("{fields}{text}"), expected);
    }
    assert_faults(
        "strict: true",
        "expected \"fields\" in the definition: without them no column is unknown",
    );
    assert_faults(
        "unique_together: [[a, b]]",
        "expected \"fields\" in the definition",
    );
    let key = "fields: [{ name: a, required: true, severity: warning }]\n\
               destination: { type: dynamodb, table: abc, key: [a] }";
    assert_faults(
        key,
        "the field \"a\" is part of a key, so it needs the severity \"error\"",
    );
}

#[test]
fn a_header_belongs_to_one_field() {
    for (fields, expected) in [
        (
            "{ name: a, aliases: [x] }, { name: b, aliases: [y, ' X '] }",
            "the header \"X\" belongs to the field \"a\" already; case does not count",
        ),
        (
            "{ name: a }, { name: b, column: A }",
            "the header \"A\" belongs to the field \"a\" already; case does not count",
        ),
        (
            "{ name: a, column: b }, { name: b }",
            "the header \"b\" belongs to the field \"a\" already; case does not count",
        ),
    ] {
        assert_faults(&format!("fields: [{fields}]"), expected);
    }
    // Its own name twice is no harm, and a constant has no header.
    definition(
        "fields: [{ name: a, aliases: [A, a] }, { name: b, constant: 1 }, { name: c, column: b }]",
    );
}
