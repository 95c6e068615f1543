//! A row, which is JSON, as the attributes of an item.
//!
//! - Numbers go by their text, never through a float: an item has the digits that the row has, those
//!   within lists and objects too.
//! - A field without a value is no attribute; a `null` within a value is NULL.
//! - What no item can hold is found here, so that it is told of the one row that has it: numbers of more
//!   than 38 digits or beyond their range, and values within each other too deep.
//!   <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use batchfleet_core::exact::ExactNumber;
use batchfleet_core::{PortError, PortResult};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Digits that count of a number, at most.
const DIGITS_MAX: usize = 38;

/// Powers of ten of a number's first digit.
const MAGNITUDES: std::ops::RangeInclusive<i64> = -130..=125;

/// Lists and objects within each other, at most.
const DEPTH_MAX: usize = 32;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Why a value is no attribute.
enum Trouble {
    /// An item can't hold it, for this reason.
    Unfit(String),
    /// It is no JSON.
    NotJson,
}

/// Whether a table keeps a number.
pub(crate) fn is_kept(number: &ExactNumber) -> bool {
    number.digits() <= DIGITS_MAX && MAGNITUDES.contains(&number.magnitude())
}

/// The attributes of a row; or why an item can't have them, for the rejects.
///
/// # Errors
/// The row is no JSON object. The error does not quote it.
pub(crate) fn attributes(row: &[u8]) -> PortResult<Result<Item, String>> {
    let Ok(fields) = serde_json::from_slice::<HashMap<String, &RawValue>>(row) else {
        return Err(not_json());
    };
    let mut item = Item::with_capacity(fields.len());
    for (name, value) in fields {
        if value.get() == "null" {
            continue;
        }
        match attribute(value.get(), 0) {
            Ok(attribute) => item.insert(name, attribute),
            Err(Trouble::Unfit(why)) => return Ok(Err(format!("{name}: {why}"))),
            Err(Trouble::NotJson) => return Err(not_json()),
        };
    }
    Ok(Ok(item))
}

fn not_json() -> PortError {
    // The parser's own text could quote the row.
    PortError::corrupt("a row", "it is no JSON object")
}

/// One value, which lies in so many lists and objects.
fn attribute(json: &str, depth: usize) -> Result<AttributeValue, Trouble> {
    let is_nested = json.starts_with(['[', '{']);
    if is_nested && depth == DEPTH_MAX {
        let why = format!(
            "the table keeps lists and objects within each other to a depth of {DEPTH_MAX}"
        );
        return Err(Trouble::Unfit(why));
    }
    match json.as_bytes().first() {
        Some(b'n') => Ok(AttributeValue::Null(true)),
        Some(b't') => Ok(AttributeValue::Bool(true)),
        Some(b'f') => Ok(AttributeValue::Bool(false)),
        Some(b'"') => read(json).map(AttributeValue::S),
        Some(b'[') => {
            let items: Vec<&RawValue> = read(json)?;
            let items = items.iter().map(|item| attribute(item.get(), depth + 1));
            items.collect::<Result<_, _>>().map(AttributeValue::L)
        }
        Some(b'{') => {
            let entries: HashMap<String, &RawValue> = read(json)?;
            let entries = entries
                .into_iter()
                .map(|(name, value)| attribute(value.get(), depth + 1).map(|value| (name, value)));
            entries.collect::<Result<_, _>>().map(AttributeValue::M)
        }
        _ => {
            let number = ExactNumber::parse(json).ok_or(Trouble::NotJson)?;
            if is_kept(&number) {
                return Ok(AttributeValue::N(json.to_owned()));
            }
            let why = "the table keeps 38 digits of a number, from 1e-130 to 9.99e125 and below zero \
                       likewise";
            Err(Trouble::Unfit(why.to_owned()))
        }
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Trouble> {
    serde_json::from_str(json).map_err(|_| Trouble::NotJson)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(json: &str) -> AttributeValue {
        let row = format!("{{\"it\":{json}}}");
        let mut item = attributes(row.as_bytes()).unwrap().unwrap();
        item.remove("it").unwrap()
    }

    fn unfit(json: &str) -> String {
        let row = format!("{{\"id\":1,\"it\":{json}}}");
        attributes(row.as_bytes()).unwrap().unwrap_err()
    }

    fn n(text: &str) -> AttributeValue {
        AttributeValue::N(text.to_owned())
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    #[test]
    fn numbers_keep_every_digit() {
        for (json, expected) in [
            ("9223372036854775807", "9223372036854775807"),
            ("9007199254740993", "9007199254740993"),
            ("-12.30", "-12.30"),
            (
                "0.12345678901234567890123456789012345678",
                "0.12345678901234567890123456789012345678",
            ),
            ("1.7976931348623157e100", "1.7976931348623157e100"),
            ("0.0", "0.0"),
        ] {
            assert_eq!(one(json), n(expected), "{json}");
        }
    }

    #[test]
    fn what_no_item_holds_is_told_of_its_field() {
        let digits = "1".repeat(39);
        for json in [
            "1e126",
            "-1.7976931348623157e308",
            "5e-324",
            &digits,
            "[1,{\"a\":1e200}]",
        ] {
            let why = unfit(json);
            assert!(why.starts_with("it: the table keeps 38 digits"), "{why}");
        }
        assert_eq!(one("9.99e125"), n("9.99e125"));
        assert_eq!(one("1e-130"), n("1e-130"));
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(matches!(one(&nested(32)), AttributeValue::L(_)));
        assert!(unfit(&nested(33)).contains("to a depth of 32"));
        // However deep: nothing recurses beyond that.
        assert!(unfit(&nested(100_000)).contains("to a depth of 32"));
    }

    #[test]
    fn lists_and_objects_are_those_of_the_row() {
        let nested =
            one(r#"[1.10, "a\u00e9", null, true, {"b": [false, 9007199254740993], "": {}}]"#);
        let entries = HashMap::from([
            (
                "b".to_owned(),
                AttributeValue::L(vec![AttributeValue::Bool(false), n("9007199254740993")]),
            ),
            (String::new(), AttributeValue::M(HashMap::new())),
        ]);
        let expected = vec![
            n("1.10"),
            s("aé"),
            AttributeValue::Null(true),
            AttributeValue::Bool(true),
            AttributeValue::M(entries),
        ];
        assert_eq!(nested, AttributeValue::L(expected));
        let item = attributes(br#"{"a":null,"b":""}"#).unwrap().unwrap();
        assert_eq!(item, HashMap::from([("b".to_owned(), s(""))]));
    }

    #[test]
    fn a_row_that_does_not_read_is_not_quoted() {
        for row in ["secret", r#"{"secret":x}"#, r#"["secret"]"#] {
            let error = attributes(row.as_bytes()).unwrap_err();
            let text = batchfleet_core::error::chain(&error);
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
