//! Definitions that are accepted, and what they come to.

use batchfleet_definition::{
    Batches, Definition, Destination, FieldType, KeyField, Literal, Retries, TableDestination,
    Tolerated,
};

use crate::definition;

const FULL: &str = r#"
name: people            # optional
description: Everybody who signed up
dialect:
  delimiter: ";"
  quote: "'"
fields:
  - name: email
    type: email
    required: true
  - name: age
    type: integer
    default: 0
  - { name: score, type: number, default: 1.5 }
  - { name: active, type: boolean, default: false }
  - { name: since, type: date, default: 2024-01-31 }
  - { name: role, default: guest }
batches: { records: 5000, bytes: 8388608 }
destination: { type: jsonl }
max_workers: 50
"#;

#[test]
fn every_key_is_read() {
    let people = definition(FULL);
    assert_eq!(people.name(), Some("people"));
    assert_eq!(people.description(), Some("Everybody who signed up"));
    assert_eq!(people.reading().dialect().delimiter, b';');
    assert_eq!(people.reading().dialect().quote, Some(b'\''));
    let batches = Batches {
        records: Some(5000),
        bytes: Some(8_388_608),
    };
    assert_eq!(people.batches(), batches);
    assert_eq!(people.destination(), &Destination::JsonLines);
    assert_eq!(people.retries(), Retries::default());
    assert_eq!(people.max_workers(), Some(50));
    let fields: Vec<_> = people
        .fields()
        .iter()
        .map(|field| {
            let name = field.name.as_str();
            (name, field.kind, field.required, field.default.clone())
        })
        .collect();
    let text = |text: &str| Some(Literal::Str(text.to_owned()));
    assert_eq!(
        fields,
        [
            ("email", FieldType::Email, true, None),
            ("age", FieldType::Integer, false, Some(Literal::Int(0))),
            ("score", FieldType::Number, false, Some(Literal::Num(1.5))),
            (
                "active",
                FieldType::Boolean,
                false,
                Some(Literal::Bool(false))
            ),
            ("since", FieldType::Date, false, text("2024-01-31")),
            ("role", FieldType::String, false, text("guest")),
        ]
    );
}

#[test]
fn json_is_read_as_yaml_is() {
    let json = r#"{
	"name": "people",
	"description": "Everybody who signed up",
	"dialect": {"delimiter": ";", "quote": "'"},
	"fields": [
		{"name": "email", "type": "email", "required": true},
		{"name": "age", "type": "integer", "default": 0},
		{"name": "score", "type": "number", "default": 1.5},
		{"name": "active", "type": "boolean", "default": false},
		{"name": "since", "type": "date", "default": "2024-01-31"},
		{"name": "role", "type": "string", "default": "guest"}
	],
	"batches": {"records": 5000, "bytes": 8388608},
	"destination": {"type": "jsonl"},
	"max_workers": 50
}"#;
    assert_eq!(definition(json), definition(FULL));
    let compact = serde_json::to_string(&serde_json::from_str::<serde_json::Value>(json).unwrap());
    assert_eq!(definition(&compact.unwrap()), definition(FULL));
}

#[test]
fn json_strings_may_escape_everything() {
    let text = r#"{"fields":[{"name":"\"a\\b\/c\"\u00e9\t\n\ud83d\ude00\uD83E\udd80","default":"\u0041\ud83d\ude00\\ud83d"}]}"#;
    let read = definition(text);
    assert_eq!(read.fields()[0].name, "\"a\\b/c\"é\t\n😀🦀");
    let default = Literal::Str("A😀\\ud83d".to_owned());
    assert_eq!(read.fields()[0].default, Some(default));
}

#[test]
fn an_open_definition_has_no_fields() {
    for text in [
        "{}",
        Definition::OPEN_TEXT,
        "# nothing\n{}",
        "\u{feff}{}",
        "---\n{}\n...\n",
    ] {
        assert_eq!(definition(text), Definition::open(), "{text:?}");
    }
    let only_dialect = definition("dialect: { delimiter: tab, quote: none }");
    assert!(only_dialect.is_open());
    assert_eq!(only_dialect.reading().dialect().delimiter, b'\t');
    assert_eq!(only_dialect.reading().dialect().quote, None);
    assert_eq!(
        definition("dialect: { delimiter: \"\\t\" }")
            .reading()
            .dialect()
            .delimiter,
        b'\t'
    );
    assert_eq!(definition("dialect: {}"), Definition::open());
}

#[test]
fn parsing_is_deterministic() {
    assert_eq!(definition(FULL), definition(FULL));
    let windows = FULL.replace('\n', "\r\n");
    assert_eq!(definition(&windows), definition(FULL));
}

#[test]
fn names_may_look_like_numbers() {
    let years = definition("name: 2024\nfields: [{ name: 2024 }, { name: 1.50 }, { name: true }]");
    assert_eq!(years.name(), Some("2024"));
    let names: Vec<_> = years.fields().iter().map(|field| &field.name).collect();
    assert_eq!(names, ["2024", "1.50", "true"]);
}

#[test]
fn names_lose_the_spaces_around() {
    assert_eq!(
        definition("fields: [{ name: ' Full Name ' }]").fields()[0].name,
        "Full Name"
    );
}

