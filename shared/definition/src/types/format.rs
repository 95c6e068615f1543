//! Formats of dates and times: compiled from a definition once, read cell by cell.
//!
//! A format is a list of items, each of which takes some bytes of a cell and fills in a part of a
//! date. They come from two notations, see `notation`. There are crates that read dates by a format,
//! but they read the format anew for every cell, which costs more than all else about a row.
//!
//! - `MM`, `DD`, `HH` and the like take one or two digits, where no digits of another item follow or
//!   precede; else two. Years take four digits, or two.
//! - Two digits of a year are 1969 to 2068, as POSIX has it: `69` is 1969, `68` is 2068.
//! - A space takes any number of spaces. All else stands for itself.
//! - Names of months and of days of the week are English, short or long, in any case.
//!
//! This file must not know about time zones with names.

mod notation;

use super::Mismatch;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const DAYS: [u8; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// Digits of a fraction of a second, at most: nanoseconds.
pub(super) const FRACTION_MAX: usize = 9;

/// A date, and a time where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Parts {
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    /// The digits after the second's point, as they were written.
    pub(super) fraction: [u8; FRACTION_MAX],
    pub(super) fraction_digits: u8,
    /// Minutes east of Greenwich, where the cell says.
    pub(super) offset: Option<i16>,
    /// The day of the week that the cell names, 0 for Monday.
    pub(super) weekday: Option<u8>,
}

/// Why a cell is not in a format, the nearest to it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Miss {
    /// It looks different.
    Shape,
    /// No clock shows this time.
    Time,
    /// The date is another day of the week.
    Weekday,
    /// The month does not have the day, or the year not the month.
    Day,
}

impl Miss {
    /// What to say of it, unless the formats themselves say more.
    pub(super) fn mismatch(self) -> Option<Mismatch> {
        match self {
            Self::Shape => None,
            Self::Time => Some(Mismatch::NoSuchTime),
            Self::Weekday => Some(Mismatch::OtherWeekday),
            Self::Day => Some(Mismatch::NoSuchDay),
        }
    }
}

/// A compiled format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    items: Vec<Item>,
    /// As the definition has it.
    name: Box<str>,
    /// Whether hours are those of a clock with twelve.
    meridiem: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    part: Part,
    /// Whether there are always as many digits: two.
    fixed: bool,
    /// Whether it is written with a zero in front.
    padded: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Space,
    Year,
    ShortYear,
    Month,
    MonthName {
        long: bool,
    },
    Day,
    Weekday {
        long: bool,
    },
    Hour,
    Minute,
    Second,
    Fraction,
    /// A point and a fraction, or neither.
    DotFraction,
    Meridiem,
    Offset {
        colon: bool,
    },
}

impl Part {
    fn is_digits(&self) -> bool {
        matches!(
            self,
            Self::Year
                | Self::ShortYear
                | Self::Month
                | Self::Day
                | Self::Hour
                | Self::Minute
                | Self::Second
                | Self::Fraction
        )
    }
}

impl Format {
    /// Reads a format of a definition. `time` tells whether it may have a time besides the date.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong with it.
    pub(super) fn compile(format: &str, time: bool) -> Result<Self, String> {
        notation::compile(format, time)
    }

    /// As the definition has it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Reads a cell that is wholly in this format.
    pub(super) fn read(&self, cell: &[u8]) -> Result<Parts, Miss> {
        let mut parts = Parts::default();
        let mut afternoon = None;
        let mut rest = cell;
        for item in &self.items {
            rest = item
                .read(rest, &mut parts, &mut afternoon)
                .ok_or(Miss::Shape)?;
        }
        if !rest.is_empty() {
            return Err(Miss::Shape);
        }
        if let Some(afternoon) = afternoon {
            if !(1..=12).contains(&parts.hour) {
                return Err(Miss::Time);
            }
            parts.hour = parts.hour % 12 + if afternoon { 12 } else { 0 };
        }
        parts.check()
    }

    /// Writes what [`Format::read`] reads.
    pub(super) fn write(&self, parts: &Parts) -> String {
        let mut out = String::new();
        for item in &self.items {
            item.write(parts, self.meridiem, &mut out);
        }
        out
    }
}

