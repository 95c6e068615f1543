//! A number by its digits: equal where the values are, and never rounded.
//!
//! Tables keep numbers by their value, so `1.50` and `15e-1` are one key. It must not know who keeps
//! how many digits.

use std::fmt;

/// Zeros that a number is written with rather than with an exponent.
const PLAIN_PLACES_MAX: usize = 40;

/// A decimal number of any length. Its text (`-1.5`, `12E80`) is one for each value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExactNumber {
    is_negative: bool,
    /// Without zeros at either end; none at all of zero.
    digits: String,
    /// The power of ten of the last digit.
    exponent: i64,
}

impl ExactNumber {
    /// Reads a number as JSON writes it; `None` for anything else, or for an exponent that no number
    /// has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-');
        let is_negative = unsigned.is_some();
        let unsigned = unsigned.unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let counted = all.trim_start_matches('0').trim_end_matches('0');
        if counted.is_empty() {
            return Some(Self {
                is_negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        let zeros = all.len() - all.trim_end_matches('0').len();
        let places = i64::try_from(zeros).ok()? - i64::try_from(fraction.len()).ok()?;
        Some(Self {
            is_negative,
            digits: counted.to_owned(),
            exponent: exponent.checked_add(places)?,
        })
    }

    /// How many digits count: 2 of `1.50`, none of zero.
    #[must_use]
    pub fn digits(&self) -> usize {
        self.digits.len()
    }

    /// The power of ten of the first digit: 0 of `1.50`, and of zero.
    #[must_use]
    pub fn magnitude(&self) -> i64 {
        let after_first = self.digits.len().saturating_sub(1);
        let after_first = i64::try_from(after_first).unwrap_or(i64::MAX);
        self.exponent.saturating_add(after_first)
    }
}

fn read_exponent(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

impl fmt::Display for ExactNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        let sign = if self.is_negative { "-" } else { "" };
        let digits = &*self.digits;
        let Some(places) = usize::try_from(self.exponent.unsigned_abs())
            .ok()
            .filter(|places| *places <= PLAIN_PLACES_MAX)
        else {
            return write!(f, "{sign}{digits}E{}", self.exponent);
        };
        if self.exponent >= 0 {
            return write!(f, "{sign}{digits}{:0<places$}", "");
        }
        match digits.len().checked_sub(places) {
            None | Some(0) => write!(f, "{sign}0.{digits:0>places$}"),
            Some(whole) => write!(f, "{sign}{}.{}", &digits[..whole], &digits[whole..]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(number: &str) -> Option<String> {
        ExactNumber::parse(number).map(|number| number.to_string())
    }

    #[test]
    fn one_value_has_one_text() {
        for (number, expected) in [
            ("0", "0"),
            ("-0.000", "0"),
            ("1.50", "1.5"),
            ("15e-1", "1.5"),
            ("0.15E+1", "1.5"),
            ("-1200", "-1200"),
            ("-0.00120", "-0.0012"),
            ("0.25", "0.25"),
            ("1e100", "1E100"),
            ("-12.5e-100", "-125E-101"),
            ("9007199254740993", "9007199254740993"),
            (
                "12345678901234567890123456789.012345678",
                "12345678901234567890123456789.012345678",
            ),
        ] {
            assert_eq!(text(number).as_deref(), Some(expected), "{number}");
        }
        for bad in [
            "",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "a",
            "1e99999999999999999999",
            "+1",
            "1-2",
        ] {
            assert_eq!(text(bad), None, "{bad}");
        }
        let number = ExactNumber::parse("-0.00123").unwrap();
        assert_eq!((number.digits(), number.magnitude()), (3, -3));
    }

    proptest! {
        /// The text is read as the same number again, and moving the point while the exponent makes
        /// up for it changes nothing.
        #[test]
        fn the_spelling_does_not_matter(
            whole in 1_u64.., fraction in "[0-9]{1,20}", places in 0_usize..5
        ) {
            let plain = ExactNumber::parse(&format!("{whole}.{fraction}")).unwrap();
            prop_assert_eq!(ExactNumber::parse(&plain.to_string()).unwrap(), plain.clone());
            let zeros = "0".repeat(places);
            let moved = format!("0.{whole}{fraction}{zeros}e{}", whole.to_string().len());
            prop_assert_eq!(ExactNumber::parse(&moved).unwrap(), plain);
        }
    }
}
