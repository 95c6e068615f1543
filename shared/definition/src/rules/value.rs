//! The values that expressions work with, how they compare, and how they are written.
//!
//! Kinds of numbers mix freely: whole numbers and decimals are exact, and with a double the result
//! is a double, unless a decimal takes part. Nothing here is ever infinite or "not a number". This
//! file must not know the language.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::ops::Deref;
use std::rc::Rc;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use rust_decimal::Decimal;

use super::moment;

/// One value. Texts are borrowed from the record or the expression where they can be.
#[derive(Debug, Clone)]
pub(super) enum Val<'a> {
    /// No value, so that what is made of it is not known either.
    Null,
    Bool(bool),
    Int(i64),
    /// Always finite.
    Num(f64),
    Dec(Decimal),
    Str(Text<'a>),
    Time(Moment),
    Span(SignedDuration),
    List(Rc<Vec<Val<'a>>>),
    /// In the order of the keys, each of them once.
    Map(Rc<Vec<(Text<'a>, Val<'a>)>>),
}

/// A text that costs nothing to copy.
#[derive(Debug, Clone)]
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Shared(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::Borrowed(text)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Shared(text.into())
    }
}

/// A moment in UTC; whole days are written as dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// In UTC; civil, so that it reaches to the last day there is, 9999-12-31.
    pub(super) at: DateTime,
    pub(super) is_day: bool,
}

/// What kind of value an expression has, as far as that is known before any record is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Any,
    Null,
    Bool,
    Int,
    Num,
    Dec,
    Str,
    Time,
    Span,
    List,
    Map,
}

impl Sort {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Num => "a number",
            Self::Dec => "a decimal",
            Self::Str => "a text",
            Self::Time => "a date",
            Self::Span => "a duration",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Num | Self::Dec)
    }

    /// Whether values of the two sorts have an order, or might have.
    pub(super) fn compares_with(self, other: Self) -> bool {
        let unknown = |sort| matches!(sort, Self::Any | Self::Null);
        if unknown(self) || unknown(other) {
            return true;
        }
        self == other && !matches!(self, Self::List | Self::Map)
            || self.is_number() && other.is_number()
    }
}

/// Why there is no value. Each continues a sentence, and none repeats a value of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fail {
    DivisionByZero,
    Overflow,
    /// A function or operator was given what it does not take.
    Sorts(String),
    /// A text is not what a conversion needs.
    Convert(&'static str),
    NoSuchItem,
    /// More work than a record may take.
    TooMuchWork,
    /// A text or list grew beyond what is allowed.
    TooLarge,
}

impl std::fmt::Display for Fail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DivisionByZero => f.write_str("division by zero"),
            Self::Overflow => f.write_str("a result is out of range"),
            Self::Sorts(message) => f.write_str(message),
            Self::Convert(what) => write!(f, "a text is not {what}"),
            Self::NoSuchItem => f.write_str("a list has no item of this number"),
            Self::TooMuchWork => f.write_str("it takes too many steps for this row"),
            Self::TooLarge => f.write_str("a text or a list grows too large"),
        }
    }
}

impl<'a> Val<'a> {
    pub(super) fn sort(&self) -> Sort {
        match self {
            Self::Null => Sort::Null,
            Self::Bool(_) => Sort::Bool,
            Self::Int(_) => Sort::Int,
            Self::Num(_) => Sort::Num,
            Self::Dec(_) => Sort::Dec,
            Self::Str(_) => Sort::Str,
            Self::Time(_) => Sort::Time,
            Self::Span(_) => Sort::Span,
            Self::List(_) => Sort::List,
            Self::Map(_) => Sort::Map,
        }
    }

    /// A decimal number, unless it is too large for one.
    pub(super) fn number(number: f64) -> Result<Self, Fail> {
        if number.is_finite() {
            Ok(Self::Num(number))
        } else {
            Err(Fail::Overflow)
        }
    }

