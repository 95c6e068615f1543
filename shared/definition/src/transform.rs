//! What a definition has done to the text of a cell before it is converted: compiled once, run in
//! order for every row.
//!
//! All of it works in two texts that are used again for every cell. It must not know about fields,
//! types or rows: text goes in, text comes out.

mod letters;

use std::collections::HashMap;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use crate::definition::{Pad, Transform};
use crate::pattern;

/// How many bytes a text may become for each that it had.
pub(crate) const GROWTH_FACTOR: usize = 8;
/// How many bytes it may become beyond that and what the definition puts there.
pub(crate) const GROWTH_BYTES: usize = 256;
/// The longest text that matches are sought in one after another, in bytes: the time of that can grow
/// with the square of the length.
const SEARCH_BYTES_MAX: usize = 256 << 10;

/// A text that its transforms made too long, or that is too long for one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// The transforms of a field.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    list: Vec<Step>,
    /// Bytes that they add to any text, at most, as far as that is written down.
    fixed: usize,
    /// Whether one may add some for every match, and so more than that.
    replaces: bool,
}

#[derive(Debug)]
enum Step {
    Trim,
    CollapseWhitespace,
    Lowercase,
    Uppercase,
    TitleCase,
    Strip(String),
    Remove(String),
    StripPrefix(String),
    StripSuffix(String),
    Replace {
        regex: Regex,
        with: String,
        has_groups: bool,
    },
    Extract(Regex),
    Map {
        table: HashMap<String, String>,
        ignore_case: bool,
    },
    Truncate(usize),
    Prefix(String),
    Suffix(String),
    Pad {
        pad: Pad,
        left: bool,
    },
    NormalizeEmail,
    NormalizeUnicode,
    DigitsOnly,
    RemoveAccents,
}

