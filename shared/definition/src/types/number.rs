//! Decimal numbers: `1`, `-2.5`, `.5`, `5.`, `1e3`, with a point and nothing else between digits.
//!
//! Infinity and "not a number" have no spelling in JSON and are refused. Other marks than the point
//! are those that a definition names. This file must not know anything else.

use super::digits::{Marks, Pieces};
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

/// A number with the marks that a definition names. `out` is for scratch.
pub(super) fn marked(cell: &[u8], marks: Marks, out: &mut String) -> Result<f64, Mismatch> {
    let not_number = || {
        let example = marks.example(true);
        Mismatch::own(format!("is not a number ({example})"))
    };
    let pieces = Pieces::of(cell, marks).ok_or_else(not_number)?;
    out.clear();
    pieces.push(out);
    parse(out.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::digits::Thousands;
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

    #[test]
    fn marks_may_stand_where_the_definition_names_them() {
        let french = Marks {
            point: b',',
            thousands: Some(Thousands::Space),
        };
        let mut out = String::new();
        for (good, value) in [
            ("1 234,5", 1234.5),
            ("-0,25", -0.25),
            ("1,5E+03", 1500.0),
            ("12,5-", -12.5),
        ] {
            let read = marked(good.as_bytes(), french, &mut out);
            assert_eq!(read, Ok(value), "{good}");
        }
        let mismatch = marked(b"1.5", french, &mut out).unwrap_err();
        assert_eq!(mismatch.to_string(), "is not a number (1 234,56)");
        let too_large = marked(b"1e999", french, &mut out);
        assert_eq!(too_large, Err(Mismatch::NumberRange));
    }

    proptest! {
        #[test]
        fn reads_back_every_finite_number(value in proptest::num::f64::NORMAL) {
            prop_assert_eq!(parse(format!("{value}").as_bytes()), Ok(value));
            prop_assert_eq!(parse(format!("{value:e}").as_bytes()), Ok(value));
        }
    }
}
