//! Cells that fit a type, for the template of a file.
//!
//! Plain to see as examples: `example.com` (RFC 2606), numbers of no country. This file must not
//! know what fields are called.

use super::Converter;
use super::converter::Rule;
use super::date::iso;
use super::digits::Marks;
use super::format::{Parts, days_of};

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
