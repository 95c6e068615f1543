//! What the faults of broken definitions say, and where they point.

use batchfleet_definition::Definition;

use crate::faults;

/// What stands for the long lists in the faults below.
const LISTS: [(&str, &str); 4] = [
    (
        "<keys>",
        "name, description, dialect, fields, ragged, strict, unknown_columns, skip_empty_rows, \
         unique_together, duplicates_of, rules, batches, destination, retries, max_workers, on_error, tolerated_failures",
    ),
    (
        "<field keys>",
        "name, type, description, required, default, column, aliases, constant, compute, trim, null_values, \
         transforms, check, pattern, min, max, min_length, max_length, one_of, unique, severity, message, \
         suggestion, sensitive, format, formats, time_zone, true_words, false_words, values, \
         ignore_case, separator, items, decimal_separator, thousands_separator, schemes, \
         fraction_digits",
    ),
    (
        "<dialect keys>",
        "encoding, delimiter, quote, escape, comment, line_end, trim, preamble_rows, header, columns, \
         footer_rows",
    ),
    (
        "<types>",
        "string, number, integer, decimal, boolean, date, datetime, email, url, uuid, phone, enum, array, \
         json",
    ),
];

fn with_lists(expected: &str) -> String {
    let mut expected = expected.to_owned();
    for (word, list) in LISTS {
        expected = expected.replace(word, list);
    }
    expected
}

/// Asserts the faults of each text, line by line.
#[track_caller]
fn assert_faults(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(
            faults(text),
            with_lists(&expected.join("\n")),
            "of:\n{text}"
        );
    }
}

#[test]
fn all_faults_of_a_file_are_reported_at_once() {
    let text = "name: my people
fields:
  - name: email
    type: emial
    requird: true
  - name: age
    type: integr
    default: 0
  - type: string
  - name: Email
    required: yes
    default: [1]
batches:
  records: 0
  bytes: big
destination:
  type: s3
max_workers: 5000
";
    let expected = r#"line 1, column 7: name: expected a name of 1 to 64 letters, digits, "-", "_" and ".", found "my people"
line 4, column 11: fields[0].type: unknown type "emial"; expected one of <types>; did you mean "email"?
line 5, column 5: fields[0].requird: unknown key "requird"; expected one of <field keys>; did you mean "required"?
line 7, column 11: fields[1].type: unknown type "integr"; expected one of <types>; did you mean "integer"?
line 9, column 5: fields[2]: the key "name" is missing
line 10, column 11: fields[3].name: duplicate field "Email", first on line 3; case does not count
line 11, column 15: fields[3].required: expected true or false, found "yes"; did you mean true?
line 12, column 14: fields[3].default: expected text, found a list
line 14, column 12: batches.records: expected a whole number from 1 to 1000000, found the number 0
line 15, column 10: batches.bytes: expected a whole number from 65536 to 67108864, found "big"
line 17, column 9: destination.type: unknown type "s3"; expected one of jsonl, dynamodb
line 18, column 14: max_workers: expected a whole number from 1 to 1000, found the number 5000"#;
    assert_eq!(faults(text), with_lists(expected));
}

#[test]
fn faults_carry_their_parts() {
    let faults = Definition::parse("fields:\n  - name: a\n    type: integr\n").unwrap_err();
    let fault = faults.iter().next().unwrap();
    assert_eq!(fault.path, "fields[0].type");
    assert_eq!((fault.line, fault.column), (3, 11));
    assert!(fault.message.starts_with("unknown type"));
    assert_eq!(faults.into_iter().count(), 1);
}

#[test]
fn json_faults_have_places_too() {
    assert_faults(&[
        (
            r#"{"fields": [{"name": "\ud83d\ude00", "type": "text"}], "nme": 1}"#,
            &[
                r#"line 1, column 46: fields[0].type: unknown type "text"; expected one of <types>"#,
                r#"line 1, column 56: nme: unknown key "nme"; expected one of <keys>; did you mean "name"?"#,
            ],
        ),
        (
            "{\"fields\": [\n  {\"name\": \"a\",, }\n]}",
            &[
                "line 2, column 16: not valid YAML: while parsing a node, did not find expected node content",
            ],
        ),
        (
            r#"{"name": "\ud83d"}"#,
            &[
                "line 1, column 10: not valid YAML: while parsing a quoted scalar, found invalid Unicode character escape code",
            ],
        ),
    ]);
}

