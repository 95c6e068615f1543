//! A definition: what a good row is and how its import is to be done, as plain data.
//!
//! It is parsed from the text a job keeps as its snapshot, again in every worker, so parsing is
//! deterministic and quick. This file must not know how the text is read.

mod destination;
mod field;
mod lookup;
mod read;
mod reading;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::destination::{Destination, KeyField, Retries, TableDestination};
pub(crate) use self::field::Compiled;
pub use self::field::{
    Constraints, Field, Pad, Ragged, Transform, Unique, UniqueTogether, UnknownColumns,
};
pub use self::lookup::{LookupField, TableLookup};
pub use self::reading::Reading;
use crate::language::Faults;
use crate::logic::Logic;
use crate::rules::RuleSpec;

/// What a good row is and where it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    name: Option<String>,
    description: Option<String>,
    reading: Reading,
    fields: Vec<Field>,
    batches: Batches,
    destination: Destination,
    retries: Retries,
    max_workers: Option<u32>,
    tolerated: Option<Tolerated>,
    ragged: Ragged,
    unknown_columns: UnknownColumns,
    skip_empty_rows: bool,
    unique_together: Vec<UniqueTogether>,
    duplicates_of: Vec<TableLookup>,
    rules: Vec<RuleSpec>,
    pub(crate) logic: Logic,
}

/// How large a batch may grow, where the definition says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Batches {
    /// The most records of a batch, 1 to a million.
    pub records: Option<u32>,
    /// The most bytes of a batch, 64 KiB to 64 MiB.
    pub bytes: Option<u64>,
}

/// Rejects that an import bears: whichever bound is reached first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tolerated {
    /// Rejected rows.
    pub count: Option<u64>,
    /// Hundredths of a per cent of all rows.
    pub share: Option<u32>,
}

impl Tolerated {
    /// None at all: `on_error: stop`.
    pub const NONE: Self = Self {
        count: Some(0),
        share: None,
    };

    /// Hundredths of a per cent in the whole.
    pub const WHOLE: u32 = 10_000;

    /// Whether `rejected` rows are more than is borne; of a share, once all `records` are known.
    #[must_use]
    pub fn is_exceeded(&self, rejected: u64, records: Option<u64>) -> bool {
        let parts = u128::from(rejected) * u128::from(Self::WHOLE);
        let exceeds_share =
            |(share, records): (u32, u64)| parts > u128::from(records) * u128::from(share);
        self.count.is_some_and(|count| rejected > count)
            || self.share.zip(records).is_some_and(exceeds_share)
    }
}

impl fmt::Display for Tolerated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: u32| f64::from(share) / 100.0;
        match (self.count, self.share) {
            (Some(0), None) => f.write_str("none"),
            (Some(count), None) => write!(f, "{count}"),
            (None, Some(share)) => write!(f, "{} % of all", percent(share)),
            (Some(count), Some(share)) => write!(f, "{count}, and {} % of all", percent(share)),
            (None, None) => f.write_str("any number"),
        }
    }
}

impl Definition {
    /// The text of the open definition, for a job that was given none.
    pub const OPEN_TEXT: &str = "{}\n";

    /// Reads a definition from YAML or JSON.
    ///
    /// # Errors
    /// Every fault of the text, each with its path, line and column.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        read::definition(text)
    }

    /// The definition without fields: every column of the file is text, under its own name.
    #[must_use]
    pub fn open() -> Self {
        Self {
            name: None,
            description: None,
            reading: Reading::default(),
            fields: Vec::new(),
            batches: Batches::default(),
            destination: Destination::default(),
            retries: Retries::default(),
            max_workers: None,
            tolerated: None,
            ragged: Ragged::default(),
            unknown_columns: UnknownColumns::default(),
            skip_empty_rows: true,
            unique_together: Vec::new(),
            duplicates_of: Vec::new(),
            rules: Vec::new(),
            logic: Logic::default(),
        }
    }

    /// True when the definition names no fields and takes every column as text.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.fields.is_empty()
    }

    /// The name, for people and reports.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the definition is for, in its author's words.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What is fixed of how the file is read.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The fields in the order of the output; none for an open definition.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How large a batch may grow.
    #[must_use]
    pub fn batches(&self) -> Batches {
        self.batches
    }

    /// Where accepted rows go.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// How patient a delivery is with a destination that takes records one by one.
    #[must_use]
    pub fn retries(&self) -> Retries {
        self.retries
    }

    /// Rejects that an import bears before it fails; any number where this is `None`.
    #[must_use]
    pub fn tolerated(&self) -> Option<Tolerated> {
        self.tolerated
    }

    /// How many workers may import one file at a time, 1 to 1000.
    #[must_use]
    pub fn max_workers(&self) -> Option<u32> {
        self.max_workers
    }

    /// What is done with a row that has more or fewer cells than the header.
    #[must_use]
    pub fn ragged(&self) -> Ragged {
        self.ragged
    }

    /// What is done with a column that is no field.
    #[must_use]
    pub fn unknown_columns(&self) -> UnknownColumns {
        self.unknown_columns
    }

    /// Whether a row whose cells are all empty is passed over.
    #[must_use]
    pub fn skip_empty_rows(&self) -> bool {
        self.skip_empty_rows
    }

    /// Whether any values are to be unique over the whole job.
    #[must_use]
    pub fn has_unique(&self) -> bool {
        let mut fields = self.fields.iter();
        !self.unique_together.is_empty() || fields.any(|field| field.unique.is_some())
    }

    /// Fields whose values together are unique, those of single fields aside.
    #[must_use]
    pub fn unique_together(&self) -> &[UniqueTogether] {
        &self.unique_together
    }

    /// Tables whose records the rows must not be.
    #[must_use]
    pub fn duplicates_of(&self) -> &[TableLookup] {
        &self.duplicates_of
    }

    /// What must hold for each row: the checks of the fields in their order, then the rules.
    #[must_use]
    pub fn rules(&self) -> &[RuleSpec] {
        &self.rules
    }
}
