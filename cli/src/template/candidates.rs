//! Cells that may be good ones of a field, the plainest first.
//!
//! They are guesses from what the definition says: whether one fits is for the check of the row to
//! tell. It must not know of the other fields, save for what their rules speak of.

use batchfleet_definition::{Converter, Definition, Field, FieldType, Literal, Transform};

use super::pattern::Pattern;

/// Examples of a type that come first.
const PLAIN: u64 = 8;

/// Examples of a type, one after another.
const COUNTED: u64 = 64;

/// Days and numbers on either side of a bound.
const AROUND: i64 = 40;

/// Texts of a pattern: each a roll of the dice.
const PATTERN_TRIES: u64 = 400;

/// What is taken of rules, and the longest text that is made of a beginning and a length.
const SPOKEN_MAX: usize = 200;
const PADDED_MAX: usize = 100;

/// The longest text made to fill a length, and the most items of a list.
const LENGTH_MAX: u32 = 2_000;

/// All candidates of a field, some of them twice.
pub(super) fn of(definition: &Definition, field: &Field, count: u64) -> Vec<String> {
    let Ok(converter) = Converter::compile(field.kind, &field.options) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    named(field, &converter, &mut found);
    let examples = |from: u64, to: u64| (from..to).map(|n| converter.example(n));
    found.extend(examples(0, PLAIN));
    // Before there are enough others: with rules it is these that are needed.
    found.extend(spoken_of(definition));
    found.extend(examples(PLAIN, COUNTED.max(2 * count)));
    bounded(field, &converter, &mut found);
    patterned(field, count, &mut found);
    if field.kind == FieldType::Array {
        lists(field, &converter, &mut found);
    } else {
        long(field, count, &mut found);
    }
    if field.kind == FieldType::Json {
        found.extend(["{}", "[]", "1", "true", "\"text\""].map(str::to_owned));
    }
    found
}

