//! Cells that fit a type, for the template of a file.
//!
//! Plain to see as examples: `example.com` (RFC 2606), numbers of no country. This file must not
//! know what fields are called.

use super::converter::Rule;
use super::date::iso;
use super::digits::Marks;
use super::format::{Parts, days_of};
use super::{Converter, Literal};

/// A cell that fits, another one for every `n` as far as there are enough.
pub(super) fn of(converter: &Converter, n: u64) -> String {
    let counted = n.wrapping_add(1);
    match &converter.rule {
        Rule::Text => format!("text {counted}"),
        Rule::Integer | Rule::IntegerWith(..) => (counted % 1_000_000_000).to_string(),
        Rule::Number => number(n, Marks::PLAIN, 1),
        Rule::NumberWith(marks) => number(n, *marks, 1),
        Rule::Decimal(decimals) => {
            let digits = decimals.fraction_digits.unwrap_or(2).min(2);
            number(n, decimals.marks.unwrap_or(Marks::PLAIN), digits)
        }
        Rule::Boolean => if n.is_multiple_of(2) { "true" } else { "false" }.to_owned(),
        Rule::BooleanOf(words) => words.word(n.is_multiple_of(2)).to_owned(),
        Rule::IsoDate => iso(&day(n)),
        Rule::Date(dates) => dates.write(&day(n)),
        Rule::DateTime(times) => times.write(&time(n)),
        Rule::Email => format!("person{counted}@example.com"),
        Rule::Url(urls) => {
            let scheme = urls.schemes().next().unwrap_or("https");
            format!("{scheme}://example.com/{counted}")
        }
        Rule::Uuid => super::uuid::example(n),
        // The area code 555 is given to nobody.
        Rule::Phone => format!("+1555{:07}", n % 10_000_000),
        Rule::Enum(set) => {
            let count = set.values().len().max(1) as u64;
            set.values()
                .nth((n % count) as usize)
                .unwrap_or_default()
                .to_owned()
        }
        Rule::Array(arrays) => arrays.example(n),
        Rule::Json => format!("{{\"n\":{counted}}}"),
    }
}

/// A cell for a value that the definition has, or for one near it.
pub(super) fn near(converter: &Converter, literal: &Literal, steps: i64) -> Option<String> {
    let marks = match &converter.rule {
        Rule::NumberWith(marks) | Rule::IntegerWith(marks, _) => *marks,
        Rule::Decimal(decimals) => decimals.marks.unwrap_or(Marks::PLAIN),
        _ => Marks::PLAIN,
    };
    let text = match (literal, &converter.rule) {
        (Literal::Str(text), Rule::IsoDate) => return Some(iso(&day_near(text, steps)?)),
        (Literal::Str(text), Rule::Date(dates)) => {
            return Some(dates.write(&day_near(text, steps)?));
        }
        (Literal::Str(text), Rule::DateTime(times)) => {
            return Some(times.write(&day_near(text, steps)?));
        }
        (Literal::Int(int), _) => int.checked_add(steps)?.to_string(),
        (Literal::Num(number), _) => (number + steps as f64).to_string(),
        (Literal::Decimal(text), _) => {
            let (whole, fraction) = match text.split_once('.') {
                Some((whole, fraction)) => (whole, format!(".{fraction}")),
                None => (text.as_str(), String::new()),
            };
            let moved = whole.parse::<i64>().ok()?.checked_add(steps)?;
            // What is between 0 and -1 has no sign in its whole part.
            match steps {
                0 => text.clone(),
                _ => format!("{moved}{fraction}"),
            }
        }
        _ => return None,
    };
    Some(text.replace('.', char::from(marks.point).encode_utf8(&mut [0; 4])))
}

/// The day that is so many days after one written as `2024-02-29`, with whatever behind it.
fn day_near(text: &str, days: i64) -> Option<Parts> {
    let mut numbers = text.get(..10)?.splitn(3, '-').map(str::parse::<u16>);
    let mut next = || numbers.next()?.ok();
    let (mut year, mut month, day) = (next()?, next()? as u8, next()?);
    let mut day = i64::from(day) + days;
    // At most a few years away, so a month at a time is quick enough.
    while day < 1 {
        (year, month) = match month {
            1 => (year.checked_sub(1)?, 12),
            _ => (year, month - 1),
        };
        day += i64::from(days_of(year, month));
    }
    while day > i64::from(days_of(year, month)) {
        day -= i64::from(days_of(year, month));
        (year, month) = match month {
            12 => (year.checked_add(1)?, 1),
            _ => (year, month + 1),
        };
    }
    Some(Parts::of_day(year, month, u8::try_from(day).ok()?))
}

/// A number with so many digits after the point, and without separators of thousands.
fn number(n: u64, marks: Marks, fraction_digits: u32) -> String {
    let whole = n % 1_000_000_000 + 1;
    let point = char::from(marks.point);
    match fraction_digits {
        0 => whole.to_string(),
        1 => format!("{whole}{point}5"),
        _ => format!("{whole}{point}50"),
    }
}

/// A day of this century's first decades.
fn day(n: u64) -> Parts {
    let year = 2024 + (n / 365 % 44) as u16;
    let mut month = 1;
    let mut day = (n % 365) as u16 + 1;
    while day > u16::from(days_of(year, month)) {
        day -= u16::from(days_of(year, month));
        month += 1;
    }
    Parts::of_day(year, month, day as u8)
}

fn time(n: u64) -> Parts {
    Parts {
        hour: 8 + (n % 12) as u8,
        minute: (n % 60) as u8,
        ..day(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{FieldType, TypeOptions};

    fn near(kind: FieldType, options: &TypeOptions, literal: &Literal, steps: i64) -> String {
        let converter = Converter::compile(kind, options).unwrap();
        let cell = converter.example_near(literal, steps).unwrap();
        assert!(
            converter
                .convert(cell.as_bytes(), &mut String::new())
                .is_ok(),
            "{cell}"
        );
        cell
    }

    #[test]
    fn values_near_a_bound_are_written_as_the_type_has_them() {
        let date = Literal::Str("2024-02-28".to_owned());
        let german = TypeOptions {
            formats: vec!["DD.MM.YYYY".to_owned()],
            ..TypeOptions::default()
        };
        let plain = TypeOptions::default;
        assert_eq!(near(FieldType::Date, &plain(), &date, 2), "2024-03-01");
        assert_eq!(near(FieldType::Date, &plain(), &date, -59), "2023-12-31");
        assert_eq!(near(FieldType::Date, &german, &date, 1), "29.02.2024");
        assert_eq!(
            near(FieldType::DateTime, &plain(), &date, 366),
            "2025-02-28T00:00:00"
        );
        assert_eq!(
            near(FieldType::Integer, &plain(), &Literal::Int(18), 1),
            "19"
        );
        let comma = TypeOptions {
            decimal_separator: Some(','),
            ..TypeOptions::default()
        };
        let price = Literal::Decimal("0.50".to_owned());
        assert_eq!(near(FieldType::Decimal, &comma, &price, 3), "3,50");
        assert_eq!(
            near(FieldType::Number, &plain(), &Literal::Num(1.5), -2),
            "-0.5"
        );
    }
}