impl Steps {
    /// Compiles transforms. What is wrong with one comes with its place.
    pub(crate) fn compile(transforms: &[Transform]) -> Result<Self, Vec<(usize, String)>> {
        let mut steps = Self::default();
        let mut faults = Vec::new();
        for (index, transform) in transforms.iter().enumerate() {
            match Step::compile(transform) {
                Ok(step) => {
                    steps.fixed += step.fixed();
                    steps.replaces |= matches!(step, Step::Replace { .. });
                    steps.list.push(step);
                }
                Err(message) => faults.push((index, message)),
            }
        }
        if faults.is_empty() {
            Ok(steps)
        } else {
            Err(faults)
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Bytes that an empty text may become: what every row may take beyond its cells.
    pub(crate) fn bytes_added_max(&self) -> usize {
        if self.replaces {
            GROWTH_BYTES + self.fixed
        } else {
            self.fixed
        }
    }

    /// Changes the text; `spare` is room to work in.
    pub(crate) fn run(&self, text: &mut String, spare: &mut String) -> Result<(), TooLong> {
        let limit = text.len() * GROWTH_FACTOR + GROWTH_BYTES + self.fixed;
        for step in &self.list {
            step.run(text, spare, limit)?;
            if text.len() > limit {
                return Err(TooLong);
            }
        }
        Ok(())
    }
}

impl Step {
    fn compile(transform: &Transform) -> Result<Self, String> {
        Ok(match transform {
            Transform::Trim => Self::Trim,
            Transform::CollapseWhitespace => Self::CollapseWhitespace,
            Transform::Lowercase => Self::Lowercase,
            Transform::Uppercase => Self::Uppercase,
            Transform::TitleCase => Self::TitleCase,
            Transform::Strip(signs) => Self::Strip(signs.clone()),
            Transform::Remove(signs) => Self::Remove(signs.clone()),
            Transform::StripPrefix(prefix) => Self::StripPrefix(prefix.clone()),
            Transform::StripSuffix(suffix) => Self::StripSuffix(suffix.clone()),
            Transform::Replace { pattern, with } => Self::Replace {
                regex: pattern::compile(pattern)?,
                with: with.clone(),
                has_groups: with.contains('$'),
            },
            Transform::Extract(pattern) => Self::Extract(pattern::compile(pattern)?),
            Transform::Map { table, ignore_case } => {
                let key = |key: &String| {
                    if *ignore_case {
                        key.to_lowercase()
                    } else {
                        key.clone()
                    }
                };
                let entries = table.iter().map(|(from, to)| (key(from), to.clone()));
                Self::Map {
                    table: entries.collect(),
                    ignore_case: *ignore_case,
                }
            }
            Transform::Truncate(length) => Self::Truncate(*length as usize),
            Transform::Prefix(prefix) => Self::Prefix(prefix.clone()),
            Transform::Suffix(suffix) => Self::Suffix(suffix.clone()),
            Transform::PadLeft(pad) => Self::Pad {
                pad: *pad,
                left: true,
            },
            Transform::PadRight(pad) => Self::Pad {
                pad: *pad,
                left: false,
            },
            Transform::NormalizeEmail => Self::NormalizeEmail,
            Transform::NormalizeUnicode => Self::NormalizeUnicode,
            Transform::DigitsOnly => Self::DigitsOnly,
            Transform::RemoveAccents => Self::RemoveAccents,
        })
    }

    /// Bytes that it adds, or puts in place of a text, at most.
    fn fixed(&self) -> usize {
        match self {
            Self::Prefix(text) | Self::Suffix(text) | Self::Replace { with: text, .. } => {
                text.len()
            }
            Self::Pad { pad, .. } => pad.length as usize * pad.with.len_utf8(),
            Self::Map { table, .. } => table.values().map(String::len).max().unwrap_or(0),
            _ => 0,
        }
    }

    fn run(&self, text: &mut String, spare: &mut String, limit: usize) -> Result<(), TooLong> {
        match self {
            Self::Trim => keep_trimmed(text, char::is_whitespace),
            Self::Strip(signs) => keep_trimmed(text, |c| signs.contains(c)),
            Self::Remove(signs) => text.retain(|c| !signs.contains(c)),
            Self::DigitsOnly => text.retain(|c| c.is_ascii_digit()),
            Self::StripPrefix(prefix) => {
                if text.starts_with(prefix) {
                    text.drain(..prefix.len());
                }
            }
            Self::StripSuffix(suffix) => {
                if text.ends_with(suffix) {
                    text.truncate(text.len() - suffix.len());
                }
            }
            Self::Prefix(prefix) => text.insert_str(0, prefix),
            Self::Suffix(suffix) => text.push_str(suffix),
            Self::Truncate(length) => {
                if let Some((at, _)) = text.char_indices().nth(*length) {
                    text.truncate(at);
                }
            }
            Self::Pad { pad, left } => fill(text, *pad, *left),
            Self::CollapseWhitespace => rewritten(text, spare, letters::collapse),
            Self::Lowercase => rewritten(text, spare, letters::lowercase),
            Self::Uppercase => rewritten(text, spare, letters::uppercase),
            Self::TitleCase => rewritten(text, spare, letters::title_case),
            Self::RemoveAccents => rewritten(text, spare, letters::remove_accents),
            Self::NormalizeEmail => rewritten(text, spare, letters::normalize_email),
            Self::NormalizeUnicode => rewritten(text, spare, |text, out| out.extend(text.nfc())),
            Self::Map { table, ignore_case } => {
                let found = if *ignore_case {
                    spare.clear();
                    letters::lowercase(text, spare);
                    table.get(spare.as_str())
                } else {
                    table.get(text.as_str())
                };
                if let Some(to) = found {
                    text.clear();
                    text.push_str(to);
                }
            }
            Self::Extract(regex) => {
                let found = regex.captures(text).and_then(|groups| {
                    let group = groups.get(1).or_else(|| groups.get(0));
                    group.map(|group| group.range())
                });
                let range = found.unwrap_or(0..0);
                text.truncate(range.end);
                text.drain(..range.start);
            }
            Self::Replace {
                regex,
                with,
                has_groups,
            } => {
                if text.len() > SEARCH_BYTES_MAX {
                    return Err(TooLong);
                }
                if regex.is_match(text) {
                    spare.clear();
                    if *has_groups {
                        replace_groups(regex, with, text, spare, limit)?;
                    } else {
                        replace(regex, with, text, spare, limit)?;
                    }
                    std::mem::swap(text, spare);
                }
            }
        }
        Ok(())
    }
}

/// Writes the text anew into the spare one and puts that in its place.
fn rewritten(text: &mut String, spare: &mut String, write: impl Fn(&str, &mut String)) {
    spare.clear();
    write(text, spare);
    std::mem::swap(text, spare);
}

fn keep_trimmed(text: &mut String, is_off: impl Fn(char) -> bool) {
    let end = text.trim_end_matches(&is_off).len();
    text.truncate(end);
    let start = text.len() - text.trim_start_matches(&is_off).len();
    text.drain(..start);
}

fn fill(text: &mut String, pad: Pad, left: bool) {
    let missing = (pad.length as usize).saturating_sub(text.chars().count());
    let filling = std::iter::repeat_n(pad.with, missing);
    if left {
        let filling: String = filling.collect();
        text.insert_str(0, &filling);
    } else {
        text.extend(filling);
    }
}

/// Stops as soon as the text is too long, so that no text of a few bytes fills the memory.
fn replace(
    regex: &Regex,
    with: &str,
    text: &str,
    out: &mut String,
    limit: usize,
) -> Result<(), TooLong> {
    let mut rest = 0;
    for found in regex.find_iter(text) {
        out.push_str(&text[rest..found.start()]);
        out.push_str(with);
        rest = found.end();
        if out.len() > limit {
            return Err(TooLong);
        }
    }
    out.push_str(&text[rest..]);
    Ok(())
}

fn replace_groups(
    regex: &Regex,
    with: &str,
    text: &str,
    out: &mut String,
    limit: usize,
) -> Result<(), TooLong> {
    let mut rest = 0;
    for groups in regex.captures_iter(text) {
        let Some(found) = groups.get(0) else { continue };
        out.push_str(&text[rest..found.start()]);
        groups.expand(with, out);
        rest = found.end();
        if out.len() > limit {
            return Err(TooLong);
        }
    }
    out.push_str(&text[rest..]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(transforms: &[Transform], text: &str) -> Result<String, TooLong> {
        let steps = Steps::compile(transforms).unwrap();
        let mut text = text.to_owned();
        // What is left there from another cell does not matter.
        let mut spare = "left over".to_owned();
        steps.run(&mut text, &mut spare).map(|()| text)
    }

    fn replace(pattern: &str, with: &str) -> Transform {
        Transform::Replace {
            pattern: pattern.to_owned(),
            with: with.to_owned(),
        }
    }

    #[test]
    fn each_does_what_it_says() {
        let text = |text: &str| text.to_owned();
        let table = vec![(text("Ja"), text("yes")), (text("ÄÖ"), text(""))];
        let pad = |length, with| Pad { length, with };
        for (transform, from, to) in [
            (Transform::Trim, "\u{a0} a b\t\n", "a b"),
            (Transform::Strip(text("€ $")), "$ 5 € ", "5"),
            (Transform::Strip(text("x")), "xxx", ""),
            (Transform::Remove(text(" .-")), "1 2.3-4", "1234"),
            (Transform::StripPrefix(text("ID-")), "ID-ID-7", "ID-7"),
            (Transform::StripPrefix(text("ID-")), "id-7", "id-7"),
            (Transform::StripSuffix(text(" kg")), "5 kg", "5"),
            (Transform::Prefix(text("+")), "49", "+49"),
            (Transform::Suffix(text("%")), "49", "49%"),
            (Transform::Truncate(2), "äöü", "äö"),
            (Transform::Truncate(3), "äöü", "äöü"),
            (Transform::Truncate(0), "äöü", ""),
            (Transform::PadLeft(pad(5, '0')), "42", "00042"),
            (Transform::PadLeft(pad(2, '0')), "äöü", "äöü"),
            (Transform::PadRight(pad(4, '·')), "äb", "äb··"),
            (Transform::DigitsOnly, "+49 (0) 30-1٢", "490301"),
            (Transform::NormalizeUnicode, "e\u{301}", "é"),
            (Transform::Extract(text(r"\d+")), "no 42 of 43", "42"),
            (Transform::Extract(text(r"#(\w+)")), "see #x1 there", "x1"),
            (Transform::Extract(text(r"\d+")), "none", ""),
            (
                Transform::Map {
                    table: table.clone(),
                    ignore_case: false,
                },
                "ja",
                "ja",
            ),
            (
                Transform::Map {
                    table: table.clone(),
                    ignore_case: true,
                },
                "JA",
                "yes",
            ),
            (
                Transform::Map {
                    table,
                    ignore_case: true,
                },
                "äö",
                "",
            ),
            (replace(r"\s+", " "), "a \n b", "a b"),
            (replace(r"(\w+), (\w+)", "$2 $1"), "Doe, Jane", "Jane Doe"),
            (replace(r"a", "$$"), "banana", "b$n$n$"),
            (replace(r"x", "y"), "banana", "banana"),
            (replace("", "-"), "äb", "-ä-b-"),
        ] {
            let shown = format!("{transform:?}");
            assert_eq!(run(&[transform], from).as_deref(), Ok(to), "{shown}");
        }
    }

    #[test]
    fn they_run_in_order() {
        let steps = [
            Transform::Lowercase,
            replace("a", "A"),
            Transform::Prefix("a".to_owned()),
            Transform::Truncate(3),
        ];
        assert_eq!(run(&steps, "BAB").as_deref(), Ok("abA"));
    }

    #[test]
    fn a_text_cannot_grow_without_bound() {
        let bomb = replace("", &"x".repeat(100));
        assert_eq!(
            run(std::slice::from_ref(&bomb), &"a".repeat(1000)),
            Err(TooLong)
        );
        assert_eq!(run(&[bomb], "a").map(|text| text.len()), Ok(201));
        let groups = replace("(.)", &"$1".repeat(200));
        assert_eq!(run(&[groups], &"a".repeat(1000)), Err(TooLong));
        let search = replace("x", "y");
        assert_eq!(run(&[search], &"x".repeat(300 << 10)), Err(TooLong));
    }

    #[test]
    fn faults_have_their_place() {
        let faults = Steps::compile(&[replace("(", ""), Transform::Trim, replace("[", "")]);
        let places: Vec<usize> = faults.unwrap_err().iter().map(|(at, _)| *at).collect();
        assert_eq!(places, [0, 2]);
    }
}
