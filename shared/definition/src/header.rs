//! Binds a definition to the header of a file, or says what is wrong with the header.
//!
//! It is here because a header is written by people: its faults are sentences for whoever made the
//! file. It must not know about the rows beneath.

use std::collections::{HashMap, HashSet};

use crate::definition::Definition;
use crate::plan::{RowPlan, Slot};
use crate::show::shown;
use crate::suggest::nearest;
use crate::types::FieldType;

/// A header with more columns is refused: the grammar keeps no more cells of a record by default.
pub const MAX_COLUMNS: usize = 4096;

/// The longest name of a column or field, in bytes. It is in every row of the output, and in every
/// message about its cells: surveys have whole questions there, but nobody has a page.
pub(crate) const NAME_BYTES_MAX: usize = 2048;

/// Columns that a report of rejected rows adds. They are dropped, so that the report can be
/// mended and uploaded as it is.
const OURS: [&str; 4] = ["_record", "_line", "_errors", "_codes"];

/// For how many missing columns a near name is sought: each costs a walk over the header.
const MAX_SUGGESTIONS: usize = 16;

/// Everything that is wrong with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderFaults(pub Vec<HeaderFault>);

/// One thing that is wrong with a header. Columns are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// A required field has no column.
    #[error("the column {} is required but missing{}", shown(field), hint(did_you_mean.as_deref()))]
    MissingRequired {
        /// The field.
        field: String,
        /// A column with a similar name.
        did_you_mean: Option<String>,
    },
    /// Two columns have the same name.
    #[error("columns {} and {} have the same name {}", columns.0, columns.1, shown(name))]
    Duplicate {
        /// The name, as the second column has it.
        name: String,
        /// The two columns.
        columns: (usize, usize),
    },
    /// The name of a column is not text.
    #[error("the name of column {column} is not valid UTF-8 text; save the file as UTF-8")]
    NotUtf8 {
        /// The column.
        column: usize,
    },
    /// The name of a column has characters that no text has.
    #[error("the name of column {column} has control characters; is this a CSV file?")]
    NotText {
        /// The column.
        column: usize,
    },
    /// The name of a column is longer than allowed.
    #[error(
        "the name of column {column} is {bytes} bytes long, more than the {NAME_BYTES_MAX} allowed"
    )]
    NameTooLong {
        /// The column.
        column: usize,
        /// The length of its name.
        bytes: usize,
    },
    /// More columns than allowed.
    #[error("the header has {columns} columns, more than the {limit} allowed")]
    TooManyColumns {
        /// The columns of the header.
        columns: usize,
        /// The most allowed.
        limit: usize,
    },
    /// No column has a name.
    #[error("the header is empty: the first row must name the columns")]
    Empty,
    /// No column belongs to any field, so every row would come out empty.
    #[error("no column of the header is a field of the definition; is this the right file?")]
    NothingKnown,
}

impl std::fmt::Display for HeaderFaults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for HeaderFaults {}

/// A column with a name that can be compared.
struct Column {
    index: usize,
    name: String,
    key: String,
}

impl Definition {
    /// Binds the definition to the header of a file. Names are compared without the spaces around
    /// them and without regard to case.
    ///
    /// Columns that no field uses are ignored and listed in the plan; a field that is not required
    /// needs no column. A definition without fields takes every column as text, under its name or
    /// `column_3` where it has none.
    ///
    /// # Errors
    /// Every fault of the header: see [`HeaderFault`].
    pub fn bind(&self, header: &[Vec<u8>]) -> Result<RowPlan, HeaderFaults> {
        if header.len() > MAX_COLUMNS {
            return Err(HeaderFaults(vec![HeaderFault::TooManyColumns {
                columns: header.len(),
                limit: MAX_COLUMNS,
            }]));
        }
        let mut columns = read(header)?;
        if columns.iter().all(|column| column.key.is_empty()) {
            return Err(HeaderFaults(vec![HeaderFault::Empty]));
        }
        if self.is_open() {
            for column in columns.iter_mut().filter(|column| column.key.is_empty()) {
                column.name = format!("column_{}", column.index + 1);
                column.key.clone_from(&column.name);
            }
        }
        let mut faults = duplicates(&columns);
        let (slots, ignored) = if self.is_open() {
            (columns.into_iter().map(open_slot).collect(), Vec::new())
        } else {
            self.slots(&columns, &mut faults)
        };
        if faults.is_empty() {
            Ok(RowPlan::new(header.len(), slots, ignored))
        } else {
            Err(HeaderFaults(faults))
        }
    }

