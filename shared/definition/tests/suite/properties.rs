//! What holds for any text and any cell.

use std::fmt::Write;

use batchfleet_definition::{Definition, RowPlan};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{check, header};

const NAMES: [&str; 6] = ["string", "number", "integer", "boolean", "date", "email"];

/// One field of every type, named by its type.
fn plan_of_all_types() -> RowPlan {
    let fields: Vec<Value> = NAMES
        .iter()
        .map(|kind| json!({ "name": kind, "type": kind }))
        .collect();
    let text = json!({ "fields": fields }).to_string();
    let definition = Definition::parse(&text).expect("good");
    definition.bind(&header(&NAMES)).expect("good")
}

const PIECES: &[&str] = &[
    "fields",
    "name",
    "type",
    "dialect",
    "required",
    "default",
    "integer",
    "true",
    "-1",
    "~",
    ": ",
    ":",
    "- ",
    "? ",
    ", ",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "\n  ",
    "\n    ",
    "\r",
    "\t",
    "\"",
    "'",
    "&a ",
    "*a",
    "!t ",
    "|\n",
    ">-\n",
    "---",
    "...",
    "%YAML 1.2",
    "#c",
    "<<",
    "@",
    "`",
    "\\",
    "\\u",
    "\\ud83d",
    "é",
    "\u{85}",
    "\u{feff}",
];

/// Texts with the signs YAML gives a meaning to, so that some get far into the parser.
fn yaml_like() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..40)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn parsing_never_panics(text in any::<String>()) {
        parses_alike(&text)?;
    }

    #[test]
    fn parsing_text_like_yaml_never_panics(text in yaml_like()) {
        parses_alike(&text)?;
    }

    #[test]
    fn any_json_name_and_default_is_read_as_it_is(name in "\\PC{1,12}", default in any::<String>()) {
        prop_assume!(!name.trim().is_empty());
        let fields = json!({ "fields": [{ "name": name, "default": default }] });
        for text in [fields.to_string(), escaped(&fields.to_string())] {
            let definition = Definition::parse(&text);
            let definition = definition.map_err(|faults| TestCaseError::fail(faults.to_string()))?;
            let field = &definition.fields()[0];
            prop_assert_eq!(&field.name, name.trim());
            let expected = batchfleet_definition::Literal::Str(default.clone());
            prop_assert_eq!(&field.default, &Some(expected));
        }
    }

    #[test]
    fn a_good_row_is_json_of_its_values(
        string in any::<String>(),
        number in any::<f64>().prop_filter("finite", |number| number.is_finite()),
        integer in any::<i64>(),
        boolean in any::<bool>(),
        (year, month, day) in (0..10_000_i16, 1..13_i8, 1..29_i8),
        email in "[a-z0-9+_]{1,20}@[a-zé]{1,20}\\.[a-z]{2,9}",
    ) {
        let date = format!("{year:04}-{month:02}-{day:02}");
        let cells = [
            string.clone(), number.to_string(), integer.to_string(), boolean.to_string(),
            date.clone(), email.clone(),
        ];
        let line = check(&plan_of_all_types(), &cells);
        let line = line.map_err(|errors| TestCaseError::fail(format!("{errors:?}")))?;
        prop_assert_eq!(line.find('\n'), Some(line.len() - 1));
        let expected = json!({
            "string": string, "integer": integer, "boolean": boolean, "date": date, "email": email,
        });
        let mut row: Value = serde_json::from_str(&line).unwrap();
        row.as_object_mut().map(|row| row.remove("number"));
        prop_assert_eq!(row, expected);
        // Not by `serde_json`, which may miss the nearest number by one bit.
        let written = line.rsplit_once("\"number\":").and_then(|(_, rest)| rest.split_once(','));
        prop_assert_eq!(written.and_then(|(digits, _)| digits.parse().ok()), Some(number));
    }

    #[test]
    fn any_bytes_are_a_row_or_errors(
        cells in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 5..8),
    ) {
        match check(&plan_of_all_types(), &cells) {
            Ok(line) => {
                let row: Value = serde_json::from_str(&line).unwrap();
                prop_assert_eq!(row["string"].as_str().map(str::as_bytes), Some(&cells[0][..]));
            }
            Err(errors) => prop_assert!(errors.iter().all(|error| !error.message.contains('\0'))),
        }
    }
}

/// Parses twice; faults point into the text.
fn parses_alike(text: &str) -> Result<(), TestCaseError> {
    let first = Definition::parse(text);
    prop_assert_eq!(&first, &Definition::parse(text));
    if let Err(faults) = first {
        prop_assert!(faults.iter().len() > 0);
        let lines = text.split(['\n', '\r']).count();
        for fault in &faults {
            prop_assert!((1..=lines).contains(&fault.line), "{}", fault);
            prop_assert!(fault.column >= 1, "{}", fault);
        }
    }
    Ok(())
}

/// JSON with every character beyond ASCII escaped, as many writers do.
fn escaped(json: &str) -> String {
    let mut out = String::new();
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("a string takes all");
            }
        }
    }
    out
}
