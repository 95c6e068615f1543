//! Reads `dialect`: what is fixed of how a file is read. The word `auto` leaves it to be found, as
//! does leaving the key out.

use std::collections::HashSet;

use batchfleet_grammar::LineEnd;
use encoding_rs::Encoding;

use super::super::Reading;
use crate::header::key;
use crate::language::{At, Mapping, Reader};
use crate::show::shown;
use crate::suggest::nearest;

pub(super) const KEYS: [&str; 11] = [
    "encoding",
    "delimiter",
    "quote",
    "escape",
    "comment",
    "line_end",
    "trim",
    "preamble_rows",
    "header",
    "columns",
    "footer_rows",
];
/// What stands above or below a table is a page, not a file.
const ROWS_MAX: u32 = 10_000;
/// Rows at the end at most: their places are remembered while the file is planned.
const FOOTER_ROWS_MAX: u32 = 1_000;
/// Encodings that a message offers; every label of the Encoding Standard is taken.
const ENCODINGS: [&str; 12] = [
    "UTF-8",
    "UTF-16LE",
    "UTF-16BE",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "ISO-8859-2",
    "ISO-8859-15",
    "macintosh",
    "Shift_JIS",
    "GBK",
    "Big5",
];

/// A character with a meaning in the file.
enum Sign {
    Character(u8),
    Word,
}

impl Reader {
    pub(super) fn reading(&mut self, at: &At<'_>) -> Option<Reading> {
        let keys = self.mapping(at, "a mapping", &KEYS)?;
        let mut reading = Reading::default();
        let given = |key: &str| keys.get(key).filter(|at| !at.is_word("auto"));
        if let Some(at) = given("encoding") {
            reading.encoding = self.encoding(at);
        }
        if let Some(at) = given("delimiter") {
            reading.delimiter = match self.sign(at, "tab")? {
                Sign::Character(character) => Some(character),
                Sign::Word => Some(b'\t'),
            };
        }
        for (name, place) in [
            ("quote", &mut reading.quote),
            ("escape", &mut reading.escape),
            ("comment", &mut reading.comment),
        ] {
            if let Some(at) = given(name) {
                *place = match self.sign(at, "none")? {
                    Sign::Character(character) => Some(Some(character)),
                    Sign::Word => Some(None),
                };
            }
        }
        if let Some(at) = given("line_end") {
            let choice = self.choice(at, "line_end", &["lf", "any", "auto"]);
            reading.line_end = choice.map(|choice| match choice {
                "any" => LineEnd::Any,
                _ => LineEnd::Lf,
            });
        }
        if let Some(at) = given("trim") {
            reading.trim = self.boolean(at);
        }
        if let Some(at) = given("preamble_rows") {
            reading.preamble_rows = self.integer(at, 0..=ROWS_MAX);
        }
        if let Some(at) = given("footer_rows") {
            reading.footer_rows = self.integer(at, 0..=FOOTER_ROWS_MAX).unwrap_or(0);
        }
        self.head(&keys, &mut reading);
        if let Err(error) = reading.dialect().validate() {
            self.fault(at, error.to_string());
            return None;
        }
        Some(reading)
    }

    /// Whether there is a header, and the names of the columns where there is none.
    fn head(&mut self, keys: &Mapping<'_>, reading: &mut Reading) {
        if let Some(at) = keys.get("header").filter(|at| !at.is_word("auto")) {
            reading.header = self.boolean(at);
        }
        let Some(at) = keys.get("columns").filter(|at| !at.is_word("auto")) else {
            return;
        };
        let columns = self.columns(at).unwrap_or_default();
        if reading.header == Some(true) {
            self.fault(
                at,
                "a file with a header names its columns itself; say \"header: false\" if it has none",
            );
        }
        reading.header = Some(false);
        reading.columns = columns;
    }

    fn columns(&mut self, at: &At<'_>) -> Option<Vec<String>> {
        let items = self.sequence(at, "a list of names, one for each column")?;
        if items.is_empty() {
            self.fault(at, "expected at least one name");
        }
        let mut seen = HashSet::with_capacity(items.len());
        let mut columns = Vec::with_capacity(items.len());
        for item in &items {
            let Some(name) = self.header_name(item, "the name of a column") else {
                continue;
            };
            if !seen.insert(key(&name)) {
                let name = shown(&name);
                self.fault(
                    item,
                    format!("duplicate column {name}; case does not count"),
                );
            }
            columns.push(name);
        }
        Some(columns)
    }

    /// The name that the Encoding Standard has for an encoding.
    fn encoding(&mut self, at: &At<'_>) -> Option<String> {
        let expected = "an encoding, such as UTF-8, windows-1252 or \"auto\"";
        let label = self.text(at, expected)?;
        if let Some(encoding) = Encoding::for_label_no_replacement(label.trim().as_bytes()) {
            return Some(encoding.name().to_owned());
        }
        let near = nearest(label, ENCODINGS);
        let hint = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
        let label = shown(label);
        self.fault(at, format!("expected {expected}, found {label}{hint}"));
        None
    }

    /// One ASCII character, or the word for one that cannot be written or is not wanted.
    fn sign(&mut self, at: &At<'_>, word: &str) -> Option<Sign> {
        let expected = format!("one ASCII character in quotes, \"{word}\" or \"auto\"");
        let text = self.text(at, &expected)?;
        match text.as_bytes() {
            [character] if character.is_ascii() => Some(Sign::Character(*character)),
            _ if text == word => Some(Sign::Word),
            _ => {
                self.unexpected(at, &expected);
                None
            }
        }
    }
}
