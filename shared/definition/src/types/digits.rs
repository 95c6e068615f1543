//! Numbers as people and their programs write them: `1.234,56`, `1 234.5`, `1'000`, `12,30-`.
//!
//! It takes a cell apart into sign, whole digits, digits after the point and exponent, by the marks
//! that a definition names. What is strict here is what keeps `1,234` from being taken for 1.234:
//! where digits are grouped at all, every group but the first has three. This file must not know
//! what becomes of the digits.

use super::options::{OptionFault, TypeOptions};

/// What stands between digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// Before the fraction: `.` or `,`.
    pub(super) point: u8,
    /// Between groups of three digits.
    pub(super) thousands: Option<Thousands>,
}

/// What may stand between groups of three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thousands {
    /// One ASCII character.
    Byte(u8),
    /// A space of any of the three kinds that French and Swiss programs write.
    Space,
    /// An apostrophe, straight or curled.
    Apostrophe,
}

const NO_BREAK_SPACE: &str = "\u{a0}";
const NARROW_SPACE: &str = "\u{202f}";
const CURLED: &str = "’";
/// The minus sign of typography.
const MINUS: &str = "−";

impl Marks {
    /// A point, and nothing between thousands.
    pub(super) const PLAIN: Self = Self {
        point: b'.',
        thousands: None,
    };

    /// The marks of a definition; `None` where it names none.
    pub(super) fn compile(options: &TypeOptions, faults: &mut Vec<OptionFault>) -> Option<Self> {
        let point = options.decimal_separator;
        if point.is_some_and(|point| !".,".contains(point)) {
            let message = "expected \".\" or \",\"";
            faults.push(OptionFault::of("decimal_separator", message));
            return None;
        }
        let thousands = match options.thousands_separator {
            None => None,
            Some('\'' | '’') => Some(Thousands::Apostrophe),
            Some(' ' | '\u{a0}' | '\u{202f}') => Some(Thousands::Space),
            Some(mark @ ('.' | ',' | '_')) => Some(Thousands::Byte(mark as u8)),
            Some(_) => {
                let message = "expected \".\", \",\", \"'\", \"_\" or a space";
                faults.push(OptionFault::of("thousands_separator", message));
                return None;
            }
        };
        if point.is_some() && point == options.thousands_separator {
            let message = "expected another character than decimal_separator";
            faults.push(OptionFault::of("thousands_separator", message));
            return None;
        }
        if point.is_none() && thousands.is_none() {
            return None;
        }
        let other = match thousands {
            Some(Thousands::Byte(b'.')) => ',',
            _ => '.',
        };
        Some(Self {
            point: point.unwrap_or(other) as u8,
            thousands,
        })
    }

    /// A number that shows the marks, for messages.
    pub(super) fn example(self, fraction: bool) -> String {
        let mut out = String::from("1");
        match self.thousands {
            Some(Thousands::Byte(mark)) => out.push(char::from(mark)),
            Some(Thousands::Space) => out.push(' '),
            Some(Thousands::Apostrophe) => out.push('\''),
            None => {}
        }
        out.push_str("234");
        if fraction {
            out.push(char::from(self.point));
            out.push_str("56");
        }
        out
    }
}

impl Thousands {
    /// The bytes of the separator that `rest` begins with; 0 without one.
    fn length(self, rest: &[u8]) -> usize {
        let words: &[&str] = match self {
            Self::Byte(mark) => return usize::from(rest.first() == Some(&mark)),
            Self::Space => &[" ", NO_BREAK_SPACE, NARROW_SPACE],
            Self::Apostrophe => &["'", CURLED],
        };
        let found = words.iter().find(|word| rest.starts_with(word.as_bytes()));
        found.map_or(0, |word| word.len())
    }
}

/// The parts of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pieces<'a> {
    /// Whether it is below zero, or a zero with a minus.
    pub(super) negative: bool,
    /// What precedes the point: digits, and the separators between them.
    pub(super) whole: &'a [u8],
    /// What follows the point, where there is one: digits.
    pub(super) fraction: Option<&'a [u8]>,
    /// What follows the `e`, where there is one: a sign and digits.
    pub(super) exponent: Option<&'a [u8]>,
}

impl<'a> Pieces<'a> {
    /// The parts of a cell. The sign may stand before or behind; `−` is a minus too.
    pub(super) fn of(cell: &'a [u8], marks: Marks) -> Option<Self> {
        let (negative, rest) = unsigned(cell)?;
        let (whole, rest) = whole(rest, marks)?;
        let (fraction, rest) = match rest {
            [point, rest @ ..] if *point == marks.point => {
                let (digits, rest) = rest.split_at(leading_digits(rest));
                (Some(digits), rest)
            }
            rest => (None, rest),
        };
        if whole.is_empty() && fraction.is_none_or(<[u8]>::is_empty) {
            return None;
        }
        let exponent = match rest {
            [] => None,
            [b'e' | b'E', exponent @ ..] if is_exponent(exponent) => Some(exponent),
            _ => return None,
        };
        Some(Self {
            negative,
            whole,
            fraction,
            exponent,
        })
    }

