//! Reads `transforms`: a list of words, and of mappings with one key where a word needs more.

use super::super::{Pad, Transform};
use crate::language::{At, Reader};

/// Transforms that need nothing more.
const WORDS: [&str; 9] = [
    "trim",
    "collapse_whitespace",
    "lowercase",
    "uppercase",
    "title_case",
    "normalize_email",
    "normalize_unicode",
    "digits_only",
    "remove_accents",
];

/// Transforms with a value, and the value they may have.
const VALUES: [(&str, &str); 13] = [
    ("strip", "\"€ \""),
    ("remove", "\" .-\""),
    ("strip_prefix", "\"ID-\""),
    ("strip_suffix", "\" kg\""),
    ("replace", "{ pattern: '\\s+', with: \" \" }"),
    ("extract", "'\\d+'"),
    ("map", "{ Ja: yes, Nein: no }"),
    ("map_ignore_case", "{ ja: yes, nein: no }"),
    ("truncate", "100"),
    ("prefix", "\"+49\""),
    ("suffix", "\" EUR\""),
    ("pad_left", "{ length: 5, with: \"0\" }"),
    ("pad_right", "{ length: 5 }"),
];

/// The most transforms of a field.
const TRANSFORMS_MAX: usize = 32;
/// The longest text that a transform makes of any, in characters.
const PAD_MAX: u32 = 1024;
const TRUNCATE_MAX: u32 = 1 << 20;

impl Reader {
    pub(super) fn transforms(&mut self, at: &At<'_>) -> Option<Vec<Transform>> {
        let items = self.sequence(at, "a list of transforms")?;
        if items.len() > TRANSFORMS_MAX {
            let found = items.len();
            self.fault(
                at,
                format!("expected at most {TRANSFORMS_MAX} transforms, found {found}"),
            );
        }
        let transforms = items.iter().filter_map(|item| self.transform(item));
        Some(transforms.collect())
    }

    fn transform(&mut self, at: &At<'_>) -> Option<Transform> {
        if at.is_mapping() {
            return self.transform_with(at);
        }
        let known = WORDS.iter().copied().chain(VALUES.map(|(word, _)| word));
        let known: Vec<&str> = known.collect();
        let word = self.text(at, "a transform")?;
        if let Some((word, example)) = VALUES.iter().find(|(value, _)| *value == word) {
            self.fault(at, format!("expected a value, such as {word}: {example}"));
            return None;
        }
        Some(match word {
            "trim" => Transform::Trim,
            "collapse_whitespace" => Transform::CollapseWhitespace,
            "lowercase" => Transform::Lowercase,
            "uppercase" => Transform::Uppercase,
            "title_case" => Transform::TitleCase,
            "normalize_email" => Transform::NormalizeEmail,
            "normalize_unicode" => Transform::NormalizeUnicode,
            "digits_only" => Transform::DigitsOnly,
            "remove_accents" => Transform::RemoveAccents,
            _ => {
                self.unknown(at, "transform", word, &known);
                return None;
            }
        })
    }

    /// A transform that has a value: a mapping of its name to it.
    fn transform_with(&mut self, at: &At<'_>) -> Option<Transform> {
        let names = VALUES.map(|(word, _)| word);
        let keys = self.mapping(at, "a transform", &names)?;
        let mut given = names
            .iter()
            .filter_map(|name| Some((*name, keys.get(name)?)));
        let (name, at) = given.next()?;
        if let Some((_, second)) = given.next() {
            self.fault(second, "expected one transform for each item of the list");
            return None;
        }
        let text = "text of 1 to 2048 bytes";
        Some(match name {
            "strip" => Transform::Strip(self.filled_text(at, text)?),
            "remove" => Transform::Remove(self.filled_text(at, text)?),
            "strip_prefix" => Transform::StripPrefix(self.filled_text(at, text)?),
            "strip_suffix" => Transform::StripSuffix(self.filled_text(at, text)?),
            "prefix" => Transform::Prefix(self.filled_text(at, text)?),
            "suffix" => Transform::Suffix(self.filled_text(at, text)?),
            "replace" => self.replace(at)?,
            "extract" => Transform::Extract(self.pattern(at)?),
            "map" => self.map(at, false)?,
            "map_ignore_case" => self.map(at, true)?,
            "truncate" => Transform::Truncate(self.integer(at, 1..=TRUNCATE_MAX)?),
            "pad_left" => Transform::PadLeft(self.pad(at)?),
            _ => Transform::PadRight(self.pad(at)?),
        })
    }

    fn replace(&mut self, at: &At<'_>) -> Option<Transform> {
        let keys = self.mapping(at, "a mapping", &["pattern", "with"])?;
        let pattern = match keys.get("pattern") {
            Some(at) => self.pattern(at),
            None => self.missing(&keys, "pattern"),
        };
        let with = match keys.get("with") {
            Some(at) => self.short_text(at, "text"),
            None => self.missing(&keys, "with"),
        };
        Some(Transform::Replace {
            pattern: pattern?,
            with: with?,
        })
    }

    fn map(&mut self, at: &At<'_>, ignore_case: bool) -> Option<Transform> {
        let entries = self.entries(at, "a mapping of texts to texts")?;
        if entries.is_empty() {
            self.fault(at, "expected at least one text and what it becomes");
        }
        let mut table = Vec::with_capacity(entries.len());
        for (from, to) in entries {
            if let Some(to) = self.short_text(&to, "text") {
                table.push((from, to));
            }
        }
        Some(Transform::Map { table, ignore_case })
    }

    fn pad(&mut self, at: &At<'_>) -> Option<Pad> {
        let keys = self.mapping(at, "a mapping", &["length", "with"])?;
        let length = match keys.get("length") {
            Some(at) => self.integer(at, 1..=PAD_MAX),
            None => self.missing(&keys, "length"),
        };
        let with = match keys.get("with") {
            Some(at) => self.character(at),
            None => Some(' '),
        };
        Some(Pad {
            length: length?,
            with: with?,
        })
    }

    fn filled_text(&mut self, at: &At<'_>, expected: &str) -> Option<String> {
        let text = self.short_text(at, expected)?;
        if text.is_empty() {
            self.unexpected(at, expected);
            return None;
        }
        Some(text)
    }
}