#[test]
fn the_document_is_one_mapping() {
    assert_faults(&[
        (
            "",
            &["line 1, column 1: the definition is empty; write {} to take every column as text"],
        ),
        (
            "# only a comment\n",
            &["line 1, column 1: the definition is empty; write {} to take every column as text"],
        ),
        (
            "---\n",
            &["line 2, column 1: expected a definition, which is a mapping, found nothing"],
        ),
        (
            "email",
            &["line 1, column 1: expected a definition, which is a mapping, found \"email\""],
        ),
        (
            "- name: a",
            &["line 1, column 1: expected a definition, which is a mapping, found a list"],
        ),
        (
            "42",
            &["line 1, column 1: expected a definition, which is a mapping, found the number 42"],
        ),
        (
            "email,name,age\na@b.c,Ann,3\n",
            &[
                "line 1, column 1: expected a definition, which is a mapping, found \"email,name,age a@b.c,Ann,3\"",
            ],
        ),
        (
            "name: a\n---\nname: b\n",
            &["line 2, column 1: a definition is one document; remove this and what follows"],
        ),
        (
            "name: a b\n---\n{",
            &[
                "line 1, column 7: name: expected a name of 1 to 64 letters, digits, \"-\", \"_\" and \".\", found \"a b\"",
                "line 2, column 1: a definition is one document; remove this and what follows",
            ],
        ),
    ]);
}

#[test]
fn what_yaml_has_beyond_data_is_refused() {
    assert_faults(&[
        (
            "name: &n a\n",
            &["line 1, column 7: anchors (&name) are not allowed; write the value out"],
        ),
        (
            "name: &n a\ndescription: *n\n",
            &[
                "line 1, column 7: anchors (&name) are not allowed; write the value out",
                "line 2, column 14: aliases (*name) are not allowed; write the value out",
            ],
        ),
        (
            "fields: *f\n",
            &["line 1, column 9: aliases (*name) are not allowed; write the value out"],
        ),
        (
            "name: !!str 5\n",
            &["line 1, column 7: tags (!name) are not allowed; quote the value if it is text"],
        ),
        (
            "!def\nname: a\ntype: b\n",
            &[
                "line 1, column 1: tags (!name) are not allowed; quote the value if it is text",
                "line 3, column 1: type: unknown key \"type\"; expected one of <keys>",
            ],
        ),
        (
            "<<: { name: a }\n",
            &["line 1, column 1: <<: unknown key \"<<\"; expected one of <keys>"],
        ),
    ]);
}

#[test]
fn syntax_errors_have_a_place() {
    assert_faults(&[
        (
            "fields:\n\t- name: a\n",
            &[
                "line 2, column 2: not valid YAML: tabs disallowed within this context (block indentation)",
            ],
        ),
        (
            "name: [a\n",
            &[
                "line 2, column 1: not valid YAML: while parsing a flow sequence, expected ',' or ']'",
            ],
        ),
        (
            "name: \"a\n",
            &[
                "line 1, column 7: not valid YAML: while scanning a quoted scalar, found unexpected end of stream",
            ],
        ),
        (
            "fields:\n  - name: a\n   type: b\n",
            &[
                "line 3, column 4: not valid YAML: while parsing a block collection, did not find expected '-' indicator",
            ],
        ),
        (
            "name: a: b\n",
            &["line 1, column 8: not valid YAML: mapping values are not allowed in this context"],
        ),
        (
            "dialect:\n  delimiter: @\n",
            &["line 2, column 14: not valid YAML: unexpected character: `@'"],
        ),
        (
            "name: a\0\nfields: []\n",
            &[
                "line 1, column 8: the control character \\u{0} is not allowed; is this a text file?",
            ],
        ),
        (
            "name: a\n# é\u{1b}[0m\n",
            &[
                "line 2, column 4: the control character \\u{1b} is not allowed; is this a text file?",
            ],
        ),
    ]);
}