    /// The value under a key; nothing where there is none, or where this is no map.
    pub(super) fn entry(&self, key: &str) -> Self {
        let Self::Map(entries) = self else {
            return Self::Null;
        };
        let found = entries.binary_search_by(|(name, _)| (**name).cmp(key));
        found.map_or(Self::Null, |index| entries[index].1.clone())
    }

    /// A measure of what a function that looks at it has to do, in steps. The items of a list are
    /// not looked into, as they may be the same many times.
    pub(super) fn weight(&self) -> u64 {
        match self {
            Self::Str(text) => 1 + text.len() as u64 / 64,
            Self::List(items) => 1 + items.len() as u64,
            Self::Map(entries) => 1 + entries.len() as u64,
            _ => 1,
        }
    }

    /// Which of two values of one kind comes first.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(right)),
            (Self::Str(left), Self::Str(right)) => Some((**left).cmp(&**right)),
            (Self::Time(left), Self::Time(right)) => Some(left.at.cmp(&right.at)),
            (Self::Span(left), Self::Span(right)) => Some(left.cmp(right)),
            (Self::Num(left), Self::Num(right)) => left.partial_cmp(right),
            (Self::Int(left), Self::Num(right)) => Some(order_of_mixed(*left, *right)),
            (Self::Num(left), Self::Int(right)) => Some(order_of_mixed(*right, *left).reverse()),
            (Self::Dec(left), right) => left_of(*left, right),
            (left, Self::Dec(right)) => left_of(*right, left).map(Ordering::reverse),
            _ => None,
        }
    }

    /// The text that stands for it in a cell. Lists and maps are JSON.
    pub(super) fn to_text(&self) -> Text<'a> {
        match self {
            Self::Str(text) => text.clone(),
            Self::Null => Text::Borrowed(""),
            Self::Bool(truth) => Text::Borrowed(if *truth { "true" } else { "false" }),
            _ => {
                let mut out = String::new();
                self.write(&mut out, false);
                Text::from(out)
            }
        }
    }

    fn write(&self, out: &mut String, is_json: bool) {
        // Writing to a string does not fail.
        let _ = match self {
            Self::Null => out.write_str("null"),
            Self::Bool(truth) => write!(out, "{truth}"),
            Self::Int(int) => write!(out, "{int}"),
            Self::Num(number) => write!(out, "{number}"),
            Self::Dec(number) => write!(out, "{number}"),
            Self::Str(text) => {
                out.push_str(&serde_json::Value::from(&**text).to_string());
                Ok(())
            }
            Self::Time(_) | Self::Span(_) if is_json => {
                let quoted = serde_json::Value::from(&*self.to_text()).to_string();
                out.write_str(&quoted)
            }
            Self::Time(moment) => write!(out, "{}", moment::shown(*moment)),
            Self::Span(span) => write!(out, "{}", moment::shown_span(*span)),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    out.push(if index == 0 { '[' } else { ',' });
                    item.write(out, true);
                }
                out.write_str(if items.is_empty() { "[]" } else { "]" })
            }
            Self::Map(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    out.push(if index == 0 { '{' } else { ',' });
                    out.push_str(&serde_json::Value::from(&**key).to_string());
                    out.push(':');
                    value.write(out, true);
                }
                out.write_str(if entries.is_empty() { "{}" } else { "}" })
            }
        };
    }
}

/// The tree of JSON as a value. Its depth is bounded by the reader of JSON.
pub(super) fn of_json(tree: serde_json::Value) -> Val<'static> {
    use serde_json::Value as Json;
    match tree {
        Json::Null => Val::Null,
        Json::Bool(truth) => Val::Bool(truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Val::Int(int),
            (None, Some(number)) if number.is_finite() => Val::Num(number),
            _ => Val::Null,
        },
        Json::String(text) => Val::Str(text.into()),
        Json::Array(items) => Val::List(Rc::new(items.into_iter().map(of_json).collect())),
        Json::Object(map) => {
            let entry = |(key, value): (String, Json)| (Text::from(key), of_json(value));
            let mut entries: Vec<_> = map.into_iter().map(entry).collect();
            entries.sort_by(|left, right| (*left.0).cmp(&right.0));
            Val::Map(Rc::new(entries))
        }
    }
}

