//! Decimal numbers: `1`, `-2.5`, `.5`, `5.`, `1e3`, with a point and nothing else between digits.
//!
//! Infinity and "not a number" have no spelling in JSON and are refused. This file must not know
//! anything else.

use super::{Mismatch, text};

pub(super) fn parse(cell: &[u8]) -> Result<f64, Mismatch> {
    // Leaves the standard library no letters to read `inf` and `nan` from.
    let decimal = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    if !cell.iter().all(decimal) {
        return Err(Mismatch::NotNumber);
    }
    let value: f64 = text(cell)?.parse().map_err(|_| Mismatch::NotNumber)?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Mismatch::NumberRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accepts_decimal_and_exponent_forms() {
        for (good, value) in [
            ("0", 0.0),
            ("42", 42.0),
            ("+1", 1.0),
            ("-1.5", -1.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1E+3", 1000.0),
            ("25e-1", 2.5),
            ("007", 7.0),
            ("1e-999", 0.0),
        ] {
            assert_eq!(parse(good.as_bytes()), Ok(value), "{good}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for bad in [
            "inf", "-inf", "infinity", "nan", "NaN", "0x10", "1_000", "1,5", "1.000,00", ".", "+",
            "-", "e", "e5", "1e", "1e+", "1.2.3", "--1", "1 2", "$1", "5%", "½", "١",
        ] {
            assert_eq!(parse(bad.as_bytes()), Err(Mismatch::NotNumber), "{bad}");
        }
        for bad in ["1e999", "-1e999"] {
            assert_eq!(parse(bad.as_bytes()), Err(Mismatch::NumberRange), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_every_finite_number(value in proptest::num::f64::NORMAL) {
            prop_assert_eq!(parse(format!("{value}").as_bytes()), Ok(value));
            prop_assert_eq!(parse(format!("{value:e}").as_bytes()), Ok(value));
        }
    }
}