#[test]
fn keys_are_known_and_unique() {
    assert_faults(&[
        (
            "name: a\nname: b\nname: c\n",
            &[
                "line 2, column 1: name: duplicate key, first on line 1",
                "line 3, column 1: name: duplicate key, first on line 1",
            ],
        ),
        (
            "Fields: []\n",
            &[
                "line 1, column 1: Fields: unknown key \"Fields\"; expected one of <keys>; did you mean \"fields\"?",
            ],
        ),
        (
            "dialect: { delimeter: ';' }\n",
            &[
                "line 1, column 12: dialect.delimeter: unknown key \"delimeter\"; expected one of <dialect keys>; did you mean \"delimiter\"?",
            ],
        ),
        (
            "destination: { kind: jsonl, kind: s3 }\n",
            &[
                "line 1, column 14: destination: the key \"type\" is missing",
                "line 1, column 16: destination.kind: unknown key \"kind\"; expected one of type, table, key",
                "line 1, column 29: destination.kind: duplicate key, first on line 1",
            ],
        ),
        (
            "? [a]\n: b\n",
            &["line 1, column 3: ?: expected a key, found a list"],
        ),
        (
            "5: b\n",
            &["line 1, column 1: 5: unknown key \"5\"; expected one of <keys>"],
        ),
    ]);
}

#[test]
fn fields_are_a_list_of_mappings() {
    assert_faults(&[
        (
            "fields:\n",
            &["line 1, column 7: fields: expected a list of fields, found nothing"],
        ),
        (
            "fields: []\n",
            &[
                "line 1, column 9: fields: expected at least one field; without \"fields\" every column is text",
            ],
        ),
        (
            "fields: { email: string }\n",
            &["line 1, column 9: fields: expected a list of fields, found a mapping"],
        ),
        (
            "fields:\n  - email\n  -\n",
            &[
                "line 2, column 5: fields[0]: expected a field, which is a mapping, found \"email\"",
                "line 3, column 4: fields[1]: expected a field, which is a mapping, found nothing",
            ],
        ),
        (
            "fields: [{ name: }, { name: '  ' }, { name: \"a\\u0007\" }, { name: _Errors }]\n",
            &[
                "line 1, column 16: fields[0].name: expected the header of a column, found nothing",
                "line 1, column 29: fields[1].name: expected the header of a column, found \"  \"",
                "line 1, column 45: fields[2].name: a name cannot have control characters",
                "line 1, column 66: fields[3].name: the name \"_Errors\" is taken by reports of rejected rows",
            ],
        ),
        (
            "fields: [{ name: Straße }, { name: ' STRASSE ' }, { name: 'straße ' }]\n",
            &[
                "line 1, column 59: fields[2].name: duplicate field \"straße\", first on line 1; case does not count",
            ],
        ),
        (
            "fields: [{ name: [a], type: {}, required: 1 }]\n",
            &[
                "line 1, column 18: fields[0].name: expected the header of a column, found a list",
                "line 1, column 29: fields[0].type: expected one of <types>, found a mapping",
                "line 1, column 43: fields[0].required: expected true or false, found the number 1; did you mean true?",
            ],
        ),
    ]);
}

#[test]
fn defaults_must_fit_their_type() {
    for (field, expected) in [
        (
            "integer, default: 1.0",
            "a whole number of 64 bits, found the number 1.0",
        ),
        (
            "integer, default: '5'",
            "a whole number of 64 bits, found \"5\"",
        ),
        (
            "integer, default: 9223372036854775808",
            "a whole number of 64 bits, found the number 9223372036854775808",
        ),
        (
            "integer, default: none",
            "a whole number of 64 bits, found \"none\"",
        ),
        ("number, default: .inf", "a number, found the number .inf"),
        ("number, default: .nan", "a number, found the number .nan"),
        ("number, default: 1e999", "a number, found the number 1e999"),
        ("number, default: true", "a number, found true"),
        ("boolean, default: maybe", "true or false, found \"maybe\""),
        (
            "boolean, default: 1",
            "true or false, found the number 1; did you mean true?",
        ),
        (
            "boolean, default: 'no'",
            "true or false, found \"no\"; did you mean false?",
        ),
        (
            "date, default: 2023-02-29",
            "a date (YYYY-MM-DD), found \"2023-02-29\"",
        ),
        ("date, default: ''", "a date (YYYY-MM-DD), found \"\""),
        (
            "date, default: 20240101",
            "a date (YYYY-MM-DD), found the number 20240101",
        ),
        (
            "email, default: nobody",
            "an email address, found \"nobody\"",
        ),
        ("string, default: {}", "text, found a mapping"),
    ] {
        let found = faults(&format!("fields: [{{ name: a, type: {field} }}]"));
        let place = field.find(": ").unwrap() + 2 + "fields: [{ name: a, type: ".len() + 1;
        let expected = format!("line 1, column {place}: fields[0].default: expected {expected}");
        assert_eq!(found, expected);
    }
    // Without a type there is nothing the default could fail.
    let found = faults("fields: [{ name: a, type: intger, default: x }]");
    assert_eq!(found.lines().count(), 1, "{found}");
}