/// Values that the definition names.
fn named(field: &Field, converter: &Converter, found: &mut Vec<String>) {
    let mut tables = Vec::new();
    for transform in &field.transforms {
        match transform {
            Transform::Map { table, .. } => {
                tables.extend(table.iter().map(|(from, _)| from.clone()));
            }
            Transform::Extract(pattern) => texts(pattern, 50, &mut tables),
            _ => {}
        }
    }
    found.append(&mut tables);
    let constraints = &field.constraints;
    for literal in constraints.one_of.iter().chain(&field.default) {
        found.extend(cell(converter, literal));
    }
    // What is taken off before stands in the cell.
    let plain = std::mem::take(found);
    for transform in &field.transforms {
        for text in plain.iter().take(COUNTED as usize) {
            match transform {
                Transform::StripPrefix(prefix) => found.push(format!("{prefix}{text}")),
                Transform::StripSuffix(suffix) => found.push(format!("{text}{suffix}")),
                Transform::Prefix(prefix) => {
                    found.extend(text.strip_prefix(prefix.as_str()).map(str::to_owned));
                }
                Transform::Suffix(suffix) => {
                    found.extend(text.strip_suffix(suffix.as_str()).map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    found.extend(plain);
}

/// A cell that has the value.
fn cell(converter: &Converter, literal: &Literal) -> Option<String> {
    if let Some(near) = converter.example_near(literal, 0) {
        return Some(near);
    }
    Some(match literal {
        Literal::Str(text) | Literal::Json(text) | Literal::Decimal(text) => text.clone(),
        Literal::Int(int) => int.to_string(),
        Literal::Num(number) => number.to_string(),
        Literal::Bool(truth) => {
            let mut words = (0..2).map(|n| converter.example(n));
            return words.nth(usize::from(!*truth));
        }
    })
}

/// Values at the bounds and near them.
fn bounded(field: &Field, converter: &Converter, found: &mut Vec<String>) {
    let constraints = &field.constraints;
    for (bound, sign) in [(&constraints.min, 1), (&constraints.max, -1)] {
        let Some(bound) = bound else { continue };
        found.extend(cell(converter, bound));
        for step in 0..=AROUND {
            found.extend(converter.example_near(bound, sign * step));
        }
        if let Literal::Str(text) = bound {
            found.push(text.clone());
        }
    }
    // Between two bounds less than one apart.
    if let (Some(Literal::Num(min)), Some(Literal::Num(max))) = (&constraints.min, &constraints.max)
    {
        for part in 1..10 {
            let between = min + (max - min) * f64::from(part) / 10.0;
            found.extend(converter.example_near(&Literal::Num(between), 0));
        }
    }
}

fn patterned(field: &Field, count: u64, found: &mut Vec<String>) {
    let patterns = [&field.constraints.pattern, &field.items.pattern];
    for pattern in patterns.into_iter().flatten() {
        texts(pattern, PATTERN_TRIES.max(4 * count), found);
    }
}

fn texts(pattern: &str, tries: u64, found: &mut Vec<String>) {
    if let Some(pattern) = Pattern::parse(pattern) {
        found.extend((0..tries).filter_map(|n| pattern.example(n)));
    }
}

/// Lists of as many items as there may be.
fn lists(field: &Field, converter: &Converter, found: &mut Vec<String>) {
    let separator = field.options.separator.as_deref().unwrap_or(",");
    let mut items: Vec<String> = Vec::new();
    if let Some(item) = &field.options.items
        && let Ok(converter) = Converter::compile(item.kind, &item.options)
    {
        let one_of = field.items.one_of.iter();
        items.extend(one_of.filter_map(|literal| cell(&converter, literal)));
        for bound in [&field.items.min, &field.items.max].into_iter().flatten() {
            items.extend((-3..=3).filter_map(|step| converter.example_near(bound, step)));
        }
        items.extend((0..COUNTED).map(|n| converter.example(n)));
    } else {
        items.extend(
            field
                .items
                .one_of
                .iter()
                .filter_map(|literal| match literal {
                    Literal::Str(text) => Some(text.clone()),
                    _ => None,
                }),
        );
    }
    if let Some(pattern) = &field.items.pattern {
        texts(pattern, 50, &mut items);
    }
    items.extend((1..=COUNTED).map(|n| format!("item {n}")));
    let Constraints {
        min_length,
        max_length,
    } = Constraints::of(field);
    let least = min_length.max(1);
    for length in least..=max_length.min(least + 3) {
        for start in 0..items.len().min(24) {
            let chosen = items.iter().cycle().skip(start).take(length as usize);
            let chosen: Vec<&str> = chosen.map(String::as_str).collect();
            found.push(chosen.join(separator));
        }
    }
    found.push(converter.example(0));
}

/// The lengths that a value may have, as far as they are made.
struct Constraints {
    min_length: u32,
    max_length: u32,
}

impl Constraints {
    fn of(field: &Field) -> Self {
        let constraints = &field.constraints;
        let min_length = constraints.min_length.unwrap_or(0).min(LENGTH_MAX);
        Self {
            min_length,
            max_length: constraints.max_length.unwrap_or(LENGTH_MAX).max(min_length),
        }
    }
}

/// Texts of the lengths allowed, of letters and of digits.
fn long(field: &Field, count: u64, found: &mut Vec<String>) {
    let lengths = Constraints::of(field);
    if lengths.min_length == 0 && field.constraints.max_length.is_none() {
        return;
    }
    let least = lengths.min_length.max(1);
    for length in least..=lengths.max_length.min(least + 7) {
        for n in 0..count.max(8) {
            for first in ['a', 'A', '1'] {
                found.push(filled(first, n, length as usize));
            }
        }
    }
}

/// A text of this many characters that ends in the `n`th letter or digit, and so on to its front.
fn filled(first: char, n: u64, length: usize) -> String {
    let base = if first == '1' { 9 } else { 26 };
    let mut rest = n;
    let mut characters = Vec::with_capacity(length);
    for _ in 0..length {
        let digit = u32::try_from(rest % base).unwrap_or(0);
        characters.push(char::from_u32(u32::from(first) + digit).unwrap_or(first));
        rest /= base;
    }
    characters.iter().rev().collect()
}

/// Texts and numbers that rules speak of, which are what values are compared with; and texts that
/// begin with one of those and are as long as one of these says.
fn spoken_of(definition: &Definition) -> Vec<String> {
    let mut found = Vec::new();
    for rule in definition.rules() {
        for text in rule.when.iter().chain([&rule.check]) {
            literals(text, &mut found);
        }
    }
    found.truncate(SPOKEN_MAX);
    let lengths: Vec<usize> = found.iter().filter_map(|text| text.parse().ok()).collect();
    for index in 0..found.len() {
        let text = found[index].clone();
        let characters = text.chars().count();
        for length in &lengths {
            if (characters + 1..=PADDED_MAX).contains(length) {
                found.push(text.clone() + &"0".repeat(length - characters));
            }
        }
    }
    found.truncate(SPOKEN_MAX);
    found
}

/// The quoted texts and the numbers in an expression; of a number also its neighbours.
fn literals(expression: &str, found: &mut Vec<String>) {
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let behind = &rest[first.len_utf8()..];
        if first == '"' || first == '\'' {
            let end = behind.find(first).unwrap_or(behind.len());
            found.push(behind[..end].to_owned());
            rest = behind.get(end + 1..).unwrap_or_default();
        } else if first.is_ascii_digit() {
            let is_part = |c: char| c.is_ascii_digit() || c == '.';
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let number = rest[..end].trim_end_matches('.');
            found.push(number.to_owned());
            if let Ok(whole) = number.parse::<i64>() {
                let near = [whole.checked_add(1), whole.checked_sub(1)];
                found.extend(near.into_iter().flatten().map(|n| n.to_string()));
            }
            rest = &rest[end..];
        } else {
            rest = behind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rules_compare_with_is_found() {
        let mut found = Vec::new();
        literals(
            r#"role == "admin" && age >= 18 || code in ['DE', "ä"]"#,
            &mut found,
        );
        assert_eq!(found, ["admin", "18", "19", "17", "DE", "ä"]);
        literals("'open", &mut Vec::new());
    }

    #[test]
    fn texts_of_a_length_differ() {
        assert_eq!(filled('a', 0, 3), "aaa");
        assert_eq!(filled('a', 27, 3), "abb");
        assert_eq!(filled('1', 9, 2), "21");
    }
}
