//! Binds a definition to the header of a file, or says what is wrong with the header.
//!
//! It is here because a header is written by people: its faults are sentences for whoever made the
//! file. It must not know about the rows beneath.

use std::collections::HashMap;

use crate::definition::{Definition, UnknownColumns};
use crate::plan::RowPlan;
use crate::row_error::Severity;
use crate::rules::Computed;
use crate::show::shown;
use crate::slot::Slot;
use crate::suggest::nearest;
use crate::unique::Constraint;

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
    /// Two columns of different names belong to one field.
    #[error(
        "columns {} ({}) and {} ({}) are both the field {}; keep one of them",
        columns.0, shown(&names.0), columns.1, shown(&names.1), shown(field)
    )]
    TwoColumns {
        /// The field.
        field: String,
        /// The two columns.
        columns: (usize, usize),
        /// Their names.
        names: (String, String),
    },
    /// A column that the definition takes as it is has the name of a field, which another fills.
    #[error(
        "column {column} ({}) is no field, but a field has its name; rename it, or leave it out",
        shown(name)
    )]
    NameOfField {
        /// The name of the column.
        name: String,
        /// The column.
        column: usize,
    },
    /// A column is no field of a definition that takes no others.
    #[error(
        "column {column} ({}) is no field of the definition{}",
        shown(name),
        did_you_mean.as_deref().map_or_else(String::new, |near| format!("; did you mean {}?", shown(near)))
    )]
    Unknown {
        /// The name of the column.
        name: String,
        /// The column.
        column: usize,
        /// A field, without a column, of a similar name.
        did_you_mean: Option<String>,
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
    /// A field that is not required needs no column. Columns that no field uses are ignored and
    /// listed in the plan, unless the definition says otherwise. A definition without fields takes
    /// every column as text, under its name or `column_3` where it has none.
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
        let columns = read(header)?;
        if columns.iter().all(|column| column.key.is_empty()) {
            return Err(HeaderFaults(vec![HeaderFault::Empty]));
        }
        let mut binding = Binding::default();
        let spare = binding.fields(self, columns);
        if self.is_open() || self.unknown_columns() == UnknownColumns::Keep {
            binding.keep(spare);
        } else {
            let unknown = self.unknown_columns();
            binding.leave(spare, unknown == UnknownColumns::Error);
        }
        // The places of a header's faults are found in several turns.
        binding.faults.sort_by_key(HeaderFault::place);
        if !binding.faults.is_empty() {
            return Err(HeaderFaults(binding.faults));
        }
        let (unique, unique_names) = self.constraints();
        if let Some(logic) = self.logic.get() {
            for (index, slot) in binding.slots.iter_mut().enumerate() {
                slot.computed = logic.computed(index).map(Computed::bytes_added_max);
            }
        }
        Ok(RowPlan {
            columns: header.len(),
            ragged: self.ragged(),
            skip_empty_rows: self.skip_empty_rows(),
            sensitive: sensitive(&binding.slots),
            slots: binding.slots,
            ignored: binding.ignored,
            unique,
            unique_names,
            lookups: self.duplicates_of().to_vec(),
            logic: self.logic.clone(),
        })
    }

    /// The field that a column was most likely meant for: one that the plan found no column for, and
    /// that has a similar name.
    #[must_use]
    pub fn did_you_mean(&self, column: &str, plan: &RowPlan) -> Option<&str> {
        let mut best = None;
        for (index, field) in self.fields().iter().enumerate() {
            if plan.field_column(index as u32).is_none() {
                best = best.or_else(|| nearest(column, field.headers()).map(|_| &*field.name));
            }
        }
        best
    }

    /// What is unique over the whole job, with the names that messages call it by: single fields in
    /// their order, then those that are unique together.
    fn constraints(&self) -> (Vec<Constraint>, Vec<String>) {
        let mut constraints = Vec::new();
        let mut names = Vec::new();
        for (slot, field) in self.fields().iter().enumerate() {
            if let Some(unique) = field.unique {
                constraints.push(Constraint {
                    slots: vec![slot],
                    ignore_case: unique.ignore_case,
                });
                names.push(field.name.clone());
            }
        }
        let place = |name: &String| self.fields().iter().position(|field| field.name == *name);
        for together in self.unique_together() {
            constraints.push(Constraint {
                slots: together.fields.iter().filter_map(place).collect(),
                ignore_case: together.unique.ignore_case,
            });
            names.push(together.fields.join(", "));
        }
        (constraints, names)
    }
}

/// A definition and a header on the way to a plan.
#[derive(Default)]
struct Binding {
    slots: Vec<Slot>,
    ignored: Vec<String>,
    faults: Vec<HeaderFault>,
}