    fn slots(&self, columns: &[Column], faults: &mut Vec<HeaderFault>) -> (Vec<Slot>, Vec<String>) {
        let by_key: HashMap<&str, usize> = columns
            .iter()
            .map(|column| (column.key.as_str(), column.index))
            .collect();
        let slots: Vec<Slot> = self
            .fields()
            .iter()
            .map(|field| Slot {
                name: field.name.clone(),
                column: by_key.get(key(&field.name).as_str()).copied(),
                kind: field.kind,
                required: field.required,
                default: field.default.clone(),
            })
            .collect();
        let used: HashSet<usize> = slots.iter().filter_map(|slot| slot.column).collect();
        let spare = |column: &&Column| !used.contains(&column.index);
        let ignored: Vec<String> = columns
            .iter()
            .filter(spare)
            .map(|column| column.name.clone())
            .collect();
        let missing = slots
            .iter()
            .filter(|slot| slot.required && slot.column.is_none());
        faults.extend(missing.enumerate().map(|(count, slot)| {
            let names = ignored.iter().map(String::as_str);
            let near = (count < MAX_SUGGESTIONS).then(|| nearest(&slot.name, names));
            HeaderFault::MissingRequired {
                field: slot.name.clone(),
                did_you_mean: near.flatten().map(str::to_owned),
            }
        }));
        if used.is_empty() && faults.is_empty() {
            faults.push(HeaderFault::NothingKnown);
        }
        (slots, ignored)
    }
}

/// The columns of the header that are not ours.
fn read(header: &[Vec<u8>]) -> Result<Vec<Column>, HeaderFaults> {
    let mut columns = Vec::with_capacity(header.len());
    let mut faults = Vec::new();
    for (index, cell) in header.iter().enumerate() {
        let column = index + 1;
        match std::str::from_utf8(cell) {
            Err(_) => faults.push(HeaderFault::NotUtf8 { column }),
            Ok(name) if name.chars().any(is_control) => {
                faults.push(HeaderFault::NotText { column });
            }
            Ok(name) if name.trim().len() > NAME_BYTES_MAX => {
                let bytes = name.trim().len();
                faults.push(HeaderFault::NameTooLong { column, bytes });
            }
            Ok(name) => {
                let key = key(name);
                if !OURS.contains(&key.as_str()) {
                    let name = name.trim().to_owned();
                    columns.push(Column { index, name, key });
                }
            }
        }
    }
    // A name that cannot be read may be the one that something else would miss.
    if faults.is_empty() {
        Ok(columns)
    } else {
        Err(HeaderFaults(faults))
    }
}

fn duplicates(columns: &[Column]) -> Vec<HeaderFault> {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(columns.len());
    let mut faults = Vec::new();
    for column in columns.iter().filter(|column| !column.key.is_empty()) {
        if let Some(first) = seen.get(column.key.as_str()) {
            faults.push(HeaderFault::Duplicate {
                name: column.name.clone(),
                columns: (first + 1, column.index + 1),
            });
        } else {
            seen.insert(&column.key, column.index);
        }
    }
    faults
}

fn open_slot(column: Column) -> Slot {
    Slot {
        name: column.name,
        column: Some(column.index),
        kind: FieldType::String,
        required: false,
        default: None,
    }
}

/// What names are compared by.
pub(crate) fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// True for the names of our own columns, which no field can have.
pub(crate) fn is_ours(key: &str) -> bool {
    OURS.contains(&key)
}

/// A name may have line breaks: spreadsheets let people put them into a cell.
pub(crate) fn is_control(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r')
}

fn hint(did_you_mean: Option<&str>) -> String {
    did_you_mean.map_or_else(String::new, |name| {
        format!("; is it the column {}?", shown(name))
    })
}