    /// Adds the number to `out` as programs write it, with a point and without separators. Zeros at
    /// the front go, but for one before a point.
    pub(super) fn push(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        let start = out.len();
        for &byte in self.whole {
            let is_leading_zero = byte == b'0' && out.len() == start;
            if byte.is_ascii_digit() && !is_leading_zero {
                out.push(char::from(byte));
            }
        }
        if out.len() == start {
            out.push('0');
        }
        if let Some(fraction @ [_, ..]) = self.fraction {
            out.push('.');
            out.extend(fraction.iter().copied().map(char::from));
        }
        if let Some(exponent) = self.exponent {
            out.push('e');
            out.extend(exponent.iter().copied().map(char::from));
        }
    }
}

/// Whether there is a minus, and the cell without its sign.
fn unsigned(cell: &[u8]) -> Option<(bool, &[u8])> {
    let (front, rest) = match cell {
        [b'-', rest @ ..] => (Some(true), rest),
        [b'+', rest @ ..] => (Some(false), rest),
        cell => match cell.strip_prefix(MINUS.as_bytes()) {
            Some(rest) => (Some(true), rest),
            None => (None, cell),
        },
    };
    match (front, rest) {
        (Some(_), [.., b'-']) => None,
        (None, [rest @ .., b'-']) => Some((true, rest)),
        (front, rest) => Some((front.unwrap_or(false), rest)),
    }
}

/// The digits before the point with the separators among them, and what follows.
fn whole(rest: &[u8], marks: Marks) -> Option<(&[u8], &[u8])> {
    let mut end = leading_digits(rest);
    let Some(thousands) = marks.thousands else {
        return Some(rest.split_at(end));
    };
    let mut length = thousands.length(&rest[end..]);
    if length > 0 && !(1..=3).contains(&end) {
        return None;
    }
    while length > 0 {
        let group = &rest[end + length..];
        if leading_digits(group) != 3 {
            return None;
        }
        end += length + 3;
        length = thousands.length(&rest[end..]);
    }
    Some(rest.split_at(end))
}

fn leading_digits(bytes: &[u8]) -> usize {
    let other = bytes.iter().position(|byte| !byte.is_ascii_digit());
    other.unwrap_or(bytes.len())
}

fn is_exponent(text: &[u8]) -> bool {
    let digits = match text {
        [b'-' | b'+', digits @ ..] | digits => digits,
    };
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GERMAN: Marks = Marks {
        point: b',',
        thousands: Some(Thousands::Byte(b'.')),
    };
    const FRENCH: Marks = Marks {
        point: b',',
        thousands: Some(Thousands::Space),
    };
    const SWISS: Marks = Marks {
        point: b'.',
        thousands: Some(Thousands::Apostrophe),
    };

    fn read(cell: &str, marks: Marks) -> Option<String> {
        let mut out = String::new();
        Pieces::of(cell.as_bytes(), marks)?.push(&mut out);
        Some(out)
    }

    #[test]
    fn groups_have_three_digits() {
        for (good, expected) in [
            ("1.234,56", "1234.56"),
            ("1234,56", "1234.56"),
            ("1.234.567", "1234567"),
            ("12", "12"),
            ("0,5", "0.5"),
            (",5", "0.5"),
            ("5,", "5"),
            ("007,50", "7.50"),
            ("-1.234,56", "-1234.56"),
            ("1.234,56-", "-1234.56"),
            ("−1.234,56", "-1234.56"),
            ("+1.234,56", "1234.56"),
            ("1,5E+03", "1.5e+03"),
        ] {
            assert_eq!(read(good, GERMAN).as_deref(), Some(expected), "{good}");
        }
        for bad in [
            "1.23,45",
            "12.3456",
            "1234.567",
            ".123,4",
            "1..234",
            "1.234.56",
            "1,234.56",
            "1,2,3",
            "1.234,5.6",
            "--1",
            "-1-",
            "+1-",
            "1 234",
            "",
            "-",
            ",",
            ".",
            "1.",
            "1,5e",
            "(1)",
            "1,5 €",
        ] {
            assert_eq!(read(bad, GERMAN), None, "{bad}");
        }
    }

    #[test]
    fn spaces_and_apostrophes_of_every_kind() {
        for good in ["1 234,5", "1\u{a0}234,5", "1\u{202f}234,5", "1234,5"] {
            assert_eq!(read(good, FRENCH).as_deref(), Some("1234.5"), "{good}");
        }
        for good in ["1'234.5", "1’234.5"] {
            assert_eq!(read(good, SWISS).as_deref(), Some("1234.5"), "{good}");
        }
        for bad in ["1  234", "1 23", " 123", "1 2345", "1'234"] {
            assert_eq!(read(bad, FRENCH), None, "{bad}");
        }
    }

    #[test]
    fn marks_are_checked() {
        let compile = |decimal, thousands| {
            let options = TypeOptions {
                decimal_separator: decimal,
                thousands_separator: thousands,
                ..TypeOptions::default()
            };
            let mut faults = Vec::new();
            let marks = Marks::compile(&options, &mut faults);
            faults
                .first()
                .map_or(Ok(marks), |fault| Err((fault.key, fault.message.clone())))
        };
        assert_eq!(compile(None, None), Ok(None));
        assert_eq!(compile(None, Some('.')), Ok(Some(GERMAN)));
        assert_eq!(compile(Some(','), Some('.')), Ok(Some(GERMAN)));
        assert_eq!(compile(None, Some('\'')), Ok(Some(SWISS)));
        for (decimal, thousands, key) in [
            (Some(';'), None, "decimal_separator"),
            (None, Some('x'), "thousands_separator"),
            (Some('.'), Some('.'), "thousands_separator"),
        ] {
            assert_eq!(compile(decimal, thousands).unwrap_err().0, key);
        }
    }
}
