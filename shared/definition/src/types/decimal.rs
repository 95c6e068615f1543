//! Decimals: numbers that keep every digit, as text: `12.30` stays `12.30`.
//!
//! - At most 38 digits that count, and at most 38 after the point: what databases keep exactly.
//! - Written as JSON writes numbers: no plus, no zeros in front but one before a point, the digits
//!   after the point as they are. A zero has no sign.
//! - No exponent: a cell that has one has been rounded by the program that wrote it.
//!
//! This file must not know what numbers are used for.

use super::digits::{Marks, Pieces};
use super::{Mismatch, ascii};

/// Digits that count, and digits after the point, at most.
pub(super) const DIGITS_MAX: usize = 38;

/// What a definition says about decimals.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decimals {
    pub(super) marks: Option<Marks>,
    /// The most digits after the point.
    pub(super) fraction_digits: Option<u32>,
}

impl Decimals {
    #[inline]
    pub(super) fn parse<'a>(
        &self,
        cell: &'a [u8],
        out: &'a mut String,
    ) -> Result<&'a str, Mismatch> {
        let marks = self.marks.unwrap_or(Marks::PLAIN);
        let most = self.fraction_digits.unwrap_or(DIGITS_MAX as u32);
        if marks.point == b'.' && is_plain(cell, most as usize) {
            return ascii(cell);
        }
        let Some(mut pieces) = Pieces::of(cell, marks) else {
            return Err(self.mismatch());
        };
        if pieces.exponent.is_some() {
            return Err(Mismatch::Exponent);
        }
        let fraction = pieces.fraction.unwrap_or_default();
        let significant = significant(&pieces);
        if significant > DIGITS_MAX || fraction.len() > DIGITS_MAX {
            return Err(Mismatch::DecimalRange);
        }
        if let Some(most) = self.fraction_digits
            && fraction.len() > most as usize
        {
            return Err(Mismatch::FractionDigits { most });
        }
        pieces.negative &= significant > 0;
        if is_canonical(cell, &pieces) {
            return ascii(cell);
        }
        out.clear();
        pieces.push(out);
        Ok(out)
    }

    #[cold]
    fn mismatch(&self) -> Mismatch {
        match self.marks {
            None => Mismatch::NotDecimal,
            Some(marks) => {
                let example = marks.example(true);
                Mismatch::own(format!("is not a decimal number ({example})"))
            }
        }
    }
}

/// Whether a cell is as it will be written, for certain: not begun with a zero, and with no more digits than any
/// decimal may have.
#[inline]
fn is_plain(cell: &[u8], fraction_digits: usize) -> bool {
    let unsigned = cell.strip_prefix(b"-").unwrap_or(cell);
    if unsigned.len() > DIGITS_MAX || !matches!(unsigned.first(), Some(b'1'..=b'9')) {
        return false;
    }
    let other = unsigned.iter().position(|byte| !byte.is_ascii_digit());
    let Some(at) = other else {
        return true;
    };
    let fraction = &unsigned[at + 1..];
    unsigned[at] == b'.'
        && (1..=fraction_digits).contains(&fraction.len())
        && fraction.iter().all(u8::is_ascii_digit)
}

/// Digits from the first that is not a zero to the last.
fn significant(pieces: &Pieces<'_>) -> usize {
    let fraction = pieces.fraction.unwrap_or_default();
    let is_counted = |byte: &&u8| byte.is_ascii_digit();
    let whole = pieces.whole.iter().filter(is_counted);
    whole
        .chain(fraction)
        .skip_while(|byte| **byte == b'0')
        .count()
}