#[test]
fn a_dialect_is_two_different_characters() {
    assert_faults(&[
        (
            "dialect: { delimiter: ';;', quote: é }\n",
            &[
                "line 1, column 23: dialect.delimiter: expected one ASCII character in quotes, \"tab\" or \"auto\", found \";;\"",
            ],
        ),
        (
            "dialect: { quote: é }\n",
            &[
                "line 1, column 19: dialect.quote: expected one ASCII character in quotes, \"none\" or \"auto\", found \"é\"",
            ],
        ),
        (
            "dialect: { delimiter: '\"' }\n",
            &["line 1, column 10: dialect: delimiter and quote are both '\"'; they must differ"],
        ),
        (
            "dialect: { delimiter: \"\\n\" }\n",
            &["line 1, column 10: dialect: the delimiter cannot be '\\n'"],
        ),
        (
            "dialect:\n  delimiter: |\n",
            &[
                "line 2, column 14: dialect.delimiter: expected one ASCII character in quotes, \"tab\" or \"auto\", found \"\"",
            ],
        ),
        (
            "dialect: tab\n",
            &["line 1, column 10: dialect: expected a mapping, found \"tab\""],
        ),
    ]);
}

#[test]
fn foreign_text_in_messages_is_cut_and_harmless() {
    let found = faults(&format!("\"{}\\n\\u202e\": 1", "k".repeat(60)));
    assert!(
        found.contains(&format!("{}\\n\\u{{202e}}: unknown key", "k".repeat(60))),
        "{found}"
    );
    let found = faults(&format!("name: {}", "n".repeat(65)));
    assert!(
        found.ends_with(&format!("found \"{}…\"", "n".repeat(64))),
        "{found}"
    );
}

#[test]
fn tolerated_failures_are_numbers_within_bounds() {
    let percent = "expected a number from 0 to 100 with two decimal places at most";
    assert_faults(&[
        (
            "on_error: halt",
            &[
                "line 1, column 11: on_error: unknown on_error \"halt\"; expected one of continue, stop",
            ],
        ),
        (
            "tolerated_failures: {}",
            &["line 1, column 21: tolerated_failures: expected \"count\", \"percent\" or both"],
        ),
        (
            "tolerated_failures: {count: -1, percent: 101}",
            &[
                "line 1, column 29: tolerated_failures.count: expected a whole number from 0 to 4294967295, found the number -1",
                &format!(
                    "line 1, column 42: tolerated_failures.percent: {percent}, found the number 101"
                ),
            ],
        ),
        (
            "tolerated_failures: {percent: 0.125}",
            &[&format!(
                "line 1, column 31: tolerated_failures.percent: {percent}, found the number 0.125"
            )],
        ),
        (
            "tolerated_failures: {percent: \"5\"}",
            &[&format!(
                "line 1, column 31: tolerated_failures.percent: {percent}, found \"5\""
            )],
        ),
    ]);
}

