//! Why a cell does not fit a type.
//!
//! Each continues a sentence that begins with the cell: `"abc" is not a whole number`. What depends
//! on a definition, such as its own formats, comes as text of its own. This file must not know how
//! cells are converted.

use crate::row_error::Code;

/// Why a cell does not fit a type. It travels with every good value too, so it is kept small.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The bytes are no text.
    #[error("is not valid UTF-8 text")]
    NotUtf8,
    /// Something else than a sign and digits.
    #[error("is not a whole number")]
    NotInteger,
    /// More than an [`i64`] holds.
    #[error("is too large for a whole number (64 bits)")]
    IntegerRange,
    /// No number.
    #[error("is not a number")]
    NotNumber,
    /// More than an [`f64`] holds.
    #[error("is too large for a number")]
    NumberRange,
    /// No number in decimal digits.
    #[error("is not a decimal number")]
    NotDecimal,
    /// A number with an exponent, which a spreadsheet has rounded.
    #[error("is in scientific notation, which does not keep all digits")]
    Exponent,
    /// More digits than a decimal keeps.
    #[error("has more than 38 digits")]
    DecimalRange,
    /// More digits after the point than the definition allows.
    #[error("has more than {most} {} after the point", digits(*most))]
    FractionDigits {
        /// How many it allows.
        most: u32,
    },
    /// None of the usual words.
    #[error("is not a boolean (true, false, yes, no, 1 or 0)")]
    NotBoolean,
    /// Not in the form of a date.
    #[error("is not a date (YYYY-MM-DD)")]
    NotDate,
    /// In the form of a date, of a day that never was.
    #[error("is not a day of the calendar")]
    NoSuchDay,
    /// A date beside the name of another day of the week.
    #[error("names another day of the week than its date is")]
    OtherWeekday,
    /// Not in the form of a date with a time.
    #[error("is not a date with a time (YYYY-MM-DDTHH:MM:SS)")]
    NotDateTime,
    /// In the form of a time, of none that a clock shows.
    #[error("is not a time of the day")]
    NoSuchTime,
    /// A moment that no calendar of four-digit years has.
    #[error("is outside the years 0000 to 9999")]
    TimeRange,
    /// No address.
    #[error("is not an email address")]
    NotEmail,
    /// No URL at all.
    #[error("is not a URL with a scheme and a host (https://example.com)")]
    NotUrl,
    /// No UUID.
    #[error("is not a UUID (8-4-4-4-12 hexadecimal digits)")]
    NotUuid,
    /// No telephone number.
    #[error("is not a telephone number with its country code (+49 30 123456)")]
    NotPhone,
    /// A telephone number of some country that is not said.
    #[error("has no country code (a telephone number begins with + or 00)")]
    NoCountryCode,
    /// What the definition of the field itself says: its formats, its words.
    #[error("{0}")]
    Own(Box<str>),
    /// None of the values of an enum.
    #[error("{0}")]
    NotInSet(Box<str>),
    /// An item of an array does not fit.
    #[error("has the item {} (number {}), which {}", .0.shown, .0.number, .0.why)]
    Item(Box<BadItem>),
}

/// An item of an array that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadItem {
    /// Which item, counted from 1.
    pub number: usize,
    /// The item, as messages show it.
    pub shown: String,
    /// What is wrong with it.
    pub why: Mismatch,
}

impl Mismatch {
    /// The code of the error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotInSet(_) => Code::NotInSet,
            Self::Item(item) => item.why.code(),
            _ => Code::TypeMismatch,
        }
    }

    /// A message made for one definition.
    pub(super) fn own(message: impl Into<Box<str>>) -> Self {
        Self::Own(message.into())
    }
}

fn digits(count: u32) -> &'static str {
    if count == 1 { "digit" } else { "digits" }
}

/// A list for a message: `a, b or c`, cut after some.
pub(super) fn listed<'a>(words: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    const LONGEST: usize = 200;
    let count = words.len();
    let mut out = String::new();
    for (index, word) in words.enumerate() {
        if index >= MOST || out.len() + word.len() > LONGEST {
            let more = count - index;
            // A first word that is too long for a message leaves nothing to say but the number.
            if index == 0 {
                return format!("{count} values");
            }
            return format!("{out} or {more} more");
        }
        match index {
            0 => {}
            _ if index + 1 == count => out.push_str(" or "),
            _ => out.push_str(", "),
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sentences_and_not_too_long() {
        assert_eq!(listed(["a"].into_iter()), "a");
        assert_eq!(listed(["a", "b"].into_iter()), "a or b");
        assert_eq!(listed(["a", "b", "c"].into_iter()), "a, b or c");
        let many: Vec<String> = (0..100).map(|index| index.to_string()).collect();
        let many = listed(many.iter().map(|word| &**word));
        assert_eq!(many, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 or 88 more");
        let long = "x".repeat(1000);
        assert_eq!(listed([&*long, "b"].into_iter()), "2 values");
    }

    #[test]
    fn a_mismatch_is_small() {
        assert!(size_of::<Mismatch>() <= 24, "{}", size_of::<Mismatch>());
    }
}
