//! JSON: any value, written on one line with nothing between its tokens.
//!
//! Every token stays as it was written: a number keeps its digits, a string its escapes. Only the
//! line ends that Unicode has beyond ASCII are escaped, as everywhere in the output (see
//! `json_lines`). What readers of the output could not take is refused: half a surrogate pair, a
//! number no `f64` comes near, values within values a hundred deep.
//!
//! This file must not know what the values mean.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Mismatch, text};
use crate::json_lines::LINE_ENDS;

/// Lists and objects within each other. `serde_json` itself goes to 127.
const DEPTH_MAX: u32 = 100;

#[inline]
pub(super) fn parse<'a>(cell: &'a [u8], out: &'a mut String) -> Result<&'a str, Mismatch> {
    let cell = text(cell)?;
    check(cell)?;
    Ok(compact(cell, out))
}

/// The items of a JSON list, each as JSON; `None` when the text is none, or none that
/// [`parse`] would take.
pub(super) fn items(text: &str) -> Option<Vec<&RawValue>> {
    if !(text.starts_with('[') && text.ends_with(']')) {
        return None;
    }
    check(text).ok()?;
    serde_json::from_str(text).ok()
}

fn check(text: &str) -> Result<(), Mismatch> {
    let mut reader = serde_json::Deserializer::from_str(text);
    Depth(0)
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| not_json(&error))
}

#[cold]
fn not_json(error: &serde_json::Error) -> Mismatch {
    Mismatch::own(format!("is not JSON that can be taken: {error}"))
}

/// Reads a value and keeps nothing of it; so many lists and objects are around it.
#[derive(Clone, Copy)]
struct Depth(u32);

impl Depth {
    fn within<E: Error>(self) -> Result<Self, E> {
        if self.0 >= DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} lists and objects within each other");
            return Err(E::custom(message));
        }
        Ok(Self(self.0 + 1))
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.within()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inner = self.within()?;
        while entries.next_key_seed(inner)?.is_some() {
            entries.next_value_seed(inner)?;
        }
        Ok(())
    }
}

/// JSON without the spaces and line ends between its tokens. `out` holds it, where it is not the
/// text itself.
fn compact<'a>(text: &'a str, out: &'a mut String) -> &'a str {
    out.clear();
    let bytes = text.as_bytes();
    // What is not yet copied begins here.
    let mut start = 0;
    let mut at = 0;
    let mut in_string = false;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => in_string = !in_string,
            // What follows is escaped, were it a quote.
            b'\\' => at += 1,
            b' ' | b'\t' | b'\n' | b'\r' if !in_string => {
                out.push_str(&text[start..at]);
                start = at + 1;
            }
            0xc2 | 0xe2 => {
                for (end, escape) in LINE_ENDS {
                    if bytes[at..].starts_with(end.as_bytes()) {
                        out.push_str(&text[start..at]);
                        out.push_str(escape);
                        start = at + end.len();
                        at = start - 1;
                        break;
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    if start == 0 {
        return text;
    }
    out.push_str(&text[start..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(cell: &str) -> Result<String, String> {
        let mut out = String::from("left over");
        super::parse(cell.as_bytes(), &mut out)
            .map(str::to_owned)
            .map_err(|mismatch| mismatch.to_string())
    }

    #[test]
    fn every_token_stays_as_it_is() {
        for (good, expected) in [
            ("{}", "{}"),
            ("[]", "[]"),
            ("null", "null"),
            ("42", "42"),
            ("\"a b\"", "\"a b\""),
            ("[1, 2,\n\t3 ]", "[1,2,3]"),
            ("{ \"a b\" : [ true , null ] }", "{\"a b\":[true,null]}"),
            ("[1.2300, 1E+5, -0, 0.1e-7]", "[1.2300,1E+5,-0,0.1e-7]"),
            (
                "123456789012345678901234567890.5",
                "123456789012345678901234567890.5",
            ),
            (
                r#"["\" \\", "\u00e9 é", "\/"]"#,
                r#"["\" \\","\u00e9 é","\/"]"#,
            ),
            (r#"["\\", " x"]"#, r#"["\\"," x"]"#),
            (
                "[\"a\u{85}b\", \"\u{2028}\u{2029} \u{2030}\u{a0}\"]",
                "[\"a\\u0085b\",\"\\u2028\\u2029 \u{2030}\u{a0}\"]",
            ),
            (r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
        ] {
            assert_eq!(parse(good).as_deref(), Ok(expected), "{good}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for (bad, expected) in [
            ("{", "EOF while parsing an object at line 1 column 1"),
            ("{'a': 1}", "key must be a string at line 1 column 2"),
            ("[1,]", "trailing comma at line 1 column 4"),
            ("[1] x", "trailing characters at line 1 column 5"),
            ("abc", "expected value at line 1 column 1"),
            ("True", "expected value at line 1 column 1"),
            ("NaN", "expected value at line 1 column 1"),
            ("01", "invalid number at line 1 column 2"),
            ("1e999", "number out of range at line 1 column 5"),
            (
                r#""\ud83d""#,
                "unexpected end of hex escape at line 1 column 8",
            ),
            (
                "\"a\nb\"",
                "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0",
            ),
        ] {
            let mismatch = parse(bad).unwrap_err();
            let expected = format!("is not JSON that can be taken: {expected}");
            assert_eq!(mismatch, expected, "{bad}");
        }
        let mut out = String::new();
        let mismatch = super::parse(b"\"\xff\"", &mut out);
        assert_eq!(mismatch, Err(Mismatch::NotUtf8));
    }

    #[test]
    fn refuses_what_is_too_deep() {
        for deep in [
            "[".repeat(1 << 20),
            r#"{"a":"#.repeat(1 << 18),
            format!("{}{}", "[".repeat(101), "]".repeat(101)),
        ] {
            let mismatch = parse(&deep).unwrap_err();
            let expected = "more than 100 lists and objects within each other";
            assert!(mismatch.contains(expected), "{mismatch}");
        }
        let fits = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(parse(&fits), Ok(fits));
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[ -~\u{85}\u{2028}é😀\n\t]{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map("[a-c \"\\\\]{0,3}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// Written in either way, a value is taken, stays the same value, and is one line of text.
        #[test]
        fn a_value_stays_the_same(value in value()) {
            let compact = serde_json::to_string(&value).expect("JSON");
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            let read = parse(&pretty).expect("taken");
            prop_assert_eq!(&parse(&compact).expect("taken"), &read);
            let line_ends = ['\n', '\u{85}', '\u{2028}', '\u{2029}'];
            prop_assert!(!read.contains(line_ends));
            let back: serde_json::Value = serde_json::from_str(&read).expect("JSON");
            prop_assert_eq!(back, value);
        }
    }
}