#[test]
fn a_table_has_a_name_and_a_key_of_required_fields() {
    let fields = "fields:
  - { name: id, type: integer, required: true }
  - { name: day, type: date, required: true, default: 2024-01-31 }
  - { name: email, type: email }
  - { name: active, type: boolean, required: true }
";
    let with = |destination: &str| faults(&format!("{fields}destination: {destination}\n"));
    for (destination, expected) in [
        (
            "{ type: dynamodb }",
            "line 6, column 14: destination: the key \"table\" is missing\n\
             line 6, column 14: destination: the key \"key\" is missing",
        ),
        (
            "{ type: dynamodb, table: \"my table\", key: [id] }",
            "line 6, column 39: destination.table: expected the name of a table: 3 to 255 letters, \
             digits, \"_\", \"-\" and \".\", found \"my table\"",
        ),
        (
            "{ type: dynamodb, table: people, key: id }",
            "line 6, column 52: destination.key: expected a list of one or two fields, found \"id\"",
        ),
        (
            "{ type: dynamodb, table: people, key: [] }",
            "line 6, column 52: destination.key: a table's key is one or two fields, its partition key \
             and then its sort key; found 0",
        ),
        (
            "{ type: dynamodb, table: people, key: [ID, id] }",
            "line 6, column 53: destination.key[0]: unknown field \"ID\"; expected one of id, day, email, \
             active; did you mean \"id\"?",
        ),
        (
            "{ type: dynamodb, table: people, key: [id, id] }",
            "line 6, column 57: destination.key[1]: the two fields of a key are different ones",
        ),
        (
            "{ type: dynamodb, table: people, key: [email, day] }",
            "line 6, column 53: destination.key[0]: the field \"email\" is part of a key, so it needs \
             \"required: true\" and no default\n\
             line 6, column 60: destination.key[1]: the field \"day\" is part of a key, so it needs \
             \"required: true\" and no default",
        ),
        (
            "{ type: dynamodb, table: people, key: [active] }",
            "line 6, column 53: destination.key[0]: the field \"active\" is a boolean, which no key can be",
        ),
        (
            "{ type: jsonl, table: people, key: [id] }",
            "line 6, column 36: destination.table: only a destination of the type \"dynamodb\" has this key\n\
             line 6, column 49: destination.key: only a destination of the type \"dynamodb\" has this key",
        ),
    ] {
        let expected: String = expected
            .lines()
            .map(str::trim_start)
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(with(destination), expected, "{destination}");
    }
    assert_faults(&[
        (
            "destination: { type: dynamodb, table: people, key: [id] }\n",
            &[
                "line 1, column 52: destination.key: expected \"fields\" in the definition, of which one is the key",
            ],
        ),
        // What is wrong with the fields is told once.
        (
            "fields: 7\ndestination: { type: dynamodb, table: people, key: [id] }\n",
            &["line 1, column 9: fields: expected a list of fields, found the number 7"],
        ),
    ]);
}

#[test]
fn a_look_up_has_a_table_and_a_key_of_fields() {
    let fields = "fields:
  - { name: id, type: integer }
  - { name: email, type: email }
  - { name: active, type: boolean }
";
    let with = |lookup: &str| faults(&format!("{fields}duplicates_of: [{lookup}]\n"));
    for (lookup, expected) in [
        (
            "{ tabel: x }",
            "line 5, column 17: duplicates_of[0]: the key \"table\" is missing\n\
             line 5, column 17: duplicates_of[0]: the key \"key\" is missing\n\
             line 5, column 19: duplicates_of[0].tabel: unknown key \"tabel\"; expected one of table, key, \
             severity, message; did you mean \"table\"?",
        ),
        (
            "{ table: a b, key: [id], severity: fatal }",
            "line 5, column 26: duplicates_of[0].table: expected the name of a table: 3 to 255 letters, digits, \
             \"_\", \"-\" and \".\", found \"a b\"\n\
             line 5, column 36: duplicates_of[0].key: expected a mapping of the table's key attributes to \
             fields: { customer_email: email }, found a list\n\
             line 5, column 52: duplicates_of[0].severity: unknown severity \"fatal\"; expected one of error, \
             warning",
        ),
        (
            "{ table: people, key: {} }",
            "line 5, column 39: duplicates_of[0].key: a table's key is one or two attributes, its partition \
             key and its sort key; found 0",
        ),
        (
            "{ table: people, key: { a: ID, b: active } }",
            "line 5, column 44: duplicates_of[0].key.a: unknown field \"ID\"; expected one of id, email, active; \
             did you mean \"id\"?\n\
             line 5, column 51: duplicates_of[0].key.b: the field \"active\" is a boolean, which no key can be",
        ),
        (
            "{ table: people, key: { a: id, b: id } }",
            "line 5, column 51: duplicates_of[0].key.b: the two attributes of a key have different fields",
        ),
        (
            "people",
            "line 5, column 17: duplicates_of[0]: expected a mapping with \"table\" and \"key\", or the word \
             destination, found \"people\"",
        ),
        (
            "destination",
            "line 5, column 17: duplicates_of[0]: the destination is no table: expected a destination of the \
             type \"dynamodb\"",
        ),
    ] {
        assert_eq!(with(lookup), expected, "{lookup}");
    }
    assert_faults(&[
        (
            "duplicates_of: destination\n",
            &["line 1, column 16: duplicates_of: expected a list of tables, found \"destination\""],
        ),
        (
            "duplicates_of: [{ table: people, key: { id: id } }]\n",
            &[
                "line 1, column 39: duplicates_of[0].key: expected \"fields\" in the definition, which have the \
                 values of the key",
            ],
        ),
    ]);
}

