//! Which of two values of a field is the smaller.
//!
//! Both come from the same conversion, so texts compare as texts: a date is written so that the
//! earlier is the smaller text. It must not know of fields.

use std::cmp::Ordering;

use crate::types::Value;

/// How two values of one type compare; `None` for what has no order, and for values of two types.
pub(crate) fn compare(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Num(a), Value::Num(b)) => a.partial_cmp(b),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Decimal(a), Value::Decimal(b)) => Some(decimals(a, b)),
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        (Value::Json(a), Value::Json(b)) if a == b => Some(Ordering::Equal),
        _ => None,
    }
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