#[test]
fn defaults_follow_the_type() {
    for (field, expected) in [
        (
            "type: string, default: 007",
            Some(Literal::Str("007".to_owned())),
        ),
        (
            "type: string, default: yes",
            Some(Literal::Str("yes".to_owned())),
        ),
        (
            "type: string, default: ''",
            Some(Literal::Str(String::new())),
        ),
        ("type: string, default: null", None),
        ("type: integer, default: ~", None),
        (
            "type: integer, default: -9223372036854775808",
            Some(Literal::Int(i64::MIN)),
        ),
        ("type: integer, default: 0x10", Some(Literal::Int(16))),
        ("type: number, default: 3", Some(Literal::Num(3.0))),
        ("type: number, default: 1e3", Some(Literal::Num(1000.0))),
        ("type: boolean, default: true", Some(Literal::Bool(true))),
        (
            "type: date, default: '2024-02-29'",
            Some(Literal::Str("2024-02-29".to_owned())),
        ),
        (
            "type: email, default: a@b.c",
            Some(Literal::Str("a@b.c".to_owned())),
        ),
        (
            "required: true, default: x",
            Some(Literal::Str("x".to_owned())),
        ),
    ] {
        let read = definition(&format!("fields: [{{ name: a, {field} }}]"));
        assert_eq!(read.fields()[0].default, expected, "{field}");
    }
}

#[test]
fn rejects_are_tolerated_without_bound_unless_said() {
    let tolerated = |text: &str| definition(text).tolerated();
    let bounds = |count, share| Some(Tolerated { count, share });
    assert_eq!(tolerated("{}"), None);
    assert_eq!(tolerated("on_error: continue"), None);
    assert_eq!(tolerated("on_error: stop"), bounds(Some(0), None));
    let some = |keys: &str| tolerated(&format!("tolerated_failures: {{{keys}}}"));
    assert_eq!(some("count: 7"), bounds(Some(7), None));
    assert_eq!(some("percent: 0.5"), bounds(None, Some(50)));
    assert_eq!(
        some("count: 4294967295, percent: 100"),
        bounds(Some(4_294_967_295), Some(10_000))
    );
    let both = "on_error: stop\ntolerated_failures: {percent: 12.34}";
    assert_eq!(tolerated(both), bounds(None, Some(1_234)));
}

#[test]
fn a_share_is_exceeded_once_all_rows_are_known() {
    let tenth = Tolerated {
        count: None,
        share: Some(1_000),
    };
    assert!(!tenth.is_exceeded(1_000, None));
    assert!(!tenth.is_exceeded(100, Some(1_000)));
    assert!(tenth.is_exceeded(101, Some(1_000)));
    assert!(!tenth.is_exceeded(0, Some(0)));
    let largest = Tolerated {
        count: None,
        share: Some(10_000),
    };
    assert!(!largest.is_exceeded(u64::MAX, Some(u64::MAX)));
    assert_eq!(tenth.to_string(), "10 % of all");
}

#[test]
fn limits_are_inclusive() {
    for (key, low, high) in [
        ("max_workers", 1, 1000),
        ("batches.records", 1, 1_000_000),
        ("batches.bytes", 65_536, 67_108_864),
    ] {
        let text = |value: i64| match key.split_once('.') {
            Some((outer, inner)) => format!("{outer}: {{ {inner}: {value} }}"),
            None => format!("{key}: {value}"),
        };
        for good in [low, high] {
            definition(&text(good));
        }
        for bad in [low - 1, high + 1, -1, i64::MAX] {
            let expected = format!(
                "{key}: expected a whole number from {low} to {high}, found the number {bad}"
            );
            let found = crate::faults(&text(bad));
            assert!(found.ends_with(&expected), "{found}");
        }
    }
    definition(&format!("name: {}", "n".repeat(64)));
}

#[test]
fn a_table_is_named_with_its_key() {
    let people = definition(
        "fields:
  - { name: email, type: email, required: true }
  - { name: year, type: integer, required: true }
  - { name: age, type: integer }
destination: { type: dynamodb, table: people.v-1, key: [email, year] }
retries: { max: 0, base_ms: 9000 }
",
    );
    let key = |name: &str, is_number| KeyField {
        name: name.to_owned(),
        is_number,
    };
    let expected = TableDestination {
        table: "people.v-1".to_owned(),
        key: vec![key("email", false), key("year", true)],
    };
    assert_eq!(people.destination(), &Destination::DynamoDb(expected));
    assert!(people.destination().is_record_wise());
    let retries = Retries {
        max: 0,
        base_ms: 9_000,
        cap_ms: 9_000,
    };
    assert_eq!(people.retries(), retries, "the cap is never below the base");
}

#[test]
fn the_examples_are_read() {
    for (text, is_record_wise) in [
        (include_str!("../../../../examples/people.yaml"), false),
        (include_str!("../../../../examples/flights.yaml"), false),
        (include_str!("../../../../examples/people-table.yaml"), true),
    ] {
        let example = definition(text);
        assert_eq!(example.destination().is_record_wise(), is_record_wise);
    }
}
