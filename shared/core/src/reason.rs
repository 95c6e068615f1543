//! Why a job failed.
//!
//! Each sentence is met by the person who uploaded the file or wrote its definition. It must not hold
//! record values (I8).

use batchfleet_definition::Tolerated;
use serde::{Deserialize, Serialize};

use crate::invariants::Violation;

/// Why a job failed: a stable code for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable, for example `MISSING_COLUMN`.
    pub code: ReasonCode,
    /// What happened, where, and what to do. Holds no record values (I8).
    pub message: String,
}

/// The longest message that a job keeps: some forty faults of a definition or a header. A definition
/// can have 20,000, more than an item of the table takes.
const REASON_BYTES_MAX: usize = 8 << 10;

impl Reason {
    /// With a message that a job can keep: of one that is too long the first lines, and how many there
    /// are more.
    #[must_use]
    pub fn clipped(mut self) -> Self {
        if self.message.len() > REASON_BYTES_MAX {
            let kept = &self.message[..self.message.floor_char_boundary(REASON_BYTES_MAX)];
            let kept = kept.rsplit_once('\n').map_or(kept, |(lines, _)| lines);
            let more = self.message.lines().count() - kept.lines().count();
            self.message = match more {
                0 => format!("{kept}…"),
                more => format!("{kept}\nand {more} lines more"),
            };
        }
        self
    }

    /// The pinned version is gone (I5).
    #[must_use]
    pub fn source_changed() -> Self {
        Self {
            code: ReasonCode::SourceChanged,
            message:
                "the file was changed or removed while it was imported: what was delivered before \
                      is accounted for below; upload the file again"
                    .to_owned(),
        }
    }

    /// The source can't be decoded to its end.
    #[must_use]
    pub fn bad_source(why: &str) -> Self {
        Self {
            code: ReasonCode::BadSource,
            message: format!("{why}; what was delivered before is accounted for below"),
        }
    }

    /// What is in the spool is gone before the job is over.
    #[must_use]
    pub fn spool_gone() -> Self {
        Self::bad_source(
            "what was kept beside the file for the workers is gone, its decoded text or which of its rows \
             are duplicates; it is kept for 7 days while a job is open: upload the file again",
        )
    }

    /// The keys of unique fields can't be kept.
    #[must_use]
    pub fn out_of_room(why: &str) -> Self {
        Self {
            code: ReasonCode::OutOfRoom,
            message: format!(
                "the values of unique fields are too many to be remembered: {why}; give the preparer more \
                 memory or room on disk, or divide the file; what was delivered before is accounted for \
                 below"
            ),
        }
    }

    /// A promise does not hold: the job must not complete on it.
    #[must_use]
    pub fn defect(violation: &Violation) -> Self {
        Self {
            code: ReasonCode::LedgerMismatch,
            message: format!("{violation}; this is a defect of batchfleet, please report it"),
        }
    }

    /// More records were rejected than the definition bears.
    #[must_use]
    pub fn too_many_rejects(rejected: u64, tolerated: &Tolerated) -> Self {
        Self {
            code: ReasonCode::TooManyRejects,
            message: format!(
                "{rejected} rows or more were rejected, and the definition tolerates {tolerated}: see \
                 rejects.csv; what was delivered before is accounted for below"
            ),
        }
    }

    /// The destination can't be used as the definition says.
    #[must_use]
    pub fn bad_destination(why: &str) -> Self {
        Self {
            code: ReasonCode::BadDestination,
            message: format!("the destination can not be used: {why}"),
        }
    }

    /// A table of `duplicates_of` can't be asked as the definition says.
    #[must_use]
    pub fn bad_lookup(why: &str) -> Self {
        Self {
            code: ReasonCode::BadLookup,
            message: format!("the records that exist already can not be looked up: {why}"),
        }
    }

    /// An output has other content than its batch gives now.
    #[must_use]
    pub fn output_conflict(name: &str) -> Self {
        Self {
            code: ReasonCode::OutputConflict,
            message: format!(
                "the output {name} exists with other content than its rows give now: either another \
                 program wrote it, or batchfleet was changed while the job ran; nothing was overwritten"
            ),
        }
    }
}

/// The stable codes of [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReasonCode {
    /// The file has no bytes, or nothing but blank lines.
    EmptyFile,
    /// The header does not fit the definition, or is no header.
    BadHeader,
    /// No definition of that name, or it has faults.
    BadDefinition,
    /// The destination does not exist, or is not as the definition says.
    BadDestination,
    /// A table of `duplicates_of` does not exist, or is not as the definition says.
    BadLookup,
    /// A record does not end within the limit.
    RecordUnbounded,
    /// The file can't be read to its end: it is compressed, in another encoding or JSON, and not whole;
    /// or a preparer has no time to go through it from the beginning again.
    BadSource,
    /// The keys of unique fields fit neither into memory nor on the disk.
    OutOfRoom,
    /// The object changed or vanished under the running job.
    SourceChanged,
    /// More records were rejected than the definition bears (`on_error`, `tolerated_failures`).
    TooManyRejects,
    /// An output of that name exists with other content.
    OutputConflict,
    /// What was to be redriven is gone, or was never planned to its end.
    NotRedrivable,
    /// The counts or ranges of the batches do not add up. This is a defect of ours, never of the file.
    LedgerMismatch,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An item of the table takes 400 KB: a job that could not keep its reason would never end.
    #[test]
    fn a_reason_of_any_length_can_be_kept() {
        let clipped = |message: String| {
            let code = ReasonCode::BadDefinition;
            let kept = Reason { code, message }.clipped().message;
            assert!(kept.len() < REASON_BYTES_MAX + 100, "{} bytes", kept.len());
            kept
        };
        assert_eq!(clipped("one\ntwo".into()), "one\ntwo");
        let fault = |n: usize| format!("line {n}, column 1: unknown key \"x\"\n");
        let faults: String = (1..=20_000).map(fault).collect();
        let kept = clipped(faults);
        let lines = kept.lines().count() - 1;
        assert!(kept.starts_with(&fault(1)) && lines > 40, "{lines} lines");
        assert!(
            kept.ends_with(&format!("\nand {} lines more", 20_000 - lines)),
            "{lines}"
        );
        assert!(clipped("é".repeat(300_000)).ends_with("é…"));
    }
}
