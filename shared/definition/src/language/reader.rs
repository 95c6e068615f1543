//! Reads typed values out of a tree and collects what does not fit, with its path.
//!
//! Every function answers `None` after it has reported a fault, so that a caller reads on and finds
//! the rest. This file must not know the keys of a definition.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::Fault;
use super::scalar::{Resolved, Scalar};
use super::tree::{Node, Tree};
use crate::show::shown;
use crate::suggest::nearest;

/// The longest text that may be in every row of the output or in messages about its cells, in bytes.
const TEXT_BYTES_MAX: usize = 2048;

/// A node and the path to it.
#[derive(Debug, Clone)]
pub(crate) struct At<'t> {
    node: &'t Node,
    path: String,
}

impl<'t> At<'t> {
    pub(crate) fn root(node: &'t Node) -> Self {
        Self {
            node,
            path: String::new(),
        }
    }

    /// The line the value begins on.
    pub(crate) fn line(&self) -> usize {
        self.node.line
    }

    pub(crate) fn is_mapping(&self) -> bool {
        matches!(self.node.value, Tree::Mapping(_))
    }

    /// Whether it is this word, without quotes or in them.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(&self.node.value, Tree::Scalar(scalar) if scalar.text == word)
    }

    /// The items, if it is a list.
    pub(crate) fn items(&self) -> Vec<Self> {
        let Tree::Sequence(items) = &self.node.value else {
            return Vec::new();
        };
        let items = items.iter().enumerate();
        items.map(|(index, node)| self.item(index, node)).collect()
    }

    fn key(&self, key: &str, node: &'t Node) -> Self {
        let path = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        };
        Self { node, path }
    }

    fn item(&self, index: usize, node: &'t Node) -> Self {
        let path = format!("{}[{index}]", self.path);
        Self { node, path }
    }

    fn describe(&self) -> String {
        match &self.node.value {
            Tree::Scalar(scalar) => scalar.describe(),
            Tree::Sequence(_) => "a list".to_owned(),
            Tree::Mapping(_) => "a mapping".to_owned(),
            Tree::Refused => "something refused".to_owned(),
        }
    }
}

/// A mapping with known keys.
#[derive(Debug)]
pub(crate) struct Mapping<'t> {
    at: At<'t>,
    entries: HashMap<&'static str, At<'t>>,
}

impl<'t> Mapping<'t> {
    pub(crate) fn at(&self) -> &At<'t> {
        &self.at
    }

    pub(crate) fn get(&self, key: &str) -> Option<&At<'t>> {
        self.entries.get(key)
    }
}