impl Item {
    /// Takes its part off the front of a cell and gives what follows.
    #[inline]
    fn read<'a>(
        &self,
        rest: &'a [u8],
        parts: &mut Parts,
        afternoon: &mut Option<bool>,
    ) -> Option<&'a [u8]> {
        let number = |rest| number(rest, self.fixed);
        let mut after = rest;
        match &self.part {
            Part::Text(text) => after = rest.strip_prefix(text.as_bytes())?,
            Part::Space => after = spaces(rest)?,
            Part::Year => {
                let (digits, rest) = rest.split_first_chunk::<4>()?;
                if !digits.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                let &[y1, y2, y3, y4] = digits;
                parts.year = u16::from(two(y1, y2)) * 100 + u16::from(two(y3, y4));
                after = rest;
            }
            Part::ShortYear => {
                let year;
                (year, after) = self::number(rest, true)?;
                parts.year = u16::from(year) + if year < 69 { 2000 } else { 1900 };
            }
            Part::Month => (parts.month, after) = number(rest)?,
            Part::Day => (parts.day, after) = number(rest)?,
            Part::Hour => (parts.hour, after) = number(rest)?,
            Part::Minute => (parts.minute, after) = number(rest)?,
            Part::Second => (parts.second, after) = number(rest)?,
            Part::MonthName { .. } => {
                let month;
                (month, after) = name(rest, &MONTHS)?;
                parts.month = month + 1;
            }
            Part::Weekday { .. } => {
                let weekday;
                (weekday, after) = name(rest, &WEEKDAYS)?;
                parts.weekday = Some(weekday);
            }
            Part::Fraction => after = parts.read_fraction(rest)?,
            Part::DotFraction => {
                if let [b'.' | b',', rest @ ..] = rest {
                    after = parts.read_fraction(rest)?;
                }
            }
            Part::Meridiem => {
                let half;
                (half, after) = meridiem(rest)?;
                *afternoon = Some(half);
            }
            Part::Offset { .. } => {
                let minutes;
                (minutes, after) = offset(rest)?;
                parts.offset = Some(minutes);
            }
        }
        Some(after)
    }

    fn write(&self, parts: &Parts, meridiem: bool, out: &mut String) {
        let named = |name: &str, long: bool| name[..if long { name.len() } else { 3 }].to_owned();
        let hour = match (meridiem, parts.hour % 12) {
            (false, _) => parts.hour,
            (true, 0) => 12,
            (true, hour) => hour,
        };
        let number = match &self.part {
            Part::Text(text) => return out.push_str(text),
            Part::Space => return out.push(' '),
            Part::Year => return push_digits(&parts.date()[..4], out),
            Part::MonthName { long } => {
                let name = MONTHS.get(usize::from(parts.month.wrapping_sub(1)));
                return out.push_str(&named(name.unwrap_or(&"   "), *long));
            }
            Part::Weekday { long } => {
                let name = WEEKDAYS[usize::from(parts.weekday_of_date()) % 7];
                return out.push_str(&named(name, *long));
            }
            Part::Fraction => {
                return out.push_str(if parts.fraction_digits > 0 {
                    parts.fraction_text()
                } else {
                    "0"
                });
            }
            Part::DotFraction => {
                if parts.fraction_digits > 0 {
                    out.push('.');
                    out.push_str(parts.fraction_text());
                }
                return;
            }
            Part::Meridiem => return out.push_str(if parts.hour < 12 { "AM" } else { "PM" }),
            Part::Offset { colon } => return write_offset(parts.offset.unwrap_or(0), *colon, out),
            Part::ShortYear => (parts.year % 100) as u8,
            Part::Month => parts.month,
            Part::Day => parts.day,
            Part::Hour => hour,
            Part::Minute => parts.minute,
            Part::Second => parts.second,
        };
        if number < 10 && self.padded {
            out.push('0');
        }
        out.push_str(&number.to_string());
    }
}

impl Parts {
    /// A day.
    pub(super) fn of_day(year: u16, month: u8, day: u8) -> Self {
        Self {
            year,
            month,
            day,
            ..Self::default()
        }
    }

    /// Itself, if there is such a day and such a time.
    #[inline]
    pub(super) fn check(self) -> Result<Self, Miss> {
        if !is_day(self.year, self.month, self.day) {
            return Err(Miss::Day);
        }
        if self.hour > 23 || self.minute > 59 || self.second > 59 {
            return Err(Miss::Time);
        }
        match self.weekday {
            Some(weekday) if weekday != self.weekday_of_date() => Err(Miss::Weekday),
            _ => Ok(self),
        }
    }

    /// The day as `YYYY-MM-DD`.
    #[inline]
    pub(super) fn date(&self) -> [u8; 10] {
        let [y1, y2] = pair((self.year / 100) as u8);
        let [y3, y4] = pair((self.year % 100) as u8);
        let [m1, m2] = pair(self.month);
        let [d1, d2] = pair(self.day);
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2]
    }

    /// The digits after the second's point.
    pub(super) fn fraction_text(&self) -> &str {
        let digits = self.fraction.get(..usize::from(self.fraction_digits));
        std::str::from_utf8(digits.unwrap_or_default()).unwrap_or_default()
    }

    /// Takes one to nine digits of a fraction and gives what follows.
    #[inline]
    pub(super) fn read_fraction<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let other = rest.iter().position(|byte| !byte.is_ascii_digit());
        let (digits, after) = rest.split_at(other.unwrap_or(rest.len()));
        if digits.is_empty() {
            return None;
        }
        self.fraction
            .get_mut(..digits.len())?
            .copy_from_slice(digits);
        self.fraction_digits = digits.len() as u8;
        Some(after)
    }

    /// The day of the week of the date, 0 for Monday.
    fn weekday_of_date(&self) -> u8 {
        let (Ok(year), Ok(month), Ok(day)) = (
            i16::try_from(self.year),
            i8::try_from(self.month),
            i8::try_from(self.day),
        ) else {
            return 0;
        };
        let date = jiff::civil::Date::new(year, month, day);
        date.map_or(0, |date| {
            date.weekday().to_monday_zero_offset().unsigned_abs()
        })
    }
}

