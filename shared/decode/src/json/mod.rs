//! The third stage: the objects of a JSON text to rows of CSV.
//!
//! A row begins with two cells of our own: the line at which its object begins, and what is wrong with
//! it. So nothing is lost: what is no object, or has a key that no column takes, is a row all the same,
//! and becomes a reject where rows are judged.
//!
//! Strings are taken as they are, numbers by their own digits, `true` and `false` as words, `null` as
//! an empty cell; arrays and objects within an object stay JSON, without its spaces.

mod columns;
mod elements;
mod object;

use serde::{Deserialize, Serialize};

pub use columns::{columns, is_ours};

use crate::json::elements::{Element, Elements};
use crate::json::object::{Columns, Object};
use crate::{DecodeError, Json};

/// What becomes of the keys of an object that the columns don't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LateKeys {
    /// The row says so in its second cell.
    Reject,
    /// They are left out, and the rows that have some are counted.
    Ignore,
}

/// What a row of ours says is wrong with it: the beginning of its second cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is no object, or none that can be read.
    Malformed,
    /// It has a key that no column takes.
    UnknownKey,
    /// It is longer than a record may be.
    TooLong,
}

impl Fault {
    const ALL: [Self; 3] = [Self::Malformed, Self::UnknownKey, Self::TooLong];

    fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown-key",
            Self::TooLong => "too-long",
        }
    }
}

/// The two cells of ours in a row that was JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The line at which its object begins, counted from 1.
    pub line: u64,
    /// What is wrong with it, and the sentence that says so.
    pub fault: Option<(Fault, &'a str)>,
}

impl<'a> Row<'a> {
    /// The names of the two cells.
    pub const COLUMNS: [&'static str; 2] = ["_line", "_errors"];

    /// Reads the two cells; `None` where they are not ours.
    #[must_use]
    pub fn read(line: &[u8], fault: &'a [u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.parse().ok()?;
        if fault.is_empty() {
            return Some(Self { line, fault: None });
        }
        let (word, sentence) = std::str::from_utf8(fault).ok()?.split_once(' ')?;
        let fault = Fault::ALL.into_iter().find(|one| one.as_str() == word)?;
        Some(Self {
            line,
            fault: Some((fault, sentence)),
        })
    }
}

/// The text of something that is no object, as far as it is kept in its row.
const RAW_BYTES_MAX: usize = 16 << 10;

/// Turns JSON into rows.
pub(crate) struct Rows {
    elements: Elements,
    writer: Writer,
}

impl Rows {
    pub(crate) fn new(json: Json, columns: &[String], record_bytes_max: usize) -> Self {
        Self {
            elements: Elements::new(json.form, record_bytes_max),
            writer: Writer {
                columns: Columns::new(columns),
                late: json.late_keys,
                late_keys: 0,
                record_bytes_max,
            },
        }
    }

    /// Objects with keys that were ignored.
    pub(crate) fn late_keys(&self) -> u64 {
        self.writer.late_keys
    }

    pub(crate) fn push(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let writer = &mut self.writer;
        self.elements
            .push(text, &mut |element| writer.row(&element, out))
    }

    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let writer = &mut self.writer;
        self.elements
            .finish(&mut |element| writer.row(&element, out))
    }
}

struct Writer {
    columns: Columns,
    late: LateKeys,
    late_keys: u64,
    record_bytes_max: usize,
}

impl Writer {
    fn row(&mut self, element: &Element<'_>, out: &mut Vec<u8>) {
        if element.is_blank {
            out.push(b'\n');
            return;
        }
        if element.is_cut {
            let sentence = format!(
                "the row is longer than the {} bytes allowed; the first cell has its beginning",
                self.record_bytes_max
            );
            self.fault(element, Fault::TooLong, &sentence, out);
            return;
        }
        let before = out.len();
        let object = match Object::parse(element.text, &self.columns) {
            Ok(object) => object,
            Err(sentence) => {
                self.fault(element, Fault::Malformed, &sentence, out);
                return;
            }
        };
        let mut fault = String::new();
        if let Some(key) = &object.late {
            match self.late {
                LateKeys::Ignore => self.late_keys += 1,
                LateKeys::Reject => {
                    fault = format!(
                        "{} the key {} is not among those of the first objects of the file, which \
                         make the columns: name it in the fields of the definition",
                        Fault::UnknownKey.as_str(),
                        shown(key)
                    );
                }
            }
        }
        out.extend_from_slice(element.line.to_string().as_bytes());
        out.push(b',');
        cell(&fault, out);
        if let Err(sentence) = object.write(self.columns.len(), out) {
            out.truncate(before);
            self.fault(element, Fault::Malformed, &sentence, out);
            return;
        }
        out.push(b'\n');
    }

    /// A row with what is wrong, and in its first cell the text as it stands.
    fn fault(&self, element: &Element<'_>, fault: Fault, sentence: &str, out: &mut Vec<u8>) {
        let kept = element.text.len().min(RAW_BYTES_MAX);
        let mut raw = String::from_utf8_lossy(&element.text[..kept]).into_owned();
        if kept < element.text.len() || element.is_cut {
            raw.push('…');
        }
        out.extend_from_slice(element.line.to_string().as_bytes());
        out.push(b',');
        cell(&format!("{} {sentence}", fault.as_str()), out);
        out.push(b',');
        cell(&raw, out);
        for _ in 1..self.columns.len() {
            out.push(b',');
        }
        out.push(b'\n');
    }
}

/// Appends a cell of CSV.
fn cell(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let needs_quotes = bytes
        .iter()
        .any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    if !needs_quotes {
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    for &byte in bytes {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// A key of the file in a sentence: cut, and nothing hidden in it.
fn shown(key: &str) -> String {
    let cut: String = key.chars().take(64).collect();
    let more = if cut.len() < key.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}
