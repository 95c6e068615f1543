//! Telephone numbers: with their country code, written as E.164 does: `+493012345`.
//!
//! - A `+` or `00`, then 7 to 15 digits, of which the first is not 0.
//! - Between digits may stand what people write there: spaces, dots, dashes, slashes, parentheses.
//! - `(0)` is left out: `+49 (0)30 12345` is how people say that the 0 is for calls within a country.
//! - Without a country code a number is refused, as nothing says which country it is of.
//!
//! Whether somebody answers is not for this file to know.

use super::{Mismatch, ascii};

const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 15;
/// No number written by people is longer, whatever stands between its digits.
const LONGEST: usize = 64;

#[inline]
pub(super) fn parse<'a>(cell: &'a [u8], out: &'a mut String) -> Result<&'a str, Mismatch> {
    if let [b'+', b'1'..=b'9', rest @ ..] = cell
        && (DIGITS_MIN - 1..DIGITS_MAX).contains(&rest.len())
        && rest.iter().all(u8::is_ascii_digit)
    {
        return ascii(cell);
    }
    written(cell, out)
}

fn written<'a>(cell: &[u8], out: &'a mut String) -> Result<&'a str, Mismatch> {
    let text = super::text(cell)?;
    if text.len() > LONGEST {
        return Err(Mismatch::NotPhone);
    }
    out.clear();
    let mut rest = text;
    let mut has_plus = false;
    let mut depth = 0_usize;
    while let Some(character) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("(0)")
            && has_country_code(out, has_plus)
        {
            rest = after;
            continue;
        }
        match character {
            '0'..='9' => out.push(character),
            '+' if out.is_empty() && !has_plus => has_plus = true,
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or(Mismatch::NotPhone)?,
            ' ' | '\u{a0}' | '\u{202f}' | '.' | '-' | '/' | '\u{2010}'..='\u{2013}' => {}
            _ => return Err(Mismatch::NotPhone),
        }
        rest = &rest[character.len_utf8()..];
    }
    if depth > 0 {
        return Err(Mismatch::NotPhone);
    }
    if !has_plus {
        if !out.starts_with("00") {
            let is_long = (DIGITS_MIN..=DIGITS_MAX).contains(&out.len());
            let mismatch = if is_long {
                Mismatch::NoCountryCode
            } else {
                Mismatch::NotPhone
            };
            return Err(mismatch);
        }
        out.drain(..2);
    }
    if !(DIGITS_MIN..=DIGITS_MAX).contains(&out.len()) || out.starts_with('0') {
        return Err(Mismatch::NotPhone);
    }
    out.insert(0, '+');
    Ok(out)
}

/// Whether digits of a country code have been read, and no more than that.
fn has_country_code(digits: &str, has_plus: bool) -> bool {
    let code = if has_plus {
        Some(digits)
    } else {
        digits.strip_prefix("00")
    };
    code.is_some_and(|code| (1..=3).contains(&code.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(cell: &str) -> Result<String, Mismatch> {
        let mut out = String::from("left over");
        super::parse(cell.as_bytes(), &mut out).map(str::to_owned)
    }

    #[test]
    fn takes_out_what_stands_between_digits() {
        for (good, expected) in [
            ("+493012345", "+493012345"),
            ("+49 30 12345", "+493012345"),
            ("+49 (30) 123-45", "+493012345"),
            ("+49 (0)30 12345", "+493012345"),
            ("+49(0)3012345", "+493012345"),
            ("0049 (0) 30/12345", "+493012345"),
            ("0049 30 12345", "+493012345"),
            ("00 49 30 12345", "+493012345"),
            ("+1 (202) 555-0100", "+12025550100"),
            ("+1.202.555.0100", "+12025550100"),
            ("+33\u{a0}1\u{202f}23 45 67 89", "+33123456789"),
            ("+44 20\u{2011}7946\u{2013}0000", "+442079460000"),
            ("+ 49 30 12345", "+493012345"),
            ("(+49) 30 12345", "+493012345"),
            ("+1234567", "+1234567"),
            ("+123456789012345", "+123456789012345"),
        ] {
            assert_eq!(parse(good).as_deref(), Ok(expected), "{good}");
        }
    }

    #[test]
    fn refuses_what_has_no_country() {
        for bad in ["030 12345", "(202) 555-0100", "493012345", "0123 456 789"] {
            assert_eq!(parse(bad), Err(Mismatch::NoCountryCode), "{bad}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        let long = format!("+49{}", " 1".repeat(1 << 19));
        for bad in [
            "+123456",
            "+1234567890123456",
            "+0301234567",
            "+49 30 12345 ext 6",
            "+49 30 12345x6",
            "++493012345",
            "+49+3012345",
            "+49 30 (12345",
            "+49 30 12345)",
            "+４９3012345",
            "+",
            "00",
            "110",
            "CALL ME",
            "tel:+493012345",
            "4,9E+10",
            long.as_str(),
        ] {
            assert_eq!(parse(bad), Err(Mismatch::NotPhone), "{bad}");
        }
        assert_eq!(
            super::parse(b"+49\xff", &mut String::new()),
            Err(Mismatch::NotUtf8)
        );
    }

    proptest! {
        /// Whatever stands between the digits, they are the same number.
        #[test]
        fn punctuation_does_not_count(digits in "[1-9][0-9]{6,14}", marks in "[ ./-]{15}", zeros: bool) {
            let mut cell = String::from(if zeros { "00" } else { "+" });
            for (digit, mark) in digits.chars().zip(marks.chars()) {
                cell.extend([digit, mark]);
            }
            prop_assert_eq!(parse(&cell), Ok(format!("+{digits}")));
        }
    }
}