/// Whether the Gregorian calendar has the day.
#[inline]
pub(super) fn is_day(year: u16, month: u8, day: u8) -> bool {
    // Days that every month has are the most, and need no division.
    let is_common = (1..=28).contains(&day) && (1..=12).contains(&month);
    is_common || (1..=days_of(year, month)).contains(&day)
}

/// The days of a month; 0 for a month that no year has.
#[inline]
pub(super) fn days_of(year: u16, month: u8) -> u8 {
    let Some(&days) = DAYS.get(usize::from(month.wrapping_sub(1))) else {
        return 0;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    days + u8::from(month == 2 && leap)
}

/// The number that two digits write.
#[inline]
pub(super) fn two(tens: u8, ones: u8) -> u8 {
    (tens - b'0') * 10 + (ones - b'0')
}

/// Two digits of a number below 100.
#[inline]
pub(super) fn pair(number: u8) -> [u8; 2] {
    [b'0' + number / 10 % 10, b'0' + number % 10]
}

/// Takes one or two digits, or two alone, off the front.
#[inline]
fn number(rest: &[u8], fixed: bool) -> Option<(u8, &[u8])> {
    match rest {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => Some((two(*tens, *ones), rest)),
        [ones @ b'0'..=b'9', rest @ ..] if !fixed => Some((ones - b'0', rest)),
        _ => None,
    }
}

/// Takes spaces off the front, at least one.
fn spaces(rest: &[u8]) -> Option<&[u8]> {
    let mut after = rest;
    while let Some(rest) = [" ", "\u{a0}", "\u{202f}", "\t"]
        .iter()
        .find_map(|space| after.strip_prefix(space.as_bytes()))
    {
        after = rest;
    }
    (after.len() < rest.len()).then_some(after)
}

/// Takes a name, whole or its first three letters, off the front: which it is, and what follows.
pub(super) fn name<'a>(rest: &'a [u8], names: &[&str]) -> Option<(u8, &'a [u8])> {
    let other = rest.iter().position(|byte| !byte.is_ascii_alphabetic());
    let (word, after) = rest.split_at(other.unwrap_or(rest.len()));
    let is_word = |name: &&str| {
        let name = name.as_bytes();
        word.eq_ignore_ascii_case(name)
            || word.eq_ignore_ascii_case(&name[..3])
            || (word.eq_ignore_ascii_case(b"sept") && name.starts_with(b"Sept"))
    };
    let index = names.iter().position(is_word)?;
    Some((index as u8, after))
}

/// Takes `am` or `pm` off the front: whether it is the latter.
fn meridiem(rest: &[u8]) -> Option<(bool, &[u8])> {
    for (word, afternoon) in [("am", false), ("pm", true), ("a.m.", false), ("p.m.", true)] {
        let (front, after) = rest.split_at_checked(word.len()).unwrap_or((&[], rest));
        if front.eq_ignore_ascii_case(word.as_bytes()) {
            return Some((afternoon, after));
        }
    }
    None
}

/// Takes `Z`, `+02:00`, `+0200` or `+02` off the front: minutes east of Greenwich.
#[inline]
pub(super) fn offset(rest: &[u8]) -> Option<(i16, &[u8])> {
    let (sign, rest) = match rest {
        [b'Z' | b'z', rest @ ..] => return Some((0, rest)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = number(rest, true)?;
    let (minutes, rest) = match rest {
        [b':', rest @ ..] => number(rest, true)?,
        [b'0'..=b'9', ..] => number(rest, true)?,
        rest => (0, rest),
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some((sign * (i16::from(hours) * 60 + i16::from(minutes)), rest))
}

fn write_offset(offset: i16, colon: bool, out: &mut String) {
    let minutes = offset.unsigned_abs();
    let sign = if offset < 0 { '-' } else { '+' };
    let colon = if colon { ":" } else { "" };
    out.push(sign);
    push_digits(&pair((minutes / 60) as u8), out);
    out.push_str(colon);
    push_digits(&pair((minutes % 60) as u8), out);
}

fn push_digits(digits: &[u8], out: &mut String) {
    out.extend(digits.iter().copied().map(char::from));
}
