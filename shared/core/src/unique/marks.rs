//! What a worker is told of its batch: which of its records have a value that an earlier record has.
//!
//! Marks are numbers alone, never values (I8), and depend on the file, the definition and the plan:
//! whoever writes those of a batch again writes the same.

use batchfleet_grammar::BatchRange;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{PortError, PortResult};

/// A record that shares a value which must be unique with an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The record's index in the job.
    pub record: u64,
    /// Which constraint, by its place in the plan.
    pub constraint: u32,
    /// The line of the first record with the value.
    pub first_line: u64,
}

/// The stored form: records count from the first of the batch.
#[derive(Serialize, Deserialize)]
struct Packed {
    v: u32,
    batch: u64,
    marks: Vec<(u64, u32, u64)>,
}

const WHAT: &str = "the marks of a batch";

/// The bytes that are kept of a batch's marks, also where there are none.
#[must_use]
pub fn encode(range: &BatchRange, marks: &[Mark]) -> Bytes {
    let pack = |mark: &Mark| {
        let record = mark.record - range.first_record;
        (record, mark.constraint, mark.first_line)
    };
    let packed = Packed {
        v: 1,
        batch: range.index,
        marks: marks.iter().map(pack).collect(),
    };
    serde_json::to_vec(&packed).unwrap_or_default().into()
}

/// Reads what was kept of a batch, in the order of its records; the plan has so many constraints.
///
/// # Errors
/// [`PortError::Corrupt`] where these are no marks of this batch.
pub fn decode(range: &BatchRange, constraints: usize, bytes: &[u8]) -> PortResult<Vec<Mark>> {
    let packed: Packed =
        serde_json::from_slice(bytes).map_err(|error| PortError::corrupt(WHAT, error))?;
    if packed.v != 1 || packed.batch != range.index {
        let found = format!("version {} of batch {}", packed.v, packed.batch);
        return Err(PortError::corrupt(WHAT, found));
    }
    let mut marks: Vec<Mark> = Vec::with_capacity(packed.marks.len());
    for (record, constraint, first_line) in packed.marks {
        let mark = Mark {
            record: range.first_record.saturating_add(record),
            constraint,
            first_line,
        };
        let follows = marks.last().is_none_or(|last| last.record <= mark.record);
        if record >= range.records || constraint as usize >= constraints || !follows {
            let found = format!("record {record} under constraint {constraint}");
            return Err(PortError::corrupt(WHAT, found));
        }
        marks.push(mark);
    }
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: BatchRange = BatchRange {
        index: 7,
        start: 0,
        end: 100,
        first_record: 1_000,
        records: 10,
        first_line: 1_002,
        oversize: false,
        footer: 0,
    };

    fn mark(record: u64, constraint: u32) -> Mark {
        Mark {
            record,
            constraint,
            first_line: 12,
        }
    }

    #[test]
    fn marks_read_back() {
        for marks in [vec![], vec![mark(1_000, 0), mark(1_009, 0), mark(1_009, 1)]] {
            let bytes = encode(&RANGE, &marks);
            assert_eq!(decode(&RANGE, 2, &bytes).unwrap(), marks);
        }
    }

    /// What version 1 stored must decode for ever.
    #[test]
    fn frozen_marks_decode() {
        let bytes = br#"{"v":1,"batch":7,"marks":[[3,1,12]]}"#;
        assert_eq!(decode(&RANGE, 2, bytes).unwrap(), [mark(1_003, 1)]);
    }

    #[test]
    fn what_is_not_of_the_batch_is_an_error() {
        for text in [
            "",
            r#"{"v":2,"batch":7,"marks":[]}"#,
            r#"{"v":1,"batch":8,"marks":[]}"#,
            r#"{"v":1,"batch":7,"marks":[[10,0,2]]}"#,
            r#"{"v":1,"batch":7,"marks":[[1,2,2]]}"#,
            r#"{"v":1,"batch":7,"marks":[[2,0,2],[1,0,2]]}"#,
        ] {
            assert!(decode(&RANGE, 2, text.as_bytes()).is_err(), "{text}");
        }
    }
}
