//! Definitions: what a good row of an import is, and the compiled check of it.
//!
//! A definition is a YAML or JSON document. [`Definition::parse`] reads it and names every fault
//! with its place; [`Definition::bind`] joins it to the header of a file; [`RowPlan::check`] then
//! checks, converts and encodes one record at a time without an allocation for a good one.
//!
//! This crate is pure: it must not know where files, jobs and batches live, nor how CSV is split
//! into records. Cells come to it through [`Cells`], rows leave it through [`Encoder`].

mod constraint;
mod definition;
mod field_plan;
mod header;
mod json_lines;
mod language;
mod logic;
mod pattern;
mod plan;
mod row_error;
mod rules;
mod show;
mod slot;
mod suggest;
mod transform;
mod types;
mod unique;

pub use definition::{
    Batches, Constraints, Definition, Destination, Field, KeyField, LookupField, Pad, Ragged,
    Reading, Retries, TableDestination, TableLookup, Tolerated, Transform, Unique, UniqueTogether,
    UnknownColumns,
};
pub use header::{HeaderFault, HeaderFaults, MAX_COLUMNS};
pub use json_lines::JsonLines;
pub use language::{Fault, Faults};
pub use plan::{Cells, Checked, Encoder, RowPlan, Scratch};
pub use row_error::{Category, Code, RowError, Severity};
pub use rules::{Computed, RULES_MAX, Row, RuleFault, RuleSpec, Rules};
pub use types::{
    Converter, FieldType, ItemType, Literal, Mismatch, OptionFault, TypeOptions, Value,
};
