//! What a definition says of a file's head: how it is read, and what its columns are called.
//!
//! Fields find their columns by name. Where names can't tell columns apart, the header is read as a line
//! above the table, and the columns are named by their place. It must not know of the rows.

use std::collections::HashSet;

use batchfleet_grammar::LineEnd;

use super::Origin;
use super::yaml::{flow, quoted, scalar};

/// Below this, all that was found is written down, so that it can be put right.
const SURE: f64 = 0.7;
/// The longest name that is given to a column, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// Columns that reports add, which are no fields.
const OURS: [&str; 4] = ["_record", "_line", "_errors", "_codes"];

/// Which column is which field.
#[derive(Debug, Default)]
pub(super) struct Naming {
    /// The places of columns, and the names of their fields.
    pub(super) fields: Vec<(usize, String)>,
    /// The names of all columns, where they go by their place.
    by_place: Option<Vec<String>>,
    /// Why columns without a name are kept, if they are.
    pub(super) keep: Option<String>,
    /// What there is to say about names.
    pub(super) notes: Vec<String>,
}

impl Naming {
    /// Names the columns of a file of so many rows; `filled` says whether a column has a value in any.
    pub(super) fn of(origin: &Origin<'_>, rows: u64, filled: impl Fn(usize) -> bool) -> Self {
        let names: Vec<&str> = origin.columns.iter().map(|name| name.trim()).collect();
        let mut naming = Self::default();
        let is_csv_with_header = origin.found.is_some_and(|found| found.header);
        if origin.found.is_some_and(|found| !found.header) {
            naming.by_place = Some(distinct_names(&names));
        } else if is_csv_with_header && let Some(why) = ambiguous(origin.columns, &names) {
            if rows == 0 {
                // Without the header as its head, there would be no table left.
                naming
                    .notes
                    .push(format!("{why}: mend the header, and infer again."));
                return naming;
            }
            naming.notes.push(format!(
                "{why}, so the header is taken as a line above the table, and columns go by their place."
            ));
            naming.by_place = Some(distinct_names(&names));
        }
        if let Some(names) = &naming.by_place {
            naming.fields = names.iter().cloned().enumerate().collect();
            return naming;
        }
        let mut unnamed = Vec::new();
        for (index, name) in names.iter().enumerate() {
            if OURS.contains(&key(name).as_str()) {
                continue;
            }
            if !name.is_empty() {
                naming.fields.push((index, (*name).to_owned()));
            } else if filled(index) {
                unnamed.push(format!("column_{}", index + 1));
            }
        }
        if !unnamed.is_empty() {
            naming.keep = Some(format!(
                "a column without a name is no field; kept as {}",
                unnamed.join(", ")
            ));
        }
        naming
    }
}

/// Why names can't tell the columns apart.
fn ambiguous(header: &[String], names: &[&str]) -> Option<String> {
    let is_bad = |character: char| character.is_control() && !"\t\n\r".contains(character);
    let has_bad = header.iter().any(|name| name.chars().any(is_bad));
    if has_bad || names.iter().any(|name| name.len() > NAME_BYTES_MAX * 10) {
        return Some("A name in the header is none that a field can have".to_owned());
    }
    let mut seen = HashSet::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        if !seen.insert(key(name)) {
            return Some(format!("Two columns are named {}", quoted(name)));
        }
    }
    if names
        .iter()
        .all(|name| name.is_empty() || OURS.contains(&key(name).as_str()))
    {
        return Some("No column has a name".to_owned());
    }
    for (index, _) in names.iter().enumerate().filter(|(_, name)| name.is_empty()) {
        if seen.contains(&format!("column_{}", index + 1)) {
            return Some("A column without a name would be kept under that of another".to_owned());
        }
    }
    None
}

