//! What may have been meant by a cell that does not fit its type.
//!
//! A suggestion is made only where hardly anything else can have been meant: `29.2.2024` is a day,
//! `3.4.2024` may be two and gets none. Whether it fits is looked at by who asks. This file must not
//! know the field.

mod dates;

use super::FieldType;
use super::converter::{Converter, Rule};
use super::digits::Marks;
use crate::show::is_format;
use crate::suggest::nearest;

impl Converter {
    /// A guess at what was meant. It may be wrong, or fit no better.
    pub(super) fn guess(&self, cell: &str) -> Option<String> {
        match &self.rule {
            Rule::Text | Rule::Json | Rule::Phone => None,
            Rule::Integer | Rule::Number => numeral(cell, Marks::PLAIN, self.kind(), None),
            Rule::IntegerWith(marks, _) | Rule::NumberWith(marks) => {
                numeral(cell, *marks, self.kind(), None)
            }
            Rule::Decimal(decimals) => {
                let marks = decimals.marks.unwrap_or(Marks::PLAIN);
                numeral(cell, marks, self.kind(), decimals.fraction_digits)
            }
            Rule::Boolean => {
                let words = ["true", "false", "yes", "no"];
                word(cell, words.into_iter()).map(str::to_owned)
            }
            Rule::BooleanOf(words) => word(cell, words.words()).map(str::to_owned),
            Rule::IsoDate => dates::day(cell).map(|parts| super::date::iso(&parts)),
            Rule::Date(dates) => dates::day(cell).map(|parts| dates.write(&parts)),
            Rule::DateTime(times) => dates::time(cell).map(|parts| times.write(&parts)),
            Rule::Email => email(cell),
            Rule::Url(urls) => url(cell, urls.schemes()),
            Rule::Uuid => uuid(cell),
            Rule::Enum(set) => set.nearest(cell).map(str::to_owned),
            Rule::Array(arrays) => arrays.suggest(cell),
        }
    }
}

/// A word that is nearly the cell, or the only one that begins with its one letter.
fn word<'w>(cell: &str, words: impl Iterator<Item = &'w str> + Clone) -> Option<&'w str> {
    let mut letters = cell.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        let begins = |word: &&str| {
            let first = word.chars().next();
            first.is_some_and(|first| first.to_lowercase().eq(letter.to_lowercase()))
        };
        let mut found = words.filter(begins);
        return match (found.next(), found.next()) {
            (Some(word), None) => Some(word),
            _ => None,
        };
    }
    nearest(cell, words)
}

