//! Whole numbers: an optional sign and digits, within 64 bits.
//!
//! No decimal point, no exponent and no separators: `1.0` and `1_000` may mean something else to
//! whoever wrote them. A definition that names its marks allows for these: `1.234,00` is 1234, as
//! nothing but zeros follow the point. This file must not know anything else.

use super::Mismatch;
use super::digits::{Marks, Pieces};

/// As many digits as always fit.
const SAFE_DIGITS: usize = 18;

pub(super) fn parse(cell: &[u8]) -> Result<i64, Mismatch> {
    let (negative, digits) = match cell {
        [sign @ (b'-' | b'+'), digits @ ..] => (*sign == b'-', digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return Err(Mismatch::NotInteger);
    }
    if digits.len() > SAFE_DIGITS {
        return long(digits, negative);
    }
    let mut magnitude = 0_i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return Err(Mismatch::NotInteger);
        }
        magnitude = magnitude * 10 + i64::from(digit);
    }
    Ok(if negative { -magnitude } else { magnitude })
}

/// Nineteen digits and more, leading zeros among them.
#[cold]
fn long(digits: &[u8], negative: bool) -> Result<i64, Mismatch> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Mismatch::NotInteger);
    }
    sum(digits.iter(), negative)
}

fn sum<'d>(digits: impl Iterator<Item = &'d u8>, negative: bool) -> Result<i64, Mismatch> {
    let mut value = 0_i64;
    for digit in digits {
        let digit = i64::from(digit - b'0');
        // Towards the sign from the start, because the smallest number has no positive twin.
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(if negative { -digit } else { digit }))
            .ok_or(Mismatch::IntegerRange)?;
    }
    Ok(value)
}

/// A whole number with the marks that a definition names. Without a `decimal_separator` of its own,
/// nothing follows the digits.
pub(super) fn marked(cell: &[u8], marks: Marks, fraction: bool) -> Result<i64, Mismatch> {
    let not_integer = || {
        let example = marks.example(false);
        Mismatch::own(format!("is not a whole number ({example})"))
    };
    let pieces = Pieces::of(cell, marks).ok_or_else(not_integer)?;
    let zeros = pieces.fraction.unwrap_or_default();
    if pieces.exponent.is_some()
        || (pieces.fraction.is_some() && !fraction)
        || zeros.iter().any(|digit| *digit != b'0')
    {
        return Err(not_integer());
    }
    let digits = pieces.whole.iter().filter(|byte| byte.is_ascii_digit());
    sum(digits, pieces.negative)
}

#[cfg(test)]
mod tests {
    use super::super::digits::Thousands;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_no_whole_number() {
        for bad in [
            "-",
            "+",
            "1.0",
            "1_000",
            "1,000",
            "1e3",
            "0x10",
            "--1",
            "+-1",
            "1 2",
            "١",
            "abc",
            "1-",
            "12345678901234567890123x",
        ] {
            assert_eq!(parse(bad.as_bytes()), Err(Mismatch::NotInteger), "{bad}");
        }
    }

    #[test]
    fn knows_the_bounds() {
        assert_eq!(parse(b"9223372036854775807"), Ok(i64::MAX));
        assert_eq!(parse(b"-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(parse(b"0000000000000000000000000042"), Ok(42));
        for bad in [
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999999",
        ] {
            assert_eq!(parse(bad.as_bytes()), Err(Mismatch::IntegerRange), "{bad}");
        }
    }

    #[test]
    fn marks_may_stand_where_the_definition_names_them() {
        let german = Marks {
            point: b',',
            thousands: Some(Thousands::Byte(b'.')),
        };
        for (good, value) in [
            ("1.234", 1234),
            ("-1.234.567", -1_234_567),
            ("1234", 1234),
            ("1.234-", -1234),
            ("-9.223.372.036.854.775.808", i64::MIN),
        ] {
            assert_eq!(marked(good.as_bytes(), german, false), Ok(value), "{good}");
            let with_zeros = good.trim_end_matches('-').to_owned() + ",00";
            let expected = if good.ends_with('-') { -value } else { value };
            assert_eq!(marked(with_zeros.as_bytes(), german, true), Ok(expected));
            assert!(marked(with_zeros.as_bytes(), german, false).is_err());
        }
        for bad in ["1.23", "1,5", "1e3", "12.34.567", "", "1.234,01"] {
            let mismatch = marked(bad.as_bytes(), german, true).unwrap_err();
            assert_eq!(
                mismatch.to_string(),
                "is not a whole number (1.234)",
                "{bad}"
            );
        }
        let too_large = marked(b"9.223.372.036.854.775.808", german, false);
        assert_eq!(too_large, Err(Mismatch::IntegerRange));
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(text in "[-+]?[0-9]{0,21}|[-+0-9a._ ]{1,4}") {
            prop_assert_eq!(parse(text.as_bytes()).ok(), text.parse::<i64>().ok());
        }

        #[test]
        fn reads_back_every_integer(value: i64) {
            prop_assert_eq!(parse(value.to_string().as_bytes()), Ok(value));
        }
    }
}