/// The short form is the destination's table and key; the long one maps attributes to fields.
#[test]
fn a_look_up_is_read_whole() {
    let text = "fields:
  - { name: id, type: decimal, required: true }
  - { name: phone, type: phone }
duplicates_of:
  - destination
  - { table: customers, key: { tel: phone, no: id }, severity: warning, message: known }
destination: { type: dynamodb, table: people, key: [id] }
";
    let definition = Definition::parse(text).unwrap();
    let [own, other] = definition.duplicates_of() else {
        panic!("{:?}", definition.duplicates_of());
    };
    assert_eq!((own.table.as_str(), own.is_destination), ("people", true));
    let part = |one: &batchfleet_definition::LookupField| {
        (one.attribute.clone(), one.field.clone(), one.is_number)
    };
    let parts: Vec<_> = own.key.iter().map(part).collect();
    assert_eq!(parts, [("id".to_owned(), "id".to_owned(), true)]);
    let parts: Vec<_> = other.key.iter().map(part).collect();
    let expected = [("tel", "phone", false), ("no", "id", true)];
    assert_eq!(
        parts,
        expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c))
    );
    assert_eq!(other.message.as_deref(), Some("known"));
    assert_eq!(other.severity, batchfleet_definition::Severity::Warning);

    let plan = definition
        .bind(&[b"id".to_vec(), b"phone".to_vec()])
        .unwrap();
    let said = plan.external_duplicate(0);
    assert_eq!(said.field, Some(0));
    assert_eq!(
        said.message,
        "id: the destination, the table people has this record already"
    );
    let said = plan.external_duplicate(1);
    assert_eq!((said.field, &*said.message), (None, "phone, id: known"));
}

/// What a key can be: numbers are N, and whatever is written as text is S.
#[test]
fn keys_of_every_type() {
    for (kind, is_number) in [
        ("integer", true),
        ("number", true),
        ("decimal", true),
        ("string", false),
        ("date", false),
        ("datetime", false),
        ("email", false),
        ("url", false),
        ("uuid", false),
        ("phone", false),
        ("enum, values: [a]", false),
    ] {
        let text = format!(
            "fields: [{{ name: id, required: true, type: {kind} }}]\n\
             destination: {{ type: dynamodb, table: people, key: [id] }}\n"
        );
        let definition = Definition::parse(&text).unwrap();
        let batchfleet_definition::Destination::DynamoDb(to) = definition.destination() else {
            panic!("{kind}");
        };
        assert_eq!(to.key[0].is_number, is_number, "{kind}");
    }
}

#[test]
fn retries_have_their_bounds() {
    assert_faults(&[
        (
            "retries: { max: 11, base_ms: 0, cap_ms: 60001, jitter: full }\n",
            &[
                "line 1, column 17: retries.max: expected a whole number from 0 to 10, found the number 11",
                "line 1, column 30: retries.base_ms: expected a whole number from 1 to 60000, found the number 0",
                "line 1, column 41: retries.cap_ms: expected a whole number from 1 to 60000, found the number 60001",
                "line 1, column 48: retries.jitter: unknown key \"jitter\"; expected one of max, base_ms, cap_ms",
            ],
        ),
        (
            "retries: { base_ms: 500, cap_ms: 499 }\n",
            &["line 1, column 34: retries.cap_ms: expected at least base_ms, which is 500"],
        ),
        (
            "retries: 3\n",
            &["line 1, column 10: retries: expected a mapping, found the number 3"],
        ),
    ]);
}