impl Binding {
    /// Gives every field its column. What is left are the columns of none.
    fn fields(&mut self, definition: &Definition, columns: Vec<Column>) -> Vec<Column> {
        let mut owners: HashMap<String, usize> = HashMap::new();
        for (index, field) in definition.fields().iter().enumerate() {
            owners.extend(field.headers().map(|header| (key(header), index)));
        }
        let mut taken: Vec<Option<Column>> = Vec::new();
        taken.resize_with(definition.fields().len(), || None);
        let mut spare = Vec::new();
        for column in columns {
            let Some(&field) = owners.get(&column.key) else {
                spare.push(column);
                continue;
            };
            match &taken[field] {
                None => taken[field] = Some(column),
                Some(first) => {
                    let name = &definition.fields()[field].name;
                    self.faults.push(two_columns(name, first, column));
                }
            }
        }
        let mut suggested = 0;
        for (field, column) in definition.fields().iter().zip(&taken) {
            let is_missing = field.required && field.has_column() && column.is_none();
            // A warning ends no job: every row has it instead.
            if is_missing && field.severity == Severity::Error {
                let mut headers = field.headers().filter(|_| suggested < MAX_SUGGESTIONS);
                let names = || spare.iter().map(|column| column.name.as_str());
                let near = headers.find_map(|header| nearest(header, names()));
                suggested += 1;
                self.faults.push(HeaderFault::MissingRequired {
                    field: field.column.clone().unwrap_or_else(|| field.name.clone()),
                    did_you_mean: near.map(str::to_owned),
                });
            }
            let column = column.as_ref().map(|column| column.index);
            self.slots.push(Slot::of(field, column));
        }
        spare
    }

    /// Takes the columns of no field as they are, after the fields.
    fn keep(&mut self, spare: Vec<Column>) {
        let mut seen: HashMap<String, Option<usize>> = HashMap::with_capacity(spare.len());
        seen.extend(self.slots.iter().map(|slot| (key(&slot.name), None)));
        for mut column in spare {
            if column.key.is_empty() {
                column.name = format!("column_{}", column.index + 1);
                column.key.clone_from(&column.name);
            }
            match seen.get(&column.key) {
                None => {
                    seen.insert(column.key, Some(column.index));
                    self.slots.push(Slot::plain(column.name, column.index));
                }
                Some(Some(first)) => self.faults.push(HeaderFault::Duplicate {
                    name: column.name,
                    columns: (first + 1, column.index + 1),
                }),
                Some(None) => self.faults.push(HeaderFault::NameOfField {
                    name: column.name,
                    column: column.index + 1,
                }),
            }
        }
    }

    /// Leaves out the columns of no field, or refuses those that have a name.
    fn leave(&mut self, spare: Vec<Column>, is_strict: bool) {
        if self.slots.iter().all(|slot| slot.column.is_none()) && self.faults.is_empty() {
            self.faults.push(HeaderFault::NothingKnown);
        }
        let mut suggested = 0;
        for column in spare {
            if is_strict && !column.key.is_empty() {
                let free = self.slots.iter().filter(|slot| slot.column.is_none());
                let free = free.map(|slot| slot.name.as_str());
                let near = (suggested < MAX_SUGGESTIONS).then(|| nearest(&column.name, free));
                suggested += 1;
                self.faults.push(HeaderFault::Unknown {
                    did_you_mean: near.flatten().map(str::to_owned),
                    name: column.name.clone(),
                    column: column.index + 1,
                });
            }
            self.ignored.push(column.name);
        }
    }
}

impl HeaderFault {
    /// Its column, for the order of the report; columns that are missing come first.
    fn place(&self) -> usize {
        match self {
            Self::MissingRequired { .. }
            | Self::TooManyColumns { .. }
            | Self::Empty
            | Self::NothingKnown => 0,
            Self::Duplicate { columns, .. } | Self::TwoColumns { columns, .. } => columns.1,
            Self::NotUtf8 { column }
            | Self::NotText { column }
            | Self::NameTooLong { column, .. }
            | Self::NameOfField { column, .. }
            | Self::Unknown { column, .. } => *column,
        }
    }
}

fn two_columns(field: &str, first: &Column, second: Column) -> HeaderFault {
    let columns = (first.index + 1, second.index + 1);
    if first.key == second.key {
        return HeaderFault::Duplicate {
            name: second.name,
            columns,
        };
    }
    HeaderFault::TwoColumns {
        field: field.to_owned(),
        columns,
        names: (first.name.clone(), second.name),
    }
}

fn sensitive(slots: &[Slot]) -> Vec<usize> {
    let hidden = slots.iter().filter(|slot| slot.sensitive);
    let mut columns: Vec<usize> = hidden.filter_map(|slot| slot.column).collect();
    columns.sort_unstable();
    columns
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