/// The decimal that a double is written as: 0.1 is one tenth here, as its author meant it.
pub(super) fn decimal_of(number: f64) -> Option<Decimal> {
    let text = number.to_string();
    text.parse().ok()
}

/// The double nearest to a decimal.
pub(super) fn double_of(number: Decimal) -> f64 {
    // Every decimal is written in digits and a point, which every double can be read from.
    number.to_string().parse().unwrap_or(0.0)
}

fn left_of(decimal: Decimal, other: &Val) -> Option<Ordering> {
    match other {
        Val::Dec(other) => Some(decimal.cmp(other)),
        Val::Int(int) => Some(decimal.cmp(&Decimal::from(*int))),
        Val::Num(number) => match decimal_of(*number) {
            Some(number) => Some(decimal.cmp(&number)),
            None => double_of(decimal).partial_cmp(number),
        },
        _ => None,
    }
}

/// The order of a whole number and a finite double, without rounding either.
fn order_of_mixed(int: i64, number: f64) -> Ordering {
    // 2^63; every whole number is below it, and not below its negative.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if number >= BEYOND {
        return Ordering::Less;
    }
    if number < -BEYOND {
        return Ordering::Greater;
    }
    let whole = number.trunc();
    let fraction = || {
        0.0_f64
            .partial_cmp(&(number - whole))
            .unwrap_or(Ordering::Equal)
    };
    int.cmp(&(whole as i64)).then_with(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_compare_by_value_whatever_their_kind() {
        let dec = |text: &str| Val::Dec(text.parse().unwrap());
        assert_eq!(Val::Int(1).order(&Val::Num(1.0)), Some(Ordering::Equal));
        assert_eq!(dec("0.10").order(&Val::Num(0.1)), Some(Ordering::Equal));
        assert_eq!(dec("7").order(&Val::Int(7)), Some(Ordering::Equal));
        assert_eq!(Val::Num(1e300).order(&dec("1")), Some(Ordering::Greater));
        let large = 9_007_199_254_740_993;
        assert_eq!(
            Val::Int(large).order(&Val::Num(9_007_199_254_740_992.0)),
            Some(Ordering::Greater)
        );
        assert_eq!(
            Val::Int(i64::MAX).order(&Val::Num(9.3e18)),
            Some(Ordering::Less)
        );
        assert_eq!(Val::Int(-1).order(&Val::Num(-1.5)), Some(Ordering::Greater));
        assert_eq!(Val::Int(1).order(&Val::Str("1".into())), None);
    }

    #[test]
    fn lists_and_maps_are_written_as_json() {
        let list = Val::List(Rc::new(vec![
            Val::Str("a\"".into()),
            Val::Int(1),
            Val::Null,
        ]));
        assert_eq!(&*list.to_text(), r#"["a\"",1,null]"#);
        let map = Val::Map(Rc::new(vec![("k".into(), list)]));
        assert_eq!(&*map.to_text(), r#"{"k":["a\"",1,null]}"#);
        assert_eq!(&*Val::List(Rc::default()).to_text(), "[]");
    }

    proptest! {
        /// The order of a whole number and a double agrees with the exact one of 128-bit numbers.
        #[test]
        fn mixed_order_is_exact(int: i64, near in -3_i64..3, half in prop::bool::ANY) {
            let number = int.saturating_add(near) as f64 + if half { 0.5 } else { 0.0 };
            let exact = (i128::from(int) * 2).cmp(&((number * 2.0) as i128));
            prop_assert_eq!(order_of_mixed(int, number), exact);
        }
    }
}