/// A name for each column that no other has.
fn distinct_names(names: &[&str]) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut out = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let mut plain: String = name
            .chars()
            .map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            })
            .collect();
        while plain.len() > NAME_BYTES_MAX {
            plain.pop();
        }
        let mut plain = plain.trim().to_owned();
        if plain.is_empty() || OURS.contains(&key(&plain).as_str()) {
            plain = format!("column_{}", index + 1);
        }
        let mut unique = plain.clone();
        let mut number = 2;
        while !taken.insert(key(&unique)) {
            unique = format!("{plain}_{number}");
            number += 1;
        }
        out.push(unique);
    }
    out
}

/// What names are compared by.
fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// How a file is read, as keys of a definition.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    lines: Vec<Line>,
    /// Whether what goes without saying is said too.
    pub(super) is_firm: bool,
    /// Why it may be wrong.
    pub(super) doubt: Option<String>,
}

/// One key.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) key: &'static str,
    pub(super) value: String,
    pub(super) why: &'static str,
    /// Whether a file is read like that anyway.
    pub(super) is_default: bool,
}

impl Head {
    pub(super) fn of(origin: &Origin<'_>, naming: &Naming) -> Self {
        let mut head = Self::default();
        if let Some(encoding) = origin.encoding {
            let name = encoding.encoding.name();
            head.add("encoding", scalar(name), name == "UTF-8", "");
            if encoding.confidence < SURE {
                head.doubt =
                    Some("the encoding was found with little certainty: check letters".to_owned());
                head.is_firm = true;
            }
        }
        let Some(found) = origin.found else {
            return head;
        };
        let dialect = &found.dialect;
        head.add(
            "delimiter",
            sign(Some(dialect.delimiter)),
            dialect.delimiter == b',',
            "",
        );
        head.add(
            "quote",
            sign(dialect.quote),
            dialect.quote == Some(b'"'),
            "",
        );
        head.add("escape", sign(dialect.escape), dialect.escape.is_none(), "");
        let why = "lines that begin with it are no rows";
        head.add(
            "comment",
            sign(dialect.comment),
            dialect.comment.is_none(),
            why,
        );
        let (line_end, is_lf) = match dialect.line_end {
            LineEnd::Lf => ("lf", true),
            LineEnd::Any => ("any", false),
        };
        head.add("line_end", line_end.to_owned(), is_lf, "");
        let why = "spaces around cells are no part of them";
        head.add("trim", dialect.trim.to_string(), !dialect.trim, why);
        let by_place = naming.by_place.is_some();
        let above = if by_place && found.header {
            // The header itself is above the table then.
            (found.data.line - 1) as u32
        } else {
            found.preamble_rows
        };
        let why = "lines above the table";
        head.add("preamble_rows", above.to_string(), above == 0, why);
        if let Some(names) = &naming.by_place {
            head.add("header", "false".to_owned(), false, "");
            head.add("columns", flow(names), false, "in their order");
        } else {
            head.add("header", "true".to_owned(), true, "");
        }
        if found.confidence < SURE {
            head.doubt = Some(format!(
                "found with a certainty of {:.2} of 1: check it",
                found.confidence
            ));
            head.is_firm = true;
        }
        head
    }

    fn add(&mut self, key: &'static str, value: String, is_default: bool, why: &'static str) {
        self.lines.push(Line {
            key,
            value,
            why,
            is_default,
        });
    }

    /// The keys to write.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines
            .iter()
            .filter(|line| self.is_firm || !line.is_default)
    }
}

/// A character with a meaning, as a definition has it.
fn sign(byte: Option<u8>) -> String {
    match byte {
        None => "none".to_owned(),
        Some(b'\t') => "tab".to_owned(),
        Some(byte) => quoted(&char::from(byte).to_string()),
    }
}

/// A name for the definition, from that of the file.
pub(super) fn title(file: &str) -> Option<String> {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.split('.').find(|part| !part.is_empty())?;
    let mut title = String::new();
    for character in stem.chars().take(64) {
        if character.is_ascii_alphanumeric() || character == '_' {
            title.push(character);
        } else if !title.ends_with('-') && !title.is_empty() {
            title.push('-');
        }
    }
    let title = title.trim_matches('-');
    (!title.is_empty()).then(|| title.to_owned())
}