/// Reads a tree and collects its faults.
#[derive(Debug)]
pub(crate) struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self { faults }
    }

    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Reports a fault of a value.
    pub(crate) fn fault(&mut self, at: &At<'_>, message: impl Into<String>) {
        self.faults.push(Fault {
            path: at.path.clone(),
            line: at.node.line,
            column: at.node.column,
            message: message.into(),
        });
    }

    /// Reports that something else was expected.
    pub(crate) fn unexpected(&mut self, at: &At<'_>, expected: &str) {
        if !matches!(at.node.value, Tree::Refused) {
            self.fault(at, format!("expected {expected}, found {}", at.describe()));
        }
    }

    /// A mapping that has none but the known keys, and each but once.
    pub(crate) fn mapping<'t>(
        &mut self,
        at: &At<'t>,
        expected: &str,
        known: &[&'static str],
    ) -> Option<Mapping<'t>> {
        let Tree::Mapping(entries) = &at.node.value else {
            self.unexpected(at, expected);
            return None;
        };
        let mut read: HashMap<&'static str, At<'t>> = HashMap::with_capacity(known.len());
        let mut lines: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        for (key, value) in entries {
            let Tree::Scalar(Scalar { text, .. }) = &key.value else {
                self.unexpected(&at.key("?", key), "a key");
                continue;
            };
            let key_at = at.key(&clipped(text), key);
            if let Some(line) = lines.get(text.as_str()) {
                self.fault(&key_at, format!("duplicate key, first on line {line}"));
                continue;
            }
            lines.insert(text, key.line);
            if let Some(known) = known.iter().find(|known| *known == text) {
                read.insert(known, at.key(known, value));
            } else {
                self.unknown(&key_at, "key", text, known);
            }
        }
        Some(Mapping {
            at: at.clone(),
            entries: read,
        })
    }

    /// The items of a list.
    pub(crate) fn sequence<'t>(&mut self, at: &At<'t>, expected: &str) -> Option<Vec<At<'t>>> {
        if !matches!(at.node.value, Tree::Sequence(_)) {
            self.unexpected(at, expected);
            return None;
        }
        Some(at.items())
    }

    /// A mapping of any keys, each of them but once.
    pub(crate) fn entries<'t>(
        &mut self,
        at: &At<'t>,
        expected: &str,
    ) -> Option<Vec<(String, At<'t>)>> {
        let Tree::Mapping(entries) = &at.node.value else {
            self.unexpected(at, expected);
            return None;
        };
        let mut lines: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        let mut read = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let Tree::Scalar(Scalar { text, .. }) = &key.value else {
                self.unexpected(&at.key("?", key), "a key");
                continue;
            };
            let key_at = at.key(&clipped(text), key);
            if let Some(line) = lines.insert(text, key.line) {
                self.fault(&key_at, format!("duplicate key, first on line {line}"));
            } else if text.len() > TEXT_BYTES_MAX {
                self.too_long(&key_at, text);
            } else {
                read.push((text.clone(), at.key(&clipped(text), value)));
            }
        }
        Some(read)
    }

    /// A single value of any type.
    pub(crate) fn scalar<'t>(&mut self, at: &At<'t>, expected: &str) -> Option<&'t Scalar> {
        let Tree::Scalar(scalar) = &at.node.value else {
            self.unexpected(at, expected);
            return None;
        };
        Some(scalar)
    }

    /// Text; a number or a boolean is taken as it was written.
    pub(crate) fn text<'t>(&mut self, at: &At<'t>, expected: &str) -> Option<&'t str> {
        let scalar = self.scalar(at, expected)?;
        if scalar.resolve() == Resolved::Null {
            self.unexpected(at, expected);
            return None;
        }
        Some(&scalar.text)
    }

    /// Text that may be in every row or message.
    pub(crate) fn short_text(&mut self, at: &At<'_>, expected: &str) -> Option<String> {
        let text = self.text(at, expected)?;
        if text.len() > TEXT_BYTES_MAX {
            self.too_long(at, text);
            return None;
        }
        Some(text.to_owned())
    }

    fn too_long(&mut self, at: &At<'_>, text: &str) {
        let bytes = text.len();
        let message =
            format!("the text is {bytes} bytes long, more than the {TEXT_BYTES_MAX} allowed");
        self.fault(at, message);
    }

    /// A list of short texts; one alone may do without the list.
    pub(crate) fn texts(&mut self, at: &At<'_>, expected: &str) -> Option<Vec<String>> {
        if let Tree::Scalar(_) = at.node.value {
            return self.short_text(at, expected).map(|text| vec![text]);
        }
        let items = self.sequence(at, expected)?;
        let texts = items.iter().map(|item| self.short_text(item, "text"));
        // All of them, so that every fault is found.
        let texts: Vec<Option<String>> = texts.collect();
        texts.into_iter().collect()
    }

    /// One character.
    pub(crate) fn character(&mut self, at: &At<'_>) -> Option<char> {
        let expected = "one character in quotes";
        let text = self.text(at, expected)?;
        let mut characters = text.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            return Some(character);
        }
        self.unexpected(at, expected);
        None
    }

    pub(crate) fn boolean(&mut self, at: &At<'_>) -> Option<bool> {
        let expected = "true or false";
        let scalar = self.scalar(at, expected)?;
        if let Resolved::Bool(truth) = scalar.resolve() {
            return Some(truth);
        }
        let hint = match scalar.text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "on" | "true" | "1" => "; did you mean true?",
            "no" | "n" | "off" | "false" | "0" => "; did you mean false?",
            _ => "",
        };
        let found = scalar.describe();
        self.fault(at, format!("expected {expected}, found {found}{hint}"));
        None
    }

    /// A whole number within bounds.
    pub(crate) fn integer(&mut self, at: &At<'_>, range: RangeInclusive<u32>) -> Option<u32> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let scalar = self.scalar(at, &expected)?;
        if let Resolved::Int(int) = scalar.resolve()
            && let Ok(int) = u32::try_from(int)
            && range.contains(&int)
        {
            return Some(int);
        }
        self.unexpected(at, &expected);
        None
    }

    /// One of a few words.
    pub(crate) fn choice(
        &mut self,
        at: &At<'_>,
        what: &str,
        choices: &[&'static str],
    ) -> Option<&'static str> {
        let text = self.text(at, &one_of(choices))?;
        let choice = choices.iter().find(|choice| **choice == text).copied();
        if choice.is_none() {
            self.unknown(at, what, text, choices);
        }
        choice
    }

    /// Reports a word that is none of those that are known.
    pub(crate) fn unknown(&mut self, at: &At<'_>, what: &str, word: &str, known: &[&str]) {
        let expected = one_of(known);
        let hint = nearest(word, known.iter().copied())
            .map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
        let word = shown(word);
        self.fault(
            at,
            format!("unknown {what} {word}; expected {expected}{hint}"),
        );
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [word] => format!("\"{word}\""),
        words => format!("one of {}", words.join(", ")),
    }
}

/// A key in a path: short, and on one line.
fn clipped(key: &str) -> String {
    let shown = shown(key);
    shown[1..shown.len() - 1].to_owned()
}
