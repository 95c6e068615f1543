//! Days and times that are in another form than they should be.
//!
//! The order of day and month must follow from the numbers themselves: one of them is above 12, or
//! both are the same. This file must not know the form they should be in.

use super::super::format::{MONTHS, Parts, days_of, name};

/// The day that is meant.
pub(super) fn day(cell: &str) -> Option<Parts> {
    let (parts, rest) = front(cell)?;
    // A time that says nothing but that it is a day.
    let is_midnight = rest.is_empty() || clock(rest).is_some_and(|time| time == (0, 0, 0));
    is_midnight.then_some(parts)
}

/// The day and the time that are meant.
pub(super) fn time(cell: &str) -> Option<Parts> {
    let (parts, rest) = front(cell)?;
    let (hour, minute, second) = if rest.is_empty() {
        (0, 0, 0)
    } else {
        clock(rest)?
    };
    Some(Parts {
        hour,
        minute,
        second,
        ..parts
    })
}

/// The day at the front of a cell, and what follows.
fn front(cell: &str) -> Option<(Parts, &str)> {
    let cell =
        cell.trim_matches(|character: char| character.is_whitespace() || "\"'".contains(character));
    if let Some((digits, rest)) = cell.split_at_checked(8)
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !rest.starts_with(|character: char| character.is_ascii_digit())
    {
        let number = |from: usize, to: usize| digits[from..to].parse().ok();
        let parts = of_year(number(0, 4)?, number(4, 6)?, number(6, 8)?)?;
        return Some((parts, rest));
    }
    let mut words: Vec<&str> = Vec::with_capacity(3);
    let mut rest = cell;
    while words.len() < 3 {
        rest = rest.trim_start_matches(|character: char| !character.is_alphanumeric());
        let is_digit = rest.starts_with(|character: char| character.is_ascii_digit());
        let end = rest.find(|character: char| {
            if is_digit {
                !character.is_ascii_digit()
            } else {
                !character.is_alphabetic()
            }
        });
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        if word.is_empty() {
            return None;
        }
        // `29th`
        let after = if is_digit { ordinal(after) } else { after };
        words.push(word);
        rest = after;
    }
    let parts = of_words(&[words[0], words[1], words[2]])?;
    Some((parts, rest))
}

fn ordinal(after: &str) -> &str {
    let word = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|word| after.strip_prefix(word));
    match word {
        Some(rest) if !rest.starts_with(char::is_alphabetic) => rest,
        _ => after,
    }
}

/// Three words that are year, month and day in some order.
fn of_words(words: &[&str; 3]) -> Option<Parts> {
    let number = |word: &str| -> Option<u16> { word.parse().ok() };
    let is_year = |word: &str| word.len() == 4 && number(word).is_some();
    let month_name = |word: &str| match name(word.as_bytes(), &MONTHS) {
        Some((month, [])) => Some(u16::from(month) + 1),
        _ => None,
    };
    let [first, second, third] = *words;
    if is_year(first) {
        let month = month_name(second).or_else(|| number(second))?;
        return of_year(number(first)?, month, number(third)?);
    }
    if !is_year(third) {
        return None;
    }
    let year = number(third)?;
    match (month_name(first), month_name(second)) {
        (Some(month), None) => of_year(year, month, number(second)?),
        (None, Some(month)) => of_year(year, month, number(first)?),
        (Some(_), Some(_)) => None,
        (None, None) => match (number(first)?, number(second)?) {
            (day @ 13..=31, month @ 1..=12) | (month @ 1..=12, day @ 13..=31) => {
                of_year(year, month, day)
            }
            (day, month) if day == month => of_year(year, month, day),
            _ => None,
        },
    }
}

/// The day, or the last of the month where it does not have so many. Month and day are the other
/// way round where only that makes a date.
fn of_year(year: u16, month: u16, day: u16) -> Option<Parts> {
    let (month, day) = match (month, day) {
        (1..=12, 1..=31) => (month, day),
        (13..=31, 1..=12) => (day, month),
        _ => return None,
    };
    let (month, day) = (month as u8, day as u8);
    Some(Parts::of_day(year, month, day.min(days_of(year, month))))
}

/// A time with nothing after it.
fn clock(text: &str) -> Option<(u8, u8, u8)> {
    let text = text.trim_start_matches([' ', ',', 'T', 't', '-', ':']);
    let lower = text.to_ascii_lowercase();
    let (text, half) = match lower.trim_end_matches('.') {
        text if text.ends_with("am") => {
            (text.trim_end_matches("am").trim_end().to_owned(), Some(0))
        }
        text if text.ends_with("pm") => {
            (text.trim_end_matches("pm").trim_end().to_owned(), Some(12))
        }
        _ => (lower, None),
    };
    let mut numbers = [0_u8; 3];
    let mut count = 0;
    for word in text.split([':', '.', 'h']) {
        let is_number =
            (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
        // Zeros of a fraction of a second.
        if count == 3 && word.bytes().all(|byte| byte == b'0') {
            continue;
        }
        if !is_number {
            return None;
        }
        *numbers.get_mut(count)? = word.parse().ok()?;
        count += 1;
    }
    let [mut hour, minute, second] = numbers;
    if let Some(half) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + half;
    }
    // A leap second is the end of the minute.
    let second = if second == 60 { 59 } else { second };
    let is_time = count >= 2 && hour < 24 && minute < 60 && second < 60;
    is_time.then_some((hour, minute, second))
}
