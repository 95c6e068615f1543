//! The keys of a batch's records under what must be unique, and which of them are rows at all.
//!
//! Pure: the preparer asks for them in the order of the file and remembers what it saw. What is no row
//! to a worker has no keys here: the two must agree on where a row came from and what is skipped.

use batchfleet_definition::Scratch;
use batchfleet_grammar::{BatchRange, RecordReader};

use super::{JobPlan, RowCells, origin};

/// One value that must be unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record's index in the job.
    pub record: u64,
    /// The line it began on, as rejects say it.
    pub line: u64,
    /// Which constraint, by its place in the plan.
    pub constraint: u32,
    /// The same for the same value, and another under another constraint.
    pub key: u128,
}

/// Reads batches for their keys.
pub struct Keys<'a> {
    plan: &'a JobPlan,
    scratch: Scratch,
    found: Vec<Option<u128>>,
}

impl<'a> Keys<'a> {
    /// Of a job's records.
    #[must_use]
    pub fn new(plan: &'a JobPlan) -> Self {
        Self {
            plan,
            scratch: Scratch::default(),
            found: Vec::new(),
        }
    }

    /// Adds the keys of a batch to `entries`, in the order of its records, and names every record to
    /// `row` that is neither blank nor a comment. `bytes` are those of `range`.
    pub fn read(
        &mut self,
        range: &BatchRange,
        bytes: &[u8],
        entries: &mut Vec<Entry>,
        mut row: impl FnMut(u64),
    ) {
        let plan = self.plan;
        let dialect = plan.layout.dialect;
        let mut reader = RecordReader::new(bytes, dialect, plan.limits, range.position());
        let is_unique = plan.unique_constraints() > 0;
        while let Some(record) = reader.read() {
            if record.is_skippable() {
                continue;
            }
            let index = record.index();
            row(index);
            if !is_unique || record.fault().is_some() || index >= range.footer_start() {
                continue;
            }
            let origin = origin(&plan.layout, &record);
            if origin.fault.is_some() {
                continue;
            }
            let cells = RowCells(&record);
            plan.rows
                .unique_keys(&cells, &mut self.scratch, &mut self.found);
            for (constraint, key) in (0..).zip(&self.found) {
                if let Some(key) = key {
                    entries.push(Entry {
                        record: index,
                        line: origin.line,
                        constraint,
                        key: key ^ salt(constraint),
                    });
                }
            }
        }
    }
}

/// Keeps the same value under two constraints apart.
fn salt(constraint: u32) -> u128 {
    u128::from(constraint).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}
