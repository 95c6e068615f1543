//! Scalars: the text of a value, and what an unquoted one stands for by the core schema of YAML 1.2.
//!
//! By that schema `no` and `2024-01-01` are text. This file must not know where a scalar stands.

use crate::show::shown;

/// A single value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Written in quotes or as a block, and so text whatever it says.
    pub(crate) quoted: bool,
}

/// What a scalar stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Resolved<'a> {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(&'a str),
}

impl Scalar {
    pub(crate) fn resolve(&self) -> Resolved<'_> {
        let text = self.text.as_str();
        if self.quoted {
            return Resolved::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
            "true" | "True" | "TRUE" => Resolved::Bool(true),
            "false" | "False" | "FALSE" => Resolved::Bool(false),
            _ => number(text).unwrap_or(Resolved::Text(text)),
        }
    }

    /// The scalar as a message names it.
    pub(crate) fn describe(&self) -> String {
        match self.resolve() {
            Resolved::Null => "nothing".to_owned(),
            Resolved::Bool(truth) => truth.to_string(),
            Resolved::Int(_) | Resolved::Float(_) => format!("the number {}", self.text),
            Resolved::Text(text) => shown(text),
        }
    }
}

fn number(text: &str) -> Option<Resolved<'static>> {
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" if text.starts_with('-') => {
            return Some(Resolved::Float(f64::NEG_INFINITY));
        }
        ".inf" | ".Inf" | ".INF" => return Some(Resolved::Float(f64::INFINITY)),
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Some(Resolved::Float(f64::NAN)),
        _ => {}
    }
    let decimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    if !text.bytes().all(decimal) {
        return None;
    }
    if let Ok(int) = text.parse() {
        return Some(Resolved::Int(int));
    }
    text.parse().ok().map(Resolved::Float)
}

fn radix(digits: &str, radix: u32) -> Option<Resolved<'static>> {
    if digits.starts_with(['-', '+']) {
        return None;
    }
    i128::from_str_radix(digits, radix).ok().map(Resolved::Int)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar {
        Scalar {
            text: text.to_owned(),
            quoted: false,
        }
    }

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, expected) in [
            ("", Resolved::Null),
            ("~", Resolved::Null),
            ("null", Resolved::Null),
            ("true", Resolved::Bool(true)),
            ("FALSE", Resolved::Bool(false)),
            ("0", Resolved::Int(0)),
            ("-12", Resolved::Int(-12)),
            ("+12", Resolved::Int(12)),
            ("012", Resolved::Int(12)),
            ("0o17", Resolved::Int(15)),
            ("0x1F", Resolved::Int(31)),
            ("1.5", Resolved::Float(1.5)),
            (".5", Resolved::Float(0.5)),
            ("5.", Resolved::Float(5.0)),
            ("1e3", Resolved::Float(1000.0)),
            (".inf", Resolved::Float(f64::INFINITY)),
            ("-.INF", Resolved::Float(f64::NEG_INFINITY)),
        ] {
            assert_eq!(plain(text).resolve(), expected, "{text}");
        }
        assert!(matches!(plain(".nan").resolve(), Resolved::Float(nan) if nan.is_nan()));
    }

    #[test]
    fn the_rest_is_text() {
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "nUll",
            "tRue",
            "2024-01-01",
            "1_000",
            "0x",
            "0x-1",
            "0b1",
            "inf",
            "nan",
            "-.nan",
            ".",
            "e5",
            "1.2.3",
            "12:30",
            "-",
            "+",
        ] {
            assert_eq!(plain(text).resolve(), Resolved::Text(text));
        }
    }

    #[test]
    fn quotes_make_text() {
        for text in ["", "null", "true", "12"] {
            let scalar = Scalar {
                text: text.to_owned(),
                quoted: true,
            };
            assert_eq!(scalar.resolve(), Resolved::Text(text));
        }
    }
}