/// Whether the cell is what [`Pieces::push`] would write.
fn is_canonical(cell: &[u8], pieces: &Pieces<'_>) -> bool {
    let whole = match pieces.whole {
        [b'0'] => 1,
        [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => 1 + rest.len(),
        _ => return false,
    };
    let sign = usize::from(pieces.negative);
    let (point, fraction) = match pieces.fraction {
        None => (0, 0),
        Some([]) => return false,
        Some(fraction) => (1, fraction.len()),
    };
    // A plus or a minus elsewhere makes it longer, or puts something else in front.
    cell.len() == sign + whole + point + fraction
        && (sign == 0 || cell[0] == b'-')
        && (point == 0 || cell[sign + whole] == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: Decimals = Decimals {
        marks: None,
        fraction_digits: None,
    };

    fn parse(cell: &str) -> Result<String, Mismatch> {
        let mut out = String::from("left over");
        PLAIN.parse(cell.as_bytes(), &mut out).map(str::to_owned)
    }

    #[test]
    fn keeps_every_digit() {
        let nines = "9".repeat(38);
        let small = format!("0.{}1", "0".repeat(37));
        for (good, expected) in [
            ("0", "0"),
            ("42", "42"),
            ("12.30", "12.30"),
            ("-12.30", "-12.30"),
            ("+12.30", "12.30"),
            ("12.30-", "-12.30"),
            ("0012.30", "12.30"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("5.", "5"),
            ("-0.00", "0.00"),
            ("0-", "0"),
            ("00", "0"),
            ("0.10", "0.10"),
            ("1-", "-1"),
            (nines.as_str(), nines.as_str()),
            (small.as_str(), small.as_str()),
        ] {
            assert_eq!(parse(good).as_deref(), Ok(expected), "{good}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for bad in [
            "-", "+", ".", "-.", "1,5", "1.2.3", "1 2", "--1", "abc", "0x1", "1_000", "$1", "1%",
            "(1.00)", "١", "e5", "1e",
        ] {
            assert_eq!(parse(bad), Err(Mismatch::NotDecimal), "{bad}");
        }
        for bad in ["1e3", "1.5E-7", "-1e+3"] {
            assert_eq!(parse(bad), Err(Mismatch::Exponent), "{bad}");
        }
        for bad in [
            "1".repeat(39),
            format!("0.{}", "0".repeat(39)),
            "7".repeat(1 << 20),
        ] {
            assert_eq!(parse(&bad), Err(Mismatch::DecimalRange));
        }
        assert_eq!(parse(&format!("{}1", "0".repeat(1000))).as_deref(), Ok("1"));
    }

    #[test]
    fn counts_digits_after_the_point() {
        let cents = Decimals {
            marks: None,
            fraction_digits: Some(2),
        };
        let mut out = String::new();
        assert_eq!(cents.parse(b"1.25", &mut out), Ok("1.25"));
        assert_eq!(cents.parse(b"1", &mut out), Ok("1"));
        let mismatch = cents.parse(b"1.250", &mut out).unwrap_err();
        assert_eq!(
            mismatch.to_string(),
            "has more than 2 digits after the point"
        );
    }

    proptest! {
        /// What is written once is read again as it is, and means what the standard library reads.
        #[test]
        fn what_is_written_reads_back(cell in "[-+]?[0-9]{0,25}(\\.[0-9]{0,12})?-?") {
            let Ok(written) = parse(&cell) else { return Ok(()) };
            prop_assert_eq!(parse(&written), Ok(written.clone()));
            prop_assert!(serde_json::from_str::<serde_json::Number>(&written).is_ok());
            if let Ok(value) = cell.parse::<f64>() {
                prop_assert_eq!(written.parse::<f64>(), Ok(value));
            }
        }

        /// A sign, digits and a point in the right order are a number, and nothing else is.
        #[test]
        fn agrees_with_the_standard_library(cell in "[-+.0-9e_, ]{1,8}") {
            let is_simple = !cell.contains(['e', '_', ',', ' ']) && !cell.ends_with('-');
            if is_simple {
                prop_assert_eq!(parse(&cell).is_ok(), cell.parse::<f64>().is_ok(), "{}", cell);
            }
        }
    }
}
