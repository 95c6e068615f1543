//! Which of two values of a field is the smaller.
//!
//! Both come from the same conversion, so most texts compare as texts: a date is written so that the
//! earlier is the smaller text. Times with an offset compare by the moment that they mean. It must
//! not know of fields.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::types::Value;

/// How two values of one type compare; `None` for what has no order, and for values of two types.
pub(crate) fn compare(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Num(a), Value::Num(b)) => a.partial_cmp(b),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Decimal(a), Value::Decimal(b)) => Some(decimals(a, b)),
        (Value::Str(a), Value::Str(b)) => match (moment(a), moment(b)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => Some(a.cmp(b)),
        },
        (Value::Json(a), Value::Json(b)) if a == b => Some(Ordering::Equal),
        _ => None,
    }
}

/// The moment that a date with a time means; one without an offset is of UTC. Nothing for all other
/// texts, a date alone among them.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let time: DateTime = text.parse().ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

/// Two numbers by their digits, however many they have.
fn decimals(a: &str, b: &str) -> Ordering {
    let (a, b) = (Digits::of(a), Digits::of(b));
    match (a.negative, b.negative) {
        (false, false) => a.magnitude(&b),
        (true, true) => b.magnitude(&a),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

/// The digits of a number without those that say nothing. Zero is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digits<'t> {
    pub(crate) negative: bool,
    pub(crate) whole: &'t str,
    pub(crate) fraction: &'t str,
}

impl<'t> Digits<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        Self {
            negative: negative && !(whole.is_empty() && fraction.is_empty()),
            whole,
            fraction,
        }
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        (self.whole.len(), self.whole, self.fraction).cmp(&(
            other.whole.len(),
            other.whole,
            other.fraction,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_compare_by_value() {
        for (a, order, b) in [
            ("1.10", Ordering::Equal, "1.1"),
            ("-0.00", Ordering::Equal, "0"),
            ("2", Ordering::Less, "10"),
            ("-2", Ordering::Greater, "-10"),
            ("-1", Ordering::Less, "1"),
            ("0.09", Ordering::Less, "0.1"),
            (
                "100000000000000000000.01",
                Ordering::Greater,
                "100000000000000000000",
            ),
        ] {
            assert_eq!(decimals(a, b), order, "{a} {b}");
            assert_eq!(decimals(b, a), order.reverse(), "{b} {a}");
        }
    }

    #[test]
    fn times_compare_by_the_moment_they_mean() {
        for (a, order, b) in [
            (
                "2024-01-01T12:00:00+02:00",
                Ordering::Less,
                "2024-01-01T11:00:00Z",
            ),
            (
                "2024-01-01T12:00:00+01:00",
                Ordering::Equal,
                "2024-01-01T11:00:00Z",
            ),
            (
                "2024-01-01T12:00:00",
                Ordering::Equal,
                "2024-01-01T12:00:00Z",
            ),
            (
                "2024-01-01T12:00:00.5Z",
                Ordering::Greater,
                "2024-01-01T12:00:00Z",
            ),
            ("2024-01-02", Ordering::Greater, "2024-01-01"),
        ] {
            let compared = |a, b| compare(&Value::Str(a), &Value::Str(b));
            assert_eq!(compared(a, b), Some(order), "{a} {b}");
            assert_eq!(compared(b, a), Some(order.reverse()), "{b} {a}");
        }
    }

    proptest! {
        /// Numbers of few digits compare as their thousandfold does, which is whole.
        #[test]
        fn decimals_compare_as_whole_numbers_do(a in -99_999_i64..99_999, b in -99_999_i64..99_999) {
            let text = |n: i64| {
                let sign = if n < 0 { "-" } else { "" };
                format!("{sign}{}.{:03}", n.abs() / 1000, n.abs() % 1000)
            };
            prop_assert_eq!(decimals(&text(a), &text(b)), a.cmp(&b));
        }
    }
}