/// A number in the marks of another country, in a currency, or as an accountant writes it.
fn numeral(cell: &str, marks: Marks, kind: FieldType, digits: Option<u32>) -> Option<String> {
    let mut text: String = cell
        .chars()
        .filter(|character| !character.is_whitespace() && !is_format(*character))
        .filter(|character| !matches!(character, '\'' | '’' | '_'))
        .collect();
    for currency in ["€", "$", "£", "¥", "EUR", "USD", "CHF", "GBP"] {
        let rest = text.strip_prefix(currency).or(text.strip_suffix(currency));
        if let Some(rest) = rest {
            text = rest.to_owned();
            break;
        }
    }
    let mut negative = false;
    if let Some(inner) = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
    {
        negative = true;
        text = inner.to_owned();
    } else if let Some(rest) = text
        .strip_prefix(['-', '−'])
        .or(text.strip_suffix(['-', '−']))
    {
        negative = true;
        text = rest.to_owned();
    }
    let (whole, mut fraction) = point(&text)?;
    if kind == FieldType::Integer {
        if fraction.contains(|digit| digit != '0') {
            return None;
        }
        fraction = "";
    }
    if let Some(most) = digits
        && let Some((kept, cut)) = fraction.split_at_checked(most as usize)
    {
        if cut.contains(|digit| digit != '0') {
            return None;
        }
        fraction = kept;
    }
    let sign = if negative { "-" } else { "" };
    let point = if fraction.is_empty() {
        String::new()
    } else {
        char::from(marks.point).to_string()
    };
    let whole = if whole.is_empty() { "0" } else { &whole };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

/// The digits before the point and those after it, where it is clear which is which.
fn point(text: &str) -> Option<(String, &str)> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = |text: &str, mark: char| {
        let mut groups = text.split(mark);
        let first = groups.next().unwrap_or_default();
        let is_grouped = (1..=3).contains(&first.len())
            && groups.all(|group| group.len() == 3)
            && is_digits(&text.replace(mark, ""));
        is_grouped.then(|| text.replace(mark, ""))
    };
    let (whole, fraction) = match (text.rfind('.'), text.rfind(',')) {
        (None, None) => (text.to_owned(), ""),
        (Some(dot), Some(comma)) => {
            let at = dot.max(comma);
            let mark = if dot > comma { ',' } else { '.' };
            (grouped(&text[..at], mark)?, &text[at + 1..])
        }
        (Some(at), None) | (None, Some(at)) => {
            let mark = if text[at..].starts_with('.') {
                '.'
            } else {
                ','
            };
            if text.matches(mark).count() > 1 {
                (grouped(text, mark)?, "")
            } else if text.len() - at == 4 && (1..=3).contains(&at) && !text.starts_with('0') {
                // Thousands to some, three digits after the point to others.
                return None;
            } else {
                (text[..at].to_owned(), &text[at + 1..])
            }
        }
    };
    let is_number =
        is_digits(&whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    is_number.then_some((whole, fraction))
}

/// An address with something about it that no address has.
fn email(cell: &str) -> Option<String> {
    let mut text = cell;
    // `Ada <ada@example.com>`
    if let Some((_, rest)) = text.split_once('<') {
        text = rest.split_once('>')?.0;
    }
    let text: String = text
        .chars()
        .filter(|character| !character.is_whitespace() && !is_format(*character))
        .collect();
    let text = text
        .replace("(at)", "@")
        .replace("[at]", "@")
        .replace("(dot)", ".")
        .replace("[dot]", ".")
        .replace("@@", "@");
    let text = text.strip_prefix("mailto:").unwrap_or(&text);
    let (local, domain) = text.split_once('@')?;
    let local = local.trim_start_matches(['"', '\'', '(']);
    let domain = domain.trim_end_matches(['"', '\'', ')', '.', ',', ';', ':']);
    let mut domain = domain.replace(',', ".");
    while domain.contains("..") {
        domain = domain.replace("..", ".");
    }
    // Those that have this one domain alone.
    for provider in ["gmail", "icloud"] {
        let rest = domain.to_ascii_lowercase();
        if matches!(rest.strip_prefix(provider), Some("" | "com" | ".")) {
            domain = format!("{provider}.com");
        }
    }
    Some(format!("{local}@{domain}"))
}

/// A URL without a scheme, or with something wrong between the scheme and the host.
fn url<'s>(cell: &str, schemes: impl Iterator<Item = &'s str> + Clone) -> Option<String> {
    let text = cell.trim_matches(['<', '>', '"', '\'']);
    let text = text.replace('\\', "/");
    let Some((scheme, rest)) = text
        .split_once(':')
        .filter(|(_, rest)| rest.starts_with('/'))
    else {
        // A host of at least two labels, as any word could be one of a single label.
        let host = text.split(['/', '?', '#']).next().unwrap_or_default();
        let (_, last) = host.rsplit_once('.')?;
        let is_name = last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_host = is_name && !host.contains(['@', ':', ' ']);
        let scheme = schemes.clone().next()?;
        return is_host.then(|| format!("{scheme}://{}", text.replace(' ', "%20")));
    };
    let scheme = nearest(scheme, schemes)?;
    let rest = rest.trim_start_matches('/').replace(' ', "%20");
    Some(format!("{scheme}://{rest}"))
}

/// Thirty-two hexadecimal digits with the wrong things between them.
fn uuid(cell: &str) -> Option<String> {
    let is_mark = |character: char| {
        character.is_whitespace() || is_format(character) || "-–—_{}()\"'".contains(character)
    };
    let digits: String = cell
        .chars()
        .filter(|character| !is_mark(*character))
        .collect();
    let uuid = ::uuid::Uuid::try_parse(&digits).ok()?;
    (digits.len() == 32).then(|| uuid.hyphenated().to_string())
}
