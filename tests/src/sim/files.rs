//! Files to import, and what is true of them by an independent reading: the generator knows where
//! each row begins and which are blank, and the `csv` crate says what the others hold.
//!
//! It must not use the grammar or the checks under test.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::{Value, json};

use super::destination::{Destination, Fate};
use super::random::Random;

/// The ids that rows may have.
pub(crate) const IDS: std::ops::Range<u64> = 1_000..3_000;

/// The fields of the definition that judges every file.
pub(crate) const DEFINITION: &str = "fields:\n  - {name: id, type: integer, required: true}\n  - {name: name}\n  - {name: age, type: integer}\n";

/// The same with ages cut to their first digit, which no two rows may share.
pub(crate) const UNIQUE_DEFINITION: &str = "fields:\n  - {name: id, type: integer, required: true}\n  - {name: name}\n  - {name: age, type: integer, transforms: [{truncate: 1}], unique: true}\n";

/// A text that is in a cell of every row: where it turns up in a message, a reason or a log, a
/// record value has leaked (I8).
pub(crate) const PLANTED: &str = "Planted";

/// What should become of one row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// It is delivered as this.
    Accepted(Value),
    /// It is delivered as this, or the destination refuses it and it is a reject.
    Fickle(Value),
    /// It is a reject.
    Rejected,
    /// It is blank.
    Skipped,
}

/// Where a row begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) byte: u64,
    pub(crate) line: u64,
}

/// A file and the truth about it.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) text: String,
    /// One a row, blank ones included, and last the end of the file.
    pub(crate) places: Vec<Place>,
    /// One a row, blank ones included.
    pub(crate) rows: Vec<Told>,
    /// Whether a job of it can begin at all.
    pub(crate) has_header: bool,
    /// The bytes that are uploaded, where they are not those of the text: it has to be decoded.
    pub(crate) packed: Option<Vec<u8>>,
}

/// What a text is packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Utf16,
    Windows1252,
}

impl File {
    /// `count` rows with everything that makes boundaries hard. `tag` keeps two files apart.
    pub(crate) fn draw(random: &mut Random, count: u64, tag: u64) -> Self {
        let mut text = String::new();
        if random.one_in(8) {
            text.push('\u{feff}');
        }
        text.push_str(if random.one_in(4) {
            "id,name,age\r\n"
        } else {
            "id,name,age\n"
        });
        let mut line = 2;
        let mut places = Vec::new();
        let mut blank = Vec::new();
        for row in 0..count {
            places.push(Place {
                byte: text.len() as u64,
                line,
            });
            let id = tag * 1_000 + row;
            let kind = random.below(9);
            let (cells, lines, is_blank) = match kind {
                0 => (
                    format!("{id},\"{PLANTED} \"\"{id}\"\"\nand, more\",{row}"),
                    2,
                    false,
                ),
                1 => (format!("{id},{PLANTED}{id},old"), 1, false),
                2 => (format!("{id},{PLANTED}{id},{row},more"), 1, false),
                3 => (format!("{id},{PLANTED}{id}"), 1, false),
                4 => (String::new(), 1, true),
                5 => (format!("{id},\"{PLANTED} Zoë {id}\",{row}"), 1, false),
                _ => (format!("{id},{PLANTED}{id},{row}"), 1, false),
            };
            text.push_str(&cells);
            blank.push(is_blank);
            let is_open_ended = row + 1 == count && !is_blank && random.one_in(3);
            if !is_open_ended {
                text.push_str(if random.one_in(5) { "\r\n" } else { "\n" });
            }
            line += lines;
        }
        places.push(Place {
            byte: text.len() as u64,
            line,
        });
        let rows = tell(&text, &blank);
        Self {
            text,
            places,
            rows,
            has_header: true,
            packed: None,
        }
    }

    /// The same file, to be decoded. A text loses its byte order mark by that, so everything moves up.
    pub(crate) fn pack(&mut self, packing: Packing) {
        if let Some(text) = self.text.strip_prefix('\u{feff}') {
            self.text = text.to_owned();
            for place in &mut self.places {
                place.byte -= 3;
            }
        }
        self.packed = match packing {
            Packing::Gzip => gzip(self.text.as_bytes()),
            Packing::Utf16 => Some(
                std::iter::once(0xFEFF)
                    .chain(self.text.encode_utf16())
                    .flat_map(u16::to_le_bytes)
                    .collect(),
            ),
            // Its letters have the numbers that Unicode gives them; what has none stays as it is.
            Packing::Windows1252 => self
                .text
                .chars()
                .map(|one| u8::try_from(u32::from(one)).ok())
                .collect(),
        };
    }

    /// The same file under [`UNIQUE_DEFINITION`]: the first row with a digit has it. Of rows that are
    /// rejects anyway none has an age, nor has a row that is filled up.
    pub(crate) fn tell_unique(&mut self) {
        let mut seen = BTreeSet::new();
        for told in &mut self.rows {
            let Told::Accepted(row) = told else { continue };
            let age = row["age"].to_string();
            let Some(digit) = age.chars().next().and_then(|one| one.to_digit(10)) else {
                continue;
            };
            if seen.insert(digit) {
                row["age"] = json!(digit);
            } else {
                *told = Told::Rejected;
            }
        }
    }

    /// The same file into a destination that does not take every row.
    pub(crate) fn tell_taken(&mut self, destination: &Destination) {
        for told in &mut self.rows {
            let Told::Accepted(row) = told else { continue };
            match row["id"].as_u64().map(|id| destination.fate(id)) {
                Some(Fate::Fickle) => *told = Told::Fickle(row.take()),
                Some(Fate::Refused | Fate::Known) => *told = Told::Rejected,
                Some(Fate::Taken) | None => {}
            }
        }
    }

    /// The bytes that are uploaded.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.packed
            .clone()
            .unwrap_or_else(|| self.text.clone().into_bytes())
    }

    /// A file that no job can begin on.
    pub(crate) fn unreadable(random: &mut Random) -> Self {
        let text = random.pick(&[
            "",
            "\n\n",
            "name,age\nPlanted,1\n",
            "1,Planted 1,1\n2,Planted 2,2\n",
            "id,name,age,Name\n1,2,3,4\n",
        ]);
        Self {
            text: text.to_owned(),
            places: Vec::new(),
            rows: Vec::new(),
            has_header: false,
            packed: None,
        }
    }
}

fn gzip(text: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).ok()?;
    encoder.finish().ok()
}

/// Reads with the `csv` crate, which passes over blank rows, and judges by hand.
fn tell(text: &str, blank: &[bool]) -> Vec<Told> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let mut rows = Vec::with_capacity(blank.len());
    for &is_blank in blank {
        if is_blank {
            rows.push(Told::Skipped);
            continue;
        }
        let row = records.next().and_then(Result::ok).unwrap_or_default();
        let number = |column: usize| row.get(column).and_then(|cell| cell.parse::<i64>().ok());
        rows.push(match (row.len(), number(0), number(2)) {
            (3, Some(id), Some(age)) => {
                Told::Accepted(json!({"id": id, "name": &row[1], "age": age}))
            }
            // A short row is filled up.
            (2, Some(id), None) => Told::Accepted(json!({"id": id, "name": &row[1], "age": null})),
            _ => Told::Rejected,
        });
    }
    rows
}
